//! Writing a split to disk as an imagefolder: shard by shard, in bounded memory, resumable.
//!
//! Everything is written into a hidden folder beside the target, whose name carries a hash of what is written.
//! Each finished shard leaves a file of its rows there; a run that finds them goes on behind them. At the end the
//! whole is synchronised with the disk and moved into place, so that the target is whole or untouched.

mod place;
mod row;
mod shards;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use vrrl_harness_core::Hasher;

use crate::split::sorted;
use crate::{Error, Examples, Source, Split, FORMAT};

pub(crate) use place::{alone, half_written};
pub(crate) use row::{Manifest, Row, Style, MANIFEST, METADATA};

/// How a split is written.
pub struct Build<'a> {
    /// Examples at most; all where absent.
    pub limit: Option<usize>,
    /// Write a wrong proposal and the picture of its feedback beside every question.
    pub feedback: bool,
    /// Told after every shard.
    pub progress: &'a mut dyn FnMut(&Building),
    /// Set from outside to stop after the current shard; the same call goes on from there.
    pub stop: &'a AtomicBool,
}

/// How far a build is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Building {
    /// Examples on disk.
    pub done: usize,
    /// Examples in the end.
    pub total: usize,
    /// Of those done: found on disk, finished by an earlier run that was stopped.
    pub found: usize,
    /// Examples written per second by this run.
    pub per_second: f64,
}

/// What a finished build has written.
#[derive(Clone, PartialEq, Debug)]
pub struct Written {
    /// [`Split::hash`] of the written examples.
    pub hash: String,
    /// Examples.
    pub rows: usize,
    /// Of these, found finished.
    pub found: usize,
}

/// Writes the first `limit` examples (all without one) of a split in memory; see [`build`]. Returns the written
/// split's hash.
///
/// # Errors
/// As [`build`].
pub fn materialize(split: &Split, dir: &Path, limit: Option<usize>) -> Result<String, Error> {
    let never = AtomicBool::new(false);
    let build = Build { limit, feedback: false, progress: &mut |_| (), stop: &never };
    Ok(self::build(Examples::from(split.clone()), dir, build)?.hash)
}

/// Writes examples under `dir`: `README.md`, `manifest.json`, and a folder named by
/// [`SplitDef::folder`](crate::SplitDef::folder) with `metadata.jsonl` and `images/*.png`. An earlier
/// materialized split there is replaced. Memory is that of a shard; bytes do not depend on the number of threads
/// or on how often the build was stopped.
///
/// # Errors
/// [`Error::Occupied`] if `dir` holds anything else, [`Error::Busy`] while another process writes the same,
/// [`Error::Interrupted`] after `stop`, [`Error::Io`], and as [`Examples::items`].
pub fn build(examples: Examples, dir: &Path, build: Build<'_>) -> Result<Written, Error> {
    let examples = examples.head(build.limit.unwrap_or(usize::MAX));
    place::recover(dir)?;
    place::check_target(dir)?;
    let style = Style::of(examples.def(), build.feedback);
    let work = place::Work::open(dir, &identity(&examples, build.feedback)?)?;
    let folder = examples.def().folder();
    let images = work.out().join(&folder).join("images");
    fs::create_dir_all(&images).map_err(Error::io("create", &images))?;

    let begun = Instant::now();
    let (total, mut found) = (examples.len(), 0);
    let shards = shards::ranges(total);
    for range in &shards {
        let there = shards::finished(&work, &folder, range)?;
        if there {
            found += range.len();
        } else if build.stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted { dir: dir.into(), done: range.start, total });
        } else {
            shards::write(&work, &folder, range, &examples.items(range.clone())?, &style)?;
        }
        let seconds = begun.elapsed().as_secs_f64().max(1e-9);
        let per_second = (range.end - found) as f64 / seconds;
        (build.progress)(&Building { done: range.end, total, found, per_second });
    }
    let whole = shards::join(&work, &folder, &shards, examples.def())?;
    let manifest = Manifest {
        format: FORMAT,
        generator_version: vrrl_generators::VERSION,
        source: examples.source(),
        definition: examples.def().clone(),
        folder: folder.clone(),
        rows: total,
        hash: whole.hash,
        metadata_sha256: whole.metadata_sha256,
        feedback: build.feedback,
        base_scenes: row::base_scenes(&examples),
        ceiling: examples.ceiling().map(Into::into),
    };
    let text = serde_json::to_string_pretty(&manifest).expect("a manifest is plain data") + "\n";
    let files = [("README.md", crate::card::card(&manifest, &whole.sizes)), (MANIFEST, text)];
    for (name, text) in files {
        let path = work.out().join(name);
        fs::write(&path, text).map_err(Error::io("write", &path))?;
    }
    work.finish(dir)?;
    Ok(Written { hash: manifest.hash, rows: total, found })
}

/// A name for what will be written: equal for equal bytes.
fn identity(examples: &Examples, feedback: bool) -> Result<String, Error> {
    let definition = serde_json::to_value(examples.def()).expect("a definition is plain data");
    let start = Hasher::default()
        .part(b"vrrl build 1")
        .part(FORMAT.to_le_bytes())
        .part(vrrl_generators::VERSION.to_le_bytes())
        .part(sorted(&definition))
        .part((examples.len() as u64).to_le_bytes())
        .part([u8::from(feedback)]);
    let named = match examples.source() {
        Source::Generated => start,
        // The definition of an import does not say what its file held.
        Source::Imported => start.part(examples.hash()?),
    };
    Ok(named.hex())
}
