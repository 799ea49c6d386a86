//! Turn languages: text to actions and back. One file per dialect.
//!
#![doc = include_str!("decisions.md")]

mod bare_commit;
mod json;
mod json_call;
mod lenient;
mod points_tag;
mod reflection_tag;
mod route_tag;
mod scan;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::{Answer, TaskKind};

pub use json::mend_surrogates;
pub(crate) use scan::is_blank;

/// A turn language.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// `<ANSWER>` proposes, `<FINAL>` commits and repeats the proposal, `<THINK>` reasons.
    ReflectionTag,
    /// `<route>` proposes, `<answer>` commits and repeats the proposal.
    RouteTag,
    /// A JSON function call: `route` or `pointing` proposes, `terminate` commits.
    JsonCall,
    /// Grounding: `<points x1=".." y1="..">` proposes, `<answer>` commits.
    PointsTag,
    /// `<ANSWER>` proposes, `<FINAL/>` or an empty FINAL commits the last proposal.
    BareCommit,
}

/// What one reply says.
#[derive(Clone, PartialEq, Debug)]
pub enum Parsed {
    /// A proposal; `answer` is `None` where its body does not parse.
    Propose {
        /// The proposal.
        answer: Option<Answer>,
        /// Whether it reasons.
        thinks: bool,
    },
    /// A commit; `answer` is `None` where its body does not parse or the commit is bare.
    Commit {
        /// The committed answer.
        answer: Option<Answer>,
        /// "I commit my last proposal".
        bare: bool,
        /// Whether it reasons.
        thinks: bool,
    },
    /// Neither.
    Malformed,
}

impl Parsed {
    /// Whether it proposes or commits something, be it by "my last proposal".
    #[must_use]
    pub fn understood(&self) -> bool {
        matches!(self, Self::Propose { answer: Some(_), .. } | Self::Commit { answer: Some(_), .. })
            || matches!(self, Self::Commit { bare: true, .. })
    }
}

impl Dialect {
    /// All dialects.
    pub const ALL: [Self; 5] =
        [Self::ReflectionTag, Self::RouteTag, Self::JsonCall, Self::PointsTag, Self::BareCommit];

    /// The dialects in which a task can be answered.
    pub fn of(task: TaskKind) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |dialect| dialect.serves(task))
    }

    /// Whether a task can be answered in this dialect: `points_tag` is for grounding, the others for all.
    #[must_use]
    pub fn serves(self, task: TaskKind) -> bool {
        self != Self::PointsTag || task != TaskKind::Maze
    }

    /// The word used in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ReflectionTag => "reflection_tag",
            Self::RouteTag => "route_tag",
            Self::JsonCall => "json_call",
            Self::PointsTag => "points_tag",
            Self::BareCommit => "bare_commit",
        }
    }

    /// The dialect that a word names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.word() == word)
    }

    /// Reads one reply strictly, in time linear in its length. This reading decides every score and reward.
    #[must_use]
    pub fn parse(self, text: &str, task: TaskKind) -> Parsed {
        match self {
            Self::ReflectionTag => reflection_tag::parse(text, task),
            Self::RouteTag => route_tag::parse(text, task),
            Self::JsonCall => json_call::parse(text, task),
            Self::PointsTag => points_tag::parse(text, task),
            Self::BareCommit => bare_commit::parse(text, task),
        }
    }

    /// Reads one reply leniently, in linear time too: what the strict reading understands is read the same, and
    /// common slips beside it are forgiven. For a column of its own, never for a score.
    #[must_use]
    pub fn parse_leniently(self, text: &str, task: TaskKind) -> Parsed {
        match self.parse(text, task) {
            parsed if parsed.understood() => parsed,
            _ => lenient::parse(self, text, task),
        }
    }

    /// Whether a revision must reason for the format to hold, and the first turn and the commit must not.
    #[must_use]
    pub fn has_think_rules(self) -> bool {
        self == Self::ReflectionTag
    }

    /// Writes a proposal, after its reasoning if there is some. In the tag dialects a `<` in the reasoning is
    /// written as `‹`: a THINK tag hides no tags inside it.
    #[must_use]
    pub fn print_proposal(self, answer: &Answer, think: Option<&str>) -> String {
        let tag = match self {
            Self::JsonCall => return json_call::print_proposal(answer, think),
            Self::ReflectionTag | Self::BareCommit => "ANSWER",
            Self::RouteTag => "route",
            Self::PointsTag => "points",
        };
        let think = think.map(|t| format!("<THINK>{}</THINK>", t.replace('<', "‹"))).unwrap_or_default();
        match (self, answer) {
            (Self::PointsTag, Answer::Point([x, y])) => {
                format!("{think}<points x1=\"{x}\" y1=\"{y}\"></points>")
            }
            _ => format!("{think}<{tag}>{}</{tag}>", answer.text()),
        }
    }

    /// Writes a commit of `answer`, which must be the last proposal for the format to hold.
    #[must_use]
    pub fn print_commit(self, answer: &Answer) -> String {
        match self {
            Self::ReflectionTag => format!("<FINAL>{}</FINAL>", answer.text()),
            Self::RouteTag | Self::PointsTag => format!("<answer>{}</answer>", answer.text()),
            Self::JsonCall => json_call::print_commit(answer),
            Self::BareCommit => "<FINAL/>".into(),
        }
    }
}
