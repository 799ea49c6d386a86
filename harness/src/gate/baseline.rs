//! A blessed baseline: what a gate needs of a run, in one small file fit for version control.
//!
//! Per split it holds ids (runs of numbered ones as one entry), one bit an episode for each metric that is right or
//! wrong, and counts for the others. Blessing one run twice gives equal bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_harness_core::{sha256_hex, PolicyInfo, Role, TaskKind, FORMAT};

use super::metric::{Metric, Scale, Values};
use super::rule::Setting;
use super::side::{Case, Kind, Origin, Side};
use crate::compare::Item;
use crate::record::RunInfo;
use crate::run_dir;
use crate::{store, Error, Result};

/// What the key `kind` says.
const KIND: &str = "vrrl baseline";

/// The file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Baseline {
    /// Format of the file.
    pub format: u32,
    /// `vrrl baseline`.
    pub kind: String,
    /// The model that made it.
    pub model: PolicyInfo,
    /// Method, as in the leaderboard.
    pub method: String,
    /// Short hash of the run.
    pub run_id: String,
    /// SHA-256 of the run's configuration.
    pub config_hash: String,
    /// What decided replies beside the model; `prompts` as a hash.
    pub settings: BTreeMap<Setting, String>,
    /// Episodes an item.
    pub repeats: u32,
    /// Version of the code that ran.
    pub code_version: String,
    /// The machine, in words.
    pub machine: String,
    /// When the run began.
    pub date: String,
    /// The items, a split each.
    pub splits: Vec<BaselineSplit>,
    /// SHA-256 of all the above as compact JSON.
    pub hash: String,
}

/// The items of one split, in the order of the run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BaselineSplit {
    /// Full name.
    pub name: String,
    /// Task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskKind>,
    /// What it is for, where it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Hash over its data.
    pub hash: String,
    /// Items.
    pub n: usize,
    /// Their ids.
    pub ids: Vec<Ids>,
    /// One bit an episode (all of the first item, then the next) from the highest of each hexadecimal digit on.
    pub bits: BTreeMap<Metric, String>,
    /// One number an episode, with spaces between.
    pub counts: BTreeMap<Metric, String>,
}

/// One id, or a run of ids that end in a number counting up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Ids {
    /// One.
    One(String),
    /// `n` of them from `from` on, with as many digits.
    Run {
        /// The first.
        from: String,
        /// How many.
        n: usize,
    },
}

/// The number at the end of an id: what stands before it, and its digits.
fn numbered(id: &str) -> Option<(&str, u64, usize)> {
    let digits = id.bytes().rev().take_while(u8::is_ascii_digit).count().min(18);
    let (before, number) = id.split_at(id.len() - digits);
    Some((before, number.parse().ok()?, digits))
}

fn counted(before: &str, number: u64, digits: usize) -> String {
    format!("{before}{number:0digits$}")
}

fn pack_ids(ids: &[&str]) -> Vec<Ids> {
    let mut packed = Vec::new();
    let mut rest = ids;
    while let Some(first) = rest.first() {
        let run = numbered(first).map_or(1, |(before, number, digits)| {
            let mut next = number..;
            rest.iter()
                .zip(&mut next)
                .take_while(|(id, number)| **id == counted(before, *number, digits))
                .count()
        });
        let run = run.max(1);
        if run > 2 {
            packed.push(Ids::Run { from: (*first).to_owned(), n: run });
        } else {
            packed.extend(rest[..run].iter().map(|id| Ids::One((*id).to_owned())));
        }
        rest = &rest[run..];
    }
    packed
}

/// `None` where a run of ids has no number to count from, or they are not `n`.
fn unpack_ids(packed: &[Ids], n: usize) -> Option<Vec<String>> {
    let mut ids = Vec::new();
    for entry in packed {
        match entry {
            Ids::One(id) => ids.push(id.clone()),
            Ids::Run { from, n: run } => {
                // A file that claims more than it holds must cost no memory.
                if ids.len().checked_add(*run)? > n {
                    return None;
                }
                let (before, first, digits) = numbered(from)?;
                ids.extend((first..).take(*run).map(|number| counted(before, number, digits)));
            }
        }
    }
    (ids.len() == n).then_some(ids)
}

fn pack_bits(bits: &[bool]) -> String {
    let digit = |four: &[bool]| {
        let value = four.iter().enumerate().fold(0u32, |sum, (i, bit)| sum | (u32::from(*bit) << (3 - i)));
        char::from_digit(value, 16).unwrap_or('0')
    };
    bits.chunks(4).map(digit).collect()
}

fn unpack_bits(text: &str, n: usize) -> Option<Vec<f64>> {
    if text.len() != n.div_ceil(4) {
        return None;
    }
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    Some((0..n).map(|i| f64::from(digits[i / 4] >> (3 - i % 4) & 1)).collect())
}

impl Baseline {
    /// What a finished run without faults becomes.
    ///
    /// # Errors
    /// [`Error::Input`]: no run directory, one that is not finished, with faults, or with items left out.
    pub fn of_run(dir: &Path) -> Result<Self> {
        let refuse = |why: String| Err(Error::Input(format!("cannot bless {}: {why}", dir.display())));
        if !dir.join(run_dir::RUN).is_file() {
            return refuse(format!(
                "it has no {}; a baseline is a run that `vrrl eval` made, or an import that was judged anew",
                run_dir::RUN
            ));
        }
        let side = Side::read(dir)?;
        if side.operand.kind != Kind::Run {
            return refuse("it is no run".into());
        }
        if side.operand.faults > 0 {
            return refuse(format!(
                "{} of {} episodes had faults and were not judged; the command that made it asks them again",
                side.operand.faults,
                side.operand.faults + side.cases.len()
            ));
        }
        let info = run_dir::read_info(dir)?;
        let repeats = info.config.repeats;
        let mut splits = Vec::new();
        for split in &info.splits {
            let cases: Vec<&Case> = side.cases.iter().filter(|case| case.item.split == split.name).collect();
            let (is, should) = (cases.len(), split.n * repeats as usize);
            if is != should {
                return refuse(format!(
                    "split {} has {is} judged episodes and should have {should}; the command that made it goes on with it",
                    split.name
                ));
            }
            let ids: Vec<&str> = cases.iter().step_by(repeats as usize).map(|c| c.item.id.as_str()).collect();
            let ordered = cases.iter().enumerate().all(|(at, case)| {
                let (item, repeat) = (at / repeats as usize, at % repeats as usize);
                case.item.id == ids[item] && case.item.repeat as usize == repeat
            });
            if !ordered {
                return refuse(format!(
                    "split {}: its episodes are not in the order of a finished run",
                    split.name
                ));
            }
            let (bits, counts) = columns(&cases);
            let role = split.role;
            let (name, task, hash, n) = (split.name.clone(), split.task, split.hash.clone(), split.n);
            splits.push(BaselineSplit { name, task, role, hash, n, ids: pack_ids(&ids), bits, counts });
        }
        if side.cases.is_empty() {
            return Err(Error::NothingRan(format!("{} holds no judged episode", dir.display())));
        }
        Ok(Self::seal(info, side.origin, splits))
    }

    fn seal(info: RunInfo, origin: Origin, splits: Vec<BaselineSplit>) -> Self {
        let mut baseline = Self {
            format: FORMAT,
            kind: KIND.into(),
            model: info.policy,
            method: info.method,
            run_id: info.run_id,
            config_hash: info.config_hash,
            settings: origin.settings,
            repeats: info.config.repeats,
            code_version: info.code_version,
            machine: info.machine,
            date: info.date,
            splits,
            hash: String::new(),
        };
        baseline.hash = baseline.content_hash();
        baseline
    }

    fn content_hash(&self) -> String {
        let bare = Self { hash: String::new(), ..self.clone() };
        sha256_hex(&serde_json::to_vec(&bare).expect("a baseline is plain data"))
    }

    /// The file's text: a line a key, a line a split, so that a change shows where it is.
    #[must_use]
    pub fn text(&self) -> String {
        let value = serde_json::to_value(self).expect("a baseline is plain data");
        let pick = |key: &str| value[key].to_string();
        let keys = [
            "format",
            "kind",
            "model",
            "method",
            "run_id",
            "config_hash",
            "settings",
            "repeats",
            "code_version",
            "machine",
            "date",
        ];
        let mut text = String::from("{\n");
        for key in keys {
            text.push_str(&format!("  \"{key}\": {},\n", pick(key)));
        }
        text.push_str("  \"splits\": [\n");
        let splits: Vec<String> =
            value["splits"].as_array().into_iter().flatten().map(|split| format!("    {split}")).collect();
        text.push_str(&splits.join(",\n"));
        text.push_str(&format!("\n  ],\n  \"hash\": {}\n}}\n", pick("hash")));
        text
    }

    /// Writes the file.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write(&self, path: &Path) -> Result<()> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        }
        store::replace(path, |out| std::io::Write::write_all(out, self.text().as_bytes()))
    }

    /// Items, all splits together.
    #[must_use]
    pub fn items(&self) -> usize {
        self.splits.iter().map(|split| split.n).sum()
    }

    pub(crate) fn origin(&self) -> Origin {
        let splits = self.splits.iter().map(|split| (split.name.clone(), split.hash.clone())).collect();
        Origin { splits, settings: self.settings.clone() }
    }

    pub(crate) fn cases(&self) -> Result<Vec<Case>> {
        let mut cases = Vec::new();
        for split in &self.splits {
            let found = split.cases(self.repeats.max(1));
            cases.extend(found.ok_or_else(|| {
                Error::Input(format!(
                    "baseline of {}: split {} is damaged; bless the run again",
                    self.model.name, split.name
                ))
            })?);
        }
        Ok(cases)
    }
}

/// A metric is written where every episode of the split has it.
fn columns(cases: &[&Case]) -> (BTreeMap<Metric, String>, BTreeMap<Metric, String>) {
    let (mut bits, mut counts) = (BTreeMap::new(), BTreeMap::new());
    for metric in Metric::STORED {
        let values: Option<Vec<f64>> = cases.iter().map(|case| case.values.get(metric)).collect();
        let Some(values) = values else { continue };
        if metric.scale() == Scale::Count {
            let words: Vec<String> = values.iter().map(|value| format!("{value}")).collect();
            counts.insert(metric, words.join(" "));
        } else {
            bits.insert(metric, pack_bits(&values.iter().map(|value| *value > 0.5).collect::<Vec<_>>()));
        }
    }
    (bits, counts)
}

impl BaselineSplit {
    fn cases(&self, repeats: u32) -> Option<Vec<Case>> {
        let ids = unpack_ids(&self.ids, self.n)?;
        let n = self.n.checked_mul(repeats as usize)?;
        let mut values = vec![Values::default(); n];
        let mut column = |metric: &Metric, numbers: Option<Vec<f64>>| -> Option<()> {
            let numbers = numbers.filter(|numbers| numbers.len() == n)?;
            values.iter_mut().zip(numbers).for_each(|(values, number)| values.set(*metric, number));
            Some(())
        };
        for (metric, text) in &self.bits {
            column(metric, unpack_bits(text, n))?;
        }
        for (metric, text) in &self.counts {
            let number = |word: &str| word.parse().ok().filter(|x: &f64| x.is_finite());
            column(metric, text.split_ascii_whitespace().map(number).collect())?;
        }
        let case = |(at, values): (usize, Values)| {
            let holds = |metric| values.get(metric).map(|value| value > 0.5);
            let item = Item {
                split: self.name.clone(),
                id: ids[at / repeats as usize].clone(),
                repeat: u32::try_from(at % repeats as usize).ok()?,
                role: self.role,
                correct: holds(Metric::Accuracy)?,
                correct_first: holds(Metric::FirstAccuracy),
            };
            Some(Case { item, values })
        };
        values.into_iter().enumerate().map(case).collect()
    }
}

/// The baseline that a file holds; `None` where it is another kind of file.
pub(super) fn sniff(path: &Path) -> Result<Option<Baseline>> {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(source) => return Err(Error::io("read", path)(source)),
    };
    // Lines of items never break inside an object; a baseline always does.
    if !text.trim_start().starts_with("{\n") && !text.trim_start().starts_with("{\r\n") {
        return Ok(None);
    }
    let next = "bless the run again, or check the file out anew";
    let value: Value = serde_json::from_str(&text).map_err(|e| {
        Error::content(path, format!("line {}", e.line()), format!("not a whole JSON file ({e}); {next}"))
    })?;
    if value["kind"] != KIND {
        let reason =
            format!("its kind is no {KIND:?}; name a run, a blessed baseline or JSONL with id and correct");
        return Err(Error::content(path, "kind", reason));
    }
    let baseline: Baseline = store::read_json(path)?;
    if baseline.hash != baseline.content_hash() {
        return Err(Error::content(
            path,
            "hash",
            format!("it does not fit the content, which was edited; {next}"),
        ));
    }
    Ok(Some(baseline))
}

/// The items of a baseline file for `compare`; `None` where it is another kind of file.
pub(crate) fn items(path: &Path) -> Result<Option<Vec<Item>>> {
    let Some(baseline) = sniff(path)? else { return Ok(None) };
    Ok(Some(baseline.cases()?.into_iter().map(|case| case.item).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_pack_and_unpack() {
        for ids in [
            vec![],
            vec!["a"],
            vec!["maze-000009", "maze-000010", "maze-000011"],
            vec!["maze-9", "maze-10", "maze-11", "maze-11x"],
            vec!["7", "8", "9", "10", "x", "x1", "x2", "x3", "x99"],
            vec!["99999999999999999998", "99999999999999999999", "1"],
        ] {
            let packed = pack_ids(&ids);
            assert_eq!(unpack_ids(&packed, ids.len()).unwrap(), ids, "{packed:?}");
            assert_eq!(unpack_ids(&packed, ids.len() + 1), None);
        }
        let many: Vec<String> = (0..1000).map(|i| format!("maze-{i:06}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(pack_ids(&many), [Ids::Run { from: "maze-000000".into(), n: 1000 }]);
        // Claims that no file backs.
        assert_eq!(unpack_ids(&[Ids::Run { from: "a0".into(), n: usize::MAX }], 5), None);
        assert_eq!(unpack_ids(&[Ids::Run { from: "a".into(), n: 5 }], 5), None);
    }

    #[test]
    fn bits_pack_and_unpack() {
        for n in 0..13 {
            let bits: Vec<bool> = (0..n).map(|i| i * i % 3 == 1).collect();
            let found = unpack_bits(&pack_bits(&bits), n).unwrap();
            assert_eq!(found.iter().map(|b| *b > 0.5).collect::<Vec<_>>(), bits);
            assert_eq!(unpack_bits(&pack_bits(&bits), n + 5), None);
        }
        assert_eq!(pack_bits(&[true, false, false, true, true]), "98");
        assert_eq!(unpack_bits("zz", 8), None);
    }
}
