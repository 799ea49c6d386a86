//! `vrrl sweep` by the real binary: what is shared, failures that stop nobody, kills, one process a folder.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{done, out, refused, vrrl, TINY};
use serde_json::Value;

const SWEEP: &str = "\
format: 1
name: knobs
experiment: tiny.yaml
seeds: [1, 2]
base: multi_sft_grpo
grid: {multi_sft_grpo.rl.lr: [0.0003, 0.001]}
";

/// The tiny experiment with starts that are trained once, and a sweep over it.
fn write(dir: &Path) {
    let shared = TINY
        .replace("    method: base\n", "    method: base\n    shared: true\n    scored: false\n")
        .replace("    method: multi_sft\n", "    method: multi_sft\n    shared: true\n    scored: false\n")
        .replace("limit: 40", "limit: 10");
    fs::write(dir.join("tiny.yaml"), shared).unwrap();
    fs::write(dir.join("sweep.yaml"), SWEEP).unwrap();
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Files that must be equal however a sweep came about.
fn results(out: &Path) -> Vec<(String, Vec<u8>)> {
    let mut names = vec!["sweep.csv".to_owned(), "sweep.md".to_owned(), "sweep.json".to_owned()];
    for entry in fs::read_dir(out.join("checkpoints")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        names.push(format!("checkpoints/{name}/model.safetensors"));
    }
    for entry in fs::read_dir(out.join("evals")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        names.extend(["traces.jsonl", "summary.json"].map(|file| format!("evals/{name}/{file}")));
    }
    names.sort();
    names.into_iter().map(|name| (name.clone(), fs::read(out.join(&name)).unwrap())).collect()
}

#[test]
fn a_sweep_shares_starts_survives_a_failure_and_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir);
    let dry = json(&done(dir, &["sweep", "sweep.yaml", "--dry-run", "--format", "json"]));
    let names: Vec<&str> =
        dry["trainings"].as_array().unwrap().iter().map(|t| t["checkpoint"].as_str().unwrap()).collect();
    // 0.0003 is the recipe's own rate: that row is the method itself.
    let grpo = [
        "multi_sft_grpo-s1",
        "multi_sft_grpo-s2",
        "multi_sft_grpo-lr-0_001-s1",
        "multi_sft_grpo-lr-0_001-s2",
    ];
    assert_eq!(names, [&["base", "multi_sft"][..], &grpo].concat());
    assert_eq!((&dry["without_sharing"], &dry["to_do"]), (&Value::from(12), &Value::from(13)));
    assert!(!dir.join("runs").exists(), "a dry run writes nothing");

    // A folder where the log belongs: that training cannot begin. The others do not care.
    let log = "o/checkpoints/multi_sft_grpo-lr-0_001-s2/training.jsonl";
    fs::create_dir_all(dir.join(log)).unwrap();
    let sweep = ["sweep", "sweep.yaml", "--out", "o", "--jobs", "2"];
    let (code, stdout, stderr) = out(dir, &sweep);
    assert_eq!(code, 1, "{stdout}\n{stderr}");
    assert!(stderr.contains("error: 1 run failed and 2 further stages are not done"), "{stderr}");
    assert!(
        stderr.contains("\n  train multi_sft_grpo-lr-0_001-s2: o/checkpoints/")
            && stderr.contains("    log: "),
        "{stderr}"
    );
    assert!(
        stdout.contains("1 of 2")
            && stdout.contains("page: o/index.html (3 stages are not done, and not on it)"),
        "{stdout}"
    );
    assert!(stderr.contains("train       6, 6 to do") && stderr.contains("[11/13] "), "{stderr}");
    fs::remove_dir(dir.join(log)).unwrap();

    // Killed once while it makes up for that.
    let mut child = vrrl(dir, &sweep).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !dir.join(log).exists() && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    // SIGKILL; an error only says that it was done already.
    let _ = child.kill();
    child.wait().unwrap();
    let outcome = json(&done(dir, &[&sweep[..], &["--format", "json"]].concat()));
    assert_eq!(
        (&outcome["failures"], &outcome["waiting"]),
        (&Value::from(Vec::<Value>::new()), &outcome["failures"])
    );
    let rows = outcome["table"]["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["seeds"] == Value::from(vec![1, 2])), "{rows:?}");
    assert!(rows[1]["test"]["ood"]["accuracy_vs_base"]["by_seed"].as_array().unwrap().len() == 2);
    assert!(dir.join("o/index.html").exists());

    done(dir, &["sweep", "sweep.yaml", "--out", "whole", "--jobs", "1"]);
    let (torn, whole) = (results(&dir.join("o")), results(&dir.join("whole")));
    assert_eq!(
        torn.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        whole.iter().map(|(name, _)| name).collect::<Vec<_>>()
    );
    for ((name, torn), (_, whole)) in torn.iter().zip(&whole) {
        assert!(torn == whole, "{name} differs");
    }

    // The same folder takes another variant, and not another sweep.
    fs::write(dir.join("sweep.yaml"), SWEEP.replace("0.001]", "0.001, 0.002]")).unwrap();
    let dry = json(&done(dir, &["sweep", "sweep.yaml", "--out", "o", "--dry-run", "--format", "json"]));
    assert_eq!(dry["trainings"].as_array().unwrap().iter().filter(|t| t["done"] == false).count(), 2);
    fs::write(dir.join("sweep.yaml"), SWEEP.replace("0.001]", "0.002]")).unwrap();
    refused(dir, &sweep, 2, &["holds another experiment", "methods"]);
}

#[test]
fn one_process_works_in_a_folder_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir);
    fs::write(dir.join("long.yaml"), TINY.replace("steps: 6", "steps: 100000")).unwrap();
    let mut child = vrrl(dir, &["run", "long.yaml", "--out", "o"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !dir.join("o/checkpoints/base/training.jsonl").exists() {
        assert!(begun.elapsed() < Duration::from_secs(120), "training never began");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = format!("process {}", child.id());
    for command in ["run", "sweep"] {
        refused(
            dir,
            &[command, if command == "run" { "long.yaml" } else { "sweep.yaml" }, "--out", "o"],
            2,
            &["o is in use by another vrrl", &pid],
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // The lock died with its owner: now it is the other experiment that is in the way.
    refused(dir, &["sweep", "sweep.yaml", "--out", "o"], 2, &["holds another experiment"]);
}

#[test]
fn sweeps_that_make_no_sense_are_refused_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir);
    for (from, to, words) in [
        ("rl.lr:", "rl.lrr:", &["variant lrr-0_0003", "`lrr`", "did you mean `lr`?"][..]),
        ("multi_sft_grpo.rl.lr:", "grpo.rl.lr:", &["`grpo` is no method", "multi_sft_grpo"]),
        ("base: multi_sft_grpo", "base: vrrl", &["base: \"vrrl\""]),
        ("tiny.yaml", "none.yaml", &["sweep.yaml", "no file", "none.yaml"]),
        ("seeds: [1, 2]", "sedes: [1, 2]", &["sweep.yaml:", "did you mean `seeds`?"]),
    ] {
        fs::write(dir.join("sweep.yaml"), SWEEP.replace(from, to)).unwrap();
        refused(dir, &["sweep", "sweep.yaml"], 2, words);
    }
    fs::write(dir.join("sweep.yaml"), SWEEP).unwrap();
    refused(dir, &["sweep", "sweep.yaml", "--only", "lr-0_002"], 2, &["lr-0_002", "did you mean lr-0_001?"]);
    assert!(!dir.join("runs").exists(), "a refused sweep writes nothing");
}
