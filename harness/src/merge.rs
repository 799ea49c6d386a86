//! Shards of one evaluation as one run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use vrrl_harness_core::Trace;

use crate::config::Shard;
use crate::record::{RunInfo, ScoreRow, Summary};
use crate::run_dir::{self, Pose, IMAGES, RUN, SUMMARY, TIMING};
use crate::{store, Error, Result};

/// Merges the runs of `vrrl eval --shard 1/n` to `n/n`: the result equals the run without shards, timing and date
/// aside. Replies are judged anew; nothing of the shards' scores is taken over.
///
/// # Errors
/// A run that is not finished or was no shard, a shard that is missing or there twice, runs that differ in anything
/// else (the key is named), an `out` that holds a run; and too many faults, as an evaluation.
pub fn merge(dirs: &[PathBuf], out: &Path, pose: Pose<'_>) -> Result<Summary> {
    if out.join(RUN).exists() {
        return Err(Error::Input(format!("{} holds a run already; use another --out", out.display())));
    }
    let shards = shards(dirs)?;
    let info = whole(&shards);
    let mut traces: Vec<Trace> = Vec::new();
    let mut rows: Vec<ScoreRow> = Vec::new();
    let mut parts = Vec::new();
    for (dir, _) in shards.values() {
        let found = run_dir::read_traces(dir)?;
        parts.push((found, run_dir::recompute(dir, pose)?.0));
    }
    fs::create_dir_all(out.join(IMAGES)).map_err(Error::io("create", &out.join(IMAGES)))?;
    for split in &info.splits {
        let mut kept = 0;
        for ((found, judged), (dir, _)) in parts.iter().zip(shards.values()) {
            for trace in found.iter().filter(|trace| trace.split == split.name) {
                if kept < info.config.save_images {
                    images(trace, dir, out)?;
                }
                kept += 1;
                traces.push(trace.clone());
            }
            rows.extend(judged.iter().filter(|row| row.split == split.name).cloned());
        }
    }
    let mut timing = Vec::new();
    for (dir, _) in shards.values() {
        timing.extend(fs::read(dir.join(TIMING)).map_err(Error::io("read", &dir.join(TIMING)))?);
    }
    store::replace(&out.join(TIMING), |file| file.write_all(&timing))?;
    store::write_json(&out.join(RUN), &info)?;
    let traces: Vec<&Trace> = traces.iter().collect();
    let summary = run_dir::finish(out, &info, &traces, &rows)?;
    run_dir::few_faults(&traces, info.config.max_fault_rate)?;
    Ok(summary)
}

/// The shards by number, all of them, and alike in everything else.
fn shards(dirs: &[PathBuf]) -> Result<BTreeMap<u32, (PathBuf, RunInfo)>> {
    let mut found: BTreeMap<u32, (PathBuf, RunInfo)> = BTreeMap::new();
    for dir in dirs {
        let info = run_dir::read_info(dir)?;
        let Some(shard) = info.config.shard else {
            return Err(Error::Input(format!("{} is no shard: it was run without --shard", dir.display())));
        };
        if !dir.join(SUMMARY).is_file() {
            let again = "run its command again to finish it";
            return Err(Error::Input(format!("{}: shard {shard} is not finished; {again}", dir.display())));
        }
        if let Some((other, first)) = found.values().next() {
            let key = if first.config.shard.map(|s| s.of) == Some(shard.of) {
                run_dir::changed(&alike(first), &alike(&info))
            } else {
                Some((
                    "shards in all".into(),
                    first.config.shard.map_or(0, |s| s.of).to_string(),
                    shard.of.to_string(),
                ))
            };
            if let Some((key, a, b)) = key {
                return Err(Error::Input(format!(
                    "{} and {} are no shards of one run: {key} is {a} there and {b} here",
                    other.display(),
                    dir.display()
                )));
            }
        }
        if let Some((other, _)) = found.insert(shard.index, (dir.clone(), info)) {
            return Err(Error::Input(format!(
                "{} and {} are both shard {shard}",
                other.display(),
                dir.display()
            )));
        }
    }
    let of = found.values().next().and_then(|(_, info)| info.config.shard).map_or(1, |shard| shard.of);
    match (1..=of).find(|index| !found.contains_key(index)) {
        Some(index) => Err(Error::Input(format!("shard {} is missing", Shard { index, of }))),
        None => Ok(found),
    }
}

/// A shard's description without what shards differ in.
fn alike(info: &RunInfo) -> RunInfo {
    let mut info = info.clone();
    info.config.shard = None;
    info.splits.iter_mut().for_each(|split| split.n = 0);
    info
}

/// The description of the run without shards.
fn whole(shards: &BTreeMap<u32, (PathBuf, RunInfo)>) -> RunInfo {
    let infos = || shards.values().map(|(_, info)| info);
    let mut info = infos().next().map(alike).expect("a shard is there, else one is missing");
    for (at, split) in info.splits.iter_mut().enumerate() {
        split.n = infos().map(|shard| shard.splits[at].n).sum();
    }
    let machines: BTreeSet<&str> = infos().map(|shard| shard.machine.as_str()).collect();
    info.machine = machines.into_iter().collect::<Vec<_>>().join("; ");
    info.date = infos().map(|shard| shard.date.clone()).min().unwrap_or_default();
    info.config_hash = info.config.hash();
    info.run_id = run_dir::run_id(&info.config_hash, &info.policy.fingerprint, &info.splits);
    info
}

/// Copies an episode's pictures, where the shard kept them.
fn images(trace: &Trace, dir: &Path, out: &Path) -> Result<()> {
    for hash in trace.turns.iter().filter_map(|turn| turn.image_sha256.as_ref()) {
        if hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Error::Input(format!("{}: {hash:?} is no hash of a picture", dir.display())));
        }
        let name = format!("{hash}.png");
        let (from, to) = (dir.join(IMAGES).join(&name), out.join(IMAGES).join(&name));
        if from.is_file() && !to.exists() {
            let bytes = fs::read(&from).map_err(Error::io("read", &from))?;
            store::replace(&to, |file| file.write_all(&bytes))?;
        }
    }
    Ok(())
}
