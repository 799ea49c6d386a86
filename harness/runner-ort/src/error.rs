//! What can go wrong with a directory of graphs.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is missing or unreadable.
    #[error("{path}: {source}; an ONNX directory holds vision_encoder.onnx, embed_tokens.onnx, decoder_model_merged.onnx, config.json, preprocessor_config.json and tokenizer.json")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that ends before it should, or is no ONNX model at all.
    #[error("{path}: not a whole ONNX model ({reason}); copy or export it again")]
    Cut {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Operators of a version that no engine here reads.
    #[error("{path}: opset {found} of {domain:?}, this runner reads {low} to {high}; export it again with another")]
    Opset {
        /// The file.
        path: PathBuf,
        /// Whose operators; empty for ONNX itself.
        domain: String,
        /// Version found.
        found: i64,
        /// Lowest read.
        low: i64,
        /// Highest read.
        high: i64,
    },
    /// The engine does not take the graph.
    #[error("{path}: {engine} does not load it: {reason}")]
    Load {
        /// The file.
        path: PathBuf,
        /// Who.
        engine: String,
        /// Why.
        reason: String,
    },
    /// An input or output that is not there.
    #[error("{path}: no {what} `{name}`; it has {has}")]
    Missing {
        /// The file.
        path: PathBuf,
        /// `input` or `output`.
        what: &'static str,
        /// What was looked for.
        name: String,
        /// What there is.
        has: String,
    },
    /// The graph is of a kind that this runner cannot run.
    #[error("{path}: {reason}")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What, and what would do.
        reason: String,
    },
    /// A companion file is not what it should be.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The vocabulary is wrong.
    #[error(transparent)]
    Tokenizer(#[from] vrrl_trainer_codec::Error),
    /// The engine failed while running a graph.
    #[error("{path}: {reason}")]
    Run {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No engine can be used.
    #[error("ONNX Runtime: {0}")]
    Engine(String),
    /// The library could not be installed.
    #[error("install ONNX Runtime: {0}")]
    Install(String),
}
