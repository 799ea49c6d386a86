//! Turn languages: text to actions and back. One file per dialect.

mod bare_commit;
mod reflection_tag;
mod scan;

use serde::{Deserialize, Serialize};

use crate::{Answer, TaskKind};

pub(crate) use scan::is_blank;

/// A turn language.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// `<ANSWER>` proposes, `<FINAL>` commits and repeats the proposal, `<THINK>` reasons.
    ReflectionTag,
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

impl Dialect {
    /// All dialects.
    pub const ALL: [Self; 2] = [Self::ReflectionTag, Self::BareCommit];

    /// The word used in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ReflectionTag => "reflection_tag",
            Self::BareCommit => "bare_commit",
        }
    }

    /// The dialect that a word names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.word() == word)
    }

    /// Reads one reply strictly, in time linear in its length.
    #[must_use]
    pub fn parse(self, text: &str, task: TaskKind) -> Parsed {
        match self {
            Self::ReflectionTag => reflection_tag::parse(text, task),
            Self::BareCommit => bare_commit::parse(text, task),
        }
    }

    /// Writes a proposal, after its reasoning if there is some. A `<` in the reasoning is written as `‹`: a
    /// THINK tag hides no tags inside it.
    #[must_use]
    pub fn print_proposal(self, answer: &Answer, think: Option<&str>) -> String {
        let think = think.map(|t| format!("<THINK>{}</THINK>", t.replace('<', "‹"))).unwrap_or_default();
        format!("{think}<ANSWER>{}</ANSWER>", answer.text())
    }

    /// Writes a commit of `answer`, which must be the last proposal for the format to hold.
    #[must_use]
    pub fn print_commit(self, answer: &Answer) -> String {
        match self {
            Self::ReflectionTag => format!("<FINAL>{}</FINAL>", answer.text()),
            Self::BareCommit => "<FINAL/>".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;
    use crate::Move;

    fn answers() -> impl Strategy<Value = (Answer, TaskKind)> {
        let moves = prop::collection::vec(prop::sample::select(&Move::ALL[..]), 0..12)
            .prop_map(|moves| (Answer::Moves(moves), TaskKind::Maze));
        let coordinate = || -1e6..1e6_f64;
        let point = (coordinate(), coordinate(), prop::bool::ANY).prop_map(|(x, y, table)| {
            (Answer::Point([x, y]), if table { TaskKind::Table } else { TaskKind::Chart })
        });
        prop_oneof![moves, point]
    }

    proptest! {
        #[test]
        fn printed_proposals_read_back(
            (answer, task) in answers(),
            think in prop::option::of("[^\u{0}]{0,40}|.*<FINAL>up</FINAL>.*|</THINK><ANSWER>"),
        ) {
            for dialect in Dialect::ALL {
                let text = dialect.print_proposal(&answer, think.as_deref());
                let parsed = dialect.parse(&text, task);
                prop_assert_eq!(parsed, Parsed::Propose { answer: Some(answer.clone()), thinks: think.is_some() });
            }
        }

        #[test]
        fn printed_commits_read_back((answer, task) in answers()) {
            let text = Dialect::ReflectionTag.print_commit(&answer);
            let commit = Parsed::Commit { answer: Some(answer.clone()), bare: false, thinks: false };
            prop_assert_eq!(Dialect::ReflectionTag.parse(&text, task), commit);
            let text = Dialect::BareCommit.print_commit(&answer);
            let commit = Parsed::Commit { answer: None, bare: true, thinks: false };
            prop_assert_eq!(Dialect::BareCommit.parse(&text, task), commit);
        }

        #[test]
        fn no_text_is_too_strange(text in ".*|(<|>|/|final|answer|THINK|up|,| |é|\u{212a}){0,40}") {
            for dialect in Dialect::ALL {
                for task in [TaskKind::Maze, TaskKind::Table] {
                    let _ = dialect.parse(&text, task);
                }
            }
        }
    }

    #[test]
    fn hostile_text_takes_linear_time() {
        let start = Instant::now();
        for piece in
            ["<", "<final", "<final ", "<final>", "<FINAL/", "</final", "<answer>", "<think <", "up,"]
        {
            let text = piece.repeat(1 << 19);
            for dialect in Dialect::ALL {
                let _ = dialect.parse(&text, TaskKind::Maze);
            }
        }
        // Quadratic time would be hours; the bound is loose enough for any machine.
        assert!(start.elapsed().as_secs() < 60);
    }

    #[test]
    fn words_name_dialects() {
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::from_word(dialect.word()), Some(dialect));
            assert_eq!(serde_json::to_value(dialect).unwrap(), dialect.word());
        }
        assert_eq!(Dialect::from_word("Bare_Commit"), None);
    }
}
