//! The buffer of Buffered Roll-In (BRI; section "Buffered Roll-In" of the VRRL paper's method): on-policy
//! prefixes that end right before the commit, from which later groups start.
//!
//! A wrong prefix teaches to correct, a right one to stop. Where the paper's appendix and the released
//! launcher differ, see [`BufferConfig::paper`] and [`BufferConfig::code`]. One difference from the release:
//! entries past the age limit are removed here, there they stay, unsampled, and still count as fill.

mod counts;
mod entry;
mod settings;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vrrl_harness_core::Rng;

pub use counts::BufferCounts;
pub use entry::{Candidate, Entry, Offer, Reject};
pub use settings::{Ban, BufferConfig, Gate};

/// Everything about a buffer that a checkpoint keeps.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BufferState<P> {
    /// Oldest first.
    pub entries: Vec<Entry<P>>,
    /// Id of the next entry.
    pub next_id: u64,
    /// Step that `taken` belongs to.
    pub taken_step: u64,
    /// Entries already replayed in that step.
    pub taken: BTreeSet<u64>,
    /// What was done so far.
    pub counts: BufferCounts,
}

/// The buffer. `P` is the prefix with whatever a roll-in needs.
#[derive(Clone, PartialEq, Debug)]
pub struct Buffer<P> {
    config: BufferConfig,
    state: BufferState<P>,
}

impl<P: Clone> Buffer<P> {
    /// An empty buffer.
    #[must_use]
    pub fn new(config: BufferConfig) -> Self {
        let state = BufferState {
            entries: Vec::new(),
            next_id: 0,
            taken_step: 0,
            taken: BTreeSet::new(),
            counts: BufferCounts::default(),
        };
        Self { config, state }
    }

    /// A buffer that goes on where [`Buffer::state`] was taken.
    #[must_use]
    pub fn restore(config: BufferConfig, state: BufferState<P>) -> Self {
        Self { config, state }
    }

    /// What to write into a checkpoint; restored, it continues exactly.
    #[must_use]
    pub fn state(&self) -> &BufferState<P> {
        &self.state
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> &BufferCounts {
        &self.state.counts
    }

    /// Entries held, the oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry<P>] {
        &self.state.entries
    }

    /// Offers a rollout that finished in `step`. Steps never go back.
    pub fn offer(&mut self, candidate: Candidate<P>, step: u64) -> Offer {
        self.state.counts.offered += 1;
        if let Some(reason) = self.objection(&candidate) {
            *self.state.counts.rejected.entry(reason).or_default() += 1;
            return Offer::Rejected(reason);
        }
        self.expire(step);
        let held = self.state.entries.iter().filter(|e| e.question == candidate.question).count();
        if held >= self.config.per_question {
            let victim = self.same_question_victim(&candidate.question, candidate.proposals);
            self.state.entries.remove(victim);
            self.state.counts.evicted_question += 1;
        }
        if self.state.entries.len() >= self.config.capacity {
            self.state.entries.remove(0);
            self.state.counts.evicted_capacity += 1;
        }
        let Candidate { question, right, proposals, payload, .. } = candidate;
        self.state.entries.push(Entry { id: self.state.next_id, question, right, proposals, step, payload });
        self.state.next_id += 1;
        self.state.counts.stored += 1;
        self.state.counts.stored_wrong += u64::from(!right);
        Offer::Stored
    }

    /// Up to `n` entries to start groups from in `step`, none of them given out in this step before.
    ///
    /// Each slot is right or wrong by the configured share (the fraction of a slot is drawn), each side
    /// stratified over proposal counts; where one side runs out, the other stands in. The order is shuffled.
    /// Empty while fewer than `min_fill` entries are held: then the questions start on-policy.
    pub fn sample(&mut self, n: usize, step: u64, rng: &mut Rng) -> Vec<Entry<P>> {
        self.expire(step);
        if n == 0 {
            return Vec::new();
        }
        if self.state.entries.len() < self.config.min_fill {
            self.state.counts.too_few += 1;
            return Vec::new();
        }
        if self.state.taken_step != step {
            self.state.taken_step = step;
            self.state.taken.clear();
        }
        let wanted_right = {
            let exact = n as f64 * self.config.right_share;
            let whole = exact.floor();
            (whole as usize + usize::from(rng.unit() < exact - whole)).min(n)
        };
        let mut chosen = self.stratified(n - wanted_right, Some(false), rng);
        chosen.extend(self.stratified(wanted_right, Some(true), rng));
        let instead = self.stratified(n - chosen.len(), None, rng);
        self.state.counts.replayed_instead += instead.len() as u64;
        chosen.extend(instead);
        rng.shuffle(&mut chosen);
        let counts = &mut self.state.counts;
        for index in &chosen {
            let entry = &self.state.entries[*index];
            counts.replayed += 1;
            counts.replayed_wrong += u64::from(!entry.right);
            counts.replayed_age += step.saturating_sub(entry.step);
        }
        chosen.into_iter().map(|index| self.state.entries[index].clone()).collect()
    }

    fn objection(&self, candidate: &Candidate<P>) -> Option<Reject> {
        let outside =
            |gate: &Gate| candidate.group_accuracy <= gate.low || candidate.group_accuracy >= gate.high;
        if candidate.from_buffer {
            Some(Reject::FromBuffer)
        } else if candidate.malformed {
            Some(Reject::Malformed)
        } else if candidate.proposals == 0 {
            Some(Reject::NoProposal)
        } else if self.config.max_proposals.is_some_and(|most| candidate.proposals > most) {
            Some(Reject::TooManyProposals)
        } else if self.config.gate.as_ref().is_some_and(outside) {
            Some(Reject::Gated)
        } else {
            None
        }
    }

    /// Removes what is older than the limit.
    fn expire(&mut self, step: u64) {
        let before = self.state.entries.len();
        let limit = self.config.max_age;
        self.state.entries.retain(|entry| step.saturating_sub(entry.step) <= limit);
        self.state.counts.evicted_age += (before - self.state.entries.len()) as u64;
    }

    /// Index of the entry that makes room within a full question: the oldest of the same proposal count, or,
    /// if that count is new to the question, the oldest of its most common count (the older count wins a tie).
    fn same_question_victim(&self, question: &str, proposals: usize) -> usize {
        let own: Vec<(usize, usize)> = self
            .state
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.question == question)
            .map(|(index, entry)| (index, entry.proposals))
            .collect();
        let oldest_of = |count: usize| own.iter().find(|(_, c)| *c == count).map(|(index, _)| *index);
        let frequency = |count: usize| own.iter().filter(|(_, c)| *c == count).count();
        oldest_of(proposals)
            // `own` is oldest first and `max_by_key` keeps the last of equals, hence `rev`.
            .or_else(|| own.iter().rev().max_by_key(|(_, c)| frequency(*c)).and_then(|(_, c)| oldest_of(*c)))
            .expect("only asked of a question that holds entries")
    }

    /// Indices of up to `n` free entries of one correctness (or any), taken one at a time from each proposal
    /// count in turn, starting at a random count, and marked as taken.
    fn stratified(&mut self, n: usize, right: Option<bool>, rng: &mut Rng) -> Vec<usize> {
        let mut strata: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, entry) in self.state.entries.iter().enumerate() {
            if right.is_none_or(|right| entry.right == right) && !self.state.taken.contains(&entry.id) {
                let stratum = if self.config.stratify { entry.proposals } else { 0 };
                strata.entry(stratum).or_default().push(index);
            }
        }
        let mut strata: Vec<Vec<usize>> = strata.into_values().collect();
        let mut chosen = Vec::new();
        if n == 0 || strata.is_empty() {
            return chosen;
        }
        self.state.counts.strata_mixed += u64::from(strata.len() > 1);
        let mut turn = rng.index(strata.len());
        while chosen.len() < n && strata.iter().any(|stratum| !stratum.is_empty()) {
            let stratum = &mut strata[turn];
            if !stratum.is_empty() {
                let index = stratum.remove(rng.index(stratum.len()));
                self.state.taken.insert(self.state.entries[index].id);
                chosen.push(index);
            }
            turn = (turn + 1) % strata.len();
        }
        chosen
    }
}

#[cfg(test)]
mod tests;
