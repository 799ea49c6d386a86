//! What every training stage is given, and what it gives back.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use vrrl_harness_core::{Dialect, Example, Seed};

use crate::warnings::Warning;
use crate::Error;

/// Training example number `index` of an endless, reproducible stream.
pub type ExampleAt<'a> = &'a (dyn Fn(u64) -> Result<Example, Error> + Sync);

/// A live figure of a stage.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What is going on.
    pub stage: String,
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Named figures, the most telling first.
    pub figures: Vec<(String, f64)>,
    /// What is to be said about this step.
    pub warnings: Vec<Warning>,
}

/// What every stage is given.
pub struct Run<'a> {
    /// Where checkpoints go.
    pub out: &'a Path,
    /// Seed of the stage.
    pub seed: Seed,
    /// Hash of everything that decides the result (recipe and starting weights): a half-done stage with
    /// another one is refused.
    pub fingerprint: String,
    /// Turn language.
    pub dialect: Dialect,
    /// Training examples.
    pub train: ExampleAt<'a>,
    /// Hold-out that chooses the checkpoint of a reinforcement stage and that every stage looks at.
    pub val: &'a [Example],
    /// Set from outside to stop after the current step.
    pub stop: &'a AtomicBool,
    /// Told of every step.
    pub progress: &'a mut dyn FnMut(&Progress),
}

impl Run<'_> {
    /// Whether to stop.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What a stage did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrainingReport {
    /// Wall-clock seconds, over all interrupted parts.
    pub seconds: f64,
    /// Optimizer steps.
    pub steps: u64,
    /// Tokens that went through the learner, image tokens included.
    pub tokens: u64,
    /// Learner tokens over learner seconds.
    pub tokens_per_second: f64,
    /// Counters of every mechanism.
    pub liveness: serde_json::Value,
    /// Mechanisms that are on and never fired.
    pub complaints: Vec<String>,
    /// What was said on the way.
    pub warnings: Vec<Warning>,
}
