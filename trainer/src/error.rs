//! What can go wrong in training.

use std::fmt;
use std::path::{Path, PathBuf};

/// How a failure ends the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// A wrong recipe, or bad input.
    Usage,
    /// A numeric failure, a mechanism that never fired, or a bug.
    Internal,
    /// Stopped by the user; the same command goes on.
    Interrupted,
}

/// Where in a step a number stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Place {
    /// The whole step.
    #[default]
    Step,
    /// One token of one sequence of the batch, all from 0.
    Token {
        /// Sequence within the batch.
        sequence: usize,
        /// Turn within the sequence.
        turn: usize,
        /// Token within the reply.
        token: usize,
    },
    /// In words: group and training example.
    Named(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step => Ok(()),
            Self::Token { sequence, turn, token } => {
                write!(f, " (sequence {sequence} of the batch, turn {turn}, token {token})")
            }
            Self::Named(words) => write!(f, " ({words})"),
        }
    }
}

/// A training failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A recipe that cannot be run.
    #[error("recipe: {0}")]
    Recipe(String),
    /// A file could not be read or written.
    #[error("{path}: {source}; what was written before is intact")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Another process trains into the same folder.
    #[error(
        "{dir} is in use: another `vrrl` is training into it; wait for it to end, or choose another --out"
    )]
    Locked {
        /// The checkpoint directory.
        dir: PathBuf,
    },
    /// The network or its weights.
    #[error(transparent)]
    Network(#[from] vrrl_trainer_model::Error),
    /// A checkpoint to start from.
    #[error(transparent)]
    Checkpoint(#[from] vrrl_harness_runner_candle::Error),
    /// A text outside the vocabulary.
    #[error("tokenizer: {0}")]
    Tokenizer(#[from] vrrl_trainer_codec::Error),
    /// Settings of the reinforcement stage.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// An example could not be made.
    #[error("training example {index}: {reason}")]
    Example {
        /// Which.
        index: u64,
        /// Why.
        reason: String,
    },
    /// The weights that a stage was given are not finite.
    #[error("the start's weight `{name}` holds {value} at {at}; start from an earlier checkpoint")]
    Start {
        /// The weight.
        name: String,
        /// The value.
        value: f32,
        /// Where in the weight, row by row.
        at: usize,
    },
    /// A number of a step is not finite; the step was not applied.
    #[error("step {step}: the {part} is {value}{place}; {}; {}", cure(.part), rest(.last.as_deref()))]
    NotFinite {
        /// The step, from 1.
        step: u64,
        /// Which number: `reward`, `advantage`, `log-prob`, `kl`, `loss`, `gradient of <weight>`, `weight <weight>`.
        part: String,
        /// The value.
        value: f64,
        /// Where in the step.
        place: Place,
        /// The last saved state.
        last: Option<PathBuf>,
    },
    /// Loss or gradient are finite and far above those of the steps before; the step was not applied.
    #[error(
        "step {step}: the {part} exploded: {value:.4} is more than {factor} times {median:.4}, the median of the steps \
         before; lower `lr`, or set `spike: null` to train on; {}", rest(.last.as_deref())
    )]
    Exploded {
        /// The step, from 1.
        step: u64,
        /// `loss` or `norm of the gradient`.
        part: &'static str,
        /// The value.
        value: f64,
        /// Median of the steps before.
        median: f64,
        /// The setting `spike`.
        factor: f64,
        /// The last saved state.
        last: Option<PathBuf>,
    },
    /// A mechanism that was on and did nothing; the last line says where the weights are.
    #[error("{}", .0.join("\n"))]
    NeverFired(Vec<String>),
    /// The policy failed while rolling out.
    #[error("rollout: {0}")]
    Rollout(String),
    /// Stopped by the user.
    #[error("interrupted at step {step}; run the same command to go on")]
    Interrupted {
        /// The step.
        step: u64,
    },
}

/// What to change where a number is not finite.
fn cure(part: &str) -> &'static str {
    match part {
        "reward" => "check `reward`",
        "advantage" => "check `reward` and `std_floor`",
        _ => "lower `lr`",
    }
}

/// What is left after a refused step.
fn rest(last: Option<&Path>) -> String {
    match last {
        Some(state) => {
            format!(
                "nothing of this step was applied; the last good state is {0}: a start for --init {0}",
                state.display()
            )
        }
        None => "nothing of this step was applied, and no state was saved before it".into(),
    }
}

impl Error {
    /// How this ends the program.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Interrupted { .. } => Exit::Interrupted,
            Self::Network(vrrl_trainer_model::Error::Weights { .. }) => Exit::Usage,
            Self::Network(_)
            | Self::NotFinite { .. }
            | Self::Exploded { .. }
            | Self::NeverFired(_)
            | Self::Rollout(_) => Exit::Internal,
            _ => Exit::Usage,
        }
    }

    /// This failure, which happened in `step`, with the state to go back to.
    pub(crate) fn during(self, step: u64, state: Option<PathBuf>) -> Self {
        match self {
            Self::NotFinite { part, value, place, .. } => {
                Self::NotFinite { step, part, value, place, last: state }
            }
            Self::Exploded { part, value, median, factor, .. } => {
                Self::Exploded { step, part, value, median, factor, last: state }
            }
            Self::Rollout(reason) => {
                Self::Rollout(format!("step {step}: {reason}; {}", rest(state.as_deref())))
            }
            other => other,
        }
    }

    /// This failure with words for the sequence that it names.
    pub(crate) fn place(self, words: impl Fn(usize) -> Option<String>) -> Self {
        match self {
            Self::NotFinite { step, part, value, place: Place::Token { sequence, turn, token }, last } => {
                let place = match words(sequence) {
                    Some(words) => Place::Named(format!("{words}, turn {turn}, token {token}")),
                    None => Place::Token { sequence, turn, token },
                };
                Self::NotFinite { step, part, value, place, last }
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_step_says_what_where_and_how_to_go_on() {
        let place = Place::Token { sequence: 3, turn: 1, token: 0 };
        let bare = Error::NotFinite { step: 0, part: "log-prob".into(), value: f64::NAN, place, last: None };
        let words = |s: usize| Some(format!("group {s}, training example 812"));
        let text = bare.place(words).during(41, Some("out/state-00000040".into())).to_string();
        let want = "step 41: the log-prob is NaN (group 3, training example 812, turn 1, token 0); lower `lr`; nothing \
                    of this step was applied; the last good state is out/state-00000040: a start for --init \
                    out/state-00000040";
        assert_eq!(text, want);
        let exploded =
            Error::Exploded { step: 0, part: "loss", value: 1234.5, median: 0.5, factor: 100.0, last: None };
        assert_eq!(exploded.exit(), Exit::Internal);
        let text = exploded.during(5, None).to_string();
        for part in
            ["step 5", "loss exploded: 1234.5", "100 times 0.5", "`spike: null`", "no state was saved"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        let rollout = Error::Rollout("logits hold inf".into()).during(2, None);
        assert!(rollout.to_string().starts_with("rollout: step 2: logits hold inf; nothing"), "{rollout}");
    }
}
