//! What is compared: items of a run directory or of a file, and how they find each other.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};
use vrrl_harness_core::Role;

use crate::record::ScoreRow;
use crate::run_dir::{read_info, RUN, SCORES};
use crate::store::{self, Torn};
use crate::{Error, Result};

/// One judged episode.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Item {
    /// Split; empty where a file does not say.
    #[serde(default)]
    pub split: String,
    /// Example id; a number reads as its digits.
    #[serde(deserialize_with = "id")]
    pub id: String,
    /// Number of the episode where an example was asked more than once.
    #[serde(default)]
    pub repeat: u32,
    /// What the split is for, where that is known.
    #[serde(default)]
    pub role: Option<Role>,
    /// Final answer exact.
    #[serde(deserialize_with = "bit")]
    pub correct: bool,
    /// First answer exact, where that is known.
    #[serde(default, deserialize_with = "maybe_bit")]
    pub correct_first: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Raw {
    Bit(bool),
    Number(f64),
    Text(String),
}

fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        other => Err(serde::de::Error::custom(format!("an id is a string, not {other}"))),
    }
}

fn bit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let wrong = |found: &dyn std::fmt::Display| {
        serde::de::Error::custom(format!(
            "correct is 0, 1, true or false, not {found}; leave out lines of items that were not scored"
        ))
    };
    match Raw::deserialize(deserializer).map_err(|_| wrong(&"this"))? {
        Raw::Bit(bit) => Ok(bit),
        Raw::Number(number) if number.total_cmp(&0.0).is_eq() => Ok(false),
        Raw::Number(number) if number.total_cmp(&1.0).is_eq() => Ok(true),
        Raw::Number(number) => Err(wrong(&number)),
        Raw::Text(text) => Err(wrong(&format!("{text:?}"))),
    }
}

fn maybe_bit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    #[derive(Deserialize)]
    struct Bit(#[serde(deserialize_with = "bit")] bool);
    Ok(Option::<Bit>::deserialize(deserializer)?.map(|bit| bit.0))
}

impl From<&ScoreRow> for Item {
    fn from(row: &ScoreRow) -> Self {
        Self {
            split: row.split.clone(),
            id: row.id.clone(),
            repeat: row.repeat,
            role: row.role,
            correct: row.correct,
            correct_first: Some(row.correct_first),
        }
    }
}

pub(super) fn of_rows(rows: &[ScoreRow]) -> Vec<Item> {
    rows.iter().map(Item::from).collect()
}

/// Reads what `compare` and `gate` accept: a run directory, a blessed baseline, or a JSONL file whose lines carry `id` and `correct`
/// (0/1 or true/false), and may carry `split`, `repeat`, `role` and `correct_first`; other keys are ignored.
///
/// # Errors
/// A missing file, or a line that is no item, named by number.
pub fn read_items(path: &Path) -> Result<Vec<Item>> {
    if !path.is_dir() {
        if let Some(items) = crate::gate::baseline_items(path)? {
            return Ok(items);
        }
        return match store::read_lines(path, Torn::Refuse) {
            Ok((items, _)) => Ok(items),
            Err(Error::Content { path, place, reason }) => {
                let next =
                    "another harness's file becomes a run by `vrrl import --from HARNESS FILE --out RUN`";
                Err(Error::Content { path, place, reason: format!("{reason}; {next}") })
            }
            Err(other) => Err(other),
        };
    }
    if !path.join(SCORES).is_file() {
        return Err(Error::Input(format!(
            "{} has no {SCORES}: it is no finished run; name a run directory or a JSONL file with id and correct",
            path.display()
        )));
    }
    // Rows of a run are items with more keys; imported ones have no more than these.
    let (mut items, _) = store::read_lines::<Item>(&path.join(SCORES), Torn::Refuse)?;
    // Bare imported items come without a description.
    if path.join(RUN).is_file() && read_info(path)?.config.max_turns == 1 {
        // The only answer is no first one: nothing could revise it.
        items.iter_mut().for_each(|item| item.correct_first = None);
    }
    Ok(items)
}

/// One number of A and one of B.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Sides {
    pub a: f64,
    pub b: f64,
}

impl Sides {
    /// As right or wrong, where both are.
    pub fn bits(self) -> Option<(bool, bool)> {
        let bit = |share: f64| match share {
            s if s.total_cmp(&0.0).is_eq() => Some(false),
            s if s.total_cmp(&1.0).is_eq() => Some(true),
            _ => None,
        };
        bit(self.a).zip(bit(self.b))
    }
}

/// One item on both sides: shares of right episodes, last and first answers.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Pair {
    pub split: String,
    pub id: String,
    pub last: Sides,
    pub first: Option<Sides>,
}

/// What stood in the way of pairing, as counts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Intersection {
    /// Items only in A, left out.
    pub only_a: usize,
    /// Items only in B, left out.
    pub only_b: usize,
    /// Lines that repeat another of the same input and say the same, left out.
    pub duplicates: usize,
    /// Items with lines that say different things in one input, left out on both sides.
    pub conflicting: usize,
}

type Key = (String, String);

/// Episodes of one item on one side, by number.
type Episodes<'i> = BTreeMap<u32, &'i Item>;

#[derive(Default)]
struct Side<'i> {
    items: BTreeMap<Key, Episodes<'i>>,
    duplicates: usize,
    conflicting: Vec<Key>,
    /// The first few duplicates, in words.
    words: Vec<String>,
}

pub(super) fn pair(a: &[Item], b: &[Item], intersect: bool) -> Result<(Vec<Pair>, Intersection)> {
    let (mut a, mut b) = (index(a, "A"), index(b, "B"));
    let lonely = |side: &Side<'_>, other: &Side<'_>, name: &str| -> Vec<String> {
        let keys = side.items.keys().filter(|key| !other.items.contains_key(*key));
        keys.map(|(split, id)| format!("only {name} has {}", named(split, id))).collect()
    };
    let (only_a, only_b) = (lonely(&a, &b, "A"), lonely(&b, &a, "B"));
    let words: Vec<String> = a.words.iter().chain(&b.words).chain(&only_a).chain(&only_b).cloned().collect();
    if !intersect && !words.is_empty() {
        return Err(Error::Unmatched(format!("{}; --intersect leaves such items out", shown(&words))));
    }
    let mut conflicting: Vec<Key> = a.conflicting.iter().chain(&b.conflicting).cloned().collect();
    conflicting.sort_unstable();
    conflicting.dedup();
    for key in &conflicting {
        a.items.remove(key);
        b.items.remove(key);
    }
    let pairs: Vec<Pair> =
        a.items.iter().filter_map(|(key, episodes)| Some(joined(key, episodes, b.items.get(key)?))).collect();
    if pairs.is_empty() {
        return Err(Error::Unmatched("no item is on both sides".into()));
    }
    let intersection = Intersection {
        only_a: only_a.len(),
        only_b: only_b.len(),
        duplicates: a.duplicates + b.duplicates,
        conflicting: conflicting.len(),
    };
    Ok((pairs, intersection))
}

/// Splits and ids of the items that pair, in order; refuses and counts as a comparison does.
pub(crate) fn matching(
    a: &[Item],
    b: &[Item],
    intersect: bool,
) -> Result<(Vec<(String, String)>, Intersection)> {
    let (pairs, intersection) = pair(a, b, intersect)?;
    Ok((pairs.into_iter().map(|pair| (pair.split, pair.id)).collect(), intersection))
}

fn named(split: &str, id: &str) -> String {
    if split.is_empty() {
        format!("id {id}")
    } else {
        format!("split {split}, id {id}")
    }
}

fn shown(words: &[String]) -> String {
    let first = words.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
    let more = if words.len() > 5 { format!("; and {} more", words.len() - 5) } else { String::new() };
    format!("{first}{more}")
}

fn index<'i>(items: &'i [Item], name: &str) -> Side<'i> {
    let mut side = Side::default();
    for item in items {
        let key = (item.split.clone(), item.id.clone());
        let episodes = side.items.entry(key.clone()).or_default();
        let Some(before) = episodes.insert(item.repeat, item) else { continue };
        let repeat = if item.repeat > 0 { format!(", repeat {}", item.repeat) } else { String::new() };
        side.words.push(format!("{name} has {}{repeat} twice", named(&item.split, &item.id)));
        if before.correct == item.correct && before.correct_first == item.correct_first {
            side.duplicates += 1;
        } else {
            side.conflicting.push(key);
        }
    }
    side
}

fn joined((split, id): &Key, a: &Episodes<'_>, b: &Episodes<'_>) -> Pair {
    let share = |episodes: &Episodes<'_>, of: fn(&Item) -> bool| {
        let right = episodes.values().filter(|item| of(item)).count();
        right as f64 / episodes.len() as f64
    };
    let sides = |of| Sides { a: share(a, of), b: share(b, of) };
    let known = a.values().chain(b.values()).all(|item| item.correct_first.is_some());
    Pair {
        split: split.clone(),
        id: id.clone(),
        last: sides(|item| item.correct),
        first: known.then(|| sides(|item| item.correct_first == Some(true))),
    }
}
