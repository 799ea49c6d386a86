//! A grid, hand-written variants or seeds of an experiment's methods, as one experiment and one table.
//!
//! A sweep expands into an [`Experiment`] whose methods are the distinct recipes and starts of its variants
//! ([`expand`]), so that stages, resuming and report are those of [`crate::run()`]; what variants share is trained and
//! scored once. It differs in three things: a failed run does not stop the others, the directory may grow by variants
//! and seeds, and runs side by side divide the cores.

mod expand;
mod file;
mod key;
mod variants;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use vrrl_reports::{SweepInput, SweepInputRow, SweepRun, SweepTable};

use crate::run::{self, Course, Ended};
use crate::stage::{Model, Stage, Work};
use crate::{plan, report, store, yaml, Error, Options, Reporter, Result, Tools};

use expand::{Expanded, Row};
pub use file::Sweep;

/// How a sweep is run; nothing here changes a result.
pub struct SweepOptions<'a> {
    /// The experiment directory.
    pub out: &'a Path,
    /// Runs at a time.
    pub jobs: usize,
    /// Variants or rows to do; all where empty.
    pub only: &'a [String],
    /// The command, for the page.
    pub command: &'a str,
    /// Set from outside to stop.
    pub stop: &'a AtomicBool,
}

/// What a sweep ended with.
#[derive(Debug)]
pub struct SweepOutcome {
    /// The table over what is done; absent where nothing is scored yet.
    pub table: Option<SweepTable>,
    /// Stages that failed.
    pub failures: Vec<SweepFailure>,
    /// Names of stages that wait for one that failed, or were left out by `only`.
    pub waiting: Vec<String>,
    /// The page of what is done; absent until something is scored.
    pub page: Option<PathBuf>,
    /// Wall-clock seconds of this call.
    pub seconds: f64,
    /// Stages that were done before.
    pub reused: usize,
    /// All stages.
    pub stages: usize,
}

/// A stage that failed.
#[derive(Debug)]
pub struct SweepFailure {
    /// Its name.
    pub stage: String,
    /// Why.
    pub error: Error,
    /// Its log, or else its folder, where there is one.
    pub log: Option<PathBuf>,
}

/// What a sweep would do.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DrySweep {
    /// Name of the sweep.
    pub name: String,
    /// Where it goes.
    pub out: PathBuf,
    /// Rows of the table, each trained with every seed.
    pub rows: Vec<String>,
    /// Training seeds.
    pub seeds: Vec<u64>,
    /// Every training, in order.
    pub trainings: Vec<DryTraining>,
    /// Trainings if no two rows shared one.
    pub without_sharing: usize,
    /// Evaluations, references included.
    pub evaluations: usize,
    /// Stages of all kinds that are done already.
    pub done: usize,
    /// Stages that are to be done.
    pub to_do: usize,
    /// Runs at a time.
    pub jobs: usize,
    /// Seconds that this may take, by `estimate_seconds` of methods and `eval`.
    pub estimate_seconds: f64,
    /// Methods without `estimate_seconds`, for which a minute is taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_estimated: Vec<String>,
}

/// One training of a sweep.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DryTraining {
    /// Name of the checkpoint.
    pub checkpoint: String,
    /// Training seed.
    pub seed: u64,
    /// Checkpoint it starts from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
    /// Rows with their seed that need it; more than one share it.
    pub used_by: usize,
    /// Seconds it may take.
    pub estimate_seconds: f64,
    /// Found done.
    pub done: bool,
}

/// Runs a sweep into `options.out`, or goes on with what is there. Leaves `sweep.yaml`, `sweep.csv`, `sweep.md` and
/// `sweep.json` beside what [`crate::run()`] leaves; the latter's tables and page once every stage is done.
///
/// # Errors
/// As [`crate::run()`], but for failed stages, which stand in the outcome.
pub fn run_sweep(
    sweep: &Sweep,
    options: &SweepOptions<'_>,
    tools: Tools<'_>,
    reporter: &dyn Reporter,
) -> Result<SweepOutcome> {
    let expanded = expand::expand(sweep)?;
    let only = chosen(&expanded, options.only)?;
    let text = sweep.to_yaml()?;
    let run_options =
        Options { out: options.out, jobs: options.jobs, command: options.command, stop: options.stop };
    let course = Course {
        keep_going: true,
        grow: true,
        divide: true,
        only: only.as_ref(),
        files: &[("sweep.yaml", text.as_str())],
    };
    let ended = run::go(&expanded.experiment, &run_options, course, tools, reporter)?;
    let table = table(&expanded, &ended)?;
    if let Some(table) = &table {
        store::replace(&options.out.join("sweep.csv"), &table.csv()?)?;
        store::replace(&options.out.join("sweep.md"), table.markdown().as_bytes())?;
        store::write_json(&options.out.join("sweep.json"), table)?;
    }
    let failed: Vec<usize> = ended.failures.iter().map(|failure| failure.stage).collect();
    let waits = |i: &usize| ended.records[*i].is_none() && !failed.contains(i);
    let waiting: Vec<String> =
        (0..ended.stages.len()).filter(waits).map(|i| ended.stages[i].name.clone()).collect();
    let page = options.out.join("index.html");
    let failures = ended.failures.into_iter().map(|failure| {
        let stage = &ended.stages[failure.stage];
        SweepFailure { stage: stage.name.clone(), log: log(stage), error: failure.error }
    });
    Ok(SweepOutcome {
        table,
        failures: failures.collect(),
        waiting,
        page: page.exists().then_some(page),
        seconds: ended.seconds,
        reused: ended.reused,
        stages: ended.stages.len(),
    })
}

/// Where a stage says how far it came.
fn log(stage: &Stage) -> Option<PathBuf> {
    let log = stage.dir.join(report::LOG);
    [log, stage.dir.clone()].into_iter().find(|path| path.exists())
}

/// The rows that `--only` names, by themselves or by their variant.
fn chosen(expanded: &Expanded, only: &[String]) -> Result<Option<BTreeSet<String>>> {
    if only.is_empty() {
        return Ok(None);
    }
    let mut rows = BTreeSet::new();
    for name in only {
        let variant = expanded.variants.iter().find(|(variant, _)| variant == name);
        let row = expanded.rows.iter().find(|row| row.name == *name);
        if variant.is_none() && row.is_none() {
            let variants = expanded.variants.iter().map(|(variant, _)| variant.clone());
            let known: BTreeSet<String> =
                variants.chain(expanded.rows.iter().map(|row| row.name.clone())).collect();
            let known: Vec<String> = known.into_iter().collect();
            let near = yaml::nearest(name, &known).map(|n| format!("did you mean {n}? ")).unwrap_or_default();
            let known = known.join(", ");
            return Err(Error::Input(format!(
                "--only: no variant or row {name:?}; {near}(there are {known})"
            )));
        }
        rows.extend(variant.map(|(_, rows)| rows.clone()).unwrap_or_default());
        rows.extend(row.map(|row| row.name.clone()));
    }
    Ok(Some(rows))
}

/// The table over the evaluations that are done.
fn table(expanded: &Expanded, ended: &Ended) -> Result<Option<SweepTable>> {
    let experiment = &expanded.experiment;
    let rows: Vec<SweepInputRow> = expanded.rows.iter().map(|row| input(expanded, row, ended)).collect();
    if rows.iter().all(|row| row.runs.is_empty()) {
        return Ok(None);
    }
    let input = SweepInput {
        title: experiment.title.clone(),
        keys: expanded.keys.iter().map(|key| key.text.clone()).collect(),
        base: expanded.base.clone(),
        decodings: experiment.eval.decodings.iter().map(ToString::to_string).collect(),
        rows,
    };
    Ok(Some(vrrl_reports::sweep(&input)?))
}

fn input(expanded: &Expanded, row: &Row, ended: &Ended) -> SweepInputRow {
    let experiment = &expanded.experiment;
    let mut runs = Vec::new();
    for (stage, record) in ended.stages.iter().zip(&ended.records) {
        let Work::Eval { model: Model::Trained { method, seed }, temperature } = &stage.work else {
            continue;
        };
        if record.is_some() && experiment.methods[*method].name == row.name {
            let decoding = crate::Decoding(*temperature).to_string();
            runs.push(SweepRun { decoding, seed: *seed, dir: stage.dir.clone() });
        }
    }
    let entry = experiment.method(&row.name);
    SweepInputRow {
        name: row.name.clone(),
        method: row.method.word().to_owned(),
        values: row.values.clone(),
        start: row.start,
        seeds: entry.map(|entry| experiment.seeds_of(entry).to_vec()).unwrap_or_default(),
        runs,
    }
}

/// What a sweep would do, found out without doing any of it.
///
/// # Errors
/// A sweep that makes no sense, or a directory of another one.
pub fn dry_sweep(sweep: &Sweep, options: &SweepOptions<'_>) -> Result<DrySweep> {
    let expanded = expand::expand(sweep)?;
    let only = chosen(&expanded, options.only)?;
    let experiment = &expanded.experiment;
    let stages = plan::stages(experiment, options.out)?;
    let done: Vec<bool> = stages.iter().map(|stage| Ok(stage.done()?.is_some())).collect::<Result<_>>()?;
    let left_out = plan::left_out(experiment, &stages, &done, only.as_ref());
    let told = plan::describe(experiment, options.out, &stages, &done, &left_out, options.jobs);
    let mut used = vec![0; stages.len()];
    let mut without_sharing = 0;
    for stage in stages.iter().zip(&left_out).filter(|(_, left)| !**left).map(|(stage, _)| stage) {
        let Work::Eval { model: Model::Trained { .. }, temperature } = &stage.work else { continue };
        // Every decoding scores the same checkpoint.
        if crate::Decoding(*temperature) != experiment.eval.decodings[0] {
            continue;
        }
        let mut open: Vec<usize> = stage.needs.clone();
        while let Some(need) = open.pop() {
            if matches!(stages[need].work, Work::Train { .. }) {
                used[need] += 1;
                without_sharing += 1;
                open.extend(&stages[need].needs);
            }
        }
    }
    let mut trainings = Vec::new();
    let mut not_estimated = BTreeSet::new();
    for (i, stage) in stages.iter().enumerate().filter(|(i, _)| !left_out[*i]) {
        let Work::Train { method, seed } = stage.work else { continue };
        // One that is only trained, for itself, is shared with nobody either.
        without_sharing += usize::from(used[i] == 0);
        let entry = &experiment.methods[method];
        if entry.estimate_seconds.is_none() {
            not_estimated.insert(entry.name.clone());
        }
        trainings.push(DryTraining {
            checkpoint: experiment.checkpoint(entry, seed),
            seed,
            init: plan::parent(experiment, method, seed),
            used_by: used[i],
            estimate_seconds: stage.estimate,
            done: done[i],
        });
    }
    let wanted = |row: &&Row| only.as_ref().is_none_or(|only| only.contains(&row.name));
    let evaluations = |(i, stage): &(usize, &Stage)| !left_out[*i] && matches!(stage.work, Work::Eval { .. });
    Ok(DrySweep {
        name: sweep.name.clone(),
        out: options.out.to_path_buf(),
        rows: expanded.rows.iter().filter(wanted).map(|row| row.name.clone()).collect(),
        seeds: experiment.seeds.clone(),
        trainings,
        without_sharing,
        evaluations: stages.iter().enumerate().filter(evaluations).count(),
        done: told.stages.iter().filter(|stage| stage.done).count(),
        to_do: told.stages.iter().filter(|stage| !stage.done).count(),
        jobs: options.jobs,
        estimate_seconds: told.estimate_seconds,
        not_estimated: not_estimated.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests;
