//! Rollouts: episodes through the same `drive()` as evaluation, judged and rewarded.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vrrl_harness_core::reward::{judge_finished, Judged, Reward, RewardSet};
use vrrl_harness_core::{
    drive, Action, Constraint, Dialect, End, Example, Feedback, Finished, Observation, Owner, Parsed, Policy,
    Reply, Seed, Settings, Start, TokenRecord, Turn, View,
};

use crate::Error;

/// Longest reply while training, in tokens: a path across the largest canvas fits twice.
pub const MAX_TOKENS: usize = 32;

/// A finished rollout with what the judge said.
#[derive(Clone, Debug)]
pub struct Rollout<'e> {
    /// The attempt.
    pub finished: Finished<'e>,
    /// The judged turns.
    pub judged: Judged,
    /// The reward.
    pub reward: Reward,
    /// Final answer right.
    pub correct: bool,
    /// First proposal right.
    pub correct_first: bool,
}

/// A stored prefix: everything that a roll-in needs but the pictures, which are drawn again, to the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prefix {
    /// Training example.
    pub index: u64,
    /// Its proposals, in order.
    pub replies: Vec<PrefixReply>,
}

/// One stored reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrefixReply {
    /// The text.
    pub text: String,
    /// Its tokens as they were sampled.
    pub tokens: TokenRecord,
}

/// Runs `starts` to their ends; the result is in their order.
///
/// # Errors
/// If the policy fails: a rollout with a fault is no training sample.
pub fn collect<'e>(
    policy: &mut dyn Policy,
    settings: Settings,
    starts: Vec<Start<'e>>,
    reward: &RewardSet,
) -> Result<Vec<Rollout<'e>>, Error> {
    let mut slots: Vec<Option<Finished<'e>>> = starts.iter().map(|_| None).collect();
    drive(policy, settings, starts, &mut |index, finished| {
        slots[index] = Some(finished);
        ControlFlow::Continue(())
    });
    slots
        .into_iter()
        .map(|slot| {
            let finished = slot.ok_or_else(|| Error::Rollout("an episode never ended".into()))?;
            if let (End::Fault, Some(fault)) = (finished.end, &finished.fault) {
                return Err(Error::Rollout(fault.to_string()));
            }
            let judged = judge_finished(&finished);
            let config = reward.of(finished.example.task());
            let score = judged.score(config);
            let reward = judged.reward(config);
            Ok(Rollout {
                finished,
                judged,
                reward,
                correct: score.correct,
                correct_first: score.correct_first,
            })
        })
        .collect()
}

impl Prefix {
    /// The part of a rollout before its commit, if it ends by one.
    #[must_use]
    pub fn of(index: u64, finished: &Finished<'_>) -> Option<Self> {
        let (last, before) = finished.turns.split_last()?;
        matches!(last.action, Action::Commit(_)).then(|| {
            let replies = before
                .iter()
                .map(|turn| PrefixReply {
                    text: turn.reply.text.clone(),
                    tokens: turn.reply.tokens.clone().unwrap_or_default(),
                })
                .collect();
            Self { index, replies }
        })
    }

    /// A start behind this prefix. With `masked`, its tokens are [`Owner::Stub`] and carry no loss.
    #[must_use]
    pub fn start<'e>(
        &self,
        example: &'e Example,
        dialect: Dialect,
        masked: bool,
        constraint: Constraint,
        seed: Seed,
    ) -> Option<Start<'e>> {
        let mut image = Some(Arc::new(example.problem.observe(View::Canvas)));
        let mut prefix = Vec::with_capacity(self.replies.len());
        for reply in &self.replies {
            let Parsed::Propose { answer: Some(answer), .. } = dialect.parse(&reply.text, example.task())
            else {
                return None;
            };
            let next = match example.problem.feedback(&answer, View::Canvas) {
                Feedback::Image(picture) => Some(Arc::new(picture)),
                Feedback::Text(_) => None,
            };
            let mut tokens = reply.tokens.clone();
            if masked {
                tokens.owners = vec![Owner::Stub; tokens.ids.len()];
            }
            let reply = Reply { text: reply.text.clone(), tokens: Some(tokens), ..Reply::default() };
            let observation = Observation { image: image.take(), ..Observation::default() };
            prefix.push(Turn { observation, reply, action: Action::Propose(answer) });
            image = next;
        }
        (!prefix.is_empty()).then_some(Start { prefix, constraint, ..Start::fresh(example, seed) })
    }
}
