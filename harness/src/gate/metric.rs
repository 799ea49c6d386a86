//! What a rule can ask of an episode.

use std::fmt;

use serde::{Deserialize, Serialize};
use vrrl_harness_core::End;

use crate::record::ScoreRow;

/// A metric of `summary.json` that every episode has a number for. Those that are ratios of sums over episodes
/// (`repeat_rate`) or that some episodes lack (`mean_distance`) cannot be paired item by item and are not here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Final answer exact.
    Accuracy,
    /// First answer exact.
    FirstAccuracy,
    /// Accuracy − first accuracy.
    DeltaRef,
    /// Final answer exact and the format holds.
    AccuracyWellFormed,
    /// Final answer right where slips of the grammar are forgiven.
    AccuracyLenient,
    /// Mazes: goal reached, never off the grid or in a hole before.
    StrictSuccess,
    /// Mazes: goal reached when moves off the grid are no-ops.
    LenientSuccess,
    /// Ended by a malformed reply.
    FormatFaultRate,
    /// Ended by a commit.
    CommitRate,
    /// Ended by the turn limit.
    TurnLimitRate,
    /// Turns that were not blank.
    TurnsMean,
    /// Proposals.
    ProposalsMean,
    /// Tokens written.
    CompletionTokensPerEpisode,
}

/// Which numbers a metric can take on one episode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scale {
    /// 0 or 1.
    Share,
    /// −1, 0 or 1.
    Gain,
    /// Whole numbers from 0.
    Count,
}

impl Metric {
    /// Those that are written down; `delta_ref` follows from two of them.
    pub(crate) const STORED: [Self; 12] = [
        Self::Accuracy,
        Self::FirstAccuracy,
        Self::AccuracyWellFormed,
        Self::AccuracyLenient,
        Self::StrictSuccess,
        Self::LenientSuccess,
        Self::FormatFaultRate,
        Self::CommitRate,
        Self::TurnLimitRate,
        Self::TurnsMean,
        Self::ProposalsMean,
        Self::CompletionTokensPerEpisode,
    ];

    /// Name, as in `summary.json`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::FirstAccuracy => "first_accuracy",
            Self::DeltaRef => "delta_ref",
            Self::AccuracyWellFormed => "accuracy_well_formed",
            Self::AccuracyLenient => "accuracy_lenient",
            Self::StrictSuccess => "strict_success",
            Self::LenientSuccess => "lenient_success",
            Self::FormatFaultRate => "format_fault_rate",
            Self::CommitRate => "commit_rate",
            Self::TurnLimitRate => "turn_limit_rate",
            Self::TurnsMean => "turns_mean",
            Self::ProposalsMean => "proposals_mean",
            Self::CompletionTokensPerEpisode => "completion_tokens_per_episode",
        }
    }

    pub(crate) fn scale(self) -> Scale {
        match self {
            Self::DeltaRef => Scale::Gain,
            Self::TurnsMean | Self::ProposalsMean | Self::CompletionTokensPerEpisode => Scale::Count,
            _ => Scale::Share,
        }
    }

    fn slot(self) -> Option<usize> {
        Self::STORED.iter().position(|known| *known == self)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The numbers of one episode, as far as they are known.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Values([Option<f64>; Metric::STORED.len()]);

impl Values {
    pub fn get(&self, metric: Metric) -> Option<f64> {
        match metric.slot() {
            Some(slot) => self.0[slot],
            None => Some(self.get(Metric::Accuracy)? - self.get(Metric::FirstAccuracy)?),
        }
    }

    pub fn set(&mut self, metric: Metric, value: f64) {
        if let Some(slot) = metric.slot() {
            self.0[slot] = Some(value);
        }
    }

    pub fn of_row(row: &ScoreRow) -> Self {
        let mut values = Self::default();
        let mut bit = |metric, holds: Option<bool>| {
            if let Some(holds) = holds {
                values.set(metric, f64::from(u8::from(holds)));
            }
        };
        bit(Metric::Accuracy, Some(row.correct));
        bit(Metric::FirstAccuracy, Some(row.correct_first));
        bit(Metric::AccuracyWellFormed, Some(row.correct && row.score.well_formed));
        // Rows from before that key read as false; forgiving a slip never makes a right answer wrong.
        bit(
            Metric::AccuracyLenient,
            Some(row.score.lenient_correct).filter(|lenient| *lenient || !row.correct),
        );
        bit(Metric::StrictSuccess, row.score.strict_success);
        bit(Metric::LenientSuccess, row.score.lenient_success);
        bit(Metric::FormatFaultRate, Some(row.end == End::Malformed));
        bit(Metric::CommitRate, Some(row.end == End::Commit));
        bit(Metric::TurnLimitRate, Some(row.end == End::TurnLimit));
        values.set(Metric::TurnsMean, row.score.score.turns as f64);
        values.set(Metric::ProposalsMean, row.score.score.proposals as f64);
        values.set(Metric::CompletionTokensPerEpisode, row.score.completion_tokens as f64);
        values
    }
}
