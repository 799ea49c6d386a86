//! The one learner: shards of a batch to gradients to an optimizer step.
//!
//! A batch is cut into a fixed number of shards, each on one thread; their gradients are summed in order. The
//! number of shards never follows the number of threads, so one thread and many give the same weights.

use std::ops::Range;
use std::time::Instant;

use candle_core::Tensor;
use rayon::prelude::*;
use vrrl_trainer_codec::Tokenizer;
use vrrl_trainer_model::{gradients, AdamW, AdamWConfig, Gradients, Network};

use crate::error::Place;
use crate::guard::Limits;
use crate::sequence::pack;
use crate::{Error, Sequence, TokenRef};

/// Shards of a batch.
const SHARDS: usize = 4;

/// What an objective says of one shard: the slope of the loss in each token's log-probability. Everything a
/// recipe trains by passes through here, so it can be a pure function of numbers.
#[derive(Clone, Debug, Default)]
pub struct Objective {
    /// d loss / d log-probability, one a token.
    pub slopes: Vec<f64>,
    /// The shard's part of the loss.
    pub loss: f64,
    /// Named sums for the log.
    pub sums: Vec<(&'static str, f64)>,
}

/// An objective: token refs, their log-probabilities, and the reference network's (empty without one).
pub type ObjectiveFn<'a> = &'a (dyn Fn(&[TokenRef], &[f32], &[f32]) -> Objective + Sync);

/// What a step did.
#[derive(Clone, Debug, Default)]
pub struct StepReport {
    /// The loss.
    pub loss: f64,
    /// Norm of the gradient before clipping.
    pub norm: f64,
    /// Tokens that went through the network, image tokens included.
    pub tokens: u64,
    /// Trained tokens.
    pub trained: u64,
    /// Seconds.
    pub seconds: f64,
    /// The objective's sums over all shards.
    pub sums: Vec<(&'static str, f64)>,
}

impl StepReport {
    /// One of the objective's sums; 0 where it said nothing.
    #[must_use]
    pub fn sum(&self, name: &str) -> f64 {
        self.sums.iter().find(|(n, _)| *n == name).map_or(0.0, |(_, x)| *x)
    }
}

/// A network with its vocabulary and optimizer.
pub struct Learner {
    /// The network.
    pub network: Network,
    /// The vocabulary.
    pub tokenizer: Tokenizer,
    /// The optimizer.
    pub optimizer: AdamW,
}

impl Learner {
    /// Fresh moments around a network.
    #[must_use]
    pub fn new(network: Network, tokenizer: Tokenizer, config: AdamWConfig) -> Self {
        let optimizer = AdamW::new(network.params(), config);
        Self { network, tokenizer, optimizer }
    }

    /// One optimizer step. `objective` gets the refs, the log-probabilities and, if there is a `reference`
    /// network, its log-probabilities of the same tokens.
    ///
    /// # Errors
    /// If a log-probability, the loss or the gradient is not finite or the `limits` refuse them (the weights are
    /// unchanged then), or the network fails.
    pub fn step(
        &mut self,
        sequences: &[Sequence],
        reference: Option<&Network>,
        objective: ObjectiveFn<'_>,
        limits: Limits<'_>,
    ) -> Result<StepReport, Error> {
        let began = Instant::now();
        let shards = split(sequences, self.network.config().image_tokens());
        // All of them before any error: the first in order is named, not the first in time.
        let parts: Vec<Result<Option<Part>, Error>> = shards
            .into_par_iter()
            .map(|range| self.shard(&sequences[range.clone()], range.start, reference, objective))
            .collect();
        let parts: Vec<Option<Part>> = parts.into_iter().collect::<Result<_, _>>()?;
        let mut report = StepReport::default();
        let mut total: Option<Gradients> = None;
        for part in parts.into_iter().flatten() {
            report.loss += part.objective.loss;
            report.tokens += part.tokens;
            report.trained += part.objective.slopes.len() as u64;
            for (name, value) in part.objective.sums {
                match report.sums.iter_mut().find(|(n, _)| *n == name) {
                    Some((_, sum)) => *sum += value,
                    None => report.sums.push((name, value)),
                }
            }
            match &mut total {
                Some(total) => total.add(&part.gradients),
                None => total = Some(part.gradients),
            }
        }
        let step = self.optimizer.steps() + 1;
        finite(step, "loss", report.loss, Place::Step)?;
        if let Some(total) = total {
            let norm = total.norm();
            if !norm.is_finite() {
                return Err(self.culprit(step, &total, norm));
            }
            limits.check(step, report.loss, norm)?;
            report.norm = self.optimizer.step(self.network.params(), &total, limits.rate, limits.clip)?;
        }
        report.seconds = began.elapsed().as_secs_f64();
        Ok(report)
    }

    /// Refuses weights that are not finite: nothing can be learned from them.
    ///
    /// # Errors
    /// [`Error::Start`] naming the first one.
    pub fn check(&self) -> Result<(), Error> {
        match self.broken()? {
            Some((name, at, value)) => Err(Error::Start { name, value, at }),
            None => Ok(()),
        }
    }

    /// The first weight that is not finite: its name, where in it, and the value.
    pub(crate) fn broken(&self) -> Result<Option<(String, usize, f32)>, Error> {
        let params = self.network.params();
        let values = params.values()?;
        let bad = |(name, values): (&str, &Vec<f32>)| {
            let at = values.iter().position(|x| !x.is_finite())?;
            Some((name.to_owned(), at, values[at]))
        };
        Ok(params.iter().map(|(name, _)| name).zip(&values).find_map(bad))
    }

    /// Which weight's gradient makes a norm that is not finite.
    fn culprit(&self, step: u64, gradients: &Gradients, norm: f64) -> Error {
        let names = self.network.params().iter().map(|(name, _)| name);
        let bad = names
            .zip(&gradients.0)
            .find_map(|(name, values)| Some((name, values.iter().find(|x| !x.is_finite())?)));
        let (part, value) = match bad {
            Some((name, value)) => (format!("gradient of `{name}`"), f64::from(*value)),
            None => ("norm of the gradient".to_owned(), norm),
        };
        Error::NotFinite { step, part, value, place: Place::Step, last: None }
    }

    fn shard(
        &self,
        sequences: &[Sequence],
        first: usize,
        reference: Option<&Network>,
        objective: ObjectiveFn<'_>,
    ) -> Result<Option<Part>, Error> {
        let (batch, refs) = pack(sequences, first, self.network.config());
        if refs.is_empty() {
            return Ok(None);
        }
        let log_probs = self.network.log_probs(&batch, true)?;
        let host = |t: &Tensor| t.to_vec1::<f32>().map_err(vrrl_trainer_model::Error::from);
        let values = host(&log_probs)?;
        let anchors = match reference {
            Some(network) => host(&network.log_probs(&batch, false)?)?,
            None => Vec::new(),
        };
        let step = self.optimizer.steps() + 1;
        for (part, numbers) in [("log-prob", &values), ("log-prob under the reference", &anchors)] {
            for (at, &x) in refs.iter().zip(numbers) {
                finite(step, part, f64::from(x), Place::of(at))?;
            }
        }
        let objective = objective(&refs, &values, &anchors);
        for (name, sum) in &objective.sums {
            finite(step, name, *sum, Place::Step)?;
        }
        for (at, &slope) in refs.iter().zip(&objective.slopes) {
            finite(step, "slope of the loss", slope, Place::of(at))?;
        }
        let slopes: Vec<f32> = objective.slopes.iter().map(|&x| x as f32).collect();
        let backward = || -> candle_core::Result<Tensor> {
            (&log_probs * Tensor::from_vec(slopes, refs.len(), log_probs.device())?)?.sum_all()
        };
        let surrogate = backward().map_err(vrrl_trainer_model::Error::from)?;
        let gradients = gradients(self.network.params(), &surrogate)?;
        Ok(Some(Part { gradients, objective, tokens: batch.gather.len() as u64 }))
    }
}

struct Part {
    gradients: Gradients,
    objective: Objective,
    tokens: u64,
}

impl Place {
    fn of(at: &TokenRef) -> Self {
        Self::Token { sequence: at.sequence, turn: at.turn, token: at.token }
    }
}

/// Refuses a number that is not finite.
fn finite(step: u64, part: &str, value: f64, place: Place) -> Result<(), Error> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::NotFinite { step, part: part.to_owned(), value, place, last: None })
}

/// Cuts a batch into runs of about equally many tokens.
fn split(sequences: &[Sequence], image_tokens: usize) -> Vec<Range<usize>> {
    let lens: Vec<usize> = sequences.iter().map(|s| s.len(image_tokens)).collect();
    let total: usize = lens.iter().sum();
    let mut shards = Vec::with_capacity(SHARDS);
    let (mut start, mut seen) = (0, 0);
    for (at, len) in lens.iter().enumerate() {
        seen += len;
        if seen * SHARDS >= total * (shards.len() + 1) {
            shards.push(start..at + 1);
            start = at + 1;
        }
    }
    if start < sequences.len() {
        shards.push(start..sequences.len());
    }
    shards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_cover_the_batch_in_order() {
        let turn = |n: usize| crate::SequenceTurn {
            image: None,
            ids: vec![0; n],
            owners: vec![],
            log_probs: vec![],
            signs: vec![],
        };
        for n in [1usize, 3, 4, 9, 50] {
            let sequences: Vec<Sequence> =
                (0..n).map(|i| Sequence { prompt: vec![0], turns: vec![turn(1 + i % 5)] }).collect();
            let shards = split(&sequences, 16);
            assert!(shards.len() <= SHARDS);
            let covered: Vec<usize> = shards.into_iter().flatten().collect();
            assert_eq!(covered, (0..n).collect::<Vec<_>>());
        }
    }
}
