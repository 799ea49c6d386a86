//! `inspect_ai`'s logs: `.eval`, a zip file of `header.json` and `samples/<id>_epoch_<n>.json` (written by 0.3.285),
//! and the same log as one `.json`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::archive::{Archive, MOST};
use super::json::{self, Object};
use super::row::{missing_reply, Batch, Place, Row, Said, TaskNote};
use crate::{Error, Result};

/// Reads logs.
pub(super) fn read(paths: &[PathBuf]) -> Result<Batch> {
    let mut batch = Batch::default();
    for path in paths {
        if path.extension().is_some_and(|end| end == "json") {
            whole(&mut batch, path)?;
        } else {
            zipped(&mut batch, path)?;
        }
    }
    Ok(batch)
}

fn zipped(batch: &mut Batch, path: &Path) -> Result<()> {
    let mut archive = Archive::open(path, MOST)?;
    let names = archive.names();
    // A log that is still being written, or whose process died, has only the beginning of its header.
    let header =
        ["header.json", "_journal/start.json"].into_iter().find(|name| names.iter().any(|n| n == name));
    let header = header.ok_or_else(|| {
        Error::content(path, "entry header.json", "missing: is this a log of inspect_ai (.eval)?")
    })?;
    let place = Place::new(path, format!("entry {header}"));
    let head = json::value(&archive.read(header)?).map_err(|e| place.refuse(e))?;
    let task = note(batch, &place, &head)?;
    for name in names.iter().filter(|name| name.starts_with("samples/") && name.ends_with(".json")) {
        let place = Place::new(path, format!("entry {name}"));
        let sample = json::object(&archive.read(name)?).map_err(|e| place.refuse(e))?;
        batch.rows.push(row(place.clone(), &task, sample).map_err(|e| place.refuse(e))?);
    }
    Ok(())
}

fn whole(batch: &mut Batch, path: &Path) -> Result<()> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let place = Place::new(path, "its text");
    let mut log = json::value(&bytes).map_err(|e| place.refuse(e))?;
    let task = note(batch, &place, &log)?;
    let Value::Array(samples) = log["samples"].take() else {
        return Err(Error::content(path, "samples", "missing: was the log written with its samples?"));
    };
    for (i, sample) in samples.into_iter().enumerate() {
        let place = Place::new(path, format!("samples[{i}]"));
        let Value::Object(sample) = sample else { return Err(place.refuse("an object is wanted")) };
        batch.rows.push(row(place.clone(), &task, sample).map_err(|e| place.refuse(e))?);
    }
    Ok(())
}

/// Takes model, version, task and temperature from the head of a log; returns the task's name.
fn note(batch: &mut Batch, place: &Place, head: &Value) -> Result<String> {
    let eval = &head["eval"];
    let (Some(task), Some(model)) = (eval["task"].as_str(), eval["model"].as_str()) else {
        return Err(place.refuse("no eval.task and eval.model: is this a log of inspect_ai?"));
    };
    if let Some(before) = batch.model.as_ref().filter(|before| *before != model) {
        return Err(place.refuse(format!("model {model} here, {before} before; import one model at a time")));
    }
    batch.model = Some(model.to_owned());
    batch.version = eval["packages"]["inspect_ai"].as_str().map(str::to_owned);
    let configs = [&head["plan"]["config"], &eval["model_generate_config"]];
    batch.temperature = batch.temperature.or_else(|| configs.iter().find_map(|c| c["temperature"].as_f64()));
    batch.tasks.insert(task.to_owned(), TaskNote::of(&eval["metadata"]));
    Ok(task.to_owned())
}

fn row(place: Place, task: &str, mut sample: Object) -> std::result::Result<Row, String> {
    let own = sample.get("id").and_then(json::word).ok_or("no id")?;
    let epoch = sample.get("epoch").and_then(Value::as_u64).unwrap_or(1);
    let about = match sample.remove("metadata") {
        Some(Value::Object(metadata)) => metadata,
        _ => Object::new(),
    };
    let error = sample.get("error").filter(|error| !error.is_null());
    let said = match error {
        // What broke gave no reply; it is never scored as wrong.
        Some(error) => Some(Err(missing_reply(
            error["message"].as_str().map_or_else(|| json::short(error), str::to_owned),
        ))),
        None => replies(&sample),
    };
    let scores = sample.get("scores").and_then(Value::as_object).cloned().unwrap_or_default();
    let metrics = if error.is_some() {
        Object::new()
    } else {
        scores.into_iter().map(|(name, score)| (name, score.get("value").cloned().unwrap_or(score))).collect()
    };
    Ok(Row {
        place,
        task: task.to_owned(),
        id: about.get("id").and_then(json::word).or(Some(own)),
        position: None,
        repeat: u32::try_from(epoch.saturating_sub(1)).map_err(|_| "epoch is too large")?,
        said: said.into_iter().collect(),
        metrics,
        about,
        target: sample.get("target").and_then(Value::as_str).map(str::to_owned),
    })
}

/// What the model said, turn by turn.
fn replies(sample: &Object) -> Option<Said> {
    let attached = sample.get("attachments");
    let text = |content: &Value| match content {
        Value::String(text) => Some(resolved(text, attached)),
        Value::Array(parts) => {
            let texts =
                parts.iter().filter(|part| part["type"] == "text").filter_map(|part| part["text"].as_str());
            Some(texts.map(|text| resolved(text, attached)).collect::<String>())
        }
        _ => None,
    };
    let messages = sample.get("messages").and_then(Value::as_array);
    let turns: Vec<String> = messages
        .into_iter()
        .flatten()
        .filter(|message| message["role"] == "assistant")
        .filter_map(|message| text(&message["content"]))
        .collect();
    if !turns.is_empty() {
        return Some(Ok(turns));
    }
    let last = sample.get("output").and_then(|output| text(&output["completion"]));
    last.filter(|text| !text.is_empty()).map(|text| Ok(vec![text]))
}

/// A text that stands among the attachments of its sample, where it is long.
fn resolved(text: &str, attached: Option<&Value>) -> String {
    let found = text.strip_prefix("attachment://").and_then(|key| attached?.get(key)?.as_str());
    found.unwrap_or(text).to_owned()
}
