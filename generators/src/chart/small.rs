//! Small charts: one drawing on a grid of 64 × 64, as it is for the canvas and four times as large, with real
//! letters, for the crisp picture.

use vrrl_harness_core::Error;

use super::content::{Content, Side};
use super::layout::{colours, cramped, Inks};
use super::params::{ChartParams, Family, Layout};
use super::plan::{Item, Kind, Paint, Plan};
use super::scatter::Measure;
use super::style::Style;
use crate::canvas::{
    box_of, tiny_box, Across, Anchor, Bounds, Down, Family as Typeface, Font, Rgb, TINY, UNIT,
};

/// Pixels of the canvas's side, and of a canvas pixel on the crisp picture.
pub(crate) const SIDE: i32 = 64;
pub(crate) const SCALE: i32 = 4;
/// Both axes of a small scatter plot: two pixels a unit.
pub(crate) const CROP: [[i32; 2]; 2] = [[0, 28], [0, 28]];
/// Columns and rows of tiles that dots stand in, and the side of a tile.
pub(crate) const TILES: [[i32; 2]; 2] = [[1, 7], [0, 6]];
const TILE: i32 = 8;
/// Least value of a small bar, and how far the highest and lowest stand apart from the others: bars of
/// 50 pixels make two units a pixel.
pub(crate) const LEAST: u32 = 12;
pub(crate) const MARGIN: u32 = 7;
/// Pixels that the longest bar has.
const LONGEST: i32 = 50;
/// Size of letters on the crisp picture.
const LETTERS: u16 = 20;
/// Radius of a dot: 5 pixels across.
const DOT: i32 = 2;

/// Sizes that keep dots and letters apart; dots keep farther apart than the tolerance of 40 crisp pixels.
pub(crate) fn measure() -> Measure {
    Measure { plot: [56, 56], radius: DOT + 1, letter: TINY, gap: 1, free: 2, apart: 11 }
}

/// The crisp picture and the canvas.
pub(crate) fn lay(params: &ChartParams, content: &Content, style: &Style) -> Result<(Plan, Plan), Error> {
    let inks = Inks::of(&params.look);
    let mut grid = Grid { items: Vec::new(), inks, colours: colours(&params.look, style, false) };
    match content.family {
        Family::Scatter => dots(&mut grid, content, style, (params.layout, params.tiled)),
        _ if params.tiled => tiled_bars(&mut grid, content, style),
        family => bars(&mut grid, content, style, (params.layout, family == Family::Horizontal))?,
    }
    let font = params.look.font(Typeface::Sans, LETTERS);
    let crisp = grid.items.iter().map(|item| enlarged(item, font)).collect();
    let canvas = grid.items;
    let plan = |side: i32, items| Plan { width: side, height: side, paper: inks.paper, items };
    Ok((plan(SIDE * SCALE, crisp), plan(SIDE, canvas)))
}

/// Texts of the canvas and the middles of their signs, crisp pixels.
pub(crate) fn texts(canvas: &Plan) -> Vec<(String, Vec<[f64; 2]>)> {
    let crisp = |middle: [i32; 2]| middle.map(|twice| f64::from(twice * SCALE) / 2.0);
    let read = |item: &Item| {
        let Paint::Tiny { text, .. } = &item.paint else { return None };
        let (x, y, count) = (item.bounds.x0, item.bounds.y0, text.chars().count() as i32);
        let sign = |i: i32| crisp([2 * (x + i * (TINY[0] + 1)) + TINY[0], 2 * y + TINY[1]]);
        Some((text.clone(), (0..count).map(sign).collect()))
    };
    canvas.items.iter().filter_map(read).collect()
}

/// A drawing on the grid.
struct Grid {
    items: Vec<Item>,
    inks: Inks,
    colours: Vec<Rgb>,
}

/// The same thing, four times as large.
fn enlarged(item: &Item, font: Font) -> Item {
    let b = item.bounds;
    let bounds = Bounds::new(b.x0 * SCALE, b.y0 * SCALE, b.x1 * SCALE, b.y1 * SCALE);
    let kind = item.kind;
    match &item.paint {
        Paint::Tiny { text, across, colour } => {
            let middle = bounds.centre();
            let x = match across {
                Across::Left => bounds.x0,
                Across::Centre => middle.0,
                Across::Right => bounds.x1,
            };
            let (at, anchor) = ((x, middle.1), Anchor(*across, Down::Middle));
            let paint = Paint::Text { at, anchor, text: text.clone(), font, turn: 0, colour: *colour };
            Item { kind, bounds: box_of(at, anchor, text, font), paint }
        }
        Paint::Disc { centre, radius, colour } => Item {
            kind,
            bounds,
            paint: Paint::Disc {
                centre: (centre.0 * SCALE, centre.1 * SCALE),
                radius: radius * SCALE,
                colour: *colour,
            },
        },
        paint => Item { kind, bounds, paint: paint.clone() },
    }
}

impl Grid {
    fn rect(&mut self, kind: Kind, bounds: Bounds, colour: Rgb) {
        self.items.push(Item { kind, bounds, paint: Paint::Rect(colour) });
    }

    /// `across`: which edge of its box wider letters keep.
    fn text(&mut self, kind: Kind, at: (i32, i32), across: Across, text: &str) {
        let paint = Paint::Tiny { text: text.into(), across, colour: self.inks.ink };
        self.items.push(Item { kind, bounds: tiny_box(at, text), paint });
    }

    fn colour(&self, i: usize, style: &Style) -> Rgb {
        self.colours[if style.varied { i } else { 0 } % self.colours.len()]
    }
}

fn bars(
    grid: &mut Grid,
    content: &Content,
    style: &Style,
    (layout, lying): (Layout, bool),
) -> Result<(), Error> {
    let n = content.labels.len() as i32;
    let mirrored = layout == Layout::Mirrored;
    let right = mirrored || layout == Layout::Right;
    let top = layout == Layout::Top;
    let widest = content.labels.iter().map(|name| tiny_box((0, 0), name).width()).max().unwrap_or(0);
    // Upright: 58 columns of plot beside a line, labels below; lying: labels beside, a line below.
    let (axis, room) = if lying { (widest + 3, 58) } else { (4, 58) };
    for (i, (&value, name)) in content.values[0].iter().zip(&content.labels).enumerate() {
        let place = if mirrored { n - 1 - i as i32 } else { i as i32 };
        let (from, to) = (place * room / n, (place + 1) * room / n);
        let thick = ((to - from) * style.fill / 100).max(3);
        let start = from + (to - from - thick) / 2;
        let long = (value as i32 * LONGEST + 50) / 100;
        let colour = grid.colour(i, style);
        if lying {
            let long = long.min(SIDE - axis - 3);
            let y = if top { 4 } else { 2 } + start;
            let (x0, x1) = if right { (SIDE - axis - long, SIDE - axis) } else { (axis, axis + long) };
            grid.rect(Kind::Bar(0, i), Bounds::new(x0, y, x1, y + thick), colour);
            let across = if right { Across::Left } else { Across::Right };
            let x = if right { SIDE - axis + 2 } else { axis - 2 - tiny_box((0, 0), name).width() };
            grid.text(Kind::Label(i), (x, y + (thick - TINY[1]) / 2), across, name);
        } else {
            if to - from < widest + 1 {
                return Err(cramped(format!("{n} labels do not fit a small chart; lower bars or extra")));
            }
            let x = if right { 2 } else { axis } + start;
            let (y0, y1) = if top { (64 - 3 - long, 64 - 3) } else { (56 - long, 56) };
            grid.rect(Kind::Bar(0, i), Bounds::new(x, y0, x + thick, y1), colour);
            let y = if top { 1 } else { 58 };
            let half = tiny_box((0, 0), name).width() / 2;
            grid.text(Kind::Label(i), (x + thick / 2 - half, y), Across::Centre, name);
        }
    }
    let ink = grid.inks.ink;
    let (x, y) = match (lying, right, top) {
        (false, false, _) => (3, if top { 61 } else { 56 }),
        (false, true, _) => (60, if top { 61 } else { 56 }),
        (true, false, _) => (axis - 1, if top { 2 } else { 61 }),
        (true, true, _) => (SIDE - axis, if top { 2 } else { 61 }),
    };
    let (x0, x1) = if lying && right {
        (2, x)
    } else if lying {
        (x, 62)
    } else {
        (2, 62)
    };
    let (y0, y1) = if lying {
        (2, 62)
    } else if top {
        (8, y)
    } else {
        (3, y)
    };
    grid.rect(Kind::Rule, Bounds::new(x, y0, x + 1, y1), ink);
    grid.rect(Kind::Rule, Bounds::new(x0, y, x1, y + 1), ink);
    Ok(())
}

/// Bars in columns of tiles, their letters in the row below.
fn tiled_bars(grid: &mut Grid, content: &Content, style: &Style) {
    let last = (content.labels.len() as i32 - 1).max(1);
    let step = (TILES[0][1] - TILES[0][0]) / last;
    for (i, (&value, name)) in (0..).zip(content.values[0].iter().zip(&content.labels)) {
        let x = TILE * (TILES[0][0] + i as i32 * step.min(2));
        let long = (value as i32 * LONGEST + 50) / 100;
        let colour = grid.colour(i, style);
        grid.rect(Kind::Bar(0, i), Bounds::new(x + 1, 56 - long, x + TILE - 1, 56), colour);
        grid.text(Kind::Label(i), (x + 2, 58), Across::Centre, name);
    }
    let ink = grid.inks.ink;
    grid.rect(Kind::Rule, Bounds::new(3, 3, 4, 56), ink);
    grid.rect(Kind::Rule, Bounds::new(2, 56, 62, 57), ink);
}

fn dots(grid: &mut Grid, content: &Content, style: &Style, (layout, tiled): (Layout, bool)) {
    let ink = grid.inks.ink;
    let right = matches!(layout, Layout::Right | Layout::Mirrored);
    let (x, y) = (if right { 61 } else { 2 }, if layout == Layout::Top { 2 } else { 61 });
    grid.rect(Kind::Rule, Bounds::new(x, 2, x + 1, 62), ink);
    grid.rect(Kind::Rule, Bounds::new(2, y, 62, y + 1), ink);
    for (i, (dot, name)) in content.dots.iter().zip(&content.labels).enumerate() {
        let along = if layout == Layout::Mirrored { CROP[0][1] - dot.x } else { dot.x };
        let (x, y, radius) = if tiled {
            (TILE * dot.x + 1, TILE * (TILES[1][1] - dot.y) + 4, 1)
        } else {
            (4 + 2 * along, 60 - 2 * dot.y, DOT)
        };
        let colour = grid.colour(i, style);
        let bounds = Bounds::new(x - radius, y - radius, x + radius + 1, y + radius + 1);
        let centre = (x * UNIT + UNIT / 2, y * UNIT + UNIT / 2);
        let paint = Paint::Disc { centre, radius: radius * UNIT + UNIT / 2, colour };
        grid.items.push(Item { kind: Kind::Dot(i), bounds, paint });
        let (at, across) = match dot.side.seen(layout) {
            Side::Right => ((x + radius + 2, y - 2), Across::Left),
            Side::Left => ((x - DOT - 1 - TINY[0], y - 2), Across::Right),
            Side::Above => ((x - 1, y - DOT - 1 - TINY[1]), Across::Centre),
            Side::Below => ((x - 1, y + DOT + 2), Across::Centre),
        };
        grid.text(Kind::Letter(i), at, across, name);
    }
}
