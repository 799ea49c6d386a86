//! The experiment file.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_yaml::{Mapping, Value};
use vrrl_baselines::{without_line, Method, Mix, Recipe};
use vrrl_harness_core::Dialect;
use vrrl_harness_runner_candle::DEVICES;

use crate::{yaml, Error, Result};

/// The experiments that come with the program: name and file.
pub const PRESETS: [(&str, &str); 4] = [
    ("quickstart", include_str!("../presets/quickstart.yaml")),
    ("mazes", include_str!("../presets/mazes.yaml")),
    ("ablations", include_str!("../presets/ablations.yaml")),
    ("reference", include_str!("../presets/reference.yaml")),
];

/// The file of a built-in experiment, comments included.
#[must_use]
pub fn preset(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// How replies are sampled in an evaluation: `greedy`, or `t1`, `t0.7`, ...
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Decoding(pub f64);

impl fmt::Display for Decoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > 0.0 {
            write!(f, "t{}", self.0)
        } else {
            f.write_str("greedy")
        }
    }
}

impl Serialize for Decoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "greedy" {
            return Ok(Self(0.0));
        }
        let temperature =
            text.strip_prefix('t').and_then(|t| t.parse::<f64>().ok()).filter(|t| t.is_finite() && *t > 0.0);
        temperature
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom(format!("decoding {text:?}; use greedy, t1, t0.7, ...")))
    }
}

/// Which splits an experiment uses, by name.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitNames {
    /// Trained on: a name, or a list of names for equal parts of each.
    pub train: Mix,
    /// Checkpoints are chosen on it.
    pub val: Mix,
    /// Scored and reported, but for development: what choices were made on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dev: Vec<String>,
    /// Scored and reported; a name or a materialized folder.
    pub test: Vec<String>,
}

/// One training.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodEntry {
    /// Name of the checkpoint's folder, `[a-z0-9_]`.
    pub name: String,
    /// What is done.
    pub method: Method,
    /// The method whose checkpoint it starts from; from scratch where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
    /// What it trains on instead of the experiment's (a base that knows more tasks than are trained later).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<Mix>,
    /// What chooses its checkpoint instead of the experiment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val: Option<Mix>,
    /// Trained once, with the first seed, for all seeds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Most turns when scored; the experiment's where absent (a policy of single answers has 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_turns: Option<usize>,
    /// Whether it is scored; one that only serves as a start need not be.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub scored: bool,
    /// Whether the checkpoint is exported as ONNX graphs too, and these scored beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub onnx: bool,
    /// Seconds that it took where the file was written, two cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate_seconds: Option<f64>,
    /// The stages' settings, as in a recipe; what is left out has the recipe's default.
    #[serde(default, skip_serializing_if = "Mapping::is_empty")]
    pub recipe: Mapping,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_true(value: &bool) -> bool {
    *value
}

/// How checkpoints are scored.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvalSettings {
    /// Decodings, the primary one first.
    pub decodings: Vec<Decoding>,
    /// Only the first examples of each split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Most turns, commit included.
    pub max_turns: usize,
    /// Longest reply in the policy's tokens.
    pub max_tokens: usize,
    /// Evaluation seed.
    pub seed: u64,
    /// Of how many episodes of each split the images are kept, for the trace viewer.
    pub save_images: usize,
    /// Seconds that one checkpoint under one decoding took where the file was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate_seconds: Option<f64>,
}

impl Default for EvalSettings {
    fn default() -> Self {
        Self {
            decodings: vec![Decoding(1.0), Decoding(0.0)],
            limit: None,
            max_turns: 8,
            max_tokens: 64,
            seed: 0,
            save_images: 16,
            estimate_seconds: None,
        }
    }
}

/// An experiment, resolved: what `experiment.yaml` holds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Name; the default directory is `runs/NAME`.
    pub name: String,
    /// Title of the page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Sentences for the page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Training seeds; with more than one, folders end in `-s<seed>`.
    pub seeds: Vec<u64>,
    /// Folders end in `-s<seed>` with one seed as well, so that others can join them later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seed_folders: bool,
    /// Turn language.
    pub dialect: Dialect,
    /// `cpu`, `cuda` or `cuda-bf16`.
    #[serde(default = "cpu")]
    pub device: String,
    /// Splits.
    pub splits: SplitNames,
    /// Trainings, each after the one it starts from.
    pub methods: Vec<MethodEntry>,
    /// Scoring.
    #[serde(default)]
    pub eval: EvalSettings,
    /// Rows to read the table against: `oracle`, `random`, `repeat`, `noisy-oracle:P`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// Files of third-party maps to score on as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maps: Vec<PathBuf>,
}

fn cpu() -> String {
    "cpu".into()
}

/// Keys of a recipe that the experiment sets.
const SET_OUTSIDE: [&str; 5] = ["method", "seed", "train", "val", "dialect"];

impl Experiment {
    /// Reads and checks an experiment file; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Content`] with file, line and, for an unknown key, the nearest known one.
    pub fn from_yaml(text: &str, path: &Path) -> Result<Self> {
        let experiment: Self = yaml::read(text, path)?;
        experiment.validate().map_err(|reason| Error::content(path, "", reason))?;
        for entry in &experiment.methods {
            experiment.recipe(entry, experiment.seeds[0]).map_err(|error| {
                let Error::Recipe { name, reason } = error else { return error };
                let key = yaml::unknown_field(&reason).map(|(key, _)| key);
                let line = key.and_then(|key| yaml::line_of(text, &name, &key));
                let place = line.map_or_else(String::new, |line| format!(":{line}"));
                Error::content(
                    path,
                    place,
                    format!("method {name}: {}", without_line(&yaml::explain(&reason))),
                )
            })?;
        }
        Ok(experiment)
    }

    /// The checks of [`Experiment::from_yaml`] for one that was put together in memory.
    ///
    /// # Errors
    /// [`Error::Input`] or [`Error::Recipe`] with the method's name.
    pub(crate) fn check(&self) -> Result<()> {
        self.validate().map_err(Error::Input)?;
        let explained = |error| match error {
            Error::Recipe { name, reason } => Error::Recipe { name, reason: explained(&reason) },
            other => other,
        };
        self.methods
            .iter()
            .try_for_each(|entry| self.recipe(entry, self.seeds[0]).map(drop).map_err(explained))
    }

    /// Reads an experiment file from disk. Files of splits and maps that are not where it is run from are looked for
    /// beside it.
    ///
    /// # Errors
    /// As [`Experiment::from_yaml`].
    pub fn open(path: &Path) -> Result<Self> {
        let mut experiment = Self::from_yaml(&crate::store::read_text(path)?, path)?;
        crate::data::look_beside(path, experiment.split_names_mut());
        let beside = path.parent().unwrap_or(Path::new(""));
        for maps in &mut experiment.maps {
            let file = beside.join(&*maps);
            if !maps.exists() && file.exists() {
                *maps = file;
            }
        }
        Ok(experiment)
    }

    /// Every split that is named anywhere.
    fn split_names_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let SplitNames { train, val, dev, test } = &mut self.splits;
        let own = self.methods.iter_mut().flat_map(|entry| [&mut entry.train, &mut entry.val]).flatten();
        let mixes = [train, val].into_iter().chain(own).flat_map(Mix::names_mut);
        mixes.chain(dev).chain(test)
    }

    /// The file as it is written beside the results.
    ///
    /// # Errors
    /// None in practice; a value that YAML cannot hold.
    pub fn to_yaml(&self) -> Result<String> {
        serde_yaml::to_string(self).map_err(|e| Error::Input(format!("experiment {}: {e}", self.name)))
    }

    /// The recipe of one method with one seed.
    ///
    /// # Errors
    /// [`Error::Recipe`] naming the method.
    pub fn recipe(&self, entry: &MethodEntry, seed: u64) -> Result<Recipe> {
        let refuse = |reason: String| Error::Recipe { name: entry.name.clone(), reason };
        if let Some(key) = SET_OUTSIDE.iter().find(|key| entry.recipe.contains_key(**key)) {
            return Err(refuse(format!("`{key}` stands in the recipe; the experiment sets it outside")));
        }
        let mut all = Mapping::new();
        let method = Value::from(entry.method.word());
        let names = |mix: &Mix| serde_yaml::to_value(mix).map_err(|e| refuse(e.to_string()));
        let [train, val] = self.mixes(entry);
        let dialect = Value::from(self.dialect.word());
        let outside: [Value; 5] = [method, Value::from(seed), names(train)?, names(val)?, dialect];
        for (key, value) in SET_OUTSIDE.into_iter().zip(outside) {
            all.insert(Value::from(key), value);
        }
        all.extend(entry.recipe.clone());
        let text = serde_yaml::to_string(&all).map_err(|e| refuse(e.to_string()))?;
        let recipe = Recipe::from_yaml(&text).map_err(|e| refuse(chain(&e)))?;
        recipe.validate().map_err(|e| refuse(chain(&e)))?;
        Ok(recipe)
    }

    /// What a method trains on, and what chooses its checkpoint.
    pub(crate) fn mixes<'e>(&'e self, entry: &'e MethodEntry) -> [&'e Mix; 2] {
        [entry.train.as_ref().unwrap_or(&self.splits.train), entry.val.as_ref().unwrap_or(&self.splits.val)]
    }

    /// Every split that any method trains on, and every one that chooses a checkpoint; each once.
    pub(crate) fn used(&self) -> [Vec<&String>; 2] {
        let own = [&self.splits.train, &self.splits.val];
        [0, 1].map(|part| {
            let mut names: Vec<&String> = own[part].names().iter().collect();
            for name in self.methods.iter().flat_map(|entry| self.mixes(entry)[part].names()) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            names
        })
    }

    /// The method of this name.
    pub(crate) fn method(&self, name: &str) -> Option<&MethodEntry> {
        self.methods.iter().find(|entry| entry.name == name)
    }

    /// Name of the checkpoint of a method with a seed.
    pub(crate) fn checkpoint(&self, entry: &MethodEntry, seed: u64) -> String {
        if entry.shared || (self.seeds.len() == 1 && !self.seed_folders) {
            entry.name.clone()
        } else {
            format!("{}-s{seed}", entry.name)
        }
    }

    /// The seeds that a method is trained with.
    pub(crate) fn seeds_of(&self, entry: &MethodEntry) -> &[u64] {
        if entry.shared {
            &self.seeds[..1]
        } else {
            &self.seeds
        }
    }

    fn validate(&self) -> Result<(), String> {
        let plain = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
        };
        if !plain(&self.name) {
            return Err(format!("name {:?} names a folder; use a-z, 0-9, _ and -", self.name));
        }
        let distinct: BTreeSet<u64> = self.seeds.iter().copied().collect();
        if self.seeds.is_empty() || distinct.len() != self.seeds.len() {
            return Err("seeds: give at least one seed, none of them twice".into());
        }
        if self.methods.is_empty() && self.references.is_empty() {
            return Err("methods: nothing to train and no references to score; name at least one".into());
        }
        if self.references.is_empty() && !self.methods.iter().any(|entry| entry.scored || entry.onnx) {
            return Err("methods: none is scored and there are no references, so there would be nothing to report; let one be \
                        `scored`, or train a recipe of its own with `vrrl train`"
                .into());
        }
        if self.splits.test.is_empty() && self.maps.is_empty() {
            return Err(
                "splits.test: name at least one split to score on; `vrrl splits list` shows them".into()
            );
        }
        if self.eval.decodings.is_empty() || self.eval.max_turns == 0 || self.eval.limit == Some(0) {
            return Err("eval: needs at least one decoding, max_turns and limit of at least 1".into());
        }
        if !DEVICES.contains(&self.device.as_str()) {
            return Err(format!("device {:?}; there are {}", self.device, DEVICES.join(", ")));
        }
        for reference in &self.references {
            let known = matches!(reference.as_str(), "oracle" | "random" | "repeat")
                || reference.starts_with("noisy-oracle:");
            if !known {
                return Err(format!(
                    "references: {reference:?}; there are oracle, noisy-oracle:P, random and repeat"
                ));
            }
        }
        let mut before: Vec<&MethodEntry> = Vec::new();
        for entry in &self.methods {
            if !plain(&entry.name) || before.iter().any(|b| b.name == entry.name) {
                return Err(format!(
                    "methods: the name {:?} stands twice or names no folder (a-z, 0-9, _)",
                    entry.name
                ));
            }
            if let Some(init) = &entry.init {
                let Some(parent) = before.iter().find(|b| b.name == *init) else {
                    return Err(format!("method {}: init {init:?} is no method above it", entry.name));
                };
                if entry.shared && !parent.shared {
                    return Err(format!(
                        "method {}: shared, but starts from {init}, which has one checkpoint a seed",
                        entry.name
                    ));
                }
            }
            before.push(entry);
        }
        Ok(())
    }
}

/// An error with its sources, outermost first.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}

/// A message about a recipe with the nearest known key, and without the line that only generated text has.
pub(crate) fn explained(reason: &str) -> String {
    without_line(&yaml::explain(reason)).to_owned()
}

#[cfg(test)]
mod tests;
