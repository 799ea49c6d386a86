//! What all readers give: rows of another harness, before anything is judged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde_json::Value;
use vrrl_harness_core::{Fault, Role};

use super::json::{self, Object};
use crate::record::Severity;
use crate::{Error, Result};

/// Everything that was read.
#[derive(Default)]
pub(super) struct Batch {
    pub rows: Vec<Row>,
    /// What the files say of each task, by the harness's name for it.
    pub tasks: BTreeMap<String, TaskNote>,
    /// Name of the model, where the files say.
    pub model: Option<String>,
    /// Version of the harness, likewise.
    pub version: Option<String>,
    /// Sampling temperature, likewise; 0 is greedy.
    pub temperature: Option<f64>,
}

/// What the files say of a task.
#[derive(Clone, Default)]
pub(super) struct TaskNote {
    pub split: Option<String>,
    pub role: Option<Role>,
    pub shift: Option<String>,
    pub severity: Option<Severity>,
    pub hash: Option<String>,
}

impl TaskNote {
    /// Reads `metadata` of a task, as the exports of this project write it.
    pub fn of(metadata: &Value) -> Self {
        let text = |key: &str| metadata[key].as_str().map(str::to_owned);
        Self {
            split: text("split_name"),
            role: Role::deserialize(&metadata["role"]).ok(),
            shift: text("shift").map(|shift| if shift == "none" { String::new() } else { shift }),
            severity: Severity::deserialize(&metadata["severity"]).ok(),
            hash: text("identity"),
        }
    }
}

/// The replies of one episode, or why there are none.
pub(super) type Said = std::result::Result<Vec<String>, Fault>;

/// One judged question of another harness.
pub(super) struct Row {
    pub place: Place,
    /// The harness's name for the task.
    pub task: String,
    /// Id, where the row has one of its own.
    pub id: Option<String>,
    /// Position in the split, where the harness counts.
    pub position: Option<usize>,
    pub repeat: u32,
    /// One entry an episode; empty where the file keeps no replies.
    pub said: Vec<Said>,
    /// What the harness gave, by name; null is missing.
    pub metrics: Object,
    /// What the row says of the question (id, task, truth, ...).
    pub about: Object,
    /// The right answer as the harness knows it.
    pub target: Option<String>,
}

/// Where a row stands.
#[derive(Clone)]
pub(super) struct Place {
    pub file: PathBuf,
    /// `line 3`, `entry samples/x_epoch_1.json`, `row 7`.
    pub at: String,
}

impl Place {
    pub fn new(file: &Path, at: impl Into<String>) -> Self {
        Self { file: file.to_path_buf(), at: at.into() }
    }

    pub fn refuse(&self, reason: impl Into<String>) -> Error {
        Error::content(&self.file, self.at.clone(), reason)
    }

    pub fn text(&self) -> String {
        format!("{}, {}", self.file.display(), self.at)
    }
}

/// A reply that is not there.
pub(super) fn missing_reply(detail: impl Into<String>) -> Fault {
    Fault { kind: "missing_reply".into(), detail: detail.into() }
}

/// Turns of a row that keeps them whole: texts, or objects with `text`.
pub(super) fn turns(value: &Value) -> std::result::Result<Option<Said>, String> {
    let Value::Array(turns) = value else { return Ok(None) };
    let text = |turn: &Value| {
        let text = turn.as_str().or_else(|| turn["text"].as_str());
        text.map(str::to_owned).ok_or_else(|| {
            format!("turns: a text or an object with text is wanted, not {}", json::short(turn))
        })
    };
    turns.iter().map(text).collect::<std::result::Result<_, _>>().map(|turns| Some(Ok(turns)))
}

/// Names under which harnesses report plain exactness.
const USUAL: [&str; 5] = ["accuracy", "acc", "exact_match", "correct", "hit"];

/// The metric that says what is right: the one asked for, else the only one, else the only one with a usual name.
pub(super) fn metric(asked: Option<&str>, rows: &[Row]) -> Result<Option<String>> {
    let names: BTreeSet<&str> = rows.iter().flat_map(|row| row.metrics.keys().map(String::as_str)).collect();
    let list = names.iter().copied().collect::<Vec<_>>().join(", ");
    if let Some(asked) = asked {
        if rows.iter().any(|row| find(&row.metrics, asked).is_some()) {
            return Ok(Some(asked.to_owned()));
        }
        let known = if names.is_empty() { "there is none".into() } else { format!("there are {list}") };
        return Err(Error::Input(format!("metric {asked:?} is in no row; {known}")));
    }
    if names.len() == 1 {
        return Ok(Some(list));
    }
    let usual: Vec<&str> = USUAL.into_iter().filter(|name| names.contains(name)).collect();
    Ok(if let [one] = usual[..] { Some(one.to_owned()) } else { None })
}

/// A metric by its name, or by a path into an object that stands for one (`score.value`).
pub(super) fn find<'v>(metrics: &'v Object, name: &str) -> Option<&'v Value> {
    metrics.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        rest.split('.').try_fold(metrics.get(first)?, |value, key| value.get(key))
    })
}
