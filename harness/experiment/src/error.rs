//! What can go wrong in an experiment; the variants are what the command line's exit codes tell apart.

use std::io;
use std::path::{Path, PathBuf};

/// An error of an experiment.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Settings or input that make no sense (exit 2).
    #[error("{0}")]
    Input(String),
    /// A file that does not hold what it should (exit 2).
    #[error("{}{place}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// `:LINE`, `, key K` or nothing.
        place: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The directory belongs to another experiment (exit 2).
    #[error("{} holds another experiment ({difference}); use another --out, or the same settings", dir.display())]
    Changed {
        /// The experiment directory.
        dir: PathBuf,
        /// The keys that differ, before and now.
        difference: String,
    },
    /// A finished stage was made from other inputs (exit 2).
    #[error(
        "stage {stage} in {} was made from other inputs than it would be now (another version, or edited files); \
         use another --out, or remove that folder to make it again", dir.display()
    )]
    Stale {
        /// The stage.
        stage: String,
        /// Its folder.
        dir: PathBuf,
    },
    /// Another process works in the directory (exit 2).
    #[error(
        "{} is in use by another vrrl{}; wait until it ends, or use another --out", dir.display(),
        pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
    )]
    Busy {
        /// The experiment directory.
        dir: PathBuf,
        /// The process, where its lock file says.
        pid: Option<u32>,
    },
    /// A stage broke down where it should have returned an error: a bug (exit 1).
    #[error("{stage} panicked: {message}; this is a bug in vrrl")]
    Panicked {
        /// The stage.
        stage: String,
        /// What it said.
        message: String,
    },
    /// A split could not be made, read or written (exit 2).
    #[error("{0}")]
    Data(#[from] vrrl_datasets::Error),
    /// Data that differ from their manifest (exit 6).
    #[error("{0}")]
    Differs(String),
    /// A training failed.
    #[error("train {name}: {source}")]
    Train {
        /// The method.
        name: String,
        /// Why.
        source: Box<vrrl_baselines::Error>,
    },
    /// A training recipe that makes no sense (exit 2).
    #[error("recipe {name}: {reason}")]
    Recipe {
        /// The method or file.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A checkpoint does not load (exit 2).
    #[error("load checkpoint: {0}")]
    Checkpoint(#[from] vrrl_harness_runner_candle::Error),
    /// An endpoint cannot be used as it is told (exit 2).
    #[error(transparent)]
    Endpoint(#[from] vrrl_harness_runner_openai::Error),
    /// A directory of ONNX graphs cannot be used (exit 2).
    #[error(transparent)]
    Onnx(#[from] vrrl_harness_runner_ort::Error),
    /// An evaluation failed.
    #[error("score {name}: {source}")]
    Eval {
        /// The run.
        name: String,
        /// Why.
        source: Box<vrrl_harness::Error>,
    },
    /// Reading or comparing finished runs failed.
    #[error(transparent)]
    Harness(#[from] vrrl_harness::Error),
    /// Reports could not be made.
    #[error(transparent)]
    Report(#[from] vrrl_reports::Error),
    /// The disk refused (exit 1); what was written before stays readable.
    #[error("failed to {action} {}: {source}; what was written before stays readable", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Stopped from outside (exit 130); what is done is on disk.
    #[error("interrupted during {stage}; the same command again goes on from there")]
    Interrupted {
        /// The stage under way.
        stage: String,
    },
}

/// This crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn content(path: &Path, place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Content { path: path.to_path_buf(), place: place.into(), reason: reason.into() }
    }

    /// Whether this is a stop from outside rather than a failure.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        match self {
            Self::Interrupted { .. } | Self::Data(vrrl_datasets::Error::Interrupted { .. }) => true,
            Self::Eval { source, .. } => matches!(**source, vrrl_harness::Error::Interrupted { .. }),
            Self::Harness(source) => matches!(source, vrrl_harness::Error::Interrupted { .. }),
            Self::Train { source, .. } => crate::tools::interrupted(source),
            _ => false,
        }
    }
}
