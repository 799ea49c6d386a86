//! Early warnings of a reinforcement stage, in words.
//!
//! Each looks at the means of the last [`WINDOW`] steps, is said once when its condition begins, and again only after the
//! condition has clearly ended: the bounds for beginning and ending differ, so that noise around one is one episode. They
//! follow from logged figures alone; a resumed run says what an uninterrupted one says.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::math::mean;

/// Steps a warning looks back.
pub const WINDOW: usize = 50;
/// Steps in a row without a gradient that are worth a word.
const IDLE: u64 = 20;

/// Something to look at; it stops nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Warning {
    /// Step after which it was said.
    pub step: u64,
    /// What is wrong, with its numbers, and what to try.
    pub text: String,
}

/// Shares and means over a step's on-policy rollouts.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct OnPolicy {
    /// Mean turns.
    pub turns: f64,
    /// Final minus first accuracy.
    pub delta_ref: f64,
    /// First proposal right.
    pub first_accuracy: f64,
    /// Rollouts whose format fails.
    pub format_faults: f64,
}

/// What one step showed.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Its on-policy rollouts; `None` where every group started from the buffer.
    pub policy: Option<OnPolicy>,
    /// Groups that carry a gradient, on-policy or not.
    pub groups: usize,
    /// Mean k3 a trained token.
    pub kl: f64,
    /// Right answers behind buffered prefixes; `None` where none was replayed.
    pub buffer_accuracy: Option<f64>,
    /// Entries held; `None` without a buffer.
    pub buffer_fill: Option<usize>,
}

/// What of the settings the warnings compare with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Most turns of a rollout.
    pub max_turns: usize,
    /// The buffer's `min_fill` and `capacity`.
    pub buffer: Option<[usize; 2]>,
    /// Whether the first turn answers for its own correctness alone.
    pub turn0_credit: bool,
}

/// Watches a run; part of its state.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Watch {
    last: VecDeque<Seen>,
    /// Steps in a row without a gradient.
    idle: u64,
    /// Highest window mean of first accuracy so far.
    best_first: Option<f64>,
    /// Lowest window mean of format faults so far.
    least_faults: Option<f64>,
    /// Conditions that hold.
    open: BTreeSet<String>,
    said: Vec<Warning>,
}

/// A condition: its name, whether it begins, whether it is over, and its words.
type Condition = (&'static str, bool, bool, String);

impl Watch {
    /// Everything said so far.
    #[must_use]
    pub fn said(&self) -> &[Warning] {
        &self.said
    }

    /// Takes in the step that ended as number `step`; what is to be said about it.
    pub fn step(&mut self, step: u64, seen: Seen, bounds: Bounds) -> Vec<Warning> {
        self.idle = if seen.groups == 0 { self.idle + 1 } else { 0 };
        self.last.push_back(seen);
        if self.last.len() > WINDOW {
            self.last.pop_front();
        }
        let mut conditions = vec![self.idles()];
        if self.last.len() == WINDOW {
            conditions.extend(self.collapses(bounds));
            conditions.extend(self.faults());
            conditions.extend(self.falls(bounds));
            conditions.push(self.strays());
            conditions.extend(self.starves(bounds));
        }
        let mut new = Vec::new();
        for (name, begins, ends, text) in conditions {
            if begins && self.open.insert(name.to_owned()) {
                new.push(Warning { step, text });
            } else if ends {
                self.open.remove(name);
            }
        }
        self.said.extend(new.iter().cloned());
        new
    }

    /// The mean over the window's steps that have on-policy rollouts.
    fn mean(&self, of: impl Fn(&OnPolicy) -> f64) -> Option<f64> {
        mean(&self.last.iter().filter_map(|s| s.policy.as_ref()).map(of).collect::<Vec<_>>())
    }

    fn idles(&self) -> Condition {
        let text = format!(
            "no group carries a gradient for {IDLE} steps in a row: all rollouts of each question earn the same; try \
             questions that are neither too easy nor too hard, or larger groups"
        );
        ("idle", self.idle >= IDLE, self.idle == 0, text)
    }

    /// With two turns at most there is nothing to revise.
    fn collapses(&self, bounds: Bounds) -> Option<Condition> {
        let (turns, delta) = (self.mean(|s| s.turns)?, self.mean(|s| s.delta_ref)?);
        let text = format!(
            "reflection is collapsing: turns {turns:.2} and Δref {delta:.2} for {WINDOW} steps; the policy commits its \
             first proposal"
        );
        let (begins, ends) = (turns <= 2.05 && delta.abs() <= 0.01, turns > 2.1 || delta.abs() > 0.02);
        (bounds.max_turns > 2).then_some(("collapse", begins, ends, text))
    }

    fn faults(&mut self) -> Option<Condition> {
        let now = self.mean(|s| s.format_faults)?;
        let least = self.least_faults.map_or(now, |x| x.min(now));
        self.least_faults = Some(least);
        let text = format!(
            "format faults are rising: {:.0} % of rollouts over {WINDOW} steps, {:.0} % at best before; try a lower `lr`",
            100.0 * now,
            100.0 * least
        );
        Some(("faults", now >= least + 0.1, now < least + 0.05, text))
    }

    fn falls(&mut self, bounds: Bounds) -> Option<Condition> {
        let now = self.mean(|s| s.first_accuracy)?;
        let best = self.best_first.map_or(now, |x| x.max(now));
        self.best_first = Some(best);
        let replays: Vec<f64> = self.last.iter().filter_map(|s| s.buffer_accuracy).collect();
        // Of a handful of steps no share is worth a word.
        let solved = mean(&replays).filter(|_| replays.len() >= 10);
        let cure = if bounds.turn0_credit {
            "roll-in may take too much of training: lower `buffer.share`, or raise `rtm.keep_first`"
        } else {
            "being wrong first may pay: lower `reflect_bonus`, or set `turn0_credit`"
        };
        let text = format!(
            "first proposals are falling while buffer groups are solved: {now:.2} right over {WINDOW} steps, {best:.2} \
             before, and {:.2} of roll-ins; {cure}",
            solved.unwrap_or(0.0)
        );
        Some(("falls", best - now >= 0.05 && solved.is_some_and(|s| s >= 0.5), best - now < 0.025, text))
    }

    fn strays(&self) -> Condition {
        let kl = self.last.iter().map(|s| s.kl).sum::<f64>() / self.last.len() as f64;
        let text = format!(
            "the KL to the start has passed 1: {kl:.2} nats a token over {WINDOW} steps; lower `lr` or raise `clip.kl`"
        );
        ("kl", kl > 1.0, kl < 0.8, text)
    }

    fn starves(&self, bounds: Bounds) -> Option<Condition> {
        let [min_fill, capacity] = bounds.buffer?;
        let fill = self.last.back()?.buffer_fill?;
        let bound = min_fill.max(capacity / 20);
        let text = format!(
            "the buffer starves: fill {fill} of {capacity}, below {bound} for {WINDOW} steps; raise `buffer.max_age`, \
             widen `buffer.gate`, or raise `questions`"
        );
        let below = self.last.iter().all(|s| s.buffer_fill.is_some_and(|fill| fill < bound));
        Some(("starves", below, fill >= bound + bound / 2, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { max_turns: 6, buffer: Some([32, 500]), turn0_credit: false };

    fn healthy() -> Seen {
        let policy = OnPolicy { turns: 2.4, delta_ref: 0.08, first_accuracy: 0.7, format_faults: 0.02 };
        Seen { policy: Some(policy), groups: 9, kl: 0.2, buffer_accuracy: Some(0.6), buffer_fill: Some(300) }
    }

    /// A step with other on-policy rollouts.
    fn with(seen: Seen, change: impl Fn(&mut OnPolicy)) -> Seen {
        let mut policy = seen.policy.unwrap();
        change(&mut policy);
        Seen { policy: Some(policy), ..seen }
    }

    /// Steps and texts of what is said about runs of equal steps.
    fn said(parts: &[(usize, Seen)], bounds: Bounds) -> Vec<(u64, String)> {
        let mut watch = Watch::default();
        let mut step = 0;
        for (times, seen) in parts {
            for _ in 0..*times {
                step += 1;
                watch.step(step, *seen, bounds);
            }
        }
        watch.said().iter().map(|w| (w.step, w.text.clone())).collect()
    }

    #[test]
    fn a_healthy_run_is_left_alone() {
        assert_eq!(said(&[(300, healthy())], BOUNDS), []);
    }

    #[test]
    fn what_is_on_already_is_not_advised() {
        let falls = [(60, healthy()), (60, with(healthy(), |p| p.first_accuracy = 0.6))];
        let advice = |turn0_credit| said(&falls, Bounds { turn0_credit, ..BOUNDS })[0].1.clone();
        assert!(advice(false).ends_with("set `turn0_credit`"), "{}", advice(false));
        assert!(advice(true).contains("lower `buffer.share`"), "{}", advice(true));
    }

    #[test]
    fn each_condition_has_its_words_and_its_step() {
        let h = healthy();
        let table = [
            // 50 steps fill the window
            (
                vec![(60, with(h, |p| (p.turns, p.delta_ref) = (2.03, 0.004)))],
                50,
                "reflection is collapsing: turns 2.03 and Δref 0.00 for 50 steps",
            ),
            (vec![(25, Seen { groups: 0, ..h })], 20, "no group carries a gradient for 20 steps in a row"),
            (
                vec![(60, h), (60, with(h, |p| p.format_faults = 0.22))],
                60 + 25,
                "format faults are rising: 12 % of rollouts over 50 steps, 2 % at best before",
            ),
            (
                vec![(60, h), (60, with(h, |p| p.first_accuracy = 0.6))],
                60 + 26,
                "first proposals are falling while buffer groups are solved: 0.65 right over 50 steps, 0.70 before, \
                 and 0.60 of roll-ins",
            ),
            (vec![(60, Seen { kl: 1.25, ..h })], 50, "the KL to the start has passed 1: 1.25 nats a token"),
            (
                vec![(60, Seen { buffer_fill: Some(12), ..h })],
                50,
                "the buffer starves: fill 12 of 500, below 32 for 50 steps",
            ),
        ];
        for (parts, step, words) in table {
            let found = said(&parts, BOUNDS);
            assert_eq!(found.len(), 1, "{words}: {found:?}");
            assert!(found[0].1.starts_with(words), "{words}: {found:?}");
            assert!(found[0].0.abs_diff(step) <= 1, "{words}: {found:?}");
        }
    }

    #[test]
    fn what_has_no_meaning_is_not_said() {
        let h = healthy();
        let collapsed = with(h, |p| (p.turns, p.delta_ref) = (2.0, 0.0));
        assert_eq!(said(&[(60, collapsed)], Bounds { max_turns: 2, ..BOUNDS }), []);
        let none = Seen { buffer_fill: None, buffer_accuracy: None, ..h };
        let worse = with(none, |p| p.first_accuracy = 0.3);
        assert_eq!(said(&[(60, none), (200, worse)], Bounds { buffer: None, ..BOUNDS }), []);
        // Rollouts that revise for the worse do not collapse.
        assert_eq!(said(&[(60, with(collapsed, |p| p.delta_ref = -0.1))], BOUNDS), []);
        // Steps without a rollout of its own say nothing about the policy.
        assert_eq!(said(&[(60, Seen { policy: None, ..h })], BOUNDS), []);
    }

    #[test]
    fn once_an_episode_and_again_after_it_ended() {
        let h = healthy();
        let (over, under) = (Seen { kl: 1.3, ..h }, Seen { kl: 0.9, ..h });
        // Around the bound it stays one episode.
        let found = said(&[(100, over), (100, under), (100, over)], BOUNDS);
        assert_eq!(found.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [50]);
        let found = said(&[(100, over), (100, h), (100, over)], BOUNDS);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].0 > 200);
    }

    #[test]
    fn goes_on_from_its_text_as_if_nothing_happened() {
        let h = healthy();
        let steps: Vec<Seen> = (0..200)
            .map(|i| Seen { kl: f64::from(i) / 90.0, groups: usize::from(i % 60 > 30), ..h })
            .collect();
        let (mut whole, mut parts) = (Watch::default(), Watch::default());
        for (i, seen) in steps.iter().enumerate() {
            let step = i as u64 + 1;
            let text = serde_json::to_string(&parts).unwrap();
            parts = serde_json::from_str(&text).unwrap();
            assert_eq!(whole.step(step, *seen, BOUNDS), parts.step(step, *seen, BOUNDS));
        }
        assert!(whole.said().len() >= 3 && whole == parts, "{:?}", whole.said());
    }
}
