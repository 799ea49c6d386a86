//! From a task's name and its parameters to a posed problem, with the task's type erased.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use vrrl_harness_core::{Error, Posed, Problem, Seed, Task, TaskKind, Truth};

use crate::chart::{Chart, ChartParams};
use crate::maze::{self, Maze, MazeParams};
use crate::place::Place;
use crate::shift::{processed, take_post, Needs};
use crate::table::{Table, TableParams};

/// Draws the problem that `params` and `seed` decide. Parameters are the task's own and, beside them, `post`:
/// operations on the finished picture ([`Op`](crate::shift::Op)).
///
/// # Errors
/// [`Error::Params`] for parameters the task does not take, [`Error::Exhausted`] where bounded tries found no such
/// problem.
pub fn pose(kind: TaskKind, params: &Value, seed: Seed) -> Result<Arc<dyn Problem>, Error> {
    let (params, post) = take_post(kind, params)?;
    // `spare` names what an occlusion must not hide; translucent patches hide nothing of a maze.
    let (problem, spare): (Arc<dyn Problem>, _) = match kind {
        TaskKind::Maze => {
            (Arc::new(Posed::<Maze>(Maze::generate(&maze_params(&params)?, seed)?)), Vec::new())
        }
        TaskKind::Table => {
            let scene = Table::generate(&table_params(&params)?, seed)?;
            let spare = scene.spare();
            (Arc::new(Posed::<Table>(scene)), spare)
        }
        TaskKind::Chart => {
            let scene = Chart::generate(&chart_params(&params)?, seed)?;
            let spare = scene.spare();
            (Arc::new(Posed::<Chart>(scene)), spare)
        }
    };
    let small = params.get("small") == Some(&Value::Bool(true));
    Ok(processed(problem, post, Needs { small, spare }, seed))
}

/// Rebuilds the problem that a ground truth describes; `seed` decides what the truth leaves open. A place in an
/// image does not say how to draw the image: such a problem judges answers, and its pictures are blank.
///
/// # Errors
/// [`Error::Truth`] if the truth is not a solvable problem of this task.
pub fn pose_truth(kind: TaskKind, truth: &Truth, seed: Seed) -> Result<Arc<dyn Problem>, Error> {
    match (kind, truth) {
        (TaskKind::Maze, Truth::Maze(_)) => Ok(Arc::new(Posed::<Maze>(Maze::from_truth(truth, seed)?))),
        (TaskKind::Table | TaskKind::Chart, Truth::Region(region)) => Ok(Arc::new(Place::new(kind, region)?)),
        (TaskKind::Maze, Truth::Region(_)) => {
            Err(Error::Truth("a place in an image, but the task is maze".into()))
        }
        (_, Truth::Maze(_)) => Err(Error::Truth(format!("a maze, but the task is {}", kind.word()))),
    }
}

/// Checks parameters without drawing anything, and returns them with their defaults filled in, one entry
/// per size class they span: the parameters that draw that size alone.
///
/// # Errors
/// [`Error::Params`], as [`pose`].
pub fn check(kind: TaskKind, params: &Value) -> Result<Vec<(usize, Value)>, Error> {
    let (own, _) = take_post(kind, params)?;
    let mut sizes: Vec<(usize, Value)> = match kind {
        TaskKind::Maze => {
            let own = maze_params(&own)?;
            own.validate()?;
            let only = |n| (n, serde_json::to_value(own.only(n)).expect("integers serialize"));
            own.sizes().map(only).collect()
        }
        TaskKind::Table => table_params(&own)?.spans()?,
        TaskKind::Chart => {
            let own = chart_params(&own)?;
            own.validate()?;
            let only = |(n, params)| (n, serde_json::to_value(params).expect("words and integers serialize"));
            own.sizes().into_iter().map(only).collect()
        }
    };
    if let Some(post) = params.get("post") {
        for (_, params) in &mut sizes {
            params["post"] = post.clone();
        }
    }
    Ok(sizes)
}

/// Every problem that `params` can draw, as its form up to symmetry, sorted. `None` where they are too many to
/// list (mazes beyond 4×4, tables, charts), or surely so many that each class of a split holds more than `enough`.
///
/// # Errors
/// [`Error::Params`], as [`pose`].
pub fn every(kind: TaskKind, params: &Value, enough: usize) -> Result<Option<Vec<String>>, Error> {
    let (own, _) = take_post(kind, params)?;
    match kind {
        TaskKind::Maze => {
            let own = maze_params(&own)?;
            own.validate()?;
            Ok(maze::every(&own, enough))
        }
        TaskKind::Table | TaskKind::Chart => Ok(None),
    }
}

/// Whether a part of a task's parameters reads: known keys, values of their type. Which key is wrong, where it
/// does not. Ranges are left to [`check`], for they depend on the rest.
pub(crate) fn reads(kind: TaskKind, part: &Map<String, Value>) -> Result<(), String> {
    let read = |part: &Map<String, Value>| {
        let mut params = part.clone();
        params.remove("post");
        // The one key that has no default.
        if kind == TaskKind::Maze && !params.contains_key("size") {
            params.insert("size".into(), [4, 4].into());
        }
        let params = Value::Object(params);
        let read = match kind {
            TaskKind::Maze => maze_params(&params).map(drop),
            TaskKind::Table => table_params(&params).map(drop),
            TaskKind::Chart => chart_params(&params).map(drop),
        };
        read.map_err(|e| e.to_string())
    };
    for (key, value) in part {
        let alone = Map::from_iter([(key.clone(), value.clone())]);
        read(&alone).map_err(|e| format!("{key}: {e}"))?;
    }
    read(part)
}

fn maze_params(params: &Value) -> Result<MazeParams, Error> {
    own("maze", params)
}

fn table_params(params: &Value) -> Result<TableParams, Error> {
    own("table", params)
}

/// A task's own parameters; an error begins with the key that it is about.
fn own<T: DeserializeOwned>(task: &'static str, params: &Value) -> Result<T, Error> {
    serde_path_to_error::deserialize(params).map_err(|e| {
        let (path, reason) = (e.path().to_string(), e.inner().to_string());
        // An unknown key is named by the reason.
        let named = path == "." || reason.starts_with("unknown field") && !path.contains('.');
        Error::Params { task, reason: if named { reason } else { format!("{path}: {reason}") } }
    })
}

fn chart_params(params: &Value) -> Result<ChartParams, Error> {
    own("chart", params)
}
