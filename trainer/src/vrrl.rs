//! Recipe: VRRL (paper, section "Method"; appendix for the numbers).
//!
//! Multi-SFT → reinforcement with Random Turn Masking, Buffered Roll-In and the reflection reward. Deviations
//! from the paper, all in the `small` preset and all named settings:
//!
//! 1. Commits are bare (`<FINAL/>`), so that format validity does not depend on copying.
//! 2. The group's deviation gets a floor of 0.1 and α is below γ: at the paper's values a wrong-then-right
//!    episode pays more than right at once, and a small policy learns to be wrong first.
//! 3. The commit is banned after every other wrong roll-in instead of every one (`buffer.ban`), and a banned
//!    group counts beside twins that committed at once (`buffer.ban_credit`): a banned token alone carries no
//!    gradient about stopping.
//! 4. On-policy and buffer tokens are averaged separately, the literal reading of J = ρ·J_RTM + (1 − ρ)·J_buf;
//!    the released code pools them (preset `code`).
//! 5. Filtered groups are not refilled (`filter.tries: 0`).
//! 6. Without `buffer.ban_credit` the first token behind a banned roll-in is the method's and carries no loss.

use serde_json::Value;

use crate::config::RlConfig;
use crate::liveness::REFLECTION;
use crate::{reinforce, Error, Learner, Run, TrainingReport};

/// Trains VRRL from a Multi-SFT start.
///
/// # Errors
/// As [`reinforce`], and if the three mechanisms that make it VRRL are not all on.
pub fn vrrl(
    run: &mut Run<'_>,
    learner: &mut Learner,
    config: &RlConfig,
    mark: Value,
) -> Result<TrainingReport, Error> {
    check_vrrl(config)?;
    reinforce(run, learner, config, mark)
}

/// Whether the three mechanisms that make it VRRL are all on.
///
/// # Errors
/// [`Error::Recipe`] if one is off.
pub fn check_vrrl(config: &RlConfig) -> Result<(), Error> {
    let reflects = config.mechanisms().contains(&&REFLECTION);
    if config.rtm.is_none() || config.buffer.is_none() || !reflects {
        let reason =
            "`vrrl` needs `rtm`, `buffer` and a reward that pays for reflection; use `multi_sft_grpo` to \
                      train without them";
        return Err(Error::Recipe(reason.into()));
    }
    Ok(())
}
