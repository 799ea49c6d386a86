//! Intervals of one share.

use vrrl_harness_stats::{clopper_pearson, rejection_rate, wilson, Estimate};

use crate::{fine, percent, table, SHARES, SIZES};

/// Exact coverage at a true share, from the interval of each count.
fn covers(intervals: &[Estimate], share: f64) -> f64 {
    let n = intervals.len() - 1;
    // With every item differing, "only B" is Binomial(n, share).
    1.0 - rejection_rate(n, 1.0, 2.0 * share - 1.0, |pairs| {
        let interval = intervals[pairs.only_b];
        share < interval.ci_low || interval.ci_high < share
    })
}

fn intervals(n: usize, of: impl Fn(usize, usize) -> Option<Estimate>) -> Vec<Estimate> {
    (0..=n).map(|k| of(k, n).expect("n is not 0")).collect()
}

/// Least coverage over a fine grid, and where.
fn least(intervals: &[Estimate], grid: impl Iterator<Item = f64>) -> (f64, f64) {
    grid.map(|share| (covers(intervals, share), share))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .expect("a grid has points")
}

pub(crate) fn report() -> String {
    let mut rows = Vec::new();
    let mut worst = Vec::new();
    for n in SIZES {
        let score = intervals(n, wilson);
        let exact = intervals(n, |k, n| clopper_pearson(k, n, 0.95));
        for share in SHARES {
            let known = match (n, (share * 100.0).round() as usize) {
                (50, 2) => "Wilson 92.2, Clopper-Pearson 98.2",
                _ => "",
            };
            rows.push(vec![
                n.to_string(),
                share.to_string(),
                percent(covers(&score, share)),
                percent(covers(&exact, share)),
                known.into(),
            ]);
        }
        let grid = |low: usize, high: usize| (low..=high).map(|i| i as f64 / 2000.0);
        let (wilson_least, wilson_at) = least(&score, grid(40, 1960));
        let (exact_least, exact_at) = least(&exact, grid(1, 1999));
        worst.push(vec![
            n.to_string(),
            format!("{} at {wilson_at}", fine(wilson_least)),
            format!("{} at {exact_at}", fine(exact_least)),
        ]);
    }
    format!(
        "## One share\n\nExact coverage.\n\n{}\nLeast coverage over a grid of step 0.0005: Wilson for shares from \
         0.02 to 0.98, Clopper-Pearson from 0.0005 to 0.9995 (bar: never under 95).\n\n{}",
        table(&["n", "true share", "Wilson", "Clopper-Pearson", "known"], &rows),
        table(&["n", "Wilson", "Clopper-Pearson"], &worst)
    )
}
