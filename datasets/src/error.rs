//! What can go wrong with a split.

use std::path::{Path, PathBuf};

use vrrl_harness_core::Seed;

/// Failures of this crate; each names the file, split or item.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A definition that cannot be used.
    #[error("invalid split definition {file}: {reason}")]
    Definition {
        /// The file, or the split's name where there is none.
        file: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// A name that no definition has, or several.
    #[error("no split {name:?}; {known}")]
    Name {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The task could not draw an example.
    #[error("cannot generate {split}")]
    Generate {
        /// The split.
        split: String,
        /// Why.
        #[source]
        source: vrrl_harness_core::Error,
    },
    /// The space holds no example of the class that the split's role needs.
    #[error("no example of the {class} class for {split} #{index} in {tries} tries; widen its params")]
    Class {
        /// The split.
        split: String,
        /// The class.
        class: &'static str,
        /// Position in the stream.
        index: u64,
        /// How often it was tried.
        tries: u64,
    },
    /// More distinct examples are asked for than the space holds.
    #[error(
        "{split}: n is {n}, but its params allow only {ceiling} distinct {class} examples (the ceiling; {all} over \
         the train, val and test classes); lower n or widen params"
    )]
    Ceiling {
        /// The split.
        split: String,
        /// Examples asked for.
        n: usize,
        /// Distinct examples of the class.
        ceiling: usize,
        /// The class.
        class: &'static str,
        /// Distinct examples of all classes.
        all: usize,
    },
    /// A shift that always leads out of the class.
    #[error(
        "{split}: no draw of shift {shift} stays in the {class} class in {tries} tries (seed {seed}); choose a \
         milder level"
    )]
    Again {
        /// The split.
        split: String,
        /// The shift.
        shift: String,
        /// The class.
        class: &'static str,
        /// The scene's seed.
        seed: Seed,
        /// How often it was tried.
        tries: u64,
    },
    /// A split that is opened for what its role does not allow.
    #[error("split `{split}` is {role}: refused to {what} it; use {instead}")]
    Sealed {
        /// The split.
        split: String,
        /// Its role.
        role: &'static str,
        /// What was wanted.
        what: &'static str,
        /// What would do.
        instead: &'static str,
    },
    /// The operating system refused.
    #[error("cannot {action} {path}")]
    Io {
        /// Read, write, ….
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file that is not what it should be.
    #[error("cannot read {path}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line or key and what is wrong with it.
        reason: String,
    },
    /// Data that differ from their manifest.
    #[error("{path} differs from its manifest: {reason}")]
    Differs {
        /// The file or folder.
        path: PathBuf,
        /// How.
        reason: String,
    },
    /// A folder with someone else's files.
    #[error("{0} exists and is no materialized split; choose another folder or empty it")]
    Occupied(PathBuf),
    /// An export that cannot be written.
    #[error("cannot export to {path}: {reason}")]
    Export {
        /// The folder.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// Another process is writing the same.
    #[error("another process is writing {0}; wait for it, or choose another folder")]
    Busy(PathBuf),
    /// Stopped from outside; what is done is on disk.
    #[error(
        "interrupted after {done} of {total} examples of {dir}; the same command again goes on from there"
    )]
    Interrupted {
        /// The folder.
        dir: PathBuf,
        /// Examples done.
        done: usize,
        /// Examples in all.
        total: usize,
    },
    /// An item of a file of maps.
    #[error("cannot import {file}, {item}: {reason}")]
    Import {
        /// The file.
        file: PathBuf,
        /// Position and id of the item.
        item: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn io<'p>(action: &'static str, path: &'p Path) -> impl FnOnce(std::io::Error) -> Self + 'p {
        move |source| Self::Io { action, path: path.into(), source }
    }

    pub(crate) fn malformed(path: &Path, reason: impl Into<String>) -> Self {
        Self::Malformed { path: path.into(), reason: reason.into() }
    }

    pub(crate) fn differs(path: &Path, reason: impl Into<String>) -> Self {
        Self::Differs { path: path.into(), reason: reason.into() }
    }
}
