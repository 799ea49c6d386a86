//! The shards of a build: some hundred rows with their pictures, finished or not.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::ops::Range;
use std::path::PathBuf;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use vrrl_harness_core::sha256_hex;

use super::place::Work;
use super::row::{Row, Style, METADATA};
use crate::split::start_hash;
use crate::{Error, Item, SplitDef};

/// Examples in memory at once, and lost at most when a run is killed.
const ROWS: usize = 512;

/// The positions of each shard of `total` rows.
pub(super) fn ranges(total: usize) -> Vec<Range<usize>> {
    (0..total).step_by(ROWS).map(|start| start..total.min(start + ROWS)).collect()
}

fn path(work: &Work, range: &Range<usize>) -> PathBuf {
    work.shards().join(format!("{:08}.jsonl", range.start))
}

/// Writes pictures, then the file that marks the shard as finished: for every example a line with its row and one
/// with its size and exact form, of which the hash of the split is made.
pub(super) fn write(
    work: &Work,
    folder: &str,
    range: &Range<usize>,
    items: &[Item],
    style: &Style,
) -> Result<(), Error> {
    let base = work.out().join(folder);
    let lines: Vec<String> = items
        .par_iter()
        .zip(range.clone())
        .map(|(item, index)| {
            let (row, pictures) = style.row(index, item);
            let feedback = row.feedback_file_name.as_ref().zip(pictures.feedback.as_ref());
            for (name, png) in std::iter::once((&row.file_name, &pictures.question)).chain(feedback) {
                let path = base.join(name);
                fs::write(&path, png).map_err(Error::io("write", &path))?;
            }
            let form = item.example.problem.canonical();
            let form = serde_json::to_string(&(form.size, form.exact)).expect("a text is plain data");
            Ok(serde_json::to_string(&row).expect("a row is plain data") + "\n" + &form + "\n")
        })
        .collect::<Result<_, Error>>()?;
    let path = path(work, range);
    let temporary = path.with_extension("tmp");
    fs::write(&temporary, lines.concat()).map_err(Error::io("write", &temporary))?;
    fs::rename(&temporary, &path).map_err(Error::io("create", &path))
}

/// Whether a shard was finished before, with every picture as its row says: a crash of the machine may have
/// kept the rows and lost pictures.
pub(super) fn finished(work: &Work, folder: &str, range: &Range<usize>) -> Result<bool, Error> {
    let path = path(work, range);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Ok(false),
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    let lines: Vec<&str> = text.lines().step_by(2).collect();
    if lines.len() != range.len() || text.lines().count() != 2 * range.len() || !text.ends_with('\n') {
        return Ok(false);
    }
    let base = work.out().join(folder);
    let whole = |line: &&str| {
        let Ok(row) = serde_json::from_str::<Row>(line) else { return false };
        let there = |name: &str| fs::read(base.join(name)).ok();
        let feedback = row.feedback_file_name.as_deref().is_none_or(|name| {
            // Rows do not hash feedback; a whole PNG ends with its last chunk.
            there(name).is_some_and(|png| png.ends_with(b"IEND\xaeB`\x82"))
        });
        feedback && there(&row.file_name).is_some_and(|png| sha256_hex(&png) == row.image_sha256)
    };
    Ok(lines.par_iter().all(whole))
}

/// What the shards give together.
pub(super) struct Whole {
    pub(super) hash: String,
    pub(super) metadata_sha256: String,
    /// Examples of each size class.
    pub(super) sizes: BTreeMap<usize, usize>,
}

/// Writes `metadata.jsonl` from all shards, line by line.
pub(super) fn join(
    work: &Work,
    folder: &str,
    ranges: &[Range<usize>],
    def: &SplitDef,
) -> Result<Whole, Error> {
    let target = work.out().join(folder).join(METADATA);
    let mut file = BufWriter::new(File::create(&target).map_err(Error::io("create", &target))?);
    let (mut digest, mut hasher, mut sizes) = (Sha256::new(), start_hash(def), BTreeMap::new());
    for range in ranges {
        let path = path(work, range);
        let bad = |reason: &dyn std::fmt::Display| Error::malformed(&path, reason.to_string());
        let mut lines = BufReader::new(File::open(&path).map_err(Error::io("read", &path))?).lines();
        for _ in range.clone() {
            let mut next = || lines.next().transpose().ok().flatten().ok_or_else(|| bad(&"it ends early"));
            let (line, form) = (next()? + "\n", next()?);
            let row: Row = serde_json::from_str(&line).map_err(|e| bad(&e))?;
            let (size, exact): (usize, String) = serde_json::from_str(&form).map_err(|e| bad(&e))?;
            digest.update(&line);
            hasher = hasher.part(&row.id).part(exact);
            *sizes.entry(size).or_default() += 1;
            file.write_all(line.as_bytes()).map_err(Error::io("write", &target))?;
        }
    }
    file.flush().map_err(Error::io("write", &target))?;
    let metadata_sha256 = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Whole { hash: hasher.hex(), metadata_sha256, sizes })
}
