//! What a shift axis is, and reading axes from YAML.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use vrrl_harness_core::{Error, TaskKind};

use super::near::with_hint;
use super::op::parse_post;
use crate::pose::reads;

/// Highest severity of an ordered axis.
const MOST: u8 = 5;
/// Axis files are small; more than this is a mistake or an attack.
const LARGEST_FILE: usize = 256 * 1024;
const FORMAT: u32 = 1;

/// How far along an axis: a severity, or one of the axis's names where it has no order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Severity, 0 (in-distribution) to 5.
    Grade(u8),
    /// A named level, such as `mono` of the axis `font`.
    Named(String),
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grade(grade) => write!(f, "{grade}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Grade(grade) => serializer.serialize_u8(*grade),
            Self::Named(name) => serializer.serialize_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Level;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a severity from 0 to 5 or the name of a level")
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Level, E> {
                match u8::try_from(number) {
                    Ok(grade) if grade <= MOST => Ok(Level::Grade(grade)),
                    _ => Err(E::custom(format!("severity {number} is out of range; use 0 to {MOST}"))),
                }
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Level, E> {
                // Only negative ones may come here or not, depending on the format's reader.
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::custom(format!("severity {number} is out of range; use 0 to {MOST}"))),
                }
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Level, E> {
                Ok(Level::Named(name.into()))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// What an axis changes; decides what stays equal between its severities.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Changes {
    /// The problem itself: its canonical form may change.
    Structure,
    /// How the same problem is drawn.
    Look,
    /// The finished picture.
    Pixels,
}

impl Changes {
    /// The word used in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Look => "look",
            Self::Pixels => "pixels",
        }
    }
}

/// A named way in which a split differs from in-distribution.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Its name in split definitions.
    pub name: String,
    /// One sentence for people.
    pub about: String,
    /// Where formula or constants come from, and how they were adapted.
    #[serde(default)]
    pub source: Option<String>,
    /// What it changes.
    pub changes: Changes,
    /// Whether every level keeps the base scene, so that levels compare item by item; tasks may differ, see
    /// [`Self::keeps_scene`].
    pub paired: bool,
    patches: Vec<Patch>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    tasks: Vec<TaskKind>,
    /// In place of the axis's own, for these tasks.
    #[serde(default)]
    paired: Option<bool>,
    levels: Levels,
}

/// Levels in the order of the file.
#[derive(Clone, PartialEq, Debug)]
struct Levels(Vec<(Level, Value)>);

impl<'de> Deserialize<'de> for Levels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Levels;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from levels to changes of parameters")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Levels, A::Error> {
                let mut levels: Vec<(Level, Value)> = Vec::new();
                while let Some((level, change)) = map.next_entry::<Level, Value>()? {
                    if levels.iter().any(|(known, _)| *known == level) {
                        return Err(de::Error::custom(format!("level {level} stands there twice")));
                    }
                    levels.push((level, change));
                }
                Ok(Levels(levels))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl Axis {
    /// The tasks it is defined for.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskKind> {
        let all = [TaskKind::Table, TaskKind::Chart, TaskKind::Maze];
        all.into_iter().filter(|&task| self.levels_of(task).is_some()).collect()
    }

    /// Whether its levels are severities 1 to 5 rather than names.
    #[must_use]
    pub fn ordered(&self) -> bool {
        matches!(self.patches[0].levels.0[0].0, Level::Grade(_))
    }

    /// Its levels for a task, in order, without severity 0; none where it is not defined for the task.
    #[must_use]
    pub fn levels(&self, task: TaskKind) -> Vec<Level> {
        let levels = self.levels_of(task).into_iter().flatten();
        levels.map(|(level, _)| level.clone()).collect()
    }

    /// What a level changes in the parameters of a task; `None` where there is no such level.
    #[must_use]
    pub fn patch(&self, task: TaskKind, level: &Level) -> Option<&Value> {
        let mut levels = self.levels_of(task)?.iter();
        levels.find(|(known, _)| known == level).map(|(_, change)| change)
    }

    /// A level as an integer: the severity, or the position of a named level counted from 1; 0 is
    /// in-distribution. `None` where there is no such level.
    #[must_use]
    pub fn severity(&self, task: TaskKind, level: &Level) -> Option<u8> {
        match level {
            Level::Grade(0) => Some(0),
            Level::Grade(grade) => self.patch(task, level).map(|_| *grade),
            Level::Named(_) => {
                let position = self.levels_of(task)?.iter().position(|(known, _)| known == level)?;
                u8::try_from(position + 1).ok()
            }
        }
    }

    /// Whether every level shows a task's base scene, so that levels compare item by item.
    #[must_use]
    pub fn keeps_scene(&self, task: TaskKind) -> bool {
        self.patch_of(task).and_then(|patch| patch.paired).unwrap_or(self.paired)
    }

    fn patch_of(&self, task: TaskKind) -> Option<&Patch> {
        self.patches.iter().find(|patch| patch.tasks.contains(&task))
    }

    fn levels_of(&self, task: TaskKind) -> Option<&[(Level, Value)]> {
        Some(&self.patch_of(task)?.levels.0)
    }

    /// What is wrong with it, with the key.
    fn fault(&self) -> Option<String> {
        if !is_name(&self.name) {
            return Some(format!("name {:?}: use up to 32 of a-z, 0-9, _ and -, first a letter", self.name));
        }
        if self.patches.is_empty() {
            return Some("patches is empty; give tasks and levels".into());
        }
        if self.patches.iter().any(|patch| patch.levels.0.is_empty()) {
            return Some("levels is empty; give severities 1 to 5 or named levels".into());
        }
        let mut tasks = BTreeSet::new();
        for task in self.patches.iter().flat_map(|patch| &patch.tasks) {
            if !tasks.insert(task) {
                return Some(format!("task {} stands there twice", task.word()));
            }
        }
        if tasks.is_empty() {
            return Some("tasks is empty; give table, chart or maze".into());
        }
        let ordered = self.ordered();
        self.patches.iter().find_map(|patch| patch.fault(ordered))
    }
}

impl Patch {
    fn fault(&self, ordered: bool) -> Option<String> {
        for (level, change) in &self.levels.0 {
            match level {
                Level::Named(name) if !is_name(name) => {
                    return Some(format!(
                        "level {name:?}: use up to 32 of a-z, 0-9, _ and -, first a letter"
                    ));
                }
                Level::Grade(0) => {
                    return Some("level 0 is in-distribution and changes nothing; leave it out".into());
                }
                _ => {}
            }
            if ordered != matches!(level, Level::Grade(_)) {
                return Some(format!("level {level}: an axis has severities 1 to 5 or names, not both"));
            }
            let Some(patch) = change.as_object() else {
                return Some(format!("level {level}: give a map of parameters, not {change}"));
            };
            if let Err(reason) = parse_post(patch.get("post")) {
                return Some(format!("level {level}: {reason}"));
            }
            for &task in &self.tasks {
                if let Err(reason) = reads(task, patch) {
                    return Some(format!("level {level}: {}", with_hint(&reason)));
                }
            }
        }
        let missing = (1..=MOST).find(|&grade| {
            ordered && !self.levels.0.iter().any(|(level, _)| *level == Level::Grade(grade))
        })?;
        Some(format!("level {missing} is missing; an ordered axis has all of 1 to {MOST}"))
    }
}

fn is_name(word: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    word.starts_with(|c: char| c.is_ascii_lowercase()) && word.len() <= 32 && word.chars().all(inner)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    axes: Vec<Axis>,
}

/// The catalogue, in the order in which its axes are applied.
#[must_use]
pub fn axes() -> &'static [Axis] {
    static AXES: OnceLock<Vec<Axis>> = OnceLock::new();
    AXES.get_or_init(|| parse(include_str!("axes.yaml"), "axes.yaml").expect("the catalogue is tested"))
}

/// The axis of the catalogue with this name.
#[must_use]
pub fn axis(name: &str) -> Option<&'static Axis> {
    axes().iter().find(|axis| axis.name == name)
}

/// Reads a user's axes; `file` is named in errors.
///
/// # Errors
/// [`Error::Config`] with file, axis, key and, for an unknown key, the nearest known one; also where a name
/// is taken by the catalogue.
pub fn axes_from_yaml(text: &str, file: &str) -> Result<Vec<Axis>, Error> {
    let own = parse(text, file)?;
    match own.iter().find(|own| axis(&own.name).is_some()) {
        Some(taken) => {
            Err(wrong(file, format!("axis {}: the catalogue has this name; choose another", taken.name)))
        }
        None => Ok(own),
    }
}

fn parse(text: &str, file: &str) -> Result<Vec<Axis>, Error> {
    if text.len() > LARGEST_FILE {
        let limit = LARGEST_FILE / 1024;
        return Err(wrong(file, format!("{} bytes; an axis file holds at most {limit} KiB", text.len())));
    }
    let read: File = serde_yaml::from_str(text).map_err(|e| wrong(file, with_hint(&e.to_string())))?;
    if read.format != FORMAT {
        return Err(wrong(file, format!("format is {}; this version reads {FORMAT}", read.format)));
    }
    let mut names = BTreeSet::new();
    for axis in &read.axes {
        if let Some(fault) = axis.fault() {
            return Err(wrong(file, format!("axis {}: {fault}", axis.name)));
        }
        if !names.insert(&axis.name) {
            return Err(wrong(file, format!("axis {} stands there twice", axis.name)));
        }
    }
    Ok(read.axes)
}

fn wrong(file: &str, reason: String) -> Error {
    Error::Config { what: "shift axes", reason: format!("{file}: {reason}") }
}
