//! Run directories and experiment directories to [`Run`]s. The only place that knows the files' keys.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::Deserialize;
use vrrl_harness::{EvalConfig, RunInfo, SplitInfo, SplitSummary, Summary};
use vrrl_harness_core::{Control, FeedbackMode, FORMAT};
use vrrl_harness_stats::Estimate;

use crate::run::{decoding_rank, method_rank, Metric, Run, SplitResult};
use crate::{traces, Error, Result};

/// Episodes kept per run and split for the trace viewer.
pub const EPISODES: usize = 24;

/// Reads runs. Each entry is a run directory, or an experiment directory whose `evals/` holds some.
///
/// # Errors
/// A directory without runs, a missing or torn file, or one of a newer format; the file is named.
pub fn load(run_dirs: &[PathBuf]) -> Result<Vec<Run>> {
    load_sampling(run_dirs, EPISODES)
}

/// [`load`], keeping at most `episodes` episodes per run and split for the trace viewer.
///
/// # Errors
/// As [`load`].
pub fn load_sampling(run_dirs: &[PathBuf], episodes: usize) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for dir in run_dirs {
        for dir in expand(dir)? {
            runs.push(one(&dir, episodes)?);
        }
    }
    runs.sort_by_key(|r| {
        let name = (r.method.clone(), r.model.clone(), r.condition.clone());
        (method_rank(&r.method), name, decoding_rank(&r.decoding), r.id.clone())
    });
    Ok(runs)
}

/// The run directories of a run or experiment directory.
pub(crate) fn expand(dir: &Path) -> Result<Vec<PathBuf>> {
    if dir.join("run.json").exists() {
        return Ok(vec![dir.to_path_buf()]);
    }
    let evals = dir.join("evals");
    if !evals.is_dir() {
        return Err(Error::NoRuns(dir.to_path_buf()));
    }
    let read = |source| Error::Read { path: evals.clone(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(&evals).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if path.is_dir() && !hidden {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() {
        Err(Error::NoRuns(dir.to_path_buf()))
    } else {
        Ok(found)
    }
}

fn one(dir: &Path, episodes: usize) -> Result<Run> {
    let info: RunInfo = json(&dir.join("run.json"))?;
    let summary_path = dir.join("summary.json");
    let summary: Summary = json(&summary_path)?;
    let splits = summary
        .splits
        .iter()
        .map(|row| match info.splits.iter().find(|s| s.name == row.split) {
            Some(known) => Ok(split(row, known)),
            None => Err(Error::content(
                &summary_path,
                &row.split,
                "run.json knows no such split; the two files are of different runs",
            )),
        })
        .collect::<Result<_>>()?;
    let traces::Read { episodes, slices, gaps } = traces::read(dir, episodes)?;
    let method = if info.reference { "reference".to_owned() } else { info.method };
    Ok(Run {
        dir: dir.to_path_buf(),
        id: info.run_id,
        model: info.policy.name,
        method,
        train_seed: info.train_seed,
        backend: info.policy.backend,
        engine: info.policy.engine,
        fingerprint: info.policy.fingerprint,
        decoding: info.decoding,
        condition: condition(&info.config),
        config_hash: info.config_hash,
        code_version: info.code_version,
        date: info.date,
        machine: info.machine,
        splits,
        episodes,
        slices,
        gaps,
    })
}

/// What was shown as feedback, where it is not the usual.
fn condition(config: &EvalConfig) -> String {
    let control = (config.control != Control::None).then(|| format!("control {}", config.control.word()));
    let whole =
        (config.feedback != FeedbackMode::Crop).then(|| format!("{} feedback", config.feedback.word()));
    control.into_iter().chain(whole).collect::<Vec<_>>().join(", ")
}

/// A whole JSON file of a format this code knows.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let bytes = fs::read(path).map_err(|source| Error::Read { path: path.to_path_buf(), source })?;
    let torn = |e: serde_json::Error| {
        let place = format!("line {} column {}", e.line(), e.column());
        Error::content(path, place, format!("{e}; run `vrrl eval` again to finish or repair the run"))
    };
    let head: Head = serde_json::from_slice(&bytes).map_err(torn)?;
    if head.format > FORMAT {
        let reason =
            format!("{} is newer than {FORMAT}, the newest this program reads; use a newer one", head.format);
        return Err(Error::content(path, "format", reason));
    }
    serde_json::from_slice(&bytes).map_err(torn)
}

fn split(row: &SplitSummary, info: &SplitInfo) -> SplitResult {
    let with = |e: Option<Estimate>| e.map(|e| Metric { value: e.value, ci: Some((e.ci_low, e.ci_high)) });
    let plain = |x: Option<f64>| x.map(|value| Metric { value, ci: None });
    // Far below 2^53: exact.
    let count = |n: Option<usize>| n.map(|n| Metric { value: n as f64, ci: None });
    let metrics = [
        ("accuracy", with(row.accuracy)),
        ("accuracy_well_formed", with(row.accuracy_well_formed)),
        ("first_accuracy", with(row.first_accuracy)),
        ("delta_ref", with(row.delta_ref)),
        ("strict_success", with(row.strict_success)),
        ("lenient_success", with(row.lenient_success)),
        ("mean_distance", with(row.mean_distance)),
        ("turns_mean", with(row.turns_mean)),
        ("proposals_mean", with(row.proposals_mean)),
        ("repeat_rate", plain(row.repeat_rate)),
        ("fixed", count(row.fixed)),
        ("broken", count(row.broken)),
        ("kept_right", count(row.kept_right)),
        ("kept_wrong", count(row.kept_wrong)),
        ("commit_rate", plain(row.commit_rate)),
        ("turn_limit_rate", plain(row.turn_limit_rate)),
        ("format_fault_rate", plain(row.format_fault_rate)),
        ("transport_fault_rate", plain(row.transport_fault_rate)),
        ("prompt_tokens_per_episode", plain(row.prompt_tokens_per_episode)),
        ("completion_tokens_per_episode", plain(row.completion_tokens_per_episode)),
    ];
    SplitResult {
        split: row.split.clone(),
        task: info.task,
        role: info.role,
        shift: info.shift.clone(),
        severity: info.severity.clone(),
        dataset_hash: info.hash.clone(),
        n: row.n as u64,
        dialect: row.dialect,
        metrics: metrics.into_iter().filter_map(|(key, metric)| Some((key.to_owned(), metric?))).collect(),
        accuracy_by_turn: row.accuracy_by_turn.clone(),
        reached_turn: row.reached_turn.clone(),
    }
}
