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
mod demos;
mod error;
mod learner;
pub mod liveness;
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

pub use checkpoint::{finished, Checkpoints, Saved};
pub use demos::{base_demo, correction, multi_turn, single_turn, Demo, DemoConfig};
pub use error::{Error, Exit};
pub use learner::{Learner, Objective, ObjectiveFn, StepReport};
pub use log::Log;
pub use probe::{probe, Probe};
pub use rl::{reinforce, Prefix};
pub use rollout::{collect, Rollout, MAX_TOKENS};
pub use run::{ExampleAt, Progress, Run, TrainingReport};
pub use sequence::{Sequence, SequenceTurn, TokenRef};
pub use source::{holdout, Source};
pub use supervised::{report_of, supervise, SupervisedConfig};
pub use vrrl::{check_vrrl, vrrl};
