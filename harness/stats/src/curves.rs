//! Numbers over turns, over shifts and over severities.

use vrrl_harness_core::Seed;

use crate::resample::{multinomial, quantile, Bits};
use crate::share::{weighted_shares, Weighted};
use crate::{bootstrap_mean, Estimate, Pairs, RESAMPLES};

/// Successes of one sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Right items.
    pub right: usize,
    /// All items.
    pub n: usize,
}

/// Area under accuracy by turn: the share of the first `turns` turns after which the standing answer is right, a
/// mean over items of a mean over turns, between 0 and 1. Each item lists whether its answer is right after turn
/// 1, 2, ...; the last one is carried forward, an empty list is an item without an answer. `None` without items or
/// turns. Interval: 95 % percentile bootstrap over items.
#[must_use]
pub fn area_by_turn<T: AsRef<[bool]>>(items: &[T], turns: usize, seed: Seed) -> Option<Estimate> {
    let area = |item: &[bool]| {
        let right = (0..turns).filter(|t| item.get(*t).or(item.last()) == Some(&true)).count();
        right as f64 / turns as f64
    };
    let areas: Vec<f64> = items.iter().map(|item| area(item.as_ref())).collect();
    (turns > 0).then(|| bootstrap_mean(&areas, seed.derive("area by turn", turns as u64))).flatten()
}

/// In-distribution accuracy − the plain mean of out-of-distribution ones, with Newcombe's interval for independent
/// samples ([`weighted_shares`]). `None` where a sample is empty or there is none out of distribution.
#[must_use]
pub fn gap(id: Share, ood: &[Share], level: f64) -> Option<Estimate> {
    let weight = -1.0 / ood.len() as f64;
    let part = |weight: f64, share: &Share| Weighted { weight, successes: share.right, n: share.n };
    let parts: Vec<Weighted> =
        std::iter::once(part(1.0, &id)).chain(ood.iter().map(|s| part(weight, s))).collect();
    (!ood.is_empty()).then(|| weighted_shares(&parts, level)).flatten()
}

/// Least-squares slope of accuracy on severity, in accuracy a step, over independent samples (severity, share):
/// Σ (s − s̄)·p / Σ (s − s̄)², a weighted sum of shares with the interval of one. `None` with fewer than two
/// severities or an empty sample.
#[must_use]
pub fn severity_slope(samples: &[(f64, Share)], level: f64) -> Option<Estimate> {
    let weights = slope_weights(&samples.iter().map(|s| s.0).collect::<Vec<_>>())?;
    let part =
        |(weight, (_, share)): (f64, &(f64, Share))| Weighted { weight, successes: share.right, n: share.n };
    weighted_shares(&weights.into_iter().zip(samples).map(part).collect::<Vec<_>>(), level)
}

/// The slope where the same scenes stand at every severity: the mean of each scene's slope, resampled by scene
/// (95 % percentile bootstrap). Each scene lists whether it is right at each of the severities. `None` without
/// scenes or with fewer than two severities.
///
/// # Panics
/// If a scene's list is not as long as the severities.
#[must_use]
pub fn severity_slope_paired(severities: &[f64], scenes: &[Vec<bool>], seed: Seed) -> Option<Estimate> {
    let weights = slope_weights(severities)?;
    let slope = |scene: &Vec<bool>| {
        assert_eq!(scene.len(), weights.len(), "a scene has one outcome per severity");
        weights.iter().zip(scene).map(|(w, right)| if *right { *w } else { 0.0 }).sum()
    };
    let slopes: Vec<f64> = scenes.iter().map(slope).collect();
    bootstrap_mean(&slopes, seed.derive("severity slope", 0))
}

fn slope_weights(severities: &[f64]) -> Option<Vec<f64>> {
    let mean = crate::mean(severities)?;
    let spread: f64 = severities.iter().map(|s| (s - mean).powi(2)).sum();
    (spread > 0.0).then(|| severities.iter().map(|s| (s - mean) / spread).collect())
}

/// Mean corruption error of B against the reference A, 1 where they err alike (Hendrycks and Dietterich, ICLR
/// 2019, section 4.1, there times 100): the mean over shifts of Σ errors(B) / Σ errors(A) over the severities of
/// the shift, each a rate. `None` where a sample is empty or the reference makes no error on a shift.
#[must_use]
pub fn mean_corruption_error(shifts: &[Vec<Pairs>]) -> Option<f64> {
    let ratios: Option<Vec<f64>> = shifts
        .iter()
        .map(|severities| {
            let rate = |right: usize, n: usize| (n > 0).then(|| 1.0 - right as f64 / n as f64);
            let a: Option<f64> = severities.iter().map(|p| rate(p.right_a(), p.n())).sum();
            let b: Option<f64> = severities.iter().map(|p| rate(p.right_b(), p.n())).sum();
            a.zip(b).filter(|(a, _)| *a > 0.0).map(|(a, b)| b / a)
        })
        .collect();
    crate::mean(&ratios?)
}

/// [`mean_corruption_error`] with its 95 % paired percentile bootstrap: the items of each shift and severity are
/// resampled with what both models made of them. `None` also where the reference errs so rarely that 2.5 % of the
/// resamples hold a shift without any: no upper limit can be given.
///
/// Samples count as independent; where severities share their scenes this is an approximation.
#[must_use]
pub fn mean_corruption_error_interval(shifts: &[Vec<Pairs>], seed: Seed) -> Option<Estimate> {
    let value = mean_corruption_error(shifts)?;
    let mut bits = Bits::new(seed.derive("mce", shifts.len() as u64).rng());
    let mut drawn: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let again: Vec<Vec<Pairs>> =
                shifts.iter().map(|shift| shift.iter().map(|p| redraw(p, &mut bits)).collect()).collect();
            mean_corruption_error(&again).unwrap_or(f64::INFINITY)
        })
        .collect();
    drawn.sort_unstable_by(f64::total_cmp);
    let (ci_low, ci_high) = (quantile(&drawn, 0.025), quantile(&drawn, 0.975));
    ci_high.is_finite().then(|| Estimate { value, ci_low: ci_low.min(value), ci_high: ci_high.max(value) })
}

fn redraw(pairs: &Pairs, bits: &mut Bits) -> Pairs {
    let counts = [pairs.both, pairs.only_a, pairs.only_b, pairs.neither]
        .map(|n| u32::try_from(n).expect("fewer than 2³² items"));
    let mut drawn = [0; 4];
    let n = counts.iter().sum();
    multinomial(bits, n, &counts, n, &mut drawn);
    let [both, only_a, only_b, neither] = drawn.map(|n| n as usize);
    Pairs { both, only_a, only_b, neither }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_by_hand() {
        let items = [vec![false, true], vec![true], vec![], vec![false, false, false, true]];
        // Over 4 turns: 3/4, 1, 0, 1/4.
        let found = area_by_turn(&items, 4, Seed(1)).unwrap();
        assert!((found.value - 0.5).abs() < 1e-12 && found.ci_low < 0.5 && found.ci_high > 0.5);
        assert_eq!(area_by_turn(&items, 0, Seed(1)), None);
        assert_eq!(area_by_turn::<Vec<bool>>(&[], 4, Seed(1)), None);
    }

    #[test]
    fn gaps_and_slopes_by_hand() {
        let share = |right| Share { right, n: 100 };
        let found = gap(share(90), &[share(60), share(40)], 0.95).unwrap();
        assert!((found.value - 0.4).abs() < 1e-12);
        // Standard error sqrt(.9·.1/100 + (.24 + .24)/400) = .0458.
        assert!((found.ci_high - found.ci_low - 2.0 * 1.96 * 0.0458).abs() < 0.01, "{found:?}");
        assert_eq!(gap(share(1), &[], 0.95), None);
        assert_eq!(gap(share(1), &[Share { right: 0, n: 0 }], 0.95), None);
        let falling: Vec<(f64, Share)> =
            (0..6).map(|s| (f64::from(s), share(90 - 10 * s as usize))).collect();
        let slope = severity_slope(&falling, 0.95).unwrap();
        assert!((slope.value + 0.1).abs() < 1e-12 && slope.ci_low < -0.1 && slope.ci_high < 0.0);
        assert_eq!(severity_slope(&falling[..1], 0.95), None);
    }

    #[test]
    fn shared_scenes_narrow_the_slope() {
        // Half of the scenes are easy at every severity, but some of those fail at the last two.
        let right = |i: usize, s: usize| i.is_multiple_of(2) && !(s >= 4 && i.is_multiple_of(8));
        let scenes: Vec<Vec<bool>> = (0..120).map(|i| (0..6).map(|s| right(i, s)).collect()).collect();
        let severities: Vec<f64> = (0..6).map(f64::from).collect();
        let paired = severity_slope_paired(&severities, &scenes, Seed(1)).unwrap();
        let count = |s: usize| (0..120).filter(|i| right(*i, s)).count();
        let shares: Vec<(f64, Share)> =
            (0..6).map(|s| (s as f64, Share { right: count(s), n: 120 })).collect();
        let apart = severity_slope(&shares, 0.95).unwrap();
        assert!((paired.value - apart.value).abs() < 1e-12);
        assert!(paired.ci_high - paired.ci_low < apart.ci_high - apart.ci_low, "{paired:?} {apart:?}");
    }

    #[test]
    fn corruption_errors() {
        let pairs = |right_a, right_b| Pairs {
            both: 0,
            only_a: right_a,
            only_b: right_b,
            neither: 100 - right_a - right_b,
        };
        // Shift 1: (0.5 + 0.4) / (0.6 + 0.8); shift 2: 0.7 / 0.7.
        let shifts = vec![vec![pairs(40, 50), pairs(20, 60)], vec![pairs(30, 30)]];
        let value = mean_corruption_error(&shifts).unwrap();
        assert!((value - (0.9 / 1.4 + 1.0) / 2.0).abs() < 1e-12);
        let found = mean_corruption_error_interval(&shifts, Seed(1)).unwrap();
        assert!(found.ci_low < value && found.ci_high > value && found.ci_high - found.ci_low < 0.5);
        assert_eq!(mean_corruption_error(&[vec![pairs(100, 0)]]), None, "a reference without errors");
        assert_eq!(mean_corruption_error_interval(&[vec![pairs(99, 1)]], Seed(1)), None);
        assert_eq!(mean_corruption_error(&[]), None);
    }
}
