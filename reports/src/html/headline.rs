//! What was found, in words, and the claims.

use vrrl_harness_stats::seed_mean;

use crate::group::{groups, mean, Group};
use crate::info::PageInfo;
use crate::leaderboard::{decodings, Columns};
use crate::run::{decoding_label, method_label, Metric, Run};
use crate::svg::{esc, signed};

use super::{count, met_word, scrolling};

/// Title, paragraph, notes, claims.
pub(super) fn section(runs: &[Run], info: &PageInfo, columns: &Columns) -> String {
    let title = if info.title.is_empty() { "VRRL report" } else { &info.title };
    let mut html = format!("<h1>{}</h1>", esc(title));
    html.push_str(&statement(runs, columns).unwrap_or_default());
    let gaps = gaps(runs);
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

/// What runs lack, each thing once with all runs that lack it.
fn gaps(runs: &[Run]) -> Vec<String> {
    let mut all: Vec<(&str, Vec<String>)> = Vec::new();
    for run in runs {
        for gap in &run.gaps {
            let name = format!("{} ({})", run.model, decoding_label(&run.decoding));
            match all.iter_mut().find(|(known, _)| known == gap) {
                Some((_, names)) => names.push(name),
                None => all.push((gap, vec![name])),
            }
        }
    }
    let text = |(gap, names): (&str, Vec<String>)| match names.len() {
        k if k == runs.len() && k > 1 => format!("All {k} runs: {gap}."),
        k if k > 3 => format!("{} and {} other runs: {gap}.", names[..2].join(", "), k - 2),
        _ => format!("{}: {gap}.", names.join(", ")),
    };
    all.into_iter().map(text).collect()
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
    // A sweep's variants are of the same method; the plain row speaks for it.
    let named = |method: &str| {
        let own = all.iter().filter(|g| g.method == method && g.condition.is_empty());
        own.min_by_key(|g| g.label != method_label(method))
    };
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
                " In total accuracy, averaged over the {} out-of-distribution splits, {} reaches {:.1} % and {} {:.1} %: {} {:.1} points{}.",
                columns.ood.len(),
                esc(&v.label),
                a * 100.0,
                esc(&g.label),
                b * 100.0,
                if difference < 0.0 { "a <b>loss</b> of" } else { "a gain of" },
                difference.abs(),
                over_seeds(v, g, &columns.ood)
            ));
        }
    }
    Some(format!("<p class=\"lead\">{text}</p>"))
}

/// What the training seeds say of a difference in mean accuracy: its interval over the seeds that both have.
fn over_seeds(a: &Group<'_>, b: &Group<'_>, splits: &[String]) -> String {
    let accuracy = |run: &Run| -> Option<f64> {
        let of = |split: &String| run.splits.iter().find(|s| s.split == *split)?.metric("accuracy");
        mean(&splits.iter().map(|s| of(s).map(|m| m.value)).collect::<Option<Vec<_>>>()?)
    };
    let pairs = a.runs.iter().filter_map(|run| {
        let twin =
            b.runs.iter().find(|other| other.train_seed.is_some() && other.train_seed == run.train_seed)?;
        Some(accuracy(run)? - accuracy(twin)?)
    });
    let differences: Vec<f64> = pairs.collect();
    match seed_mean(&differences, 0.95) {
        Some((_, Some(estimate))) => format!(
            " (95 % interval over {} training seeds {} to {}{})",
            differences.len(),
            signed(estimate.ci_low),
            signed(estimate.ci_high),
            if estimate.ci_low <= 0.0 && estimate.ci_high >= 0.0 { ", which holds 0" } else { "" }
        ),
        _ => ", with one training seed, which says nothing about the methods".into(),
    }
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
