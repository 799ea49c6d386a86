//! Runs a policy over splits, records, resumes, scores and summarises.

mod config;
mod error;
pub mod record;

pub use config::{EvalConfig, EvalSplit};
pub use error::{Error, Result};
pub use record::{RunInfo, ScoreRow, Severity, SplitInfo, SplitSummary, Summary};
