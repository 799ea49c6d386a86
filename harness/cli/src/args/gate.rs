//! Flags of `gate` and `verify`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use crate::output::Format;

#[derive(ClapArgs, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct GateArgs {
    /// What else a gate needs.
    #[command(subcommand)]
    pub command: Option<GateCommand>,
    /// What stands: a run directory, a blessed baseline, or a JSONL file with id and correct.
    #[arg(long, value_name = "RUN|FILE", required = true)]
    pub baseline: Option<PathBuf>,
    /// What wants to take its place, over the same items.
    #[arg(long, value_name = "RUN|FILE", required = true)]
    pub candidate: Option<PathBuf>,
    /// Rules [default: accuracy over all ood_test items may not drop by more than 2 points, alpha 0.05].
    #[arg(long, value_name = "gate.yaml")]
    pub config: Option<PathBuf>,
    /// What an inconclusive gate ends with: exit code 3 (fail) or 0 (pass) in place of 7. The verdict stays.
    #[arg(long, value_enum)]
    pub inconclusive: Option<Inconclusive>,
    /// Judge the items that are on both sides once, and count the others, in place of refusing.
    #[arg(long)]
    pub intersect: bool,
    /// Where attempts are remembered, such as a file that CI caches [default: gate.jsonl in the candidate's run].
    #[arg(long, value_name = "FILE.jsonl")]
    pub attempts: Option<PathBuf>,
    /// Write JUnit XML.
    #[arg(long, value_name = "FILE.xml")]
    pub junit: Option<PathBuf>,
    /// Write the report as Markdown.
    #[arg(long, value_name = "FILE.md")]
    pub markdown: Option<PathBuf>,
    /// Write the report as JSON, as --format json prints it.
    #[arg(long, value_name = "FILE.json")]
    pub json: Option<PathBuf>,
    /// Write Bencher metric JSON.
    #[arg(long, value_name = "FILE.json")]
    pub bencher: Option<PathBuf>,
    /// Write a customBiggerIsBetter list for github-action-benchmark.
    #[arg(long, value_name = "FILE.json")]
    pub bigger: Option<PathBuf>,
    /// In GitHub Actions: annotations on stderr, a table in $GITHUB_STEP_SUMMARY, verdict and delta in $GITHUB_OUTPUT.
    #[arg(long)]
    pub github: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Subcommand, Debug)]
pub(crate) enum GateCommand {
    /// Write a finished run as a small baseline file, fit for version control.
    #[command(after_help = "Example:\n  vrrl gate bless runs/mine --out baselines/mine.json")]
    Bless(BlessArgs),
}

#[derive(ClapArgs, Debug)]
pub(crate) struct BlessArgs {
    /// A finished run without faults.
    pub run: PathBuf,
    /// The file to write [default: the run's folder name with .baseline.json, in the current folder].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What an inconclusive gate counts as for the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Inconclusive {
    /// Exit code 3.
    Fail,
    /// Exit code 0.
    Pass,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct VerifyRunArgs {
    /// A run directory.
    pub run: PathBuf,
    /// Splits that are not built in, to check the run's data and ground truths against: folders or definition files.
    #[arg(long, value_name = "SPLIT", num_args = 1..)]
    pub split: Vec<String>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
