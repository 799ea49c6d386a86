//! Gates, blessed baselines, and runs that are checked (`vrrl gate`, `vrrl verify`).

use std::path::{Path, PathBuf};

use vrrl_harness::gate::{self, Baseline, GateConfig, GateReport, Side, ATTEMPTS};
use vrrl_harness::{verify_run, Verified};
use vrrl_harness_core::Example;

use crate::{data, store, yaml, Error, Result};

/// What a gate is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GateRequest {
    /// A run directory, a blessed baseline, or a JSONL file with `id` and `correct`.
    pub baseline: PathBuf,
    /// What wants to take its place, likewise.
    pub candidate: PathBuf,
    /// Rules; the usual one where absent.
    pub config: Option<PathBuf>,
    /// Judge the items that are on both sides, and count the others.
    pub intersect: bool,
    /// Where attempts are remembered; `gate.jsonl` in the candidate's run where absent.
    pub attempts: Option<PathBuf>,
    /// Which of the CI's own attempts this is, where a CI says so.
    pub ci_attempt: Option<String>,
}

/// Judges a candidate and remembers the attempt.
///
/// # Errors
/// Inputs that do not read or do not belong together, rules that make no sense; as [`gate::gate`].
pub fn run_gate(request: &GateRequest) -> Result<GateReport> {
    let config = match &request.config {
        Some(path) => gate_config(path)?,
        None => GateConfig::default(),
    };
    let (baseline, candidate) = (Side::read(&request.baseline)?, Side::read(&request.candidate)?);
    let mut report = gate::gate(&config, &baseline, &candidate, request.intersect)?;
    let own = request.candidate.is_dir().then(|| request.candidate.join(ATTEMPTS));
    if let Some(path) = request.attempts.clone().or(own) {
        gate::record(&mut report, &path, request.ci_attempt.clone())?;
    }
    Ok(report)
}

/// Reads a `gate.yaml`.
///
/// # Errors
/// A file that does not read, with line and the nearest known key; values that make no sense.
pub fn gate_config(path: &Path) -> Result<GateConfig> {
    let config: GateConfig = yaml::read(&store::read_text(path)?, path)?;
    config.validate().map_err(|error| match error {
        vrrl_harness::Error::Input(what) => Error::content(path, "", what),
        other => other.into(),
    })?;
    Ok(config)
}

/// Writes a finished run without faults as a baseline file.
///
/// # Errors
/// A run that is not finished or has faults, or a disk that refuses.
pub fn bless(run: &Path, out: &Path) -> Result<Baseline> {
    let baseline = Baseline::of_run(run)?;
    baseline.write(out)?;
    Ok(baseline)
}

/// Checks a run: do its numbers follow from its traces, and its traces from the splits that are known here?
///
/// `splits` are names, folders or files of further splits.
///
/// # Errors
/// A path that is no run, or further splits that do not read.
pub fn verify_numbers(run: &Path, splits: &[String]) -> Result<Verified> {
    let mut given = Vec::new();
    for name in splits {
        given.extend(data::load_split(name)?);
    }
    let known = |name: &str| -> Option<(String, Vec<Example>)> {
        let found = match given.iter().find(|split| split.def.name == name) {
            Some(split) => split.clone(),
            // Only a name of the catalogue: a run must not make this look at files of its choice.
            None if vrrl_datasets::catalog().iter().any(|def| def.name == name) => {
                data::load_split(name).ok()?.into_iter().find(|split| split.def.name == name)?
            }
            None => return None,
        };
        let split = data::eval_split(found);
        Some((split.hash, split.examples))
    };
    Ok(verify_run(run, &vrrl_generators::pose_truth, &known)?)
}

/// Writes a text file whole or not at all, making its folder.
///
/// # Errors
/// The disk refuses.
pub fn write_text(path: &Path, text: &str) -> Result<()> {
    store::replace(path, text.as_bytes())
}
