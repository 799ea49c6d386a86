//! Writing a split to disk as an imagefolder.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vrrl_harness_core::{sha256_hex, Example, Seed, View};

use crate::card::card;
use crate::split::sorted;
use crate::{Error, Source, Split, SplitDef, FORMAT};

/// One line of `metadata.jsonl`; the same keys and types for every task.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) file_name: String,
    pub(crate) id: String,
    pub(crate) task: String,
    pub(crate) question: String,
    pub(crate) answer: String,
    /// Ground truth, as JSON text.
    pub(crate) truth: String,
    /// Parameters, as JSON text.
    pub(crate) params: String,
    pub(crate) seed: Seed,
    pub(crate) shift: String,
    pub(crate) severity: u32,
    pub(crate) content_hash: String,
    pub(crate) image_sha256: String,
}

/// `manifest.json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) generator_version: u32,
    pub(crate) source: Source,
    pub(crate) definition: SplitDef,
    pub(crate) folder: String,
    pub(crate) rows: usize,
    /// [`Split::hash`].
    pub(crate) hash: String,
    /// SHA-256 of `metadata.jsonl`; its rows hash the pictures.
    pub(crate) metadata_sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ceiling: Option<String>,
}

/// Name of the file that marks a folder as ours.
pub(crate) const MANIFEST: &str = "manifest.json";

/// Writes the first `limit` examples (all without one) under `dir`: `README.md`, `manifest.json`, and a
/// folder named by [`SplitDef::folder`] with `metadata.jsonl` and `images/*.png`. Everything is written beside
/// `dir` first and moved at the end, so that `dir` is whole or untouched; an earlier materialized split there
/// is replaced. Returns the written split's hash.
///
/// # Errors
/// [`Error::Occupied`] if `dir` holds anything else, [`Error::Io`].
pub fn materialize(split: &Split, dir: &Path, limit: Option<usize>) -> Result<String, Error> {
    check_target(dir)?;
    let split = limit.map_or_else(|| split.clone(), |limit| split.head(limit));
    let partial = sibling(dir, "partial")?;
    let written = write_all(&split, &partial).and_then(|hash| {
        move_into_place(&partial, dir)?;
        Ok(hash)
    });
    if written.is_err() {
        // What is left is ours and useless; the first error is the one to report.
        let _ = fs::remove_dir_all(&partial);
    }
    written
}

/// Only nothing, an empty folder, or an earlier split may be replaced.
fn check_target(dir: &Path) -> Result<(), Error> {
    if !dir.exists() {
        return Ok(());
    }
    let occupied = || Err(Error::Occupied(dir.into()));
    if !dir.is_dir() {
        return occupied();
    }
    let names: Vec<_> = fs::read_dir(dir)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.file_name())).collect())
        .map_err(Error::io("read", dir))?;
    if names.is_empty() {
        return Ok(());
    }
    let manifest = fs::read_to_string(dir.join(MANIFEST)).ok();
    let Some(manifest) = manifest.and_then(|text| serde_json::from_str::<Manifest>(&text).ok()) else {
        return occupied();
    };
    let ours = ["README.md", MANIFEST, manifest.folder.as_str()];
    if names.iter().all(|name| ours.iter().any(|our| name == our)) {
        Ok(())
    } else {
        occupied()
    }
}

/// A hidden name beside `dir`, in the same file system.
fn sibling(dir: &Path, what: &str) -> Result<PathBuf, Error> {
    let Some(name) = dir.file_name() else {
        return Err(Error::malformed(dir, "the folder to write needs a name of its own"));
    };
    Ok(dir.with_file_name(format!(".{}.{what}-{}", name.to_string_lossy(), std::process::id())))
}

fn write_all(split: &Split, partial: &Path) -> Result<String, Error> {
    let folder = split.def.folder();
    let images = partial.join(&folder).join("images");
    if partial.exists() {
        fs::remove_dir_all(partial).map_err(Error::io("remove", partial))?;
    }
    fs::create_dir_all(&images).map_err(Error::io("create", &images))?;
    let params = sorted(&split.def.params);
    let rows: Vec<Row> = split
        .examples
        .par_iter()
        .enumerate()
        .map(|(index, example)| {
            let png = picture(example);
            // Ids may be third parties' and hold any letter; positions are always good names.
            let file_name = format!("images/{index:06}.png");
            let path = partial.join(&folder).join(&file_name);
            fs::write(&path, &png).map_err(Error::io("write", &path))?;
            Ok(row(split, example, file_name, &params, sha256_hex(&png)))
        })
        .collect::<Result<_, Error>>()?;
    let mut metadata = String::new();
    for row in &rows {
        metadata += &serde_json::to_string(row).expect("a row is plain data");
        metadata.push('\n');
    }
    let manifest = Manifest {
        format: FORMAT,
        generator_version: vrrl_generators::VERSION,
        source: split.source,
        definition: split.def.clone(),
        folder: folder.clone(),
        rows: rows.len(),
        hash: split.hash(),
        metadata_sha256: sha256_hex(metadata.as_bytes()),
        ceiling: split.ceiling.clone(),
    };
    let text = serde_json::to_string_pretty(&manifest).expect("a manifest is plain data") + "\n";
    let files = [
        (partial.join(&folder).join("metadata.jsonl"), metadata),
        (partial.join("README.md"), card(split, &folder)),
        (partial.join(MANIFEST), text),
    ];
    for (path, text) in files {
        fs::write(&path, text).map_err(Error::io("write", &path))?;
    }
    Ok(manifest.hash)
}

/// The crisp picture as PNG bytes.
pub(crate) fn picture(example: &Example) -> Vec<u8> {
    vrrl_generators::png(&example.problem.observe(View::Crisp))
}

fn row(split: &Split, example: &Example, file_name: String, params: &str, image_sha256: String) -> Row {
    let problem = &example.problem;
    Row {
        file_name,
        id: example.id.clone(),
        task: example.task().word().into(),
        question: problem.question(),
        answer: problem.oracle(&mut example.seed.derive("answer", 0).rng()).text(),
        truth: serde_json::to_string(&problem.truth()).expect("a truth is plain data"),
        params: params.into(),
        seed: example.seed,
        shift: split.def.shift.clone(),
        severity: split.def.severity,
        content_hash: example.content_hash.clone(),
        image_sha256,
    }
}

fn move_into_place(partial: &Path, dir: &Path) -> Result<(), Error> {
    if !dir.exists() {
        return fs::rename(partial, dir).map_err(Error::io("create", dir));
    }
    // Folders are not replaced in one step: step aside first, and back if that fails.
    let old = sibling(dir, "old")?;
    fs::rename(dir, &old).map_err(Error::io("replace", dir))?;
    if let Err(error) = fs::rename(partial, dir) {
        let _ = fs::rename(&old, dir);
        return Err(Error::Io { action: "create", path: dir.into(), source: error });
    }
    fs::remove_dir_all(&old).map_err(Error::io("remove", &old))
}
