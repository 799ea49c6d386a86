//! Split definitions: YAML in, checked, with the built-in ones.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_harness_core::{Role, TaskKind};

use crate::Error;

/// A named set of examples, as it is written in YAML.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitDef {
    /// Full name, parts separated by `/`, of `a-z`, `0-9`, `_` and `-` (imported splits: any letters).
    pub name: String,
    /// Task.
    pub task: TaskKind,
    /// Examples.
    pub n: usize,
    /// Seed; the name is hashed in as well.
    pub seed: u64,
    /// What it is for; decides the class its examples are drawn from.
    pub role: Role,
    /// The task's parameters.
    pub params: Value,
    /// Named way in which it differs from in-distribution.
    #[serde(default = "no_shift")]
    pub shift: String,
    /// How far: 0 (in-distribution) to 5.
    #[serde(default)]
    pub severity: u32,
}

fn no_shift() -> String {
    "none".into()
}

impl SplitDef {
    /// Reads and checks a definition; `file` is named in errors.
    ///
    /// # Errors
    /// [`Error::Definition`] with the line and, for an unknown key, the nearest known one.
    pub fn from_yaml(text: &str, file: &str) -> Result<Self, Error> {
        let def: Self = serde_yaml::from_str(text).map_err(|e| wrong(file, with_hint(&e.to_string())))?;
        def.check(file)?;
        Ok(def)
    }

    /// Reads and checks a definition file.
    ///
    /// # Errors
    /// [`Error::Io`], or as [`SplitDef::from_yaml`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        Self::from_yaml(&text, &path.display().to_string())
    }

    /// The name's last part.
    #[must_use]
    pub fn short_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// The name's last part as a folder name of `[a-z0-9_]`.
    #[must_use]
    pub fn folder(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        self.short_name().chars().map(plain).collect()
    }

    /// Checks everything that can be checked without generating.
    pub(crate) fn check(&self, file: &str) -> Result<(), Error> {
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
        };
        if !self.name.split('/').all(part) {
            return Err(wrong(
                file,
                format!("name is {:?}; use parts of a-z, 0-9, _ and - with / between", self.name),
            ));
        }
        if self.n == 0 || self.n > 10_000_000 {
            return Err(wrong(file, format!("n is {}; use 1 to 10000000", self.n)));
        }
        if self.severity > 5 {
            return Err(wrong(file, format!("severity is {}; use 0 to 5", self.severity)));
        }
        if self.shift != "none" || self.severity != 0 {
            return Err(wrong(
                file,
                format!("shift {:?} is unknown; only none with severity 0 exists", self.shift),
            ));
        }
        vrrl_generators::check(self.task, &self.params)
            .map_err(|e| wrong(file, with_hint(&e.to_string())))?;
        Ok(())
    }
}

fn wrong(file: &str, reason: String) -> Error {
    Error::Definition { file: file.into(), reason }
}

fn with_hint(message: &str) -> String {
    match suggestion(message) {
        Some(key) => format!("{message}; did you mean `{key}`?"),
        None => message.into(),
    }
}

/// The nearest known key, from a serde message such as "unknown field `hole`, expected one of `holes`, …";
/// `None` for another message or where nothing is near.
#[must_use]
pub fn suggestion(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("unknown field `")?;
    let (unknown, expected) = rest.split_once('`')?;
    let known = expected.split('`').skip(1).step_by(2);
    nearest(unknown, known).map(Into::into)
}

/// The candidate fewest edits away, if at most half of the word would change.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = candidates.into_iter().map(|candidate| (edits(word, candidate), candidate));
    scored
        .min()
        .filter(|&(distance, _)| distance * 2 <= word.chars().count().max(2))
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

const BUILT_IN: [(&str, &str); 8] = [
    ("quick/train.yaml", include_str!("../quick/train.yaml")),
    ("quick/id_val.yaml", include_str!("../quick/id_val.yaml")),
    ("quick/id_test.yaml", include_str!("../quick/id_test.yaml")),
    ("quick/ood6.yaml", include_str!("../quick/ood6.yaml")),
    ("quick/ood7.yaml", include_str!("../quick/ood7.yaml")),
    ("quick/ood8.yaml", include_str!("../quick/ood8.yaml")),
    ("quick/dev6.yaml", include_str!("../quick/dev6.yaml")),
    ("quick/dev7.yaml", include_str!("../quick/dev7.yaml")),
];

/// The built-in splits.
#[must_use]
pub fn catalog() -> Vec<SplitDef> {
    let read = |&(file, text): &(&str, &str)| {
        SplitDef::from_yaml(text, file).expect("built-in definitions are tested")
    };
    BUILT_IN.iter().map(read).collect()
}

/// The built-in split of this full name, or whose last part it is where that is unique.
///
/// # Errors
/// [`Error::Name`] with the nearest or the candidate names.
pub fn find(name: &str) -> Result<SplitDef, Error> {
    choose(catalog(), name)
}

fn choose(splits: Vec<SplitDef>, name: &str) -> Result<SplitDef, Error> {
    let mut hits: Vec<&SplitDef> = splits.iter().filter(|def| def.name == name).collect();
    if hits.is_empty() {
        hits = splits.iter().filter(|def| def.short_name() == name).collect();
    }
    if let [hit] = hits[..] {
        return Ok(hit.clone());
    }
    let names = |defs: &[&SplitDef]| defs.iter().map(|def| def.name.as_str()).collect::<Vec<_>>().join(", ");
    let known = if hits.is_empty() {
        let words = splits.iter().flat_map(|def| [def.name.as_str(), def.short_name()]);
        match nearest(name, words) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("known: {}", names(&splits.iter().collect::<Vec<_>>())),
        }
    } else {
        format!("it could be any of {}; write the full name", names(&hits))
    };
    Err(Error::Name { name: name.into(), known })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "name: my/maze\ntask: maze\nn: 10\nseed: 3\nrole: ood_test\nparams: { size: [6, 6] }\n";

    fn error(text: &str) -> String {
        SplitDef::from_yaml(text, "my.yaml").unwrap_err().to_string()
    }

    #[test]
    fn the_catalog_is_sound() {
        let names: std::collections::BTreeSet<_> = catalog().into_iter().map(|def| def.name).collect();
        assert_eq!(names.len(), BUILT_IN.len());
        let seeds: std::collections::BTreeSet<_> = catalog().into_iter().map(|def| def.seed).collect();
        assert_eq!(seeds.len(), BUILT_IN.len());
        assert!(names.iter().all(|name| name.starts_with("quick/maze/")));
    }

    #[test]
    fn names_are_found_by_their_last_part() {
        assert_eq!(find("ood7").unwrap().name, "quick/maze/ood7");
        assert_eq!(find("quick/maze/ood7").unwrap().n, 1000);
        assert!(find("odo7").unwrap_err().to_string().contains("did you mean ood7?"));
        assert!(find("something else").unwrap_err().to_string().contains("known: quick/maze/train"));
        let twice =
            vec![find("ood7").unwrap(), SplitDef { name: "other/ood7".into(), ..find("ood7").unwrap() }];
        assert!(choose(twice, "ood7").unwrap_err().to_string().contains("quick/maze/ood7, other/ood7"));
    }

    #[test]
    fn definitions_are_checked() {
        let def = SplitDef::from_yaml(GOOD, "my.yaml").unwrap();
        assert_eq!((def.shift.as_str(), def.severity), ("none", 0));
        let text = error(&GOOD.replace("role:", "rloe:"));
        assert!(
            text.contains("my.yaml") && text.contains("line 5") && text.contains("did you mean `role`?"),
            "{text}"
        );
        assert!(error(&GOOD.replace("size: [6, 6]", "sizes: [6, 6]")).contains("did you mean `size`?"));
        assert!(error(&GOOD.replace("[6, 6]", "[6, 9]")).contains("within 2 to 8"));
        assert!(error(&GOOD.replace("n: 10", "n: 0")).contains("n is 0"));
        assert!(error(&GOOD.replace("my/maze", "My Maze")).contains("name is"));
        assert!(error(&GOOD.replace("task: maze", "task: chart")).contains("cannot be generated yet"));
        assert!(error(&format!("{GOOD}shift: fog\n")).contains("fog"));
        assert!(error(&format!("{GOOD}severity: 6\n")).contains("severity is 6"));
        assert!(error("n: [").contains("my.yaml"));
    }
}
