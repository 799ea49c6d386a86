//! The data card of a materialized split.

use std::collections::BTreeMap;

use vrrl_harness_core::TaskKind;

use crate::materialize::Manifest;
use crate::split::sorted;
use crate::Source;

/// `README.md`, with the front matter by which a hub finds the folder's rows and pictures; `sizes` counts the
/// examples of each size class.
pub(crate) fn card(manifest: &Manifest, sizes: &BTreeMap<usize, usize>) -> String {
    let (def, folder, rows) = (&manifest.definition, &manifest.folder, manifest.rows);
    let sizes: Vec<String> = sizes.iter().map(|(size, count)| format!("| {size} | {count} |")).collect();
    let origin = match manifest.source {
        Source::Generated => {
            format!("Generated from seed {} by generator version {}.", def.seed, manifest.generator_version)
        }
        Source::Imported => "Imported from a third party's file; ids are theirs, pictures are ours.".into(),
    };
    let about = match def.task {
        TaskKind::Maze => "Each picture shows a frozen lake. The answer is a list of moves (up, down, left, right) along a \
                           shortest path from the figure to the gift, off the holes; any shortest path is right.",
        TaskKind::Table => "Each picture shows a table. The answer is the pixel of a header or of a cell.",
        TaskKind::Chart => "Each picture shows a chart. The answer is a pixel of what the question names.",
    };
    let ceiling = manifest.ceiling.as_ref().map(|text| format!("\nCeiling: {text}.\n")).unwrap_or_default();
    let paired = manifest.base_scenes.as_ref().map(|scenes| {
        format!(
            "\nPaired: the base scenes are those of every split with `scenes: {}` and the same key ({}), under the \
             same ids; compare severities item by item, and count a scene once.\n",
            scenes.name,
            &scenes.key[..16]
        )
    });
    let feedback = if manifest.feedback {
        "`proposal` is one plausible wrong answer, `feedback_file_name` the picture of its feedback. "
    } else {
        ""
    };
    let license = match manifest.source {
        Source::Generated => "license:\n- apache-2.0\n- mit\n",
        // Whoever drew them up decides.
        Source::Imported => "license: other\n",
    };
    format!(
        "---\n{license}configs:\n- config_name: default\n  description: rows {rows_sha256}\n  data_files:\n  - split: \
         {folder}\n    path: {folder}/**\n\
         task_categories:\n- visual-question-answering\n---\n\n\
         # {name}\n\n{about}\n\n{origin}\n{paired}\n\
         | | |\n|---|---|\n| task | {task} |\n| role | {role} |\n| shift | {shift} |\n| severity | {severity} |\n\
         | examples | {rows} |\n| params | `{params}` |\n{ceiling}\n\
         | size | examples |\n|---|---|\n{sizes}\n\n\
         `{folder}/metadata.jsonl` holds one row for each picture: `truth` and `params` are JSON texts, `answer` is one \
         right answer among possibly several, `content_hash` names equal problems, `image_sha256` the PNG's bytes. \
         {feedback}`manifest.json` holds the definition and the hash over all rows.\n",
        name = def.name,
        // Readers keep what they loaded under the folder's name and this front matter, not under its files: without
        // a word on the rows they would give the old ones of another folder of the same name.
        rows_sha256 = manifest.metadata_sha256,
        paired = paired.unwrap_or_default(),
        task = def.task.word(),
        role = def.role.word(),
        shift = def.shift_label(),
        severity = def.severity,
        params = sorted(&def.params),
        sizes = sizes.join("\n"),
    )
}
