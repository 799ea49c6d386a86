//! What a task says of one answer: the raw facts that scores and rewards are made of.

use serde::{Deserialize, Serialize};

/// The judgement of one answer.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Verdict {
    /// Of a path.
    Path(PathVerdict),
    /// Of a point.
    Point(PointVerdict),
}

/// Facts about a path through a maze (`vrrl` section 2 and 3.1 of the specification).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct PathVerdict {
    /// As many moves as the shortest path, none off the grid or onto a hole, the goal entered by the last.
    pub exact: bool,
    /// Goal reached without leaving the grid or entering a hole before; later moves are ignored.
    pub strict: bool,
    /// Goal reached when moves off the grid are no-ops.
    pub lenient: bool,
    /// Longest prefix whose every move is legal and lowers the distance to the goal, over the shortest length.
    pub progress: f64,
    /// The list completes an optimal path and goes on.
    pub overshoots: bool,
}

/// Facts about a point.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct PointVerdict {
    /// Within the tolerance, or inside the box.
    pub correct: bool,
    /// Pixels to the truth's point, or to the nearest border point of its box (0 inside).
    pub distance: f64,
}

impl Verdict {
    /// Whether the answer is right.
    #[must_use]
    pub fn correct(&self) -> bool {
        match self {
            Self::Path(path) => path.exact,
            Self::Point(point) => point.correct,
        }
    }
}
