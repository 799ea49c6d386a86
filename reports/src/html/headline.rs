//! What was found, in words, and the claims.

use crate::group::{groups, Group};
use crate::info::PageInfo;
use crate::leaderboard::{decodings, Columns};
use crate::run::{decoding_label, Metric, Run};
use crate::svg::{esc, fixed};

use super::{count, met_word, scrolling};

/// Title, paragraph, notes, claims.
pub(super) fn section(runs: &[Run], info: &PageInfo, columns: &Columns) -> String {
    let title = if info.title.is_empty() { "VRRL report" } else { &info.title };
    let mut html = format!("<h1>{}</h1>", esc(title));
    html.push_str(&statement(runs, columns).unwrap_or_default());
    let gaps: Vec<String> = runs
        .iter()
        .flat_map(|r| {
            r.gaps.iter().map(move |g| format!("{} ({}): {g}.", r.model, decoding_label(&r.decoding)))
        })
        .collect();
    if !info.notes.is_empty() || !gaps.is_empty() {
        html.push_str("<ul class=\"notes\">");
        for note in info.notes.iter().chain(&gaps) {
            html.push_str(&format!("<li>{}</li>", esc(note)));
        }
        html.push_str("</ul>");
    }
    if !info.claims.is_empty() {
        html.push_str("<h2>Bars, and whether they were met</h2>");
        html.push_str(&scrolling("Claims", &claims(info)));
    }
    html
}

/// The finding as a paragraph with numbers; needs at least one learned policy.
fn statement(runs: &[Run], columns: &Columns) -> Option<String> {
    let decoding = decodings(runs).into_iter().next()?;
    let all = groups(runs, &decoding);
    let split = columns.delta()?;
    let n = all.iter().find_map(|g| g.splits(&split).first().map(|s| s.n))?;
    let mut text = format!(
        "Each policy proposes an answer, sees its proposal drawn into the picture, and then commits or revises. \
         Δref is what revising gains: final minus first accuracy. At {} on <b>{}</b> ({} examples): ",
        esc(&decoding_label(&decoding)),
        esc(columns.name(&split)),
        count(n)
    );
    let named = |method: &str| all.iter().find(|g| g.method == method && g.condition.is_empty());
    let vrrl = named("vrrl");
    let grpo = named("multi_sft_grpo").or_else(|| named("single_sft_grpo"));
    let mut shown: Vec<&Group<'_>> = vrrl.into_iter().chain(grpo).collect();
    if shown.is_empty() {
        shown = all.iter().rev().filter(|g| !g.is_reference()).take(2).collect();
    }
    let parts: Vec<String> = shown.iter().filter_map(|g| gain(g, &split)).collect();
    if parts.is_empty() {
        return None;
    }
    text.push_str(&parts.join("; "));
    text.push('.');
    if let (Some(v), Some(g)) = (vrrl, grpo) {
        if let (Some(a), Some(b)) = (v.mean(&columns.ood, "accuracy"), g.mean(&columns.ood, "accuracy")) {
            let difference = (a - b) * 100.0;
            text.push_str(&format!(
                " In total accuracy, averaged over the {} out-of-distribution splits, {} reaches {:.1} % and {} {:.1} %: {} {:.1} points.",
                columns.ood.len(),
                esc(&v.label),
                a * 100.0,
                esc(&g.label),
                b * 100.0,
                if difference < 0.0 { "a <b>loss</b> of" } else { "a gain of" },
                difference.abs()
            ));
        }
    }
    Some(format!("<p class=\"lead\">{text}</p>"))
}

fn gain(group: &Group<'_>, split: &str) -> Option<String> {
    let delta = group.metric(split, "delta_ref")?;
    let turns = group.metric(split, "turns_mean")?;
    let seeds = match group.runs.len() {
        1 => String::new(),
        k => format!(", {k} training seeds"),
    };
    Some(format!(
        "<b>{}</b> gains <b>{} points</b>{} in {} turns on average{seeds}",
        esc(&group.label),
        signed(delta.value),
        delta.ci.map_or_else(String::new, |(l, h)| format!(
            " (95 % interval {} to {})",
            signed(l),
            signed(h)
        )),
        turns_text(turns)
    ))
}

fn turns_text(turns: Metric) -> String {
    format!("{:.2}", turns.value)
}

fn signed(x: f64) -> String {
    let text = fixed(x * 100.0, 1);
    match text.strip_prefix('-') {
        Some(rest) => format!("−{rest}"),
        None => format!("+{text}"),
    }
}

fn claims(info: &PageInfo) -> String {
    let mut html = String::from(
        "<table class=\"claims\"><thead><tr><th scope=\"col\">what</th><th scope=\"col\">bar</th><th scope=\"col\">measured</th><th scope=\"col\">met</th></tr></thead><tbody>",
    );
    for claim in &info.claims {
        let (class, mark) = match claim.met {
            Some(true) => ("yes", "✓ "),
            Some(false) => ("no", "✗ "),
            None => ("open", ""),
        };
        html.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td><span class=\"badge {class}\">{mark}{}</span></td></tr>",
            esc(&claim.what),
            esc(&claim.bar),
            esc(&claim.measured),
            met_word(claim.met)
        ));
    }
    html + "</tbody></table>"
}
