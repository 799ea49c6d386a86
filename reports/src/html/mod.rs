//! The page: one self-contained file.

mod board;
mod headline;
mod made;
mod results;
pub(crate) mod shifts;
mod slices;
mod training;
pub(crate) mod turns;
mod viewer;

pub(crate) use board::{board, Board};

use crate::info::{PageInfo, TrainingLog};
use crate::leaderboard::{decodings, Columns};
use crate::run::{decoding_label, Run};
use crate::significance::Marks;
use crate::svg::esc;
use crate::Result;

const TEMPLATE: &str = include_str!("../page/page.html");
pub(crate) const STYLE: &str = include_str!("../page/style.css");
const SCRIPT: &str = include_str!("../page/page.js");

/// The whole page.
pub(crate) fn page(runs: &[Run], training: &[TrainingLog], info: &PageInfo, marks: &Marks) -> Result<String> {
    let columns = Columns::of(runs);
    let viewer = viewer::payload(runs, info, &columns)?;
    let title = if info.title.is_empty() { "VRRL report" } else { &info.title };
    let sections = [
        ("summary", "Summary", headline::section(runs, info, &columns)),
        ("results", "Results", results::section(runs, &columns, marks)),
        ("shifts", "Shifts", shifts::section(runs, &columns)),
        ("slices", "Slices", slices::section(runs, &columns)),
        ("turns", "By turn", turns::curves(runs, &columns)),
        ("matrix", "First × final", turns::matrices(runs, &columns)),
        ("training", "Training", training::section(training)),
        ("traces", "Traces", viewer.html),
        ("made", "How it was made", made::section(runs, info)),
        ("published", "Published", made::published(runs)),
    ];
    let (mut nav, mut body) = (String::new(), String::new());
    for (id, label, html) in sections.iter().filter(|(.., html)| !html.is_empty()) {
        nav.push_str(&format!("<a href=\"#{id}\">{label}</a>"));
        body.push_str(&format!("<section id=\"{id}\">{html}</section>\n"));
    }
    Ok(fill(&[
        ("TITLE", &esc(title)),
        ("STYLE", STYLE),
        ("NAV", &nav),
        ("DECODINGS", &decoding_switch(runs)),
        ("BODY", &body),
        ("DATA", &viewer.json),
        ("SCRIPT", SCRIPT),
    ]))
}

/// Fills the template in one pass, so that nothing filled in is itself read as a place to fill.
fn fill(values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            rest = after;
            break;
        };
        out.push_str(values.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn decoding_switch(runs: &[Run]) -> String {
    let all = decodings(runs);
    if all.len() < 2 {
        return String::new();
    }
    let mut html = String::from("<fieldset class=\"switch\" hidden><legend>Decoding</legend>");
    for (i, decoding) in all.iter().enumerate() {
        let checked = if i == 0 { " checked" } else { "" };
        html.push_str(&format!(
            "<label><input type=\"radio\" name=\"decoding\" value=\"{}\"{checked}> {}</label>",
            esc(decoding),
            esc(&decoding_label(decoding))
        ));
    }
    html + "</fieldset>"
}

/// Wraps what belongs to one decoding; the switch shows one of them, and without scripts all stand below
/// each other under their names.
fn for_each_decoding(runs: &[Run], draw: impl Fn(&str) -> String) -> String {
    decodings(runs)
        .iter()
        .map(|d| (d, draw(d)))
        .filter(|(_, html)| !html.is_empty())
        .map(|(d, html)| {
            format!(
                "<div class=\"dec\" data-dec=\"{}\"><h3 class=\"dec-name\">Decoding: {}</h3>{html}</div>",
                esc(d),
                esc(&decoding_label(d))
            )
        })
        .collect()
}

/// CSS class that carries a method's colour and dashes.
pub(crate) fn method_class(method: &str) -> String {
    const KNOWN: [&str; 7] =
        ["base", "single_sft", "multi_sft", "reflection_tuning", "single_sft_grpo", "multi_sft_grpo", "vrrl"];
    match method {
        m if KNOWN.contains(&m) => format!("m-{m}"),
        "reference" | "external" => "m-reference".into(),
        // Any other method: one of four spare colours, the same on every page.
        m => format!("m-other{}", m.bytes().map(usize::from).sum::<usize>() % 4),
    }
}

/// A legend of lines: (label, class).
fn legend(entries: &[(String, String)]) -> String {
    let mut html = String::from("<ul class=\"legend\">");
    for (label, class) in entries {
        html.push_str(&format!(
            "<li class=\"{}\"><svg viewBox=\"0 0 30 10\" aria-hidden=\"true\"><polyline class=\"line\" points=\"1,5 29,5\"/><circle class=\"dot\" cx=\"15\" cy=\"5\" r=\"3\"/></svg>{}</li>",
            esc(class),
            esc(label)
        ));
    }
    html + "</ul>"
}

/// A table inside a region that scrolls by touch and by keyboard.
fn scrolling(label: &str, table: &str) -> String {
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{}\" tabindex=\"0\">{table}</div>",
        esc(label)
    )
}

/// Whole numbers with thin separators.
fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Whether a bar was met, in a word.
pub(crate) fn met_word(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "met",
        Some(false) => "not met",
        None => "no bar",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filling_is_one_pass() {
        let page = fill(&[("TITLE", "{{SCRIPT}}"), ("SCRIPT", "code")]);
        assert!(page.contains("<title>{{SCRIPT}}</title>"));
        assert_eq!(page.matches("code").count(), 1);
    }

    #[test]
    fn counts_have_separators() {
        for (n, want) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(n), want);
        }
    }
}
