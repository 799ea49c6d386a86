//! What the buffer holds, and what it says to an offer.

use serde::{Deserialize, Serialize};

/// A stored prefix: everything up to, and without, the commit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry<P> {
    /// Unique within a buffer's life.
    pub id: u64,
    /// The question it belongs to, for example its canonical form. A group that starts from the entry takes
    /// question, image and ground truth from the entry, not from the batch.
    pub question: String,
    /// Whether the prefix's last proposal, which its rollout committed, was right.
    pub right: bool,
    /// Proposals in the prefix.
    pub proposals: usize,
    /// Training step at which it was collected.
    pub step: u64,
    /// The prefix itself with its feedback.
    pub payload: P,
}

/// A finished rollout on offer.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate<P> {
    /// The question.
    pub question: String,
    /// Whether the committed answer was right.
    pub right: bool,
    /// Proposals before the commit.
    pub proposals: usize,
    /// Whether it ended otherwise than by a well-formed commit.
    pub malformed: bool,
    /// Whether it started from the buffer itself.
    pub from_buffer: bool,
    /// Share of its group that committed the right answer.
    pub group_accuracy: f64,
    /// What to store.
    pub payload: P,
}

/// What became of an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offer {
    /// Stored.
    Stored,
    /// Not stored.
    Rejected(Reject),
}

/// Why an offer was rejected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reject {
    /// It did not end by a well-formed commit.
    Malformed,
    /// It started from the buffer.
    FromBuffer,
    /// It committed without a proposal, so there is no prefix.
    NoProposal,
    /// It has more proposals than [`super::BufferConfig::max_proposals`].
    TooManyProposals,
    /// Its group's accuracy lies outside [`super::BufferConfig::gate`].
    Gated,
}

impl Reject {
    /// Counter name in the run's liveness record.
    #[must_use]
    pub fn counter(self) -> &'static str {
        match self {
            Self::Malformed => "rejected_malformed",
            Self::FromBuffer => "rejected_from_buffer",
            Self::NoProposal => "rejected_no_proposal",
            Self::TooManyProposals => "rejected_too_many_proposals",
            Self::Gated => "rejected_gated",
        }
    }
}
