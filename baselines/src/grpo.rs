//! Recipe: GRPO from Single-SFT or Multi-SFT.
//!
//! Sparse 0/1 outcome reward, loss on the whole rollout, no buffer: the paper's baselines. Deviations, all in
//! the `small` preset: the group's deviation gets a floor of 0.1, and filtered groups are not refilled.

use serde_json::Value;
use vrrl_trainer::config::RlConfig;
use vrrl_trainer::{reinforce, Error, Learner, Run, TrainingReport};

pub(crate) fn grpo(
    run: &mut Run<'_>,
    learner: &mut Learner,
    config: &RlConfig,
    mark: Value,
) -> Result<TrainingReport, Error> {
    reinforce(run, learner, config, mark)
}
