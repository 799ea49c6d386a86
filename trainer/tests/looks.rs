//! What a look asks of a policy, by the policy that the repository holds: a start that can revise and never does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::Path;

use vrrl_harness_core::{Dialect, Example, Seed};
use vrrl_trainer::probe;

#[test]
fn a_start_that_never_revises_can_when_it_has_to() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../baselines/checkpoints/mazes/multi_sft");
    let start = vrrl_harness_runner_candle::load(&dir, &candle_core::Device::Cpu).unwrap();
    let def = vrrl_datasets::find("quick/maze/dev6").unwrap();
    let examples: Vec<Example> = (0..150).map(|i| vrrl_datasets::example_at(&def, i).unwrap()).collect();
    let look = |seed| {
        probe(&start.network, &start.tokenizer, Dialect::BareCommit, &examples, Seed(seed), 1.0).unwrap()
    };
    let seen = look(1);
    assert_eq!(seen, look(1), "a look depends on its seed alone");
    assert!(seen.stop_wrong.unwrap() > 0.9 && seen.turns < 2.1, "{seen:?}");
    // Asked, it answers: nearly as often right as when it draws again, and seldom the same.
    let (asked, redrawn) = (seen.asked_right.unwrap(), seen.redrawn_right.unwrap());
    assert!(asked > 0.1 && redrawn > 0.1, "{seen:?}");
    assert!(seen.asked_same.unwrap() < 0.3, "{seen:?}");
}
