//! One example, looked at.

use std::path::{Path, PathBuf};

use serde::Serialize;
use vrrl_harness_core::{
    encode_png, Answer, Example, Feedback, FeedbackMode, Image, Move, TaskKind, Truth, Verdict, View,
};

use crate::{data, store, Error, Result};

/// What to show.
#[derive(Clone, PartialEq, Debug)]
pub struct ShowRequest {
    /// Name of a split, a folder or a file.
    pub split: String,
    /// Which example, from 0.
    pub index: usize,
    /// A proposal in words: moves, or x and y.
    pub propose: Option<String>,
    /// How much of the picture its feedback shows.
    pub feedback: FeedbackMode,
    /// Which picture.
    pub view: View,
    /// Folder for the pictures.
    pub out: PathBuf,
}

/// One example, as text and pictures.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Shown {
    /// Full name of the split.
    pub split: String,
    /// Id.
    pub id: String,
    /// The question.
    pub question: String,
    /// The board, one line a row; empty for tasks that have none.
    pub board: Vec<String>,
    /// Ground truth.
    pub truth: Truth,
    /// A right answer.
    pub answer: String,
    /// The proposal that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// What the task says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The feedback, where it is words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// Files written.
    pub files: Vec<PathBuf>,
}

/// Shows an example of a split, and what a proposal for it gets; pictures go into `out`.
///
/// # Errors
/// An unknown split, an index past its end, words that are no answer, or a folder that cannot be written.
pub fn show(request: &ShowRequest) -> Result<Shown> {
    let example = find(&request.split, request.index)?;
    let (problem, view) = (&example.problem, request.view);
    let proposal = request.propose.as_deref().map(|words| answer(problem.kind(), words)).transpose()?;
    let stem = format!("{}-{}", example.split.rsplit('/').next().unwrap_or("split"), example.id);
    let mut files = vec![save(&request.out, &format!("{stem}.png"), &problem.observe(view))?];
    let feedback = proposal.as_ref().map(|proposal| match request.feedback {
        FeedbackMode::Crop => problem.feedback(proposal, view),
        FeedbackMode::Whole => problem.whole_feedback(proposal, view),
    });
    let words = match feedback {
        Some(Feedback::Image(image)) => {
            files.push(save(&request.out, &format!("{stem}-feedback.png"), &image)?);
            None
        }
        Some(Feedback::Text(words)) => Some(words),
        None => None,
    };
    let truth = problem.truth();
    Ok(Shown {
        split: example.split.clone(),
        id: example.id.clone(),
        question: problem.question(),
        board: match &truth {
            Truth::Maze(maze) => maze.layout.clone(),
            Truth::Region(_) => Vec::new(),
        },
        answer: problem.oracle(&mut example.seed.derive("oracle", 0).rng()).text(),
        verdict: proposal.as_ref().map(|p| problem.judge(p)),
        proposal: proposal.map(|p| p.text()),
        words,
        truth,
        files,
    })
}

/// Example `index` of all splits that the name stands for.
fn find(name: &str, index: usize) -> Result<Example> {
    let splits = data::open_split(name)?;
    let mut before = 0;
    for split in &splits {
        if index - before < split.len() {
            let mut items = split.items(index - before..index - before + 1)?;
            return Ok(items.remove(0).example);
        }
        before += split.len();
    }
    let last = match before {
        0 => "there is none".into(),
        n => format!("index {index} is past the last, {}", n - 1),
    };
    Err(Error::Input(format!("split {name} has {before} examples; {last}")))
}

fn save(folder: &Path, name: &str, image: &Image) -> Result<PathBuf> {
    let path = folder.join(name);
    store::replace(&path, &encode_png(image))?;
    Ok(path)
}

/// An answer from words.
fn answer(task: TaskKind, words: &str) -> Result<Answer> {
    let words = || words.split([' ', ',']).filter(|word| !word.is_empty());
    if task == TaskKind::Maze {
        let moves = words().map(|word| {
            Move::from_word(word).ok_or_else(|| {
                Error::Input(format!("--propose: {word:?} is no move; use up, down, left, right"))
            })
        });
        return Ok(Answer::Moves(moves.collect::<Result<_>>()?));
    }
    let number = |word: &str| {
        word.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(|| {
            Error::Input(format!("--propose: {word:?} is no coordinate; give x and y in pixels: \"840 297\""))
        })
    };
    match words().map(number).collect::<Result<Vec<_>>>()?[..] {
        [x, y] => Ok(Answer::Point([x, y])),
        _ => Err(Error::Input("--propose: a point has two numbers, x and y in pixels: \"840 297\"".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(split: &str, index: usize, propose: Option<&str>, out: &Path) -> Result<Shown> {
        let (split, propose, out) = (split.into(), propose.map(Into::into), out.into());
        show(&ShowRequest { split, index, propose, feedback: FeedbackMode::Crop, view: View::Crisp, out })
    }

    #[test]
    fn points_are_two_numbers_in_any_writing() {
        for words in ["840 297", "840,297", " 840.0,  2.97e2 "] {
            assert_eq!(answer(TaskKind::Table, words).unwrap(), Answer::Point([840.0, 297.0]));
        }
        for (words, says) in
            [("840", "two numbers"), ("1 2 3", "two numbers"), ("up 2", "up"), ("nan 2", "nan")]
        {
            let error = answer(TaskKind::Chart, words).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn an_example_is_shown_with_its_feedback() {
        let dir = tempfile::tempdir().unwrap();
        let shown = look("id_test", 3, Some("up right"), dir.path()).unwrap();
        assert_eq!(shown.split, "quick/maze/id_test");
        assert_eq!(shown.files.len(), 2);
        assert!(shown.files.iter().all(|f| std::fs::read(f).unwrap().starts_with(b"\x89PNG")));
        assert_eq!(shown.proposal.as_deref(), Some("up right"));
        let again = look("id_test", 3, Some(&shown.answer), dir.path()).unwrap();
        assert!(again.verdict.unwrap().correct());
    }

    #[test]
    fn what_cannot_be_shown_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for (split, index, propose, says) in [
            ("odo7", 0, None, "ood7"),
            ("id_test", 1_000_000, None, "past the last"),
            ("id_test", 0, Some("up north"), "north"),
        ] {
            let error = look(split, index, propose, dir.path()).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
