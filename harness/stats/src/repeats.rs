//! Several attempts at each item: what one of k would reach, and what all of k would.

use vrrl_harness_core::Seed;

use crate::{bootstrap_mean, Estimate};

/// Attempts at one item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempts {
    /// Right ones.
    pub right: usize,
    /// All of them.
    pub n: usize,
}

impl Attempts {
    /// Chance that at least one of `k` attempts, drawn from these without replacement, is right: the unbiased
    /// pass@k, 1 − C(n − right, k) / C(n, k) (Chen et al., arXiv 2107.03374, equation 1). `None` for `k` = 0 or
    /// fewer than `k` attempts.
    #[must_use]
    pub fn pass_at(self, k: usize) -> Option<f64> {
        self.all_of(self.n - self.right, k).map(|none| 1.0 - none)
    }

    /// Chance that all of `k` attempts, drawn from these without replacement, are right: pass^k,
    /// C(right, k) / C(n, k) (Yao et al., arXiv 2406.12045). `None` for `k` = 0 or fewer than `k` attempts.
    #[must_use]
    pub fn reliability(self, k: usize) -> Option<f64> {
        self.all_of(self.right, k)
    }

    /// C(marked, k) / C(n, k), as a product of shares.
    fn all_of(self, marked: usize, k: usize) -> Option<f64> {
        (k > 0 && k <= self.n).then(|| {
            (0..k).map(|i| if marked > i { (marked - i) as f64 / (self.n - i) as f64 } else { 0.0 }).product()
        })
    }
}

/// A mean over the items that have enough attempts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OverItems {
    /// The mean with its 95 % bootstrap interval over items.
    pub estimate: Estimate,
    /// Items behind it.
    pub items: usize,
    /// Items with fewer than k attempts: they are missing, not wrong.
    pub left_out: usize,
}

/// Mean pass@k over items; `None` where no item has `k` attempts.
#[must_use]
pub fn pass_at_k(items: &[Attempts], k: usize, seed: Seed) -> Option<OverItems> {
    over(items, seed.derive("pass@k", k as u64), |item| item.pass_at(k))
}

/// Mean pass^k over items; `None` where no item has `k` attempts.
#[must_use]
pub fn reliability(items: &[Attempts], k: usize, seed: Seed) -> Option<OverItems> {
    over(items, seed.derive("pass^k", k as u64), |item| item.reliability(k))
}

/// Share of items whose attempts do not all agree; `None` where no item has two attempts.
#[must_use]
pub fn flips(items: &[Attempts], seed: Seed) -> Option<OverItems> {
    let flips = |item: &Attempts| f64::from(u8::from(item.right > 0 && item.right < item.n));
    over(items, seed.derive("flips", 0), |item| (item.n >= 2).then(|| flips(item)))
}

fn over(items: &[Attempts], seed: Seed, of: impl Fn(&Attempts) -> Option<f64>) -> Option<OverItems> {
    let values: Vec<f64> = items.iter().filter_map(of).collect();
    let estimate = bootstrap_mean(&values, seed)?;
    Some(OverItems { estimate, items: values.len(), left_out: items.len() - values.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let item = Attempts { right: 1, n: 4 };
        assert_eq!((item.pass_at(1), item.pass_at(2), item.pass_at(4)), (Some(0.25), Some(0.5), Some(1.0)));
        assert_eq!((item.reliability(1), item.reliability(2)), (Some(0.25), Some(0.0)));
        assert_eq!((item.pass_at(5), item.pass_at(0)), (None, None));
        let three = Attempts { right: 3, n: 4 };
        assert!((three.reliability(2).unwrap() - 0.5).abs() < 1e-15 && three.pass_at(2) == Some(1.0));
    }

    #[test]
    fn items_with_too_few_attempts_are_missing() {
        let items = [Attempts { right: 2, n: 4 }, Attempts { right: 0, n: 1 }];
        let found = pass_at_k(&items, 2, Seed(1)).unwrap();
        assert_eq!((found.items, found.left_out), (1, 1));
        assert!((found.estimate.value - 5.0 / 6.0).abs() < 1e-12);
        assert_eq!(reliability(&items, 9, Seed(1)), None);
        assert!((flips(&items, Seed(1)).unwrap().estimate.value - 1.0).abs() < 1e-12);
    }
}
