//! A run's splits for services that keep series: Bencher's metric format, and the `customBiggerIsBetter` list of
//! github-action-benchmark.

use serde_json::{json, Map, Value};

use crate::run::{decoding_label, Metric, Run};

/// Longest name that is written, in characters.
const LONGEST: usize = 200;

/// Measures of which bigger is better.
const BIGGER: [&str; 8] = [
    "accuracy",
    "accuracy_well_formed",
    "first_accuracy",
    "delta_ref",
    "strict_success",
    "lenient_success",
    "pass_at_k",
    "reliability",
];

/// `{benchmark: {measure: {value, lower_value, upper_value}}}`: a benchmark is a split, a measure a key of the summary;
/// bounds are those of the 95 % interval, absent where there is none. Counts (of the 2×2) are left out.
pub(super) fn bencher(run: &Run) -> Value {
    let mut all = Map::new();
    for split in &run.splits {
        let mut measures = Map::new();
        for (key, metric) in &split.metrics {
            if ["fixed", "broken", "kept_right", "kept_wrong"].contains(&key.as_str())
                || !metric.value.is_finite()
            {
                continue;
            }
            let mut entry = json!({ "value": metric.value });
            if let Some((low, high)) = bounds(metric) {
                entry["lower_value"] = json!(low);
                entry["upper_value"] = json!(high);
            }
            measures.insert(key.clone(), entry);
        }
        all.insert(name(&split.split), Value::Object(measures));
    }
    Value::Object(all)
}

/// `[{name, unit, value, range, extra}]`: the measures of which bigger is better, as shares. The range is the larger half
/// of the 95 % interval; both ends stand in `extra`.
pub(super) fn bigger_is_better(run: &Run) -> Value {
    let mut all = Vec::new();
    for split in &run.splits {
        for key in BIGGER {
            let Some(metric) = split.metric(key).filter(|m| m.value.is_finite()) else { continue };
            let mut entry = json!({
                "name": format!("{}: {}", name(&run.shown_model()), name(&split.split)),
                "unit": key,
                "value": metric.value,
                "extra": format!("n = {}, {}", split.n, name(&decoding_label(&run.decoding))),
            });
            if let Some((low, high)) = bounds(&metric) {
                let half = (metric.value - low).max(high - metric.value);
                entry["range"] = json!(format!("± {half:.4}"));
                entry["extra"] = json!(format!(
                    "n = {}, {}, 95 % interval {low:.4} to {high:.4}",
                    split.n,
                    name(&decoding_label(&run.decoding))
                ));
            }
            all.push(entry);
        }
    }
    Value::Array(all)
}

fn bounds(metric: &Metric) -> Option<(f64, f64)> {
    metric.ci.filter(|(low, high)| low.is_finite() && high.is_finite())
}

/// On one line, of a length that any reader takes.
fn name(text: &str) -> String {
    let plain: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .into();
    if plain.is_empty() {
        "unnamed".into()
    } else {
        plain
    }
}
