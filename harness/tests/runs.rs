//! Runs from end to end: numbers, resuming, refusing, replaying, faults.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "helpers of tests; shares of small counts are exact"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use common::{config, contents, pose, run, split, splits};
use tempfile::tempdir;
use vrrl_harness::policies::{Reference, Replay};
use vrrl_harness::*;
use vrrl_harness_core::{Dialect, End, Fault, Policy, PolicyInfo, Reply, Request, Role, TaskKind};

fn noisy() -> Reference {
    Reference::noisy_oracle(0.6, Dialect::BareCommit).unwrap()
}

/// Says what a function of (id, turn) says.
struct Script<F>(F);

impl<F: FnMut(&str, usize) -> Result<String, Fault>> Policy for Script<F> {
    fn info(&self) -> PolicyInfo {
        PolicyInfo {
            name: "script".into(),
            backend: "test".into(),
            engine: "1".into(),
            fingerprint: "f".into(),
        }
    }
    fn slots(&self) -> usize {
        3
    }
    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
        let mut reply = |r: &Request<'_>| {
            let text = (self.0)(&r.example.id, r.history.len())?;
            Ok(Reply { text, prompt_tokens: 10, completion_tokens: 2, ..Reply::default() })
        };
        requests.iter().map(&mut reply).collect()
    }
}

fn down() -> Fault {
    Fault { kind: "connect".into(), detail: "refused".into() }
}

#[test]
fn references_score_as_they_should() {
    for dialect in Dialect::of(TaskKind::Maze) {
        let config = EvalConfig { dialect, ..config() };
        let score = |mut policy: Reference| {
            let dir = tempdir().unwrap();
            run(&mut policy, &splits(), &config, dir.path()).unwrap().splits.remove(0)
        };
        let value = |e: Option<vrrl_harness_stats::Estimate>| e.unwrap().value;
        let oracle = score(Reference::oracle(dialect));
        assert_eq!((value(oracle.accuracy), value(oracle.accuracy_well_formed)), (1.0, 1.0));
        assert_eq!(
            (value(oracle.turns_mean), oracle.commit_rate, oracle.repeat_rate),
            (2.0, Some(1.0), None)
        );
        assert_eq!((oracle.kept_right, oracle.n), (Some(24), 24));
        let delta = oracle.delta_ref.unwrap();
        assert!(delta.value == 0.0 && delta.ci_low < 0.0 && delta.ci_high > 0.0, "never of zero width");

        let noisy = score(Reference::noisy_oracle(0.6, dialect).unwrap());
        assert!(value(noisy.first_accuracy) < 0.8 && value(noisy.accuracy) > 0.7, "{noisy:?}");
        let [fixed, broken, right, wrong] =
            [noisy.fixed, noisy.broken, noisy.kept_right, noisy.kept_wrong].map(Option::unwrap);
        assert_eq!(value(noisy.delta_ref), fixed as f64 / 24.0);
        assert_eq!(broken, 0, "it commits what is right");
        assert_eq!(fixed + right + wrong, 24);

        assert!(value(score(Reference::random(dialect)).accuracy) < 0.5);
        let repeat = score(Reference::repeat(dialect));
        assert_eq!((value(repeat.turns_mean), value(repeat.delta_ref)), (2.0, 0.0));
        assert_eq!(repeat.accuracy_by_turn.len(), 6);
    }
}

#[test]
fn curves_follow_from_the_rows() {
    let dir = tempdir().unwrap();
    let summary = run(&mut noisy(), &splits(), &config(), dir.path()).unwrap();
    let rows = read_scores(dir.path()).unwrap();
    let split = &summary.splits[1];
    let of = rows.iter().filter(|row| row.split == split.split);
    assert_eq!(of.clone().count(), split.n);
    assert_eq!(split.accuracy_by_turn[0], split.first_accuracy.unwrap().value);
    assert_eq!(*split.accuracy_by_turn.last().unwrap(), split.accuracy.unwrap().value);
    assert_eq!(split.reached_turn[0], 1.0);
    let mean_turns: f64 = split.reached_turn.iter().sum();
    assert!((mean_turns - split.turns_mean.unwrap().value).abs() < 1e-9);
    assert!(split.reached_turn.windows(2).all(|w| w[0] >= w[1]));
    assert_eq!(read_summary(dir.path()).unwrap(), summary);
    let text = fs::read_to_string(dir.path().join("summary.json")).unwrap();
    assert!(
        text.contains("\"ci_low\"") && !text.contains("null") && !text.contains("mean_distance"),
        "{text}"
    );
}

#[test]
fn a_run_directory_holds_what_it_promises() {
    let dir = tempdir().unwrap();
    run(&mut noisy(), &splits(), &config(), dir.path()).unwrap();
    let info = read_info(dir.path()).unwrap();
    assert_eq!((info.decoding.as_str(), info.splits.len(), info.splits[1].n), ("t1", 2, 16));
    assert_eq!(info.policy.backend, "reference");
    let traces = read_traces(dir.path()).unwrap();
    let ids: Vec<(&str, &str)> = traces.iter().map(|t| (t.split.as_str(), t.id.as_str())).collect();
    let wanted = splits();
    let wanted: Vec<(&str, &str)> =
        wanted.iter().flat_map(|s| s.examples.iter().map(|e| (s.name.as_str(), e.id.as_str()))).collect();
    assert_eq!(ids, wanted, "split order");
    for trace in traces.iter().filter(|t| t.id.as_str() <= "toy-002") {
        for turn in &trace.turns {
            let sha = turn.image_sha256.as_ref().unwrap();
            let png = fs::read(dir.path().join(format!("images/{sha}.png"))).unwrap();
            assert_eq!(&vrrl_harness_core::sha256_hex(&png), sha);
        }
    }
    assert_eq!(fs::read_to_string(dir.path().join("timing.jsonl")).unwrap().lines().count(), 40);
}

#[test]
fn equal_runs_leave_equal_bytes_and_a_second_call_changes_nothing() {
    let (a, b) = (tempdir().unwrap(), tempdir().unwrap());
    run(&mut noisy(), &splits(), &config(), a.path()).unwrap();
    run(&mut noisy(), &splits(), &config(), b.path()).unwrap();
    assert_eq!(contents(a.path()), contents(b.path()));
    let asked = &mut |_: &str, _: usize| -> Result<String, Fault> { panic!("a finished run asks nothing") };
    struct Silent<'f>(Reference, &'f mut dyn FnMut(&str, usize) -> Result<String, Fault>);
    impl Policy for Silent<'_> {
        fn info(&self) -> PolicyInfo {
            self.0.info()
        }
        fn slots(&self) -> usize {
            1
        }
        fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
            requests
                .iter()
                .map(|r| Ok(Reply { text: (self.1)(&r.example.id, 0)?, ..Reply::default() }))
                .collect()
        }
    }
    run(&mut Silent(noisy(), asked), &splits(), &config(), b.path()).unwrap();
    assert_eq!(contents(a.path()), contents(b.path()));
}

#[test]
fn a_torn_run_ends_like_an_uninterrupted_one() {
    let whole = tempdir().unwrap();
    run(&mut noisy(), &splits(), &config(), whole.path()).unwrap();
    let wanted = contents(whole.path());
    let traces = &wanted["traces.jsonl"];
    let line_ends: Vec<usize> =
        traces.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i).collect();
    let mut cuts: Vec<usize> = (0..12).map(|i| traces.len() * i / 12).collect();
    cuts.extend([line_ends[0], line_ends[0] + 1, line_ends[7], line_ends[7] + 2, traces.len() - 1]);
    for cut in cuts {
        let dir = tempdir().unwrap();
        fs::copy(whole.path().join("run.json"), dir.path().join("run.json")).unwrap();
        fs::write(dir.path().join("traces.jsonl"), &traces[..cut]).unwrap();
        fs::write(dir.path().join("timing.jsonl"), b"{\"torn").unwrap();
        run(&mut noisy(), &splits(), &config(), dir.path()).unwrap();
        let mut got = contents(dir.path());
        // Images of episodes that were done before are not drawn again; they were never lost by a real kill.
        let mut wanted = wanted.clone();
        got.retain(|name, _| !name.starts_with("images/"));
        wanted.retain(|name, _| !name.starts_with("images/"));
        assert_eq!(got, wanted, "cut at byte {cut}");
    }
}

#[test]
fn an_interrupted_run_goes_on() {
    let whole = tempdir().unwrap();
    run(&mut noisy(), &splits(), &config(), whole.path()).unwrap();
    let dir = tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let mut interruptions = 0;
    loop {
        let mut here = 0;
        let mut progress = |_: &Progress| {
            here += 1;
            stop.store(here == 7, Ordering::SeqCst);
        };
        match evaluate(
            &mut noisy(),
            &splits(),
            &config(),
            dir.path(),
            Hooks { stop: &stop, progress: &mut progress },
        ) {
            Ok(_) => break,
            Err(Error::Interrupted { done, total }) => {
                interruptions += 1;
                assert_eq!((done, total), (7 * interruptions, 40));
                stop.store(false, Ordering::SeqCst);
            }
            Err(e) => panic!("{e}"),
        }
    }
    assert_eq!(interruptions, 5);
    assert_eq!(contents(dir.path()), contents(whole.path()));
    stop.store(true, Ordering::SeqCst);
    let fresh = tempdir().unwrap();
    let hooks = Hooks { stop: &stop, progress: &mut |_| panic!("nothing is asked") };
    let error = evaluate(&mut noisy(), &splits(), &config(), fresh.path(), hooks).unwrap_err();
    assert!(matches!(error, Error::Interrupted { done: 0, total: 40 }), "{error}");
}

#[test]
fn progress_counts_everything_once() {
    let dir = tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let mut seen: Vec<Progress> = Vec::new();
    let mut progress = |p: &Progress| seen.push(p.clone());
    let hooks = Hooks { stop: &stop, progress: &mut progress };
    let summary = evaluate(&mut noisy(), &splits(), &config(), dir.path(), hooks).unwrap();
    assert_eq!(seen.iter().map(|p| p.done).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
    let last = seen.last().unwrap();
    assert_eq!((last.split_done, last.split_total, last.total), (16, 16, 40));
    assert_eq!(last.accuracy(), Some(summary.splits[1].accuracy.unwrap().value));
}

#[test]
fn another_run_is_not_resumed() {
    let dir = tempdir().unwrap();
    run(&mut noisy(), &splits(), &config(), dir.path()).unwrap();
    let before = contents(dir.path());
    let mut other_hash = splits();
    other_hash[1].hash = "other".into();
    let other_policy = || Reference::noisy_oracle(0.5, Dialect::BareCommit).unwrap();
    let refusals: [(&str, Reference, Vec<EvalSplit>, EvalConfig); 6] = [
        ("config.seed", noisy(), splits(), EvalConfig { seed: 6, ..config() }),
        ("config.max_turns", noisy(), splits(), EvalConfig { max_turns: 8, ..config() }),
        ("config.limit", noisy(), splits(), EvalConfig { limit: Some(3), ..config() }),
        ("policy.fingerprint", other_policy(), splits(), config()),
        ("splits[toy/ood].hash", noisy(), other_hash, config()),
        ("splits", noisy(), splits()[..1].to_vec(), config()),
    ];
    for (key, mut policy, splits, config) in refusals {
        match run(&mut policy, &splits, &config, dir.path()).unwrap_err() {
            Error::Changed { key: named, .. } => assert_eq!(named, key),
            e => panic!("{key}: {e}"),
        }
    }
    assert_eq!(contents(dir.path()), before, "nothing was overwritten");
    run(&mut noisy(), &splits(), &EvalConfig { max_fault_rate: 0.5, ..config() }, dir.path()).unwrap();
}

#[test]
fn a_replay_reproduces_the_scores() {
    let config = EvalConfig { repeats: 2, ..config() };
    let dir = tempdir().unwrap();
    run(&mut noisy(), &splits(), &config, dir.path()).unwrap();
    let again = tempdir().unwrap();
    let mut replay = Replay::open(&dir.path().join("traces.jsonl")).unwrap();
    run(&mut replay, &splits(), &config, again.path()).unwrap();
    for file in ["scores.jsonl", "summary.json", "traces.jsonl"] {
        assert_eq!(contents(dir.path())[file], contents(again.path())[file], "{file}");
    }
    // Also from the middle, where repeats must not slip.
    let torn = tempdir().unwrap();
    fs::copy(again.path().join("run.json"), torn.path().join("run.json")).unwrap();
    let traces = contents(again.path())["traces.jsonl"].clone();
    fs::write(torn.path().join("traces.jsonl"), &traces[..traces.len() / 3]).unwrap();
    run(&mut replay, &splits(), &config, torn.path()).unwrap();
    assert_eq!(contents(torn.path())["traces.jsonl"], traces);
}

#[test]
fn a_short_replay_ends_as_such_and_a_missing_one_is_a_fault() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("replies.jsonl");
    let one = [split("toy/one", 3, Role::IdTest)];
    fs::write(&path, "{\"id\":\"toy-000\",\"turns\":[\"<ANSWER>up</ANSWER>\"]}\n\n{\"id\":\"toy-001\",\"turns\":[{\"text\":\"hm\"}]}\n").unwrap();
    let config = EvalConfig { max_fault_rate: 0.5, ..config() };
    let out = dir.path().join("run");
    let summary = run(&mut Replay::open(&path).unwrap(), &one, &config, &out).unwrap();
    assert_eq!((summary.splits[0].n, summary.splits[0].faults), (2, 1));
    assert!((summary.splits[0].transport_fault_rate.unwrap() - 1.0 / 3.0).abs() < 1e-12);
    let traces = read_traces(&out).unwrap();
    assert_eq!(
        traces.iter().map(|t| t.end).collect::<Vec<_>>(),
        [End::ScriptEnd, End::Malformed, End::Fault]
    );
    assert_eq!(traces[2].fault.as_ref().unwrap().kind, "missing_replay");

    fs::write(&path, "{\"id\":\"a\",\"turns\":[]}\n{\"id\":1}\n").unwrap();
    let error = Replay::open(&path).unwrap_err().to_string();
    assert!(error.contains("replies.jsonl") && error.contains("line 2"), "{error}");
    fs::write(&path, "{\"id\":\"a\",\"repeat\":0,\"turns\":[]}\n{\"id\":\"a\",\"repeat\":0,\"turns\":[]}\n")
        .unwrap();
    assert!(Replay::open(&path).unwrap_err().to_string().contains("twice"));
}

#[test]
fn malformed_replies_are_scored_and_faults_are_not() {
    let one = [split("toy/one", 10, Role::IdTest)];
    let dir = tempdir().unwrap();
    let mut policy = Script(|id: &str, turn: usize| match (id, turn) {
        ("toy-003", 1) => Err(down()),
        ("toy-004" | "toy-005", 1) => Ok("what?".to_owned()),
        ("toy-006", 0) => Ok(" ".to_owned()),
        (_, 0) => Ok("<ANSWER>up up up up up</ANSWER>".to_owned()),
        _ => Ok("<FINAL/>".to_owned()),
    });
    let config = EvalConfig { max_fault_rate: 0.1, ..config() };
    let summary = run(&mut policy, &one, &config, dir.path()).unwrap();
    let split = &summary.splits[0];
    assert_eq!((split.n, split.faults), (9, 1));
    assert!((split.format_fault_rate.unwrap() - 3.0 / 9.0).abs() < 1e-12);
    assert!((split.commit_rate.unwrap() - 6.0 / 9.0).abs() < 1e-12);
    assert_eq!(split.accuracy.unwrap().value, 0.0);
    assert!((split.prompt_tokens_per_episode.unwrap() - (8.0 * 20.0 + 10.0) / 9.0).abs() < 1e-9);
    let rows = read_scores(dir.path()).unwrap();
    assert!(rows.iter().all(|row| row.id != "toy-003"));
    assert_eq!(
        rows.iter().find(|row| row.id == "toy-006").unwrap().score.score.turns,
        0,
        "a blank turn does not count"
    );
    assert_eq!(rows.iter().find(|row| row.id == "toy-004").unwrap().score.score.proposals, 1);
}

#[test]
fn too_many_faults_fail_after_writing_and_are_asked_again() {
    let one = [split("toy/one", 10, Role::IdTest)];
    let dir = tempdir().unwrap();
    let mut broken = Script(|id: &str, turn: usize| match (id, turn) {
        ("toy-003" | "toy-007", _) => Err(down()),
        (_, 0) => Ok("<ANSWER>up</ANSWER>".to_owned()),
        _ => Ok("<FINAL/>".to_owned()),
    });
    let error = run(&mut broken, &one, &config(), dir.path()).unwrap_err();
    assert!(matches!(error, Error::TooManyFaults { faults: 2, episodes: 10, .. }), "{error}");
    assert!(error.to_string().contains("toy-003") && error.to_string().contains("connect"), "{error}");
    assert_eq!(read_summary(dir.path()).unwrap().splits[0].n, 8);
    let mut asked = 0;
    let mut mended = Script(|_: &str, turn: usize| {
        asked += usize::from(turn == 0);
        Ok(if turn == 0 { "<ANSWER>up</ANSWER>" } else { "<FINAL/>" }.to_owned())
    });
    assert_eq!(run(&mut mended, &one, &config(), dir.path()).unwrap().splits[0].n, 10);
    assert_eq!(asked, 2, "only the episodes with faults");

    let all = tempdir().unwrap();
    let mut dead = Script(|_: &str, _: usize| Err(down()));
    let config = EvalConfig { max_fault_rate: 1.0, ..config() };
    let error = run(&mut dead, &one, &config, all.path()).unwrap_err();
    assert!(matches!(error, Error::NothingRan(_)), "{error}");
    assert!(read_summary(all.path()).unwrap().splits[0].accuracy.is_none(), "no data say nothing");
}

#[test]
fn rescoring_gives_the_same_numbers() {
    let dir = tempdir().unwrap();
    let summary = run(&mut noisy(), &splits(), &config(), dir.path()).unwrap();
    let before = contents(dir.path());
    let (rows, again) = recompute(dir.path(), &pose).unwrap();
    assert_eq!((&again, &rows), (&summary, &read_scores(dir.path()).unwrap()));
    fs::remove_file(dir.path().join("scores.jsonl")).unwrap();
    fs::write(dir.path().join("summary.json"), "{").unwrap();
    assert_eq!(rescore(dir.path(), &pose).unwrap(), summary);
    assert_eq!(contents(dir.path()), before);
}

#[test]
fn damaged_directories_are_refused_by_file_and_line() {
    let dir = tempdir().unwrap();
    run(&mut noisy(), &splits(), &config(), dir.path()).unwrap();
    let refuse = |file: &str, change: &dyn Fn(String) -> String, words: &[&str]| {
        let path = dir.path().join(file);
        let before = fs::read_to_string(&path).unwrap();
        fs::write(&path, change(before.clone())).unwrap();
        let error = run(&mut noisy(), &splits(), &config(), dir.path()).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{file}: {error}");
        }
        fs::write(&path, before).unwrap();
    };
    refuse(
        "run.json",
        &|text| text.replacen("\"format\": 1", "\"format\": 2", 1),
        &["run.json", "format", "newer"],
    );
    refuse("run.json", &|text| text[..text.len() / 2].to_owned(), &["run.json", "line"]);
    refuse("traces.jsonl", &|text| text.replacen("{\"id\"", "{\"ix\"", 1), &["traces.jsonl", "line 1"]);
    refuse("traces.jsonl", &|text| text.replacen("toy-000", "toy-900", 1), &["traces.jsonl", "toy-900"]);
    refuse(
        "traces.jsonl",
        &|text| format!("{}\n{text}", text.lines().next().unwrap()),
        &["traces.jsonl", "twice"],
    );
    fs::remove_file(dir.path().join("run.json")).unwrap();
    let error = run(&mut noisy(), &splits(), &config(), dir.path()).unwrap_err().to_string();
    assert!(error.contains("run.json") && error.contains("missing"), "{error}");
}

#[test]
fn bad_requests_are_refused_before_anything_is_written() {
    let dir = tempdir().unwrap();
    let out = dir.path().join("run");
    let refuse = |splits: &[EvalSplit], config: EvalConfig, word: &str| {
        let error = run(&mut noisy(), splits, &config, &out).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
        assert!(!out.exists());
    };
    refuse(&splits(), EvalConfig { max_turns: 0, ..config() }, "max_turns");
    refuse(&splits(), EvalConfig { repeats: 0, ..config() }, "repeats");
    refuse(&splits(), EvalConfig { temperature: f64::NAN, ..config() }, "temperature");
    refuse(&splits(), EvalConfig { max_fault_rate: 2.0, ..config() }, "max_fault_rate");
    refuse(&splits(), EvalConfig { samples: vec!["toy-999".into()], ..config() }, "toy-999");
    refuse(&[], config(), "nothing ran");
    refuse(&[splits().remove(0), splits().remove(0)], config(), "twice");
    for p in ["noisy-oracle:1.5", "noisy-oracle:x", "noisy-oracle:NaN"] {
        assert!(Reference::from_model(p, Dialect::BareCommit)
            .unwrap_err()
            .to_string()
            .contains("noisy-oracle"));
    }
    assert_eq!(Reference::from_model("candle:x", Dialect::BareCommit).unwrap(), None);
}

#[test]
fn an_unwritable_place_is_named() {
    let dir = tempdir().unwrap();
    let blocked = dir.path().join("file");
    fs::write(&blocked, "in the way").unwrap();
    let error = run(&mut noisy(), &splits(), &config(), &blocked).unwrap_err();
    assert!(matches!(error, Error::Io { .. }) && error.to_string().contains("file"), "{error}");
    // A device that is always full, in place of the log.
    if Path::new("/dev/full").exists() {
        let out = dir.path().join("run");
        fs::create_dir(&out).unwrap();
        std::os::unix::fs::symlink("/dev/full", out.join("timing.jsonl")).unwrap();
        let error = run(&mut noisy(), &splits(), &config(), &out).unwrap_err();
        assert!(error.to_string().contains("timing.jsonl"), "{error}");
        assert_eq!(fs::read_to_string(out.join("traces.jsonl")).unwrap().lines().count(), 1, "readable");
    }
}

#[test]
fn samples_and_limits_choose_examples() {
    let dir = tempdir().unwrap();
    let samples = EvalConfig { samples: vec!["toy-003".into(), "toy-001".into()], ..config() };
    let summary = run(&mut noisy(), &splits(), &samples, dir.path()).unwrap();
    assert_eq!(summary.splits[0].n, 2);
    let chosen = read_traces(dir.path()).unwrap();
    let dir = tempdir().unwrap();
    run(&mut noisy(), &splits(), &config(), dir.path()).unwrap();
    let all = read_traces(dir.path()).unwrap();
    // An episode does not depend on what else is asked.
    assert!(chosen.iter().all(|trace| all.contains(trace)));
    let dir = tempdir().unwrap();
    let summary =
        run(&mut noisy(), &splits(), &EvalConfig { limit: Some(5), ..config() }, dir.path()).unwrap();
    assert_eq!((summary.splits[0].n, summary.splits[1].n), (5, 5));
}

#[test]
fn examples_asked_several_times_count_once() {
    // Right in 4, 3, 2, 1, 0 of four episodes, in turn.
    let mut asked = std::collections::BTreeMap::new();
    let splits = [split("toy/id_test", 20, Role::IdTest)];
    let oracles: std::collections::BTreeMap<String, String> = splits[0]
        .examples
        .iter()
        .map(|e| {
            let answer = e.problem.oracle(&mut e.seed.rng());
            (e.id.clone(), Dialect::BareCommit.print_proposal(&answer, None))
        })
        .collect();
    let mut policy = Script(|id: &str, turn: usize| {
        if turn > 0 {
            return Ok("<FINAL/>".into());
        }
        let number: usize = *asked.entry(id.to_owned()).and_modify(|n| *n += 1).or_insert(0);
        let position: usize = oracles.keys().position(|other| other == id).unwrap();
        Ok(if number < 4 - position % 5 { oracles[id].clone() } else { "<ANSWER>up</ANSWER>".into() })
    });
    let dir = tempdir().unwrap();
    let config = EvalConfig { repeats: 4, ..config() };
    let summary = run(&mut policy, &splits, &config, dir.path()).unwrap().splits.remove(0);
    assert_eq!((summary.n, summary.repeats), (80, Some(4)));
    let value = |e: Option<vrrl_harness_stats::Estimate>| e.unwrap().value;
    assert!((value(summary.accuracy) - 0.5).abs() < 1e-12);
    assert_eq!(value(summary.pass_at_k), 0.8, "all but the fifth");
    assert_eq!(value(summary.reliability), 0.2, "the first alone");
    assert!((value(summary.flip_rate) - 0.6).abs() < 1e-12);
    // Twenty examples, not eighty episodes: an interval over episodes would be half as wide.
    let accuracy = summary.accuracy.unwrap();
    let width = accuracy.ci_high - accuracy.ci_low;
    assert!(width > 0.25 && width < 0.4, "{accuracy:?}");
    let once = run(&mut noisy(), &splits, &common::config(), tempdir().unwrap().path()).unwrap();
    let area = once.splits[0].area_by_turn.unwrap();
    let mean = once.splits[0].accuracy_by_turn.iter().sum::<f64>() / 6.0;
    assert!((area.value - mean).abs() < 1e-9 && once.splits[0].pass_at_k.is_none());
}

/// The same policy on an engine of that name.
struct On(Reference, &'static str);

impl Policy for On {
    fn info(&self) -> PolicyInfo {
        PolicyInfo { engine: self.1.into(), ..self.0.info() }
    }
    fn slots(&self) -> usize {
        self.0.slots()
    }
    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
        self.0.respond(requests)
    }
}

#[test]
fn a_run_goes_on_only_with_the_engine_it_began_with() {
    let dir = tempdir().unwrap();
    run(&mut On(noisy(), "onnxruntime 1.31.1"), &splits(), &config(), dir.path()).unwrap();
    let other = run(&mut On(noisy(), "tract 0.23"), &splits(), &config(), dir.path()).unwrap_err();
    match other {
        Error::Changed { key, before, now, .. } => {
            assert_eq!(key, "policy.engine");
            assert!(before.contains("1.31.1") && now.contains("tract"), "{before} {now}");
        }
        other => panic!("{other}"),
    }
    run(&mut On(noisy(), "onnxruntime 1.31.1"), &splits(), &config(), dir.path()).unwrap();
}

#[test]
fn shards_merge_into_the_run_without_shards() {
    let home = tempdir().unwrap();
    let score = |name: &str, shard: Option<Shard>| {
        let out = home.path().join(name);
        let config = EvalConfig { shard, repeats: 2, save_images: 7, ..config() };
        let mut policy = Reference::noisy_oracle(0.5, Dialect::BareCommit).unwrap();
        run(&mut policy, &splits(), &config, &out).unwrap();
        out
    };
    let shard = |index| Some(Shard { index, of: 3 });
    let whole = score("whole", None);
    let parts = [score("c", shard(3)), score("a", shard(1)), score("b", shard(2))];
    let merged = home.path().join("merged");
    merge(&parts, &merged, &pose).unwrap();
    assert!(contents(&merged) == contents(&whole));
    let lines = |dir: &Path| fs::read_to_string(dir.join("timing.jsonl")).unwrap().lines().count();
    assert_eq!(lines(&merged), 80);

    let refused = |dirs: &[PathBuf], out: &str, said: &str| {
        let error = merge(dirs, &home.path().join(out), &pose).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
        assert!(out == "merged" || !home.path().join(out).exists());
    };
    refused(&parts, "merged", "holds a run already");
    refused(&parts[..2], "x", "shard 2/3 is missing");
    refused(&[parts[0].clone(), parts[0].clone()], "x", "both shard 3/3");
    refused(&[parts[1].clone(), whole], "x", "was run without --shard");
    let other = home.path().join("other");
    let config = EvalConfig { shard: shard(2), repeats: 2, save_images: 7, max_turns: 3, ..config() };
    run(&mut Reference::noisy_oracle(0.5, Dialect::BareCommit).unwrap(), &splits(), &config, &other).unwrap();
    refused(&[parts[1].clone(), other, parts[0].clone()], "x", "config.max_turns is 6 there and 3 here");
    fs::remove_file(parts[2].join("summary.json")).unwrap();
    refused(&parts, "x", "shard 2/3 is not finished");
    assert!(
        "0/2".parse::<Shard>().is_err() && "3/2".parse::<Shard>().is_err() && "x".parse::<Shard>().is_err()
    );
}
