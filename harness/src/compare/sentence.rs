//! A comparison for people: a table for the terminal, and a sentence for a paper.

use vrrl_harness_stats::{Difference, Estimate};

use super::{Comparison, Report, ALL};

/// Most splits that the sentence names one by one.
const NAMED: usize = 8;

/// One line a split, aligned; accuracies and differences as shares.
#[must_use]
pub fn table(report: &Report) -> String {
    let head = [
        "split",
        "n",
        "A",
        "B",
        "only A",
        "only B",
        "B − A (95 %)",
        "p",
        "p Holm",
        "MDE",
        "Δref B − A (95 %)",
        "p",
    ];
    let mut lines: Vec<Vec<String>> = vec![head.map(String::from).to_vec()];
    lines.extend(report.splits.iter().map(cells));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let row = |line: &Vec<String>| {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .enumerate()
            .map(
                |(i, (cell, width))| {
                    if i == 0 {
                        format!("{cell:width$}")
                    } else {
                        format!("{cell:>width$}")
                    }
                },
            )
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    let mut text = lines.iter().map(row).collect::<Vec<_>>().join("\n");
    text.push_str("\nsplits, then all items pooled; an empty cell is a number that these data do not hold");
    if let Some(left) = &report.intersection {
        text.push_str(&format!(
            "\nleft out: {} items only in A, {} only in B, {} equal duplicate lines, {} items with conflicting \
             lines",
            left.only_a, left.only_b, left.duplicates, left.conflicting
        ));
    }
    text
}

fn cells(row: &Comparison) -> Vec<String> {
    let signed = |d: &Difference| format!("{:+.3} ({:+.3} to {:+.3})", d.value, d.ci_low, d.ci_high);
    let or_empty = |p: Option<f64>| p.map(probability).unwrap_or_default();
    let delta = row.delta_ref.as_ref();
    vec![
        if row.split.is_empty() { "(no split)".into() } else { row.split.clone() },
        row.n.to_string(),
        format!("{:.3}", row.a.value),
        format!("{:.3}", row.b.value),
        row.only_a.to_string(),
        row.only_b.to_string(),
        signed(&row.diff),
        or_empty(row.p()),
        or_empty(row.p_holm),
        row.mde.map(|mde| format!("{mde:.3}")).unwrap_or_default(),
        delta.map(|d| signed(&d.diff)).unwrap_or_default(),
        or_empty(delta.map(|d| d.p)),
    ]
}

/// A p value with two digits that count.
fn probability(p: f64) -> String {
    match p {
        p if p < 1e-4 => "<0.0001".into(),
        p if p < 1e-3 => format!("{p:.5}"),
        p if p < 1e-2 => format!("{p:.4}"),
        p if p < 0.1 => format!("{p:.3}"),
        p => format!("{p:.2}"),
    }
}

/// The comparison over all items in sentences that can be pasted into a paper: sizes, intervals and how they were
/// made, tests, what could have been found, and what it does not speak about.
#[must_use]
pub fn sentence(report: &Report, name_a: &str, name_b: &str) -> String {
    let Some(all) = report.splits.iter().find(|row| row.split == ALL) else {
        return String::new();
    };
    let mut text = overall(all, name_a, name_b);
    let splits: Vec<&Comparison> = report.splits.iter().filter(|row| row.split != ALL).collect();
    if (2..=NAMED).contains(&splits.len()) {
        let each: Vec<String> = splits.iter().map(|row| by_split(row)).collect();
        text.push_str(&format!(" By split (p adjusted by Holm's method): {}.", each.join("; ")));
    }
    if let Some(delta) = &all.delta_ref {
        text.push_str(&format!(
            " Reflection gained {} points in {name_a} ({} items fixed, {} broken) and {} in {name_b} ({} fixed, \
             {} broken), a difference of {} (95 % CI {}; permutation test, {}).",
            points(delta.a.gain.value),
            delta.a.fixed,
            delta.a.broken,
            points(delta.b.gain.value),
            delta.b.fixed,
            delta.b.broken,
            points(delta.diff.value),
            span(&delta.diff),
            p_is(delta.p),
        ));
    }
    if let Some(left) = report.intersection.filter(|left| *left != super::Intersection::default()) {
        text.push_str(&format!(
            " Only items judged once on both sides count: {} only in {name_a}, {} only in {name_b} and {} with \
             conflicting lines were left out.",
            left.only_a, left.only_b, left.conflicting
        ));
    }
    text.push_str(
        " Tests over items speak about these two sets of answers; a claim about training methods needs several \
         training seeds.",
    );
    text
}

fn overall(all: &Comparison, name_a: &str, name_b: &str) -> String {
    let test = match (all.p_mcnemar, all.p_permutation) {
        (Some(p), _) => format!(
            "; {} items right only in {name_b}, {} only in {name_a}; exact McNemar test, {}",
            all.only_b,
            all.only_a,
            p_is(p)
        ),
        (None, Some(p)) => format!(
            "; {} items right more often in {name_b}, {} in {name_a}; sign-flip permutation test over items, {}",
            all.only_b,
            all.only_a,
            p_is(p)
        ),
        (None, None) => String::new(),
    };
    let mde = all.mde.map_or_else(String::new, |mde| {
        format!(" With 80 % power, a difference of {:.1} points would have been found.", 100.0 * mde)
    });
    format!(
        "On {} paired items, {name_b} was right on {} and {name_a} on {}, a difference of {} points (95 % CI {}, \
         {}{test}).{mde}",
        all.n,
        percent(&all.b),
        percent(&all.a),
        points(all.diff.value),
        span(&all.diff),
        all.diff.ci_method.words(),
    )
}

fn by_split(row: &Comparison) -> String {
    let p = row.p_holm.map(|p| format!(", {}", p_is(p))).unwrap_or_default();
    let name = if row.split.is_empty() { "(no split)" } else { &row.split };
    format!("{name} {} points ({}{p})", points(row.diff.value), span(&row.diff))
}

fn p_is(p: f64) -> String {
    let text = probability(p);
    text.strip_prefix('<').map_or_else(|| format!("p = {text}"), |bound| format!("p < {bound}"))
}

fn percent(share: &Estimate) -> String {
    format!(
        "{:.1} % (95 % CI {:.1} to {:.1})",
        100.0 * share.value,
        100.0 * share.ci_low,
        100.0 * share.ci_high
    )
}

fn points(share: f64) -> String {
    format!("{:+.1}", 100.0 * share)
}

fn span(difference: &Difference) -> String {
    format!("{:+.1} to {:+.1}", 100.0 * difference.ci_low, 100.0 * difference.ci_high)
}
