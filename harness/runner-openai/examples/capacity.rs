//! How much of a server's capacity the runner keeps busy, what memory that takes, and how fast a run resumes.
//!
//! `cargo run --release -p vrrl-harness-runner-openai --example capacity -- [WORKERS] [LATENCY_MS] [EPISODES]`
//!
//! The server stands in the same process, on loopback: as many places as workers, each reply takes LATENCY_MS, and
//! more than that wait. Its capacity is places / latency. Pictures have 448 × 448 pixels, episodes four turns.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on panics")]

use std::sync::atomic::AtomicBool;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vrrl_harness::{evaluate, EvalConfig, EvalSplit, Hooks, Severity};
use vrrl_harness_core::prompt::BUILT_IN;
use vrrl_harness_core::*;
use vrrl_harness_runner_openai::{Endpoint, EndpointConfig, Key, Opening, Workers};

#[allow(dead_code)]
#[path = "../tests/common/server.rs"]
mod server;
#[allow(dead_code)]
#[path = "../../core/src/toy.rs"]
mod toy;

use server::{Act, Server};

/// Pixels of a cell: a toy has three of them a side.
const CELL: u32 = 150;

/// The toy of the tests, drawn at the size of a real picture.
struct Large;

fn large(image: &Image) -> Image {
    Image::from_fn(448, 448, |x, y| *image.get_pixel(x / CELL, y / CELL))
}

impl Task for Large {
    type Params = ();
    type Scene = toy::Grid;
    const KIND: TaskKind = TaskKind::Maze;

    fn generate(params: &(), seed: Seed) -> Result<toy::Grid, Error> {
        toy::Toy::generate(params, seed)
    }
    fn from_truth(truth: &Truth, seed: Seed) -> Result<toy::Grid, Error> {
        toy::Toy::from_truth(truth, seed)
    }
    fn truth(scene: &toy::Grid) -> Truth {
        toy::Toy::truth(scene)
    }
    fn question(scene: &toy::Grid) -> String {
        toy::Toy::question(scene)
    }
    fn canonical(scene: &toy::Grid) -> Canonical {
        toy::Toy::canonical(scene)
    }
    fn observe(scene: &toy::Grid, view: View) -> Image {
        large(&toy::Toy::observe(scene, view))
    }
    fn feedback(scene: &toy::Grid, answer: &Answer, view: View) -> Feedback {
        match toy::Toy::feedback(scene, answer, view) {
            Feedback::Image(image) => Feedback::Image(large(&image)),
            words @ Feedback::Text(_) => words,
        }
    }
    fn judge(scene: &toy::Grid, answer: &Answer) -> Verdict {
        toy::Toy::judge(scene, answer)
    }
    fn oracle(scene: &toy::Grid, rng: &mut Rng) -> Answer {
        toy::Toy::oracle(scene, rng)
    }
    fn mistake(scene: &toy::Grid, rng: &mut Rng) -> Answer {
        toy::Toy::mistake(scene, rng)
    }
    fn guess(scene: &toy::Grid, rng: &mut Rng) -> Answer {
        toy::Toy::guess(scene, rng)
    }
}

fn split(n: u64) -> EvalSplit {
    let one = |i: u64| {
        let scene = Large::generate(&(), Seed(1).derive("capacity", i)).unwrap();
        let content_hash = Large::canonical(&scene).exact;
        let problem = Arc::new(Posed::<Large>(scene));
        Example { id: format!("item-{i:05}"), split: "capacity".into(), seed: Seed(i), content_hash, problem }
    };
    EvalSplit {
        name: "capacity".into(),
        role: None,
        task: TaskKind::Maze,
        shift: String::new(),
        severity: Severity::Level(0),
        hash: "none".into(),
        examples: (0..n).map(one).collect(),
    }
}

/// Largest resident memory of this process so far, MB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() {
    let given: Vec<u64> = std::env::args().skip(1).map(|word| word.parse().unwrap()).collect();
    let of = |i: usize, default| given.get(i).copied().unwrap_or(default);
    let (workers, latency, episodes) = (of(0, 256) as usize, of(1, 500), of(2, 4096));
    let places = Arc::new(tokio::sync::Semaphore::new(workers));
    let turns = ["<ANSWER>up</ANSWER>", "<ANSWER>left</ANSWER>", "<ANSWER>down</ANSWER>", "<FINAL/>"];
    let server = Server::limited(
        move |call| {
            let text = turns[call.turn().min(3)].to_owned();
            Act::After(Duration::from_millis(latency), Box::new(Act::Say(text)))
        },
        places,
    );
    let opening = Opening {
        config: EndpointConfig::default(),
        prompts: serde_yaml::from_str::<PromptProfile>(BUILT_IN[0].1).unwrap(),
        rules: (Dialect::BareCommit, 8),
        workers: Workers::Fixed(workers),
        cache: None,
        key: Key::default(),
    };
    let mut policy = Endpoint::open(&server.word(), opening).unwrap();
    let (splits, out) = ([split(episodes)], tempfile::tempdir().unwrap());
    let config = EvalConfig { save_images: 0, ..EvalConfig::default() };
    let stop = AtomicBool::new(false);
    let mut run = |stop: &AtomicBool| {
        let begun = Instant::now();
        let mut last = Duration::ZERO;
        let mut progress = |_: &vrrl_harness::Progress| last = begun.elapsed();
        let hooks = Hooks { stop, progress: &mut progress };
        let summary = evaluate(&mut policy, &splits, &config, out.path(), hooks).unwrap();
        (summary, last.as_secs_f64(), begun.elapsed().as_secs_f64())
    };
    let (summary, asking, whole) = run(&stop);
    let split = &summary.splits[0];
    let replies = split.turns_mean.unwrap().value * split.n as f64;
    let (rate, capacity) = (replies / asking, workers as f64 * 1000.0 / latency as f64);
    println!(
        "{workers} workers, {latency} ms a reply, {episodes} episodes, {replies} replies, {} faults",
        split.faults
    );
    println!("{rate:.0} replies/s of {capacity:.0}: {:.1} %", 100.0 * rate / capacity);
    println!(
        "asked in {asking:.2} s, everything in {whole:.2} s; peak memory, server included: {} MB",
        peak()
    );
    let (_, _, again) = run(&stop);
    println!("the finished run again: {again:.2} s");
}
