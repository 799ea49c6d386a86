//! Run directories to leaderboard CSV, Markdown, one HTML page, a leaderboard site and other tools' formats.
//!
//! [`load`] reads finished runs, [`write()`] turns them into `leaderboard.csv` (long form) with its schema,
//! `leaderboard_wide.csv`, `robustness.csv`, `leaderboard.md`, `leaderboard.tex`, `plots/` and `index.html`. Nothing here generates, scores or knows a
//! model: every number on the page stands in some run's `summary.json`, pooled over training seeds where the
//! page says so. [`site()`] does the same for the runs of many people, and refuses what cannot be compared; [`export()`]
//! writes runs as registries and dashboards read them. [`gate`] writes a gate's report as CI
//! systems read it. [`sweep()`] makes one table of a sweep's variants, over training seeds.

mod atomic;
mod cells;
mod charts;
mod error;
mod export;
pub mod gate;
mod group;
mod html;
mod info;
mod latex;
mod leaderboard;
mod load;
mod plots;
mod robustness;
mod run;
mod scatter;
mod significance;
mod site;
mod slices;
mod slug;
mod svg;
mod sweep;
mod traces;

use std::path::{Path, PathBuf};

pub use error::{Error, Result};
pub use export::{export, Export, ExportRequest, Follow};
pub use info::{AuditRow, Claim, PageInfo, StageTiming, TrainingLog};
pub use load::{load, load_sampling, EPISODES};
pub use run::{method_label, Matrix, Metric, Run, SplitResult};
pub use site::{site, Site};
pub use slices::{Slices, Tally};
pub use sweep::{
    sweep, Figures, Level, Ood, SplitLevel, SweepInput, SweepInputRow, SweepRow, SweepRun, SweepTable, Versus,
};
pub use traces::{Outcome, Sampled};

/// What [`write()`] has written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// `leaderboard.csv`, the long form.
    pub leaderboard: PathBuf,
    /// `leaderboard.schema.json`.
    pub schema: PathBuf,
    /// `leaderboard_wide.csv`.
    pub wide: PathBuf,
    /// `robustness.csv`: gaps between in and out of distribution, and slopes along shifts.
    pub robustness: PathBuf,
    /// `leaderboard.md`.
    pub markdown: PathBuf,
    /// `leaderboard.tex`: tables for a paper.
    pub latex: PathBuf,
    /// `plots/`: the main plots as SVG and PNG.
    pub plots: Vec<PathBuf>,
    /// `index.html`.
    pub page: PathBuf,
    /// Size of the page in bytes.
    pub page_bytes: u64,
}

/// Writes all reports into `out` (created if need be); each file is replaced only when its new content is
/// whole. Everything is made before anything is written.
///
/// # Errors
/// No runs, a torn picture in a run, or a folder that cannot be written; the file is named.
pub fn write(runs: &[Run], training: &[TrainingLog], info: &PageInfo, out: &Path) -> Result<Written> {
    if runs.is_empty() {
        return Err(Error::NoRuns(out.to_path_buf()));
    }
    let written = Written {
        leaderboard: out.join("leaderboard.csv"),
        schema: out.join("leaderboard.schema.json"),
        wide: out.join("leaderboard_wide.csv"),
        robustness: out.join("robustness.csv"),
        markdown: out.join("leaderboard.md"),
        latex: out.join("leaderboard.tex"),
        plots: Vec::new(),
        page: out.join("index.html"),
        page_bytes: 0,
    };
    let in_csv = |path: &Path| {
        let path = path.to_path_buf();
        move |e: csv::Error| Error::content(path, "table", e)
    };
    let long = leaderboard::long(runs).map_err(in_csv(&written.leaderboard))?;
    let wide = leaderboard::wide(runs).map_err(in_csv(&written.wide))?;
    let robustness = robustness::table(runs).map_err(in_csv(&written.robustness))?;
    let marks = significance::Marks::of(runs);
    let markdown = leaderboard::markdown(runs, info, &marks);
    let latex = latex::table(runs, &marks);
    let page = html::page(runs, training, info, &marks)?;
    std::fs::create_dir_all(out).map_err(|source| Error::Write { path: out.to_path_buf(), source })?;
    atomic::write(&written.leaderboard, &long)?;
    atomic::write(&written.schema, leaderboard::schema().as_bytes())?;
    atomic::write(&written.wide, &wide)?;
    atomic::write(&written.robustness, &robustness)?;
    atomic::write(&written.markdown, markdown.as_bytes())?;
    atomic::write(&written.latex, latex.as_bytes())?;
    atomic::write(&written.page, page.as_bytes())?;
    let plots = write_plots(runs, out)?;
    Ok(Written { page_bytes: page.len() as u64, plots, ..written })
}

fn write_plots(runs: &[Run], out: &Path) -> Result<Vec<PathBuf>> {
    let folder = out.join("plots");
    std::fs::create_dir_all(&folder).map_err(|source| Error::Write { path: folder.clone(), source })?;
    let mut written = Vec::new();
    for plot in plots::plots(runs) {
        let [svg, png] = ["svg", "png"].map(|ending| folder.join(format!("{}.{ending}", plot.name)));
        atomic::write(&png, &plots::png(&plot.svg, &png)?)?;
        atomic::write(&svg, plot.svg.as_bytes())?;
        written.extend([svg, png]);
    }
    Ok(written)
}
