//! What a step's rollouts looked like, for the log and the warnings.

use vrrl_harness_core::reward::RewardSet;
use vrrl_harness_core::Owner;

use crate::buffer::{Buffer, Entry};
use crate::curriculum::Measure;
use crate::math::mean;
use crate::probe::Tally;
use crate::rollout::{Prefix, Rollout};
use crate::warnings;

/// Sums over a step's rollouts. Roll-ins count only towards `solved`: their prefix is not their own.
#[derive(Default)]
pub(super) struct Seen {
    tally: Tally,
    rewards: Vec<f64>,
    /// Format, outcome, reflection and step cost, each before its weight.
    parts: [Vec<f64>; 4],
    faults: Vec<f64>,
    /// Sum of −log-probability over sampled tokens, and their number.
    surprise: (f64, u64),
    /// Right answers behind buffered prefixes.
    solved: Vec<f64>,
}

impl Seen {
    /// Counts a rollout that started at its question.
    pub fn rolled_out(&mut self, rollout: &Rollout<'_>, reward: &RewardSet) {
        self.tally.add(&rollout.finished);
        self.rewards.push(rollout.reward.total);
        let r = &rollout.reward;
        for (all, part) in self.parts.iter_mut().zip([r.format, r.outcome, r.reflection, r.step_cost]) {
            all.push(part);
        }
        let least = reward.of(rollout.finished.example.task()).min_turns;
        self.faults.push(f64::from(u8::from(!rollout.judged.well_formed(least))));
        for record in rollout.finished.turns.iter().filter_map(|turn| turn.reply.tokens.as_ref()) {
            let sampled = record.owners.iter().zip(&record.log_probs).filter(|(o, _)| **o == Owner::Policy);
            for (_, x) in sampled {
                self.surprise.0 -= f64::from(*x);
                self.surprise.1 += 1;
            }
        }
    }

    /// Counts a rollout behind a buffered prefix.
    pub fn replayed(&mut self, correct: bool) {
        self.solved.push(f64::from(u8::from(correct)));
    }

    /// What drives a curriculum; `None` where no rollout says anything about it.
    pub fn measure(&self, what: Measure) -> Option<f64> {
        let probe = self.tally.probe();
        match what {
            Measure::WrongFirst => (!self.rewards.is_empty()).then_some(1.0 - probe.first_accuracy),
            Measure::WrongCommitted => probe.stop_wrong,
        }
    }

    /// Named figures for the log. Where every group started from the buffer, nothing is said of the policy's own.
    pub fn figures(&self) -> Vec<(String, f64)> {
        let mut figures = Vec::new();
        if let Some(reward) = mean(&self.rewards) {
            figures.push(("reward".to_owned(), reward));
            figures.extend(self.tally.probe().figures(""));
        }
        let names = ["reward_format", "reward_outcome", "reward_reflection", "reward_step_cost"];
        let parts = names.into_iter().zip(&self.parts).map(|(name, all)| (name, mean(all)));
        let (sum, n) = self.surprise;
        let others = [
            ("format_fault_rate", mean(&self.faults)),
            // Of tokens drawn at temperature 1 this is an unbiased estimate of the entropy a token; at another
            // temperature it is the cross-entropy to the policy at 1, which the log-probabilities are of.
            ("entropy_estimate", (n > 0).then(|| sum / n as f64)),
            ("buffer_accuracy", mean(&self.solved)),
        ];
        figures.extend(parts.chain(others).filter_map(|(name, x)| Some((name.to_owned(), x?))));
        figures
    }

    /// What the warnings look at.
    pub fn watched(&self, groups: usize, kl: f64, buffer: Option<&Buffer<Prefix>>) -> warnings::Seen {
        let probe = self.tally.probe();
        let policy = mean(&self.faults).map(|format_faults| warnings::OnPolicy {
            turns: probe.turns,
            delta_ref: probe.accuracy - probe.first_accuracy,
            first_accuracy: probe.first_accuracy,
            format_faults,
        });
        warnings::Seen {
            policy,
            groups,
            kl,
            buffer_accuracy: mean(&self.solved),
            buffer_fill: buffer.map(|b| b.entries().len()),
        }
    }
}

/// What the buffer holds after `step`: entries, their mean age in steps, and the share of wrong ones.
pub(super) fn held(buffer: &Buffer<Prefix>, step: u64) -> Vec<(String, f64)> {
    let entries = buffer.entries();
    let of = |value: &dyn Fn(&Entry<Prefix>) -> f64| mean(&entries.iter().map(value).collect::<Vec<_>>());
    [
        ("buffer_fill", Some(entries.len() as f64)),
        ("buffer_age", of(&|e| step.saturating_sub(e.step) as f64)),
        ("buffer_wrong_share", of(&|e| f64::from(u8::from(!e.right)))),
    ]
    .into_iter()
    .filter_map(|(name, x)| Some((name.to_owned(), x?)))
    .collect()
}
