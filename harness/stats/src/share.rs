//! Intervals of one share and of weighted sums of independent shares.
//!
//! - Wilson: the score interval without continuity correction (E. B. Wilson, JASA 22, 1927, 209-212). Its
//!   coverage is 95 % on average and less at single points: 92.2 % at n = 50 and a true share of 0.02.
//! - Clopper-Pearson: both one-sided binomial tests turned into limits (Biometrika 26, 1934, 404-413). It covers
//!   at least its level everywhere, at the price of width.
//! - [`weighted_shares`]: the square-and-add limits of Newcombe (Statistics in Medicine 17, 1998, 873-890,
//!   method 10) for any weights (Zou and Donner, Statistics in Medicine 27, 2008, 1693-1702).

use crate::special::{bisect, z_of};
use crate::{binomial, Estimate};

/// `successes` out of `n` with the 95 % Wilson interval; `None` without trials.
///
/// # Panics
/// If there are more successes than trials.
#[must_use]
pub fn wilson(successes: usize, n: usize) -> Option<Estimate> {
    wilson_at(successes, n, 0.95)
}

/// `successes` out of `n` with the Wilson interval of any level; `None` without trials.
///
/// Limits: (p + z²/2n ± z·sqrt(p(1 − p)/n + z²/4n²)) / (1 + z²/n).
///
/// # Panics
/// If there are more successes than trials, or the level is not between 0 and 1.
#[must_use]
pub fn wilson_at(successes: usize, n: usize, level: f64) -> Option<Estimate> {
    assert!(successes <= n, "{successes} successes in {n} trials");
    if n == 0 {
        return None;
    }
    let z = z_of(level);
    let trials = n as f64;
    let share = successes as f64 / trials;
    let scale = 1.0 + z * z / trials;
    let centre = (share + z * z / (2.0 * trials)) / scale;
    let half = z / scale * (share * (1.0 - share) / trials + z * z / (4.0 * trials * trials)).sqrt();
    // At 0 and n the exact ends are 0 and 1; rounding must not push them past.
    let ci_low = if successes == 0 { 0.0 } else { (centre - half).max(0.0) };
    let ci_high = if successes == n { 1.0 } else { (centre + half).min(1.0) };
    Some(Estimate { value: share, ci_low, ci_high })
}

/// `successes` out of `n` with the exact (Clopper-Pearson) interval; `None` without trials.
///
/// The lower limit is the share at which so many successes or more have the chance (1 − level)/2, the upper one
/// that at which so many or fewer have it.
///
/// # Panics
/// If there are more successes than trials, or the level is not between 0 and 1.
#[must_use]
pub fn clopper_pearson(successes: usize, n: usize, level: f64) -> Option<Estimate> {
    assert!(successes <= n, "{successes} successes in {n} trials");
    assert!(level > 0.0 && level < 1.0, "a level lies between 0 and 1, not {level}");
    if n == 0 {
        return None;
    }
    let value = successes as f64 / n as f64;
    let ci_low = exact_low(successes, n, level);
    let ci_high = 1.0 - exact_low(n - successes, n, level);
    Some(Estimate { value, ci_low, ci_high })
}

/// Lower Clopper-Pearson limit.
fn exact_low(successes: usize, n: usize, level: f64) -> f64 {
    let tail = (1.0 - level) / 2.0;
    if successes == 0 {
        return 0.0;
    }
    if successes == n {
        return tail.powf(1.0 / n as f64);
    }
    let reaches = |share: f64| {
        let split = binomial::split(n, share, successes);
        split.at + split.above
    };
    bisect(0.0, successes as f64 / n as f64, |share| reaches(share) < tail)
}

/// One independent share in a weighted sum.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Weighted {
    /// Its factor; may be negative.
    pub weight: f64,
    /// Successes.
    pub successes: usize,
    /// Trials.
    pub n: usize,
}

/// Σ weight·share over independent samples with its interval; `None` where a sample is empty or there is none.
///
/// Lower limit: the sum − sqrt(Σ (weight·(share − limit))²), each limit the Wilson one on the side that lowers
/// the sum; the upper likewise. With weights 1 and −1 this is Newcombe's interval for two independent shares.
///
/// # Panics
/// If a sample has more successes than trials, or the level is not between 0 and 1.
#[must_use]
pub fn weighted_shares(parts: &[Weighted], level: f64) -> Option<Estimate> {
    let (mut value, mut below, mut above) = (0.0, 0.0, 0.0);
    for part in parts {
        let share = wilson_at(part.successes, part.n, level)?;
        value += part.weight * share.value;
        let (down, up) = (share.value - share.ci_low, share.ci_high - share.value);
        let (down, up) = if part.weight < 0.0 { (up, down) } else { (down, up) };
        below += (part.weight * down).powi(2);
        above += (part.weight * up).powi(2);
    }
    (!parts.is_empty()).then(|| Estimate {
        value,
        ci_low: value - below.sqrt(),
        ci_high: value + above.sqrt(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        // Newcombe, Statistics in Medicine 17 (1998) 857-872, table I: methods 3 (Wilson) and 5 (Clopper-Pearson).
        for (successes, n, score, exact) in [
            (81, 263, [0.2553, 0.3662], [0.2527, 0.3676]),
            (15, 148, [0.0624, 0.1605], [0.0578, 0.1617]),
            (0, 20, [0.0, 0.1611], [0.0, 0.1684]),
            (1, 29, [0.0061, 0.1718], [0.0009, 0.1776]),
        ] {
            for (found, [low, high]) in
                [(wilson(successes, n), score), (clopper_pearson(successes, n, 0.95), exact)]
            {
                let found = found.unwrap();
                assert!((found.ci_low - low).abs() < 5.1e-5, "{successes}/{n}: {found:?}");
                assert!((found.ci_high - high).abs() < 5.1e-5, "{successes}/{n}: {found:?}");
            }
        }
        // Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10: 56/70 - 48/80, 9/10 - 3/10.
        for (a, n, b, m, low, high) in [(56, 70, 48, 80, 0.0524, 0.3339), (9, 10, 3, 10, 0.1705, 0.8090)] {
            let parts =
                [Weighted { weight: 1.0, successes: a, n }, Weighted { weight: -1.0, successes: b, n: m }];
            let found = weighted_shares(&parts, 0.95).unwrap();
            assert!(
                (found.ci_low - low).abs() < 5.1e-5 && (found.ci_high - high).abs() < 5.1e-5,
                "{found:?}"
            );
        }
    }

    #[test]
    fn they_mirror_and_hold_their_value() {
        for n in 1..60 {
            for successes in 0..=n {
                for of in [wilson_at, clopper_pearson] {
                    let [a, b] = [successes, n - successes].map(|s| of(s, n, 0.9).unwrap());
                    assert!((a.ci_low - (1.0 - b.ci_high)).abs() < 1e-12);
                    let inside = a.ci_low <= a.value && a.value <= a.ci_high;
                    assert!(0.0 <= a.ci_low && inside && a.ci_high <= 1.0, "{successes}/{n}: {a:?}");
                    assert!(a.ci_high - a.ci_low > 0.0);
                }
            }
        }
    }

    #[test]
    fn large_samples_keep_their_digits() {
        // scipy.stats.binomtest(300000, 1000000).proportion_ci(.95, "exact")
        let found = clopper_pearson(300_000, 1_000_000, 0.95).unwrap();
        assert!(
            (found.ci_high - found.ci_low - 2.0 * 1.96 * (0.21f64 / 1e6).sqrt()).abs() < 2e-6,
            "{found:?}"
        );
    }

    #[test]
    fn no_trials_say_nothing() {
        assert_eq!(clopper_pearson(0, 0, 0.95), None);
        assert_eq!(weighted_shares(&[], 0.95), None);
        assert_eq!(weighted_shares(&[Weighted { weight: 1.0, successes: 0, n: 0 }], 0.95), None);
    }
}
