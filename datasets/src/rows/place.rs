//! Where rows lie: which files of a folder belong to which split.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vrrl_harness_core::Role;

use crate::export::{hash_file, MANIFEST as EXPORT, STATE as UNFINISHED};
use crate::materialize::{MANIFEST, METADATA};
use crate::Error;

/// The files of one split.
pub(super) struct Place {
    pub(super) split: String,
    /// In order.
    pub(super) files: Vec<PathBuf>,
    /// The folder from which rows name their pictures.
    pub(super) pictures: PathBuf,
    /// Where a manifest tells it.
    pub(super) role: Option<Role>,
}

/// Finds the splits under a path; at least one, each with at least one file.
pub(super) fn places(path: &Path) -> Result<Vec<Place>, Error> {
    if path.is_file() {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if !matches!(ending, "parquet" | "jsonl") {
            return Err(Error::malformed(path, format!("files end in .parquet or .jsonl, not in .{ending}")));
        }
        return Ok(vec![Place {
            split: split_of(path),
            files: vec![path.into()],
            pictures: parent(path),
            role: None,
        }]);
    }
    fs::read_dir(path).map_err(Error::io("read", path))?;
    if path.join(EXPORT).exists() {
        return exported(path);
    }
    if path.join(UNFINISHED).exists() {
        return Err(Error::malformed(
            path,
            "an export that was stopped lies there; the same export again goes on",
        ));
    }
    let found = if path.join(MANIFEST).exists() { materialized(path)? } else { loose(path)? };
    if found.is_empty() {
        return Err(Error::malformed(
            path,
            "no rows there: neither export.json, nor metadata.jsonl in it or in a folder of it, nor parquet files",
        ));
    }
    Ok(found)
}

/// The folder of a file.
fn parent(file: &Path) -> PathBuf {
    file.parent().map(Into::into).unwrap_or_default()
}

fn json(path: &Path) -> Result<Value, Error> {
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    serde_json::from_str(&text).map_err(|e| Error::malformed(path, e.to_string()))
}

/// The splits of an export, after its files were compared with their hashes.
fn exported(path: &Path) -> Result<Vec<Place>, Error> {
    let manifest_path = path.join(EXPORT);
    let manifest = json(&manifest_path)?;
    let wrong = |reason: &str| Error::malformed(&manifest_path, reason);
    let format = manifest["export"].as_str().unwrap_or_default();
    if !matches!(format, "huggingface" | "lm_eval") {
        return Err(wrong(&format!("an export for {format} cannot be read back; use one for huggingface")));
    }
    let files = manifest["files"].as_array().ok_or_else(|| wrong("key files is missing"))?;
    let splits = manifest["splits"].as_array().ok_or_else(|| wrong("key splits is missing"))?;
    let mut found = Vec::new();
    for split in splits {
        let (config, name) =
            (split["config"].as_str().unwrap_or_default(), split["name"].as_str().unwrap_or_default());
        let base = if config == "default" { String::new() } else { format!("{config}/") };
        let starts = [format!("data/{name}-0"), format!("{base}{name}-0")];
        let mut own = Vec::new();
        for file in files {
            let file_path = file["path"].as_str().ok_or_else(|| wrong("a file without path"))?;
            if !starts.iter().any(|start| file_path.starts_with(start.as_str())) {
                continue;
            }
            let whole = super::under(path, file_path).map_err(|reason| wrong(&reason))?;
            compare(&whole, &file["sha256"], EXPORT)?;
            own.push(whole);
        }
        if own.is_empty() {
            return Err(wrong(&format!("split {name:?} has no files")));
        }
        let role = serde_json::from_value(split["definition"]["role"].clone()).ok();
        found.push(Place { split: name.into(), files: own, pictures: path.into(), role });
    }
    if found.is_empty() {
        return Err(wrong("it names no splits"));
    }
    Ok(found)
}

fn materialized(path: &Path) -> Result<Vec<Place>, Error> {
    let manifest_path = path.join(MANIFEST);
    let manifest = json(&manifest_path)?;
    let folder = manifest["folder"]
        .as_str()
        .ok_or_else(|| Error::malformed(&manifest_path, "key folder is missing"))?;
    let base = super::under(path, folder).map_err(|reason| Error::malformed(&manifest_path, reason))?;
    let role = serde_json::from_value(manifest["definition"]["role"].clone()).ok();
    let rows = base.join(METADATA);
    compare(&rows, &manifest["metadata_sha256"], MANIFEST)?;
    Ok(vec![Place { split: folder.into(), pictures: parent(&rows), files: vec![rows], role }])
}

/// Compares a file with the hash that its manifest states.
fn compare(file: &Path, sha256: &Value, manifest: &str) -> Result<(), Error> {
    let (found, _) = hash_file(file).map_err(Error::io("read", file))?;
    if *sha256 == found.as_str() {
        Ok(())
    } else {
        Err(Error::differs(file, format!("its hash is not the one in {manifest}; it was cut or changed")))
    }
}

/// A folder without a manifest: `metadata.jsonl` in it or in its folders, or parquet files in it or in `data`.
fn loose(path: &Path) -> Result<Vec<Place>, Error> {
    let own = path.join(METADATA);
    if own.exists() {
        let split = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        return Ok(vec![Place { split, files: vec![own], pictures: path.into(), role: None }]);
    }
    let mut splits: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for entry in list(path)? {
        let rows = entry.join(METADATA);
        if rows.exists() {
            let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            splits.entry(name).or_default().push(rows);
        }
    }
    if splits.is_empty() {
        let data = path.join("data");
        let mut files = list(path)?;
        if data.is_dir() {
            files.extend(list(&data)?);
        }
        for file in files.into_iter().filter(|file| file.extension().is_some_and(|e| e == "parquet")) {
            splits.entry(split_of(&file)).or_default().push(file);
        }
        splits.values().try_for_each(|files| all_there(files))?;
    }
    let place = |(split, files): (String, Vec<PathBuf>)| {
        let pictures = parent(&files[0]);
        Place { split, files, pictures, role: None }
    };
    Ok(splits.into_iter().map(place).collect())
}

/// Whether the files of a split are as many as their names say.
fn all_there(files: &[PathBuf]) -> Result<(), Error> {
    let stem = files[0].file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    match stem.rsplit_once("-of-").and_then(|(_, count)| count.parse::<usize>().ok()) {
        Some(count) if count != files.len() => Err(Error::malformed(
            &files[0],
            format!("its name says that {count} files belong together, and {} lie there", files.len()),
        )),
        _ => Ok(()),
    }
}

/// Entries of a folder, sorted.
fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).and_then(|all| all.map(|entry| entry.map(|e| e.path())).collect());
    let mut entries: Vec<PathBuf> = entries.map_err(Error::io("read", folder))?;
    entries.sort();
    Ok(entries)
}

/// The split's part of a shard's name, `train` of `train-00000-of-00002.parquet`.
fn split_of(file: &Path) -> String {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    match stem.rsplit_once("-of-").and_then(|(front, _)| front.rsplit_once('-')) {
        Some((split, _)) => split.to_owned(),
        None => stem,
    }
}
