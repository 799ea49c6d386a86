//! Examples with the definition they follow.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_harness_core::{Example, Hasher};

use crate::SplitDef;

/// Where the examples of a split come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Drawn from the definition, and so drawn again to verify.
    Generated,
    /// Read from someone else's file.
    Imported,
}

/// A split in memory.
#[derive(Clone, Debug)]
pub struct Split {
    /// What it was made from.
    pub def: SplitDef,
    /// Where from.
    pub source: Source,
    /// Examples in order, with unique ids.
    pub examples: Vec<Example>,
    /// In words, where the space holds fewer distinct examples than the definition asks for, in all or of a
    /// size.
    pub ceiling: Option<String>,
}

impl Split {
    /// SHA-256 over the definition, the generator version, and every id and exact canonical form.
    #[must_use]
    pub fn hash(&self) -> String {
        let definition = serde_json::to_value(&self.def).expect("a definition is plain data");
        let start = Hasher::default()
            .part(b"vrrl split 1")
            .part(vrrl_generators::VERSION.to_le_bytes())
            .part(sorted(&definition));
        let rows = self
            .examples
            .iter()
            .fold(start, |hasher, example| hasher.part(&example.id).part(example.problem.canonical().exact));
        rows.hex()
    }

    /// The first `limit` examples.
    #[must_use]
    pub fn head(&self, limit: usize) -> Self {
        Self { examples: self.examples.iter().take(limit).cloned().collect(), ..self.clone() }
    }
}

/// JSON with sorted keys, whatever order the map type of the build keeps.
pub(crate) fn sorted(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            let pair = |key: &String| format!("{}:{}", Value::String(key.clone()), sorted(&map[key]));
            format!("{{{}}}", keys.into_iter().map(pair).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}
