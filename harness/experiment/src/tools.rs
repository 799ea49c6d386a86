//! The two heavy things an experiment does, behind plain functions so that tests can do without a network.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_baselines::Recipe;
use vrrl_harness_core::Policy;
use vrrl_harness_runner_candle::CandlePolicy;

use crate::{Error, Result, StageProgress};

/// One training.
pub struct TrainJob<'a> {
    /// Name of the checkpoint.
    pub name: &'a str,
    /// What is done.
    pub recipe: &'a Recipe,
    /// Checkpoint it starts from.
    pub init: Option<&'a Path>,
    /// Checkpoint directory; a half-done training in it goes on.
    pub out: &'a Path,
    /// `cpu` or `cuda`.
    pub device: &'a str,
    /// Set from outside to stop after the step under way.
    pub stop: &'a AtomicBool,
}

/// What a training reports at its end.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Trained {
    /// Seconds of training, earlier attempts included.
    pub seconds: f64,
    /// Optimizer steps.
    pub steps: u64,
    /// Tokens that went through the network.
    pub tokens: u64,
    /// Tokens a second.
    pub tokens_per_second: f64,
    /// How often each mechanism fired.
    pub liveness: Value,
    /// Sentences about what looks wrong.
    pub complaints: Vec<String>,
    /// What it said on the way, with the step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Trains.
pub type Train<'t> = &'t (dyn Fn(&TrainJob<'_>, &mut dyn FnMut(&StageProgress)) -> Result<Trained> + Sync);
/// Opens a checkpoint directory on a device.
pub type Open<'t> = &'t (dyn Fn(&Path, &str) -> Result<Box<dyn Policy>> + Sync);

/// What an experiment trains and scores with.
#[derive(Clone, Copy)]
pub struct Tools<'t> {
    /// Trains.
    pub train: Train<'t>,
    /// Opens a checkpoint.
    pub open: Open<'t>,
}

impl Tools<'static> {
    /// The reference policy in candle.
    #[must_use]
    pub fn candle() -> Self {
        Self { train: &train, open: &open_checkpoint }
    }
}

fn train(job: &TrainJob<'_>, progress: &mut dyn FnMut(&StageProgress)) -> Result<Trained> {
    let work = vrrl_baselines::Job {
        recipe: job.recipe,
        init: job.init,
        out: job.out,
        device: job.device,
        stop: job.stop,
    };
    let mut tell = |p: &vrrl_baselines::Progress| {
        progress(&StageProgress {
            what: p.stage.clone(),
            done: p.step,
            total: p.steps,
            figures: p.figures.clone(),
            warnings: p.warnings.iter().map(words).collect(),
        });
    };
    let report = vrrl_baselines::train(&work, &mut tell)
        .map_err(|source| Error::Train { name: job.name.to_owned(), source: Box::new(source) })?;
    Ok(Trained {
        seconds: report.seconds,
        steps: report.steps,
        tokens: report.tokens,
        tokens_per_second: report.tokens_per_second,
        liveness: report.liveness,
        complaints: report.complaints,
        warnings: report.warnings.iter().map(words).collect(),
    })
}

/// A training's warning as people read it.
fn words(warning: &vrrl_baselines::Warning) -> String {
    format!("step {}: {}", warning.step, warning.text)
}

fn open_checkpoint(dir: &Path, device: &str) -> Result<Box<dyn Policy>> {
    Ok(Box::new(CandlePolicy::load(dir, device)?))
}

/// Whether a training was stopped from outside.
pub(crate) fn interrupted(error: &vrrl_baselines::Error) -> bool {
    error.exit() == vrrl_baselines::Exit::Interrupted
}
