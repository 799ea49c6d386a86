//! Intervals of the difference of two shares that were measured on the same items.
//!
//! All are for share(B) − share(A); b and c stand for the items that only B and only A has right.
//!
//! - Newcombe's paired interval (Statistics in Medicine 17, 1998, 2635-2650, method 10): Wilson limits of both
//!   shares, squared and added, less what their correlation φ explains (φ with a continuity correction).
//! - Tango's score interval (Statistics in Medicine 17, 1998, 891-908): all differences δ that the score test
//!   does not reject, T(δ) = (b − c − nδ) / sqrt(n(2q + δ(1 − δ))), q the likeliest share of "only A" given δ.
//! - The small-sample one: exact (Clopper-Pearson) limits of both one-sided shares, squared and added.
//!
//! [`paired_interval`] chooses between the last two by how many items differ and agree; `reports/statistics.md` has
//! their coverage.

use serde::{Deserialize, Serialize};

use crate::share::{clopper_pearson, wilson_at};
use crate::special::{bisect, z_of};
use crate::{Estimate, Pairs};

/// Fewest differing items for which the score interval is used; below, see [`small_sample`]. With 16 the coverage stays
/// within 93.5 and 97.5 % wherever ten or more are expected to differ, and above 95.9 % where fewer are.
pub const SCORE_FROM: usize = 16;

/// Fewest agreeing items for which the score interval is used alone; below, the limits are the outer ones of it and of
/// the small-sample interval. Alone it would cover 91 % where nearly all items differ, all one way.
pub const AGREE_FROM: usize = 6;

/// How an interval of a paired difference was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CiMethod {
    /// Tango's score interval.
    TangoScore,
    /// Square-and-add of Clopper-Pearson limits: few items differ.
    SmallSample,
    /// The outer limits of both: few items agree.
    ScoreAndSmallSample,
    /// Newcombe's square-and-add of Wilson limits with correlation.
    NewcombePaired,
    /// Percentiles of resampled means.
    BootstrapPercentile,
    /// Bias-corrected and accelerated percentiles of resampled means.
    BootstrapBca,
    /// Student t with one pseudo-item of +1 and one of −1: few items differ.
    AdjustedT,
    /// Exact limits of one share.
    ClopperPearson,
}

impl CiMethod {
    /// Name in a sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::TangoScore => "Tango's paired score interval",
            Self::SmallSample => "square-and-add of Clopper-Pearson limits, as few items differ",
            Self::ScoreAndSmallSample => {
                "the outer limits of Tango's score interval and of square-and-add, as few items agree"
            }
            Self::NewcombePaired => "Newcombe's paired interval",
            Self::BootstrapPercentile => "paired percentile bootstrap",
            Self::BootstrapBca => "paired BCa bootstrap",
            Self::AdjustedT => "adjusted t interval, as few items differ",
            Self::ClopperPearson => "exact (Clopper-Pearson) interval of a share",
        }
    }
}

/// A difference with its interval and how that was made.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Difference {
    /// B − A.
    pub value: f64,
    /// Lower end.
    pub ci_low: f64,
    /// Upper end.
    pub ci_high: f64,
    /// What made the interval.
    pub ci_method: CiMethod,
}

impl Difference {
    pub(crate) fn new(estimate: Estimate, ci_method: CiMethod) -> Self {
        let Estimate { value, ci_low, ci_high } = estimate;
        Self { value, ci_low, ci_high, ci_method }
    }

    /// Without the method.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        Estimate { value: self.value, ci_low: self.ci_low, ci_high: self.ci_high }
    }
}

/// The default interval of a paired difference, never of zero width; `None` without items.
///
/// [`tango`] where at least [`SCORE_FROM`] items differ, else [`small_sample`]; the outer limits of both where fewer
/// than [`AGREE_FROM`] agree.
///
/// # Panics
/// If the level is not between 0 and 1.
#[must_use]
pub fn paired_interval(pairs: &Pairs, level: f64) -> Option<Difference> {
    if pairs.differing() < SCORE_FROM {
        return small_sample(pairs, level).map(|e| Difference::new(e, CiMethod::SmallSample));
    }
    let score = tango(pairs, level)?;
    if pairs.n() - pairs.differing() >= AGREE_FROM {
        return Some(Difference::new(score, CiMethod::TangoScore));
    }
    let small = small_sample(pairs, level)?;
    let (ci_low, ci_high) = (score.ci_low.min(small.ci_low), score.ci_high.max(small.ci_high));
    Some(Difference::new(Estimate { ci_low, ci_high, ..score }, CiMethod::ScoreAndSmallSample))
}

/// Tango's score interval; `None` without items.
///
/// # Panics
/// If the level is not between 0 and 1.
#[must_use]
pub fn tango(pairs: &Pairs, level: f64) -> Option<Estimate> {
    let z = z_of(level);
    let value = pairs.difference()?;
    let ci_low = bisect(-1.0, value, |delta| score(pairs, delta) > z);
    let ci_high = bisect(value, 1.0, |delta| score(pairs, delta) > -z);
    Some(Estimate { value, ci_low, ci_high })
}

/// Tango's T(δ), falling in δ.
fn score(pairs: &Pairs, delta: f64) -> f64 {
    let (n, b, c) = (pairs.n() as f64, pairs.only_b as f64, pairs.only_a as f64);
    let rest = b - c - n * delta;
    // 2n·q² + half·q − c·δ(1 − δ) = 0 is where the likelihood given δ is largest.
    let half = (2.0 * n - b + c) * delta - b - c;
    let root = (half * half + 8.0 * n * c * delta * (1.0 - delta)).max(0.0).sqrt();
    let q = ((root - half) / (4.0 * n)).max(0.0);
    let variance = n * (2.0 * q + delta * (1.0 - delta));
    if variance > 0.0 {
        rest / variance.sqrt()
    } else if rest.abs() < 1e-12 {
        0.0
    } else {
        rest.signum() * f64::INFINITY
    }
}

/// Newcombe's paired interval; `None` without items.
///
/// # Panics
/// If the level is not between 0 and 1.
#[must_use]
pub fn newcombe_paired(pairs: &Pairs, level: f64) -> Option<Estimate> {
    let n = pairs.n();
    let value = pairs.difference()?;
    let (a, b) = (wilson_at(pairs.right_a(), n, level)?, wilson_at(pairs.right_b(), n, level)?);
    let phi = correlation(pairs);
    let reach = |up: f64, down: f64| (up * up - 2.0 * phi * up * down + down * down).max(0.0).sqrt();
    let ci_low = value - reach(b.value - b.ci_low, a.ci_high - a.value);
    let ci_high = value + reach(b.ci_high - b.value, a.value - a.ci_low);
    Some(Estimate { value, ci_low, ci_high })
}

/// φ of the 2×2 table, a positive one with continuity correction; 0 where a margin is empty.
fn correlation(pairs: &Pairs) -> f64 {
    let n = pairs.n();
    let margins = [pairs.right_a(), n - pairs.right_a(), pairs.right_b(), n - pairs.right_b()];
    if margins.contains(&0) {
        return 0.0;
    }
    let product = |x: usize, y: usize| x as f64 * y as f64;
    let excess = product(pairs.both, pairs.neither) - product(pairs.only_a, pairs.only_b);
    let half = n as f64 / 2.0;
    let corrected = if excess > half { excess - half } else { excess.min(0.0) };
    corrected / margins.iter().map(|m| *m as f64).product::<f64>().sqrt()
}

/// Exact limits of the shares of "only B" and "only A", squared and added; `None` without items.
///
/// With no item that differs it reaches 1 − (α/2)^(1/n) to both sides: the largest share never seen in n items.
///
/// # Panics
/// If the level is not between 0 and 1.
#[must_use]
pub fn small_sample(pairs: &Pairs, level: f64) -> Option<Estimate> {
    let n = pairs.n();
    let value = pairs.difference()?;
    let (a, b) = (clopper_pearson(pairs.only_a, n, level)?, clopper_pearson(pairs.only_b, n, level)?);
    if pairs.differing() == 0 {
        return Some(Estimate { value, ci_low: -b.ci_high, ci_high: b.ci_high });
    }
    let ci_low = value - (b.value - b.ci_low).hypot(a.ci_high - a.value);
    let ci_high = value + (b.ci_high - b.value).hypot(a.value - a.ci_low);
    Some(Estimate { value, ci_low: ci_low.max(-1.0), ci_high: ci_high.min(1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables (2017), chapter 8: airways
    /// (Bentur 2009) and complete response (Cavo 2012); their difference is only_b − only_a here.
    const CAVO: Pairs = Pairs { both: 59, only_b: 6, only_a: 16, neither: 80 };

    #[test]
    fn published_examples() {
        let tango = tango(&CAVO, 0.95).unwrap();
        let newcombe = newcombe_paired(&CAVO, 0.95).unwrap();
        for (found, low, high) in [(tango, -0.1240, -0.0054), (newcombe, -0.1186, -0.0046)] {
            assert!((found.value + 0.0621).abs() < 5.1e-5);
            assert!(
                (found.ci_low - low).abs() < 5.1e-5 && (found.ci_high - high).abs() < 5.1e-5,
                "{found:?}"
            );
        }
        assert!((crate::mcnemar_midp(&CAVO).unwrap() - 0.034_690).abs() < 5e-7);
    }

    #[test]
    fn they_hold_their_value_and_turn_with_the_sides() {
        for n in [1usize, 2, 5, 12, 30] {
            for only_a in 0..=n {
                for only_b in 0..=n - only_a {
                    let left = n - only_a - only_b;
                    let pairs = Pairs { both: left / 2, only_a, only_b, neither: left - left / 2 };
                    for of in [tango, newcombe_paired, small_sample] {
                        let (forth, back) = (of(&pairs, 0.95).unwrap(), of(&pairs.swapped(), 0.95).unwrap());
                        assert!((forth.ci_low + back.ci_high).abs() < 1e-9, "{pairs:?} {forth:?} {back:?}");
                        assert!(forth.ci_low <= forth.value && forth.value <= forth.ci_high, "{pairs:?}");
                        assert!(forth.ci_low >= -1.0 - 1e-12 && forth.ci_high <= 1.0 + 1e-12, "{pairs:?}");
                    }
                    let default = paired_interval(&pairs, 0.95).unwrap();
                    assert!(default.ci_high - default.ci_low > 0.0, "{pairs:?}");
                }
            }
        }
    }

    #[test]
    fn the_default_names_its_method() {
        let few = paired_interval(&Pairs { both: 90, only_a: 3, only_b: 12, neither: 1 }, 0.95).unwrap();
        assert_eq!(few.ci_method, CiMethod::SmallSample);
        let more = paired_interval(&Pairs { both: 90, only_a: 4, only_b: 12, neither: 0 }, 0.95).unwrap();
        assert_eq!(more.ci_method, CiMethod::TangoScore);
        assert_eq!(serde_json::to_value(more).unwrap()["ci_method"], "tango_score");
        let most = paired_interval(&Pairs { both: 5, only_a: 4, only_b: 91, neither: 0 }, 0.95).unwrap();
        assert_eq!(most.ci_method, CiMethod::ScoreAndSmallSample);
        assert_eq!(paired_interval(&Pairs::default(), 0.95), None);
    }

    /// Exact coverage of the default at 50 items, of which a share `psi` differs, `way` of them right in A alone.
    fn coverage(known: &[(Pairs, Difference)], psi: f64, way: f64) -> f64 {
        let truth = psi * (1.0 - 2.0 * way);
        let log = |count: usize, share: f64| if count == 0 { 0.0 } else { count as f64 * share.ln() };
        let factorial = |n: usize| (2..=n).map(|k| (k as f64).ln()).sum::<f64>();
        known
            .iter()
            .filter(|(_, found)| (found.ci_low..=found.ci_high).contains(&truth))
            .map(|(pairs, _)| {
                let (a, b, left) = (pairs.only_a, pairs.only_b, pairs.both);
                let ways = factorial(a + b + left) - factorial(a) - factorial(b) - factorial(left);
                (ways + log(a, psi * way) + log(b, psi * (1.0 - way)) + log(left, 1.0 - psi)).exp()
            })
            .sum()
    }

    #[test]
    fn the_default_covers_what_it_says() {
        let n: usize = 50;
        let tables = (0..=n).flat_map(|a| (0..=n - a).map(move |b| (a, b)));
        let known: Vec<(Pairs, Difference)> = tables
            .map(|(only_a, only_b)| {
                let pairs = Pairs { both: n - only_a - only_b, only_a, only_b, neither: 0 };
                (pairs, paired_interval(&pairs, 0.95).unwrap())
            })
            .collect();
        for differ in 1..n {
            for way in [0.0, 0.1, 0.25, 0.5] {
                let found = coverage(&known, differ as f64 / n as f64, way);
                let most = if (10..=n - 10).contains(&differ) { 0.975 } else { 1.0 + 1e-9 };
                let least = if differ > n - 10 { 0.94 } else { 0.935 };
                assert!((least..=most).contains(&found), "{differ} of {n}, {way} one way: {found}");
            }
        }
    }

    #[test]
    fn equal_runs_are_not_certain() {
        let same = paired_interval(&Pairs { both: 40, neither: 60, ..Pairs::default() }, 0.95).unwrap();
        // 1 - 0.025^(1/100)
        assert!(
            (same.ci_high - 0.036_217).abs() < 1e-5 && (same.ci_low + 0.036_217).abs() < 1e-5,
            "{same:?}"
        );
    }
}
