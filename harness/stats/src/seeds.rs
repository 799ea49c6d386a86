//! Several training seeds: is a *method* better, or one of its checkpoints?
//!
//! Items say how well a checkpoint does; they say nothing about the next training run. A claim about a method is
//! therefore tested on one number a seed (the items of the seed averaged), by Student's paired t and by the exact
//! sign-flip permutation over seeds; a claim about a checkpoint on its items ([`crate::paired_interval`]).
//! Resampling seeds and then items (a two-level bootstrap) looks like both at once but is too liberal with few
//! seeds, since S resampled seeds vary by (S − 1)/S of what they should and normal percentiles stand where t
//! ones are due: see the simulation in `reports/statistics.md`.

use vrrl_harness_core::Seed;

use crate::resample::quantile;
use crate::special::{t_of, t_two_sided};
use crate::{mean, sign_flip, Estimate};

/// Below so many seeds a two-level bootstrap is too liberal to be used.
pub const TWO_LEVEL_FROM: usize = 10;

/// A comparison of two methods over training seeds.
#[derive(Clone, PartialEq, Debug)]
pub struct MethodComparison {
    /// Seeds.
    pub seeds: usize,
    /// Mean over seeds of B − A.
    pub value: f64,
    /// With Student's interval over seeds; `None` with one seed, or where all seeds show the same difference.
    pub diff: Option<Estimate>,
    /// Paired t test over seeds, two-sided; `None` as for `diff`.
    pub p_t: Option<f64>,
    /// Sign-flip permutation over seeds, two-sided.
    pub p_permutation: f64,
    /// Least p that the permutation can give with so many seeds, 2^(1 − seeds).
    pub p_least: f64,
    /// What the reader must know.
    pub warning: Option<String>,
}

/// The mean of one number a seed, with Student's interval over seeds; the interval is `None` with one seed, or where
/// all seeds agree to the digit. `None` without seeds.
///
/// # Panics
/// If the level is not between 0 and 1.
#[must_use]
pub fn seed_mean(by_seed: &[f64], level: f64) -> Option<(f64, Option<Estimate>)> {
    let value = mean(by_seed)?;
    let n = by_seed.len() as f64;
    let half = standard_error(by_seed, value).map(|error| t_of(level, n - 1.0) * error);
    Some((value, half.map(|half| Estimate { value, ci_low: value - half, ci_high: value + half })))
}

/// Standard error of the mean over seeds; `None` where the seeds say nothing about it.
fn standard_error(by_seed: &[f64], value: f64) -> Option<f64> {
    let n = by_seed.len() as f64;
    let squares: f64 = by_seed.iter().map(|x| (x - value).powi(2)).sum();
    (by_seed.len() > 1 && squares > 1e-24).then(|| (squares / (n - 1.0) / n).sqrt())
}

/// Compares methods by one difference a seed (B − A, items averaged within the seed); `None` without seeds.
///
/// # Panics
/// If the level is not between 0 and 1.
#[must_use]
pub fn compare_methods(by_seed: &[f64], level: f64, seed: Seed) -> Option<MethodComparison> {
    let (value, diff) = seed_mean(by_seed, level)?;
    let seeds = by_seed.len();
    let error = standard_error(by_seed, value);
    let p_least = 0.5f64.powi(seeds as i32 - 1);
    let warning = if seeds == 1 {
        Some("one training seed: nothing can be said about the method, only about this checkpoint".into())
    } else if p_least > 1.0 - level {
        Some(format!(
            "{seeds} training seeds: a permutation test cannot give a p below {p_least}; the t test leans on \
             normal differences"
        ))
    } else {
        None
    };
    Some(MethodComparison {
        seeds,
        value,
        diff,
        p_t: error.map(|e| t_two_sided(value / e, seeds as f64 - 1.0).max(f64::MIN_POSITIVE)),
        p_permutation: sign_flip(by_seed, seed)?.p,
        p_least,
        warning,
    })
}

/// A two-level bootstrap of a method's difference.
#[derive(Clone, PartialEq, Debug)]
pub struct TwoLevel {
    /// Mean over seeds of the mean over items, with its percentile interval.
    pub estimate: Estimate,
    /// Why not to trust it: set below [`TWO_LEVEL_FROM`] seeds.
    pub warning: Option<String>,
}

/// Resamples seeds, then items within each; `by_seed` lists each seed's item differences. `None` where a seed has
/// no item or there is no seed. Given for comparison with others' numbers: prefer [`compare_methods`].
///
/// # Panics
/// If the level is not between 0 and 1, or there are no resamples.
#[must_use]
pub fn two_level_bootstrap(
    by_seed: &[Vec<f64>],
    level: f64,
    resamples: usize,
    seed: Seed,
) -> Option<TwoLevel> {
    assert!(level > 0.0 && level < 1.0 && resamples > 0, "a level between 0 and 1, and resamples");
    let means: Option<Vec<f64>> = by_seed.iter().map(|items| mean(items)).collect();
    let value = mean(&means?)?;
    let mut rng = seed.derive("two-level bootstrap", by_seed.len() as u64).rng();
    let mut drawn: Vec<f64> = (0..resamples)
        .map(|_| {
            let total: f64 = (0..by_seed.len())
                .map(|_| {
                    let items = rng.choose(by_seed).as_slice();
                    (0..items.len()).map(|_| items[rng.index(items.len())]).sum::<f64>() / items.len() as f64
                })
                .sum();
            total / by_seed.len() as f64
        })
        .collect();
    drawn.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    let (low, high) = (quantile(&drawn, tail), quantile(&drawn, 1.0 - tail));
    let warning = (by_seed.len() < TWO_LEVEL_FROM).then(|| {
        format!(
            "{} training seeds: a two-level bootstrap is too liberal below {TWO_LEVEL_FROM}; test the seeds' \
             means",
            by_seed.len()
        )
    });
    Some(TwoLevel { estimate: Estimate { value, ci_low: low.min(value), ci_high: high.max(value) }, warning })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_seeds() {
        // scipy.stats.ttest_1samp([.02, .05, .01, .04, .03], 0): t = 4.2426, p = 0.01324
        let found = compare_methods(&[0.02, 0.05, 0.01, 0.04, 0.03], 0.95, Seed(1)).unwrap();
        assert!((found.p_t.unwrap() - 0.013_235_5).abs() < 1e-6, "{found:?}");
        assert!((found.p_permutation - 0.0625).abs() < 1e-12 && (found.p_least - 0.0625).abs() < 1e-12);
        let diff = found.diff.unwrap();
        assert!((diff.ci_high - (0.03 + 2.776_445 * 0.015_811_39 / 5f64.sqrt())).abs() < 1e-6, "{diff:?}");
        assert!(found.warning.unwrap().contains("0.0625"));
    }

    #[test]
    fn a_mean_over_seeds_has_student_s_interval() {
        // numpy and scipy: mean .5, sd .1, t.ppf(.975, 2) = 4.302653; half = .1 / sqrt(3) * 4.302653
        let (value, interval) = seed_mean(&[0.4, 0.5, 0.6], 0.95).unwrap();
        let interval = interval.unwrap();
        assert!(
            (value - 0.5).abs() < 1e-12 && (interval.ci_high - 0.748_413_77).abs() < 1e-6,
            "{interval:?}"
        );
        assert_eq!(seed_mean(&[0.4], 0.95), Some((0.4, None)));
        assert_eq!(seed_mean(&[0.4, 0.4], 0.95), Some((0.4, None)));
        assert_eq!(seed_mean(&[], 0.95), None);
    }

    #[test]
    fn few_or_equal_seeds_are_missing_not_certain() {
        let one = compare_methods(&[0.3], 0.95, Seed(1)).unwrap();
        assert_eq!((one.diff, one.p_t, one.p_permutation), (None, None, 1.0));
        assert!(one.warning.unwrap().contains("nothing can be said"));
        let equal = compare_methods(&[0.1, 0.1, 0.1], 0.95, Seed(1)).unwrap();
        assert_eq!((equal.diff, equal.p_t), (None, None));
        assert_eq!(compare_methods(&[], 0.95, Seed(1)), None);
        let many = compare_methods(&[0.1, 0.2, 0.1, 0.3, 0.1, 0.2], 0.95, Seed(1)).unwrap();
        assert_eq!(many.warning, None);
    }

    #[test]
    fn the_two_level_bootstrap_warns() {
        let items: Vec<Vec<f64>> =
            (0..4).map(|s| (0..50).map(|i| f64::from((i + s) % 3) - 1.0).collect()).collect();
        let found = two_level_bootstrap(&items, 0.95, 2000, Seed(1)).unwrap();
        assert!(found.estimate.ci_low < found.estimate.value && found.warning.is_some());
        let many: Vec<Vec<f64>> = items.iter().cycle().take(12).cloned().collect();
        assert_eq!(two_level_bootstrap(&many, 0.95, 200, Seed(1)).unwrap().warning, None);
        assert_eq!(two_level_bootstrap(&[vec![]], 0.95, 10, Seed(1)), None);
    }
}
