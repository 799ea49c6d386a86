//! What one episode costs to judge, reward and score.

#![allow(missing_docs, reason = "made by a macro")]

use std::hint::black_box;

use criterion::{criterion_group, criterion_main, Criterion};
use vrrl_harness_core::reward::{judge_turns, RewardConfig};
use vrrl_harness_core::{Dialect, TaskKind};

#[path = "../src/toy.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod toy;

fn judge(c: &mut Criterion) {
    let example = toy::example("m", &["SFF", "HHF", "FFG"]);
    let texts = [
        "<ANSWER>down right</ANSWER>",
        "<THINK>a hole</THINK><ANSWER>right right down</ANSWER>",
        "<THINK>one short</THINK><ANSWER>right right down down</ANSWER>",
        "<FINAL>right right down down</FINAL>",
    ];
    let config = RewardConfig::preset("vrrl_code", TaskKind::Maze).expect("a preset");
    c.bench_function("judge, reward and score four turns", |b| {
        b.iter(|| {
            let judged = judge_turns(&*example.problem, Dialect::ReflectionTag, black_box(&texts));
            (judged.reward(&config), judged.score(&config))
        });
    });
}

criterion_group!(benches, judge);
criterion_main!(benches);
