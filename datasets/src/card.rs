//! The data card of a materialized split.

use std::collections::BTreeMap;

use vrrl_harness_core::TaskKind;

use crate::split::sorted;
use crate::{Source, Split};

/// `README.md`, with the front matter by which a hub finds the folder's rows and pictures.
pub(crate) fn card(split: &Split, folder: &str) -> String {
    let def = &split.def;
    let rows = split.examples.len();
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    for example in &split.examples {
        *sizes.entry(example.problem.canonical().size).or_default() += 1;
    }
    let sizes: Vec<String> = sizes.iter().map(|(size, count)| format!("| {size} | {count} |")).collect();
    let origin = match split.source {
        Source::Generated => {
            format!("Generated from seed {} by generator version {}.", def.seed, vrrl_generators::VERSION)
        }
        Source::Imported => "Imported from a third party's file; ids are theirs, pictures are ours.".into(),
    };
    let about = match def.task {
        TaskKind::Maze => "Each picture shows a frozen lake. The answer is a list of moves (up, down, left, right) along a \
                           shortest path from the figure to the gift, off the holes; any shortest path is right.",
        TaskKind::Table | TaskKind::Chart => "Each answer is a pixel of the picture.",
    };
    let ceiling = split.ceiling.as_ref().map(|text| format!("\nCeiling: {text}.\n")).unwrap_or_default();
    format!(
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: {folder}\n    path: {folder}/**\n\
         task_categories:\n- visual-question-answering\n---\n\n\
         # {name}\n\n{about}\n\n{origin}\n\n\
         | | |\n|---|---|\n| task | {task} |\n| role | {role} |\n| shift | {shift} |\n| severity | {severity} |\n\
         | examples | {rows} |\n| params | `{params}` |\n{ceiling}\n\
         | size | examples |\n|---|---|\n{sizes}\n\n\
         `{folder}/metadata.jsonl` holds one row for each picture: `truth` and `params` are JSON texts, `answer` is one \
         right answer among possibly several, `content_hash` names equal problems, `image_sha256` the PNG's bytes. \
         `manifest.json` holds the definition and the hash over all rows.\n",
        name = def.name,
        task = def.task.word(),
        role = def.role.word(),
        shift = def.shift,
        severity = def.severity,
        params = sorted(&def.params),
        sizes = sizes.join("\n"),
    )
}
