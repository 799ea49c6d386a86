//! What stands between a bad number and the weights.
//!
//! A step whose loss or gradient is not finite, or lies far above what this run has seen lately, is refused before the
//! optimizer sees it: the run ends, and the last saved state stays as it is.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::Error;

/// Steps whose median is the measure.
const WINDOW: usize = 100;
/// Steps before anything is measured: the first ones of a run have no measure.
const LEAST: usize = 20;
/// A loss below this explodes nothing. In the loss of GRPO the advantages nearly cancel, so its median may be tiny; a
/// single token's part of it is of the order of 1.
const LOSS_FLOOR: f64 = 1.0;
/// Default of the setting `spike`: the largest norm over its median in 59 trainings of this project was 16.
pub const SPIKE: f64 = 100.0;

/// Losses and norms of the last steps; part of the state, so a resumed run refuses the same step.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Guard {
    losses: VecDeque<f64>,
    norms: VecDeque<f64>,
}

/// What a step may be at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Learning rate.
    pub rate: f64,
    /// Largest norm of the gradient that is applied; a larger one is scaled down to it.
    pub clip: f64,
    /// Times the median of the last steps at which loss or norm count as exploded; `None` never.
    pub spike: Option<f64>,
    /// The last steps.
    pub guard: &'a Guard,
}

impl Guard {
    /// Remembers a step that was applied. A step without trained tokens has norm 0 and is no measure.
    pub fn push(&mut self, loss: f64, norm: f64) {
        if norm > 0.0 {
            for (values, value) in [(&mut self.losses, loss.abs()), (&mut self.norms, norm)] {
                values.push_back(value);
                if values.len() > WINDOW {
                    values.pop_front();
                }
            }
        }
    }

    /// The medians of the absolute loss and of the norm, once enough steps are known.
    fn medians(&self) -> Option<[f64; 2]> {
        (self.norms.len() >= LEAST).then(|| [median(&self.losses), median(&self.norms)])
    }
}

impl Limits<'_> {
    /// Refuses an exploded step. A norm that is not clipped is harmless however small the median.
    ///
    /// # Errors
    /// [`Error::Exploded`] naming which of the two.
    pub fn check(&self, step: u64, loss: f64, norm: f64) -> Result<(), Error> {
        let (Some(factor), Some([losses, norms])) = (self.spike, self.guard.medians()) else { return Ok(()) };
        for (part, value, median, floor) in
            [("loss", loss, losses, LOSS_FLOOR), ("norm of the gradient", norm, norms, self.clip)]
        {
            if value.abs() > (factor * median).max(floor) {
                return Err(Error::Exploded { step, part, value, median, factor, last: None });
            }
        }
        Ok(())
    }
}

/// The upper of the two middle values, so that it is one that occurred. Of at least one value.
fn median(values: &VecDeque<f64>) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Serde: leaves out the setting `spike` where it has its default, so that recipes hash as before it was there.
pub(crate) fn usual(spike: &Option<f64>) -> bool {
    spike.is_some_and(|x| (x - SPIKE).abs() <= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(steps: usize, loss: f64, norm: f64) -> Guard {
        let mut guard = Guard::default();
        (0..steps).for_each(|_| guard.push(loss, norm));
        guard
    }

    #[test]
    fn a_step_far_above_the_median_is_refused() {
        // steps before, their loss and norm; the step's loss and norm; what is refused
        for (steps, before, loss, norm, refused) in [
            (20, (2.0, 0.5), 2.0, 51.0, Some("norm of the gradient")),
            (20, (2.0, 0.5), 2.0, 49.0, None),
            (19, (2.0, 0.5), 1e9, 1e9, None),
            (50, (2.0, 0.5), -201.0, 0.5, Some("loss")),
            (50, (2.0, 0.5), 199.0, 0.5, None),
            // Nothing that the clip leaves alone explodes, and no loss below 1.
            (50, (1e-6, 1e-6), 0.9, 0.9, None),
            (50, (1e-6, 1e-6), 1.1, 0.9, Some("loss")),
            (50, (1e-6, 1e-6), 0.9, 1.1, Some("norm of the gradient")),
        ] {
            let guard = after(steps, before.0, before.1);
            let limits = Limits { rate: 1e-3, clip: 1.0, spike: Some(100.0), guard: &guard };
            let found = match limits.check(7, loss, norm) {
                Err(Error::Exploded { step: 7, part, .. }) => Some(part),
                Err(other) => panic!("{other}"),
                Ok(()) => None,
            };
            assert_eq!(found, refused, "{steps} {before:?} {loss} {norm}");
            assert!(Limits { spike: None, ..limits }.check(7, loss, norm).is_ok());
        }
    }

    #[test]
    fn the_measure_is_the_median_of_the_last_hundred() {
        let mut guard = after(30, 1.0, 1.0);
        // One outlier moves no median; steps without a gradient are no measure.
        guard.push(90.0, 90.0);
        (0..200).for_each(|_| guard.push(0.0, 0.0));
        assert_eq!(guard.medians(), Some([1.0, 1.0]));
        (0..100).for_each(|_| guard.push(-4.0, 3.0));
        assert_eq!(guard.medians(), Some([4.0, 3.0]));
        assert_eq!(guard.norms.len(), WINDOW);
        let text = serde_json::to_string(&guard).unwrap();
        assert_eq!(serde_json::from_str::<Guard>(&text).unwrap(), guard);
    }
}
