//! What the benches draw and cannot reach from outside.

use serde::Serialize;
use vrrl_harness_core::{Feedback, Image};

use crate::canvas::{Across, Anchor, Bounds, Dash, Down, Family, Font, Picture, Rgb, Weight, UNIT};
use crate::chart::ChartScene;
use crate::point;
use crate::table::TableScene;

const INK: [u8; 3] = [0; 3];

/// A page of 16 × 12 numbers in the serif face, 15 pixels high, with three rules: about a paper's table.
#[must_use]
pub fn page() -> Image {
    drawn(Picture::new(900, 420, [255; 3])).into_image()
}

/// The feedback for a point in the middle of [`page`], of which only what is seen is drawn.
#[must_use]
pub fn crop() -> Feedback {
    let part = |part| drawn(Picture::part(part, [255; 3])).into_image();
    point::crop_of([900, 420], [450.0, 210.0], part)
}

fn drawn(mut picture: Picture) -> Picture {
    let font = Font::new(Family::Serif, 15);
    for row in 0..16 {
        for column in 0..12 {
            let number = (row * 7919 + column * 104_729) % 10_000;
            let text = format!("{}.{:02}", number / 100, number % 100);
            picture.text((65 + column * 72, 30 + row * 24), Anchor::RIGHT, &text, font, INK);
        }
    }
    for (y, thick) in [(10, 2), (42, 1), (408, 2)] {
        picture.rect(Bounds::new(10, y, 890, y + thick), INK);
    }
    picture
}

/// A plot of three lines through 200 points, 60 dots and 24 turned labels.
#[must_use]
pub fn plot() -> Image {
    let mut picture = Picture::new(960, 540, [255; 3]);
    for series in 0..3 {
        let point = |i: i32| (40 * UNIT + i * 36, (100 + series * 100 + i * i * 7 % 61) * UNIT);
        let points: Vec<(i32, i32)> = (0..200).map(point).collect();
        picture.line(&points, 2 * UNIT, Dash::Solid, [200, 40 * series as u8, 60], 255);
        for i in 0..20 {
            picture.disc(point(i * 10), 4 * UNIT, [20, 60, 200], 255);
        }
    }
    for i in 0..24 {
        let font = Font::new(Family::Sans, 12);
        picture.text_turned((60 + i * 36, 460), Anchor::RIGHT, "September", font, 45, INK);
    }
    picture.into_image()
}

/// What a picture is made of, so that another library can draw the same: pixels from the upper left corner, lists
/// in the order they are drawn, colours as RGB.
#[derive(Serialize, Debug)]
pub struct Calls {
    size: [u32; 2],
    paper: Rgb,
    /// Left, top, right, bottom.
    pub(crate) rects: Vec<([i32; 4], Rgb)>,
    /// Points and width.
    pub(crate) lines: Vec<(Vec<[f64; 2]>, f64, Rgb)>,
    /// Centre and radius.
    pub(crate) discs: Vec<([f64; 2], f64, Rgb)>,
    pub(crate) polygons: Vec<(Vec<[f64; 2]>, Rgb)>,
    pub(crate) texts: Vec<Text>,
}

/// A line of text.
#[derive(Serialize, Debug)]
pub(crate) struct Text {
    text: String,
    at: (i32, i32),
    /// `left`, `center` or `right`.
    across: &'static str,
    /// `top`, `center`, `baseline` or `bottom`.
    down: &'static str,
    px: u16,
    serif: bool,
    bold: bool,
    italic: bool,
    turned: u16,
    colour: Rgb,
}

impl Calls {
    pub(crate) fn new(size: [u32; 2], paper: Rgb) -> Self {
        let (rects, lines, discs) = (Vec::new(), Vec::new(), Vec::new());
        Self { size, paper, rects, lines, discs, polygons: Vec::new(), texts: Vec::new() }
    }

    pub(crate) fn rect(&mut self, b: Bounds, colour: Rgb) {
        self.rects.push(([b.x0, b.y0, b.x1, b.y1], colour));
    }

    pub(crate) fn text(
        &mut self,
        text: &str,
        at: (i32, i32),
        anchor: Anchor,
        font: Font,
        turned: u16,
        colour: Rgb,
    ) {
        let across = match anchor.0 {
            Across::Left => "left",
            Across::Centre => "center",
            Across::Right => "right",
        };
        let down = match anchor.1 {
            Down::Top => "top",
            Down::Middle => "center",
            Down::Baseline => "baseline",
            Down::Bottom => "bottom",
        };
        let (serif, bold) = (font.family == Family::Serif, font.weight == Weight::Bold);
        let (px, italic, text) = (font.px, font.italic, text.to_owned());
        self.texts.push(Text { text, at, across, down, px, serif, bold, italic, turned, colour });
    }
}

/// What a table is drawn from.
#[must_use]
pub fn table_calls(scene: &TableScene) -> Calls {
    crate::table::calls(scene)
}

/// What a chart is drawn from.
#[must_use]
pub fn chart_calls(scene: &ChartScene) -> Calls {
    scene.calls()
}
