//! Columns and values of exported rows: one small tree of types that becomes parquet, JSON lines, and the
//! feature description of Hugging Face `datasets`.

use serde_json::{json, Map, Value as Json};

/// Type of a column, or of a part of one.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Type {
    Text,
    Int,
    Bool,
    /// A PNG: `struct{bytes, path}` in parquet, a relative path in JSON lines.
    Picture,
    List(Box<Type>),
    Struct(Columns),
}

/// Named types, in the order they are written.
pub(crate) type Columns = Vec<(&'static str, Type)>;

/// A value of a [`Type`].
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Null,
    Text(String),
    Int(i64),
    Bool(bool),
    Picture { path: String, png: Vec<u8> },
    List(Vec<Value>),
    Struct(Vec<Value>),
}

/// One value for each column.
pub(crate) type Row = Vec<Value>;

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl Type {
    pub(crate) fn list(of: Self) -> Self {
        Self::List(Box::new(of))
    }

    /// The type in the words of Hugging Face `datasets`. Lists are written as one-element arrays, which every
    /// version reads, not as the `List` that came with version 4.
    pub(crate) fn feature(&self) -> Json {
        match self {
            Self::Text => json!({ "dtype": "string", "_type": "Value" }),
            Self::Int => json!({ "dtype": "int64", "_type": "Value" }),
            Self::Bool => json!({ "dtype": "bool", "_type": "Value" }),
            Self::Picture => json!({ "_type": "Image" }),
            Self::List(of) => json!([of.feature()]),
            Self::Struct(columns) => features(columns),
        }
    }

    /// The value as JSON; pictures become their paths and are handed to `save`.
    pub(crate) fn json(&self, value: &Value, save: &mut impl FnMut(&str, &[u8])) -> Json {
        match (self, value) {
            (Self::Struct(columns), Value::Struct(values)) => Json::Object(object(columns, values, save)),
            (Self::List(of), Value::List(values)) => {
                values.iter().map(|value| of.json(value, save)).collect()
            }
            (_, Value::Text(text)) => json!(text),
            (_, Value::Int(number)) => json!(number),
            (_, Value::Bool(yes)) => json!(yes),
            (_, Value::Picture { path, png }) => {
                save(path, png);
                json!(path)
            }
            (_, Value::Null | Value::List(_) | Value::Struct(_)) => Json::Null,
        }
    }
}

/// The features of all columns.
pub(crate) fn features(columns: &Columns) -> Json {
    columns.iter().map(|(name, kind)| ((*name).to_owned(), kind.feature())).collect::<Map<_, _>>().into()
}

/// A row as a JSON object.
pub(crate) fn object(
    columns: &Columns,
    row: &[Value],
    save: &mut impl FnMut(&str, &[u8]),
) -> Map<String, Json> {
    columns
        .iter()
        .zip(row)
        .map(|((name, kind), value)| ((*name).to_owned(), kind.json(value, save)))
        .collect()
}
