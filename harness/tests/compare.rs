//! Paired comparisons of two runs.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "helpers of tests; shares of small counts are exact"
)]

mod common;

use common::{config, run, splits};
use tempfile::tempdir;
use vrrl_harness::policies::Reference;
use vrrl_harness::{paired, paired_by_split, read_scores, Error, ScoreRow};
use vrrl_harness_core::{Dialect, Seed};

fn rows(mut policy: Reference) -> Vec<ScoreRow> {
    let dir = tempdir().unwrap();
    run(&mut policy, &splits(), &config(), dir.path()).unwrap();
    read_scores(dir.path()).unwrap()
}

fn noisy() -> Vec<ScoreRow> {
    rows(Reference::noisy_oracle(0.6, Dialect::BareCommit).unwrap())
}

#[test]
fn better_is_better_and_swapping_turns_the_sign() {
    let (a, b) = (rows(Reference::repeat(Dialect::BareCommit)), noisy());
    let forth = paired(&a, &b, Seed(1)).unwrap();
    assert_eq!((forth.split.as_str(), forth.n), ("ALL", 40));
    assert!(forth.diff.ci_low > 0.0, "{forth:?}");
    assert!((forth.diff.value - (forth.b.value - forth.a.value)).abs() < 1e-12);
    assert!((forth.diff.value - (forth.only_b as f64 - forth.only_a as f64) / 40.0).abs() < 1e-12);
    assert!(forth.delta_ref.diff.value > 0.0 && forth.delta_ref.a.value == 0.0);
    let back = paired(&b, &a, Seed(1)).unwrap();
    assert!((back.diff.value + forth.diff.value).abs() < 1e-12);
    assert_eq!(paired(&a, &b, Seed(1)).unwrap(), forth, "seeded");
    let by_split = paired_by_split(&a, &b, Seed(1)).unwrap();
    assert_eq!(
        by_split.iter().map(|c| (c.split.as_str(), c.n)).collect::<Vec<_>>(),
        [("toy/id_test", 24), ("toy/ood", 16)]
    );
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
    b.push(b[0].clone());
    assert!(paired(&a, &b, Seed(1)).unwrap_err().to_string().contains("twice"));
    assert!(paired(&[], &[], Seed(1)).is_err());
}
