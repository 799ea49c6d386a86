//! Rows of JSON lines, with their pictures in files beside.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use super::{under, Row};
use crate::Error;

/// Longest line that is read, in bytes.
const LONGEST: u64 = 16 << 20;

/// Hands on every row of a file, with its picture, which the row names from folder `pictures`.
pub(super) fn read(
    file: &Path,
    pictures: &Path,
    take: &mut dyn FnMut(Row) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut lines = BufReader::new(File::open(file).map_err(Error::io("read", file))?);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        lines.by_ref().take(LONGEST).read_until(b'\n', &mut line).map_err(Error::io("read", file))?;
        if line.is_empty() {
            break;
        }
        let wrong = |reason: String| Error::malformed(file, format!("line {number}: {reason}"));
        let mut row: Row = serde_json::from_slice(&line).map_err(|e| {
            let cut = if line.ends_with(b"\n") { "" } else { " (the file ends in the middle of it)" };
            wrong(format!("{e}{cut}"))
        })?;
        let name = row
            .file_name
            .clone()
            .ok_or_else(|| wrong("neither file_name nor image names a picture".into()))?;
        let path = under(pictures, &name).map_err(wrong)?;
        row.picture = fs::read(&path).map_err(|e| wrong(format!("picture {name} of {}: {e}", row.id)))?;
        take(row)?;
    }
    Ok(())
}
