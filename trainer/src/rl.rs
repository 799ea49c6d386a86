//! The reinforcement stage: GRPO, and with masking, roll-in and the reflection reward switched on, VRRL.
//!
//! One step: questions → groups of rollouts (from the question, or from a buffered prefix) → rewards → group
//! advantages → online filter → turn masking → token loss → optimizer.

mod seen;
mod step;

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_harness_core::reward::RewardSet;

use crate::buffer::{Buffer, BufferState};
use crate::checkpoint::Saved;
use crate::config::RlConfig;
use crate::curriculum::CurriculumConfig;
use crate::guard::Limits;
use crate::liveness::{self, Liveness};
pub use crate::rollout::Prefix;
use crate::rtm::RtmCounts;
use crate::supervised::{fresh, look, record, report_of, timing, Remarks};
use crate::warnings::{Bounds, Warning, Watch};
use crate::{finished, Checkpoints, Error, Learner, Log, Progress, Run, StepReport, TrainingReport};
use seen::{held, Seen};
use step::{objective, Gathered, Step};

/// Figures of a step that are shown while it goes on, the most telling first.
const SHOWN: [&str; 8] = [
    "turns",
    "accuracy",
    "first_accuracy",
    "delta_ref",
    "reward",
    "groups_with_gradient",
    "kl",
    "tokens_per_second",
];

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
    /// Early warnings.
    #[serde(default)]
    watch: Watch,
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
    let reward = config.reward_set()?;
    let reference = learner.network.twin()?;
    let checkpoints = Checkpoints::new(run.out, &run.fingerprint)?;
    if let Some(record) = finished(run.out, &run.fingerprint)? {
        checkpoints.load_finished(learner)?;
        return Ok(report_of(&record, run));
    }
    learner.check()?;
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
            stage.keep(buffer.as_ref(), &mut saved);
            saved.seconds += clock.elapsed().as_secs_f64();
            checkpoints.save(learner, &saved, false)?;
            return Err(Error::Interrupted { step: saved.step });
        }
        let number = saved.step + 1;
        let told = |error: Error| error.during(number, checkpoints.last());
        let context = Context { config, reward: &reward, reference: &reference };
        let (mut figures, warnings) =
            one(run, learner, context, &mut stage, buffer.as_mut(), &mut saved).map_err(told)?;
        let looks = saved.step % config.look_every == 0 || saved.step == steps;
        let mut best = false;
        if looks {
            let probe = look(run, learner, config.look).map_err(told)?;
            figures.extend(probe.figures("val_"));
            best = saved.best.is_none_or(|(accuracy, _)| probe.accuracy >= accuracy);
            if best {
                saved.best = Some((probe.accuracy, saved.step));
            }
        }
        log.write(saved.step, &figures)?;
        if looks {
            stage.keep(buffer.as_ref(), &mut saved);
            saved.seconds += std::mem::replace(&mut clock, Instant::now()).elapsed().as_secs_f64();
            checkpoints.save(learner, &saved, best)?;
        }
        let shown = SHOWN.iter().filter_map(|w| figures.iter().find(|(n, _)| n == w).cloned()).collect();
        (run.progress)(&Progress { stage: "rl".into(), step: saved.step, steps, figures: shown, warnings });
    }
    saved.seconds += clock.elapsed().as_secs_f64();
    stage.rtm.report(&mut stage.liveness);
    if let Some(buffer) = &buffer {
        buffer.counts().report(&mut stage.liveness);
    }
    let mut complaints = stage.liveness.complaints(&config.mechanisms());
    let counters = serde_json::to_value(&stage.liveness).expect("plain data serialises");
    let remarks = Remarks { complaints: &complaints, warnings: stage.watch.said() };
    let record = record(&saved, run, counters, remarks, mark);
    if !complaints.is_empty() {
        checkpoints.fail(&record)?;
        complaints.extend(checkpoints.last().map(|state| {
            format!(
                "the weights are kept in {0}, which is a checkpoint; the counters are in failed.json",
                state.display()
            )
        }));
        return Err(Error::NeverFired(complaints));
    }
    checkpoints.finish(learner, &timing(&saved), &record)?;
    Ok(report_of(&record, run))
}

/// Named numbers for the log.
type Figures = Vec<(String, f64)>;

/// What does not change from step to step.
#[derive(Clone, Copy)]
struct Context<'c> {
    config: &'c RlConfig,
    reward: &'c RewardSet,
    reference: &'c vrrl_trainer_model::Network,
}

/// One step: rollouts, update, and what is to be logged and said about it.
fn one(
    run: &Run<'_>,
    learner: &mut Learner,
    Context { config, reward, reference }: Context<'_>,
    stage: &mut Stage,
    mut buffer: Option<&mut Buffer<Prefix>>,
    saved: &mut Saved,
) -> Result<(Figures, Vec<Warning>), Error> {
    let began = Instant::now();
    let seed = run.seed.derive("step", saved.step);
    let level = config.curriculum.map_or(1.0, |curriculum| curriculum.level(stage.measured));
    let mut step = Step { config, reward, run, learner, stage, seed, level, seen: Seen::default() };
    let gathered = step.gather(buffer.as_deref_mut(), saved.step)?;
    let seen = step.seen;
    let Gathered { sequences, terms, groups, kept } = &gathered;
    let rollout_seconds = began.elapsed().as_secs_f64();
    let rate = config.schedule().rate(saved.step as usize);
    let limits = Limits { rate, clip: config.grad_clip, spike: config.spike, guard: &saved.guard };
    let report = learner
        .step(
            sequences,
            (config.clip.kl > 0.0).then_some(reference),
            &|refs, new, anchors| objective(config, terms, refs, new, anchors),
            limits,
        )
        .map_err(|e| e.place(|sequence| terms.get(sequence).map(step::Term::words)))?;
    stage.count(&report, *groups, *kept);
    saved.guard.push(report.loss, report.norm);
    let kl = report.sum("kl") / (report.trained as f64).max(1.0);
    let mut figures = seen.figures();
    if let Some(curriculum) = &config.curriculum {
        stage.follow(curriculum, level, &seen);
        figures.push(("curriculum_level".into(), level));
    }
    figures.extend(
        [
            ("kl", kl),
            ("clip_share", report.sum("clipped") / (report.trained as f64).max(1.0)),
            ("groups_with_gradient", *kept as f64 / (*groups).max(1) as f64),
            ("loss", report.loss),
            ("norm", report.norm),
            ("lr", rate),
            ("tokens_per_second", report.tokens as f64 / report.seconds.max(1e-9)),
            ("episodes_per_second", (groups * config.group) as f64 / rollout_seconds),
        ]
        .map(|(name, x)| (name.to_owned(), x)),
    );
    let buffer = buffer.as_deref();
    figures.extend(buffer.into_iter().flat_map(|b| held(b, saved.step)));
    saved.step += 1;
    saved.tokens += report.tokens;
    saved.learner_seconds += report.seconds;
    let bounds = Bounds {
        max_turns: config.max_turns,
        buffer: config.buffer.as_ref().map(|b| [b.min_fill, b.capacity]),
        turn0_credit: config.turn0_credit,
    };
    let warnings = stage.watch.step(saved.step, seen.watched(*kept, kl, buffer), bounds);
    Ok((figures, warnings))
}

impl Stage {
    /// Counts what an update did.
    fn count(&mut self, report: &StepReport, groups: usize, kept: usize) {
        self.liveness.add(&liveness::GROUPS, "rolled_out", groups as u64);
        self.liveness.add(&liveness::GROUPS, "with_gradient", kept as u64);
        self.liveness.add(&liveness::KL, "diverged", report.sum("diverged") as u64);
        self.liveness.add(&liveness::CLIP, "clipped", report.sum("clipped") as u64);
    }

    /// Counts a step at this level of the curriculum and takes in what it measured.
    fn follow(&mut self, curriculum: &CurriculumConfig, level: f64, seen: &Seen) {
        self.measured = curriculum.mean(self.measured, seen.measure(curriculum.measure));
        self.liveness.add(&liveness::CURRICULUM, "steps", 1);
        self.liveness.add(&liveness::CURRICULUM, "steps_below_full", u64::from(level < 1.0));
        self.liveness.observe(&liveness::CURRICULUM, "level", level);
    }

    /// Puts everything into the state that is saved.
    fn keep(&mut self, buffer: Option<&Buffer<Prefix>>, saved: &mut Saved) {
        self.buffer = buffer.map(|b| b.state().clone());
        saved.stage = serde_json::to_value(&*self).expect("plain data serialises");
    }

    fn restore(value: &Value, config: &RlConfig, run: &Run<'_>) -> Result<Self, Error> {
        if value.is_null() {
            let mut liveness = Liveness::default();
            // So that a mechanism that is on shows its zeros.
            for mechanism in config.mechanisms() {
                for (counter, _) in mechanism.needs {
                    liveness.add(mechanism, counter, 0);
                }
            }
            let (rtm, watch) = (RtmCounts::default(), Watch::default());
            return Ok(Self { buffer: None, rtm, liveness, wrong_seen: 0, next: 0, measured: None, watch });
        }
        let path = run.out.to_owned();
        Self::deserialize(value)
            .map_err(|e| Error::File { path, reason: format!("not a training state: {e}") })
    }
}
