//! `vrrl eval --model openai:…` against a server: killed and gone on with, exit codes, and where the key is not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use common::{out, refused, vrrl};
use serde_json::Value;

#[allow(dead_code)]
#[path = "../../runner-openai/tests/common/server.rs"]
mod server;

use server::{Act, Call, Server};

const KEY: &str = "sk-c0mmand-line-key-that-n0body-sees";
const EPISODES: usize = 60;

/// Two proposals and a commit.
fn well(call: &Call) -> Act {
    Act::Say(["<ANSWER>up</ANSWER>", "<ANSWER>left</ANSWER>", "<FINAL/>"][call.turn().min(2)].into())
}

fn eval(server: &Server, out: &str, more: &[&str]) -> Vec<String> {
    let limit = EPISODES.to_string();
    let model = format!("openai:{}", server.word());
    let mut args = vec!["eval", "--model", &model, "--split", "id_test", "--out", out, "--limit", &limit];
    args.extend(more);
    args.into_iter().map(str::to_owned).collect()
}

fn with_key(dir: &Path, args: &[String]) -> std::process::Command {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut command = vrrl(dir, &args);
    command.env("OPENAI_API_KEY", KEY);
    command
}

fn everything(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().display().to_string();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[test]
fn a_killed_run_goes_on_with_what_is_missing() {
    let server = Server::new(|call| Act::After(Duration::from_millis(15), Box::new(well(call))));
    let dir = tempfile::tempdir().unwrap();
    let args = eval(&server, "killed", &["--workers", "4", "--cache", "cache"]);
    let lines =
        || fs::read_to_string(dir.path().join("killed/traces.jsonl")).unwrap_or_default().lines().count();
    let mut output = Vec::new();
    for kill_at in [8, 25] {
        let mut child =
            with_key(dir.path(), &args).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while lines() < kill_at {
            assert!(begun.elapsed() < Duration::from_secs(60), "no progress");
            std::thread::sleep(Duration::from_millis(3));
        }
        child.kill().unwrap();
        let Output { stdout, stderr, .. } = child.wait_with_output().unwrap();
        output.extend([stdout, stderr].concat());
    }
    let (there, before) = (lines(), server.calls.lock().unwrap().len());
    let last = with_key(dir.path(), &args).output().unwrap();
    assert!(last.status.success(), "{}", String::from_utf8_lossy(&last.stderr));
    output.extend([last.stdout, last.stderr].concat());
    let asked = server.calls.lock().unwrap().len() - before;
    // What was cut off had some replies in the cache; those are not paid for again.
    // A torn line is asked again, and requests of the killed process may still have been on their way.
    assert!(asked <= 3 * (EPISODES - there + 1) + 4, "{asked} for {}", EPISODES - there);
    assert_eq!(lines(), EPISODES);

    let whole = with_key(dir.path(), &eval(&server, "whole", &[])).output().unwrap();
    assert!(whole.status.success());
    for file in ["traces.jsonl", "scores.jsonl", "summary.json"] {
        let of = |run: &str| fs::read_to_string(dir.path().join(run).join(file)).unwrap();
        assert_eq!(of("killed"), of("whole"), "{file}");
    }
    let keys = |calls: &[Call]| calls.iter().all(|c| c.authorization == Some(format!("Bearer {KEY}")));
    assert!(keys(&server.calls.lock().unwrap()), "the key is sent");
    let mut files = everything(dir.path());
    files.insert("output".into(), output);
    for (name, bytes) in files {
        assert!(!bytes.windows(KEY.len()).any(|w| w == KEY.as_bytes()), "the key stands in {name}");
    }
}

#[test]
fn faults_end_with_five_and_changes_with_two() {
    let server = Server::new(|call| match call.seed() % 3 {
        0 => Act::Status(400, None, format!("no, {}", call.authorization.clone().unwrap_or_default())),
        _ => well(call),
    });
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[String]| {
        let Output { status, stdout, stderr } = with_key(dir.path(), args).output().unwrap();
        let text = String::from_utf8([stdout, stderr].concat()).unwrap();
        assert!(!text.contains(KEY), "{text}");
        (status.code().unwrap(), text)
    };
    let (code, text) = run(&eval(&server, "a", &[]));
    assert!(code == 5 && text.contains("rejected: status 400: no, Bearer [secret]"), "{code} {text}");
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join("a/summary.json")).unwrap()).unwrap();
    let split = &summary["splits"][0];
    let faults = split["fault_kinds"]["rejected"].as_u64().unwrap();
    assert_eq!(split["n"].as_u64().unwrap() + faults, EPISODES as u64);
    assert_eq!(run(&eval(&server, "b", &["--max-fault-rate", "1"])).0, 0);
    for (more, says) in [
        (["--prompt-profile", "question"], "settings.prompts.name was \"plain\", now \"question\""),
        (["--max-turns", "5"], "config.max_turns was 8, now 5"),
    ] {
        let (code, text) = run(&eval(&server, "b", &more));
        assert!(code == 2 && text.contains(says), "{code} {text}");
    }
    assert!(everything(dir.path()).values().all(|b| !String::from_utf8_lossy(b).contains(KEY)));
}

#[test]
fn flags_and_settings_are_refused_before_anything_is_asked() {
    let server = Server::new(well);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("bad.yaml"), "format: 1\nstopp: [x]\n").unwrap();
    fs::write(dir.path().join("key.yaml"), "headers: {Authorization: Bearer abc}\n").unwrap();
    let args = |more: &[&str]| eval(&server, "x", more);
    for (args, says) in [
        (args(&["--endpoint", "bad.yaml"]), ["bad.yaml", "did you mean `stop`"]),
        (args(&["--endpoint", "key.yaml"]), ["key.yaml", "OPENAI_API_KEY"]),
        (args(&["--dialect", "points_tag"]), ["points_tag", "bare_commit"]),
        (args(&["--prompt-profile", "plan"]), ["plan", "plain, question"]),
        (
            "eval --model oracle --split id_test --out x --workers 3".split(' ').map(Into::into).collect(),
            ["--workers", "openai:"],
        ),
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        refused(dir.path(), &args, 2, &says);
    }
    let dry = args(&["--dry-run"]);
    let dry: Vec<&str> = dry.iter().map(String::as_str).collect();
    let (code, said, _) = out(dir.path(), &dry);
    // 60 episodes of at most 8 turns: 1 + 2 + … + 8 pictures each.
    assert!(code == 0 && said.contains("at most 480 replies") && said.contains("2160 pictures"), "{said}");
    assert!(server.calls.lock().unwrap().is_empty() && !dir.path().join("x").exists());
}
