//! Flags of `ort:` models and of `parity`.

use clap::Args as ClapArgs;
use vrrl_harness_core::Dialect;
use vrrl_harness_experiment::OrtRequest;

use super::dialect;
use crate::output::Format;

#[derive(ClapArgs, Debug, Clone)]
pub(crate) struct OrtArgs {
    /// ONNX graphs: auto (a library of ONNX Runtime where one is found, else the built-in engine), embedded, or the
    /// path of a library [default: auto].
    #[arg(long, value_name = "auto|embedded|PATH")]
    pub engine: Option<String>,
    /// ONNX graphs: threads [default: all cores].
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

impl OrtArgs {
    pub(crate) fn request(&self) -> OrtRequest {
        OrtRequest { engine: self.engine.clone(), threads: self.threads }
    }
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ParityArgs {
    /// candle:PATH or ort:DIR: the one whose replies are followed.
    pub a: String,
    /// Another.
    pub b: String,
    /// Names (the last part is enough), definition files, materialized folders or files of maps.
    #[arg(long, value_name = "SPLIT", num_args = 1.., required = true)]
    pub split: Vec<String>,
    /// Only the first examples of each split.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Most turns, commit included.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub max_turns: usize,
    /// 0 is greedy; above it both draw with the same random numbers.
    #[arg(long, value_name = "T", default_value_t = 0.0)]
    pub temperature: f64,
    /// Seed of the draws.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// Least share of turns with equal tokens; below it the exit code is 3.
    #[arg(long, value_name = "SHARE", default_value_t = 0.999)]
    pub min_equal: f64,
    /// Turn language [default: the models' own, else bare_commit].
    #[arg(long, value_parser = dialect)]
    pub dialect: Option<Dialect>,
    /// cpu or cuda.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Flags of ONNX graphs.
    #[command(flatten)]
    pub ort: OrtArgs,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
