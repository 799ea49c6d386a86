//! Two runs, item by item: what differs, how surely, and what could have been found.
//!
//! Items pair by split and id. Where every item has one episode on each side the outcome of a pair is right or
//! wrong, and the exact McNemar test and [`paired_interval`] speak. Where items were asked several times
//! (`--repeats`), episodes of one item are no independent evidence: each item counts once, with the share of its
//! episodes that are right; intervals resample items, and a sign-flip permutation over items takes McNemar's
//! place.

mod controls;
mod corruption;
mod items;
mod seeds;
mod sentence;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vrrl_harness_core::Seed;
use vrrl_harness_stats::{
    bootstrap_mean, holm, mcnemar_exact, mean, mean_difference, paired_interval, sign_flip, wilson,
    Difference, Estimate, Pairs, USUAL,
};

pub use controls::{gap_table, gaps, Gap, Gaps};
pub use corruption::{corruption_errors, corruption_text, CorruptionError, ShiftError};
pub(crate) use items::matching;
pub use items::{read_items, Intersection, Item};
pub use seeds::{compare_seeds, seeds_table, OverSeeds, SeedsComparison, SeedsReport};
pub use sentence::{sentence, table};

use crate::record::ScoreRow;
use crate::{Error, Result};
use items::Pair;

/// Name of the pool of all items.
const ALL: &str = "ALL";

/// A paired comparison of A and B over the same items.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// Split, or `ALL` for pooled items.
    pub split: String,
    /// Paired items.
    pub n: usize,
    /// Accuracy of A (Wilson; bootstrap over items where they repeat).
    pub a: Estimate,
    /// Accuracy of B, likewise.
    pub b: Estimate,
    /// Items right only in A (where they repeat: right more often in A).
    pub only_a: usize,
    /// Items right only in B, likewise.
    pub only_b: usize,
    /// Accuracy of B − accuracy of A, paired, never of zero width.
    pub diff: Difference,
    /// Exact McNemar, two-sided; absent where items repeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_mcnemar: Option<f64>,
    /// Sign-flip permutation over items, two-sided; only where items repeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_permutation: Option<f64>,
    /// The p above, adjusted over splits by Holm's method; absent in `ALL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_holm: Option<f64>,
    /// Smallest difference found with 80 % power at this n and discordance; absent where even a difference of 1
    /// would not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mde: Option<f64>,
    /// Gain by reflecting, compared; absent where an episode has no first answer on record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_ref: Option<DeltaRef>,
}

impl Comparison {
    /// The p of this comparison, by whichever test applies.
    #[must_use]
    pub fn p(&self) -> Option<f64> {
        self.p_mcnemar.or(self.p_permutation)
    }
}

/// Accuracy − first accuracy of both runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeltaRef {
    /// Of A.
    pub a: Reflection,
    /// Of B.
    pub b: Reflection,
    /// B − A, paired over items.
    pub diff: Difference,
    /// Sign-flip permutation of the items' differences, two-sided.
    pub p: f64,
}

/// What reflecting did to one run's items.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reflection {
    /// Accuracy − first accuracy, with its own paired interval.
    #[serde(flatten)]
    pub gain: Difference,
    /// Items whose first answer is wrong and whose last is right (where they repeat: right more often at last).
    pub fixed: usize,
    /// Items whose first answer is right and whose last is wrong, likewise.
    pub broken: usize,
    /// Fixed against broken: exact McNemar (where items repeat: sign-flip permutation), two-sided.
    pub p: f64,
}

/// All that `vrrl compare` says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// One per split in the order of names, then `ALL`.
    pub splits: Vec<Comparison>,
    /// What was left out to pair the rest; only where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intersection: Option<Intersection>,
}

/// Compares items split by split and pooled; `intersect` compares those on both sides and counts the others.
///
/// # Errors
/// [`Error::Unmatched`] naming items that stand twice or on one side only (unless `intersect`), or where no pair
/// is left.
pub fn compare(a: &[Item], b: &[Item], intersect: bool, seed: Seed) -> Result<Report> {
    let (pairs, intersection) = items::pair(a, b, intersect)?;
    let mut splits = by_split(&pairs, seed)?;
    splits.push(one(ALL, &pairs.iter().collect::<Vec<_>>(), seed)?);
    Ok(Report { splits, intersection: intersect.then_some(intersection) })
}

/// Compares rows of two runs as one pool.
///
/// # Errors
/// [`Error::Unmatched`] naming items that stand twice or on one side only, or where there is none at all.
pub fn paired(a: &[ScoreRow], b: &[ScoreRow], seed: Seed) -> Result<Comparison> {
    let (a, b) = (items::of_rows(a), items::of_rows(b));
    let (pairs, _) = items::pair(&a, &b, false)?;
    one(ALL, &pairs.iter().collect::<Vec<_>>(), seed)
}

/// Compares rows of two runs split by split, in the order of names.
///
/// # Errors
/// As [`paired`].
pub fn paired_by_split(a: &[ScoreRow], b: &[ScoreRow], seed: Seed) -> Result<Vec<Comparison>> {
    let (a, b) = (items::of_rows(a), items::of_rows(b));
    by_split(&items::pair(&a, &b, false)?.0, seed)
}

fn by_split(pairs: &[Pair], seed: Seed) -> Result<Vec<Comparison>> {
    let mut splits: BTreeMap<&str, Vec<&Pair>> = BTreeMap::new();
    for pair in pairs {
        splits.entry(&pair.split).or_default().push(pair);
    }
    let mut found: Vec<Comparison> =
        splits.into_iter().map(|(split, pairs)| one(split, &pairs, seed)).collect::<Result<_>>()?;
    let tested: Vec<usize> = (0..found.len()).filter(|i| found[*i].p().is_some()).collect();
    let adjusted = holm(&tested.iter().filter_map(|i| found[*i].p()).collect::<Vec<f64>>());
    for (i, p) in tested.into_iter().zip(adjusted) {
        found[i].p_holm = Some(p);
    }
    Ok(found)
}

fn one(split: &str, pairs: &[&Pair], seed: Seed) -> Result<Comparison> {
    // Every number below is there as soon as there is a pair.
    let seed = seed.derive(split, 0);
    let found = match pairs.iter().map(|p| p.last.bits()).collect::<Option<Vec<_>>>() {
        Some(outcomes) => binary(split, &Pairs::count(outcomes)),
        None => repeated(split, pairs, seed),
    };
    let mut found = found.ok_or_else(|| Error::Unmatched("there is no pair".into()))?;
    found.delta_ref = reflection(pairs, seed);
    Ok(found)
}

/// One episode an item on each side.
fn binary(split: &str, pairs: &Pairs) -> Option<Comparison> {
    let n = pairs.n();
    Some(Comparison {
        split: split.to_owned(),
        n,
        a: wilson(pairs.right_a(), n)?,
        b: wilson(pairs.right_b(), n)?,
        only_a: pairs.only_a,
        only_b: pairs.only_b,
        diff: paired_interval(pairs, 0.95)?,
        p_mcnemar: mcnemar_exact(pairs),
        p_permutation: None,
        p_holm: None,
        mde: USUAL.mde_of(pairs),
        delta_ref: None,
    })
}

/// Several episodes an item: an item is one number a side, its share of right episodes.
fn repeated(split: &str, pairs: &[&Pair], seed: Seed) -> Option<Comparison> {
    let side = |of: &dyn Fn(&Pair) -> f64| pairs.iter().map(|p| of(p)).collect::<Vec<f64>>();
    let differences = side(&|p| p.last.b - p.last.a);
    Some(Comparison {
        split: split.to_owned(),
        n: pairs.len(),
        a: bootstrap_mean(&side(&|p| p.last.a), seed.derive("a", 0))?,
        b: bootstrap_mean(&side(&|p| p.last.b), seed.derive("b", 0))?,
        only_a: above(&differences, -1.0),
        only_b: above(&differences, 1.0),
        diff: mean_difference(&differences, 0.95, seed.derive("diff", 0))?,
        p_mcnemar: None,
        p_permutation: sign_flip(&differences, seed.derive("diff", 0)).map(|found| found.p),
        p_holm: None,
        mde: USUAL.mde_of_mean(&differences),
        delta_ref: None,
    })
}

/// Differences that point in a direction.
fn above(differences: &[f64], direction: f64) -> usize {
    differences.iter().filter(|d| **d * direction > 1e-12).count()
}

fn reflection(pairs: &[&Pair], seed: Seed) -> Option<DeltaRef> {
    let gains = |side: fn(items::Sides) -> f64, label: &str| -> Option<(Vec<f64>, Reflection)> {
        let gains: Vec<f64> =
            pairs.iter().map(|p| p.first.map(|first| side(p.last) - side(first))).collect::<Option<_>>()?;
        mean(&gains)?;
        let (fixed, broken) = (above(&gains, 1.0), above(&gains, -1.0));
        let whole = gains.iter().all(|g| (g.abs() - g.abs().round()).abs() < 1e-12);
        let seed = seed.derive("delta_ref", 0).derive(label, 0);
        let (gain, p) = if whole {
            let table =
                Pairs { both: gains.len() - fixed - broken, only_a: broken, only_b: fixed, neither: 0 };
            (paired_interval(&table, 0.95)?, mcnemar_exact(&table)?)
        } else {
            (mean_difference(&gains, 0.95, seed)?, sign_flip(&gains, seed)?.p)
        };
        Some((gains, Reflection { gain, fixed, broken, p }))
    };
    let (gains_a, a) = gains(|sides| sides.a, "a")?;
    let (gains_b, b) = gains(|sides| sides.b, "b")?;
    let differences: Vec<f64> = gains_a.iter().zip(&gains_b).map(|(a, b)| b - a).collect();
    let seed = seed.derive("delta_ref diff", 0);
    let diff = mean_difference(&differences, 0.95, seed)?;
    Some(DeltaRef { a, b, diff, p: sign_flip(&differences, seed)?.p })
}
