//! One row an example, with the keys of a materialized split's `metadata.jsonl` and the picture.

use vrrl_harness_core::{sha256_hex, Example, View};

use super::plan::{Plan, DEFAULT};
use super::value::{Columns, Row, Type, Value};
use super::write::Written;
use super::{croissant, Container, Layout, One, Options};
use crate::split::sorted;

/// Rows for reading, filtering, viewing and importing.
pub(super) struct HuggingFace;

/// The keys of a metadata row, with `image` for its `file_name`.
pub(super) fn columns() -> Columns {
    let text = ["id", "task", "question", "answer", "truth", "params", "seed", "shift"];
    let mut columns = vec![("image", Type::Picture)];
    columns.extend(text.map(|name| (name, Type::Text)));
    columns.push(("severity", Type::Int));
    columns.extend(["content_hash", "image_sha256"].map(|name| (name, Type::Text)));
    columns
}

/// Path of an example's picture; `turn` counts the pictures of a conversation.
pub(super) fn path(one: &One<'_>, turn: usize) -> String {
    let end = if turn == 0 { String::new() } else { format!("_{turn}") };
    // Splits of several tasks may share a name; they lie in folders of their configurations.
    let config = if one.config == DEFAULT { String::new() } else { format!("{}/", one.config) };
    format!("images/{config}{}/{:06}{end}.png", one.def.folder(), one.index)
}

/// The picture of a question as PNG bytes.
pub(super) fn picture(example: &Example, view: View) -> Vec<u8> {
    vrrl_generators::png(&example.problem.observe(view))
}

/// One right answer, the same one that the materialized split states.
pub(super) fn answer(example: &Example) -> String {
    example.problem.oracle(&mut example.seed.derive("answer", 0).rng()).text()
}

/// Ground truth as JSON text.
pub(super) fn truth(example: &Example) -> String {
    serde_json::to_string(&example.problem.truth()).expect("a truth is plain data")
}

/// The row of an example.
pub(super) fn row(one: &One<'_>) -> Row {
    let (def, example) = (one.def, one.example());
    let png = picture(example, one.options.view);
    let image_sha256 = sha256_hex(&png);
    vec![
        Value::Picture { path: path(one, 0), png },
        example.id.as_str().into(),
        example.task().word().into(),
        example.problem.question().into(),
        answer(example).into(),
        truth(example).into(),
        sorted(&one.item.params).into(),
        example.seed.to_string().into(),
        def.shift_label().as_str().into(),
        Value::Int(def.severity_number().into()),
        example.content_hash.as_str().into(),
        image_sha256.into(),
    ]
}

/// The Croissant description, where the rows are parquet.
pub(super) fn described(
    plan: &Plan<'_>,
    files: &[Vec<Written>],
    columns: &Columns,
) -> Vec<(String, Vec<u8>)> {
    match plan.options.container {
        Container::Parquet => vec![(croissant::FILE.into(), croissant::describe(plan, files, columns))],
        Container::Jsonl => Vec::new(),
    }
}

impl Layout for HuggingFace {
    fn columns(&self, _: &Options) -> Columns {
        columns()
    }

    fn rows(&self, one: &One<'_>) -> Vec<Row> {
        vec![row(one)]
    }

    fn files(&self, plan: &Plan<'_>, files: &[Vec<Written>]) -> Vec<(String, Vec<u8>)> {
        described(plan, files, &columns())
    }

    fn about(&self) -> &'static str {
        "Each row is one example: the picture, the question, one right answer (`answer`), and what decides whether \
         any answer is right (`truth`, as JSON text). `params` and `seed` draw the example again."
    }
}
