//! Rows that this project wrote, read back as splits: materialized folders, exports of one row an example, and
//! single files of them, parquet or JSON lines.
//!
//! A row is believed only as far as it can be checked. Its picture must have the hash that the row states. Where
//! task, parameters and seed draw the same problem today, it is that problem; otherwise a maze is rebuilt from its
//! truth, and a table or chart becomes its picture with the region that is right: it can be judged, and audited by
//! content hash and picture, but its structure is not known.

mod json;
mod parquet;
mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{json, Value};
use vrrl_generators::shift::Level;
use vrrl_harness_core::{sha256_hex, Example, Image, Problem, Role, Seed, TaskKind, Truth};

use crate::{Error, Source, Split, SplitDef};
use place::{places, Place};

/// A row as it stands in files; more keys are ignored.
#[derive(Clone, Deserialize)]
struct Row {
    id: String,
    task: TaskKind,
    question: String,
    truth: String,
    #[serde(default)]
    params: String,
    seed: Seed,
    #[serde(default)]
    shift: String,
    #[serde(default)]
    severity: i64,
    content_hash: String,
    image_sha256: String,
    /// Where the picture lies, under the folder of the file.
    #[serde(default, alias = "image")]
    file_name: Option<String>,
    #[serde(skip)]
    picture: Vec<u8>,
}

/// Widest and highest picture that is read, in pixels.
const LARGEST: u32 = 8192;

/// Reads rows of this project as splits: a folder that [`materialize`](crate::materialize) or
/// [`export`](crate::export) wrote (also one whose manifest is lost), or a single `.parquet` or `.jsonl` file.
/// Several splits become `NAME_<split>`, one becomes `NAME`; without a name the folder's or file's own is taken.
/// Ids, order and, where a manifest tells it, the role are kept; a split of unknown role counts as `ood_test`, so
/// that nothing trains on it by accident.
///
/// # Errors
/// [`Error::Io`]; [`Error::Malformed`] for a folder without rows, a truncated or otherwise broken file;
/// [`Error::Differs`] for a file whose hash is not the one in `export.json`; [`Error::Import`] naming the row
/// whose picture is missing, cut or another, whose truth is none, or whose id stands there twice.
pub fn import_rows(path: &Path, name: Option<&str>) -> Result<Vec<Split>, Error> {
    let places = places(path)?;
    let own = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = name.map(Into::into).or(own).unwrap_or_else(|| "imported".into());
    let alone = places.len() == 1;
    places
        .into_iter()
        .map(|place| {
            let name = if alone { name.clone() } else { format!("{name}_{}", place.split) };
            read(&place, name)
        })
        .collect()
}

fn read(place: &Place, name: String) -> Result<Split, Error> {
    let mut examples = Vec::new();
    let mut ids = BTreeSet::new();
    let mut first: Option<Row> = None;
    let mut hashes = BTreeMap::new();
    for file in &place.files {
        let mut index = 0;
        let mut take = |row: Row| {
            index += 1;
            let wrong = |reason: String| Error::Import {
                file: file.clone(),
                item: format!("row {index} ({})", row.id),
                reason,
            };
            if !ids.insert(row.id.clone()) {
                return Err(wrong("the same id stands there before".into()));
            }
            if first.as_ref().is_some_and(|first| first.task != row.task) {
                return Err(wrong(format!(
                    "its task is {}, that of the rows before is another",
                    row.task.word()
                )));
            }
            let problem = problem(&row).map_err(wrong)?;
            examples.push(Example {
                id: row.id.clone(),
                split: name.clone(),
                seed: row.seed,
                content_hash: row.content_hash.clone(),
                problem,
            });
            if first.is_none() {
                first = Some(Row { picture: Vec::new(), ..row });
            }
            Ok(())
        };
        let parquet = file.extension().is_some_and(|ending| ending == "parquet");
        if parquet {
            parquet::read(file, &mut take)?;
        } else {
            json::read(file, &place.pictures, &mut take)?;
        }
        let label = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        hashes.insert(label, crate::export::hash_file(file).map_err(Error::io("read", file))?.0);
    }
    let Some(first) = first else {
        return Err(Error::malformed(&place.files[0], "it holds no rows"));
    };
    let def = definition(place, name, &first, examples.len(), &hashes);
    Ok(Split { def, source: Source::Imported, examples, again: BTreeMap::new(), ceiling: None })
}

fn definition(
    place: &Place,
    name: String,
    first: &Row,
    n: usize,
    hashes: &BTreeMap<String, String>,
) -> SplitDef {
    let known = place.role.or_else(|| role_named(&place.split));
    SplitDef {
        name,
        task: first.task,
        n,
        seed: 0,
        role: known.unwrap_or(Role::OodTest),
        params: json!({ "import": "vrrl-rows", "files_sha256": hashes }),
        shift: if first.shift.is_empty() { "none".into() } else { first.shift.clone() },
        severity: Level::Grade(u8::try_from(first.severity).unwrap_or(0)),
        shifts: BTreeMap::new(),
        scenes: None,
        axes: Vec::new(),
    }
}

/// The role that a split's name is.
fn role_named(split: &str) -> Option<Role> {
    let roles = [Role::Train, Role::IdVal, Role::IdTest, Role::OodVal, Role::OodTest];
    roles.into_iter().find(|role| role.word() == split)
}

/// The problem of a row, as far as it can be had.
fn problem(row: &Row) -> Result<Arc<dyn Problem>, String> {
    if sha256_hex(&row.picture) != row.image_sha256 {
        return Err(match decode(&row.picture) {
            Ok(_) => "the picture was changed: its hash is not image_sha256".into(),
            Err(reason) => format!("the picture is broken: {reason}"),
        });
    }
    let truth: Truth = serde_json::from_str(&row.truth).map_err(|e| format!("truth: {e}"))?;
    if let Some(problem) = drawn(row, &truth) {
        return Ok(problem);
    }
    if row.task == TaskKind::Maze {
        let problem = vrrl_generators::pose_truth(row.task, &truth, row.seed).map_err(|e| e.to_string())?;
        if sha256_hex(problem.canonical().exact.as_bytes()) != row.content_hash {
            return Err("content_hash is not that of its truth".into());
        }
        return Ok(problem);
    }
    if row.content_hash.len() != 64 || !row.content_hash.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("content_hash is no SHA-256".into());
    }
    // Decoded once now, so that a broken one is named; kept as PNG, which is a small part of the pixels.
    decode(&row.picture).map_err(|reason| format!("the picture is broken: {reason}"))?;
    let png = row.picture.clone();
    let load = Arc::new(move || decode(&png).expect("it was decoded before"));
    vrrl_generators::pose_picture(row.task, &truth, &row.question, &row.content_hash, load)
        .map_err(|e| e.to_string())
}

/// The problem that parameters and seed draw, if it is the row's.
fn drawn(row: &Row, truth: &Truth) -> Option<Arc<dyn Problem>> {
    let params: Value = serde_json::from_str(&row.params).ok()?;
    let problem = vrrl_generators::pose(row.task, &params, row.seed).ok()?;
    let same = problem.truth() == *truth
        && problem.question() == row.question
        && sha256_hex(problem.canonical().exact.as_bytes()) == row.content_hash;
    same.then_some(problem)
}

/// A PNG's pixels; refuses pictures that would take more memory than any of ours.
fn decode(png: &[u8]) -> Result<Image, String> {
    let mut reader = image::ImageReader::new(std::io::Cursor::new(png));
    reader.set_format(image::ImageFormat::Png);
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(LARGEST);
    limits.max_image_height = Some(LARGEST);
    reader.limits(limits);
    Ok(reader.decode().map_err(|e| e.to_string())?.to_rgb8())
}

/// A path of a row, under the folder from which it counts.
fn under(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let outside = name.split(['/', '\\']).any(|part| part == "..") || Path::new(name).is_absolute();
    if outside {
        return Err(format!("file_name {name:?} leads out of the folder"));
    }
    Ok(folder.join(name))
}
