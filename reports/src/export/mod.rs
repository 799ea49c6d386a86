//! Runs as registries, dashboards and services for series read them. One file a format; each writes into its own folder.
//!
//! Names and replies come from files that anybody may have written: JSON, YAML and protocol buffers are written by their
//! libraries or with lengths, and a name becomes part of a path only as a slug.

mod date;
mod every_eval_ever;
mod follow;
mod hub;
mod metrics;
mod tensorboard;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::info::TrainingLog;
use crate::run::Run;
use crate::slug::slug;
use crate::{atomic, Error, Result};

pub use follow::Follow;

/// A format to write.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Export {
    /// Every Eval Ever 0.3.0: an aggregate and its instance rows for each run.
    EveryEvalEver,
    /// Hugging Face `.eval_results` YAML of a model repository.
    Hub,
    /// Bencher metric format.
    Bencher,
    /// `customBiggerIsBetter` of github-action-benchmark.
    Bigger,
    /// TensorBoard events of training curves.
    Tensorboard,
}

impl Export {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::EveryEvalEver, Self::Hub, Self::Bencher, Self::Bigger, Self::Tensorboard];

    /// Its name in flags, and its folder's.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::EveryEvalEver => "every-eval-ever",
            Self::Hub => "hf",
            Self::Bencher => "bencher",
            Self::Bigger => "bigger",
            Self::Tensorboard => "tensorboard",
        }
    }

    /// By its name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// What to write.
#[derive(Clone, Debug, Default)]
pub struct ExportRequest {
    /// Formats.
    pub kinds: BTreeSet<Export>,
    /// The data set on the Hub that results belong to (`OWNER/NAME`); [`Export::Hub`] needs it.
    pub hub_dataset: Option<String>,
}

impl ExportRequest {
    /// Whether everything is there that the formats need.
    ///
    /// # Errors
    /// Results for the Hub without the name of a data set, or with one that is none.
    pub fn check(&self) -> Result<()> {
        if self.kinds.contains(&Export::Hub) {
            hub::dataset(self.hub_dataset.as_deref())?;
        }
        Ok(())
    }
}

/// Writes each format into a folder of its name below `out`; returns the files. Runs that have no training curves make no
/// events. Equal runs make equal bytes.
///
/// # Errors
/// A run whose traces or date do not read, a data set's name that is none, no curves where events are all that was asked
/// for, or a folder that cannot be written.
pub fn export(
    runs: &[Run],
    logs: &[TrainingLog],
    request: &ExportRequest,
    out: &Path,
) -> Result<Vec<PathBuf>> {
    if request.kinds.len() == 1 && request.kinds.contains(&Export::Tensorboard) && logs.is_empty() {
        let reason = "no training curves; they lie in experiment directories (checkpoints/*/training.jsonl)";
        return Err(Error::content(out, "tensorboard", reason));
    }
    request.check()?;
    // Written one by one: the episodes of many runs together are more than a machine need hold.
    let mut files = Files(Vec::new());
    for kind in &request.kinds {
        let folder = out.join(kind.word());
        for run in runs {
            let one = || folder.join(format!("{}.json", file_name(run)));
            match kind {
                Export::EveryEvalEver => {
                    for (path, bytes) in every_eval_ever::files(run)? {
                        files.write(folder.join(path), &bytes)?;
                    }
                }
                Export::Hub => {
                    let dataset = hub::dataset(request.hub_dataset.as_deref())?;
                    let path = folder.join(file_name(run)).join(".eval_results").join("vrrl.yaml");
                    files.write(path, &hub::results(run, dataset)?)?;
                }
                Export::Bencher => files.write(one(), &json(&metrics::bencher(run)))?,
                Export::Bigger => files.write(one(), &json(&metrics::bigger_is_better(run)))?,
                Export::Tensorboard => {}
            }
        }
        if *kind == Export::Tensorboard {
            for (path, bytes) in tensorboard::files(logs)? {
                files.write(folder.join(path), &bytes)?;
            }
        }
    }
    Ok(files.0)
}

/// What has been written.
struct Files(Vec<PathBuf>);

impl Files {
    fn write(&mut self, path: PathBuf, bytes: &[u8]) -> Result<()> {
        if self.0.contains(&path) {
            return Err(Error::content(path, "export", "two runs would be this file; give one of them"));
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .map_err(|source| Error::Write { path: parent.to_path_buf(), source })?;
        }
        atomic::write(&path, bytes)?;
        self.0.push(path);
        Ok(())
    }
}

/// A run's files: its model, decoding and id, so that no two runs share one.
fn file_name(run: &Run) -> String {
    let id: String = run.id.chars().take(16).collect();
    format!("{}-{}-{}", slug(&run.shown_model()), slug(&run.decoding), slug(&id))
}

/// Indented, with a line break at the end.
fn json(value: &impl Serialize) -> Vec<u8> {
    // Maps with text keys and finite numbers: it cannot fail, and if it did the empty file would say so.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
