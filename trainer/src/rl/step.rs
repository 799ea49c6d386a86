//! One step of the reinforcement stage: where its groups start, their rollouts, and what is trained on.

use rayon::prelude::*;
use vrrl_harness_core::reward::{judge_turns, RewardSet};
use vrrl_harness_core::{
    Constraint, Example, FeedbackMode, Owner, Parsed, Rng, Sampling, Seed, Settings, Start, View,
};
use vrrl_harness_runner_candle::CandlePolicy;

use super::seen::Seen;
use super::Stage;
use crate::buffer::{Buffer, Candidate};
use crate::config::RlConfig;
use crate::error::Place;
use crate::liveness;
use crate::math::{group_advantages, keep_group, mean, token_loss, token_means};
use crate::rollout::{collect, Prefix, Rollout, MAX_TOKENS};
use crate::{Error, Learner, Objective, Run, Sequence, TokenRef};

/// One question's rollouts.
struct Group<'e> {
    rollouts: Vec<Rollout<'e>>,
    /// Place within the step's first groups or its refill.
    number: usize,
    /// Training example.
    index: u64,
    /// Turns of the buffered prefix; 0 for an on-policy group.
    prefix: usize,
    /// The forced opening behind the prefix carries loss.
    credited: bool,
    advantages: Vec<f64>,
    first_advantages: Vec<f64>,
}

/// Where a group starts.
struct Plan {
    index: u64,
    example: Example,
    prefix: Option<Prefix>,
    constraint: Constraint,
}

/// One step under way.
pub(super) struct Step<'s, 'r> {
    pub config: &'s RlConfig,
    pub reward: &'s RewardSet,
    pub run: &'s Run<'r>,
    pub learner: &'s Learner,
    pub stage: &'s mut Stage,
    pub seed: Seed,
    /// Strength of masking and roll-in, see [`crate::curriculum`].
    pub level: f64,
    pub seen: Seen,
}

/// What a step trains on.
#[derive(Default)]
pub(super) struct Gathered {
    pub sequences: Vec<Sequence>,
    pub terms: Vec<Term>,
    /// Groups rolled out.
    pub groups: usize,
    /// Groups that carry a gradient and are trained on.
    pub kept: usize,
}

impl Step<'_, '_> {
    /// Rolls out this step's groups. Where the filter leaves fewer than `questions`, fresh questions refill
    /// them, up to `filter.tries` times; a refill never starts from the buffer, so it lowers the buffer's share.
    pub fn gather(&mut self, mut buffer: Option<&mut Buffer<Prefix>>, step: u64) -> Result<Gathered, Error> {
        let questions = self.config.questions;
        let tries = self.config.filter.map_or(0, |filter| filter.tries) as u64;
        let mut out = Gathered::default();
        let mut plans = self.plan(buffer.as_deref_mut(), step)?;
        for wave in 0..=tries {
            let groups = self.rollouts(&plans, wave)?;
            self.observe(&groups);
            if let Some(buffer) = buffer.as_deref_mut() {
                offer(&groups, buffer, step);
            }
            let mut kept = self.filter(&groups);
            kept.truncate(questions - out.kept);
            out.groups += groups.len();
            out.kept += kept.len();
            self.samples(&kept, wave, &mut out)?;
            if out.kept >= questions || wave == tries {
                break;
            }
            let fresh = (0..questions - out.kept).map(|_| self.next_question()).collect();
            plans = self.pose(fresh)?;
        }
        self.weigh(&mut out);
        Ok(out)
    }

    /// Chooses where this step's groups start.
    fn plan(&mut self, buffer: Option<&mut Buffer<Prefix>>, step: u64) -> Result<Vec<Plan>, Error> {
        let mut rng = self.seed.derive("plan", 0).rng();
        let mut starts: Vec<(u64, Option<Prefix>, Constraint)> = Vec::new();
        if let (Some(buffer), Some(config)) = (buffer, &self.config.buffer) {
            let share = config.share * self.level;
            let wanted = (0..self.config.questions).filter(|_| rng.unit() < share).count();
            for entry in buffer.sample(wanted, step, &mut rng) {
                let banned = !entry.right && config.ban.applies(self.stage.wrong_seen);
                self.stage.wrong_seen += u64::from(!entry.right);
                self.stage.liveness.add(&liveness::BAN, "banned", u64::from(banned));
                let constraint = if banned { Constraint::MustRevise } else { Constraint::Free };
                starts.push((entry.payload.index, Some(entry.payload), constraint));
            }
        }
        while starts.len() < self.config.questions {
            starts.push(self.next_question());
        }
        self.pose(starts)
    }

    /// The next training example, from its question on.
    fn next_question(&mut self) -> (u64, Option<Prefix>, Constraint) {
        self.stage.next += 1;
        (self.stage.next - 1, None, Constraint::Free)
    }

    /// Makes the examples.
    fn pose(&self, starts: Vec<(u64, Option<Prefix>, Constraint)>) -> Result<Vec<Plan>, Error> {
        let train = self.run.train;
        starts
            .into_par_iter()
            .map(|(index, prefix, constraint)| Ok(Plan { index, example: train(index)?, prefix, constraint }))
            .collect()
    }

    /// Rolls out every plan's group and computes its advantages.
    fn rollouts<'e>(&self, plans: &'e [Plan], wave: u64) -> Result<Vec<Group<'e>>, Error> {
        let base = if wave == 0 { self.seed } else { self.seed.derive("wave", wave) };
        let settings = Settings {
            dialect: self.run.dialect,
            max_turns: self.config.max_turns,
            sampling: Sampling { temperature: self.config.temperature, max_tokens: MAX_TOKENS },
            view: View::Canvas,
            feedback: FeedbackMode::Crop,
            stop_on_repeat: true,
        };
        let masked = self.config.buffer.as_ref().is_some_and(|b| b.mask_prefix);
        let mut starts = Vec::with_capacity(plans.len() * self.config.group);
        for (q, plan) in plans.iter().enumerate() {
            for g in 0..self.config.group {
                let seed = base.derive("rollout", (q * self.config.group + g) as u64);
                starts.push(match &plan.prefix {
                    None => Start::fresh(&plan.example, seed),
                    Some(prefix) => prefix
                        .start(&plan.example, self.run.dialect, masked, plan.constraint, seed)
                        .ok_or_else(|| Error::Rollout("a buffered prefix no longer parses".into()))?,
                });
            }
        }
        let mut policy = CandlePolicy::of(&self.learner.network, &self.learner.tokenizer);
        let mut rollouts = collect(&mut policy, settings, starts, self.reward)?.into_iter();
        let floor = self.config.std_floor;
        plans
            .iter()
            .enumerate()
            .map(|(number, plan)| {
                let rollouts: Vec<Rollout<'e>> = rollouts.by_ref().take(self.config.group).collect();
                let mut rewards: Vec<f64> = rollouts.iter().map(|r| r.reward.total).collect();
                finite("reward", &rewards, number, plan.index)?;
                let credited = self.config.buffer.as_ref().is_some_and(|b| b.ban_credit)
                    && plan.constraint == Constraint::MustRevise;
                if let (true, Some(prefix)) = (credited, &plan.prefix) {
                    let twin = self.commits_at_once(plan, prefix);
                    rewards.extend(std::iter::repeat_n(twin, self.config.group));
                }
                let firsts: Vec<f64> =
                    rollouts.iter().map(|r| f64::from(u8::from(r.correct_first))).collect();
                // The first `group` are the rollouts'; twins that committed at once have no tokens.
                let advantages = group_advantages(&rewards, floor);
                let first_advantages = group_advantages(&firsts, floor);
                finite("advantage", &advantages, number, plan.index)?;
                let prefix = plan.prefix.as_ref().map_or(0, |p| p.replies.len());
                let index = plan.index;
                Ok(Group { number, index, prefix, credited, advantages, first_advantages, rollouts })
            })
            .collect()
    }

    /// Reward of committing a prefix's last proposal as it stands.
    fn commits_at_once(&self, plan: &Plan, prefix: &Prefix) -> f64 {
        let dialect = self.run.dialect;
        let mut texts: Vec<&str> = prefix.replies.iter().map(|r| r.text.as_str()).collect();
        let last = texts.last().map(|text| dialect.parse(text, plan.example.task()));
        let commit = match last {
            Some(Parsed::Propose { answer: Some(answer), .. }) => dialect.print_commit(&answer),
            _ => String::new(),
        };
        texts.push(&commit);
        let judged = judge_turns(&*plan.example.problem, dialect, &texts);
        judged.reward(self.reward.of(plan.example.task())).total
    }

    /// Counts what the rollouts did.
    fn observe(&mut self, groups: &[Group<'_>]) {
        for group in groups {
            if group.credited {
                self.stage.liveness.add(&liveness::BAN_CREDIT, "groups", 1);
            }
            for rollout in &group.rollouts {
                self.stage.liveness.add(&liveness::REFLECTION, "rewarded", 1);
                let shaped = rollout.reward.reflection > 0.0;
                let costs = rollout.reward.step_cost > 0.0;
                self.stage.liveness.add(&liveness::REFLECTION, "step_cost_paid", u64::from(costs));
                self.stage.liveness.add(&liveness::REFLECTION, "shaped", u64::from(shaped));
                self.stage.liveness.observe(&liveness::REFLECTION, "reflection", rollout.reward.reflection);
                if group.prefix > 0 {
                    self.seen.replayed(rollout.correct);
                } else {
                    self.seen.rolled_out(rollout, self.reward);
                }
            }
        }
    }

    /// Online filtering: groups without a usable signal go.
    fn filter<'g, 'e>(&mut self, groups: &'g [Group<'e>]) -> Vec<&'g Group<'e>> {
        let live = |g: &Group<'_>| g.advantages.iter().any(|a| a.abs() > 0.0);
        let Some(filter) = self.config.filter else {
            return groups.iter().filter(|g| live(g)).collect();
        };
        let kept: Vec<&Group<'_>> = groups
            .iter()
            .filter(|g| {
                let rewards: Vec<f64> = g.rollouts.iter().map(|r| r.reward.total).collect();
                keep_group(mean(&rewards).unwrap_or(0.0), filter.low, filter.high) && live(g)
            })
            .collect();
        self.stage.liveness.add(&liveness::FILTER, "groups", groups.len() as u64);
        self.stage.liveness.add(&liveness::FILTER, "dropped", (groups.len() - kept.len()) as u64);
        kept
    }

    /// Adds the groups' sequences with the numbers that their tokens' loss needs.
    fn samples(&mut self, groups: &[&Group<'_>], wave: u64, out: &mut Gathered) -> Result<(), Error> {
        let mut rng: Rng = self.seed.derive("mask", wave).rng();
        for group in groups {
            for (i, rollout) in group.rollouts.iter().enumerate() {
                let mut sequence = Sequence::of(&rollout.finished, &self.learner.tokenizer)?;
                let buffered = group.prefix > 0;
                if group.credited {
                    if let Some(owner) =
                        sequence.turns.get_mut(group.prefix).and_then(|t| t.owners.first_mut())
                    {
                        *owner = Owner::Policy;
                    }
                }
                // No draw where nothing is drawn for: without a curriculum the stream is the same.
                let spared = self.level < 1.0 && rng.unit() >= self.level;
                if let (Some(rtm), false) = (&self.config.rtm, buffered || spared) {
                    let tokens: Vec<usize> = sequence.turns.iter().map(|t| t.ids.len()).collect();
                    let mask = rtm.mask(&tokens, &mut rng, &mut self.stage.rtm);
                    for (turn, _) in sequence.turns.iter_mut().zip(&mask.kept).filter(|(_, kept)| !**kept) {
                        turn.owners.fill(Owner::Stub);
                    }
                }
                let first = if self.config.turn0_credit && !buffered {
                    let advantage = group.first_advantages[i];
                    let credited = u64::from(advantage.abs() > 0.0);
                    self.stage.liveness.add(&liveness::TURN0_CREDIT, "credited", credited);
                    advantage
                } else {
                    group.advantages[i]
                };
                let old = sequence.turns.iter().map(|t| t.log_probs.clone()).collect();
                let origin = [group.number as u64, group.index, i as u64];
                out.terms.push(Term {
                    first,
                    later: group.advantages[i],
                    old,
                    buffered,
                    weight: 0.0,
                    origin,
                });
                out.sequences.push(sequence);
            }
        }
        Ok(())
    }

    /// Gives every sequence's tokens their weight in the token mean.
    fn weigh(&self, out: &mut Gathered) {
        let count = |buffered: bool| {
            let all = out.sequences.iter().zip(&out.terms);
            all.filter(|(_, t)| t.buffered == buffered).map(|(s, _)| s.trained()).sum()
        };
        let rho = 1.0 - (1.0 - self.config.rho()) * self.level;
        let weights = token_means(count(false), count(true), rho, self.config.token_mean);
        for term in &mut out.terms {
            term.weight = if term.buffered { weights.buffer } else { weights.on_policy };
        }
    }
}

/// Offers every on-policy prefix to the buffer.
fn offer(groups: &[Group<'_>], buffer: &mut Buffer<Prefix>, step: u64) {
    for group in groups.iter().filter(|g| g.prefix == 0) {
        let right = group.rollouts.iter().filter(|r| r.correct).count();
        for rollout in &group.rollouts {
            let prefix = Prefix::of(group.index, &rollout.finished);
            let payload = prefix.unwrap_or(Prefix { index: group.index, replies: Vec::new() });
            buffer.offer(
                Candidate {
                    question: group.index.to_string(),
                    right: rollout.correct,
                    proposals: payload.replies.len(),
                    malformed: !rollout.judged.well_formed(1),
                    from_buffer: false,
                    group_accuracy: right as f64 / group.rollouts.len() as f64,
                    payload,
                },
                step,
            );
        }
    }
}

/// What one sequence's tokens need.
pub(super) struct Term {
    /// Advantage of the first turn.
    first: f64,
    /// Advantage of later turns.
    later: f64,
    /// Log-probabilities when sampled, by turn.
    old: Vec<Vec<f32>>,
    buffered: bool,
    /// Weight of one token.
    weight: f64,
    /// Group within the step, training example, and rollout within the group.
    origin: [u64; 3],
}

impl Term {
    /// Where the sequence comes from, in words.
    pub fn words(&self) -> String {
        let [group, index, rollout] = self.origin;
        origin(group, index, rollout)
    }
}

fn origin(group: u64, index: u64, rollout: u64) -> String {
    format!("group {group}, training example {index}, rollout {rollout}")
}

/// Refuses a group's numbers, one a rollout, if one is not finite. The step's own number is filled in by the caller.
fn finite(part: &str, values: &[f64], group: usize, index: u64) -> Result<(), Error> {
    let Some(at) = values.iter().position(|x| !x.is_finite()) else { return Ok(()) };
    let place = Place::Named(origin(group as u64, index, at as u64));
    Err(Error::NotFinite { step: 0, part: part.to_owned(), value: values[at], place, last: None })
}

/// The clipped token loss with its pull to the reference, see [`token_loss`].
pub(super) fn objective(
    config: &RlConfig,
    terms: &[Term],
    refs: &[TokenRef],
    new: &[f32],
    anchors: &[f32],
) -> Objective {
    let mut out = Objective { slopes: Vec::with_capacity(refs.len()), ..Objective::default() };
    let (mut kl, mut clipped, mut diverged) = (0.0, 0.0, 0.0);
    for (i, at) in refs.iter().enumerate() {
        let term = &terms[at.sequence];
        let now = f64::from(new[i]);
        let old = term.old[at.turn].get(at.token).map_or(now, |x| f64::from(*x));
        let anchor = anchors.get(i).map_or(now, |x| f64::from(*x));
        let advantage = if at.turn == 0 { term.first } else { term.later };
        let token = token_loss(now, old, anchor, advantage, &config.clip);
        out.loss += term.weight * token.loss;
        out.slopes.push(term.weight * token.grad);
        kl += token.kl;
        clipped += f64::from(u8::from(token.clipped));
        diverged += f64::from(u8::from(token.kl > 1e-9));
    }
    out.sums = vec![("kl", kl), ("clipped", clipped), ("diverged", diverged)];
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reward_that_is_not_finite_names_group_example_and_rollout() {
        finite("reward", &[0.0, 1.0, -1.0], 4, 812).unwrap();
        let error = finite("reward", &[0.0, f64::INFINITY], 4, 812).unwrap_err().during(31, None);
        let text = error.to_string();
        let want = "step 31: the reward is inf (group 4, training example 812, rollout 1); check `reward`; ";
        assert!(text.starts_with(want), "{text}");
    }
}
