//! Files of a run: whole ones are replaced by renaming, logs are appended line by line.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::Serialize;
use vrrl_harness_core::FORMAT;

use crate::{Error, Result};

/// Replaces a file: written beside it, flushed to the disk, then renamed, so that readers see the old or the
/// new one and never a part.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    let file = File::create(temporary).map_err(Error::io("write", temporary))?;
    let mut writer = BufWriter::new(file);
    let written = write(&mut writer).and_then(|()| writer.flush()).and_then(|()| writer.get_ref().sync_all());
    if let Err(source) = written {
        // The half-written copy is of no use; the old file stays as it was.
        let _ = fs::remove_file(temporary);
        return Err(Error::io("write", path)(source));
    }
    fs::rename(temporary, path).map_err(Error::io("rename a temporary file to", path))
}

/// Writes indented JSON.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    replace(path, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        out.write_all(b"\n")
    })
}

/// Writes one JSON value a line.
pub(crate) fn write_lines<'t, T: Serialize + 't>(
    path: &Path,
    rows: impl IntoIterator<Item = &'t T>,
) -> Result<()> {
    replace(path, |out| {
        for row in rows {
            serde_json::to_writer(&mut *out, row)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })
}

/// Reads a JSON file whose `format` is not newer than ours.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    let bad = |e: serde_json::Error| {
        Error::content(path, format!("line {} column {}", e.line(), e.column()), e.to_string())
    };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(bad)?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format > u64::from(FORMAT) => {
            let reason = format!(
                "{format} is newer than {FORMAT}, the newest that this version reads; use a newer one"
            );
            Err(Error::content(path, "format", reason))
        }
        Some(_) => serde_json::from_value(value).map_err(|e| Error::content(path, "its keys", e.to_string())),
        None => Err(Error::content(path, "format", "missing; is this a file of a run directory?")),
    }
}

/// What [`read_lines`] does with a last line that does not end or parse.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Torn {
    /// Drops it: a process that was killed left it.
    Drop,
    /// Refuses it.
    Refuse,
}

/// Reads one JSON value a line, without blank lines; the flag says whether a torn line was dropped.
pub(crate) fn read_lines<T: DeserializeOwned>(path: &Path, torn: Torn) -> Result<(Vec<T>, bool)> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    let mut rows = Vec::new();
    let mut rest = &bytes[..];
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let end = rest.iter().position(|b| *b == b'\n');
        let (line, tail) = end.map_or((rest, &[][..]), |end| (&rest[..end], &rest[end + 1..]));
        rest = tail;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        // Without its line end, even a line that parses may have lost the end of a number.
        if end.is_none() && torn == Torn::Drop {
            return Ok((rows, true));
        }
        match serde_json::from_slice(line) {
            Ok(row) => rows.push(row),
            Err(_) if torn == Torn::Drop && rest.is_empty() => return Ok((rows, true)),
            Err(e) => return Err(Error::content(path, format!("line {number}"), e.to_string())),
        }
    }
    Ok((rows, false))
}

/// A log that grows by whole lines.
pub(crate) struct Log {
    path: std::path::PathBuf,
    file: File,
}

impl Log {
    /// Opens for appending, after cutting off what stands behind the last line end.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        if path.is_file() {
            let bytes = fs::read(path).map_err(Error::io("read", path))?;
            let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
            if whole < bytes.len() {
                let file = OpenOptions::new().write(true).open(path).map_err(Error::io("open", path))?;
                file.set_len(whole as u64).map_err(Error::io("cut the torn end of", path))?;
            }
        }
        let file =
            OpenOptions::new().create(true).append(true).open(path).map_err(Error::io("open", path))?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// Appends one line in one write and hands it to the system.
    pub(crate) fn push<T: Serialize>(&mut self, row: &T) -> Result<()> {
        let failed = Error::io("append to", &self.path);
        let mut line = match serde_json::to_vec(row) {
            Ok(line) => line,
            Err(e) => return Err(failed(e.into())),
        };
        line.push(b'\n');
        self.file.write_all(&line).and_then(|()| self.file.flush()).map_err(failed)
    }
}
