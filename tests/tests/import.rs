//! Other harnesses' files as runs: real ones, damaged ones, and our own there and back.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use serde_json::{json, Value};
use tempfile::tempdir;
use vrrl_harness::policies::Reference;
use vrrl_harness::{
    compare, evaluate, import, read_info, read_items, read_scores, read_summary, read_traces, recompute,
    write_lm_eval, Error, EvalConfig, EvalSplit, Hooks, Import, Imported, Result, Severity, Source,
};
use vrrl_harness_core::{Dialect, Role, Seed};

const SAMPLES: &str = "samples_vrrl_maze_themed_2026-11-21T21-34-20.077271.jsonl";
const LMMS: &str = "20261121_210853_samples_vrrl_maze_themed.jsonl";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/import").join(name)
}

/// An import with everything left to the files.
fn request<'a>(from: Source, files: &'a [PathBuf], out: &'a Path) -> Import<'a> {
    Import {
        from,
        files,
        out,
        model: None,
        metric: None,
        filter: None,
        dialect: Dialect::ReflectionTag,
        temperature: None,
        splits: &[],
        pose: &vrrl_generators::pose_truth,
    }
}

fn plain(from: Source, files: &[PathBuf], out: &Path) -> Result<Imported> {
    import(&request(from, files, out))
}

fn split(file: &str) -> EvalSplit {
    let def = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/splits").join(file);
    let split =
        vrrl_datasets::generate(&vrrl_datasets::find_or_read(def.to_str().unwrap()).unwrap()).unwrap();
    EvalSplit {
        name: split.def.name.clone(),
        role: Some(split.def.role),
        task: split.def.task,
        shift: split.def.shift.clone(),
        severity: Severity::Level(3),
        hash: split.hash(),
        examples: split.examples,
    }
}

fn written(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn refused(result: Result<Imported>, words: &[&str]) {
    let error = result.unwrap_err().to_string();
    for word in words {
        assert!(error.contains(word), "{word:?} is not in: {error}");
    }
}

#[test]
fn lm_eval_rows_keep_our_ids_and_are_judged_anew() {
    let dir = tempdir().unwrap();
    let found = plain(Source::LmEval, &[fixture(SAMPLES)], dir.path()).unwrap();
    assert!(found.judged && found.metric.as_deref() == Some("accuracy"), "{found:?}");
    let error = read_items(&fixture(SAMPLES)).unwrap_err().to_string();
    assert!(error.contains("line 1") && error.contains("vrrl import"), "{error}");
    assert_eq!((found.items, found.missing, found.model.as_str()), (4, 0, "acme/scripted"));
    let agreement = found.agreement.unwrap();
    // Right, wrong, unreadable, right; both judges say so.
    assert_eq!((agreement.both, agreement.neither, agreement.only_ours + agreement.only_theirs), (2, 2, 0));
    let scores = read_scores(dir.path()).unwrap();
    let bits: Vec<(&str, bool)> = scores.iter().map(|row| (row.id.as_str(), row.correct)).collect();
    let wanted =
        [("maze-000000", true), ("maze-000001", false), ("maze-000002", false), ("maze-000003", true)];
    assert_eq!(bits, wanted);
    let info = read_info(dir.path()).unwrap();
    assert_eq!(
        (info.splits[0].name.as_str(), info.splits[0].role),
        ("check/maze/themed", Some(Role::OodTest))
    );
    assert_eq!((info.splits[0].n, info.decoding.as_str()), (4, "greedy"));
    assert_eq!(info.policy.engine, "lm-eval 0.4.13");
    assert_eq!(
        recompute(dir.path(), &vrrl_generators::pose_truth).unwrap().0,
        scores,
        "scores follow from traces"
    );
    let theirs = lines(&dir.path().join("imported.jsonl"));
    assert_eq!(theirs[1]["metrics"], json!({"accuracy": 0.0, "parses": 1.0}));
    assert_eq!(theirs[1]["place"], "line 2");
    // The ids are those of the split itself, so a run of ours pairs with it.
    let split = split("maze_themed.yaml");
    assert_eq!(info.splits[0].name, split.name);
    assert_eq!(read_traces(dir.path()).unwrap()[3].truth, split.examples[3].problem.truth());
}

#[test]
fn lmms_eval_rows_are_joined_by_position_and_checked() {
    let dir = tempdir().unwrap();
    let out = dir.path().join("run");
    let files = [fixture(LMMS)];
    let (themed, other) = (split("maze_themed.yaml"), split("maze_train.yaml"));
    let with = |split: &EvalSplit| {
        let splits = [split.clone()];
        import(&Import { splits: &splits, ..request(Source::LmmsEval, &files, &out) })
    };
    refused(with(&other), &["line 1", "is no right answer to", "is this the split that was asked?"]);
    assert!(!out.exists(), "nothing is written");
    let found = with(&themed).unwrap();
    assert!(found.judged && found.items == 4, "{found:?}");
    assert_eq!(found.agreement.map(|a| (a.both, a.neither)), Some((2, 2)));
    let ids: Vec<String> = read_scores(&out).unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(ids, themed.examples[..4].iter().map(|e| e.id.clone()).collect::<Vec<_>>());
    // Without the split, verdicts are the harness's and ids its positions.
    let bare = dir.path().join("bare");
    let found = plain(Source::LmmsEval, &files, &bare).unwrap();
    assert!(!found.judged && found.items == 4);
    let items = read_items(&bare).unwrap();
    assert_eq!(
        (items[3].id.as_str(), items[3].correct, items[3].split.as_str()),
        ("3", true, "check/maze/themed")
    );
    let lines = fs::read(bare.join("scores.jsonl")).unwrap();
    // With how was decoded they are a run for tables, too, of what verdicts alone can say.
    import(&Import { temperature: Some(0.0), ..request(Source::LmmsEval, &files, &bare) }).unwrap();
    assert_eq!(fs::read(bare.join("scores.jsonl")).unwrap(), lines);
    let found = read_summary(&bare).unwrap().splits.remove(0);
    let accuracy = found.accuracy.unwrap();
    assert!(found.n == 4 && (accuracy.value - 0.5).abs() < 1e-12 && accuracy.ci_low > 0.1, "{accuracy:?}");
    assert_eq!((found.first_accuracy, found.delta_ref, found.fixed), (None, None, None));
    assert_eq!(read_info(&bare).unwrap().splits[0].task, None);
    let runs = vrrl_reports::load(&[bare]).unwrap();
    let about = vrrl_reports::PageInfo::default();
    let written = vrrl_reports::write(&runs, &[], &about, &dir.path().join("report")).unwrap();
    let csv = fs::read_to_string(written.leaderboard).unwrap();
    assert!(csv.contains(",check/maze/themed,") && csv.contains(",accuracy,0.5,"), "{csv}");
}

#[test]
fn verdicts_of_first_and_last_answers_make_a_gain() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("items.jsonl");
    let line = |id: u8, first: u8, last: u8| {
        format!("{{\"id\":\"{id}\",\"split\":\"s\",\"correct\":{last},\"correct_first\":{first}}}\n")
    };
    fs::write(&file, [line(1, 0, 1), line(2, 1, 1), line(3, 0, 0), line(4, 0, 1)].concat()).unwrap();
    let files = [file];
    let out = dir.path().join("run");
    let found = import(&Import { temperature: Some(1.0), ..request(Source::Jsonl, &files, &out) }).unwrap();
    assert!(!found.judged && found.items == 4);
    let split = read_summary(&out).unwrap().splits.remove(0);
    assert_eq!(
        (split.fixed, split.broken, split.kept_right, split.kept_wrong),
        (Some(2), Some(0), Some(1), Some(1))
    );
    assert!((split.delta_ref.unwrap().value - 0.5).abs() < 1e-12);
    assert!(read_items(&out).unwrap().iter().all(|item| item.correct_first.is_some()));
}

#[test]
fn logs_of_inspect_have_epochs_and_several_scorers() {
    let dir = tempdir().unwrap();
    let files = [fixture("vrrl-maze-themed.eval")];
    let found = plain(Source::Inspect, &files, dir.path()).unwrap();
    assert!(found.judged && found.metric.is_none(), "includes and match: nobody said which");
    assert_eq!((found.items, found.model.as_str()), (6, "mockllm/model"));
    let scores = read_scores(dir.path()).unwrap();
    assert_eq!(scores.iter().filter(|row| row.correct).count(), 2, "maze-000000, twice");
    assert_eq!(scores.iter().map(|row| row.repeat).max(), Some(1));
    assert_eq!(read_info(dir.path()).unwrap().splits[0].n, 3);
    // `includes` also takes an answer without its tags.
    let found =
        import(&Import { metric: Some("includes".into()), ..request(Source::Inspect, &files, dir.path()) })
            .unwrap();
    let agreement = found.agreement.unwrap();
    assert_eq!((agreement.both, agreement.only_theirs), (2, 2), "{agreement:?}");
    let asked = Import { metric: Some("acc".into()), ..request(Source::Inspect, &files, dir.path()) };
    refused(import(&asked), &["\"acc\"", "includes, match"]);
}

#[test]
fn tables_of_vlmevalkit_have_hits_and_failures_are_missing() {
    for name in ["model_MCQ_result.xlsx", "model_MCQ_result.tsv"] {
        let dir = tempdir().unwrap();
        let found = plain(Source::Vlmevalkit, &[fixture(name)], dir.path()).unwrap();
        assert_eq!((found.items, found.missing, found.judged), (3, 1, false), "{name}");
        assert_eq!(found.metric.as_deref(), Some("hit"));
        assert!(found.missing_first[0].contains("4"), "{found:?}");
        let items = read_items(dir.path()).unwrap();
        let bits: Vec<(&str, bool)> = items.iter().map(|item| (item.id.as_str(), item.correct)).collect();
        assert_eq!(bits, [("0", true), ("1", false), ("3", true)], "{name}");
        assert!(compare(&items, &items, false, Seed(0)).is_ok());
    }
}

#[test]
fn plain_lines_are_items_or_turns_to_judge() {
    let dir = tempdir().unwrap();
    let truth = json!({"layout": ["SF", "HG"], "start_pos": 0, "target_pos": 3, "level": 2});
    let row =
        |id: u32, reply: Value| json!({"id": id, "task": "maze", "truth": truth, "reply": reply}).to_string();
    let text =
        [row(1, json!("<FINAL>right down</FINAL>")), row(2, json!("no")), row(3, Value::Null)].join("\n");
    let files = [written(dir.path(), "a.jsonl", &text)];
    let out = dir.path().join("run");
    refused(plain(Source::Jsonl, &files, &out), &["a.jsonl", "--temperature"]);
    let warm = Import { temperature: Some(0.7), ..request(Source::Jsonl, &files, &out) };
    let found = import(&warm).unwrap();
    assert_eq!((found.items, found.missing), (2, 1), "a reply that is not there is no wrong one");
    let split = &read_summary(&out).unwrap().splits[0];
    assert_eq!((split.n, split.faults, read_info(&out).unwrap().decoding.as_str()), (2, 1, "t0.7"));
    // The same folder again, with verdicts of others: nothing of the first import stays.
    let files = [written(dir.path(), "b.jsonl", "{\"id\": \"x\", \"ok\": true, \"correct_first\": 0}\n")];
    assert!(!plain(Source::Jsonl, &files, &out).unwrap().judged);
    assert!(read_info(&out).is_err());
    assert_eq!(read_items(&out).unwrap()[0].correct_first, Some(false));
}

#[test]
fn what_cannot_be_meant_is_refused_by_place() {
    let dir = tempdir().unwrap();
    let out = dir.path().join("run");
    let lines = |text: &str| [written(dir.path(), "x.jsonl", text)];
    let of = |from: Source, text: &str| plain(from, &lines(text), &out);
    let jsonl = |text: &str| of(Source::Jsonl, text);
    refused(
        jsonl("{\"id\": \"a\", \"correct\": 1}\n{\"id\": \"a\", \"correct\": 1}"),
        &["line 2", "twice", "line 1"],
    );
    refused(jsonl("{\"id\": \"a\", \"correct\": 0.5}"), &["line 1", "neither right", "--metric"]);
    refused(jsonl("{\"id\": \"a\", \"f1\": 1, \"bleu\": 1}"), &["--metric", "bleu, f1"]);
    refused(jsonl("{\"id\": \"a\", \"correct\": 1}\n{\"id\": \"b\", \"corr"), &["line 2", "cut off"]);
    refused(jsonl("{\"correct\": 1}"), &["line 1", "no id"]);
    refused(jsonl("{\"id\": \"a\", \"correct\": NaN}"), &["no row has a value of correct"]);
    refused(jsonl("\n"), &["holds no rows"]);
    refused(
        jsonl("{\"id\": \"a\", \"task\": \"maze\", \"truth\": {}, \"reply\": \"x\"}"),
        &["line 1", "truth"],
    );
    refused(of(Source::LmEval, "{\"id\": 1}"), &["line 1", "doc_id", "lm-eval"]);
    let filters =
        "{\"doc_id\": 0, \"filter\": \"a\", \"acc\": 1}\n{\"doc_id\": 0, \"filter\": \"b\", \"acc\": 0}";
    refused(of(Source::LmEval, filters), &["a, b", "--filter"]);
    refused(of(Source::Inspect, "PK"), &["x.jsonl", "cut off"]);
    refused(of(Source::Vlmevalkit, "a"), &["xlsx, tsv, csv or json"]);
    let table = [written(dir.path(), "x.tsv", "index\thit\n0\t1\n1\n")];
    refused(plain(Source::Vlmevalkit, &table, &out), &["x.tsv, line 3", "cut off"]);
    let gone = [dir.path().join("gone.jsonl")];
    assert!(matches!(plain(Source::Jsonl, &gone, &out), Err(Error::Io { .. })));
    assert!(!out.exists(), "nothing is written");
    // NaN beside scores is missing: neither 0 nor an item.
    let found = jsonl("{\"id\": \"a\", \"correct\": NaN}\n{\"id\": \"b\", \"correct\": 1}").unwrap();
    assert_eq!((found.items, found.missing), (1, 1));
    assert!(found.missing_first[0].ends_with("line 1"));
}

/// A run of ours on 20 mazes, by a policy that is wrong now and then.
fn run_of_ours(out: &Path, oracle: bool) {
    let mut split = split("maze_themed.yaml");
    split.examples.truncate(20);
    let mut policy = if oracle {
        Reference::oracle(Dialect::ReflectionTag)
    } else {
        Reference::noisy_oracle(0.6, Dialect::ReflectionTag).unwrap()
    };
    let config = EvalConfig {
        dialect: Dialect::ReflectionTag,
        repeats: if oracle { 1 } else { 2 },
        ..EvalConfig::default()
    };
    let stop = AtomicBool::new(false);
    evaluate(&mut policy, &[split], &config, out, Hooks { stop: &stop, progress: &mut |_| {} }).unwrap();
}

#[test]
fn our_runs_come_back_from_lm_evals_files() {
    for oracle in [true, false] {
        let dir = tempdir().unwrap();
        let (ours, back) = (dir.path().join("ours"), dir.path().join("back"));
        run_of_ours(&ours, oracle);
        let files = write_lm_eval(&ours, &dir.path().join("out"), &vrrl_generators::pose_truth).unwrap();
        let results: Value = serde_json::from_str(&fs::read_to_string(&files[0]).unwrap()).unwrap();
        let found = plain(Source::LmEval, &files[1..], &back).unwrap();
        let rows = read_scores(&ours).unwrap();
        assert_eq!((found.items, found.missing), (rows.len(), 0));
        let n = found.agreement.map(|a| (a.only_ours, a.only_theirs));
        assert_eq!(n, Some((0, 0)), "our own accuracy, strict");
        let report =
            compare(&read_items(&ours).unwrap(), &read_items(&back).unwrap(), false, Seed(0)).unwrap();
        let all = report.splits.last().unwrap();
        assert_eq!((all.n, all.only_a, all.only_b), (20, 0, 0));
        // Not the verdicts alone: every number that follows from the turns.
        let key = |dir: &Path| -> BTreeMap<_, _> {
            let rows = read_scores(dir).unwrap().into_iter();
            rows.map(|row| ((row.split.clone(), row.id.clone(), row.repeat), (row.end, row.score.score)))
                .collect()
        };
        assert_eq!(key(&ours), key(&back));
        let (a, b) = (read_summary(&ours).unwrap(), read_summary(&back).unwrap());
        assert_eq!(
            (&a.splits[0].accuracy, &a.splits[0].delta_ref),
            (&b.splits[0].accuracy, &b.splits[0].delta_ref)
        );
        let accuracy = a.splits[0].accuracy.as_ref().unwrap().value;
        let task = &results["results"]["vrrl_check_maze_themed"];
        assert!((task["accuracy,strict"].as_f64().unwrap() - accuracy).abs() < 1e-12);
        assert_eq!(task["sample_len"], json!(rows.len()));
    }
}

#[test]
fn a_run_that_was_not_imported_is_left_alone() {
    let dir = tempdir().unwrap();
    run_of_ours(dir.path(), true);
    refused(plain(Source::LmEval, &[fixture(SAMPLES)], dir.path()), &["use another --out"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A file that was cut gives an error that names it, or the whole rows before the cut; never a wrong item.
    #[test]
    fn cut_files_never_give_other_verdicts(which in 0..5usize, share in 0.0..1.0f64) {
        let dir = tempdir().unwrap();
        let (from, name) = [
            (Source::LmEval, SAMPLES),
            (Source::LmmsEval, LMMS),
            (Source::Inspect, "vrrl-maze-themed.eval"),
            (Source::Vlmevalkit, "model_MCQ_result.xlsx"),
            (Source::Jsonl, SAMPLES),
        ][which];
        let bytes = fs::read(fixture(name)).unwrap();
        let path = dir.path().join(name);
        fs::write(&path, &bytes[..(bytes.len() as f64 * share) as usize]).unwrap();
        let (cut, whole) = (dir.path().join("cut"), dir.path().join("whole"));
        match plain(from, &[path], &cut) {
            Ok(found) => {
                prop_assert!(found.items <= 4);
                plain(from, &[fixture(name)], &whole).unwrap();
                let key = |dir: &Path| -> BTreeMap<_, _> {
                    let items = read_items(dir).unwrap().into_iter();
                    items.map(|item| ((item.id, item.repeat), item.correct)).collect()
                };
                let whole = key(&whole);
                for (item, correct) in key(&cut) {
                    prop_assert_eq!(whole.get(&item), Some(&correct));
                }
            }
            Err(error) => {
                let text = error.to_string();
                prop_assert!(text.contains(name) || text.contains("--temperature"), "{}", text);
            }
        }
    }
}
