//! What a gate says, as data.

use std::fmt;

use serde::{Deserialize, Serialize};
use vrrl_harness_core::Role;
use vrrl_harness_stats::{Difference, Estimate};

use super::attempts::Attempt;
use super::metric::Metric;
use super::side::Operand;
use crate::compare::Intersection;

/// What a gate, or one of its rules, comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The data show that the demand is met.
    Pass,
    /// The data show that it is not.
    Fail,
    /// The data cannot tell.
    Inconclusive,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        })
    }
}

/// One rule with the numbers that decided it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RuleReport {
    /// Its name.
    pub name: String,
    /// What it comes to.
    pub verdict: Verdict,
    /// What is asked.
    pub metric: Metric,
    /// Only items with this role, where the rule says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The splits that its items are of.
    pub splits: Vec<String>,
    /// Key of its bound: `max_drop`, `max_rise`, `at_least` or `at_most`.
    pub bound: String,
    /// The bound, as a share (counts: as a number).
    pub amount: f64,
    /// The value of `tested` at which the rule turns: −`amount` for `max_drop`, else `amount`.
    pub limit: f64,
    /// Items.
    pub n: usize,
    /// The baseline's value, 95 %; only where the rule is about a difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub a: Option<Estimate>,
    /// The candidate's value, 95 %.
    pub b: Estimate,
    /// Items right only in the baseline; only where every item is right or wrong on both sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_a: Option<usize>,
    /// Items right only in the candidate, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_b: Option<usize>,
    /// What was held against the limit: candidate − baseline (`max_drop`, `max_rise`) or the candidate's value, with
    /// the interval of `level`.
    pub tested: Difference,
    /// Level of that interval: 1 − 2·alpha.
    pub level: f64,
    /// Smallest one-sided α at which the interval lies wholly on the bad side; 1 stands for more than a half.
    pub p_fail: f64,
    /// The same, adjusted over rules by Holm's method: at most alpha means *fail*.
    pub p_fail_holm: f64,
    /// Smallest one-sided α at which the interval lies wholly on the good side; at most alpha means *pass*.
    pub p_pass: f64,
    /// The true value of `tested` that would fail with 80 % chance at this n and spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mde: Option<f64>,
    /// Inconclusive: items that decide with 80 % chance, if the truth is what was seen; absent where the truth then
    /// is the limit itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_to_decide: Option<usize>,
    /// Inconclusive: items that pass with 80 % chance, if in truth nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_if_equal: Option<usize>,
}

/// All that `vrrl gate` says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GateReport {
    /// Format of this.
    pub format: u32,
    /// What the gate comes to: *fail* if a rule fails, *pass* if all pass, else *inconclusive*.
    pub verdict: Verdict,
    /// One-sided error rate.
    pub alpha: f64,
    /// SHA-256 of the rules.
    pub rules_hash: String,
    /// A.
    pub baseline: Operand,
    /// B.
    pub candidate: Operand,
    /// One per rule.
    pub rules: Vec<RuleReport>,
    /// What was left out to pair the rest; only where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intersection: Option<Intersection>,
    /// Settings that differ and may, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// What could not be checked, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Attempts to get this candidate through, this one last; empty where nothing records them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
}
