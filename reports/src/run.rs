//! What the report knows of one run, whatever the files looked like.

use std::collections::BTreeMap;
use std::path::PathBuf;

use vrrl_harness::Severity;
use vrrl_harness_core::{Dialect, Role, TaskKind};

use crate::slices::Slices;
use crate::traces::Sampled;

/// A number, with its 95 % interval where it has one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Metric {
    /// The estimate.
    pub value: f64,
    /// Lower and upper end of the interval.
    pub ci: Option<(f64, f64)>,
}

/// The four cells of first × final, as shares of the episodes without faults.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Matrix {
    /// First answer right, final right.
    pub kept_right: f64,
    /// First answer wrong, final right.
    pub fixed: f64,
    /// First answer right, final wrong.
    pub broken: f64,
    /// Wrong before and after.
    pub kept_wrong: f64,
}

/// One split of one run.
#[derive(Clone, Debug)]
pub struct SplitResult {
    /// Full name.
    pub split: String,
    /// Task; absent where another harness asked something else.
    pub task: Option<TaskKind>,
    /// Role, where the run says.
    pub role: Option<Role>,
    /// Name of the shift; empty in distribution.
    pub shift: String,
    /// How far.
    pub severity: Severity,
    /// Hash of the split's data.
    pub dataset_hash: String,
    /// Episodes without faults.
    pub n: u64,
    /// Turn language.
    pub dialect: Dialect,
    /// Every scalar of the summary by its key.
    pub metrics: BTreeMap<String, Metric>,
    /// Share right after turn 1, 2, ...; answers carried forward.
    pub accuracy_by_turn: Vec<f64>,
    /// Share of episodes that reach turn 1, 2, ...
    pub reached_turn: Vec<f64>,
}

impl SplitResult {
    /// The part after the last slash.
    #[must_use]
    pub fn short(&self) -> &str {
        self.split.rsplit('/').next().unwrap_or(&self.split)
    }

    /// A metric by its key.
    #[must_use]
    pub fn metric(&self, key: &str) -> Option<Metric> {
        self.metrics.get(key).copied()
    }

    /// First × final as shares of the episodes without faults; `None` without episodes.
    #[must_use]
    pub fn matrix(&self) -> Option<Matrix> {
        let get = |key| self.metric(key).map(|m| m.value);
        let (right, fixed, broken, wrong) =
            (get("kept_right")?, get("fixed")?, get("broken")?, get("kept_wrong")?);
        let all = right + fixed + broken + wrong;
        (all > 0.0).then(|| Matrix {
            kept_right: right / all,
            fixed: fixed / all,
            broken: broken / all,
            kept_wrong: wrong / all,
        })
    }
}

/// One run: one policy under one decoding.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its directory.
    pub dir: PathBuf,
    /// Its id, as the run says.
    pub id: String,
    /// MODEL without its folder.
    pub model: String,
    /// `base`, `multi_sft`, ..., `reference`, `external`.
    pub method: String,
    /// Training seed, where there is one.
    pub train_seed: Option<u64>,
    /// Backend that really ran.
    pub backend: String,
    /// Engine and version that really ran.
    pub engine: String,
    /// Hash of everything that decides replies.
    pub fingerprint: String,
    /// `t1`, `greedy`, `t0.7`, ...
    pub decoding: String,
    /// What was shown as feedback, where it is not the usual: `control blank`, `whole feedback`, ...; else
    /// empty.
    pub condition: String,
    /// Hash of the resolved configuration.
    pub config_hash: String,
    /// Code version.
    pub code_version: String,
    /// Day it ran.
    pub date: String,
    /// Machine, in words.
    pub machine: String,
    /// Splits, in the run's order.
    pub splits: Vec<SplitResult>,
    /// A bounded sample of its episodes.
    pub episodes: Vec<Sampled>,
    /// Tallies by split and by facts of the examples; empty without traces or scores.
    pub slices: Slices,
    /// What the page must say about missing pieces.
    pub gaps: Vec<String>,
}

/// Methods in the order of every table; others follow by name, references come last.
const METHODS: [(&str, &str); 14] = [
    ("base", "Base"),
    ("single_sft", "Single-SFT"),
    ("multi_sft", "Multi-SFT"),
    ("reflection_tuning", "Reflection Tuning"),
    ("single_sft_grpo", "Single-SFT → GRPO"),
    ("multi_sft_grpo", "Multi-SFT → GRPO"),
    ("grpo_rtm", "GRPO + RTM"),
    ("grpo_bri", "GRPO + BRI"),
    ("grpo_rtm_bri", "GRPO + RTM + BRI"),
    ("grpo_reflection", "GRPO + reflection reward"),
    ("vrrl_distance", "VRRL, distance shaping"),
    ("vrrl", "VRRL"),
    ("external", "External"),
    ("reference", "Reference"),
];

/// The method's name for people.
#[must_use]
pub fn method_label(method: &str) -> String {
    METHODS
        .iter()
        .find(|(key, _)| *key == method)
        .map_or_else(|| method.replace('_', " "), |(_, label)| (*label).to_owned())
}

/// Place of a method in every table.
pub(crate) fn method_rank(method: &str) -> usize {
    match METHODS.iter().position(|(key, _)| *key == method) {
        // The last two are no methods.
        Some(place) if place + 2 < METHODS.len() => place,
        Some(place) => place + 100,
        None => 50,
    }
}

/// Primary decoding first: `t1`, then `greedy`, then the rest by name.
pub(crate) fn decoding_rank(decoding: &str) -> (usize, String) {
    let place = match decoding {
        "t1" => 0,
        "greedy" => 1,
        _ => 2,
    };
    (place, decoding.to_owned())
}

/// A decoding for people.
pub(crate) fn decoding_label(decoding: &str) -> String {
    match decoding {
        "greedy" => "greedy".into(),
        _ => match decoding.strip_prefix('t').and_then(|t| t.parse::<f64>().ok()) {
            Some(t) => format!("temperature {t}"),
            None => decoding.to_owned(),
        },
    }
}

/// The model's name without a backend prefix and without its training seed (`candle:vrrl-s1` → `vrrl`).
pub(crate) fn stem(model: &str) -> &str {
    let name = model.rsplit(['/', ':']).next().unwrap_or(model);
    match name.rsplit_once("-s") {
        Some((stem, seed)) if !seed.is_empty() && seed.bytes().all(|b| b.is_ascii_digit()) => stem,
        _ => name,
    }
}

impl Run {
    /// The model's name with what it was shown as feedback, where that is not the usual.
    pub(crate) fn shown_model(&self) -> String {
        bracketed(&self.model, &self.condition)
    }
}

/// A model's name with what it was shown as feedback, where that is not the usual.
pub(crate) fn bracketed(model: &str, condition: &str) -> String {
    if condition.is_empty() {
        model.to_owned()
    } else {
        format!("{model} [{condition}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_drop_backend_folder_and_seed() {
        for (model, want) in [
            ("candle:vrrl-s1", "vrrl"),
            ("vrrl", "vrrl"),
            ("multi_sft-s12", "multi_sft"),
            ("single-sft", "single-sft"),
            ("noisy-s", "noisy-s"),
        ] {
            assert_eq!(stem(model), want);
        }
    }

    #[test]
    fn references_come_last_and_unknown_methods_in_between() {
        let mut names = ["reference", "srpo", "vrrl", "base", "external"];
        names.sort_by_key(|m| method_rank(m));
        assert_eq!(names, ["base", "vrrl", "srpo", "external", "reference"]);
    }

    #[test]
    fn decodings_read_as_words() {
        assert_eq!(decoding_label("t0.7"), "temperature 0.7");
        assert_eq!(decoding_label("greedy"), "greedy");
        assert!(decoding_rank("t1") < decoding_rank("greedy"));
    }
}
