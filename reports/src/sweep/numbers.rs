//! From runs to means, intervals and paired differences over seeds.

use vrrl_harness::SplitSummary;
use vrrl_harness_core::{Role, Seed};
use vrrl_harness_stats::{compare_methods, holm, mean, seed_mean};

use super::{Figures, Level, Ood, Read, SplitLevel, SweepInputRow, SweepRow, Versus};

/// Confidence of the intervals over seeds.
const LEVEL: f64 = 0.95;

/// What is asked of a split.
type Pick = fn(&SplitSummary) -> Option<f64>;
const ACCURACY: Pick = |s| s.accuracy.map(|e| e.value);
const FIRST: Pick = |s| s.first_accuracy.map(|e| e.value);
const DELTA: Pick = |s| s.delta_ref.map(|e| e.value);
const TURNS: Pick = |s| s.turns_mean.map(|e| e.value);

const SHARE: (f64, f64) = (0.0, 1.0);
const GAIN: (f64, f64) = (-1.0, 1.0);
const COUNT: (f64, f64) = (0.0, f64::INFINITY);
/// Differences of gains.
const FREE: (f64, f64) = (-2.0, 2.0);

/// The two groups of splits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Dev,
    Test,
}

impl Which {
    fn holds(self, role: Option<Role>) -> bool {
        let dev = matches!(role, Some(Role::IdVal | Role::OodVal));
        dev == (self == Self::Dev)
    }
}

fn is_ood(role: Option<Role>) -> bool {
    matches!(role, Some(Role::OodVal | Role::OodTest))
}

/// The rows of one decoding, with what they have against the base row.
pub(super) fn rows(
    decoding: &str,
    variants: &[(&SweepInputRow, Vec<Read>)],
    base: Option<&str>,
) -> Vec<SweepRow> {
    let against = variants.iter().find(|(row, _)| base == Some(row.name.as_str())).map(|(_, runs)| &runs[..]);
    let mut rows: Vec<SweepRow> = Vec::new();
    for (input, runs) in variants {
        let against = against.filter(|_| base != Some(input.name.as_str()));
        let seeds: Vec<u64> = runs.iter().map(|run| run.seed).collect();
        rows.push(SweepRow {
            name: input.name.clone(),
            method: input.method.clone(),
            decoding: decoding.to_owned(),
            values: input.values.clone(),
            start: input.start,
            missing: input.seeds.iter().copied().filter(|seed| !seeds.contains(seed)).collect(),
            seeds,
            best_on_dev: false,
            dev: figures(runs, against, Which::Dev),
            test: figures(runs, against, Which::Test),
        });
    }
    for which in [Which::Dev, Which::Test] {
        adjust(&mut rows, which, |ood| ood.accuracy_vs_base.as_mut());
        adjust(&mut rows, which, |ood| ood.delta_ref_vs_base.as_mut());
    }
    mark(&mut rows);
    rows
}

fn figures(runs: &[Read], against: Option<&[Read]>, which: Which) -> Option<Figures> {
    let first = runs.first()?;
    let mine: Vec<_> = first.splits.iter().filter(|(_, role)| which.holds(*role)).collect();
    if mine.is_empty() {
        return None;
    }
    let splits = mine
        .iter()
        .map(|(split, role)| {
            let of = |run: &Read| {
                run.splits.iter().find(|(s, _)| s.split == split.split).and_then(|(s, _)| ACCURACY(s))
            };
            let values: Option<Vec<f64>> = runs.iter().map(of).collect();
            let accuracy = values.and_then(|values| level(&values, SHARE));
            SplitLevel { split: split.split.clone(), ood: is_ood(*role), accuracy }
        })
        .collect();
    let ood = mine.iter().any(|(_, role)| is_ood(*role)).then(|| {
        let over = |pick: Pick, range| {
            let values: Option<Vec<f64>> = runs.iter().map(|run| of_seed(run, which, pick)).collect();
            values.and_then(|values| level(&values, range))
        };
        Ood {
            accuracy: over(ACCURACY, SHARE),
            first_accuracy: over(FIRST, SHARE),
            delta_ref: over(DELTA, GAIN),
            turns_mean: over(TURNS, COUNT),
            accuracy_vs_base: against.and_then(|base| versus(runs, base, which, ACCURACY, GAIN)),
            delta_ref_vs_base: against.and_then(|base| versus(runs, base, which, DELTA, FREE)),
        }
    });
    Some(Figures { splits, ood })
}

/// One number a seed: the mean over the group's splits out of distribution; `None` if one of them lacks it.
fn of_seed(run: &Read, which: Which, pick: Pick) -> Option<f64> {
    let splits = run.splits.iter().filter(|(_, role)| which.holds(*role) && is_ood(*role));
    let values: Option<Vec<f64>> = splits.map(|(split, _)| pick(split)).collect();
    mean(&values?)
}

fn level(values: &[f64], (low, high): (f64, f64)) -> Option<Level> {
    let (value, interval) = seed_mean(values, LEVEL)?;
    Some(Level {
        value,
        ci_low: interval.map(|e| e.ci_low.max(low)),
        ci_high: interval.map(|e| e.ci_high.min(high)),
    })
}

/// Seeds that both have, paired.
fn versus(runs: &[Read], base: &[Read], which: Which, pick: Pick, range: (f64, f64)) -> Option<Versus> {
    let mut pairs = Vec::new();
    for run in runs {
        let Some(other) = base.iter().find(|other| other.seed == run.seed) else { continue };
        pairs.push((run.seed, of_seed(run, which, pick)? - of_seed(other, which, pick)?));
    }
    let (seeds, by_seed): (Vec<u64>, Vec<f64>) = pairs.into_iter().unzip();
    let found = compare_methods(&by_seed, LEVEL, Seed(0))?;
    Some(Versus {
        level: level(&by_seed, range)?,
        p_t: found.p_t,
        p_holm: None,
        p_permutation: found.p_permutation,
        seeds,
        by_seed,
    })
}

fn group(row: &mut SweepRow, which: Which) -> Option<&mut Figures> {
    match which {
        Which::Dev => row.dev.as_mut(),
        Which::Test => row.test.as_mut(),
    }
}

/// Adjusts the t tests of one column by Holm's method.
fn adjust(rows: &mut [SweepRow], which: Which, of: fn(&mut Ood) -> Option<&mut Versus>) {
    let mut tested: Vec<&mut Versus> = rows
        .iter_mut()
        .filter(|row| !row.start)
        .filter_map(|row| of(group(row, which)?.ood.as_mut()?))
        .filter(|versus| versus.p_t.is_some())
        .collect();
    let raw: Vec<f64> = tested.iter().filter_map(|versus| versus.p_t).collect();
    for (versus, p) in tested.iter_mut().zip(holm(&raw)) {
        versus.p_holm = Some(p);
    }
}

/// Marks the row of highest accuracy out of distribution on development splits, if there is one.
fn mark(rows: &mut [SweepRow]) {
    let accuracy = |row: &SweepRow| Some(row.dev.as_ref()?.ood.as_ref()?.accuracy?.value);
    let complete = rows.iter().enumerate().filter(|(_, row)| row.missing.is_empty() && !row.start);
    let mut ranked: Vec<(usize, f64)> = complete.filter_map(|(i, row)| Some((i, accuracy(row)?))).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    if let [(best, first), (_, second), ..] = ranked[..] {
        // Of equals none is best.
        rows[best].best_on_dev = first - second > 1e-12;
    }
}
