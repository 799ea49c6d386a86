//! The policies that the repository holds can be loaded and play.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::Path;

use vrrl_harness::{parity, EvalConfig, EvalSplit, Severity};
use vrrl_harness_core::{Dialect, TaskKind};
use vrrl_harness_runner_candle::CandlePolicy;

const METHODS: [&str; 4] = ["multi_sft", "reflection_tuning", "multi_sft_grpo", "vrrl"];

#[test]
fn a_policy_of_each_method_plays() {
    let def = vrrl_datasets::find("quick/maze/id_test").unwrap();
    let split = EvalSplit {
        name: def.name.clone(),
        role: None,
        task: TaskKind::Maze,
        shift: String::new(),
        severity: Severity::default(),
        hash: String::new(),
        examples: (0..60).map(|i| vrrl_datasets::example_at(&def, i).unwrap()).collect(),
    };
    let config = EvalConfig { dialect: Dialect::BareCommit, ..EvalConfig::default() };
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../baselines/checkpoints/mazes");
    let mut policies = METHODS.map(|method| CandlePolicy::load(&all.join(method), "cpu").unwrap());
    let [start, others @ ..] = &mut policies;
    for (policy, method) in others.iter_mut().zip(&METHODS[1..]) {
        let found = parity(start, policy, std::slice::from_ref(&split), &config).unwrap();
        for side in [&found.a, &found.b] {
            assert!(side.accuracy.as_ref().unwrap().value > 0.75, "{method}: {found:?}");
        }
        assert_eq!((found.a.faults, found.b.faults), (0, 0));
        assert!(found.turns_equal < found.turns, "{method} is not its start");
    }
}
