//! Does a policy look at its feedback? Runs under the grounding controls beside the run with its own feedback.
//!
//! Everything stays as it is but what is shown after a proposal. What the real run gains over `blank` (nothing to
//! see) and over `swapped` (another example's feedback) came from looking; `oracle` (a right answer, drawn) bounds
//! what feedback could be worth. A policy that ignores the picture shows about zero throughout.

use serde::{Deserialize, Serialize};
use vrrl_harness_core::{Control, Seed};
use vrrl_harness_stats::{Difference, Estimate};

use super::{compare, Item, Reflection, ALL};
use crate::{Error, Result};

/// One control beside the real feedback, over all items.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Gap {
    /// The control.
    pub control: Control,
    /// Accuracy under it.
    pub accuracy: Estimate,
    /// What reflecting did under it; absent where an episode has no first answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reflection: Option<Reflection>,
    /// Accuracy with real feedback − accuracy under the control, paired.
    pub gap: Difference,
    /// Exact McNemar (where items repeat: sign-flip permutation), two-sided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// The same difference of Δref, paired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_ref_gap: Option<Difference>,
}

/// The run with real feedback, and every control beside it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Gaps {
    /// Items of each run.
    pub n: usize,
    /// Accuracy with real feedback.
    pub accuracy: Estimate,
    /// What reflecting did with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reflection: Option<Reflection>,
    /// One per control, in the order given.
    pub controls: Vec<Gap>,
    /// The finding in words.
    pub sentence: String,
}

/// Compares the run with real feedback with runs under controls, over the same items.
///
/// # Errors
/// Items that do not pair, or no control.
pub fn gaps(real: &[Item], controls: &[(Control, Vec<Item>)], seed: Seed) -> Result<Gaps> {
    let mut found: Option<Gaps> = None;
    for (control, items) in controls {
        let mut report = compare(items, real, false, seed)?;
        let all = report.splits.pop().filter(|row| row.split == ALL);
        let all = all.ok_or_else(|| Error::Unmatched("no items to compare".into()))?;
        let p = all.p();
        let (under, with, delta_ref_gap) = match all.delta_ref {
            Some(delta) => (Some(delta.a), Some(delta.b), Some(delta.diff)),
            None => (None, None, None),
        };
        let gap =
            Gap { control: *control, accuracy: all.a, reflection: under, gap: all.diff, p, delta_ref_gap };
        let gaps = found.get_or_insert_with(|| Gaps {
            n: all.n,
            accuracy: all.b,
            reflection: with,
            controls: Vec::new(),
            sentence: String::new(),
        });
        gaps.controls.push(gap);
    }
    let mut gaps = found.ok_or_else(|| Error::Unmatched("no control to compare with".into()))?;
    gaps.sentence = finding(&gaps);
    Ok(gaps)
}

fn finding(gaps: &Gaps) -> String {
    let of = |control| gaps.controls.iter().find(|gap| gap.control == control);
    let points = |d: &Difference| {
        let [value, low, high] = [d.value, d.ci_low, d.ci_high].map(|share| 100.0 * share);
        format!("{value:+.1} points ({low:+.1} to {high:+.1})")
    };
    let mut parts = Vec::new();
    for (control, words) in
        [(Control::Blank, "an empty picture"), (Control::Swapped, "another example's feedback")]
    {
        if let Some(gap) = of(control) {
            let looks = if gap.gap.ci_low > 0.0 {
                "it uses what it sees"
            } else if gap.gap.ci_high < 0.0 {
                "what it sees misleads it"
            } else {
                "no sign that it looks"
            };
            parts.push(format!("Its own feedback is worth {} over {words}: {looks}.", points(&gap.gap)));
        }
    }
    if let Some(gap) = of(Control::Oracle) {
        let room = Difference {
            value: -gap.gap.value,
            ci_low: -gap.gap.ci_high,
            ci_high: -gap.gap.ci_low,
            ci_method: gap.gap.ci_method,
        };
        parts.push(format!("A right answer, drawn in its place, adds {}.", points(&room)));
    }
    parts.join(" ")
}

/// The gaps for a terminal: a line per condition.
#[must_use]
pub fn gap_table(gaps: &Gaps) -> String {
    let share = |e: &Estimate| format!("{:.3}", e.value);
    let signed = |d: &Difference| format!("{:+.3} ({:+.3} to {:+.3})", d.value, d.ci_low, d.ci_high);
    let gain = |r: &Option<Reflection>| {
        r.as_ref().map(|r| format!("{:+.3}", r.gain.value)).unwrap_or_else(|| "–".into())
    };
    let mut text = format!(
        "{:<9}{:>10}{:>9}  {:<28}{}\n",
        "feedback", "accuracy", "Δref", "real − control, accuracy", "real − control, Δref"
    );
    text.push_str(&format!("{:<9}{:>10}{:>9}\n", "real", share(&gaps.accuracy), gain(&gaps.reflection)));
    for gap in &gaps.controls {
        let delta = gap.delta_ref_gap.as_ref().map(signed).unwrap_or_else(|| "–".into());
        text.push_str(&format!(
            "{:<9}{:>10}{:>9}  {:<28}{delta}\n",
            gap.control.word(),
            share(&gap.accuracy),
            gain(&gap.reflection),
            signed(&gap.gap)
        ));
    }
    text + &gaps.sentence
}
