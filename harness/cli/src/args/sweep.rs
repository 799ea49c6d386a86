//! Flags of `vrrl sweep`.

use std::path::PathBuf;

use clap::Args;

use crate::output::Format;

#[derive(Args, Debug)]
pub(crate) struct SweepArgs {
    /// The sweep file.
    #[arg(value_name = "SWEEP.yaml")]
    pub file: PathBuf,
    /// Experiment directory to make, to go on with, or to add variants and seeds to [default: runs/NAME].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Runs at a time, which divide the cores; changes no result [default: the file's, else cores, at most 2].
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Only these variants, or rows of the table.
    #[arg(long, value_name = "VARIANT", num_args = 1..)]
    pub only: Vec<String>,
    /// List the trainings, what they share and how long they may take, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
