//! The typed trait that task authors write, and the erased one that drivers use.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Answer, Rng, Seed, Truth, Verdict};

/// An RGB picture, row-major.
pub type Image = image::RgbImage;

/// What can go wrong while making an example.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Parameters outside what the task can do.
    #[error("invalid {task} parameters: {reason}")]
    Params {
        /// The task.
        task: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// Bounded tries were not enough.
    #[error("no {task} with {wanted} after {tries} tries (seed {seed})")]
    Exhausted {
        /// The task.
        task: &'static str,
        /// The parameters asked for.
        wanted: String,
        /// How often it was tried.
        tries: u32,
        /// The seed that failed.
        seed: Seed,
    },
    /// A ground truth that does not describe a solvable problem.
    #[error("invalid ground truth: {0}")]
    Truth(String),
    /// Settings outside what they can be.
    #[error("invalid {what}: {reason}")]
    Config {
        /// What is configured.
        what: &'static str,
        /// The key, what is wrong and what would be right.
        reason: String,
    },
}

/// A kind of problem.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// Shortest path through a frozen lake.
    Maze,
    /// Point at something in a table.
    Table,
    /// Point at something in a chart.
    Chart,
}

impl TaskKind {
    /// All tasks.
    pub const ALL: [Self; 3] = [Self::Maze, Self::Table, Self::Chart];

    /// The word used in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Maze => "maze",
            Self::Table => "table",
            Self::Chart => "chart",
        }
    }
}

/// Which of its pictures a scene is drawn as.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// For people and large models (mazes: 64 pixels a cell).
    Crisp,
    /// The reference policy's small canvas (mazes: 64×64 pixels, 8 a cell).
    Canvas,
}

/// How much of the picture feedback shows, for tasks whose answer is a point.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedbackMode {
    /// The surroundings of the proposed point ([`Task::feedback`]).
    #[default]
    Crop,
    /// The full picture with the proposal in it ([`Task::whole_feedback`]).
    Whole,
}

impl FeedbackMode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Crop, Self::Whole];

    /// The word used in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Crop => "crop",
            Self::Whole => "whole",
        }
    }
}

/// The rendered proposal.
#[derive(Clone, Debug)]
pub enum Feedback {
    /// A picture.
    Image(Image),
    /// Words, where there is nothing to draw.
    Text(String),
}

/// What a policy sees before a reply.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    /// The picture: the question's on the first turn, the feedback's later.
    pub image: Option<Arc<Image>>,
    /// The question on the first turn, words of feedback later.
    pub text: Option<String>,
    /// The picture as PNG, in place of its pixels, where nobody looks at them.
    pub packed: Option<Packed>,
}

/// A picture that is kept small.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Width and height, pixels.
    pub size: [u32; 2],
    /// What [`crate::encode_png`] made of it.
    pub png: Arc<[u8]>,
}

impl Observation {
    /// Width and height of the picture, where there is one.
    #[must_use]
    pub fn size(&self) -> Option<[u32; 2]> {
        let pixels = self.image.as_ref().map(|image| [image.width(), image.height()]);
        pixels.or_else(|| self.packed.as_ref().map(|packed| packed.size))
    }

    /// The picture as PNG.
    #[must_use]
    pub fn png(&self) -> Option<Arc<[u8]>> {
        let packed = self.packed.as_ref().map(|packed| packed.png.clone());
        packed.or_else(|| self.image.as_ref().map(|image| crate::encode_png(image).into()))
    }

    /// Gives the pixels up for the PNG: a fiftieth of the memory where pictures are flat.
    pub fn pack(&mut self) {
        if let (Some(size), Some(png)) = (self.size(), self.png()) {
            (self.packed, self.image) = (Some(Packed { size, png }), None);
        }
    }
}

/// Canonical forms of a scene; equal texts mean equal problems.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Canonical {
    /// Equal only for identical problems.
    pub exact: String,
    /// Equal up to the task's symmetries (mazes: rotations and reflections).
    pub symmetric: String,
    /// Equal where only the background is (mazes: the same holes, same orientation).
    pub pattern: String,
    /// Size class for tables of overlap (mazes: cells on a side).
    pub size: usize,
}

/// A task, as its author writes it. Scenes are plain data; everything is a pure function of scene and seed.
pub trait Task: Send + Sync + 'static {
    /// Difficulty knobs.
    type Params: Serialize + DeserializeOwned + Clone + Send + Sync;
    /// One generated problem.
    type Scene: Send + Sync + 'static;

    /// Which task this is.
    const KIND: TaskKind;

    /// Draws a scene.
    ///
    /// # Errors
    /// [`Error::Params`] or, after bounded tries, [`Error::Exhausted`].
    fn generate(params: &Self::Params, seed: Seed) -> Result<Self::Scene, Error>;
    /// Rebuilds a scene from its ground truth; `seed` decides what the truth leaves open (canvas offset).
    ///
    /// # Errors
    /// [`Error::Truth`] if the truth is not a solvable problem.
    fn from_truth(truth: &Truth, seed: Seed) -> Result<Self::Scene, Error>;
    /// Ground truth as it is written to files.
    fn truth(scene: &Self::Scene) -> Truth;
    /// The question in words.
    fn question(scene: &Self::Scene) -> String;
    /// Every name and number that stands on the small canvas, with the middle of each of its signs in pixels of the crisp
    /// picture; none where nothing on it can be read.
    fn texts(_: &Self::Scene) -> Vec<(String, Vec<[f64; 2]>)> {
        Vec::new()
    }
    /// Canonical forms for overlap proofs.
    fn canonical(scene: &Self::Scene) -> Canonical;
    /// The question's picture.
    fn observe(scene: &Self::Scene, view: View) -> Image;
    /// The proposal, drawn. Never panics, whatever the answer.
    fn feedback(scene: &Self::Scene, answer: &Answer, view: View) -> Feedback;
    /// The proposal, drawn on the full picture ([`FeedbackMode::Whole`]). Tasks whose [`Task::feedback`] is the
    /// full picture anyway keep this. Never panics either.
    fn whole_feedback(scene: &Self::Scene, answer: &Answer, view: View) -> Feedback {
        Self::feedback(scene, answer, view)
    }
    /// Judges one answer; an answer of another task's kind is wrong.
    fn judge(scene: &Self::Scene, answer: &Answer) -> Verdict;
    /// A right answer, uniform among equals.
    fn oracle(scene: &Self::Scene, rng: &mut Rng) -> Answer;
    /// A plausible wrong answer.
    fn mistake(scene: &Self::Scene, rng: &mut Rng) -> Answer;
    /// An answer drawn without looking.
    fn guess(scene: &Self::Scene, rng: &mut Rng) -> Answer;
}

/// One posed problem, with its task's type erased.
pub trait Problem: Send + Sync {
    /// See [`Task::KIND`].
    fn kind(&self) -> TaskKind;
    /// See [`Task::truth`].
    fn truth(&self) -> Truth;
    /// See [`Task::question`].
    fn question(&self) -> String;
    /// See [`Task::texts`].
    fn texts(&self) -> Vec<(String, Vec<[f64; 2]>)> {
        Vec::new()
    }
    /// See [`Task::canonical`].
    fn canonical(&self) -> Canonical;
    /// See [`Task::observe`].
    fn observe(&self, view: View) -> Image;
    /// See [`Task::feedback`].
    fn feedback(&self, answer: &Answer, view: View) -> Feedback;
    /// See [`Task::whole_feedback`].
    fn whole_feedback(&self, answer: &Answer, view: View) -> Feedback {
        self.feedback(answer, view)
    }
    /// See [`Task::judge`].
    fn judge(&self, answer: &Answer) -> Verdict;
    /// See [`Task::oracle`].
    fn oracle(&self, rng: &mut Rng) -> Answer;
    /// See [`Task::mistake`].
    fn mistake(&self, rng: &mut Rng) -> Answer;
    /// See [`Task::guess`].
    fn guess(&self, rng: &mut Rng) -> Answer;
}

/// A scene with its task: the bridge from [`Task`] to [`Problem`].
pub struct Posed<T: Task>(pub T::Scene);

impl<T: Task> Problem for Posed<T> {
    fn kind(&self) -> TaskKind {
        T::KIND
    }
    fn truth(&self) -> Truth {
        T::truth(&self.0)
    }
    fn question(&self) -> String {
        T::question(&self.0)
    }
    fn texts(&self) -> Vec<(String, Vec<[f64; 2]>)> {
        T::texts(&self.0)
    }
    fn canonical(&self) -> Canonical {
        T::canonical(&self.0)
    }
    fn observe(&self, view: View) -> Image {
        T::observe(&self.0, view)
    }
    fn feedback(&self, answer: &Answer, view: View) -> Feedback {
        T::feedback(&self.0, answer, view)
    }
    fn whole_feedback(&self, answer: &Answer, view: View) -> Feedback {
        T::whole_feedback(&self.0, answer, view)
    }
    fn judge(&self, answer: &Answer) -> Verdict {
        T::judge(&self.0, answer)
    }
    fn oracle(&self, rng: &mut Rng) -> Answer {
        T::oracle(&self.0, rng)
    }
    fn mistake(&self, rng: &mut Rng) -> Answer {
        T::mistake(&self.0, rng)
    }
    fn guess(&self, rng: &mut Rng) -> Answer {
        T::guess(&self.0, rng)
    }
}
