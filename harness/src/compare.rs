//! Two runs, item by item.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vrrl_harness_core::Seed;
use vrrl_harness_stats::{paired_difference, wilson, Estimate};

use crate::record::ScoreRow;
use crate::{Error, Result};

/// A paired comparison of runs A and B over the same items.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// Split, or `ALL` for pooled items.
    pub split: String,
    /// Pairs.
    pub n: usize,
    /// Accuracy of A (Wilson).
    pub a: Estimate,
    /// Accuracy of B (Wilson).
    pub b: Estimate,
    /// Right only in A.
    pub only_a: usize,
    /// Right only in B.
    pub only_b: usize,
    /// Accuracy of B − accuracy of A (paired bootstrap, never of zero width).
    pub diff: Estimate,
    /// Gain by reflecting, compared.
    pub delta_ref: DeltaRef,
}

/// Accuracy − first accuracy of both runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeltaRef {
    /// Of A (paired bootstrap).
    pub a: Estimate,
    /// Of B (paired bootstrap).
    pub b: Estimate,
    /// B − A (paired bootstrap over items).
    pub diff: Estimate,
}

/// Compares rows of two runs as one pool; items pair by split, id and repeat.
///
/// # Errors
/// [`Error::Unmatched`] naming items that stand twice or on one side only, or where there is none at all.
pub fn paired(a: &[ScoreRow], b: &[ScoreRow], seed: Seed) -> Result<Comparison> {
    compare("ALL", &pairs(a, b)?, seed)
}

/// Compares rows of two runs split by split, in the order of names.
///
/// # Errors
/// As [`paired`].
pub fn paired_by_split(a: &[ScoreRow], b: &[ScoreRow], seed: Seed) -> Result<Vec<Comparison>> {
    let mut splits: BTreeMap<&str, Vec<Pair<'_>>> = BTreeMap::new();
    for pair in pairs(a, b)? {
        splits.entry(&pair.0.split).or_default().push(pair);
    }
    splits.into_iter().map(|(split, pairs)| compare(split, &pairs, seed)).collect()
}

type Pair<'r> = (&'r ScoreRow, &'r ScoreRow);

fn pairs<'r>(a: &'r [ScoreRow], b: &'r [ScoreRow]) -> Result<Vec<Pair<'r>>> {
    let (a, b) = (index(a, "A")?, index(b, "B")?);
    let only_a = a.keys().filter(|key| !b.contains_key(*key)).map(|key| name(key, "A"));
    let only_b = b.keys().filter(|key| !a.contains_key(*key)).map(|key| name(key, "B"));
    let lonely: Vec<String> = only_a.chain(only_b).collect();
    if !lonely.is_empty() {
        let shown = lonely.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
        let more = if lonely.len() > 5 { format!("; and {} more", lonely.len() - 5) } else { String::new() };
        return Err(Error::Unmatched(format!("{shown}{more}")));
    }
    if a.is_empty() {
        return Err(Error::Unmatched("neither has a scored episode".into()));
    }
    Ok(a.into_values().zip(b.into_values()).collect())
}

fn name((split, id, repeat): &(&str, &str, u32), side: &str) -> String {
    format!("only {side} has split {split}, id {id}, repeat {repeat}")
}

fn index<'r>(rows: &'r [ScoreRow], side: &str) -> Result<BTreeMap<(&'r str, &'r str, u32), &'r ScoreRow>> {
    let mut index = BTreeMap::new();
    for row in rows {
        if index.insert(row.key(), row).is_some() {
            let (split, id, repeat) = row.key();
            return Err(Error::Unmatched(format!(
                "{side} has split {split}, id {id}, repeat {repeat} twice"
            )));
        }
    }
    Ok(index)
}

fn compare(split: &str, pairs: &[Pair<'_>], seed: Seed) -> Result<Comparison> {
    let column = |of: &dyn Fn(&Pair<'_>) -> f64| pairs.iter().map(of).collect::<Vec<f64>>();
    let (first_a, first_b) =
        (column(&|p| f64::from(p.0.correct_first)), column(&|p| f64::from(p.1.correct_first)));
    let (last_a, last_b) = (column(&|p| f64::from(p.0.correct)), column(&|p| f64::from(p.1.correct)));
    let gain = |last: &[f64], first: &[f64]| last.iter().zip(first).map(|(l, f)| l - f).collect::<Vec<f64>>();
    let (gain_a, gain_b) = (gain(&last_a, &first_a), gain(&last_b, &first_b));
    let difference = |a: &[f64], b: &[f64], what: &str| {
        let seed = seed.derive(&format!("{split}\0{what}"), 0);
        paired_difference(a, b, seed).ok_or_else(|| Error::Unmatched("there is no pair".into()))
    };
    let share = |right: &dyn Fn(&Pair<'_>) -> bool| {
        let right = pairs.iter().filter(|p| right(p)).count();
        wilson(right, pairs.len()).ok_or_else(|| Error::Unmatched("there is no pair".into()))
    };
    Ok(Comparison {
        split: split.to_owned(),
        n: pairs.len(),
        a: share(&|p| p.0.correct)?,
        b: share(&|p| p.1.correct)?,
        only_a: pairs.iter().filter(|p| p.0.correct && !p.1.correct).count(),
        only_b: pairs.iter().filter(|p| !p.0.correct && p.1.correct).count(),
        diff: difference(&last_a, &last_b, "diff")?,
        delta_ref: DeltaRef {
            a: difference(&first_a, &last_a, "delta_ref a")?,
            b: difference(&first_b, &last_b, "delta_ref b")?,
            diff: difference(&gain_a, &gain_b, "delta_ref diff")?,
        },
    })
}
