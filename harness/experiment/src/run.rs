//! The whole loop: what is done is recognised, what is half done goes on, what is ready runs.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use serde_yaml::Value;
use vrrl_harness::{evaluate, EvalSplit, Hooks};
use vrrl_harness_core::Policy;
use vrrl_reports::Claim;

use crate::experiment::Decoding;
use crate::model::{self, EndpointRequest, OrtRequest, Rules};
use crate::stage::{Model, Record, Stage, Work};
use crate::table::Table;
use crate::tools::TrainJob;
use crate::{plan, pool, report, splits, store, Error, Experiment, Reporter, Result, StageProgress, Tools};

/// How an experiment is run; nothing here changes a result.
pub struct Options<'a> {
    /// The experiment directory.
    pub out: &'a Path,
    /// Stages that may run side by side.
    pub jobs: usize,
    /// The command, for the page.
    pub command: &'a str,
    /// Set from outside to stop; also set when a stage fails, so that its neighbours stop too.
    pub stop: &'a AtomicBool,
}

/// What an experiment ended with.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// The page.
    pub page: PathBuf,
    /// The short table.
    pub table: Table,
    /// What was to be reached, and what was.
    pub claims: Vec<Claim>,
    /// Wall-clock seconds of this call.
    pub seconds: f64,
    /// Stages that were done before.
    pub reused: usize,
    /// All stages.
    pub stages: usize,
}

/// Runs an experiment into `options.out`, or goes on with what is there.
///
/// # Errors
/// [`Error::Changed`] where the directory holds another experiment; [`Error::Interrupted`] and its like with
/// everything finished on disk; else the first stage's failure.
pub fn run(
    experiment: &Experiment,
    options: &Options<'_>,
    tools: Tools<'_>,
    reporter: &dyn Reporter,
) -> Result<Outcome> {
    let begun = Instant::now();
    let stages = plan::stages(experiment, options.out)?;
    claim_directory(experiment, options.out)?;
    let records: Vec<Option<Record>> = stages.iter().map(Stage::done).collect::<Result<_>>()?;
    let done: Vec<bool> = records.iter().map(Option::is_some).collect();
    let reused = done.iter().filter(|done| **done).count();
    reporter.plan(&plan::describe(experiment, options.out, &stages, &done, options.jobs));
    let fresh = done.iter().any(|done| !done);
    let under_way = UnderWay {
        experiment,
        options,
        tools,
        reporter,
        records: Mutex::new(records),
        stages: &stages,
        tested: OnceLock::new(),
        begun,
        reused: &done,
    };
    let mut errors = pool::run(&plan::nodes(&stages, &done), options.jobs, &|i| {
        under_way.stage(i).inspect_err(|_| options.stop.store(true, Ordering::SeqCst))
    });
    if !errors.is_empty() {
        report::add_wall(options.out, begun.elapsed().as_secs_f64())?;
        // The failure itself, not the neighbours that it stopped.
        let first = errors.iter().position(|(_, e)| !e.is_interruption()).unwrap_or(0);
        return Err(errors.swap_remove(first).1);
    }
    let records = under_way.records();
    let wall = report::wall(options.out)?;
    let claims = report::claims(experiment, options.out, &stages, &records, wall)?;
    let table = Table::read(options.out)?;
    let page = options.out.join("index.html");
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Outcome {
        page,
        table,
        claims,
        seconds,
        reused: if fresh { reused } else { stages.len() },
        stages: stages.len(),
    })
}

/// Writes `experiment.yaml`, or checks that the one that is there says the same.
fn claim_directory(experiment: &Experiment, out: &Path) -> Result<()> {
    let path = out.join("experiment.yaml");
    let text = experiment.to_yaml()?;
    if path.exists() {
        let before: Value = crate::yaml::read(&store::read_text(&path)?, &path)?;
        let now: Value = crate::yaml::read(&text, &path)?;
        let mut found = Vec::new();
        differences(&before, &now, String::new(), &mut found);
        if !found.is_empty() {
            let more =
                if found.len() > 4 { format!("; and {} more", found.len() - 4) } else { String::new() };
            let difference = found.into_iter().take(4).collect::<Vec<_>>().join("; ") + &more;
            return Err(Error::Changed { dir: out.to_path_buf(), difference });
        }
    }
    store::replace(&path, text.as_bytes())
}

/// Collects the keys that differ, leaving out those that change no result.
fn differences(before: &Value, now: &Value, at: String, found: &mut Vec<String>) {
    const WORDS: [&str; 3] = ["title", "notes", "estimate_seconds"];
    let join = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
    match (before, now) {
        (Value::Mapping(a), Value::Mapping(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys {
                let name = key.as_str().unwrap_or_default();
                if !WORDS.contains(&name) {
                    let value = |map: &serde_yaml::Mapping| map.get(key).cloned().unwrap_or(Value::Null);
                    differences(&value(a), &value(b), join(name), found);
                }
            }
        }
        (Value::Sequence(a), Value::Sequence(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, join(&i.to_string()), found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => found.push(format!("{at} was {}, now {}", word(a), word(b))),
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => "absent".into(),
        value => serde_json::to_string(value).unwrap_or_else(|_| "?".into()),
    }
}

/// An experiment under way.
struct UnderWay<'a> {
    experiment: &'a Experiment,
    options: &'a Options<'a>,
    tools: Tools<'a>,
    reporter: &'a dyn Reporter,
    stages: &'a [Stage],
    records: Mutex<Vec<Option<Record>>>,
    /// What is scored on, made by the first who needs it.
    tested: OnceLock<Vec<EvalSplit>>,
    begun: Instant,
    reused: &'a [bool],
}

impl UnderWay<'_> {
    fn stage(&self, index: usize) -> Result<()> {
        let stage = &self.stages[index];
        if self.reused[index] {
            let seconds = self.records()[index].as_ref().map_or(0.0, |record| record.seconds);
            self.reporter.finished(&stage.name, seconds, true);
            return Ok(());
        }
        if self.options.stop.load(Ordering::SeqCst) {
            return Err(Error::Interrupted { stage: stage.name.clone() });
        }
        self.reporter.started(&stage.name);
        let begun = Instant::now();
        let mut notes = Vec::new();
        let mut training = None;
        match &stage.work {
            Work::Splits => notes = splits::write(self.experiment, &stage.dir)?,
            Work::Train { method, seed } => training = Some(self.train(stage, *method, *seed)?),
            Work::Export { method, seed } => self.export(stage, *method, *seed)?,
            Work::Eval { model, temperature } => self.eval(stage, model, *temperature)?,
            Work::Report => self.report()?,
        }
        for note in notes.iter().chain(training.iter().flat_map(|t| &t.complaints)) {
            self.reporter.note(&stage.name, note);
        }
        let seconds = training.as_ref().map_or(begun.elapsed().as_secs_f64(), |t| t.seconds);
        let record = stage.finish(seconds, notes, training)?;
        self.records.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(record);
        self.reporter.finished(&stage.name, seconds, false);
        Ok(())
    }

    fn records(&self) -> Vec<Option<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn train(&self, stage: &Stage, method: usize, seed: u64) -> Result<crate::Trained> {
        let entry = &self.experiment.methods[method];
        let recipe = self.experiment.recipe(entry, seed)?;
        let parent = plan::parent(self.experiment, method, seed);
        let init = parent.map(|name| self.options.out.join("checkpoints").join(name));
        let job = TrainJob {
            name: &self.experiment.checkpoint(entry, seed),
            recipe: &recipe,
            init: init.as_deref(),
            out: &stage.dir,
            device: &self.experiment.device,
            stop: self.options.stop,
        };
        (self.tools.train)(&job, &mut |progress| self.reporter.progress(&stage.name, progress))
    }

    fn export(&self, stage: &Stage, method: usize, seed: u64) -> Result<()> {
        let name = self.experiment.checkpoint(&self.experiment.methods[method], seed);
        let checkpoint = self.options.out.join("checkpoints").join(name);
        crate::export_onnx(&checkpoint, &stage.dir, false).map(drop)
    }

    fn eval(&self, stage: &Stage, which: &Model, temperature: f64) -> Result<()> {
        let (experiment, stop) = (self.experiment, self.options.stop);
        let (name, mut policy) = match which {
            Model::Trained { method, seed } => {
                let name = experiment.checkpoint(&experiment.methods[*method], *seed);
                let dir = self.options.out.join("checkpoints").join(&name);
                let policy = (self.tools.open)(&dir, &experiment.device)?;
                (name, policy)
            }
            Model::Exported { method, seed } => {
                let name = plan::exported(experiment, *method, *seed);
                let dir = self.options.out.join("onnx").join(&name);
                (name, self.opened(&format!("ort:{}", dir.display()))?)
            }
            Model::Reference(word) => (word.clone(), self.opened(word)?),
        };
        let config = plan::eval_config(experiment, which, Decoding(temperature), &name);
        let mut progress = |p: &vrrl_harness::Progress| self.reporter.progress(&stage.name, &shown(p));
        let hooks = Hooks { stop, progress: &mut progress };
        evaluate(policy.as_mut(), self.tested()?, &config, &stage.dir, hooks)
            .map(drop)
            .map_err(|source| Error::Eval { name: stage.name.clone(), source: Box::new(source) })
    }

    /// The policy that a MODEL word names, under this experiment's rules.
    fn opened(&self, word: &str) -> Result<Box<dyn Policy>> {
        let (endpoint, ort) = (&EndpointRequest::default(), &OrtRequest::default());
        // A library of ONNX Runtime for the CPU is what machines have.
        let (dialect, device) = (self.experiment.dialect, "cpu");
        let rules = Rules { dialect, max_turns: self.experiment.eval.max_turns, device, endpoint, ort };
        model::open(word, rules, self.tools.open)
    }

    fn tested(&self) -> Result<&[EvalSplit]> {
        if let Some(splits) = self.tested.get() {
            return Ok(splits);
        }
        // Two threads may both get here; the second result is dropped, and is the same.
        let splits = splits::load_tested(self.experiment)?;
        Ok(self.tested.get_or_init(|| splits))
    }

    fn report(&self) -> Result<()> {
        let records = self.records();
        report::add_wall(self.options.out, self.begun.elapsed().as_secs_f64())?;
        report::write(self.experiment, self.options, self.stages, &records, self.reused)
    }
}

/// A run's progress as everybody sees it.
pub(crate) fn shown(p: &vrrl_harness::Progress) -> StageProgress {
    let mut figures = Vec::new();
    if let Some(accuracy) = p.accuracy() {
        let scored = (p.split_done - p.faults) as f64;
        figures.push(("accuracy".to_owned(), accuracy));
        figures.push(("turns".to_owned(), p.turns as f64 / scored));
        figures.push(("Δref".to_owned(), (p.correct as f64 - p.correct_first as f64) / scored));
    }
    let what = p.split.rsplit('/').next().unwrap_or_default().to_owned();
    StageProgress { what, done: p.done as u64, total: p.total as u64, figures, ..StageProgress::default() }
}

#[cfg(test)]
mod tests;
