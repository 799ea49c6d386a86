//! GitHub Actions: annotations, step outputs; the step summary is Markdown of [`super::gate_markdown`].

use vrrl_harness::gate::{advice, numbers, reason, GateReport, Verdict};

use super::name;

/// Most bytes of a step's summary: above 1024 KiB the whole upload is dropped.
pub const SUMMARY_LIMIT: usize = 1024 * 1024;
/// Most errors, and most warnings, that a step shows; the rest would vanish in silence.
const SHOWN: usize = 10;

/// The message of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// One line a rule that did not pass: errors for failures, warnings for what the data cannot decide. No more than a step
/// shows; the last line then says how many are missing.
#[must_use]
pub fn annotations(report: &GateReport, inconclusive_fails: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for (command, verdict) in [("error", Verdict::Fail), ("warning", Verdict::Inconclusive)] {
        let command = if verdict == Verdict::Inconclusive && inconclusive_fails { "error" } else { command };
        let all: Vec<_> = report.rules.iter().filter(|rule| rule.verdict == verdict).collect();
        let room = SHOWN.saturating_sub(
            lines.iter().filter(|line: &&String| line.starts_with(&format!("::{command} "))).count(),
        );
        let shown = if all.len() > room { room.saturating_sub(1) } else { all.len() };
        for rule in &all[..shown] {
            let title = property(&format!("gate {verdict}: {}", name(&rule.name)));
            let more = advice(rule).map(|more| format!("\n{more}")).unwrap_or_default();
            let text = data(&format!("{}\n{}{more}", numbers(rule), reason(rule, report)));
            lines.push(format!("::{command} title={title}::{text}"));
        }
        if shown < all.len() && room > 0 {
            lines.push(format!(
                "::{command} title=gate {verdict}::and {} more rules; see the summary",
                all.len() - shown
            ));
        }
    }
    lines
}

/// Lines for `$GITHUB_OUTPUT`: words and numbers of our own alone, so that no name can forge a line. `delta` and its
/// interval are those of the first rule that is not passed, else of the first.
#[must_use]
pub fn outputs(report: &GateReport) -> String {
    let telling = report.rules.iter().find(|rule| rule.verdict == report.verdict).or(report.rules.first());
    let mut lines = vec![format!("verdict={}", report.verdict)];
    if let Some(rule) = telling {
        lines.push(format!("delta={}", rule.tested.value));
        lines.push(format!("ci_low={}", rule.tested.ci_low));
        lines.push(format!("ci_high={}", rule.tested.ci_high));
        lines.push(format!("n={}", rule.n));
    }
    lines.push(format!("attempt={}", report.attempts.len().max(1)));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_cannot_be_forged() {
        assert_eq!(data("100 %\r\n::error::x"), "100 %25%0D%0A::error::x");
        assert_eq!(property("a:b,c\n"), "a%3Ab%2Cc%0A");
    }
}
