//! An experiment file as stages with hashed inputs: splits → training → scoring → report.
//!
//! [`Experiment`] is the file, [`run()`] does what it says into one directory and, when asked again, only what
//! is still missing. What runs where is decided by a graph of stages: each has a hash of everything that
//! decides its result, writes `stage.json` when it is done, and is skipped when that hash is found again.
//! Single pieces of the loop ([`eval()`], [`train_recipe`], [`score()`], [`report_runs`], [`show()`]) are what
//! the other commands call. Nothing here knows a flag, a colour or an exit code.

mod audit;
mod build;
mod claim;
mod claims;
mod cut;
mod data;
mod error;
mod experiment;
mod export;
mod gallery;
mod gate;
mod lock;
mod model;
mod onnx;
mod outputs;
mod plan;
mod pool;
mod progress;
mod prompt;
mod report;
mod run;
mod score;
mod show;
mod single;
mod splits;
mod stage;
mod store;
mod sweep;
mod table;
mod tools;
mod yaml;

pub use audit::audit_names;
pub use build::{build, import, import_rows, BuildOptions, Built};
pub use cut::{bases, cut, default_base, list_axes, AxisRow, Cut, Cutting};
pub use data::{catalog, described, load_split, verify, AuditPair, SplitRow};
pub use error::{Error, Result};
pub use experiment::{preset, Decoding, EvalSettings, Experiment, MethodEntry, SplitNames, PRESETS};
pub use export::{export, export_formats, Export};
pub use gallery::{gallery, Gallery, GalleryRequest, GallerySheet};
pub use gate::{bless, gate_config, run_gate, verify_numbers, write_text, GateRequest};
pub use model::{open, EndpointRequest, OrtRequest, Rules, MODELS};
pub use onnx::{export_onnx, parity, ParityRequest};
pub use outputs::{export_run, import_outputs, ImportRequest};
pub use plan::{Plan, PlannedStage};
pub use progress::{Quiet, Reporter, StageProgress};
pub use prompt::{prompt_profile, show_prompt, PromptRequest, ShownMessage};
pub use report::{report_runs, training_logs};
pub use run::{run, Options, Outcome};
pub use score::{score, ScoreOptions};
pub use show::{show, ShowRequest, Shown};
pub use single::{
    compare, compare_methods, dry_run, eval, eval_controls, merge, train_recipe, Compared, ComparedMethods,
    DryCost, DryRun, DrySplit, EvalRequest, TrainOutcome, TrainRequest,
};
pub use sweep::{
    dry_sweep, run_sweep, DrySweep, DryTraining, Sweep, SweepFailure, SweepOptions, SweepOutcome,
};
pub use table::Table;
pub use tools::{Tools, TrainJob, Trained};
pub use vrrl_harness::{OnError, Scored};
pub use vrrl_harness_runner_openai::Workers;
