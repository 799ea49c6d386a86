//! Results as the Hugging Face Hub keeps them: a list in `.eval_results/*.yaml` of a model's repository
//! (huggingface/hub-docs, docs/hub/eval-results.md).
//!
//! Written by hand: every text is quoted, since readers of YAML 1.1 take a bare date for a time, `on` for true and `1_0`
//! for ten.

use std::fmt::Write as _;

use super::date::unix_seconds;
use crate::run::{decoding_label, Run};
use crate::slug::slug;
use crate::{Error, Result};

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
    if unix_seconds(&run.date).is_none() {
        let reason = format!("{:?} is no date as this program writes it", run.date);
        return Err(Error::content(run.dir.join("run.json"), "date", reason));
    }
    let mut out = String::new();
    for split in &run.splits {
        let Some(accuracy) = split.metric("accuracy").filter(|m| m.value.is_finite()) else { continue };
        let interval =
            accuracy.ci.map_or_else(String::new, |(l, h)| format!(", 95 % interval {l:.4} to {h:.4}"));
        let gain = split
            .metric("delta_ref")
            .map_or_else(String::new, |m| format!("; {:+.4} of it gained after the first answer", m.value));
        let notes = format!(
            "accuracy of the final answer as a share of {} episodes{interval}{gain}; {}",
            split.n,
            decoding_label(&run.decoding)
        );
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "- dataset:\n    id: {}\n    task_id: {}\n  value: {:?}\n  date: {}\n  evaluation_framework: \"vrrl\"\n  notes: {}",
            quoted(dataset),
            quoted(&slug(&split.split.replace('/', "_"))),
            accuracy.value,
            quoted(&run.date),
            quoted(&notes)
        );
    }
    if out.is_empty() {
        out.push_str("[]\n");
    }
    Ok(out.into_bytes())
}

/// Text in double quotes; whatever is not plain ASCII by its number.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_text() {
        for text in
            ["on", "1_0", "2026-01-02", "a: b # c", "\u{1}\"\\\n- x", "Δref \u{2028}\u{feff}😀", "", "~"]
        {
            let back: serde_json::Value = serde_yaml::from_str(&format!("k: {}\n", quoted(text))).unwrap();
            assert_eq!(back["k"], text);
        }
    }
}
