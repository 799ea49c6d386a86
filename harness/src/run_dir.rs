//! A run directory as a whole: begun, resumed, finished, read again, re-scored.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use vrrl_harness_core::{
    End, Error as CoreError, Hasher, Policy, Problem, Seed, TaskKind, Trace, Truth, FORMAT,
};

use crate::record::{RunInfo, ScoreRow, SplitInfo, Summary};
use crate::scoring::Mishaps;
use crate::store::{self, Torn};
use crate::{machine, scoring, Error, EvalConfig, EvalSplit, Result};

/// File names.
pub(crate) const RUN: &str = "run.json";
pub(crate) const TRACES: &str = "traces.jsonl";
pub(crate) const SCORES: &str = "scores.jsonl";
pub(crate) const SUMMARY: &str = "summary.json";
pub(crate) const TIMING: &str = "timing.jsonl";
pub(crate) const IMAGES: &str = "images";

/// Rebuilds the problem of a ground truth; the seed decides what the truth leaves open, which no judge sees.
pub type Pose<'p> = &'p dyn Fn(TaskKind, &Truth, Seed) -> std::result::Result<Arc<dyn Problem>, CoreError>;

/// Describes the run that is asked for, as of now.
pub(crate) fn describe(policy: &dyn Policy, splits: &[EvalSplit], config: &EvalConfig) -> RunInfo {
    let info = policy.info();
    let splits: Vec<_> = splits.iter().map(|split| split.info(config)).collect();
    let config_hash = config.hash();
    RunInfo {
        format: FORMAT,
        run_id: run_id(&config_hash, &info.fingerprint, &splits),
        method: config.method.clone(),
        reference: config.reference,
        train_seed: config.train_seed,
        seed: config.seed,
        decoding: config.decoding(),
        config: config.clone(),
        config_hash,
        policy: info,
        settings: policy.settings(),
        view: policy.view(),
        splits,
        code_version: machine::CODE_VERSION.into(),
        machine: machine::machine(),
        date: machine::utc_now(),
    }
}

/// Short hash of what decides a run.
pub(crate) fn run_id(config_hash: &str, fingerprint: &str, splits: &[SplitInfo]) -> String {
    let hasher = Hasher::default().part(config_hash).part(fingerprint);
    let hasher = splits.iter().fold(hasher, |h, split| h.part(&split.name).part(&split.hash));
    hasher.hex()[..16].to_owned()
}

/// Refuses a run with more faults than `limit` allows, after it is written.
pub(crate) fn few_faults(traces: &[&Trace], limit: f64) -> Result<()> {
    let mut faulty = traces.iter().filter(|trace| trace.end == End::Fault);
    let Some(first) = faulty.next() else { return Ok(()) };
    let (faults, episodes) = (1 + faulty.count(), traces.len());
    if faults as f64 > limit * episodes as f64 {
        let why = first.fault.as_ref().map_or_else(String::new, ToString::to_string);
        let first = format!("split {}, id {}: {why}", first.split, first.id);
        return Err(Error::TooManyFaults { faults, episodes, limit, first });
    }
    if faults == episodes {
        return Err(Error::NothingRan(format!("all {faults} episodes had faults")));
    }
    Ok(())
}

/// Writes `run.json`, or checks that the run in `dir` is the one that is asked for.
pub(crate) fn begin(dir: &Path, mut info: RunInfo) -> Result<RunInfo> {
    let path = dir.join(RUN);
    if path.exists() {
        let before: RunInfo = store::read_json(&path)?;
        if let Some((key, before, now)) = changed(&before, &info) {
            return Err(Error::Changed { dir: dir.to_path_buf(), key, before, now });
        }
        info.date = before.date;
    } else if dir.join(TRACES).exists() {
        let reason = "missing, though there are traces; move them away or use another --out";
        return Err(Error::content(&path, "the file", reason));
    }
    store::write_json(&path, &info)?;
    Ok(info)
}

/// The first key in which two runs differ so that their episodes must not stand in one file.
pub(crate) fn changed(before: &RunInfo, now: &RunInfo) -> Option<(String, String, String)> {
    let pick = |info: &RunInfo| {
        let mut value = serde_json::to_value(info).expect("a run's description has only plain keys");
        value["config"]["max_fault_rate"] = Value::Null;
        ["config", "settings", "policy", "view", "splits"].map(|key| (key, value[key].take()))
    };
    pick(before).into_iter().zip(pick(now)).find_map(|((key, a), (_, b))| difference(key, &a, &b))
}

fn difference(key: &str, a: &Value, b: &Value) -> Option<(String, String, String)> {
    if a == b {
        return None;
    }
    let within = match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let keys: std::collections::BTreeSet<&String> = x.keys().chain(y.keys()).collect();
            let at =
                |map: &serde_json::Map<String, Value>, k: &str| map.get(k).cloned().unwrap_or(Value::Null);
            keys.into_iter().find_map(|k| difference(&format!("{key}.{k}"), &at(x, k), &at(y, k)))
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            let name = |v: &Value, i: usize| v["name"].as_str().map_or_else(|| i.to_string(), str::to_owned);
            let mut items = x.iter().zip(y).enumerate();
            items.find_map(|(i, (u, v))| difference(&format!("{key}[{}]", name(u, i)), u, v))
        }
        _ => None,
    };
    within.or_else(|| Some((key.to_owned(), a.to_string(), b.to_string())))
}

/// Traces of an unfinished run. A torn last line goes, and so do episodes with faults: they are asked again.
pub(crate) fn resume(dir: &Path) -> Result<Vec<Trace>> {
    let path = dir.join(TRACES);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let (mut traces, torn) = store::read_lines::<Trace>(&path, Torn::Drop)?;
    let before = traces.len();
    traces.retain(|trace| trace.end != End::Fault);
    if torn || traces.len() < before {
        store::write_lines(&path, &traces)?;
    }
    Ok(traces)
}

/// Writes what follows from the traces, which are in split order.
pub(crate) fn finish(dir: &Path, info: &RunInfo, traces: &[&Trace], rows: &[ScoreRow]) -> Result<Summary> {
    store::write_lines(&dir.join(TRACES), traces.iter().copied())?;
    conclude(dir, info, traces, rows)
}

fn conclude(dir: &Path, info: &RunInfo, traces: &[&Trace], rows: &[ScoreRow]) -> Result<Summary> {
    let summary = summary(info, traces, rows);
    store::write_lines(&dir.join(SCORES), rows)?;
    store::write_json(&dir.join(SUMMARY), &summary)?;
    Ok(summary)
}

fn summary(info: &RunInfo, traces: &[&Trace], rows: &[ScoreRow]) -> Summary {
    let splits = info.splits.iter().map(|split| {
        let rows: Vec<&ScoreRow> = rows.iter().filter(|row| row.split == split.name).collect();
        let mishaps = Mishaps::count(traces.iter().copied().filter(|t| t.split == split.name));
        scoring::summarise(split, &info.config, &rows, mishaps)
    });
    Summary { format: FORMAT, splits: splits.collect() }
}

/// Reads `run.json`.
///
/// # Errors
/// A missing, torn or newer file.
pub fn read_info(dir: &Path) -> Result<RunInfo> {
    store::read_json(&dir.join(RUN))
}

/// Reads `summary.json`.
///
/// # Errors
/// A missing, torn or newer file.
pub fn read_summary(dir: &Path) -> Result<Summary> {
    store::read_json(&dir.join(SUMMARY))
}

/// Reads `traces.jsonl` of a finished run.
///
/// # Errors
/// A missing file or a line that is no trace, named by number.
pub fn read_traces(dir: &Path) -> Result<Vec<Trace>> {
    Ok(store::read_lines(&dir.join(TRACES), Torn::Refuse)?.0)
}

/// Reads `scores.jsonl`.
///
/// # Errors
/// A missing file or a line that is no row, named by number.
pub fn read_scores(dir: &Path) -> Result<Vec<ScoreRow>> {
    Ok(store::read_lines(&dir.join(SCORES), Torn::Refuse)?.0)
}

/// Computes rows and summary from `traces.jsonl` alone, without the model, and writes nothing.
///
/// # Errors
/// Files that do not read, a trace of a split that `run.json` does not list, a truth that is no problem.
pub fn recompute(dir: &Path, pose: Pose<'_>) -> Result<(Vec<ScoreRow>, Summary)> {
    let (info, traces) = (read_info(dir)?, read_traces(dir)?);
    let rows = rows(dir, &info, &traces, pose)?;
    let summary = summary(&info, &traces.iter().collect::<Vec<_>>(), &rows);
    Ok((rows, summary))
}

/// Writes `scores.jsonl` and `summary.json` anew from `traces.jsonl`.
///
/// # Errors
/// As [`recompute`], or the disk refuses.
pub fn rescore(dir: &Path, pose: Pose<'_>) -> Result<Summary> {
    let (info, traces) = (read_info(dir)?, read_traces(dir)?);
    let rows = rows(dir, &info, &traces, pose)?;
    conclude(dir, &info, &traces.iter().collect::<Vec<_>>(), &rows)
}

fn rows(dir: &Path, info: &RunInfo, traces: &[Trace], pose: Pose<'_>) -> Result<Vec<ScoreRow>> {
    let roles: BTreeMap<&str, _> =
        info.splits.iter().map(|split| (split.name.as_str(), split.role)).collect();
    let mut rows = Vec::with_capacity(traces.len());
    for (i, trace) in traces.iter().enumerate() {
        let refuse = |reason: String| {
            Error::content(&dir.join(TRACES), format!("line {} (id {})", i + 1, trace.id), reason)
        };
        let role = roles
            .get(trace.split.as_str())
            .ok_or_else(|| refuse(format!("split {} is not in {RUN}", trace.split)))?;
        let problem = pose(trace.task, &trace.truth, Seed(0)).map_err(|e| refuse(e.to_string()))?;
        rows.extend(scoring::score_trace(trace, &*problem, *role));
    }
    Ok(rows)
}
