//! Training and hold-out examples by the names of their splits.

use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use vrrl_datasets::{example_at, find_or_read, generate, Purpose, SplitDef};
use vrrl_harness_core::{Example, Seed, TaskKind};

use crate::Error;

/// One split, or a mix of several by equal parts; a name that stands twice has twice the part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Mix {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Mix {
    /// The splits' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }

    /// What decides its examples: the definitions of its splits and the version of what draws them, wherever their files
    /// lie.
    ///
    /// # Errors
    /// If no split has a name, or it is not for this.
    pub fn substance(&self, purpose: Purpose) -> Result<Value, Error> {
        Ok(json!({"generators": vrrl_generators::VERSION, "splits": definitions(self, purpose)?}))
    }

    /// The same, to be changed.
    pub fn names_mut(&mut self) -> &mut [String] {
        match self {
            Self::One(name) => std::slice::from_mut(name),
            Self::Many(names) => names,
        }
    }
}

impl std::fmt::Display for Mix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.names().join(", "))
    }
}

impl From<&str> for Mix {
    fn from(name: &str) -> Self {
        Self::One(name.to_owned())
    }
}

/// An endless stream of training examples, whatever the `n` of its splits.
#[derive(Clone, Debug)]
pub struct Source {
    defs: Vec<SplitDef>,
}

impl Source {
    /// The stream of built-in splits, or of definitions' files (`.yaml`).
    ///
    /// # Errors
    /// If no split has a name, or it is not for training.
    pub fn find(mix: &Mix) -> Result<Self, Error> {
        let defs = definitions(mix, Purpose::Train)?;
        Ok(Self { defs })
    }

    /// The tasks of its splits.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskKind> {
        self.defs.iter().map(|def| def.task).collect()
    }

    /// Example `index`: of a mix, number `index` of the split that chance, seeded by the index alone, picks.
    ///
    /// # Errors
    /// If it cannot be generated.
    pub fn example(&self, index: u64) -> Result<Example, Error> {
        let at = match self.defs.len() {
            1 => 0,
            parts => Seed(index).derive("mix", 0).rng().index(parts),
        };
        example_at(&self.defs[at], index).map_err(|e| Error::Example { index, reason: e.to_string() })
    }
}

/// The examples of hold-out splits, built in or of definitions' files (`.yaml`); those of a mix take turns.
///
/// # Errors
/// If no split has a name, it is a test split (checkpoints are never chosen on one), or it cannot be made.
pub fn holdout(mix: &Mix) -> Result<Vec<Example>, Error> {
    let bad = |e: vrrl_datasets::Error| Error::Recipe(format!("`val`: {e}"));
    let mut parts = Vec::new();
    for def in definitions(mix, Purpose::Choose)? {
        parts.push(generate(&def).map_err(bad)?.examples.into_iter());
    }
    let mut all = Vec::new();
    while parts.iter().any(|part| part.len() > 0) {
        all.extend(parts.iter_mut().filter_map(Iterator::next));
    }
    Ok(all)
}

fn definitions(mix: &Mix, purpose: Purpose) -> Result<Vec<SplitDef>, Error> {
    let key = if purpose == Purpose::Train { "train" } else { "val" };
    let bad = |e: vrrl_datasets::Error| Error::Recipe(format!("`{key}`: {e}"));
    if mix.names().is_empty() {
        return Err(Error::Recipe(format!("`{key}` names no split; give a name or a list of names")));
    }
    let open = |name: &String| {
        let def = find_or_read(name).map_err(bad)?;
        def.open_for(purpose).map_err(bad)?;
        Ok(def)
    };
    mix.names().iter().map(open).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_has_equal_parts_and_one_split_is_as_without_a_mix() {
        let names = ["quick/table/table_train", "quick/chart/chart_train"].map(str::to_owned);
        let mixed = Source::find(&Mix::Many(names.to_vec())).unwrap();
        let tables = (0..200).filter(|&i| mixed.example(i).unwrap().task() == TaskKind::Table).count();
        assert!((70..130).contains(&tables), "{tables}");
        let one = Source::find(&names[0].as_str().into()).unwrap();
        let same = Source::find(&Mix::Many(vec![names[0].clone()])).unwrap();
        assert_eq!(one.example(3).unwrap().content_hash, same.example(3).unwrap().content_hash);
        let text = serde_yaml::to_string(&Mix::from("quick/maze/train")).unwrap();
        assert_eq!(text.trim(), "quick/maze/train");
    }

    #[test]
    fn holdouts_of_a_mix_take_turns() {
        let names = ["quick/table/table_id_val", "quick/chart/chart_id_val"].map(str::to_owned);
        let tasks: Vec<TaskKind> =
            holdout(&Mix::Many(names.to_vec())).unwrap().iter().take(4).map(Example::task).collect();
        assert_eq!(tasks, [TaskKind::Table, TaskKind::Chart, TaskKind::Table, TaskKind::Chart]);
        assert!(holdout(&Mix::Many(Vec::new())).unwrap_err().to_string().contains("names no split"));
        assert!(holdout(&"quick/table/table_test".into()).is_err(), "nothing is chosen on a test split");
    }
}
