//! A word-level tokenizer for the reference policy: one token a tag or word of the turn languages.
//!
//! For mazes that is all: their question is the same for every maze and has no tokens. Where the answer is a point, the
//! vocabulary also has coordinates on the grid of the small canvas and the words and letters that tell one
//! question from another.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vrrl_harness_core::{Answer, Dialect, TaskKind};

/// The marker behind an observation: "your turn".
pub const ASSISTANT: &str = "<assistant>";

const WORDS: [&str; 15] = [
    "<pad>",
    "<image>",
    ASSISTANT,
    "<unk>",
    "<ANSWER>",
    "</ANSWER>",
    "<FINAL>",
    "</FINAL>",
    "<FINAL/>",
    "<THINK>",
    "</THINK>",
    "up",
    "down",
    "left",
    "right",
];
/// Crisp pixels between two coordinates of the vocabulary: one pixel of the small canvas.
const GRID: u32 = 4;
/// Coordinates of the vocabulary: one for each row and column of the small canvas, at its middle.
const COORDINATES: u32 = 64;
/// In front of a word of questions, so that it can never be read as a word of an answer.
const ASKED: char = '?';
/// Words that tell one question from another; the other words of a question have no token.
const ASKED_WORDS: [&str; 12] = [
    "row", "column", "header", "section", "cell", "value", "bar", "dot", "highest", "lowest", "longest",
    "shortest",
];
const STOPS: [&str; 3] = ["</ANSWER>", "</FINAL>", "<FINAL/>"];
const FORMAT: u32 = 1;

/// What can go wrong with a tokenizer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A text has a word outside the vocabulary.
    #[error("{word:?} is not in the vocabulary")]
    Unknown {
        /// The word.
        word: String,
    },
    /// A tokenizer file is not one.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// The vocabulary with the ids that decoding needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokenizer {
    words: Vec<String>,
    assistant: u32,
    stops: Vec<u32>,
    answer: u32,
    think: u32,
}

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    words: Vec<String>,
}

impl Default for Tokenizer {
    /// The vocabulary of mazes.
    fn default() -> Self {
        Self::of_tasks(&[TaskKind::Maze])
    }
}

impl Tokenizer {
    /// The vocabulary that these tasks need.
    #[must_use]
    pub fn of_tasks(tasks: &[TaskKind]) -> Self {
        let mut words = WORDS.map(String::from).to_vec();
        if tasks.iter().any(|task| *task != TaskKind::Maze) {
            words.extend((0..COORDINATES).map(|i| (i * GRID + GRID / 2).to_string()));
            words.extend(ASKED_WORDS.iter().map(|word| format!("{ASKED}{word}")));
            words.extend(('A'..='Z').chain('0'..='9').map(|letter| format!("{ASKED}{letter}")));
        }
        Self::of(words).expect("the built-in vocabulary has its markers")
    }

    fn of(words: Vec<String>) -> Option<Self> {
        let find = |word: &str| words.iter().position(|w| w == word).map(|at| at as u32);
        let all = |list: &[&str]| list.iter().map(|w| find(w)).collect::<Option<Vec<_>>>();
        let (assistant, answer, think) = (find(ASSISTANT)?, find("<ANSWER>")?, find("<THINK>")?);
        let stops = all(&STOPS)?;
        Some(Self { words, assistant, answer, think, stops })
    }

    /// Size of the vocabulary.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Never: a vocabulary has its markers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The marker behind an observation.
    #[must_use]
    pub fn assistant(&self) -> u32 {
        self.assistant
    }

    /// Whether a reply ends with this token.
    #[must_use]
    pub fn stops(&self, id: u32) -> bool {
        self.stops.contains(&id)
    }

    /// What a revision opens with: an answer, or its reasoning where the dialect wants reasons for revising.
    #[must_use]
    pub fn revision(&self, dialect: Dialect) -> u32 {
        match dialect {
            Dialect::ReflectionTag => self.think,
            Dialect::BareCommit | Dialect::RouteTag | Dialect::PointsTag | Dialect::JsonCall => self.answer,
        }
    }

    /// What stands between an observation's picture and the reply to it: the question's tokens, if the vocabulary
    /// has any, and the marker.
    ///
    /// Words that every question has are left out. Names and values, which are upper case or digits, are spelled.
    #[must_use]
    pub fn prompt(&self, question: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut push = |word: &str| {
            let known = |w: &String| w.strip_prefix(ASKED).is_some_and(|w| w == word);
            ids.extend(self.words.iter().position(known).map(|at| at as u32));
        };
        for word in question.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
            if word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()) {
                word.chars().for_each(|letter| push(letter.encode_utf8(&mut [0; 4])));
            } else {
                push(&word.to_lowercase());
            }
        }
        ids.push(self.assistant);
        ids
    }

    /// The answer that this vocabulary has words for: a point moves to the nearest one of the grid of coordinates;
    /// moves stay as they are.
    #[must_use]
    pub fn nearest(&self, answer: &Answer) -> Answer {
        let last = (COORDINATES - 1) * GRID + GRID / 2;
        match answer {
            Answer::Point(point) if self.words.len() > WORDS.len() => Answer::Point(point.map(|x| {
                let cell = (x.clamp(0.0, f64::from(last)) / f64::from(GRID)).floor();
                cell * f64::from(GRID) + f64::from(GRID / 2)
            })),
            other => other.clone(),
        }
    }

    /// Ids of a text: tags stand alone, words are split at white space.
    ///
    /// # Errors
    /// If a word is not in the vocabulary.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        let mut ids = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let end = if rest.starts_with('<') {
                rest.find('>').map_or(rest.len(), |at| at + 1)
            } else {
                rest.find(|c: char| c.is_whitespace() || c == '<').unwrap_or(rest.len())
            };
            let word = &rest[..end];
            let id = self.words.iter().position(|w| w == word);
            ids.push(id.ok_or_else(|| Error::Unknown { word: word.to_owned() })? as u32);
            rest = rest[end..].trim_start();
        }
        Ok(ids)
    }

    /// The text of ids: a blank between two words, none around tags.
    #[must_use]
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut text = String::new();
        for &id in ids {
            let word = self.words.get(id as usize).map_or("<unk>", String::as_str);
            let between = !word.starts_with('<') && !text.is_empty() && !text.ends_with('>');
            if between {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    }

    /// The tokenizer file's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let file = File { format: FORMAT, words: self.words.clone() };
        serde_json::to_string_pretty(&file).expect("strings serialise")
    }

    /// Reads a tokenizer file's text; `path` is for messages.
    ///
    /// # Errors
    /// If it is not one, is of a newer format, or lacks a marker.
    pub fn from_json(text: &str, path: &Path) -> Result<Self, Error> {
        let bad = |reason: String| Error::File { path: path.to_owned(), reason };
        let file: File = serde_json::from_str(text).map_err(|e| bad(format!("not a tokenizer file: {e}")))?;
        if file.format > FORMAT {
            return Err(bad(format!("format {} is newer than {FORMAT}; update vrrl", file.format)));
        }
        Self::of(file.words).ok_or_else(|| bad("a marker such as <assistant> is missing".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives() {
        let tokenizer = Tokenizer::default();
        for text in [
            "<ANSWER>up right down</ANSWER>",
            "<FINAL/>",
            "<THINK></THINK><FINAL>left</FINAL>",
            "<ANSWER></ANSWER>",
        ] {
            assert_eq!(tokenizer.decode(&tokenizer.encode(text).unwrap()), text);
        }
    }

    #[test]
    fn questions_are_spelled_and_points_fall_on_the_grid() {
        let tokenizer = Tokenizer::of_tasks(&[TaskKind::Table]);
        let words = |question: &str| {
            let ids = tokenizer.prompt(question);
            assert_eq!(ids.last(), Some(&tokenizer.assistant()));
            ids[..ids.len() - 1].iter().map(|&id| tokenizer.words[id as usize].as_str()).collect::<String>()
        };
        assert_eq!(words("Point at the header \"TX\" in the section \"K\"."), "?header?T?X?section?K");
        assert_eq!(words("Point at the cell that holds the value \"82\"."), "?cell?value?8?2");
        assert_eq!(words("Point at the highest bar."), "?highest?bar");
        assert_eq!(words("Point at the dot labelled S."), "?dot?S");
        let maze = Tokenizer::default();
        assert_eq!(maze.prompt("Point at the highest bar."), [maze.assistant()]);
        for (point, near) in [([109.0, 0.0], [110.0, 2.0]), ([255.0, 1e9], [254.0, 254.0])] {
            assert_eq!(tokenizer.nearest(&Answer::Point(point)), Answer::Point(near));
        }
        let text = "<ANSWER>110 2</ANSWER>";
        assert_eq!(tokenizer.decode(&tokenizer.encode(text).unwrap()), text);
    }

    #[test]
    fn revisions_open_as_they_are_printed() {
        let tokenizer = Tokenizer::default();
        let answer = Answer::Moves(vec![vrrl_harness_core::Move::Up]);
        for (dialect, think) in [(Dialect::BareCommit, None), (Dialect::ReflectionTag, Some(""))] {
            let ids = tokenizer.encode(&dialect.print_proposal(&answer, think)).unwrap();
            assert_eq!(tokenizer.revision(dialect), ids[0], "{dialect:?}");
        }
    }

    #[test]
    fn foreign_words_are_refused() {
        let error = Tokenizer::default().encode("<ANSWER>north</ANSWER>").unwrap_err();
        assert_eq!(error.to_string(), "\"north\" is not in the vocabulary");
    }

    #[test]
    fn the_file_survives_and_is_checked() {
        let (tokenizer, path) = (Tokenizer::default(), Path::new("tokenizer.json"));
        assert_eq!(Tokenizer::from_json(&tokenizer.to_json(), path).unwrap(), tokenizer);
        let error = Tokenizer::from_json("{\"format\": 9, \"words\": []}", path).unwrap_err().to_string();
        assert!(error.contains("tokenizer.json") && error.contains("newer"), "{error}");
    }
}
