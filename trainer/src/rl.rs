//! The reinforcement stage: GRPO, and with masking, roll-in and the reflection reward switched on, VRRL.
//!
//! One step: questions → groups of rollouts (from the question, or from a buffered prefix) → rewards → group
//! advantages → online filter → turn masking → token loss → optimizer.

mod step;

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_harness_core::reward::RewardSet;

use crate::buffer::{Buffer, BufferState};
use crate::config::RlConfig;
use crate::liveness::{self, Liveness};
pub use crate::rollout::Prefix;
use crate::rtm::RtmCounts;
use crate::supervised::{fresh, look, record, report_of, timing};
use crate::{finished, Checkpoints, Error, Learner, Log, Progress, Run, TrainingReport};
use step::{objective, Gathered, Seen, Step};

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
    /// Running mean of what drives the curriculum.
    #[serde(default)]
    measured: Option<f64>,
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
    let reward = reward_of(config)?;
    let reference = learner.network.twin()?;
    let checkpoints = Checkpoints::new(run.out, &run.fingerprint)?;
    if let Some(record) = finished(run.out, &run.fingerprint)? {
        checkpoints.load_finished(learner)?;
        return Ok(report_of(&record, run));
    }
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
            stage.buffer = buffer.as_ref().map(|b| b.state().clone());
            saved.stage = serde_json::to_value(&stage).expect("plain data serialises");
            saved.seconds += clock.elapsed().as_secs_f64();
            checkpoints.save(learner, &saved, false)?;
            return Err(Error::Interrupted { step: saved.step });
        }
        let began = Instant::now();
        let seed = run.seed.derive("step", saved.step);
        let level = config.curriculum.map_or(1.0, |curriculum| curriculum.level(stage.measured));
        let mut step =
            Step { config, reward: &reward, run, learner, stage: &mut stage, seed, level, seen: Seen::default() };
        let gathered = step.gather(buffer.as_mut(), saved.step)?;
        let mut figures = step.seen.figures();
        if let Some(curriculum) = &config.curriculum {
            let share = step.seen.measure(curriculum.measure);
            stage.measured = curriculum.mean(stage.measured, share);
            stage.liveness.add(&liveness::CURRICULUM, "steps", 1);
            stage.liveness.add(&liveness::CURRICULUM, "steps_below_full", u64::from(level < 1.0));
            stage.liveness.observe(&liveness::CURRICULUM, "level", level);
            figures.push(("curriculum_level".into(), level));
        }
        let Gathered { sequences, terms, .. } = &gathered;
        let rate = config.schedule().rate(saved.step as usize);
        let rollout_seconds = began.elapsed().as_secs_f64();
        let report = learner.step(
            sequences,
            (config.clip.kl > 0.0).then_some(&reference),
            &|refs, new, anchors| objective(config, terms, refs, new, anchors),
            [rate, config.grad_clip],
        )?;
        stage.liveness.add(&liveness::KL, "diverged", report.sum("diverged") as u64);
        stage.liveness.add(&liveness::CLIP, "clipped", report.sum("clipped") as u64);
        saved.step += 1;
        saved.tokens += report.tokens;
        saved.learner_seconds += report.seconds;
        let trained = (report.trained as f64).max(1.0);
        let episodes = (gathered.groups * config.group) as f64;
        figures.extend(
            [
                ("kl", report.sum("kl") / trained),
                ("clip_share", report.sum("clipped") / trained),
                ("groups_with_gradient", gathered.kept as f64 / gathered.groups.max(1) as f64),
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
            let probe = look(run, learner, config.look)?;
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
        checkpoints.fail(&record)?;
        return Err(Error::NeverFired(complaints));
    }
    checkpoints.finish(learner, &timing(&saved), &record)?;
    Ok(report_of(&record, run))
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
            return Ok(Self { buffer: None, rtm: RtmCounts::default(), liveness, wrong_seen: 0, next: 0, measured: None });
        }
        let path = run.out.to_owned();
        Self::deserialize(value)
            .map_err(|e| Error::File { path, reason: format!("not a training state: {e}") })
    }
}
