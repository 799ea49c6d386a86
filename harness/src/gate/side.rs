//! One side of a gate: the items of an operand, and what is known of how they came about.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use vrrl_harness_core::{sha256_hex, Hasher};

use super::baseline::{self, Baseline};
use super::metric::{Metric, Values};
use super::rule::Setting;
use crate::compare::{read_items, Item};
use crate::record::RunInfo;
use crate::run_dir::{self, RUN, SCORES, SUMMARY};
use crate::{Error, Result};

/// File that an import leaves beside its run.
const IMPORT: &str = "import.json";

/// What an operand is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A run directory.
    Run,
    /// A blessed baseline.
    Baseline,
    /// Lines with `id` and `correct`.
    Lines,
}

/// One side, as outputs name it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Operand {
    /// Name for people: the model's, else the file's.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// SHA-256 over its items and their judgements.
    pub hash: String,
    /// Hash of the run, where there is one: equal for equal runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// SHA-256 of everything that decides the model's replies, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Items' episodes.
    pub episodes: usize,
    /// Episodes with faults, which are no items.
    #[serde(default)]
    pub faults: usize,
}

/// One judged episode with its numbers.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Case {
    pub item: Item,
    pub values: Values,
}

/// What is known of how the items came about.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Origin {
    /// Hash of each split's data by name.
    pub splits: BTreeMap<String, String>,
    /// Settings as words; one that is not known is absent.
    pub settings: BTreeMap<Setting, String>,
}

/// An operand, read.
#[derive(Clone, PartialEq, Debug)]
pub struct Side {
    pub(crate) operand: Operand,
    pub(crate) cases: Vec<Case>,
    pub(crate) origin: Origin,
    /// Faults, episodes and limit of a run that had more of them than it allows.
    pub(crate) faulty: Option<(usize, usize, f64)>,
}

impl Side {
    /// Reads a run directory, a blessed baseline or a JSONL file; see [`read_items`].
    ///
    /// # Errors
    /// A file that is missing, cut, of a newer format, or no operand.
    pub fn read(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return of_dir(path);
        }
        match baseline::sniff(path)? {
            Some(baseline) => of_baseline(&baseline),
            None => Ok(of_items(path, read_items(path)?)),
        }
    }

    /// Takes items as they are, for a judge of one's own and for simulations.
    #[must_use]
    pub fn of_items(name: &str, items: Vec<Item>) -> Self {
        of_items(Path::new(name), items)
    }

    /// What it is called.
    #[must_use]
    pub fn operand(&self) -> &Operand {
        &self.operand
    }
}

fn of_dir(dir: &Path) -> Result<Side> {
    if !dir.join(RUN).is_file() {
        return Ok(of_items(dir, read_items(dir)?));
    }
    if !dir.join(SCORES).is_file() {
        return Err(Error::Input(format!(
            "{} has no {SCORES}: the run is not finished; the command that began it goes on with it",
            dir.display()
        )));
    }
    let info = run_dir::read_info(dir)?;
    let mut cases = Vec::new();
    for row in run_dir::read_scores(dir)? {
        cases.push(Case { item: Item::from(&row), values: Values::of_row(&row) });
    }
    let faults = if dir.join(SUMMARY).is_file() {
        run_dir::read_summary(dir)?.splits.iter().map(|split| split.faults).sum()
    } else {
        0
    };
    let all = cases.len() + faults;
    let limit = info.config.max_fault_rate;
    Ok(Side {
        operand: Operand {
            name: info.policy.name.clone(),
            kind: Kind::Run,
            hash: hash(&cases),
            run_id: Some(info.run_id.clone()),
            fingerprint: Some(info.policy.fingerprint.clone()),
            episodes: cases.len(),
            faults,
        },
        cases,
        origin: origin(&info, dir.join(IMPORT).exists()),
        faulty: (faults as f64 > limit * all as f64).then_some((faults, all, limit)),
    })
}

fn of_items(path: &Path, items: Vec<Item>) -> Side {
    let cases: Vec<Case> = items
        .into_iter()
        .map(|item| {
            let mut values = Values::default();
            let bit = |holds: bool| f64::from(u8::from(holds));
            values.set(Metric::Accuracy, bit(item.correct));
            if let Some(first) = item.correct_first {
                values.set(Metric::FirstAccuracy, bit(first));
            }
            Case { item, values }
        })
        .collect();
    let name =
        path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    let operand = Operand {
        name,
        kind: Kind::Lines,
        hash: hash(&cases),
        run_id: None,
        fingerprint: None,
        episodes: cases.len(),
        faults: 0,
    };
    Side { operand, cases, origin: Origin::default(), faulty: None }
}

fn of_baseline(baseline: &Baseline) -> Result<Side> {
    let cases = baseline.cases()?;
    Ok(Side {
        operand: Operand {
            name: baseline.model.name.clone(),
            kind: Kind::Baseline,
            hash: hash(&cases),
            run_id: Some(baseline.run_id.clone()),
            fingerprint: Some(baseline.model.fingerprint.clone()),
            episodes: cases.len(),
            faults: 0,
        },
        cases,
        origin: baseline.origin(),
        faulty: None,
    })
}

/// What `run.json` says. An import's settings are guesses from what it saw, so only its splits and dialect count.
fn origin(info: &RunInfo, imported: bool) -> Origin {
    let splits = info.splits.iter().map(|split| (split.name.clone(), split.hash.clone())).collect();
    let mut settings = BTreeMap::from([(Setting::Dialect, info.config.dialect.word().to_owned())]);
    if !imported {
        let config = &info.config;
        settings.extend([
            (Setting::MaxTurns, config.max_turns.to_string()),
            (Setting::MaxTokens, config.max_tokens.to_string()),
            (Setting::Temperature, config.temperature.to_string()),
            (Setting::Feedback, config.feedback.word().to_owned()),
            (Setting::Control, config.control.word().to_owned()),
            (Setting::View, format!("{:?}", info.view).to_lowercase()),
        ]);
        if let Some(prompts) = info.settings.as_ref().and_then(|all| all.get("prompts")) {
            settings.insert(Setting::Prompts, sha256_hex(prompts.to_string().as_bytes()));
        }
    }
    Origin { splits, settings }
}

/// Over items and judgements in an order of their own.
fn hash(cases: &[Case]) -> String {
    let mut lines: Vec<(&str, &str, u32, bool, Option<bool>)> = cases
        .iter()
        .map(|case| {
            let item = &case.item;
            (item.split.as_str(), item.id.as_str(), item.repeat, item.correct, item.correct_first)
        })
        .collect();
    lines.sort_unstable();
    let hasher = lines.into_iter().fold(Hasher::default().part(b"judged items"), |hasher, line| {
        hasher.part(line.0).part(line.1).part(format!("{} {} {:?}", line.2, line.3, line.4))
    });
    hasher.hex()
}

/// Splits and settings in which two sides differ, in words; a split's data may never differ.
pub(super) fn changes(a: &Origin, b: &Origin) -> (Vec<String>, Vec<(Setting, String)>) {
    let splits = a.splits.iter().filter_map(|(name, before)| {
        let now = b.splits.get(name)?;
        (now != before).then(|| format!("split {name}: its data were {}, now {}", short(before), short(now)))
    });
    let settings = a.settings.iter().filter_map(|(setting, before)| {
        let now = b.settings.get(setting)?;
        (now != before)
            .then(|| (*setting, format!("{}: was {}, now {}", setting.word(), short(before), short(now))))
    });
    (splits.collect(), settings.collect())
}

/// Hashes by their beginning, other words whole.
fn short(word: &str) -> &str {
    if word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit()) {
        &word[..16]
    } else {
        word
    }
}
