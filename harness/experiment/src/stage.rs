//! Stages and the record that says one is done.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vrrl_harness::CODE_VERSION;

use crate::{store, Error, Result};

/// File in a stage's folder that says the stage is done, and from which inputs.
const FILE: &str = "stage.json";

/// What a stage does.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Work {
    /// Writes the splits and proves that they do not overlap.
    Splits,
    /// Trains `methods[method]` with a seed.
    Train { method: usize, seed: u64 },
    /// Writes the checkpoint of `methods[method]` with a seed as ONNX graphs.
    Export { method: usize, seed: u64 },
    /// Scores a policy under a decoding.
    Eval { model: Model, temperature: f64 },
    /// Writes tables and page.
    Report,
}

/// What is scored.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Model {
    /// The checkpoint of `methods[method]` with a seed.
    Trained { method: usize, seed: u64 },
    /// Its ONNX graphs.
    Exported { method: usize, seed: u64 },
    /// A MODEL word without learning.
    Reference(String),
}

/// One stage of an experiment.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Stage {
    /// Name for people, unique.
    pub name: String,
    /// Its folder.
    pub dir: PathBuf,
    /// SHA-256 over everything that decides its result.
    pub inputs: String,
    /// Stages it waits for, by index.
    pub needs: Vec<usize>,
    /// Seconds it may take.
    pub estimate: f64,
    /// What it does.
    pub work: Work,
}

/// `stage.json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub format: u32,
    pub stage: String,
    pub inputs: String,
    pub code_version: String,
    /// Wall-clock seconds, all attempts where the stage knows them.
    pub seconds: f64,
    /// Largest resident memory of the process so far, where the system says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_bytes: Option<u64>,
    /// What the stage wants to say about its result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// A training's own report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<crate::Trained>,
}

impl Stage {
    /// The record of this stage if it is done from the inputs it would have now.
    pub(crate) fn done(&self) -> Result<Option<Record>> {
        let Some(record) = store::read_json::<Record>(&self.dir.join(FILE))? else { return Ok(None) };
        if record.format > vrrl_harness_core::FORMAT {
            let reason =
                format!("format {} is newer than this program reads; use a newer one", record.format);
            return Err(Error::content(&self.dir.join(FILE), "", reason));
        }
        // Tables and page are always made again without loss.
        if record.inputs != self.inputs && self.work == Work::Report {
            return Ok(None);
        }
        if record.inputs != self.inputs {
            return Err(Error::Stale { stage: self.name.clone(), dir: self.dir.clone() });
        }
        Ok(Some(record))
    }

    /// Says that this stage is done.
    pub(crate) fn finish(
        &self,
        seconds: f64,
        notes: Vec<String>,
        training: Option<crate::Trained>,
    ) -> Result<Record> {
        let record = Record {
            format: vrrl_harness_core::FORMAT,
            stage: self.name.clone(),
            inputs: self.inputs.clone(),
            code_version: CODE_VERSION.to_owned(),
            seconds,
            peak_bytes: peak_bytes(),
            notes,
            training,
        };
        store::write_json(&self.dir.join(FILE), &record)?;
        Ok(record)
    }
}

/// Largest resident memory of this process so far, where the system says.
pub(crate) fn peak_bytes() -> Option<u64> {
    peak_of(&std::fs::read_to_string(Path::new("/proc/self/status")).ok()?)
}

fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(dir: &Path, inputs: &str) -> Stage {
        Stage {
            name: "splits".into(),
            dir: dir.to_path_buf(),
            inputs: inputs.into(),
            needs: vec![],
            estimate: 1.0,
            work: Work::Splits,
        }
    }

    #[test]
    fn a_stage_is_known_by_its_inputs() {
        let dir = tempfile::tempdir().unwrap();
        let first = stage(dir.path(), "a");
        assert_eq!(first.done().unwrap(), None);
        let record = first.finish(1.5, vec![], None).unwrap();
        assert_eq!(first.done().unwrap(), Some(record));
        let error = stage(dir.path(), "b").done().unwrap_err().to_string();
        assert!(error.contains("splits") && error.contains("other inputs"), "{error}");
        std::fs::write(dir.path().join(FILE), "{\"format\": 1, ").unwrap();
        assert!(first.done().unwrap_err().to_string().contains("stage.json:1"));
    }

    #[test]
    fn memory_is_read_from_the_status() {
        assert_eq!(peak_of("Name:\tx\nVmHWM:\t  2048 kB\n"), Some(2 << 20));
        assert_eq!(peak_of("Name: x\n"), None);
    }
}
