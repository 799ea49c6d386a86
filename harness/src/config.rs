//! What a run is asked to do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use vrrl_harness_core::{
    Control, Dialect, Example, FeedbackMode, Hasher, Role, Sampling, Settings, Shown, TaskKind, View,
};

use crate::record::{Severity, SplitInfo};
use crate::{Error, Result};

/// A split as the harness takes it: examples with what reports need to know of them.
#[derive(Clone)]
pub struct EvalSplit {
    /// Full name.
    pub name: String,
    /// What it is for, where it says.
    pub role: Option<Role>,
    /// Task.
    pub task: TaskKind,
    /// Name of the shift; empty in distribution.
    pub shift: String,
    /// How far.
    pub severity: Severity,
    /// Hash over its data.
    pub hash: String,
    /// The examples, in order; ids are unique.
    pub examples: Vec<Example>,
}

impl fmt::Debug for EvalSplit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvalSplit")
            .field("name", &self.name)
            .field("n", &self.examples.len())
            .finish_non_exhaustive()
    }
}

/// The resolved configuration of a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvalConfig {
    /// Name of the run, for people.
    pub name: String,
    /// Method, as in the leaderboard.
    pub method: String,
    /// Whether this is a reference row.
    pub reference: bool,
    /// Seed of the training run, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_seed: Option<u64>,
    /// Turn language.
    pub dialect: Dialect,
    /// Most turns, commit included.
    pub max_turns: usize,
    /// 0 is greedy.
    pub temperature: f64,
    /// Longest reply in the policy's own tokens.
    pub max_tokens: usize,
    /// Evaluation seed.
    pub seed: u64,
    /// Episodes per example.
    pub repeats: u32,
    /// How much of the picture feedback shows. Left out of files where it is the default, so that runs from
    /// before this key keep their hash; the same for `control`.
    #[serde(skip_serializing_if = "is_default")]
    pub feedback: FeedbackMode,
    /// What is shown in place of the policy's own feedback.
    #[serde(skip_serializing_if = "is_default")]
    pub control: Control,
    /// Only the first examples of each split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Only a part of what `limit` and `samples` leave, for several machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Only these example ids; empty means all.
    pub samples: Vec<String>,
    /// Of how many episodes of each split the images are kept.
    pub save_images: usize,
    /// More faults than this share of all episodes fail the run.
    pub max_fault_rate: f64,
}

/// The `index`-th (from 1) of `of` consecutive parts, `i/n` as text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    /// Which, from 1.
    pub index: u32,
    /// How many there are.
    pub of: u32,
}

impl Shard {
    /// Its places among `n`; sizes differ by one at most.
    fn block(self, n: usize) -> std::ops::Range<usize> {
        let cut = |index: u32| n * index as usize / self.of as usize;
        cut(self.index - 1)..cut(self.index)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, of)) if 1 <= index && index <= of => Ok(Self { index, of }),
            _ => Err(format!("{text:?} is no shard; write 1/4 to 4/4")),
        }
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Default for EvalConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            method: "external".into(),
            reference: false,
            train_seed: None,
            dialect: Dialect::BareCommit,
            max_turns: 8,
            temperature: 0.0,
            max_tokens: 512,
            seed: 0,
            repeats: 1,
            feedback: FeedbackMode::Crop,
            control: Control::None,
            limit: None,
            shard: None,
            samples: Vec::new(),
            save_images: 16,
            max_fault_rate: 0.01,
        }
    }
}

impl EvalConfig {
    /// Refuses values that mean nothing.
    ///
    /// # Errors
    /// [`Error::Input`] naming the key.
    pub fn validate(&self) -> Result<()> {
        let wrong = |key: &str, why: &str| Err(Error::Input(format!("{key}: {why}")));
        if self.max_turns == 0 {
            return wrong("max_turns", "0 leaves no turn to reply in; use at least 1");
        }
        if self.max_tokens == 0 {
            return wrong("max_tokens", "0 leaves nothing to write; use at least 1");
        }
        if self.repeats == 0 {
            return wrong("repeats", "0 asks nothing; use at least 1");
        }
        if !self.temperature.is_finite() || self.temperature < 0.0 {
            return wrong(
                "temperature",
                &format!("{} is not a temperature; use 0 (greedy) or more", self.temperature),
            );
        }
        if !(0.0..=1.0).contains(&self.max_fault_rate) {
            return wrong("max_fault_rate", &format!("{} is not a share; use 0 to 1", self.max_fault_rate));
        }
        Ok(())
    }

    /// `greedy`, or `t1`, `t0.7`, ...
    #[must_use]
    pub fn decoding(&self) -> String {
        if self.temperature > 0.0 {
            format!("t{}", self.temperature)
        } else {
            "greedy".into()
        }
    }

    /// SHA-256 of the configuration, without what decides no reply and no file: the fault limit.
    #[must_use]
    pub fn hash(&self) -> String {
        let hashed = Self { max_fault_rate: 0.0, ..self.clone() };
        let text =
            serde_json::to_vec(&hashed).expect("a configuration has only plain keys and finite numbers");
        Hasher::default().part(b"eval config").part(text).hex()
    }

    pub(crate) fn settings(&self, view: View) -> Settings {
        Settings {
            dialect: self.dialect,
            max_turns: self.max_turns,
            sampling: Sampling { temperature: self.temperature, max_tokens: self.max_tokens },
            view,
            feedback: self.feedback,
            stop_on_repeat: false,
        }
    }
}

impl EvalSplit {
    /// The examples that `config` asks for, in order.
    #[must_use]
    pub fn selected(&self, config: &EvalConfig) -> Vec<&Example> {
        self.positions(config).map(|at| &self.examples[at]).collect()
    }

    fn positions(&self, config: &EvalConfig) -> impl Iterator<Item = usize> {
        let wanted = |id: &String| config.samples.is_empty() || config.samples.contains(id);
        let all = (0..self.examples.len()).filter(|at| wanted(&self.examples[*at].id));
        let chosen: Vec<usize> = all.take(config.limit.unwrap_or(usize::MAX)).collect();
        let block = config.shard.map_or(0..chosen.len(), |shard| shard.block(chosen.len()));
        chosen.into_iter().take(block.end).skip(block.start)
    }

    /// What `config` shows as feedback of each selected example, in order.
    ///
    /// # Errors
    /// [`Error::Input`] where a swap finds no other example.
    pub(crate) fn shown(&self, config: &EvalConfig) -> Result<Vec<Shown<'_>>> {
        let one = |at: usize| match config.control {
            Control::None => Ok(Shown::Own),
            Control::Blank => Ok(Shown::Blank),
            Control::Oracle => Ok(Shown::Oracle),
            Control::Swapped => self.neighbour(at).map(Shown::Other).ok_or_else(|| {
                Error::Input(format!(
                    "control: swapped needs another example than {} in split {}; use blank or oracle",
                    self.examples[at].id, self.name
                ))
            }),
        };
        self.positions(config).map(one).collect()
    }

    /// The next example that is another problem; of the whole split, so that neither limit nor samples decide.
    fn neighbour(&self, at: usize) -> Option<&Example> {
        let (before, after) = self.examples.split_at(at + 1);
        after.iter().chain(before).find(|e| e.content_hash != self.examples[at].content_hash)
    }

    pub(crate) fn info(&self, config: &EvalConfig) -> SplitInfo {
        SplitInfo {
            name: self.name.clone(),
            task: Some(self.task),
            role: self.role,
            shift: self.shift.clone(),
            severity: self.severity.clone(),
            hash: self.hash.clone(),
            n: self.selected(config).len(),
        }
    }
}
