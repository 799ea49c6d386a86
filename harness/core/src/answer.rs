//! What a policy proposes and commits.

use serde::{Deserialize, Serialize};

/// One step on a grid.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Move {
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// One column left.
    Left,
    /// One column right.
    Right,
}

impl Move {
    /// All four, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Up, Self::Down, Self::Left, Self::Right];

    /// The word of the turn language.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Left => "left",
            Self::Right => "right",
        }
    }

    /// The move that a word (any case) names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.word().eq_ignore_ascii_case(word))
    }

    /// Change of (row, column).
    #[must_use]
    pub fn delta(self) -> (i32, i32) {
        match self {
            Self::Up => (-1, 0),
            Self::Down => (1, 0),
            Self::Left => (0, -1),
            Self::Right => (0, 1),
        }
    }
}

/// An answer in the terms of its task.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// A path through a maze.
    Moves(Vec<Move>),
    /// A pixel of the original image, x then y.
    Point([f64; 2]),
}

impl Answer {
    /// The moves, if this is a path.
    #[must_use]
    pub fn moves(&self) -> Option<&[Move]> {
        match self {
            Self::Moves(moves) => Some(moves),
            Self::Point(_) => None,
        }
    }

    /// The moves as words, or the coordinates, separated by blanks.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Moves(moves) => moves.iter().map(|m| m.word()).collect::<Vec<_>>().join(" "),
            Self::Point([x, y]) => format!("{x} {y}"),
        }
    }
}
