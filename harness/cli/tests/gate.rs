//! `vrrl gate`, `vrrl gate bless`, `vrrl verify`: the real binary, exit codes, files, the planted regression.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{done, out, refused, vrrl};
use serde_json::Value;
use tempfile::tempdir;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A JSONL file of `n` items, every `k`-th of them wrong.
fn items(dir: &Path, name: &str, n: usize, wrong: impl Fn(usize) -> bool) {
    let line = |i: usize| format!("{{\"id\":\"{i}\",\"split\":\"s\",\"correct\":{}}}\n", u8::from(!wrong(i)));
    fs::write(dir.join(name), (0..n).map(line).collect::<String>()).unwrap();
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn verdicts_are_exit_codes() {
    let dir = tempdir().unwrap();
    let d = dir.path();
    items(d, "a.jsonl", 1000, |i| i % 4 == 0);
    items(d, "same.jsonl", 1000, |i| i % 4 == 0);
    items(d, "worse.jsonl", 1000, |i| i % 3 == 0 || i % 4 == 0);
    items(d, "near.jsonl", 1000, |i| i % 4 == 0 || (i < 900 && i % 50 == 1));
    let gate = |b: &str, more: &[&str]| {
        let mut args = vec!["gate", "--baseline", "a.jsonl", "--candidate", b];
        args.extend(more);
        out(d, &args)
    };
    for (b, more, code, word) in [
        ("same.jsonl", &[][..], 0, "pass: same.jsonl against a.jsonl"),
        ("worse.jsonl", &[], 3, "fail: worse.jsonl"),
        ("near.jsonl", &[], 7, "inconclusive: near.jsonl"),
        ("near.jsonl", &["--inconclusive", "fail"], 3, "inconclusive: near.jsonl"),
        ("near.jsonl", &["--inconclusive", "pass"], 0, "inconclusive: near.jsonl"),
        ("worse.jsonl", &["--inconclusive", "pass"], 3, "fail: worse.jsonl"),
    ] {
        let (got, stdout, stderr) = gate(b, more);
        assert_eq!(got, code, "{b} {more:?}\n{stdout}\n{stderr}");
        assert!(stdout.starts_with(word), "{stdout}");
        assert!(stdout.contains("its data, prompts and settings could not be checked"), "{stdout}");
    }
    assert!(gate("near.jsonl", &[]).1.contains("items would decide with 80 % chance"));
    let report = json(&gate("worse.jsonl", &["--format", "json", "--json", "out.json"]).1);
    assert_eq!(report["verdict"], "fail");
    let rule = &report["rules"][0];
    for key in ["n", "limit", "p_fail", "p_fail_holm", "p_pass", "only_a", "only_b"] {
        assert!(rule[key].is_number(), "{key}: {rule}");
    }
    assert!(
        rule["tested"]["ci_high"].as_f64().unwrap() < -0.02 && rule["tested"]["ci_method"] == "tango_score"
    );
    assert_eq!(json(&fs::read_to_string(d.join("out.json")).unwrap()), report);
    // What does not belong together, and what is nothing.
    items(d, "fewer.jsonl", 900, |i| i % 4 == 0);
    refused(
        d,
        &["gate", "--baseline", "a.jsonl", "--candidate", "fewer.jsonl"],
        2,
        &["only A has", "--intersect"],
    );
    assert!(gate("fewer.jsonl", &["--intersect"]).1.contains("left out: 100 items only in the baseline"));
    fs::write(d.join("none.jsonl"), "").unwrap();
    refused(d, &["gate", "--baseline", "a.jsonl", "--candidate", "none.jsonl"], 4, &["no judged episode"]);
    refused(d, &["gate", "--baseline", "gone.json", "--candidate", "a.jsonl"], 2, &["gone.json"]);
    refused(d, &["gate", "bless", "a.jsonl"], 2, &["cannot bless"]);
    assert_eq!(out(d, &["gate", "--baseline", "a.jsonl"]).0, 2);
}

#[test]
fn rules_are_read_strictly() {
    let dir = tempdir().unwrap();
    let d = dir.path();
    items(d, "a.jsonl", 400, |i| i % 4 == 0);
    let gate = ["gate", "--baseline", "a.jsonl", "--candidate", "a.jsonl", "--config", "gate.yaml"];
    for (text, words) in [
        ("rules:\n  - metrik: accuracy\n", &["gate.yaml:2", "did you mean `metric`"][..]),
        ("rules:\n  - metric: acuracy\n    max_drop: 0.02\n", &["gate.yaml:2", "did you mean `accuracy`"]),
        ("alfa: 0.1\n", &["did you mean `alpha`"]),
        ("alpha: 0.9\n", &["gate.yaml", "alpha"]),
        ("rules:\n  - {metric: accuracy, max_drop: 2}\n", &["gate.yaml", "2 points are 0.02"]),
        ("rules:\n  - {metric: accuracy, max_drop: lots}\n", &["gate.yaml:2", "2 points"]),
        ("rules:\n  - {metric: accuracy, at_least: 0.5, split: [s]}\n", &["did you mean `splits`"]),
        ("allow_changed: [prompt]\n", &["did you mean `prompts`"]),
        ("rules: [{metric: turns_mean, at_least: 2}]\n", &["has no turns_mean"]),
    ] {
        fs::write(d.join("gate.yaml"), text).unwrap();
        refused(d, &gate, 2, words);
    }
    let text = "alpha: 0.05\nrules:\n  - {name: ours, metric: accuracy, splits: [s], max_drop: 2 points}\n  - {metric: accuracy, at_least: 70 %}\n  - {metric: accuracy, at_most: 0.8}\n";
    fs::write(d.join("gate.yaml"), text).unwrap();
    let report = json(&done(d, &[&gate[..], &["--format", "json"]].concat()));
    let names: Vec<&str> =
        report["rules"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ours", "accuracy at_least 0.7", "accuracy at_most 0.8"]);
}

fn eval(d: &Path, model: &str, more: &[&str], to: &str) {
    done(d, &[&["eval", "--model", model, "--split", "ood7", "--out", to], more].concat());
}

#[test]
fn runs_are_blessed_gated_again_and_verified() {
    let dir = tempdir().unwrap();
    let d = dir.path();
    let some = ["--limit", "150", "--max-turns", "2"];
    eval(d, "noisy-oracle:0.3", &some, "a");
    eval(d, "noisy-oracle:0.9", &some, "b");
    done(d, &["gate", "bless", "a"]);
    let text = fs::read_to_string(d.join("a.baseline.json")).unwrap();
    done(d, &["gate", "bless", "a", "--out", "again/a.json"]);
    assert_eq!(fs::read_to_string(d.join("again/a.json")).unwrap(), text);
    assert!(text.len() < 4000, "{} bytes", text.len());
    // As A of a comparison, too.
    let compared = |a: &str| json(&done(d, &["compare", a, "b", "--format", "json"]))["splits"].clone();
    assert_eq!(compared("a"), compared("a.baseline.json"));
    // Trying until it is green shows.
    for (attempt, seen) in [(1, None), (2, Some("attempt 2 of this candidate: fail, fail"))] {
        let (code, stdout, _) = out(d, &["gate", "--baseline", "a.baseline.json", "--candidate", "b"]);
        assert_eq!(code, 3, "{stdout}");
        assert_eq!(fs::read_to_string(d.join("b/gate.jsonl")).unwrap().lines().count(), attempt);
        assert_eq!(seen.is_some_and(|seen| stdout.contains(seen)), seen.is_some(), "{stdout}");
    }
    let easy = "rules: [{metric: accuracy, max_drop: 99 points}]\n";
    fs::write(d.join("easy.yaml"), easy).unwrap();
    let args = ["gate", "--baseline", "a", "--candidate", "b", "--config", "easy.yaml"];
    assert!(done(d, &args)
        .contains("attempt 3 of this candidate: fail, fail, pass (the rules changed between them)"));
    // The numbers follow, until somebody edits them.
    assert!(done(d, &["verify", "b"]).ends_with("the numbers follow from the traces\n"));
    let scores = fs::read_to_string(d.join("b/scores.jsonl")).unwrap();
    fs::write(d.join("b/scores.jsonl"), scores.replacen("\"correct\":false", "\"correct\":true", 1)).unwrap();
    let (code, stdout, _) = out(d, &["verify", "b"]);
    assert!(code == 6 && stdout.contains("no   scores: scores.jsonl, line "), "{code} {stdout}");
    let found = json(&out(d, &["verify", "b", "--format", "json"]).1);
    assert_eq!(found["follows"], false);
    // A truth that is not the split's own.
    let traces = fs::read_to_string(d.join("a/traces.jsonl")).unwrap();
    fs::write(d.join("a/traces.jsonl"), traces.replacen("\"start_pos\":", "\"start_pos\":1", 1)).unwrap();
    let (code, stdout, _) = out(d, &["verify", "a"]);
    assert!(
        code == 6 && stdout.contains("no   splits: ") && stdout.contains("ground truth"),
        "{code} {stdout}"
    );
    refused(d, &["verify", "again"], 2, &["no run.json"]);
}

#[test]
fn a_run_with_too_many_faults_is_no_candidate() {
    let dir = tempdir().unwrap();
    let d = dir.path();
    eval(d, "oracle", &["--limit", "20"], "a");
    let traces = fs::read_to_string(d.join("a/traces.jsonl")).unwrap();
    let some: Vec<&str> = traces.lines().take(15).collect();
    fs::write(d.join("some.jsonl"), some.join("\n") + "\n").unwrap();
    let args = ["eval", "--model", "replay:some.jsonl", "--split", "ood7", "--limit", "20", "--out", "b"];
    assert_eq!(out(d, &args).0, 5);
    refused(d, &["gate", "--baseline", "a", "--candidate", "b"], 5, &["5 of 20 episodes had faults"]);
    refused(d, &["gate", "bless", "b"], 2, &["cannot bless b", "5 of 20 episodes had faults"]);
}

#[test]
fn github_gets_a_summary_outputs_and_annotations() {
    let dir = tempdir().unwrap();
    let d = dir.path();
    items(d, "a.jsonl", 1000, |i| i % 4 == 0);
    items(d, "b,%|<b>.jsonl", 1000, |i| i % 3 == 0 || i % 4 == 0);
    fs::write(d.join("summary.md"), "before\n").unwrap();
    let args = [
        "gate",
        "--baseline",
        "a.jsonl",
        "--candidate",
        "b,%|<b>.jsonl",
        "--github",
        "--format",
        "json",
        "--attempts",
        "log/tries.jsonl",
        "--junit",
        "x/j.xml",
        "--markdown",
        "m.md",
        "--bencher",
        "b.json",
        "--bigger",
        "g.json",
    ];
    let output = vrrl(d, &args)
        .env("GITHUB_STEP_SUMMARY", d.join("summary.md"))
        .env("GITHUB_OUTPUT", d.join("output"))
        .env("GITHUB_RUN_ATTEMPT", "2")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    json(&String::from_utf8(output.stdout).unwrap());
    let stderr = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = stderr.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    assert!(
        lines[0].starts_with("::error title=gate fail%3A accuracy max_drop 0.02::1000 items"),
        "{stderr}"
    );
    let summary = fs::read_to_string(d.join("summary.md")).unwrap();
    assert!(summary.starts_with("before\n### ❌ Gate: fail") && !summary.contains("<b>"), "{summary}");
    let said = fs::read_to_string(d.join("output")).unwrap();
    assert!(said.starts_with("verdict=fail\ndelta=-0.25") && said.contains("\nci_low=-0.2"), "{said}");
    let tries = json(fs::read_to_string(d.join("log/tries.jsonl")).unwrap().trim());
    assert_eq!((&tries["ci_attempt"], &tries["verdict"]), (&Value::from("2"), &Value::from("fail")));
    assert!(fs::read_to_string(d.join("x/j.xml"))
        .unwrap()
        .contains("<failure message=\"the interval lies wholly below"));
    assert!(fs::read_to_string(d.join("m.md")).unwrap().contains("| fail | 1000 |"));
    let bencher = json(&fs::read_to_string(d.join("b.json")).unwrap());
    assert_eq!(bencher["s"]["accuracy"]["value"], 0.5);
    assert!(bencher.to_string().contains("lower_value"));
    assert!(json(&fs::read_to_string(d.join("g.json")).unwrap())[0]["value"].is_number());
    // A full summary is left alone rather than lost.
    fs::write(d.join("summary.md"), vec![b'x'; 1024 * 1024 - 100]).unwrap();
    let output = vrrl(d, &args).env("GITHUB_STEP_SUMMARY", d.join("summary.md")).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(fs::metadata(d.join("summary.md")).unwrap().len() <= 1024 * 1024);
}

/// Every `step`-th weight of a checkpoint set to zero.
fn damage(weights: &Path, step: usize) {
    let mut bytes = fs::read(weights).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for weight in bytes[8 + header..].chunks_exact_mut(4).step_by(step) {
        weight.fill(0);
    }
    fs::write(weights, bytes).unwrap();
}

#[test]
fn a_planted_regression_fails() {
    let dir = tempdir().unwrap();
    let d = dir.path();
    let from = root().join("baselines/checkpoints/vrrl-quickstart");
    let baseline = root().join("baselines/expected/vrrl-quickstart.json");
    let readme = fs::read_to_string(from.join("README.md")).unwrap();
    for name in ["whole", "planted"] {
        fs::create_dir(d.join(name)).unwrap();
        for file in ["model.safetensors", "config.json", "tokenizer.json", "training.json"] {
            let bytes = fs::read(from.join(file)).unwrap();
            let hash = vrrl_harness_core::sha256_hex(&bytes);
            assert!(readme.contains(&format!("`{file}` | `{hash}`")), "README.md has another hash of {file}");
            fs::write(d.join(name).join(file), bytes).unwrap();
        }
    }
    assert!(fs::metadata(from.join("model.safetensors")).unwrap().len() < 3 << 20);
    // One weight in 307: six points of accuracy, which nobody sees by eye.
    damage(&d.join("planted/model.safetensors"), 307);
    for (name, code) in [("whole", 0), ("planted", 3)] {
        eval(d, &format!("candle:{name}"), &[], &format!("run-{name}"));
        let candidate = format!("run-{name}");
        let args = ["gate", "--baseline", baseline.to_str().unwrap(), "--candidate", &candidate];
        let (got, stdout, stderr) = out(d, &args);
        assert_eq!(got, code, "{name}\n{stdout}\n{stderr}");
    }
    assert!(done(d, &["verify", "run-whole"]).contains("follow from the traces"));
}

#[test]
fn the_action_runs() {
    let dir = tempdir().unwrap();
    let d = dir.path();
    eval(d, "oracle", &["--limit", "200"], "a");
    done(d, &["gate", "bless", "a", "--out", "a.json"]);
    let script = root().join(".github/actions/gate/gate.sh");
    let run = |model: &str, name: &str| {
        fs::create_dir(d.join(name)).unwrap();
        let output = Command::new("bash")
            .arg(&script)
            .current_dir(d)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs([
                ("VRRL", env!("CARGO_BIN_EXE_vrrl")),
                ("BASELINE", "a.json"),
                ("MODEL", model),
                ("SPLIT", "ood7"),
            ])
            .envs([("EVAL_ARGS", "--limit 200"), ("GITHUB_ACTIONS", "true")])
            .env("JUNIT", format!("{name}/j.xml"))
            .env("RUNNER_TEMP", d.join(name))
            .env("GITHUB_STEP_SUMMARY", d.join(name).join("summary.md"))
            .env("GITHUB_OUTPUT", d.join(name).join("output"))
            .output()
            .unwrap();
        let said = fs::read_to_string(d.join(name).join("output")).unwrap_or_default();
        (output.status.code().unwrap(), said, String::from_utf8(output.stderr).unwrap())
    };
    let (code, said, stderr) = run("oracle", "good");
    assert_eq!(code, 0, "{stderr}");
    assert!(
        said.contains("verdict=pass") && d.join("good/j.xml").exists() && d.join("good/summary.md").exists()
    );
    let (code, said, stderr) = run("random", "bad");
    assert_eq!(code, 3, "{stderr}");
    assert!(said.contains("verdict=fail"), "{said}");
    // A word that looks like a command is a word.
    let (code, _, stderr) = run("$(touch pwned); oracle", "evil");
    assert!(code == 2 && !d.join("pwned").exists(), "{code} {stderr}");
}

/// The commands of docs/gate.md, in order, in a folder with this repository's `baselines`.
#[test]
fn the_page_about_gates_is_true() {
    let dir = tempdir().unwrap();
    let d = dir.path();
    fs::create_dir_all(d.join("baselines/checkpoints/vrrl-quickstart")).unwrap();
    for entry in fs::read_dir(root().join("baselines/checkpoints/vrrl-quickstart")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, d.join("baselines/checkpoints/vrrl-quickstart").join(path.file_name().unwrap()))
            .unwrap();
    }
    let page = fs::read_to_string(root().join("docs/gate.md")).unwrap();
    let mut ran = 0;
    let mut blocks = page.split("```");
    blocks.next();
    while let (Some(block), Some(_)) = (blocks.next(), blocks.next().map(|_| ())) {
        let (kind, body) = block.split_once('\n').unwrap();
        match kind {
            "yaml gate.yaml" => fs::write(d.join("gate.yaml"), body).unwrap(),
            "sh" => {
                for line in body.lines().filter(|line| line.starts_with("vrrl ")) {
                    let (command, code) =
                        line.split_once("  # exit ").map_or((line, 0), |(command, rest)| {
                            (
                                command,
                                rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap(),
                            )
                        });
                    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
                    let (got, stdout, stderr) = out(d, &words);
                    assert_eq!(got, code, "{line}\n{stdout}\n{stderr}");
                    ran += 1;
                }
            }
            _ => {}
        }
    }
    assert!(ran >= 8, "only {ran} commands");
}
