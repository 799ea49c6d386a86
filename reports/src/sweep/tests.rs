use std::collections::BTreeSet;

use serde_json::json;
use vrrl_harness_core::Role;

use super::*;

/// A split with accuracy, first accuracy and turns; Δref follows.
fn split(name: &str, accuracy: f64, first: Option<f64>) -> SplitSummary {
    let number = |x: f64| json!({"value": x, "ci_low": x, "ci_high": x});
    let mut row = json!({
        "split": name, "n": 10, "faults": 0, "temperature": 1.0, "max_turns": 4, "dialect": "bare_commit",
        "control": "none", "accuracy_by_turn": [], "reached_turn": [],
        "accuracy": number(accuracy), "turns_mean": number(2.5),
    });
    if let Some(first) = first {
        row["first_accuracy"] = number(first);
        row["delta_ref"] = number(accuracy - first);
    }
    serde_json::from_value(row).unwrap()
}

fn run(seed: u64, ood: [f64; 2], dev: f64) -> Read {
    let splits = vec![
        (split("quick/id_test", 0.9, Some(0.9)), Some(Role::IdTest)),
        (split("quick/ood6", ood[0], Some(0.1)), Some(Role::OodTest)),
        (split("quick/ood7", ood[1], Some(0.1)), Some(Role::OodTest)),
        (split("quick/dev7", dev, Some(0.1)), Some(Role::OodVal)),
    ];
    Read { seed, splits }
}

fn input(name: &str) -> SweepInputRow {
    let values = vec![Some("0.5".to_owned()), None];
    SweepInputRow {
        name: name.into(),
        method: "vrrl".into(),
        values,
        start: false,
        seeds: vec![1, 2, 3],
        runs: vec![],
    }
}

fn table() -> SweepTable {
    let [base, a, b] = ["grpo", "vrrl-a", "vrrl-b"].map(input);
    let of_base = vec![run(1, [0.4, 0.2], 0.3), run(2, [0.5, 0.3], 0.3), run(3, [0.6, 0.4], 0.3)];
    // Out of distribution .4 .4 .7; against .3 .4 .5 of the base: +.1 0 +.2.
    let of_a = vec![run(1, [0.5, 0.3], 0.5), run(2, [0.5, 0.3], 0.4), run(3, [0.8, 0.6], 0.6)];
    // Its third seed is missing: .2 .3, so -.1 -.1.
    let of_b = vec![run(1, [0.2, 0.2], 0.9), run(2, [0.3, 0.3], 0.9)];
    let rows = numbers::rows("t1", &[(&base, of_base), (&a, of_a), (&b, of_b)], Some("grpo"));
    SweepTable {
        format: 1,
        title: "A | B".into(),
        keys: vec!["vrrl.rl.buffer.share".into(), "vrrl.rl.lr".into()],
        base: Some("grpo".into()),
        decodings: vec!["t1".into()],
        rows,
        warnings: vec!["careful".into()],
    }
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-6, "{a} {b}");
}

#[test]
fn seeds_are_the_sample() {
    let table = table();
    let ood = table.rows[1].test.as_ref().unwrap().ood.as_ref().unwrap();
    // numpy: mean .5, sd .173205; t.ppf(.975, 2) = 4.302653; half = .430265.
    let accuracy = ood.accuracy.unwrap();
    near(accuracy.value, 0.5);
    near(accuracy.ci_low.unwrap(), 0.069_735);
    near(accuracy.ci_high.unwrap(), 0.930_265);
    near(ood.delta_ref.unwrap().value, 0.4);
    near(ood.first_accuracy.unwrap().value, 0.1);
    near(ood.turns_mean.unwrap().value, 2.5);
    // All seeds agree on the first answer: there is no interval.
    assert_eq!(ood.first_accuracy.unwrap().ci_low, None);
    // scipy.stats.ttest_1samp([.1, 0, .2], 0): t = 1.7320508, p = .2254033; half = .1 / sqrt(3) * 4.302653.
    let versus = ood.accuracy_vs_base.as_ref().unwrap();
    near(versus.level.value, 0.1);
    near(versus.level.ci_low.unwrap(), 0.1 - 0.248_413_8);
    near(versus.p_t.unwrap(), 0.225_403_3);
    // One of three sign patterns of two that count is as far: + + of ++ +- -+ --, and its mirror.
    near(versus.p_permutation, 0.5);
    assert_eq!(versus.seeds, [1, 2, 3]);
    // The only t test: nothing to adjust for.
    near(versus.p_holm.unwrap(), 0.225_403_3);
    assert!(table.rows[0].test.as_ref().unwrap().ood.as_ref().unwrap().accuracy_vs_base.is_none());
}

#[test]
fn starts_are_no_tests_among_the_variants() {
    let [base, a, b] = ["grpo", "vrrl-a", "multi_sft"].map(input);
    let of_base = || vec![run(1, [0.4, 0.2], 0.3), run(2, [0.5, 0.3], 0.3), run(3, [0.6, 0.4], 0.3)];
    let of_a = || vec![run(1, [0.5, 0.3], 0.5), run(2, [0.5, 0.3], 0.4), run(3, [0.8, 0.6], 0.6)];
    let holm = |start: bool| {
        let b = SweepInputRow { start, ..b.clone() };
        let rows = numbers::rows("t1", &[(&base, of_base()), (&a, of_a()), (&b, of_a())], Some("grpo"));
        let p = |row: &SweepRow| {
            row.test.as_ref().unwrap().ood.as_ref().unwrap().accuracy_vs_base.as_ref().unwrap().p_holm
        };
        [p(&rows[1]), p(&rows[2])]
    };
    let [first, second] = holm(false);
    near(first.unwrap(), 2.0 * 0.225_403_3);
    near(second.unwrap(), 2.0 * 0.225_403_3);
    let [first, second] = holm(true);
    near(first.unwrap(), 0.225_403_3);
    assert_eq!(second, None);
}

#[test]
fn a_missing_seed_is_told_and_only_common_seeds_are_paired() {
    let table = table();
    let row = &table.rows[2];
    assert_eq!((&row.seeds[..], &row.missing[..]), (&[1, 2][..], &[3][..]));
    let versus = row.test.as_ref().unwrap().ood.as_ref().unwrap().accuracy_vs_base.as_ref().unwrap();
    assert_eq!(versus.seeds, [1, 2]);
    near(versus.level.value, -0.1);
    // Both differences are the same: no interval and no t test.
    assert_eq!((versus.level.ci_low, versus.p_t, versus.p_holm), (None, None, None));
    // Highest on dev, but not complete: the mark goes to the best that is.
    let marked: Vec<bool> = table.rows.iter().map(|row| row.best_on_dev).collect();
    assert_eq!(marked, [false, true, false]);
}

#[test]
fn intervals_stay_within_what_a_number_can_be() {
    let row = input("x");
    let runs = vec![run(1, [0.0, 0.0], 0.5), run(2, [1.0, 0.6], 0.5)];
    let rows = numbers::rows("t1", &[(&row, runs)], None);
    let ood = rows[0].test.as_ref().unwrap().ood.as_ref().unwrap();
    let accuracy = ood.accuracy.unwrap();
    assert_eq!((accuracy.ci_low, accuracy.ci_high), (Some(0.0), Some(1.0)));
    assert!(!rows[0].best_on_dev, "one row is no choice");
    let runs = || vec![run(1, [0.5, 0.5], 0.4)];
    let [first, second] = ["a", "b"].map(|name| SweepInputRow { seeds: vec![1], ..input(name) });
    let rows = numbers::rows("t1", &[(&first, runs()), (&second, runs())], None);
    assert!(!rows[0].best_on_dev && !rows[1].best_on_dev, "of equals none is best");
}

#[test]
fn a_number_that_a_seed_lacks_is_absent() {
    let mut runs = vec![run(1, [0.5, 0.5], 0.5), run(2, [0.6, 0.6], 0.5)];
    runs[1].splits[2].0 = split("quick/ood7", 0.6, None);
    let row = input("x");
    let rows = numbers::rows("t1", &[(&row, runs)], None);
    let ood = rows[0].test.as_ref().unwrap().ood.as_ref().unwrap();
    assert!(ood.accuracy.is_some() && ood.delta_ref.is_none() && ood.first_accuracy.is_none());
}

#[test]
fn the_csv_reads_back() {
    let table = table();
    let bytes = table.csv().unwrap();
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
    let at = |row: usize, name: &str| {
        let column =
            header.iter().position(|h| h == name).unwrap_or_else(|| panic!("no {name} in {header:?}"));
        rows[row][column].to_owned()
    };
    assert_eq!(rows.len(), 3);
    assert_eq!(
        (at(1, "row"), at(1, "vrrl.rl.buffer.share"), at(1, "vrrl.rl.lr")),
        ("vrrl-a".into(), "0.5".into(), String::new())
    );
    near(at(1, "ood_accuracy").parse().unwrap(), 0.5);
    near(at(1, "ood6_accuracy").parse().unwrap(), 0.6);
    near(at(1, "dev_ood_accuracy").parse().unwrap(), 0.5);
    near(at(1, "ood_accuracy_vs_base").parse().unwrap(), 0.1);
    near(at(1, "ood_accuracy_vs_base_p_t").parse().unwrap(), 0.225_403_3);
    near(at(1, "dev_ood_accuracy_vs_base").parse().unwrap(), 0.2);
    assert_eq!(
        (at(0, "ood_accuracy_vs_base"), at(2, "seeds_missing"), at(1, "best_on_dev")),
        (String::new(), "1".into(), "1".into())
    );
}

#[test]
fn markdown_and_text_say_the_same() {
    let table = table();
    let markdown = table.markdown();
    assert!(markdown.starts_with("# A \\| B\n"), "{markdown}");
    let dev = markdown.find("## Development splits").unwrap();
    assert!(dev < markdown.find("## Test splits").unwrap());
    assert!(markdown.contains("| vrrl-a * | 0.5 | – | 3 |") && markdown.contains("2 of 3"), "{markdown}");
    assert!(
        markdown.contains("50.0 (7.0 to 93.0)") && markdown.contains("+10.0 (-14.8 to +34.8)"),
        "{markdown}"
    );
    assert!(markdown.contains("Note: careful."), "{markdown}");
    let widths: BTreeSet<usize> = markdown
        .lines()
        .filter(|l| l.starts_with("| "))
        .map(|l| l.replace("\\|", "").matches('|').count())
        .collect();
    assert_eq!(widths.len(), 2, "one width for dev, one for test");
    let text = table.text();
    assert!(
        text.contains("0.500 (0.070 to 0.930)") && text.contains("share") && !text.contains("buffer"),
        "{text}"
    );
    let none = write::PLAIN.gain(Some(&Level { value: -1e-9, ci_low: None, ci_high: None }));
    assert_eq!(none, "+0.000");
    assert!(text.contains("0.225") && text.contains("note: careful"), "{text}");
}
