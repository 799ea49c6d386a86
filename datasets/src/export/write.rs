//! Writing a plan: shard by shard, resumable, each file whole or absent.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value as Json};
use sha2::{Digest, Sha256};
use vrrl_harness_core::{sha256_hex, Hasher};

use super::parquet::{failed, Writer};
use super::plan::{fingerprint, Part, Plan, Shard};
use super::value::{object, Row};
use super::{card, Container, Exported, One, Progress, Watch};
use crate::materialize::alone;
use crate::split::sorted;
use crate::Error;

/// Examples drawn at once, and rows of a row group: what stands in memory.
const GROUP: usize = 256;
/// Folder of what a running export knows; gone when it is done.
pub(crate) const STATE: &str = ".vrrl-export";
/// The file that says what a finished export holds.
pub(crate) const MANIFEST: &str = "export.json";

/// One written data file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Written {
    pub(super) path: String,
    pub(super) examples: usize,
    pub(super) rows: usize,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

pub(super) fn write(plan: &Plan<'_>, watch: Watch<'_>) -> Result<Exported, Error> {
    let Watch { progress, stop } = watch;
    let described = plan.describe();
    let state = State::open(plan, &described)?;
    let total = plan.total();
    let (mut done, mut resumed) = (0, 0);
    let mut files: Vec<Vec<Written>> = Vec::new();
    for part in &plan.splits {
        let mut written = Vec::new();
        for (index, shard) in part.shards.iter().enumerate() {
            let record = format!("{}-{}-{index:05}.json", part.config, part.name);
            let file = match state.finished(plan, &record, shard) {
                Some(file) => {
                    resumed += file.examples;
                    file
                }
                None => {
                    let mut tell = |part_done| {
                        if stop.load(Ordering::Relaxed) {
                            return Err(Error::Interrupted { dir: plan.out.clone(), done, total });
                        }
                        progress(&Progress { done: done + part_done, total, resumed });
                        Ok(())
                    };
                    let file = write_shard(plan, part, shard, &state.dir, &mut tell)?;
                    state.record(&record, &file)?;
                    file
                }
            };
            done += file.examples;
            progress(&Progress { done, total, resumed });
            written.push(file);
        }
        files.push(written);
    }
    finish(plan, &described, &files, &state)
}

/// Small files, then the manifest: its presence says that the export is whole.
fn finish(
    plan: &Plan<'_>,
    described: &Json,
    files: &[Vec<Written>],
    state: &State,
) -> Result<Exported, Error> {
    let mut beside = plan.format.layout().files(plan, files);
    beside.push(("README.md".into(), card::card(plan, files).into_bytes()));
    for (path, bytes) in &beside {
        put(&state.dir, &plan.out.join(path), bytes)?;
    }
    let all: Vec<&Written> = files.iter().flatten().collect();
    let small = beside.iter().map(|(path, bytes)| (path.as_str(), sha256_hex(bytes)));
    let hash = all
        .iter()
        .map(|file| (file.path.as_str(), file.sha256.clone()))
        .chain(small)
        .fold(Hasher::default().part(b"vrrl export 1"), |hasher, (path, sha)| hasher.part(path).part(sha))
        .hex();
    let mut manifest = described.clone();
    manifest["files"] = json!(all);
    manifest["beside"] =
        beside.iter().map(|(path, bytes)| json!({ "path": path, "sha256": sha256_hex(bytes) })).collect();
    manifest["hash"] = json!(hash);
    manifest["plan"] = json!(fingerprint(described));
    let text = serde_json::to_string_pretty(&manifest).expect("a manifest is plain data") + "\n";
    put(&state.dir, &plan.out.join(MANIFEST), text.as_bytes())?;
    fs::remove_dir_all(&state.dir).map_err(Error::io("remove", &state.dir))?;
    Ok(Exported {
        examples: plan.total(),
        rows: all.iter().map(|file| file.rows).sum(),
        bytes: all.iter().map(|file| file.bytes).sum(),
        hash,
    })
}

/// What an earlier, stopped run left.
struct State {
    dir: PathBuf,
    /// Held while this process writes.
    _lock: File,
}

impl State {
    fn open(plan: &Plan<'_>, described: &Json) -> Result<Self, Error> {
        let (out, plan_hash) = (&plan.out, fingerprint(described));
        let dir = out.join(STATE);
        let other = |what: &str| Error::Export {
            path: out.clone(),
            reason: format!("the folder holds {what}; choose another folder or remove it"),
        };
        let said = |path: &Path| {
            let text = fs::read_to_string(path).ok()?;
            Some(serde_json::from_str::<Json>(&text).ok()?["plan"].as_str()?.to_owned())
        };
        if out.exists() {
            let mut names = fs::read_dir(out).map_err(Error::io("read", out))?;
            let begun = said(&dir.join("plan.json"));
            let whole = said(&out.join(MANIFEST));
            match (begun, whole) {
                (Some(plan), _) | (None, Some(plan)) if plan == plan_hash => {}
                (Some(_), _) => return Err(other("an unfinished export of something else")),
                (None, Some(_)) => return Err(other("another export")),
                (None, None) if names.next().is_some() => return Err(other("other files")),
                (None, None) => {}
            }
        }
        fs::create_dir_all(&dir).map_err(Error::io("create", &dir))?;
        let path = dir.join("lock");
        let lock = File::create(&path).map_err(Error::io("create", &path))?;
        if !alone(&lock) {
            return Err(Error::Busy(out.clone()));
        }
        let state = Self { dir, _lock: lock };
        // A finished export starts again from its manifest: what is whole is not redone.
        if let Some(files) = finished_files(out) {
            for (part, index, file) in plan_records(plan, &files) {
                state.record(&format!("{}-{}-{index:05}.json", part.config, part.name), file)?;
            }
        }
        let text = json!({ "plan": plan_hash, "about": described }).to_string();
        put(&state.dir, &state.dir.join("plan.json"), text.as_bytes())?;
        Ok(state)
    }

    /// The shard, if an earlier run wrote it and its bytes are still those.
    fn finished(&self, plan: &Plan<'_>, record: &str, shard: &Shard) -> Option<Written> {
        let text = fs::read_to_string(self.dir.join(record)).ok()?;
        let file: Written = serde_json::from_str(&text).ok()?;
        let path = plan.out.join(&shard.path);
        let (sha256, bytes) = hash_file(&path).ok()?;
        let same = file.path == shard.path && file.sha256 == sha256 && file.bytes == bytes;
        let whole = same
            && match plan.options.container {
                Container::Parquet => true,
                Container::Jsonl => pictures_there(&plan.out, &path).unwrap_or(false),
            };
        whole.then_some(file)
    }

    fn record(&self, name: &str, file: &Written) -> Result<(), Error> {
        let text = serde_json::to_string(file).expect("a record is plain data");
        put(&self.dir, &self.dir.join(name), text.as_bytes())
    }
}

/// Whether every picture that the rows of a file name is there and ends as a PNG does: someone may have removed
/// some, and a crash of the machine may have kept the rows and lost pictures.
fn pictures_there(out: &Path, rows: &Path) -> io::Result<bool> {
    for line in BufReader::new(File::open(rows)?).lines() {
        let row: Json = serde_json::from_str(&line?)?;
        let list = row["images"].as_array().cloned().unwrap_or_else(|| vec![row["image"].clone()]);
        for image in list {
            let mut file = File::open(out.join(image.as_str().unwrap_or_default()))?;
            file.seek(io::SeekFrom::End(-8))?;
            let mut end = [0; 8];
            file.read_exact(&mut end)?;
            if end != *b"IEND\xaeB`\x82" {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn finished_files(out: &Path) -> Option<Vec<Written>> {
    let text = fs::read_to_string(out.join(MANIFEST)).ok()?;
    let mut manifest: Json = serde_json::from_str(&text).ok()?;
    serde_json::from_value(manifest["files"].take()).ok()
}

/// Files of a manifest with the shards they are.
fn plan_records<'f, 's>(
    plan: &'f Plan<'s>,
    files: &'f [Written],
) -> impl Iterator<Item = (&'f Part<'s>, usize, &'f Written)> {
    plan.splits.iter().flat_map(move |part| {
        let found = move |(index, shard): (usize, &Shard)| {
            files.iter().find(|file| file.path == shard.path).map(|file| (part, index, file))
        };
        part.shards.iter().enumerate().filter_map(found)
    })
}

fn write_shard(
    plan: &Plan<'_>,
    part: &Part<'_>,
    shard: &Shard,
    state: &Path,
    tell: &mut dyn FnMut(usize) -> Result<(), Error>,
) -> Result<Written, Error> {
    let path = plan.out.join(&shard.path);
    let partial = state.join("partial");
    let sink = Hashing::create(&partial)?;
    let (rows, sink) = match plan.options.container {
        Container::Parquet => {
            let columns = plan.format.layout().columns(&plan.options);
            let mut writer = Writer::new(sink, &columns).map_err(failed("write", &path))?;
            let rows =
                groups(plan, part, shard, tell, |group| writer.group(group).map_err(failed("write", &path)))?;
            (rows, writer.finish().map_err(failed("write", &path))?)
        }
        Container::Jsonl => {
            let mut sink = sink;
            let rows = groups(plan, part, shard, tell, |group| lines(plan, group, &mut sink, &path))?;
            (rows, sink)
        }
    };
    let (sha256, bytes) = sink.finish().map_err(Error::io("write", &partial))?;
    move_to(&partial, &path)?;
    Ok(Written { path: shard.path.clone(), examples: shard.range.len(), rows, bytes, sha256 })
}

/// Draws a shard's examples group by group and hands on their rows; returns how many there were.
fn groups(
    plan: &Plan<'_>,
    part: &Part<'_>,
    shard: &Shard,
    tell: &mut dyn FnMut(usize) -> Result<(), Error>,
    mut take: impl FnMut(Vec<Row>) -> Result<(), Error>,
) -> Result<usize, Error> {
    let (layout, options, def) = (plan.format.layout(), &plan.options, part.examples.def());
    let mut count = 0;
    for start in shard.range.clone().step_by(GROUP) {
        let end = (start + GROUP).min(shard.range.end);
        let items = part.examples.items(start..end)?;
        let rows: Vec<Vec<Row>> = items
            .par_iter()
            .enumerate()
            .map(|(at, item)| {
                layout.rows(&One { def, config: &part.config, item, index: start + at, options })
            })
            .collect();
        let rows: Vec<Row> = rows.into_iter().flatten().collect();
        count += rows.len();
        take(rows)?;
        tell(end - shard.range.start)?;
    }
    Ok(count)
}

/// Writes rows as JSON lines and their pictures as files.
fn lines(plan: &Plan<'_>, rows: Vec<Row>, sink: &mut Hashing, path: &Path) -> Result<(), Error> {
    let columns = plan.format.layout().columns(&plan.options);
    let lines: Vec<String> = rows
        .into_par_iter()
        .map(|row| {
            let mut failure = None;
            let object = object(&columns, &row, &mut |name: &str, png: &[u8]| {
                let file = plan.out.join(name);
                let saved =
                    file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, png));
                if let Err(source) = saved {
                    failure = Some(Error::Io { action: "write", path: file, source });
                }
            });
            match failure {
                Some(error) => Err(error),
                // Keys in order, whatever order the map type of the build keeps.
                None => Ok(sorted(&Json::Object(object)) + "\n"),
            }
        })
        .collect::<Result<_, _>>()?;
    lines.iter().try_for_each(|line| sink.write_all(line.as_bytes())).map_err(Error::io("write", path))
}

/// A file that is hashed while it is written.
struct Hashing {
    file: io::BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Hashing {
    fn create(path: &Path) -> Result<Self, Error> {
        let file = File::create(path).map_err(Error::io("create", path))?;
        Ok(Self { file: io::BufWriter::new(file), hash: Sha256::new(), bytes: 0 })
    }

    /// Brings everything to the disk.
    fn finish(self) -> io::Result<(String, u64)> {
        self.file.into_inner()?.sync_all()?;
        Ok((hex(&self.hash.finalize()), self.bytes))
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 and length of a file, read piece by piece.
pub(crate) fn hash_file(path: &Path) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let bytes = io::copy(&mut File::open(path)?, &mut hash)?;
    Ok((hex(&hash.finalize()), bytes))
}

/// Writes a small file under a temporary name in `state` and renames it.
fn put(state: &Path, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let partial = state.join("partial-small");
    fs::write(&partial, bytes).map_err(Error::io("write", &partial))?;
    move_to(&partial, path)
}

fn move_to(partial: &Path, path: &Path) -> Result<(), Error> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    }
    fs::rename(partial, path).map_err(Error::io("create", path))
}
