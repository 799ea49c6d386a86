//! What an experiment tells while it goes on.

use crate::plan::Plan;

/// How far a stage is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StageProgress {
    /// What is going on, such as the part of a training or the split of an evaluation.
    pub what: String,
    /// Steps or episodes that are over.
    pub done: u64,
    /// All of them; 0 where that is not known.
    pub total: u64,
    /// Live figures that matter, in order.
    pub figures: Vec<(String, f64)>,
    /// What a training has to say about its last step.
    pub warnings: Vec<String>,
}

/// Shows progress. Stages may run side by side, so every call names its stage.
pub trait Reporter: Sync {
    /// Called once, before anything runs.
    fn plan(&self, plan: &Plan);
    /// A stage begins.
    fn started(&self, stage: &str);
    /// A stage went on.
    fn progress(&self, stage: &str, progress: &StageProgress);
    /// A stage is over; `reused` if it was found done.
    fn finished(&self, stage: &str, seconds: f64, reused: bool);
    /// A stage failed, and others go on.
    fn failed(&self, stage: &str, reason: &str) {
        self.note(stage, &format!("failed: {reason}"));
    }
    /// A sentence that matters now, such as a complaint of a training.
    fn note(&self, stage: &str, text: &str);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Reporter for Quiet {
    fn plan(&self, _: &Plan) {}
    fn started(&self, _: &str) {}
    fn progress(&self, _: &str, _: &StageProgress) {}
    fn finished(&self, _: &str, _: f64, _: bool) {}
    fn note(&self, _: &str, _: &str) {}
}
