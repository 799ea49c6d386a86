//! The results table: methods by splits, with intervals.

use crate::charts::interval;
use crate::group::{groups, Group};
use crate::leaderboard::Columns;
use crate::run::{Metric, Run};
use crate::significance::{Column, Marks, DAGGER};
use crate::svg::{esc, signed};

use super::{count, for_each_decoding, method_class, scrolling};

/// How a cell is written and drawn.
#[derive(Clone, Copy)]
enum Kind {
    /// Percent, drawn from 0 to 100.
    Share,
    /// Points with their sign, drawn around 0.
    Gain((f64, f64)),
    /// A plain mean, drawn from 1 to the largest.
    Turns((f64, f64)),
}

/// What all rows of a table share.
struct Shared<'t> {
    columns: &'t Columns,
    decoding: &'t str,
    marks: &'t Marks,
    /// Split of the reflection columns.
    delta: Option<&'t str>,
    /// Scales of Δref and turns.
    ranges: ((f64, f64), (f64, f64)),
}

/// The section; empty without runs.
pub(super) fn section(runs: &[Run], columns: &Columns, marks: &Marks) -> String {
    let tables = for_each_decoding(runs, |decoding| table(runs, decoding, columns, marks));
    if tables.is_empty() {
        return String::new();
    }
    let several = runs.iter().any(|r| {
        r.train_seed.is_some_and(|s| {
            runs.iter().any(|o| o.method == r.method && o.train_seed.is_some_and(|t| t != s))
        })
    });
    let toggle = if several {
        "<label class=\"seeds-toggle\" hidden><input type=\"checkbox\" id=\"seeds\"> show training seeds one by one</label>"
    } else {
        ""
    };
    format!(
        "<h2>Results</h2><p>Accuracy of the final answer in percent, with 95 % intervals (text and bar). Δref: points gained \
         after the first answer. Rows with several training seeds show their mean; its interval is never narrower than \
         the seeds' own. {DAGGER}</p>{toggle}{tables}"
    )
}

fn table(runs: &[Run], decoding: &str, columns: &Columns, marks: &Marks) -> String {
    let groups = groups(runs, decoding);
    if groups.is_empty() {
        return String::new();
    }
    let delta = columns.delta();
    let mut html = String::from("<table class=\"results\"><thead><tr><th scope=\"col\">method</th>");
    for split in columns.all() {
        let n = groups.iter().find_map(|g| g.splits(&split).first().map(|s| s.n));
        let n = n.map_or_else(String::new, |n| format!("<small>n = {}</small>", count(n)));
        let role = if columns.id.contains(&split) { "<small>in-distribution</small>" } else { "" };
        html.push_str(&format!(
            "<th scope=\"col\" title=\"{}\">{}{role}{n}</th>",
            esc(&split),
            esc(columns.name(&split))
        ));
    }
    if !columns.ood.is_empty() {
        html.push_str("<th scope=\"col\">OOD average</th>");
    }
    if let Some(split) = &delta {
        let name = esc(columns.name(split));
        html.push_str(&format!("<th scope=\"col\">Δref {name}<small>points</small></th><th scope=\"col\">turns {name}<small>commit included</small></th>"));
    }
    html.push_str("</tr></thead>");
    let ranges = ranges(&groups, delta.as_deref());
    let shared = Shared { columns, decoding, marks, delta: delta.as_deref(), ranges };
    for reference in [false, true] {
        let part: Vec<&Group<'_>> = groups.iter().filter(|g| g.is_reference() == reference).collect();
        if part.is_empty() {
            continue;
        }
        html.push_str(if reference { "<tbody class=\"reference\">" } else { "<tbody>" });
        if reference {
            let width = 2
                + columns.all().len()
                + usize::from(!columns.ood.is_empty())
                + 2 * usize::from(delta.is_some());
            html.push_str(&format!("<tr class=\"divider\"><th colspan=\"{}\" scope=\"colgroup\">Reference policies, not trained</th></tr>", width - 1));
        }
        for group in part {
            row(&mut html, group, &shared, None);
            if group.runs.len() > 1 {
                for run in &group.runs {
                    let one = Group { runs: vec![*run], ..group.clone() };
                    row(&mut html, &one, &shared, Some(run));
                }
            }
        }
        html.push_str("</tbody>");
    }
    html.push_str("</table>");
    scrolling("Results", &html)
}

/// Common scales of the Δref and the turns column, so that bars compare down a column.
fn ranges(groups: &[Group<'_>], delta: Option<&str>) -> ((f64, f64), (f64, f64)) {
    let ends = |key: &str| {
        groups
            .iter()
            .filter_map(|g| g.metric(delta?, key))
            .flat_map(|m| m.ci.map_or([m.value, m.value], |(l, h)| [l.min(m.value), h.max(m.value)]))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)))
    };
    let (low, high) = ends("delta_ref");
    let (_, most) = ends("turns_mean");
    ((low.min(-0.05), high.max(0.05)), (1.0, most.max(2.0)))
}

fn row(html: &mut String, group: &Group<'_>, shared: &Shared<'_>, seed: Option<&Run>) {
    let Shared { columns, delta, ranges, .. } = *shared;
    let dagger = |column| seed.is_none() && shared.marks.dagger(shared.decoding, &column, &group.label);
    let class = method_class(&group.method);
    let (row_class, label) = match seed {
        Some(run) => ("seed", run.train_seed.map_or_else(|| run.model.clone(), |s| format!("seed {s}"))),
        None => ("", group.label.clone()),
    };
    let seeds = match (seed, group.runs.len()) {
        (None, k) if k > 1 => format!("<small>{k} seeds</small>"),
        _ => String::new(),
    };
    html.push_str(&format!(
        "<tr class=\"{row_class} {class}\"><th scope=\"row\"><span class=\"swatch\" aria-hidden=\"true\"></span>{}{seeds}</th>",
        esc(&label)
    ));
    for split in columns.all() {
        let value = group.metric(&split, "accuracy");
        html.push_str(&cell(value, Kind::Share, &class, dagger(Column::Split(split))));
    }
    if !columns.ood.is_empty() {
        let value = group.mean(&columns.ood, "accuracy").map(|value| Metric { value, ci: None });
        html.push_str(&cell(value, Kind::Share, &class, dagger(Column::OodAverage)));
    }
    if let Some(split) = delta {
        html.push_str(&cell(group.metric(split, "delta_ref"), Kind::Gain(ranges.0), &class, false));
        html.push_str(&cell(group.metric(split, "turns_mean"), Kind::Turns(ranges.1), &class, false));
    }
    html.push_str("</tr>");
}

fn cell(metric: Option<Metric>, kind: Kind, class: &str, dagger: bool) -> String {
    let Some(metric) = metric else {
        return "<td class=\"none\"><span aria-label=\"not measured\">–</span></td>".into();
    };
    let (text, range): (fn(f64) -> String, _) = match kind {
        Kind::Share => (|x| format!("{:.1}", x * 100.0), (0.0, 1.0)),
        Kind::Gain(range) => (signed, range),
        Kind::Turns(range) => (|x| format!("{x:.2}"), range),
    };
    let ends =
        metric.ci.map_or_else(String::new, |(l, h)| format!("<small>{} to {}</small>", text(l), text(h)));
    let dagger = if dagger { "<sup title=\"better than the second best\">†</sup>" } else { "" };
    format!(
        "<td data-v=\"{}\"><b>{}{dagger}</b>{ends}{}</td>",
        metric.value,
        text(metric.value),
        interval(metric, range, class)
    )
}
