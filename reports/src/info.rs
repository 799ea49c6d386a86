//! What the caller tells of the experiment, besides its runs.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::traces::each_line;
use crate::Result;

/// One row of the claims table.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Claim {
    /// What is claimed, in words.
    pub what: String,
    /// The bar, in words; empty where none was set.
    pub bar: String,
    /// What was measured, in words, with its interval.
    pub measured: String,
    /// Whether the bar was met; `None` where there is no bar or nothing was measured.
    pub met: Option<bool>,
}

/// How long one stage took.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StageTiming {
    /// The stage.
    pub name: String,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// It was already done and recognised by the hash of its inputs.
    pub reused: bool,
}

/// Overlap of one test split with one training split (`vrrl splits audit`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditRow {
    /// Training split.
    pub train: String,
    /// Test split.
    pub test: String,
    /// Items in the training split.
    pub n_train: u64,
    /// Items in the test split.
    pub n_test: u64,
    /// Test items equal to a training item.
    pub exact: u64,
    /// Test items equal up to the task's symmetries.
    pub symmetric: u64,
    /// Test items with the same background only.
    pub same_pattern: u64,
    /// Test items distinct up to symmetry.
    pub distinct_test: u64,
}

/// Everything on the page that no run directory holds. All of it may be empty.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PageInfo {
    /// Title.
    pub title: String,
    /// The command that made all this.
    pub command: String,
    /// The resolved experiment file.
    pub experiment_yaml: String,
    /// Machine, in words.
    pub machine: String,
    /// Code version.
    pub code_version: String,
    /// Sentences shown under the headline (what is true but not flattering belongs here).
    pub notes: Vec<String>,
    /// Bars, and whether they were met.
    pub claims: Vec<Claim>,
    /// Time of every stage.
    pub stages: Vec<StageTiming>,
    /// Overlap of training and test splits.
    pub audit: Vec<AuditRow>,
    /// Bound on all embedded pictures, in bytes of PNG; 0 means the default of 8 MiB.
    pub image_budget: u64,
}

/// The log of one training run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TrainingLog {
    /// Method, as in the runs.
    pub method: String,
    /// Training seed.
    pub seed: Option<u64>,
    /// (step, series by name), in the order of the file.
    pub rows: Vec<(f64, BTreeMap<String, f64>)>,
    /// How often each mechanism fired, at the end of training.
    pub liveness: BTreeMap<String, f64>,
    /// What the training said on the way, each with its step.
    pub warnings: Vec<String>,
}

impl TrainingLog {
    /// Reads `training.jsonl`: one JSON object a line with `step` and any numeric series; nested objects
    /// become `outer.inner`; the object `liveness` holds counters, of which the last value counts.
    ///
    /// # Errors
    /// A missing file, or a line that is not a JSON object with a numeric `step`, named by number.
    pub fn read(method: &str, seed: Option<u64>, path: &Path) -> Result<Self> {
        let mut log = Self { method: method.to_owned(), seed, ..Self::default() };
        let mut line = 0_usize;
        let mut bad = None;
        each_line(path, |value: Value| {
            line += 1;
            match value.get("step").and_then(Value::as_f64) {
                Some(step) => log.push(step, &value),
                None => bad = bad.or(Some(line)),
            }
        })?;
        match bad {
            Some(line) => Err(crate::Error::content(
                path,
                format!("entry {line}"),
                "no numeric `step`; every line is an object with one",
            )),
            None => Ok(log),
        }
    }

    pub(crate) fn push(&mut self, step: f64, value: &Value) {
        let mut row = BTreeMap::new();
        for (key, value) in value.as_object().into_iter().flatten() {
            match key.as_str() {
                "step" => {}
                "liveness" => flatten("", value, &mut self.liveness),
                _ => flatten(key, value, &mut row),
            }
        }
        self.rows.push((step, row));
    }

    /// One series, by name.
    #[must_use]
    pub fn series(&self, name: &str) -> Vec<(f64, f64)> {
        self.rows.iter().filter_map(|(step, row)| Some((*step, *row.get(name)?))).collect()
    }
}

fn flatten(name: &str, value: &Value, into: &mut BTreeMap<String, f64>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, into);
            }
        }
        Value::Bool(b) => drop(into.insert(name.to_owned(), f64::from(u8::from(*b)))),
        _ => {
            if let Some(x) = value.as_f64() {
                into.insert(name.to_owned(), x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_read_generically_and_torn_ones_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("training.jsonl");
        std::fs::write(
            &path,
            "{\"step\":1,\"reward\":{\"total\":0.5},\"word\":\"x\",\"liveness\":{\"masked\":1}}\n\n{\"step\":2,\"turns\":2.5,\"liveness\":{\"masked\":7}}\n",
        )
        .unwrap();
        let log = TrainingLog::read("vrrl", Some(0), &path).unwrap();
        assert_eq!(log.series("reward.total"), [(1.0, 0.5)]);
        assert_eq!(log.series("turns"), [(2.0, 2.5)]);
        assert_eq!(log.liveness, BTreeMap::from([("masked".to_owned(), 7.0)]));

        std::fs::write(&path, "{\"step\":1}\n{\"step\":2,\"tur").unwrap();
        let error = TrainingLog::read("vrrl", None, &path).unwrap_err().to_string();
        assert!(error.contains("training.jsonl") && error.contains("line 2"), "{error}");
        std::fs::write(&path, "{\"loss\":1}\n").unwrap();
        assert!(TrainingLog::read("vrrl", None, &path).unwrap_err().to_string().contains("step"));
    }
}
