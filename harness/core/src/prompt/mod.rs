//! Prompt profiles: what a prompted model is told, as data.
//!
//! A profile has four texts per task and dialect (see the built-in one, `plain.yaml`, for the format) and is hashed
//! into the run. [`PromptProfile::messages`] is the only place where texts become a conversation: what an endpoint is
//! sent and what `vrrl show --prompt` prints both come from it. Every message but the last is a prefix of the next
//! request's, so that prompt caches hit. Reading YAML is left to the caller; this crate opens no files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{sha256_hex, Dialect, Error, Observation, TaskKind, FORMAT};

/// The built-in profiles: name and YAML.
pub const BUILT_IN: [(&str, &str); 2] =
    [("plain", include_str!("plain.yaml")), ("question", include_str!("question.yaml"))];

/// Texts of one task and dialect; what is absent is looked for in a more general entry.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptTexts {
    /// Before everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Beside the question's picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// Beside a drawn proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<String>,
    /// Where a proposal cannot be drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// What a prompted model is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptProfile {
    /// Version of this file format.
    pub format: u32,
    /// Name, for people.
    pub name: String,
    /// Texts by task (`maze`, `table`, `chart`, `grounding`, `any`) and dialect (or `any`).
    pub texts: BTreeMap<String, BTreeMap<String, PromptTexts>>,
}

/// For whom texts are looked up and filled in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prompted {
    /// Task.
    pub task: TaskKind,
    /// Turn language.
    pub dialect: Dialect,
    /// Most turns, commit included.
    pub max_turns: usize,
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The profile's system text.
    System,
    /// The environment.
    User,
    /// The policy.
    Assistant,
}

/// One message of the conversation that a model gets.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    /// Who speaks.
    pub speaker: Speaker,
    /// Width and height of the picture before the text.
    pub image: Option<[u32; 2]>,
    /// The text; empty where there is only a picture.
    pub text: String,
}

impl PromptProfile {
    /// The profile that is used where none is named.
    pub const DEFAULT: &'static str = BUILT_IN[0].0;

    /// Refuses a newer format, unknown tasks, dialects and placeholders, and a text that is missing.
    ///
    /// # Errors
    /// [`Error::Config`] naming the entry.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::Config { what: "prompt profile", reason });
        if self.format > FORMAT {
            return wrong(format!("format is {}; this version reads up to {FORMAT}", self.format));
        }
        for (task, dialects) in &self.texts {
            if !["any", "grounding", "maze", "table", "chart"].contains(&task.as_str()) {
                return wrong(format!("texts.{task}: use maze, table, chart, grounding or any"));
            }
            for (dialect, texts) in dialects {
                if dialect != "any" && Dialect::from_word(dialect).is_none() {
                    let known = Dialect::ALL.map(Dialect::word).join(", ");
                    return wrong(format!("texts.{task}.{dialect}: use any or one of {known}"));
                }
                for (key, text, known) in texts.placeholders() {
                    if let Some(other) = names(text).find(|name| !known.contains(name)) {
                        let known = known.join("}, {");
                        return wrong(format!(
                            "texts.{task}.{dialect}.{key}: {{{other}}} is not known here; use {{{known}}}"
                        ));
                    }
                }
            }
        }
        let needed: [(&str, Of); 3] = [("first", first), ("feedback", feedback), ("words", words)];
        for task in TaskKind::ALL {
            for dialect in Dialect::of(task) {
                for (key, of) in needed {
                    if self.text(task, dialect, of).is_none() {
                        let (task, dialect) = (task.word(), dialect.word());
                        return wrong(format!(
                            "texts.{task}.{dialect}.{key} is missing, and so is any that is more general"
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// SHA-256 of everything that it says.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256_hex(serde_json::to_string(self).expect("texts serialize").as_bytes())
    }

    fn text(&self, task: TaskKind, dialect: Dialect, of: Of) -> Option<&str> {
        let group = if task == TaskKind::Maze { "maze" } else { "grounding" };
        let entry = |task: &str, dialect: &str| of(self.texts.get(task)?.get(dialect)?).as_deref();
        let tasks = [task.word(), group, "any"];
        tasks.into_iter().find_map(|task| entry(task, dialect.word()).or_else(|| entry(task, "any")))
    }

    /// The conversation up to the reply that is wanted next: `seen` are the observations in order, `said` the replies
    /// between them.
    #[must_use]
    pub fn messages<'o>(
        &self,
        whom: Prompted,
        seen: impl IntoIterator<Item = &'o Observation>,
        said: &[&str],
    ) -> Vec<Message> {
        let mut out = Vec::with_capacity(2 * said.len() + 2);
        let mut size = [0, 0];
        for (turn, observation) in seen.into_iter().enumerate() {
            let image = observation.size();
            let spoken = observation.text.as_deref().unwrap_or_default();
            if turn == 0 {
                size = image.unwrap_or([0, 0]);
                let fill = Fill { whom, size, turn, question: spoken, said: "" };
                if let Some(text) = self.text(whom.task, whom.dialect, system) {
                    out.push(Message { speaker: Speaker::System, image: None, text: fill.into(text) });
                }
            } else if let Some(reply) = said.get(turn - 1) {
                out.push(Message { speaker: Speaker::Assistant, image: None, text: (*reply).to_owned() });
            }
            let of = match (turn, image) {
                (0, _) => first,
                (_, Some(_)) => feedback,
                (_, None) => words,
            };
            let fill = Fill { whom, size, turn, question: spoken, said: spoken };
            let text = self.text(whom.task, whom.dialect, of).map(|text| fill.into(text)).unwrap_or_default();
            out.push(Message { speaker: Speaker::User, image, text });
        }
        out
    }
}

/// Picks one of the texts.
type Of = fn(&PromptTexts) -> &Option<String>;

fn system(texts: &PromptTexts) -> &Option<String> {
    &texts.system
}
fn first(texts: &PromptTexts) -> &Option<String> {
    &texts.first
}
fn feedback(texts: &PromptTexts) -> &Option<String> {
    &texts.feedback
}
fn words(texts: &PromptTexts) -> &Option<String> {
    &texts.words
}

impl PromptTexts {
    /// Each text with its key and the placeholders it may hold.
    fn placeholders(&self) -> impl Iterator<Item = (&'static str, &str, &'static [&'static str])> {
        let all: [(_, _, &[&str]); 4] = [
            ("system", &self.system, &["max_turns", "width", "height"]),
            ("first", &self.first, &["question", "width", "height", "max_turns"]),
            ("feedback", &self.feedback, &["turns_left", "max_turns", "width", "height"]),
            ("words", &self.words, &["said", "turns_left", "max_turns", "width", "height"]),
        ];
        all.into_iter().filter_map(|(key, text, known)| Some((key, text.as_deref()?, known)))
    }
}

/// The `{name}`s of a text, with the byte where each begins: a brace, lower-case letters or `_`, a brace.
fn places(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices('{').filter_map(|(at, _)| {
        let name = &text[at + 1..at + 1 + text[at + 1..].find('}')?];
        let letters = |b: u8| b.is_ascii_lowercase() || b == b'_';
        (!name.is_empty() && name.bytes().all(letters)).then_some((at, name))
    })
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    places(text).map(|(_, name)| name)
}

/// What placeholders stand for.
#[derive(Clone, Copy)]
struct Fill<'f> {
    whom: Prompted,
    size: [u32; 2],
    turn: usize,
    question: &'f str,
    said: &'f str,
}

impl Fill<'_> {
    /// The text, filled in; what is filled in is not looked at again.
    fn into(self, text: &str) -> String {
        let (mut out, mut kept) = (String::with_capacity(text.len() + self.question.len()), 0);
        for (at, name) in places(text) {
            let value = match name {
                "question" => self.question.to_owned(),
                "said" => self.said.to_owned(),
                "width" => self.size[0].to_string(),
                "height" => self.size[1].to_string(),
                "max_turns" => self.whom.max_turns.to_string(),
                "turns_left" => self.whom.max_turns.saturating_sub(self.turn).to_string(),
                _ => continue,
            };
            out.push_str(&text[kept..at]);
            out.push_str(&value);
            kept = at + name.len() + 2;
        }
        out.push_str(&text[kept..]);
        out
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Image;

    fn built_in(name: &str) -> PromptProfile {
        let (_, text) = BUILT_IN.into_iter().find(|(known, _)| *known == name).unwrap();
        serde_yaml::from_str(text).unwrap()
    }

    fn whom(task: TaskKind, dialect: Dialect) -> Prompted {
        Prompted { task, dialect, max_turns: 8 }
    }

    #[test]
    fn the_built_in_ones_are_whole() {
        for (name, _) in BUILT_IN {
            let profile = built_in(name);
            assert_eq!(profile.name, name);
            profile.check().unwrap();
        }
        assert_ne!(built_in("plain").hash(), built_in("question").hash());
    }

    /// The examples in our own wording parse in the dialect they explain.
    #[test]
    fn examples_in_the_wording_parse() {
        let profile = built_in("plain");
        for task in TaskKind::ALL {
            for dialect in Dialect::of(task) {
                let text = profile.text(task, dialect, first).unwrap();
                let pieces =
                    text.split(". ").flat_map(|part| part.split(", or ")).flat_map(|p| p.split("},"));
                let (mut proposes, mut commits) = (0, 0);
                for piece in pieces {
                    let piece =
                        if dialect == Dialect::JsonCall { format!("{piece}}}") } else { piece.to_owned() };
                    for piece in [&piece[..], &piece[..piece.len() - 1]] {
                        match dialect.parse(piece, task) {
                            crate::Parsed::Propose { answer: Some(_), .. } => proposes += 1,
                            parsed if parsed.understood() => commits += 1,
                            _ => {}
                        }
                    }
                }
                assert!(proposes > 0 && commits > 0, "{task:?} {dialect:?}: {proposes} {commits} in {text}");
            }
        }
    }

    #[test]
    fn a_conversation_is_prefix_stable() {
        let profile = built_in("plain");
        let image = Arc::new(Image::new(30, 20));
        let seen = [
            Observation { image: Some(image.clone()), text: Some("Where is {width}?".into()), packed: None },
            Observation { text: Some("x = 99 is outside.".into()), ..Observation::default() },
            Observation { image: Some(image), ..Observation::default() },
        ];
        let whom = whom(TaskKind::Table, Dialect::BareCommit);
        let all = profile.messages(whom, &seen, &["one", "two"]);
        let speakers: Vec<Speaker> = all.iter().map(|m| m.speaker).collect();
        use Speaker::{Assistant, System, User};
        assert_eq!(speakers, [System, User, Assistant, User, Assistant, User]);
        assert!(all[1].text.starts_with("Where is {width}? The picture is 30 pixels wide and 20 high"));
        assert!(
            all[3].text.contains("x = 99 is outside.") && all[3].text.contains("left: 7."),
            "{}",
            all[3].text
        );
        assert!(all[5].text.contains("left: 6.") && all[5].image.is_some());
        assert_eq!(profile.messages(whom, &seen[..2], &["one"])[..], all[..4]);
        assert!(all.iter().all(|m| names(&m.text).all(|name| name == "width")), "nothing is left open");
    }

    #[test]
    fn profiles_that_say_too_little_or_too_much_are_refused() {
        let plain = built_in("plain");
        type Change = fn(&mut PromptProfile);
        let cases: [(Change, &str); 5] = [
            (|p| p.format = 2, "format is 2"),
            (|p| drop(p.texts.remove("maze")), "texts.maze.reflection_tag.first is missing"),
            (|p| drop(p.texts.insert("mase".into(), BTreeMap::new())), "texts.mase"),
            (
                |p| drop(p.texts.get_mut("maze").unwrap().insert("tags".into(), PromptTexts::default())),
                "texts.maze.tags",
            ),
            (
                |p| {
                    p.texts.get_mut("any").unwrap().get_mut("any").unwrap().feedback = Some("{answer}".into())
                },
                "{answer} is not known",
            ),
        ];
        for (change, says) in cases {
            let mut profile = plain.clone();
            change(&mut profile);
            let error = profile.check().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
