//! The base problems that laws, ladders and golden bytes are about.
#![allow(dead_code)] // Each test file uses a part.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{json, Value};
use vrrl_generators::shift::{axes, resolve, Axis, Level};
use vrrl_harness_core::{Problem, Seed, TaskKind};

/// A task with parameters of severity 0.
pub struct Base {
    pub name: &'static str,
    pub kind: TaskKind,
    pub params: Value,
}

/// Every kind of picture there is, the paper's first.
pub fn bases() -> Vec<Base> {
    let base = |name, kind, params| Base { name, kind, params };
    vec![
        base("table", TaskKind::Table, json!({})),
        base("table-small", TaskKind::Table, json!({"small": true})),
        base("bar", TaskKind::Chart, json!({"family": "bar"})),
        base("scatter", TaskKind::Chart, json!({"family": "scatter"})),
        base("chart-small", TaskKind::Chart, json!({"small": true, "family": ["bar", "scatter"]})),
        base("maze", TaskKind::Maze, json!({"size": [3, 5]})),
    ]
}

/// The base of a name.
pub fn base(name: &str) -> Base {
    bases().into_iter().find(|base| base.name == name).expect("a base of this file")
}

/// The problem of a seed.
pub fn posed(base: &Base, params: &Value, seed: u64) -> Arc<dyn Problem> {
    vrrl_generators::pose(base.kind, params, Seed(seed))
        .unwrap_or_else(|e| panic!("{} {params} seed {seed}: {e}", base.name))
}

/// The parameters of a base at a level of an axis.
pub fn shifted(base: &Base, axis: &Axis, level: &Level) -> Value {
    let shifts = BTreeMap::from([(axis.name.clone(), level.clone())]);
    resolve(base.kind, &base.params, &shifts, &[]).expect("the catalogue resolves")
}

/// The axes of the catalogue that the base takes: the small canvas, and families of charts, leave some out, and
/// say so.
pub fn axes_of(base: &Base) -> Vec<&'static Axis> {
    let takes = |axis: &&Axis| {
        let levels = axis.levels(base.kind);
        !levels.is_empty()
            && levels
                .iter()
                .any(|level| vrrl_generators::check(base.kind, &shifted(base, axis, level)).is_ok())
    };
    axes().iter().filter(takes).collect()
}

/// All levels of these axes that the base takes, with their parameters.
pub fn levels(base: &Base) -> Vec<(&'static Axis, Level, Value)> {
    let mut all = Vec::new();
    for axis in axes_of(base) {
        for level in axis.levels(base.kind) {
            let params = shifted(base, axis, &level);
            if vrrl_generators::check(base.kind, &params).is_ok() {
                all.push((axis, level, params));
            }
        }
    }
    all
}
