//! Laws that hold for every task, at its base and under every shift: what a picture shows is what is judged.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{axes_of, bases, levels, posed, Base};
use proptest::prelude::*;
use serde_json::json;
use vrrl_generators::shift::{axes, axis, resolve, Axis, Changes, Level};
use vrrl_generators::{check, png, pose, pose_truth};
use vrrl_harness_core::{Answer, Feedback, Image, Move, Problem, Seed, TaskKind, Truth, View};

/// The truth describes a place on the picture, or a maze that can be drawn.
fn truth_holds(problem: &dyn Problem, picture: &Image) -> Result<(), String> {
    let Truth::Region(region) = problem.truth() else {
        return pose_truth(problem.kind(), &problem.truth(), Seed(0)).map(drop).map_err(|e| e.to_string());
    };
    region.check().map_err(|e| e.to_string())?;
    let size = region.size.ok_or("no size")?;
    if size != [picture.width(), picture.height()] {
        return Err(format!("size {size:?}, but the picture is {:?}", picture.dimensions()));
    }
    let on =
        |[x, y]: [f64; 2]| (0.0..f64::from(size[0])).contains(&x) && (0.0..f64::from(size[1])).contains(&y);
    let corners = match region.bounds {
        Some([x0, y0, x1, y1]) => vec![[x0, y0], [x1, y1]],
        None => vec![region.centre()],
    };
    match corners.into_iter().find(|&corner| !on(corner)) {
        Some(corner) => Err(format!("{corner:?} is not on a picture of {size:?}")),
        None => Ok(()),
    }
}

/// Right answers are right, wrong ones wrong, and the truth's file judges as the problem does.
fn answers_hold(problem: &dyn Problem, seed: u64) -> Result<(), String> {
    let text = serde_json::to_string(&problem.truth()).map_err(|e| e.to_string())?;
    let recorded: Truth = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    if recorded != problem.truth() {
        return Err(format!("{text} is read as {recorded:?}"));
    }
    let recorded = pose_truth(problem.kind(), &recorded, Seed(0)).map_err(|e| e.to_string())?;
    let mut rng = Seed(seed).derive("laws", 0).rng();
    for _ in 0..4 {
        let (right, wrong, blind) =
            (problem.oracle(&mut rng), problem.mistake(&mut rng), problem.guess(&mut rng));
        if !problem.judge(&right).correct() {
            return Err(format!("the oracle's {right:?} is wrong for {text}"));
        }
        if problem.judge(&wrong).correct() {
            return Err(format!("the mistake {wrong:?} is right for {text}"));
        }
        for answer in [right, wrong, blind] {
            if recorded.judge(&answer) != problem.judge(&answer) {
                return Err(format!("{answer:?} is judged another way by the recorded truth {text}"));
            }
        }
    }
    match junk().into_iter().find(|junk| problem.judge(junk).correct()) {
        Some(junk) => Err(format!("{junk:?} is right for {text}")),
        None => Ok(()),
    }
}

/// Answers that are never right.
fn junk() -> Vec<Answer> {
    let points = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e9];
    let mut junk = vec![Answer::Moves(vec![]), Answer::Moves(vec![Move::Up; 5000])];
    junk.extend(points.map(|v| Answer::Point([v, v])));
    junk.extend(points.map(|v| Answer::Point([v, 5.0])));
    junk
}

/// Feedback on any answer is a picture or words, never a panic.
fn feedback_holds(problem: &dyn Problem, answer: &Answer, views: &[View]) -> Result<(), String> {
    for &view in views {
        for feedback in [problem.feedback(answer, view), problem.whole_feedback(answer, view)] {
            match feedback {
                Feedback::Image(image) if image.width() == 0 || image.height() == 0 => {
                    return Err(format!("{answer:?}: an empty picture"));
                }
                Feedback::Text(text) if text.is_empty() => return Err(format!("{answer:?}: no words")),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Everything that holds for one problem; `picture` is its crisp one.
fn all_hold(problem: &dyn Problem, picture: &Image, seed: u64) -> Result<(), String> {
    if problem.question().trim().is_empty() {
        return Err("no question".into());
    }
    truth_holds(problem, picture)?;
    answers_hold(problem, seed)?;
    let mut rng = Seed(seed).derive("laws", 1).rng();
    // Where the right answer is, feedback is a picture.
    match problem.feedback(&problem.oracle(&mut rng), View::Crisp) {
        Feedback::Text(words) => Err(format!("the oracle hears: {words}")),
        Feedback::Image(_) => feedback_holds(problem, &problem.mistake(&mut rng), &[View::Crisp]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn base_problems_keep_the_laws(seed in any::<u64>()) {
        for base in bases() {
            let problem = posed(&base, &base.params, seed);
            if let Err(broken) = all_hold(problem.as_ref(), &problem.observe(View::Crisp), seed) {
                prop_assert!(false, "{} seed {}: {}", base.name, seed, broken);
            }
            let again = posed(&base, &base.params, seed);
            prop_assert_eq!(problem.canonical(), again.canonical());
            for view in [View::Crisp, View::Canvas] {
                prop_assert!(png(&problem.observe(view)) == png(&again.observe(view)), "{} {}", base.name, seed);
            }
        }
    }

    #[test]
    fn feedback_takes_any_answer(
        seed in any::<u64>(), x in any::<f64>(), y in any::<f64>(),
        near in prop::array::uniform2(-50.0..1500.0f64), steps in prop::collection::vec(0usize..4, 0..60),
    ) {
        let mut answers = junk();
        answers.extend([Answer::Point([x, y]), Answer::Point(near), Answer::Point([near[0], y])]);
        answers.push(Answer::Moves(steps.into_iter().map(|step| Move::ALL[step]).collect()));
        for base in bases() {
            let mut params = base.params.clone();
            params["post"] = json!([{"op": "rotate", "angle": 30}]);
            for problem in [posed(&base, &base.params, seed), posed(&base, &params, seed)] {
                for answer in &answers {
                    if let Err(broken) = feedback_holds(problem.as_ref(), answer, &[View::Crisp, View::Canvas]) {
                        prop_assert!(false, "{} seed {}: {}", base.name, seed, broken);
                    }
                    problem.judge(answer);
                }
            }
        }
    }
}

/// What a level of an axis must leave as it is.
fn kept(axis: &Axis, plain: &dyn Problem, problem: &dyn Problem) -> Result<(), String> {
    if axis.changes == Changes::Structure {
        return Ok(());
    }
    let (form, own) = (problem.canonical(), plain.canonical());
    let same = [
        ("form up to symmetry", form.symmetric == own.symmetric),
        ("pattern", form.pattern == own.pattern),
        // Numbers may be written in another way.
        ("form", form.exact == own.exact || axis.name == "number_format"),
        // Where columns were, rows may be.
        ("question", problem.question() == plain.question() || axis.name == "layout"),
    ];
    match same.into_iter().find(|(_, same)| !same) {
        Some((what, _)) => Err(format!("another {what}")),
        None => Ok(()),
    }
}

/// Levels that show on this base (a level may be what the base is already), and what is broken.
fn shows(base: &Base) -> (BTreeSet<(String, Level)>, Vec<String>) {
    let (mut shows, mut broken) = (BTreeSet::new(), Vec::new());
    let plain: Vec<_> = (0..2)
        .map(|seed| {
            let problem = posed(base, &base.params, seed);
            let picture = problem.observe(View::Crisp);
            (problem, picture)
        })
        .collect();
    for (axis, level, params) in levels(base) {
        // Operations on pixels look at no scene: one is enough.
        let seeds = if axis.changes == Changes::Pixels { 1 } else { 2 };
        for (seed, (plain, seen)) in (0..seeds).zip(&plain) {
            let problem = posed(base, &params, seed);
            let picture = problem.observe(View::Crisp);
            let held = all_hold(problem.as_ref(), &picture, seed)
                .and_then(|()| kept(axis, plain.as_ref(), problem.as_ref()));
            if let Err(reason) = held {
                broken.push(format!("{} {} {level} seed {seed}: {reason}", base.name, axis.name));
            }
            if picture != *seen || problem.question() != plain.question() {
                shows.insert((axis.name.clone(), level.clone()));
            }
        }
    }
    (shows, broken)
}

#[test]
fn every_shift_keeps_the_laws() {
    let mut seen: BTreeMap<TaskKind, BTreeSet<(String, Level)>> = BTreeMap::new();
    let mut broken = Vec::new();
    std::thread::scope(|scope| {
        let start = |base: Base| (base.kind, scope.spawn(move || shows(&base)));
        let threads: Vec<_> = bases().into_iter().map(start).collect();
        for (kind, thread) in threads {
            let (shows, own) = thread.join().expect("problems are posed");
            seen.entry(kind).or_default().extend(shows);
            broken.extend(own);
        }
    });
    assert!(broken.is_empty(), "{broken:#?}");
    for axis in axes() {
        for task in axis.tasks() {
            for level in axis.levels(task) {
                let name = (axis.name.clone(), level);
                assert!(seen[&task].contains(&name), "{} {} shows on no {task:?}", name.0, name.1);
            }
        }
    }
}

#[test]
fn compositions_keep_the_laws() {
    for base in bases() {
        let names: Vec<&str> = axes_of(&base).iter().map(|axis| axis.name.as_str()).collect();
        let mut rng = Seed(11).rng();
        let mut refused = 0;
        for seed in 0..20 {
            let shifts: BTreeMap<String, _> = (0..3)
                .map(|_| {
                    let name = *rng.choose(&names);
                    let levels = axis(name).unwrap().levels(base.kind);
                    (name.to_owned(), rng.choose(&levels).clone())
                })
                .collect();
            let params = resolve(base.kind, &base.params, &shifts, &[]).unwrap();
            match pose(base.kind, &params, Seed(seed)) {
                Ok(problem) => {
                    if let Err(broken) = all_hold(problem.as_ref(), &problem.observe(View::Crisp), seed) {
                        panic!("{} {shifts:?} seed {seed}: {broken}", base.name);
                    }
                }
                // Not all go together; what is refused is refused with a reason.
                Err(e) => {
                    assert!(e.to_string().len() > 20, "{shifts:?}: {e}");
                    refused += 1;
                }
            }
        }
        assert!(refused <= 6, "{}: {refused} of 20", base.name);
    }
}

#[test]
fn every_task_refuses_what_it_does_not_know() {
    for Base { kind, params, .. } in bases() {
        let error = |key: &str, value: serde_json::Value| {
            let mut params = params.clone();
            params[key] = value;
            let (checked, posed) = (check(kind, &params).err(), pose(kind, &params, Seed(0)).err());
            let text = posed.map(|e| e.to_string());
            assert_eq!(checked.map(|e| e.to_string()), text);
            text.unwrap_or_default()
        };
        assert!(error("nonsense", json!(1)).contains("nonsense"));
        assert!(error("post", json!([{"op": "rotat", "angle": 3}])).contains("did you mean `rotate`?"));
        assert!(error("post", json!([{"op": "jpeg", "quality": 0}])).contains("use 1 to 100"));
        assert!(error("post", json!({"op": "jpeg"})).contains("list"));
        assert!(error("post", json!(vec![json!({"op": "jpeg", "quality": 9}); 50])).contains("up to 32"));
    }
}
