//! Recipes: the paper's ablations, and the shaping that it says fails. All start from Multi-SFT.
//!
//! | method | masking | roll-in | pays beside a right answer | paper, OOD average of 3B (grounding / navigation) |
//! |---|---|---|---|---|
//! | `multi_sft_grpo` | no | no | nothing | 40.0 / 26.0 |
//! | `grpo_rtm` | yes | no | nothing | 37.5 / 28.6 |
//! | `grpo_bri` | no | yes | nothing | 42.6 / 27.6 |
//! | `grpo_rtm_bri` | yes | yes | nothing | 43.4 / 32.8 |
//! | `grpo_reflection` | no | no | progress between proposals | 42.7 / 30.8 |
//! | `vrrl` | yes | yes | progress between proposals | 45.7 / 39.2 |
//! | `vrrl_distance` | yes | yes | the last answer's nearness | "fixes turn 1 and drops reflection" |
//!
//! Each differs from its neighbours by nothing else: the settings come from one preset, and a recipe that switches a
//! part on or off under another method's name is refused. Deviations from the paper are those of GRPO and VRRL. The paper
//! describes distance shaping for grounding (φ of the last point); for mazes the last path's progress takes its place.

/// The program is GRPO's: the parts stand in the settings.
pub(crate) use crate::grpo::grpo as ablation;
