//! What can go wrong in training.

use std::path::PathBuf;

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
    /// A loss or gradient is not finite.
    #[error("the loss is {value} at step {step}; the last saved step is intact: lower the learning rate and start again")]
    NotFinite {
        /// The value.
        value: f64,
        /// The step.
        step: u64,
    },
    /// A mechanism that was on and did nothing.
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

impl Error {
    /// How this ends the program.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Interrupted { .. } => Exit::Interrupted,
            Self::Network(vrrl_trainer_model::Error::Weights { .. }) => Exit::Usage,
            Self::Network(_) | Self::NotFinite { .. } | Self::NeverFired(_) | Self::Rollout(_) => {
                Exit::Internal
            }
            _ => Exit::Usage,
        }
    }
}
