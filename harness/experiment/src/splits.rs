//! The stage that writes the splits and proves that they do not overlap.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;
use vrrl_datasets::Split;
use vrrl_harness::EvalSplit;

use crate::data::{self, AuditPair};
use crate::{plan, store, Error, Experiment, Result};

/// File of the overlap proof.
const AUDIT: &str = "audit.json";

/// `audit.json`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Audit {
    format: u32,
    /// Training split against everything that is scored on.
    pub pairs: Vec<AuditPair>,
}

/// Writes every split's definition, hash and rows (no images: `vrrl splits build` writes those), and the
/// audit; returns sentences about spaces that ended early and about overlap.
pub(crate) fn write(experiment: &Experiment, dir: &Path) -> Result<Vec<String>> {
    let all = |names: Vec<&String>| -> Result<Vec<Split>> {
        let mut splits: Vec<Split> = Vec::new();
        for split in names.iter().map(|name| data::load_split(name)).collect::<Result<Vec<_>>>()?.concat() {
            // A short name and the full one are the same split.
            if !splits.iter().any(|known| known.def == split.def) {
                splits.push(split);
            }
        }
        Ok(splits)
    };
    let [train, val] = experiment.used();
    let (train, val) = (all(train)?, all(val)?);
    let tested = load(experiment)?;
    vrrl_datasets::check_names(train.iter().chain(&val).chain(&tested).map(|split| &split.def))?;
    let mut notes = Vec::new();
    for split in train.iter().chain(&val).chain(&tested) {
        one(split, &dir.join(split.def.name.replace('/', "-")))?;
        notes.extend(split.ceiling.clone());
    }
    let scored: Vec<&Split> = val.iter().chain(&tested).collect();
    let pairs = vrrl_datasets::audit(&train.iter().collect::<Vec<_>>(), &scored);
    for pair in pairs.iter().filter(|pair| pair.symmetric > 0) {
        notes.push(format!(
            "{} of {} items of {} equal a training item up to symmetry ({} exactly)",
            pair.symmetric, pair.n_test, pair.test, pair.exact
        ));
    }
    let audit = Audit { format: vrrl_harness_core::FORMAT, pairs };
    store::write_json(&dir.join(AUDIT), &audit)?;
    Ok(notes)
}

fn one(split: &Split, dir: &Path) -> Result<()> {
    let yaml = serde_yaml::to_string(&split.def)
        .map_err(|e| Error::Input(format!("split {}: {e}", split.def.name)))?;
    store::replace(&dir.join("definition.yaml"), yaml.as_bytes())?;
    let mut rows = String::new();
    for example in &split.examples {
        let form = example.problem.canonical();
        let row = json!({
            "id": example.id,
            "seed": example.seed,
            "content_hash": example.content_hash,
            "canonical": form.exact,
        });
        rows.push_str(&row.to_string());
        rows.push('\n');
    }
    store::replace(&dir.join("examples.jsonl"), rows.as_bytes())?;
    let manifest = json!({
        "format": vrrl_harness_core::FORMAT,
        "generator": vrrl_generators::VERSION,
        "name": split.def.name,
        "n": split.examples.len(),
        "hash": split.hash(),
        "ceiling": split.ceiling,
    });
    store::write_json(&dir.join("manifest.json"), &manifest)
}

/// What is scored on, in the order of every table.
fn load(experiment: &Experiment) -> Result<Vec<Split>> {
    let names = plan::tested_names(experiment);
    Ok(names
        .iter()
        .map(|name| data::load_split(name))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// [`load`], as the harness takes it.
pub(crate) fn load_tested(experiment: &Experiment) -> Result<Vec<EvalSplit>> {
    Ok(load(experiment)?.into_iter().map(data::eval_split).collect())
}

/// The overlap proof that [`write`] has written.
pub(crate) fn read_audit(dir: &Path) -> Result<Audit> {
    Ok(store::read_json(&dir.join(AUDIT))?.unwrap_or_default())
}
