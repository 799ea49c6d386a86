//! The sweep file.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_yaml::{Mapping, Value};

use super::key::Key;
use crate::{preset, store, yaml, Error, Experiment, Result, PRESETS};

/// A sweep as its file says it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Format of the file, 1.
    pub format: u32,
    /// Name; the default directory is `runs/NAME`.
    pub name: String,
    /// Title of page and table.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What is varied: an experiment's file (its path from the sweep's file), a built-in one's name, or one written out.
    pub experiment: Value,
    /// Training seeds; the experiment's where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<u64>,
    /// Runs at a time; changes no result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<usize>,
    /// The method, or row of the table, that every variant is compared with, paired by seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Settings that are the same in every variant: a key of the experiment (`eval.limit`), or `METHOD.KEY`.
    #[serde(default, skip_serializing_if = "Mapping::is_empty")]
    pub set: Mapping,
    /// Lists of values by `METHOD.KEY`; every combination is a variant.
    #[serde(default, skip_serializing_if = "Mapping::is_empty")]
    pub grid: Mapping,
    /// Values by `METHOD.KEY`, by the variant's name.
    #[serde(default, skip_serializing_if = "Mapping::is_empty")]
    pub variants: Mapping,
}

impl Sweep {
    /// Reads a sweep file.
    ///
    /// # Errors
    /// [`Error::Content`] with file, line and, for an unknown key, the nearest known one.
    pub fn open(path: &Path) -> Result<Self> {
        Self::from_yaml(&store::read_text(path)?, path)
    }

    /// Reads a sweep's text; `path` is for messages and for where other files are looked for.
    ///
    /// # Errors
    /// As [`Sweep::open`]; an experiment that does not read.
    pub fn from_yaml(text: &str, path: &Path) -> Result<Self> {
        let mut sweep: Self = yaml::read(text, path)?;
        if sweep.format != vrrl_harness_core::FORMAT {
            let reason = format!("format {} is not known here; this program reads format 1", sweep.format);
            return Err(Error::content(path, "", reason));
        }
        sweep.resolve(path)?;
        Ok(sweep)
    }

    /// The file with its experiment written out and `set` and `seeds` laid into it.
    ///
    /// # Errors
    /// None in practice; a value that YAML cannot hold.
    pub fn to_yaml(&self) -> Result<String> {
        serde_yaml::to_string(self).map_err(|e| Error::Input(format!("sweep {}: {e}", self.name)))
    }

    /// The experiment that is varied.
    ///
    /// # Errors
    /// None after reading; an experiment that makes no sense.
    pub fn experiment(&self) -> Result<Experiment> {
        let experiment: Experiment = serde_yaml::from_value(self.experiment.clone())
            .map_err(|e| Error::Input(format!("experiment: {}", yaml::explain(&e.to_string()))))?;
        experiment.check()?;
        Ok(experiment)
    }

    /// Writes the experiment out, with what the sweep lays over it.
    fn resolve(&mut self, path: &Path) -> Result<()> {
        let mut experiment = match &self.experiment {
            Value::String(name) => named(name, path)?,
            Value::Mapping(_) => self.experiment().map_err(|e| within(path, "experiment", e))?,
            _ => {
                let reason =
                    "give an experiment's file, the name of a built-in one, or an experiment written out";
                return Err(Error::content(path, ", key experiment", reason));
            }
        };
        for (key, value) in std::mem::take(&mut self.set) {
            let key = key.as_str().unwrap_or_default();
            experiment = set(experiment, key, value).map_err(|e| within(path, &format!("set.{key}"), e))?;
        }
        if self.seeds.is_empty() {
            self.seeds.clone_from(&experiment.seeds);
        }
        experiment.seeds.clone_from(&self.seeds);
        experiment.check().map_err(|e| within(path, "experiment", e))?;
        self.experiment = serde_yaml::to_value(&experiment)
            .map_err(|e| Error::content(path, ", key experiment", e.to_string()))?;
        Ok(())
    }
}

/// The experiment behind a preset's name or a path.
fn named(name: &str, path: &Path) -> Result<Experiment> {
    if let Some(text) = preset(name) {
        return Experiment::from_yaml(text, Path::new(name));
    }
    let file = path.parent().unwrap_or(Path::new("")).join(name);
    if !file.is_file() {
        let known = PRESETS.map(|(name, _)| name).join(", ");
        let reason = format!("no file {}, and no built-in experiment {name:?} ({known})", file.display());
        return Err(Error::content(path, ", key experiment", reason));
    }
    Experiment::open(&file)
}

/// The experiment with one setting changed.
fn set(mut experiment: Experiment, key: &str, value: Value) -> Result<Experiment> {
    let first = key.split('.').next().unwrap_or_default();
    if experiment.method(first).is_some() {
        let key = Key::read(key, &experiment)?;
        let entry = experiment.methods.iter_mut().find(|entry| entry.name == first);
        if let Some(entry) = entry {
            key.set(entry, &value)?;
        }
        return Ok(experiment);
    }
    if ["methods", "name", "title", "notes", "seeds"].contains(&first) {
        return Err(Error::Input(format!("`{key}` is not set here; a method's setting is METHOD.KEY")));
    }
    let unsaid = |e: serde_yaml::Error| Error::Input(yaml::explain(&e.to_string()));
    let mut all = serde_yaml::to_value(&experiment).map_err(unsaid)?;
    super::key::put(&mut all, key.split('.'), value);
    serde_yaml::from_value(all).map_err(unsaid)
}

/// An error about one key of the file.
pub(crate) fn within(path: &Path, key: &str, error: Error) -> Error {
    Error::content(path, format!(", key {key}"), crate::experiment::chain(&error))
}
