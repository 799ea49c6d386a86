//! Rows that can be judged: joined to their ground truth, and turned into traces.

use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::Value;
use vrrl_harness_core::{
    Dialect, End, MazeTruth, Parsed, Problem, RegionTruth, Seed, TaskKind, Trace, TraceTurn, Truth,
    TurnTokens,
};

use super::json;
use super::row::{Batch, Row, Said};
use super::Import;
use crate::{EvalSplit, Result};

/// A row with what it is about.
pub(super) struct Joined<'b> {
    pub row: &'b Row,
    pub split: String,
    pub id: String,
    pub problem: Arc<dyn Problem>,
}

/// All rows joined to their ground truth; `None` where no row has one.
pub(super) fn join<'b>(request: &Import<'_>, batch: &'b Batch) -> Result<Option<Vec<Joined<'b>>>> {
    let known = |row: &Row| row.about.contains_key("truth") && row.about.contains_key("task");
    let with = batch.rows.iter().filter(|row| known(row)).count();
    if with == 0 && request.splits.is_empty() {
        return Ok(None);
    }
    let joined = batch.rows.iter().map(|row| {
        if known(row) {
            return own(request, batch, row);
        }
        match split(request.splits, batch, row) {
            Some(split) => of_split(split, row),
            None => Err(row.place.refuse(format!(
                "no truth, though {with} rows have one; name the split of task {:?} with --split, or import such files \
                 alone",
                row.task
            ))),
        }
    });
    joined.collect::<Result<_>>().map(Some)
}

/// The split of a row that has no name of its own.
pub(super) fn split_name(batch: &Batch, row: &Row) -> String {
    let noted = batch.tasks.get(&row.task).and_then(|note| note.split.clone());
    let said = || row.about.get("split").and_then(json::word);
    noted.or_else(said).unwrap_or_else(|| row.task.clone())
}

/// A row that carries its truth.
fn own<'b>(request: &Import<'_>, batch: &Batch, row: &'b Row) -> Result<Joined<'b>> {
    let refuse = |reason: String| row.place.refuse(reason);
    let task = TaskKind::deserialize(&row.about["task"]).map_err(|e| refuse(format!("task: {e}")))?;
    // Tables of rows hold it as text.
    let truth = match &row.about["truth"] {
        Value::String(text) => serde_json::from_str(text).map_err(|e| refuse(format!("truth: {e}")))?,
        other => other.clone(),
    };
    let truth = match task {
        TaskKind::Maze => MazeTruth::deserialize(truth).map(Truth::Maze),
        TaskKind::Table | TaskKind::Chart => RegionTruth::deserialize(truth).map(Truth::Region),
    };
    let truth = truth.map_err(|e| refuse(format!("truth: {e}")))?;
    let problem = (request.pose)(task, &truth, Seed(0)).map_err(|e| refuse(e.to_string()))?;
    let id = row.id.clone().ok_or_else(|| refuse("no id".into()))?;
    Ok(Joined { row, split: split_name(batch, row), id, problem })
}

/// The split that a row's task is about: the one that the results name, or the only one.
fn split<'s>(splits: &'s [EvalSplit], batch: &Batch, row: &Row) -> Option<&'s EvalSplit> {
    let name = split_name(batch, row);
    let only =
        || splits.first().filter(|_| splits.len() == 1 && batch.rows.iter().all(|r| r.task == row.task));
    splits.iter().find(|split| split.name == name).or_else(only)
}

/// A row that is known by its place in a split, or by its id. The right answer that the harness knew must be right
/// here too, so that a wrong split or another order is noticed.
fn of_split<'b>(split: &EvalSplit, row: &'b Row) -> Result<Joined<'b>> {
    let example = match (row.position, &row.id) {
        (Some(position), _) => split.examples.get(position).ok_or_else(|| {
            row.place.refuse(format!(
                "doc_id {position}, but split {} has {}",
                split.name,
                split.examples.len()
            ))
        })?,
        (None, Some(id)) => split
            .examples
            .iter()
            .find(|example| example.id == *id)
            .ok_or_else(|| row.place.refuse(format!("split {} has no id {id}", split.name)))?,
        (None, None) => return Err(row.place.refuse("neither id nor doc_id")),
    };
    if let Some(target) = &row.target {
        let problem = &example.problem;
        let commit = Dialect::ReflectionTag.parse(&format!("<FINAL>{target}</FINAL>"), problem.kind());
        let right =
            matches!(&commit, Parsed::Commit { answer: Some(answer), .. } if problem.judge(answer).correct());
        if !right {
            return Err(row.place.refuse(format!(
                "the target {target:?} is no right answer to {} of split {}; is this the split that was asked?",
                example.id, split.name
            )));
        }
    }
    Ok(Joined { row, split: split.name.clone(), id: example.id.clone(), problem: example.problem.clone() })
}

/// The episodes of a row.
pub(super) fn traces(joined: &Joined<'_>, dialect: Dialect) -> Result<Vec<Trace>> {
    let Joined { row, split, id, problem } = joined;
    if row.said.is_empty() {
        return Err(row.place.refuse("no reply to judge; was the evaluation written with its samples?"));
    }
    let dialect =
        row.about.get("dialect").and_then(Value::as_str).and_then(Dialect::from_word).unwrap_or(dialect);
    let task = problem.kind();
    if !dialect.serves(task) {
        let known: Vec<&str> = Dialect::of(task).map(Dialect::word).collect();
        let reason = format!(
            "{} is no dialect of task {}; use --dialect {}",
            dialect.word(),
            task.word(),
            known.join(", ")
        );
        return Err(row.place.refuse(reason));
    }
    let one = |(k, said): (usize, &Said)| {
        let (texts, fault) = match said {
            Ok(texts) => (texts.as_slice(), None),
            Err(fault) => (&[][..], Some(fault.clone())),
        };
        let end = fault.as_ref().map_or_else(|| end(row, dialect, task, texts), |_| End::Fault);
        Trace {
            id: id.clone(),
            split: split.clone(),
            repeat: row.repeat + u32::try_from(k).expect("a row has few episodes"),
            task,
            dialect,
            truth: problem.truth(),
            turns: texts.iter().map(|text| turn(text)).collect(),
            end,
            fault,
        }
    };
    Ok(row.said.iter().enumerate().map(one).collect())
}

fn turn(text: &str) -> TraceTurn {
    let tokens = TurnTokens::default();
    TraceTurn {
        text: text.to_owned(),
        action: None,
        image_sha256: None,
        sent_sha256: None,
        seen: None,
        retried: Vec::new(),
        tokens,
    }
}

/// Why an episode ended: as its row says, else by its last reply.
fn end(row: &Row, dialect: Dialect, task: TaskKind, texts: &[String]) -> End {
    if let Some(end) = row.about.get("end").and_then(|end| End::deserialize(end).ok()) {
        return end;
    }
    match texts.last().map(|text| dialect.parse(text, task)) {
        Some(Parsed::Commit { .. }) => End::Commit,
        Some(Parsed::Malformed) => End::Malformed,
        Some(Parsed::Propose { .. }) | None => End::ScriptEnd,
    }
}
