//! Splits in other tools' formats.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use vrrl_datasets::{Examples, Exported, Format, Options, Watch};

use crate::{data, Error, Result, StageProgress};

/// What an export left.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Export {
    /// Its format.
    pub format: &'static str,
    /// Its folder.
    pub dir: PathBuf,
    /// What was written.
    #[serde(flatten)]
    pub written: Exported,
}

/// Words of all formats, for help and messages.
#[must_use]
pub fn export_formats() -> String {
    Format::ALL.map(Format::word).join(", ")
}

/// Writes splits (names, folders, definitions or files of maps) in a format under `out`; the same call again goes
/// on behind the shards that are done, also after `stop`.
///
/// # Errors
/// An unknown name, a folder that holds something else, or a disk that refuses.
pub fn export(
    names: &[String],
    format: Format,
    out: &Path,
    options: &Options,
    stop: &AtomicBool,
    progress: &(dyn Fn(&StageProgress) + Sync),
) -> Result<Export> {
    let mut all = Vec::new();
    for name in names {
        all.extend(data::open_split(name)?);
    }
    if all.is_empty() {
        return Err(Error::Input("no split; name at least one".into()));
    }
    let splits: Vec<&Examples> = all.iter().collect();
    let begun = std::time::Instant::now();
    let mut tell = |p: &vrrl_datasets::Progress| {
        let speed = (p.done - p.resumed) as f64 / begun.elapsed().as_secs_f64().max(1e-3);
        progress(&StageProgress {
            what: format.word().into(),
            done: p.done as u64,
            total: p.total as u64,
            figures: vec![("items_per_second".into(), speed)],
            ..StageProgress::default()
        });
    };
    let written = vrrl_datasets::export(&splits, format, out, options, Watch { progress: &mut tell, stop })?;
    Ok(Export { format: format.word(), dir: out.to_path_buf(), written })
}
