//! What can go wrong while running, reading and comparing runs.

use std::io;
use std::path::{Path, PathBuf};

/// An error of the harness. Its variants are what the command line's exit codes tell apart.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Configuration or input that makes no sense (exit 2).
    #[error("invalid input: {0}")]
    Input(String),
    /// A file of a run that does not read (exit 2).
    #[error("invalid {}, {place}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Line or key.
        place: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The directory holds a run of something else (exit 2).
    #[error(
        "cannot resume {}: {key} was {before}, now {now}; use another --out, or the same settings",
        dir.display()
    )]
    Changed {
        /// The run directory.
        dir: PathBuf,
        /// The key that differs.
        key: String,
        /// What the run was begun with.
        before: String,
        /// What is asked now.
        now: String,
    },
    /// Rows of two runs that do not pair (exit 2).
    #[error("cannot pair the runs: {0}")]
    Unmatched(String),
    /// Nothing was asked, or nothing came back (exit 4).
    #[error("nothing ran: {0}")]
    NothingRan(String),
    /// More faults than allowed (exit 5); everything is written all the same.
    #[error(
        "{faults} of {episodes} episodes had faults, more than max_fault_rate {limit} allows; first: {first}; \
         the same command again asks them once more"
    )]
    TooManyFaults {
        /// Episodes with faults.
        faults: usize,
        /// All episodes.
        episodes: usize,
        /// The limit that was passed.
        limit: f64,
        /// The first of them.
        first: String,
    },
    /// Stopped from outside (exit 130); what is done is on disk.
    #[error("interrupted after {done} of {total} episodes; the same command again goes on from there")]
    Interrupted {
        /// Episodes on disk.
        done: usize,
        /// All episodes.
        total: usize,
    },
    /// The disk refused (exit 1); what was written before stays readable.
    #[error("failed to {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// A result of the harness.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn content(path: &Path, place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Content { path: path.to_path_buf(), place: place.into(), reason: reason.into() }
    }
}
