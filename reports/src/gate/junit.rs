//! JUnit XML in the dialect of Jenkins, as cargo-nextest writes it: a suite a gate, a case a rule.
//!
//! A rule that fails is a `failure`, one that the data cannot decide is `skipped` (a `failure` where inconclusive
//! counts as failing); the numbers stand in `system-out` and, for the suite, in `properties`.

use std::fmt::Write as _;

use vrrl_harness::gate::{advice, numbers, reason, tried, GateReport, Verdict};

use super::name;

/// Text for an element or a quoted attribute. What XML 1.0 forbids (most control characters, U+FFFE, U+FFFF) becomes
/// U+FFFD: a model's name may hold anything.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The report as one XML file.
#[must_use]
pub fn junit(report: &GateReport, inconclusive_fails: bool) -> String {
    let kind = |verdict: Verdict| match verdict {
        Verdict::Inconclusive if inconclusive_fails => Verdict::Fail,
        other => other,
    };
    let count = |verdict| report.rules.iter().filter(|rule| kind(rule.verdict) == verdict).count();
    let (failures, skipped) = (count(Verdict::Fail), count(Verdict::Inconclusive));
    let tests = report.rules.len();
    let suite = xml(&format!("vrrl gate: {}", name(&report.candidate.name)));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuites name=\"vrrl gate\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">\n  <testsuite \
         name=\"{suite}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n    <properties>"
    );
    let mut property = |key: &str, value: &str| {
        let _ = writeln!(out, "      <property name=\"{}\" value=\"{}\"/>", xml(key), xml(value));
    };
    property("verdict", &report.verdict.to_string());
    property("alpha", &report.alpha.to_string());
    property("baseline", &name(&report.baseline.name));
    property("baseline.hash", &report.baseline.hash);
    property("candidate.hash", &report.candidate.hash);
    for rule in &report.rules {
        let rule_name = name(&rule.name);
        property(&format!("{rule_name}.tested"), &rule.tested.value.to_string());
        property(&format!("{rule_name}.ci_low"), &rule.tested.ci_low.to_string());
        property(&format!("{rule_name}.ci_high"), &rule.tested.ci_high.to_string());
    }
    if let Some(attempts) = tried(&report.attempts) {
        property("attempts", &attempts);
    }
    out.push_str("    </properties>\n");
    for rule in &report.rules {
        let _ = writeln!(out, "    <testcase classname=\"{suite}\" name=\"{}\">", xml(&name(&rule.name)));
        let why = xml(&reason(rule, report));
        match (rule.verdict, kind(rule.verdict)) {
            (_, Verdict::Pass) => {}
            (_, Verdict::Inconclusive) => {
                let _ = writeln!(out, "      <skipped message=\"inconclusive: {why}\"/>");
            }
            (said, Verdict::Fail) => {
                let _ = writeln!(out, "      <failure message=\"{why}\" type=\"{said}\"/>");
            }
        }
        let more = advice(rule).map(|more| format!("\n{more}")).unwrap_or_default();
        let said = format!("{}\n{}{more}", numbers(rule), reason(rule, report));
        // In an element line ends may stand as they are.
        let said = xml(&said).replace("&#10;", "\n");
        let _ = writeln!(out, "      <system-out>{said}</system-out>\n    </testcase>");
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_forbids_is_gone() {
        assert_eq!(
            xml("a<b>&\"'\u{0}\u{1b}\u{ffff}\n"),
            "a&lt;b&gt;&amp;&quot;&apos;\u{fffd}\u{fffd}\u{fffd}&#10;"
        );
    }
}
