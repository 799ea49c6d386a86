//! Splits in the formats of other tools: Hugging Face parquet, Croissant, rows for trainers, conversations for
//! supervised training, tasks for other harnesses.
//!
//! Every format is a [`Layout`]: named columns, the rows of one example, and small files beside them. One
//! writer turns any of them into parquet with embedded pictures, or into JSON lines beside a folder of PNGs.
//! Files are written shard by shard under a temporary name and renamed, so that an export that was stopped
//! goes on with the first shard that is missing; equal splits and options give equal bytes.

mod card;
mod croissant;
mod easyr1;
mod huggingface;
mod lm_eval;
mod parquet;
mod plan;
mod prompt;
mod sft;
mod trl;
mod value;
mod verl;
mod write;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use vrrl_harness_core::{Dialect, Example, View};

use crate::{Error, Examples, Item, SplitDef};
use plan::Plan;
use value::{Columns, Row};
use write::Written;
pub(crate) use write::{hash_file, MANIFEST, STATE};

/// What an export is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One row an example with its picture, as Hugging Face `datasets` loads it; as parquet with a Croissant 1.1
    /// description beside it.
    Huggingface,
    /// Rows for EasyR1, and a reward function.
    Easyr1,
    /// Rows for verl, and a reward function.
    Verl,
    /// Rows for TRL's GRPO trainer, and a reward function.
    Trl,
    /// Conversations for supervised training: messages with `<image>` marks and a `train` flag each.
    Sft,
    /// The same with contents in parts, as chat templates take them, and the flag also as a `weight`.
    SftChat,
    /// The same taken apart: one row for each reply that is trained on, as prompt and completion.
    SftTurns,
    /// Rows and tasks for lm-eval and lmms-eval.
    LmEval,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 8] = [
        Self::Huggingface,
        Self::Easyr1,
        Self::Verl,
        Self::Trl,
        Self::Sft,
        Self::SftChat,
        Self::SftTurns,
        Self::LmEval,
    ];

    /// The word used in files and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Huggingface => "huggingface",
            Self::Easyr1 => "easyr1",
            Self::Verl => "verl",
            Self::Trl => "trl",
            Self::Sft => "sft",
            Self::SftChat => "sft_chat",
            Self::SftTurns => "sft_turns",
            Self::LmEval => "lm_eval",
        }
    }

    /// The format that a word names; `parquet` and `croissant` are what [`Format::Huggingface`] writes, and
    /// `lmms_eval` stands beside `lm_eval`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "parquet" | "croissant" => Some(Self::Huggingface),
            "lmms_eval" => Some(Self::LmEval),
            word => Self::ALL.into_iter().find(|format| format.word() == word),
        }
    }

    fn layout(self) -> &'static dyn Layout {
        match self {
            Self::Huggingface => &huggingface::HuggingFace,
            Self::Easyr1 => &easyr1::EasyR1,
            Self::Verl => &verl::Verl,
            Self::Trl => &trl::Trl,
            Self::Sft => &sft::Sft(sft::Shape::Marks),
            Self::SftChat => &sft::Sft(sft::Shape::Parts),
            Self::SftTurns => &sft::Sft(sft::Shape::Turns),
            Self::LmEval => &lm_eval::LmEval,
        }
    }
}

/// How rows are stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// `data/<split>-00000-of-0000N.parquet` with the pictures inside.
    #[default]
    Parquet,
    /// `<split>-00000-of-0000N.jsonl` and `images/<split>/*.png`.
    Jsonl,
}

/// What can be chosen about an export; everything has a default.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How rows are stored.
    pub container: Container,
    /// Examples of each split, from its start; all without one.
    pub limit: Option<usize>,
    /// Examples a shard.
    pub shard: usize,
    /// Which of its pictures an example shows.
    pub view: View,
    /// Turn language of prompts and conversations.
    pub dialect: Dialect,
    /// Whether prompts ask for one answer, or for proposals that are drawn and revised.
    pub turns: Turns,
    /// Conversations: percent that open with wrong proposals.
    pub multi: u32,
    /// Conversations: most wrong proposals before the right one.
    pub max_wrong: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            container: Container::Parquet,
            limit: None,
            shard: 5000,
            view: View::Crisp,
            dialect: Dialect::ReflectionTag,
            turns: Turns::Single,
            multi: 50,
            max_wrong: 3,
        }
    }
}

/// What a prompt asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turns {
    /// One answer: for trainers and harnesses that show no feedback.
    #[default]
    Single,
    /// Proposals that are drawn, revised and committed: for those that do.
    Multi,
}

/// How far an export is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Examples written, those of an earlier run included.
    pub done: usize,
    /// Examples to write.
    pub total: usize,
    /// Examples that an earlier, stopped run had written.
    pub resumed: usize,
}

/// What was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Exported {
    /// Examples.
    pub examples: usize,
    /// Rows: some formats write several an example.
    pub rows: usize,
    /// Bytes of all data files.
    pub bytes: u64,
    /// Hash over all files.
    pub hash: String,
}

/// Whoever waits for an export.
pub struct Watch<'a> {
    /// Told after every group of examples.
    pub progress: &'a mut dyn FnMut(&Progress),
    /// Set from outside to stop after the current group; the same export again goes on with the first shard that
    /// is missing.
    pub stop: &'a AtomicBool,
}

/// One format.
trait Layout: Sync {
    /// Columns of every row.
    fn columns(&self, options: &Options) -> Columns;
    /// Rows of one example, which stands at `index` of its split.
    fn rows(&self, one: &One<'_>) -> Vec<Row>;
    /// Files beside the data: path under the export's folder, and bytes.
    fn files(&self, plan: &Plan<'_>, files: &[Vec<Written>]) -> Vec<(String, Vec<u8>)> {
        let _ = (plan, files);
        Vec::new()
    }
    /// What a row is, in a sentence of the card.
    fn about(&self) -> &'static str;
}

/// One example on its way into rows.
struct One<'e> {
    def: &'e SplitDef,
    /// Configuration of its split.
    config: &'e str,
    item: &'e Item,
    /// Position in its split.
    index: usize,
    options: &'e Options,
}

impl One<'_> {
    fn example(&self) -> &Example {
        &self.item.example
    }
}

/// Writes splits in a format under `out`, which must be new, empty, or an earlier try at the same export: that
/// one goes on. Splits of several tasks become several configurations of one data set. Memory is that of a group
/// of examples; bytes do not depend on the number of threads or on how often the export was stopped.
///
/// # Errors
/// [`Error::Export`] where `out` holds something else, or two splits would share their files; [`Error::Busy`]
/// while another process writes the same; [`Error::Interrupted`] after `stop`; [`Error::Io`]; and as
/// [`Examples::items`].
pub fn export(
    splits: &[&Examples],
    format: Format,
    out: &Path,
    options: &Options,
    watch: Watch<'_>,
) -> Result<Exported, Error> {
    let plan = Plan::new(splits, format, options, out)?;
    write::write(&plan, watch)
}
