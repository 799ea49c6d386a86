//! What the buffer did so far.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Reject;
use crate::liveness::{self, Liveness, Sum};

/// Counters of a buffer's life; part of its state, so a resumed run goes on counting.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct BufferCounts {
    /// Rollouts offered.
    pub offered: u64,
    /// Prefixes stored.
    pub stored: u64,
    /// Of these, wrong ones.
    pub stored_wrong: u64,
    /// Offers rejected, by reason.
    pub rejected: BTreeMap<Reject, u64>,
    /// Entries that made room in a full buffer.
    pub evicted_capacity: u64,
    /// Entries that made room for another of their question.
    pub evicted_question: u64,
    /// Entries that grew too old.
    pub evicted_age: u64,
    /// Entries replayed.
    pub replayed: u64,
    /// Of these, wrong ones.
    pub replayed_wrong: u64,
    /// Of these, ones that stand in for a missing entry of the other correctness.
    pub replayed_instead: u64,
    /// Sum over replayed entries of their age in steps.
    pub replayed_age: u64,
    /// Draws that took turns over more than one proposal count.
    #[serde(default)]
    pub strata_mixed: u64,
    /// Times that sampling was refused for want of entries.
    pub too_few: u64,
}

impl BufferCounts {
    /// Mean age in steps of the entries replayed; `None` before the first.
    #[must_use]
    pub fn mean_replayed_age(&self) -> Option<f64> {
        (self.replayed > 0).then(|| self.replayed_age as f64 / self.replayed as f64)
    }

    /// Adds these counts under [`liveness::BUFFER`].
    pub fn report(&self, to: &mut Liveness) {
        for (name, count) in [
            ("offered", self.offered),
            ("stored", self.stored),
            ("stored_wrong", self.stored_wrong),
            ("evicted_capacity", self.evicted_capacity),
            ("evicted_question", self.evicted_question),
            ("evicted_age", self.evicted_age),
            ("replayed", self.replayed),
            ("replayed_wrong", self.replayed_wrong),
            ("replayed_instead", self.replayed_instead),
            ("strata_mixed", self.strata_mixed),
            ("too_few", self.too_few),
        ] {
            to.add(&liveness::BUFFER, name, count);
        }
        for (reason, count) in &self.rejected {
            to.add(&liveness::BUFFER, reason.counter(), *count);
        }
        let age = Sum { total: self.replayed_age as f64, n: self.replayed };
        to.observe_sum(&liveness::BUFFER, "replayed_age", age);
    }
}
