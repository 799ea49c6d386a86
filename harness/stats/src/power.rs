//! How small a paired difference a number of items can show.
//!
//! δ is the difference of the two shares, ψ the share of items on which A and B differ. The formula is the
//! unconditional one of Miettinen (Biometrics 24, 1968) and Connor (Biometrics 43, 1987, 207-211):
//! sqrt(n)·δ = z₁₋α/₂·sqrt(ψ) + z_power·sqrt(ψ − δ²). At n = 250 and ψ = 0.2 it gives 7.9 points.

use crate::binomial;
use crate::special::{bisect, normal_quantile, z_of};
use crate::Pairs;

/// What a test is asked to do.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Power {
    /// Two-sided error rate.
    pub alpha: f64,
    /// Chance to find a difference that is there.
    pub power: f64,
}

/// 5 % and 80 %.
pub const USUAL: Power = Power { alpha: 0.05, power: 0.8 };

impl Power {
    /// By how much δ at ψ exceeds what n items can show; rises in δ.
    fn excess(self, n: f64, psi: f64, delta: f64) -> f64 {
        let needed = z_of(1.0 - self.alpha) * psi.sqrt()
            + normal_quantile(self.power) * (psi - delta * delta).max(0.0).sqrt();
        n.sqrt() * delta - needed
    }

    /// Smallest difference that `n` items with a share `psi` of differing ones show; `None` where no difference
    /// up to 1 would do.
    ///
    /// No difference is larger than the share of differing items. Where `psi` is too small for any difference at
    /// `n`, the answer is the difference at which all differing items point one way (ψ = δ).
    ///
    /// # Panics
    /// If `psi` is not between 0 and 1.
    #[must_use]
    pub fn mde(self, n: usize, psi: f64) -> Option<f64> {
        assert!((0.0..=1.0).contains(&psi), "a share of differing items lies between 0 and 1, not {psi}");
        let n = n as f64;
        if psi > 0.0 && self.excess(n, psi, psi) >= 0.0 {
            return Some(bisect(0.0, psi, |delta| self.excess(n, psi, delta) < 0.0));
        }
        (self.excess(n, 1.0, 1.0) >= 0.0)
            .then(|| bisect(psi, 1.0, |delta| self.excess(n, delta, delta) < 0.0))
    }

    /// [`Self::mde`] at the size and discordance of measured pairs; `None` without items, or with too few for any
    /// difference.
    #[must_use]
    pub fn mde_of(self, pairs: &Pairs) -> Option<f64> {
        let n = pairs.n();
        (n > 0).then(|| self.mde(n, pairs.differing() as f64 / n as f64)).flatten()
    }

    /// Smallest mean difference that as many items show as there are numbers here, with their spread:
    /// (z₁₋α/₂ + z_power)·sd / sqrt(n). `None` with fewer than two numbers or without spread.
    #[must_use]
    pub fn mde_of_mean(self, differences: &[f64]) -> Option<f64> {
        let mean = crate::mean(differences)?;
        let n = differences.len() as f64;
        let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
        let z = z_of(1.0 - self.alpha) + normal_quantile(self.power);
        (n > 1.0 && squares > 0.0).then(|| z * (squares / (n - 1.0) / n).sqrt())
    }

    /// Fewest items whose interval leaves a limit out, where the statistic is truly `distance` away from it and one
    /// item has this `variance`: (z₁₋α/₂ + z_power)²·variance / distance². `None` at the limit itself, which no number
    /// of items can tell from either side.
    ///
    /// For a one-sided rate give twice as much as `alpha`.
    #[must_use]
    pub fn items_away(self, distance: f64, variance: f64) -> Option<usize> {
        let needed = (self.reach(variance) / distance).powi(2).ceil();
        // Beyond this a number would be no advice.
        (needed < 1e9).then_some(needed as usize)
    }

    /// How far from a limit the truth must be for `n` items to leave the limit out, with as much variance an item:
    /// the distance at which [`Self::items_away`] is `n`.
    #[must_use]
    pub fn distance_of(self, n: usize, variance: f64) -> Option<f64> {
        (n > 0).then(|| self.reach(variance) / (n as f64).sqrt())
    }

    fn reach(self, variance: f64) -> f64 {
        (z_of(1.0 - self.alpha) + normal_quantile(self.power)) * variance.sqrt()
    }

    /// Fewest items that show a difference `delta` where a share `psi` differs.
    ///
    /// # Panics
    /// If not 0 < `delta` ≤ `psi` ≤ 1.
    #[must_use]
    pub fn items(self, delta: f64, psi: f64) -> usize {
        assert!(0.0 < delta && delta <= psi && psi <= 1.0, "not 0 < {delta} ≤ {psi} ≤ 1");
        let needed = z_of(1.0 - self.alpha) * psi.sqrt()
            + normal_quantile(self.power) * (psi - delta * delta).max(0.0).sqrt();
        (needed / delta).powi(2).ceil() as usize
    }
}

/// Chance that the exact McNemar test of level `alpha` rejects with `n` items, of which a share `psi` differs,
/// at the difference `delta`: no approximation, so the error rate itself at `delta` 0. Time grows as n².
///
/// # Panics
/// If not |`delta`| ≤ `psi` ≤ 1.
#[must_use]
pub fn exact_power(n: usize, psi: f64, delta: f64, alpha: f64) -> f64 {
    rejection_rate(n, psi, delta, |pairs| crate::mcnemar_exact(pairs).is_some_and(|p| p <= alpha))
}

/// As [`exact_power`], for any test that looks at the differing items alone.
///
/// # Panics
/// If not |`delta`| ≤ `psi` ≤ 1.
#[must_use]
pub fn rejection_rate(n: usize, psi: f64, delta: f64, rejects: impl Fn(&Pairs) -> bool) -> f64 {
    assert!(delta.abs() <= psi && psi <= 1.0, "not |{delta}| ≤ {psi} ≤ 1");
    let better = if psi > 0.0 { (1.0 + delta / psi) / 2.0 } else { 0.5 };
    let (first, sizes) = binomial::distribution(n, psi);
    let mut total = 0.0;
    for (i, chance) in sizes.iter().enumerate() {
        // Sizes this unlikely together add less than 1e-12.
        if *chance < 1e-16 {
            continue;
        }
        let differing = first + i;
        let (least, terms) = binomial::distribution(differing, better.clamp(0.0, 1.0));
        let mut inner = 0.0;
        for (j, term) in terms.iter().enumerate() {
            let only_b = least + j;
            let pairs = Pairs { both: n - differing, only_a: differing - only_b, only_b, neither: 0 };
            if *term > 1e-16 && rejects(&pairs) {
                inner += term;
            }
        }
        total += chance * inner;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula() {
        // n = 250, 20 % differ: (1.96·√.2 + .8416·√(.2 − δ²)) / √250 = .0789.
        let found = USUAL.mde(250, 0.2).unwrap();
        assert!((found - 0.0789).abs() < 5e-5, "{found}");
        assert!(USUAL.items(found + 1e-9, 0.2) <= 250 && USUAL.items(found - 1e-3, 0.2) > 250);
    }

    #[test]
    fn items_away_from_a_limit() {
        // One-sided 5 %, 80 %: (1.6449 + 0.8416)² · 0.1 / 0.02² = 1545.6.
        let power = Power { alpha: 0.1, power: 0.8 };
        assert_eq!(power.items_away(0.02, 0.1), Some(1546));
        assert_eq!(power.items_away(-0.02, 0.1), Some(1546));
        assert!((power.distance_of(1546, 0.1).unwrap() - 0.02).abs() < 1e-5);
        assert_eq!((power.items_away(0.0, 0.1), power.distance_of(0, 0.1)), (None, None));
    }

    #[test]
    fn few_differing_items() {
        // With ψ = δ: √(nδ) = 1.96 + .8416·√(1 − δ).
        let found = USUAL.mde(1000, 0.0).unwrap();
        let expected = (1.96 + 0.8416 * (1.0 - found).sqrt()).powi(2) / 1000.0;
        assert!((found - expected).abs() < 1e-6, "{found}");
        assert!(USUAL.mde(1000, 0.001).unwrap() >= found - 1e-9);
        assert_eq!(USUAL.mde(3, 0.5), None);
        assert_eq!(USUAL.mde_of(&Pairs::default()), None);
    }

    #[test]
    fn more_items_show_less_and_the_exact_test_is_near() {
        let mut last = 1.0;
        for n in [30, 100, 300, 1000, 3000] {
            let found = USUAL.mde(n, 0.3).unwrap();
            assert!(found < last, "{n}");
            last = found;
        }
        let found = USUAL.mde(1000, 0.2).unwrap();
        let power = exact_power(1000, 0.2, found, 0.05);
        assert!((0.76..0.81).contains(&power), "{power}");
    }

    #[test]
    fn the_exact_test_keeps_its_level() {
        for psi in [0.02, 0.1, 0.5, 1.0] {
            let rate = exact_power(200, psi, 0.0, 0.05);
            assert!((0.0..=0.05).contains(&rate), "{psi}: {rate}");
        }
    }
}
