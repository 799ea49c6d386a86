//! From a recipe to a checkpoint.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use vrrl_harness_core::{sha256_hex, Example, Seed, TaskKind};
use vrrl_harness_runner_candle::{device, load, products, Checkpoint};
use vrrl_trainer::{holdout, vrrl, Error, Learner, Progress, Purpose, Run, Source, TrainingReport};
use vrrl_trainer_codec::Tokenizer;
use vrrl_trainer_model::{AdamWConfig, Network};

use crate::{Method, Recipe};

/// One training to run.
pub struct Job<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
    /// Checkpoint to start from.
    pub init: Option<&'a Path>,
    /// Checkpoint directory to make, to go on with, or to find finished.
    pub out: &'a Path,
    /// `cpu`, `cuda` or `cuda-bf16`.
    pub device: &'a str,
    /// Set from outside to stop after the current step.
    pub stop: &'a AtomicBool,
}

/// Trains a recipe. A finished checkpoint of the same recipe and start is recognised; a half-done one goes on
/// and ends with the same bytes as an uninterrupted run.
///
/// # Errors
/// As [`Error`].
pub fn train(job: &Job<'_>, progress: &mut dyn FnMut(&Progress)) -> Result<TrainingReport, Error> {
    let recipe = job.recipe;
    recipe.validate()?;
    let source = Source::find(&recipe.train)?;
    let val = holdout(&recipe.val)?;
    let mark = serde_json::to_value(recipe).map_err(|e| Error::Recipe(e.to_string()))?;
    let (mut learner, start) = start(job, &source.tasks())?;
    let fingerprint = sha256_hex(format!("{} from {start}", decisive(recipe)?).as_bytes());
    let example = |index| source.example(index);
    speaks(&learner, recipe, &example(0)?)?;
    let mut run = Run {
        out: job.out,
        seed: Seed(recipe.seed).derive(recipe.method.word(), 0),
        fingerprint,
        dialect: recipe.dialect,
        train: &example,
        val: &val,
        stop: job.stop,
        progress,
    };
    let sft = recipe.sft.unwrap_or_default();
    let demos = recipe.demos.unwrap_or_default();
    let (run, learner) = (&mut run, &mut learner);
    match recipe.method {
        Method::Base => crate::base::base(run, learner, &demos, &sft, mark),
        Method::SingleSft => crate::sft::sft(run, learner, None, &sft, mark),
        Method::MultiSft => crate::sft::sft(run, learner, Some(&demos), &sft, mark),
        Method::ReflectionTuning => {
            let tuning = recipe.tuning.unwrap_or_default();
            crate::reflection_tuning::reflection_tuning(run, learner, &tuning, &demos, &sft, mark)
        }
        Method::SingleSftGrpo | Method::MultiSftGrpo => {
            crate::grpo::grpo(run, learner, &recipe.rl_config()?, mark)
        }
        Method::GrpoRtm
        | Method::GrpoBri
        | Method::GrpoRtmBri
        | Method::GrpoReflection
        | Method::VrrlDistance => crate::ablations::ablation(run, learner, &recipe.rl_config()?, mark),
        Method::Vrrl => vrrl(run, learner, &recipe.rl_config()?, mark),
    }
}

/// What decides the result: the recipe's settings and what its splits are.
fn decisive(recipe: &Recipe) -> Result<Value, Error> {
    let mut mark = recipe.settings()?;
    mark["train"] = recipe.train.substance(Purpose::Train)?;
    mark["val"] = recipe.val.substance(Purpose::Choose)?;
    Ok(mark)
}

/// That the vocabulary has words for what this dialect says about the training split.
fn speaks(learner: &Learner, recipe: &Recipe, example: &Example) -> Result<(), Error> {
    let answer = learner.tokenizer.nearest(&example.problem.oracle(&mut example.seed.rng()));
    let texts = [recipe.dialect.print_proposal(&answer, None), recipe.dialect.print_commit(&answer)];
    for text in texts {
        learner.tokenizer.encode(&text).map_err(|e| {
            Error::Recipe(format!(
                "the policy cannot say {text:?} ({e}); start from a `base` that was trained on this task ({}), and take the \
                 dialect bare_commit or reflection_tag",
                example.task().word()
            ))
        })?;
    }
    Ok(())
}

/// The learner that a job starts with, and a text that names its weights.
fn start(job: &Job<'_>, tasks: &[TaskKind]) -> Result<(Learner, String), Error> {
    let device = device(job.device)?;
    let method = job.recipe.method;
    let (network, tokenizer, name) = match job.init {
        Some(dir) if method.needs_start() => {
            let Checkpoint { network, tokenizer, fingerprint } = load(dir, &device)?;
            (network, tokenizer, fingerprint)
        }
        Some(_) => return Err(Error::Recipe("`base` starts from nothing; leave out --init".into())),
        None if method.needs_start() => {
            let reason = format!("`{}` starts from a checkpoint; name one with --init DIR", method.word());
            return Err(Error::Recipe(reason));
        }
        None => {
            let tokenizer = Tokenizer::of_tasks(tasks);
            let config = job.recipe.network.clone().unwrap_or_default().config(tokenizer.len());
            let mut rng = Seed(job.recipe.seed).derive("init", 0).rng();
            (Network::new(&config, &device, &mut || rng.unit())?, tokenizer, "nothing".to_owned())
        }
    };
    let weight_decay = match method.parts() {
        Some(_) => job.recipe.rl_config()?.weight_decay,
        None => AdamWConfig::default().weight_decay,
    };
    let optimizer = AdamWConfig { weight_decay, ..AdamWConfig::default() };
    let network = network.with_products(products(job.device));
    Ok((Learner::new(network, tokenizer, optimizer), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_count_by_what_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let mark = |folder: &str, seed: u64| {
            let file = dir.path().join(folder).join("train.yaml");
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            let text = format!(
                "name: mine/train\ntask: maze\nn: 9\nseed: {seed}\nrole: train\nparams: {{ size: [4, 4] }}\n"
            );
            std::fs::write(&file, text).unwrap();
            let recipe = format!("method: base\ntrain: {}\nval: quick/maze/id_val\n", file.display());
            decisive(&Recipe::from_yaml(&recipe).unwrap()).unwrap()
        };
        assert_eq!(mark("here", 1), mark("there", 1));
        assert_ne!(mark("here", 1), mark("here", 2));
    }
}
