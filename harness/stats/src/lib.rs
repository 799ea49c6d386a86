//! Interval estimates and paired tests, seeded, exact about missing data.
//!
//! Nothing here returns NaN: what empty data cannot say is `None`. Intervals are 95 % unless a level is
//! asked for. Resampling draws from [`Seed`]s, so equal data and seeds give equal intervals everywhere.

mod bootstrap;
mod wilson;

use serde::{Deserialize, Serialize};

pub use bootstrap::{bootstrap_mean, paired_difference, paired_difference_at, RESAMPLES};
pub use vrrl_harness_core::Seed;
pub use wilson::wilson;

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
