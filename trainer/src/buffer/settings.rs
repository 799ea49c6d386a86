//! Settings of the roll-in buffer, as the paper's appendix and the released launcher have them.

use serde::{Deserialize, Serialize};

/// When a group that starts from a wrong prefix has to revise it: its first reply opens as a revision, whatever the policy
/// would say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ban {
    /// After every wrong prefix (paper and released code).
    Always,
    /// After every other wrong prefix: a forced token carries no gradient about stopping, so a small policy must
    /// also meet wrong prefixes after which it may stop.
    #[default]
    Half,
    /// Never.
    Never,
}

impl Ban {
    /// Whether wrong prefix number `nth` (from 0, over the run) must be revised.
    #[must_use]
    pub fn applies(self, nth: u64) -> bool {
        match self {
            Self::Always => true,
            Self::Half => nth % 2 != 1,
            Self::Never => false,
        }
    }
}

/// Bounds on a group's accuracy, both exclusive.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Only above this.
    pub low: f64,
    /// Only below this.
    pub high: f64,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_true(value: &bool) -> bool {
    *value
}

/// Settings of Buffered Roll-In.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BufferConfig {
    /// Chance that a question starts from the buffer, 1 − ρ.
    pub share: f64,
    /// Share of right prefixes among those replayed.
    pub right_share: f64,
    /// Whether a wrong prefix must be revised.
    pub ban: Ban,
    /// In a banned group every rollout counts beside a twin that committed at once, and the forced opening
    /// carries loss: the policy then learns that revising a wrong proposal beats committing it. Without it a ban teaches how to
    /// revise and nothing about when.
    pub ban_credit: bool,
    /// Keep the prefix's own turns out of the loss.
    pub mask_prefix: bool,
    /// Most entries; the oldest goes first.
    pub capacity: usize,
    /// Most entries of one question.
    pub per_question: usize,
    /// Entries older than this many steps go.
    pub max_age: u64,
    /// No sampling below this many entries.
    pub min_fill: usize,
    /// Longest prefix stored, in proposals; none is any length.
    pub max_proposals: Option<usize>,
    /// Take entries round-robin over their proposal counts, so that long prefixes, which are rare, are replayed as
    /// often as short ones; else all are alike.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub stratify: bool,
    /// Collect only from groups whose accuracy lies between; none is from all.
    pub gate: Option<Gate>,
}

impl BufferConfig {
    /// The paper: ρ = 2/3, 30 % right, age 100, any length, always ban.
    #[must_use]
    pub fn paper() -> Self {
        Self {
            share: 1.0 / 3.0,
            right_share: 0.3,
            ban: Ban::Always,
            ban_credit: false,
            mask_prefix: true,
            capacity: 500,
            per_question: 3,
            max_age: 100,
            min_fill: 32,
            max_proposals: None,
            stratify: true,
            gate: None,
        }
    }

    /// The released launcher: ρ = 0.6, 10 % right, age 50, at most two proposals, the prefix in the loss.
    #[must_use]
    pub fn code() -> Self {
        let paper = Self::paper();
        Self {
            share: 0.4,
            right_share: 0.1,
            mask_prefix: false,
            max_age: 50,
            max_proposals: Some(2),
            ..paper
        }
    }

    /// For a small policy trained from scratch: only first proposals, and a ban that also teaches when to revise.
    #[must_use]
    pub fn small() -> Self {
        Self { share: 0.35, ban_credit: true, max_proposals: Some(1), ..Self::paper() }
    }
}

impl Default for BufferConfig {
    fn default() -> Self {
        Self::small()
    }
}
