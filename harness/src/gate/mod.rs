//! The gate: may this candidate take the baseline's place?
//!
//! [`Side::read`] reads baseline and candidate, [`gate`] pairs their items and holds them against the rules of a
//! [`GateConfig`], [`record`] remembers the attempt, [`gate_text`] says it to people. [`Baseline`] is a run as a small
//! file for version control. How well the verdicts hold is counted in `reports/gate.md`.

mod attempts;
mod baseline;
mod decide;
mod metric;
mod report;
mod rule;
mod side;
mod test;
mod words;

pub use attempts::{record, tried, Attempt, ATTEMPTS};
pub(crate) use baseline::items as baseline_items;
pub use baseline::{Baseline, BaselineSplit, Ids};
pub use decide::gate;
pub use metric::Metric;
pub use report::{GateReport, RuleReport, Verdict};
pub use rule::{Amount, GateConfig, Rule, Setting};
pub use side::{Kind, Operand, Side};
pub use words::{advice, gate_text, numbers, plain, reason};
