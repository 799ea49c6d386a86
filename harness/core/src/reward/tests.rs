//! Laws and worked examples of the judge.

use proptest::prelude::*;

use super::*;
use crate::toy;
use crate::{Canonical, Error, Example, Feedback, Image, PointVerdict, RegionTruth, Rng, Seed, View};

/// Shortest paths have four moves: right right down down is the only one.
fn maze() -> Example {
    toy::example("m", &["SFF", "HHF", "FFG"])
}

const RIGHT: &str = "right right down down";

fn judge(dialect: Dialect, texts: &[&str]) -> Judged {
    judge_turns(&*maze().problem, dialect, texts)
}

fn bare(proposals: &[&str]) -> Judged {
    let mut texts: Vec<String> = proposals.iter().map(|p| format!("<ANSWER>{p}</ANSWER>")).collect();
    texts.push("<FINAL/>".into());
    judge(Dialect::BareCommit, &texts.iter().map(String::as_str).collect::<Vec<_>>())
}

fn code() -> RewardConfig {
    RewardConfig::preset("vrrl_code", TaskKind::Maze).unwrap()
}

fn paper() -> RewardConfig {
    RewardConfig::preset("vrrl_paper", TaskKind::Maze).unwrap()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

#[test]
fn totals_of_the_presets() {
    // (proposals, vrrl_code, vrrl_paper)
    for (proposals, by_code, by_paper) in [
        (&[RIGHT][..], 1.0, 1.0),
        // 0.5 → 1: r_refl 0.5.
        (&["right right", RIGHT], 1.0 + 0.1 * 0.5 - 0.01, 1.0 + 0.2 * 0.5 - 0.05),
        (&["down", "right right", RIGHT], 1.0 + 0.1 - 0.02, 1.0 + 0.2 - 0.1),
        // Wrong: 0 → 0.5, and the paper's launcher takes the step cost here too.
        (&["down", "right right"], 0.1 + 0.9 * 0.5, 0.1 + 0.9 * 0.5 - 0.05),
        (&["down"], 0.1, 0.1),
        // 0.75 → 0.25 loses half of 0.5, which is clipped.
        (&["right right down", "right"], 0.1, 0.1 - 0.05),
        // An overshooting list has progress 0: 0.5 → 0 → 0.
        (&["right right", "right right down down down"], 0.1, 0.05),
    ] {
        let judged = bare(proposals);
        assert!(near(judged.reward(&code()).total, by_code), "{proposals:?}: {:?}", judged.reward(&code()));
        assert!(
            near(judged.reward(&paper()).total, by_paper),
            "{proposals:?}: {:?}",
            judged.reward(&paper())
        );
        let wanted = f64::from(judged.score(&code()).correct);
        let outcome_only = RewardConfig::preset("outcome_only", TaskKind::Maze).unwrap();
        assert!(near(judged.reward(&outcome_only).total, wanted));
    }
}

#[test]
fn components_are_named() {
    let reward = bare(&["right right", RIGHT]).reward(&code());
    assert!(
        near(reward.format, 0.1) && near(reward.outcome, 1.0) && near(reward.reflection, 0.5),
        "{reward:?}"
    );
    assert!(near(reward.step_cost, 0.01));
    let graded = RewardConfig { outcome: Outcome::Graded, ..RewardConfig::default() };
    let reward = bare(&["down", "right right"]).reward(&graded);
    assert!(near(reward.outcome, 0.45), "{reward:?}");
    assert!(near(reward.total, 1.0), "0.1 + 0.45 + 0.45");
    let reward = bare(&["down", "right", "right right down"]).reward(&graded);
    assert!(near(reward.total, 1.0), "capped at correct_value: {reward:?}");
}

#[test]
fn broken_formats_earn_nothing_but_keep_their_score() {
    let repeated = bare(&["right right", RIGHT, RIGHT]);
    let reward = repeated.reward(&code());
    assert!(near(reward.total, 0.0) && near(reward.format, 0.0) && near(reward.outcome, 0.0));
    assert!(near(reward.reflection, 0.5), "the reflection sum is reported all the same");
    assert!(near(reward.step_cost, 0.0));
    let score = repeated.score(&code());
    assert!(score.correct && !score.correct_first && score.proposals == 3 && score.turns == 4);
    assert_eq!(repeated.revisions(), (2, 1));
    assert_eq!(repeated.correct_by_turn(&code()), [false, true, true, true]);
}

#[test]
fn format_rules_one_by_one() {
    let tag = Dialect::ReflectionTag;
    let (p, r) = ("<ANSWER>right</ANSWER>", "<THINK>no</THINK><ANSWER>right right</ANSWER>");
    for (texts, min_turns, holds) in [
        (&[p, "<FINAL>right</FINAL>"][..], 1, true),
        (&["  \n", p, "", "<FINAL>right</FINAL>"], 1, true),
        (&[p, r, "<FINAL>right right</FINAL>"], 3, true),
        (&[p, r, "<FINAL>right right</FINAL>"], 4, false),
        (&[], 0, false),
        (&[p], 1, false),
        (&["<FINAL>right</FINAL>"], 1, false),
        (&[p, "<FINAL>right</FINAL>", "<FINAL>right</FINAL>"], 1, false),
        (&[p, "<FINAL>right</FINAL>", r], 1, false),
        (&[p, "<FINAL>left</FINAL>"], 1, false),
        (&[p, r, "<FINAL>right</FINAL>"], 1, false),
        (&[p, "hm", "<FINAL>right</FINAL>"], 1, false),
        (&[p, "<ANSWER>jump</ANSWER>", "<FINAL>right</FINAL>"], 1, false),
        (&["<ANSWER></ANSWER>", "<FINAL></FINAL>"], 1, false),
        (&["<THINK>x</THINK><ANSWER>right</ANSWER>", "<FINAL>right</FINAL>"], 1, false),
        (&[p, "<THINK>x</THINK><FINAL>right</FINAL>"], 1, false),
        (&[p, "<ANSWER>right right</ANSWER>", "<FINAL>right right</FINAL>"], 1, false),
        (&[p, "<THINK>x</THINK><ANSWER>right</ANSWER>", "<FINAL>right</FINAL>"], 1, false),
    ] {
        assert_eq!(judge(tag, texts).well_formed(min_turns), holds, "{texts:?}");
    }
    // The THINK rules are the reflection tag's alone.
    assert!(bare(&["right", "right right"]).well_formed(1));
    let thinks = ["<THINK>x</THINK><ANSWER>right</ANSWER>", "<FINAL>right</FINAL>"];
    assert!(judge(Dialect::BareCommit, &thinks).well_formed(1));
    assert!(!judge(Dialect::BareCommit, &["<FINAL/>"]).well_formed(1));
}

#[test]
fn the_final_answer_is_the_last_commit_that_parsed() {
    let tag = Dialect::ReflectionTag;
    let right = format!("<ANSWER>{RIGHT}</ANSWER>");
    let standing = |texts: &[&str]| judge(tag, texts).final_answer().map(|(answer, _)| answer.text());
    assert_eq!(standing(&[&right, "<FINAL>up</FINAL>"]).as_deref(), Some("up"));
    assert_eq!(standing(&[&right, "<FINAL></FINAL>"]).as_deref(), Some(""), "an empty list parsed");
    assert_eq!(standing(&[&right, "<FINAL>jump</FINAL>"]).as_deref(), Some(RIGHT));
    assert_eq!(standing(&["<FINAL>up</FINAL>", &right]).as_deref(), Some("up"));
    assert_eq!(standing(&["hm"]), None);
    let empty = judge(tag, &["hm"]).score(&code());
    assert!(!empty.correct_first && empty.progress_first == Some(0.0) && empty.distance_first.is_none());
}

#[test]
fn step_costs_may_wait_for_the_first_complete_proposal() {
    let late = RewardConfig { step_cost_after_correct_only: true, step_cost: 0.1, ..RewardConfig::default() };
    let reward = bare(&["right", RIGHT, "down", "right right"])
        .reward(&RewardConfig { step_cost_on_wrong: true, ..late });
    assert!(near(reward.step_cost, 0.2), "{reward:?}");
    assert!(near(bare(&["right", RIGHT]).reward(&late).step_cost, 0.0));
}

#[test]
fn losing_progress_breaks() {
    let score = bare(&["right right down", "right"]).score(&code());
    assert!(score.broke);
    assert!(!bare(&["right", "right right down"]).score(&code()).broke);
    let lower = RewardConfig { reflect_lower_clip: -1.0, lambda_deg: 1.0, ..code() };
    let reward = bare(&["right right down", "right"]).reward(&lower);
    assert!(near(reward.reflection, -0.5) && near(reward.total, 0.1 - 0.45), "{reward:?}");
}

/// A target at the origin, with or without a tolerance of its own.
struct Spot(Option<f64>);

impl Problem for Spot {
    fn kind(&self) -> TaskKind {
        TaskKind::Chart
    }
    fn truth(&self) -> Truth {
        Truth::Region(RegionTruth { point: Some([0.0, 0.0]), bounds: None, tolerance: self.0, size: None })
    }
    fn question(&self) -> String {
        String::new()
    }
    fn canonical(&self) -> Canonical {
        Canonical { exact: String::new(), symmetric: String::new(), pattern: String::new(), size: 0 }
    }
    fn observe(&self, _view: View) -> Image {
        Image::new(1, 1)
    }
    fn feedback(&self, _answer: &Answer, _view: View) -> Feedback {
        Feedback::Text(String::new())
    }
    fn judge(&self, answer: &Answer) -> Verdict {
        let Answer::Point([x, y]) = answer else { unreachable!("charts parse points") };
        let distance = x.hypot(*y);
        Verdict::Point(PointVerdict { correct: distance <= self.0.unwrap_or(40.0), distance })
    }
    fn oracle(&self, _rng: &mut Rng) -> Answer {
        Answer::Point([0.0, 0.0])
    }
    fn mistake(&self, _rng: &mut Rng) -> Answer {
        Answer::Point([500.0, 0.0])
    }
    fn guess(&self, _rng: &mut Rng) -> Answer {
        Answer::Point([50.0, 0.0])
    }
}

#[test]
fn points_are_shaped_by_distance() {
    let config = RewardConfig::default();
    let texts = ["<ANSWER>200 0</ANSWER>", "<ANSWER>80 0</ANSWER>", "<FINAL/>"];
    let judged = judge_turns(&Spot(None), Dialect::BareCommit, &texts);
    let phi = |d: f64| 0.5 * (-(d / 80.0).powi(2)).exp() + 0.5 * (-(d / 200.0).powi(2)).exp();
    let reward = judged.reward(&config);
    assert!(
        near(reward.reflection, phi(80.0) - phi(200.0)) && near(reward.total, 0.1 + 0.9 * reward.reflection)
    );
    let score = judged.score(&config);
    assert_eq!((score.distance_first, score.distance_final), (Some(200.0), Some(80.0)));
    assert_eq!((score.progress_first, score.correct, score.broke), (None, false, false));
    assert_eq!(judged.strict_success(), None);
}

#[test]
fn a_truths_own_tolerance_wins() {
    let texts = ["<ANSWER>50 0</ANSWER>", "<FINAL/>"];
    let correct = |truth: Option<f64>, tolerance: f64| {
        let config = RewardConfig { tolerance, ..RewardConfig::default() };
        judge_turns(&Spot(truth), Dialect::BareCommit, &texts).score(&config).correct
    };
    assert!(correct(Some(60.0), 10.0) && !correct(Some(20.0), 100.0));
    assert!(correct(None, 60.0) && !correct(None, 40.0));
}

fn proposal() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::collection::vec(prop::sample::select(vec!["up", "down", "left", "right"]), 0..7)
            .prop_map(|words| words.join(" ")),
        1 => prop::sample::select(vec!["right right", "right right down", RIGHT]).prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn totals_are_bounded(proposals in prop::collection::vec(proposal(), 0..7)) {
        let refs: Vec<&str> = proposals.iter().map(String::as_str).collect();
        let judged = bare(&refs);
        for name in PRESETS {
            let config = RewardConfig::preset(name, TaskKind::Maze).unwrap();
            let (reward, score) = (judged.reward(&config), judged.score(&config));
            let low = if config.step_cost_on_wrong { config.format_value - 7.0 * config.step_cost } else { 0.0 };
            prop_assert!(reward.total <= config.correct_value + config.reflect_bonus, "{reward:?}");
            prop_assert!(reward.total >= low, "{reward:?}");
            prop_assert!((0.0..=1.0).contains(&reward.reflection));
            if !judged.well_formed(config.min_turns) {
                prop_assert!(near(reward.total, 0.0));
            } else if !config.step_cost_on_wrong {
                let floor = if score.correct { 0.9 } else { config.format_value };
                prop_assert!(reward.total >= floor, "{reward:?}");
            }
            prop_assert_eq!(score.proposals, proposals.len());
        }
    }

    #[test]
    fn a_longer_path_is_not_exact(extra in "(up|down|left|right)( (up|down|left|right)){0,4}") {
        let judged = bare(&[&format!("{RIGHT} {extra}")]);
        let score = judged.score(&code());
        prop_assert!(!score.correct && score.progress_final == Some(0.0));
        prop_assert!(near(judged.score(&RewardConfig::default()).progress_final.unwrap(), 1.0));
        prop_assert_eq!((judged.strict_success(), judged.lenient_success()), (Some(true), Some(true)));
    }

    #[test]
    fn the_commit_must_repeat_the_proposal(proposed in proposal(), committed in proposal()) {
        let texts = [format!("<ANSWER>{proposed}</ANSWER>"), format!("<FINAL>{committed}</FINAL>")];
        let judged = judge(Dialect::ReflectionTag, &[&texts[0], &texts[1]]);
        prop_assert_eq!(judged.well_formed(1), proposed == committed && !proposed.is_empty());
    }

    #[test]
    fn a_final_beside_an_answer_commits(proposed in proposal(), committed in proposal()) {
        let text = format!("<ANSWER>{proposed}</ANSWER><FINAL>{committed}</FINAL>");
        let judged = judge(Dialect::ReflectionTag, &[&text]);
        prop_assert_eq!(judged.turns()[0].kind, Some(Kind::Commit));
        prop_assert_eq!(judged.proposals().count(), 0);
    }

    #[test]
    fn fixing_a_wrong_answer_is_worth_something(seed in any::<u64>()) {
        let example = &toy::examples("toy", 1, Seed(seed))[0];
        let mut rng = Seed(seed).rng();
        let (wrong, right) = (example.problem.mistake(&mut rng), example.problem.oracle(&mut rng));
        let dialect = Dialect::BareCommit;
        let texts = [dialect.print_proposal(&wrong, None), dialect.print_proposal(&right, None), dialect.print_commit(&right)];
        let judged = judge_turns(&*example.problem, dialect, &[&texts[0], &texts[1], &texts[2]]);
        let reward = judged.reward(&code());
        prop_assert!(reward.reflection > 0.0 && reward.total > 0.98, "{reward:?}");
        prop_assert!(judged.score(&code()).correct && !judged.score(&code()).correct_first);
    }

    #[test]
    fn no_texts_are_too_strange(texts in prop::collection::vec(".{0,60}|<(ANSWER|FINAL|final/)>(up)?(</FINAL>)?", 0..6)) {
        let refs: Vec<&str> = texts.iter().map(String::as_str).collect();
        for dialect in Dialect::of(TaskKind::Maze) {
            let judged = judge(dialect, &refs);
            prop_assert!(judged.reward(&paper()).total.is_finite());
            let _ = judged.score(&code());
        }
    }
}

#[test]
fn scores_carry_only_their_tasks_keys() {
    let text = serde_json::to_string(&bare(&[RIGHT]).score(&code())).unwrap();
    let wanted = r#"{"correct":true,"correct_first":true,"progress_first":1.0,"progress_final":1.0,"turns":2,"proposals":1,"broke":false}"#;
    assert_eq!(text, wanted);
}

#[test]
fn the_unused_part_of_a_problem_is_lawful() {
    // The toy's truth rebuilds an equal problem: what re-scoring rests on.
    use crate::{Posed, Task};
    let example = maze();
    let again = Posed::<toy::Toy>(toy::Toy::from_truth(&example.problem.truth(), Seed(1)).unwrap());
    assert_eq!(again.canonical(), example.problem.canonical());
    let region = Truth::Region(RegionTruth { point: None, bounds: None, tolerance: None, size: None });
    assert!(matches!(toy::Toy::from_truth(&region, Seed(1)), Err(Error::Truth(_))));
}

/// Every worked line of the table in the docs.
#[test]
fn the_table_of_differences_holds() {
    let table = include_str!("presets.md");
    let rows = table.lines().filter(|line| line.starts_with("| maze") || line.starts_with("| grounding"));
    let mut seen = 0;
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, task, _, _, _, worked, totals @ .., _] = &cells[..] else { panic!("{row}") };
        let texts: Vec<&str> = worked.trim_matches('`').split('⏎').map(str::trim).collect();
        let judged = match *task {
            "maze" => judge(Dialect::ReflectionTag, &texts),
            _ => judge_turns(&Spot(Some(40.0)), Dialect::ReflectionTag, &texts),
        };
        for (name, total) in PRESETS.iter().zip(totals) {
            let kind = if *task == "maze" { TaskKind::Maze } else { TaskKind::Chart };
            let found = judged.reward(&RewardConfig::preset(name, kind).unwrap()).total;
            let wanted: f64 = total.parse().unwrap();
            assert!((found - wanted).abs() < 1e-5, "{name}: {found}, not {wanted}, in {row}");
        }
        seen += totals.len();
    }
    assert_eq!(seen, 45, "all lines are read");
}

#[test]
fn points_clip_at_zero_whatever_the_lower_clip() {
    let config = RewardConfig { reflect_lower_clip: -1.0, lambda_deg: 0.1, ..RewardConfig::default() };
    let texts = ["<ANSWER>80 0</ANSWER>", "<ANSWER>200 0</ANSWER>", "<FINAL/>"];
    let judged = judge_turns(&Spot(None), Dialect::BareCommit, &texts);
    assert!(near(judged.reward(&config).reflection, 0.0) && judged.score(&config).broke);
}

#[test]
fn long_transcripts_take_linear_time() {
    let start = std::time::Instant::now();
    let n = 20_000;
    let proposals: Vec<String> = (0..n).map(|i| format!("<ANSWER>{i} {i}</ANSWER>")).collect();
    let mut texts: Vec<&str> = proposals.iter().map(String::as_str).collect();
    texts.extend(["<FINAL/>"].repeat(n));
    let judged = judge_turns(&Spot(None), Dialect::BareCommit, &texts);
    assert!(!judged.well_formed(1) && judged.correct_by_turn(&RewardConfig::default()).len() == 2 * n);
    assert!(judge_turns(&Spot(None), Dialect::BareCommit, &texts[..=n]).well_formed(1));
    // One long proposal, repeated by name as often as it likes.
    let long = format!("<ANSWER>{}</ANSWER>", "up ".repeat(100_000));
    let mut texts = vec![&*long];
    texts.extend(["<FINAL/>"].repeat(n));
    assert_eq!(judge(Dialect::BareCommit, &texts).turns().len(), n + 1);
    assert!(start.elapsed().as_secs() < 60);
}

proptest! {
    #[test]
    fn phi_falls_with_distance_between_0_and_1(a in 0.0..2e3_f64, b in 0.0..2e3_f64) {
        let config = RewardConfig::default();
        let (near, far) = (shape::phi(a.min(b), &config), shape::phi(a.max(b), &config));
        prop_assert!((0.0..=1.0).contains(&far) && far <= near && near <= 1.0);
        prop_assert!(a.max(b) - a.min(b) < 1e-6 || far < near || far < 1e-12);
    }

    #[test]
    fn lost_progress_never_pays(proposals in prop::collection::vec(proposal(), 2..6), lambda in 0.0..1.0_f64) {
        let refs: Vec<&str> = proposals.iter().map(String::as_str).collect();
        let judged = bare(&refs);
        let of = |lambda_deg| judged.reward(&RewardConfig { lambda_deg, ..code() }).reflection;
        prop_assert!(of(1.0) <= of(lambda) && of(lambda) <= of(0.0), "a larger λ never pays more");
        let full = RewardConfig { lambda_deg: 1.0, ..code() };
        let score = judged.score(&full);
        let last = shape::progress(&judged.proposals().next_back().unwrap().1, &full);
        let gained = last - score.progress_first.unwrap();
        prop_assert!(near(of(1.0), gained.clamp(0.0, 1.0)), "with λ 1 the sum telescopes");
        prop_assert_eq!(score.broke, gained < -1e-12);
    }

    #[test]
    fn every_dialect_says_the_same(proposals in prop::collection::vec(proposal(), 1..5)) {
        let path = |words: &String| Answer::Moves(words.split_whitespace().filter_map(crate::Move::from_word).collect());
        let answers: Vec<Answer> = proposals.iter().map(path).collect();
        let mut all = Vec::new();
        for dialect in Dialect::of(TaskKind::Maze) {
            let think = |i: usize| (i > 0).then_some("so");
            let mut texts: Vec<String> =
                answers.iter().enumerate().map(|(i, a)| dialect.print_proposal(a, think(i))).collect();
            texts.push(dialect.print_commit(&answers[answers.len() - 1]));
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let judged = judge(dialect, &texts);
            all.push((judged.reward(&paper()), judged.score(&paper()), judged.well_formed(1)));
        }
        prop_assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
    }

    #[test]
    fn the_step_cost_is_what_was_taken_off(proposals in prop::collection::vec(proposal(), 1..6), cost in 0.0..0.2_f64) {
        let refs: Vec<&str> = proposals.iter().map(String::as_str).collect();
        let judged = bare(&refs);
        let with = judged.reward(&RewardConfig { step_cost: cost, ..paper() });
        let without = judged.reward(&RewardConfig { step_cost: 0.0, ..paper() });
        prop_assert!(near(with.total + with.step_cost, without.total) && with.step_cost >= 0.0);
    }
}
