//! Prompt profiles by name or path, and what a model would be told about one example.

use std::path::Path;

use serde::Serialize;
use vrrl_harness_core::prompt::BUILT_IN;
use vrrl_harness_core::{Dialect, Feedback, Observation, PromptProfile, Prompted, Speaker};

use crate::show::{answer, feedback, find};
use crate::{store, yaml, Error, Result, ShowRequest};

/// Reads the profile that a built-in name or a path names, and checks it.
///
/// # Errors
/// Neither a built-in name nor a file; a file that is no profile, with line or entry.
pub fn prompt_profile(word: &str) -> Result<PromptProfile> {
    let path = Path::new(word);
    let built_in = BUILT_IN.into_iter().find(|(name, _)| *name == word);
    let profile: PromptProfile = match built_in {
        Some((name, text)) => yaml::read(text, Path::new(name))?,
        None if path.exists() => yaml::read(&store::read_text(path)?, path)?,
        None => {
            let known = BUILT_IN.map(|(name, _)| name).join(", ");
            return Err(Error::Input(format!(
                "prompt profile {word:?} is no file and not built in; there are {known}"
            )));
        }
    };
    profile.check().map_err(|e| Error::content(path, "", e.to_string()))?;
    Ok(profile)
}

/// One message, as text: a picture is said by its size.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ShownMessage {
    /// Who speaks.
    pub role: Speaker,
    /// Width and height of the picture before the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<[u32; 2]>,
    /// The text.
    pub text: String,
}

/// Whose prompt is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PromptRequest {
    /// Built-in name or path.
    pub profile: String,
    /// Turn language.
    pub dialect: Dialect,
    /// Most turns, commit included.
    pub max_turns: usize,
}

/// Exactly what a model is told about an example: the question and, with a proposal, what comes after it.
///
/// # Errors
/// As [`prompt_profile`] and [`crate::show`]; a dialect in which the task cannot be answered.
pub fn show_prompt(request: &PromptRequest, shown: &ShowRequest) -> Result<Vec<ShownMessage>> {
    let profile = prompt_profile(&request.profile)?;
    let (example, _) = find(shown)?;
    let task = example.task();
    let (dialect, max_turns) = (request.dialect, request.max_turns);
    if !dialect.serves(task) {
        let known: Vec<&str> = Dialect::of(task).map(Dialect::word).collect();
        let (task, dialect) = (task.word(), dialect.word());
        return Err(Error::Input(format!(
            "{dialect} is no dialect of task {task}; use {}",
            known.join(", ")
        )));
    }
    let picture = |image| Observation { image: Some(std::sync::Arc::new(image)), ..Observation::default() };
    let problem = &example.problem;
    let mut seen =
        vec![Observation { text: Some(problem.question()), ..picture(problem.observe(shown.view)) }];
    let mut said = Vec::new();
    if let Some(words) = &shown.propose {
        let proposal = answer(task, words)?;
        said.push(dialect.print_proposal(&proposal, None));
        seen.push(match feedback(shown, &example, &proposal) {
            Feedback::Image(image) => picture(image),
            Feedback::Text(text) => Observation { text: Some(text), ..Observation::default() },
        });
    }
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    let messages = profile.messages(Prompted { task, dialect, max_turns }, &seen, &said);
    let as_text =
        |m: vrrl_harness_core::Message| ShownMessage { role: m.speaker, image: m.image, text: m.text };
    Ok(messages.into_iter().map(as_text).collect())
}

#[cfg(test)]
mod tests {
    use vrrl_harness_core::{FeedbackMode, View};

    use super::*;

    fn request(profile: &str, dialect: Dialect) -> PromptRequest {
        PromptRequest { profile: profile.into(), dialect, max_turns: 8 }
    }

    fn asked(propose: Option<&str>) -> ShowRequest {
        ShowRequest {
            split: "id_test".into(),
            index: 0,
            propose: propose.map(Into::into),
            shifts: Vec::new(),
            axes: Vec::new(),
            feedback: FeedbackMode::Crop,
            view: View::Crisp,
            out: ".".into(),
        }
    }

    #[test]
    fn a_prompt_is_shown_with_what_follows_a_proposal() {
        let plain = request("plain", Dialect::ReflectionTag);
        let all = show_prompt(&plain, &asked(Some("up right"))).unwrap();
        let roles: Vec<Speaker> = all.iter().map(|m| m.role).collect();
        use Speaker::{Assistant, System, User};
        assert_eq!(roles, [System, User, Assistant, User]);
        assert_eq!(all[2].text, "<ANSWER>up right</ANSWER>");
        assert!(all[1].image.is_some() && all[3].image.is_some());
        assert_eq!(show_prompt(&plain, &asked(None)).unwrap(), all[..2]);
    }

    #[test]
    fn profiles_come_by_name_or_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.yaml");
        let text = "format: 1\nname: mine\ntexts:\n  any:\n    any: {first: 'Q {question}', feedback: F, words: W}\n";
        std::fs::write(&path, text).unwrap();
        let mine = request(path.to_str().unwrap(), Dialect::BareCommit);
        let all = show_prompt(&mine, &asked(None)).unwrap();
        assert!(all.len() == 1 && all[0].text.starts_with("Q "), "{all:?}");
        std::fs::write(&path, text.replace("first", "frist")).unwrap();
        for (request, says) in [
            (mine, "frist"),
            (request("palin", Dialect::BareCommit), "plain, question"),
            (request("plain", Dialect::PointsTag), "no dialect of task maze"),
        ] {
            let error = show_prompt(&request, &asked(None)).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
