//! Recipes: Single-SFT and Multi-SFT.
//!
//! Single-SFT imitates perfect episodes (right proposal, feedback, commit); Multi-SFT also recoveries, whose
//! deliberately wrong proposals are shown and not imitated. Deviations from the paper: training examples never
//! repeat (no epochs); the wrong proposals are synthetic (shortest paths of easier maps, substitutions,
//! cut and extended lists); `demos.decision_weight` may weigh the token that commits or revises.

use serde_json::Value;
use vrrl_trainer::{
    multi_turn, single_turn, supervise, Demo, DemoConfig, Error, Imitated, Learner, Run, SupervisedConfig,
    TrainingReport,
};

pub(crate) fn sft(
    run: &mut Run<'_>,
    learner: &mut Learner,
    demos: Option<&DemoConfig>,
    config: &SupervisedConfig,
    mark: Value,
) -> Result<TrainingReport, Error> {
    let (dialect, train, tokenizer) = (run.dialect, run.train, learner.tokenizer.clone());
    let demo = Demo { dialect, tokenizer: &tokenizer };
    let weight = demos.map_or(1.0, |d| d.decision_weight);
    let write = |index, seed: vrrl_harness_core::Seed| match demos {
        Some(demos) => multi_turn(demo, &train(index)?, demos, &mut seed.rng()),
        None => single_turn(demo, &train(index)?, &mut seed.rng()).map(Into::into),
    };
    let kinds = demos.map(DemoConfig::multi_kinds).unwrap_or_default();
    supervise(run, learner, config, Imitated { write: &write, decision_weight: weight, kinds: &kinds }, mark)
}
