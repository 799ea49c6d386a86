//! Splits by the names that people give them: built-in, materialized folders, files of third-party maps.

use std::path::{Path, PathBuf};

use serde::Serialize;
use vrrl_datasets::{Examples, Pair, Split};
use vrrl_generators::shift::Level;
use vrrl_harness::{EvalSplit, Severity};
use vrrl_harness_core::{sha256_hex, Hasher, Role, TaskKind};

use crate::{Error, Result};

/// File that makes a folder a materialized split.
const MANIFEST: &str = "manifest.json";

/// Overlap of a training and a test split.
pub type AuditPair = Pair;

/// One line of the list of splits.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SplitRow {
    /// Full name.
    pub name: String,
    /// Task.
    pub task: TaskKind,
    /// What it is for.
    pub role: Role,
    /// Name of the shift.
    pub shift: String,
    /// How far: 0 to 5, or a named level.
    pub severity: Severity,
    /// Examples asked for.
    pub n: usize,
    /// Distinct examples that its class can hold at most, where they are so few that it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<usize>,
    /// Name of the base scenes that it shares with other splits, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenes: Option<String>,
}

/// The built-in splits.
///
/// # Errors
/// None that a built-in split could have.
pub fn catalog() -> Result<Vec<SplitRow>> {
    vrrl_datasets::catalog().iter().map(row).collect()
}

/// The split of a definition's file.
///
/// # Errors
/// A file that does not read, with line and key.
pub fn described(file: &Path) -> Result<SplitRow> {
    row(&vrrl_datasets::SplitDef::read(file)?)
}

fn row(def: &vrrl_datasets::SplitDef) -> Result<SplitRow> {
    Ok(SplitRow {
        name: def.name.clone(),
        task: def.task,
        role: def.role,
        shift: def.shift.clone(),
        severity: severity(&def.severity),
        n: def.n,
        ceiling: vrrl_datasets::ceiling(def)?,
        scenes: def.scenes.clone(),
    })
}

fn severity(level: &Level) -> Severity {
    match level {
        Level::Grade(grade) => Severity::Level(*grade),
        Level::Named(name) => Severity::Named(name.clone()),
    }
}

/// What a split's name means.
enum Named {
    Folder(PathBuf),
    Maps(PathBuf),
    /// Rows of this project that came back: an export, a folder without its manifest, a single file.
    Rows(PathBuf),
    /// A built-in one, or a user's file.
    Definition(Box<vrrl_datasets::SplitDef>),
}

fn named(name: &str) -> Result<Named> {
    let path = Path::new(name);
    let ends = |words: [&str; 2]| path.extension().is_some_and(|end| words.iter().any(|word| end == *word));
    if path.is_dir() {
        Ok(if folders(path).is_ok() { Named::Folder } else { Named::Rows }(path.to_path_buf()))
    } else if path.is_file() && ends(["yaml", "yml"]) {
        Ok(Named::Definition(Box::new(vrrl_datasets::SplitDef::read(path)?)))
    } else if path.is_file() && ends(["parquet", "jsonl"]) {
        Ok(Named::Rows(path.to_path_buf()))
    } else if path.is_file() {
        Ok(Named::Maps(path.to_path_buf()))
    } else if path.extension().is_some() {
        Err(Error::content(path, "", "no such file or folder"))
    } else {
        Ok(Named::Definition(Box::new(vrrl_datasets::find(name)?)))
    }
}

/// The definition that a name stands for; `None` where its examples stand in files.
pub(crate) fn definition(name: &str) -> Result<Option<vrrl_datasets::SplitDef>> {
    Ok(match named(name)? {
        Named::Definition(def) => Some(*def),
        Named::Folder(_) | Named::Maps(_) | Named::Rows(_) => None,
    })
}

/// The splits that a name stands for: a built-in one (its last part is enough), that of a definition's file
/// (`.yaml`), those of a materialized folder, or those of a file of maps, one per size.
///
/// # Errors
/// An unknown name with the nearest one, or data that do not read, with file and item.
pub fn load_split(name: &str) -> Result<Vec<Split>> {
    Ok(match named(name)? {
        Named::Folder(dir) => {
            folders(&dir)?.iter().map(|dir| vrrl_datasets::load(dir)).collect::<Result<_, _>>()?
        }
        Named::Maps(file) => import_maps(&file)?,
        Named::Rows(path) => vrrl_datasets::import_rows(&path, None)?,
        Named::Definition(def) => vec![vrrl_datasets::generate(&def)?],
    })
}

/// The same without holding the examples: drawn or read when they are asked for.
///
/// # Errors
/// As [`load_split`].
pub(crate) fn open_split(name: &str) -> Result<Vec<Examples>> {
    Ok(match named(name)? {
        Named::Folder(dir) => {
            folders(&dir)?.iter().map(|dir| Examples::open(dir)).collect::<Result<_, _>>()?
        }
        Named::Maps(file) => import_maps(&file)?.into_iter().map(Examples::from).collect(),
        Named::Rows(path) => {
            vrrl_datasets::import_rows(&path, None)?.into_iter().map(Examples::from).collect()
        }
        Named::Definition(def) => vec![Examples::draw(&def)?],
    })
}

/// The materialized splits of a folder: itself, or those right inside it, by name.
fn folders(dir: &Path) -> Result<Vec<PathBuf>> {
    if dir.join(MANIFEST).is_file() {
        return Ok(vec![dir.to_path_buf()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(Error::io("read", dir))? {
        let path = entry.map_err(Error::io("read", dir))?.path();
        if path.join(MANIFEST).is_file() {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(Error::content(
            dir,
            "",
            format!("no materialized split: neither it nor a folder in it has {MANIFEST}"),
        ));
    }
    Ok(found)
}

/// The splits of a file of third-party maps, named after the file.
pub(crate) fn import_maps(file: &Path) -> Result<Vec<Split>> {
    let stem = file.file_stem().map_or_else(|| "maps".into(), |s| s.to_string_lossy().into_owned());
    if !file.is_file() {
        return Err(Error::content(file, "", "no such file of maps"));
    }
    Ok(vrrl_datasets::import_frozenlake(file, &stem)?)
}

/// Hash of everything that decides what a name's splits hold, without making them.
pub(crate) fn input_hash(name: &str) -> Result<String> {
    let bytes = |path: &Path| std::fs::read(path).map_err(Error::io("read", path));
    let start = Hasher::default().part(vrrl_generators::VERSION.to_le_bytes());
    Ok(match named(name)? {
        Named::Folder(dir) => folders(&dir)?
            .iter()
            .try_fold(start.part(b"folder"), |h, dir| Ok::<_, Error>(h.part(bytes(&dir.join(MANIFEST))?)))?
            .hex(),
        Named::Maps(file) => start.part(b"maps").part(sha256_hex(&bytes(&file)?)).hex(),
        Named::Rows(path) => {
            let splits = vrrl_datasets::import_rows(&path, None)?;
            splits.iter().fold(start.part(b"rows"), |hash, split| hash.part(split.hash())).hex()
        }
        Named::Definition(def) => {
            let text = serde_json::to_string(&def).map_err(|e| Error::Input(format!("split {name}: {e}")))?;
            start.part(b"definition").part(text).hex()
        }
    })
}

/// A split as the harness takes it.
pub(crate) fn eval_split(split: Split) -> EvalSplit {
    let hash = split.hash();
    let shift = if split.def.shift == "none" { String::new() } else { split.def.shift };
    EvalSplit {
        name: split.def.name,
        role: Some(split.def.role),
        task: split.def.task,
        shift,
        severity: severity(&split.def.severity),
        hash,
        examples: split.examples,
    }
}

/// Generates a folder's splits again and compares; returns how many examples were compared.
///
/// # Errors
/// [`Error::Differs`] naming the first difference, or data that do not read.
pub fn verify(dir: &Path) -> Result<usize> {
    let mut n = 0;
    for dir in folders(dir)? {
        n += match vrrl_datasets::verify(&dir) {
            Err(error @ vrrl_datasets::Error::Differs { .. }) => {
                return Err(Error::Differs(error.to_string()))
            }
            other => other?,
        };
    }
    Ok(n)
}

/// Split files that are not where the program is run from are looked for beside the file that names them.
pub(crate) fn look_beside<'n>(file: &Path, names: impl Iterator<Item = &'n mut String>) {
    let beside = file.parent().unwrap_or(Path::new(""));
    for name in names {
        let there = beside.join(&*name);
        let elsewhere = Path::new(name).extension().is_some() && !Path::new(name).exists();
        if let (true, true, Some(found)) = (elsewhere, there.exists(), there.to_str()) {
            found.clone_into(name);
        }
    }
}
