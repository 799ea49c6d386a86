//! A tiny training that takes seconds.

#![allow(clippy::unwrap_used, dead_code)]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use vrrl_generators::pose;
use vrrl_harness_core::{Dialect, Example, Seed, TaskKind};
use vrrl_trainer::config::{Parts, RlConfig};
use vrrl_trainer::{
    multi_turn, supervise, Demo, DemoConfig, Error, Imitated, Learner, Progress, Run, SupervisedConfig,
};
use vrrl_trainer_codec::Tokenizer;
use vrrl_trainer_model::{AdamWConfig, Config, Network};

/// A small maze.
pub fn example(index: u64) -> Result<Example, Error> {
    let seed = Seed(3).derive("test", index);
    let params = serde_json::json!({"size": [2, 3], "shortest": [1, 4]});
    let problem =
        pose(TaskKind::Maze, &params, seed).map_err(|e| Error::Example { index, reason: e.to_string() })?;
    Ok(Example { id: index.to_string(), split: "test".into(), seed, content_hash: String::new(), problem })
}

/// A tiny network with weights of its own.
pub fn learner() -> Learner {
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
pub fn within<R>(out: &Path, stop_at: Option<u64>, stage: impl FnOnce(&mut Run<'_>) -> R) -> R {
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

/// A supervised stage.
pub fn sft(out: &Path, stop_at: Option<u64>, learner: &mut Learner, steps: u64) -> Result<(), Error> {
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
        let kinds = demos.multi_kinds();
        let imitated = Imitated { write: &write, decision_weight: 1.0, kinds: &kinds };
        supervise(run, learner, &config, imitated, Value::Null).map(|_| ())
    })
}

/// A policy that speaks the language, so that rollouts commit and buffers fill.
pub fn start(dir: &Path) -> Learner {
    let mut learner = learner();
    sft(dir, None, &mut learner, 60).unwrap();
    learner.optimizer = vrrl_trainer_model::AdamW::new(learner.network.params(), AdamWConfig::default());
    learner
}

/// VRRL on six small questions a step.
pub fn config(extra: &str) -> RlConfig {
    let text = format!(
        "steps: 6\nquestions: 6\ngroup: 4\nlook_every: 1\nlook: 8\nbuffer: {{min_fill: 4, share: 0.5}}\n{extra}"
    );
    RlConfig::preset("small", Parts::VRRL).unwrap().over(&text).unwrap()
}

/// Every file of a finished stage, the clock's own left out.
pub fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
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
