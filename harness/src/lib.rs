//! Runs a policy over splits, records, resumes, scores and summarises.
//!
//! [`evaluate`] is the way in: it fills a run directory (see [`record`]) and goes on with a half-filled one.
//! [`rescore`] computes the same numbers again from the traces alone; [`compare`] compares two runs item by
//! item, and [`gate`] says whether one may take the other's place. The policies without learning are in [`policies`]. Nothing here knows a task or a network by name.

mod compare;
mod config;
mod crew;
mod error;
mod evaluate;
pub mod gate;
mod import;
mod lm_eval;
mod machine;
mod merge;
mod parity;
pub mod policies;
pub mod record;
mod run_dir;
mod score_turns;
mod scoring;
mod store;
mod verify;

pub use compare::{
    compare, compare_seeds, corruption_errors, corruption_text, gap_table, gaps, paired, paired_by_split,
    read_items, seeds_table, sentence, table, Comparison, CorruptionError, DeltaRef, Gap, Gaps, Intersection,
    Item, OverSeeds, Reflection, Report, SeedsComparison, SeedsReport, ShiftError,
};
pub use config::{EvalConfig, EvalSplit, Shard};
pub use error::{Error, Result};
pub use evaluate::{evaluate, Hooks, Progress};
pub use import::{import, Agreement, FileRead, Import, Imported, Source};
pub use lm_eval::write_lm_eval;
pub use machine::{machine, utc_now, CODE_VERSION};
pub use merge::merge;
pub use parity::{parity, Divergence, Parity, Place, Side};
pub use record::{RunInfo, ScoreRow, Severity, SplitInfo, SplitSummary, Summary};
pub use run_dir::{read_info, read_scores, read_summary, read_traces, recompute, rescore, Pose};
pub use score_turns::{score_turns, OnError, PoseSync, ScoreTurns, Scored};
pub use scoring::{score_trace, summarise, Mishaps};
pub use verify::{verify_run, Check, Known, Verified};
