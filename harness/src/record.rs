//! The files of a run directory, as types.
//!
//! `run.json` is a [`RunInfo`], `traces.jsonl` holds one [`vrrl_harness_core::Trace`] a line, `scores.jsonl`
//! one [`ScoreRow`] a line, `summary.json` is a [`Summary`], `timing.jsonl` one [`TimingRow`] a line and
//! `images/<sha256>.png` what was seen.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use vrrl_harness_core::reward::Score;
use vrrl_harness_core::{Dialect, End, FeedbackMode, PolicyInfo, Role, Seed, TaskKind, View};
use vrrl_harness_stats::Estimate;

use crate::EvalConfig;

/// How far a split is shifted: 0 (in distribution) to 5, or a named level on an axis without an order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Severity {
    /// 0 to 5.
    Level(u8),
    /// A level without an order.
    Named(String),
}

impl Default for Severity {
    fn default() -> Self {
        Self::Level(0)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level) => write!(f, "{level}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// `run.json`: everything that decides a run's numbers, and where it was made.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunInfo {
    /// Format of the directory.
    pub format: u32,
    /// Short hash over configuration, policy and splits: equal for equal runs.
    pub run_id: String,
    /// Method, as in the leaderboard: `base`, `multi_sft`, ..., `reference`, `external`.
    pub method: String,
    /// Whether this is a reference row (oracle, random, repeat), which nobody trained.
    pub reference: bool,
    /// Seed of the training run, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_seed: Option<u64>,
    /// Evaluation seed.
    pub seed: u64,
    /// `greedy`, or `t1`, `t0.7`, ...
    pub decoding: String,
    /// The resolved configuration.
    pub config: EvalConfig,
    /// SHA-256 of everything in the configuration that decides replies.
    pub config_hash: String,
    /// The policy: model, fingerprint, backend and engine that really ran.
    pub policy: PolicyInfo,
    /// The policy's own settings that decide replies (an endpoint's prompts, limits and so on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<serde_json::Value>,
    /// Which picture the policy saw.
    pub view: View,
    /// The splits, in the order of the summary.
    pub splits: Vec<SplitInfo>,
    /// Version of this code.
    pub code_version: String,
    /// The machine, in words.
    pub machine: String,
    /// When the run began, UTC, `YYYY-MM-DDThh:mm:ssZ`: the one key that differs between equal runs.
    pub date: String,
}

/// A split, as `run.json` lists it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SplitInfo {
    /// Full name.
    pub name: String,
    /// Task; absent where another harness asked something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskKind>,
    /// What it is for, where it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Name of the shift; empty in distribution.
    pub shift: String,
    /// How far.
    pub severity: Severity,
    /// Hash over its data.
    pub hash: String,
    /// Examples asked.
    pub n: usize,
}

/// `summary.json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// Format of the file.
    pub format: u32,
    /// One entry per split.
    pub splits: Vec<SplitSummary>,
}

/// The numbers of one split. A key that does not apply is absent; episodes with faults count in nothing but
/// `faults` and `transport_fault_rate`. With one turn alone nothing can be revised: first answers, what revising gains
/// and the 2×2 of first × final are absent then.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SplitSummary {
    /// Full name.
    pub split: String,
    /// Episodes without faults.
    pub n: usize,
    /// Episodes with faults.
    pub faults: usize,
    /// The same by the fault's kind; absent without any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fault_kinds: BTreeMap<String, usize>,
    /// Faults that were got over by asking again, by kind, in all episodes; absent without any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retries: BTreeMap<String, usize>,
    /// 0 is greedy.
    pub temperature: f64,
    /// Most turns, commit included.
    pub max_turns: usize,
    /// Turn language.
    pub dialect: Dialect,
    /// Control condition; `none` where the policy saw what there was to see.
    pub control: String,
    /// Grounding: how much of the picture feedback showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<FeedbackMode>,
    /// Final answer exact, whatever the format (Wilson).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Estimate>,
    /// Final answer exact and the format holds (Wilson).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_well_formed: Option<Estimate>,
    /// Final answer right where slips of the grammar are forgiven: a column of its own, beside what decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_lenient: Option<Estimate>,
    /// First proposal exact (Wilson).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_accuracy: Option<Estimate>,
    /// Accuracy − first accuracy (paired bootstrap over episodes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_ref: Option<Estimate>,
    /// Mazes: goal reached by the final answer, never off the grid or in a hole before (Wilson).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_success: Option<Estimate>,
    /// Mazes: goal reached when moves off the grid are no-ops (Wilson).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lenient_success: Option<Estimate>,
    /// Grounding: mean distance in pixels of the final answers that there are (bootstrap).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_distance: Option<Estimate>,
    /// Mean number of replies that were not blank (bootstrap).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turns_mean: Option<Estimate>,
    /// Mean number of proposals (bootstrap).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposals_mean: Option<Estimate>,
    /// Share of revision turns (proposals after a proposal) that repeat the proposal before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_rate: Option<f64>,
    /// Episodes: first wrong, final right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<usize>,
    /// Episodes: first right, final wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<usize>,
    /// Episodes: first and final right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_right: Option<usize>,
    /// Episodes: first and final wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_wrong: Option<usize>,
    /// Episodes an example, where there are several; intervals are then over examples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<u32>,
    /// At least one of `repeats` episodes right (pass@k, over examples with so many).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_at_k: Option<Estimate>,
    /// All `repeats` episodes right (pass^k, likewise).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reliability: Option<Estimate>,
    /// Share of examples whose episodes do not all agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flip_rate: Option<Estimate>,
    /// Mean over the turns of `accuracy_by_turn`: right early counts more than right late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_by_turn: Option<Estimate>,
    /// Share whose standing answer is right after turn 1, 2, ... `max_turns`; answers are carried forward.
    pub accuracy_by_turn: Vec<f64>,
    /// Share of episodes with at least 1, 2, ... `max_turns` turns.
    pub reached_turn: Vec<f64>,
    /// Share ended by a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_rate: Option<f64>,
    /// Share ended by the turn limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_limit_rate: Option<f64>,
    /// Share ended by a malformed reply (one that the token limit cut counts as truncated, not here).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format_fault_rate: Option<f64>,
    /// Share of all episodes whose reply could not be had; never counted as wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport_fault_rate: Option<f64>,
    /// Mean tokens read per episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens_per_episode: Option<f64>,
    /// Mean tokens written per episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_tokens_per_episode: Option<f64>,
}

/// One line of `scores.jsonl`: one episode without a fault.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ScoreRow {
    /// Full name of the split.
    pub split: String,
    /// Example id.
    pub id: String,
    /// Episode number where an example is asked more than once.
    #[serde(default)]
    pub repeat: u32,
    /// What the split is for, where it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Task.
    pub task: TaskKind,
    /// Why it ended.
    pub end: End,
    /// Final answer exact.
    pub correct: bool,
    /// First proposal exact.
    pub correct_first: bool,
    /// Everything else that was judged.
    pub score: EpisodeScore,
}

impl ScoreRow {
    /// What makes rows of two runs the same item.
    #[must_use]
    pub fn key(&self) -> (&str, &str, u32) {
        (&self.split, &self.id, self.repeat)
    }
}

/// The judgement of one episode.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EpisodeScore {
    /// The score, as `vrrl score` writes it.
    #[serde(flatten)]
    pub score: Score,
    /// Whether the format holds.
    pub well_formed: bool,
    /// Whether the final answer is right where slips of the grammar are forgiven.
    #[serde(default)]
    pub lenient_correct: bool,
    /// Mazes: see [`SplitSummary::strict_success`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_success: Option<bool>,
    /// Mazes: see [`SplitSummary::lenient_success`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lenient_success: Option<bool>,
    /// Whether the answer that stands after turn 1, 2, ... is right.
    pub correct_by_turn: Vec<bool>,
    /// Proposals after a proposal.
    pub revisions: usize,
    /// Those that repeat the proposal before.
    pub repeated: usize,
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
}

/// One line of `timing.jsonl`: what differs between equal runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TimingRow {
    /// Full name of the split.
    pub split: String,
    /// Example id.
    pub id: String,
    /// Episode number.
    pub repeat: u32,
    /// Seconds from the start of this process's run to the end of the episode.
    pub finished_s: f64,
}

/// Seed of one split's episode: a pure function of the run's seed and the item, never of its position.
#[must_use]
pub fn episode_seed(seed: u64, split: &str, id: &str, repeat: u32) -> Seed {
    // A NUL stands in no name, so ("a/b", "c") and ("a", "b/c") differ.
    Seed(seed).derive(&format!("{split}\0{id}"), u64::from(repeat))
}
