//! Anything that replies.
//!
//! A [`Policy`] is synchronous and batched: it gets every open episode's request at once and returns one slot
//! per request, in order. What it gives up is overlapping a slow reply with other work; an endpoint therefore
//! declares one slot per worker and the harness runs several drivers side by side.

use serde::{Deserialize, Serialize};

use crate::{Dialect, Example, Observation, Seed, Turn, View};

/// How to sample.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Sampling {
    /// 0 is greedy.
    pub temperature: f64,
    /// Longest reply in the policy's own tokens.
    pub max_tokens: usize,
}

/// What a reply has to do. Used by training roll-ins and looks only; evaluation never constrains.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// Anything.
    #[default]
    Free,
    /// The reply must open as the dialect's revisions do: it may not commit, nor open as nothing at all.
    MustRevise,
}

/// One question to a policy: the whole history and the newest observation.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Key of the episode, unique among those open: what caches hang on.
    pub episode: u64,
    /// The example; a policy that learns must not look at its truth.
    pub example: &'a Example,
    /// Turns so far.
    pub history: &'a [Turn],
    /// What is seen now.
    pub observation: &'a Observation,
    /// Turn language of the reply.
    pub dialect: Dialect,
    /// Sampling seed of this very reply, so that batch size cannot change results.
    pub seed: Seed,
    /// How to sample.
    pub sampling: Sampling,
    /// What it has to do.
    pub constraint: Constraint,
}

/// Who wrote a token; the loss mask follows from this alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Sampled by the policy in training.
    Policy,
    /// Observation: images, question, feedback text, turn markers.
    Environment,
    /// Injected by a training method.
    Trigger,
    /// Replayed from a buffer, or shown but not to be imitated.
    Stub,
}

/// The tokens of one reply: the training sample.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Token ids.
    pub ids: Vec<u32>,
    /// Owner of each.
    pub owners: Vec<Owner>,
    /// Log-probability of each under the policy at temperature 1, whatever the constraint forced.
    pub log_probs: Vec<f32>,
}

/// A reply that came.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reply {
    /// The text.
    pub text: String,
    /// Its tokens, where the policy knows them.
    pub tokens: Option<TokenRecord>,
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
    /// The token limit cut it off.
    pub cut: bool,
    /// SHA-256 of the PNG that was sent for the newest picture, where that is another than the one observed
    /// (an endpoint's limit made it smaller).
    pub sent_sha256: Option<String>,
    /// Kinds of the faults that were met and got over by asking again, in order.
    pub retried: Vec<String>,
}

/// A reply that could not be had. Never scored as wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct Fault {
    /// Short name: `connect`, `timeout`, `rate_limit`, `missing_replay`, ...
    pub kind: String,
    /// What happened.
    pub detail: String,
}

impl Fault {
    /// Kind by which a replay says that it has no further turn: the episode ends as `script_end` and is scored.
    pub const SCRIPT_END: &'static str = "script_end";
}

/// What is written about a policy into `run.json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PolicyInfo {
    /// MODEL without its folder, for the leaderboard.
    pub name: String,
    /// `candle`, `replay`, `reference`, ...
    pub backend: String,
    /// Engine and version that really run.
    pub engine: String,
    /// Hash of everything that decides replies (weights, tokenizer, probabilities).
    pub fingerprint: String,
}

/// Anything that replies.
pub trait Policy {
    /// What it is.
    fn info(&self) -> PolicyInfo;
    /// Which picture it wants to see.
    fn view(&self) -> View {
        View::Crisp
    }
    /// How many episodes it likes to hold open at once (at least 1).
    fn slots(&self) -> usize;
    /// One result per request, in order.
    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>>;
    /// Tells which repeat of its example each coming episode is, by episode key. Called before a drive; only a
    /// policy that replays needs to know.
    fn announce(&mut self, _repeats: &[u32]) {}
    /// The episode is over; caches may go.
    fn release(&mut self, _episode: u64) {}
    /// Settings that decide replies, for `run.json`: a run goes on only under equal ones. Never a secret.
    fn settings(&self) -> Option<serde_json::Value> {
        None
    }
    /// Handles to the same policy for drivers that run side by side, a thread and an episode each, so that a
    /// slow reply holds nobody. Empty for a policy that replies in batches.
    fn workers(&self) -> Vec<Box<dyn Policy + Send>> {
        Vec::new()
    }
    /// Whether it looks at pixels. If not, pictures come to it as PNG alone ([`crate::Packed`]): many episodes with
    /// large pictures are open at once.
    fn wants_pixels(&self) -> bool {
        true
    }
    /// No further reply is wanted: workers that wait before asking again may give up.
    fn halt(&self) {}
}
