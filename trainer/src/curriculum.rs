//! A curriculum for masking and roll-in, driven by what the policy does rather than by the step: an automated answer
//! to a question that the VRRL paper leaves open (its section on limitations).
//!
//! A measured share, smoothed over steps, sets a level between 0 and 1. At level 1 Random Turn Masking and the buffer
//! work as configured; at level l the buffer's share is l times its own, and a rollout is masked with chance l.

use serde::{Deserialize, Serialize};

/// What is measured, over a step's on-policy rollouts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Share of first proposals that are wrong: what there is to mend.
    #[default]
    WrongFirst,
    /// Share of decisions about a wrong proposal that commit it: what is still to be learned about stopping.
    WrongCommitted,
}

/// Settings of the curriculum.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CurriculumConfig {
    /// What is measured.
    pub measure: Measure,
    /// Level 0 at this measured share; the level rises or falls linearly from here to `full`.
    pub none: f64,
    /// Level 1 at this measured share; may be below `none`.
    pub full: f64,
    /// Weight of the newest step in the running mean, above 0 and at most 1.
    pub rate: f64,
    /// The level never falls below this.
    pub least: f64,
}

impl Default for CurriculumConfig {
    fn default() -> Self {
        Self { measure: Measure::WrongFirst, none: 0.0, full: 0.3, rate: 0.05, least: 0.25 }
    }
}

impl CurriculumConfig {
    /// The running mean after a step that measured `share`; a step that measured nothing leaves it.
    #[must_use]
    pub fn mean(&self, before: Option<f64>, share: Option<f64>) -> Option<f64> {
        match (before, share) {
            (Some(before), Some(share)) => Some(before + self.rate * (share - before)),
            (before, share) => share.or(before),
        }
    }

    /// The level for a running mean; 1 before anything was measured.
    #[must_use]
    pub fn level(&self, mean: Option<f64>) -> f64 {
        let Some(mean) = mean else { return 1.0 };
        let span = self.full - self.none;
        ((mean - self.none) / span).clamp(0.0, 1.0).max(self.least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_follows_the_measure_between_its_ends() {
        let rising = CurriculumConfig { none: 0.1, full: 0.3, least: 0.0, ..CurriculumConfig::default() };
        for (mean, level) in [(0.05, 0.0), (0.1, 0.0), (0.2, 0.5), (0.3, 1.0), (0.9, 1.0)] {
            assert!((rising.level(Some(mean)) - level).abs() < 1e-12, "{mean}");
        }
        let falling = CurriculumConfig { none: 0.5, full: 0.1, least: 0.2, ..rising };
        for (mean, level) in [(0.0, 1.0), (0.3, 0.5), (0.5, 0.2), (1.0, 0.2)] {
            assert!((falling.level(Some(mean)) - level).abs() < 1e-12, "{mean}");
        }
        assert!((rising.level(None) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_mean_runs_and_skips_empty_steps() {
        let config = CurriculumConfig { rate: 0.25, ..CurriculumConfig::default() };
        let first = config.mean(None, Some(0.8));
        assert_eq!((config.mean(None, None), first), (None, Some(0.8)));
        assert_eq!(config.mean(first, None), first);
        assert!((config.mean(first, Some(0.4)).unwrap() - 0.7).abs() < 1e-12);
    }
}
