//! One example, looked at.

use std::path::{Path, PathBuf};

use serde::Serialize;
use vrrl_datasets::{Examples, SplitDef};
use vrrl_harness_core::{
    encode_png, Answer, Example, Feedback, FeedbackMode, Image, Move, TaskKind, Truth, Verdict, View,
};

use crate::{cut, data, store, Error, Result};

/// What to show.
#[derive(Clone, PartialEq, Debug)]
pub struct ShowRequest {
    /// Name of a split, a folder or a file.
    pub split: String,
    /// Which example, from 0.
    pub index: usize,
    /// A proposal in words: moves, or x and y.
    pub propose: Option<String>,
    /// `axis=level` each: the same scene under these shifts.
    pub shifts: Vec<String>,
    /// Files with axes of one's own.
    pub axes: Vec<PathBuf>,
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
    /// Axes with their levels, where it is shifted.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub shift: String,
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
    let (example, shift) = find(request)?;
    let (problem, view) = (&example.problem, request.view);
    let proposal = request.propose.as_deref().map(|words| answer(problem.kind(), words)).transpose()?;
    let mut stem = format!("{}-{}", example.split.rsplit('/').next().unwrap_or("split"), example.id);
    // Beside the unshifted one, not over it.
    request.shifts.iter().for_each(|word| stem.push_str(&format!("-{}", word.replace('=', "_"))));
    let mut files = vec![save(&request.out, &format!("{stem}.png"), &problem.observe(view))?];
    let feedback = proposal.as_ref().map(|proposal| feedback(request, &example, proposal));
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
        shift,
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

/// What a proposal gets to see.
pub(crate) fn feedback(request: &ShowRequest, example: &Example, proposal: &Answer) -> Feedback {
    match request.feedback {
        FeedbackMode::Crop => example.problem.feedback(proposal, request.view),
        FeedbackMode::Whole => example.problem.whole_feedback(proposal, request.view),
    }
}

/// The example among all splits that the name stands for.
pub(crate) fn find(request: &ShowRequest) -> Result<(Example, String)> {
    let (name, index) = (&request.split, request.index);
    let splits = if request.shifts.is_empty() {
        data::open_split(name)?
    } else {
        let def = data::definition(name)?.ok_or_else(|| {
            Error::Input(format!(
                "--shift: {name} is not drawn here; name a built-in split or a definition's file"
            ))
        })?;
        vec![Examples::draw(&cut::shifted(&def, &request.shifts, &request.axes)?)?]
    };
    let mut before = 0;
    for split in &splits {
        if index - before < split.len() {
            let mut items = split.items(index - before..index - before + 1)?;
            return Ok((items.remove(0).example, told(split.def())));
        }
        before += split.len();
    }
    let last = match before {
        0 => "there is none".into(),
        n => format!("index {index} is past the last, {}", n - 1),
    };
    Err(Error::Input(format!("split {name} has {before} examples; {last}")))
}

/// The shifts of a split for people; nothing where there are none.
fn told(def: &SplitDef) -> String {
    let words: Vec<String> = def.all_shifts().iter().map(|(axis, level)| format!("{axis}={level}")).collect();
    words.join(" ")
}

fn save(folder: &Path, name: &str, image: &Image) -> Result<PathBuf> {
    let path = folder.join(name);
    store::replace(&path, &encode_png(image))?;
    Ok(path)
}

/// An answer from words.
pub(crate) fn answer(task: TaskKind, words: &str) -> Result<Answer> {
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
        shifted(split, index, propose, &[], out)
    }

    fn shifted(
        split: &str,
        index: usize,
        propose: Option<&str>,
        shifts: &[&str],
        out: &Path,
    ) -> Result<Shown> {
        let (split, propose, out) = (split.into(), propose.map(Into::into), out.into());
        let shifts = shifts.iter().map(|&word| word.into()).collect();
        let (feedback, view) = (FeedbackMode::Crop, View::Crisp);
        show(&ShowRequest { split, index, propose, shifts, axes: Vec::new(), feedback, view, out })
    }

    #[test]
    fn a_scene_stays_under_shifts_that_keep_it() {
        let dir = tempfile::tempdir().unwrap();
        let base = look("id_test", 5, None, dir.path()).unwrap();
        assert_eq!(base.shift, "");
        let noisy = shifted("id_test", 5, None, &["noise=3", "theme=night"], dir.path()).unwrap();
        assert_eq!((&noisy.truth, noisy.shift.as_str()), (&base.truth, "noise=3 theme=night"));
        assert_ne!(std::fs::read(&noisy.files[0]).unwrap(), std::fs::read(&base.files[0]).unwrap());
        let error =
            |shifts: &[&str]| shifted("id_test", 5, None, shifts, dir.path()).unwrap_err().to_string();
        assert!(error(&["noise=9"]).contains("1, 2, 3, 4, 5"));
        assert!(error(&["nosie=1"]).contains("did you mean noise?"));
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
