//! A static leaderboard site from many runs: one page, tables, badges, and what a submission is.
//!
//! Everything is made before anything is written, equal runs make equal bytes wherever they lie, and rows that cannot be
//! compared are refused by name (`check.rs`), so that a pull request with such a run fails and the site stays as it was.

mod badge;
mod check;
mod find;
mod submit;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use check::Facts;

use crate::group::{groups, Group};
use crate::html::{board, Board};
use crate::leaderboard::{self, decodings, Columns};
use crate::load::load_sampling;
use crate::run::{bracketed, decoding_label, stem, Metric, Run};
use crate::significance::Marks;
use crate::slug::slug;
use crate::svg::signed;
use crate::{atomic, Error, Result};
use badge::Badge;

/// What [`site()`] has written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    /// `index.html`.
    pub page: PathBuf,
    /// `leaderboard.csv`.
    pub leaderboard: PathBuf,
    /// `leaderboard.schema.json`.
    pub schema: PathBuf,
    /// `leaderboard_wide.csv`.
    pub wide: PathBuf,
    /// `SUBMIT.md`.
    pub submit: PathBuf,
    /// `badges/*.svg`, in the order of the tables.
    pub badges: Vec<PathBuf>,
    /// Badges of rows that are gone, removed.
    pub removed: Vec<PathBuf>,
    /// Submissions on it.
    pub submissions: usize,
    /// Runs on it.
    pub runs: usize,
}

/// A badge of a row of the table.
pub(crate) struct Row {
    /// The row's name.
    pub label: String,
    /// Its decoding.
    pub decoding: String,
    /// Path below the site.
    pub file: String,
    /// The drawing.
    pub svg: String,
    /// Over all out-of-distribution splits, not one split.
    pub overall: bool,
}

/// Writes a leaderboard site into `out`. Each path is a run directory, an experiment directory, or a folder whose folders
/// are submissions (a run directory each, or a folder of some).
///
/// # Errors
/// No runs; a run that is not finished, is of another format, contradicts itself or is there twice; splits that are not
/// the same data under one name; two rows of one name; a submission with links or too large a trace; a folder that cannot
/// be written. The file is named.
pub fn site(paths: &[PathBuf], title: &str, out: &Path) -> Result<Site> {
    let submissions = find::submissions(paths)?;
    let facts = check::facts(&submissions)?;
    let dirs: Vec<PathBuf> = submissions.iter().flat_map(|s| s.runs.iter().cloned()).collect();
    if dirs.is_empty() {
        return Err(Error::NoRuns(out.to_path_buf()));
    }
    let runs = load_sampling(&dirs, 0)?;
    check::rows(&runs, &facts)?;
    let in_csv = |name: &str| {
        let path = out.join(name);
        move |e: csv::Error| Error::content(path, "table", e)
    };
    let long = leaderboard::long(&runs).map_err(in_csv("leaderboard.csv"))?;
    let wide = leaderboard::wide(&runs).map_err(in_csv("leaderboard_wide.csv"))?;
    let rows = rows(&runs);
    let marks = Marks::of(&runs);
    let page = board(&Board { title, runs: &runs, facts: &facts, rows: &rows, marks: &marks });
    let splits = facts.values().flat_map(|f| f.splits.iter()).map(|s| (s.name.as_str(), s)).collect();
    let submit = submit::text(title, &splits);

    let badges = out.join("badges");
    fs::create_dir_all(&badges).map_err(|source| Error::Write { path: badges.clone(), source })?;
    let written = Site {
        page: out.join("index.html"),
        leaderboard: out.join("leaderboard.csv"),
        schema: out.join("leaderboard.schema.json"),
        wide: out.join("leaderboard_wide.csv"),
        submit: out.join("SUBMIT.md"),
        badges: rows.iter().map(|row| out.join(&row.file)).collect(),
        removed: Vec::new(),
        submissions: submissions.len(),
        runs: runs.len(),
    };
    for (row, path) in rows.iter().zip(&written.badges) {
        atomic::write(path, row.svg.as_bytes())?;
    }
    let removed = remove_others(&badges, &written.badges)?;
    atomic::write(&written.leaderboard, &long)?;
    atomic::write(&written.schema, leaderboard::schema().as_bytes())?;
    atomic::write(&written.wide, &wide)?;
    atomic::write(&written.submit, submit.as_bytes())?;
    atomic::write(&written.page, page.as_bytes())?;
    Ok(Site { removed, ..written })
}

/// Badges of everything that is measured: a row over all out-of-distribution splits, and one for each test split.
fn rows(runs: &[Run]) -> Vec<Row> {
    let columns = Columns::of(runs);
    let mut rows: Vec<Row> = Vec::new();
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    for decoding in decodings(runs) {
        for group in groups(runs, &decoding).iter().filter(|g| !g.is_reference()) {
            let name = slug(&bracketed(stem(&group.runs[0].model), &group.condition));
            let start = format!("badges/{name}-{}", slug(&decoding));
            for (split, badge) in badges(group, &columns) {
                let path = match &split {
                    None => start.clone(),
                    Some(split) => format!("{start}-{}", slug(columns.name(split))),
                };
                // Two methods may have one name, or differ in capitals alone; the second says which it is.
                let times = used.entry(path.to_lowercase()).or_default();
                *times += 1;
                let file = match *times {
                    1 => format!("{path}.svg"),
                    _ => format!("{path}-{}.svg", slug(&format!("{} {times}", group.method))),
                };
                let title = format!("{}, {}: {}", group.label, decoding_label(&decoding), badge.title);
                let svg = Badge { title, ..badge }.svg();
                let (label, decoding) = (group.label.clone(), decoding.clone());
                rows.push(Row { label, decoding, file, svg, overall: split.is_none() });
            }
        }
    }
    rows
}

fn badges(group: &Group<'_>, columns: &Columns) -> Vec<(Option<String>, Badge)> {
    let words = |accuracy: f64, gain: Option<f64>| {
        let gain = gain.map_or_else(String::new, |gain| format!(" · Δref {}", signed(gain)));
        format!("{} %{gain}", fixed_one(accuracy))
    };
    let mut all = Vec::new();
    if let Some(accuracy) = group.mean(&columns.ood, "accuracy") {
        let value = words(accuracy, group.mean(&columns.ood, "delta_ref"));
        let splits = columns.ood.iter().map(|s| columns.name(s)).collect::<Vec<_>>().join(", ");
        let title = format!("accuracy {value}, mean over {splits}");
        all.push((None, Badge { label: "OOD accuracy".into(), value, title }));
    }
    for split in columns.all() {
        let Some(Metric { value: accuracy, ci }) = group.metric(&split, "accuracy") else { continue };
        let value = words(accuracy, group.metric(&split, "delta_ref").map(|m| m.value));
        let interval = ci.map_or_else(String::new, |(low, high)| {
            format!(" (95 % interval of the accuracy {} to {})", fixed_one(low), fixed_one(high))
        });
        let title = format!("accuracy on {split} {value}{interval}");
        all.push((Some(split.clone()), Badge { label: columns.name(&split).to_owned(), value, title }));
    }
    all
}

/// Percent with one decimal.
fn fixed_one(x: f64) -> String {
    format!("{:.1}", x * 100.0)
}

/// Removes our own badges of rows that are gone: a badge that nobody updates tells an old number. Other files stay.
fn remove_others(folder: &Path, keep: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let read = |source| Error::Read { path: folder.to_path_buf(), source };
    let mut removed = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let badge = path.extension().is_some_and(|e| e == "svg") && !path.is_symlink() && path.is_file();
        if !badge || keep.contains(&path) {
            continue;
        }
        if fs::read_to_string(&path).is_ok_and(|text| text.contains(badge::MARK)) {
            fs::remove_file(&path).map_err(|source| Error::Write { path: path.clone(), source })?;
            removed.push(path);
        }
    }
    removed.sort();
    Ok(removed)
}
