//! The scalar with its components, and the score.

use serde::{Deserialize, Serialize};

use super::{shape, Judged, Outcome, RewardConfig};
use crate::{TaskKind, Verdict};

/// The training scalar and what it is made of.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Reward {
    /// What training uses.
    pub total: f64,
    /// `format_value` if the format holds, else 0.
    pub format: f64,
    /// `correct_value` if right, `outcome_weight`·progress if graded, else 0; 0 where the format fails.
    pub outcome: f64,
    /// r_refl after clipping, before its weight; reported even where the format fails.
    pub reflection: f64,
    /// The positive amount taken off.
    pub step_cost: f64,
}

/// What is reported of one episode, whatever the format.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Score {
    /// The final answer is right.
    pub correct: bool,
    /// The first proposal is right; false without one.
    pub correct_first: bool,
    /// Mazes: progress rate of the first proposal; 0 without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_first: Option<f64>,
    /// Mazes: progress rate of the final answer; 0 without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_final: Option<f64>,
    /// Grounding: pixels from the first proposal to the truth; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_first: Option<f64>,
    /// Grounding: pixels from the final answer to the truth; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_final: Option<f64>,
    /// Turns that were not blank.
    pub turns: usize,
    /// Proposals that parsed.
    pub proposals: usize,
    /// Revising lost progress.
    pub broke: bool,
}

impl Judged {
    /// The score of the episode; of `config` only `overshoot_zero`, `lambda_deg`, the σ and the tolerance count.
    #[must_use]
    pub fn score(&self, config: &RewardConfig) -> Score {
        let first = self.proposals().next().map(|(_, verdict)| verdict);
        let last = self.final_answer().map(|(_, verdict)| verdict);
        let right = |verdict: Option<&Verdict>| verdict.is_some_and(|v| self.correct(v, config));
        let maze = self.task == TaskKind::Maze;
        let progress =
            |verdict: Option<&Verdict>| maze.then(|| verdict.map_or(0.0, |v| shape::progress(v, config)));
        Score {
            correct: right(last),
            correct_first: right(first),
            progress_first: progress(first),
            progress_final: progress(last),
            distance_first: distance(first),
            distance_final: distance(last),
            turns: self.turns.len(),
            proposals: self.proposals().count(),
            broke: shape::broke(self, config),
        }
    }

    /// The reward of the episode (section 3.1, "Total").
    #[must_use]
    pub fn reward(&self, config: &RewardConfig) -> Reward {
        let reflection = shape::reflection(self, config);
        let zero = Reward { reflection, ..Reward::default() };
        if !self.well_formed(config.min_turns) {
            return zero;
        }
        let Some((_, last)) = self.final_answer() else { return zero };
        let format = config.format_value;
        if self.correct(last, config) {
            let revisions = self.proposals().count().saturating_sub(1);
            let discount = config.reflect_bonus_discount.powi(i32::try_from(revisions).unwrap_or(i32::MAX));
            let bonus = config.reflect_bonus * reflection.max(0.0) * discount;
            let step_cost = self.step_cost(config);
            let total = config.correct_value + bonus - step_cost;
            return Reward { total, format, outcome: config.correct_value, reflection, step_cost };
        }
        let outcome = match config.outcome {
            Outcome::Graded => config.outcome_weight * shape::progress(last, config),
            Outcome::Exact => 0.0,
        };
        let step_cost = if config.step_cost_on_wrong { self.step_cost(config) } else { 0.0 };
        let total =
            (format + config.reflect_weight * reflection + outcome).min(config.correct_value) - step_cost;
        Reward { total, format, outcome, reflection, step_cost }
    }

    fn step_cost(&self, config: &RewardConfig) -> f64 {
        let proposals = self.proposals().count();
        let dear = if config.step_cost_after_correct_only {
            // "Right" is progress 1 here, as in the released code: a path that reaches it is complete. A point
            // has no such mark, so there the verdict decides.
            let complete = |verdict: &Verdict| match verdict {
                Verdict::Path(_) => shape::progress(verdict, config) >= 1.0,
                Verdict::Point(_) => self.correct(verdict, config),
            };
            let first = self.proposals().position(|(_, verdict)| complete(verdict));
            first.map_or(0, |i| proposals - 1 - i)
        } else {
            proposals.saturating_sub(1)
        };
        config.step_cost * dear as f64
    }
}

fn distance(verdict: Option<&Verdict>) -> Option<f64> {
    match verdict {
        Some(Verdict::Point(point)) => Some(point.distance),
        _ => None,
    }
}
