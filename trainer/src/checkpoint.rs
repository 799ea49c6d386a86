//! Checkpoints on disk.
//!
//! While a stage runs, `state-<step>/` holds everything that resuming needs; a new one is written beside it
//! under a temporary name and renamed, then the old one goes. The finished stage's files stand in the
//! directory itself, `training.json` last: it is the mark of being finished. A state is a checkpoint too (weights,
//! sizes, vocabulary), so that another training can start from it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_harness_runner_candle::{CONFIG, TOKENIZER, WEIGHTS};

use crate::error::Place;
use crate::guard::Guard;
use crate::lock::Lock;
use crate::{Error, Learner};

const FORMAT: u32 = 1;
const OPTIMIZER: &str = "optimizer.safetensors";
const BEST: &str = "best.safetensors";
const STATE: &str = "state.json";
const TRAINING: &str = "training.json";
const FAILED: &str = "failed.json";
const PART: &str = "state.part";
/// File of everything about a finished stage that depends on the clock.
pub(crate) const TIMING: &str = "timing.json";

/// What a half-done stage keeps besides weights and moments.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Saved {
    /// File format.
    pub format: u32,
    /// See [`crate::Run::fingerprint`].
    pub fingerprint: String,
    /// Steps done.
    pub step: u64,
    /// Hold-out accuracy and step of the best weights so far.
    pub best: Option<(f64, u64)>,
    /// Seconds spent so far.
    pub seconds: f64,
    /// Seconds spent in the learner so far.
    pub learner_seconds: f64,
    /// Tokens learned from so far.
    pub tokens: u64,
    /// Losses and norms of the last steps.
    #[serde(default)]
    pub guard: Guard,
    /// The stage's own state (buffer, counters).
    pub stage: Value,
}

/// The checkpoints of one stage; while it is there, nobody else writes the directory.
pub struct Checkpoints {
    dir: PathBuf,
    fingerprint: String,
    _lock: Lock,
}

/// The record of a finished stage, if there is one with this fingerprint.
///
/// # Errors
/// If `training.json` stands there but belongs to another recipe, or cannot be read.
pub fn finished(dir: &Path, fingerprint: &str) -> Result<Option<Value>, Error> {
    let path = dir.join(TRAINING);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
    let value: Value = serde_json::from_str(&text)
        .map_err(|e| Error::File { path: path.clone(), reason: format!("not a training record: {e}") })?;
    if value["format"].as_u64().is_none_or(|format| format > u64::from(FORMAT)) {
        let reason = format!("its format is newer than {FORMAT}; update vrrl, or choose another folder");
        return Err(Error::File { path, reason });
    }
    if value["fingerprint"].as_str() == Some(fingerprint) {
        return Ok(Some(value));
    }
    let reason =
        "it was trained with another recipe, start or version; choose another folder or remove this one"
            .into();
    Err(Error::File { path, reason })
}

impl Checkpoints {
    /// Checkpoints in `dir`, which is made if missing.
    ///
    /// # Errors
    /// If it cannot be made, or another process trains into it.
    pub fn new(dir: &Path, fingerprint: &str) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(|source| Error::Io { path: dir.to_owned(), source })?;
        let lock = Lock::take(dir)?;
        Ok(Self { dir: dir.to_owned(), fingerprint: fingerprint.to_owned(), _lock: lock })
    }

    /// The newest state's directory; `None` before the first, or where the directory cannot be read.
    #[must_use]
    pub fn last(&self) -> Option<PathBuf> {
        self.states().ok()?.pop()
    }

    /// Puts the weights of the finished stage into `learner`, and removes what a kill after its last file may
    /// have left behind.
    ///
    /// # Errors
    /// If the weights are damaged, or the disk refuses.
    pub fn load_finished(&self, learner: &Learner) -> Result<(), Error> {
        let path = self.dir.join(WEIGHTS);
        let bytes = fs::read(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        learner.network.load(&bytes, &path)?;
        self.sweep()
    }

    /// Goes on from the newest state, if there is one: weights and moments are put into `learner`.
    ///
    /// # Errors
    /// If the state is damaged or belongs to another recipe.
    pub fn resume(&self, learner: &mut Learner) -> Result<Option<Saved>, Error> {
        let Some(state) = self.states()?.pop() else { return Ok(None) };
        let read = |name: &str| {
            let path = state.join(name);
            fs::read(&path).map(|bytes| (path.clone(), bytes)).map_err(|source| Error::Io { path, source })
        };
        let (path, bytes) = read(STATE)?;
        let saved: Saved = serde_json::from_slice(&bytes)
            .map_err(|e| Error::File { path: path.clone(), reason: format!("not a training state: {e}") })?;
        if saved.format > FORMAT || saved.fingerprint != self.fingerprint {
            let reason = "it belongs to another recipe, start or version; choose another folder or remove it";
            return Err(Error::File { path, reason: reason.into() });
        }
        let (path, bytes) = read(WEIGHTS)?;
        learner.network.load(&bytes, &path)?;
        let (path, bytes) = read(OPTIMIZER)?;
        learner.optimizer.load(learner.network.params(), &bytes, &path)?;
        Ok(Some(saved))
    }

    /// Writes a state. With `is_best` its weights are kept beside it as the best so far; else the old state's
    /// best weights are carried over. A step that has its state already is not written again: it would hold the same.
    ///
    /// # Errors
    /// If a weight is not finite, or the disk refuses; the old state is intact then, and nothing of the new one is left.
    pub fn save(&self, learner: &Learner, saved: &Saved, is_best: bool) -> Result<(), Error> {
        if let Some((name, _, value)) = learner.broken()? {
            let (part, value) = (format!("weight `{name}`"), f64::from(value));
            let last = self.last();
            return Err(Error::NotFinite { step: saved.step, part, value, place: Place::Step, last });
        }
        let old = self.states()?;
        let name = self.dir.join(format!("state-{:08}", saved.step));
        if old.contains(&name) {
            return Ok(());
        }
        let weights = learner.network.params().to_bytes()?;
        let kept = old.last().map(|dir| dir.join(BEST)).filter(|path| path.exists());
        let best = match kept {
            _ if is_best => Some(weights.clone()),
            Some(path) => Some(fs::read(&path).map_err(|source| Error::Io { path, source })?),
            None => None,
        };
        let mut files = vec![
            (WEIGHTS, weights),
            (CONFIG, json(learner.network.config()).into_bytes()),
            (TOKENIZER, learner.tokenizer.to_json().into_bytes()),
            (OPTIMIZER, learner.optimizer.to_bytes(learner.network.params())?),
        ];
        files.extend(best.map(|bytes| (BEST, bytes)));
        files.push((STATE, json(saved).into_bytes()));
        let part = self.dir.join(PART);
        let written = fill(&part, &files).and_then(|()| {
            // Left by a kill amid a removal; a whole one was found above.
            remove(&name)?;
            fs::rename(&part, &name).map_err(|source| Error::Io { path: name.clone(), source })
        });
        if let Err(error) = written {
            // On a full disk the half of a state is in the way; the first error is the one that matters.
            let _ = fs::remove_dir_all(&part);
            return Err(error);
        }
        settle(&self.dir)?;
        for dir in old {
            // First what makes it a state: half of it must not pass for one.
            fs::remove_file(dir.join(STATE))
                .and_then(|()| fs::remove_dir_all(&dir))
                .map_err(|source| Error::Io { path: dir, source })?;
        }
        Ok(())
    }

    /// Finishes the stage: the best weights (the last ones where none were chosen), the last step's moments,
    /// the clock's part (`timing.json`) and, as the mark of being finished, the record.
    ///
    /// # Errors
    /// If the disk refuses; the state is intact then, and the same command finishes.
    pub fn finish(&self, learner: &Learner, timing: &Value, record: &Value) -> Result<(), Error> {
        let state = self.states()?.pop();
        let best = state.as_ref().map(|dir| dir.join(BEST)).filter(|path| path.exists());
        let weights = match best {
            Some(path) => fs::read(&path).map_err(|source| Error::Io { path, source })?,
            None => learner.network.params().to_bytes()?,
        };
        self.replace(WEIGHTS, &weights)?;
        self.replace(CONFIG, json(learner.network.config()).as_bytes())?;
        self.replace(TOKENIZER, learner.tokenizer.to_json().as_bytes())?;
        self.replace(OPTIMIZER, &learner.optimizer.to_bytes(learner.network.params())?)?;
        self.replace(TIMING, json(timing).as_bytes())?;
        self.replace(TRAINING, json(record).as_bytes())?;
        self.sweep()
    }

    /// Writes the record of a stage that failed at its end, so that its counters can be read.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn fail(&self, record: &Value) -> Result<(), Error> {
        self.replace(FAILED, json(record).as_bytes())
    }

    /// Removes states and temporary files.
    fn sweep(&self) -> Result<(), Error> {
        let io = |source| Error::Io { path: self.dir.clone(), source };
        for entry in fs::read_dir(&self.dir).map_err(io)? {
            let path = entry.map_err(io)?.path();
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let removed = if name.starts_with("state-") || name == PART {
                fs::remove_dir_all(&path)
            } else if name.ends_with(".part") || name == FAILED {
                fs::remove_file(&path)
            } else {
                Ok(())
            };
            removed.map_err(|source| Error::Io { path, source })?;
        }
        Ok(())
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let (path, part) = (self.dir.join(name), self.dir.join(format!("{name}.part")));
        write(&part, bytes)
            .and_then(|()| fs::rename(&part, &path).map_err(|source| Error::Io { path, source }))
            .inspect_err(|_| {
                let _ = fs::remove_file(&part);
            })
    }

    /// Complete states, oldest first.
    fn states(&self) -> Result<Vec<PathBuf>, Error> {
        let io = |source| Error::Io { path: self.dir.clone(), source };
        let mut states = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(io)? {
            let path = entry.map_err(io)?.path();
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with("state-") && path.join(STATE).exists() {
                states.push(path);
            }
        }
        states.sort();
        Ok(states)
    }
}

/// Writes a file down to the disk: a rename that follows must not outlive its content.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    File::create(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|source| Error::Io { path: path.to_owned(), source })
}

/// Makes a folder anew with these files.
fn fill(dir: &Path, files: &[(&str, Vec<u8>)]) -> Result<(), Error> {
    remove(dir)?;
    fs::create_dir_all(dir).map_err(|source| Error::Io { path: dir.to_owned(), source })?;
    files.iter().try_for_each(|(name, bytes)| write(&dir.join(name), bytes))
}

/// Removes a folder that may not be there.
fn remove(dir: &Path) -> Result<(), Error> {
    if !dir.exists() {
        return Ok(());
    }
    fs::remove_dir_all(dir).map_err(|source| Error::Io { path: dir.to_owned(), source })
}

/// Brings a folder's renames down to the disk, where the system can: what they replace is removed next.
fn settle(dir: &Path) -> Result<(), Error> {
    if cfg!(unix) {
        let synced = File::open(dir).and_then(|dir| dir.sync_all());
        synced.map_err(|source| Error::Io { path: dir.to_owned(), source })?;
    }
    Ok(())
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("plain data serialises") + "\n"
}
