//! What the tests share: a server that misbehaves on command, toy splits, runs.

#![allow(dead_code, clippy::unwrap_used, reason = "helpers of tests; not every test uses all")]

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use vrrl_harness::{evaluate, EvalConfig, EvalSplit, Hooks, Result, Severity, Summary};
use vrrl_harness_core::prompt::BUILT_IN;
use vrrl_harness_core::{Dialect, PromptProfile, Role, Seed, TaskKind};
pub use vrrl_harness_runner_openai::Opening;
use vrrl_harness_runner_openai::{Endpoint, EndpointConfig, Key, Workers};

pub mod server;
#[path = "../../../core/src/toy.rs"]
pub mod toy;

pub use server::{Act, Call, Server};

/// A key that must turn up nowhere.
pub const KEY: &str = "sk-f00d-and-n0thing-else";

pub fn split(name: &str, n: u64) -> EvalSplit {
    EvalSplit {
        name: name.into(),
        role: Some(Role::IdTest),
        task: TaskKind::Maze,
        shift: String::new(),
        severity: Severity::Level(0),
        hash: format!("hash of {name}"),
        examples: toy::examples(name, n, Seed::from_text(name)),
    }
}

pub fn prompts() -> PromptProfile {
    serde_yaml::from_str(BUILT_IN[0].1).unwrap()
}

/// Settings under which a test does not wait.
pub fn quick() -> EndpointConfig {
    EndpointConfig { backoff_s: 0.005, timeout_s: 5.0, tries: 4, ..EndpointConfig::default() }
}

pub fn opening(config: EndpointConfig, workers: usize) -> Opening<'static> {
    Opening {
        config,
        prompts: prompts(),
        rules: (Dialect::BareCommit, 6),
        workers: Workers::Fixed(workers),
        cache: None,
        key: Key::new(KEY),
    }
}

pub fn endpoint(server: &Server, opening: Opening<'_>) -> Endpoint {
    Endpoint::open(&server.word(), opening).unwrap()
}

pub fn config() -> EvalConfig {
    EvalConfig { seed: 3, max_turns: 6, save_images: 2, max_fault_rate: 1.0, ..EvalConfig::default() }
}

pub fn run(policy: &mut Endpoint, splits: &[EvalSplit], config: &EvalConfig, out: &Path) -> Result<Summary> {
    let stop = AtomicBool::new(false);
    evaluate(policy, splits, config, out, Hooks { stop: &stop, progress: &mut |_| {} })
}

/// Two proposals and a commit.
pub fn well(call: &Call) -> Act {
    Act::Say(["<ANSWER>up</ANSWER>", "<ANSWER>left</ANSWER>", "<FINAL/>"][call.turn().min(2)].into())
}

pub fn after(time: Duration, act: Act) -> Act {
    Act::After(time, Box::new(act))
}

/// All bytes of all files under `dir`.
pub fn everything(dir: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { everything(&path) } else { std::fs::read(&path).unwrap() });
    }
    all
}
