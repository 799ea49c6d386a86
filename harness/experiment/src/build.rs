//! Splits written to disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde::Serialize;
use vrrl_datasets::{Build, Examples, Format, Options, Split, Watch};

use crate::{data, Error, Result, StageProgress};

/// Name of the folder of parquet files inside a materialized split.
const PARQUET: &str = "parquet";

/// How splits are written.
#[derive(Clone, Copy, Debug)]
pub struct BuildOptions<'s> {
    /// Only the first examples.
    pub limit: Option<usize>,
    /// Also a wrong proposal of each example and the picture of its feedback.
    pub feedback: bool,
    /// The same as parquet beside it.
    pub parquet: bool,
    /// Set from outside to stop after the shard under way.
    pub stop: &'s AtomicBool,
}

/// A split written to disk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Built {
    /// Full name.
    pub name: String,
    /// Its folder.
    pub dir: PathBuf,
    /// Examples.
    pub n: usize,
    /// Of these, found done by an earlier run that was stopped.
    pub found: usize,
    /// Hash over definition, ids and forms.
    pub hash: String,
    /// Folder of the parquet files, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parquet: Option<PathBuf>,
    /// In words, where the space holds fewer examples than asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<String>,
}

/// Told how far it is.
type Tell<'t> = &'t (dyn Fn(&StageProgress) + Sync);

/// Writes a split to disk, images included; the same call again goes on behind the shards that are done.
///
/// # Errors
/// As [`crate::load_split`], or a folder that cannot be written; an interruption.
pub fn build(name: &str, out: &Path, options: &BuildOptions<'_>, tell: Tell<'_>) -> Result<Vec<Built>> {
    write(data::open_split(name)?, out, options, tell)
}

/// Imports a file of third-party maps and writes one split per size: into `out` where there is one size, else
/// each into a folder of its name.
///
/// # Errors
/// A file that is not JSON, not mazes or has no path, with the item; a folder that cannot be written.
pub fn import(file: &Path, name: Option<&str>, out: &Path) -> Result<Vec<Built>> {
    let splits: Vec<Split> = match name {
        Some(name) => vrrl_datasets::import_frozenlake(file, name)?,
        None => data::import_maps(file)?,
    };
    write_imported(splits, out)
}

/// Imports rows that this program wrote, and writes them as [`import`] does.
///
/// # Errors
/// As [`vrrl_datasets::import_rows`]; a folder that cannot be written.
pub fn import_rows(path: &Path, name: Option<&str>, out: &Path) -> Result<Vec<Built>> {
    write_imported(vrrl_datasets::import_rows(path, name)?, out)
}

fn write_imported(splits: Vec<Split>, out: &Path) -> Result<Vec<Built>> {
    let splits = splits.into_iter().map(Examples::from).collect();
    let never = AtomicBool::new(false);
    let options = BuildOptions { limit: None, feedback: false, parquet: false, stop: &never };
    write(splits, out, &options, &|_| ())
}

fn write(
    splits: Vec<Examples>,
    out: &Path,
    options: &BuildOptions<'_>,
    tell: Tell<'_>,
) -> Result<Vec<Built>> {
    let alone = splits.len() == 1;
    let one = |examples: Examples| {
        let dir = if alone { out.to_path_buf() } else { out.join(examples.def().folder()) };
        write_one(examples, dir, options, tell)
    };
    splits.into_iter().map(one).collect()
}

fn write_one(examples: Examples, dir: PathBuf, options: &BuildOptions<'_>, tell: Tell<'_>) -> Result<Built> {
    let (name, ceiling) = (examples.def().name.clone(), examples.ceiling().map(Into::into));
    // The parquet files wait beside the folder until it stands: so both go on where a run was stopped.
    let parquet = if options.parquet { Some(parquet_of(&examples, &dir, options, tell)?) } else { None };
    let mut progress = |p: &vrrl_datasets::Building| {
        tell(&StageProgress {
            what: name.clone(),
            done: p.done as u64,
            total: p.total as u64,
            figures: vec![("items_per_second".into(), p.per_second)],
            ..StageProgress::default()
        });
    };
    let (limit, feedback, stop) = (options.limit, options.feedback, options.stop);
    let written =
        vrrl_datasets::build(examples, &dir, Build { limit, feedback, progress: &mut progress, stop })?;
    let parquet = match parquet {
        Some(waiting) => {
            let home = dir.join(PARQUET);
            fs::rename(&waiting, &home).map_err(Error::io("create", &home))?;
            Some(home)
        }
        None => None,
    };
    Ok(Built { name, dir, n: written.rows, found: written.found, hash: written.hash, parquet, ceiling })
}

/// Writes the parquet files into a hidden folder beside `dir`.
fn parquet_of(
    examples: &Examples,
    dir: &Path,
    options: &BuildOptions<'_>,
    tell: Tell<'_>,
) -> Result<PathBuf> {
    // Found now rather than after an hour of writing.
    let filled = |dir: &Path| fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    if dir.exists() && filled(dir) && !dir.join("manifest.json").is_file() {
        return Err(vrrl_datasets::Error::Occupied(dir.into()).into());
    }
    let last = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let waiting = dir.with_file_name(format!(".{last}.{PARQUET}"));
    let begun = Instant::now();
    let mut told = |p: &vrrl_datasets::Progress| {
        let speed = (p.done - p.resumed) as f64 / begun.elapsed().as_secs_f64().max(1e-3);
        tell(&StageProgress {
            what: PARQUET.into(),
            done: p.done as u64,
            total: p.total as u64,
            figures: vec![("items_per_second".into(), speed)],
            ..StageProgress::default()
        });
    };
    let limited = Options { limit: options.limit, ..Options::default() };
    let watch = Watch { progress: &mut told, stop: options.stop };
    vrrl_datasets::export(&[examples], Format::Huggingface, &waiting, &limited, watch)?;
    Ok(waiting)
}
