//! Lines of text: measured and set in integers, letters at quarters of a pixel.

use serde::{Deserialize, Serialize};

use super::bounds::Bounds;
use super::face::{self, Face, Page};
use super::fill::GRID;
use super::picture::Picture;
use super::sprite::Rgb;

/// A typeface.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// As papers are set in; tables.
    Serif,
    /// As plotting libraries use; charts.
    Sans,
    /// Letters of one width.
    Mono,
    /// Heavy serifs; digits of different widths.
    Slab,
    /// Handwriting; digits of different widths.
    Hand,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Serif, Self::Sans, Self::Mono, Self::Slab, Self::Hand];
}

/// How heavy letters are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Weight {
    /// As in running text.
    Regular,
    /// Heavier.
    Bold,
}

/// A font at a size.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Font {
    /// Typeface.
    pub family: Family,
    /// Weight.
    pub weight: Weight,
    /// Slanted.
    pub italic: bool,
    /// Size: pixels of an em, at most [`Font::LARGEST`].
    pub px: u16,
}

impl Font {
    /// Larger sizes are drawn at this one.
    pub(crate) const LARGEST: u16 = 512;

    /// Upright, of regular weight.
    pub(crate) const fn new(family: Family, px: u16) -> Self {
        Self { family, weight: Weight::Regular, italic: false, px }
    }

    /// The same in bold.
    pub(crate) const fn bold(self) -> Self {
        Self { weight: Weight::Bold, ..self }
    }

    /// The same slanted.
    pub(crate) const fn italic(self) -> Self {
        Self { italic: true, ..self }
    }

    /// The same at another size.
    pub(crate) const fn sized(self, px: u16) -> Self {
        Self { px, ..self }
    }

    fn clamped(self) -> Self {
        Self { px: self.px.min(Self::LARGEST), ..self }
    }
}

/// Which point of a text's box is given across.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Across {
    /// Its left edge.
    Left,
    /// Its middle.
    Centre,
    /// Its right edge (the column after the last).
    Right,
}

/// Which point of a text's box is given down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Down {
    /// The top of its highest letters.
    Top,
    /// Half the height of a capital.
    Middle,
    /// Where letters stand: the row below their feet.
    Baseline,
    /// The bottom of its lowest letters.
    Bottom,
}

/// Which point of a text's box is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Anchor(pub Across, pub Down);

#[allow(missing_docs)]
impl Anchor {
    pub(crate) const TOP_LEFT: Self = Self(Across::Left, Down::Top);
    pub(crate) const TOP: Self = Self(Across::Centre, Down::Top);
    pub(crate) const LEFT: Self = Self(Across::Left, Down::Middle);
    pub(crate) const CENTRE: Self = Self(Across::Centre, Down::Middle);
    pub(crate) const RIGHT: Self = Self(Across::Right, Down::Middle);
    pub(crate) const BASE_LEFT: Self = Self(Across::Left, Down::Baseline);
    pub(crate) const BOTTOM_LEFT: Self = Self(Across::Left, Down::Bottom);
    pub(crate) const BOTTOM: Self = Self(Across::Centre, Down::Bottom);
    pub(crate) const BOTTOM_RIGHT: Self = Self(Across::Right, Down::Bottom);
}

/// Letters may stand up to half a quarter of a pixel beside their place.
const SLACK: i32 = GRID / 8;

/// Where letters stand, in [`GRID`]s from the pen's start; ink from `left` to `right`.
struct Line {
    left: i32,
    right: i32,
}

impl Line {
    fn of(face: &Face, px: u16, text: &str) -> Self {
        let (mut pen, mut left, mut right) = (0_i32, 0, 0);
        let mut before = None;
        for letter in letters(text) {
            let (advance, begin, end) = face.advance(letter, px);
            let kern = before.replace(letter).map_or(0, |before| face.kern(before, letter, px));
            pen = pen.saturating_add(kern);
            left = left.min(pen.saturating_add(begin - SLACK));
            right = right.max(pen.saturating_add(end + SLACK));
            pen = pen.saturating_add(advance);
        }
        Self { left, right: right.max(pen) }
    }

    /// Whole pixels that it needs.
    fn width(&self) -> i32 {
        pixels_up(self.right.saturating_sub(self.left))
    }
}

fn pixels_up(grid: i32) -> i32 {
    grid.saturating_add(GRID - 1) / GRID
}

/// Places among the letters; what no font has becomes a question mark.
fn letters(text: &str) -> impl Iterator<Item = usize> + '_ {
    text.chars().map(|c| face::index(c).or(face::index('?')).unwrap_or(0))
}

/// Whether every character can be drawn.
#[cfg(test)]
pub(crate) fn drawable(text: &str) -> bool {
    text.chars().all(|c| face::index(c).is_some())
}

/// Width of a text, and how far its font reaches above and below the baseline (the same for all texts): pixels,
/// rounded up. Drawn text stays inside.
pub(crate) fn measure(text: &str, font: Font) -> (i32, i32, i32) {
    let font = font.clamped();
    let face = Face::of(font);
    let (ascent, descent) = face.extent(font.px);
    (Line::of(face, font.px, text).width(), ascent, descent)
}

/// A text set at a place: its pen's start and its turn.
struct Set {
    font: Font,
    /// Where the pen starts in [`GRID`]s of the picture.
    pen: (i64, i64),
    /// Cosine and sine in 2^14ths.
    turn: (i32, i32),
}

impl Set {
    fn new(at: (i32, i32), anchor: Anchor, text: &str, font: Font, turn: (i32, i32)) -> Self {
        let font = font.clamped();
        let face = Face::of(font);
        let line = Line::of(face, font.px, text);
        let (ascent, descent) = face.extent(font.px);
        let width = line.width();
        let slack = width.saturating_mul(GRID) - line.right.saturating_sub(line.left);
        // From the given point to the pen's start: right, and down to the baseline.
        let right = match anchor.0 {
            Across::Left => -line.left,
            Across::Centre => (-(width / 2)).saturating_mul(GRID).saturating_add(slack / 2 - line.left),
            Across::Right => (-width).saturating_mul(GRID).saturating_add(slack - line.left),
        };
        let down = match anchor.1 {
            Down::Top => ascent,
            Down::Middle => (face.capital(font.px) + GRID) / (2 * GRID),
            Down::Baseline => 0,
            Down::Bottom => -descent,
        };
        let (right, down) = (i64::from(right), i64::from(down) * i64::from(GRID));
        let (cos, sin) = (i64::from(turn.0), i64::from(turn.1));
        let pen = (
            i64::from(at.0) * i64::from(GRID) + rounded(right * cos + down * sin),
            i64::from(at.1) * i64::from(GRID) + rounded(down * cos - right * sin),
        );
        Self { font, pen, turn }
    }

    /// Gives every letter's coverage and the pixel of its top left corner to `each`; returns the box of all ink.
    fn each(&self, text: &str, mut each: impl FnMut((i32, i32), &[u8], usize)) -> Bounds {
        let face = Face::of(self.font);
        let (cos, sin) = (i64::from(self.turn.0), i64::from(self.turn.1));
        face::with_page(self.font, self.turn, |page: &mut Page| {
            let mut ink = Bounds::default();
            let (mut done, mut before) = (0_i64, None);
            for letter in letters(text) {
                let kern = before.replace(letter).map_or(0, |before| face.kern(before, letter, self.font.px));
                done += i64::from(kern);
                let (x, right) = quarters(self.pen.0 + rounded(done * cos));
                let (y, down) = quarters(self.pen.1 - rounded(done * sin));
                done += i64::from(face.advance(letter, self.font.px).0);
                let mask = page.mask(letter, [right, down]);
                if let Some(height) = mask.coverage.len().checked_div(mask.width) {
                    let at = (x.saturating_add(mask.at.0), y.saturating_add(mask.at.1));
                    let height = height as i32;
                    ink = ink.union(&Bounds::sized(at.0, at.1, mask.width as i32, height));
                    each(at, &mask.coverage, mask.width);
                }
            }
            ink
        })
    }
}

/// 2^14ths to whole numbers.
fn rounded(v: i64) -> i64 {
    (v + (1 << 13)) >> 14
}

/// A place in [`GRID`]s as a pixel and quarters of it.
fn quarters(grid: i64) -> (i32, u8) {
    let quarter = i64::from(GRID) / 4;
    let places = (grid + quarter / 2).div_euclid(quarter);
    (places.div_euclid(4).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32, places.rem_euclid(4) as u8)
}

/// Cosine and sine in 2^14ths of the nearest angle that text can be turned by: 0, 15, 30, 45, 60, 75 or 90.
fn turn(degrees: u16) -> (i32, i32) {
    match degrees {
        0..=7 => (16384, 0),
        8..=22 => (15826, 4240),
        23..=37 => (14189, 8192),
        38..=52 => (11585, 11585),
        53..=67 => (8192, 14189),
        68..=82 => (4240, 15826),
        _ => (0, 16384),
    }
}

const UPRIGHT: (i32, i32) = (16384, 0);

/// The ink that [`Picture::text`] would draw.
pub(crate) fn box_of(at: (i32, i32), anchor: Anchor, text: &str, font: Font) -> Bounds {
    Set::new(at, anchor, text, font, UPRIGHT).each(text, |_, _, _| {})
}

/// The ink that [`Picture::text_turned`] would draw.
pub(crate) fn box_turned(at: (i32, i32), anchor: Anchor, text: &str, font: Font, degrees: u16) -> Bounds {
    Set::new(at, anchor, text, font, turn(degrees)).each(text, |_, _, _| {})
}

impl Picture {
    /// Draws a line of text whose `anchor` is at a pixel; returns the box of its ink, clipped or not.
    pub(crate) fn text(
        &mut self,
        at: (i32, i32),
        anchor: Anchor,
        text: &str,
        font: Font,
        colour: Rgb,
    ) -> Bounds {
        let set = Set::new(at, anchor, text, font, UPRIGHT);
        set.each(text, |at, mask, width| self.stamp(at, mask, width, colour))
    }

    /// The same, turned about `at` against the clock: 0, 15, 30, 45, 60, 75 or 90 degrees.
    pub(crate) fn text_turned(
        &mut self,
        at: (i32, i32),
        anchor: Anchor,
        text: &str,
        font: Font,
        degrees: u16,
        colour: Rgb,
    ) -> Bounds {
        let set = Set::new(at, anchor, text, font, turn(degrees));
        set.each(text, |at, mask, width| self.stamp(at, mask, width, colour))
    }
}
