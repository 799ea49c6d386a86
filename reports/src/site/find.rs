//! Folders of submissions to run directories.

use std::fs;
use std::path::{Path, PathBuf};

use crate::load::expand;
use crate::{Error, Result};

/// Largest `traces.jsonl` of a submission, in bytes (10 MiB): what a repository takes without large-file storage.
pub(crate) const TRACES_LIMIT: u64 = 10 * 1024 * 1024;

/// What somebody hands in: one folder with one run or several.
pub(crate) struct Submission {
    /// The folder's name.
    pub name: String,
    /// Its run directories, in order.
    pub runs: Vec<PathBuf>,
}

/// Each entry is a run directory, an experiment directory, or a folder whose folders are submissions.
pub(crate) fn submissions(paths: &[PathBuf]) -> Result<Vec<Submission>> {
    let mut found = Vec::new();
    for path in paths {
        if is_run(path) || path.join("evals").is_dir() {
            found.push(Submission { name: name(path), runs: expand(path)? });
            continue;
        }
        let folders = folders(path)?;
        if folders.is_empty() {
            return Err(Error::NoRuns(path.clone()));
        }
        for folder in folders {
            found.push(submitted(&folder)?);
        }
    }
    Ok(found)
}

fn is_run(path: &Path) -> bool {
    // A run that was cut off early may have episodes and nothing else; it must be refused, not overlooked.
    ["run.json", "summary.json", "traces.jsonl", "scores.jsonl"].iter().any(|file| path.join(file).exists())
}

fn submitted(folder: &Path) -> Result<Submission> {
    plain(folder)?;
    let runs = if is_run(folder) {
        vec![folder.to_path_buf()]
    } else if folder.join("evals").is_dir() {
        expand(folder)?
    } else {
        folders(folder)?.into_iter().filter(|inner| is_run(inner)).collect()
    };
    if runs.is_empty() {
        let reason =
            "no run in it; a submission holds run.json, summary.json and scores.jsonl, or folders that do";
        return Err(Error::content(folder, "submission", reason));
    }
    for run in &runs {
        let traces = run.join("traces.jsonl");
        let bytes = fs::metadata(&traces).map_or(0, |data| data.len());
        if bytes > TRACES_LIMIT {
            let reason =
                format!("{bytes} bytes, above the limit of {TRACES_LIMIT}; leave it out of the submission");
            return Err(Error::content(traces, "size", reason));
        }
    }
    Ok(Submission { name: name(folder), runs })
}

/// Refuses links: a submission is read from its own folder alone.
fn plain(folder: &Path) -> Result<()> {
    for entry in entries(folder)? {
        let data =
            fs::symlink_metadata(&entry).map_err(|source| Error::Read { path: entry.clone(), source })?;
        if data.is_symlink() {
            return Err(Error::content(entry, "submission", "a link; hand in the file itself"));
        }
        if data.is_dir() {
            plain(&entry)?;
        }
    }
    Ok(())
}

/// Folders inside, by name, without hidden ones; a link counts as what it is: refused.
fn folders(path: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in entries(path)? {
        let hidden = entry.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if entry.is_symlink() {
            return Err(Error::content(entry, "submission", "a link; hand in the folder itself"));
        }
        if entry.is_dir() && !hidden {
            found.push(entry);
        }
    }
    Ok(found)
}

fn entries(path: &Path) -> Result<Vec<PathBuf>> {
    let read = |source| Error::Read { path: path.to_path_buf(), source };
    let found: std::io::Result<Vec<PathBuf>> =
        fs::read_dir(path).map_err(read)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut found = found.map_err(read)?;
    found.sort();
    Ok(found)
}

fn name(path: &Path) -> String {
    let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    whole.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
