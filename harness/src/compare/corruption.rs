//! How much more B errs than A along shifts that have an order: mean corruption error.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vrrl_harness_core::{Role, Seed, TaskKind};
use vrrl_harness_stats::{mean_corruption_error, mean_corruption_error_interval, Estimate, Pairs};

use super::{Comparison, ALL};
use crate::record::{Severity, SplitInfo};

/// Mean corruption error of B with A as the reference, over the shifts of one task.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CorruptionError {
    /// Task.
    pub task: TaskKind,
    /// Errors of B over errors of A, the mean over shifts (1: both err alike), with its paired bootstrap; absent where
    /// A errs on some shift so rarely that no ratio can be given.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Estimate>,
    /// The same of each shift; without a value where A makes no error on it.
    pub shifts: Vec<ShiftError>,
}

/// Errors of B over errors of A along one shift.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ShiftError {
    /// Its name.
    pub shift: String,
    /// Severities it stands at, one a split, in order.
    pub severities: Vec<u8>,
    /// Σ errors of B / Σ errors of A over the severities, each a rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
}

/// What was found along one shift, by severity and split.
type Along<'s> = BTreeMap<(u8, &'s str), Pairs>;

/// Mean corruption error by task, over the `ood_test` splits that stand at a severity of 1 or more; a task without
/// any is left out. `splits` says what the rows of the comparison are; rows of several episodes an item do not count.
#[must_use]
pub fn corruption_errors(rows: &[Comparison], splits: &[SplitInfo], seed: Seed) -> Vec<CorruptionError> {
    // The order of tasks is that of their words.
    let mut tasks: BTreeMap<&str, (TaskKind, BTreeMap<&str, Along<'_>>)> = BTreeMap::new();
    for split in splits.iter().filter(|split| split.role == Some(Role::OodTest)) {
        let row = rows.iter().find(|row| row.split == split.name && row.split != ALL);
        let Some(task) = split.task else { continue };
        if let (Severity::Level(grade @ 1..), Some(pairs)) = (&split.severity, row.and_then(table)) {
            let (_, shifts) = tasks.entry(task.word()).or_insert((task, BTreeMap::new()));
            shifts.entry(split.shift.as_str()).or_default().insert((*grade, &split.name), pairs);
        }
    }
    tasks
        .into_values()
        .map(|(task, shifts)| {
            let tables: Vec<Vec<Pairs>> =
                shifts.values().map(|along| along.values().copied().collect()).collect();
            let one = |(shift, along): (&str, Along<'_>)| ShiftError {
                shift: shift.to_owned(),
                ratio: mean_corruption_error(&[along.values().copied().collect()]),
                severities: along.into_keys().map(|(grade, _)| grade).collect(),
            };
            let ratio = mean_corruption_error_interval(&tables, seed.derive(task.word(), 0));
            CorruptionError { task, ratio, shifts: shifts.into_iter().map(one).collect() }
        })
        .collect()
}

/// The 2×2 table of a row of one episode an item.
fn table(row: &Comparison) -> Option<Pairs> {
    row.p_mcnemar?;
    let right_a = (row.a.value * row.n as f64).round() as usize;
    let both = right_a - row.only_a;
    Some(Pairs {
        both,
        only_a: row.only_a,
        only_b: row.only_b,
        neither: row.n - both - row.only_a - row.only_b,
    })
}

/// The finding for people, a line a task.
#[must_use]
pub fn corruption_text(errors: &[CorruptionError], name_a: &str, name_b: &str) -> String {
    let line = |error: &CorruptionError| {
        let ratio = error.ratio.map_or_else(
            || "not to be had, A errs too rarely".to_owned(),
            |r| format!("{:.3} (95 % CI {:.3} to {:.3})", r.value, r.ci_low, r.ci_high),
        );
        let each: Vec<String> = error
            .shifts
            .iter()
            .map(|s| match s.ratio {
                Some(ratio) => format!("{} {ratio:.3}", s.shift),
                None => format!("{} –", s.shift),
            })
            .collect();
        format!(
            "errors of {name_b} over errors of {name_a} on shifted {}s, mean over shifts: {ratio}; {}\n",
            error.task.word(),
            each.join(", ")
        )
    };
    errors.iter().map(line).collect()
}
