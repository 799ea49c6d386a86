//! The reinforcement stage: GRPO, and with masking, roll-in and the reflection reward switched on, VRRL.
//!
//! One step: questions → groups of rollouts (from the question, or from a buffered prefix) → rewards → group
//! advantages → online filter → turn masking → token loss → optimizer.

use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_harness_core::reward::{judge_turns, RewardSet};
use vrrl_harness_core::{Constraint, Example, Owner, Parsed, Rng, Sampling, Seed, Settings, Start, View};
use vrrl_harness_runner_candle::CandlePolicy;

use crate::buffer::{Buffer, BufferState, Candidate};
use crate::config::RlConfig;
use crate::liveness::{self, Liveness};
use crate::math::{group_advantages, keep_group, mean, token_loss, token_means};
use crate::probe::Tally;
pub use crate::rollout::Prefix;
use crate::rollout::{collect, Rollout};
use crate::rtm::RtmCounts;
use crate::supervised::{fresh, look, record, report_of, report_of_saved};
use crate::{
    finished, Checkpoints, Error, Learner, Log, Objective, Progress, Run, Sequence, TokenRef, TrainingReport,
};

/// What a half-done stage keeps besides weights.
#[derive(Serialize, Deserialize)]
struct Stage {
    buffer: Option<BufferState<Prefix>>,
    rtm: RtmCounts,
    liveness: Liveness,
    /// Wrong prefixes replayed so far: every other one may be banned from committing.
    wrong_seen: u64,
    /// Next training example.
    next: u64,
}

/// One question's rollouts.
struct Group<'e> {
    rollouts: Vec<Rollout<'e>>,
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

/// Trains `learner` by reinforcement; the best weights on the hold-out are kept.
///
/// # Errors
/// As [`Error`], also if a mechanism that is on never fired; a stopped stage goes on from its last state.
pub fn reinforce(
    run: &mut Run<'_>,
    learner: &mut Learner,
    config: &RlConfig,
    mark: Value,
) -> Result<TrainingReport, Error> {
    if let Some(record) = finished(run.out, &run.fingerprint)? {
        return report_of(&record, run);
    }
    let reward = reward_of(config)?;
    let reference = learner.network.twin()?;
    let checkpoints = Checkpoints::new(run.out, &run.fingerprint)?;
    let mut saved = checkpoints.resume(learner)?.unwrap_or_else(|| fresh(run));
    let mut stage = Stage::restore(&saved.stage, config, run)?;
    let mut buffer = config.buffer.clone().map(|c| match stage.buffer.take() {
        Some(state) => Buffer::restore(c, state),
        None => Buffer::new(c),
    });
    let mut log = Log::open(run.out, saved.step)?;
    let mut clock = Instant::now();
    let steps = config.steps as u64;
    while saved.step < steps {
        if run.stopped() {
            return Err(Error::Interrupted { step: saved.step });
        }
        let began = Instant::now();
        let seed = run.seed.derive("step", saved.step);
        let mut step =
            Step { config, reward: &reward, run, learner, stage: &mut stage, seed, tally: Tally::default() };
        let plans = step.plan(buffer.as_mut(), saved.step)?;
        let groups = step.rollouts(&plans)?;
        let mut figures = step.figures(&groups);
        step.offer(&groups, buffer.as_mut(), saved.step);
        let kept: Vec<&Group<'_>> = step.filter(&groups);
        let (sequences, terms) = step.samples(&kept)?;
        let rate = config.schedule().rate(saved.step as usize);
        let rollout_seconds = began.elapsed().as_secs_f64();
        let report = learner.step(
            &sequences,
            (config.clip.kl > 0.0).then_some(&reference),
            &|refs, new, anchors| objective(config, &terms, refs, new, anchors),
            [rate, config.grad_clip],
        )?;
        stage.liveness.add(&liveness::KL, "diverged", report.sum("diverged") as u64);
        stage.liveness.add(&liveness::CLIP, "clipped", report.sum("clipped") as u64);
        saved.step += 1;
        saved.tokens += report.tokens;
        saved.learner_seconds += report.seconds;
        let trained = (report.trained as f64).max(1.0);
        let episodes = groups.iter().map(|g| g.rollouts.len()).sum::<usize>() as f64;
        figures.extend(
            [
                ("kl", report.sum("kl") / trained),
                ("clip_share", report.sum("clipped") / trained),
                ("groups_with_gradient", kept.len() as f64 / groups.len().max(1) as f64),
                ("loss", report.loss),
                ("norm", report.norm),
                ("lr", rate),
                ("tokens_per_second", report.tokens as f64 / report.seconds.max(1e-9)),
                ("episodes_per_second", episodes / rollout_seconds),
            ]
            .map(|(name, x)| (name.to_owned(), x)),
        );
        if let Some(buffer) = &buffer {
            figures.push(("buffer_fill".into(), buffer.entries().len() as f64));
        }
        let looks = saved.step % config.look_every == 0 || saved.step == steps;
        let mut best = false;
        if looks {
            let probe = look(run, learner, config.look);
            figures.extend(probe.figures("val_"));
            best = saved.best.is_none_or(|(accuracy, _)| probe.accuracy >= accuracy);
            if best {
                saved.best = Some((probe.accuracy, saved.step));
            }
        }
        log.write(saved.step, &figures)?;
        if looks {
            stage.buffer = buffer.as_ref().map(|b| b.state().clone());
            saved.stage = serde_json::to_value(&stage).expect("plain data serialises");
            saved.seconds += std::mem::replace(&mut clock, Instant::now()).elapsed().as_secs_f64();
            checkpoints.save(learner, &saved, best)?;
        }
        let wanted = ["turns", "accuracy", "delta_ref", "reward", "tokens_per_second"];
        let shown = wanted.iter().filter_map(|w| figures.iter().find(|(n, _)| n == w).cloned()).collect();
        (run.progress)(&Progress { stage: "rl".into(), step: saved.step, steps, figures: shown });
    }
    saved.seconds += clock.elapsed().as_secs_f64();
    stage.rtm.report(&mut stage.liveness);
    if let Some(buffer) = &buffer {
        buffer.counts().report(&mut stage.liveness);
    }
    let complaints = stage.liveness.complaints(&config.mechanisms());
    let counters = serde_json::to_value(&stage.liveness).expect("plain data serialises");
    let record = record(&saved, run, counters, &complaints, mark);
    if !complaints.is_empty() {
        return Err(Error::NeverFired(complaints));
    }
    checkpoints.finish(learner, &record)?;
    report_of_saved(&saved, &record, run)
}

/// The reward that a configuration names or writes out.
fn reward_of(config: &RlConfig) -> Result<RewardSet, Error> {
    if let Some(name) = config.reward.as_str() {
        return RewardSet::preset(name)
            .ok_or_else(|| Error::Recipe(format!("no reward preset is called `{name}`")));
    }
    serde_yaml::from_value(config.reward.clone()).map_err(|e| Error::Recipe(format!("`reward`: {e}")))
}

impl Stage {
    fn restore(value: &Value, config: &RlConfig, run: &Run<'_>) -> Result<Self, Error> {
        if value.is_null() {
            let mut liveness = Liveness::default();
            // So that a mechanism that is on shows its zeros.
            for mechanism in config.mechanisms() {
                for (counter, _) in mechanism.needs {
                    liveness.add(mechanism, counter, 0);
                }
            }
            return Ok(Self { buffer: None, rtm: RtmCounts::default(), liveness, wrong_seen: 0, next: 0 });
        }
        let path = run.out.to_owned();
        Self::deserialize(value)
            .map_err(|e| Error::File { path, reason: format!("not a training state: {e}") })
    }
}

struct Step<'s, 'r> {
    config: &'s RlConfig,
    reward: &'s RewardSet,
    run: &'s Run<'r>,
    learner: &'s Learner,
    stage: &'s mut Stage,
    seed: Seed,
    tally: Tally,
}

impl Step<'_, '_> {
    /// Chooses where this step's groups start.
    fn plan(&mut self, buffer: Option<&mut Buffer<Prefix>>, step: u64) -> Result<Vec<Plan>, Error> {
        let mut rng = self.seed.derive("plan", 0).rng();
        let mut starts: Vec<(u64, Option<Prefix>, Constraint)> = Vec::new();
        if let (Some(buffer), Some(config)) = (buffer, &self.config.buffer) {
            let wanted = (0..self.config.questions).filter(|_| rng.unit() < config.share).count();
            for entry in buffer.sample(wanted, step, &mut rng) {
                let banned = !entry.right && config.ban.applies(self.stage.wrong_seen);
                self.stage.wrong_seen += u64::from(!entry.right);
                self.stage.liveness.add(&liveness::BAN, "banned", u64::from(banned));
                let constraint = if banned { Constraint::MustRevise } else { Constraint::Free };
                starts.push((entry.payload.index, Some(entry.payload), constraint));
            }
        }
        while starts.len() < self.config.questions {
            starts.push((self.stage.next, None, Constraint::Free));
            self.stage.next += 1;
        }
        let train = self.run.train;
        starts
            .into_par_iter()
            .map(|(index, prefix, constraint)| Ok(Plan { index, example: train(index)?, prefix, constraint }))
            .collect()
    }

    /// Rolls out every plan's group and computes its advantages.
    fn rollouts<'e>(&mut self, plans: &'e [Plan]) -> Result<Vec<Group<'e>>, Error> {
        let settings = Settings {
            dialect: self.run.dialect,
            max_turns: self.config.max_turns,
            sampling: Sampling { temperature: self.config.temperature, max_tokens: 32 },
            view: View::Canvas,
            stop_on_repeat: true,
        };
        let masked = self.config.buffer.as_ref().is_some_and(|b| b.mask_prefix);
        let mut starts = Vec::with_capacity(plans.len() * self.config.group);
        for (q, plan) in plans.iter().enumerate() {
            for g in 0..self.config.group {
                let seed = self.seed.derive("rollout", (q * self.config.group + g) as u64);
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
        Ok(plans
            .iter()
            .map(|plan| {
                let rollouts: Vec<Rollout<'e>> = rollouts.by_ref().take(self.config.group).collect();
                let mut rewards: Vec<f64> = rollouts.iter().map(|r| r.reward.total).collect();
                let credited = self.config.buffer.as_ref().is_some_and(|b| b.ban_credit)
                    && plan.constraint == Constraint::MustRevise;
                if let (true, Some(prefix)) = (credited, &plan.prefix) {
                    let twin = self.commits_at_once(plan, prefix);
                    rewards.extend(std::iter::repeat_n(twin, self.config.group));
                }
                let firsts: Vec<f64> =
                    rollouts.iter().map(|r| f64::from(u8::from(r.correct_first))).collect();
                Group {
                    index: plan.index,
                    prefix: plan.prefix.as_ref().map_or(0, |p| p.replies.len()),
                    credited,
                    // The first `group` are the rollouts'; twins that committed at once have no tokens.
                    advantages: group_advantages(&rewards, floor),
                    first_advantages: group_advantages(&firsts, floor),
                    rollouts,
                }
            })
            .collect())
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

    /// What the on-policy episodes of this step look like.
    fn figures(&mut self, groups: &[Group<'_>]) -> Vec<(String, f64)> {
        let mut rewards = Vec::new();
        for rollout in groups.iter().flat_map(|g| &g.rollouts) {
            self.stage.liveness.add(&liveness::REFLECTION, "rewarded", 1);
            let shaped = rollout.reward.reflection > 0.0;
            self.stage.liveness.add(&liveness::REFLECTION, "shaped", u64::from(shaped));
            self.stage.liveness.observe(&liveness::REFLECTION, "reflection", rollout.reward.reflection);
        }
        for rollout in groups.iter().filter(|g| g.prefix == 0).flat_map(|g| &g.rollouts) {
            self.tally.add(&rollout.finished);
            rewards.push(rollout.reward.total);
        }
        let mut figures = vec![("reward".to_owned(), mean(&rewards).unwrap_or(0.0))];
        figures.extend(self.tally.probe().figures(""));
        let solved: Vec<f64> = groups
            .iter()
            .filter(|g| g.prefix > 0)
            .flat_map(|g| &g.rollouts)
            .map(|r| f64::from(u8::from(r.correct)))
            .collect();
        if let Some(solved) = mean(&solved) {
            figures.push(("buffer_accuracy".into(), solved));
        }
        figures
    }

    /// Offers every on-policy prefix to the buffer.
    fn offer(&mut self, groups: &[Group<'_>], buffer: Option<&mut Buffer<Prefix>>, step: u64) {
        let Some(buffer) = buffer else { return };
        for group in groups.iter().filter(|g| g.prefix == 0) {
            let right = group.rollouts.iter().filter(|r| r.correct).count();
            for rollout in &group.rollouts {
                let well_formed = rollout.judged.well_formed(1);
                let prefix = Prefix::of(group.index, &rollout.finished);
                let payload = prefix.unwrap_or(Prefix { index: group.index, replies: Vec::new() });
                buffer.offer(
                    Candidate {
                        question: group.index.to_string(),
                        right: rollout.correct,
                        proposals: payload.replies.len(),
                        malformed: !well_formed,
                        from_buffer: false,
                        group_accuracy: right as f64 / group.rollouts.len() as f64,
                        payload,
                    },
                    step,
                );
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

    /// The learner's sequences with the numbers that their tokens' loss needs.
    fn samples(&mut self, groups: &[&Group<'_>]) -> Result<(Vec<Sequence>, Vec<Term>), Error> {
        let mut rng: Rng = self.seed.derive("mask", 0).rng();
        let (mut sequences, mut terms) = (Vec::new(), Vec::new());
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
                if let (Some(rtm), false) = (&self.config.rtm, buffered) {
                    let tokens: Vec<usize> = sequence.turns.iter().map(|t| t.ids.len()).collect();
                    let mask = rtm.mask(&tokens, &mut rng, &mut self.stage.rtm);
                    for (turn, _) in sequence.turns.iter_mut().zip(&mask.kept).filter(|(_, kept)| !**kept) {
                        turn.owners.fill(Owner::Stub);
                    }
                }
                let first = if self.config.turn0_credit && !buffered {
                    let advantage = group.first_advantages[i];
                    self.stage.liveness.add(
                        &liveness::TURN0_CREDIT,
                        "credited",
                        u64::from(advantage.abs() > 0.0),
                    );
                    advantage
                } else {
                    group.advantages[i]
                };
                let old = sequence.turns.iter().map(|t| t.log_probs.clone()).collect();
                terms.push(Term { first, later: group.advantages[i], old, buffered, weight: 0.0 });
                sequences.push(sequence);
            }
        }
        let count = |buffered: bool| {
            sequences
                .iter()
                .zip(&terms)
                .filter(|(_, t)| t.buffered == buffered)
                .map(|(s, _)| s.trained())
                .sum()
        };
        let weights = token_means(count(false), count(true), self.config.rho(), self.config.token_mean);
        for term in &mut terms {
            term.weight = if term.buffered { weights.buffer } else { weights.on_policy };
        }
        Ok((sequences, terms))
    }
}

/// What one sequence's tokens need.
struct Term {
    /// Advantage of the first turn.
    first: f64,
    /// Advantage of later turns.
    later: f64,
    /// Log-probabilities when sampled, by turn.
    old: Vec<Vec<f32>>,
    buffered: bool,
    /// Weight of one token.
    weight: f64,
}

/// The clipped token loss with its pull to the reference, see [`token_loss`].
fn objective(
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
