//! An experiment file as stages with hashed inputs: splits → training → scoring → report.
//!
//! [`Experiment`] is the file, [`run()`] does what it says into one directory and, when asked again, only what
//! is still missing. What runs where is decided by a graph of stages: each has a hash of everything that
//! decides its result, writes `stage.json` when it is done, and is skipped when that hash is found again.
//! Single pieces of the loop ([`eval()`], [`train_recipe`], [`score()`], [`report_runs`], [`show()`]) are what
//! the other commands call. Nothing here knows a flag, a colour or an exit code.

mod claims;
mod data;
mod error;
mod experiment;
mod model;
mod plan;
mod pool;
mod progress;
mod report;
mod run;
mod score;
mod single;
mod splits;
mod stage;
mod store;
mod table;
mod tools;
mod yaml;

pub use data::{audit_names, build, catalog, import, load_split, verify, AuditPair, Built, SplitRow};
pub use error::{Error, Result};
pub use experiment::{preset, Decoding, EvalSettings, Experiment, MethodEntry, SplitNames, PRESETS};
pub use model::{open, MODELS};
pub use plan::{Plan, PlannedStage};
pub use progress::{Quiet, Reporter, StageProgress};
pub use report::report_runs;
pub use run::{run, Options, Outcome};
pub use score::{score, OnError, ScoreOptions, Scored};
pub use single::{
    compare, dry_run, eval, show, train_recipe, Compared, DryRun, DrySplit, EvalRequest, Shown, TrainOutcome,
};
pub use table::Table;
pub use tools::{Tools, TrainJob, Trained};
