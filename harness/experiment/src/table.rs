//! The short table that a terminal shows.

use std::path::{Path, PathBuf};

use serde::Serialize;
use vrrl_harness_core::Role;
use vrrl_reports::{load_sampling, Run};

use crate::Result;

/// Accuracy per split, with Δref and turns out of distribution; one row per policy and decoding.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Table {
    /// Column titles.
    pub header: Vec<String>,
    /// Cells, as many as titles.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads the runs of an experiment or run directory.
    ///
    /// # Errors
    /// No finished runs, or files that do not read.
    pub fn read(dir: &Path) -> Result<Self> {
        Self::of_dirs(&[dir.to_path_buf()])
    }

    /// Reads several directories.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn of_dirs(dirs: &[PathBuf]) -> Result<Self> {
        Ok(Self::of(&load_sampling(dirs, 0)?))
    }

    fn of(runs: &[Run]) -> Self {
        let mut splits: Vec<(&str, &str)> = Vec::new();
        for split in runs.iter().flat_map(|run| &run.splits) {
            if !splits.iter().any(|(name, _)| *name == split.split) {
                splits.push((&split.split, split.short()));
            }
        }
        let mut header = vec!["policy".to_owned(), "decoding".to_owned()];
        header.extend(splits.iter().map(|(_, short)| (*short).to_owned()));
        header.extend(["OOD".to_owned(), "Δref OOD".to_owned(), "turns OOD".to_owned()]);
        let rows = runs.iter().map(|run| row(run, &splits)).collect();
        Self { header, rows }
    }

    /// The table with aligned columns, one line a row.
    #[must_use]
    pub fn text(&self) -> String {
        let lines: Vec<&Vec<String>> = std::iter::once(&self.header).chain(&self.rows).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        let mut text = String::new();
        for line in lines {
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width - cell.chars().count());
                // Words to the left, numbers to the right.
                let cell = if column < 2 { format!("{cell}{pad}") } else { format!("{pad}{cell}") };
                text.push_str(if column == 0 { "" } else { "  " });
                text.push_str(&cell);
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text
    }
}

fn row(run: &Run, splits: &[(&str, &str)]) -> Vec<String> {
    let of = |name: &str, key: &str| {
        run.splits.iter().find(|s| s.split == name).and_then(|s| s.metric(key)).map(|m| m.value)
    };
    let show = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}"));
    let ood = |key: &str| {
        let values: Vec<f64> = run
            .splits
            .iter()
            .filter(|s| s.role == Some(Role::OodTest))
            .filter_map(|s| s.metric(key))
            .map(|m| m.value)
            .collect();
        vrrl_harness_stats::mean(&values)
    };
    let name = run.model.rsplit(['/']).next().unwrap_or(&run.model).to_owned();
    let mut cells = vec![name, run.decoding.clone()];
    cells.extend(splits.iter().map(|(name, _)| show(of(name, "accuracy"))));
    cells.push(show(ood("accuracy")));
    cells.push(ood("delta_ref").map_or_else(|| "–".to_owned(), |v| format!("{v:+.3}")));
    cells.push(ood("turns_mean").map_or_else(|| "–".to_owned(), |v| format!("{v:.2}")));
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let line = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        let table = Table {
            header: line(&["policy", "decoding", "Δref"]),
            rows: vec![line(&["a", "t1", "+0.100"]), line(&["longer name", "greedy", "–"])],
        };
        assert_eq!(
            table.text(),
            "policy       decoding    Δref\na            t1        +0.100\nlonger name  greedy         –\n"
        );
    }
}
