//! The contract between tasks, policies and everything that drives or judges them.
//!
//! An [`Example`] is one question with its image and ground truth. A [`Policy`] answers it over several
//! turns: it *proposes*, sees its proposal rendered as *feedback*, and *commits* or revises. [`drive()`] is
//! the only loop that runs episodes, for evaluation and for training rollouts alike. Nothing here does I/O,
//! reads a clock or knows a network.

// The toy tasks of the tests are shared with crates that see this one from outside.
#[cfg(test)]
extern crate self as vrrl_harness_core;

mod answer;
mod control;
#[cfg(test)]
mod control_tests;
mod drive;
#[cfg(test)]
mod drive_tests;
mod episode;
mod example;
mod hash;
pub mod language;
mod png;
mod policy;
pub mod prompt;
pub mod reward;
mod seed;
mod task;
#[cfg(test)]
mod toy;
#[cfg(test)]
mod toy_point;
mod trace;
mod truth;
mod verdict;

pub use answer::{Answer, Move};
pub use control::{Control, Shown};
pub use drive::{drive, Start};
pub use episode::{Action, Episode, Finished, Settings, Step, Turn};
pub use example::{Example, Role};
pub use hash::{sha256_hex, Hasher};
pub use language::{mend_surrogates, Dialect, Parsed};
pub use png::encode_png;
pub use policy::{Constraint, Fault, Owner, Policy, PolicyInfo, Reply, Request, Sampling, TokenRecord};
pub use prompt::{Message, PromptProfile, PromptTexts, Prompted, Speaker};
pub use seed::{Rng, Seed};
pub use task::{
    Canonical, Error, Feedback, FeedbackMode, Image, Observation, Packed, Posed, Problem, Task, TaskKind,
    View,
};
pub use trace::{End, Trace, TraceTurn, TurnTokens};
pub use truth::{MazeTruth, RegionTruth, Truth};
pub use verdict::{PathVerdict, PointVerdict, Verdict};

/// Version of every file format this crate defines (`format` in the files).
pub const FORMAT: u32 = 1;
