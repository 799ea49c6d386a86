//! VLMEvalKit's tables: the predictions with a verdict beside each, as xlsx, tsv, csv or json.
//!
//! `<model>_<dataset>_*result*.xlsx` of multiple choice has `index`, `prediction` and `hit`; questions with free answers
//! have `eval_match` and `eval_score` (VLMEvalKit e8e78f0, `vlmeval/dataset/`). A reply that could not be had stands
//! there as a sentence, which is a fault and no answer.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use calamine::{Data, Reader as _, Xlsx};
use serde_json::Value;

use super::archive::{Archive, MOST};
use super::json::{self, Object};
use super::row::{missing_reply, Batch, Place, Row};
use crate::{Error, Result};

/// Columns that are verdicts.
const VERDICTS: [&str; 6] = ["hit", "eval_match", "eval_score", "score", "correct", "accuracy"];

/// How VLMEvalKit writes that there was no reply (`vlmeval/constant.py`, `vlmeval/inference.py`).
const FAILED: &str = "Failed to obtain answer";

/// Reads tables. The name of a file is `<model>_<dataset>…`, from which neither can be told: the stem is the task.
pub(super) fn read(paths: &[PathBuf], metric: Option<&str>) -> Result<Batch> {
    let mut batch = Batch::default();
    for path in paths {
        let task = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let end = path.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
        let rows = match end.as_str() {
            "xlsx" => sheet(path)?,
            "tsv" => separated(path, b'\t')?,
            "csv" => separated(path, b',')?,
            "json" => records(path)?,
            _ => {
                let reason = "not xlsx, tsv, csv or json; write the table as one of them (PRED_FORMAT=tsv)";
                return Err(Error::content(path, "its name", reason));
            }
        };
        for (place, columns) in rows {
            batch.rows.push(row(place.clone(), &task, columns, metric).map_err(|e| place.refuse(e))?);
        }
    }
    Ok(batch)
}

fn row(place: Place, task: &str, columns: Object, metric: Option<&str>) -> std::result::Result<Row, String> {
    let index = columns.get("index").ok_or("no column index: is this a table of VLMEvalKit?")?;
    let index = json::word(index).ok_or_else(|| format!("index is {}", json::short(index)))?;
    let said = match columns.get("prediction") {
        Some(Value::String(text)) if text.contains(FAILED) => Some(Err(missing_reply(text.clone()))),
        Some(Value::String(text)) => Some(Ok(vec![text.clone()])),
        Some(Value::Null) => Some(Err(missing_reply("an empty cell"))),
        Some(other) => Some(Ok(vec![other.to_string()])),
        None => None,
    };
    let failed = matches!(said, Some(Err(_)));
    let verdict = |name: &str| !failed && (VERDICTS.contains(&name) || metric == Some(name));
    let metrics =
        columns.iter().filter(|(name, _)| verdict(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
    Ok(Row {
        place,
        task: task.to_owned(),
        id: columns.get("id").and_then(json::word).or_else(|| Some(index.clone())),
        position: None,
        repeat: 0,
        said: said.into_iter().collect(),
        metrics,
        target: columns.get("answer").and_then(json::word),
        about: columns,
    })
}

type Rows = Vec<(Place, Object)>;

/// The first sheet; its first row names the columns.
fn sheet(path: &Path) -> Result<Rows> {
    // Unpacked once within bounds, so that no part of the sheet is a bomb.
    let mut archive = Archive::open(path, MOST)?;
    for name in archive.names().into_iter().filter(|name| !name.ends_with('/')) {
        archive.read(&name)?;
    }
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let bad = |e: calamine::XlsxError| Error::content(path, "its first sheet", e.to_string());
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(bad)?;
    let name = book.sheet_names().first().cloned();
    let name = name.ok_or_else(|| Error::content(path, "its sheets", "there is none"))?;
    let range = book.worksheet_range(&name).map_err(bad)?;
    let mut lines = range.rows();
    let head: Vec<String> = lines.next().unwrap_or_default().iter().map(ToString::to_string).collect();
    let cells = |row: &[Data]| head.iter().cloned().zip(row.iter().map(cell)).collect::<Object>();
    Ok(lines.enumerate().map(|(i, row)| (Place::new(path, format!("row {}", i + 2)), cells(row))).collect())
}

fn cell(data: &Data) -> Value {
    match data {
        Data::Int(number) => (*number).into(),
        // Excel knows no whole numbers.
        Data::Float(number) if number.fract().abs() < f64::EPSILON && number.abs() < 9e15 => {
            (*number as i64).into()
        }
        Data::Float(number) => (*number).into(),
        Data::Bool(bit) => (*bit).into(),
        Data::Empty | Data::Error(_) => Value::Null,
        Data::String(text) if text.is_empty() => Value::Null,
        other => other.to_string().into(),
    }
}

fn separated(path: &Path, by: u8) -> Result<Rows> {
    let reader = csv::ReaderBuilder::new().delimiter(by).from_path(path);
    let bad = |e: csv::Error| {
        let at = e.position().map_or_else(|| "its text".into(), |at| format!("line {}", at.line()));
        match e.into_kind() {
            csv::ErrorKind::Io(source) => Error::io("read", path)(source),
            kind => Error::content(path, at, format!("{}; was the file cut off?", explained(&kind))),
        }
    };
    let mut reader = reader.map_err(bad)?;
    let head: Vec<String> = reader.headers().map_err(bad)?.iter().map(str::to_owned).collect();
    let mut rows = Rows::new();
    for record in reader.records() {
        let record = record.map_err(bad)?;
        let place = Place::new(path, format!("line {}", record.position().map_or(0, csv::Position::line)));
        let value = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
        rows.push((place, head.iter().cloned().zip(record.iter().map(value)).collect()));
    }
    Ok(rows)
}

fn explained(kind: &csv::ErrorKind) -> String {
    match kind {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells where the first line has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "not UTF-8".into(),
        other => format!("{other:?}"),
    }
}

/// A list of objects, as pandas writes records.
fn records(path: &Path) -> Result<Rows> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let Value::Array(rows) = json::value(&bytes).map_err(|e| Error::content(path, "its text", e))? else {
        return Err(Error::content(path, "its text", "a list of rows is wanted"));
    };
    let place = |i: usize| Place::new(path, format!("row {}", i + 1));
    let object = |(i, row): (usize, Value)| match row {
        Value::Object(columns) => Ok((place(i), columns)),
        other => Err(place(i).refuse(format!("an object is wanted, not {}", json::short(&other)))),
    };
    rows.into_iter().enumerate().map(object).collect()
}
