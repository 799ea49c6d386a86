//! How fast the quickstart's policy decodes and learns: one decoding step, an SFT step, an RL step.

#![allow(missing_docs)] // criterion's macros make public functions

use criterion::{criterion_group, criterion_main, BatchSize, Criterion, Throughput};
use serde_json::Value;
use std::sync::atomic::AtomicBool;
use vrrl_generators::pose;
use vrrl_harness_core::{Dialect, Example, Seed, TaskKind, View};
use vrrl_trainer::config::{Parts, RlConfig};
use vrrl_trainer::{
    multi_turn, reinforce, Demo, DemoConfig, Error, Guard, Learner, Limits, Objective, Run, Sequence,
    TokenRef,
};
use vrrl_trainer_codec::{patches, Tokenizer};
use vrrl_trainer_model::{AdamWConfig, Config, Extension, Memory, Network, Piece};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn example(index: u64) -> Result<Example, Error> {
    let seed = Seed(3).derive("bench", index);
    let problem =
        pose(TaskKind::Maze, &serde_json::json!({"size": [4, 5]}), seed).expect("sizes 4 and 5 exist");
    Ok(Example { id: index.to_string(), split: "bench".into(), seed, content_hash: String::new(), problem })
}

fn learner() -> Learner {
    let tokenizer = Tokenizer::default();
    let mut rng = Seed(1).rng();
    let config = Config::small(tokenizer.len());
    let network =
        Network::new(&config, &candle_core::Device::Cpu, &mut || rng.unit()).expect("the small network");
    Learner::new(network, tokenizer, AdamWConfig::default())
}

fn decode_step(c: &mut Criterion) {
    let learner = learner();
    let config = learner.network.config().clone();
    let image = example(0).expect("an example").problem.observe(View::Canvas);
    let encoded =
        learner.network.encode(&patches(&image, config.side, config.patch, config.paper)).expect("an image");
    let mut memories: Vec<Memory> = (0..64).map(|_| Memory::default()).collect();
    let prompt =
        || Extension { turn: 0, slot: 0, pieces: vec![Piece::Image(encoded.image(0)), Piece::Ids(&[2])] };
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(64));
    group.bench_function("prefill of 64 episodes", |b| {
        b.iter_batched_ref(
            || (0..64).map(|_| Memory::default()).collect::<Vec<_>>(),
            |memories| {
                let new: Vec<Vec<Extension<'_>>> = (0..64).map(|_| vec![prompt()]).collect();
                learner.network.extend(&mut memories.iter_mut().collect::<Vec<_>>(), &new).expect("prefill")
            },
            BatchSize::SmallInput,
        );
    });
    let new: Vec<Vec<Extension<'_>>> = (0..64).map(|_| vec![prompt()]).collect();
    learner.network.extend(&mut memories.iter_mut().collect::<Vec<_>>(), &new).expect("prefill");
    group.bench_function("one step of 64 episodes", |b| {
        b.iter_batched_ref(
            || memories.iter().map(|memory| learner.network.fork(memory)).collect::<Vec<_>>(),
            |memories| {
                let new: Vec<Vec<Extension<'_>>> = (0..64)
                    .map(|_| vec![Extension { turn: 0, slot: 17, pieces: vec![Piece::Ids(&[4])] }])
                    .collect();
                learner.network.extend(&mut memories.iter_mut().collect::<Vec<_>>(), &new).expect("step")
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn sft_step(c: &mut Criterion) {
    let mut learner = learner();
    let tokenizer = learner.tokenizer.clone();
    let demo = Demo { dialect: Dialect::BareCommit, tokenizer: &tokenizer };
    let demos = DemoConfig::default();
    let write =
        |i| multi_turn(demo, &example(i)?, &demos, &mut Seed(2).derive("demo", i).rng()).map(|d| d.sequence);
    let sequences: Vec<Sequence> = (0..48).map(write).collect::<Result<_, Error>>().expect("demonstrations");
    let tokens: usize = sequences.iter().map(|s| s.len(learner.network.config().image_tokens())).sum();
    let objective = |refs: &[TokenRef], _: &[f32], _: &[f32]| Objective {
        slopes: vec![-1e-3; refs.len()],
        ..Objective::default()
    };
    let guard = Guard::default();
    let limits = Limits { rate: 1e-4, clip: 1.0, spike: None, guard: &guard };
    let mut group = c.benchmark_group("sft");
    group.sample_size(20).throughput(Throughput::Elements(tokens as u64));
    group.bench_function("step of 48 episodes, in tokens", |b| {
        b.iter(|| learner.step(&sequences, None, &objective, limits).expect("a step"));
    });
    group.finish();
}

fn rl_step(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let stop = AtomicBool::new(false);
    let config = RlConfig::preset("small", Parts::GRPO).expect("a preset");
    let config = RlConfig { steps: 1, filter: None, look: 1, ..config };
    let mut group = c.benchmark_group("rl");
    group.sample_size(10).throughput(Throughput::Elements((config.questions * config.group) as u64));
    let mut n = 0;
    group.bench_function("GRPO step of 24 questions by 8, in episodes", |b| {
        b.iter_batched(
            learner,
            |mut learner| {
                n += 1;
                let out = dir.path().join(n.to_string());
                let mut run = Run {
                    out: &out,
                    seed: Seed(n),
                    fingerprint: String::new(),
                    dialect: Dialect::BareCommit,
                    train: &example,
                    val: &[],
                    stop: &stop,
                    progress: &mut |_| {},
                };
                // An untrained policy earns nothing: the step's time counts, not its outcome.
                reinforce(&mut run, &mut learner, &config, Value::Null).map_or(0, |r| r.tokens)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, decode_step, sft_step, rl_step);
criterion_main!(benches);
