//! `robustness.csv`: how far accuracy falls out of distribution, and how fast along a shift.

use vrrl_harness::Severity;
use vrrl_harness_core::{Role, TaskKind};
use vrrl_harness_stats::{gap, severity_slope, Estimate, Share};

use crate::cells::text;
use crate::run::{Run, SplitResult};

/// Confidence of the intervals.
const LEVEL: f64 = 0.95;

/// Columns: `measure` is `id_ood_gap` (accuracy on `id_test` − the plain mean over `ood_test` splits) or
/// `severity_slope` (accuracy a step of severity, from 0 on where the set of the shift has a split in distribution).
pub(crate) const COLUMNS: [&str; 12] = [
    "model", "method", "decoding", "task", "measure", "shift", "value", "ci_low", "ci_high", "splits", "n",
    "run_id",
];

/// The table; a header alone where no run has what it takes.
pub(crate) fn table(runs: &[Run]) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(COLUMNS)?;
    for run in runs {
        for task in [TaskKind::Table, TaskKind::Chart, TaskKind::Maze] {
            let splits: Vec<&SplitResult> =
                run.splits.iter().filter(|split| split.task == Some(task)).collect();
            for (measure, shift, found, used) in measures(&splits) {
                let n: u64 = used.iter().map(|split| split.n).sum();
                out.write_record([
                    text(&run.shown_model()),
                    text(&run.method),
                    text(&run.decoding),
                    task.word().to_owned(),
                    measure.to_owned(),
                    text(&shift),
                    found.value.to_string(),
                    found.ci_low.to_string(),
                    found.ci_high.to_string(),
                    used.len().to_string(),
                    n.to_string(),
                    text(&run.id),
                ])?;
            }
        }
    }
    out.into_inner().map_err(|e| e.into_error().into())
}

type Found<'s> = (&'static str, String, Estimate, Vec<&'s SplitResult>);

fn measures<'s>(splits: &[&'s SplitResult]) -> Vec<Found<'s>> {
    let mut found = Vec::new();
    let of_role = |role| splits.iter().copied().filter(move |split| split.role == Some(role));
    let (id, ood): (Vec<_>, Vec<_>) = (of_role(Role::IdTest).collect(), of_role(Role::OodTest).collect());
    let pooled = id
        .iter()
        .filter_map(|split| share(split))
        .reduce(|a, b| Share { right: a.right + b.right, n: a.n + b.n });
    let shares: Option<Vec<Share>> = ood.iter().map(|split| share(split)).collect();
    if let Some(gap) = pooled.zip(shares).and_then(|(id, ood)| gap(id, &ood, LEVEL)) {
        found.push(("id_ood_gap", String::new(), gap, id.iter().chain(&ood).copied().collect()));
    }
    let mut shifts: Vec<&str> = ood.iter().map(|split| split.shift.as_str()).collect();
    shifts.sort_unstable();
    shifts.dedup();
    for shift in shifts {
        let along: Vec<&SplitResult> = ood.iter().copied().filter(|split| split.shift == shift).collect();
        // Severity 0 is what stands in the same set without a shift.
        let start = id.iter().copied().filter(|split| along.iter().any(|other| set(other) == set(split)));
        let used: Vec<&SplitResult> = start.chain(along.iter().copied()).collect();
        let sample = |split: &&SplitResult| match &split.severity {
            Severity::Level(grade) => Some((f64::from(*grade), share(split)?)),
            Severity::Named(_) => None,
        };
        let samples: Option<Vec<(f64, Share)>> = used.iter().map(sample).collect();
        if let Some(slope) = samples.and_then(|samples| severity_slope(&samples, LEVEL)) {
            found.push(("severity_slope", shift.to_owned(), slope, used));
        }
    }
    found
}

/// Everything before the last part of a split's name.
fn set(split: &SplitResult) -> &str {
    split.split.rsplit_once('/').map_or("", |(set, _)| set)
}

/// Right items of all; `None` without accuracy. Items asked several times count by their mean, rounded.
fn share(split: &SplitResult) -> Option<Share> {
    let accuracy = split.metric("accuracy")?.value;
    let n = usize::try_from(split.n).ok()?;
    Some(Share { right: (accuracy * n as f64).round() as usize, n })
}
