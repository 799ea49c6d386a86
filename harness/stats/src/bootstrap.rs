//! Percentile bootstrap of means and of paired differences (Efron 1979).

use vrrl_harness_core::Seed;

use crate::{mean, Estimate};

/// Resamples behind every interval.
pub const RESAMPLES: usize = 2000;

/// The mean with its 95 % percentile interval; `None` without data.
///
/// Constant data have an interval of zero width: they show no spread, which is not a claim that the next
/// item has none.
#[must_use]
pub fn bootstrap_mean(values: &[f64], seed: Seed) -> Option<Estimate> {
    let value = mean(values)?;
    let [ci_low, ci_high] = percentile_interval(values, 0.95, seed);
    // Summing in another order may differ in the last bit; the value lies inside its interval.
    Some(Estimate { value, ci_low: ci_low.min(value), ci_high: ci_high.max(value) })
}

/// Mean of `b[i] - a[i]` with its 95 % interval; see [`paired_difference_at`].
///
/// # Panics
/// If the lengths differ: items pair by index.
#[must_use]
pub fn paired_difference(a: &[f64], b: &[f64], seed: Seed) -> Option<Estimate> {
    paired_difference_at(a, b, 0.95, seed)
}

/// Mean of `b[i] - a[i]` with the percentile interval of the given level (such as 0.95); `None` without data.
///
/// The interval never has zero width. Where all differences are equal the resamples are too, which says that
/// none was seen, not that there is none: the interval is then widened on both sides by the largest chance
/// `1 - (α/2)^(1/n)` that an unlike item could still have at this level, times the difference of one whole
/// unit (a right against a wrong answer).
///
/// # Panics
/// If the lengths differ (items pair by index), or the level is not between 0 and 1.
#[must_use]
pub fn paired_difference_at(a: &[f64], b: &[f64], level: f64, seed: Seed) -> Option<Estimate> {
    assert_eq!(a.len(), b.len(), "items pair by index");
    assert!(level > 0.0 && level < 1.0, "a level lies between 0 and 1, not {level}");
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    let value = mean(&differences)?;
    let [mut ci_low, mut ci_high] = percentile_interval(&differences, level, seed);
    if ci_high - ci_low < 1e-12 {
        let unseen = 1.0 - ((1.0 - level) / 2.0).powf(1.0 / differences.len() as f64);
        ci_low = value - unseen;
        ci_high = value + unseen;
    }
    Some(Estimate { value, ci_low: ci_low.min(value), ci_high: ci_high.max(value) })
}

/// Percentiles of the means of [`RESAMPLES`] resamples of non-empty data.
fn percentile_interval(values: &[f64], level: f64, seed: Seed) -> [f64; 2] {
    let mut rng = seed.derive("bootstrap", values.len() as u64).rng();
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let sum: f64 = (0..values.len()).map(|_| values[rng.index(values.len())]).sum();
            sum / values.len() as f64
        })
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    [quantile(&means, tail), quantile(&means, 1.0 - tail)]
}

/// Quantile of sorted, non-empty data by linear interpolation.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
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
        let values: Vec<f64> = (0..50).map(|i| f64::from(i * i % 17)).collect();
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
    fn equal_differences_never_claim_certainty() {
        let zeros = vec![0.0; 100];
        let estimate = paired_difference(&zeros, &zeros, Seed(1)).unwrap();
        // 1 - 0.025^(1/100), the exact upper 97.5 % limit of a share never seen in 100 trials.
        assert!((estimate.ci_high - 0.036_217).abs() < 1e-5, "{estimate:?}");
        assert!((estimate.ci_low + 0.036_217).abs() < 1e-5);
        let one = paired_difference(&[0.0], &[1.0], Seed(1)).unwrap();
        assert!(one.ci_low < 0.1 && one.ci_high >= 1.0);
    }

    #[test]
    fn one_discordant_item_is_enough_for_a_width() {
        let a = vec![0.0; 500];
        let mut b = a.clone();
        b[7] = 1.0;
        let estimate = paired_difference(&a, &b, Seed(1)).unwrap();
        assert!(estimate.ci_low <= 0.002 && estimate.ci_high > 0.002);
    }
}
