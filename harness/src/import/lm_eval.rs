//! lm-eval's and lmms-eval's files: `samples_<task>_<date>.jsonl` beside `results_<date>.json`, and
//! `<date>_samples_<task>.jsonl` beside `<date>_results.json`.
//!
//! Layouts as `EvaluationTracker.save_results_samples` of lm_eval 0.4.13 and lmms_eval 0.7.3 write them. lmms-eval
//! drops the document of a row and flattens the lists of replies; what is left is its position.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::json::{self, Object};
use super::row::{missing_reply, turns, Batch, Place, Row, Said, TaskNote};
use crate::{Error, Result};

/// Keys of a row that are no metrics.
const PLAIN: [&str; 16] = [
    "doc_id",
    "doc",
    "target",
    "arguments",
    "input",
    "resps",
    "filtered_resps",
    "filter",
    "metrics",
    "doc_hash",
    "prompt_hash",
    "target_hash",
    "token_counts",
    "schema_version",
    "reasoning_tags",
    "docs",
];

/// Reads samples files, the results beside them, and folders of both.
pub(super) fn read(paths: &[PathBuf], filter: Option<&str>) -> Result<Batch> {
    let (samples, results) = files(paths)?;
    let mut batch = Batch::default();
    let mut metrics = BTreeSet::new();
    for path in &results {
        note(&mut batch, &mut metrics, path)?;
    }
    for path in &samples {
        let rows = rows(path, &metrics, &mut batch.temperature)?;
        batch.rows.extend(chosen(path, rows, filter)?);
    }
    Ok(batch)
}

/// Samples files, and the results files that belong to them.
fn files(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, BTreeSet<PathBuf>)> {
    let (mut samples, mut results) = (Vec::new(), BTreeSet::new());
    for path in paths {
        if path.is_dir() {
            let entries = fs::read_dir(path).map_err(Error::io("read", path))?;
            let mut found: Vec<PathBuf> = entries
                .map(|entry| entry.map(|e| e.path()))
                .collect::<std::io::Result<_>>()
                .map_err(Error::io("read", path))?;
            found.sort_unstable();
            let before = samples.len();
            samples.extend(found.into_iter().filter(|file| Name::of(file).is_some()));
            if samples.len() == before {
                return Err(Error::Input(format!(
                    "{} holds no samples_….jsonl; name the folder of one model, and evaluate with --log_samples",
                    path.display()
                )));
            }
        } else if path.extension().is_some_and(|end| end == "json") {
            results.insert(path.clone());
        } else {
            samples.push(path.clone());
        }
    }
    if samples.is_empty() {
        return Err(Error::Input(
            "no samples file; results alone hold no items, name samples_….jsonl too".into(),
        ));
    }
    for path in &samples {
        let beside = Name::of(path).map(|name| path.with_file_name(name.results));
        results.extend(beside.filter(|path| path.is_file()));
    }
    Ok((samples, results))
}

/// What the name of a samples file says.
struct Name {
    task: String,
    /// Name of the results file of the same evaluation.
    results: String,
}

impl Name {
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".jsonl")?;
        if let Some(rest) = name.strip_prefix("samples_") {
            let (task, date) = rest.rsplit_once('_')?;
            return Some(Self { task: task.into(), results: format!("results_{date}.json") });
        }
        let (date, task) = name.split_once("_samples_")?;
        Some(Self { task: task.into(), results: format!("{date}_results.json") })
    }
}

/// Takes from a results file what is said of model, harness, tasks and sampling.
fn note(batch: &mut Batch, metrics: &mut BTreeSet<String>, path: &Path) -> Result<()> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    let results = json::value(&bytes).map_err(|e| Error::content(path, "its text", e))?;
    let text = |key: &str| results[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let plain = results["config"]["model"].as_str().map(str::to_owned);
    let model = text("model_name").or(plain);
    if batch.model.is_some() && batch.model != model {
        let reason = format!(
            "{} here, {} in another file; import one model at a time",
            model.unwrap_or_default(),
            batch.model.clone().unwrap_or_default()
        );
        return Err(Error::content(path, "model_name", reason));
    }
    batch.model = model;
    batch.version = text("lm_eval_version").or_else(|| text("lmms_eval_version"));
    for (task, config) in results["configs"].as_object().into_iter().flatten() {
        batch.tasks.insert(task.clone(), TaskNote::of(&config["metadata"]));
        batch.temperature = batch.temperature.or_else(|| temperature(&config["generation_kwargs"]));
    }
    let named = results["higher_is_better"].as_object().into_iter().flatten();
    metrics.extend(named.filter_map(|(_, of)| of.as_object()).flat_map(|of| of.keys().cloned()));
    Ok(())
}

/// Temperature that generation arguments ask for.
fn temperature(asked: &Value) -> Option<f64> {
    if asked["do_sample"] == Value::Bool(false) {
        return Some(0.0);
    }
    asked["temperature"].as_f64()
}

/// A row with the name of its filter.
type Filtered = (String, Row);

fn rows(path: &Path, known: &BTreeSet<String>, warmth: &mut Option<f64>) -> Result<Vec<Filtered>> {
    let task = Name::of(path).map_or_else(|| stem(path), |name| name.task);
    let mut rows = Vec::new();
    for (place, object) in super::lines(path)? {
        let row = row(place.clone(), &task, object, known, warmth).map_err(|why| place.refuse(why))?;
        rows.push(row);
    }
    Ok(rows)
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn row(
    place: Place,
    task: &str,
    mut object: Object,
    known: &BTreeSet<String>,
    warmth: &mut Option<f64>,
) -> std::result::Result<Filtered, String> {
    let position =
        object.get("doc_id").ok_or("no doc_id: is this a samples file of lm-eval or lmms-eval?")?;
    let position = position.as_u64().ok_or_else(|| format!("doc_id is {}", json::short(position)))?;
    let filter = object.get("filter").and_then(Value::as_str).unwrap_or("none").to_owned();
    let about = match object.remove("doc") {
        Some(Value::Object(doc)) => doc,
        _ => Object::new(),
    };
    *warmth = warmth.or_else(|| {
        let requests = object.get("arguments")?.as_object()?;
        requests.values().find_map(|request| temperature(&request["arg_1"]))
    });
    let said = said(&object, &about)?;
    let listed: BTreeSet<String> = object
        .get("metrics")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(json::word)
        .collect();
    let listed = if listed.is_empty() { known } else { &listed };
    let is_metric = |key: &str| {
        if listed.is_empty() {
            !PLAIN.contains(&key)
        } else {
            listed.contains(key)
        }
    };
    let target = object.get("target").and_then(Value::as_str).map(str::to_owned);
    let metrics = object.into_iter().filter(|(key, _)| is_metric(key)).collect();
    let repeat = about.get("repeat").and_then(Value::as_u64).unwrap_or(0);
    let row = Row {
        place,
        task: task.to_owned(),
        id: about.get("id").and_then(json::word),
        position: Some(usize::try_from(position).map_err(|_| "doc_id is too large")?),
        repeat: u32::try_from(repeat).map_err(|_| "doc.repeat is too large")?,
        said,
        metrics,
        about,
        target,
    };
    Ok((filter, row))
}

/// The replies: all turns where the document keeps them, else what the model was heard to say, else what a filter
/// made of it.
fn said(object: &Object, about: &Object) -> std::result::Result<Vec<Said>, String> {
    if let Some(whole) = about.get("turns").map(turns).transpose()?.flatten() {
        return Ok(vec![whole]);
    }
    let heard = object.get("resps").or_else(|| object.get("filtered_resps")).unwrap_or(&Value::Null);
    let one = |reply: &Value| match reply {
        Value::String(text) => Some(Ok(vec![text.clone()])),
        Value::Null => Some(Err(missing_reply("the harness wrote null"))),
        // Log-likelihoods of choices are no replies.
        _ => None,
    };
    Ok(match heard {
        // One request with its repeats, or these alone.
        Value::Array(requests) => match &requests[..] {
            [Value::Array(repeats)] => repeats.iter().filter_map(one).collect(),
            repeats => repeats.iter().filter_map(one).collect(),
        },
        alone => one(alone).into_iter().collect(),
    })
}

/// The rows of one filter: every document stands once for each.
fn chosen(path: &Path, rows: Vec<Filtered>, asked: Option<&str>) -> Result<Vec<Row>> {
    let names: BTreeSet<&str> = rows.iter().map(|(filter, _)| filter.as_str()).collect();
    let list = names.iter().copied().collect::<Vec<_>>().join(", ");
    let wanted = match asked {
        Some(asked) if names.contains(asked) => asked.to_owned(),
        Some(asked) => {
            let reason = format!("no row has the filter {asked:?}; there are {list}");
            return Err(Error::content(path, "filter", reason));
        }
        None if names.len() <= 1 => list,
        // Our own files hold both readings; the strict one decides.
        None if list == "lenient, strict" => "strict".into(),
        None => {
            let reason = format!("rows of several filters ({list}); choose one with --filter");
            return Err(Error::content(path, "filter", reason));
        }
    };
    Ok(rows.into_iter().filter(|(filter, _)| *filter == wanted).map(|(_, row)| row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_both_harnesses_are_taken_apart() {
        let name = |file: &str| Name::of(Path::new(file)).map(|name| (name.task, name.results));
        let pair = |task: &str, results: &str| Some((task.to_owned(), results.to_owned()));
        assert_eq!(
            name("a/samples_vrrl_maze_x_2026-11-21T21-08-53.633291.jsonl"),
            pair("vrrl_maze_x", "results_2026-11-21T21-08-53.633291.json")
        );
        assert_eq!(
            name("20261121_210853_samples_vrrl_maze_x.jsonl"),
            pair("vrrl_maze_x", "20261121_210853_results.json")
        );
        assert_eq!(name("results_2026.json"), None);
    }
}
