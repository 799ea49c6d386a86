//! Every training method as a readable recipe on the trainer's machinery.
//!
//! | method | file | starts from |
//! |---|---|---|
//! | `base` | `base.rs` | nothing |
//! | `single_sft`, `multi_sft` | `sft.rs` | `base` |
//! | `reflection_tuning` | `reflection_tuning.rs` | `multi_sft` |
//! | `single_sft_grpo`, `multi_sft_grpo` | `grpo.rs` | the SFT it is named after |
//! | `grpo_rtm`, `grpo_bri`, `grpo_rtm_bri`, `grpo_reflection`, `vrrl_distance` | `ablations.rs` | `multi_sft` |
//! | `vrrl` | [`vrrl_trainer::vrrl`] | `multi_sft` |

mod ablations;
mod base;
mod grpo;
mod presets;
mod recipe;
mod reflection_tuning;
mod sft;
mod train;

pub use recipe::{without_line, Method, NetworkConfig, Recipe, TuningConfig};
pub use train::{train, Job};
pub use vrrl_trainer::warnings::Warning;
pub use vrrl_trainer::{Error, Exit, Mix, Progress, TrainingReport};
