//! Proof that the mechanisms of a run were on: counters that stand in the run's JSON and in the report, and
//! the complaint about one that never fired.
//!
//! A training mechanism that is switched on and silently does nothing is the commonest way in which a
//! published method turns out not to have been what was trained.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A mechanism and the counters that must be above zero once it is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mechanism {
    /// Its name in files.
    pub name: &'static str,
    /// Counters that must have fired, in the order they depend on each other, each with what to change if it
    /// has not. Only the first silent one is complained about.
    pub needs: &'static [(&'static str, &'static str)],
}

/// Learning itself: groups whose rollouts differ in reward.
pub const GROUPS: Mechanism = Mechanism {
    name: "groups",
    needs: &[
        ("rolled_out", "no group was rolled out; check that the loop runs"),
        (
            "with_gradient",
            "in the whole run all rollouts of each question earned the same, so nothing was learned; start from a policy \
             that is right sometimes, take other questions (`train`), a graded reward, or larger groups (`group`)",
        ),
    ],
};
/// Random Turn Masking.
pub const RTM: Mechanism = Mechanism {
    name: "rtm",
    needs: &[
        ("rollouts", "no on-policy rollout reached it; lower `buffer.share` or check that the loop calls it"),
        (
            "turns_masked",
            "every draw kept every turn; rollouts may have a single turn (check the SFT start), or lower `rtm.keep_first`",
        ),
    ],
};
/// Buffered Roll-In.
pub const BUFFER: Mechanism = Mechanism {
    name: "buffer",
    needs: &[
        ("offered", "no rollout was offered; lower `buffer.share` or check that the loop offers finished rollouts"),
        ("stored", "every prefix was rejected (see the `rejected_*` counters); raise `buffer.max_proposals` or widen `buffer.gate`"),
        (
            "replayed",
            "no prefix was replayed; lower `buffer.min_fill`, raise `buffer.share` or `buffer.max_age`, or train more steps",
        ),
    ],
};
/// The reflection term of the reward.
pub const REFLECTION: Mechanism = Mechanism {
    name: "reflection_reward",
    needs: &[
        ("rewarded", "no rollout was rewarded; check that the loop records rewards"),
        (
            "shaped",
            "no rollout improved on its first proposal; start from a policy that revises, or raise `max_turns` or `temperature`",
        ),
    ],
};
/// Online filtering.
pub const FILTER: Mechanism = Mechanism {
    name: "filter",
    needs: &[
        ("groups", "no group was judged; check that the loop filters"),
        ("dropped", "no group was dropped; set `filter: null`, or narrow `filter.low` and `filter.high`"),
    ],
};
/// The clip on the ratio. With one update a batch the ratio is 1 and it cannot fire: enable the check only
/// where a batch is used more than once.
pub const CLIP: Mechanism = Mechanism {
    name: "clip",
    needs: &[(
        "clipped",
        "no token was clipped; narrow `clip.low` and `clip.high` or take more updates a batch",
    )],
};
/// The pull towards the reference.
pub const KL: Mechanism = Mechanism {
    name: "kl",
    needs: &[(
        "diverged",
        "no token differed from the reference; check that the reference is frozen, train more steps, or set `clip.kl: 0`",
    )],
};
/// The ban on committing right after a wrong roll-in.
pub const BAN: Mechanism = Mechanism {
    name: "ban",
    needs: &[(
        "banned",
        "no wrong roll-in was forced to revise; lower `buffer.right_share` or set `buffer.ban: never`",
    )],
};
/// Groups with a ban that count beside twins that committed at once.
pub const BAN_CREDIT: Mechanism = Mechanism {
    name: "ban_credit",
    needs: &[(
        "groups",
        "no banned group counted beside its twins; see `ban`, or set `buffer.ban_credit: false`",
    )],
};
/// Turn 0 credited by its own correctness.
pub const TURN0_CREDIT: Mechanism = Mechanism {
    name: "turn0_credit",
    needs: &[(
        "credited",
        "no first turn got an advantage of its own; check that first proposals differ in correctness",
    )],
};

/// The curriculum of masking and roll-in.
pub const CURRICULUM: Mechanism = Mechanism {
    name: "curriculum",
    needs: &[(
        "steps_below_full",
        "its level stayed at 1 throughout; move `curriculum.none` and `curriculum.full` to shares that the policy \
         has, or set `curriculum: null`",
    )],
};

/// Base demonstrations on a drawn proposal, committed or bettered.
pub const DRAWN: Mechanism = Mechanism {
    name: "drawn_share",
    needs: &[(
        "shown",
        "no picture carried a drawn proposal; raise `demos.drawn_share`, or train more steps",
    )],
};
/// Base demonstrations on a drawn wrong proposal.
pub const OVERLAY: Mechanism = Mechanism {
    name: "overlay_share",
    needs: &[(
        "shown",
        "no picture carried a wrong overlay; raise `demos.overlay_share`, or train more steps",
    )],
};
/// Base demonstrations on a drawn right proposal, answered by the same.
pub const OVERLAY_RIGHT: Mechanism = Mechanism {
    name: "overlay_right",
    needs: &[("shown", "no picture carried a right overlay; raise `demos.overlay_right` and `demos.overlay_share`, or train more steps")],
};
/// Pictures that are read out.
pub const READ: Mechanism = Mechanism {
    name: "read_share",
    needs: &[("shown", "no picture was read out; raise `demos.read_share`, or train more steps")],
};
/// Practised second proposals.
pub const SECOND: Mechanism = Mechanism {
    name: "second_share",
    needs: &[("shown", "no second proposal was practised; raise `demos.second_share`, or train more steps")],
};
/// Recoveries imitated whole.
pub const RECOVERY: Mechanism = Mechanism {
    name: "multi_share",
    needs: &[("shown", "no episode opened with a wrong proposal to recover from; raise `demos.multi_share`, or train more steps")],
};

/// A sum with its count, for means such as the mean shaping.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Sum {
    /// Sum of the values.
    pub total: f64,
    /// How many.
    pub n: u64,
}

impl Sum {
    /// The mean; `None` of nothing.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.total / self.n as f64)
    }
}

/// What one mechanism did.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Counters {
    /// How often each thing happened.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
    /// Values averaged.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sums: BTreeMap<String, Sum>,
}

/// The counters of a run, by mechanism.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Liveness(BTreeMap<String, Counters>);

impl Liveness {
    /// Adds `n` to a counter. Adding 0 makes it visible.
    pub fn add(&mut self, mechanism: &Mechanism, counter: &str, n: u64) {
        let counters = self.0.entry(mechanism.name.to_owned()).or_default();
        *counters.counts.entry(counter.to_owned()).or_default() += n;
    }

    /// Adds one value to a mean.
    pub fn observe(&mut self, mechanism: &Mechanism, name: &str, value: f64) {
        self.observe_sum(mechanism, name, Sum { total: value, n: 1 });
    }

    /// Adds `sum` to a mean.
    pub fn observe_sum(&mut self, mechanism: &Mechanism, name: &str, sum: Sum) {
        let counters = self.0.entry(mechanism.name.to_owned()).or_default();
        let known = counters.sums.entry(name.to_owned()).or_default();
        known.total += sum.total;
        known.n += sum.n;
    }

    /// A counter's value; 0 where it never stood.
    #[must_use]
    pub fn count(&self, mechanism: &Mechanism, counter: &str) -> u64 {
        self.0.get(mechanism.name).and_then(|c| c.counts.get(counter)).copied().unwrap_or(0)
    }

    /// A mean; `None` where nothing was observed.
    #[must_use]
    pub fn mean(&self, mechanism: &Mechanism, name: &str) -> Option<f64> {
        self.0.get(mechanism.name).and_then(|c| c.sums.get(name)).and_then(Sum::mean)
    }

    /// All mechanisms that counted anything, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Counters)> {
        self.0.iter().map(|(name, counters)| (name.as_str(), counters))
    }

    /// One sentence for each enabled mechanism that never fired, saying what to change; empty if all did.
    #[must_use]
    pub fn complaints(&self, enabled: &[&Mechanism]) -> Vec<String> {
        let silent = |mechanism: &&Mechanism| {
            let (counter, cure) =
                mechanism.needs.iter().find(|(counter, _)| self.count(mechanism, counter) == 0)?;
            Some(format!("{} is on and never fired: `{counter}` is 0; {cure}", mechanism.name))
        };
        enabled.iter().filter_map(silent).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Liveness {
        let mut liveness = Liveness::default();
        liveness.add(&BUFFER, "offered", 5);
        liveness.add(&BUFFER, "stored", 2);
        liveness.add(&BUFFER, "replayed", 0);
        liveness.observe(&REFLECTION, "shaping", 0.25);
        liveness.observe(&REFLECTION, "shaping", 0.75);
        liveness
    }

    #[test]
    fn names_the_first_silent_counter_and_a_cure() {
        let complaints = sample().complaints(&[&BUFFER, &RTM]);
        assert_eq!(complaints.len(), 2);
        assert!(
            complaints[0].starts_with("buffer is on and never fired: `replayed` is 0; "),
            "{complaints:?}"
        );
        assert!(complaints[0].contains("buffer.min_fill"));
        assert!(complaints[1].contains("rtm") && complaints[1].contains("`rollouts`"));
    }

    #[test]
    fn content_when_all_fired_or_nothing_is_on() {
        let mut liveness = sample();
        liveness.add(&BUFFER, "replayed", 1);
        assert!(liveness.complaints(&[&BUFFER]).is_empty());
        assert!(Liveness::default().complaints(&[]).is_empty());
    }

    #[test]
    fn survives_its_text() {
        let liveness = sample();
        assert_eq!(liveness.mean(&REFLECTION, "shaping"), Some(0.5));
        assert_eq!(liveness.mean(&REFLECTION, "other"), None);
        let text = serde_json::to_string(&liveness).unwrap();
        assert!(text.starts_with("{\"buffer\":{\"counts\":{\"offered\":5"), "{text}");
        assert_eq!(serde_json::from_str::<Liveness>(&text).unwrap(), liveness);
        assert_eq!(
            liveness.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["buffer", "reflection_reward"]
        );
    }

    #[test]
    fn mechanism_names_are_distinct_and_each_can_fail() {
        let reinforcement = [
            &GROUPS,
            &RTM,
            &BUFFER,
            &REFLECTION,
            &FILTER,
            &CLIP,
            &KL,
            &BAN,
            &BAN_CREDIT,
            &TURN0_CREDIT,
            &CURRICULUM,
        ];
        let demonstrations = [&DRAWN, &OVERLAY, &OVERLAY_RIGHT, &READ, &SECOND, &RECOVERY];
        let all: Vec<&Mechanism> = reinforcement.into_iter().chain(demonstrations).collect();
        let names: std::collections::BTreeSet<_> = all.iter().map(|m| m.name).collect();
        assert_eq!(names.len(), all.len());
        assert_eq!(Liveness::default().complaints(&all).len(), all.len());
    }
}
