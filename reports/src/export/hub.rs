//! Results as the Hugging Face Hub keeps them: a list in `.eval_results/*.yaml` of a model's repository
//! (huggingface/hub-docs, docs/hub/eval-results.md).

use serde::Serialize;

use crate::run::{decoding_label, Run};
use crate::slug::slug;
use crate::{Error, Result};

#[derive(Serialize)]
struct Entry<'e> {
    dataset: Dataset<'e>,
    value: f64,
    date: &'e str,
    evaluation_framework: &'e str,
    notes: String,
}

#[derive(Serialize)]
struct Dataset<'e> {
    id: &'e str,
    task_id: String,
}

/// The data set's name, checked: `OWNER/NAME`.
pub(super) fn dataset(name: Option<&str>) -> Result<&str> {
    let part = |part: &str| {
        !part.is_empty()
            && part.len() <= 96
            && !part.starts_with(['-', '.'])
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    let reason = match name {
        None => "results belong to a data set on the Hub; say which: --hub-dataset OWNER/NAME".to_owned(),
        Some(name) => match name.split_once('/') {
            Some((owner, rest)) if part(owner) && part(rest) => return Ok(name),
            _ => format!("{name:?} is no data set on the Hub; one is OWNER/NAME"),
        },
    };
    Err(Error::content("hf", "data set", reason))
}

/// One entry for each split: the final accuracy as a share. `task_id` is the split's full name with `_` for `/`; the data
/// set's own `eval.yaml` must list it.
pub(super) fn results(run: &Run, dataset: &str) -> Result<Vec<u8>> {
    let mut entries = Vec::new();
    for split in &run.splits {
        let Some(accuracy) = split.metric("accuracy").filter(|m| m.value.is_finite()) else { continue };
        let interval =
            accuracy.ci.map_or_else(String::new, |(l, h)| format!(", 95 % interval {l:.4} to {h:.4}"));
        let gain = split
            .metric("delta_ref")
            .map_or_else(String::new, |m| format!("; {:+.4} of it gained after the first answer", m.value));
        entries.push(Entry {
            dataset: Dataset { id: dataset, task_id: slug(&split.split.replace('/', "_")) },
            value: accuracy.value,
            date: &run.date,
            evaluation_framework: "vrrl",
            notes: format!(
                "accuracy of the final answer as a share of {} episodes{interval}{gain}; {}",
                split.n,
                decoding_label(&run.decoding)
            ),
        });
    }
    let text = serde_yaml::to_string(&entries).map_err(|e| Error::content(&run.dir, "hf", e))?;
    Ok(text.into_bytes())
}
