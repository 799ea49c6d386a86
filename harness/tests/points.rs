//! Runs of a pointing task from end to end: references, replays, re-scoring, feedback modes and controls.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "helpers of tests; shares of small counts are exact"
)]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use common::{config, contents, run, toy_point};
use tempfile::tempdir;
use vrrl_harness::policies::{Reference, Replay};
use vrrl_harness::*;
use vrrl_harness_core::{
    Control, Dialect, End, Error as CoreError, FeedbackMode, Posed, Problem, Role, Seed, Task, TaskKind,
    Truth,
};

fn spots(n: u64) -> EvalSplit {
    EvalSplit {
        name: "toy/spots".into(),
        role: Some(Role::IdTest),
        task: TaskKind::Chart,
        shift: String::new(),
        severity: Severity::Level(0),
        hash: "hash of spots".into(),
        examples: toy_point::examples("toy/spots", n, Seed(8)),
    }
}

fn pose(kind: TaskKind, truth: &Truth, seed: Seed) -> Result<Arc<dyn Problem>, CoreError> {
    assert_eq!(kind, TaskKind::Chart);
    Ok(Arc::new(Posed::<toy_point::Spot>(toy_point::Spot::from_truth(truth, seed)?)))
}

/// Runs the noisy oracle over ten spots.
fn noisy(config: &EvalConfig, out: &Path) -> Result<SplitSummary> {
    let mut policy = Reference::noisy_oracle(0.6, config.dialect)?;
    Ok(run(&mut policy, &[spots(10)], config, out)?.splits.remove(0))
}

#[test]
fn references_point_in_every_dialect() {
    for dialect in Dialect::of(TaskKind::Chart) {
        let config = EvalConfig { dialect, ..config() };
        let score = |mut policy: Reference| {
            let dir = tempdir().unwrap();
            run(&mut policy, &[spots(24)], &config, dir.path()).unwrap().splits.remove(0)
        };
        let oracle = score(Reference::oracle(dialect));
        assert_eq!(oracle.accuracy_well_formed.unwrap().value, 1.0);
        assert_eq!((oracle.mean_distance.unwrap().value, oracle.turns_mean.unwrap().value), (0.0, 2.0));
        assert_eq!((oracle.strict_success, oracle.lenient_success), (None, None));
        let noisy = score(Reference::noisy_oracle(0.6, dialect).unwrap());
        assert!(noisy.fixed > Some(0) && noisy.accuracy.unwrap().value > noisy.first_accuracy.unwrap().value);
        for blind in [score(Reference::random(dialect)), score(Reference::repeat(dialect))] {
            assert!(
                blind.accuracy.unwrap().value < 0.3 && blind.mean_distance.unwrap().value > 5.0,
                "{blind:?}"
            );
        }
    }
}

#[test]
fn points_survive_files_and_replays() {
    let (a, b) = (tempdir().unwrap(), tempdir().unwrap());
    for dialect in Dialect::of(TaskKind::Chart) {
        let config = EvalConfig { dialect, temperature: 0.0, ..config() };
        let (a, b) = (a.path().join(dialect.word()), b.path().join(dialect.word()));
        let summary = noisy(&config, &a).unwrap();
        assert_eq!(recompute(&a, &pose).unwrap().1.splits[0], summary, "numbers follow from the traces");
        let mut replay = Replay::open(&a.join("traces.jsonl")).unwrap();
        let replayed = run(&mut replay, &[spots(10)], &config, &b).unwrap().splits.remove(0);
        assert_eq!(replayed, summary);
        assert_eq!(contents(&b)["traces.jsonl"], contents(&a)["traces.jsonl"]);
    }
}

#[test]
fn a_point_far_away_leaves_readable_numbers() {
    let dir = tempdir().unwrap();
    let lines: String = spots(3)
        .examples
        .iter()
        .map(|e| {
            format!("{{\"id\":\"{}\",\"turns\":[\"<ANSWER>1e300 -1e300</ANSWER>\",\"<FINAL/>\"]}}\n", e.id)
        })
        .collect();
    let file = dir.path().join("far.jsonl");
    std::fs::write(&file, lines).unwrap();
    let out = dir.path().join("run");
    let mut replay = Replay::open(&file).unwrap();
    let summary = run(&mut replay, &[spots(3)], &config(), &out).unwrap();
    assert!(summary.splits[0].mean_distance.unwrap().value.is_finite());
    assert_eq!(read_summary(&out).unwrap(), summary);
    assert_eq!(recompute(&out, &pose).unwrap().1, summary);
}

#[test]
fn controls_and_modes_are_recorded_and_change_what_is_seen() {
    let mut pictures = BTreeSet::new();
    for feedback in FeedbackMode::ALL {
        for control in Control::ALL {
            let (dir, again) = (tempdir().unwrap(), tempdir().unwrap());
            let config = EvalConfig { control, feedback, ..config() };
            let summary = noisy(&config, dir.path()).unwrap();
            assert_eq!(summary.control, control.word());
            assert_eq!(summary.feedback, Some(feedback));
            let info = read_info(dir.path()).unwrap();
            assert_eq!((info.config.control, info.config.feedback), (control, feedback));
            noisy(&config, again.path()).unwrap();
            assert_eq!(contents(dir.path()), contents(again.path()), "{control:?} is deterministic");
            // The first episode that revises: its second turn saw the feedback.
            let traces = read_traces(dir.path()).unwrap();
            let trace = traces.iter().find(|t| t.turns.len() > 2 && t.end == End::Commit).unwrap();
            pictures.insert((trace.id.clone(), trace.turns[1].image_sha256.clone().unwrap()));
        }
    }
    let ids: BTreeSet<&String> = pictures.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), 1, "references do not look at pictures, so the episodes are the same");
    assert_eq!(pictures.len(), 8, "eight conditions, eight pictures of one proposal");
}

#[test]
fn another_control_is_another_run() {
    let dir = tempdir().unwrap();
    noisy(&config(), dir.path()).unwrap();
    let text = std::fs::read_to_string(dir.path().join("run.json")).unwrap();
    assert!(!text.contains("\"control\""), "defaults are left out, so that older runs resume");
    for (other, key) in [
        (EvalConfig { control: Control::Blank, ..config() }, "config.control"),
        (EvalConfig { feedback: FeedbackMode::Whole, ..config() }, "config.feedback"),
    ] {
        let error = noisy(&other, dir.path()).unwrap_err().to_string();
        assert!(error.contains("cannot resume") && error.contains(key), "{error}");
    }
}

#[test]
fn a_swap_needs_another_example_and_does_not_depend_on_the_limit() {
    let swapped = EvalConfig { control: Control::Swapped, ..config() };
    let out = tempdir().unwrap();
    let mut policy = Reference::oracle(Dialect::BareCommit);
    let error = run(&mut policy, &[spots(1)], &swapped, &out.path().join("run")).unwrap_err().to_string();
    assert!(error.contains("swapped") && error.contains("spot-000"), "{error}");
    assert!(!out.path().join("run").exists());
    let (all, few) = (tempdir().unwrap(), tempdir().unwrap());
    noisy(&swapped, all.path()).unwrap();
    noisy(&EvalConfig { limit: Some(3), ..swapped }, few.path()).unwrap();
    assert_eq!(read_traces(all.path()).unwrap()[..3], read_traces(few.path()).unwrap()[..]);
}
