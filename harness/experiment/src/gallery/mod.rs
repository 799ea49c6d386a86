//! Contact sheets: every axis of a task from left to right, as a picture and as a page.

mod page;

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;
use vrrl_generators::gallery::{rows, sheet, Row, Sheet};
use vrrl_generators::shift::{self, Axis, Level};
use vrrl_harness_core::{encode_png, Image, Seed, TaskKind, Truth, View};

use crate::cut::{axes_of, base_named, default_base};
use crate::yaml::nearest;
use crate::{store, Error, Result, StageProgress};

/// What to draw.
#[derive(Clone, PartialEq, Debug)]
pub struct GalleryRequest {
    /// Tasks; where empty, that of the base, else all that have one of the axes.
    pub tasks: Vec<TaskKind>,
    /// Split whose parameters are shifted; each task's in-distribution test split where absent.
    pub base: Option<String>,
    /// Axes; all of each task where empty.
    pub shifts: Vec<String>,
    /// Files with axes of one's own.
    pub axes: Vec<PathBuf>,
    /// Base scenes on the page; the picture shows the first.
    pub scenes: usize,
    /// Seed of the scenes.
    pub seed: u64,
    /// Which picture of a problem.
    pub view: View,
    /// On the picture, the surroundings of the answer pixel by pixel instead of the whole.
    pub close: bool,
    /// On the picture, frame what is right.
    pub mark: bool,
    /// Width of a tile of the picture, in pixels.
    pub tile: u32,
    /// Folder to write into.
    pub out: PathBuf,
}

/// What was drawn.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Gallery {
    /// The page.
    pub page: PathBuf,
    /// One per task.
    pub sheets: Vec<GallerySheet>,
}

/// The sheet of one task.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct GallerySheet {
    /// The task.
    pub task: TaskKind,
    /// The split whose parameters are shifted.
    pub base: String,
    /// The contact sheet as one picture.
    pub file: PathBuf,
    /// Axes shown, one row each.
    pub axes: Vec<String>,
    /// Pictures on the page.
    pub pictures: usize,
    /// Levels that the base has no room for, as `axis=level: why`.
    pub left_out: Vec<String>,
}

/// One tile of the page.
struct Tile {
    level: Level,
    /// Relative to the page.
    file: String,
    question: String,
    size: [u32; 2],
    /// What is right: left, top, right, bottom; an empty box is a point. Mazes have none.
    right: Option<[f64; 4]>,
}

/// One axis on the page: about it, and for each scene its tiles.
struct Strip {
    axis: String,
    about: String,
    facts: String,
    scenes: Vec<Vec<Tile>>,
    /// Levels without a picture, and why.
    left_out: Vec<String>,
}

/// Draws the sheets; `tell` hears of every axis that is done.
///
/// # Errors
/// Unknown axes or splits with the nearest one, parameters that draw nothing, a folder that cannot be written.
pub fn gallery(request: &GalleryRequest, tell: &dyn Fn(&StageProgress)) -> Result<Gallery> {
    if request.scenes == 0 || !(32..=1000).contains(&request.tile) {
        let (scenes, tile) = (request.scenes, request.tile);
        let reason =
            format!("--scenes {scenes} --tile {tile}: use 1 scene or more, tiles of 32 to 1000 pixels");
        return Err(Error::Input(reason));
    }
    let own = axes_of(&request.axes)?;
    let plans = plans(request, &own)?;
    let total: usize = plans.iter().map(|plan| plan.axes.len()).sum();
    let (mut done, mut sheets, mut sections) = (0, Vec::new(), Vec::new());
    for plan in &plans {
        let (mut strips, mut first, mut pictures, mut left_out) = (Vec::new(), Vec::new(), 0, Vec::new());
        for axis in &plan.axes {
            let (strip, row) = strip(request, plan, axis, &own)?;
            pictures += strip.scenes.iter().map(Vec::len).sum::<usize>();
            left_out.extend(strip.left_out.iter().map(|told| format!("{}={told}", axis.name)));
            first.push(row);
            strips.push(strip);
            done += 1;
            let what = format!("{} {}", plan.task.word(), axis.name);
            tell(&StageProgress { what, done, total: total as u64, ..StageProgress::default() });
        }
        let title = format!("{}: {} under every shift", plan.task.word(), plan.base);
        let height = if plan.task == TaskKind::Maze { request.tile } else { request.tile * 3 / 4 };
        let look = Sheet {
            view: request.view,
            tile: [request.tile, height],
            close: request.close,
            mark: request.mark,
        };
        let file = request.out.join(format!("{}.png", plan.task.word()));
        store::replace(&file, &encode_png(&sheet(&title, &first, &look)))?;
        sections.push(page::Section { task: plan.task.word(), base: plan.base.clone(), strips });
        let axes = plan.axes.iter().map(|axis| axis.name.clone()).collect();
        sheets.push(GallerySheet {
            task: plan.task,
            base: plan.base.clone(),
            file,
            axes,
            pictures,
            left_out,
        });
    }
    let page = request.out.join("index.html");
    store::replace(&page, page::html(&sections).as_bytes())?;
    Ok(Gallery { page, sheets })
}

/// One task with its axes.
struct Plan<'a> {
    task: TaskKind,
    base: String,
    params: Value,
    axes: Vec<&'a Axis>,
}

fn plans<'a>(request: &GalleryRequest, own: &'a [Axis]) -> Result<Vec<Plan<'a>>> {
    let known: Vec<&Axis> = shift::axes().iter().chain(own).collect();
    if let Some(name) = request.shifts.iter().find(|name| known.iter().all(|axis| axis.name != **name)) {
        let names: Vec<String> = known.iter().map(|axis| axis.name.clone()).collect();
        let near = nearest(name, &names).map_or_else(String::new, |near| format!("did you mean {near}? "));
        return Err(Error::Input(format!("--shift: no axis {name:?}; {near}`vrrl splits axes` lists them")));
    }
    let base = request.base.as_deref().map(base_named).transpose()?;
    let tasks = match (&request.tasks[..], &base) {
        ([], Some(base)) => vec![base.task],
        ([], None) => vec![TaskKind::Table, TaskKind::Chart, TaskKind::Maze],
        (tasks, _) => tasks.to_vec(),
    };
    let mut plans = Vec::new();
    for task in tasks {
        let wanted = |axis: &&Axis| {
            axis.tasks().contains(&task) && (request.shifts.is_empty() || request.shifts.contains(&axis.name))
        };
        let axes: Vec<&Axis> = known.iter().copied().filter(wanted).collect();
        let start = match (&base, default_base(task)) {
            (Some(base), _) if base.task != task => {
                let (name, is, task) = (&base.name, base.task.word(), task.word());
                return Err(Error::Input(format!("--base {name} is of the task {is}, not {task}")));
            }
            (Some(base), _) => Some(base.clone()),
            (None, name) => name.map(|name| base_named(&name)).transpose()?,
        };
        match start {
            Some(start) if !axes.is_empty() => {
                plans.push(Plan { task, base: start.name, params: start.params, axes });
            }
            // Without axes or a base there is nothing to draw of this task; another may have it.
            _ => {}
        }
    }
    if plans.is_empty() {
        return Err(Error::Input(
            "no task asked for has one of these axes; `vrrl splits axes` lists them".into(),
        ));
    }
    Ok(plans)
}

/// Draws one axis: its pictures to files, and the first scene for the sheet.
fn strip(request: &GalleryRequest, plan: &Plan<'_>, axis: &Axis, own: &[Axis]) -> Result<(Strip, Row)> {
    let folder = format!("{}/{}", plan.task.word(), axis.name);
    let (mut scenes, mut first, mut left_out) = (Vec::new(), None, Vec::new());
    for scene in 0..request.scenes {
        let seed = Seed(request.seed).derive("gallery", scene as u64);
        let name = std::slice::from_ref(&axis.name);
        let drawn =
            rows(plan.task, &plan.params, name, own, seed).map_err(|e| Error::Input(e.to_string()))?;
        let row =
            drawn.into_iter().next().ok_or_else(|| Error::Input(format!("{}: nothing drawn", axis.name)))?;
        let mut tiles = Vec::new();
        for cell in &row.cells {
            let image: Image = cell.problem.observe(request.view);
            let file = format!("{folder}/{}-{scene}.png", cell.level);
            store::replace(&request.out.join(&file), &encode_png(&image))?;
            let right = match cell.problem.truth() {
                Truth::Region(region) if request.view == View::Crisp => Some(region.bounds.unwrap_or({
                    let [x, y] = region.centre();
                    [x, y, x, y]
                })),
                _ => None,
            };
            let (level, question) = (cell.level.clone(), cell.problem.question());
            tiles.push(Tile { level, file, question, size: [image.width(), image.height()], right });
        }
        scenes.push(tiles);
        for (level, why) in &row.left_out {
            let told = format!("{level}: {why}");
            if !left_out.contains(&told) {
                left_out.push(told);
            }
        }
        first.get_or_insert(row);
    }
    let paired = if axis.paired { "same base scenes" } else { "scenes of its own" };
    let source = axis.source.as_ref().map_or_else(String::new, |source| format!("; after {source}"));
    let facts = format!("changes {}; {paired}{source}", axis.changes.word());
    let row = first.ok_or_else(|| Error::Input("--scenes is 0".into()))?;
    Ok((Strip { axis: axis.name.clone(), about: axis.about.clone(), facts, scenes, left_out }, row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(out: &std::path::Path) -> GalleryRequest {
        GalleryRequest {
            tasks: vec![TaskKind::Maze],
            base: None,
            shifts: vec!["theme".into(), "noise".into()],
            axes: Vec::new(),
            scenes: 2,
            seed: 0,
            view: View::Crisp,
            close: false,
            mark: false,
            tile: 64,
            out: out.into(),
        }
    }

    #[test]
    fn a_gallery_is_a_picture_and_a_page_whose_pictures_are_there() {
        let dir = tempfile::tempdir().unwrap();
        let drawn = gallery(&request(dir.path()), &|_| ()).unwrap();
        assert_eq!(drawn.sheets.len(), 1);
        let sheet = &drawn.sheets[0];
        assert_eq!((sheet.axes.len(), sheet.pictures % 2), (2, 0));
        assert!(std::fs::read(&sheet.file).unwrap().starts_with(b"\x89PNG"));
        let page = std::fs::read_to_string(&drawn.page).unwrap();
        let named: Vec<&str> =
            page.split("src=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(named.len(), sheet.pictures);
        assert!(named.iter().all(|name| dir.path().join(name).is_file()), "{named:?}");
        assert!(!page.contains("{{"));
    }

    #[test]
    fn what_cannot_be_drawn_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = |change: &dyn Fn(&mut GalleryRequest)| {
            let mut request = request(dir.path());
            change(&mut request);
            gallery(&request, &|_| ()).unwrap_err().to_string()
        };
        assert!(error(&|r| r.shifts = vec!["nosie".into()]).contains("did you mean noise?"));
        assert!(error(&|r| r.base = Some("odo6".into())).contains("ood6"));
        assert!(error(&|r| r.scenes = 0).contains("--scenes 0"));
        let themes = |r: &mut GalleryRequest| {
            (r.tasks, r.shifts) = (vec![TaskKind::Table], vec!["theme".into()]);
        };
        assert!(error(&themes).contains("has one of these axes"));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
