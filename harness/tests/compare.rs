//! Paired comparisons of two runs.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "helpers of tests; shares of small counts are exact"
)]

mod common;

use common::{config, run, splits};
use std::path::Path;
use tempfile::tempdir;
use vrrl_harness::policies::Reference;

use vrrl_harness::{
    compare, compare_seeds, corruption_errors, corruption_text, paired, paired_by_split, read_items,
    read_scores, seeds_table, sentence, table, Error, Intersection, Item, ScoreRow, Severity, SplitInfo,
};
use vrrl_harness_core::{Dialect, Role, Seed, TaskKind};

fn rows(mut policy: Reference) -> Vec<ScoreRow> {
    let dir = tempdir().unwrap();
    run(&mut policy, &splits(), &config(), dir.path()).unwrap();
    read_scores(dir.path()).unwrap()
}

fn noisy() -> Vec<ScoreRow> {
    rows(Reference::noisy_oracle(0.6, Dialect::BareCommit).unwrap())
}

/// Two-sided sign test by summing binomial chances.
fn sign_test(a: usize, b: usize) -> f64 {
    let n = a + b;
    let term = |k: usize| (0..k).fold(0.5f64.powi(n as i32), |t, i| t * (n - i) as f64 / (i + 1) as f64);
    (2.0 * (a.max(b)..=n).map(term).sum::<f64>()).min(1.0)
}

fn file(dir: &Path, name: &str, lines: &[&str]) -> Vec<Item> {
    let path = dir.join(name);
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    read_items(&path).unwrap()
}

#[test]
fn one_turn_has_no_first_answer() {
    let score = |max_turns| {
        let dir = tempdir().unwrap();
        let config = vrrl_harness::EvalConfig { max_turns, ..config() };
        let mut policy = Reference::noisy_oracle(0.6, Dialect::BareCommit).unwrap();
        let split = run(&mut policy, &splits(), &config, dir.path()).unwrap().splits.remove(0);
        let items = read_items(dir.path()).unwrap();
        assert!(items.iter().all(|item| item.correct_first.is_some() == (max_turns > 1)));
        let found = compare(&items, &items, false, Seed(1)).unwrap();
        assert!(found.splits.iter().all(|row| row.delta_ref.is_some() == (max_turns > 1)));
        split
    };
    let (one, two) = (score(1), score(2));
    assert!((one.first_accuracy, one.delta_ref, one.fixed, one.kept_wrong) == (None, None, None, None));
    assert_eq!(one.accuracy, two.first_accuracy, "the proposal is the answer");
    assert!(two.delta_ref.is_some() && two.fixed.is_some());
}

#[test]
fn errors_along_shifts_are_a_ratio() {
    let split = |name: &str, shift: &str, grade, role| SplitInfo {
        name: name.into(),
        task: Some(TaskKind::Chart),
        role: Some(role),
        shift: shift.into(),
        severity: Severity::Level(grade),
        hash: String::new(),
        n: 100,
    };
    let splits = [
        split("id", "", 0, Role::IdTest),
        split("blur1", "blur", 1, Role::OodTest),
        split("blur2", "blur", 2, Role::OodTest),
        split("noise1", "noise", 1, Role::OodTest),
    ];
    // Right items of 100 in A and B.
    let right = [("id", 99, 50), ("blur1", 90, 80), ("blur2", 70, 60), ("noise1", 80, 90)];
    let items = |pick: fn(&(&str, usize, usize)) -> usize| -> Vec<Item> {
        let one = |row: &(&str, usize, usize), i: usize| Item {
            split: row.0.into(),
            id: i.to_string(),
            repeat: 0,
            role: None,
            correct: i < pick(row),
            correct_first: None,
        };
        right.iter().flat_map(|row| (0..100).map(move |i| one(row, i))).collect()
    };
    let (a, b) = (items(|row| row.1), items(|row| row.2));
    let report = compare(&a, &b, false, Seed(1)).unwrap();
    let found = corruption_errors(&report.splits, &splits, Seed(1));
    assert_eq!(found.len(), 1, "one task");
    let shifts: Vec<(&str, &[u8], f64)> = found[0]
        .shifts
        .iter()
        .map(|s| (s.shift.as_str(), s.severities.as_slice(), s.ratio.unwrap()))
        .collect();
    // (20 + 40) / (10 + 30) and 10 / 20.
    assert_eq!(shifts.len(), 2);
    assert!(shifts[0].0 == "blur" && shifts[0].1 == [1, 2] && (shifts[0].2 - 1.5).abs() < 1e-12);
    assert!(shifts[1].0 == "noise" && shifts[1].1 == [1] && (shifts[1].2 - 0.5).abs() < 1e-12);
    let mean = found[0].ratio.unwrap();
    assert!((mean.value - 1.0).abs() < 1e-12 && mean.ci_low < 1.0 && mean.ci_high > 1.0, "{mean:?}");
    assert!(corruption_text(&found, "a", "b").contains("blur 1.500, noise 0.500"));
    assert!(corruption_errors(&report.splits, &splits[..1], Seed(1)).is_empty(), "in distribution alone");
}

#[test]
fn better_is_better_and_swapping_turns_the_sign() {
    let (a, b) = (rows(Reference::repeat(Dialect::BareCommit)), noisy());
    let forth = paired(&a, &b, Seed(1)).unwrap();
    assert_eq!((forth.split.as_str(), forth.n), ("ALL", 40));
    assert!(forth.diff.ci_low > 0.0, "{forth:?}");
    assert!((forth.diff.value - (forth.b.value - forth.a.value)).abs() < 1e-12);
    assert!((forth.diff.value - (forth.only_b as f64 - forth.only_a as f64) / 40.0).abs() < 1e-12);
    assert!((forth.p_mcnemar.unwrap() - sign_test(forth.only_a, forth.only_b)).abs() < 1e-12);
    assert_eq!((forth.p_holm, forth.p_permutation), (None, None));
    let delta = forth.delta_ref.clone().unwrap();
    assert!(delta.diff.value > 0.0 && delta.a.gain.value == 0.0 && delta.p < 0.05, "{delta:?}");
    assert_eq!((delta.a.fixed, delta.a.broken, delta.a.p), (0, 0, 1.0));
    assert!(delta.b.fixed > delta.b.broken && delta.b.p < 0.05);
    let back = paired(&b, &a, Seed(1)).unwrap();
    assert!((back.diff.value + forth.diff.value).abs() < 1e-12);
    assert_eq!(paired(&a, &b, Seed(1)).unwrap(), forth, "seeded");
    let by_split = paired_by_split(&a, &b, Seed(1)).unwrap();
    assert_eq!(
        by_split.iter().map(|c| (c.split.as_str(), c.n)).collect::<Vec<_>>(),
        [("toy/id_test", 24), ("toy/ood", 16)]
    );
    let p: Vec<f64> = by_split.iter().map(|c| c.p_mcnemar.unwrap()).collect();
    let smaller = usize::from(p[1] < p[0]);
    assert!((by_split[smaller].p_holm.unwrap() - (2.0 * p[smaller]).min(1.0)).abs() < 1e-12);
}

#[test]
fn a_run_against_itself_is_equal_but_not_certain() {
    let a = noisy();
    let same = paired(&a, &a, Seed(1)).unwrap();
    assert!(same.diff.value == 0.0 && same.diff.ci_low < 0.0 && same.diff.ci_high > 0.0);
    assert_eq!((same.only_a, same.only_b), (0, 0));
}

#[test]
fn order_does_not_matter_but_every_item_does() {
    let a = noisy();
    let mut b = a.clone();
    b.reverse();
    assert_eq!(paired(&a, &b, Seed(1)).unwrap().diff.value, 0.0);
    let gone = b.pop().unwrap();
    let error = paired(&a, &b, Seed(1)).unwrap_err();
    assert!(matches!(&error, Error::Unmatched(_)) && error.to_string().contains(&gone.id), "{error}");
    b.push(gone);
    b.push(b[0].clone());
    assert!(paired(&a, &b, Seed(1)).unwrap_err().to_string().contains("twice"));
    assert!(paired(&[], &[], Seed(1)).is_err());
}

#[test]
fn files_of_judged_items_compare_like_runs() {
    let dir = tempdir().unwrap();
    let dir = dir.path();
    let a = file(
        dir,
        "a.jsonl",
        &[
            r#"{"id": "x", "correct": 1, "correct_first": 0, "other": [1]}"#,
            r#"{"id": 7, "correct": false, "correct_first": false}"#,
            r#"{"id": "z", "split": "s/two", "correct": true, "role": "ood_test", "correct_first": true}"#,
        ],
    );
    let b = file(
        dir,
        "b.jsonl",
        &[
            r#"{"id": "z", "split": "s/two", "correct": false, "correct_first": true}"#,
            r#"{"id": "7", "correct": true, "correct_first": null}"#,
            r#"{"id": "x", "correct": 1}"#,
        ],
    );
    let report = compare(&a, &b, false, Seed(0)).unwrap();
    let names: Vec<(&str, usize)> = report.splits.iter().map(|c| (c.split.as_str(), c.n)).collect();
    assert_eq!(names, [("", 2), ("s/two", 1), ("ALL", 3)]);
    let all = report.splits.last().unwrap();
    assert_eq!((all.only_a, all.only_b, all.p_mcnemar), (1, 1, Some(1.0)));
    assert!(all.delta_ref.is_none() && report.splits[0].delta_ref.is_none(), "one first answer is unknown");
    assert!(report.splits[1].delta_ref.is_some());
    let json = serde_json::to_value(&report).unwrap();
    assert!(json.get("intersection").is_none() && json["splits"][2].get("p_holm").is_none());
    assert_eq!(json["splits"][2]["diff"]["ci_method"], "small_sample");
    assert!(json["splits"][1]["delta_ref"]["a"]["value"].is_number());
    assert!(table(&report).contains("(no split)"));

    for (line, reason) in [
        (r#"{"id": "x", "correct": 0.5}"#, "line 1"),
        (r#"{"id": "x", "correct": null}"#, "correct is 0, 1, true or false"),
        (r#"{"id": "x"}"#, "correct"),
        (r#"{"correct": 1}"#, "id"),
    ] {
        std::fs::write(dir.join("bad.jsonl"), line).unwrap();
        let error = read_items(&dir.join("bad.jsonl")).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    assert!(read_items(dir).unwrap_err().to_string().contains("scores.jsonl"));
}

#[test]
fn what_does_not_pair_is_refused_or_counted() {
    let dir = tempdir().unwrap();
    let a = file(
        dir.path(),
        "a.jsonl",
        &[
            r#"{"id": "same", "correct": 1}"#,
            r#"{"id": "same", "correct": 1}"#,
            r#"{"id": "odd", "correct": 1}"#,
            r#"{"id": "odd", "correct": 0}"#,
            r#"{"id": "alone", "correct": 0}"#,
            r#"{"id": "good", "correct": 0}"#,
        ],
    );
    let b = file(
        dir.path(),
        "b.jsonl",
        &[
            r#"{"id": "same", "correct": 0}"#,
            r#"{"id": "odd", "correct": 1}"#,
            r#"{"id": "good", "correct": 1}"#,
            r#"{"id": "new", "correct": 1}"#,
            r#"{"id": "newer", "correct": 1}"#,
        ],
    );
    let error = compare(&a, &b, false, Seed(0)).unwrap_err().to_string();
    for word in [
        "A has id same twice",
        "A has id odd twice",
        "only A has id alone",
        "only B has id new",
        "--intersect",
    ] {
        assert!(error.contains(word), "{error}");
    }
    let report = compare(&a, &b, true, Seed(0)).unwrap();
    assert_eq!(
        report.intersection,
        Some(Intersection { only_a: 1, only_b: 2, duplicates: 1, conflicting: 1 })
    );
    let all = report.splits.last().unwrap();
    assert_eq!((all.n, all.only_a, all.only_b), (2, 1, 1));
    assert!(table(&report).contains("left out: 1 items only in A, 2 only in B"));
    assert!(matches!(compare(&a[4..5], &b, true, Seed(0)), Err(Error::Unmatched(_))));
}

#[test]
fn repeated_items_count_once() {
    let dir = tempdir().unwrap();
    // Forty items, three episodes each; B is right on one episode more of every second item.
    let lines = |extra: bool| -> Vec<String> {
        let right = |i: usize, r: usize| r < i % 3 || (extra && i.is_multiple_of(2) && r == i % 3);
        (0..40)
            .flat_map(|i| (0..3).map(move |r| (i, r)))
            .map(|(i, r)| {
                format!(
                    r#"{{"id": "{i}", "repeat": {r}, "correct": {}, "correct_first": {}}}"#,
                    right(i, r),
                    r == 0 && i % 3 > 0
                )
            })
            .collect()
    };
    let (one, other) = (lines(false), lines(true));
    let a = file(dir.path(), "a.jsonl", &one.iter().map(String::as_str).collect::<Vec<_>>());
    let b = file(dir.path(), "b.jsonl", &other.iter().map(String::as_str).collect::<Vec<_>>());
    let report = compare(&a, &b, false, Seed(0)).unwrap();
    let all = report.splits.last().unwrap();
    assert_eq!((all.n, all.only_a, all.only_b, all.p_mcnemar), (40, 0, 20, None));
    assert!((all.diff.value - 20.0 / 120.0).abs() < 1e-12 && all.diff.ci_low > 0.0, "{all:?}");
    // Twenty equal differences: only the two extreme sign patterns are as far.
    assert!((all.p_permutation.unwrap() - 0.5f64.powi(19)).abs() < 1e-15);
    assert!(report.splits[0].p_holm.is_some() && all.mde.unwrap() > 0.0);
    let delta = all.delta_ref.as_ref().unwrap();
    assert!((delta.diff.value - 20.0 / 120.0).abs() < 1e-12 && delta.p < 0.01);
    let text = sentence(&report, "a", "b");
    assert!(
        text.contains("sign-flip permutation test over items") && text.contains("+16.7 points"),
        "{text}"
    );
}

#[test]
fn the_sentence_says_everything() {
    let dir = tempdir().unwrap();
    let lines = |shift: usize, first: usize| -> Vec<String> {
        (0..200)
            .map(|i| {
                let (split, right) = (["s/one", "s/two"][i % 2], (i * 7 + shift) % 10 < 4 + shift);
                let first = right && i % first == 0;
                format!(
                    r#"{{"split": "{split}", "id": "{i}", "correct": {right}, "correct_first": {first}}}"#
                )
            })
            .collect()
    };
    let (one, other) = (lines(0, 1), lines(2, 3));
    let a = file(dir.path(), "a.jsonl", &one.iter().map(String::as_str).collect::<Vec<_>>());
    let b = file(dir.path(), "b.jsonl", &other.iter().map(String::as_str).collect::<Vec<_>>());
    let report = compare(&a, &b, false, Seed(0)).unwrap();
    let text = sentence(&report, "grpo", "vrrl");
    for words in [
        "On 200 paired items, vrrl was right on 60.0 % (95 % CI",
        "a difference of +20.0 points",
        "Tango's paired score interval",
        "exact McNemar test, p",
        "With 80 % power",
        "Holm's method): s/one +",
        "Reflection gained +0.0 points in grpo",
        "several training seeds",
    ] {
        assert!(text.contains(words), "{words} is not in: {text}");
    }
    assert!(!text.contains("NaN"));
}

#[test]
fn methods_are_compared_over_seeds() {
    let dir = tempdir().unwrap();
    // Of 10 items in each of two splits, so many are right.
    let one = |name: &str, right: [usize; 2]| {
        let line = |split: &str, i: usize, right: usize| {
            format!("{{\"split\":\"{split}\",\"id\":\"{i}\",\"correct\":{}}}", i < right)
        };
        let lines: Vec<String> =
            (0..10).flat_map(|i| [line("x", i, right[0]), line("y", i, right[1])]).collect();
        file(dir.path(), name, &lines.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let pairs = vec![
        (one("a1", [4, 5]), one("b1", [5, 5])),
        (one("a2", [4, 4]), one("b2", [6, 4])),
        (one("a3", [3, 5]), one("b3", [6, 5])),
    ];
    let report = compare_seeds(&pairs, false, Seed(0)).unwrap();
    let [x, y, all] = &report.splits[..] else { panic!("x, y and ALL") };
    assert_eq!((x.split.as_str(), y.split.as_str(), all.split.as_str()), ("x", "y", "ALL"));
    // Differences .1, .2, .3: mean .2, standard error .1/√3, t = 3.4641 with 2 degrees of freedom.
    assert!((x.accuracy.value - 0.2).abs() < 1e-12);
    assert!((x.accuracy.p_t.unwrap() - 0.074_179_9).abs() < 1e-6, "{:?}", x.accuracy.p_t);
    assert!((x.accuracy.ci_low.unwrap() + 0.048_413_8).abs() < 1e-6, "{:?}", x.accuracy);
    assert_eq!(x.accuracy.p_permutation, 0.25, "the least with three seeds");
    // All seeds agree on y: no spread to test with, and nothing to adjust.
    assert_eq!((y.accuracy.value, y.accuracy.p_t, y.p_holm), (0.0, None, None));
    assert_eq!(x.p_holm, x.accuracy.p_t);
    assert!(report.warning.as_ref().unwrap().contains("3 training seeds"));
    let text = seeds_table(&report, "grpo", "vrrl");
    assert!(
        text.contains("Over 3 training seeds, vrrl was right on +10.0 points more items than grpo"),
        "{text}"
    );

    let mut torn = pairs.clone();
    torn[1].1.pop();
    let error = compare_seeds(&torn, false, Seed(0)).unwrap_err().to_string();
    assert!(error.contains("pair 2"), "{error}");
}
