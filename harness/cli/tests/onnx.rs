//! ONNX graphs through the real binary, on the embedded engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::fs;

use common::{done, out, refused, TINY};
use serde_json::Value;

/// The first method of the tiny experiment alone, exported as well.
fn experiment() -> String {
    let (head, rest) = TINY.split_once("  - name: multi_sft\n").unwrap();
    let head = head.replace("    max_turns: 1\n", "    max_turns: 1\n    onnx: true\n");
    let (_, tail) = rest.split_once("eval:").unwrap();
    format!("{head}eval:{tail}")
}

#[test]
fn a_checkpoint_is_exported_scored_and_compared() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("tiny.yaml"), experiment()).unwrap();
    done(dir, &["run", "tiny.yaml", "--out", "tiny"]);
    let table = fs::read_to_string(dir.join("tiny/leaderboard.csv")).unwrap();
    assert!(table.contains("\nbase,base,candle,t1") && table.contains("\nbase_onnx,base,"), "{table}");
    assert!(dir.join("tiny/onnx/base_onnx/stage.json").exists());

    let written = done(dir, &["export", "tiny/checkpoints/base", "--onnx", "graphs", "--int8"]);
    assert!(written.contains("decoder_model_merged_int8.onnx") && written.trim().ends_with("config.json"));
    let pair =
        ["parity", "candle:tiny/checkpoints/base", "ort:graphs", "--split", "id_test", "--limit", "20"];
    let json = [&pair[..], &["--engine", "embedded", "--format", "json"]].concat();
    let found: Value = serde_json::from_str(&done(dir, &json)).unwrap();
    assert_eq!(found["turns_equal"], found["turns"]);
    assert_eq!(
        (found["episodes"].as_u64(), found["b"]["policy"]["backend"].as_str()),
        (Some(20), Some("tract"))
    );
    assert!(found["max_log_prob_difference"].as_f64().unwrap() < 1e-4);
    // Two policies that are not one: exit code 3.
    let other = ["parity", "oracle", "random", "--split", "id_test", "--limit", "5"];
    let (code, text, _) = out(dir, &other);
    assert_eq!(code, 3, "{text}");

    let eval = ["eval", "--model", "ort:graphs#int8", "--split", "id_test", "--limit", "10", "--out", "run"];
    done(dir, &[&eval[..], &["--engine", "embedded", "--threads", "1"]].concat());
    let run: Value = serde_json::from_str(&fs::read_to_string(dir.join("run/run.json")).unwrap()).unwrap();
    assert_eq!((run["method"].as_str(), run["policy"]["name"].as_str()), (Some("base"), Some("graphs#int8")));
    assert!(run["policy"]["engine"].as_str().unwrap().contains("embedded"));

    // Other graphs under the same run, a library that is none, flags of others.
    let full = ["eval", "--model", "ort:graphs", "--split", "id_test", "--limit", "10", "--out", "run"];
    refused(dir, &[&full[..], &["--engine", "embedded"]].concat(), 2, &["config.name"]);
    refused(
        dir,
        &[&eval[..], &["--engine", "graphs/config.json"]].concat(),
        2,
        &["config.json", "--engine PATH"],
    );
    let wrong = ["eval", "--model", "oracle", "--split", "id_test", "--out", "o", "--engine", "embedded"];
    refused(dir, &wrong, 2, &["--engine is for ort:DIR"]);
    let none = ["eval", "--model", "ort:nothing", "--split", "id_test", "--out", "o"];
    refused(dir, &none, 2, &["nothing/vision_encoder.onnx", "an ONNX directory holds"]);
}

#[test]
fn doctor_says_which_engine_runs_and_where_it_looked() {
    let dir = tempfile::tempdir().unwrap();
    let found: Value = serde_json::from_str(&done(dir.path(), &["doctor", "--format", "json"])).unwrap();
    assert_eq!(found["onnx"]["engine"]["works"], true, "{found}");
    let looked: Vec<&str> =
        found["onnx"]["looked"].as_array().unwrap().iter().map(|p| p["place"].as_str().unwrap()).collect();
    assert!(looked[0].contains("ORT_DYLIB_PATH") && looked.last().unwrap().contains("loader"), "{looked:?}");
}
