//! Examples with the definition they follow.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_harness_core::{Example, Hasher};

use crate::plan::Plan;
use crate::{Error, Item, SplitDef};

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
    /// By position, where it is not 0: how often the additions of a structural shift were drawn anew until the
    /// shifted form was of the split's class, too. Stands as `again` in the params of the example's row.
    pub again: BTreeMap<usize, u32>,
    /// In words, where the space holds fewer distinct examples than the definition asks for, in all or of a
    /// size.
    pub ceiling: Option<String>,
}

impl Split {
    /// SHA-256 over the definition, the generator version, and every id and exact canonical form.
    #[must_use]
    pub fn hash(&self) -> String {
        let row = |hasher: Hasher, example: &Example| {
            hasher.part(&example.id).part(example.problem.canonical().exact)
        };
        self.examples.iter().fold(start_hash(&self.def), row).hex()
    }

    /// Some examples with the parameters that drew them.
    ///
    /// # Errors
    /// [`Error::Definition`] if its shifts are unknown.
    ///
    /// # Panics
    /// If the range ends beyond the examples.
    pub fn items(&self, range: Range<usize>) -> Result<Vec<Item>, Error> {
        let plan = match self.source {
            Source::Generated => Some(Plan::of(&self.def)?),
            Source::Imported => None,
        };
        let whole =
            plan.as_ref().map_or_else(|| Arc::new(self.def.params.clone()), |plan| plan.params.clone());
        let params = |index: usize| match (&plan, self.again.get(&index)) {
            (Some(plan), Some(&again)) => plan.params_of(again),
            _ => whole.clone(),
        };
        let item = |index: usize| Item { example: self.examples[index].clone(), params: params(index) };
        Ok(range.map(item).collect())
    }

    /// The first `limit` examples.
    #[must_use]
    pub fn head(&self, limit: usize) -> Self {
        Self {
            def: self.def.clone(),
            source: self.source,
            examples: self.examples.iter().take(limit).cloned().collect(),
            again: self.again.range(..limit).map(|(&position, &again)| (position, again)).collect(),
            ceiling: self.ceiling.clone(),
        }
    }
}

/// The start of [`Split::hash`]; id and exact form of every example follow as parts.
pub(crate) fn start_hash(def: &SplitDef) -> Hasher {
    let definition = serde_json::to_value(def).expect("a definition is plain data");
    Hasher::default()
        .part(b"vrrl split 1")
        .part(vrrl_generators::VERSION.to_le_bytes())
        .part(sorted(&definition))
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
