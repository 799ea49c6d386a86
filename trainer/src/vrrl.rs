//! Recipe: VRRL (paper, section "Method"; appendix for the numbers).
//!
//! Multi-SFT → reinforcement with Random Turn Masking, Buffered Roll-In and the reflection reward. Deviations
//! from the paper, all in the `small` preset and all named settings:
//!
//! 1. Commits are bare (`<FINAL/>`), so that format validity does not depend on copying.
//! 2. The group's deviation gets a floor of 0.1 and α is below γ: at the paper's values a wrong-then-right
//!    episode pays more than right at once, and a small policy learns to be wrong first.
//! 3. A group whose revision is forced counts beside twins that committed at once (`buffer.ban_credit`): a forced token
//!    alone carries no gradient about stopping. Without the twins that token is the method's and carries no loss.
//! 4. On-policy and buffer tokens are averaged separately, the literal reading of J = ρ·J_RTM + (1 − ρ)·J_buf;
//!    the released code pools them (preset `code`).
//! 5. Filtered groups are not refilled (`filter.tries: 0`).
//! 6. The first turn answers for its own correctness alone (`turn0_credit`): otherwise first proposals become wrong on
//!    purpose. And nothing is masked in seven of ten rollouts (`rtm.keep_first`), which spares first proposals; uniform k is
//!    no worse in total by what two seeds can show.
//! 7. Only first proposals are rolled in (`buffer.max_proposals`), 35 % of the groups from the buffer (the paper: a third).

use serde_json::Value;

use crate::config::{Parts, RlConfig};
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
    if config.parts() != Parts::VRRL {
        let reason =
            "`vrrl` needs `rtm`, `buffer` and a reward that pays for reflection; without one of them it is \
                      another method (`grpo_rtm`, `grpo_bri`, `grpo_rtm_bri`, `grpo_reflection`, `multi_sft_grpo`)";
        return Err(Error::Recipe(reason.into()));
    }
    reinforce(run, learner, config, mark)
}
