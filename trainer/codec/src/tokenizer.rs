//! A word-level tokenizer for the reference policy: one token a tag or word of the turn languages.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

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
const STOPS: [&str; 3] = ["</ANSWER>", "</FINAL>", "<FINAL/>"];
const COMMITS: [&str; 2] = ["<FINAL>", "<FINAL/>"];
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
    commits: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    words: Vec<String>,
}

impl Default for Tokenizer {
    fn default() -> Self {
        Self::of(WORDS.map(String::from).to_vec()).expect("the built-in vocabulary has its markers")
    }
}

impl Tokenizer {
    fn of(words: Vec<String>) -> Option<Self> {
        let find = |word: &str| words.iter().position(|w| w == word).map(|at| at as u32);
        let all = |list: &[&str]| list.iter().map(|w| find(w)).collect::<Option<Vec<_>>>();
        let (assistant, stops, commits) = (find(ASSISTANT)?, all(&STOPS)?, all(&COMMITS)?);
        Some(Self { words, assistant, stops, commits })
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

    /// Tokens that open a commit.
    #[must_use]
    pub fn commits(&self) -> &[u32] {
        &self.commits
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
