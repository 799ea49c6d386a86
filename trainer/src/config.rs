//! Settings of the reinforcement stage, GRPO and VRRL alike, as YAML.
//!
//! [`RlConfig::preset`] has the numbers of the paper's appendix (`paper`), of the released 4B navigation
//! launcher (`code`), and of a small policy trained from scratch (`small`, also the default). GRPO is the same
//! recipe with a 0/1 outcome reward, the loss on the whole rollout and no buffer.

pub mod check;

use serde::{Deserialize, Serialize};
use serde_yaml::{Mapping, Value};
use vrrl_harness_core::reward::{RewardSet, PRESETS};

use crate::buffer::{Ban, BufferConfig};
use crate::curriculum::CurriculumConfig;
use crate::guard::SPIKE;
use crate::liveness::{self, Mechanism};
use crate::math::{Clip, Schedule, TokenMean};
use crate::rtm::RtmConfig;

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The text is not YAML, has an unknown key, or a value of the wrong kind; the source says where.
    #[error("read the reinforcement settings: {0}")]
    Yaml(#[from] serde_yaml::Error),
    /// A value is out of its range.
    #[error("`{key}` is {value}, but must be {range}")]
    Range {
        /// The key, with its block.
        key: &'static str,
        /// The value found.
        value: String,
        /// What is allowed.
        range: String,
    },
    /// The reward does not read: an unknown key, a value of the wrong kind or out of range.
    #[error("`reward`: {0}")]
    Reward(String),
    /// No preset has this name.
    #[error("no preset is called `{0}`; there are `paper`, `code` and `small`")]
    Preset(String),
}

/// Online filtering of groups.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Groups with a mean reward at or below this are dropped.
    pub low: f64,
    /// Groups with a mean reward at or above this are dropped.
    pub high: f64,
    /// Times that dropped groups are refilled with new questions in one step; 0 drops without refilling.
    pub tries: usize,
}

impl Default for Filter {
    /// The paper's.
    fn default() -> Self {
        Self { low: 0.01, high: 0.99, tries: 20 }
    }
}

/// What pays beside a right answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shaping {
    /// Nothing: 1 if right and well formed, else 0.
    Outcome,
    /// Progress between proposals, the paper's reflection reward.
    Reflection,
    /// How near the last answer is, whatever came before; the paper says that the policy then mends its first
    /// proposal and stops reflecting.
    Distance,
}

/// What a method adds to GRPO; everything else is the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parts {
    /// Random Turn Masking.
    pub rtm: bool,
    /// Buffered Roll-In.
    pub buffer: bool,
    /// What pays beside a right answer.
    pub shaping: Shaping,
}

impl Parts {
    /// Plain GRPO.
    pub const GRPO: Self = Self { rtm: false, buffer: false, shaping: Shaping::Outcome };
    /// VRRL: all three.
    pub const VRRL: Self = Self { rtm: true, buffer: true, shaping: Shaping::Reflection };
}

/// Settings of a reinforcement run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RlConfig {
    /// Optimizer steps; one update a step.
    pub steps: usize,
    /// Questions a step, Q.
    pub questions: usize,
    /// Rollouts a question, G.
    pub group: usize,
    /// Highest learning rate.
    pub lr: f64,
    /// Last learning rate as a fraction of `lr`, reached linearly; 1 is constant.
    pub lr_final: f64,
    /// Steps of linear warm-up.
    pub warmup: usize,
    /// AdamW's decoupled weight decay.
    pub weight_decay: f64,
    /// Largest norm of the gradient.
    pub grad_clip: f64,
    /// A step whose loss or norm is this many times the median of the last 100 steps ends the run; null never does.
    #[serde(skip_serializing_if = "crate::guard::usual")]
    pub spike: Option<f64>,
    /// Clip and KL of the token loss.
    pub clip: Clip,
    /// Added to the standard deviation in the group advantage.
    pub std_floor: f64,
    /// Sampling temperature of rollouts.
    pub temperature: f64,
    /// Most turns, commit included.
    pub max_turns: usize,
    /// Online filtering; null is off.
    pub filter: Option<Filter>,
    /// A reward preset's name, or a reward written out.
    pub reward: Value,
    /// Random Turn Masking; null is off.
    pub rtm: Option<RtmConfig>,
    /// Buffered Roll-In; null is off.
    pub buffer: Option<BufferConfig>,
    /// How tokens of on-policy and of buffer episodes are averaged.
    pub token_mean: TokenMean,
    /// The first turn's advantage comes from first correctness alone, so that wrong-then-right cannot reward
    /// a wrong first proposal.
    pub turn0_credit: bool,
    /// Masking and roll-in follow a measured quantity; null is at full strength throughout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curriculum: Option<CurriculumConfig>,
    /// Steps between looks at the hold-out and saved states; the best look's weights are kept.
    pub look_every: u64,
    /// Hold-out episodes a look.
    pub look: usize,
}

impl Default for RlConfig {
    /// GRPO for a small policy.
    fn default() -> Self {
        Self {
            steps: 100,
            questions: 24,
            group: 8,
            lr: 3e-4,
            lr_final: 0.1,
            warmup: 0,
            weight_decay: 0.01,
            grad_clip: 1.0,
            spike: Some(SPIKE),
            clip: Clip::default(),
            std_floor: 0.1,
            temperature: 1.0,
            max_turns: 6,
            // Refilling costs rollouts, and most groups of a good small policy are dropped.
            filter: Some(Filter { tries: 0, ..Filter::default() }),
            reward: Value::from("outcome_only"),
            rtm: None,
            buffer: None,
            token_mean: TokenMean::Separate,
            turn0_credit: false,
            curriculum: None,
            look_every: 20,
            look: 300,
        }
    }
}

/// The reward of `small`. Mazes: α .02 below γ .05, so that wrong-then-right never pays more than right at once.
/// Grounding: the paper's widths of φ, 2 and 5 tolerances, at the small canvas's tolerance of 12 pixels.
const SMALL_REWARD: &str = "
maze: {lambda_deg: 0.5, overshoot_zero: true, reflect_bonus: 0.02, step_cost: 0.05}
grounding: {sigma_1: 24, sigma_2: 60}
";

/// The reward that the paper names as a failure: the last answer's nearness, and nothing for improving on the
/// first. `small` has φ's widths at its own tolerance.
fn distance_reward(small: bool) -> Value {
    let widths = if small { ", sigma_1: 24, sigma_2: 60" } else { "" };
    written(&format!(
        "
maze: {{outcome: graded, reflect_weight: 0, overshoot_zero: true}}
grounding: {{outcome: graded, reflect_weight: 0{widths}}}
"
    ))
}

fn written(yaml: &str) -> Value {
    serde_yaml::from_str(yaml).expect("a reward written here is YAML")
}

impl RlConfig {
    /// The preset `paper`, `code` or `small` of a method with these parts.
    ///
    /// # Errors
    /// If no preset has this name.
    pub fn preset(name: &str, parts: Parts) -> Result<Self, ConfigError> {
        // One token mean over the batch is what the released loss does; the paper writes two.
        let (base, reward, buffer, token_mean) = match name {
            "small" => (Self::default(), written(SMALL_REWARD), BufferConfig::small(), TokenMean::Separate),
            "paper" => {
                (Self::large(1e-6), Value::from("vrrl_paper"), BufferConfig::paper(), TokenMean::Separate)
            }
            "code" => (Self::large(5e-7), Value::from("vrrl_code"), BufferConfig::code(), TokenMean::Pooled),
            other => return Err(ConfigError::Preset(other.to_owned())),
        };
        let turns = if name == "code" { crate::rtm::Turns::Code } else { crate::rtm::Turns::Paper };
        let reward = match parts.shaping {
            Shaping::Outcome => base.reward.clone(),
            Shaping::Reflection => reward,
            Shaping::Distance => distance_reward(name == "small"),
        };
        let small = name == "small";
        // Where a first turn answers for what comes after it a small policy becomes wrong on purpose, at 7 to 9 points in total
        // (reports/ablations.md). Masking it as often as the paper does costs first proposals a little (reports/sensitivity.md).
        let keep_first = small.then_some(0.7);
        let rtm = parts.rtm.then(|| RtmConfig { turns, keep_first, ..RtmConfig::default() });
        let turn0_credit = small && parts != Parts::GRPO;
        Ok(Self { reward, rtm, buffer: parts.buffer.then_some(buffer), token_mean, turn0_credit, ..base })
    }

    /// The parts that are on. A reward that pays for both is called reflection.
    #[must_use]
    pub fn parts(&self) -> Parts {
        let shaping = if pays(&self.reward, &[("reflect_weight", 0.9), ("reflect_bonus", 0.0)]) {
            Shaping::Reflection
        } else if graded(&self.reward) {
            Shaping::Distance
        } else {
            Shaping::Outcome
        };
        Parts { rtm: self.rtm.is_some(), buffer: self.buffer.is_some(), shaping }
    }

    /// GRPO as run on 3B-7B models.
    fn large(lr: f64) -> Self {
        Self {
            steps: 1200,
            questions: 32,
            lr,
            lr_final: 1.0,
            std_floor: 1e-6,
            max_turns: 8,
            filter: Some(Filter::default()),
            ..Self::default()
        }
    }

    /// Reads YAML over the defaults.
    ///
    /// # Errors
    /// If it does not parse, has an unknown key, or a value out of range.
    pub fn from_yaml(text: &str) -> Result<Self, ConfigError> {
        Self::default().over(text)
    }

    /// These settings with those of the YAML in their place, block by block; `reward` is replaced whole.
    ///
    /// # Errors
    /// As [`RlConfig::from_yaml`].
    pub fn over(&self, text: &str) -> Result<Self, ConfigError> {
        // Read on its own first: only then does an error know its line.
        if !text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            serde_yaml::from_str::<Self>(text)?;
        }
        let mut merged = serde_yaml::to_value(self)?;
        merge(&mut merged, serde_yaml::from_str(text)?, "");
        let config: Self = serde_yaml::from_value(merged)?;
        config.validate()?;
        Ok(config)
    }

    /// The reward that is named or written out.
    ///
    /// # Errors
    /// If no preset has this name, or a key or value is wrong.
    pub fn reward_set(&self) -> Result<RewardSet, ConfigError> {
        let Some(name) = self.reward.as_str() else {
            return serde_yaml::from_value(self.reward.clone())
                .map_err(|e| ConfigError::Reward(e.to_string()));
        };
        let unknown = || {
            format!("no preset is called `{name}`; there are {}, or write the keys out", PRESETS.join(", "))
        };
        RewardSet::preset(name).ok_or_else(|| ConfigError::Reward(unknown()))
    }

    /// The learning-rate schedule.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        Schedule { peak: self.lr, warmup: self.warmup, steps: self.steps, last: self.lr_final }
    }

    /// ρ, the share of questions that start on-policy.
    #[must_use]
    pub fn rho(&self) -> f64 {
        1.0 - self.buffer.as_ref().map_or(0.0, |buffer| buffer.share)
    }

    /// The mechanisms that are on and must fire. The clip is not among them: with one update a batch the
    /// ratio is 1.
    #[must_use]
    pub fn mechanisms(&self) -> Vec<&'static Mechanism> {
        let bans = |buffer: &BufferConfig| buffer.ban != Ban::Never && buffer.right_share < 1.0;
        let table = [
            (true, &liveness::GROUPS),
            (self.rtm.is_some(), &liveness::RTM),
            (self.buffer.is_some(), &liveness::BUFFER),
            (self.buffer.as_ref().is_some_and(bans), &liveness::BAN),
            (self.buffer.as_ref().is_some_and(|b| b.ban_credit && bans(b)), &liveness::BAN_CREDIT),
            (self.parts().shaping == Shaping::Reflection, &liveness::REFLECTION),
            (self.filter.is_some(), &liveness::FILTER),
            (self.clip.kl > 0.0, &liveness::KL),
            (self.turn0_credit, &liveness::TURN0_CREDIT),
            (self.curriculum.is_some(), &liveness::CURRICULUM),
        ];
        table.into_iter().filter_map(|(on, mechanism)| on.then_some(mechanism)).collect()
    }
}

/// Whether any of a reward's weights is above 0; each stands with the default it has where it is not written.
/// Every preset but `outcome_only` pays for reflection.
fn pays(reward: &Value, weights: &[(&str, f64)]) -> bool {
    any_block(reward, &|block| {
        let weight = |key: &str, default: f64| block.get(key).and_then(Value::as_f64).unwrap_or(default);
        weights.iter().any(|(key, default)| weight(key, *default) > 0.0)
    })
    .unwrap_or_else(|| reward.as_str() != Some("outcome_only"))
}

fn graded(reward: &Value) -> bool {
    let graded = |block: &Mapping| block.get("outcome").and_then(Value::as_str) == Some("graded");
    any_block(reward, &graded).unwrap_or(false)
}

/// Whether a written-out reward, or one of its tasks' blocks, is such; `None` of a preset's name.
fn any_block(reward: &Value, such: &dyn Fn(&Mapping) -> bool) -> Option<bool> {
    let Value::Mapping(block) = reward else { return None };
    let inner: Vec<&Mapping> =
        ["maze", "grounding"].into_iter().filter_map(|task| block.get(task)?.as_mapping()).collect();
    Some(if inner.is_empty() { such(block) } else { inner.into_iter().any(such) })
}

/// Lays `top` over `base`: blocks are merged, everything else and the reward is replaced.
fn merge(base: &mut Value, top: Value, key: &str) {
    match (base, top) {
        (_, Value::Null) if key.is_empty() => {}
        (Value::Mapping(base), Value::Mapping(top)) if key != "reward" => {
            for (name, value) in top {
                let text = name.as_str().unwrap_or_default().to_owned();
                merge(base.entry(name).or_insert(Value::Null), value, &text);
            }
        }
        (base, top) => *base = top,
    }
}

#[cfg(test)]
mod tests;
