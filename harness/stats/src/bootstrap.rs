//! Bootstrap intervals of means and of paired differences (Efron 1979), percentile and BCa.
//!
//! BCa (Efron, JASA 82, 1987, 171-185): the percentiles are moved by the bias z₀ of the resampled means (ties
//! count half) and the acceleration a, from the jackknife; for a mean a = Σd³ / (6 (Σd²)^1.5), d the distances
//! from the mean.

use vrrl_harness_core::Seed;

use crate::paired::{CiMethod, Difference};
use crate::resample::{quantile, Sample};
use crate::special::{normal_cdf, normal_quantile, t_of};
use crate::{mean, Estimate, Pairs};

/// Resamples behind every interval, if not said otherwise.
pub const RESAMPLES: usize = 10_000;

/// Fewest numbers other than 0 for which [`mean_difference`] resamples.
pub const BOOTSTRAP_FROM: usize = 20;

/// How percentiles become limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bootstrap {
    /// The percentiles themselves.
    Percentile,
    /// Bias-corrected and accelerated.
    Bca,
}

/// The mean with its 95 % percentile interval; `None` without data.
///
/// Constant data have an interval of zero width: they show no spread, which is not a claim that the next
/// item has none.
#[must_use]
pub fn bootstrap_mean(values: &[f64], seed: Seed) -> Option<Estimate> {
    bootstrap(values, 0.95, RESAMPLES, Bootstrap::Percentile, seed)
}

/// The mean with a bootstrap interval; `None` without data.
///
/// # Panics
/// If the level is not between 0 and 1, or there are no resamples.
#[must_use]
pub fn bootstrap(
    values: &[f64],
    level: f64,
    resamples: usize,
    kind: Bootstrap,
    seed: Seed,
) -> Option<Estimate> {
    Sample::of(values).map(|sample| interval(&sample, level, resamples, kind, seed))
}

/// Share right in B − share right in A with a paired bootstrap interval; `None` without items.
///
/// Items are resampled with what both made of them, as the counts of +1, −1 and 0. Where no item differs, or all
/// do in one way, the interval has zero width: use [`crate::paired_interval`] for a claim.
///
/// # Panics
/// If the level is not between 0 and 1, or there are no resamples.
#[must_use]
pub fn bootstrap_pairs(
    pairs: &Pairs,
    level: f64,
    resamples: usize,
    kind: Bootstrap,
    seed: Seed,
) -> Option<Difference> {
    let count = |n: usize| u32::try_from(n).expect("fewer than 2³² items");
    let (b, a) = (count(pairs.only_b), count(pairs.only_a));
    let sample = Sample::of_levels(vec![(0.0, count(pairs.n()) - a - b), (1.0, b), (-1.0, a)])?;
    let method = match kind {
        Bootstrap::Percentile => CiMethod::BootstrapPercentile,
        Bootstrap::Bca => CiMethod::BootstrapBca,
    };
    Some(Difference::new(interval(&sample, level, resamples, kind, seed), method))
}

fn interval(sample: &Sample, level: f64, resamples: usize, kind: Bootstrap, seed: Seed) -> Estimate {
    assert!(level > 0.0 && level < 1.0, "a level lies between 0 and 1, not {level}");
    assert!(resamples > 0, "an interval needs resamples");
    let value = sample.mean();
    if sample.constant() {
        return Estimate { value, ci_low: value, ci_high: value };
    }
    let seed = seed.derive("bootstrap", u64::from(sample.n));
    let mut means = sample.resampled_means(resamples, seed);
    means.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    let [low, high] = match kind {
        Bootstrap::Percentile => [tail, 1.0 - tail],
        Bootstrap::Bca => bca_shares(sample, &means, tail),
    };
    let (ci_low, ci_high) = (quantile(&means, low), quantile(&means, high));
    // Summing in another order may differ in the last bit; the value lies inside its interval.
    Estimate { value, ci_low: ci_low.min(value), ci_high: ci_high.max(value) }
}

/// Which percentiles BCa takes in place of `tail` and 1 − `tail`.
fn bca_shares(sample: &Sample, sorted: &[f64], tail: f64) -> [f64; 2] {
    let value = sample.mean();
    // Sums of few distinct values in another order may miss a tie by the last bits.
    let slack = 1e-12 * (1.0 + value.abs());
    let below = sorted.partition_point(|m| *m < value - slack);
    let at_most = sorted.partition_point(|m| *m <= value + slack);
    let share = (below + at_most) as f64 / (2 * sorted.len()) as f64;
    // No resample on one side: the last percentile is all that can be said.
    let least = 0.5 / sorted.len() as f64;
    let bias = normal_quantile(share.clamp(least, 1.0 - least));
    let acceleration = sample.moment(3) / (6.0 * sample.moment(2).powf(1.5));
    [tail, 1.0 - tail].map(|p| {
        let z = bias + normal_quantile(p);
        normal_cdf(bias + z / (1.0 - acceleration * z))
    })
}

/// Mean of `b[i] − a[i]` with its 95 % interval; see [`paired_difference_at`].
///
/// # Panics
/// If the lengths differ: items pair by index.
#[must_use]
pub fn paired_difference(a: &[f64], b: &[f64], seed: Seed) -> Option<Difference> {
    paired_difference_at(a, b, 0.95, seed)
}

/// Mean of `b[i] − a[i]` with the interval of the given level (such as 0.95), never of zero width; `None` without
/// data.
///
/// Right-or-wrong data (only 0 and 1) take [`crate::paired_interval`], others [`mean_difference`].
///
/// # Panics
/// If the lengths differ (items pair by index), or the level is not between 0 and 1.
#[must_use]
pub fn paired_difference_at(a: &[f64], b: &[f64], level: f64, seed: Seed) -> Option<Difference> {
    assert_eq!(a.len(), b.len(), "items pair by index");
    let bit =
        |x: f64| if x.total_cmp(&1.0).is_eq() { Some(true) } else { (x.abs() < 1e-300).then_some(false) };
    let binary: Option<Vec<(bool, bool)>> = a.iter().zip(b).map(|(a, b)| bit(*a).zip(bit(*b))).collect();
    if let Some(outcomes) = binary {
        return crate::paired_interval(&Pairs::count(outcomes), level);
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    mean_difference(&differences, level, seed)
}

/// Mean of one difference an item with an interval that is never of zero width; `None` without data.
///
/// The percentile bootstrap where at least [`BOOTSTRAP_FROM`] differences are not 0. Below, and where all are
/// equal, Student's t interval after adding one item of +1 and one of −1 (what Bonett and Price, Statistics in
/// Medicine 31, 2012, 479-488, do to a 2×2 table): what was seen on few items is no proof that there is nothing
/// else. So differences must be in units where 1 is a whole item, such as a right against a wrong answer.
///
/// # Panics
/// If the level is not between 0 and 1.
#[must_use]
pub fn mean_difference(differences: &[f64], level: f64, seed: Seed) -> Option<Difference> {
    let sample = Sample::of(differences)?;
    let moved = differences.iter().filter(|d| d.abs() > 1e-12).count();
    if moved >= BOOTSTRAP_FROM && !sample.constant() {
        let estimate = interval(&sample, level, RESAMPLES, Bootstrap::Percentile, seed);
        return Some(Difference::new(estimate, CiMethod::BootstrapPercentile));
    }
    let value = sample.mean();
    let padded: Vec<f64> = differences.iter().copied().chain([1.0, -1.0]).collect();
    let centre = mean(&padded)?;
    let n = padded.len() as f64;
    let squares: f64 = padded.iter().map(|d| (d - centre).powi(2)).sum();
    let half = t_of(level, n - 1.0) * (squares / (n - 1.0) / n).sqrt();
    let estimate =
        Estimate { value, ci_low: (centre - half).min(value), ci_high: (centre + half).max(value) };
    Some(Difference::new(estimate, CiMethod::AdjustedT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_sample_agrees_with_the_normal_interval() {
        // Mean of 0..1000 is 499.5, standard error 288.675 / sqrt(1000) = 9.129.
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let estimate = bootstrap_mean(&values, Seed(1)).unwrap();
        assert!((estimate.value - 499.5).abs() < 1e-9);
        assert!((estimate.ci_low - (499.5 - 1.96 * 9.129)).abs() < 1.5, "{estimate:?}");
        assert!((estimate.ci_high - (499.5 + 1.96 * 9.129)).abs() < 1.5, "{estimate:?}");
    }

    #[test]
    fn equal_seeds_give_equal_intervals() {
        let values: Vec<f64> = (0..500).map(|i| f64::from(i * i % 177)).collect();
        assert_eq!(bootstrap_mean(&values, Seed(3)), bootstrap_mean(&values, Seed(3)));
        assert_ne!(bootstrap_mean(&values, Seed(3)), bootstrap_mean(&values, Seed(4)));
    }

    #[test]
    fn pairing_removes_what_items_share() {
        // b is always 0.1 above a, while the items differ widely: the paired interval is narrow.
        let a: Vec<f64> = (0..200).map(|i| f64::from(i % 10)).collect();
        let b: Vec<f64> = a.iter().enumerate().map(|(i, x)| x + 0.1 + 0.01 * (i % 3) as f64).collect();
        let estimate = paired_difference(&a, &b, Seed(1)).unwrap();
        assert!((estimate.value - 0.11).abs() < 1e-3);
        assert!(estimate.ci_high - estimate.ci_low < 0.01);
    }

    #[test]
    fn resampled_pairs_agree_with_resampled_items() {
        let pairs = Pairs { both: 600, only_a: 40, only_b: 90, neither: 270 };
        let items: Vec<f64> =
            [(0.0, 870), (-1.0, 40), (1.0, 90)].iter().flat_map(|&(v, n)| vec![v; n]).collect();
        for kind in [Bootstrap::Percentile, Bootstrap::Bca] {
            let counts = bootstrap_pairs(&pairs, 0.95, 50_000, kind, Seed(1)).unwrap();
            let each = bootstrap(&items, 0.95, 50_000, kind, Seed(1)).unwrap();
            assert_eq!(counts.estimate(), each, "one algorithm");
            // Normal approximation: sqrt((0.13 - 0.05²) / 1000) = 0.01129.
            assert!((each.ci_low - (0.05 - 1.96 * 0.01129)).abs() < 1e-3, "{each:?}");
            assert!((each.ci_high - (0.05 + 1.96 * 0.01129)).abs() < 1e-3, "{each:?}");
        }
    }

    #[test]
    fn bca_of_a_skewed_sample() {
        // scipy.stats.bootstrap of the same numbers; see tests/reference.py.
        let values: Vec<f64> = (0..60).map(|i| f64::from(i * i * i) / 1000.0).collect();
        let percentile = bootstrap(&values, 0.95, 100_000, Bootstrap::Percentile, Seed(1)).unwrap();
        let bca = bootstrap(&values, 0.95, 100_000, Bootstrap::Bca, Seed(1)).unwrap();
        assert!(bca.ci_low > percentile.ci_low && bca.ci_high > percentile.ci_high, "{bca:?} {percentile:?}");
    }

    #[test]
    fn equal_differences_never_claim_certainty() {
        let zeros = vec![0.0; 100];
        let estimate = paired_difference(&zeros, &zeros, Seed(1)).unwrap();
        assert!((estimate.ci_high - 0.036_217).abs() < 1e-5, "{estimate:?}");
        let one = paired_difference(&[0.0], &[1.0], Seed(1)).unwrap();
        assert!(one.ci_low < 0.1 && one.ci_high >= 1.0);
        let gains = mean_difference(&[0.0; 100], 0.95, Seed(1)).unwrap();
        assert!(gains.ci_low < -0.02 && gains.ci_high > 0.02, "{gains:?}");
        let equal = mean_difference(&[1.0; 100], 0.95, Seed(1)).unwrap();
        assert!(equal.ci_low < 0.99 && equal.ci_high >= 1.0, "{equal:?}");
    }

    #[test]
    fn one_discordant_item_is_enough_for_a_width() {
        let a = vec![0.0; 500];
        let mut b = a.clone();
        b[7] = 1.0;
        let estimate = paired_difference(&a, &b, Seed(1)).unwrap();
        assert!(estimate.ci_low <= 0.002 && estimate.ci_high > 0.002);
    }

    #[test]
    fn no_data_say_nothing() {
        assert_eq!(mean_difference(&[], 0.95, Seed(1)), None);
        assert_eq!(bootstrap_pairs(&Pairs::default(), 0.95, 10, Bootstrap::Bca, Seed(1)), None);
    }
}
