//! What a policy really sees under each feedback mode and control.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::toy_point::{self, SIZE};
use crate::*;

fn settings(feedback: FeedbackMode) -> Settings {
    Settings {
        dialect: Dialect::BareCommit,
        max_turns: 4,
        sampling: Sampling { temperature: 0.0, max_tokens: 64 },
        view: View::Crisp,
        feedback,
        stop_on_repeat: false,
    }
}

/// Proposes the given points, then commits, and keeps every picture and text it was shown.
struct Witness<'p> {
    proposals: &'p [[f64; 2]],
    saw: Vec<Observation>,
}

impl Policy for Witness<'_> {
    fn info(&self) -> PolicyInfo {
        let [name, backend, engine, fingerprint] = ["witness", "test", "1", "0"].map(Into::into);
        PolicyInfo { name, backend, engine, fingerprint }
    }
    fn slots(&self) -> usize {
        1
    }
    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
        let one = |request: &Request<'_>| {
            self.saw.push(request.observation.clone());
            let text = match self.proposals.get(request.history.len()) {
                Some(point) => Dialect::BareCommit.print_proposal(&Answer::Point(*point), None),
                None => "<FINAL/>".into(),
            };
            Ok(Reply { text, ..Reply::default() })
        };
        requests.iter().map(one).collect()
    }
}

/// Observations and end of one episode of the first spot; the second is the other example.
fn play(mode: FeedbackMode, control: Control, proposals: &[[f64; 2]]) -> (Vec<Observation>, End) {
    let examples = toy_point::examples("toy", 2, Seed(3));
    let shown = match control {
        Control::None => Shown::Own,
        Control::Blank => Shown::Blank,
        Control::Swapped => Shown::Other(&examples[1]),
        Control::Oracle => Shown::Oracle,
    };
    let mut policy = Witness { proposals, saw: Vec::new() };
    let mut end = End::Fault;
    let start = Start { shown, ..Start::fresh(&examples[0], Seed(9)) };
    drive(&mut policy, settings(mode), [start], &mut |_, finished| {
        end = finished.end;
        ControlFlow::Continue(())
    });
    (policy.saw, end)
}

/// The picture after the first proposal.
fn shown(mode: FeedbackMode, control: Control, point: [f64; 2]) -> Arc<Image> {
    play(mode, control, &[point]).0[1].image.clone().expect("a picture")
}

const POINT: [f64; 2] = [12.0, 9.0];

fn drawn(example: usize, answer: &Answer, mode: FeedbackMode) -> Image {
    let problem = &toy_point::examples("toy", 2, Seed(3))[example].problem;
    let feedback = match mode {
        FeedbackMode::Crop => problem.feedback(answer, View::Crisp),
        FeedbackMode::Whole => problem.whole_feedback(answer, View::Crisp),
    };
    match feedback {
        Feedback::Image(image) => image,
        Feedback::Text(text) => panic!("words: {text}"),
    }
}

#[test]
fn the_question_is_the_same_under_every_control() {
    for mode in FeedbackMode::ALL {
        for control in Control::ALL {
            let saw = play(mode, control, &[POINT]).0;
            assert_eq!(saw[0].image.as_ref().unwrap().dimensions(), (SIZE[0], SIZE[1]));
            assert_eq!(saw[0].text.as_deref(), Some("find the spot"));
            assert_eq!(saw.len(), 2);
        }
    }
}

#[test]
fn each_control_shows_what_it_says() {
    for mode in FeedbackMode::ALL {
        let proposed = Answer::Point(POINT);
        let own = shown(mode, Control::None, POINT);
        assert_eq!(*own, drawn(0, &proposed, mode));
        let blank = shown(mode, Control::Blank, POINT);
        assert_eq!(blank.dimensions(), own.dimensions());
        assert!(blank.iter().all(|byte| *byte == 255) && own.iter().any(|byte| *byte != 255));
        let swapped = shown(mode, Control::Swapped, POINT);
        assert_eq!(*swapped, drawn(1, &proposed, mode));
        assert_ne!(swapped, own);
        let oracle = shown(mode, Control::Oracle, POINT);
        let right = toy_point::examples("toy", 1, Seed(3))[0].problem.oracle(&mut Seed(0).rng());
        assert_eq!(*oracle, drawn(0, &right, mode));
        assert_ne!(oracle, own);
        assert_eq!(oracle, shown(mode, Control::Oracle, [0.0, 0.0]), "whatever was proposed");
    }
    let sizes = FeedbackMode::ALL.map(|mode| shown(mode, Control::None, POINT).dimensions());
    assert_eq!(sizes, [(10, 10), (SIZE[0], SIZE[1])]);
}

#[test]
fn words_do_not_tell_what_a_control_hides() {
    let outside = [-3.0, 9.0];
    let text = |control| play(FeedbackMode::Crop, control, &[outside]).0[1].text.clone();
    assert_eq!(text(Control::None).as_deref(), Some("outside"));
    assert_eq!(text(Control::Blank).as_deref(), Some("No feedback."));
    assert_eq!(text(Control::Swapped).as_deref(), Some("outside"), "outside of the other one too");
    assert_eq!(text(Control::Oracle), None);
}

#[test]
fn a_point_proposed_twice_ends_the_episode() {
    let (saw, end) = play(FeedbackMode::Crop, Control::None, &[POINT, [1.0, 1.0], POINT]);
    assert_eq!((saw.len(), end), (3, End::Repeat));
    let (saw, end) = play(FeedbackMode::Crop, Control::None, &[POINT, [1.0, 1.0], [2.0, 2.0]]);
    assert_eq!((saw.len(), end), (4, End::Commit));
}

#[test]
fn a_roll_in_is_shown_the_same() {
    let examples = toy_point::examples("toy", 2, Seed(3));
    for shown in [Shown::Own, Shown::Blank, Shown::Other(&examples[1]), Shown::Oracle] {
        let start = || Start { shown, ..Start::fresh(&examples[0], Seed(9)) };
        let played = Episode::new(start(), settings(FeedbackMode::Whole));
        let text = Dialect::BareCommit.print_proposal(&Answer::Point(POINT), None);
        let Step::Open(played) = played.apply(Ok(Reply { text, ..Reply::default() })) else { panic!("open") };
        let resumed = Start { prefix: played.history().to_vec(), ..start() };
        let resumed = Episode::new(resumed, settings(FeedbackMode::Whole));
        assert_eq!(resumed.observation().image, played.observation().image);
    }
}

#[test]
fn words_are_those_of_the_files() {
    for control in Control::ALL {
        assert_eq!(serde_json::to_value(control).unwrap(), control.word());
    }
    for mode in FeedbackMode::ALL {
        assert_eq!(serde_json::to_value(mode).unwrap(), mode.word());
    }
}
