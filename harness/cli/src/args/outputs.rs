//! Flags of `import` and `export`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use vrrl_harness::Source;
use vrrl_harness_core::Dialect;

use super::dialect;
use crate::output::Format;

#[derive(ClapArgs, Debug)]
pub(crate) struct ImportRunArgs {
    /// lm-eval, lmms-eval, inspect, vlmevalkit or jsonl.
    #[arg(long, value_name = "HARNESS", value_parser = source)]
    pub from: Source,
    /// Files: samples_*.jsonl (or the folder of one model), logs (.eval), tables (xlsx, tsv, csv, json), lines.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Run directory to make.
    #[arg(long, value_name = "RUN")]
    pub out: PathBuf,
    /// Name of the model [default: what the files say].
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// The metric that says what is right, where rows have several; NAME.KEY reaches into one that is an object.
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,
    /// lm-eval's filter, where rows have several.
    #[arg(long, value_name = "NAME")]
    pub filter: Option<String>,
    /// The splits that were asked, where rows do not carry their ground truth (lmms-eval keeps positions only).
    #[arg(long, value_name = "SPLIT", num_args = 1..)]
    pub split: Vec<String>,
    /// Turn language in which replies are judged anew.
    #[arg(long, value_name = "NAME", default_value = "reflection_tag", value_parser = dialect)]
    pub dialect: Dialect,
    /// Sampling temperature, 0 is greedy [default: what the files say].
    #[arg(long, value_name = "T")]
    pub temperature: Option<f64>,
    /// How the counts are printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

fn source(word: &str) -> Result<Source, String> {
    let known = Source::ALL.map(Source::word).join(", ");
    Source::ALL.into_iter().find(|s| s.word() == word).ok_or_else(|| format!("there are {known}"))
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ExportRunArgs {
    /// A checkpoint (--onnx) or a run directory (--lm-eval).
    #[arg(value_name = "CHECKPOINT|RUN")]
    pub from: PathBuf,
    /// Folder to write a checkpoint's ONNX graphs and their JSON files into.
    #[arg(long, value_name = "DIR", conflicts_with = "lm_eval", required_unless_present = "lm_eval")]
    pub onnx: Option<PathBuf>,
    /// With --onnx: also graphs with eight-bit weights.
    #[arg(long, requires = "onnx")]
    pub int8: bool,
    /// Folder to write lm-eval's results and samples into, below the model's name.
    #[arg(long, value_name = "DIR")]
    pub lm_eval: Option<PathBuf>,
    /// How the files are printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
