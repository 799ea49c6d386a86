//! Flags of `report` for those who publish: a leaderboard site, and other tools' formats.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use vrrl_reports::Export;

#[derive(ClapArgs, Debug)]
pub(crate) struct PublishArgs {
    /// Write a static leaderboard site into this folder: page, tables, badges, SUBMIT.md. RUN may then also be a folder
    /// of submissions. Runs that are not finished or cannot be compared are refused.
    #[arg(long, value_name = "DIR")]
    pub site: Option<PathBuf>,
    /// Name of the leaderboard.
    #[arg(long, value_name = "TEXT", default_value = "Leaderboard", requires = "site")]
    pub title: String,
    /// Also write the runs as other tools read them, into OUT/exports: every-eval-ever, hf (Hugging Face
    /// .eval_results), bencher, bigger (customBiggerIsBetter), tensorboard (training curves), or all of them.
    #[arg(long, value_name = "FORMAT,...", value_delimiter = ',', value_parser = format, requires = "out")]
    pub export: Vec<Formats>,
    /// The data set on the Hub that hf results belong to.
    #[arg(long, value_name = "OWNER/NAME", requires = "export")]
    pub hub_dataset: Option<String>,
}

/// One format, or all.
#[derive(Clone, Debug)]
pub(crate) struct Formats(pub Vec<Export>);

fn format(word: &str) -> Result<Formats, String> {
    if word == "all" {
        return Ok(Formats(Export::ALL.to_vec()));
    }
    let known = Export::ALL.map(Export::word).join(", ");
    Export::from_word(word).map(|kind| Formats(vec![kind])).ok_or_else(|| format!("there are {known}, all"))
}
