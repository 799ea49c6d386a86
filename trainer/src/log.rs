//! `training.jsonl`: one line of numbers a step.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::Error;

/// The step log; appended and flushed, cut back to the checkpoint on resuming.
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Opens `training.jsonl` in `dir`, keeping the lines up to and including `step`.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn open(dir: &Path, step: u64) -> Result<Self, Error> {
        let path = dir.join("training.jsonl");
        let io = |source| Error::Io { path: path.clone(), source };
        let old = if path.exists() { fs::read_to_string(&path).map_err(io)? } else { String::new() };
        let keep: String = old
            .split_inclusive('\n')
            .filter(|line| {
                let value: Option<Value> = serde_json::from_str(line).ok();
                value.and_then(|v| v["step"].as_u64()).is_some_and(|s| s <= step)
            })
            .collect();
        let part = dir.join("training.jsonl.part");
        fs::write(&part, keep).and_then(|()| fs::rename(&part, &path)).map_err(io)?;
        let file = OpenOptions::new().append(true).open(&path).map_err(io)?;
        Ok(Self { path, file })
    }

    /// Appends one line; numbers that are not finite are left out.
    ///
    /// # Errors
    /// If the disk is full or gone.
    pub fn write(&mut self, step: u64, figures: &[(String, f64)]) -> Result<(), Error> {
        let mut line = Map::new();
        line.insert("step".into(), step.into());
        for (name, value) in figures {
            if let Some(number) = serde_json::Number::from_f64(*value) {
                line.insert(name.clone(), number.into());
            }
        }
        let text = format!("{}\n", Value::Object(line));
        self.file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.flush())
            .map_err(|source| Error::Io { path: self.path.clone(), source })
    }
}
