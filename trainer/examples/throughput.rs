//! How fast the learner learns, and what its twin in PyTorch needs to be held against it.
//!
//! ```sh
//! throughput CHECKPOINT dump FOLDER                # two batches, their logits and gradients
//! throughput CHECKPOINT time THREADS SECONDS       # tokens a second of whole steps, a line of JSON a batch
//! ```
//! The batches: `sft`, 64 demonstrations of one to five turns; `rl`, the 256 rollouts of one step of the quickstart
//! (32 questions by 8) with group advantages. `time` gives [`Learner::step`] what a recipe gives it, pictures
//! included, so it also pays for packing; `tests/python/twin.py` times the same work on tensors that are ready.
#![allow(clippy::print_stdout)]

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use candle_core::{Device, Tensor};
use vrrl_harness_core::{Dialect, Seed};
use vrrl_harness_runner_candle::CandlePolicy;
use vrrl_trainer::math::group_advantages;
use vrrl_trainer::{
    multi_turn, pack, Demo, DemoConfig, Guard, Learner, Limits, Objective, Sequence, Source, TokenRef,
};
use vrrl_trainer_model::{gradients, AdamWConfig};

mod common;
use common::{median, open, processor_seconds, questions, rollouts, Failure, GROUP};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DEMOS: u64 = 64;

/// Sequences with the slope of the loss in each of a sequence's log-probabilities.
struct Work {
    name: &'static str,
    sequences: Vec<Sequence>,
    slopes: Vec<f64>,
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [checkpoint, "dump", folder] => {
            let learner = learner(checkpoint, 1)?;
            for work in [sft(&learner)?, rl(&learner)?] {
                dump(&learner, &work, Path::new(folder))?;
            }
        }
        [checkpoint, "time", threads, seconds] => {
            let mut learner = learner(checkpoint, threads.parse()?)?;
            for work in [sft(&learner)?, rl(&learner)?] {
                time(&mut learner, &work, seconds.parse()?)?;
            }
        }
        _ => return Err("usage: throughput CHECKPOINT (dump FOLDER | time THREADS SECONDS)".into()),
    }
    Ok(())
}

fn learner(checkpoint: &str, threads: usize) -> Result<Learner, Failure> {
    let checkpoint = open(checkpoint, threads)?;
    Ok(Learner::new(checkpoint.network, checkpoint.tokenizer, AdamWConfig::default()))
}

fn sft(learner: &Learner) -> Result<Work, Failure> {
    let source = Source::find(&"quick/maze/train".into())?;
    let demo = Demo { dialect: Dialect::BareCommit, tokenizer: &learner.tokenizer };
    let config = DemoConfig::default();
    let sequences = (0..DEMOS)
        .map(|i| {
            let mut rng = Seed(2).derive("demo", i).rng();
            multi_turn(demo, &source.example(i)?, &config, &mut rng)
                .map(|demonstration| demonstration.sequence)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let trained: usize = sequences.iter().map(Sequence::trained).sum();
    Ok(Work { name: "sft", slopes: vec![-1.0 / trained as f64; sequences.len()], sequences })
}

fn rl(learner: &Learner) -> Result<Work, Failure> {
    let examples = questions(&Source::find(&"quick/maze/train".into())?, 0)?;
    let mut policy = CandlePolicy::of(&learner.network, &learner.tokenizer);
    let rollouts = rollouts(&mut policy, &examples, 0)?;
    let sequences = rollouts
        .iter()
        .map(|r| Sequence::of(&r.finished, &learner.tokenizer))
        .collect::<Result<Vec<_>, _>>()?;
    let trained: usize = sequences.iter().map(Sequence::trained).sum();
    let slopes = rollouts
        .chunks(GROUP as usize)
        .flat_map(|group| {
            let rewards: Vec<f64> = group.iter().map(|r| r.reward.total).collect();
            group_advantages(&rewards, 0.1)
        })
        .map(|advantage| -advantage / trained as f64)
        .collect();
    Ok(Work { name: "rl", sequences, slopes })
}

/// Everything about one batch, as `FOLDER/NAME.safetensors`; whole numbers as `u32`, but for `i64` of spans.
fn dump(learner: &Learner, work: &Work, folder: &Path) -> Result<(), Failure> {
    let network = &learner.network;
    let config = network.config();
    let (batch, refs) = pack(&work.sequences, 0, config);
    let slopes: Vec<f32> = refs.iter().map(|r| work.slopes[r.sequence] as f32).collect();
    let images = batch.patches.len() / config.image_len();
    let whole = |values: &[u32]| Tensor::from_slice(values, values.len(), &Device::Cpu);
    let spans: Vec<i64> = batch.spans.iter().flat_map(|&(a, b)| [a as i64, b as i64]).collect();
    let log_probs = network.log_probs(&batch, true)?;
    let slopes = Tensor::from_slice(&slopes, slopes.len(), &Device::Cpu)?;
    let grads = gradients(network.params(), &(&log_probs * &slopes)?.sum_all()?)?;
    let mut out: HashMap<String, Tensor> = HashMap::from([
        ("patches".into(), Tensor::from_slice(&batch.patches, (images, config.image_len()), &Device::Cpu)?),
        ("gather".into(), whole(&batch.gather)?),
        ("turns".into(), whole(&batch.turns)?),
        ("slots".into(), whole(&batch.slots)?),
        ("spans".into(), Tensor::from_slice(&spans, (batch.spans.len(), 2), &Device::Cpu)?),
        ("predict".into(), whole(&batch.predict)?),
        ("targets".into(), whole(&batch.targets)?),
        ("slopes".into(), slopes),
        ("logits".into(), network.logits(&batch, false)?),
        ("log_probs".into(), log_probs.detach()),
    ]);
    for ((name, var), grad) in network.params().iter().zip(&grads.0) {
        out.insert(format!("grad.{name}"), Tensor::from_slice(grad, var.dims(), &Device::Cpu)?);
    }
    candle_core::safetensors::save(&out, folder.join(format!("{}.safetensors", work.name)))?;
    println!(
        "{}: {} sequences, {images} images, {} tokens",
        work.name,
        batch.spans.len(),
        batch.gather.len()
    );
    Ok(())
}

fn time(learner: &mut Learner, work: &Work, seconds: f64) -> Result<(), Failure> {
    let objective = |refs: &[TokenRef], log_probs: &[f32], _: &[f32]| {
        let slopes: Vec<f64> = refs.iter().map(|r| work.slopes[r.sequence]).collect();
        let loss = slopes.iter().zip(log_probs).map(|(w, &x)| w * f64::from(x)).sum();
        Objective { slopes, loss, sums: Vec::new() }
    };
    let (mut rates, mut times) = (Vec::new(), Vec::new());
    let guard = Guard::default();
    let began = Instant::now();
    while rates.len() < 5 || began.elapsed().as_secs_f64() < seconds {
        let used = processor_seconds();
        // A rate of 0 moves no weight, so that every step does the same work.
        let limits = Limits { rate: 0.0, clip: 1.0, spike: None, guard: &guard };
        let report = learner.step(&work.sequences, None, &objective, limits)?;
        rates.push(report.tokens as f64 / report.seconds);
        times.push(report.tokens as f64 / (processor_seconds() - used));
    }
    rates.remove(0);
    times.remove(0);
    println!(
        "{{\"batch\": \"{}\", \"tokens_per_second\": {:.0}, \"best\": {:.0}, \"per_processor_second\": {:.0}}}",
        work.name,
        median(&mut rates),
        rates[rates.len() - 1],
        median(&mut times),
    );
    Ok(())
}
