//! Faults of training: each names its step and what is wrong, applies nothing, and leaves a state to go back to.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{config, example, files, learner, sft, start, within};
use serde_json::Value;
use vrrl_harness_core::{Dialect, Seed};
use vrrl_harness_runner_candle::load;
use vrrl_trainer::config::{Parts, RlConfig};
use vrrl_trainer::liveness::{Mechanism, READ};
use vrrl_trainer::{
    multi_turn, reinforce, supervise, vrrl, Demo, DemoConfig, Error, Exit, Guard, Imitated, Learner, Limits,
    Objective, Place, Sequence, SupervisedConfig, TokenRef,
};

fn weights(learner: &Learner) -> Vec<u8> {
    learner.network.params().to_bytes().unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_mechanism_that_never_fired_fails_the_stage_and_keeps_the_weights() {
    let dir = tempfile::tempdir().unwrap();
    let mut learner = start(&dir.path().join("start"));
    let config = config("").over("buffer: {min_fill: 400}").unwrap();
    let out = dir.path().join("run");
    let error = within(&out, None, |run| vrrl(run, &mut learner, &config, Value::Null)).unwrap_err();
    assert_eq!(error.exit(), Exit::Internal);
    let text = error.to_string();
    for part in
        ["buffer is on and never fired: `replayed` is 0", "min_fill", "state-00000006, which is a checkpoint"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!out.join("training.json").exists() && out.join("failed.json").exists());
    let kept = load(&out.join("state-00000006"), &candle_core::Device::Cpu).unwrap();
    assert_eq!(kept.network.params().to_bytes().unwrap(), weights(&learner));
}

#[test]
fn groups_that_never_differ_fail_the_stage() {
    let dir = tempfile::tempdir().unwrap();
    // A policy that has learned nothing earns nothing, on every question.
    let mut fresh = learner();
    let text = "steps: 22\nquestions: 2\ngroup: 2\nlook: 2\nlook_every: 11\nfilter: null\nclip: {kl: 0}\n";
    let config = RlConfig::preset("small", Parts::GRPO).unwrap().over(text).unwrap();
    let out = dir.path().join("run");
    let error = within(&out, None, |run| reinforce(run, &mut fresh, &config, Value::Null)).unwrap_err();
    assert_eq!(error.exit(), Exit::Internal);
    let text = error.to_string();
    assert!(text.contains("groups is on and never fired: `with_gradient` is 0"), "{text}");
    let record: Value = serde_json::from_slice(&fs::read(out.join("failed.json")).unwrap()).unwrap();
    assert_eq!(record["warnings"][0]["step"], 20);
    assert!(record["warnings"][0]["text"]
        .as_str()
        .unwrap()
        .starts_with("no group carries a gradient for 20"));
}

#[test]
fn a_start_that_is_not_finite_is_named_before_the_first_step() {
    let dir = tempfile::tempdir().unwrap();
    let mut broken = learner();
    let mut values = broken.network.params().values().unwrap();
    values[1][2] = f32::NAN;
    broken.network.params().set_values(&values).unwrap();
    let name = broken.network.params().iter().nth(1).unwrap().0.to_owned();
    let plain = RlConfig::preset("small", Parts::GRPO).unwrap();
    let out = dir.path().join("run");
    let by_reward = within(&out, None, |run| reinforce(run, &mut broken, &plain, Value::Null)).unwrap_err();
    let by_demos = sft(&dir.path().join("sft"), None, &mut broken, 3).unwrap_err();
    for error in [by_reward, by_demos] {
        let text = error.to_string();
        assert!(text.contains(&format!("`{name}` holds NaN at 2")), "{text}");
    }
    assert!(!out.join("model.safetensors").exists());
}

#[test]
fn a_kind_of_demonstration_that_was_never_shown_is_named_and_counts_survive_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let config = SupervisedConfig { steps: 4, batch: 4, look_every: 2, look: 2, ..Default::default() };
    let train = |name: &str, stop: Option<u64>, demos: DemoConfig, kinds: &[&'static Mechanism]| {
        let (out, mut learner) = (dir.path().join(name), learner());
        let tokenizer = learner.tokenizer.clone();
        let demo = Demo { dialect: Dialect::BareCommit, tokenizer: &tokenizer };
        let write = |i, seed: Seed| multi_turn(demo, &example(i)?, &demos, &mut seed.rng());
        let imitated = Imitated { write: &write, decision_weight: 1.0, kinds };
        (within(&out, stop, |run| supervise(run, &mut learner, &config, imitated, Value::Null)), out)
    };
    let both = DemoConfig { second_share: 0.5, multi_share: 1.0, ..DemoConfig::default() };
    let kinds = both.multi_kinds();
    let (report, whole) = train("whole", None, both, &kinds);
    let shown = |name: &str| report.as_ref().unwrap().liveness[name]["counts"]["shown"].as_u64().unwrap();
    assert_eq!(shown("second_share") + shown("multi_share"), 16);
    assert!(shown("second_share") > 0 && shown("multi_share") > 0);
    assert_eq!(train("halves", Some(3), both, &kinds).0.unwrap_err().exit(), Exit::Interrupted);
    let (_, halves) = train("halves", None, both, &kinds);
    assert_eq!(files(&whole), files(&halves));
    // Asked for, and never written.
    let (report, silent) = train("silent", None, DemoConfig { multi_share: 0.0, ..both }, &[&READ]);
    let text = report.unwrap_err().to_string();
    assert!(text.contains("read_share is on and never fired: `shown` is 0"), "{text}");
    assert!(silent.join("failed.json").exists());
}

/// Demonstrations whose number `bad` and later weigh so much that the step explodes.
fn exploding(out: &Path, learner: &mut Learner, spike: Option<f64>, bad: u64) -> Result<(), Error> {
    let tokenizer = learner.tokenizer.clone();
    let demo = Demo { dialect: Dialect::BareCommit, tokenizer: &tokenizer };
    let config =
        SupervisedConfig { steps: 30, batch: 2, look_every: 10, look: 2, spike, ..Default::default() };
    within(out, None, |run| {
        let write = |i: u64, seed: Seed| {
            let mut written = multi_turn(demo, &example(i)?, &DemoConfig::default(), &mut seed.rng())?;
            if i >= bad {
                // Words that nobody would say, in the place of the answer.
                written.sequence.turns.iter_mut().for_each(|turn| turn.ids.fill(0));
            }
            Ok(written)
        };
        let imitated = Imitated { write: &write, decision_weight: 1.0, kinds: &[] };
        supervise(run, learner, &config, imitated, Value::Null).map(|_| ())
    })
}

#[test]
fn an_exploding_step_is_neither_applied_nor_saved_and_training_goes_on_without_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let (limited, free) = (dir.path().join("limited"), dir.path().join("free"));
    // Batches of two: demonstration 50 belongs to step 26.
    let mut victim = learner();
    let error = exploding(&limited, &mut victim, Some(2.0), 50).unwrap_err();
    assert_eq!(error.exit(), Exit::Internal);
    let text = error.to_string();
    assert!(text.starts_with("step 26: the ") && text.contains(" exploded: "), "{text}");
    assert!(text.contains("state-00000020") && text.contains("spike: null"), "{text}");
    assert_eq!(names(&limited), ["state-00000020", "training.jsonl"]);
    load(&limited.join("state-00000020"), &candle_core::Device::Cpu).unwrap();
    // It stops at the same step again, with the same weights.
    let before = weights(&victim);
    let mut again = learner();
    assert_eq!(exploding(&limited, &mut again, Some(2.0), 50).unwrap_err().to_string(), text);
    assert_eq!(weights(&again), before);
    // Without the limit the same folder goes on, and ends like a run that never had one.
    exploding(&limited, &mut learner(), None, 50).unwrap();
    exploding(&free, &mut learner(), None, 50).unwrap();
    assert_eq!(files(&limited), files(&free));
}

/// One update on two demonstrations.
fn update(learner: &mut Learner, objective: &(dyn Fn(&[TokenRef]) -> Objective + Sync)) -> Result<(), Error> {
    let tokenizer = learner.tokenizer.clone();
    let demo = Demo { dialect: Dialect::BareCommit, tokenizer: &tokenizer };
    let write = |i| {
        multi_turn(demo, &example(i).unwrap(), &DemoConfig::default(), &mut Seed(i).rng()).unwrap().sequence
    };
    let sequences: Vec<Sequence> = (0..2).map(write).collect();
    let limits = Limits { rate: 1e-3, clip: 1.0, spike: None, guard: &Guard::default() };
    learner.step(&sequences, None, &|refs, _, _| objective(refs), limits).map(|_| ())
}

#[test]
fn a_number_that_is_not_finite_is_named_and_changes_no_weight() {
    let slopes = |refs: &[TokenRef], x: f64| vec![x; refs.len()];
    let part = |result: Result<(), Error>| match result {
        Err(Error::NotFinite { part, place, step: 1, .. }) => (part, place),
        other => panic!("{other:?}"),
    };
    let mut learner = learner();
    let before = weights(&learner);
    let loss = |refs: &[TokenRef]| Objective { slopes: slopes(refs, 0.1), loss: f64::NAN, sums: vec![] };
    assert_eq!(part(update(&mut learner, &loss)), ("loss".into(), Place::Step));
    let kl = |refs: &[TokenRef]| Objective {
        slopes: slopes(refs, 0.1),
        loss: 0.0,
        sums: vec![("kl", f64::INFINITY)],
    };
    assert_eq!(part(update(&mut learner, &kl)), ("kl".into(), Place::Step));
    let slope = |refs: &[TokenRef]| Objective { slopes: slopes(refs, f64::NAN), ..Objective::default() };
    assert!(
        matches!(part(update(&mut learner, &slope)), (p, Place::Token { .. }) if p == "slope of the loss")
    );
    // Finite in double precision, and beyond what a gradient in single precision holds.
    let huge = |refs: &[TokenRef]| Objective { slopes: slopes(refs, 1e38), ..Objective::default() };
    let (named, _) = part(update(&mut learner, &huge));
    let known = learner.network.params().iter().any(|(name, _)| named == format!("gradient of `{name}`"));
    assert!(known, "{named}");
    assert_eq!(weights(&learner), before);

    let mut values = learner.network.params().values().unwrap();
    values.iter_mut().for_each(|w| w[0] = f32::NAN);
    learner.network.params().set_values(&values).unwrap();
    let fine = |refs: &[TokenRef]| Objective { slopes: slopes(refs, 0.1), ..Objective::default() };
    let (named, place) = part(update(&mut learner, &fine));
    assert!(named == "log-prob" && matches!(place, Place::Token { sequence: 0, .. }), "{named} {place:?}");
}

#[test]
fn a_second_training_into_one_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let held = vrrl_trainer::Checkpoints::new(dir.path(), "other").unwrap();
    let error = sft(dir.path(), None, &mut learner(), 2).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert!(error.to_string().contains("another `vrrl` is training into it"), "{error}");
    drop(held);
    sft(dir.path(), None, &mut learner(), 2).unwrap();
    assert!(!names(dir.path()).contains(&"lock".to_owned()));
}
