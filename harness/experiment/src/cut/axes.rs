//! Shift axes, as they are listed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use vrrl_generators::shift::{self, Axis, Level};
use vrrl_harness_core::TaskKind;

use super::own_axes;
use crate::Result;

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
