//! A gate's report for CI, with names that want to be more than names.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use quick_xml::events::Event;
use quick_xml::Reader;
use vrrl_harness::gate::{gate, Amount, GateConfig, GateReport, Metric, Rule, Side};
use vrrl_harness::Item;
use vrrl_reports::gate::{
    annotations, bencher, bigger_is_better, gate_markdown, junit, outputs, SUMMARY_LIMIT,
};

const EVIL: [&str; 6] = [
    "</testcase><script>alert(1)</script>",
    "a|b\n\n# head\r::error::forged",
    "\u{0}\u{1b}[31m\u{7}\u{ffff}\u{202e}",
    "]]><!-- & \" ' %0A",
    "=cmd|' /C calc'!A0",
    "[x](javascript:alert(1)) `y` **z** @all",
];

/// A gate with a rule for each evil split; every verdict occurs.
fn evil() -> GateReport {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for (number, split) in EVIL.iter().enumerate() {
        for i in 0..300 {
            let item = |correct| Item {
                split: (*split).into(),
                id: i.to_string(),
                repeat: 0,
                role: None,
                correct,
                correct_first: None,
            };
            a.push(item(true));
            // Drops of 0, 2, 4, ... of 300 items.
            b.push(item(i >= 10 * number));
        }
    }
    let rule =
        Rule { metric: Metric::Accuracy, each_split: true, max_drop: Some(Amount(0.04)), ..Rule::usual() };
    let config = GateConfig { rules: vec![rule], ..GateConfig::default() };
    gate(&config, &Side::of_items(EVIL[0], a), &Side::of_items("<b>", b), false).unwrap()
}

#[test]
fn junit_is_xml_and_counts() {
    let report = evil();
    for strict in [false, true] {
        let text = junit(&report, strict);
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(text.chars().all(allowed), "XML 1.0 forbids {:?}", text.chars().find(|c| !allowed(*c)));
        let mut reader = Reader::from_str(&text);
        reader.config_mut().check_end_names = true;
        let (mut cases, mut failures, mut skipped, mut open) = (0, 0, 0, 0);
        loop {
            match reader.read_event().unwrap() {
                Event::Start(tag) | Event::Empty(tag) => {
                    let known = [
                        "testsuites",
                        "testsuite",
                        "properties",
                        "property",
                        "testcase",
                        "failure",
                        "skipped",
                        "system-out",
                    ];
                    let name = String::from_utf8(tag.name().as_ref().to_vec()).unwrap();
                    assert!(known.contains(&name.as_str()), "{name}");
                    tag.attributes().for_each(|attribute| {
                        assert!(attribute.unwrap().decode_and_unescape_value(reader.decoder()).is_ok())
                    });
                    cases += usize::from(name == "testcase");
                    failures += usize::from(name == "failure");
                    skipped += usize::from(name == "skipped");
                    open += 1;
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let count = |word: &str| report.rules.iter().filter(|rule| rule.verdict.to_string() == word).count();
        assert!(count("pass") > 0 && count("fail") > 0 && count("inconclusive") > 0, "{report:?}");
        let undecided = count("inconclusive");
        let wanted = if strict { (count("fail") + undecided, 0) } else { (count("fail"), undecided) };
        assert_eq!((cases, (failures, skipped)), (6, wanted));
        assert!(open > 20 && text.contains(&format!("failures=\"{}\"", wanted.0)));
    }
}

#[test]
fn markdown_stays_a_table_and_fits() {
    let report = evil();
    let text = gate_markdown(&report, SUMMARY_LIMIT);
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 2 + 6);
    assert!(rows.iter().all(|row| row.matches('|').count() == 9), "{text}");
    for word in ["<script", "<b>", "[x]", "`y`", "**z**", "@all", "javascript:", "\u{1b}", "# head"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    assert!(text.lines().filter(|line| line.starts_with('#')).count() == 1);
    for limit in [0, 1000, 2000, 4000] {
        let cut = gate_markdown(&report, limit);
        assert!(limit < 2000 || cut.len() <= limit, "{} of {limit}", cut.len());
        assert!(limit > 2000 || cut.contains("rules do not fit here"), "{limit}");
    }
}

#[test]
fn annotations_are_single_lines_within_the_limits() {
    let mut report = evil();
    let lines = annotations(&report, false);
    assert!(lines.iter().all(|line| !line.contains(['\n', '\r', '\u{0}', '\u{1b}'])), "{lines:?}");
    let starts = |lines: &[String], word: &str| lines.iter().filter(|line| line.starts_with(word)).count();
    assert_eq!(starts(&lines, "::error title=gate fail%3A "), 4, "{lines:?}");
    // Titles hold neither a colon nor a comma of a name.
    for line in &lines {
        let title = line.split("::").nth(1).unwrap();
        assert!(!title.contains(',') && !title.contains(':'), "{title}");
    }
    report.rules = report.rules.iter().cycle().take(90).cloned().collect();
    for strict in [false, true] {
        let lines = annotations(&report, strict);
        assert!(starts(&lines, "::error ") <= 10 && starts(&lines, "::warning ") <= 10, "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("more rules")));
    }
}

#[test]
fn outputs_and_metrics_are_plain() {
    let report = evil();
    let text = outputs(&report);
    let keys: Vec<&str> = text.lines().map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(keys, ["verdict", "delta", "ci_low", "ci_high", "n", "attempt"]);
    assert!(text.starts_with("verdict=fail\n"));
    let bencher = bencher(&report);
    for rule in &report.rules {
        let place =
            bencher.as_object().unwrap().values().find(|m| m["accuracy"]["value"] == rule.b.value).unwrap();
        assert_eq!(place["accuracy_difference"]["lower_value"], rule.tested.ci_low);
    }
    let bigger = bigger_is_better(&report);
    assert_eq!(bigger.as_array().unwrap().len(), 6);
    assert!(bigger
        .as_array()
        .unwrap()
        .iter()
        .all(|entry| entry["unit"] == "accuracy" && entry["value"].is_number()));
    assert!(!bigger.to_string().contains("\\u001b"));
}
