//! Contact sheets: one task under every shift, a row for each axis, severities from left to right.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use vrrl_harness_core::{Error, Image, Problem, Seed, TaskKind, Truth, View};

use crate::canvas::{measure, Anchor, Bounds, Family, Font, Picture, Rgb};
use crate::pose;
use crate::shift::{axes, resolve, shrink, Axis, Level};

/// One axis: the base problem first, then its levels.
pub struct Row {
    /// The axis's name.
    pub axis: String,
    /// What it does, for people.
    pub about: String,
    /// Severity 0 and the axis's levels, all of one seed.
    pub cells: Vec<Cell>,
    /// Levels that the base has no room for, and why.
    pub left_out: Vec<(Level, String)>,
}

/// One level of an axis.
pub struct Cell {
    /// Where on the axis; severity 0 is the base problem.
    pub level: Level,
    /// What drew it.
    pub params: Value,
    /// The problem.
    pub problem: Arc<dyn Problem>,
}

/// Draws the problems of a sheet: `task` with parameters `base` under every axis named in `only` (all that are
/// defined for the task where it is empty), of the catalogue and of `own`.
///
/// A small base has no room for some levels: these are left out, and the row says so.
///
/// # Errors
/// Those of [`resolve`], and of [`pose`] for the base.
pub fn rows(
    task: TaskKind,
    base: &Value,
    only: &[String],
    own: &[Axis],
    seed: Seed,
) -> Result<Vec<Row>, Error> {
    for name in only {
        // An unknown name, or one of another task, fails here with the nearest known one.
        resolve(task, base, &BTreeMap::from([(name.clone(), Level::Grade(0))]), own)?;
    }
    let asked = |axis: &&Axis| axis.tasks().contains(&task) && (only.is_empty() || only.contains(&axis.name));
    let row = |axis: &Axis| {
        let (mut cells, mut left_out) = (Vec::new(), Vec::new());
        for level in std::iter::once(Level::Grade(0)).chain(axis.levels(task)) {
            let params = resolve(task, base, &BTreeMap::from([(axis.name.clone(), level.clone())]), own)?;
            match pose(task, &params, seed) {
                Ok(problem) => cells.push(Cell { level, params, problem }),
                Err(e) if level == Level::Grade(0) => return Err(e),
                Err(e) => left_out.push((level, e.to_string())),
            }
        }
        Ok(Row { axis: axis.name.clone(), about: axis.about.clone(), cells, left_out })
    };
    axes().iter().chain(own).filter(asked).map(row).collect()
}

/// How a sheet looks.
#[derive(Clone, Copy, Debug)]
pub struct Sheet {
    /// Which of its pictures a problem shows.
    pub view: View,
    /// Width and height of a tile, in pixels.
    pub tile: [u32; 2],
    /// Show the surroundings of the answer pixel by pixel instead of the whole picture; mazes stay whole.
    pub close: bool,
    /// Frame what is right in green (not on the canvas).
    pub mark: bool,
}

impl Default for Sheet {
    fn default() -> Self {
        Self { view: View::Crisp, tile: [240, 240], close: false, mark: false }
    }
}

const PAPER: Rgb = [255, 255, 255];
const INK: Rgb = [30, 32, 38];
const FAINT: Rgb = [110, 114, 124];
const EDGE: Rgb = [206, 210, 218];
const GREEN: Rgb = [0, 150, 60];
/// Pixels between tiles, and of a line of text.
const GAP: u32 = 10;
const LINE: u32 = 20;
const HEAD: u32 = 44;

/// The sheet as one picture: a line of text above each row, the level above each tile.
#[must_use]
pub fn sheet(title: &str, rows: &[Row], look: &Sheet) -> Image {
    let [tile_width, tile_height] = look.tile.map(|side| side.clamp(16, 2000));
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0) as u32;
    let width = (GAP + columns * (tile_width + GAP)).max(480);
    let high = 2 * LINE + tile_height + GAP;
    let mut picture = Picture::new(width, HEAD + rows.len() as u32 * high + GAP, PAPER);
    let text = |picture: &mut Picture, x: u32, y: u32, words: &str, font: Font, colour: Rgb| {
        let room = width.saturating_sub(x + GAP) as i32;
        picture.text((x as i32, y as i32), Anchor::TOP_LEFT, &cut(words, font, room), font, colour);
    };
    let font = |px| Font::new(Family::Sans, px);
    text(&mut picture, GAP, 12, title, font(20).bold(), INK);
    let mut image = picture.into_image();
    for (r, row) in rows.iter().enumerate() {
        let top = HEAD + r as u32 * high;
        let mut picture = Picture::from_image(image);
        let (name_width, ..) = measure(&row.axis, font(15).bold());
        text(&mut picture, GAP, top, &row.axis, font(15).bold(), INK);
        text(&mut picture, GAP + name_width as u32 + 12, top + 1, &row.about, font(13), FAINT);
        for (c, cell) in row.cells.iter().enumerate() {
            let left = GAP + c as u32 * (tile_width + GAP);
            let words = match &cell.level {
                Level::Grade(0) => "0: in-distribution".to_owned(),
                level => level.to_string(),
            };
            text(
                &mut picture,
                left,
                top + LINE + 2,
                &cut(&words, font(12), tile_width as i32),
                font(12),
                FAINT,
            );
        }
        image = picture.into_image();
        for (c, cell) in row.cells.iter().enumerate() {
            let (x, y) = (GAP + c as u32 * (tile_width + GAP), top + 2 * LINE);
            let tile = tile(cell.problem.as_ref(), look, [tile_width, tile_height]);
            // Centred, with a thin frame where the picture ends.
            let (dx, dy) = ((tile_width - tile.width()) / 2, (tile_height - tile.height()) / 2);
            paste(&mut image, &tile, x + dx, y + dy);
            let frame =
                Bounds::sized((x + dx) as i32, (y + dy) as i32, tile.width() as i32, tile.height() as i32);
            let mut picture = Picture::from_image(image);
            picture.outline(frame.inset(-1), 1, EDGE);
            image = picture.into_image();
        }
    }
    image
}

/// Text that fits into so many pixels, shortened where it must be.
fn cut(words: &str, font: Font, room: i32) -> String {
    if measure(words, font).0 <= room {
        return words.into();
    }
    let mut short = words.to_owned();
    while short.pop().is_some() {
        let shown = format!("{}…", short.trim_end());
        if measure(&shown, font).0 <= room {
            return shown;
        }
    }
    short
}

/// One problem's picture, at most as large as a tile.
fn tile(problem: &dyn Problem, look: &Sheet, size: [u32; 2]) -> Image {
    let mut image = problem.observe(look.view);
    let truth = problem.truth();
    if let (Truth::Region(region), View::Crisp) = (&truth, look.view) {
        let [x, y] = region.centre();
        if look.mark {
            let around = |v: f64, by: f64| (v + by).round() as i32;
            let frame = match region.bounds {
                Some([x0, y0, x1, y1]) => {
                    Bounds::new(around(x0, 0.0), around(y0, 0.0), around(x1, 1.0), around(y1, 1.0))
                }
                None => Bounds::new(around(x, -9.0), around(y, -9.0), around(x, 10.0), around(y, 10.0)),
            };
            let mut picture = Picture::from_image(image);
            picture.outline(frame.inset(-2), 2, GREEN);
            image = picture.into_image();
        }
        if look.close {
            let [w, h] = [size[0].min(image.width()), size[1].min(image.height())];
            let from =
                |at: f64, part: u32, whole: u32| (at as u32).saturating_sub(part / 2).min(whole - part);
            let (left, top) = (from(x, w, image.width()), from(y, h, image.height()));
            return crop(&image, [left, top, w, h]);
        }
    }
    fit(&image, size)
}

/// Copies a picture onto a larger one, where it has room.
fn paste(onto: &mut Image, image: &Image, x: u32, y: u32) {
    let (width, bytes) = (onto.width(), image.width() as usize * 3);
    for (row, source) in image.chunks_exact(bytes).enumerate() {
        let at = ((y as usize + row) * width as usize + x as usize) * 3;
        onto.as_mut()[at..at + bytes].copy_from_slice(source);
    }
}

/// A part of a picture: left, top, width, height.
fn crop(image: &Image, [left, top, width, height]: [u32; 4]) -> Image {
    Image::from_fn(width, height, |x, y| *image.get_pixel(left + x, top + y))
}

/// The picture at a size that fits: shrunk by area means, or enlarged by whole factors.
#[must_use]
pub fn fit(image: &Image, [width, height]: [u32; 2]) -> Image {
    let (w, h) = image.dimensions();
    if w <= width && h <= height {
        let times = (width / w.max(1)).min(height / h.max(1)).max(1);
        return Image::from_fn(w * times, h * times, |x, y| *image.get_pixel(x / times, y / times));
    }
    // The side that is farther over decides.
    let (narrow, low) = if u64::from(w) * u64::from(height) >= u64::from(h) * u64::from(width) {
        (width, (u64::from(h) * u64::from(width) / u64::from(w)).max(1) as u32)
    } else {
        ((u64::from(w) * u64::from(height) / u64::from(h)).max(1) as u32, height)
    };
    shrink(image, narrow as usize, low as usize)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sheet_shows_every_level() {
        let only = ["density".to_owned(), "theme".into(), "noise".into()];
        let rows = rows(TaskKind::Maze, &json!({"size": [4, 4]}), &only, &[], Seed(1)).unwrap();
        assert_eq!(rows.iter().map(|row| row.cells.len()).collect::<Vec<_>>(), [6, 5, 6]);
        let look = Sheet { tile: [100, 100], ..Sheet::default() };
        let image = sheet("mazes", &rows, &look);
        assert_eq!(image.dimensions(), (10 + 6 * 110, 44 + 3 * 150 + 10));
        // Every tile shows something, and all differ within a row.
        for row in 0..3 {
            let at = |column: u32| crop(&image, [10 + column * 110, 84 + row * 150, 100, 100]);
            let tiles: Vec<Image> = (0..rows[row as usize].cells.len() as u32).map(at).collect();
            assert!(tiles.windows(2).all(|pair| pair[0] != pair[1]));
        }
        let canvas = sheet("mazes", &rows, &Sheet { view: View::Canvas, tile: [128, 128], ..look });
        assert_eq!(canvas.width(), 10 + 6 * 138);
    }

    #[test]
    fn what_has_no_room_is_left_out_and_said() {
        let base = json!({"small": true, "family": "bar", "bars": [4, 4]});
        let rows = rows(TaskKind::Chart, &base, &["density".to_owned()], &[], Seed(1)).unwrap();
        let levels: Vec<String> = rows[0].left_out.iter().map(|(level, _)| level.to_string()).collect();
        assert_eq!(rows[0].cells.len() + levels.len(), 6);
        assert_eq!(levels, ["3", "4", "5"]);
        assert!(rows[0].left_out[0].1.contains("holds 6"), "{}", rows[0].left_out[0].1);
    }

    #[test]
    fn unknown_axes_are_refused() {
        let rows =
            |name: &str| rows(TaskKind::Maze, &json!({"size": [4, 4]}), &[name.to_owned()], &[], Seed(1));
        assert!(rows("densty").err().unwrap().to_string().contains("did you mean `density`?"));
        assert!(rows("density").is_ok());
    }

    #[test]
    fn pictures_fit() {
        let image = |w, h| Image::from_pixel(w, h, image::Rgb([7; 3]));
        for (w, h) in [(64, 64), (1000, 300), (300, 1000), (5, 4000), (100, 100)] {
            let fitted = fit(&image(w, h), [200, 150]);
            assert!(fitted.width() <= 200 && fitted.height() <= 150 && fitted.width() > 0);
            assert!(fitted.iter().all(|&v| v == 7));
        }
        assert_eq!(fit(&image(64, 64), [200, 150]).dimensions(), (128, 128));
        assert_eq!(fit(&image(1000, 300), [200, 150]).dimensions(), (200, 60));
    }
}
