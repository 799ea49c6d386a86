//! The proof that splits do not overlap, as a command asks for it.

use std::path::Path;

use serde_json::json;
use vrrl_datasets::{Audit, AuditOptions, Examples};

use crate::data::open_split;
use crate::{store, Error, Result};

/// Offenders that are kept, and drawn, for each pair of splits and kind of overlap.
const SHOWN: usize = 8;

/// Overlap of every training split with every test split; names, folders, definitions or files of maps. `near` draws
/// and compares their pictures as well. Under `out`: `audit.json`, `audit.txt`, and in `pairs/` offending items side by
/// side.
///
/// # Errors
/// As [`load_split`](crate::load_split); a folder that holds something else already.
pub fn audit_names(train: &[String], test: &[String], near: bool, out: Option<&Path>) -> Result<Audit> {
    if let Some(out) = out {
        free(out)?;
    }
    let all = |names: &[String]| -> Result<Vec<Examples>> {
        Ok(names
            .iter()
            .map(|name| open_split(name))
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect())
    };
    let (train, test) = (all(train)?, all(test)?);
    let (train, test): (Vec<_>, Vec<_>) = (train.iter().collect(), test.iter().collect());
    let shown = if out.is_some() { SHOWN } else { 0 };
    let audit = vrrl_datasets::audit_examples(&train, &test, &AuditOptions { shown, near })?;
    if let Some(out) = out {
        let Audit { pairs, offenders } = &audit;
        let json = json!({ "format": vrrl_harness_core::FORMAT, "pairs": pairs, "offenders": offenders });
        store::write_json(&out.join("audit.json"), &json)?;
        store::replace(&out.join("audit.txt"), audit.text().as_bytes())?;
        vrrl_datasets::draw_offenders(&audit.offenders, &train, &test, &out.join("pairs"))?;
    }
    Ok(audit)
}

/// Only nothing, or an earlier audit's folder, is written into.
fn free(out: &Path) -> Result<()> {
    if !out.exists() {
        return Ok(());
    }
    let pairs = out.join("pairs");
    let entries = std::fs::read_dir(out).map_err(Error::io("read", out))?;
    for entry in entries {
        let name = entry.map_err(Error::io("read", out))?.file_name();
        if !["audit.json", "audit.txt", "pairs"].iter().any(|ours| name == *ours) {
            return Err(Error::content(
                out,
                "",
                "it holds other things than an audit; choose another folder",
            ));
        }
    }
    if pairs.exists() {
        std::fs::remove_dir_all(&pairs).map_err(Error::io("remove", &pairs))?;
    }
    Ok(())
}
