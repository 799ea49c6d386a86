//! Keys of a sweep: `METHOD.PATH`, a path into the method's recipe, or how it is started and scored.

use serde_yaml::{Mapping, Value};

use vrrl_baselines::Mix;

use crate::{yaml, Error, Experiment, MethodEntry, Result};

/// Blocks of a recipe.
const BLOCKS: [&str; 5] = ["network", "demos", "sft", "tuning", "rl"];
/// What else of a method may differ between variants.
const OWN: [&str; 3] = ["init", "train", "max_turns"];

/// A checked key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Key {
    /// As it was written.
    pub text: String,
    /// The method.
    pub method: String,
    /// The path behind it, at least one part.
    pub path: Vec<String>,
}

impl Key {
    /// Reads a key; what stands behind the recipe's block is left to the recipe.
    pub(crate) fn read(text: &str, experiment: &Experiment) -> Result<Self> {
        let refuse = |reason: String| Err(Error::Input(format!("key `{text}`: {reason}")));
        let mut parts = text.split('.').map(str::to_owned);
        let method = parts.next().unwrap_or_default();
        let path: Vec<String> = parts.collect();
        let methods: Vec<String> = experiment.methods.iter().map(|entry| entry.name.clone()).collect();
        if !methods.contains(&method) {
            let all = ["eval", "splits", "dialect", "device", "references", "maps", "seeds"];
            if all.contains(&method.as_str()) {
                return refuse(
                    "it is the same for a whole sweep, so that its rows compare; put it under `set`, or sweep again with \
                     another"
                        .into(),
                );
            }
            let near =
                yaml::nearest(&method, &methods).map(|m| format!("did you mean `{m}`? ")).unwrap_or_default();
            return refuse(format!("`{method}` is no method; {near}(methods: {})", methods.join(", ")));
        }
        let known: Vec<String> = BLOCKS.iter().chain(&OWN).map(|word| (*word).to_owned()).collect();
        let Some(first) = path.first() else {
            return refuse(format!("say what of the method differs: `{method}.KEY` ({})", known.join(", ")));
        };
        if path.iter().any(String::is_empty) {
            return refuse("a part between two points is empty".into());
        }
        if first == "seed" {
            return refuse("seeds stand under `seeds`, the same for every variant".into());
        }
        if !known.contains(first) {
            let near =
                yaml::nearest(first, &known).map(|k| format!("; did you mean `{k}`?")).unwrap_or_default();
            return refuse(format!("unknown key `{first}`{near} (known: {})", known.join(", ")));
        }
        if OWN.contains(&first.as_str()) && path.len() > 1 {
            return refuse(format!("`{first}` has no keys of its own"));
        }
        Ok(Self { text: text.to_owned(), method, path })
    }

    /// Whether one of two keys holds the other.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.method == other.method && self.path.iter().zip(&other.path).all(|(a, b)| a == b)
    }

    /// Lays a value into a method.
    pub(crate) fn set(&self, entry: &mut MethodEntry, value: &Value) -> Result<()> {
        let refuse = |what: &str| Err(Error::Input(format!("key `{}`: {what}", self.text)));
        match (self.path[0].as_str(), value) {
            ("init", Value::String(name)) => entry.init = Some(name.clone()),
            ("init", Value::Null) => entry.init = None,
            ("init", _) => return refuse("a start is a method's name, or null"),
            ("train", Value::String(name)) => entry.train = Some(Mix::One(name.clone())),
            ("train", _) => return refuse("a split's name, or a materialized folder"),
            ("max_turns", value) => match value.as_u64().and_then(|n| usize::try_from(n).ok()) {
                Some(turns) if turns > 0 => entry.max_turns = Some(turns),
                _ => return refuse("a whole number of at least 1"),
            },
            _ => {
                self.rescale(entry, value);
                let mut recipe = Value::Mapping(std::mem::take(&mut entry.recipe));
                put(&mut recipe, self.path.iter().map(String::as_str), value.clone());
                if let Value::Mapping(recipe) = recipe {
                    entry.recipe = recipe;
                }
            }
        }
        Ok(())
    }

    /// Another number of steps takes another time.
    fn rescale(&self, entry: &mut MethodEntry, value: &Value) {
        let [block, key] = &self.path[..] else { return };
        let before = entry.recipe.get(block.as_str()).and_then(|block| block.get("steps")?.as_f64());
        if let (true, Some(before), Some(now)) = (key == "steps", before, value.as_f64()) {
            entry.estimate_seconds = entry.estimate_seconds.map(|seconds| seconds * now / before.max(1.0));
        }
    }
}

/// Puts a value at a path, making the blocks on the way.
pub(crate) fn put<'k>(at: &mut Value, mut path: impl Iterator<Item = &'k str>, value: Value) {
    let Some(key) = path.next() else {
        *at = value;
        return;
    };
    if !at.is_mapping() {
        *at = Value::Mapping(Mapping::new());
    }
    if let Value::Mapping(map) = at {
        put(map.entry(Value::from(key)).or_insert(Value::Null), path, value);
    }
}

/// Shortest end of each key's path that no other key has, as part of a name: `share`, or `buffer-share`.
pub(crate) fn short_names(keys: &[Key]) -> Vec<String> {
    let end = |key: &Key, parts: usize| {
        let all: Vec<&str> = std::iter::once(&key.method).chain(&key.path).map(String::as_str).collect();
        all[all.len().saturating_sub(parts)..].join("-")
    };
    keys.iter()
        .map(|key| {
            let most = key.path.len() + 1;
            let clear = |parts: &usize| {
                keys.iter().filter(|other| end(other, *parts) == end(key, *parts)).count() == 1
            };
            let parts = (1..=most).find(clear).unwrap_or(most);
            plain(&end(key, parts))
        })
        .collect()
}

/// A value as part of a name.
pub(crate) fn value_name(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => plain(&number.to_string().replace('-', "m")),
        Value::String(text) => plain(text),
        Value::Sequence(items) => items.iter().map(value_name).collect::<Vec<_>>().join("_"),
        Value::Mapping(map) if map.is_empty() => "default".into(),
        Value::Mapping(map) => {
            let part = |(key, value): (&Value, &Value)| format!("{}-{}", value_name(key), value_name(value));
            map.iter().map(part).collect::<Vec<_>>().join("-")
        }
        Value::Tagged(tagged) => value_name(&tagged.value),
    }
}

/// Letters, digits and `_`, as in a folder of an experiment.
fn plain(text: &str) -> String {
    let keep = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    text.to_lowercase().chars().map(|c| if keep(c) { c } else { '_' }).collect()
}

/// A value in one line, for a table.
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string(other).unwrap_or_else(|_| "?".into()),
    }
}
