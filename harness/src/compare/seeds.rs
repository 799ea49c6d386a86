//! Two methods over several training seeds: is the *method* better, or one of its checkpoints?
//!
//! A pair of runs of equal seed is compared item by item as ever; the claim about the methods rests on one number a
//! seed (B − A over the items), by the paired t test and the exact permutation over seeds
//! ([`vrrl_harness_stats::compare_methods`]).

use serde::{Deserialize, Serialize};
use vrrl_harness_core::Seed;
use vrrl_harness_stats::{compare_methods, holm, MethodComparison};

use super::{compare, Item, Report, ALL};
use crate::{Error, Result};

/// Confidence of the intervals over seeds.
const LEVEL: f64 = 0.95;

/// Two methods compared over training seeds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SeedsReport {
    /// Training seeds.
    pub seeds: usize,
    /// One per split, then `ALL`.
    pub splits: Vec<SeedsComparison>,
    /// Every pair of runs by itself, in the order given.
    pub pairs: Vec<Report>,
    /// What the reader must know about so few seeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// A split over training seeds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SeedsComparison {
    /// Split, or `ALL` for pooled items.
    pub split: String,
    /// Accuracy, B − A.
    pub accuracy: OverSeeds,
    /// The t test's p of accuracy, adjusted over splits by Holm's method; absent in `ALL` and without a t test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_holm: Option<f64>,
    /// Δref, B − A; absent where an episode has no first answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_ref: Option<OverSeeds>,
}

/// One difference over training seeds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OverSeeds {
    /// Mean of the seeds' differences.
    pub value: f64,
    /// Student's 95 % interval over seeds: lower end. Absent with one seed, or where all seeds agree to the digit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci_low: Option<f64>,
    /// Upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci_high: Option<f64>,
    /// The difference of each seed.
    pub by_seed: Vec<f64>,
    /// Paired t test over seeds, two-sided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_t: Option<f64>,
    /// Sign-flip permutation over seeds, two-sided.
    pub p_permutation: f64,
}

/// Compares pairs of runs, A and B of one training seed each.
///
/// # Errors
/// As [`compare`], with the pair named; splits that are not the same in all pairs.
pub fn compare_seeds(pairs: &[(Vec<Item>, Vec<Item>)], intersect: bool, seed: Seed) -> Result<SeedsReport> {
    let mut reports = Vec::new();
    for (number, (a, b)) in pairs.iter().enumerate() {
        let report = compare(a, b, intersect, seed).map_err(|error| match error {
            Error::Unmatched(what) => Error::Unmatched(format!("pair {}: {what}", number + 1)),
            other => other,
        })?;
        reports.push(report);
    }
    let names = |report: &Report| report.splits.iter().map(|row| row.split.clone()).collect::<Vec<_>>();
    let Some(first) = reports.first().map(names) else {
        return Err(Error::Unmatched("no pair of runs".into()));
    };
    if let Some(other) = reports.iter().position(|report| names(report) != first) {
        return Err(Error::Unmatched(format!(
            "pair {} has splits {}, pair 1 has {}; score the same splits with every seed",
            other + 1,
            names(&reports[other]).join(", "),
            first.join(", ")
        )));
    }
    let mut warning = None;
    let mut over = |values: Vec<f64>| {
        let found = compare_methods(&values, LEVEL, seed).expect("there is a pair");
        warning = found.warning.clone();
        of(found, values)
    };
    let mut splits = Vec::new();
    for (at, split) in first.into_iter().enumerate() {
        let rows = || reports.iter().map(|report| &report.splits[at]);
        let accuracy = over(rows().map(|row| row.diff.value).collect());
        let gains: Option<Vec<f64>> =
            rows().map(|row| row.delta_ref.as_ref().map(|delta| delta.diff.value)).collect();
        splits.push(SeedsComparison { split, accuracy, p_holm: None, delta_ref: gains.map(&mut over) });
    }
    let tested: Vec<usize> =
        (0..splits.len()).filter(|&i| splits[i].split != ALL && splits[i].accuracy.p_t.is_some()).collect();
    let raw: Vec<f64> = tested.iter().filter_map(|&i| splits[i].accuracy.p_t).collect();
    for (i, p) in tested.into_iter().zip(holm(&raw)) {
        splits[i].p_holm = Some(p);
    }
    Ok(SeedsReport { seeds: pairs.len(), splits, pairs: reports, warning })
}

fn of(found: MethodComparison, by_seed: Vec<f64>) -> OverSeeds {
    OverSeeds {
        value: found.value,
        ci_low: found.diff.map(|diff| diff.ci_low),
        ci_high: found.diff.map(|diff| diff.ci_high),
        by_seed,
        p_t: found.p_t,
        p_permutation: found.p_permutation,
    }
}

/// A line a split for the terminal, and the claim in a sentence.
#[must_use]
pub fn seeds_table(report: &SeedsReport, name_a: &str, name_b: &str) -> String {
    let p = |p: Option<f64>| p.map(|p| format!("{p:.3}")).unwrap_or_else(|| "–".into());
    let wide = report.splits.iter().map(|row| row.split.chars().count()).max().unwrap_or(0).max(5);
    let mut text = format!(
        "{:wide$}  {:<28}{:>7}{:>8}{:>9}  Δref B − A\n",
        "split", "accuracy B − A (95 %)", "p t", "p Holm", "p perm"
    );
    for row in &report.splits {
        let delta = row.delta_ref.as_ref().map(spread).unwrap_or_else(|| "–".into());
        text.push_str(&format!(
            "{:wide$}  {:<28}{:>7}{:>8}{:>9}  {delta}\n",
            row.split,
            spread(&row.accuracy),
            p(row.accuracy.p_t),
            p(row.p_holm),
            p(Some(row.accuracy.p_permutation)),
        ));
    }
    if let Some(all) = report.splits.iter().find(|row| row.split == ALL) {
        text.push_str(&claim(report.seeds, all, name_a, name_b));
    }
    if let Some(warning) = &report.warning {
        text.push_str(&format!("\nnote: {warning}"));
    }
    text
}

fn spread(d: &OverSeeds) -> String {
    match (d.ci_low, d.ci_high) {
        (Some(low), Some(high)) => format!("{:+.3} ({low:+.3} to {high:+.3})", d.value),
        _ => format!("{:+.3}", d.value),
    }
}

fn claim(seeds: usize, all: &SeedsComparison, name_a: &str, name_b: &str) -> String {
    let d = &all.accuracy;
    let each: Vec<String> = d.by_seed.iter().map(|value| format!("{:+.1}", 100.0 * value)).collect();
    let interval = match (d.ci_low, d.ci_high) {
        (Some(low), Some(high)) => {
            format!(" (95 % CI over seeds {:+.1} to {:+.1}, Student's t)", 100.0 * low, 100.0 * high)
        }
        _ => String::new(),
    };
    let t = d.p_t.map(|p| format!("paired t test over seeds, p = {p:.3}; ")).unwrap_or_default();
    format!(
        "\nOver {seeds} training seeds, {name_b} was right on {:+.1} points more items than {name_a}{interval}: {} by \
         seed; {t}exact permutation over seeds, p = {:.3}. Items are averaged within a seed, for the claim is about \
         the method, not about a checkpoint.",
        100.0 * d.value,
        each.join(", "),
        d.p_permutation
    )
}
