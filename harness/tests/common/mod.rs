//! What the tests of the harness share: toy splits, run helpers, directory contents.

#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::Arc;

use vrrl_harness::{evaluate, EvalConfig, EvalSplit, Hooks, Result, Severity, Summary};
use vrrl_harness_core::{Error, Policy, Posed, Problem, Role, Seed, Task, TaskKind, Truth};

#[path = "../../core/src/toy.rs"]
pub mod toy;
#[path = "../../core/src/toy_point.rs"]
pub mod toy_point;

/// A split of toys.
pub fn split(name: &str, n: u64, role: Role) -> EvalSplit {
    EvalSplit {
        name: name.into(),
        role: Some(role),
        task: TaskKind::Maze,
        shift: if role == Role::OodTest { "size".into() } else { String::new() },
        severity: Severity::Level(u8::from(role == Role::OodTest)),
        hash: format!("hash of {name}"),
        examples: toy::examples(name, n, Seed::from_text(name)),
    }
}

/// Two splits.
pub fn splits() -> Vec<EvalSplit> {
    vec![split("toy/id_test", 24, Role::IdTest), split("toy/ood", 16, Role::OodTest)]
}

pub fn config() -> EvalConfig {
    EvalConfig { seed: 5, max_turns: 6, save_images: 3, temperature: 1.0, ..EvalConfig::default() }
}

/// Runs without interruption.
pub fn run(
    policy: &mut dyn Policy,
    splits: &[EvalSplit],
    config: &EvalConfig,
    out: &Path,
) -> Result<Summary> {
    let stop = AtomicBool::new(false);
    evaluate(policy, splits, config, out, Hooks { stop: &stop, progress: &mut |_| {} })
}

/// Contents of all files that equal runs share: names to bytes, without timing and the date.
pub fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    collect(dir, "", &mut files);
    files.remove("timing.jsonl");
    let info = files.get_mut("run.json").expect("every run has run.json");
    let text = String::from_utf8(info.clone()).expect("JSON is UTF-8");
    *info =
        text.lines().filter(|line| !line.contains("\"date\"")).collect::<Vec<_>>().join("\n").into_bytes();
    files
}

fn collect(dir: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// Rebuilds a toy from its truth.
pub fn pose(_kind: TaskKind, truth: &Truth, seed: Seed) -> Result<Arc<dyn Problem>, Error> {
    Ok(Arc::new(Posed::<toy::Toy>(toy::Toy::from_truth(truth, seed)?)))
}
