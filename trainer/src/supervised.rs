//! The supervised stage: cross-entropy on demonstrations.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use vrrl_harness_core::Seed;

use crate::checkpoint::{Saved, TIMING};
use crate::guard::{Guard, Limits, SPIKE};
use crate::liveness::{Liveness, Mechanism};
use crate::math::Schedule;
use crate::warnings::Warning;
use crate::{
    finished, Checkpoints, Demonstration, Error, Learner, Log, Objective, Probe, Progress, Run, Sequence,
    TokenRef, TrainingReport,
};

/// Settings of a supervised stage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SupervisedConfig {
    /// Optimizer steps.
    pub steps: u64,
    /// Episodes a step.
    pub batch: usize,
    /// Highest learning rate.
    pub lr: f64,
    /// Last learning rate as a fraction of `lr`, reached linearly.
    pub lr_final: f64,
    /// Steps of linear warm-up.
    pub warmup: usize,
    /// Largest norm of the gradient.
    pub grad_clip: f64,
    /// A step whose loss or norm is this many times the median of the last 100 steps ends the run; null never does.
    #[serde(skip_serializing_if = "crate::guard::usual")]
    pub spike: Option<f64>,
    /// Steps between looks at the hold-out and saved states.
    pub look_every: u64,
    /// Hold-out episodes a look.
    pub look: usize,
}

impl Default for SupervisedConfig {
    fn default() -> Self {
        Self {
            steps: 200,
            batch: 48,
            lr: 1e-3,
            lr_final: 0.1,
            warmup: 20,
            grad_clip: 1.0,
            spike: Some(SPIKE),
            look_every: 100,
            look: 200,
        }
    }
}

/// What a supervised stage imitates.
#[derive(Clone, Copy)]
pub struct Imitated<'a> {
    /// Writes the demonstration of an example number with a seed.
    pub write: &'a (dyn Fn(u64, Seed) -> Result<Demonstration, Error> + Sync),
    /// Weight of a reply's first token from the second turn on.
    pub decision_weight: f64,
    /// Kinds of demonstrations that must have been shown at the end.
    pub kinds: &'a [&'static Mechanism],
}

/// Trains `learner` on demonstrations; the last weights are kept. `mark` goes into the training record.
///
/// # Errors
/// As [`Error`]; a stopped or failed stage goes on from its last saved state. [`Error::NeverFired`] if a kind of
/// demonstration was never shown.
pub fn supervise(
    run: &mut Run<'_>,
    learner: &mut Learner,
    config: &SupervisedConfig,
    Imitated { write, decision_weight, kinds }: Imitated<'_>,
    mark: Value,
) -> Result<TrainingReport, Error> {
    let checkpoints = Checkpoints::new(run.out, &run.fingerprint)?;
    if let Some(record) = finished(run.out, &run.fingerprint)? {
        checkpoints.load_finished(learner)?;
        return Ok(report_of(&record, run));
    }
    let mut saved = checkpoints.resume(learner)?.unwrap_or_else(|| fresh(run));
    learner.check()?;
    let mut liveness: Liveness = serde_json::from_value(saved.stage.take()).unwrap_or_default();
    for kind in kinds {
        liveness.add(kind, "shown", 0);
    }
    let mut log = Log::open(run.out, saved.step)?;
    let schedule = Schedule {
        peak: config.lr,
        warmup: config.warmup,
        steps: config.steps as usize,
        last: config.lr_final,
    };
    let mut clock = std::time::Instant::now();
    while saved.step < config.steps {
        if run.stopped() {
            saved.seconds += clock.elapsed().as_secs_f64();
            saved.stage = counted(&liveness);
            checkpoints.save(learner, &saved, false)?;
            return Err(Error::Interrupted { step: saved.step });
        }
        let first = saved.step * config.batch as u64;
        let demonstrations: Vec<Demonstration> = (first..first + config.batch as u64)
            .into_par_iter()
            .map(|index| write(index, run.seed.derive("demo", index)))
            .collect::<Result<_, _>>()?;
        let shown: Vec<&Mechanism> = demonstrations.iter().filter_map(|d| d.kind).collect();
        let sequences: Vec<Sequence> = demonstrations.into_iter().map(|d| d.sequence).collect();
        let weight = |r: &TokenRef| if r.turn > 0 && r.token == 0 { decision_weight } else { 1.0 };
        let total: f64 = sequences.iter().map(|s| weighted(s, decision_weight)).sum();
        let objective = |refs: &[TokenRef], log_probs: &[f32], _: &[f32]| {
            let weights: Vec<f64> = refs.iter().map(|r| weight(r) / total).collect();
            let loss = -weights.iter().zip(log_probs).map(|(w, &x)| w * f64::from(x)).sum::<f64>();
            Objective { slopes: weights.iter().map(|w| -w).collect(), loss, sums: Vec::new() }
        };
        let rate = schedule.rate(saved.step as usize);
        let limits = Limits { rate, clip: config.grad_clip, spike: config.spike, guard: &saved.guard };
        let example = |sequence: usize| Some(format!("training example {}", first + sequence as u64));
        let step = learner
            .step(&sequences, None, &objective, limits)
            .map_err(|e| e.place(example).during(saved.step + 1, checkpoints.last()))?;
        saved.guard.push(step.loss, step.norm);
        for kind in shown {
            liveness.add(kind, "shown", 1);
        }
        saved.step += 1;
        saved.tokens += step.tokens;
        saved.learner_seconds += step.seconds;
        let tokens_per_second = step.tokens as f64 / step.seconds;
        let mut figures = vec![
            ("loss".to_owned(), step.loss),
            ("norm".to_owned(), step.norm),
            ("lr".to_owned(), rate),
            ("tokens_per_second".to_owned(), tokens_per_second),
        ];
        let looks = saved.step % config.look_every == 0 || saved.step == config.steps;
        if looks {
            let look =
                look(run, learner, config.look).map_err(|e| e.during(saved.step, checkpoints.last()))?;
            figures.extend(look.figures(""));
        }
        log.write(saved.step, &figures)?;
        if looks {
            saved.seconds += std::mem::replace(&mut clock, std::time::Instant::now()).elapsed().as_secs_f64();
            saved.stage = counted(&liveness);
            checkpoints.save(learner, &saved, false)?;
        }
        let last = figures.iter().rev().find(|(n, _)| n == "accuracy").cloned();
        let shown = last
            .into_iter()
            .chain(figures.into_iter().take(1))
            .chain([("tokens_per_second".into(), tokens_per_second)]);
        (run.progress)(&Progress {
            stage: "sft".into(),
            step: saved.step,
            steps: config.steps,
            figures: shown.collect(),
            warnings: Vec::new(),
        });
    }
    saved.seconds += clock.elapsed().as_secs_f64();
    let complaints = liveness.complaints(kinds);
    let remarks = Remarks { complaints: &complaints, ..Remarks::default() };
    let record = record(&saved, run, counted(&liveness), remarks, mark);
    if !complaints.is_empty() {
        checkpoints.fail(&record)?;
        return Err(Error::NeverFired(complaints));
    }
    checkpoints.finish(learner, &timing(&saved), &record)?;
    Ok(report_of(&record, run))
}

fn counted(liveness: &Liveness) -> Value {
    serde_json::to_value(liveness).expect("plain data serialises")
}

fn weighted(sequence: &Sequence, decision_weight: f64) -> f64 {
    let trained = sequence.trained() as f64;
    let decisions =
        sequence.turns.iter().skip(1).filter(|t| t.owners.first() == Some(&vrrl_harness_core::Owner::Policy));
    trained + decisions.count() as f64 * (decision_weight - 1.0)
}

/// A look at the hold-out with sampling, as rollouts do.
pub(crate) fn look(run: &Run<'_>, learner: &Learner, count: usize) -> Result<Probe, Error> {
    let val = &run.val[..count.min(run.val.len())];
    crate::probe(&learner.network, &learner.tokenizer, run.dialect, val, run.seed.derive("look", 0), 1.0)
}

/// The state before the first step.
pub(crate) fn fresh(run: &Run<'_>) -> Saved {
    Saved {
        format: 1,
        fingerprint: run.fingerprint.clone(),
        step: 0,
        best: None,
        seconds: 0.0,
        learner_seconds: 0.0,
        tokens: 0,
        guard: Guard::default(),
        stage: Value::Null,
    }
}

/// What a stage has to say at its end.
#[derive(Clone, Copy, Default)]
pub(crate) struct Remarks<'a> {
    pub complaints: &'a [String],
    pub warnings: &'a [Warning],
}

/// `training.json`: everything about a finished stage that does not depend on the clock. The clock's part
/// goes to `timing.json`, so that equal trainings end with equal bytes.
pub(crate) fn record(
    saved: &Saved,
    run: &Run<'_>,
    liveness: Value,
    remarks: Remarks<'_>,
    mark: Value,
) -> Value {
    json!({
        "format": 1,
        "fingerprint": run.fingerprint,
        "algorithm": crate::ALGORITHM,
        "seed": run.seed,
        "steps": saved.step,
        "tokens": saved.tokens,
        "chosen": saved.best.map(|(accuracy, step)| json!({"step": step, "accuracy": accuracy})),
        "liveness": liveness,
        "complaints": remarks.complaints,
        "warnings": remarks.warnings,
        "recipe": mark,
    })
}

/// The clock's part of a finished stage.
pub(crate) fn timing(saved: &Saved) -> Value {
    json!({
        "format": 1,
        "seconds": saved.seconds,
        "tokens_per_second": saved.tokens as f64 / saved.learner_seconds.max(1e-9),
    })
}

/// What a finished stage's record says, with its timing where that is still there.
#[must_use]
pub fn report_of(record: &Value, run: &Run<'_>) -> TrainingReport {
    let path = run.out.join(TIMING);
    let timing: Value = std::fs::read_to_string(&path)
        .ok()
        .and_then(|t| serde_json::from_str(&t).ok())
        .unwrap_or(Value::Null);
    TrainingReport {
        seconds: timing["seconds"].as_f64().unwrap_or(0.0),
        tokens_per_second: timing["tokens_per_second"].as_f64().unwrap_or(0.0),
        steps: record["steps"].as_u64().unwrap_or(0),
        tokens: record["tokens"].as_u64().unwrap_or(0),
        liveness: record["liveness"].clone(),
        complaints: serde_json::from_value(record["complaints"].clone()).unwrap_or_default(),
        // Absent in records of before there were any.
        warnings: serde_json::from_value(record["warnings"].clone()).unwrap_or_default(),
    }
}
