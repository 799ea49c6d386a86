//! The definition as people read it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vrrl_datasets::{Class, SplitDef};
use vrrl_generators::shift::{self, Level};

use super::OwnAxes;
use crate::{Error, Result};

/// Paths of axes as the definition's file names them: beside it by name, else in full.
pub(super) fn beside(axes: &[PathBuf], file: &Path) -> Vec<String> {
    let home = |path: &Path| {
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        parent.canonicalize().unwrap_or_else(|_| parent.to_path_buf())
    };
    let here = home(file);
    let name = |path: &PathBuf| {
        let there = home(path);
        let last = path.file_name().map(PathBuf::from).unwrap_or_default();
        let named = if there == here { last } else { there.join(last) };
        named.display().to_string()
    };
    axes.iter().map(name).collect()
}

/// The definition as people read it.
pub(super) fn commented(
    def: &SplitDef,
    base: &SplitDef,
    own: &OwnAxes,
    axes: &[String],
    paired: bool,
) -> Result<String> {
    let mut text = String::new();
    let shifts = def.all_shifts();
    let from = if shifts.is_empty() { "unshifted" } else { "shifted" };
    let _ = writeln!(text, "# A split of its own, {from}, from {}.", base.name);
    let _ = writeln!(text, "# Write it:  vrrl splits build THIS_FILE --out DIR");
    let _ = writeln!(
        text,
        "# Prove it:  vrrl splits audit --train TRAIN --test THIS_FILE --fail-on exact,symmetric"
    );
    let _ = writeln!(text, "# Full name, hashed into every seed; choose another one for other examples.");
    let _ = writeln!(text, "name: {}", def.name);
    let _ = writeln!(text, "task: {}", def.task.word());
    let _ = writeln!(text, "n: {}", def.n);
    let _ = writeln!(text, "seed: {}", def.seed);
    let class = match Class::of_role(def.role) {
        Class::Train => "train",
        Class::Val => "val",
        Class::Test => "test",
    };
    let _ =
        writeln!(text, "# Decides the class, {class}: disjoint from every split of the other two classes.");
    let _ = writeln!(text, "role: {}", def.role.word());
    if let Some(scenes) = &def.scenes {
        let why = if paired {
            format!(
                "The scenes of {}, so that the two compare item by item; leave it out for others.",
                base.name
            )
        } else {
            "Hashed into every seed in place of the name: splits that share it share their scenes.".into()
        };
        let _ = writeln!(text, "# {why}\nscenes: {scenes}");
    }
    if !axes.is_empty() {
        let _ = writeln!(text, "# Files of axes beside the catalogue.\naxes:");
        for file in axes {
            let _ = writeln!(text, "  - {}", scalar(file)?);
        }
    }
    let axis = |name: &str| {
        shift::axis(name).or_else(|| own.iter().flat_map(|(_, axes)| axes).find(|axis| axis.name == name))
    };
    if !shifts.is_empty() {
        text.push_str("shifts:\n");
    }
    for (name, level) in &shifts {
        if let Some(axis) = axis(name) {
            let levels: Vec<String> = axis.levels(def.task).iter().map(Level::to_string).collect();
            let _ =
                writeln!(text, "  # {} ({}; levels {})", axis.about, axis.changes.word(), levels.join(", "));
        }
        let _ = writeln!(text, "  {name}: {level}");
    }
    let _ = writeln!(text, "# Parameters before the shifts, as {} has them.", base.name);
    text.push_str("params:");
    match &def.params {
        Value::Object(map) if !map.is_empty() => {
            let yaml = serde_yaml::to_string(&def.params);
            let yaml = yaml.map_err(|e| Error::Input(format!("params of {}: {e}", base.name)))?;
            text.push('\n');
            for line in yaml.lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
        _ => text.push_str(" {}\n"),
    }
    Ok(text)
}

/// A text as YAML writes it.
fn scalar(text: &str) -> Result<String> {
    let yaml = serde_yaml::to_string(text).map_err(|e| Error::Input(format!("{text:?}: {e}")))?;
    Ok(yaml.trim_end().to_owned())
}
