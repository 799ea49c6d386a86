//! Which crate may use which: ARCHITECTURE.md, kept by reading `cargo metadata`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// What each crate may use. Another arrow is a design decision: change ARCHITECTURE.md first.
const ALLOWED: [(&str, &[&str]); 15] = [
    ("harness-core", &[]),
    ("harness-stats", &["harness-core"]),
    ("generators", &["harness-core"]),
    ("datasets", &["harness-core", "generators"]),
    ("harness", &["harness-core", "harness-stats", "datasets"]),
    ("reports", &["harness-core", "harness-stats", "harness"]),
    ("trainer-linalg", &[]),
    ("trainer-codec", &["harness-core"]),
    ("trainer-model", &["trainer-linalg"]),
    ("harness-runner-candle", &["harness-core", "trainer-codec", "trainer-model"]),
    // The harness only in its tests, which run it against a server that misbehaves.
    ("harness-runner-openai", &["harness-core", "harness"]),
    ("harness-runner-ort", &["harness-core", "trainer-codec"]),
    (
        "trainer",
        &[
            "harness-core",
            "datasets",
            "generators",
            "trainer-codec",
            "trainer-model",
            "harness-runner-candle",
        ],
    ),
    ("baselines", &["harness-core", "trainer", "trainer-codec", "trainer-model", "harness-runner-candle"]),
    (
        "harness-experiment",
        &[
            "harness-core",
            "harness-stats",
            "generators",
            "datasets",
            "harness",
            "reports",
            "harness-runner-candle",
            "harness-runner-openai",
            "harness-runner-ort",
            "trainer",
            "trainer-codec",
            "trainer-model",
            "baselines",
        ],
    ),
];
/// Crates that may use anything.
const FREE: [&str; 2] = ["harness-cli", "tests"];
/// Crates whose everyday tests must not compile candle.
const WITHOUT_CANDLE: [&str; 6] =
    ["harness-core", "harness-stats", "generators", "datasets", "harness", "reports"];

fn metadata() -> Value {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let version = Command::new(&cargo).arg("-vV").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // What other platforms would need is not downloaded here.
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", host])
        .args(["--manifest-path", manifest])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Every package's dependencies by name, with what kind they are (`normal`, `dev`, `build`).
fn arrows(metadata: &Value) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let kind = |d: &Value| d["kind"].as_str().unwrap_or("normal").to_owned();
        let uses = package["dependencies"].as_array().unwrap().iter().map(|d| (text(&d["name"]), kind(d)));
        all.entry(text(&package["name"])).or_insert_with(BTreeSet::new).extend(uses);
    }
    all
}

#[test]
fn crates_use_only_what_they_may() {
    let arrows = arrows(&metadata());
    let ours: Vec<&str> = arrows.keys().filter_map(|name| name.strip_prefix("vrrl-")).collect();
    let mut wrong = Vec::new();
    for name in &ours {
        if FREE.contains(name) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| known == name) else {
            wrong.push(format!("{name} stands in no rule"));
            continue;
        };
        for (used, _) in &arrows[&format!("vrrl-{name}")] {
            if let Some(used) = used.strip_prefix("vrrl-") {
                if used != *name && !allowed.contains(&used) {
                    wrong.push(format!("{name} -> {used}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that ARCHITECTURE.md forbids: {}", wrong.join(", "));
    let stale: Vec<&&str> =
        ALLOWED.iter().map(|(name, _)| name).filter(|name| !ours.contains(name)).collect();
    assert!(stale.is_empty(), "rules about crates that are gone: {stale:?}");
}

#[test]
fn everyday_tests_compile_no_candle() {
    let metadata = metadata();
    let arrows = arrows(&metadata);
    for name in WITHOUT_CANDLE {
        let root = format!("vrrl-{name}");
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut open = vec![root.clone()];
        while let Some(package) = open.pop() {
            for (used, kind) in arrows.get(&package).into_iter().flatten() {
                // Only one's own tests are compiled, not those of dependencies.
                if (kind != "dev" || package == root) && seen.insert(used.clone()) {
                    open.push(used.clone());
                }
            }
        }
        for heavy in ["candle-core", "ort", "ort-tract"] {
            assert!(!seen.contains(heavy), "{name} pulls in {heavy}");
        }
    }
}

#[test]
fn the_core_does_no_input_or_output() {
    let arrows = arrows(&metadata());
    let used: BTreeSet<&str> = arrows["vrrl-harness-core"].iter().map(|(name, _)| name.as_str()).collect();
    for name in ["rayon", "tempfile", "candle-core", "clap", "indicatif"] {
        assert!(!used.contains(name), "harness/core uses {name}");
    }
}
