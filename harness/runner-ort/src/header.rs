//! What every engine would say in its own words, said once before any engine is asked: is this file a whole
//! ONNX model, and of which opset?
//!
//! Only the outermost fields of the message are walked; a graph of gigabytes is skipped by its length.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::Error;

/// Opsets of ONNX itself that are read: from the oldest with today's `Softmax` and `ReduceMean` to the newest
/// that ONNX Runtime 1.24, the oldest library accepted, is sure to know.
const OPSETS: (i64, i64) = (11, 24);

/// Checks one model file.
///
/// # Errors
/// [`Error::Io`], [`Error::Cut`] or [`Error::Opset`].
pub(crate) fn check(path: &Path) -> Result<(), Error> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let cut = |reason: String| Error::Cut { path: path.to_owned(), reason };
    let file = File::open(path).map_err(io)?;
    let len = file.metadata().map_err(io)?.len();
    let mut reader = Fields { file: BufReader::new(file), at: 0, len };
    let (mut graph, mut opsets) = (false, Vec::new());
    while reader.at < len {
        let (field, wire) = reader.tag().map_err(|e| cut(e.into()))?;
        match (field, wire) {
            (_, 0) => {
                reader.varint().map_err(|e| cut(e.into()))?;
            }
            (8, 2) => {
                let bytes = reader.bytes().map_err(|e| cut(e.into()))?;
                opsets.push(opset(&bytes).map_err(|e| cut(e.into()))?);
            }
            (_, 2) => {
                graph |= field == 7;
                reader.skip().map_err(|e| cut(e.into()))?;
            }
            _ => return Err(cut(format!("byte {} is no field of a model", reader.at))),
        }
    }
    if !graph {
        return Err(cut("it holds no graph".into()));
    }
    let (low, high) = OPSETS;
    for (domain, found) in &opsets {
        if matches!(domain.as_str(), "" | "ai.onnx") && !(low..=high).contains(found) {
            return Err(Error::Opset {
                path: path.to_owned(),
                domain: domain.clone(),
                found: *found,
                low,
                high,
            });
        }
    }
    if opsets.is_empty() {
        return Err(cut("it names no opset".into()));
    }
    Ok(())
}

const SHORT: &str = "it ends in the middle of a field";
const LONG: &str = "a number is longer than ten bytes";

struct Fields {
    file: BufReader<File>,
    at: u64,
    len: u64,
}

impl Fields {
    fn tag(&mut self) -> Result<(u64, u64), &'static str> {
        let tag = self.varint()?;
        Ok((tag >> 3, tag & 7))
    }

    fn varint(&mut self) -> Result<u64, &'static str> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let mut byte = [0];
            self.file.read_exact(&mut byte).map_err(|_| SHORT)?;
            self.at += 1;
            value |= u64::from(byte[0] & 127).checked_shl(shift).unwrap_or(0);
            if byte[0] < 128 {
                return Ok(value);
            }
        }
        Err(LONG)
    }

    fn length(&mut self) -> Result<u64, &'static str> {
        let length = self.varint()?;
        if length > self.len - self.at {
            return Err(SHORT);
        }
        self.at += length;
        Ok(length)
    }

    fn skip(&mut self) -> Result<(), &'static str> {
        self.length()?;
        self.file.seek(SeekFrom::Start(self.at)).map(|_| ()).map_err(|_| SHORT)
    }

    fn bytes(&mut self) -> Result<Vec<u8>, &'static str> {
        let length = self.length()?;
        if length > 4096 {
            return Err("the name of an opset is longer than a page");
        }
        let mut bytes = vec![0; length as usize];
        self.file.read_exact(&mut bytes).map_err(|_| SHORT)?;
        Ok(bytes)
    }
}

/// Domain and version of one opset.
fn opset(bytes: &[u8]) -> Result<(String, i64), &'static str> {
    let (mut domain, mut version, mut at) = (String::new(), 0u64, 0);
    let varint = |at: &mut usize| -> Result<u64, &'static str> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = *bytes.get(*at).ok_or(SHORT)?;
            *at += 1;
            value |= u64::from(byte & 127).checked_shl(shift).unwrap_or(0);
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(LONG)
    };
    while at < bytes.len() {
        match varint(&mut at)? {
            0x0a => {
                let length = varint(&mut at)? as usize;
                let end = at.checked_add(length).ok_or(SHORT)?;
                domain = String::from_utf8_lossy(bytes.get(at..end).ok_or(SHORT)?).into_owned();
                at = end;
            }
            0x10 => version = varint(&mut at)?,
            _ => return Err("an opset holds what is no part of one"),
        }
    }
    Ok((domain, version as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ir_version 8, a graph of three bytes, opset `version`.
    fn model(version: u8) -> Vec<u8> {
        vec![0x08, 8, 0x3a, 3, 1, 2, 3, 0x42, 4, 0x0a, 0, 0x10, version]
    }

    fn checked(bytes: &[u8]) -> Result<(), Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.onnx");
        std::fs::write(&path, bytes).unwrap();
        check(&path)
    }

    #[test]
    fn a_whole_model_passes_and_a_cut_one_does_not() {
        let whole = model(17);
        checked(&whole).unwrap();
        for len in 0..whole.len() {
            let error = checked(&whole[..len]).unwrap_err();
            assert!(matches!(error, Error::Cut { .. }), "{len}: {error}");
        }
        assert!(matches!(checked(b"not a model").unwrap_err(), Error::Cut { .. }));
    }

    #[test]
    fn foreign_opsets_are_named() {
        for version in [3, 99] {
            let error = checked(&model(version)).unwrap_err().to_string();
            assert!(error.contains(&format!("opset {version}")) && error.contains("11 to 24"), "{error}");
        }
    }
}
