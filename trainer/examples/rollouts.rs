//! How fast a checkpoint rolls out: the part of a reinforcement step before the learner, and nothing else.
//!
//! ```sh
//! cargo run --release -p vrrl-trainer --example rollouts -- CHECKPOINT [STEPS [THREADS]]
//! ```
//! Every step poses 32 fresh questions of the quickstart's training mazes, rolls out eight episodes of each and
//! judges and rewards them, as `rl/step.rs` does. Printed are the median and the best step in episodes a second,
//! and a hash of all sampled tokens and the bits of their log-probabilities: two builds that print the same hash
//! rolled out the same episodes.
#![allow(clippy::print_stdout)]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;
use vrrl_harness_core::reward::RewardSet;
use vrrl_harness_core::{Dialect, FeedbackMode, Sampling, Seed, Settings, Start, View};
use vrrl_harness_runner_candle::{load, CandlePolicy};
use vrrl_trainer::{collect, Source, MAX_TOKENS};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const QUESTIONS: u64 = 32;
const GROUP: u64 = 8;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // As the `vrrl` binary does, see there.
    std::env::set_var("CANDLE_NUM_THREADS", "1");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let checkpoint = arguments.first().ok_or("CHECKPOINT is missing")?;
    let number = |at: usize, or: usize| arguments.get(at).map_or(Ok(or), |text| text.parse::<usize>());
    let (steps, threads) = (number(1, 60)?, number(2, 2)?);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let checkpoint = load(Path::new(checkpoint), &candle_core::Device::Cpu)?;
    let source = Source::find("quick/maze/train")?;
    let reward = RewardSet::preset("outcome_only").ok_or("no such reward")?;
    let settings = Settings {
        dialect: Dialect::BareCommit,
        max_turns: 6,
        sampling: Sampling { temperature: 1.0, max_tokens: MAX_TOKENS },
        view: View::Canvas,
        feedback: FeedbackMode::Crop,
        stop_on_repeat: true,
    };
    let mut hash = DefaultHasher::new();
    let (mut rates, mut turns, mut right) = (Vec::with_capacity(steps), 0, 0);
    for step in 0..steps as u64 {
        let began = Instant::now();
        let examples = (0..QUESTIONS)
            .into_par_iter()
            .map(|q| source.example(step * QUESTIONS + q))
            .collect::<Result<Vec<_>, _>>()?;
        let seed = Seed(7).derive("step", step);
        let starts = (0..QUESTIONS * GROUP)
            .map(|i| Start::fresh(&examples[(i / GROUP) as usize], seed.derive("rollout", i)))
            .collect();
        let mut policy = CandlePolicy::of(&checkpoint.network, &checkpoint.tokenizer);
        let rollouts = collect(&mut policy, settings, starts, &reward)?;
        rates.push((QUESTIONS * GROUP) as f64 / began.elapsed().as_secs_f64());
        for rollout in &rollouts {
            right += usize::from(rollout.correct);
            turns += rollout.finished.turns.len();
            for turn in &rollout.finished.turns {
                let tokens = turn.reply.tokens.as_ref().ok_or("a reply without tokens")?;
                tokens.ids.hash(&mut hash);
                tokens.log_probs.iter().for_each(|x| x.to_bits().hash(&mut hash));
            }
        }
    }
    rates.sort_by(f64::total_cmp);
    let episodes = steps * (QUESTIONS * GROUP) as usize;
    println!(
        "{threads} threads, {episodes} episodes, {:.3} right, {:.2} turns: median {:.0}, best {:.0} episodes/s; hash {:016x}",
        right as f64 / episodes as f64,
        turns as f64 / episodes as f64,
        rates[rates.len() / 2],
        rates[rates.len() - 1],
        hash.finish()
    );
    Ok(())
}
