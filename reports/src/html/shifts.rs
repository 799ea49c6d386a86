//! Out of distribution: every policy's accuracy there against in distribution, and accuracy along every shift.

use std::collections::BTreeMap;

use vrrl_harness::Severity;
use vrrl_harness_core::{Role, TaskKind};

use crate::charts::{Lines, Panel, Series};
use crate::group::{groups, Group};
use crate::leaderboard::Columns;
use crate::run::{Metric, Run, SplitResult};
use crate::scatter::{scatter, Mark};

use super::{for_each_decoding, legend, method_class};

/// The section; empty where nothing is out of distribution.
pub(super) fn section(runs: &[Run], columns: &Columns) -> String {
    let html = for_each_decoding(runs, |decoding| {
        let groups = groups(runs, decoding);
        let (both, curves) = (against(&groups, columns), curves(&groups));
        if both.is_none() && curves.is_empty() {
            return String::new();
        }
        let entries: Vec<_> = groups.iter().map(|g| (g.label.clone(), method_class(&g.method))).collect();
        let mut html = legend(&entries);
        if let Some(both) = both {
            html.push_str(&format!("<div class=\"charts\">{}</div>", both.figure("chart square")));
        }
        if !curves.is_empty() {
            let figures: String = curves.iter().map(|curve| curve.figure("chart")).collect();
            html.push_str(&format!(
                "<h4>Accuracy by severity; 0 is in distribution</h4><div class=\"charts\">{figures}</div>"
            ));
        }
        html
    });
    if html.is_empty() {
        return html;
    }
    format!(
        "<h2>Out of distribution</h2><p>On the line a policy loses nothing; the farther below, the more of what it learned \
         holds in distribution alone.</p>{html}"
    )
}

/// Accuracy out of distribution against that in distribution, a point a policy.
pub(crate) fn against(groups: &[Group<'_>], columns: &Columns) -> Option<Panel> {
    scatter(
        "OOD against ID",
        "accuracy in distribution",
        "mean accuracy out of distribution",
        &marks(groups, columns),
    )
}

fn marks(groups: &[Group<'_>], columns: &Columns) -> Vec<Mark> {
    let axis = |group: &Group<'_>, splits: &[String]| match splits {
        // One split keeps its interval; several are no one sample.
        [one] => group.metric(one, "accuracy"),
        several => group.mean(several, "accuracy").map(|value| Metric { value, ci: None }),
    };
    let mark = |group: &Group<'_>| {
        Some(Mark {
            name: group.label.clone(),
            class: method_class(&group.method),
            x: axis(group, &columns.id)?,
            y: axis(group, &columns.ood)?,
        })
    };
    // References stand at the corners and would press everything else together.
    let learned = groups.iter().filter(|g| !g.is_reference());
    learned.filter_map(mark).collect()
}

/// A chart for every task and shift that stands at two severities or more; what stands in distribution in the same
/// set is its severity 0.
pub(crate) fn curves(groups: &[Group<'_>]) -> Vec<Panel> {
    let mut shifts: BTreeMap<(&str, &str), Vec<&SplitResult>> = BTreeMap::new();
    for split in groups.iter().flat_map(|g| &g.runs).flat_map(|r| &r.splits) {
        if split.role == Some(Role::OodTest) && !split.shift.is_empty() {
            shifts.entry((word(split.task), &split.shift)).or_default().push(split);
        }
    }
    let all: Vec<&SplitResult> = groups.iter().flat_map(|g| &g.runs).flat_map(|r| &r.splits).collect();
    let mut panels = Vec::new();
    for ((task, shift), along) in shifts {
        // Full names by severity.
        let mut names: BTreeMap<u8, &str> = BTreeMap::new();
        for split in all.iter().filter(|s| s.role == Some(Role::IdTest) && word(s.task) == task) {
            if along.iter().any(|other| set(other) == set(split)) {
                names.entry(0).or_insert(&split.split);
            }
        }
        for split in &along {
            if let Severity::Level(grade) = split.severity {
                names.entry(grade).or_insert(&split.split);
            }
        }
        if names.keys().filter(|grade| **grade > 0).count() < 2 {
            continue;
        }
        let series = groups
            .iter()
            .map(|group| Series {
                name: group.label.clone(),
                class: method_class(&group.method),
                points: names
                    .iter()
                    .filter_map(|(grade, name)| {
                        Some((f64::from(*grade), group.metric(name, "accuracy")?.value))
                    })
                    .collect(),
            })
            .filter(|series| !series.points.is_empty())
            .collect();
        let title = format!("{task}: {shift}");
        let chart = Lines { title, x_label: "severity".into(), percent: true, whole_x: true, series };
        panels.extend(chart.panel());
    }
    panels
}

fn word(task: Option<TaskKind>) -> &'static str {
    task.map_or("", TaskKind::word)
}

/// Everything before the last part of a split's name.
fn set(split: &SplitResult) -> &str {
    split.split.rsplit_once('/').map_or("", |(set, _)| set)
}
