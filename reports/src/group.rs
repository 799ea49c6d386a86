//! Runs of one method under one decoding, pooled over training seeds.

use crate::run::{method_label, method_rank, stem, Metric, Run, SplitResult};

/// Training seeds of one method under one decoding.
#[derive(Clone)]
pub(crate) struct Group<'r> {
    /// Name for people.
    pub label: String,
    /// Method.
    pub method: String,
    /// [`Run::condition`] of all its runs.
    pub condition: String,
    /// Runs, by training seed.
    pub runs: Vec<&'r Run>,
}

/// Groups the runs of one decoding, in table order.
pub(crate) fn groups<'r>(runs: &'r [Run], decoding: &str) -> Vec<Group<'r>> {
    let mut all: Vec<Group<'r>> = Vec::new();
    for run in runs.iter().filter(|r| r.decoding == decoding) {
        let name = stem(&run.model);
        match all.iter_mut().find(|g| {
            g.method == run.method && g.condition == run.condition && stem(&g.runs[0].model) == name
        }) {
            Some(group) => group.runs.push(run),
            None => {
                let plain = name.replace('-', "_") == run.method;
                let label = match run.method.as_str() {
                    "reference" | "external" => name.to_owned(),
                    method if plain => method_label(method),
                    method => format!("{} ({name})", method_label(method)),
                };
                let label = match run.condition.as_str() {
                    "" => label,
                    condition => format!("{label}, {condition}"),
                };
                let (method, condition) = (run.method.clone(), run.condition.clone());
                all.push(Group { label, method, condition, runs: vec![run] });
            }
        }
    }
    for group in &mut all {
        group.runs.sort_by_key(|r| (r.train_seed, r.id.clone()));
    }
    all.sort_by_key(|g| (method_rank(&g.method), g.method.clone()));
    all
}

impl Group<'_> {
    /// Whether this row is no learned policy.
    pub(crate) fn is_reference(&self) -> bool {
        self.method == "reference"
    }

    /// This split in every run that has it.
    pub(crate) fn splits(&self, split: &str) -> Vec<&SplitResult> {
        self.runs.iter().flat_map(|r| &r.splits).filter(|s| s.split == split).collect()
    }

    /// A metric of a split, pooled over training seeds.
    pub(crate) fn metric(&self, split: &str, key: &str) -> Option<Metric> {
        let metrics: Vec<Metric> = self.splits(split).iter().filter_map(|s| s.metric(key)).collect();
        // A seed that lacks the number would silently change what is averaged.
        let pooled = (metrics.len() == self.runs.len()).then(|| pool(&metrics)).flatten()?;
        let (low, high) = range(key);
        Some(Metric { ci: pooled.ci.map(|(l, h)| (l.max(low), h.min(high))), ..pooled })
    }

    /// Mean of a metric over splits, without an interval: the splits are not one sample.
    pub(crate) fn mean(&self, splits: &[String], key: &str) -> Option<f64> {
        let values: Option<Vec<f64>> = splits.iter().map(|s| Some(self.metric(s, key)?.value)).collect();
        mean(&values?)
    }

    /// A curve over turns, averaged over training seeds; a seed that ends early carries its last value on
    /// (`carry`) or counts as 0.
    pub(crate) fn curve(&self, split: &str, pick: impl Fn(&SplitResult) -> &[f64], carry: bool) -> Vec<f64> {
        let splits = self.splits(split);
        let curves: Vec<&[f64]> = splits.iter().map(|s| pick(s)).filter(|c| !c.is_empty()).collect();
        let turns = curves.iter().map(|c| c.len()).max().unwrap_or(0);
        (0..turns)
            .filter_map(|t| {
                let at = |c: &[f64]| c.get(t).or(if carry { c.last() } else { None }).copied().unwrap_or(0.0);
                mean(&curves.iter().map(|c| at(c)).collect::<Vec<_>>())
            })
            .collect()
    }
}

/// Arithmetic mean; `None` of nothing.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Mean over training seeds. One seed keeps its own interval. Several get the wider, on each side, of the
/// mean of their own ends (the examples are shared, so more seeds do not average their noise away) and the
/// 95 % t interval over seeds (so that seeds that differ show it).
pub(crate) fn pool(metrics: &[Metric]) -> Option<Metric> {
    if let [one] = metrics {
        return Some(*one);
    }
    let values: Vec<f64> = metrics.iter().map(|m| m.value).collect();
    let value = mean(&values)?;
    let lows: Option<Vec<f64>> = metrics.iter().map(|m| m.ci.map(|ci| ci.0)).collect();
    let highs: Option<Vec<f64>> = metrics.iter().map(|m| m.ci.map(|ci| ci.1)).collect();
    let ci = match (lows, highs) {
        (Some(lows), Some(highs)) => {
            let k = values.len() as f64;
            let variance = values.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (k - 1.0);
            let half = t95(values.len() - 1) * (variance / k).sqrt();
            Some(((value - half).min(mean(&lows)?), (value + half).max(mean(&highs)?)))
        }
        _ => None,
    };
    Some(Metric { value, ci })
}

/// What a metric can be at all; a t interval over few seeds does not know.
fn range(key: &str) -> (f64, f64) {
    match key {
        "delta_ref" => (-1.0, 1.0),
        _ if key.contains("accuracy") || key.contains("success") || key.contains("rate") => (0.0, 1.0),
        _ => (0.0, f64::INFINITY),
    }
}

/// 97.5 % quantile of Student's t, tabulated; beyond the table, the next smaller entry (wider, never
/// narrower, than the truth).
fn t95(freedom: usize) -> f64 {
    const TABLE: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    TABLE[freedom.clamp(1, TABLE.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_keeps_its_interval_and_several_widen_it() {
        let m = |value: f64| Metric { value, ci: Some((value - 0.02, value + 0.03)) };
        assert_eq!(pool(&[m(0.5)]), Some(m(0.5)));
        assert_eq!(pool(&[]), None);
        let equal = pool(&[m(0.5), m(0.5), m(0.5)]).unwrap();
        assert_eq!(equal.ci, Some((0.48, 0.53)));
        // values .4, .5, .6: sd .1, half = 4.303 * .1 / sqrt(3) = .24844
        let (low, high) = pool(&[m(0.4), m(0.5), m(0.6)]).unwrap().ci.unwrap();
        assert!((low - 0.251_57).abs() < 1e-4 && (high - 0.748_43).abs() < 1e-4, "{low} {high}");
    }
}
