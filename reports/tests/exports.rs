//! What other tools read, held against their formats' rules, with hostile names and replies.

#![allow(clippy::unwrap_used)] // tests

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vrrl_harness_core::sha256_hex;
use vrrl_reports::{export, load_sampling, Export, ExportRequest, TrainingLog};

mod common;
use common::{write_run, Fake, SPLITS};

const HOSTILE: &str = "</script>\u{1}\"': - [x]\n=1 ../../..";

fn fake(model: &'static str) -> Fake {
    Fake { model, method: "vrrl", seed: None, skill: [0.8, 0.5, 0.3] }
}

fn request(kinds: &[Export]) -> ExportRequest {
    ExportRequest { kinds: kinds.iter().copied().collect(), hub_dataset: Some("me/mazes".into()) }
}

fn exported(root: &Path, kinds: &[Export]) -> Vec<PathBuf> {
    let runs = load_sampling(&[root.to_path_buf()], 0).unwrap();
    let files = export(&runs, &[], &request(kinds), &root.join("out")).unwrap();
    for file in &files {
        assert!(
            fs::canonicalize(file).unwrap().starts_with(fs::canonicalize(root.join("out")).unwrap()),
            "{file:?}"
        );
    }
    files
}

/// Puts hostile text wherever a submission may.
fn poison(run: &Path) {
    let quoted = serde_json::to_string(HOSTILE).unwrap();
    let inner = &quoted[1..quoted.len() - 1];
    for (file, from) in [("run.json", "candle:vrrl"), ("traces.jsonl", "<ANSWER>")] {
        let text = fs::read_to_string(run.join(file)).unwrap();
        assert!(text.contains(from));
        fs::write(run.join(file), text.replace(from, &format!("{inner}{from}"))).unwrap();
    }
    for file in ["run.json", "summary.json", "scores.jsonl", "traces.jsonl"] {
        let text = fs::read_to_string(run.join(file)).unwrap();
        fs::write(run.join(file), text.replace("quick/maze/ood8", inner)).unwrap();
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn every_eval_ever_ties_rows_to_an_aggregate_by_its_rules() {
    let dir = tempfile::tempdir().unwrap();
    poison(&write_run(dir.path(), &fake("candle:vrrl"), "t1", 12, 0));
    let files = exported(dir.path(), &[Export::EveryEvalEver]);
    assert_eq!(files.len(), 2);
    let (aggregate, samples) = (read(&files[0]), fs::read(&files[1]).unwrap());
    // Path: data/COLLECTION/DEVELOPER/MODEL/UUID4.json, with its samples beside it.
    let below =
        files[0].strip_prefix(dir.path().join("out/every-eval-ever")).unwrap().to_str().unwrap().to_owned();
    let parts: Vec<&str> = below.split('/').collect();
    assert_eq!((parts.len(), &parts[..3]), (5, &["data", "vrrl", "local"][..]));
    let uuid: Vec<&str> = parts[4].strip_suffix(".json").unwrap().split('-').collect();
    assert_eq!(uuid.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    assert!(uuid[2].starts_with('4') && "89ab".contains(&uuid[3][..1]));
    let detailed = &aggregate["detailed_evaluation_results"];
    assert_eq!(detailed["file_path"].as_str().unwrap(), below.replace(".json", "_samples.jsonl"));
    assert_eq!(detailed["checksum"], sha256_hex(&samples));
    assert_eq!(detailed["total_rows"], 12 * SPLITS.len());
    assert_eq!(detailed["format"], "jsonl");
    // No key but those of the schema, all that it requires.
    let allowed = [
        "detailed_evaluation_results",
        "eval_library",
        "evaluation_id",
        "evaluation_results",
        "evaluation_timestamp",
        "model_info",
        "retrieved_timestamp",
        "schema_version",
        "source_metadata",
    ];
    let mut found = keys(&aggregate);
    found.sort_unstable();
    assert_eq!(found, allowed);
    assert_eq!(aggregate["schema_version"], "0.3.0");
    assert_eq!(aggregate["retrieved_timestamp"], "1767323045");
    assert_eq!(aggregate["source_metadata"]["source_type"], "evaluation_run");
    assert_eq!(aggregate["model_info"]["additional_details"]["deployment_type"], "self_deployed");
    let mut ids = Vec::new();
    for result in aggregate["evaluation_results"].as_array().unwrap() {
        let (metric, details) = (&result["metric_config"], &result["score_details"]);
        let score = details["score"].as_f64().unwrap();
        assert!(score >= metric["min_score"].as_f64().unwrap());
        assert!(metric["max_score"] == "Infinity" || score <= metric["max_score"].as_f64().unwrap());
        assert_eq!(metric["score_type"], "continuous");
        assert_eq!(details["uncertainty"]["num_samples"], 12);
        assert_eq!(result["source_data"]["source_type"], "other");
        for text in result["source_data"]["additional_details"].as_object().unwrap().values() {
            assert!(text.is_string());
        }
        ids.push(result["evaluation_result_id"].as_str().unwrap().to_owned());
    }
    let (all, mut once) = (ids.len(), ids.clone());
    once.sort();
    once.dedup();
    assert_eq!((all, once.len()), (SPLITS.len() * 6, SPLITS.len() * 6));

    for line in String::from_utf8(samples).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["evaluation_id"], aggregate["evaluation_id"]);
        assert_eq!(row["model_id"], aggregate["model_info"]["id"]);
        assert!(ids.contains(&row["evaluation_result_id"].as_str().unwrap().to_owned()));
        assert_eq!((row["interaction_type"].as_str(), &row["output"]), (Some("multi_turn"), &Value::Null));
        let messages = row["messages"].as_array().unwrap();
        assert_eq!(messages.len() as u64, 2 * row["evaluation"]["num_turns"].as_u64().unwrap());
        for (at, message) in messages.iter().enumerate() {
            assert_eq!(message["turn_idx"], at);
            assert_eq!(message["role"], ["user", "assistant"][at % 2]);
        }
        let answers = row["answer_attribution"].as_array().unwrap();
        assert_eq!(answers.iter().filter(|answer| answer["is_terminal"] == true).count(), 1);
        let correct = row["evaluation"]["is_correct"].as_bool().unwrap();
        assert_eq!(row["evaluation"]["score"], f64::from(u8::from(correct)));
        assert!(messages[1]["content"].as_str().unwrap().starts_with(HOSTILE));
        assert!(row["metadata"].as_object().unwrap().values().all(Value::is_string));
    }
}

#[test]
fn episodes_without_a_score_are_no_rows_and_a_run_without_traces_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let run = write_run(dir.path(), &fake("openai:http://h/v1#Org/model"), "t1", 5, 0);
    let scores = fs::read_to_string(run.join("scores.jsonl")).unwrap();
    fs::write(run.join("scores.jsonl"), scores.lines().skip(3).map(|l| format!("{l}\n")).collect::<String>())
        .unwrap();
    let files = exported(dir.path(), &[Export::EveryEvalEver]);
    let aggregate = read(&files[0]);
    assert_eq!(aggregate["detailed_evaluation_results"]["total_rows"], 5 * SPLITS.len() - 3);
    assert_eq!(aggregate["model_info"]["id"], "Org/model");
    fs::remove_file(run.join("traces.jsonl")).unwrap();
    let files = exported(dir.path(), &[Export::EveryEvalEver]);
    assert_eq!(files.len(), 1);
    assert!(read(&files[0]).get("detailed_evaluation_results").is_none());
}

#[test]
fn the_hub_s_yaml_is_a_list_of_entries_with_text_as_text() {
    let dir = tempfile::tempdir().unwrap();
    poison(&write_run(dir.path(), &fake("candle:vrrl"), "t1", 12, 0));
    let files = exported(dir.path(), &[Export::Hub]);
    assert!(files[0].ends_with(".eval_results/vrrl.yaml"));
    let list: Value = serde_yaml::from_slice(&fs::read(&files[0]).unwrap()).unwrap();
    let summary = read(&dir.path().join("evals/vrrl@t1/summary.json"));
    assert_eq!(list.as_array().unwrap().len(), SPLITS.len());
    for (entry, split) in list.as_array().unwrap().iter().zip(summary["splits"].as_array().unwrap()) {
        let mut found = keys(entry);
        found.sort_unstable();
        assert_eq!(found, ["dataset", "date", "evaluation_framework", "notes", "value"]);
        assert_eq!(entry["dataset"]["id"], "me/mazes");
        assert_eq!(entry["value"], split["accuracy"]["value"]);
        assert_eq!(entry["date"], "2026-01-02T03:04:05Z");
        let task = entry["dataset"]["task_id"].as_str().unwrap();
        assert!(task.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)), "{task}");
    }
    assert_eq!(list[0]["dataset"]["task_id"], "quick_maze_id_test");
    // A reader of YAML 1.1 takes a bare date for a time.
    assert!(fs::read_to_string(&files[0]).unwrap().contains("date: \"2026-01-02T03:04:05Z\"\n"));

    let runs = load_sampling(&[dir.path().to_path_buf()], 0).unwrap();
    for name in [None, Some("mazes"), Some("a/b/c"), Some("me/"), Some("me/x: y"), Some("-a/b")] {
        let request = ExportRequest { hub_dataset: name.map(str::to_owned), ..request(&[Export::Hub]) };
        assert!(export(&runs, &[], &request, &dir.path().join("refused")).is_err(), "{name:?}");
    }
    assert!(!dir.path().join("refused").exists());
}

#[test]
fn series_carry_values_with_their_intervals() {
    let dir = tempfile::tempdir().unwrap();
    poison(&write_run(dir.path(), &fake("candle:vrrl"), "t1", 12, 0));
    let files = exported(dir.path(), &[Export::Bencher, Export::Bigger]);
    let summary = read(&dir.path().join("evals/vrrl@t1/summary.json"));
    let (bencher, bigger) = (read(&files[0]), read(&files[1]));
    let seven = &bencher["quick/maze/ood7"];
    for metric in ["accuracy", "delta_ref", "turns_mean"] {
        let want = &summary["splits"][2][metric];
        for (ours, theirs) in [("value", "value"), ("ci_low", "lower_value"), ("ci_high", "upper_value")] {
            assert_eq!(seven[metric][theirs], want[ours], "{metric} {theirs}");
        }
    }
    assert_eq!(keys(&seven["repeat_rate"]), ["value"]);
    assert!(seven.get("fixed").is_none());
    assert!(keys(&bencher).iter().all(|name| !name.contains(char::is_control)));
    for entry in bigger.as_array().unwrap() {
        for key in ["name", "unit", "range", "extra"] {
            assert!(!entry[key].as_str().unwrap().contains(char::is_control), "{key}");
        }
        assert!(entry["value"].is_number() && entry["range"].as_str().unwrap().starts_with("± 0."));
        // Fewer turns or faults are no worse, so they are not among what should grow.
        assert!(!["turns_mean", "format_fault_rate"].contains(&entry["unit"].as_str().unwrap()));
    }
    assert_eq!(bigger.as_array().unwrap().len(), SPLITS.len() * 4);
}

#[test]
fn equal_runs_make_equal_bytes_and_events_want_curves() {
    let dir = tempfile::tempdir().unwrap();
    write_run(dir.path(), &fake("candle:vrrl"), "t1", 5, 0);
    let runs = load_sampling(&[dir.path().to_path_buf()], 0).unwrap();
    let log = TrainingLog {
        method: HOSTILE.into(),
        rows: vec![(1.0, [(HOSTILE.to_owned(), 1.0)].into())],
        ..TrainingLog::default()
    };
    let all = |out: &str| {
        let files =
            export(&runs, std::slice::from_ref(&log), &request(&Export::ALL), &dir.path().join(out)).unwrap();
        files.iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>()
    };
    let first = all("a");
    assert_eq!(first.len(), 6);
    assert_eq!(first, all("b"));
    let error = export(&runs, &[], &request(&[Export::Tensorboard]), dir.path()).unwrap_err().to_string();
    assert!(error.contains("no training curves"), "{error}");
}
