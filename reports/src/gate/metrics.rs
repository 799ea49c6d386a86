//! Values for services that keep series: Bencher's metric format, and the `customBiggerIsBetter` list of
//! github-action-benchmark.

use serde_json::{json, Map, Value};
use vrrl_harness::gate::{GateReport, Metric};

use super::{name, place};

/// `{benchmark: {measure: {value, lower_value, upper_value}}}`: the candidate's values with 95 % intervals, and, for
/// rules on a difference, the difference with the gate's own interval.
#[must_use]
pub fn bencher(report: &GateReport) -> Value {
    let mut all = Map::new();
    for rule in &report.rules {
        let entry = all.entry(place(rule)).or_insert_with(|| json!({}));
        let Some(measures) = entry.as_object_mut() else { continue };
        let metric = |value: f64, low: f64, high: f64| json!({"value": value, "lower_value": low, "upper_value": high});
        let (b, tested) = (&rule.b, &rule.tested);
        measures.insert(rule.metric.word().into(), metric(b.value, b.ci_low, b.ci_high));
        if rule.a.is_some() {
            let name = format!("{}_difference", rule.metric);
            measures.insert(name, metric(tested.value, tested.ci_low, tested.ci_high));
        }
    }
    Value::Object(all)
}

/// `[{name, unit, value, range, extra}]`. Rates of what should be rare are turned round (1 − rate), so that bigger is
/// better; counts (turns, proposals, tokens), of which neither end is better, are left out.
#[must_use]
pub fn bigger_is_better(report: &GateReport) -> Value {
    let entries = report.rules.iter().filter_map(|rule| {
        let turned = match rule.metric {
            Metric::TurnsMean | Metric::ProposalsMean | Metric::CompletionTokensPerEpisode => return None,
            Metric::FormatFaultRate | Metric::TurnLimitRate => true,
            _ => false,
        };
        let b = &rule.b;
        let (value, unit) = if turned {
            (1.0 - b.value, format!("1 - {}", rule.metric))
        } else {
            (b.value, rule.metric.to_string())
        };
        let half = (b.ci_high - b.ci_low) / 2.0;
        Some(json!({
            "name": format!("{}: {}", name(&report.candidate.name), place(rule)),
            "unit": unit,
            "value": value,
            "range": format!("± {half:.4}"),
            "extra": format!("n={}, {}, {}", rule.n, rule.verdict, name(&rule.name)),
        }))
    });
    Value::Array(entries.collect())
}
