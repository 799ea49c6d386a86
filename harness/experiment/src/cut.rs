//! Cutting a new split: a base and shifts in, a commented definition out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use vrrl_datasets::{AxesFile, Class, SplitDef};
use vrrl_generators::shift::{self, Axis, Level};
use vrrl_harness_core::{Role, TaskKind};

use crate::yaml::nearest;
use crate::{store, Error, Result};

/// What a new split is asked to be; what is absent has a default.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Cut {
    /// The task; that of the base where absent.
    pub task: Option<TaskKind>,
    /// Split whose parameters, and where possible scenes, it starts from; the task's in-distribution test split
    /// where absent.
    pub base: Option<String>,
    /// `axis=level` each; none for an unshifted split.
    pub shifts: Vec<String>,
    /// Files with axes of one's own.
    pub axes: Vec<PathBuf>,
    /// Examples; as many as the base where absent.
    pub n: Option<usize>,
    /// What it is for; a test or development split like the base, out of distribution where shifted.
    pub role: Option<Role>,
    /// Full name; made of task and shifts where absent.
    pub name: Option<String>,
    /// Draw scenes of its own even where those of the base could be kept.
    pub fresh: bool,
    /// File to write; named after the split where absent.
    pub out: Option<PathBuf>,
}

/// A definition that was written.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Cutting {
    /// The file.
    pub file: PathBuf,
    /// Full name of the split.
    pub name: String,
    /// Task.
    pub task: TaskKind,
    /// What it is for.
    pub role: Role,
    /// Axes joined by `+`, or `none`.
    pub shift: String,
    /// 0 to 5, or a named level.
    pub severity: Level,
    /// Examples.
    pub n: usize,
    /// The base, whose parameters it has.
    pub base: String,
    /// Whether it shows the scenes of the base, so that the two compare item by item.
    pub paired: bool,
    /// Full name of a training split of the task to audit against, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<String>,
}

/// A shift axis, as it is listed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AxisRow {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// `structure`, `look` or `pixels`.
    pub changes: &'static str,
    /// Whether every level keeps the base scene.
    pub paired: bool,
    /// Whether its levels are severities 1 to 5 rather than names.
    pub ordered: bool,
    /// Levels of each task that it is defined for.
    pub levels: BTreeMap<&'static str, Vec<Level>>,
    /// Where its formula comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The axes of the catalogue and of `files`, for one task or all.
///
/// # Errors
/// A file of axes that does not read.
pub fn list_axes(task: Option<TaskKind>, files: &[PathBuf]) -> Result<Vec<AxisRow>> {
    let own = own_axes(files)?;
    let row = |axis: &Axis| {
        let of = |task: TaskKind| (task.word(), axis.levels(task));
        let wanted = axis.tasks().into_iter().filter(|known| task.is_none_or(|task| task == *known));
        AxisRow {
            name: axis.name.clone(),
            about: axis.about.clone(),
            changes: axis.changes.word(),
            paired: axis.paired,
            ordered: axis.ordered(),
            levels: wanted.map(of).collect(),
            source: axis.source.clone(),
        }
    };
    let all = shift::axes().iter().chain(own.iter().flat_map(|(_, axes)| axes)).map(row);
    Ok(all.filter(|row| !row.levels.is_empty()).collect())
}

/// Names of the built-in splits that a new one may start from: not shifted, of the task.
#[must_use]
pub fn bases(task: TaskKind) -> Vec<String> {
    let all = vrrl_datasets::catalog().iter();
    all.filter(|def| def.task == task && def.shift == "none" && !def.name.starts_with("ladder/"))
        .map(|def| def.name.clone())
        .collect()
}

/// The base where none is named: the in-distribution test split of the paper's sets, else of the small ones.
#[must_use]
pub fn default_base(task: TaskKind) -> Option<String> {
    let named = |set: &str| format!("{set}/{}/id_test", task.word());
    let bases = bases(task);
    ["paper", "quick"].map(named).into_iter().find(|name| bases.contains(name)).or(bases.first().cloned())
}

/// Writes the definition of a new split.
///
/// # Errors
/// Words that name no task, split, axis or level, with the nearest one; parameters that draw nothing; a name or
/// file that is taken.
pub fn cut(wanted: &Cut) -> Result<Cutting> {
    let base = base(wanted)?;
    let own = own_axes(&wanted.axes)?;
    let shifts = levels(&wanted.shifts, base.task, &own)?;
    let def = define(wanted, &base, &own, shifts)?;
    let file = wanted.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.yaml", def.short_name())));
    if file.exists() {
        return Err(Error::Input(format!("{} exists; choose another --out", file.display())));
    }
    let paired = def.scenes.is_some() && def.scenes_key() == base.scenes_key();
    let axes = beside(&wanted.axes, &file);
    let text = commented(&def, &base, &own, &axes, paired)?;
    store::replace(&file, text.as_bytes())?;
    // What was written must mean what was checked.
    let read = SplitDef::read(&file).inspect_err(|_| drop(std::fs::remove_file(&file)))?;
    let train = vrrl_datasets::catalog().iter().filter(|known| known.task == read.task);
    let train = train.rev().find(|known| known.role == Role::Train).map(|known| known.name.clone());
    Ok(Cutting {
        file,
        name: read.name.clone(),
        task: read.task,
        role: read.role,
        shift: read.shift.clone(),
        severity: read.severity.clone(),
        n: read.n,
        base: base.name,
        paired,
        train,
    })
}

/// The split that a new one starts from.
fn base(wanted: &Cut) -> Result<SplitDef> {
    let name = match (&wanted.base, wanted.task) {
        (Some(name), _) => name.clone(),
        (None, Some(task)) => default_base(task).ok_or_else(|| {
            Error::Input(format!("no built-in split of {} to start from; name one with --base", task.word()))
        })?,
        (None, None) => return Err(Error::Input("give --task or --base".into())),
    };
    let path = Path::new(&name);
    let base = if path.is_file() { SplitDef::read(path)? } else { vrrl_datasets::find(&name)? };
    match wanted.task {
        Some(task) if task != base.task => Err(Error::Input(format!(
            "--base {} is of the task {}, --task is {}; leave one of them out",
            base.name,
            base.task.word(),
            task.word()
        ))),
        _ if base.shift != "none" => Err(Error::Input(format!(
            "--base {} is shifted itself ({}); start from an unshifted split and give all axes with --shift",
            base.name,
            base.shift_label()
        ))),
        _ => Ok(base),
    }
}

/// Axes by file, as they stand in the files.
type OwnAxes = Vec<(AxesFile, Vec<Axis>)>;

fn own_axes(files: &[PathBuf]) -> Result<OwnAxes> {
    let one = |path: &PathBuf| {
        let (file, yaml) = (path.display().to_string(), store::read_text(path)?);
        let axes = shift::axes_from_yaml(&yaml, &file).map_err(|e| Error::Input(e.to_string()))?;
        Ok((AxesFile::Content { file, yaml }, axes))
    };
    files.iter().map(one).collect()
}

/// Reads `axis=level` words.
fn levels(words: &[String], task: TaskKind, own: &OwnAxes) -> Result<BTreeMap<String, Level>> {
    let mut shifts = BTreeMap::new();
    for word in words {
        let Some((name, level)) = word.split_once('=') else {
            return Err(Error::Input(format!("--shift {word:?}: write axis=level, such as blur=3")));
        };
        let known: Vec<&Axis> = shift::axes().iter().chain(own.iter().flat_map(|(_, axes)| axes)).collect();
        let Some(axis) = known.iter().find(|axis| axis.name == name && axis.tasks().contains(&task)) else {
            let names =
                known.iter().filter(|axis| axis.tasks().contains(&task)).map(|axis| axis.name.clone());
            return Err(unknown("axis", name, task, &names.collect::<Vec<_>>()));
        };
        let level = level.parse().map_or_else(|_| Level::Named(level.into()), Level::Grade);
        if level == Level::Grade(0) {
            return Err(Error::Input(format!("--shift {word}: severity 0 is in-distribution; leave it out")));
        }
        if axis.patch(task, &level).is_none() {
            let names: Vec<String> = axis.levels(task).iter().map(Level::to_string).collect();
            return Err(unknown(&format!("level of {name}"), &level.to_string(), task, &names));
        }
        if shifts.insert(name.to_owned(), level).is_some() {
            return Err(Error::Input(format!("--shift names {name} twice")));
        }
    }
    Ok(shifts)
}

fn unknown(what: &str, word: &str, task: TaskKind, known: &[String]) -> Error {
    let near = nearest(word, known).map_or_else(String::new, |near| format!("did you mean {near}? "));
    let (task, known) = (task.word(), known.join(", "));
    Error::Input(format!("--shift: no {what} {word:?} for {task}; {near}there are {known}"))
}

fn define(wanted: &Cut, base: &SplitDef, own: &OwnAxes, shifts: BTreeMap<String, Level>) -> Result<SplitDef> {
    let role = wanted.role.unwrap_or(match (base.role, shifts.is_empty()) {
        (role, true) => role,
        (Role::Train, false) => Role::Train,
        (Role::IdVal | Role::OodVal, false) => Role::OodVal,
        (Role::IdTest | Role::OodTest, false) => Role::OodTest,
    });
    let name = wanted.name.clone().unwrap_or_else(|| {
        let words: Vec<String> = shifts.iter().map(|(axis, level)| format!("{axis}_{level}")).collect();
        let last = if words.is_empty() { format!("new_{}", base.short_name()) } else { words.join("-") };
        format!("my/{}/{last}", base.task.word())
    });
    let mut def = SplitDef {
        name,
        n: wanted.n.unwrap_or(base.n),
        role,
        axes: own.iter().map(|(file, _)| file.clone()).collect(),
        scenes: None,
        shifts,
        ..base.clone()
    };
    let shifted = !def.shifts.is_empty();
    def = settled(&def)?;
    // The scenes of the base can be kept within one class only: the other classes are other scenes.
    let one_class = Class::of_role(role) == Class::of_role(base.role);
    if shifted && one_class && !wanted.fresh && def.paired()? {
        def.scenes = Some(base.scenes.clone().unwrap_or_else(|| base.name.clone()));
    }
    let known = vrrl_datasets::catalog();
    if let Some(taken) = known.iter().find(|known| known.name == def.name) {
        return Err(Error::Input(format!("--name {} is a built-in split; choose another", taken.name)));
    }
    // Parameters that leave nothing to draw are found here rather than while building.
    vrrl_datasets::example_at(&def, 0)?;
    Ok(def)
}

/// The definition in its one form, checked; a round through its text, because that is what will be read.
fn settled(def: &SplitDef) -> Result<SplitDef> {
    let text = serde_yaml::to_string(def).map_err(|e| Error::Input(format!("split {}: {e}", def.name)))?;
    Ok(SplitDef::from_yaml(&text, &def.name)?)
}

/// Paths of axes as the definition's file names them: beside it by name, else in full.
fn beside(axes: &[PathBuf], file: &Path) -> Vec<String> {
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
fn commented(
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
