//! The page of a leaderboard: the report's own tables and drawing over the runs of many people.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::leaderboard::Columns;
use crate::run::{decoding_label, Run};
use crate::significance::Marks;
use crate::site::{Facts, Row};
use crate::svg::esc;

use super::{count, decoding_switch, fill, results, scrolling, shifts, turns, SCRIPT, STYLE};

/// What the page is made of.
pub(crate) struct Board<'b> {
    /// Its name.
    pub title: &'b str,
    /// All runs, in table order.
    pub runs: &'b [Run],
    /// What is known of each run, by its folder.
    pub facts: &'b BTreeMap<PathBuf, Facts>,
    /// Rows with badges.
    pub rows: &'b [Row],
    /// Daggers.
    pub marks: &'b Marks,
}

/// The whole page.
pub(crate) fn board(board: &Board<'_>) -> String {
    let columns = Columns::of(board.runs);
    let sections = [
        ("summary", "Leaderboard", head(board, &columns)),
        ("results", "Results", results::section(board.runs, &columns, board.marks)),
        ("shifts", "Out of distribution", shifts::section(board.runs, &columns)),
        ("turns", "Accuracy by turn", turns::curves(board.runs, &columns)),
        ("badges", "Badges", badges(board.rows)),
        ("runs", "Runs", runs(board)),
        ("submit", "Submit", SUBMIT.to_owned()),
    ];
    let (mut nav, mut body) = (String::new(), String::new());
    for (id, label, html) in sections.iter().filter(|(.., html)| !html.is_empty()) {
        nav.push_str(&format!("<a href=\"#{id}\">{label}</a>"));
        body.push_str(&format!("<section id=\"{id}\">{html}</section>\n"));
    }
    fill(&[
        ("TITLE", &esc(board.title)),
        ("STYLE", STYLE),
        ("NAV", &nav),
        ("DECODINGS", &decoding_switch(board.runs)),
        ("BODY", &body),
        ("DATA", "{}"),
        ("SCRIPT", SCRIPT),
    ])
}

const SUBMIT: &str = "<h2>Submit</h2><p><a href=\"SUBMIT.md\">SUBMIT.md</a> says what a submission is: a pull request that \
     adds a run's small files. The tables are <a href=\"leaderboard.csv\">leaderboard.csv</a> (a row a number; \
     <a href=\"leaderboard.schema.json\">its columns</a>) and <a href=\"leaderboard_wide.csv\">leaderboard_wide.csv</a>.</p>";

fn head(board: &Board<'_>, columns: &Columns) -> String {
    let submissions: std::collections::BTreeSet<&str> =
        board.facts.values().map(|f| f.submission.as_str()).collect();
    let many = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let order = if columns.ood.is_empty() { "" } else { " data-sort-by=\"OOD average\"" };
    format!(
        "<h1>{}</h1><p class=\"lead\"{order}>{} in {}, scored on {}. All rows of a column answered the same examples: runs whose \
         data differ under one name are refused. A click on a column's name sorts by it.</p>",
        esc(board.title),
        many(board.runs.len(), "run"),
        many(submissions.len(), "submission"),
        many(columns.all().len(), "test split"),
    )
}

fn badges(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut html = String::from(
        "<h2>Badges</h2><p>One file for each row, and one for each row and split; they need nothing but themselves. For a README: \
         <code>![OOD accuracy](badges/FILE.svg)</code>.</p>",
    );
    let mut table = String::from(
        "<table class=\"plain board\"><thead><tr><th scope=\"col\">model</th><th scope=\"col\">decoding</th><th scope=\"col\">badge</th><th scope=\"col\">file</th></tr></thead><tbody>",
    );
    for row in rows.iter().filter(|row| row.overall) {
        table.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td><a href=\"{file}\"><code>{file}</code></a></td></tr>",
            esc(&row.label),
            esc(&decoding_label(&row.decoding)),
            row.svg.trim_end(),
            file = esc(&row.file),
        ));
    }
    table.push_str("</tbody></table>");
    html.push_str(&scrolling("Badges", &table));
    html
}

fn runs(board: &Board<'_>) -> String {
    let mut table = String::from("<table class=\"plain board\"><thead><tr>");
    for name in [
        "submission",
        "model",
        "decoding",
        "episodes",
        "faults",
        "turns at most",
        "evidence",
        "engine",
        "code",
        "date",
        "run",
    ] {
        table.push_str(&format!("<th scope=\"col\">{name}</th>"));
    }
    table.push_str("</tr></thead><tbody>");
    for run in board.runs {
        let Some(facts) = board.facts.get(&run.dir) else { continue };
        let evidence = if facts.traces { "traces" } else { "scores alone" };
        table.push_str(&format!("<tr><th scope=\"row\">{}</th>", esc(&facts.submission)));
        for cell in [
            run.shown_model(),
            decoding_label(&run.decoding),
            count(facts.episodes as u64),
            count(facts.faults as u64),
            facts.max_turns.to_string(),
            evidence.to_owned(),
            run.engine.clone(),
            run.code_version.clone(),
            run.date.chars().take(10).collect(),
        ] {
            table.push_str(&format!("<td>{}</td>", esc(&cell)));
        }
        table.push_str(&format!("<td><code>{}</code></td></tr>", esc(&run.id)));
    }
    table.push_str("</tbody></table>");
    format!(
        "<h2>Runs</h2><p>Evidence: where a run's traces were handed in, <code>vrrl verify</code> can judge every reply again; else its \
         numbers agree with its own scores and with nothing more. A fault is a reply that could not be had; it counts neither way.</p>{}",
        scrolling("Runs", &table)
    )
}
