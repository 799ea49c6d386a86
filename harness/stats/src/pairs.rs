//! Two judgements of the same items: the 2×2 table and its exact tests.
//!
//! - Exact McNemar: given how many items differ, the ones that only B has right are Binomial(differing, ½) if
//!   neither is better (McNemar, Psychometrika 12, 1947, 153-157; the binomial form is the sign test). Two-sided
//!   by doubling the smaller tail.
//! - Mid-p: the observed table counts half (Lancaster 1961; Fagerland, Lydersen and Laake, BMC Medical Research
//!   Methodology 13:91, 2013). Less conservative, and not exact: its error rate can pass the nominal one a little.

use serde::{Deserialize, Serialize};

use crate::binomial;

/// Items by what A and B made of them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Pairs {
    /// Right in both.
    pub both: usize,
    /// Right only in A.
    pub only_a: usize,
    /// Right only in B.
    pub only_b: usize,
    /// Wrong in both.
    pub neither: usize,
}

impl Pairs {
    /// Counts pairs (A right, B right).
    #[must_use]
    pub fn count(outcomes: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut pairs = Self::default();
        for outcome in outcomes {
            *match outcome {
                (true, true) => &mut pairs.both,
                (true, false) => &mut pairs.only_a,
                (false, true) => &mut pairs.only_b,
                (false, false) => &mut pairs.neither,
            } += 1;
        }
        pairs
    }

    /// Number of items.
    #[must_use]
    pub fn n(&self) -> usize {
        self.both + self.differing() + self.neither
    }

    /// Items on which A and B differ.
    #[must_use]
    pub fn differing(&self) -> usize {
        self.only_a + self.only_b
    }

    /// Items that A has right.
    #[must_use]
    pub fn right_a(&self) -> usize {
        self.both + self.only_a
    }

    /// Items that B has right.
    #[must_use]
    pub fn right_b(&self) -> usize {
        self.both + self.only_b
    }

    /// Share right in B − share right in A; `None` without items.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        (self.n() > 0).then(|| (self.only_b as f64 - self.only_a as f64) / self.n() as f64)
    }

    /// The same items with A and B exchanged.
    #[must_use]
    pub fn swapped(&self) -> Self {
        Self { only_a: self.only_b, only_b: self.only_a, ..*self }
    }
}

/// Two-sided exact McNemar p; 1 where no item differs, `None` without items. Never 0: a chance too small for a
/// double is given as the smallest one.
#[must_use]
pub fn mcnemar_exact(pairs: &Pairs) -> Option<f64> {
    let tails = tails(pairs)?;
    Some((2.0 * (tails.at + tails.above)).clamp(f64::MIN_POSITIVE, 1.0))
}

/// Two-sided mid-p McNemar; 1 where no item differs, `None` without items. Twice the one-sided mid-p, so it is 1
/// where both sides have equally many.
#[must_use]
pub fn mcnemar_midp(pairs: &Pairs) -> Option<f64> {
    let tails = tails(pairs)?;
    Some((2.0 * tails.above + tails.at).clamp(f64::MIN_POSITIVE, 1.0))
}

/// One-sided exact McNemar p against "B is not better than A".
#[must_use]
pub fn mcnemar_greater(pairs: &Pairs) -> Option<f64> {
    (pairs.n() > 0).then(|| {
        let tails = binomial::split(pairs.differing(), 0.5, pairs.only_b);
        (tails.at + tails.above).clamp(f64::MIN_POSITIVE, 1.0)
    })
}

/// Where the larger of the two counts lies in its distribution if neither is better.
fn tails(pairs: &Pairs) -> Option<binomial::Split> {
    (pairs.n() > 0).then(|| binomial::split(pairs.differing(), 0.5, pairs.only_a.max(pairs.only_b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        // Fagerland, Lydersen and Laake 2013, section "Examples": 1, 1, 7, 12 gives exact 0.070, mid-p 0.039.
        let airways = Pairs { both: 1, only_a: 1, only_b: 7, neither: 12 };
        assert!((mcnemar_exact(&airways).unwrap() - 0.070_312_5).abs() < 1e-12);
        assert!((mcnemar_midp(&airways).unwrap() - 0.039_062_5).abs() < 1e-12);
        assert!((mcnemar_greater(&airways).unwrap() - 0.035_156_25).abs() < 1e-12);
    }

    #[test]
    fn nothing_differs_and_nothing_there() {
        let same = Pairs { both: 5, neither: 4, ..Pairs::default() };
        assert_eq!((mcnemar_exact(&same), mcnemar_midp(&same)), (Some(1.0), Some(1.0)));
        let none = Pairs::default();
        assert_eq!((mcnemar_exact(&none), mcnemar_midp(&none), none.difference()), (None, None, None));
    }

    #[test]
    fn a_p_is_small_but_never_zero() {
        let huge = Pairs { only_b: 100_000, ..Pairs::default() };
        let p = mcnemar_exact(&huge).unwrap();
        assert!(p > 0.0 && p < 1e-300);
    }

    #[test]
    fn counting() {
        let pairs = Pairs::count([(true, true), (true, false), (false, true), (false, true), (false, false)]);
        assert_eq!(pairs, Pairs { both: 1, only_a: 1, only_b: 2, neither: 1 });
        assert_eq!((pairs.n(), pairs.differing(), pairs.right_a(), pairs.right_b()), (5, 3, 2, 3));
        assert_eq!(pairs.swapped().difference(), Some(-0.2));
    }
}
