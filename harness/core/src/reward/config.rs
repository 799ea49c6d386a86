//! The knobs of a reward, its presets and the file it is read from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, TaskKind};

/// How a wrong final answer counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not at all.
    #[default]
    Exact,
    /// By its progress.
    Graded,
}

/// Names of the presets.
pub const PRESETS: [&str; 3] = ["vrrl_paper", "vrrl_code", "outcome_only"];

/// One task's reward. Unknown keys are refused; what a file leaves out has the default.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RewardConfig {
    /// How a wrong final answer counts.
    pub outcome: Outcome,
    /// Weight of a wrong answer's progress, if graded.
    pub outcome_weight: f64,
    /// Reward of a right answer; also caps a wrong one's.
    pub correct_value: f64,
    /// Reward of the format alone.
    pub format_value: f64,
    /// Weight of r_refl for a wrong answer.
    pub reflect_weight: f64,
    /// r_refl is clipped to this from below, and to 1 from above.
    pub reflect_lower_clip: f64,
    /// λ_deg: weight of progress lost by revising.
    pub lambda_deg: f64,
    /// Fewest turns, commit included.
    pub min_turns: usize,
    /// A path that completes an optimal one and goes on has progress 0.
    pub overshoot_zero: bool,
    /// α: weight of r_refl for a right answer.
    pub reflect_bonus: f64,
    /// Factor on α for each revision.
    pub reflect_bonus_discount: f64,
    /// γ: cost of each revision.
    pub step_cost: f64,
    /// Only proposals after the first complete one cost.
    pub step_cost_after_correct_only: bool,
    /// A wrong answer pays for its revisions too.
    pub step_cost_on_wrong: bool,
    /// Grounding: σ₁ of φ, in pixels.
    pub sigma_1: f64,
    /// Grounding: σ₂ of φ, in pixels.
    pub sigma_2: f64,
    /// Grounding: largest distance that is right, in pixels, where the truth names none.
    pub tolerance: f64,
}

impl Default for RewardConfig {
    fn default() -> Self {
        Self {
            outcome: Outcome::Exact,
            outcome_weight: 0.9,
            correct_value: 1.0,
            format_value: 0.1,
            reflect_weight: 0.9,
            reflect_lower_clip: 0.0,
            lambda_deg: 1.0,
            min_turns: 1,
            overshoot_zero: false,
            reflect_bonus: 0.0,
            reflect_bonus_discount: 1.0,
            step_cost: 0.0,
            step_cost_after_correct_only: false,
            step_cost_on_wrong: false,
            sigma_1: 80.0,
            sigma_2: 200.0,
            tolerance: 40.0,
        }
    }
}

impl RewardConfig {
    /// A named preset for one task: `vrrl_paper` (as the paper's appendix has it), `vrrl_code` (as the released
    /// launcher has it) or `outcome_only` (1 if right and well formed, else 0).
    #[must_use]
    pub fn preset(name: &str, task: TaskKind) -> Option<Self> {
        let maze = Self { lambda_deg: 0.5, overshoot_zero: true, ..Self::default() };
        match (name, task) {
            ("vrrl_paper", TaskKind::Maze) => {
                Some(Self { reflect_bonus: 0.2, step_cost: 0.05, step_cost_on_wrong: true, ..maze })
            }
            ("vrrl_code", TaskKind::Maze) => Some(Self { reflect_bonus: 0.1, step_cost: 0.01, ..maze }),
            ("vrrl_paper" | "vrrl_code", TaskKind::Table | TaskKind::Chart) => Some(Self::default()),
            ("outcome_only", _) => Some(Self { format_value: 0.0, reflect_weight: 0.0, ..Self::default() }),
            _ => None,
        }
    }

    /// Refuses values that mean nothing.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key.
    pub fn validate(&self) -> Result<(), Error> {
        let weights = [
            ("outcome_weight", self.outcome_weight),
            ("correct_value", self.correct_value),
            ("format_value", self.format_value),
            ("reflect_weight", self.reflect_weight),
            ("lambda_deg", self.lambda_deg),
            ("reflect_bonus", self.reflect_bonus),
            ("step_cost", self.step_cost),
            ("tolerance", self.tolerance),
        ];
        for (key, value) in weights {
            require(value.is_finite() && value >= 0.0, key, value, "0 or more")?;
        }
        for (key, value) in [("sigma_1", self.sigma_1), ("sigma_2", self.sigma_2)] {
            require(value.is_finite() && value > 0.0, key, value, "more than 0 pixels")?;
        }
        let discount = self.reflect_bonus_discount;
        require((0.0..=1.0).contains(&discount), "reflect_bonus_discount", discount, "between 0 and 1")?;
        let clip = self.reflect_lower_clip;
        require(clip.is_finite() && clip <= 1.0, "reflect_lower_clip", clip, "at most 1, the upper clip")
    }
}

fn require(holds: bool, key: &str, value: f64, wanted: &str) -> Result<(), Error> {
    let reason = || format!("{key} is {value}, but must be {wanted}");
    if holds {
        Ok(())
    } else {
        Err(Error::Config { what: "reward", reason: reason() })
    }
}

/// A reward for every task, as a file holds it: either one flat block for all tasks, or `maze:` and
/// `grounding:` blocks (a missing one has the defaults).
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Value>")]
pub struct RewardSet {
    /// For mazes.
    pub maze: RewardConfig,
    /// For tables and charts.
    pub grounding: RewardConfig,
}

impl RewardSet {
    /// A named preset, see [`RewardConfig::preset`].
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        let maze = RewardConfig::preset(name, TaskKind::Maze)?;
        Some(Self { maze, grounding: RewardConfig::preset(name, TaskKind::Table)? })
    }

    /// The reward of one task.
    #[must_use]
    pub fn of(&self, task: TaskKind) -> &RewardConfig {
        match task {
            TaskKind::Maze => &self.maze,
            TaskKind::Table | TaskKind::Chart => &self.grounding,
        }
    }
}

impl TryFrom<BTreeMap<String, Value>> for RewardSet {
    type Error = Error;

    fn try_from(mut map: BTreeMap<String, Value>) -> Result<Self, Error> {
        let [maze, grounding] = ["maze", "grounding"].map(|block| map.remove(block));
        if maze.is_none() && grounding.is_none() {
            let flat = read("reward", Some(Value::Object(map.into_iter().collect())))?;
            return Ok(Self { maze: flat, grounding: flat });
        }
        if let Some(key) = map.keys().next() {
            let reason =
                format!("{key} stands beside the blocks maze and grounding; move it into one of them");
            return Err(Error::Config { what: "reward", reason });
        }
        Ok(Self {
            maze: read("reward, block maze", maze)?,
            grounding: read("reward, block grounding", grounding)?,
        })
    }
}

fn read(what: &'static str, block: Option<Value>) -> Result<RewardConfig, Error> {
    let Some(block) = block else { return Ok(RewardConfig::default()) };
    let config: RewardConfig =
        serde_json::from_value(block).map_err(|e| Error::Config { what, reason: e.to_string() })?;
    config.validate()?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Result<RewardSet, String> {
        serde_json::from_str(text).map_err(|e| e.to_string())
    }

    #[test]
    fn a_file_is_flat_or_in_blocks() {
        assert_eq!(set("{}").unwrap(), RewardSet::default());
        let flat = set(r#"{"lambda_deg": 0.5, "outcome": "graded"}"#).unwrap();
        assert_eq!(
            flat.maze,
            RewardConfig { lambda_deg: 0.5, outcome: Outcome::Graded, ..Default::default() }
        );
        assert_eq!(flat.grounding, flat.maze);
        let blocks = set(r#"{"maze": {"step_cost": 0.05}}"#).unwrap();
        assert_eq!(blocks.maze, RewardConfig { step_cost: 0.05, ..Default::default() });
        assert_eq!(blocks.of(TaskKind::Chart), &RewardConfig::default());
        let text = serde_json::to_string(&blocks).unwrap();
        assert_eq!(set(&text).unwrap(), blocks);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (text, word) in [
            (r#"{"lamda_deg": 1}"#, "lamda_deg"),
            (r#"{"maze": {"sigma": 1}}"#, "sigma"),
            (r#"{"maze": {}, "step_cost": 1}"#, "step_cost"),
            (r#"{"step_cost": -1}"#, "step_cost"),
            (r#"{"sigma_1": 0}"#, "sigma_1"),
            (r#"{"reflect_lower_clip": 2}"#, "reflect_lower_clip"),
            (r#"{"reflect_bonus_discount": 1.5}"#, "reflect_bonus_discount"),
            (r#"{"outcome": "best"}"#, "best"),
        ] {
            let error = set(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn presets_differ_where_paper_and_code_do() {
        let [paper, code] =
            ["vrrl_paper", "vrrl_code"].map(|n| RewardConfig::preset(n, TaskKind::Maze).unwrap());
        let made_equal =
            RewardConfig { reflect_bonus: 0.1, step_cost: 0.01, step_cost_on_wrong: false, ..paper };
        assert_eq!(made_equal, code);
        assert_eq!(RewardConfig::preset("vrrl_code", TaskKind::Table), Some(RewardConfig::default()));
        assert_eq!(RewardConfig::preset("vrrl", TaskKind::Maze), None);
        for name in PRESETS {
            let set = RewardSet::preset(name).unwrap();
            set.maze.validate().unwrap();
            set.grounding.validate().unwrap();
        }
    }
}
