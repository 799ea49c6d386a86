//! The learning machinery: demonstrations, rollouts, advantages, losses, buffers, checkpoints; and VRRL.
//!
//! ```text
//! demos ─ supervised ─┐                       ┌─ learner (shards → gradients → AdamW)
//!                     ├─ sequences (packed) ──┤
//! rollouts ─ rl ──────┘                       └─ checkpoint (weights, moments, buffer, step; atomic)
//! ```
//! Rollouts go through the same [`vrrl_harness_core::drive`] as evaluation, and the loss mask follows from
//! token owners alone.

pub mod buffer;
mod checkpoint;
pub mod config;
pub mod curriculum;
mod demos;
mod error;
mod guard;
mod learner;
pub mod liveness;
mod lock;
mod log;
pub mod math;
mod probe;
mod rl;
mod rollout;
pub mod rtm;
mod run;
mod sequence;
mod source;
mod supervised;
mod vrrl;
pub mod warnings;

/// Version of what the stages compute. It grows whenever the same recipe and start would train other weights than before,
/// and is part of every stage's fingerprint: what an older version trained is not taken for this one's.
pub const ALGORITHM: u32 = 2;

pub use checkpoint::{finished, Checkpoints, Saved};
pub use demos::{base_demo, correction, multi_turn, single_turn, Demo, DemoConfig, Demonstration};
pub use error::{Error, Exit, Place};
pub use guard::{Guard, Limits};
pub use learner::{Learner, Objective, ObjectiveFn, StepReport};
pub use log::Log;
pub use probe::{probe, Probe};
pub use rl::{reinforce, Prefix};
pub use rollout::{collect, Rollout, MAX_TOKENS};
pub use run::{ExampleAt, Progress, Run, TrainingReport};
pub use sequence::{pack, Sequence, SequenceTurn, TokenRef};
pub use source::{holdout, Mix, Source};
pub use supervised::{report_of, supervise, Imitated, SupervisedConfig};
pub use vrrl::vrrl;
pub use vrrl_datasets::Purpose;
