//! The table as CSV, Markdown and text.

use std::fmt::Write as _;

use super::{split_name, Figures, Level, Ood, SweepRow, SweepTable, Versus};
use crate::cells::text;
use crate::error::Result;
use crate::run::decoding_label;
use crate::Error;

/// Ends of a column's name beside its value.
const ENDS: [&str; 3] = ["", "_ci_low", "_ci_high"];
/// What a difference says beside its interval.
const TESTS: [&str; 3] = ["_p_t", "_p_holm", "_p_permutation"];
/// Names of the columns out of distribution.
const OOD: [&str; 4] = ["accuracy", "first_accuracy", "delta_ref", "turns"];

impl SweepTable {
    /// A row a variant and decoding; empty where a number does not apply.
    ///
    /// # Errors
    /// None in practice: the table is written into memory.
    pub fn csv(&self) -> Result<Vec<u8>> {
        let failed = |e: csv::Error| Error::content("sweep.csv", "table", e);
        let mut out = csv::Writer::from_writer(Vec::new());
        let groups =
            [("dev_", self.splits(|row| row.dev.as_ref())), ("", self.splits(|row| row.test.as_ref()))];
        let mut header: Vec<String> = ["row", "method", "decoding"].map(str::to_owned).to_vec();
        header.extend(self.keys.iter().map(|key| text(key)));
        header.extend(["seeds", "seeds_missing", "best_on_dev"].map(str::to_owned));
        for (prefix, splits) in &groups {
            let mut three = |name: &str| header.extend(ENDS.map(|end| format!("{prefix}{name}{end}")));
            self.names(splits).iter().for_each(|name| three(&format!("{name}_accuracy")));
            if splits.is_empty() {
                continue;
            }
            OOD.iter().for_each(|name| three(&format!("ood_{name}")));
            for name in ["accuracy", "delta_ref"].iter().filter(|_| self.base.is_some()) {
                let columns = ENDS.iter().chain(&TESTS);
                header.extend(columns.map(|end| format!("{prefix}ood_{name}_vs_base{end}")));
            }
        }
        out.write_record(&header).map_err(failed)?;
        for row in &self.rows {
            let mut cells = vec![text(&row.name), text(&row.method), text(&row.decoding)];
            cells.extend(row.values.iter().map(|value| text(value.as_deref().unwrap_or_default())));
            cells.push(row.seeds.len().to_string());
            cells.push(row.missing.len().to_string());
            cells.push(if row.best_on_dev { "1".into() } else { String::new() });
            for ((_, splits), figures) in groups.iter().zip([&row.dev, &row.test]) {
                if !splits.is_empty() {
                    self.csv_figures(splits, figures.as_ref(), &mut cells);
                }
            }
            out.write_record(&cells).map_err(failed)?;
        }
        out.into_inner().map_err(|e| failed(e.into_error().into()))
    }

    fn csv_figures(&self, splits: &[String], figures: Option<&Figures>, cells: &mut Vec<String>) {
        let number = |x: Option<f64>| x.map_or_else(String::new, |x| x.to_string());
        let level = |level: Option<&Level>, cells: &mut Vec<String>| {
            let ends = [level.map(|l| l.value), level.and_then(|l| l.ci_low), level.and_then(|l| l.ci_high)];
            cells.extend(ends.map(number));
        };
        for name in splits {
            level(figures.and_then(|f| of(f, name)), cells);
        }
        let ood = figures.and_then(|f| f.ood.as_ref());
        for of in LEVELS {
            level(ood.and_then(of), cells);
        }
        for of in VERSUS.iter().filter(|_| self.base.is_some()) {
            let versus = ood.and_then(of);
            level(versus.map(|v| &v.level), cells);
            cells.extend([
                number(versus.and_then(|v| v.p_t)),
                number(versus.and_then(|v| v.p_holm)),
                number(versus.map(|v| v.p_permutation)),
            ]);
        }
    }

    /// Full names of a group's splits, in order.
    fn splits(&self, of: fn(&SweepRow) -> Option<&Figures>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for split in self.rows.iter().filter_map(of).flat_map(|figures| &figures.splits) {
            if !names.contains(&split.split) {
                names.push(split.split.clone());
            }
        }
        names
    }

    fn names<'s>(&self, splits: &'s [String]) -> Vec<&'s str> {
        let all: Vec<&str> = splits.iter().map(String::as_str).collect();
        splits.iter().map(|split| split_name(split, &all)).collect()
    }

    /// Tables for a pull request or a README: development splits first, then test, for every decoding.
    #[must_use]
    pub fn markdown(&self) -> String {
        let cell = |text: &str| text.replace('|', "\\|").replace(['\n', '\r'], " ").replace('<', "&lt;");
        let mut out = format!("# {}\n\n{}\n", cell(&self.title), self.preface());
        for decoding in &self.decodings {
            for dev in [true, false] {
                let Some((header, rows)) = self.cells(decoding, dev, &MARKDOWN) else { continue };
                let _ = writeln!(out, "\n## {}, {}\n", heading(dev), decoding_label(decoding));
                let header: Vec<String> = header.iter().map(|h| cell(h)).collect();
                let _ = writeln!(out, "| {} |", header.join(" | "));
                let _ = writeln!(out, "|---|{}", "---:|".repeat(header.len() - 1));
                for row in rows {
                    let row: Vec<String> = row.iter().map(|c| cell(c)).collect();
                    let _ = writeln!(out, "| {} |", row.join(" | "));
                }
            }
        }
        for warning in &self.warnings {
            let _ = writeln!(out, "\nNote: {}.", cell(warning));
        }
        out
    }

    fn preface(&self) -> String {
        let mut words = "Percent, means over training seeds, with Student's 95 % intervals over seeds. OOD is the mean over the \
                         splits out of distribution; Δref is the accuracy gained after the first answer, in points."
            .to_owned();
        if let Some(base) = &self.base {
            let _ = write!(
                words,
                " The last columns are differences to `{base}`, paired by seed, in points, with the p of a paired t test \
                 after Holm's correction over the variants."
            );
        }
        if self.rows.iter().any(|row| row.best_on_dev) {
            words.push_str(" `*` marks the highest OOD accuracy on the development splits.");
        }
        words
    }

    /// The primary decoding for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let Some(decoding) = self.decodings.first() else { return out };
        for dev in [true, false] {
            let Some((header, rows)) = self.cells(decoding, dev, &PLAIN) else { continue };
            let _ = writeln!(out, "{}, {}", heading(dev), decoding_label(decoding));
            let lines: Vec<&Vec<String>> = std::iter::once(&header).chain(&rows).collect();
            let width = |column: usize| lines.iter().map(|l| l[column].chars().count()).max().unwrap_or(0);
            let widths: Vec<usize> = (0..header.len()).map(width).collect();
            for line in lines {
                let mut row = String::new();
                for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                    let pad = " ".repeat(width - cell.chars().count());
                    row.push_str(&if column == 0 {
                        format!("{cell}{pad}")
                    } else {
                        format!("  {pad}{cell}")
                    });
                }
                let _ = writeln!(out, "{}", row.trim_end());
            }
            out.push('\n');
        }
        for warning in &self.warnings {
            let _ = writeln!(out, "note: {warning}");
        }
        out
    }

    /// Header and rows of one table; `None` where its splits were not scored.
    fn cells(&self, decoding: &str, dev: bool, style: &Style) -> Option<(Vec<String>, Vec<Vec<String>>)> {
        let of_row: fn(&SweepRow) -> Option<&Figures> =
            if dev { |row| row.dev.as_ref() } else { |row| row.test.as_ref() };
        let splits = self.splits(of_row);
        if splits.is_empty() {
            return None;
        }
        let mut header = vec!["row".to_owned()];
        header.extend(self.keys.iter().map(|key| style.key(key, &self.keys)));
        header.push("seeds".into());
        header.extend(self.names(&splits).into_iter().map(str::to_owned));
        header.extend(["OOD", "first OOD", "Δref OOD", "turns OOD"].map(str::to_owned));
        if self.base.is_some() {
            header.extend(["OOD − base", "p Holm", "Δref − base", "p Holm"].map(str::to_owned));
        }
        let row = |row: &SweepRow| {
            let mark = if row.best_on_dev && dev { " *" } else { "" };
            let mut cells = vec![format!("{}{mark}", row.name)];
            cells.extend(row.values.iter().map(|value| value.clone().unwrap_or_else(|| DASH.into())));
            let wanted = row.seeds.len() + row.missing.len();
            let some = format!("{} of {wanted}", row.seeds.len());
            cells.push(if row.missing.is_empty() { row.seeds.len().to_string() } else { some });
            let figures = of_row(row);
            cells.extend(splits.iter().map(|name| style.share(figures.and_then(|f| of(f, name)), false)));
            let ood = figures.and_then(|f| f.ood.as_ref());
            let [accuracy, first, delta, turns] = LEVELS.map(|of| ood.and_then(of));
            cells.extend([style.share(accuracy, true), style.share(first, false), style.gain(delta)]);
            cells.push(turns.map_or_else(|| DASH.into(), |l| format!("{:.2}", l.value)));
            for of in VERSUS.iter().filter(|_| self.base.is_some()) {
                let versus = ood.and_then(of);
                cells.push(style.gain(versus.map(|v| &v.level)));
                cells.push(versus.and_then(|v| v.p_holm).map_or_else(|| DASH.into(), |p| format!("{p:.3}")));
            }
            cells
        };
        let rows = self.rows.iter().filter(|row| row.decoding == decoding).map(row).collect();
        Some((header, rows))
    }
}

const DASH: &str = "–";

const LEVELS: [fn(&Ood) -> Option<&Level>; 4] = [
    |ood| ood.accuracy.as_ref(),
    |ood| ood.first_accuracy.as_ref(),
    |ood| ood.delta_ref.as_ref(),
    |ood| ood.turns_mean.as_ref(),
];

const VERSUS: [fn(&Ood) -> Option<&Versus>; 2] =
    [|ood| ood.accuracy_vs_base.as_ref(), |ood| ood.delta_ref_vs_base.as_ref()];

fn of<'f>(figures: &'f Figures, split: &str) -> Option<&'f Level> {
    figures.splits.iter().find(|s| s.split == split)?.accuracy.as_ref()
}

fn heading(dev: bool) -> &'static str {
    if dev {
        "Development splits (choose here)"
    } else {
        "Test splits"
    }
}

/// How numbers are written.
pub(super) struct Style {
    scale: f64,
    decimals: usize,
    /// Every share has its interval, not only the mean out of distribution.
    intervals: bool,
    /// Keys by their last part where that is clear.
    short_keys: bool,
}

const MARKDOWN: Style = Style { scale: 100.0, decimals: 1, intervals: true, short_keys: false };
pub(super) const PLAIN: Style = Style { scale: 1.0, decimals: 3, intervals: false, short_keys: true };

impl Style {
    fn share(&self, level: Option<&Level>, always: bool) -> String {
        let Some(level) = level else { return DASH.into() };
        let n = |x: f64| format!("{:.*}", self.decimals, x * self.scale);
        match (level.ci_low, level.ci_high) {
            (Some(low), Some(high)) if always || self.intervals => {
                format!("{} ({} to {})", n(level.value), n(low), n(high))
            }
            _ => n(level.value),
        }
    }

    pub(super) fn gain(&self, level: Option<&Level>) -> String {
        let Some(level) = level else { return DASH.into() };
        // Rounded first: what is nothing to the digits shown has no sign.
        let to = 10f64.powi(self.decimals as i32);
        let n = |x: f64| format!("{:+.*}", self.decimals, (x * self.scale * to).round() / to + 0.0);
        match (level.ci_low, level.ci_high) {
            (Some(low), Some(high)) => format!("{} ({} to {})", n(level.value), n(low), n(high)),
            _ => n(level.value),
        }
    }

    fn key(&self, key: &str, all: &[String]) -> String {
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let clear = all.iter().filter(|other| last(other) == last(key)).count() == 1;
        if self.short_keys && clear {
            last(key)
        } else {
            key.to_owned()
        }
    }
}
