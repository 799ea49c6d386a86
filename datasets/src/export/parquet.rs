//! Rows to parquet by row groups, so that no more than one group stands in memory, and back.
//!
//! Everything is optional in the schema, as the usual writers do it, and nothing is compressed: pictures are
//! PNG already, and texts that repeat go through a dictionary. Bytes depend on the rows and on the version of
//! the `parquet` crate alone.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type as Node};
use serde_json::json;

use super::value::{features, Columns, Row, Type, Value};
use crate::Error;

/// Values handed to the writer at once; it looks at the size of a page only between two such batches.
const BATCH: usize = 16;

/// Writes a file of rows, group by group.
pub(crate) struct Writer<W: Write + Send> {
    columns: Columns,
    file: SerializedFileWriter<W>,
}

impl<W: Write + Send> Writer<W> {
    pub(crate) fn new(sink: W, columns: &Columns) -> Result<Self, ParquetError> {
        let fields = columns.iter().map(|(name, kind)| node(name, kind)).collect::<Result<Vec<_>, _>>()?;
        let schema = Node::group_type_builder("schema").with_fields(fields).build()?;
        let about = json!({ "info": { "features": features(columns) } }).to_string();
        let mut properties = WriterProperties::builder()
            .set_created_by(format!("vrrl {}", env!("CARGO_PKG_VERSION")))
            .set_write_batch_size(BATCH)
            .set_key_value_metadata(Some(vec![KeyValue::new("huggingface".to_owned(), about)]));
        let mut pictures = Vec::new();
        for (name, kind) in columns {
            picture_columns(kind, vec![(*name).into()], &mut pictures);
        }
        for path in pictures {
            let path = ColumnPath::new(path);
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_statistics_enabled(path, EnabledStatistics::None);
        }
        let file = SerializedFileWriter::new(sink, Arc::new(schema), Arc::new(properties.build()))?;
        Ok(Self { columns: columns.clone(), file })
    }

    /// Writes one row group.
    pub(crate) fn group(&mut self, rows: Vec<Row>) -> Result<(), ParquetError> {
        let mut shreds: Vec<Shred> = self.columns.iter().map(|(_, kind)| Shred::new(kind)).collect();
        for row in rows {
            for (shred, value) in shreds.iter_mut().zip(row) {
                shred.push(value, 0, 0);
            }
        }
        let mut group = self.file.next_row_group()?;
        for shred in shreds {
            shred.write(&mut group)?;
        }
        group.close()?;
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<W, ParquetError> {
        self.file.into_inner()
    }
}

fn node(name: &str, kind: &Type) -> Result<Arc<Node>, ParquetError> {
    let leaf = |physical, logical| {
        Node::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()
    };
    let group = |fields, logical, repetition| {
        Node::group_type_builder(name)
            .with_fields(fields)
            .with_logical_type(logical)
            .with_repetition(repetition)
            .build()
    };
    let made = match kind {
        Type::Text => leaf(Physical::BYTE_ARRAY, Some(LogicalType::String))?,
        Type::Int => leaf(Physical::INT64, None)?,
        Type::Bool => leaf(Physical::BOOLEAN, None)?,
        Type::Picture => {
            let bytes = Node::primitive_type_builder("bytes", Physical::BYTE_ARRAY)
                .with_repetition(Repetition::OPTIONAL)
                .build()?;
            group(vec![Arc::new(bytes), node("path", &Type::Text)?], None, Repetition::OPTIONAL)?
        }
        Type::Struct(columns) => {
            let fields = columns.iter().map(|(name, kind)| node(name, kind)).collect::<Result<_, _>>()?;
            group(fields, None, Repetition::OPTIONAL)?
        }
        Type::List(of) => {
            let list = Node::group_type_builder("list")
                .with_fields(vec![node("element", of)?])
                .with_repetition(Repetition::REPEATED)
                .build()?;
            group(vec![Arc::new(list)], Some(LogicalType::List), Repetition::OPTIONAL)?
        }
    };
    Ok(Arc::new(made))
}

/// Paths of the columns that hold PNG bytes.
fn picture_columns(kind: &Type, mut path: Vec<String>, found: &mut Vec<Vec<String>>) {
    match kind {
        Type::Picture => {
            path.push("bytes".into());
            found.push(path);
        }
        Type::List(of) => {
            path.extend(["list".into(), "element".into()]);
            picture_columns(of, path, found);
        }
        Type::Struct(columns) => {
            for (name, kind) in columns {
                picture_columns(kind, [path.clone(), vec![(*name).into()]].concat(), found);
            }
        }
        Type::Text | Type::Int | Type::Bool => {}
    }
}

/// A column taken apart into leaves with their definition and repetition levels, as the format wants them.
enum Shred {
    Leaf {
        data: Data,
        defined: Vec<i16>,
        repeated: Vec<i16>,
        lists: i16,
    },
    /// `depth` is the number of lists around an element.
    List {
        depth: i16,
        of: Box<Shred>,
    },
    Struct {
        parts: Vec<Shred>,
    },
}

enum Data {
    Bytes(Vec<ByteArray>),
    Int(Vec<i64>),
    Bool(Vec<bool>),
}

impl Shred {
    fn new(kind: &Type) -> Self {
        Self::below(kind, 0)
    }

    /// `lists` is how many lists stand around the type.
    fn below(kind: &Type, lists: i16) -> Self {
        let leaf = |data| Self::Leaf { data, defined: Vec::new(), repeated: Vec::new(), lists };
        match kind {
            Type::Text => leaf(Data::Bytes(Vec::new())),
            Type::Int => leaf(Data::Int(Vec::new())),
            Type::Bool => leaf(Data::Bool(Vec::new())),
            Type::Picture => {
                Self::Struct { parts: vec![leaf(Data::Bytes(Vec::new())), leaf(Data::Bytes(Vec::new()))] }
            }
            Type::Struct(columns) => {
                Self::Struct { parts: columns.iter().map(|(_, kind)| Self::below(kind, lists)).collect() }
            }
            Type::List(of) => Self::List { depth: lists + 1, of: Box::new(Self::below(of, lists + 1)) },
        }
    }

    /// `level` counts the optional and repeated groups that are present around the value; `repeat` is the
    /// depth of the list that the value goes on with, 0 for a new row.
    fn push(&mut self, value: Value, level: i16, repeat: i16) {
        match (self, value) {
            (Self::Leaf { data, defined, repeated, .. }, value) => {
                repeated.push(repeat);
                defined.push(level + i16::from(data.push(value)));
            }
            (Self::Struct { parts }, Value::Picture { path, png }) => {
                for (part, bytes) in parts.iter_mut().zip([png, path.into_bytes()]) {
                    part.push_bytes(bytes, level + 1, repeat);
                }
            }
            (Self::Struct { parts }, Value::Struct(values)) => {
                for (part, value) in parts.iter_mut().zip(values) {
                    part.push(value, level + 1, repeat);
                }
            }
            // An empty list is present and holds nothing below it.
            (Self::List { of, .. }, Value::List(values)) if values.is_empty() => of.absent(level + 1, repeat),
            (Self::List { depth, of }, Value::List(values)) => {
                for (index, value) in values.into_iter().enumerate() {
                    of.push(value, level + 2, if index == 0 { repeat } else { *depth });
                }
            }
            (shred, _) => shred.absent(level, repeat),
        }
    }

    fn push_bytes(&mut self, bytes: Vec<u8>, level: i16, repeat: i16) {
        if let Self::Leaf { data: Data::Bytes(data), defined, repeated, .. } = self {
            data.push(bytes.into());
            defined.push(level + 1);
            repeated.push(repeat);
        }
    }

    fn absent(&mut self, level: i16, repeat: i16) {
        match self {
            Self::Leaf { defined, repeated, .. } => {
                defined.push(level);
                repeated.push(repeat);
            }
            Self::List { of, .. } => of.absent(level, repeat),
            Self::Struct { parts } => parts.iter_mut().for_each(|part| part.absent(level, repeat)),
        }
    }

    fn write<W: Write + Send>(self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<(), ParquetError> {
        match self {
            Self::List { of, .. } => of.write(group),
            Self::Struct { parts } => parts.into_iter().try_for_each(|part| part.write(group)),
            Self::Leaf { data, defined, repeated, lists } => {
                let Some(mut column) = group.next_column()? else {
                    return Err(ParquetError::General("more columns than the schema has".into()));
                };
                let (defined, repeated) = (Some(&defined[..]), (lists > 0).then_some(&repeated[..]));
                match data {
                    Data::Bytes(d) => column.typed::<ByteArrayType>().write_batch(&d, defined, repeated)?,
                    Data::Int(d) => column.typed::<Int64Type>().write_batch(&d, defined, repeated)?,
                    Data::Bool(d) => column.typed::<BoolType>().write_batch(&d, defined, repeated)?,
                };
                column.close()
            }
        }
    }
}

impl Data {
    /// Whether the value is there; one of another type counts as absent.
    fn push(&mut self, value: Value) -> bool {
        match (self, value) {
            (Self::Bytes(data), Value::Text(text)) => data.push(text.into_bytes().into()),
            (Self::Int(data), Value::Int(number)) => data.push(number),
            (Self::Bool(data), Value::Bool(yes)) => data.push(yes),
            _ => return false,
        }
        true
    }
}

/// For `map_err` on writing: what the operating system said is kept apart from what the format said.
pub(crate) fn failed<'p>(action: &'static str, path: &'p Path) -> impl FnOnce(ParquetError) -> Error + 'p {
    move |error| match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => Error::Io { action, path: path.into(), source: *source },
            Err(other) => Error::malformed(path, other.to_string()),
        },
        other => Error::malformed(path, other.to_string()),
    }
}
