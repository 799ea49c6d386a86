//! Exports: written, read back, stopped and gone on with, refused.

// Helpers outside of test functions are test code, too.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

mod common;
use common::files;
use serde_json::Value;
use vrrl_datasets::{
    export, find, generate, import_rows, Container, Error, Examples, Exported, Format, Options, Progress,
    Source, Split, SplitDef, Watch,
};
use vrrl_harness_core::{Dialect, Parsed, TaskKind, Truth};

fn split(name: &str, n: usize) -> Split {
    generate(&SplitDef { n, ..find(name).unwrap() }).unwrap()
}

fn write(splits: &[&Split], format: Format, out: &Path, options: &Options) -> Result<Exported, Error> {
    watched(splits, format, out, options, usize::MAX).0
}

/// The same with everything that was told meanwhile; stopped once `until` examples are done.
fn watched(
    splits: &[&Split],
    format: Format,
    out: &Path,
    options: &Options,
    until: usize,
) -> (Result<Exported, Error>, Vec<Progress>) {
    let splits: Vec<Examples> = splits.iter().map(|&split| split.clone().into()).collect();
    let splits: Vec<&Examples> = splits.iter().collect();
    let (stop, mut told) = (AtomicBool::new(false), Vec::new());
    let mut progress = |progress: &Progress| {
        told.push(*progress);
        stop.store(progress.done >= until, Ordering::Relaxed);
    };
    let done = export(&splits, format, out, options, Watch { progress: &mut progress, stop: &stop });
    (done, told)
}

/// The rows of an export of one shard.
fn rows(out: &Path) -> Vec<Value> {
    let text = files(out).into_iter().find(|(name, _)| name.ends_with(".jsonl")).unwrap().1;
    String::from_utf8(text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const CONTAINERS: [Container; 2] = [Container::Parquet, Container::Jsonl];

#[test]
fn threads_and_repetition_change_no_byte() {
    let home = tempfile::tempdir().unwrap();
    let (train, test) = (split("train", 9), split("id_test", 7));
    for format in Format::ALL {
        for container in CONTAINERS {
            let options = Options { container, shard: 4, ..Options::default() };
            let run = |name: &str, threads: usize| {
                let out = home.path().join(format!("{}-{container:?}-{name}", format.word()));
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let done = pool.install(|| write(&[&train, &test], format, &out, &options)).unwrap();
                (done, files(&out))
            };
            let (one, other) = (run("a", 1), run("b", 3));
            assert!(one == other, "{format:?} {container:?}");
            assert_eq!((one.0.examples, one.0.hash.len()), (16, 64));
            let data = one.1.keys().filter(|name| name.contains("-of-")).count();
            assert_eq!(data, 3 + 2, "{:?}", one.1.keys());
            assert!(one.1.keys().all(|name| !name.contains(".vrrl-export")));
        }
    }
}

#[test]
fn stopped_exports_go_on_with_the_first_missing_shard() {
    let home = tempfile::tempdir().unwrap();
    let split = split("id_test", 20);
    for container in CONTAINERS {
        let options = Options { container, shard: 6, ..Options::default() };
        let (whole, out) = (home.path().join("whole"), home.path().join("out"));
        let done = write(&[&split], Format::Huggingface, &whole, &options).unwrap();
        let run = |until| watched(&[&split], Format::Huggingface, &out, &options, until);
        let (stopped, _) = run(12);
        let Err(Error::Interrupted { done: 12, total: 20, .. }) = stopped else { panic!("{stopped:?}") };
        assert!(!out.join("export.json").exists(), "an unfinished export looks unfinished");
        // A shard that was damaged since is written again; the other one is not.
        let damaged = files(&out).into_keys().find(|name| name.contains("00001-of-00004")).unwrap();
        fs::write(out.join(damaged), "half").unwrap();
        let (again, told) = run(usize::MAX);
        assert_eq!(again.unwrap(), done);
        assert!(files(&out) == files(&whole), "{container:?}");
        assert_eq!(told.first(), Some(&Progress { done: 6, total: 20, resumed: 6 }));
        assert_eq!(told.last(), Some(&Progress { done: 20, total: 20, resumed: 6 }));
        // Once it is whole nothing is written again, but what is lost.
        let (idle, told) = run(usize::MAX);
        assert_eq!(idle.unwrap(), done);
        assert_eq!(told.last(), Some(&Progress { done: 20, total: 20, resumed: 20 }));
        if let Some(lost) = files(&out).into_keys().find(|name| name.ends_with("000013.png")) {
            fs::remove_file(out.join(lost)).unwrap();
            let (again, told) = run(usize::MAX);
            assert_eq!(again.unwrap(), done);
            assert_eq!(told.last(), Some(&Progress { done: 20, total: 20, resumed: 14 }));
            assert!(files(&out) == files(&whole));
        }
        for dir in [whole, out] {
            fs::remove_dir_all(dir).unwrap();
        }
    }
}

#[test]
fn what_cannot_be_exported_is_refused_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let (one, other) = (split("id_test", 5), split("ood7", 5));
    let options = Options::default();
    let refused = |splits: &[&Split], options: &Options, expected: &str| {
        let error = write(splits, Format::Verl, &out, options).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}: {expected}");
    };
    refused(&[], &options, "no split");
    refused(&[&one, &one], &options, "quick/maze/id_test would share its files");
    refused(&[&one], &Options { limit: Some(0), ..options.clone() }, "at least 1");
    refused(&[&one], &Options { shard: 0, ..options.clone() }, "at least 1");
    refused(&[&one], &Options { max_wrong: 9, ..options.clone() }, "max_wrong");
    assert!(!out.exists());
    write(&[&one], Format::Verl, &out, &options).unwrap();
    let before = files(&out);
    refused(&[&other], &options, "another export");
    refused(&[&one], &Options { limit: Some(2), ..options.clone() }, "another export");
    assert!(files(&out) == before);
    fs::remove_dir_all(&out).unwrap();
    assert!(watched(&[&one], Format::Verl, &out, &Options { shard: 2, ..options.clone() }, 2).0.is_err());
    refused(&[&other], &options, "unfinished export of something else");
    fs::remove_dir_all(&out).unwrap();
    fs::create_dir(&out).unwrap();
    fs::write(out.join("thesis.txt"), "precious").unwrap();
    refused(&[&one], &options, "other files");
    assert_eq!(files(&out).len(), 1);
}

#[test]
fn splits_of_several_tasks_may_share_a_name() {
    let home = tempfile::tempdir().unwrap();
    let mazes = split("id_test", 3);
    let mut others = split("id_test", 3);
    // Another task by its word alone: what matters here is where its files go.
    others.def.task = TaskKind::Chart;
    others.examples = split("ood7", 3).examples;
    for (format, container) in Format::ALL.into_iter().flat_map(|f| CONTAINERS.map(|c| (f, c))) {
        let out = home.path().join(format!("{}-{container:?}", format.word()));
        let options = Options { container, ..Options::default() };
        write(&[&mazes, &others], format, &out, &options).unwrap();
        if container == Container::Jsonl {
            let pictures = files(&out).into_keys().filter(|name| name.ends_with(".png")).count();
            let named: usize = files(&out)
                .into_iter()
                .filter(|(name, _)| name.ends_with(".jsonl"))
                .map(|(_, text)| String::from_utf8(text).unwrap().matches(".png\"").count())
                .sum();
            // Rows of single turns name the pictures of the turns before again.
            assert!(
                if format == Format::SftTurns { pictures < named } else { pictures == named },
                "{format:?}"
            );
        }
        if format == Format::Huggingface {
            let back = import_rows(&out, Some("back")).unwrap_or_else(|e| panic!("{container:?}: {e}"));
            let hashes =
                |split: &Split| split.examples.iter().map(|e| e.content_hash.clone()).collect::<Vec<_>>();
            assert_eq!(hashes(&back[0]), hashes(&mazes), "{container:?}");
            assert_eq!(hashes(&back[1]), hashes(&others), "{container:?}");
        }
    }
}

#[test]
fn imports_are_not_given_away_under_our_licences() {
    let home = tempfile::tempdir().unwrap();
    let ours = split("id_test", 3);
    let mut theirs = split("ood7", 3);
    theirs.source = Source::Imported;
    for (splits, expected) in [(vec![&ours], true), (vec![&ours, &theirs], false)] {
        let out = home.path().join(format!("{expected}"));
        write(&splits, Format::Huggingface, &out, &Options::default()).unwrap();
        for name in ["README.md", "croissant.json"] {
            let text = fs::read_to_string(out.join(name)).unwrap();
            assert_eq!(text.contains("MIT"), expected, "{name}");
        }
    }
}

#[test]
fn pictures_of_json_lines_are_where_the_rows_say() {
    let home = tempfile::tempdir().unwrap();
    let split = split("ood6", 6);
    let options = Options { container: Container::Jsonl, ..Options::default() };
    for format in Format::ALL {
        let out = home.path().join(format.word());
        write(&[&split], format, &out, &options).unwrap();
        let rows = rows(&out);
        assert!(rows.len() >= 6, "{format:?}");
        for row in rows {
            let images = match row.get("images") {
                Some(images) => images.as_array().unwrap().clone(),
                None => vec![row["image"].clone()],
            };
            assert!(!images.is_empty());
            for image in images {
                let png = fs::read(out.join(image.as_str().unwrap())).unwrap();
                assert!(png.starts_with(b"\x89PNG"));
            }
        }
    }
}

#[test]
fn trainer_rows_hold_what_decides_about_an_answer() {
    let home = tempfile::tempdir().unwrap();
    let split = split("train", 4);
    let options = Options { container: Container::Jsonl, ..Options::default() };
    let read = |format: Format| {
        let out = home.path().join(format.word());
        write(&[&split], format, &out, &options).unwrap();
        rows(&out)
    };
    let known = |text: &Value| -> Value { serde_json::from_str(text.as_str().unwrap()).unwrap() };
    let (easyr1, verl, trl) = (read(Format::Easyr1), read(Format::Verl), read(Format::Trl));
    for (index, example) in split.examples.iter().enumerate() {
        let (easyr1, verl, trl) = (&easyr1[index], &verl[index], &trl[index]);
        assert_eq!(easyr1["problem"].as_str().unwrap().matches("<image>").count(), 1);
        assert_eq!(verl["prompt"][0]["content"], easyr1["problem"]);
        assert!(!trl["prompt"][0]["content"].as_str().unwrap().contains("<image>"));
        assert_eq!(
            (&verl["data_source"], &verl["reward_model"]["style"]),
            (&"vrrl/maze".into(), &"rule".into())
        );
        assert_eq!(verl["extra_info"]["index"], index);
        assert_eq!(easyr1["answer"], verl["reward_model"]["ground_truth"]);
        let truth = known(&easyr1["answer"])["truth"].clone();
        assert_eq!(truth, known(&trl["truth"]));
        let truth: Truth = serde_json::from_value(truth).unwrap();
        assert_eq!(truth, example.problem.truth());
        let answer = format!("<ANSWER>{}</ANSWER>", trl["answer"].as_str().unwrap());
        let Parsed::Propose { answer: Some(answer), .. } = Dialect::BareCommit.parse(&answer, TaskKind::Maze)
        else {
            panic!("{answer} does not parse");
        };
        assert!(example.problem.judge(&answer).correct());
    }
}

#[test]
fn conversations_imitate_no_mistake() {
    let home = tempfile::tempdir().unwrap();
    let split = split("train", 30);
    for dialect in Dialect::of(TaskKind::Maze) {
        let options = Options { container: Container::Jsonl, dialect, multi: 60, ..Options::default() };
        let read = |format: Format| {
            let out = home.path().join(format!("{}-{}", dialect.word(), format.word()));
            write(&[&split], format, &out, &options).unwrap();
            rows(&out)
        };
        let (mut single, mut multi) = (0, 0);
        let (sft, chat, turns) = (read(Format::Sft), read(Format::SftChat), read(Format::SftTurns));
        for ((row, chat), example) in sft.iter().zip(&chat).zip(&split.examples) {
            let messages = row["messages"].as_array().unwrap();
            let marks = messages.iter().map(|m| m["content"].as_str().unwrap().matches("<image>").count());
            assert_eq!(marks.sum::<usize>(), row["images"].as_array().unwrap().len());
            let replies: Vec<&Value> = messages.iter().skip(1).step_by(2).collect();
            assert!(messages.iter().step_by(2).all(|m| m["role"] == "user" && m["train"] == false));
            let mut answers = Vec::new();
            for (turn, reply) in replies.iter().enumerate() {
                let text = reply["content"].as_str().unwrap();
                match dialect.parse(text, TaskKind::Maze) {
                    Parsed::Propose { answer: Some(answer), thinks } => {
                        let right = example.problem.judge(&answer).correct();
                        assert_eq!(reply["train"], right, "{text}");
                        assert_eq!(thinks, turn > 0 && dialect == Dialect::ReflectionTag);
                        assert!(!answers.contains(&answer), "a repeated proposal ends the episode");
                        answers.push(answer);
                    }
                    Parsed::Commit { answer, .. } => {
                        assert_eq!(turn + 1, replies.len());
                        assert!(answer.is_none() || answer.as_ref() == answers.last());
                        assert_eq!(reply["train"], true);
                    }
                    other => panic!("{text}: {other:?}"),
                }
            }
            if row["wrong"] == 0 {
                single += 1
            } else {
                multi += 1
            }
            assert_eq!(row["wrong"], answers.len() - 1);
            // The other shape says the same.
            let parts = chat["messages"].as_array().unwrap();
            for (message, parts) in messages.iter().zip(parts) {
                let list = parts["content"].as_array().unwrap();
                let text = |kind: &str| if kind == "image" { "<image>" } else { "" };
                let joined: String = list
                    .iter()
                    .map(|part| {
                        text(part["type"].as_str().unwrap()).to_owned() + part["text"].as_str().unwrap_or("")
                    })
                    .collect();
                assert_eq!(message["content"], joined);
                assert_eq!(parts["weight"] == 1, message["train"] == true);
            }
        }
        assert!(single > 5 && multi > 5, "{single} {multi}");
        let trained: usize = sft
            .iter()
            .map(|row| row["messages"].as_array().unwrap().iter().filter(|m| m["train"] == true).count())
            .sum();
        assert_eq!(turns.len(), trained);
        assert_eq!(turns.len(), 60, "a proposal and a commit each");
        for row in &turns {
            assert_eq!(row["completion"].as_array().unwrap().len(), 1);
            assert_eq!(row["completion"][0]["role"], "assistant");
            assert_eq!(row["prompt"].as_array().unwrap().last().unwrap()["role"], "user");
        }
    }
}
