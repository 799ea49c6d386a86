//! The whole loop: what is done is recognised, what is half done goes on, what is ready runs.

use std::collections::BTreeSet;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use vrrl_harness::{evaluate, EvalSplit, Hooks};
use vrrl_harness_core::Policy;
use vrrl_reports::Claim;

use crate::experiment::Decoding;
use crate::model::{self, EndpointRequest, OrtRequest, Rules};
use crate::stage::{Model, Record, Stage, Work};
use crate::table::Table;
use crate::tools::TrainJob;
use crate::{
    claim, lock, plan, pool, report, splits, store, Error, Experiment, Reporter, Result, StageProgress, Tools,
};

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
/// [`Error::Changed`] where the directory holds another experiment, [`Error::Busy`] where another process works
/// in it; [`Error::Interrupted`] and its like with everything finished on disk; else the first stage's failure.
pub fn run(
    experiment: &Experiment,
    options: &Options<'_>,
    tools: Tools<'_>,
    reporter: &dyn Reporter,
) -> Result<Outcome> {
    let mut ended = go(experiment, options, Course::default(), tools, reporter)?;
    if !ended.failures.is_empty() {
        return Err(ended.failures.swap_remove(0).error);
    }
    outcome(experiment, options.out, &ended)
}

/// How a run differs from the usual one.
#[derive(Clone, Copy, Default)]
pub(crate) struct Course<'a> {
    /// A failed stage does not stop those that do not need it.
    pub keep_going: bool,
    /// The directory may hold fewer methods and seeds of the same experiment.
    pub grow: bool,
    /// Stages share the cores instead of one pool of threads: each has as many as its neighbours leave it.
    pub divide: bool,
    /// Only what these methods need; all where absent.
    pub only: Option<&'a BTreeSet<String>>,
    /// Files by name, written once the directory is known to be ours.
    pub files: &'a [(&'a str, &'a str)],
}

/// A stage that failed.
pub(crate) struct Failure {
    /// Its index.
    pub stage: usize,
    /// Why.
    pub error: Error,
}

/// A run that ended without an interruption.
pub(crate) struct Ended {
    pub stages: Vec<Stage>,
    pub records: Vec<Option<Record>>,
    /// In the order of the stages.
    pub failures: Vec<Failure>,
    /// Stages that were done before.
    pub reused: usize,
    pub seconds: f64,
}

/// Goes through the stages. Without [`Course::keep_going`] there is at most one failure.
pub(crate) fn go(
    experiment: &Experiment,
    options: &Options<'_>,
    course: Course<'_>,
    tools: Tools<'_>,
    reporter: &dyn Reporter,
) -> Result<Ended> {
    let begun = Instant::now();
    let stages = plan::stages(experiment, options.out)?;
    let _held = lock::hold(options.out)?;
    claim::claim(experiment, options.out, course.grow)?;
    for (name, text) in course.files {
        store::replace(&options.out.join(name), text.as_bytes())?;
    }
    let records: Vec<Option<Record>> = stages.iter().map(Stage::done).collect::<Result<_>>()?;
    let done: Vec<bool> = records.iter().map(Option::is_some).collect();
    let left_out = plan::left_out(experiment, &stages, &done, course.only);
    reporter.plan(&plan::describe(experiment, options.out, &stages, &done, &left_out, options.jobs));
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
    let how = pool::How { jobs: options.jobs, keep_going: course.keep_going, left_out: &left_out };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut errors = pool::run(&plan::nodes(&stages, &done), how, &|i, beside| {
        let work = || if course.keep_going { under_way.caught(i) } else { under_way.stage(i) };
        let result = if course.divide { threads((cores / beside).max(1))?.install(work) } else { work() };
        result.inspect_err(|error| under_way.heard(i, error, course.keep_going))
    });
    let records = under_way.records();
    if !errors.is_empty() {
        report::add_wall(options.out, begun.elapsed().as_secs_f64())?;
        if let Some(stopped) = errors.iter().position(|(_, e)| e.is_interruption()) {
            let failed = errors.iter().position(|(_, e)| !e.is_interruption());
            // The failure itself, not the neighbours that it stopped.
            let first = if course.keep_going { stopped } else { failed.unwrap_or(stopped) };
            return Err(errors.swap_remove(first).1);
        }
    }
    let scored = |(stage, record): (&Stage, &Option<Record>)| {
        matches!(stage.work, Work::Eval { .. }) && record.is_some()
    };
    let reported = stages.iter().zip(&records).any(|(s, r)| s.work == Work::Report && r.is_some());
    if course.keep_going && !reported && stages.iter().zip(&records).any(scored) {
        // A variant that can never be done must not keep the others from being looked at.
        report::write(experiment, options, &stages, &records, &done)?;
    }
    let reused = done.iter().filter(|done| **done).count();
    let failures = errors.into_iter().map(|(stage, error)| Failure { stage, error }).collect();
    Ok(Ended { stages, records, failures, reused, seconds: begun.elapsed().as_secs_f64() })
}

/// A pool of threads of its own for one stage.
fn threads(n: usize) -> Result<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
    pool.map_err(|e| Error::Input(format!("start {n} threads: {e}; use fewer --jobs")))
}

/// What is said of a run whose every stage is done.
pub(crate) fn outcome(experiment: &Experiment, out: &Path, ended: &Ended) -> Result<Outcome> {
    let begun = Instant::now();
    let wall = report::wall(out)?;
    let claims = report::claims(experiment, out, &ended.stages, &ended.records, wall)?;
    let table = Table::read(out)?;
    Ok(Outcome {
        page: out.join("index.html"),
        table,
        claims,
        seconds: ended.seconds + begun.elapsed().as_secs_f64(),
        reused: ended.reused,
        stages: ended.stages.len(),
    })
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
    /// A stage whose breakdown is an error of its own, for its neighbours go on.
    fn caught(&self, index: usize) -> Result<()> {
        catch_unwind(AssertUnwindSafe(|| self.stage(index))).unwrap_or_else(|payload| {
            let words = payload.downcast_ref::<&str>().map(|words| (*words).to_owned());
            let words = words.or_else(|| payload.downcast_ref::<String>().cloned());
            let message = words.unwrap_or_else(|| "without a message".into());
            Err(Error::Panicked { stage: self.stages[index].name.clone(), message })
        })
    }

    /// Stops the neighbours of a failure, or says that they go on.
    fn heard(&self, index: usize, error: &Error, keep_going: bool) {
        if !keep_going {
            self.options.stop.store(true, Ordering::SeqCst);
        } else if !error.is_interruption() {
            let (name, text) = (&self.stages[index].name, crate::experiment::chain(error));
            self.reporter.failed(name, text.strip_prefix(&format!("{name}: ")).unwrap_or(&text));
        }
    }

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
pub(crate) mod tests;
