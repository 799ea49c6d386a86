//! A run that is killed again and again ends with the files of one that never was.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::files::files;
use common::{out, vrrl, TINY};
use serde_json::Value;
use vrrl_harness_core::Seed;

const KILLS: u32 = 10;

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
