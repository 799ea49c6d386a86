//! A training's curves as TensorBoard events, while it goes on.
//!
//! Events are appended as lines come into `training.jsonl`, which TensorBoard follows; at the end the whole file is written
//! anew, so that equal logs end with equal bytes however the training was interrupted.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::tensorboard;
use crate::info::TrainingLog;
use crate::{atomic, Error, Result};

/// Follows the log of one checkpoint directory.
#[derive(Debug)]
pub struct Follow {
    log: PathBuf,
    events: PathBuf,
    /// Bytes of the log that have become events.
    read: u64,
    begun: bool,
}

impl Follow {
    /// Of the training whose `training.jsonl` is or will be in `dir`. Writes nothing yet.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self { log: dir.join("training.jsonl"), events: dir.join(tensorboard::FILE), read: 0, begun: false }
    }

    /// Appends what the log has gained; begins anew where the log is shorter than it was.
    ///
    /// # Errors
    /// A log that does not read, or a file that cannot be written.
    pub fn update(&mut self) -> Result<()> {
        let Some(length) = self.length()? else { return Ok(()) };
        if !self.begun || length < self.read {
            let path = self.events.clone();
            fs::write(&path, tensorboard::version()).map_err(|source| Error::Write { path, source })?;
            (self.read, self.begun) = (0, true);
        }
        let new = self.lines()?;
        if new.is_empty() {
            return Ok(());
        }
        let events = tensorboard::rows(&self.parse(&new)?)?;
        OpenOptions::new()
            .append(true)
            .open(&self.events)
            .and_then(|mut file| file.write_all(&events))
            .map_err(|source| Error::Write { path: self.events.clone(), source })?;
        self.read += new.len() as u64;
        Ok(())
    }

    /// Writes the whole file; `None` where there is no log.
    ///
    /// # Errors
    /// As [`Follow::update`].
    pub fn finish(mut self) -> Result<Option<PathBuf>> {
        if self.length()?.is_none() {
            return Ok(None);
        }
        self.read = 0;
        let log = self.parse(&self.lines()?)?;
        let mut bytes = tensorboard::version();
        bytes.extend(tensorboard::rows(&log)?);
        atomic::write(&self.events, &bytes)?;
        Ok(Some(self.events))
    }

    fn length(&self) -> Result<Option<u64>> {
        match fs::metadata(&self.log) {
            Ok(data) => Ok(Some(data.len())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Read { path: self.log.clone(), source }),
        }
    }

    /// The whole lines behind what was read; one that is being written waits.
    fn lines(&self) -> Result<String> {
        let mut text = String::new();
        File::open(&self.log)
            .and_then(|mut file| {
                file.seek(SeekFrom::Start(self.read))?;
                file.read_to_string(&mut text)
            })
            .map_err(|source| Error::Read { path: self.log.clone(), source })?;
        text.truncate(text.rfind('\n').map_or(0, |at| at + 1));
        Ok(text)
    }

    fn parse(&self, text: &str) -> Result<TrainingLog> {
        let mut log = TrainingLog { method: self.log.display().to_string(), ..TrainingLog::default() };
        for line in text.lines() {
            let bad = |reason: String| Error::content(&self.log, line, reason);
            let value: serde_json::Value = serde_json::from_str(line).map_err(|e| bad(e.to_string()))?;
            let step = value.get("step").and_then(serde_json::Value::as_f64);
            log.push(step.ok_or_else(|| bad("no numeric `step`".into()))?, &value);
        }
        Ok(log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appended_and_whole_are_equal_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("training.jsonl");
        let events = dir.path().join(tensorboard::FILE);
        let mut follow = Follow::new(dir.path());
        follow.update().unwrap();
        assert!(!events.exists(), "without a log there is nothing to follow");
        assert_eq!(Follow::new(dir.path()).finish().unwrap(), None);

        fs::write(&log, "{\"step\":1,\"loss\":2.5}\n{\"step\":2,\"lo").unwrap();
        follow.update().unwrap();
        let one = fs::read(&events).unwrap();
        fs::write(&log, "{\"step\":1,\"loss\":2.5}\n{\"step\":2,\"loss\":1.5}\n").unwrap();
        follow.update().unwrap();
        follow.update().unwrap();
        let two = fs::read(&events).unwrap();
        assert!(two.len() > one.len() && two.starts_with(&one));
        let path = follow.finish().unwrap().unwrap();
        assert_eq!((&path, fs::read(&path).unwrap()), (&events, two));

        // A log that was cut back is followed from its beginning.
        let mut again = Follow::new(dir.path());
        again.update().unwrap();
        fs::write(&log, "{\"step\":1,\"loss\":2.5}\n").unwrap();
        again.update().unwrap();
        assert_eq!(fs::read(&events).unwrap(), one);
        fs::write(&log, "{\"loss\":2.5}\n").unwrap();
        assert!(Follow::new(dir.path()).finish().unwrap_err().to_string().contains("step"));
    }
}
