//! Proof that a materialized split is what its manifest says, and what its definition gives today.

use std::fs;
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;
use vrrl_harness_core::sha256_hex;

use crate::load::Folder;
use crate::materialize::{Row, Style, METADATA};
use crate::{Error, Examples, Item, Source};

/// Differences that are listed; a folder of another version differs in every row.
const SHOWN: usize = 5;
const BATCH: usize = 512;

/// Checks a materialized split: every row and picture against its hash, and against what is drawn today, from
/// the definition of a generated split, from the truths of an imported one. Returns how many examples were
/// compared.
///
/// # Errors
/// As [`load`](crate::load); [`Error::Differs`] lists the first differences, with row, key and file.
pub fn verify(dir: &Path) -> Result<usize, Error> {
    // Rows that cannot even be read are not those that the manifest was written for.
    check(dir).map_err(|error| match error {
        Error::Malformed { path, reason } if path.ends_with(METADATA) => Error::differs(&path, reason),
        error => error,
    })
}

fn check(dir: &Path) -> Result<usize, Error> {
    let examples = Examples::open(dir)?;
    let folder = examples.folder().expect("it was opened as a folder");
    let manifest = &folder.manifest;
    let rows = manifest.rows;
    if manifest.generator_version != vrrl_generators::VERSION {
        let (theirs, ours) = (manifest.generator_version, vrrl_generators::VERSION);
        let reason =
            format!("generator version {theirs} wrote it, this is {ours}; build it again to compare");
        return Err(Error::differs(dir, reason));
    }
    let style = Style::of(&manifest.definition, manifest.feedback);
    let fresh = match manifest.source {
        Source::Generated => {
            let fresh = Examples::draw_head(&manifest.definition, rows)?;
            if fresh.len() < rows {
                let reason = format!("{rows} rows, but its definition gives {} examples", fresh.len());
                return Err(Error::differs(dir, reason));
            }
            Some(fresh)
        }
        Source::Imported => None,
    };
    let mut found = Vec::new();
    for start in (0..rows).step_by(BATCH) {
        let range = start..rows.min(start + BATCH);
        let items = match &fresh {
            Some(fresh) => fresh.items(range.clone())?,
            None => folder.items(range.clone())?,
        };
        found.extend(compare(folder, range, &items, &style)?);
        if found.len() > SHOWN {
            break;
        }
    }
    if found.is_empty() {
        found.extend(whole(folder, fresh.as_ref().unwrap_or(&examples))?);
    }
    if found.is_empty() {
        return Ok(rows);
    }
    let more = if found.len() > SHOWN { "; and more" } else { "" };
    found.truncate(SHOWN);
    Err(Error::differs(dir, found.join("; ") + more))
}

/// What differs in some rows and their pictures, in words.
fn compare(
    folder: &Folder,
    range: Range<usize>,
    items: &[Item],
    style: &Style,
) -> Result<Vec<String>, Error> {
    let rows = folder.rows(range.clone())?;
    let differences = rows.par_iter().zip(items).zip(range).map(|((row, item), index)| {
        let (fresh, pictures) = style.row(index, item);
        let mut found = Vec::new();
        if *row != fresh {
            found.push(format!("line {} ({}): {}", index + 1, row.id, keys(row, &fresh)));
        }
        let names = std::iter::once(&row.file_name).chain(&row.feedback_file_name);
        for (name, png) in names.zip(std::iter::once(&pictures.question).chain(&pictures.feedback)) {
            let path = folder.base.join(name);
            match fs::read(&path) {
                Ok(bytes) if bytes == *png => {}
                Ok(bytes) => {
                    let changed = *name != row.file_name || sha256_hex(&bytes) != row.image_sha256;
                    let how = if changed { "was changed" } else { "is drawn otherwise today" };
                    found.push(format!("{name}: the picture of {} {how}", row.id));
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    found.push(format!("{name}: the picture of {} is missing", row.id));
                }
                Err(error) => return Err(Error::io("read", &path)(error)),
            }
        }
        Ok(found)
    });
    Ok(differences.collect::<Result<Vec<_>, Error>>()?.concat())
}

/// The keys in which two rows differ, with the first two values.
fn keys(old: &Row, new: &Row) -> String {
    let value = |row: &Row| serde_json::to_value(row).expect("a row is plain data");
    let (old, new) = (value(old), value(new));
    let short = |value: &Value| {
        let text = value.to_string();
        let cut: String = text.chars().take(60).collect();
        if cut.len() < text.len() {
            cut + "…"
        } else {
            cut
        }
    };
    let empty = serde_json::Map::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    let all = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    let differ: Vec<&String> = all.filter(|key| old.get(*key) != new.get(*key)).collect();
    let Some(first) = differ.first() else { return "written otherwise".into() };
    let of = |map: &serde_json::Map<String, Value>| short(map.get(*first).unwrap_or(&Value::Null));
    let others = differ[1..].iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", ");
    let others = if others.is_empty() { others } else { format!(" (also {others})") };
    format!("{first} is {}, its definition gives {}{others}", of(old), of(new))
}

/// What differs in the whole: files that no row names, and the hash of the split.
fn whole(folder: &Folder, fresh: &Examples) -> Result<Vec<String>, Error> {
    let manifest = &folder.manifest;
    let images = folder.base.join("images");
    let files = fs::read_dir(&images).map_err(Error::io("read", &images))?.count();
    let expected = manifest.rows * if manifest.feedback { 2 } else { 1 };
    let mut found = Vec::new();
    if files != expected {
        found.push(format!("images: {files} files instead of {expected}"));
    }
    if fresh.hash()? != manifest.hash {
        found.push("the hash over all rows is another".into());
    }
    Ok(found)
}
