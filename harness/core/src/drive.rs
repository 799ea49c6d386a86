//! The one loop that runs episodes, for evaluation and for training alike.

use std::ops::ControlFlow;

use crate::{Constraint, Episode, Example, Finished, Policy, Request, Seed, Settings, Shown, Step, Turn};

/// Where an episode starts.
pub struct Start<'e> {
    /// The example.
    pub example: &'e Example,
    /// The episode's own seed.
    pub seed: Seed,
    /// What is shown as feedback.
    pub shown: Shown<'e>,
    /// Turns replayed before the policy is asked (empty in evaluation).
    pub prefix: Vec<Turn>,
    /// What the first reply after the prefix has to do; without a prefix it is free.
    pub constraint: Constraint,
}

impl<'e> Start<'e> {
    /// From the question on.
    #[must_use]
    pub fn fresh(example: &'e Example, seed: Seed) -> Self {
        Self { example, seed, shown: Shown::Own, prefix: Vec::new(), constraint: Constraint::Free }
    }
}

/// Runs every episode of `starts` and hands each to `done` with its index as soon as it ends; the slot is
/// refilled at once, so that long episodes hold nobody. `done` may break off; what is open is then dropped.
pub fn drive<'e>(
    policy: &mut dyn Policy,
    settings: Settings,
    starts: impl IntoIterator<Item = Start<'e>>,
    done: &mut dyn FnMut(usize, Finished<'e>) -> ControlFlow<()>,
) {
    let (slots, pixels) = (policy.slots().max(1), policy.wants_pixels());
    let ready = |episode: Episode<'e>| if pixels { episode } else { episode.packed() };
    let mut waiting = starts.into_iter().enumerate();
    let mut open: Vec<(usize, Episode<'e>)> = Vec::with_capacity(slots);
    loop {
        while open.len() < slots {
            let Some((index, start)) = waiting.next() else { break };
            open.push((index, ready(Episode::new(start, settings))));
        }
        if open.is_empty() {
            return;
        }
        let requests: Vec<Request<'_>> = open
            .iter()
            .map(|(index, episode)| Request {
                episode: *index as u64,
                example: episode.example(),
                history: episode.history(),
                observation: episode.observation(),
                dialect: settings.dialect,
                seed: episode.reply_seed(),
                sampling: settings.sampling,
                constraint: episode.constraint(),
            })
            .collect();
        let replies = policy.respond(&requests);
        assert_eq!(replies.len(), requests.len(), "a policy returns one slot per request");
        drop(requests);
        let mut still = Vec::with_capacity(slots);
        let mut answered = open.into_iter().zip(replies);
        while let Some(((index, episode), reply)) = answered.next() {
            match episode.apply(reply) {
                Step::Open(episode) => still.push((index, ready(episode))),
                Step::Done(finished) => {
                    policy.release(index as u64);
                    if done(index, finished).is_break() {
                        let rest = answered.map(|((other, _), _)| other);
                        for other in still.iter().map(|(other, _)| *other).chain(rest) {
                            policy.release(other as u64);
                        }
                        return;
                    }
                }
            }
        }
        open = still;
    }
}
