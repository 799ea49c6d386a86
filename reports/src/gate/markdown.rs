//! The report as Markdown: a step summary, a comment on a pull request.

use std::fmt::Write as _;

use vrrl_harness::gate::{advice, numbers, reason, tried, GateReport, Verdict};

use super::{name, place};

/// Untrusted text for a Markdown table cell: every character that could begin markup, HTML, a link, a mention or
/// another cell becomes a character reference.
pub(super) fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in name(text).chars() {
        if c.is_alphanumeric() || " -/,+()%=\u{2212}\u{fffd}…".contains(c) {
            out.push(c);
        } else {
            let _ = write!(out, "&#{};", u32::from(c));
        }
    }
    out
}

/// The whole report; whole rows are left out, and counted, where it would be longer than `limit` bytes.
#[must_use]
pub fn summary(report: &GateReport, limit: usize) -> String {
    let sign = match report.verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::Inconclusive => "❔",
    };
    let mut head = format!(
        "### {sign} Gate: {}\n\n{} against {}\n\n| rule | verdict | items | was | is | tested | {:.0} % interval | limit |\n\
         |---|---|---|---|---|---|---|---|\n",
        report.verdict,
        cell(&report.candidate.name),
        cell(&report.baseline.name),
        100.0 * (1.0 - 2.0 * report.alpha)
    );
    let mut tail = String::from("\n");
    if let Some(left) = &report.intersection {
        let _ = writeln!(
            tail,
            "Left out: {} items only in the baseline, {} only in the candidate, {} conflicting.\n",
            left.only_a, left.only_b, left.conflicting
        );
    }
    for what in &report.changed {
        let _ = writeln!(tail, "Changed, as allowed: {}\n", cell(what));
    }
    for what in &report.notes {
        let _ = writeln!(tail, "Note: {}\n", cell(what));
    }
    if let Some(attempts) = tried(&report.attempts) {
        let _ = writeln!(tail, "**{}**\n", cell(&attempts));
    }
    let mut left_out = 0;
    for rule in &report.rules {
        let was = rule.a.map(|a| format!("{:.3}", a.value)).unwrap_or_default();
        let tested = &rule.tested;
        let row = format!(
            "| {} | {} | {} | {was} | {:.3} | {:+.3} | {:+.3} to {:+.3} | {} {} |\n",
            cell(&rule.name),
            rule.verdict,
            rule.n,
            rule.b.value,
            tested.value,
            tested.ci_low,
            tested.ci_high,
            rule.bound.replace('_', " "),
            rule.amount
        );
        let more = (rule.verdict != Verdict::Pass).then(|| {
            let advice = advice(rule).map(|advice| format!(" {advice}.")).unwrap_or_default();
            format!(
                "- {} on {}: {}; {}.{}\n",
                rule.metric.word().replace('_', " "),
                cell(&place(rule)),
                cell_long(&numbers(rule)),
                cell_long(&reason(rule, report)),
                advice
            )
        });
        if head.len() + tail.len() + row.len() + more.as_ref().map_or(0, String::len) + 100 > limit {
            left_out += 1;
            continue;
        }
        head.push_str(&row);
        tail.push_str(&more.unwrap_or_default());
    }
    if left_out > 0 {
        let _ = writeln!(tail, "\n{left_out} rules do not fit here; see the JSON report.");
    }
    head + &tail
}

/// Words of our own with numbers: nothing in them is untrusted, but a `<` is still one.
fn cell_long(text: &str) -> String {
    text.replace('<', "&lt;").replace('|', "&#124;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_is_markup() {
        let evil = "a|b\n<script>alert(1)</script>`x`[l](http://e.vil) @all #1 **b** ~~s~~ \u{202e}x";
        let text = cell(evil);
        for c in ['|', '\n', '<', '>', '`', '[', ']', '*', '~', ':', '@', '\u{202e}'] {
            assert!(!text.contains(c), "{c:?} in {text}");
        }
        assert!(cell(&"x".repeat(5000)).chars().count() <= 201);
    }
}
