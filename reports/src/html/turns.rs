//! Accuracy by turn, share that reaches a turn, and first × final.

use crate::charts::{stacked, Lines, Panel, Series};
use crate::group::{groups, mean, Group};
use crate::leaderboard::Columns;
use crate::run::{Matrix, Run, SplitResult};
use crate::svg::esc;

use super::{for_each_decoding, legend, method_class, scrolling};

/// Curves over turns, a small chart per split.
pub(super) fn curves(runs: &[Run], columns: &Columns) -> String {
    let html = for_each_decoding(runs, |decoding| {
        let groups = groups(runs, decoding);
        let learned: Vec<&Group<'_>> = groups.iter().filter(|g| !g.is_reference()).collect();
        let shown: Vec<&Group<'_>> = if learned.is_empty() { groups.iter().collect() } else { learned };
        let figures = |panels: Vec<Panel>| panels.iter().map(|p| p.figure("chart")).collect::<String>();
        let accuracy = figures(right_after(&shown, columns));
        let reached = figures(reached(&shown, columns));
        if accuracy.is_empty() && reached.is_empty() {
            return String::new();
        }
        let entries: Vec<_> = shown.iter().map(|g| (g.label.clone(), method_class(&g.method))).collect();
        format!(
            "{}<h4>Accuracy after turn t, answers carried forward</h4><div class=\"charts\">{accuracy}</div>\
             <h4>Share of episodes that reach turn t</h4><div class=\"charts\">{reached}</div>",
            legend(&entries)
        )
    });
    if html.is_empty() {
        return html;
    }
    format!(
        "<h2>Accuracy by turn</h2><p>A policy that reflects goes on rising after turn 1; one that has stopped reflecting is \
         flat, and nothing of it reaches turn 3 (turn 2 is its commit).</p>{html}"
    )
}

/// Accuracy after each turn, a panel a split.
pub(crate) fn right_after(groups: &[&Group<'_>], columns: &Columns) -> Vec<Panel> {
    multiples(groups, columns, "right after turn t", |s| &s.accuracy_by_turn, true)
}

/// Share of episodes that reach each turn, a panel a split.
pub(crate) fn reached(groups: &[&Group<'_>], columns: &Columns) -> Vec<Panel> {
    multiples(groups, columns, "episodes that reach turn t", |s| &s.reached_turn, false)
}

fn multiples(
    groups: &[&Group<'_>],
    columns: &Columns,
    what: &str,
    pick: fn(&SplitResult) -> &[f64],
    carry: bool,
) -> Vec<Panel> {
    columns
        .all()
        .iter()
        .filter_map(|split| {
            let series = groups
                .iter()
                .map(|g| Series {
                    name: g.label.clone(),
                    class: method_class(&g.method),
                    points: g
                        .curve(split, pick, carry)
                        .into_iter()
                        .enumerate()
                        .map(|(t, y)| ((t + 1) as f64, y))
                        .collect(),
                })
                .filter(|s| !s.points.is_empty())
                .collect();
            let title = format!("{}: {what}", columns.name(split));
            Lines { title, x_label: "turn".into(), percent: true, whole_x: true, series }.panel()
        })
        .collect()
}

/// First × final, a table per split.
pub(super) fn matrices(runs: &[Run], columns: &Columns) -> String {
    let html = for_each_decoding(runs, |decoding| {
        let groups = groups(runs, decoding);
        let tables: String =
            columns.all().iter().filter_map(|split| table(&groups, split, columns.name(split))).collect();
        if tables.is_empty() {
            tables
        } else {
            format!("<div class=\"matrices\">{tables}</div>")
        }
    });
    if html.is_empty() {
        return html;
    }
    format!(
        "<h2>First × final answer</h2><p>What became of the first answer, in percent of episodes. Right in the end is the left \
         part of each bar (kept right + fixed); what revising gains is fixed − broken.</p>\
         <ul class=\"legend keys\"><li><i class=\"k-kept-right\"></i>kept right</li><li><i class=\"k-fixed\"></i>fixed</li>\
         <li><i class=\"k-broken\"></i>broken</li><li><i class=\"k-kept-wrong\"></i>kept wrong</li></ul>{html}"
    )
}

fn table(groups: &[Group<'_>], split: &str, name: &str) -> Option<String> {
    let mut rows = String::new();
    for group in groups.iter().filter(|g| !g.is_reference()) {
        let Some(m) = pooled(group, split) else { continue };
        let show = |x: f64| format!("{:.1}", x * 100.0);
        rows.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td class=\"bar\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            esc(&group.label),
            stacked(&m),
            show(m.kept_right),
            show(m.fixed),
            show(m.broken),
            show(m.kept_wrong)
        ));
    }
    let table = format!(
        "<table class=\"matrix\"><caption>{}</caption><thead><tr><th scope=\"col\">method</th><th scope=\"col\" class=\"bar\"><span class=\"hidden\">bar</span></th>\
         <th scope=\"col\">kept right</th><th scope=\"col\">fixed</th><th scope=\"col\">broken</th><th scope=\"col\">kept wrong</th></tr></thead><tbody>{rows}</tbody></table>",
        esc(name)
    );
    (!rows.is_empty()).then(|| scrolling(&format!("First by final, {name}"), &table))
}

/// Mean of the shares over training seeds.
fn pooled(group: &Group<'_>, split: &str) -> Option<Matrix> {
    let all: Vec<Matrix> = group.splits(split).iter().filter_map(|s| s.matrix()).collect();
    let of = |pick: fn(&Matrix) -> f64| mean(&all.iter().map(pick).collect::<Vec<_>>());
    Some(Matrix {
        kept_right: of(|m| m.kept_right)?,
        fixed: of(|m| m.fixed)?,
        broken: of(|m| m.broken)?,
        kept_wrong: of(|m| m.kept_wrong)?,
    })
}
