//! A gate's report for a terminal.

use vrrl_harness_stats::{Difference, Estimate};

use super::attempts::tried;
use super::metric::Scale;
use super::report::{GateReport, RuleReport, Verdict};

/// The verdict, a paragraph a rule, what was left out, and earlier attempts. Names come from files: they are printed
/// without control characters.
#[must_use]
pub fn gate_text(report: &GateReport) -> String {
    let (a, b) = (plain(&report.baseline.name), plain(&report.candidate.name));
    let mut lines = vec![format!("{}: {b} against {a}", report.verdict)];
    for rule in &report.rules {
        lines.push(format!("  {}: {}", rule.verdict, plain(&rule.name)));
        lines.push(format!("    {}", numbers(rule)));
        lines.push(format!("    {}", reason(rule, report)));
        if let Some(advice) = advice(rule) {
            lines.push(format!("    {advice}"));
        }
    }
    if let Some(left) = &report.intersection {
        lines.push(format!(
            "left out: {} items only in the baseline, {} only in the candidate, {} equal duplicate lines, {} items with \
             conflicting lines",
            left.only_a, left.only_b, left.duplicates, left.conflicting
        ));
    }
    lines.extend(report.changed.iter().map(|what| format!("changed, as allowed: {}", plain(what))));
    lines.extend(report.notes.iter().map(|what| format!("note: {}", plain(what))));
    lines.extend(tried(&report.attempts));
    lines.join("\n")
}

/// Text from a file without what a terminal or a reader could take for a command.
#[must_use]
pub fn plain(text: &str) -> String {
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if odd(c) { '\u{fffd}' } else { c }).collect()
}

fn number(rule: &RuleReport, x: f64) -> String {
    if rule.metric.scale() == Scale::Count {
        format!("{x:.2}")
    } else {
        format!("{x:.3}")
    }
}

fn signed(rule: &RuleReport, x: f64) -> String {
    if rule.metric.scale() == Scale::Count {
        format!("{x:+.2}")
    } else {
        format!("{x:+.3}")
    }
}

/// What was seen, in one line.
#[must_use]
pub fn numbers(rule: &RuleReport) -> String {
    let Difference { value, ci_low, ci_high, .. } = rule.tested;
    let level = 100.0 * rule.level;
    match rule.a {
        Some(Estimate { value: a, .. }) => format!(
            "{} items; {} was {}, is {}; difference {} ({level:.0} % interval {} to {})",
            rule.n,
            rule.metric,
            number(rule, a),
            number(rule, rule.b.value),
            signed(rule, value),
            signed(rule, ci_low),
            signed(rule, ci_high)
        ),
        None => format!(
            "{} items; {} is {} ({level:.0} % interval {} to {})",
            rule.n,
            rule.metric,
            number(rule, value),
            number(rule, ci_low),
            number(rule, ci_high)
        ),
    }
}

/// Why the rule comes to what it comes to.
#[must_use]
pub fn reason(rule: &RuleReport, report: &GateReport) -> String {
    let limit = if rule.a.is_some() { signed(rule, rule.limit) } else { number(rule, rule.limit) };
    let bad = if rule.bound == "max_drop" || rule.bound == "at_least" { "below" } else { "above" };
    let good = if bad == "below" { "above" } else { "below" };
    let several = if report.rules.len() > 1 {
        format!(" (p {}, Holm over {} rules {})", p(rule.p_fail), report.rules.len(), p(rule.p_fail_holm))
    } else {
        format!(" (one-sided p {})", p(rule.p_fail))
    };
    match rule.verdict {
        Verdict::Fail => format!("the interval lies wholly {bad} the limit {limit}{several}"),
        Verdict::Pass => {
            format!("the interval lies wholly {good} the limit {limit} (one-sided p {})", p(rule.p_pass))
        }
        Verdict::Inconclusive if rule.p_fail <= report.alpha => {
            format!("the interval lies {bad} the limit {limit}, but not surely enough for one of several rules{several}")
        }
        Verdict::Inconclusive => {
            format!("the limit {limit} lies inside the interval: these items cannot tell")
        }
    }
}

/// What could decide an inconclusive rule; what a passing one would have caught.
#[must_use]
pub fn advice(rule: &RuleReport) -> Option<String> {
    let mde = || rule.mde.map(|mde| if rule.a.is_some() { signed(rule, mde) } else { number(rule, mde) });
    match rule.verdict {
        Verdict::Fail => None,
        Verdict::Pass => mde().map(|mde| format!("a true value of {mde} would have failed with 80 % chance")),
        Verdict::Inconclusive => {
            let seen = match rule.n_to_decide {
                Some(n) => format!("{n} items would decide with 80 % chance if the truth is what was seen"),
                None => "what was seen is the limit itself, which no number of items decides".to_owned(),
            };
            let equal = rule
                .n_if_equal
                .map(|n| format!("; {n} items would pass with 80 % chance if in truth nothing changed"))
                .unwrap_or_default();
            Some(format!("{seen}{equal}"))
        }
    }
}

/// A p value with two digits that count.
fn p(p: f64) -> String {
    match p {
        p if p >= 1.0 => "> 0.5".into(),
        p if p < 1e-4 => "< 0.0001".into(),
        p if p < 0.01 => format!("{p:.4}"),
        p => format!("{p:.3}"),
    }
}
