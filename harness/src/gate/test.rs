//! One rule's data: their interval at any level, and how surely they lie on either side of a limit.
//!
//! There is one notion of evidence. A rule's interval has level 1 − 2α, so each end alone errs with chance α. The
//! one-sided p of "above the limit" is the smallest α at which the interval lies wholly above it: p ≤ α and
//! "interval wholly above" say the same, for every kind of interval.

use vrrl_harness_core::Seed;
use vrrl_harness_stats::{
    bootstrap_mean, clopper_pearson, mean, mean_difference, paired_interval, wilson, CiMethod, Difference,
    Estimate, Pairs,
};

/// Smallest p that is claimed: below, levels have no digits left.
const LEAST: f64 = 1e-12;
/// The same for intervals of 10,000 resamples.
const LEAST_RESAMPLED: f64 = 2e-4;

/// What a rule's statistic is computed from.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Data {
    /// Right or wrong on both sides: difference of two shares.
    Pairs(Pairs),
    /// One difference an item.
    Differences(Vec<f64>, Seed),
    /// One number an item in [0, 1]: a share.
    Share(Vec<f64>),
    /// One number an item: a mean, with the limit that it is held against.
    Mean(Vec<f64>, f64, Seed),
}

/// Whether all are 0 or 1; how many are 1.
fn ones(values: &[f64]) -> Option<usize> {
    let bit = |x: f64| {
        if x.abs() < 1e-12 {
            Some(0)
        } else {
            ((x - 1.0).abs() < 1e-12).then_some(1)
        }
    };
    values.iter().map(|x| bit(*x)).sum()
}

impl Data {
    /// b[i] − a[i]: pairs where all are 0 or 1, else differences.
    pub fn paired(a: &[f64], b: &[f64], seed: Seed) -> Self {
        let bits = |values: &[f64]| ones(values).map(|_| values.iter().map(|x| *x > 0.5).collect::<Vec<_>>());
        match bits(a).zip(bits(b)) {
            Some((a, b)) => Self::Pairs(Pairs::count(a.into_iter().zip(b))),
            None => Self::Differences(a.iter().zip(b).map(|(a, b)| b - a).collect(), seed),
        }
    }

    pub fn n(&self) -> usize {
        match self {
            Self::Pairs(pairs) => pairs.n(),
            Self::Differences(values, _) | Self::Share(values) | Self::Mean(values, ..) => values.len(),
        }
    }

    /// The statistic with its two-sided interval, never of zero width; `None` without items.
    ///
    /// A share whose items were asked several times is held by the exact interval of as many whole items, rounded
    /// outward: a mean of several answers varies less than one answer, so this is the wider one.
    pub fn interval(&self, level: f64) -> Option<Difference> {
        match self {
            Self::Pairs(pairs) => paired_interval(pairs, level),
            Self::Differences(values, seed) => mean_difference(values, level, *seed),
            Self::Share(values) => {
                let (n, sum) = (values.len(), values.iter().sum::<f64>());
                // Sums of thirds are whole up to rounding.
                let [down, up] =
                    [(sum + 1e-9).floor(), (sum - 1e-9).ceil()].map(|x| (x.max(0.0) as usize).min(n));
                let (low, high) = (clopper_pearson(down, n, level)?, clopper_pearson(up, n, level)?);
                let value = mean(values)?;
                let (ci_low, ci_high) = (low.ci_low, high.ci_high);
                Some(Difference { value, ci_low, ci_high, ci_method: CiMethod::ClopperPearson })
            }
            Self::Mean(values, limit, seed) => {
                // Held against the limit, so that what few items show is drawn towards it and not towards 0.
                let moved: Vec<f64> = values.iter().map(|x| x - limit).collect();
                let found = mean_difference(&moved, level, *seed)?;
                let [value, ci_low, ci_high] = [found.value, found.ci_low, found.ci_high].map(|x| x + limit);
                Some(Difference { value, ci_low, ci_high, ci_method: found.ci_method })
            }
        }
    }

    /// Variance of one item's part in the statistic, never 0: one item more that differs is always thinkable.
    pub fn variance(&self) -> Option<f64> {
        let plain = |values: &[f64]| {
            let centre = mean(values)?;
            let squares: f64 = values.iter().map(|x| (x - centre).powi(2)).sum();
            Some((squares + 1.0) / (values.len() as f64 + 1.0))
        };
        match self {
            Self::Pairs(pairs) => {
                let share = (pairs.differing() as f64 + 1.0) / (pairs.n() as f64 + 1.0);
                Some((share.min(1.0) - pairs.difference()?.powi(2)).max(1e-9))
            }
            Self::Differences(values, _) | Self::Share(values) | Self::Mean(values, ..) => plain(values),
        }
    }

    /// One-sided p of lying above (or below) `limit`, 1 where it would be more than a half.
    pub fn p(&self, limit: f64, above: bool) -> Option<f64> {
        let holds = |alpha: f64| {
            self.interval(1.0 - 2.0 * alpha).is_some_and(|found| {
                if above {
                    found.ci_low > limit
                } else {
                    found.ci_high < limit
                }
            })
        };
        self.interval(0.9)?;
        if !holds(0.499_999) {
            return Some(1.0);
        }
        // Percentiles of 10,000 resamples are steps: finer halving finds nothing between them.
        let (least, halvings) = match self.interval(0.9)?.ci_method {
            CiMethod::BootstrapPercentile | CiMethod::BootstrapBca => (LEAST_RESAMPLED, 26),
            _ => (LEAST, 52),
        };
        if holds(least) {
            return Some(least);
        }
        let (mut low, mut high) = (least.ln(), 0.499_999f64.ln());
        for _ in 0..halvings {
            let middle = 0.5 * (low + high);
            if holds(middle.exp()) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(high.exp())
    }
}

/// A metric's own value with its 95 % interval, for people.
pub(crate) fn estimate(values: &[f64], seed: Seed) -> Option<Estimate> {
    match ones(values) {
        Some(right) => wilson(right, values.len()),
        None => bootstrap_mean(values, seed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wholly(data: &Data, alpha: f64, limit: f64, above: bool) -> bool {
        let found = data.interval(1.0 - 2.0 * alpha).unwrap();
        if above {
            found.ci_low > limit
        } else {
            found.ci_high < limit
        }
    }

    #[test]
    fn p_and_interval_say_the_same() {
        let mut kinds = Vec::new();
        for (only_a, only_b) in [(0, 0), (3, 1), (12, 2), (30, 9), (9, 30), (60, 5)] {
            kinds.push(Data::Pairs(Pairs { both: 150, only_a, only_b, neither: 90 }));
        }
        for right in [0, 1, 5, 60, 100] {
            kinds.push(Data::Share((0..100).map(|i| f64::from(u8::from(i < right))).collect()));
        }
        kinds.push(Data::Differences((0..200).map(|i| f64::from(i % 7 - 4) / 4.0).collect(), Seed(1)));
        for data in kinds {
            for limit in [-0.1, -0.02, 0.01, 0.05, 0.3] {
                for above in [true, false] {
                    let p = data.p(limit, above).unwrap();
                    for alpha in [0.005, 0.01, 0.025, 0.05, 0.1, 0.2] {
                        assert_eq!(
                            p <= alpha,
                            wholly(&data, alpha, limit, above),
                            "{data:?} {limit} {alpha} {p}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn exact_shares_have_binomial_tails() {
        // No success in 100: P(0 of 100) = 0.95^100 at a share of 5 %.
        let none = Data::Share(vec![0.0; 100]);
        assert!((none.p(0.05, false).unwrap() - 0.95f64.powi(100)).abs() < 1e-9);
        assert!((none.interval(0.9).unwrap().ci_high - (1.0 - 0.05f64.powf(0.01))).abs() < 1e-9);
        // Thirds that make up whole items are whole items.
        let thirds = Data::Share(vec![1.0 / 3.0; 30]);
        assert_eq!(
            thirds.interval(0.9),
            Data::Share([vec![1.0; 10], vec![0.0; 20]].concat())
                .interval(0.9)
                .map(|found| Difference { value: thirds.interval(0.9).unwrap().value, ..found })
        );
    }

    #[test]
    fn nothing_is_certain() {
        for data in [
            Data::Pairs(Pairs { both: 50, neither: 50, ..Pairs::default() }),
            Data::Differences(vec![0.0; 100], Seed(1)),
            Data::Share(vec![1.0; 100]),
            Data::Mean(vec![2.0; 100], 2.5, Seed(1)),
        ] {
            let found = data.interval(0.9).unwrap();
            assert!(
                found.ci_high - found.ci_low > 1e-3 && data.variance().unwrap() > 0.0,
                "{data:?} {found:?}"
            );
        }
        assert!(Data::Pairs(Pairs::default()).p(0.0, true).is_none());
    }
}
