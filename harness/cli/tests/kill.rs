//! A run that is killed again and again ends with the files of one that never was.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{out, vrrl, TINY};
use serde_json::Value;
use vrrl_harness_core::Seed;

const KILLS: u32 = 10;

/// Keys that say how long something took, when, or how much memory the process had seen.
const TIMINGS: [&str; 9] = [
    "seconds",
    "learner_seconds",
    "tokens_per_second",
    "episodes_per_second",
    "peak_bytes",
    "date",
    "calls",
    "finished_s",
    "rollout_seconds",
];

/// Every file that must be equal, by its path, timings taken out.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let last = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                open.push(path);
            } else if last == "timing.jsonl"
                || last == "wall.json"
                || last == "index.html"
                || last == "stage.json"
            {
                // Timings alone, or full of them; that they exist is what counts.
                found.insert(name, Vec::new());
            } else if last.ends_with(".json") || last.ends_with(".jsonl") {
                let text = fs::read_to_string(&path).unwrap();
                found.insert(name, timeless(&text).into_bytes());
            } else if last == "leaderboard.csv" {
                // The date is the last column.
                let text = fs::read_to_string(&path).unwrap();
                let rows = text.lines().map(|line| line.rsplit_once(',').map_or(line, |(row, _)| row));
                found.insert(name, rows.collect::<Vec<_>>().join("\n").into_bytes());
            } else if last != "leaderboard.md" {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// JSON or JSON lines without timings.
fn timeless(text: &str) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                TIMINGS.iter().for_each(|key| drop(map.remove(*key)));
                map.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let show = |mut value: Value| {
        strip(&mut value);
        value.to_string()
    };
    if let Ok(value) = serde_json::from_str(text) {
        return show(value);
    }
    text.lines().map(|line| show(serde_json::from_str(line).unwrap())).collect::<Vec<_>>().join("\n")
}

#[test]
fn ten_kills_change_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("tiny.yaml"), TINY).unwrap();
    let whole = ["run", "tiny.yaml", "--out", "whole"];
    let begun = Instant::now();
    let (code, stdout, stderr) = out(dir, &whole);
    assert_eq!(code, 0, "{stdout}\n{stderr}");
    let took = begun.elapsed();
    assert!(stdout.contains("page: whole/index.html"), "{stdout}");

    let killed = ["run", "tiny.yaml", "--out", "killed"];
    let mut rng = Seed(17).rng();
    let mut cut = 0;
    for _ in 0..KILLS {
        let mut child = vrrl(dir, &killed).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Short enough that ten attempts rarely get to the end, long enough that each gets somewhere.
        std::thread::sleep(Duration::from_secs_f64(took.as_secs_f64() * (0.05 + 0.25 * rng.unit())));
        cut += u32::from(child.try_wait().unwrap().is_none());
        // SIGKILL; an error only says that the run was done already.
        let _ = child.kill();
        child.wait().unwrap();
    }
    assert!(cut >= 3, "only {cut} kills hit a run under way");
    let (code, stdout, stderr) = out(dir, &killed);
    assert_eq!(code, 0, "{stdout}\n{stderr}");
    let (whole, killed) = (files(&dir.join("whole")), files(&dir.join("killed")));
    assert_eq!(whole.keys().collect::<Vec<_>>(), killed.keys().collect::<Vec<_>>());
    for (name, bytes) in &whole {
        assert!(killed[name] == *bytes, "{name} differs");
    }

    // And once more: nothing is left to do.
    let (code, stdout, _) = out(dir, &["run", "tiny.yaml", "--out", "killed", "--format", "json"]);
    let outcome: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &outcome["reused"]), (0, &outcome["stages"]));
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_says_how_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("tiny.yaml"), TINY.replace("steps: 6", "steps: 100000")).unwrap();
    let child = vrrl(dir, &["run", "tiny.yaml", "--out", "o"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = dir.join("o/checkpoints/base/training.jsonl");
    let begun = Instant::now();
    while fs::metadata(&log).map_or(0, |m| m.len()) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(120), "training never began");
        std::thread::sleep(Duration::from_millis(50));
    }
    // The standard library sends no signals; the shell does.
    let sent =
        std::process::Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("the same command again goes on"), "{stderr}");
}
