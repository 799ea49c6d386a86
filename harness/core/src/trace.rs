//! The recorded episode, one line of `traces.jsonl`.

use serde::{Deserialize, Serialize};

use crate::{Action, Dialect, Fault, TaskKind, Truth};

/// Why an episode ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The policy committed.
    Commit,
    /// A reply came and did not parse.
    Malformed,
    /// The same proposal twice, where that stops.
    Repeat,
    /// No turn was left.
    TurnLimit,
    /// Cut by the token limit, and malformed by it.
    Length,
    /// A replay ran out.
    ScriptEnd,
    /// A reply could not be had.
    Fault,
}

/// Tokens of one reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TurnTokens {
    /// Read.
    pub prompt: u64,
    /// Written.
    pub completion: u64,
}

/// One turn on disk.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TraceTurn {
    /// The reply.
    pub text: String,
    /// What it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// SHA-256 of the PNG that was seen before it (`images/<sha256>.png`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_sha256: Option<String>,
    /// SHA-256 of the PNG that was sent in its place, where an endpoint's limits made it smaller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_sha256: Option<String>,
    /// Words that were seen before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// Token counts.
    #[serde(default)]
    pub tokens: TurnTokens,
    /// Kinds of the faults that were got over by asking again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retried: Vec<String>,
}

/// One episode on disk.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Trace {
    /// Example id.
    pub id: String,
    /// Full name of the split.
    pub split: String,
    /// Episode number where an example is asked more than once.
    #[serde(default)]
    pub repeat: u32,
    /// Task.
    pub task: TaskKind,
    /// Turn language.
    pub dialect: Dialect,
    /// Ground truth.
    pub truth: Truth,
    /// Turns.
    pub turns: Vec<TraceTurn>,
    /// Why it ended.
    pub end: End,
    /// The fault, if that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}
