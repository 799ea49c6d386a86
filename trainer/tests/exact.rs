//! Training is exact: a stopped and resumed stage, and one on another number of threads, end with the same
//! bytes; a mechanism that is on and never fires fails the stage.

// Helpers outside #[test] functions unwrap as tests do.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use vrrl_generators::pose;
use vrrl_harness_core::{Dialect, Example, Seed, TaskKind};
use vrrl_trainer::config::{Parts, RlConfig};
use vrrl_trainer::{
    multi_turn, reinforce, supervise, vrrl, Demo, DemoConfig, Error, Exit, Learner, Progress, Run,
    SupervisedConfig,
};
use vrrl_trainer_codec::Tokenizer;
use vrrl_trainer_model::{AdamWConfig, Config, Network};

fn example(index: u64) -> Result<Example, Error> {
    let seed = Seed(3).derive("test", index);
    let params = serde_json::json!({"size": [2, 3], "shortest": [1, 4]});
    let problem =
        pose(TaskKind::Maze, &params, seed).map_err(|e| Error::Example { index, reason: e.to_string() })?;
    Ok(Example { id: index.to_string(), split: "test".into(), seed, content_hash: String::new(), problem })
}

fn learner() -> Learner {
    let tokenizer = Tokenizer::default();
    let config = Config {
        channels: 16,
        blocks: 2,
        width: 32,
        layers: 1,
        hidden: 48,
        ..Config::small(tokenizer.len())
    };
    let mut rng = Seed(1).rng();
    let network = Network::new(&config, &candle_core::Device::Cpu, &mut || rng.unit()).unwrap();
    Learner::new(network, tokenizer, AdamWConfig::default())
}

/// Runs `stage` in `out`; stops after `stop_at` steps if given.
fn within<R>(out: &Path, stop_at: Option<u64>, stage: impl FnOnce(&mut Run<'_>) -> R) -> R {
    let stop = AtomicBool::new(false);
    let val: Vec<Example> = (0..12).map(|i| example(10_000 + i).unwrap()).collect();
    let mut progress = |p: &Progress| stop.store(stop_at.is_some_and(|at| p.step >= at), Ordering::Relaxed);
    stage(&mut Run {
        out,
        seed: Seed(5),
        fingerprint: "test".into(),
        dialect: Dialect::BareCommit,
        train: &example,
        val: &val,
        stop: &stop,
        progress: &mut progress,
    })
}

fn sft(out: &Path, stop_at: Option<u64>, learner: &mut Learner, steps: u64) -> Result<(), Error> {
    let tokenizer = learner.tokenizer.clone();
    let demo = Demo { dialect: Dialect::BareCommit, tokenizer: &tokenizer };
    let demos = DemoConfig::default();
    let config = SupervisedConfig {
        steps,
        batch: 16,
        lr: 5e-3,
        warmup: 5,
        look_every: 2,
        look: 6,
        ..Default::default()
    };
    within(out, stop_at, |run| {
        let write = |i, seed: Seed| multi_turn(demo, &example(i)?, &demos, &mut seed.rng());
        supervise(run, learner, &config, 1.0, &write, Value::Null).map(|_| ())
    })
}

/// A policy that speaks the language, so that rollouts commit and buffers fill.
fn start(dir: &Path) -> Learner {
    let mut learner = learner();
    sft(dir, None, &mut learner, 60).unwrap();
    learner.optimizer = vrrl_trainer_model::AdamW::new(learner.network.params(), AdamWConfig::default());
    learner
}

fn config(extra: &str) -> RlConfig {
    let text = format!(
        "steps: 6\nquestions: 6\ngroup: 4\nlook_every: 1\nlook: 8\nbuffer: {{min_fill: 4, share: 0.5}}\n{extra}"
    );
    RlConfig::preset("small", Parts::VRRL).unwrap().over(&text).unwrap()
}

/// Every file of a finished stage, the clock's own left out.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_file() && !p.ends_with("timing.json"))
        .map(|p| {
            let mut bytes = fs::read(&p).unwrap();
            if p.ends_with("training.jsonl") {
                let keep = |line: &str| {
                    let mut v: Value = serde_json::from_str(line).unwrap();
                    let map = v.as_object_mut().unwrap();
                    map.retain(|k, _| !k.ends_with("per_second"));
                    format!("{v}\n")
                };
                bytes = String::from_utf8(bytes).unwrap().lines().map(keep).collect::<String>().into_bytes();
            }
            (p.file_name().unwrap().to_string_lossy().into_owned(), bytes)
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_resumed_supervised_stage_equals_an_uninterrupted_one() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, halves) = (dir.path().join("whole"), dir.path().join("halves"));
    sft(&whole, None, &mut learner(), 7).unwrap();
    // Stopped at 5, it goes on from the state saved at 4.
    let stopped = sft(&halves, Some(5), &mut learner(), 7).unwrap_err();
    assert_eq!(stopped.exit(), Exit::Interrupted);
    sft(&halves, None, &mut learner(), 7).unwrap();
    assert_eq!(files(&whole), files(&halves));
}

#[test]
fn resumed_vrrl_equals_uninterrupted_on_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    start(&dir.path().join("start"));
    let fresh = || start(&dir.path().join("start"));
    let run = |name: &str, stop_at| {
        let mut learner = fresh();
        within(&dir.path().join(name), stop_at, |run| {
            vrrl(run, &mut learner, &config(""), Value::Null).map(|r| r.liveness)
        })
    };
    let threads = |n, name: &str, stop_at| {
        rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(|| run(name, stop_at))
    };
    let counters = threads(2, "whole", None).unwrap();
    assert!(threads(1, "halves", Some(3)).is_err());
    threads(1, "halves", None).unwrap();
    assert_eq!(files(&dir.path().join("whole")), files(&dir.path().join("halves")));
    for (mechanism, counter) in [
        ("rtm", "turns_masked"),
        ("buffer", "replayed"),
        ("ban", "banned"),
        ("reflection_reward", "shaped"),
        ("kl", "diverged"),
    ] {
        assert!(
            counters[mechanism]["counts"][counter].as_u64().unwrap() > 0,
            "{mechanism}.{counter}: {counters}"
        );
    }
}

#[test]
fn a_mechanism_that_never_fired_fails_the_stage() {
    let dir = tempfile::tempdir().unwrap();
    let mut learner = start(&dir.path().join("start"));
    let config = config("").over("buffer: {min_fill: 400}").unwrap();
    let error = within(&dir.path().join("run"), None, |run| vrrl(run, &mut learner, &config, Value::Null))
        .unwrap_err();
    assert_eq!(error.exit(), Exit::Internal);
    assert!(error.to_string().contains("min_fill"), "{error}");
    assert!(!dir.path().join("run/training.json").exists());
}

#[test]
fn filtered_groups_are_refilled_as_often_as_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let groups = |name: &str, tries: usize| {
        let mut learner = start(&dir.path().join("start"));
        let text = format!("steps: 2\nquestions: 6\ngroup: 4\nlook: 4\nfilter: {{tries: {tries}}}\n");
        let config = RlConfig::preset("small", Parts::GRPO).unwrap().over(&text).unwrap();
        let out = dir.path().join(name);
        let report = within(&out, None, |run| reinforce(run, &mut learner, &config, Value::Null)).unwrap();
        report.liveness["filter"]["counts"]["groups"].as_u64().unwrap()
    };
    assert_eq!(groups("none", 0), 12);
    assert!(groups("two", 2) > 12);
}

#[test]
fn vrrl_without_its_mechanisms_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let plain = RlConfig::preset("small", Parts::GRPO).unwrap();
    let error = within(dir.path(), None, |run| vrrl(run, &mut learner(), &plain, Value::Null)).unwrap_err();
    assert!(error.to_string().contains("multi_sft_grpo"), "{error}");
}

#[test]
fn weights_that_are_not_finite_stop_training_and_leave_files_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut learner = start(&dir.path().join("start"));
    let mut values = learner.network.params().values().unwrap();
    values[0][0] = f32::NAN;
    learner.network.params().set_values(&values).unwrap();
    let text = "steps: 2\nquestions: 4\ngroup: 2\n";
    let plain = RlConfig::preset("small", Parts::GRPO).unwrap().over(text).unwrap();
    let out = dir.path().join("run");
    let result = within(&out, None, |run| reinforce(run, &mut learner, &plain, Value::Null));
    assert!(matches!(result.as_ref().map_err(Error::exit), Err(Exit::Internal)), "{result:?}");
    assert!(!out.join("model.safetensors").exists());
}
