//! Maps of other projects as splits.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{json, Value};
use vrrl_generators::shift::Level;
use vrrl_harness_core::{sha256_hex, Example, MazeTruth, Role, Seed, TaskKind, Truth};

use crate::{Error, Source, Split, SplitDef};

/// Reads a file of FrozenLake maps in either shape of the VRRL release: an array of entries with `id` and the
/// map in `metadata` (evaluation), or of entries with `map_id` and the map beside it (training). Ids and order
/// are kept; each size becomes a split, `NAME_L4` and so on, or `NAME` alone where there is one size.
///
/// # Errors
/// [`Error::Io`], [`Error::Malformed`] if the file is no JSON array, [`Error::Import`] naming the first item
/// that is no solvable maze, repeats an id, or states another shortest length.
pub fn import_frozenlake(file: &Path, name: &str) -> Result<Vec<Split>, Error> {
    import_frozenlake_text(&fs::read(file).map_err(Error::io("read", file))?, file, name)
}

/// [`import_frozenlake`] of what was read from `file`.
///
/// # Errors
/// The same, without [`Error::Io`].
pub fn import_frozenlake_text(bytes: &[u8], file: &Path, name: &str) -> Result<Vec<Split>, Error> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|e| Error::malformed(file, format!("not JSON: {e}")))?;
    let Value::Array(items) = value else {
        return Err(Error::malformed(file, "not an array of maps"));
    };
    if items.is_empty() {
        return Err(Error::malformed(file, "the array holds no maps"));
    }
    let mut ids = BTreeSet::new();
    let mut sizes: BTreeMap<usize, Vec<Example>> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        let (size, example) = one(item)
            .and_then(|(size, example)| {
                if ids.insert(example.id.clone()) {
                    Ok((size, example))
                } else {
                    Err("the same id stands there before".into())
                }
            })
            .map_err(|reason| Error::Import { file: file.into(), item: label(index, item), reason })?;
        sizes.entry(size).or_default().push(example);
    }
    let origin = json!({
        "file": file.file_name().map(|name| name.to_string_lossy().into_owned()),
        "file_sha256": sha256_hex(bytes),
        "import": "vrrl-frozenlake",
    });
    let alone = sizes.len() == 1;
    let split = |(size, examples): (usize, Vec<Example>)| {
        let name = if alone { name.to_owned() } else { format!("{name}_L{size}") };
        let mut params = origin.clone();
        params["size"] = json!([size, size]);
        let def = SplitDef {
            name: name.clone(),
            task: TaskKind::Maze,
            n: examples.len(),
            seed: 0,
            role: role_of_size(size),
            params,
            shift: "none".into(),
            severity: Level::Grade(0),
            shifts: BTreeMap::new(),
            scenes: None,
            axes: Vec::new(),
        };
        let examples =
            examples.into_iter().map(|example| Example { split: name.clone(), ..example }).collect();
        Split { def, source: Source::Imported, examples, again: BTreeMap::new(), ceiling: None }
    };
    Ok(sizes.into_iter().map(split).collect())
}

fn id_of(item: &Value) -> Option<&str> {
    ["id", "map_id"].into_iter().find_map(|key| item[key].as_str())
}

/// Position from 1, and the id where there is one.
fn label(index: usize, item: &Value) -> String {
    match id_of(item) {
        Some(id) => format!("item {} ({id})", index + 1),
        None => format!("item {}", index + 1),
    }
}

fn one(item: &Value) -> Result<(usize, Example), String> {
    let id = id_of(item).ok_or("not a maze: neither id nor map_id is a text")?;
    let map = if item["metadata"].is_object() { &item["metadata"] } else { item };
    for key in ["layout", "start_pos", "target_pos", "level"] {
        if map[key].is_null() {
            return Err(format!("not a maze: {key} is missing"));
        }
    }
    let truth: MazeTruth = serde_json::from_value(map.clone()).map_err(|e| format!("not a maze: {e}"))?;
    let size = truth.level;
    // The seed decides only the place on the small canvas: by id, so that it survives a reordered file.
    let seed = Seed::from_text(id);
    let problem =
        vrrl_generators::pose_truth(TaskKind::Maze, &Truth::Maze(truth), seed).map_err(|e| e.to_string())?;
    let ours = problem.oracle(&mut seed.rng()).moves().map_or(0, <[_]>::len) as u64;
    for key in ["n_steps", "optimal_path_len"] {
        match map[key].as_u64() {
            Some(theirs) if theirs != ours => {
                return Err(format!("{key} is {theirs}, but the shortest path has {ours} moves"))
            }
            _ => {}
        }
    }
    let content_hash = sha256_hex(problem.canonical().exact.as_bytes());
    Ok((size, Example { id: id.into(), split: String::new(), seed, content_hash, problem }))
}

/// In distribution are the sizes that the release calls so.
fn role_of_size(size: usize) -> Role {
    if size <= 5 {
        Role::IdTest
    } else {
        Role::OodTest
    }
}
