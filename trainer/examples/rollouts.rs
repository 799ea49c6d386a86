//! How fast a checkpoint rolls out: the part of a reinforcement step before the learner, and nothing else.
//!
//! ```sh
//! cargo run --release -p vrrl-trainer --example rollouts -- CHECKPOINT [STEPS [THREADS]]
//! ```
//! Every step poses 32 fresh questions of the quickstart's training mazes, rolls out eight episodes of each and
//! judges and rewards them, as `rl/step.rs` does. Printed are episodes a second (median and best step), processor
//! time an episode, and a hash of all sampled tokens and the bits of their log-probabilities: two builds that print
//! the same hash rolled out the same episodes.
#![allow(clippy::print_stdout)]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use vrrl_harness_runner_candle::CandlePolicy;
use vrrl_trainer::Source;

mod common;
use common::{median, open, processor_seconds, questions, rollouts, Failure, GROUP, QUESTIONS};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, or: usize| arguments.get(at).map_or(Ok(or), |text| text.parse::<usize>());
    let (steps, threads) = (number(1, 60)?, number(2, 2)?);
    let checkpoint = open(arguments.first().ok_or("CHECKPOINT is missing")?, threads)?;
    let source = Source::find(&"quick/maze/train".into())?;
    let mut hash = DefaultHasher::new();
    let (mut rates, mut times, mut turns, mut right) = (Vec::new(), Vec::new(), 0, 0);
    for step in 0..steps as u64 {
        let (began, used) = (Instant::now(), processor_seconds());
        let examples = questions(&source, step)?;
        let mut policy = CandlePolicy::of(&checkpoint.network, &checkpoint.tokenizer);
        let rollouts = rollouts(&mut policy, &examples, step)?;
        let episodes = (QUESTIONS * GROUP) as f64;
        rates.push(episodes / began.elapsed().as_secs_f64());
        times.push((processor_seconds() - used) / episodes);
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
    let episodes = steps * (QUESTIONS * GROUP) as usize;
    println!(
        "{threads} threads, {episodes} episodes, {:.3} right, {:.2} turns: median {:.0}, best {:.0} episodes/s, \
         {:.0} µs of processor an episode; hash {:016x}",
        right as f64 / episodes as f64,
        turns as f64 / episodes as f64,
        median(&mut rates),
        rates[rates.len() - 1],
        median(&mut times) * 1e6,
        hash.finish()
    );
    Ok(())
}
