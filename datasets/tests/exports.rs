//! Exports: written, read back, stopped and gone on with, refused.

// Helpers outside of test functions are test code, too.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use vrrl_datasets::{
    export, find, generate, Container, Error, Exportable, Exported, Format, Item, Options, Progress, Source,
    Split, SplitDef,
};
use vrrl_harness_core::{Dialect, Parsed, TaskKind, Truth};

fn split(name: &str, n: usize) -> Split {
    generate(&SplitDef { n, ..find(name).unwrap() }).unwrap()
}

fn write(
    splits: &[&dyn Exportable],
    format: Format,
    out: &Path,
    options: &Options,
) -> Result<Exported, Error> {
    export(splits, format, out, options, &|_| {})
}

/// Every file below a folder with its bytes.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn rows(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
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

/// A split that cannot be drawn beyond a position, and counts what was asked for.
struct Failing<'s> {
    split: &'s Split,
    until: usize,
    drawn: AtomicUsize,
}

impl<'s> Failing<'s> {
    fn new(split: &'s Split, until: usize) -> Self {
        Self { split, until, drawn: AtomicUsize::new(0) }
    }
}

impl Exportable for Failing<'_> {
    fn def(&self) -> &SplitDef {
        &self.split.def
    }
    fn source(&self) -> Source {
        self.split.source
    }
    fn hash(&self) -> String {
        self.split.hash()
    }
    fn count(&self) -> usize {
        self.split.examples.len()
    }
    fn range(&self, range: Range<usize>) -> Result<Vec<Item>, Error> {
        if range.end > self.until {
            return Err(Error::Name { name: "stopped".into(), known: String::new() });
        }
        self.drawn.fetch_add(range.len(), Ordering::Relaxed);
        self.split.items(range)
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
        let stopped = Failing::new(&split, 13);
        assert!(write(&[&stopped], Format::Huggingface, &out, &options).is_err());
        assert_eq!(stopped.drawn.into_inner(), 12);
        assert!(!out.join("export.json").exists(), "an unfinished export looks unfinished");
        // A shard that was damaged since is written again; the other one is not.
        let damaged = files(&out).into_keys().find(|name| name.contains("00001-of-00004")).unwrap();
        fs::write(out.join(damaged), "half").unwrap();
        let seen = std::sync::Mutex::new(Vec::new());
        let rest = Failing::new(&split, 20);
        let again = export(&[&rest], Format::Huggingface, &out, &options, &|p| seen.lock().unwrap().push(p));
        assert_eq!(again.unwrap(), done);
        assert_eq!(rest.drawn.into_inner(), 14);
        assert!(files(&out) == files(&whole), "{container:?}");
        let seen = seen.into_inner().unwrap();
        assert_eq!(seen.first(), Some(&Progress { done: 6, total: 20, resumed: 6 }));
        assert_eq!(seen.last(), Some(&Progress { done: 20, total: 20, resumed: 6 }));
        // Once it is whole nothing is drawn again.
        let idle = Failing::new(&split, 0);
        assert_eq!(write(&[&idle], Format::Huggingface, &out, &options).unwrap(), done);
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
    let refused = |splits: &[&dyn Exportable], options: &Options, expected: &str| {
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
    assert!(write(&[&Failing::new(&one, 0)], Format::Verl, &out, &options).is_err());
    refused(&[&other], &options, "unfinished export of something else");
    fs::remove_dir_all(&out).unwrap();
    fs::create_dir(&out).unwrap();
    fs::write(out.join("thesis.txt"), "precious").unwrap();
    refused(&[&one], &options, "other files");
    assert_eq!(files(&out).len(), 1);
}

#[test]
fn pictures_of_json_lines_are_where_the_rows_say() {
    let home = tempfile::tempdir().unwrap();
    let split = split("ood6", 6);
    let options = Options { container: Container::Jsonl, ..Options::default() };
    for format in Format::ALL {
        let out = home.path().join(format.word());
        write(&[&split], format, &out, &options).unwrap();
        let rows = rows(&out.join("ood6-00000-of-00001.jsonl"));
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
        rows(&out.join("train-00000-of-00001.jsonl"))
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
            rows(&out.join("train-00000-of-00001.jsonl"))
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
