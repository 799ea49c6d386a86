//! Reading a materialized split.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use vrrl_harness_core::{sha256_hex, Example, Problem, Truth};

use crate::materialize::{half_written, Manifest, Row, MANIFEST, METADATA};
use crate::space::fingerprint;
use crate::{Error, Examples, Item, Source, Split, FORMAT};

/// Longest line of metadata that is read: a table of 50×50 long cells stays far below.
const LONGEST_LINE: u64 = 16 << 20;

/// Reads a materialized split; pictures are drawn anew, not read.
///
/// # Errors
/// [`Error::Io`], [`Error::Malformed`] naming file and line, [`Error::Differs`] if the rows are not those of
/// the manifest.
pub fn load(dir: &Path) -> Result<Split, Error> {
    let folder = Folder::open(dir)?;
    let (manifest, hash) = (folder.manifest.clone(), folder.manifest.hash.clone());
    let split = Examples::from_folder(folder).into_split()?;
    // The hash covers the generator's version, which must be the one that wrote it.
    if manifest.generator_version == vrrl_generators::VERSION && split.hash() != hash {
        return Err(Error::differs(dir, "the hash over all rows is another"));
    }
    Ok(split)
}

/// A materialized split, its rows on disk.
pub(crate) struct Folder {
    pub(crate) manifest: Manifest,
    /// The folder of the split's rows and pictures.
    pub(crate) base: PathBuf,
    /// Where each line starts, and the end.
    offsets: Vec<u64>,
}

impl Folder {
    /// Checks manifest, number of rows, ids and the hash over all of them.
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
        let manifest = manifest(dir)?;
        let base = dir.join(&manifest.folder);
        let path = base.join(METADATA);
        let mut lines = BufReader::new(File::open(&path).map_err(Error::io("read", &path))?);
        let (mut offsets, mut ids, mut digest) = (vec![0], HashSet::new(), Sha256::new());
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
            let read = read.map_err(Error::io("read", &path))? as u64;
            if read == 0 {
                break;
            }
            let row = parse(&line).map_err(|reason| at(&path, offsets.len(), reason))?;
            if !ids.insert(fingerprint(&row.id)) {
                return Err(at(&path, offsets.len(), format!("id {:?} stands there twice", row.id)));
            }
            digest.update(&line);
            offsets.push(offsets[offsets.len() - 1] + read);
        }
        // Only after reading, so that a damaged line is named.
        let rows = offsets.len() - 1;
        if rows != manifest.rows {
            return Err(Error::differs(&path, format!("{rows} rows instead of {}", manifest.rows)));
        }
        let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if digest != manifest.metadata_sha256 {
            return Err(Error::differs(&path, "its hash is another"));
        }
        Ok(Self { manifest, base, offsets })
    }

    /// The text of some lines.
    pub(crate) fn lines(&self, range: Range<usize>) -> Result<Vec<u8>, Error> {
        let path = self.base.join(METADATA);
        let (start, end) = (self.offsets[range.start], self.offsets[range.end]);
        let mut bytes = vec![0; usize::try_from(end - start).expect("it was read before")];
        let read = File::open(&path).and_then(|mut file| {
            file.seek(SeekFrom::Start(start))?;
            file.read_exact(&mut bytes)
        });
        read.map_err(Error::io("read", &path))?;
        Ok(bytes)
    }

    /// Rows of a range of positions.
    pub(crate) fn rows(&self, range: Range<usize>) -> Result<Vec<Row>, Error> {
        let path = self.base.join(METADATA);
        let bytes = self.lines(range.clone())?;
        let lines = bytes.split_inclusive(|&byte| byte == b'\n').zip(range);
        lines.map(|(line, index)| parse(line).map_err(|reason| at(&path, index + 1, reason))).collect()
    }

    /// Examples of a range of positions, drawn anew.
    pub(crate) fn items(&self, range: Range<usize>) -> Result<Vec<Item>, Error> {
        let start = range.start;
        let path = self.base.join(METADATA);
        let rows = self.rows(range)?;
        let numbered = rows.into_par_iter().enumerate();
        numbered
            .map(|(index, row)| self.item(&row).map_err(|reason| at(&path, start + index + 1, reason)))
            .collect()
    }

    fn item(&self, row: &Row) -> Result<Item, String> {
        let truth: Truth = serde_json::from_str(&row.truth).map_err(|e| format!("truth: {e}"))?;
        let params: serde_json::Value =
            serde_json::from_str(&row.params).map_err(|e| format!("params: {e}"))?;
        let problem = self.problem(row, &truth, &params)?;
        let content_hash = sha256_hex(problem.canonical().exact.as_bytes());
        if content_hash != row.content_hash {
            return Err(format!("content_hash is not that of {}", row.id));
        }
        let example = Example {
            id: row.id.clone(),
            split: self.manifest.definition.name.clone(),
            seed: row.seed,
            content_hash,
            problem,
        };
        Ok(Item { example, params: Arc::new(params) })
    }

    fn problem(
        &self,
        row: &Row,
        truth: &Truth,
        params: &serde_json::Value,
    ) -> Result<Arc<dyn Problem>, String> {
        let drawn = self.manifest.source == Source::Generated
            && self.manifest.generator_version == vrrl_generators::VERSION;
        if !drawn {
            // Of another version's params and seed we may draw something else; the truth stays what it is.
            let task = self.manifest.definition.task;
            return vrrl_generators::pose_truth(task, truth, row.seed).map_err(|e| e.to_string());
        }
        let problem = vrrl_generators::pose(self.manifest.definition.task, params, row.seed)
            .map_err(|e| e.to_string())?;
        if problem.truth() == *truth {
            Ok(problem)
        } else {
            Err(format!("truth of {} is not what its params and seed draw", row.id))
        }
    }
}

fn at(path: &Path, line: usize, reason: String) -> Error {
    Error::malformed(path, format!("line {line}: {reason}"))
}

fn parse(line: &[u8]) -> Result<Row, String> {
    if !line.ends_with(b"\n") {
        return Err("it ends in the middle".into());
    }
    let row: Row = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    for name in std::iter::once(&row.file_name).chain(&row.feedback_file_name) {
        if name.split(['/', '\\']).any(|part| part == "..") || Path::new(name).is_absolute() {
            return Err(format!("file_name {name:?} leads out of the folder"));
        }
    }
    Ok(row)
}

fn manifest(dir: &Path) -> Result<Manifest, Error> {
    let path: PathBuf = dir.join(MANIFEST);
    if !path.exists() && half_written(dir) {
        return Err(Error::malformed(
            dir,
            "it is half written: a build was stopped; the same build command again goes on from there",
        ));
    }
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
