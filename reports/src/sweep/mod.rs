//! One table of a sweep: a row for every variant and decoding, its numbers averaged over training seeds.
//!
//! Seeds are the sample: every seed gives one number (the items of a split averaged, then the out-of-distribution
//! splits averaged with equal weight), and intervals and tests are Student's over those numbers
//! ([`vrrl_harness_stats::seed_mean`], [`vrrl_harness_stats::compare_methods`]). Development splits stand apart from
//! test splits, because a sweep is looked at in order to choose.

mod numbers;
mod write;

use std::path::PathBuf;

use serde::Serialize;
use vrrl_harness::{read_info, read_summary, SplitSummary};
use vrrl_harness_core::{Role, FORMAT};

use crate::leaderboard::short;
use crate::Result;

/// What a sweep's table is made of.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SweepInput {
    /// Title of the Markdown page.
    pub title: String,
    /// Keys that differ between rows.
    pub keys: Vec<String>,
    /// Name of the row that the others are compared with.
    pub base: Option<String>,
    /// Decodings, the primary one first.
    pub decodings: Vec<String>,
    /// One per variant.
    pub rows: Vec<SweepInputRow>,
}

/// One variant.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SweepInputRow {
    /// Name of its checkpoints, without the seed.
    pub name: String,
    /// Training method.
    pub method: String,
    /// Value of each key, in the order of the keys; `None` where the key has no part in this row.
    pub values: Vec<Option<String>>,
    /// It is no variant, only what variants start from: its difference to the base row is no test among theirs.
    pub start: bool,
    /// Training seeds that there are to be.
    pub seeds: Vec<u64>,
    /// Finished runs.
    pub runs: Vec<SweepRun>,
}

/// One finished run of a variant.
#[derive(Clone, PartialEq, Debug)]
pub struct SweepRun {
    /// Decoding.
    pub decoding: String,
    /// Training seed.
    pub seed: u64,
    /// Run directory.
    pub dir: PathBuf,
}

/// A sweep's table.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SweepTable {
    /// Format of the JSON form.
    pub format: u32,
    /// Title.
    #[serde(skip)]
    pub title: String,
    /// Keys that differ between rows.
    pub keys: Vec<String>,
    /// Name of the row that the others are compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Decodings, the primary one first.
    pub decodings: Vec<String>,
    /// Rows, by decoding.
    pub rows: Vec<SweepRow>,
    /// What the reader must know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A variant under one decoding.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SweepRow {
    /// Name of its checkpoints, without the seed.
    pub name: String,
    /// Training method.
    pub method: String,
    /// Decoding.
    pub decoding: String,
    /// Value of each key; null where the key has no part in this row.
    pub values: Vec<Option<String>>,
    /// It is no variant, only what variants start from.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub start: bool,
    /// Training seeds that are averaged.
    pub seeds: Vec<u64>,
    /// Seeds that are not done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<u64>,
    /// Highest accuracy out of distribution on the development splits, among the variants and the base row.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub best_on_dev: bool,
    /// Splits that choices are made on (roles `id_val` and `ood_val`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dev: Option<Figures>,
    /// Every other split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Figures>,
}

/// Numbers over a group of splits.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Figures {
    /// Accuracy on each, in order.
    pub splits: Vec<SplitLevel>,
    /// Splits out of distribution, averaged with equal weight; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ood: Option<Ood>,
}

/// Accuracy on one split.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SplitLevel {
    /// Full name.
    pub split: String,
    /// Whether it is out of distribution.
    pub ood: bool,
    /// Mean over seeds; absent where a seed lacks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Level>,
}

/// The mean over splits out of distribution.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Ood {
    /// Accuracy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Level>,
    /// Accuracy of the first proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_accuracy: Option<Level>,
    /// Accuracy − first accuracy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta_ref: Option<Level>,
    /// Turns of an episode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns_mean: Option<Level>,
    /// Accuracy minus that of the base row, paired by seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy_vs_base: Option<Versus>,
    /// Δref minus that of the base row, paired by seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta_ref_vs_base: Option<Versus>,
}

/// A mean over seeds, with Student's 95 % interval over seeds, cut at what the number can be at all.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Level {
    /// Mean of the seeds' numbers.
    pub value: f64,
    /// Lower end; absent with one seed, or where all seeds agree to the digit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci_low: Option<f64>,
    /// Upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci_high: Option<f64>,
}

/// A paired difference over seeds.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Versus {
    /// Mean of the seeds' differences, with Student's 95 % interval.
    #[serde(flatten)]
    pub level: Level,
    /// Paired t test over seeds, two-sided; absent as the interval is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_t: Option<f64>,
    /// The same, adjusted over the variants of one decoding by Holm's method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_holm: Option<f64>,
    /// Sign-flip permutation over seeds, two-sided.
    pub p_permutation: f64,
    /// Seeds that both rows have.
    pub seeds: Vec<u64>,
    /// The difference of each.
    pub by_seed: Vec<f64>,
}

/// Splits of one run, with what the table asks of them.
pub(crate) struct Read {
    pub seed: u64,
    pub splits: Vec<(SplitSummary, Option<Role>)>,
}

fn read(run: &SweepRun) -> Result<Read> {
    let (info, summary) = (read_info(&run.dir), read_summary(&run.dir));
    let failed = |e: vrrl_harness::Error| crate::Error::content(&run.dir, "run", e);
    let (info, summary) = (info.map_err(failed)?, summary.map_err(failed)?);
    let role = |name: &str| info.splits.iter().find(|split| split.name == name).and_then(|split| split.role);
    let splits = summary.splits.into_iter().map(|row| (role(&row.split), row)).map(|(r, s)| (s, r)).collect();
    Ok(Read { seed: run.seed, splits })
}

/// Reads the runs and makes the table.
///
/// # Errors
/// A run that does not read.
pub fn sweep(input: &SweepInput) -> Result<SweepTable> {
    let mut rows = Vec::new();
    for decoding in &input.decodings {
        let mut of_decoding = Vec::new();
        for row in &input.rows {
            let mut runs = Vec::new();
            for run in row.runs.iter().filter(|run| run.decoding == *decoding) {
                runs.push(read(run)?);
            }
            of_decoding.push((row, runs));
        }
        rows.extend(numbers::rows(decoding, &of_decoding, input.base.as_deref()));
    }
    let warnings = warnings(input, &rows);
    Ok(SweepTable {
        format: FORMAT,
        title: input.title.clone(),
        keys: input.keys.clone(),
        base: input.base.clone(),
        decodings: input.decodings.clone(),
        rows,
        warnings,
    })
}

fn warnings(input: &SweepInput, rows: &[SweepRow]) -> Vec<String> {
    let mut all = Vec::new();
    // A start that all seeds share has one on purpose.
    let wanted = |row: &&SweepRow| row.seeds.len() + row.missing.len();
    let most = rows.iter().map(|row| wanted(&row)).max().unwrap_or(0);
    let with_all = rows.iter().filter(|row| wanted(row) == most && !row.seeds.is_empty());
    let seeds = with_all.map(|row| row.seeds.len()).min().unwrap_or(0);
    if seeds == 1 {
        all.push(
            "a row of one training seed says nothing about its variant, only about that checkpoint; give `seeds` three or \
             more"
                .to_owned(),
        );
    } else if (2..6).contains(&seeds) {
        all.push(format!(
            "{seeds} training seeds: intervals and p lean on normal differences between seeds; a permutation test cannot \
             give a p below {}",
            0.5f64.powi(seeds as i32 - 1)
        ));
    }
    if rows.iter().any(|row| row.dev.is_none() && row.test.is_some()) && input.rows.len() > 2 {
        all.push(
            "no development splits were scored: a variant chosen by this table is chosen on test; name some under \
             splits.dev"
                .to_owned(),
        );
    }
    let missing: usize = rows.iter().map(|row| row.missing.len()).sum();
    if missing > 0 {
        all.push(format!("{missing} runs are not done; their rows average the seeds that are there"));
    }
    all
}

/// Names of splits for people: the last part where no other split has the same.
pub(crate) fn split_name<'s>(split: &'s str, all: &[&str]) -> &'s str {
    let same = all.iter().filter(|other| short(other) == short(split)).count();
    if same > 1 {
        split
    } else {
        short(split)
    }
}

#[cfg(test)]
mod tests;
