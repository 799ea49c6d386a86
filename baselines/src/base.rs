//! Recipe: Base, single answers from scratch.
//!
//! Deviations from the paper, whose Base* row warms up a pretrained vision-language model on direct answers:
//!
//! 1. There is no pretrained model: weights start at random, and training examples never repeat.
//! 2. A share of the pictures (`demos.drawn_share`) already carries a drawn proposal, right or wrong in equal
//!    parts; the target is then the commit or a right answer. It stands for what a pretrained model knows of
//!    drawings. Without it the policy's second proposals are worse than its first, and no method can gain by
//!    revising.

use serde_json::Value;
use vrrl_trainer::{
    base_demo, supervise, Demo, DemoConfig, Error, Imitated, Learner, Run, SupervisedConfig, TrainingReport,
};

pub(crate) fn base(
    run: &mut Run<'_>,
    learner: &mut Learner,
    demos: &DemoConfig,
    sft: &SupervisedConfig,
    mark: Value,
) -> Result<TrainingReport, Error> {
    let (dialect, train, tokenizer) = (run.dialect, run.train, learner.tokenizer.clone());
    let demo = Demo { dialect, tokenizer: &tokenizer };
    let write =
        |index, seed: vrrl_harness_core::Seed| base_demo(demo, &train(index)?, demos, &mut seed.rng());
    let imitated = Imitated { write: &write, decision_weight: 1.0, kinds: &demos.base_kinds() };
    supervise(run, learner, sft, imitated, mark)
}
