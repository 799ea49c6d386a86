//! Split definitions: YAML in, checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_generators::shift::{self, Axis, Level};
use vrrl_harness_core::{Hasher, Role, TaskKind};

use crate::plan::Class;
use crate::split::sorted;
use crate::yaml::{from_yaml, read_small, with_hint};
use crate::{builtin, Error};

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
    /// The task's parameters, before any shift.
    pub params: Value,
    /// Named way in which it differs from in-distribution: `none`, an axis, or several joined by `+`.
    #[serde(default = "none")]
    pub shift: String,
    /// How far: 0 (in-distribution) to 5, or the name of a level; of several shifts the largest number.
    #[serde(default = "in_distribution")]
    pub severity: Level,
    /// Several axes at once with their levels. A single one stands in `shift` and `severity` alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shifts: BTreeMap<String, Level>,
    /// A name that is hashed into the seeds in place of the split's own. Splits of one task, class, seed, `scenes`
    /// and `params` show the same base scenes, so that they compare item by item; class and distinctness are
    /// then those of the base scene.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenes: Option<String>,
    /// Files with axes of one's own, beside the catalogue; relative to the definition's file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub axes: Vec<AxesFile>,
}

/// A file of shift axes, named in a definition or read into it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum AxesFile {
    /// A path that is still to be read.
    Path(String),
    /// Path and content, so that a definition means the same wherever it is read.
    Content {
        /// Where it was read from.
        file: String,
        /// Its YAML.
        yaml: String,
    },
}

fn none() -> String {
    "none".into()
}

fn in_distribution() -> Level {
    Level::Grade(0)
}

impl SplitDef {
    /// Reads and checks a definition; `file` is named in errors. A definition with axes of its own needs
    /// [`SplitDef::read`].
    ///
    /// # Errors
    /// [`Error::Definition`] with the line and, for an unknown key, the nearest known one.
    pub fn from_yaml(text: &str, file: &str) -> Result<Self, Error> {
        let mut def = Self::parse(text, file)?;
        def.settle(file)?;
        def.check(file)?;
        Ok(def)
    }

    /// Reads and checks a definition file, with the files of axes that it names.
    ///
    /// # Errors
    /// [`Error::Io`], or as [`SplitDef::from_yaml`]; also where it has the name of a built-in split and is
    /// another one.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = path.display().to_string();
        let mut def = Self::parse(&read_small(path)?, &file)?;
        let home = path.parent().unwrap_or(Path::new(""));
        for axes in &mut def.axes {
            if let AxesFile::Path(name) = axes {
                *axes = AxesFile::Content { yaml: read_small(&home.join(&*name))?, file: name.clone() };
            }
        }
        def.settle(&file)?;
        def.check(&file)?;
        match builtin::catalog().iter().find(|known| known.name == def.name) {
            Some(known) if *known != def => Err(wrong(
                &file,
                format!(
                    "name: {} is a built-in split, and this is another one; choose another name",
                    def.name
                ),
            )),
            _ => Ok(def),
        }
    }

    fn parse(text: &str, file: &str) -> Result<Self, Error> {
        let def: Self = from_yaml(text).map_err(|reason| wrong(file, reason))?;
        let keys: Value = from_yaml(text).map_err(|reason| wrong(file, reason))?;
        // Left out, the severity would silently be 0: an unshifted split under the name of a shift.
        if def.shift != "none" && def.shifts.is_empty() && keys["severity"].is_null() {
            return Err(wrong(file, format!("shift is {}, but severity is missing", def.shift)));
        }
        Ok(def)
    }

    /// Brings `shift`, `severity` and `shifts` into their one form.
    fn settle(&mut self, file: &str) -> Result<(), Error> {
        if self.shifts.is_empty() {
            return Ok(());
        }
        let joined = self.shifts.keys().map(String::as_str).collect::<Vec<_>>().join("+");
        if self.shift != "none" && self.shift != joined {
            let shift = &self.shift;
            return Err(wrong(file, format!("shift is {shift:?}, but shifts are {joined}; leave shift out")));
        }
        let own = self.own_axes(file)?;
        let given = std::mem::replace(&mut self.severity, in_distribution());
        self.shift = joined;
        self.severity = match self.shifts.len() {
            1 => self.shifts.pop_first().expect("there is one").1,
            _ => Level::Grade(self.number(&own).map_err(|reason| wrong(file, reason))?),
        };
        if given != in_distribution() && given != self.severity {
            let right = &self.severity;
            return Err(wrong(
                file,
                format!("severity is {given}, but shifts make it {right}; leave it out"),
            ));
        }
        Ok(())
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

    /// Its axes with their levels; none where it is in distribution.
    #[must_use]
    pub fn all_shifts(&self) -> BTreeMap<String, Level> {
        if self.shifts.is_empty() && self.shift != "none" {
            BTreeMap::from([(self.shift.clone(), self.severity.clone())])
        } else {
            self.shifts.clone()
        }
    }

    /// The shift as it stands in metadata rows: axes joined by `+`, a named level behind its axis (`font:mono`).
    #[must_use]
    pub fn shift_label(&self) -> String {
        let word = |(axis, level): (String, Level)| match level {
            Level::Grade(_) => axis,
            Level::Named(name) => format!("{axis}:{name}"),
        };
        let words: Vec<String> = self.all_shifts().into_iter().map(word).collect();
        if words.is_empty() {
            none()
        } else {
            words.join("+")
        }
    }

    /// The severity as a number: a named level counts by its position from 1; of several the largest. Of an axis that
    /// is unknown here (an imported split may have one), the number that stands there, or 0.
    #[must_use]
    pub fn severity_number(&self) -> u8 {
        let own = self.own_axes(&self.name).unwrap_or_default();
        let standing = match self.severity {
            Level::Grade(grade) => grade,
            Level::Named(_) => 0,
        };
        self.number(&own).unwrap_or(standing)
    }

    fn number(&self, own: &[Axis]) -> Result<u8, String> {
        let mut most = 0;
        for (name, level) in self.all_shifts() {
            let axis = shift::axis(&name).or_else(|| own.iter().find(|axis| axis.name == name));
            let number = axis.and_then(|axis| axis.severity(self.task, &level));
            match number {
                Some(number) => most = most.max(number),
                // The merging of patches knows the nearest words.
                None => {
                    return Err(self.resolve(own).err().unwrap_or_else(|| format!("{name} has no {level}")))
                }
            }
        }
        Ok(most)
    }

    /// The parameters of the examples: its own with the patches of all shifts.
    ///
    /// # Errors
    /// [`Error::Definition`] naming the axis or level and the nearest known one.
    pub fn shifted_params(&self) -> Result<Value, Error> {
        if self.shift == "none" && self.shifts.is_empty() {
            return Ok(self.params.clone());
        }
        self.resolve(&self.own_axes(&self.name)?).map_err(|reason| wrong(&self.name, reason))
    }

    fn resolve(&self, own: &[Axis]) -> Result<Value, String> {
        shift::resolve(self.task, &self.params, &self.all_shifts(), own).map_err(|e| e.to_string())
    }

    /// The axes that it brings along.
    fn own_axes(&self, file: &str) -> Result<Vec<Axis>, Error> {
        let mut all = Vec::new();
        let mut names = BTreeSet::new();
        for axes in &self.axes {
            let AxesFile::Content { file: path, yaml } = axes else {
                let reason =
                    "axes: their files are found only where the definition itself is read from a file";
                return Err(wrong(file, reason.into()));
            };
            // The bounds are of this crate; what an axis may say is known there.
            from_yaml::<Value>(yaml).map_err(|e| wrong(file, format!("axes: {path}: {e}")))?;
            let read = shift::axes_from_yaml(yaml, path).map_err(|e| wrong(file, format!("axes: {e}")))?;
            for axis in &read {
                if !names.insert(axis.name.clone()) {
                    return Err(wrong(file, format!("axes: axis {} stands there twice", axis.name)));
                }
            }
            all.extend(read);
        }
        Ok(all)
    }

    /// Whether every axis of its shifts keeps the base scene, so that severities compare item by item.
    ///
    /// # Errors
    /// [`Error::Definition`] where its axes do not read.
    pub fn paired(&self) -> Result<bool, Error> {
        let own = self.own_axes(&self.name)?;
        let axis = |name: &String| shift::axis(name).or_else(|| own.iter().find(|axis| axis.name == *name));
        Ok(self.all_shifts().keys().all(|name| axis(name).is_some_and(|axis| axis.keeps_scene(self.task))))
    }

    /// A hash that splits share exactly if they show the same base scenes under the same ids.
    #[must_use]
    pub fn scenes_key(&self) -> String {
        let scenes = self.scenes.as_ref().unwrap_or(&self.name);
        let hasher = Hasher::default()
            .part(b"vrrl scenes 1")
            .part(self.task.word())
            .part(self.seed.to_le_bytes())
            .part(scenes)
            .part(Class::of_role(self.role).word())
            .part(sorted(&self.params));
        hasher.hex()
    }

    /// Checks everything that can be checked without generating.
    pub(crate) fn check(&self, file: &str) -> Result<(), Error> {
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
        };
        for (key, name) in [("name", Some(&self.name)), ("scenes", self.scenes.as_ref())] {
            if name.is_some_and(|name| name.len() > 200 || !name.split('/').all(part)) {
                let name = name.map_or("", String::as_str);
                return Err(wrong(
                    file,
                    format!(
                        "{key} is {name:?}; use parts of a-z, 0-9, _ and - with / between, up to 200 letters"
                    ),
                ));
            }
        }
        if self.n == 0 || self.n > 10_000_000 {
            return Err(wrong(file, format!("n is {}; use 1 to 10000000", self.n)));
        }
        if self.shift == "none" && self.severity != in_distribution() {
            let severity = &self.severity;
            return Err(wrong(
                file,
                format!("severity is {severity}, but shift is none; name an axis in shift"),
            ));
        }
        let own = self.own_axes(file)?;
        self.number(&own).map_err(|reason| wrong(file, reason))?;
        let params = self.resolve(&own).map_err(|reason| wrong(file, reason))?;
        let check = |params: &Value| {
            let spans = vrrl_generators::check(self.task, params);
            spans.map_err(|e| wrong(file, with_hint(&e.to_string())))
        };
        check(&self.params)?;
        if params != self.params {
            check(&params)?;
        }
        Ok(())
    }
}

pub(crate) fn wrong(file: &str, reason: String) -> Error {
    Error::Definition { file: file.into(), reason }
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
    fn definitions_are_checked() {
        let def = SplitDef::from_yaml(GOOD, "my.yaml").unwrap();
        assert_eq!((def.shift.as_str(), def.severity), ("none", Level::Grade(0)));
        let text = error(&GOOD.replace("role:", "rloe:"));
        assert!(
            text.contains("my.yaml") && text.contains("line 5") && text.contains("did you mean `role`?"),
            "{text}"
        );
        assert!(error(&GOOD.replace("size: [6, 6]", "sizes: [6, 6]")).contains("did you mean `size`?"));
        assert!(error(&GOOD.replace("[6, 6]", "[6, 9]")).contains("within 2 to 8"));
        assert!(error(&GOOD.replace("n: 10", "n: 0")).contains("n is 0"));
        assert!(error(&GOOD.replace("my/maze", "My Maze")).contains("name is"));
        assert!(error(&GOOD.replace("task: maze", "task: chart")).contains("size"));
        assert!(error(&format!("{GOOD}shift: fog\nseverity: 1\n")).contains("fog"));
        assert!(error(&format!("{GOOD}severity: 6\n")).contains("severity 6 is out of range; use 0 to 5"));
        assert!(error("n: [").contains("my.yaml"));
    }
}
