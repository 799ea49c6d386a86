//! What the timing examples share: one step's rollouts as the quickstart makes them, and a clock of processor time.

use std::path::Path;

use candle_core::Device;
use rayon::prelude::*;
use vrrl_harness_core::reward::RewardSet;
use vrrl_harness_core::{Dialect, Example, FeedbackMode, Policy, Sampling, Seed, Settings, Start, View};
use vrrl_harness_runner_candle::{load, Checkpoint};
use vrrl_trainer::{collect, Rollout, Source, MAX_TOKENS};

pub type Failure = Box<dyn std::error::Error>;

/// Questions of a step.
pub const QUESTIONS: u64 = 32;
/// Rollouts of a question.
pub const GROUP: u64 = 8;

/// A checkpoint, and a thread pool like that of the `vrrl` binary.
pub fn open(checkpoint: &str, threads: usize) -> Result<Checkpoint, Failure> {
    // Before any thread: candle's own pool spins while it waits, and parallelism here is over shards.
    std::env::set_var("CANDLE_NUM_THREADS", "1");
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    Ok(load(Path::new(checkpoint), &Device::Cpu)?)
}

/// The training mazes of a step.
pub fn questions(source: &Source, step: u64) -> Result<Vec<Example>, Failure> {
    Ok((0..QUESTIONS)
        .into_par_iter()
        .map(|q| source.example(step * QUESTIONS + q))
        .collect::<Result<_, _>>()?)
}

/// Their rollouts, judged and rewarded.
pub fn rollouts<'e>(
    policy: &mut dyn Policy,
    examples: &'e [Example],
    step: u64,
) -> Result<Vec<Rollout<'e>>, Failure> {
    let settings = Settings {
        dialect: Dialect::BareCommit,
        max_turns: 6,
        sampling: Sampling { temperature: 1.0, max_tokens: MAX_TOKENS },
        view: View::Canvas,
        feedback: FeedbackMode::Crop,
        stop_on_repeat: true,
    };
    let reward = RewardSet::preset("outcome_only").ok_or("no such reward")?;
    let seed = Seed(7).derive("step", step);
    let starts = (0..QUESTIONS * GROUP)
        .map(|i| Start::fresh(&examples[(i / GROUP) as usize], seed.derive("rollout", i)))
        .collect();
    Ok(collect(policy, settings, starts, &reward)?)
}

/// Seconds that this process's threads have spent on a processor: what a busy machine changes least. Linux alone
/// tells; elsewhere 0.
pub fn processor_seconds() -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let of = |task: std::fs::DirEntry| -> Option<f64> {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    tasks.flatten().filter_map(of).sum::<f64>() * 1e-9
}

/// The middle one.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
