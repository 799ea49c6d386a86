//! Other harnesses' outputs as runs: read, joined to examples where that is possible, judged by our own judge, and
//! written as a run directory.
//!
//! Where a row carries its ground truth (every evaluation of a task that `vrrl splits export` wrote does, or the split
//! is named), the replies are judged anew: `scores.jsonl` follows from `traces.jsonl` as in any run, and the harness's
//! own metrics stay in `imported.jsonl`, beside it and never mixed in. Other rows become items whose verdict is the
//! harness's: `scores.jsonl` then has `split`, `id`, `repeat` and `correct` only, which `compare` reads, and where the
//! sampling temperature is known `run.json` and `summary.json` stand beside it, which `report` reads. A score that is not
//! there is missing, counted, and no item.

mod archive;
mod inspect;
mod json;
mod jsonl;
mod judge;
mod lm_eval;
mod row;
mod table;
mod theirs;
mod write;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vrrl_harness_core::Dialect;

use crate::run_dir::Pose;
use crate::{Error, EvalSplit, Result};
use json::Object;
use row::Place;

/// Whose outputs are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// lm-eval's `samples_*.jsonl` and `results_*.json`.
    LmEval,
    /// lmms-eval's `*_samples_*.jsonl` and `*_results.json`.
    LmmsEval,
    /// Logs of `inspect_ai`: `.eval`, or one `.json`.
    Inspect,
    /// VLMEvalKit's tables: xlsx, tsv, csv or json.
    Vlmevalkit,
    /// Lines with `id` and a verdict, or with `id`, `task`, `truth` and `turns`.
    Jsonl,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::LmEval, Self::LmmsEval, Self::Inspect, Self::Vlmevalkit, Self::Jsonl];

    /// The word of the command line and of files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::LmEval => "lm-eval",
            Self::LmmsEval => "lmms-eval",
            Self::Inspect => "inspect",
            Self::Vlmevalkit => "vlmevalkit",
            Self::Jsonl => "jsonl",
        }
    }
}

/// What to import, and how.
pub struct Import<'a> {
    /// Whose outputs.
    pub from: Source,
    /// Files, for lm-eval and lmms-eval also folders of one model.
    pub files: &'a [PathBuf],
    /// Run directory to write.
    pub out: &'a Path,
    /// Name of the model; what the files say where absent.
    pub model: Option<String>,
    /// The metric that says what is right, where rows have several.
    pub metric: Option<String>,
    /// lm-eval's filter, where rows have several.
    pub filter: Option<String>,
    /// Turn language in which replies are judged.
    pub dialect: Dialect,
    /// Sampling temperature; what the files say where absent.
    pub temperature: Option<f64>,
    /// Splits that were asked, for rows that do not carry their ground truth.
    pub splits: &'a [EvalSplit],
    /// Rebuilds problems.
    pub pose: Pose<'a>,
}

/// What was imported; `import.json` of the run directory.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Imported {
    /// Format of the file.
    pub format: u32,
    /// Whose outputs.
    pub from: Source,
    /// Version of the harness, where its files say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Name of the model.
    pub model: String,
    /// What was read.
    pub files: Vec<FileRead>,
    /// Whether replies were judged anew; if not, verdicts are the harness's.
    pub judged: bool,
    /// The harness's metric that says what is right, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Items written.
    pub items: usize,
    /// Episodes without a reply, or rows without a score: no items.
    pub missing: usize,
    /// Where the first of them stand.
    pub missing_first: Vec<String>,
    /// Our verdicts beside the harness's, where there are both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
}

/// A file that was read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileRead {
    /// Its name.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// Our verdicts beside another harness's.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Agreement {
    /// Right by both.
    pub both: usize,
    /// Right only by our judge.
    pub only_ours: usize,
    /// Right only by the harness.
    pub only_theirs: usize,
    /// Wrong by both.
    pub neither: usize,
    /// Where the first disagreements stand.
    pub first: Vec<String>,
}

/// How many places are named.
const NAMED: usize = 5;

/// Reads other harnesses' outputs into a run directory.
///
/// # Errors
/// [`Error::Content`] naming file, line or entry; [`Error::Input`] where metric, filter, split or temperature must be
/// chosen; [`Error::NothingRan`] where nothing has a score.
pub fn import(request: &Import<'_>) -> Result<Imported> {
    if request.files.is_empty() {
        return Err(Error::Input("no file to import".into()));
    }
    let batch = match request.from {
        Source::LmEval | Source::LmmsEval => lm_eval::read(request.files, request.filter.as_deref())?,
        Source::Inspect => inspect::read(request.files)?,
        Source::Vlmevalkit => table::read(request.files, request.metric.as_deref())?,
        Source::Jsonl => jsonl::read(request.files)?,
    };
    if batch.rows.is_empty() {
        return Err(Error::NothingRan(format!("{} holds no rows", request.files[0].display())));
    }
    write::write(request, batch)
}

/// The objects of a file, one a line, without blank lines.
fn lines(path: &Path) -> Result<Vec<(Place, Object)>> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let mut objects = Vec::new();
    for (i, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let place = Place::new(path, format!("line {}", i + 1));
        let object = json::object(line).map_err(|e| place.refuse(e))?;
        objects.push((place, object));
    }
    Ok(objects)
}
