//! The range of every setting, checked before anything runs.

use serde_yaml::Value;

use super::{ConfigError, RlConfig};
use crate::buffer::BufferConfig;
use crate::{DemoConfig, SupervisedConfig};

/// Most wrong proposals of a recovery: with the right one and its commit they fill the eight turns of the evaluation.
const MOST_WRONG: u32 = 6;

impl SupervisedConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// Names the first key out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check("sft.steps", self.steps, self.steps >= 1, "at least 1")?;
        least("sft.batch", self.batch, 1)?;
        least("sft.look", self.look, 1)?;
        check("sft.look_every", self.look_every, self.look_every >= 1, "at least 1")?;
        within("sft.lr", self.lr, f64::MIN_POSITIVE, 1.0)?;
        within("sft.lr_final", self.lr_final, 0.0, 1.0)?;
        within("sft.grad_clip", self.grad_clip, f64::MIN_POSITIVE, 1e6)?;
        self.spike.map_or(Ok(()), |spike| within("sft.spike", spike, 2.0, f64::MAX))
    }
}

impl DemoConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// Names the first key out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (key, share) in [
            ("demos.drawn_share", self.drawn_share),
            ("demos.overlay_share", self.overlay_share),
            ("demos.overlay_right", self.overlay_right),
            ("demos.read_share", self.read_share),
            ("demos.second_share", self.second_share),
            ("demos.multi_share", self.multi_share),
        ] {
            within(key, share, 0.0, 1.0)?;
        }
        let kinds = self.drawn_share + self.overlay_share + self.read_share + self.second_share;
        check(
            "demos",
            kinds,
            kinds <= 1.0 + 1e-9,
            "shares that sum to at most 1 (drawn, overlay, read, second)",
        )?;
        let overlays = self.overlay_right <= 0.0 || self.overlay_share > 0.0;
        check("demos.overlay_right", self.overlay_right, overlays, "0 without `demos.overlay_share`")?;
        let most = format!("1 to {MOST_WRONG}");
        check("demos.max_wrong", self.max_wrong, (1..=MOST_WRONG).contains(&self.max_wrong), &most)?;
        within("demos.decision_weight", self.decision_weight, f64::MIN_POSITIVE, 100.0)
    }
}

impl RlConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// Names the first key out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        least("steps", self.steps, 1)?;
        least("questions", self.questions, 1)?;
        // The advantage of a group of one is nothing.
        least("group", self.group, 2)?;
        within("lr", self.lr, f64::MIN_POSITIVE, 1.0)?;
        within("lr_final", self.lr_final, 0.0, 1.0)?;
        check("warmup", self.warmup, self.warmup <= self.steps, "at most `steps`")?;
        within("weight_decay", self.weight_decay, 0.0, 1.0)?;
        within("grad_clip", self.grad_clip, f64::MIN_POSITIVE, 1e6)?;
        if let Some(spike) = self.spike {
            within("spike", spike, 2.0, f64::MAX)?;
        }
        within("clip.low", self.clip.low, 0.0, 1.0)?;
        within("clip.high", self.clip.high, 0.0, 100.0)?;
        within("clip.dual", self.clip.dual, 1.0 + self.clip.high, 1e6)?;
        within("clip.kl", self.clip.kl, 0.0, 100.0)?;
        within("std_floor", self.std_floor, 1e-12, 10.0)?;
        within("temperature", self.temperature, 0.01, 10.0)?;
        least("max_turns", self.max_turns, 2)?;
        least("look", self.look, 1)?;
        check("look_every", self.look_every, self.look_every >= 1, "at least 1")?;
        if let Some(filter) = &self.filter {
            within("filter.low", filter.low, -10.0, 10.0)?;
            within("filter.high", filter.high, filter.low, 10.0)?;
        }
        check(
            "reward",
            kind(&self.reward),
            reward_shaped(&self.reward),
            "a preset's name or a block of reward keys",
        )?;
        self.reward_set()?;
        if let Some(chance) = self.rtm.as_ref().and_then(|rtm| rtm.keep_first) {
            within("rtm.keep_first", chance, 0.0, 1.0)?;
        }
        if let Some(curriculum) = &self.curriculum {
            let strength = self.rtm.is_some() || self.buffer.is_some();
            check("curriculum", "set", strength, "null without `rtm` and `buffer`: it drives nothing else")?;
            within("curriculum.none", curriculum.none, 0.0, 1.0)?;
            within("curriculum.full", curriculum.full, 0.0, 1.0)?;
            let span = (curriculum.full - curriculum.none).abs();
            check("curriculum.full", curriculum.full, span > 1e-6, "another share than `curriculum.none`")?;
            within("curriculum.rate", curriculum.rate, f64::MIN_POSITIVE, 1.0)?;
            within("curriculum.least", curriculum.least, 0.0, 1.0)?;
        }
        self.buffer.as_ref().map_or(Ok(()), validate_buffer)
    }
}

fn validate_buffer(buffer: &BufferConfig) -> Result<(), ConfigError> {
    check("buffer.share", buffer.share, buffer.share > 0.0 && buffer.share < 1.0, "above 0 and below 1")?;
    within("buffer.right_share", buffer.right_share, 0.0, 1.0)?;
    least("buffer.capacity", buffer.capacity, 1)?;
    least("buffer.per_question", buffer.per_question, 1)?;
    least("buffer.max_age", usize::try_from(buffer.max_age).unwrap_or(usize::MAX), 1)?;
    check(
        "buffer.min_fill",
        buffer.min_fill,
        buffer.min_fill <= buffer.capacity,
        "at most `buffer.capacity`",
    )?;
    if let Some(most) = buffer.max_proposals {
        least("buffer.max_proposals", most, 1)?;
    }
    if let Some(gate) = &buffer.gate {
        within("buffer.gate.low", gate.low, 0.0, 1.0)?;
        // Both ends are exclusive.
        check(
            "buffer.gate.high",
            gate.high,
            gate.high > gate.low && gate.high <= 1.0,
            "above `low`, at most 1",
        )?;
    }
    Ok(())
}

/// That `holds`, or an error with the key, the value and the range.
///
/// # Errors
/// If it does not.
pub fn check(key: &'static str, value: impl ToString, holds: bool, range: &str) -> Result<(), ConfigError> {
    let error = || ConfigError::Range { key, value: value.to_string(), range: range.to_owned() };
    if holds {
        Ok(())
    } else {
        Err(error())
    }
}

/// That a number lies in a range, ends included.
///
/// # Errors
/// If it does not, or is not a number.
pub fn within(key: &'static str, value: f64, low: f64, high: f64) -> Result<(), ConfigError> {
    let range = if low <= f64::MIN_POSITIVE && low > 0.0 {
        format!("above 0, at most {high}")
    } else {
        format!("{low} to {high}")
    };
    // A NaN fails both comparisons.
    check(key, value, value >= low && value <= high, &range)
}

/// That a count is large enough.
///
/// # Errors
/// If it is not.
pub fn least(key: &'static str, value: usize, low: usize) -> Result<(), ConfigError> {
    check(key, value, value >= low, &format!("at least {low}"))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a yes or no",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "an empty text",
        Value::String(_) => "a text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) | Value::Tagged(_) => "a block",
    }
}

fn reward_shaped(reward: &Value) -> bool {
    matches!(reward, Value::Mapping(_)) || reward.as_str().is_some_and(|name| !name.is_empty())
}
