//! Training curves and what each mechanism did.

use std::collections::BTreeSet;

use crate::charts::{Lines, Series};
use crate::info::TrainingLog;
use crate::run::{method_label, method_rank};
use crate::svg::{esc, fixed};

use super::{count, legend, method_class, scrolling};

/// Charts in order: title, whether it is a share, names it may have in a log (the first that is there).
const CHARTS: [(&str, bool, &[&str]); 14] = [
    ("Reward", false, &["reward", "reward_mean", "reward.total"]),
    ("First answer right", true, &["first_accuracy", "first", "correct_first"]),
    ("Final answer right", true, &["accuracy", "final_accuracy", "final", "correct"]),
    ("Δref", false, &["delta_ref"]),
    ("Turns", false, &["turns", "turns_mean"]),
    ("Commits a right proposal (stop_right)", true, &["stop_right", "stop_ok"]),
    ("Commits a wrong proposal (stop_wrong)", true, &["stop_wrong"]),
    ("Groups with a gradient", true, &["groups_with_gradient"]),
    ("Rollouts whose format fails", true, &["format_fault_rate"]),
    ("Entropy of a token, estimated (nats)", false, &["entropy_estimate"]),
    ("Buffer entries", false, &["buffer_fill", "buffer", "buffer_len"]),
    ("Tokens per second", false, &["tokens_per_second", "tokens_per_s", "tok_per_s"]),
    ("Loss", false, &["loss"]),
    ("KL to the start", false, &["kl"]),
];

/// The section; empty without logs.
pub(super) fn section(logs: &[TrainingLog]) -> String {
    if logs.iter().all(|l| l.rows.is_empty() && l.liveness.is_empty()) {
        return String::new();
    }
    let mut logs: Vec<&TrainingLog> = logs.iter().collect();
    logs.sort_by_key(|l| (method_rank(&l.method), l.method.clone(), l.seed));
    let rewarded = |l: &&TrainingLog| CHARTS[0].2.iter().any(|name| !l.series(name).is_empty());
    let (learning, supervised): (Vec<_>, Vec<_>) = logs.iter().copied().partition(rewarded);
    let mut html = String::from(
        "<h2>Training</h2><p>One line a training run, measured on the training rollouts; long runs are averaged over neighbouring steps.</p>",
    );
    for (title, part) in [("Reinforcement learning", learning), ("Supervised training", supervised)] {
        html.push_str(&charts(title, &part));
    }
    format!("<div class=\"training\">{html}{}{}</div>", warnings(&logs), liveness(&logs))
}

fn charts(title: &str, logs: &[&TrainingLog]) -> String {
    let known: BTreeSet<&str> = CHARTS.iter().flat_map(|(.., names)| names.iter().copied()).collect();
    let main: String = CHARTS
        .iter()
        .filter_map(|(title, share, names)| {
            draw(title, *share, logs, |log| {
                names.iter().map(|n| log.series(n)).find(|s| !s.is_empty()).unwrap_or_default()
            })
        })
        .collect();
    let others: BTreeSet<&str> = logs
        .iter()
        .flat_map(|l| l.rows.iter().flat_map(|(_, row)| row.keys().map(String::as_str)))
        .filter(|name| !known.contains(name))
        .collect();
    let rest: String =
        others.iter().filter_map(|name| draw(name, false, logs, |log| log.series(name))).collect();
    if main.is_empty() && rest.is_empty() {
        return String::new();
    }
    let mut entries: Vec<(String, String)> = Vec::new();
    for log in logs {
        let entry = (method_label(&log.method), method_class(&log.method));
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    let rest = if rest.is_empty() {
        rest
    } else {
        format!(
            "<details><summary>All other series ({})</summary><div class=\"charts\">{rest}</div></details>",
            others.len()
        )
    };
    format!("<h3>{title}</h3>{}<div class=\"charts\">{main}</div>{rest}", legend(&entries))
}

fn draw(
    title: &str,
    percent: bool,
    logs: &[&TrainingLog],
    pick: impl Fn(&TrainingLog) -> Vec<(f64, f64)>,
) -> Option<String> {
    let series: Vec<Series> = logs
        .iter()
        .map(|log| Series { name: name(log), class: method_class(&log.method), points: pick(log) })
        .filter(|s| !s.points.is_empty())
        .collect();
    Lines { title: title.to_owned(), x_label: "step".into(), percent, whole_x: false, series }.draw()
}

fn name(log: &TrainingLog) -> String {
    match log.seed {
        Some(seed) => format!("{}, seed {seed}", method_label(&log.method)),
        None => method_label(&log.method),
    }
}

/// What the trainings said on the way; empty if they were silent.
fn warnings(logs: &[&TrainingLog]) -> String {
    let said = logs.iter().flat_map(|log| log.warnings.iter().map(|text| (name(log), text)));
    let items: String = said.map(|(name, text)| format!("<li>{}: {}</li>", esc(&name), esc(text))).collect();
    if items.is_empty() {
        return items;
    }
    format!("<h3>Early warnings</h3><p>Said while training; they stopped nothing.</p><ul>{items}</ul>")
}

/// How often each mechanism fired.
fn liveness(logs: &[&TrainingLog]) -> String {
    let names: BTreeSet<&str> = logs.iter().flat_map(|l| l.liveness.keys().map(String::as_str)).collect();
    if names.is_empty() {
        return String::new();
    }
    let with: Vec<&&TrainingLog> = logs.iter().filter(|l| !l.liveness.is_empty()).collect();
    let mut html = String::from("<table class=\"counters\"><thead><tr><th scope=\"col\">counter</th>");
    for log in &with {
        html.push_str(&format!("<th scope=\"col\">{}</th>", esc(&name(log))));
    }
    html.push_str("</tr></thead><tbody>");
    for counter in names {
        html.push_str(&format!("<tr><th scope=\"row\">{}</th>", esc(&counter.replace('_', " "))));
        for log in &with {
            let text = match log.liveness.get(counter) {
                // A counter above 2^53 would already be inexact in the log.
                Some(x) if x.fract().abs() < 1e-12 && (0.0..9e15).contains(x) => count(*x as u64),
                Some(x) => fixed(*x, 4),
                None => "–".into(),
            };
            html.push_str(&format!("<td>{text}</td>"));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    format!(
        "<h3>What each mechanism did</h3><p>Counted over the whole training run; a dash: the method has no such mechanism. A \
         mechanism that is on and never fires fails the run.</p>{}",
        scrolling("Liveness counters", &html)
    )
}
