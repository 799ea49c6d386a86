//! What can go wrong while reading runs or writing reports.

use std::path::PathBuf;

/// What can go wrong while reading runs or writing reports. The file is always named.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error(
        "cannot read {path}: {source}; is it a complete run directory? run `vrrl eval` again to finish it"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {path}: {source}; what was there before is untouched")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file does not hold what it should; `place` is a line or a key.
    #[error("{path}: {place}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// Line or key.
        place: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// No run was found.
    #[error("no run found in {0}; a run directory holds run.json, an experiment directory holds evals/")]
    NoRuns(PathBuf),
}

/// This crate's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Content error in one go.
    pub(crate) fn content(path: impl Into<PathBuf>, place: impl Into<String>, reason: impl ToString) -> Self {
        Self::Content { path: path.into(), place: place.into(), reason: reason.to_string() }
    }
}
