//! Do a run's numbers follow from its traces?
//!
//! Nothing of a run is believed but its traces: they are judged again, from the text of their turns and their ground
//! truth alone, and every number is compared with what the run says. The first difference of each part is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_harness_core::{sha256_hex, Example, Hasher, Trace, FORMAT};

use crate::record::{RunInfo, ScoreRow};
use crate::run_dir::{self, Pose, IMAGES, RUN, SCORES, SUMMARY, TRACES};
use crate::store::{self, Torn};
use crate::{Error, Result};

/// One part of a run that was checked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Check {
    /// What was checked: `run`, `traces`, `splits`, `images`, `scores`, `summary`.
    pub part: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was found, or the first difference.
    pub detail: String,
}

/// What checking a run came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verified {
    /// Format of this.
    pub format: u32,
    /// Whether every part holds.
    pub follows: bool,
    /// The parts, as far as they could be looked at.
    pub checks: Vec<Check>,
}

impl Verified {
    /// The first part that does not hold.
    #[must_use]
    pub fn first_difference(&self) -> Option<&Check> {
        self.checks.iter().find(|check| !check.holds)
    }
}

/// A split as it can be made again: its hash and examples; `None` where nobody here knows it.
pub type Known<'k> = &'k dyn Fn(&str) -> Option<(String, Vec<Example>)>;

/// What a check found, or the first difference in words.
type Found = std::result::Result<String, String>;

/// Checks a run directory; `known` makes the splits again that are known by name.
///
/// # Errors
/// [`Error::Input`] where the path is no run directory. Whatever is wrong inside is not an error but a check that
/// does not hold.
pub fn verify_run(dir: &Path, pose: Pose<'_>, known: Known<'_>) -> Result<Verified> {
    if !dir.join(RUN).is_file() {
        return Err(Error::Input(format!("{} has no {RUN}: it is no run directory", dir.display())));
    }
    let mut checks = Vec::new();
    let mut note = |part: &str, found: Found| {
        let holds = found.is_ok();
        let (Ok(detail) | Err(detail)) = found;
        checks.push(Check { part: part.into(), holds, detail });
        holds
    };
    let inside = inside(dir);
    let safe = inside.is_ok();
    if !safe {
        // Nothing is read through a link that leads out.
        note("files", inside);
    } else {
        match run_dir::read_info(dir) {
            Err(error) => {
                note("run", Err(error.to_string()));
            }
            Ok(info) => {
                note("run", described(&info));
                match traces(dir, &info) {
                    Err(why) => {
                        note("traces", Err(why));
                    }
                    Ok(all) => {
                        note("traces", Ok(format!("{} episodes", all.len())));
                        note("splits", splits(&info, &all, known));
                        note("images", images(dir, &info, &all));
                        numbers(dir, pose, &mut note);
                    }
                }
            }
        }
    }
    let follows = checks.iter().all(|check| check.holds);
    Ok(Verified { format: FORMAT, follows, checks })
}

/// No file of a run may be a link that leads out of its folder.
fn inside(dir: &Path) -> Found {
    let root = fs::canonicalize(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut open = vec![dir.to_path_buf()];
    let mut seen = 0usize;
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for entry in entries {
            let path = entry.map_err(|e| format!("{}: {e}", folder.display()))?.path();
            seen += 1;
            let link = fs::symlink_metadata(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            if link.is_symlink() {
                let target = fs::canonicalize(&path).map_err(|e| format!("{}: {e}", path.display()))?;
                if !target.starts_with(&root) {
                    return Err(format!("{} leads out of the run's folder", path.display()));
                }
            } else if link.is_dir() {
                open.push(path);
            }
        }
    }
    Ok(format!("{seen} files"))
}

/// `run.json` on its own: do its hashes fit what it says?
fn described(info: &RunInfo) -> Found {
    let hash = info.config.hash();
    if hash != info.config_hash {
        return Err(format!("{RUN}: config_hash is {}, of its config it is {hash}", info.config_hash));
    }
    let hasher = Hasher::default().part(&info.config_hash).part(&info.policy.fingerprint);
    let hasher = info.splits.iter().fold(hasher, |h, split| h.part(&split.name).part(&split.hash));
    let id = hasher.hex()[..16].to_owned();
    if id != info.run_id {
        return Err(format!(
            "{RUN}: run_id is {}, of its configuration, policy and splits it is {id}",
            info.run_id
        ));
    }
    Ok(format!("run {id}, configuration {}", &hash[..16]))
}

/// Reads the traces and checks that they are the episodes that `run.json` promises.
fn traces(dir: &Path, info: &RunInfo) -> std::result::Result<Vec<Trace>, String> {
    let path = dir.join(TRACES);
    if !path.is_file() {
        return Err(format!("{TRACES} is missing: there is nothing that the numbers could follow from"));
    }
    let (all, _) = store::read_lines::<Trace>(&path, Torn::Refuse).map_err(|e| e.to_string())?;
    let mut seen = BTreeSet::new();
    let mut items: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (at, trace) in all.iter().enumerate() {
        let place = || format!("{TRACES}, line {} (split {}, id {})", at + 1, trace.split, trace.id);
        if !info.splits.iter().any(|split| split.name == trace.split) {
            return Err(format!("{}: {RUN} does not list its split", place()));
        }
        if !seen.insert((trace.split.as_str(), trace.id.as_str(), trace.repeat)) {
            return Err(format!("{}: stands twice", place()));
        }
        if trace.repeat >= info.config.repeats {
            return Err(format!("{}: repeat {} of {}", place(), trace.repeat, info.config.repeats));
        }
        items.entry(&trace.split).or_default().insert(&trace.id);
        let hashes = trace.turns.iter().flat_map(|turn| [&turn.image_sha256, &turn.sent_sha256]).flatten();
        for hash in hashes {
            if !is_hash(hash) {
                return Err(format!("{}: image {hash:?} is no SHA-256 and could leave the folder", place()));
            }
        }
    }
    for split in &info.splits {
        let (is, should) = (items.get(split.name.as_str()).map_or(0, BTreeSet::len), split.n);
        if is != should {
            return Err(format!("{TRACES}: split {} has {is} items, {RUN} says {should}", split.name));
        }
    }
    Ok(all)
}

fn is_hash(word: &str) -> bool {
    word.len() == 64 && word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Splits that can be made again: same hash, and every trace has the example's own ground truth.
fn splits(info: &RunInfo, traces: &[Trace], known: Known<'_>) -> Found {
    let (mut again, mut unknown) = (0, Vec::new());
    for split in &info.splits {
        let Some((hash, examples)) = known(&split.name) else {
            unknown.push(split.name.as_str());
            continue;
        };
        if hash != split.hash {
            return Err(format!("split {}: {RUN} says {}, made again it is {hash}", split.name, split.hash));
        }
        let truths: BTreeMap<&str, &Example> = examples.iter().map(|e| (e.id.as_str(), e)).collect();
        for trace in traces.iter().filter(|trace| trace.split == split.name) {
            let place = format!("split {}, id {}", split.name, trace.id);
            let Some(example) = truths.get(trace.id.as_str()) else {
                return Err(format!("{place}: the split has no such example"));
            };
            if example.problem.truth() != trace.truth {
                return Err(format!("{place}: another ground truth than the split's"));
            }
        }
        again += 1;
    }
    let left = if unknown.is_empty() {
        String::new()
    } else {
        format!("; not known here, so taken from the traces: {}", unknown.join(", "))
    };
    Ok(format!("{again} of {} made again, data and ground truths equal{left}", info.splits.len()))
}

/// Every kept picture is what its name says, and those that must be kept are there. A run that was handed in without its
/// folder of pictures is judged all the same: no number is read from them.
fn images(dir: &Path, info: &RunInfo, traces: &[Trace]) -> Found {
    let folder = dir.join(IMAGES);
    let mut there = BTreeSet::new();
    if folder.is_dir() {
        for entry in fs::read_dir(&folder).map_err(|e| format!("{IMAGES}: {e}"))? {
            let path = entry.map_err(|e| format!("{IMAGES}: {e}"))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(hash) = name.strip_suffix(".png").filter(|hash| is_hash(hash)) else {
                return Err(format!("{IMAGES}/{name}: no picture of this run"));
            };
            let bytes = fs::read(&path).map_err(|e| format!("{IMAGES}/{name}: {e}"))?;
            let found = sha256_hex(&bytes);
            if found != hash {
                return Err(format!("{IMAGES}/{name}: its bytes have the SHA-256 {found}"));
            }
            there.insert(hash.to_owned());
        }
    }
    let wanted = info.config.save_images > 0
        && traces.iter().any(|trace| trace.turns.iter().any(|turn| turn.image_sha256.is_some()));
    if wanted && !folder.exists() {
        return Ok("no folder of pictures, so none was looked at".into());
    }
    let (save, mut kept) = (info.config.save_images, BTreeMap::<&str, usize>::new());
    for trace in traces {
        let place = kept.entry(&trace.split).or_default();
        *place += 1;
        if *place > save {
            continue;
        }
        let missing =
            trace.turns.iter().filter_map(|t| t.image_sha256.as_ref()).find(|hash| !there.contains(*hash));
        if let Some(hash) = missing {
            return Err(format!("{IMAGES}/{hash}.png is missing (split {}, id {})", trace.split, trace.id));
        }
    }
    Ok(format!("{} pictures, each with its hash", there.len()))
}

/// Judges the traces again and compares rows and summary.
fn numbers(dir: &Path, pose: Pose<'_>, note: &mut dyn FnMut(&str, Found) -> bool) {
    let (rows, summary) = match run_dir::recompute(dir, pose) {
        Ok(found) => found,
        Err(error) => {
            note("scores", Err(error.to_string()));
            return;
        }
    };
    let said = raw(dir, SCORES).and_then(|text| {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let parsed = lines.enumerate().map(|(at, line)| {
            serde_json::from_str::<Value>(line).map_err(|e| format!("{SCORES}, line {}: {e}", at + 1))
        });
        parsed.collect::<std::result::Result<Vec<Value>, String>>()
    });
    note("scores", said.and_then(|said| scores(&said, &rows)));
    let said = raw(dir, SUMMARY)
        .and_then(|text| serde_json::from_str::<Value>(&text).map_err(|e| format!("{SUMMARY}: {e}")));
    let compared = said.and_then(|said| {
        let found = serde_json::to_value(&summary).map_err(|e| e.to_string())?;
        let mut older = BTreeSet::new();
        match difference("", &said, &found, &mut older) {
            None => Ok(format!("{} splits follow from the traces{}", summary.splits.len(), without(&older))),
            Some((key, said, found)) => Err(format!("{SUMMARY}: {key} is {said}, from the traces {found}")),
        }
    });
    note("summary", compared);
}

fn raw(dir: &Path, name: &str) -> std::result::Result<String, String> {
    match fs::read_to_string(dir.join(name)) {
        Ok(text) => Ok(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(format!("{name} is missing")),
        Err(e) => Err(format!("{name}: {e}")),
    }
}

fn scores(said: &[Value], found: &[ScoreRow]) -> Found {
    let mut older = BTreeSet::new();
    for (at, (said, found)) in said.iter().zip(found).enumerate() {
        let word = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
        let place = format!("{SCORES}, line {} (split {}, id {})", at + 1, word("split"), word("id"));
        let found = serde_json::to_value(found).map_err(|e| format!("{place}: {e}"))?;
        if let Some((key, said, found)) = difference("", said, &found, &mut older) {
            return Err(format!("{place}: {key} is {said}, from the traces {found}"));
        }
    }
    if said.len() != found.len() {
        return Err(format!("{SCORES}: {} rows, the traces have {}", said.len(), found.len()));
    }
    Ok(format!("{} rows follow from the traces{}", found.len(), without(&older)))
}

/// Keys that a file of an older version does not have: it claims nothing about them.
fn without(keys: &BTreeSet<String>) -> String {
    if keys.is_empty() {
        return String::new();
    }
    format!("; it says nothing about {}", keys.iter().cloned().collect::<Vec<_>>().join(", "))
}

/// The first key in which what a file says is not what was found, with both. Keys that the file does not have are
/// collected and are no difference.
fn difference(
    key: &str,
    said: &Value,
    found: &Value,
    older: &mut BTreeSet<String>,
) -> Option<(String, String, String)> {
    if said == found {
        return None;
    }
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match (said, found) {
        (Value::Object(said), Value::Object(found)) => {
            older.extend(found.keys().filter(|key| !said.contains_key(*key)).cloned());
            let at = |k: &str| found.get(k).cloned().unwrap_or(Value::Null);
            said.iter().find_map(|(k, value)| difference(&below(k), value, &at(k), older))
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            let name = |v: &Value, i: usize| v["split"].as_str().map_or_else(|| i.to_string(), str::to_owned);
            let mut items = x.iter().zip(y).enumerate();
            items.find_map(|(i, (u, v))| difference(&below(&name(u, i)), u, v, older))
        }
        _ => {
            let word = |value: &Value| if value.is_null() { "absent".to_owned() } else { value.to_string() };
            Some((key.to_owned(), word(said), word(found)))
        }
    }
}
