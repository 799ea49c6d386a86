//! Whole files or nothing: written under a temporary name, then renamed.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::Serialize;

use crate::{Error, Result};

/// Writes `bytes` to `path`, making its folder; what stands there is replaced once everything is on disk.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let done = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    done.map_err(|source| {
        // Best effort: the error that matters is the first one.
        let _ = fs::remove_file(&temporary);
        Error::io("write", path)(source)
    })
}

/// Writes a value as indented JSON.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::content(path, "", format!("cannot be written as JSON: {e}")))?;
    text.push('\n');
    replace(path, text.as_bytes())
}

/// Reads a JSON file; `None` if it does not exist.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io("read", path)(e)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|e| {
        Error::content(path, format!(":{}", e.line()), format!("{e}; remove the file to make it again"))
    })
}

/// The text of a file that a person named.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::content(path, "", "no such file"),
        _ => Error::io("read", path)(e),
    })?;
    String::from_utf8(bytes).map_err(|_| Error::content(path, "", "not UTF-8 text"))
}
