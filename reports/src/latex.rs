//! The table of a paper: a row a method, columns in and out of distribution, reflection, turns.

use std::fmt::Write as _;

use crate::group::{groups, Group};
use crate::leaderboard::{decodings, Columns};
use crate::run::{decoding_label, Metric, Run};
use crate::significance::{Column, Marks};

/// `leaderboard.tex`: one `table` a decoding, for `booktabs`. The best of a column is bold, with a dagger where the
/// second best is shown to be worse.
pub(crate) fn table(runs: &[Run], marks: &Marks) -> String {
    let columns = Columns::of(runs);
    let mut out = String::from("% \\usepackage{booktabs}\n");
    for decoding in decodings(runs) {
        let all = groups(runs, &decoding);
        let (id, ood) = (columns.id.len(), columns.ood.len());
        let average = usize::from(ood > 0);
        let delta = columns.delta();
        let width = id + ood + average + 2 * usize::from(delta.is_some());
        let _ = write!(
            out,
            "\\begin{{table}}[t]\n\\centering\n\\caption{{Accuracy (\\%), {}; $\\Delta_\\mathrm{{ref}}$ in points{}. \
             Best in bold; $\\dagger$: better than the second best, $p < 0.05$ after Holm over the columns.}}\n\
             \\begin{{tabular}}{{l{}}}\n\\toprule\n",
            escape(&decoding_label(&decoding)),
            delta.as_ref().map_or_else(String::new, |s| format!(", with turns, on {}", escape(columns.name(s)))),
            "r".repeat(width)
        );
        let group = |n: usize, name: &str| match n {
            0 => String::new(),
            n => format!(" & \\multicolumn{{{n}}}{{c}}{{{name}}}"),
        };
        let _ = write!(out, "{}{}", group(id, "ID"), group(ood + average, "OOD"));
        if delta.is_some() {
            out.push_str(" & \\multicolumn{2}{c}{Reflection}");
        }
        out.push_str(" \\\\\nMethod");
        for split in columns.all() {
            let _ = write!(out, " & {}", escape(columns.name(&split)));
        }
        if average == 1 {
            out.push_str(" & Avg.");
        }
        if delta.is_some() {
            out.push_str(" & $\\Delta_\\mathrm{ref}$ & Turns");
        }
        out.push_str(" \\\\\n\\midrule\n");
        for reference in [false, true] {
            let part: Vec<&Group<'_>> = all.iter().filter(|g| g.is_reference() == reference).collect();
            if reference && !part.is_empty() && part.len() < all.len() {
                out.push_str("\\midrule\n");
            }
            for row in part {
                out.push_str(&line(row, &columns, delta.as_deref(), &decoding, marks));
            }
        }
        out.push_str("\\bottomrule\n\\end{tabular}\n\\end{table}\n");
    }
    out
}

fn line(row: &Group<'_>, columns: &Columns, delta: Option<&str>, decoding: &str, marks: &Marks) -> String {
    let mut text = escape(&row.label);
    if row.runs.len() > 1 {
        let _ = write!(text, " ({} seeds)", row.runs.len());
    }
    let mut share = |value: Option<f64>, column: &Column| {
        let Some(value) = value else { return text.push_str(" & --") };
        let number = format!("{:.1}", value * 100.0);
        let number = if marks.best(decoding, column, &row.label) {
            let dagger = if marks.dagger(decoding, column, &row.label) { "$^\\dagger$" } else { "" };
            format!("\\textbf{{{number}}}{dagger}")
        } else {
            number
        };
        let _ = write!(text, " & {number}");
    };
    for split in columns.all() {
        let value = row.metric(&split, "accuracy").map(|m| m.value);
        share(value, &Column::Split(split));
    }
    if !columns.ood.is_empty() {
        share(row.mean(&columns.ood, "accuracy"), &Column::OodAverage);
    }
    if let Some(split) = delta {
        let plain =
            |m: Option<Metric>, of: fn(f64) -> String| m.map_or_else(|| "--".to_owned(), |m| of(m.value));
        let gain = plain(row.metric(split, "delta_ref"), |x| format!("${:+.1}$", x * 100.0));
        let turns = plain(row.metric(split, "turns_mean"), |x| format!("{x:.2}"));
        let _ = write!(text, " & {gain} & {turns}");
    }
    text + " \\\\\n"
}

/// Text that LaTeX prints as it is. Control characters go; arrows become mathematics.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\textbackslash{}"),
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '→' => out.push_str("$\\rightarrow$"),
            '×' => out.push_str("$\\times$"),
            'Δ' => out.push_str("$\\Delta$"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn hostile_names_are_text() {
        assert_eq!(escape("a_b & 5% {x}\\input{f}"), "a\\_b \\& 5\\% \\{x\\}\\textbackslash{}input\\{f\\}");
        assert_eq!(
            escape("SFT → GRPO\n<~^>"),
            "SFT $\\rightarrow$ GRPO \\textless{}\\textasciitilde{}\\textasciicircum{}\\textgreater{}"
        );
    }
}
