//! Cutting a new split: a base and shifts in, a commented definition out.

mod axes;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use vrrl_datasets::{AxesFile, Class, SplitDef};
use vrrl_generators::shift::{self, Axis, Level};
use vrrl_harness_core::{Role, TaskKind};

use crate::yaml::nearest;
use crate::{store, Error, Result};

pub use axes::{list_axes, AxisRow};
use text::{beside, commented};

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
    /// Write over a file that stands there.
    pub force: bool,
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

/// Names of the built-in splits that a new one may start from: not shifted, of the task.
#[must_use]
pub fn bases(task: TaskKind) -> Vec<String> {
    let all = vrrl_datasets::catalog().iter();
    all.filter(|def| def.task == task && def.shift == "none" && !def.name.contains("/dev_base"))
        .map(|def| def.name.clone())
        .collect()
}

/// The base where none is named: the task's `id_test`, else its first test split, in distribution where there is one.
#[must_use]
pub fn default_base(task: TaskKind) -> Option<String> {
    let role = |name: &str| match vrrl_datasets::find(name).map(|def| def.role) {
        Ok(Role::IdTest) => 0,
        Ok(Role::OodTest) => 1,
        _ => 2,
    };
    // Of several, those of the paper and of the ladder are the full pictures.
    let rank = |name: &String| {
        let set = ["paper/", "ladder/"].iter().position(|set| name.starts_with(set)).unwrap_or(2);
        (!name.ends_with("/id_test"), role(name), set)
    };
    bases(task).into_iter().min_by_key(rank)
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
    if file.exists() && !(wanted.force && file.is_file()) {
        let next = if file.is_file() {
            "choose another --out, or write over it with --force"
        } else {
            "choose another --out"
        };
        return Err(Error::Input(format!("{} exists; {next}", file.display())));
    }
    let paired = def.scenes.is_some() && def.scenes_key() == base.scenes_key();
    let axes = beside(&wanted.axes, &file);
    let text = commented(&def, &base, &own, &axes, paired)?;
    let new = !file.exists();
    store::replace(&file, text.as_bytes())?;
    // What was written must mean what was checked.
    let read = SplitDef::read(&file).inspect_err(|_| {
        if new {
            drop(std::fs::remove_file(&file));
        }
    })?;
    let train = training(&base).map(|known| known.name.clone());
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

/// A training split of the task, of the base's own set where that has one.
fn training(base: &SplitDef) -> Option<&'static SplitDef> {
    let set = |def: &SplitDef| def.name.split('/').next().map(ToOwned::to_owned);
    let trains = |def: &&SplitDef| def.task == base.task && def.role == Role::Train;
    let mut all = vrrl_datasets::catalog().iter().filter(trains);
    all.clone().find(|def| set(def) == set(base)).or_else(|| all.next())
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
    let base = base_named(&name)?;
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

/// The definition of a built-in split or of a file.
pub(crate) fn base_named(name: &str) -> Result<SplitDef> {
    let path = Path::new(name);
    Ok(if path.is_file() { SplitDef::read(path)? } else { vrrl_datasets::find(name)? })
}

/// `base` under more shifts, showing its scenes where the axes keep them.
pub(crate) fn shifted(base: &SplitDef, words: &[String], files: &[PathBuf]) -> Result<SplitDef> {
    let mut own = own_axes(files)?;
    for axes in &base.axes {
        if let AxesFile::Content { file, yaml } = axes {
            let read = shift::axes_from_yaml(yaml, file).map_err(|e| Error::Input(e.to_string()))?;
            own.push((axes.clone(), read));
        }
    }
    let mut shifts = base.all_shifts();
    shifts.extend(levels(words, base.task, &own)?);
    let def = SplitDef {
        shift: "none".into(),
        severity: Level::Grade(0),
        shifts,
        axes: own.into_iter().map(|(file, _)| file).collect(),
        ..base.clone()
    };
    let mut def = settled(&def)?;
    if base.scenes.is_none() && def.paired()? {
        def.scenes = Some(base.name.clone());
    }
    Ok(def)
}

/// The axes of files, in order.
pub(crate) fn axes_of(files: &[PathBuf]) -> Result<Vec<Axis>> {
    Ok(own_axes(files)?.into_iter().flat_map(|(_, axes)| axes).collect())
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
