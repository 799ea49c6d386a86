//! A gate's report as CI systems and benchmark services read it.
//!
//! Names of models, splits and rules come from files that anybody may have written. Each writer escapes them for its
//! own format, so that none can end a tag, a table cell or a workflow command.

mod github;
mod junit;
mod markdown;
mod metrics;

pub use github::{annotations, outputs, SUMMARY_LIMIT};
pub use junit::junit;
pub use markdown::summary as gate_markdown;
pub use metrics::{bencher, bigger_is_better};

use vrrl_harness::gate::RuleReport;

/// Longest name that is written; a longer one is cut.
const NAME: usize = 200;

/// A name without control characters, cut to a length that any reader takes.
fn name(text: &str) -> String {
    let plain = vrrl_harness::gate::plain(text);
    match plain.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

/// What a rule's items are: its role, or its splits.
fn place(rule: &RuleReport) -> String {
    name(&rule.role.map_or_else(|| rule.splits.join("+"), |role| role.word().to_owned()))
}
