//! The card of an export: front matter by which Hugging Face finds the files, and words for people.

use std::fmt::Write as _;

use vrrl_harness_core::TaskKind;

use super::plan::{fingerprint, Plan};
use super::value::{Columns, Type};
use super::write::Written;
use super::{Container, Format};
use crate::Source;

/// Licences of what the generators draw, as Hugging Face writes them.
const LICENSES: [&str; 2] = ["apache-2.0", "mit"];

/// `README.md`; `files` are the data files of each split.
pub(super) fn card(plan: &Plan<'_>, files: &[Vec<Written>]) -> String {
    let mut text = String::from("---\n");
    let licenses: &[&str] = if plan.is_ours() { &LICENSES } else { &["other"] };
    let licenses: Vec<String> = licenses.iter().map(|license| format!("- {license}\n")).collect();
    text += &format!("license:\n{}language:\n- en\n", licenses.concat());
    text += "task_categories:\n- visual-question-answering\n- image-text-to-text\ntags:\n- synthetic\n";
    text += &format!("size_categories:\n- {}\n", size(plan.total()));
    text += &configs(plan);
    // The JSON reader takes pictures for texts; only parquet can state what its columns are.
    if plan.options.container == Container::Parquet {
        text += &infos(plan, files);
    }
    text += "---\n\n";
    text += &body(plan, files);
    text
}

fn size(n: usize) -> &'static str {
    match n {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        _ => "1M<n<10M",
    }
}

fn configs(plan: &Plan<'_>) -> String {
    // Readers keep what they loaded under the folder's name and this front matter, not under its files: what decides
    // the rows must stand here, or another export to a folder of the same name would give the old ones.
    let identity = fingerprint(&plan.describe());
    let mut text = String::from("configs:\n");
    for config in plan.configs() {
        text += &format!("- config_name: {config}\n  description: export {identity}\n  data_files:\n");
        for part in plan.splits.iter().filter(|part| part.config == config) {
            text += &format!("  - split: {}\n    path: {}\n", part.name, part.glob);
        }
    }
    text
}

fn infos(plan: &Plan<'_>, files: &[Vec<Written>]) -> String {
    let columns = plan.format.layout().columns(&plan.options);
    let mut text = String::from("dataset_info:\n");
    for config in plan.configs() {
        text += &format!("- config_name: {config}\n  features:\n");
        fields(&columns, 2, &mut text);
        text += "  splits:\n";
        for (part, files) in plan.splits.iter().zip(files).filter(|(part, _)| part.config == config) {
            let rows: usize = files.iter().map(|file| file.rows).sum();
            let bytes: u64 = files.iter().map(|file| file.bytes).sum();
            text += &format!("  - name: {}\n    num_bytes: {bytes}\n    num_examples: {rows}\n", part.name);
        }
    }
    text
}

/// Columns as the list of features of a card.
fn fields(columns: &Columns, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    for (name, kind) in columns {
        let _ = writeln!(text, "{pad}- name: {name}");
        match kind {
            Type::Struct(columns) => {
                let _ = writeln!(text, "{pad}  struct:");
                fields(columns, indent + 2, text);
            }
            Type::List(of) => match &**of {
                Type::Struct(columns) => {
                    let _ = writeln!(text, "{pad}  list:");
                    fields(columns, indent + 2, text);
                }
                of => {
                    let _ = writeln!(text, "{pad}  sequence: {}", word(of));
                }
            },
            kind => {
                let _ = writeln!(text, "{pad}  dtype: {}", word(kind));
            }
        }
    }
}

fn word(kind: &Type) -> &'static str {
    match kind {
        Type::Int => "int64",
        Type::Bool => "bool",
        Type::Picture => "image",
        Type::Text | Type::List(_) | Type::Struct(_) => "string",
    }
}

fn body(plan: &Plan<'_>, files: &[Vec<Written>]) -> String {
    let mut text = format!("# {}\n\n{}\n\n", title(plan), plan.format.layout().about());
    for task in [TaskKind::Maze, TaskKind::Table, TaskKind::Chart] {
        if plan.splits.iter().any(|part| part.examples.def().task == task) {
            text += about_task(task);
            text += "\n\n";
        }
    }
    text += "| split | task | role | shift | severity | examples | rows | files | definition |\n|---|---|---|---|---|---|---|---|---|\n";
    for (part, files) in plan.splits.iter().zip(files) {
        let def = part.examples.def();
        let rows: usize = files.iter().map(|file| file.rows).sum();
        let origin = match part.examples.source() {
            Source::Generated => "generated",
            Source::Imported => "imported",
        };
        text += &format!(
            "| {} | {} | {} | {} | {} | {} | {rows} | `{}` | {origin} `{}` |\n",
            part.name,
            def.task.word(),
            def.role.word(),
            def.shift_label(),
            def.severity_number(),
            part.count,
            part.glob,
            def.name
        );
    }
    let terms = if plan.is_ours() {
        "Pictures and texts may be used under Apache-2.0 or MIT."
    } else {
        "What was imported keeps the terms of its source."
    };
    text + &format!(
        "\nWritten as `{}` by vrrl, generator version {}. `export.json` holds the definitions, options and the \
         SHA-256 of every data file. {terms}\n",
        plan.format.word(),
        vrrl_generators::VERSION
    )
}

/// The part of their names that all splits share, and the format.
fn title(plan: &Plan<'_>) -> String {
    let names: Vec<&str> = plan.splits.iter().map(|part| part.examples.def().name.as_str()).collect();
    let name = if let [name] = names[..] { name.to_owned() } else { names.join(", ") };
    match plan.format {
        Format::Huggingface => name,
        format => format!("{name} for {}", format.word()),
    }
}

pub(super) fn about_task(task: TaskKind) -> &'static str {
    match task {
        TaskKind::Maze => {
            "Mazes: each picture shows a frozen lake; the answer is a list of moves (up, down, left, right) along a \
             shortest path from the figure to the gift, off the holes. Any shortest path is right."
        }
        TaskKind::Table => {
            "Tables: the answer is a pixel of the picture, x then y; any pixel near enough to the header or cell that \
             the question names is right."
        }
        TaskKind::Chart => {
            "Charts: the answer is a pixel of the picture, x then y; any pixel on the mark that the question names, \
             or near enough to it, is right."
        }
    }
}
