//! Rows of a parquet file, one row group at a time.

use std::fs::File;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;

use parquet::basic::Type as Physical;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row as Record};
use parquet::schema::types::Type as Node;
use vrrl_harness_core::Seed;

use super::Row;
use crate::Error;

/// Columns of text that are read.
const TEXTS: [&str; 9] =
    ["id", "task", "question", "truth", "params", "seed", "shift", "content_hash", "image_sha256"];

/// Hands on every row of a file. Only the columns of a row are read; the file may hold more.
pub(super) fn read(file: &Path, take: &mut dyn FnMut(Row) -> Result<(), Error>) -> Result<(), Error> {
    let open = File::open(file).map_err(Error::io("read", file))?;
    let reader = guarded(file, || SerializedFileReader::new(open))?;
    let wanted = projection(&reader).map_err(|reason| Error::malformed(file, reason))?;
    for index in 0..reader.num_row_groups() {
        let records = guarded(file, || -> Result<Vec<Record>, ParquetError> {
            reader.get_row_group(index)?.get_row_iter(Some(wanted.clone()))?.collect()
        })?;
        for record in records {
            take(row(record).map_err(|reason| Error::malformed(file, reason))?)?;
        }
    }
    Ok(())
}

/// The reader checks most of what it reads, but not all: what it trips over is a broken file, too.
fn guarded<T>(file: &Path, read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, Error> {
    let broken = |reason: String| Error::malformed(file, format!("not a whole parquet file: {reason}"));
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| broken(error.to_string())),
        Err(_) => Err(broken("its reader gave up".into())),
    }
}

/// The part of the file's schema that a row needs.
fn projection(reader: &SerializedFileReader<File>) -> Result<Node, String> {
    let schema = reader.metadata().file_metadata().schema();
    let find = |name: &str| {
        let found = schema.get_fields().iter().find(|field| field.name() == name);
        found.ok_or_else(|| format!("no column {name}; is it an export of one row an example?"))
    };
    let mut fields = Vec::new();
    for name in TEXTS {
        let field = find(name)?;
        if !field.is_primitive() || field.get_physical_type() != Physical::BYTE_ARRAY {
            return Err(format!("column {name} is no text"));
        }
        fields.push(field.clone());
    }
    let severity = find("severity")?;
    if !severity.is_primitive() || !matches!(severity.get_physical_type(), Physical::INT64 | Physical::INT32)
    {
        return Err("column severity is no integer".into());
    }
    fields.push(severity.clone());
    let image = find("image")?;
    let embedded = image.is_group()
        && image.get_fields().iter().any(|field| {
            field.name() == "bytes"
                && field.is_primitive()
                && field.get_physical_type() == Physical::BYTE_ARRAY
        });
    if !embedded {
        return Err("column image holds no bytes".into());
    }
    fields.push(image.clone());
    Node::group_type_builder(schema.name()).with_fields(fields).build().map_err(|e| e.to_string())
}

fn row(record: Record) -> Result<Row, String> {
    let (mut texts, mut severity, mut picture) = (std::collections::BTreeMap::new(), 0, None);
    for (name, field) in record.into_columns() {
        match field {
            Field::Str(text) => drop(texts.insert(name, text)),
            Field::Bytes(bytes) => {
                let text =
                    String::from_utf8(bytes.data().to_vec()).map_err(|_| format!("{name} is no UTF-8"))?;
                texts.insert(name, text);
            }
            Field::Long(number) => severity = number,
            Field::Int(number) => severity = number.into(),
            Field::Group(parts) => {
                let bytes = parts.into_columns().into_iter().find(|(name, _)| name == "bytes");
                if let Some((_, Field::Bytes(bytes))) = bytes {
                    picture = Some(bytes.data().to_vec());
                }
            }
            _ => {}
        }
    }
    let mut text = |key: &str| texts.remove(key);
    let id = text("id").ok_or("a row without id")?;
    let mut need = |key: &str| text(key).ok_or(format!("row {id}: {key} is missing"));
    let (task, seed) = (need("task")?, need("seed")?);
    Ok(Row {
        task: serde_json::from_value(task.into()).map_err(|e| format!("row {id}: task: {e}"))?,
        question: need("question")?,
        truth: need("truth")?,
        params: need("params")?,
        seed: serde_json::from_value::<Seed>(seed.into()).map_err(|e| format!("row {id}: seed: {e}"))?,
        shift: need("shift")?,
        severity,
        content_hash: need("content_hash")?,
        image_sha256: need("image_sha256")?,
        file_name: None,
        picture: picture.ok_or(format!("row {id}: image is missing"))?,
        id,
    })
}
