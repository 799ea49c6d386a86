//! The built-in ladder: one rule and one file in place of hundreds of definitions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use vrrl_generators::shift::{axes, Axis, Level};
use vrrl_harness_core::{Role, TaskKind};

use crate::definition::wrong;
use crate::yaml::from_yaml;
use crate::{Error, SplitDef};

const FILE: &str = "ladder.yaml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ladder {
    format: u32,
    n: usize,
    tasks: BTreeMap<TaskKind, Value>,
    rungs: Vec<Rung>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rung {
    role: Role,
    base: Role,
    prefix: String,
    seed: u64,
}

/// Every split of the ladder: by task, rung, axis in the order of the catalogue, and level.
pub(crate) fn splits() -> Result<Vec<SplitDef>, Error> {
    let ladder: Ladder = from_yaml(include_str!("../ladder.yaml")).map_err(|reason| wrong(FILE, reason))?;
    if ladder.format != crate::FORMAT {
        return Err(wrong(
            FILE,
            format!("format is {}; this version reads {}", ladder.format, crate::FORMAT),
        ));
    }
    let mut all = Vec::new();
    for (&task, params) in &ladder.tasks {
        for rung in &ladder.rungs {
            let step = |name: &str, role| SplitDef {
                name: format!("ladder/{}/{}{name}", task.word(), rung.prefix),
                task,
                n: ladder.n,
                seed: rung.seed,
                role,
                params: params.clone(),
                shift: "none".into(),
                severity: Level::Grade(0),
                shifts: BTreeMap::new(),
                scenes: Some(format!("ladder/{}", task.word())),
                axes: Vec::new(),
            };
            all.push(step("base", rung.base));
            let levels = |axis: &'static Axis| axis.levels(task).into_iter().map(move |level| (axis, level));
            all.extend(axes().iter().flat_map(levels).map(|(axis, level)| SplitDef {
                shift: axis.name.clone(),
                scenes: Some(format!("ladder/{}", task.word())).filter(|_| axis.keeps_scene(task)),
                severity: level.clone(),
                ..step(&format!("{}_{level}", axis.name), rung.role)
            }));
        }
    }
    all.iter().try_for_each(|def| def.check(FILE))?;
    Ok(all)
}
