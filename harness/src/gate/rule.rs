//! What a gate demands: rules, as `gate.yaml` has them.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use vrrl_harness_core::{sha256_hex, Role};

use super::metric::{Metric, Scale};
use crate::{Error, Result};

/// A gate's settings; every key may be left out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GateConfig {
    /// One-sided error rate of the whole gate: the chance to fail though no rule is broken, and the chance to pass
    /// though one is.
    pub alpha: f64,
    /// The rules; without any, [`Rule::usual`].
    pub rules: Vec<Rule>,
    /// Settings in which baseline and candidate may differ; see [`Setting`].
    pub allow_changed: BTreeSet<Setting>,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self { alpha: 0.05, rules: Vec::new(), allow_changed: BTreeSet::new() }
    }
}

/// What decides replies beside the model. Where baseline and candidate differ in one, their difference is not the
/// model's, and the gate refuses unless it is told that this is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Turn language.
    Dialect,
    /// Most turns.
    MaxTurns,
    /// Longest reply.
    MaxTokens,
    /// Sampling temperature.
    Temperature,
    /// How much of the picture feedback shows.
    Feedback,
    /// What is shown in place of feedback.
    Control,
    /// Which picture is shown.
    View,
    /// What an endpoint's model is told.
    Prompts,
}

impl Setting {
    /// Key in `gate.yaml`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Dialect => "dialect",
            Self::MaxTurns => "max_turns",
            Self::MaxTokens => "max_tokens",
            Self::Temperature => "temperature",
            Self::Feedback => "feedback",
            Self::Control => "control",
            Self::View => "view",
            Self::Prompts => "prompts",
        }
    }
}

/// A number that may be written `0.02`, `"2 points"` or `"2 %"`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(transparent)]
pub struct Amount(pub f64);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number such as 0.02, \"2 points\" or \"2 %\"")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Amount, E> {
                Ok(Amount(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Amount, E> {
                Ok(Amount(value as f64))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Amount, E> {
                Ok(Amount(value as f64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                let number = ["points", "point", "%"].iter().find_map(|unit| text.trim().strip_suffix(unit));
                let number = number.and_then(|text| text.trim().parse::<f64>().ok());
                number
                    .map(|n| Amount(n / 100.0))
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// One demand: a metric, the items it is taken over, and one bound.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Name in outputs; by default what the rule says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is asked.
    pub metric: Metric,
    /// Only items of splits with this role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Only items of these splits; the last part of a name is enough. Neither role nor splits: all items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub splits: Vec<String>,
    /// A rule of its own for every split, in place of one over all their items.
    #[serde(default, skip_serializing_if = "is_false")]
    pub each_split: bool,
    /// Candidate − baseline is at least −this, item by item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_drop: Option<Amount>,
    /// Candidate − baseline is at most this, item by item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rise: Option<Amount>,
    /// The candidate's own value is at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Amount>,
    /// The candidate's own value is at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Amount>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// One bound.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Bound {
    /// Key in `gate.yaml`.
    pub key: &'static str,
    /// As it is written there.
    pub amount: f64,
    /// Whether it is about candidate − baseline.
    pub paired: bool,
    /// Whether the rule holds above the limit, or below.
    pub above: bool,
}

impl Bound {
    /// The value at which the rule turns.
    pub fn limit(&self) -> f64 {
        if self.key == "max_drop" {
            -self.amount
        } else {
            self.amount
        }
    }
}

impl Rule {
    /// The rule without a config: accuracy may not drop by more than 2 points.
    #[must_use]
    pub fn usual() -> Self {
        Self {
            name: None,
            metric: Metric::Accuracy,
            role: None,
            splits: Vec::new(),
            each_split: false,
            max_drop: Some(Amount(0.02)),
            max_rise: None,
            at_least: None,
            at_most: None,
        }
    }

    /// The one bound.
    pub(crate) fn bound(&self) -> Result<Bound> {
        let all = [
            ("max_drop", self.max_drop, true, true),
            ("max_rise", self.max_rise, true, false),
            ("at_least", self.at_least, false, true),
            ("at_most", self.at_most, false, false),
        ];
        let mut given = all.into_iter().filter_map(|(key, amount, paired, above)| {
            amount.map(|Amount(amount)| Bound { key, amount, paired, above })
        });
        match (given.next(), given.next()) {
            (Some(bound), None) => Ok(bound),
            _ => Err(Error::Input(format!(
                "rule on {}: give exactly one of max_drop, max_rise, at_least, at_most",
                self.metric
            ))),
        }
    }

    /// What the rule says, without its items.
    pub(crate) fn words(&self, bound: &Bound) -> String {
        format!("{} {} {}", self.metric, bound.key, bound.amount)
    }

    fn validate(&self) -> Result<()> {
        let bound = self.bound()?;
        let refuse =
            |why: &str| Err(Error::Input(format!("rule {}: {} {why}", self.words(&bound), bound.key)));
        let (x, scale) = (bound.amount, self.metric.scale());
        if !x.is_finite() {
            return refuse("is no finite number");
        }
        if bound.paired {
            if x < 0.0 {
                return refuse("is a size and not negative; use max_drop for a drop, max_rise for a rise");
            }
            if scale == Scale::Share && x >= 1.0 {
                return refuse("is a share of 1: 2 points are 0.02 or \"2 points\"");
            }
        } else {
            match scale {
                Scale::Share if !(0.0..=1.0).contains(&x) => {
                    return refuse("is a share from 0 to 1: 1 % is 0.01 or \"1 %\"")
                }
                Scale::Share if x <= 0.0 || x >= 1.0 => {
                    return refuse(
                        "of exactly 0 or 1 can be shown by no number of items; leave room, such as 0.01",
                    )
                }
                Scale::Gain if x <= -1.0 || x >= 1.0 => {
                    return refuse("is a difference of shares, between -1 and 1")
                }
                Scale::Count if x < 0.0 => return refuse("is a count and not negative"),
                _ => {}
            }
        }
        if self.role.is_some() && !self.splits.is_empty() {
            return refuse("has role and splits; choose one");
        }
        Ok(())
    }
}

impl GateConfig {
    /// Refuses values that mean nothing.
    ///
    /// # Errors
    /// [`Error::Input`] naming rule and key.
    pub fn validate(&self) -> Result<()> {
        if !(self.alpha > 0.0 && self.alpha < 0.5) {
            return Err(Error::Input(format!(
                "alpha: {} is no one-sided error rate; use more than 0 and less than 0.5, such as 0.05",
                self.alpha
            )));
        }
        let mut names = BTreeSet::new();
        for rule in &self.rules {
            rule.validate()?;
            if let Some(name) = rule.name.as_ref().filter(|name| !names.insert(name.as_str())) {
                return Err(Error::Input(format!("two rules have the name {name:?}; give each its own")));
            }
        }
        Ok(())
    }

    /// SHA-256 of the rules as they were understood.
    pub(crate) fn hash(&self) -> String {
        sha256_hex(&serde_json::to_vec(self).expect("a configuration has only plain keys and finite numbers"))
    }
}
