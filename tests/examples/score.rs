//! `vrrl score` without the rest of the command, so that differential tests and timings compile no network:
//! `cargo run --release -p vrrl-tests --example score -- IN.jsonl PRESET|REWARD.json OUT.jsonl [lenient]`.

#![allow(clippy::print_stderr, reason = "a command")]

use std::path::Path;
use std::process::ExitCode;

use vrrl_harness::{score_turns, OnError, ScoreTurns};
use vrrl_harness_core::reward::RewardSet;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [input, reward, output, more @ ..] = &args[..] else {
        eprintln!("usage: score IN.jsonl PRESET|REWARD.json OUT.jsonl [lenient]");
        return ExitCode::from(2);
    };
    let read = || serde_json::from_str(&std::fs::read_to_string(reward).ok()?).ok();
    let Some(rewards) = RewardSet::preset(reward).or_else(read) else {
        eprintln!("{reward}: no preset and no reward file");
        return ExitCode::from(2);
    };
    let work = ScoreTurns {
        input: Path::new(input),
        output: Path::new(output),
        rewards: &rewards,
        on_error: OnError::Record,
        lenient: more.iter().any(|word| word == "lenient"),
        pose: &vrrl_generators::pose_truth,
    };
    match score_turns(&work) {
        Ok(done) => {
            eprintln!("{} scored, {} errors", done.scored, done.errors);
            ExitCode::from(if done.errors > 0 { 2 } else { 0 })
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
