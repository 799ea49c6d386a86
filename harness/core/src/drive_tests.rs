//! Laws of episodes and of the one loop that runs them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::reward::{judge_finished, judge_turns};
use crate::*;

fn settings(max_turns: usize) -> Settings {
    Settings {
        dialect: Dialect::BareCommit,
        max_turns,
        sampling: Sampling { temperature: 0.0, max_tokens: 64 },
        view: View::Canvas,
        feedback: FeedbackMode::Crop,
        stop_on_repeat: false,
    }
}

/// Replies with guesses drawn from the request's seed, commits with a chance of one in three.
struct Guesser {
    slots: usize,
    open: BTreeSet<u64>,
    batches: Vec<usize>,
}

impl Guesser {
    fn new(slots: usize) -> Self {
        Self { slots, open: BTreeSet::new(), batches: Vec::new() }
    }
}

impl Policy for Guesser {
    fn info(&self) -> PolicyInfo {
        PolicyInfo {
            name: "guesser".into(),
            backend: "test".into(),
            engine: "1".into(),
            fingerprint: "0".into(),
        }
    }
    fn slots(&self) -> usize {
        self.slots
    }
    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
        self.batches.push(requests.len());
        requests
            .iter()
            .map(|request| {
                self.open.insert(request.episode);
                let mut rng = request.seed.rng();
                let text = match rng.below(12) {
                    _ if request.history.is_empty() => {
                        Dialect::BareCommit.print_proposal(&request.example.problem.guess(&mut rng), None)
                    }
                    0 => return Err(Fault { kind: "timeout".into(), detail: "test".into() }),
                    1 => "hm".into(),
                    2..=5 => "<FINAL/>".into(),
                    _ => Dialect::BareCommit.print_proposal(&request.example.problem.guess(&mut rng), None),
                };
                Ok(Reply { text, ..Reply::default() })
            })
            .collect()
    }
    fn release(&mut self, episode: u64) {
        assert!(self.open.remove(&episode), "episode {episode} is released once, after its first reply");
    }
}

fn run(policy: &mut Guesser, examples: &[Example], stop_after: usize) -> BTreeMap<usize, (Vec<String>, End)> {
    let mut results = BTreeMap::new();
    let starts =
        examples.iter().enumerate().map(|(i, e)| Start::fresh(e, Seed(5).derive("episode", i as u64)));
    drive(policy, settings(6), starts, &mut |index, finished| {
        assert_eq!(finished.example.id, examples[index].id);
        let texts: Vec<&str> = finished.turns.iter().map(|t| t.reply.text.as_str()).collect();
        let judged = judge_turns(&*finished.example.problem, Dialect::BareCommit, &texts);
        assert_eq!(judge_finished(&finished), judged);
        results.insert(index, (texts.into_iter().map(str::to_owned).collect(), finished.end));
        if results.len() >= stop_after {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    results
}

#[test]
fn slots_change_nothing_but_the_batches() {
    let examples = toy::examples("toy", 60, Seed(1));
    let one = run(&mut Guesser::new(1), &examples, usize::MAX);
    assert_eq!(one.len(), 60);
    let ends: BTreeSet<String> = one.values().map(|(_, end)| format!("{end:?}")).collect();
    assert_eq!(
        ends,
        ["Commit", "Fault", "Malformed", "TurnLimit"].map(str::to_owned).into(),
        "all kinds occur"
    );
    for slots in [0, 2, 7, 200] {
        let mut policy = Guesser::new(slots);
        assert_eq!(run(&mut policy, &examples, usize::MAX), one, "{slots} slots");
        assert!(policy.open.is_empty());
    }
}

#[test]
fn a_free_slot_is_refilled_at_once() {
    let examples = toy::examples("toy", 60, Seed(1));
    let mut policy = Guesser::new(8);
    run(&mut policy, &examples, usize::MAX);
    let full = policy.batches.iter().take_while(|n| **n == 8).count();
    // Only the last episodes run in smaller batches, and those last at most six turns.
    assert!(policy.batches.len() - full <= 6, "{:?}", policy.batches);
}

#[test]
fn breaking_off_drops_and_releases_what_is_open() {
    let examples = toy::examples("toy", 60, Seed(1));
    let mut policy = Guesser::new(8);
    assert_eq!(run(&mut policy, &examples, 5).len(), 5);
    assert!(policy.open.is_empty(), "left open: {:?}", policy.open);
}

fn play(settings: Settings, replies: &[Result<Reply, Fault>]) -> (End, usize, Option<Fault>) {
    let example = toy::example("m", &["SFF", "HHF", "FFG"]);
    let mut episode = Episode::new(Start::fresh(&example, Seed(1)), settings);
    for (i, reply) in replies.iter().enumerate() {
        match episode.apply(reply.clone()) {
            Step::Open(next) => episode = next,
            Step::Done(finished) => {
                assert_eq!(i + 1, replies.len(), "ended early: {:?}", finished.end);
                return (finished.end, finished.turns.len(), finished.fault);
            }
        }
    }
    panic!("still open after {} replies", replies.len());
}

fn says(text: &str) -> Result<Reply, Fault> {
    Ok(Reply { text: text.into(), ..Reply::default() })
}

#[test]
fn every_end_has_its_name() {
    let up = || says("<ANSWER>up</ANSWER>");
    let right = || says("<ANSWER>right</ANSWER>");
    let cut = |text: &str| Ok(Reply { text: text.into(), cut: true, ..Reply::default() });
    let fault = |kind: &str| Err(Fault { kind: kind.into(), detail: "x".into() });
    let end = |replies: &[Result<Reply, Fault>]| play(settings(3), replies).0;
    assert_eq!(end(&[up(), says("<FINAL/>")]), End::Commit);
    assert_eq!(end(&[up(), says("")]), End::Malformed);
    assert_eq!(end(&[says("<ANSWER>jump</ANSWER>")]), End::Malformed);
    assert_eq!(end(&[says("<FINAL/>")]), End::Malformed, "nothing to repeat");
    assert_eq!(end(&[up(), cut("<ANSWER>up ri")]), End::Length);
    assert_eq!(end(&[cut("<ANSWER>up</ANSWER>"), says("<FINAL/>")]), End::Commit, "cut, but it parsed");
    assert_eq!(end(&[up(), right(), up()]), End::TurnLimit, "repeating a maze's proposal ends nothing");
    assert_eq!(play(Settings { stop_on_repeat: true, ..settings(8) }, &[up(), right(), up()]).0, End::Repeat);
    let (end, turns, fault_kept) = play(settings(3), &[up(), fault("timeout")]);
    assert_eq!((end, turns, fault_kept.unwrap().kind.as_str()), (End::Fault, 1, "timeout"));
    assert_eq!(play(settings(3), &[up(), fault(Fault::SCRIPT_END)]), (End::ScriptEnd, 1, None));
}

#[test]
fn feedback_is_what_is_seen_next() {
    let example = toy::example("m", &["SFF", "HHF", "FFG"]);
    let episode = Episode::new(Start::fresh(&example, Seed(1)), settings(8));
    let question = episode.observation().clone();
    assert!(question.text.is_some());
    let Step::Open(episode) = episode.apply(says("<ANSWER>right</ANSWER>")) else { panic!("still open") };
    assert_ne!(episode.observation().image, question.image);
    assert_eq!(episode.history()[0].observation.image, question.image);
}

#[test]
fn a_roll_in_goes_on_as_if_it_had_been_played() {
    let example = toy::example("m", &["SFF", "HHF", "FFG"]);
    let played = Episode::new(Start::fresh(&example, Seed(1)), settings(8));
    let Step::Open(played) = played.apply(says("<ANSWER>right</ANSWER>")) else { panic!("still open") };
    let prefix = played.history().to_vec();
    let resumed = Episode::new(
        Start { prefix, constraint: Constraint::MustRevise, ..Start::fresh(&example, Seed(1)) },
        settings(8),
    );
    assert_eq!(resumed.observation().image, played.observation().image);
    assert_eq!(resumed.reply_seed(), played.reply_seed());
    assert_eq!(resumed.constraint(), Constraint::MustRevise);
    let Step::Open(resumed) = resumed.apply(says("<ANSWER>up</ANSWER>")) else { panic!("still open") };
    assert_eq!(resumed.constraint(), Constraint::Free, "only the first reply is constrained");
    let Step::Done(finished) = resumed.apply(says("<FINAL/>")) else { panic!("over") };
    assert_eq!(finished.turns.last().unwrap().action, Action::Commit(Some(Answer::Moves(vec![Move::Up]))));
}

#[test]
fn a_trace_survives_its_text() {
    let text = r#"{"id":"a","split":"s","repeat":0,"task":"maze","dialect":"bare_commit","truth":{"layout":["SF","HG"],"start_pos":0,"target_pos":3,"level":2},"turns":[{"text":"<FINAL/>","action":{"commit":null},"tokens":{"prompt":1,"completion":2}}],"end":"malformed"}"#;
    let trace: Trace = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&trace).unwrap(), text);
    let cells = text.replace(r#"["SF","HG"]"#, r#"[["S","F"],["H","G"]]"#);
    assert_eq!(serde_json::from_str::<Trace>(&cells).unwrap(), trace);
}
