//! Interval estimates and tests, seeded, exact about missing data.
//!
//! Nothing here returns NaN: what empty data cannot say is `None`, and a p value is never 0. Intervals are 95 %
//! unless a level is asked for. Resampling draws from [`Seed`]s, so equal data and seeds give equal intervals
//! everywhere, whatever the number of threads.
//!
//! | question | function | method and source |
//! |---|---|---|
//! | how high is one share? | [`wilson`], [`clopper_pearson`] | Wilson 1927; Clopper and Pearson 1934 |
//! | how far are two runs apart on the same items? | [`paired_interval`] | Tango 1998; square-and-add of Clopper-Pearson limits where fewer than [`SCORE_FROM`] items differ, the outer limits of both where fewer than [`AGREE_FROM`] agree |
//! | the same, other ways | [`newcombe_paired`], [`bootstrap_pairs`], [`bootstrap`] | Newcombe 1998; Efron 1979 and 1987 |
//! | are they apart at all? | [`mcnemar_exact`], [`mcnemar_midp`], [`sign_flip`], [`label_exchange`] | McNemar 1947; Lancaster 1961; Fisher 1935, Pitman 1937 |
//! | over several splits? | [`holm`], [`benjamini_hochberg`] | Holm 1979; Benjamini and Hochberg 1995 |
//! | what could have been found? | [`Power`], [`exact_power`] | Miettinen 1968, Connor 1987 |
//! | is a method better, over training seeds? | [`compare_methods`], [`seed_mean`] ([`two_level_bootstrap`] only to compare) | Student 1908; Fisher 1935 |
//! | what do repeats add? | [`pass_at_k`], [`reliability`], [`flips`] | Chen et al. 2021; Yao et al. 2024 |
//! | over turns, shifts, severities? | [`area_by_turn`], [`gap`], [`severity_slope`], [`mean_corruption_error`] | Newcombe 1998, Zou and Donner 2008; Hendrycks and Dietterich 2019 |
//!
//! Formulas stand in the module of each. `tests/reference.rs` compares with scipy and statsmodels, and
//! `cargo run --release -p vrrl-harness-stats --example coverage` writes `reports/statistics.md`: coverage and
//! error rates, exact where they can be counted.

mod binomial;
mod bootstrap;
mod curves;
mod multiple;
mod paired;
mod pairs;
mod permutation;
mod power;
mod repeats;
mod resample;
mod seeds;
mod share;
mod special;

use serde::{Deserialize, Serialize};

pub use bootstrap::{
    bootstrap, bootstrap_mean, bootstrap_pairs, mean_difference, paired_difference, paired_difference_at,
    Bootstrap, BOOTSTRAP_FROM, RESAMPLES,
};
pub use curves::{
    area_by_turn, gap, mean_corruption_error, mean_corruption_error_interval, severity_slope,
    severity_slope_paired, Share,
};
pub use multiple::{benjamini_hochberg, holm};
pub use paired::{
    newcombe_paired, paired_interval, small_sample, tango, CiMethod, Difference, AGREE_FROM, SCORE_FROM,
};
pub use pairs::{mcnemar_exact, mcnemar_greater, mcnemar_midp, Pairs};
pub use permutation::{label_exchange, sign_flip, Permutation, DRAWN};
pub use power::{exact_power, rejection_rate, Power, USUAL};
pub use repeats::{flips, pass_at_k, reliability, Attempts, OverItems};
pub use seeds::{
    compare_methods, seed_mean, two_level_bootstrap, MethodComparison, TwoLevel, TWO_LEVEL_FROM,
};
pub use share::{clopper_pearson, weighted_shares, wilson, wilson_at, Weighted};
pub use vrrl_harness_core::Seed;

/// A number with its interval, as every file writes it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub ci_low: f64,
    /// Upper end of the interval.
    pub ci_high: f64,
}

/// The arithmetic mean; `None` without data.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// `part` over `whole`; `None` where the whole is 0.
#[must_use]
pub fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_data_say_nothing() {
        assert_eq!(mean(&[]), None);
        assert_eq!(ratio(0, 0), None);
        assert_eq!(wilson(0, 0), None);
        assert_eq!(bootstrap_mean(&[], Seed(1)), None);
        assert_eq!(paired_difference(&[], &[], Seed(1)), None);
    }

    #[test]
    fn plain_means_and_ratios() {
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(ratio(1, 4), Some(0.25));
    }

    #[test]
    fn an_estimate_survives_its_text() {
        let estimate = Estimate { value: 0.5, ci_low: 0.1, ci_high: 0.9 };
        let text = r#"{"value":0.5,"ci_low":0.1,"ci_high":0.9}"#;
        assert_eq!(serde_json::to_string(&estimate).unwrap(), text);
        assert_eq!(serde_json::from_str::<Estimate>(text).unwrap(), estimate);
    }
}
