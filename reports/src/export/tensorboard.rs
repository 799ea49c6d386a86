//! Training curves as TensorBoard events.
//!
//! A file is a row of records: length (u64, little endian), masked CRC-32C of those eight bytes, payload, masked CRC-32C of
//! the payload. A payload is the protocol buffer `Event` {1: wall_time double, 2: step int64, 3: file_version string,
//! 5: Summary {1: Value {1: tag string, 2: simple_value float}}}; the first carries the version alone. `training.jsonl`
//! keeps no clock, so every wall time is 0: curves are read over steps.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::info::TrainingLog;
use crate::slug::slug;
use crate::{Error, Result};

/// TensorBoard reads every file whose name holds `tfevents`; it sorts them by the seconds after that.
pub(super) const FILE: &str = "events.out.tfevents.0000000000.vrrl";

/// A folder with one file for each log that has rows: `METHOD`, or `METHOD-sSEED`; logs of one name are numbered.
pub(super) fn files(logs: &[TrainingLog]) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    let mut files = Vec::new();
    for log in logs.iter().filter(|log| !log.rows.is_empty()) {
        let seed = log.seed.map_or_else(String::new, |seed| format!("-s{seed}"));
        let name = format!("{}{seed}", slug(&log.method));
        let times = used.entry(name.clone()).or_default();
        *times += 1;
        let name = if *times > 1 { format!("{name}-{times}") } else { name };
        files.push((PathBuf::from(name).join(FILE), events(log)?));
    }
    Ok(files)
}

/// A whole file.
fn events(log: &TrainingLog) -> Result<Vec<u8>> {
    let mut out = version();
    out.extend(rows(log)?);
    Ok(out)
}

/// What a file begins with.
pub(super) fn version() -> Vec<u8> {
    let mut out = Vec::new();
    record(&mut out, &event(0, Some("brain.Event:2"), &[]));
    out
}

/// The events of a log's rows; `reward.total` becomes the tag `reward/total`, so that series group as they nest.
pub(super) fn rows(log: &TrainingLog) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for (step, row) in &log.rows {
        // Steps count; above 2^53 a log could not tell them apart.
        if step.fract().abs() > 0.0 || !(0.0..9e15).contains(step) {
            let reason = format!("step {step} is no whole number; TensorBoard counts steps");
            return Err(Error::content("training.jsonl", &log.method, reason));
        }
        let mut values = Vec::new();
        for (name, value) in row {
            let mut one = Vec::new();
            bytes_field(&mut one, 1, name.replace('.', "/").as_bytes());
            key(&mut one, 2, 5);
            one.extend((*value as f32).to_le_bytes());
            bytes_field(&mut values, 1, &one);
        }
        record(&mut out, &event(*step as u64, None, &values));
    }
    Ok(out)
}

fn event(step: u64, version: Option<&str>, summary: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    key(&mut out, 1, 1);
    out.extend(0.0_f64.to_le_bytes());
    key(&mut out, 2, 0);
    varint(&mut out, step);
    match version {
        Some(version) => bytes_field(&mut out, 3, version.as_bytes()),
        None => bytes_field(&mut out, 5, summary),
    }
    out
}

/// Field number and wire type: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.
fn key(out: &mut Vec<u8>, field: u64, wire: u64) {
    varint(out, field << 3 | wire);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn bytes_field(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    key(out, field, 2);
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

fn record(out: &mut Vec<u8>, payload: &[u8]) {
    let length = (payload.len() as u64).to_le_bytes();
    out.extend(length);
    out.extend(masked(crc32c(&length)).to_le_bytes());
    out.extend(payload);
    out.extend(masked(crc32c(payload)).to_le_bytes());
}

/// A checksum of data that holds checksums would be weak; so they are stored turned and shifted (TensorFlow, `crc32c.h`).
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), by table.
fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(!0, |crc, byte| TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8))
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_castagnoli_s() {
        // RFC 3720, appendix B.4, and the usual check value.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(b""), 0);
        assert_eq!(masked(0), 0xa282_ead8);
    }

    /// Splits a file into payloads, checking every length and checksum.
    fn payloads(mut file: &[u8]) -> Vec<&[u8]> {
        let mut all = Vec::new();
        while !file.is_empty() {
            let length = u64::from_le_bytes(file[..8].try_into().unwrap());
            let crc = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
            assert_eq!(crc(8), masked(crc32c(&file[..8])));
            let end = 12 + usize::try_from(length).unwrap();
            assert_eq!(crc(end), masked(crc32c(&file[12..end])));
            all.push(&file[12..end]);
            file = &file[end + 4..];
        }
        all
    }

    fn log(rows: &[(f64, &str, f64)]) -> TrainingLog {
        let rows =
            rows.iter().map(|(step, name, value)| (*step, [((*name).to_owned(), *value)].into())).collect();
        TrainingLog { method: "vrrl".into(), seed: Some(1), rows, ..TrainingLog::default() }
    }

    #[test]
    fn a_file_is_a_version_and_an_event_a_row() {
        let hostile = "\u{202e}</script>\0\n";
        let files = files(&[log(&[(1.0, "reward.total", 0.5), (300.0, hostile, -2.0)])]).unwrap();
        assert_eq!(files[0].0, PathBuf::from("vrrl-s1/events.out.tfevents.0000000000.vrrl"));
        let events = payloads(&files[0].1);
        assert_eq!(events.len(), 3);
        let mut version = vec![0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0x1a, 13];
        version.extend(b"brain.Event:2");
        assert_eq!(events[0], version);
        let mut first = vec![0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0x2a, 21, 0x0a, 19, 0x0a, 12];
        first.extend(b"reward/total");
        first.push(0x15);
        first.extend(0.5_f32.to_le_bytes());
        assert_eq!(events[1], first);
        // 300 takes two bytes; the tag is written with its length, whatever it holds.
        assert_eq!(events[2][9..12], [0x10, 0xac, 0x02]);
        assert!(events[2].windows(hostile.len()).any(|part| part == hostile.as_bytes()));
    }

    #[test]
    fn logs_of_one_name_stay_apart_and_odd_steps_are_refused() {
        let two = files(&[log(&[(1.0, "loss", 1.0)]), log(&[(1.0, "loss", 2.0)])]).unwrap();
        assert!(two[1].0.starts_with("vrrl-s1-2"));
        for step in [0.5, -1.0, f64::NAN, f64::INFINITY, 1e16] {
            assert!(files(&[log(&[(step, "loss", 1.0)])]).is_err(), "{step}");
        }
        assert!(files(&[log(&[])]).unwrap().is_empty());
        let hostile = TrainingLog { method: "../../x".into(), ..log(&[(1.0, "loss", 1.0)]) };
        let path = files(&[hostile]).unwrap().remove(0).0;
        assert_eq!(path.components().count(), 2);
        assert!(!path.to_string_lossy().contains("../"));
    }
}
