//! Points, feedback modes and controls in the real binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::fs;

use common::{done, out, refused};
use serde_json::{json, Value};

/// One line to score.
fn line(id: &str, dialect: &str, truth: Value, turns: &[&str]) -> String {
    json!({"id": id, "task": "table", "dialect": dialect, "truth": truth, "turns": turns}).to_string() + "\n"
}

#[test]
fn recorded_points_are_judged_by_their_truth_alone() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let point = json!({"point": [840, 297], "tolerance": 40, "size": [1200, 700]});
    let bar = json!({"box": [100, 50, 140, 600], "size": [1200, 700]});
    let bare = ["<ANSWER>700 297</ANSWER>", "<ANSWER>840 337</ANSWER>", "<FINAL/>"];
    let tag = ["<ANSWER>840 297</ANSWER>", "<FINAL>840 297</FINAL>"];
    let lines = [
        line("near", "bare_commit", point.clone(), &bare),
        line("same", "reflection_tag", point.clone(), &tag),
        line("border", "bare_commit", bar.clone(), &["<ANSWER>140 600</ANSWER>", "<FINAL/>"]),
        line("beside", "bare_commit", bar, &["<ANSWER>143 604</ANSWER>", "<FINAL/>"]),
        line("far", "bare_commit", point, &["<ANSWER>1e300 0</ANSWER>", "<FINAL/>"]),
        line("open", "bare_commit", json!({"point": [0, 0]}), &["<ANSWER>30 40</ANSWER>", "<FINAL/>"]),
    ];
    fs::write(dir.join("turns.jsonl"), lines.concat()).unwrap();
    fs::write(dir.join("wide.yaml"), "grounding: {tolerance: 50}\n").unwrap();
    let score = |reward: &str| -> Vec<Value> {
        done(dir, &["score", "--input", "turns.jsonl", "--reward", reward, "--output", "s.jsonl"]);
        let text = fs::read_to_string(dir.join("s.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let rows = score("vrrl_paper");
    let column = |key: &str| rows.iter().map(|row| row["score"][key].clone()).collect::<Vec<_>>();
    let yes = |all: &[bool]| all.iter().map(|b| json!(b)).collect::<Vec<_>>();
    assert_eq!(column("correct"), yes(&[true, true, true, false, false, false]));
    assert_eq!(column("correct_first"), yes(&[false, true, true, false, false, false]));
    let distances: Vec<f64> = column("distance_final").iter().map(|d| d.as_f64().unwrap()).collect();
    assert_eq!(distances[..4], [40.0, 0.0, 0.0, 5.0]);
    assert!(distances[4] >= 1e9 && (distances[5] - 50.0).abs() < 1e-9);
    assert_eq!(rows[0]["score"]["distance_first"], 140.0);
    assert!(rows[0]["score"].get("progress_first").is_none());
    let reward = |row: usize, key: &str| rows[row]["reward"][key].as_f64().unwrap();
    let phi = |d: f64| 0.5 * (-(d / 80.0).powi(2)).exp() + 0.5 * (-(d / 200.0).powi(2)).exp();
    assert!((reward(0, "total") - 1.0).abs() < 1e-12);
    assert!((reward(0, "reflection") - (phi(40.0) - phi(140.0))).abs() < 1e-12);
    assert!((reward(3, "total") - 0.1).abs() < 1e-12, "one proposal: the format alone");
    assert_eq!(score("wide.yaml")[5]["score"]["correct"], true, "a tolerance of the reward");
    assert_eq!(score("wide.yaml")[4]["score"]["correct"], false);

    fs::write(dir.join("bad.jsonl"), line("none", "bare_commit", json!({"size": [5, 5]}), &["<FINAL/>"]))
        .unwrap();
    refused(
        dir,
        &["score", "--input", "bad.jsonl", "--reward", "vrrl_paper", "--output", "x.jsonl"],
        2,
        &["bad.jsonl, line 1", "none", "neither point nor box"],
    );
}

#[test]
fn controls_are_flags_and_stand_in_run_and_summary() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let eval = |out: &str, more: &[&str]| {
        let mut args =
            vec!["eval", "--model", "noisy-oracle:0.5", "--split", "ood6", "--limit", "8", "--out", out];
        args.extend(more);
        args.extend(["--format", "json"]);
        let summary: Value = serde_json::from_str(&done(dir, &args)).unwrap();
        let run = fs::read_to_string(dir.join(out).join("run.json")).unwrap();
        (summary, serde_json::from_str::<Value>(&run).unwrap())
    };
    let (plain, _) = eval("none", &[]);
    assert_eq!(plain["splits"][0]["control"], "none");
    for control in ["blank", "swapped", "oracle"] {
        let (summary, run) = eval(control, &["--control", control]);
        assert_eq!(
            (&summary["splits"][0]["control"], &run["config"]["control"]),
            (&control.into(), &control.into())
        );
        // The noisy oracle does not look, so its numbers stay.
        assert_eq!(summary["splits"][0]["accuracy"], plain["splits"][0]["accuracy"]);
        let images = |out: &str| fs::read_dir(dir.join(out).join("images")).unwrap().count();
        assert!(images(control) > 0);
    }
    let (_, run) = eval("whole", &["--feedback", "whole"]);
    assert_eq!(run["config"]["feedback"], "whole");
    let (code, _, stderr) =
        out(dir, &["eval", "--model", "oracle", "--split", "ood6", "--out", "x", "--control", "blind"]);
    assert_eq!((code, stderr.contains("none, blank, swapped, oracle")), (2, true), "{stderr}");
    refused(
        dir,
        &["eval", "--model", "noisy-oracle:0.5", "--split", "ood6", "--limit", "8", "--out", "blank"],
        2,
        &["cannot resume", "control"],
    );
    done(dir, &["report", "none", "blank", "--out", "page"]);
    let csv = fs::read_to_string(dir.join("page/leaderboard.csv")).unwrap();
    assert!(csv.contains("noisy-oracle:0.5,") && csv.contains("noisy-oracle:0.5 [control blank],"), "{csv}");
}

/// Definitions of a training and a test split of a task, paper-size pictures.
fn define(dir: &std::path::Path, task: &str) -> [String; 2] {
    ["train", "id_test"].map(|role| {
        let file = format!("{task}_{role}.yaml");
        let text =
            format!("name: my/{task}/{role}\ntask: {task}\nn: 12\nseed: 5\nrole: {role}\nparams: {{}}\n");
        fs::write(dir.join(&file), text).unwrap();
        file
    })
}

#[test]
fn pointing_tasks_are_cut_built_proven_shown_and_scored() {
    for task in ["table", "chart"] {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let [train, test] = define(dir, task);
        let json = |args: &[&str]| serde_json::from_str::<Value>(&done(dir, args)).unwrap();
        // Cut, build, verify, audit, export.
        let new = ["splits", "new", "--base", &test, "--shift", "blur=2", "--out", "cut.yaml"];
        assert!(done(dir, &new).contains("compare the two item by item"));
        done(dir, &["splits", "build", "cut.yaml", "--out", "data", "--feedback", "--parquet"]);
        done(dir, &["splits", "verify", "data"]);
        let audit = ["splits", "audit", "--train", &train, "--test", "data", "--fail-on", "exact,symmetric"];
        assert!(done(dir, &audit).contains(&format!("my/{task}/train")));
        done(dir, &["splits", "export", &test, "--format", "sft", "--out", "sft", "--limit", "3"]);
        // Shown: beside the answer, outside the picture, on the whole picture, under a shift.
        let show = |more: &[&str]| {
            let mut args = vec!["show", test.as_str(), "1", "--out", "look", "--format", "json"];
            args.extend(more);
            json(&args)
        };
        let right = show(&[])["answer"].as_str().unwrap().to_owned();
        let hit = show(&["--propose", &right]);
        assert_eq!((&hit["verdict"]["correct"], hit["files"].as_array().unwrap().len()), (&json!(true), 2));
        let out = show(&["--propose", "-5 99999"]);
        assert_eq!((&out["verdict"]["correct"], out["files"].as_array().unwrap().len()), (&json!(false), 1));
        let words = out["words"].as_str().unwrap();
        assert!(words.contains('x') && words.contains('y') && words.contains("outside"), "{words}");
        let size = |shown: &Value| {
            let bytes = fs::read(dir.join(shown["files"][1].as_str().unwrap())).unwrap();
            [16, 20].map(|at| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()))
        };
        assert!(size(&hit).iter().all(|&side| side <= 200));
        let whole = show(&["--propose", &right, "--feedback", "whole"]);
        assert_eq!(json!(size(&whole)), whole["truth"]["size"]);
        assert_eq!(show(&["--shift", "noise=3"])["truth"], hit["truth"]);
        // Scored: the oracle hits, a uniform pixel rarely does, whatever is shown.
        for (model, more) in [
            ("oracle", &["--feedback", "whole"][..]),
            ("random", &["--control", "blank"]),
            ("repeat", &["--control", "swapped", "--feedback", "whole"]),
            ("noisy-oracle:0.5", &["--control", "oracle"]),
        ] {
            let mut args = vec!["eval", "--model", model, "--split", "cut.yaml", "--out", model];
            args.extend(more);
            args.extend(["--format", "json"]);
            let summary = json(&args);
            let split = &summary["splits"][0];
            assert_eq!((&split["n"], &split["faults"]), (&json!(12), &json!(0)), "{task} {model}");
            assert!(split["mean_distance"]["value"].as_f64().is_some(), "{split}");
            let accuracy = split["accuracy"]["value"].as_f64().unwrap();
            // A noisy oracle tries until it is right.
            assert_eq!(accuracy > 0.999, model.contains("oracle"), "{task} {model}: {accuracy}");
        }
    }
}
