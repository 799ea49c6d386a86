//! Grounding controls: what a policy is shown in place of its own feedback.
//!
//! A policy that gains by revising may gain from what the feedback shows, or from having another try. The
//! controls tell the two apart: everything stays as it is, only the feedback picture is another.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Answer, Example, Feedback, FeedbackMode, Image, Observation, Seed, View};

/// Colour of a picture that shows nothing.
const BLANK: image::Rgb<u8> = image::Rgb([255, 255, 255]);
/// What stands in place of words of feedback where nothing may be told.
const NOTHING: &str = "No feedback.";

/// A control condition of a run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Control {
    /// The policy sees its own feedback.
    #[default]
    None,
    /// An empty picture of equal size.
    Blank,
    /// The same proposal, drawn on another example of the split.
    Swapped,
    /// A right answer, drawn, whatever was proposed.
    Oracle,
}

impl Control {
    /// All conditions.
    pub const ALL: [Self; 4] = [Self::None, Self::Blank, Self::Swapped, Self::Oracle];

    /// The word used in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Blank => "blank",
            Self::Swapped => "swapped",
            Self::Oracle => "oracle",
        }
    }
}

/// A [`Control`] with what it needs for one episode.
#[derive(Clone, Copy, Debug, Default)]
pub enum Shown<'e> {
    /// See [`Control::None`].
    #[default]
    Own,
    /// See [`Control::Blank`].
    Blank,
    /// See [`Control::Swapped`]: the other example.
    Other(&'e Example),
    /// See [`Control::Oracle`].
    Oracle,
}

impl Shown<'_> {
    /// The observation that follows the proposal `answer`; `seed` is the episode's, so that what the control
    /// draws is the same on every turn and in every batch.
    pub(crate) fn observation(
        self,
        example: &Example,
        answer: &Answer,
        (view, mode): (View, FeedbackMode),
        seed: Seed,
    ) -> Observation {
        let draw = |example: &Example, answer: &Answer| match mode {
            FeedbackMode::Crop => example.problem.feedback(answer, view),
            FeedbackMode::Whole => example.problem.whole_feedback(answer, view),
        };
        let own = || draw(example, answer);
        let mut rng = seed.derive("control", 0).rng();
        let shown = match self {
            Self::Own => own(),
            Self::Blank => match own() {
                Feedback::Image(own) => Feedback::Image(Image::from_pixel(own.width(), own.height(), BLANK)),
                Feedback::Text(_) => Feedback::Text(NOTHING.into()),
            },
            Self::Other(other) => match (own(), draw(other, answer)) {
                // The point may lie outside the other, smaller picture; words would give the swap away.
                (Feedback::Image(_), Feedback::Text(_)) => draw(other, &other.problem.guess(&mut rng)),
                (_, swapped) => swapped,
            },
            Self::Oracle => draw(example, &example.problem.oracle(&mut rng)),
        };
        match shown {
            Feedback::Image(image) => Observation { image: Some(Arc::new(image)), ..Observation::default() },
            Feedback::Text(text) => Observation { text: Some(text), ..Observation::default() },
        }
    }
}
