//! Accuracy by facts of the examples.

use std::collections::{BTreeMap, BTreeSet};

use crate::charts::{Lines, Series};
use crate::group::{groups, Group};
use crate::leaderboard::Columns;
use crate::run::Run;
use crate::slices::{Tally, FEWEST};

use super::{for_each_decoding, legend, method_class};

/// The section, over all test splits of a task together; empty where no fact takes two values.
pub(super) fn section(runs: &[Run], columns: &Columns) -> String {
    let html = for_each_decoding(runs, |decoding| {
        let groups = groups(runs, decoding);
        let shown: Vec<&Group<'_>> = groups.iter().filter(|g| !g.is_reference()).collect();
        let facts: BTreeSet<(&str, &str)> =
            shown.iter().flat_map(|g| tallies(g, columns).into_keys()).collect();
        let figures: String = facts.into_iter().filter_map(|fact| chart(&shown, columns, fact)).collect();
        if figures.is_empty() {
            return figures;
        }
        let entries: Vec<_> = shown.iter().map(|g| (g.label.clone(), method_class(&g.method))).collect();
        format!("{}<div class=\"charts\">{figures}</div>", legend(&entries))
    });
    if html.is_empty() {
        return html;
    }
    format!(
        "<h2>Slices</h2><p>Accuracy over the test examples of a kind, whatever their split; points behind which stand fewer \
         than {FEWEST} episodes are left out.</p>{html}"
    )
}

/// Tallies of all test splits and training seeds, by task and fact.
fn tallies<'g>(group: &Group<'g>, columns: &Columns) -> BTreeMap<(&'g str, &'g str), BTreeMap<u32, Tally>> {
    let mut all: BTreeMap<(&str, &str), BTreeMap<u32, Tally>> = BTreeMap::new();
    let wanted = columns.all();
    for run in &group.runs {
        for split in run.splits.iter().filter(|split| wanted.contains(&split.split)) {
            let task = split.task.map_or("", |task| task.word());
            for (fact, values) in run.slices.get(&split.split).into_iter().flatten() {
                for (value, tally) in values {
                    let pooled = all.entry((task, fact)).or_default().entry(*value).or_default();
                    pooled.n += tally.n;
                    pooled.right += tally.right;
                }
            }
        }
    }
    all
}

fn chart(groups: &[&Group<'_>], columns: &Columns, (task, fact): (&str, &str)) -> Option<String> {
    let series: Vec<Series> = groups
        .iter()
        .filter_map(|group| {
            let values = tallies(group, columns).remove(&(task, fact))?;
            let share = |t: Tally| t.right as f64 / t.n as f64;
            let enough = values.into_iter().filter(|(_, tally)| tally.n >= FEWEST);
            let points: Vec<(f64, f64)> = enough.map(|(x, tally)| (f64::from(x), share(tally))).collect();
            let (name, class) = (group.label.clone(), method_class(&group.method));
            (points.len() > 1).then_some(Series { name, class, points })
        })
        .collect();
    let title = format!("{task}: by {fact}");
    Lines { title, x_label: fact.to_owned(), percent: true, whole_x: false, series }.draw()
}
