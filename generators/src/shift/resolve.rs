//! From base parameters and levels on axes to the parameters that draw the shifted problem.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vrrl_harness_core::{Error, TaskKind};

use super::axis::{axes, Axis, Level};
use super::near::hint;

/// The parameters of `task` after the patches of all `shifts`, in the order of the catalogue and then of
/// `own`: maps are merged, `post` is appended, anything else is replaced. Level 0 changes nothing.
///
/// # Errors
/// [`Error::Config`] naming the axis or level, and the nearest known one; `base` must be a map.
pub fn resolve(
    task: TaskKind,
    base: &Value,
    shifts: &BTreeMap<String, Level>,
    own: &[Axis],
) -> Result<Value, Error> {
    let mut params = match base {
        Value::Null => Map::new(),
        Value::Object(map) => map.clone(),
        other => return Err(wrong(format!("params is {other}; give a map"))),
    };
    let known = || axes().iter().chain(own);
    if let Some(name) = shifts.keys().find(|&name| known().all(|axis| axis.name != *name)) {
        let names: Vec<&str> =
            known().filter(|axis| axis.tasks().contains(&task)).map(|axis| axis.name.as_str()).collect();
        return Err(wrong(format!("axis {name:?} is unknown; {}", hint(name, &names))));
    }
    for axis in known() {
        let Some(level) = shifts.get(&axis.name) else { continue };
        if !axis.tasks().contains(&task) {
            let tasks: Vec<&str> = axis.tasks().into_iter().map(TaskKind::word).collect();
            let (name, task, tasks) = (&axis.name, task.word(), tasks.join(", "));
            return Err(wrong(format!("axis {name} is not defined for {task}; it is for {tasks}")));
        }
        if *level == Level::Grade(0) {
            continue;
        }
        let Some(Value::Object(patch)) = axis.patch(task, level) else {
            return Err(wrong(no_level(axis, task, level)));
        };
        for (key, change) in patch {
            match (key.as_str(), params.get_mut(key), change) {
                ("post", Some(Value::Array(ops)), Value::Array(more)) => ops.extend(more.iter().cloned()),
                (_, Some(there), change) => merge(there, change),
                (_, None, change) => {
                    params.insert(key.clone(), change.clone());
                }
            }
        }
    }
    Ok(Value::Object(params))
}

fn merge(there: &mut Value, change: &Value) {
    match (there, change) {
        (Value::Object(there), Value::Object(change)) => {
            for (key, value) in change {
                merge(there.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (there, change) => *there = change.clone(),
    }
}

fn no_level(axis: &Axis, task: TaskKind, level: &Level) -> String {
    let (name, levels) = (&axis.name, axis.levels(task));
    let words: Vec<String> = levels.iter().map(Level::to_string).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match level {
        _ if axis.ordered() => format!("axis {name} has no level {level:?}; use a severity from 0 to 5"),
        Level::Named(word) => format!("axis {name} has no level {word:?}; {}", hint(word, &words)),
        Level::Grade(grade) => {
            format!("axis {name} has names, not severity {grade}; use one of {}", words.join(", "))
        }
    }
}

fn wrong(reason: String) -> Error {
    Error::Config { what: "shifts", reason }
}
