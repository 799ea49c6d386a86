//! Plain lines: `id` with a verdict, or `id`, `task`, `truth` and `turns` (or one `reply`) to be judged.

use std::path::PathBuf;

use serde_json::Value;

use super::json::{self, Object};
use super::row::{missing_reply, turns, Batch, Place, Row, Said};
use crate::Result;

/// Keys that are no metrics.
const PLAIN: [&str; 11] =
    ["id", "split", "repeat", "role", "task", "truth", "dialect", "turns", "reply", "end", "correct_first"];

/// Reads lines.
pub(super) fn read(paths: &[PathBuf]) -> Result<Batch> {
    let mut batch = Batch::default();
    for path in paths {
        for (place, object) in super::lines(path)? {
            batch.rows.push(row(place.clone(), object).map_err(|e| place.refuse(e))?);
        }
    }
    Ok(batch)
}

fn row(place: Place, about: Object) -> std::result::Result<Row, String> {
    let id = about.get("id").and_then(json::word).ok_or("no id: a text or a whole number")?;
    let repeat = match about.get("repeat") {
        None | Some(Value::Null) => 0,
        Some(number) => number
            .as_u64()
            .and_then(|repeat| u32::try_from(repeat).ok())
            .ok_or_else(|| format!("repeat is {}, no whole number", json::short(number)))?,
    };
    let said: Option<Said> = match (about.get("turns"), about.get("reply")) {
        (Some(Value::Null), _) | (None, Some(Value::Null)) => Some(Err(missing_reply("null"))),
        (Some(whole), _) => turns(whole)?,
        (None, Some(Value::String(text))) => Some(Ok(vec![text.clone()])),
        (None, Some(other)) => return Err(format!("reply is {}, no text", json::short(other))),
        (None, None) => None,
    };
    let metric = |(key, value): (&String, &Value)| (key.clone(), value.clone());
    let scalar = |value: &Value| !value.is_array() && !value.is_object();
    let metrics = about
        .iter()
        .filter(|(key, value)| !PLAIN.contains(&key.as_str()) && scalar(value))
        .map(metric)
        .collect();
    Ok(Row {
        place,
        task: about.get("split").and_then(json::word).unwrap_or_default(),
        id: Some(id),
        position: None,
        repeat,
        said: said.into_iter().collect(),
        metrics,
        about,
        target: None,
    })
}
