//! Reading a materialized split, and proving that it is what its manifest says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use vrrl_harness_core::{sha256_hex, Example, Truth};

use crate::materialize::{picture, Manifest, Row, MANIFEST};
use crate::{generate, Error, Source, Split, FORMAT};

/// Reads a materialized split; pictures are drawn anew, not read.
///
/// # Errors
/// [`Error::Io`], [`Error::Malformed`] naming file and line, [`Error::Differs`] if the rows are not those of
/// the manifest.
pub fn load(dir: &Path) -> Result<Split, Error> {
    Ok(read(dir)?.1)
}

/// Checks a materialized split: every row and picture against its hash, and, for a generated one, against the
/// examples that its definition gives today. Returns how many examples were compared.
///
/// # Errors
/// As [`load`]; [`Error::Differs`] names what differs.
pub fn verify(dir: &Path) -> Result<usize, Error> {
    let (manifest, split, rows) = read(dir)?;
    let base = dir.join(&manifest.folder);
    let fresh = match manifest.source {
        Source::Generated => Some(generate(&manifest.definition)?.head(manifest.rows)),
        Source::Imported => None,
    };
    if let Some(fresh) = &fresh {
        if let Some((old, new)) = split
            .examples
            .iter()
            .zip(&fresh.examples)
            .find(|(old, new)| (&old.id, &old.content_hash) != (&new.id, &new.content_hash))
        {
            return Err(Error::differs(
                dir,
                format!("{} is another example than its definition gives ({})", old.id, new.id),
            ));
        }
        if fresh.hash() != manifest.hash {
            return Err(Error::differs(dir, "its definition gives other examples"));
        }
    }
    split.examples.par_iter().zip(&rows).try_for_each(|(example, row)| {
        let path = base.join(&row.file_name);
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        if sha256_hex(&bytes) != row.image_sha256 {
            return Err(Error::differs(&path, format!("the picture of {} was changed", row.id)));
        }
        if picture(example) != bytes {
            return Err(Error::differs(&path, format!("{} is drawn otherwise today", row.id)));
        }
        Ok(())
    })?;
    Ok(rows.len())
}

fn read(dir: &Path) -> Result<(Manifest, Split, Vec<Row>), Error> {
    let manifest = manifest(dir)?;
    let path = dir.join(&manifest.folder).join("metadata.jsonl");
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let mut ids = BTreeSet::new();
    let (mut examples, mut rows) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let bad = |reason: String| Error::malformed(&path, format!("line {}: {reason}", index + 1));
        let row: Row = serde_json::from_str(line).map_err(|e| bad(e.to_string()))?;
        if !ids.insert(row.id.clone()) {
            return Err(bad(format!("id {:?} stands there twice", row.id)));
        }
        if row.file_name.split('/').any(|part| part == "..") || Path::new(&row.file_name).is_absolute() {
            return Err(bad(format!("file_name {:?} leads out of the folder", row.file_name)));
        }
        let truth: Truth = serde_json::from_str(&row.truth).map_err(|e| bad(format!("truth: {e}")))?;
        let problem = vrrl_generators::pose_truth(manifest.definition.task, &truth, row.seed)
            .map_err(|e| bad(e.to_string()))?;
        examples.push(Example {
            id: row.id.clone(),
            split: manifest.definition.name.clone(),
            seed: row.seed,
            content_hash: sha256_hex(problem.canonical().exact.as_bytes()),
            problem,
        });
        rows.push(row);
    }
    // Only after reading, so that a damaged line is named.
    if rows.len() != manifest.rows {
        return Err(Error::differs(&path, format!("{} rows instead of {}", rows.len(), manifest.rows)));
    }
    if sha256_hex(text.as_bytes()) != manifest.metadata_sha256 {
        return Err(Error::differs(&path, "its hash is another"));
    }
    let split = Split {
        def: manifest.definition.clone(),
        source: manifest.source,
        examples,
        ceiling: manifest.ceiling.clone(),
    };
    // The hash covers the generator's version, which must be the one that wrote it.
    if manifest.generator_version == vrrl_generators::VERSION && split.hash() != manifest.hash {
        return Err(Error::differs(dir, "the hash over all rows is another"));
    }
    Ok((manifest, split, rows))
}

fn manifest(dir: &Path) -> Result<Manifest, Error> {
    let path: PathBuf = dir.join(MANIFEST);
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| Error::malformed(&path, e.to_string()))?;
    match value["format"].as_u64() {
        Some(format) if format > u64::from(FORMAT) => {
            return Err(Error::malformed(
                &path,
                format!("format {format} is newer than {FORMAT}; update vrrl"),
            ));
        }
        Some(_) => {}
        None => return Err(Error::malformed(&path, "key format is missing")),
    }
    let manifest: Manifest =
        serde_json::from_value(value).map_err(|e| Error::malformed(&path, e.to_string()))?;
    if manifest.folder != manifest.definition.folder() {
        return Err(Error::malformed(&path, format!("folder {:?} is not the split's", manifest.folder)));
    }
    Ok(manifest)
}
