//! The last stage: tables and page; and the same for any runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_harness::{machine, CODE_VERSION};
use vrrl_reports::{load, AuditRow, Claim, PageInfo, StageTiming, TrainingLog, Written};

use crate::claims::{self, Evidence};
use crate::stage::{peak_bytes, Record, Stage, Work};
use crate::{splits, store, Experiment, MethodEntry, Options, Result};

/// File that adds up the wall clock over interrupted calls.
const WALL: &str = "wall.json";
/// File of a training's log.
pub(crate) const LOG: &str = "training.jsonl";

#[derive(Default, Serialize, Deserialize)]
struct Wall {
    format: u32,
    seconds: f64,
    calls: u32,
}

/// Adds a call's seconds to what earlier calls took. A killed call is not counted.
pub(crate) fn add_wall(out: &Path, seconds: f64) -> Result<()> {
    let path = out.join(WALL);
    let before: Wall = store::read_json(&path)?.unwrap_or_default();
    let format = vrrl_harness_core::FORMAT;
    store::write_json(&path, &Wall { format, seconds: before.seconds + seconds, calls: before.calls + 1 })
}

/// Seconds that all calls took together.
pub(crate) fn wall(out: &Path) -> Result<f64> {
    Ok(store::read_json::<Wall>(&out.join(WALL))?.unwrap_or_default().seconds)
}

/// What was to be reached, and what was; nothing of a part, as bars are about all seeds.
pub(crate) fn claims(
    experiment: &Experiment,
    out: &Path,
    stages: &[Stage],
    records: &[Option<Record>],
    wall: f64,
) -> Result<Vec<Claim>> {
    let missing = |(stage, record): (&Stage, &Option<Record>)| {
        matches!(stage.work, Work::Eval { .. }) && record.is_none()
    };
    if stages.iter().zip(records).any(missing) {
        return Ok(Vec::new());
    }
    // The process that only reports knows nothing of the memory of those that trained.
    let ran = stages.iter().zip(records).filter(|(stage, _)| stage.work != Work::Report);
    let peak = ran.filter_map(|(_, record)| record.as_ref()?.peak_bytes).max().or_else(peak_bytes);
    claims::all(&Evidence { experiment, out, wall, peak_bytes: peak })
}

/// Writes tables and page of an experiment, of what is done of it.
pub(crate) fn write(
    experiment: &Experiment,
    options: &Options<'_>,
    stages: &[Stage],
    records: &[Option<Record>],
    reused: &[bool],
) -> Result<()> {
    let out = options.out;
    let scored = stages
        .iter()
        .zip(records)
        .filter(|(s, record)| matches!(s.work, Work::Eval { .. }) && record.is_some());
    let runs: Vec<PathBuf> = scored.map(|(s, _)| s.dir.clone()).collect();
    let runs = load(&runs)?;
    let mut logs = Vec::new();
    let mut notes = experiment.notes.clone();
    let mut timings = Vec::new();
    for ((stage, record), &reused) in stages.iter().zip(records).zip(reused) {
        let Some(record) = record else { continue };
        timings.push(StageTiming { name: stage.name.clone(), seconds: record.seconds, reused });
        notes.extend(record.notes.iter().cloned());
        if let Work::Train { method, seed } = &stage.work {
            logs.push(log(experiment, *method, *seed, stage, record)?);
            let name = &experiment.methods[*method].name;
            let complaints = record.training.iter().flat_map(|t| &t.complaints);
            notes.extend(complaints.map(|text| format!("{name}: {text}")));
        }
    }
    notes.push(format!(
        "Reinforcement keeps the checkpoint that is best on {} at temperature 1; the other stages keep their last \
         weights. No test split chose anything.",
        experiment.splits.val
    ));
    notes.push(
        "Training draws from its split without end; the audit compares the split's own examples. Later ones are of \
         the same class, which holds no item of a generated test split by construction; imported maps may repeat one."
            .into(),
    );
    let wall = wall(out)?;
    let info = PageInfo {
        title: if experiment.title.is_empty() { experiment.name.clone() } else { experiment.title.clone() },
        command: options.command.to_owned(),
        experiment_yaml: experiment.to_yaml()?,
        machine: machine(),
        code_version: CODE_VERSION.to_owned(),
        notes,
        claims: claims(experiment, out, stages, records, wall)?,
        stages: timings,
        audit: audit(out)?,
        image_budget: 0,
    };
    vrrl_reports::write(&runs, &logs, &info, out)?;
    Ok(())
}

/// A training's curves, with its counters.
fn log(
    experiment: &Experiment,
    method: usize,
    seed: u64,
    stage: &Stage,
    record: &Record,
) -> Result<TrainingLog> {
    let entry = &experiment.methods[method];
    let seed = (experiment.seeds_of(entry).len() > 1).then_some(seed);
    let name = curve_name(experiment, entry);
    let path = stage.dir.join(LOG);
    let mut log = if path.exists() {
        TrainingLog::read(name, seed, &path)?
    } else {
        TrainingLog { method: name.to_owned(), seed, ..TrainingLog::default() }
    };
    if let Some(training) = &record.training {
        counters("", &training.liveness, &mut log.liveness);
        log.liveness.insert("tokens_per_second".into(), training.tokens_per_second);
        log.warnings.clone_from(&training.warnings);
    }
    Ok(log)
}

/// What a training's curves are called: its method, or its own name where several do the same method.
fn curve_name<'e>(experiment: &Experiment, entry: &'e MethodEntry) -> &'e str {
    let same = experiment.methods.iter().filter(|other| other.method == entry.method).count();
    if same > 1 {
        &entry.name
    } else {
        entry.method.word()
    }
}

/// Lays nested counters flat: `mechanism.counter`, and for a sum with its count the mean.
fn counters(name: &str, value: &Value, into: &mut BTreeMap<String, f64>) {
    match value {
        Value::Object(map) => {
            if let (Some(total), Some(n)) = (number(map, "total"), number(map, "n")) {
                if n > 0.0 {
                    into.insert(format!("{name}.mean"), total / n);
                }
                return;
            }
            for (key, value) in map {
                let inner = match (name, key.as_str()) {
                    (_, "counts" | "sums") => name.to_owned(),
                    ("", key) => key.to_owned(),
                    (name, key) => format!("{name}.{key}"),
                };
                counters(&inner, value, into);
            }
        }
        value => {
            if let Some(number) = value.as_f64() {
                into.insert(name.to_owned(), number);
            }
        }
    }
}

fn number(map: &serde_json::Map<String, Value>, key: &str) -> Option<f64> {
    map.get(key)?.as_f64()
}

fn audit(out: &Path) -> Result<Vec<AuditRow>> {
    let row = |pair: crate::AuditPair| AuditRow {
        train: pair.train,
        test: pair.test,
        n_train: pair.n_train as u64,
        n_test: pair.n_test as u64,
        exact: pair.exact as u64,
        symmetric: pair.symmetric as u64,
        same_pattern: pair.same_pattern as u64,
        distinct_test: pair.distinct_test as u64,
    };
    Ok(splits::read_audit(&out.join("splits"))?.pairs.into_iter().map(row).collect())
}

/// Reads run and experiment directories and writes tables and page into `out`; training curves are taken from
/// the checkpoints of experiment directories.
///
/// # Errors
/// No runs, files that do not read, or a folder that cannot be written.
pub fn report_runs(dirs: &[PathBuf], out: &Path, command: &str) -> Result<Written> {
    let runs = load(dirs)?;
    let logs = training_logs(dirs)?;
    let mut audits = Vec::new();
    for dir in dirs {
        audits.extend(audit(dir)?);
    }
    let info = PageInfo {
        title: "VRRL report".into(),
        command: command.to_owned(),
        machine: machine(),
        code_version: CODE_VERSION.to_owned(),
        audit: audits,
        ..PageInfo::default()
    };
    Ok(vrrl_reports::write(&runs, &logs, &info, out)?)
}

/// The training curves of the experiment directories among these.
///
/// # Errors
/// An experiment file or a log that does not read.
pub fn training_logs(dirs: &[PathBuf]) -> Result<Vec<TrainingLog>> {
    let mut logs = Vec::new();
    for dir in dirs {
        logs.extend(logs_of(dir)?);
    }
    Ok(logs)
}

/// The training curves of an experiment directory.
fn logs_of(dir: &Path) -> Result<Vec<TrainingLog>> {
    let file = dir.join("experiment.yaml");
    if !file.exists() {
        return Ok(Vec::new());
    }
    let experiment = Experiment::open(&file)?;
    let mut logs = Vec::new();
    for entry in &experiment.methods {
        for &seed in experiment.seeds_of(entry) {
            let path = dir.join("checkpoints").join(experiment.checkpoint(entry, seed)).join(LOG);
            if path.exists() {
                let seed = (experiment.seeds_of(entry).len() > 1).then_some(seed);
                logs.push(TrainingLog::read(curve_name(&experiment, entry), seed, &path)?);
            }
        }
    }
    Ok(logs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_laid_flat() {
        let value = serde_json::json!({
            "rtm": {"counts": {"masked": 3}, "sums": {"kept": {"total": 3.0, "n": 2}}},
            "plain": 7,
        });
        let mut flat = BTreeMap::new();
        counters("", &value, &mut flat);
        let want = [("plain", 7.0), ("rtm.kept.mean", 1.5), ("rtm.masked", 3.0)];
        assert_eq!(flat, want.map(|(k, v)| (k.to_owned(), v)).into());
    }

    #[test]
    fn wall_clocks_add_up() {
        let dir = tempfile::tempdir().unwrap();
        assert!(wall(dir.path()).unwrap() < 1e-12);
        add_wall(dir.path(), 1.5).unwrap();
        add_wall(dir.path(), 2.0).unwrap();
        assert!((wall(dir.path()).unwrap() - 3.5).abs() < 1e-12);
    }
}
