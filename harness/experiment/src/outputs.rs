//! Other harnesses' outputs as runs, and runs as other harnesses write them (`vrrl import`, `vrrl export`).

use std::path::{Path, PathBuf};

use vrrl_harness::{write_lm_eval, Import, Imported, Source};
use vrrl_harness_core::Dialect;

use crate::{data, Result};

/// What to import.
#[derive(Clone, PartialEq, Debug)]
pub struct ImportRequest {
    /// Whose outputs.
    pub from: Source,
    /// Files, for lm-eval and lmms-eval also folders of one model.
    pub files: Vec<PathBuf>,
    /// Run directory to write.
    pub out: PathBuf,
    /// Name of the model; what the files say where absent.
    pub model: Option<String>,
    /// The metric that says what is right.
    pub metric: Option<String>,
    /// lm-eval's filter.
    pub filter: Option<String>,
    /// Turn language in which replies are judged.
    pub dialect: Dialect,
    /// Sampling temperature; what the files say where absent.
    pub temperature: Option<f64>,
    /// Splits that were asked: names, folders or files of maps.
    pub splits: Vec<String>,
}

/// Reads other harnesses' outputs into a run directory; see [`vrrl_harness::import()`].
///
/// # Errors
/// Files or splits that do not read, or that do not belong together.
pub fn import_outputs(request: &ImportRequest) -> Result<Imported> {
    let mut splits = Vec::new();
    for name in &request.splits {
        splits.extend(data::load_split(name)?.into_iter().map(data::eval_split));
    }
    Ok(vrrl_harness::import(&Import {
        from: request.from,
        files: &request.files,
        out: &request.out,
        model: request.model.clone(),
        metric: request.metric.clone(),
        filter: request.filter.clone(),
        dialect: request.dialect,
        temperature: request.temperature,
        splits: &splits,
        pose: &vrrl_generators::pose_truth,
    })?)
}

/// Writes a run as lm-eval would have; returns the files, results first.
///
/// # Errors
/// As [`write_lm_eval`].
pub fn export_run(run: &Path, out: &Path) -> Result<Vec<PathBuf>> {
    Ok(write_lm_eval(run, out, &vrrl_generators::pose_truth)?)
}
