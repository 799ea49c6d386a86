//! The picture that tables and charts are drawn on. Whatever lies outside is cut, never an error.

use vrrl_harness_core::Image;

use super::bounds::Bounds;
use super::fill::{Fill, Window, FULL, GRID};
use super::sprite::{Rgb, UNIT};
use super::stroke;

/// Whether a line is interrupted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dash {
    /// It is not.
    Solid,
    /// Strokes of four widths, gaps of two and a half.
    Dashed,
    /// Strokes of one width, gaps of one and three quarters.
    Dotted,
}

/// An RGB picture, row-major, or a part of one that is drawn in the coordinates of the whole.
#[derive(Clone)]
pub(crate) struct Picture {
    image: Image,
    /// The whole picture's place of the first pixel held.
    corner: (i32, i32),
}

impl Picture {
    /// One colour everywhere; sizes in pixels.
    pub(crate) fn new(width: u32, height: u32, background: Rgb) -> Self {
        let pixels = width as usize * height as usize;
        let [red, green, blue] = background;
        // Grey paper, which is usual, takes half the time.
        let buffer =
            if red == green && green == blue { vec![red; 3 * pixels] } else { background.repeat(pixels) };
        let image =
            Image::from_raw(width, height, buffer).expect("the buffer has three bytes for each pixel");
        Self { image, corner: (0, 0) }
    }

    /// To draw on a picture that is there.
    pub(crate) fn from_image(image: Image) -> Self {
        Self { image, corner: (0, 0) }
    }

    /// Only the pixels of `part` of a larger picture, in its coordinates: drawing all of it costs what is seen.
    pub(crate) fn part(part: Bounds, background: Rgb) -> Self {
        let [width, height] = [part.width(), part.height()].map(|pixels| pixels.max(0).unsigned_abs());
        Self { corner: (part.x0, part.y0), ..Self::new(width, height, background) }
    }

    /// What was drawn.
    pub(crate) fn into_image(self) -> Image {
        self.image
    }

    /// Columns.
    pub(crate) fn width(&self) -> i32 {
        i32::try_from(self.image.width()).unwrap_or(i32::MAX)
    }

    /// Rows.
    pub(crate) fn height(&self) -> i32 {
        i32::try_from(self.image.height()).unwrap_or(i32::MAX)
    }

    /// All its pixels, in the coordinates that drawing uses.
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds::sized(self.corner.0, self.corner.1, self.width(), self.height())
    }

    /// Fills a box.
    pub(crate) fn rect(&mut self, b: Bounds, colour: Rgb) {
        let b = b.intersection(&self.bounds());
        if b.is_empty() {
            return;
        }
        // One row pixel by pixel, the others as copies of it, which takes a third of the time.
        self.row(b.y0, b.x0, b.x1).chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&colour));
        let first = self.at(b.x0, b.y0);
        let bytes = b.width() as usize * 3;
        for y in b.y0 + 1..b.y1 {
            let at = self.at(b.x0, y);
            self.image.copy_within(first..first + bytes, at);
        }
    }

    /// Draws a frame of `width` pixels just inside a box.
    pub(crate) fn outline(&mut self, b: Bounds, width: i32, colour: Rgb) {
        let width = width.max(0);
        let inner = b.inset(width);
        if inner.is_empty() {
            return self.rect(b, colour);
        }
        self.rect(Bounds { y1: inner.y0, ..b }, colour);
        self.rect(Bounds { y0: inner.y1, ..b }, colour);
        self.rect(Bounds { y0: inner.y0, y1: inner.y1, x1: inner.x0, ..b }, colour);
        self.rect(Bounds { y0: inner.y0, y1: inner.y1, x0: inner.x1, ..b }, colour);
    }

    /// Draws a polyline with round joints and flat ends; points and width in eighths of a pixel ([`UNIT`]),
    /// (0, 0) being the picture's corner, so that a pixel's centre is at (4, 4). Where it crosses itself alpha
    /// counts once.
    pub(crate) fn line(&mut self, points: &[(i32, i32)], width: i32, dash: Dash, colour: Rgb, alpha: u8) {
        let mut fill = self.fill();
        stroke::stroke(&mut fill, points, width, dash, self.bounds());
        self.paint(fill, colour, alpha);
    }

    /// Fills a disc; centre and radius in [`UNIT`]s.
    pub(crate) fn disc(&mut self, centre: (i32, i32), radius: i32, colour: Rgb, alpha: u8) {
        let mut fill = self.fill();
        stroke::disc(&mut fill, centre, radius);
        self.paint(fill, colour, alpha);
    }

    /// Fills a polygon, simple or not (winding number not zero); corners in [`UNIT`]s.
    pub(crate) fn polygon(&mut self, corners: &[(i32, i32)], colour: Rgb, alpha: u8) {
        let mut fill = self.fill();
        let scaled: Vec<(i32, i32)> = corners.iter().map(|&corner| stroke::grid(corner)).collect();
        fill.outline(&scaled);
        self.paint(fill, colour, alpha);
    }

    fn fill(&self) -> Fill {
        let b = self.bounds();
        Fill::new(Window { x: [b.x0, b.x1], y: [b.y0, b.y1] }, 4)
    }

    fn paint(&mut self, fill: Fill, colour: Rgb, alpha: u8) {
        fill.rows(|y, x, coverage| self.stain(y, x, coverage, colour, alpha));
    }

    /// Mixes a run of pixels, all of them on the picture, with a colour.
    fn stain(&mut self, y: i32, x: i32, coverage: &[u8], colour: Rgb, alpha: u8) {
        let pixels = self.row(y, x, x + coverage.len() as i32);
        for (pixel, &level) in pixels.chunks_exact_mut(3).zip(coverage) {
            match u32::from(level) {
                0 => {}
                FULL if alpha == 255 => pixel.copy_from_slice(&colour),
                _ => blend(pixel, colour, weight(level, alpha)),
            }
        }
    }

    /// Copies a mask of coverage (sixteenths, `width` a row) to (x, y); what lies outside is cut.
    pub(super) fn stamp(&mut self, (x, y): (i32, i32), mask: &[u8], width: usize, colour: Rgb) {
        if width == 0 {
            return;
        }
        let b = self.bounds();
        let left = b.x0.saturating_sub(x).clamp(0, width as i32);
        let right = b.x1.saturating_sub(x).clamp(left, width as i32);
        if left == right {
            return;
        }
        for (line, coverage) in (0..).zip(mask.chunks_exact(width)) {
            let row = y.saturating_add(line);
            if (b.y0..b.y1).contains(&row) {
                self.stain(row, x + left, &coverage[left as usize..right as usize], colour, 255);
            }
        }
    }

    /// Pixels of one row, all of them held.
    fn row(&mut self, y: i32, from: i32, to: i32) -> &mut [u8] {
        let (from, to) = (self.at(from, y), self.at(to, y));
        let pixels: &mut [u8] = &mut self.image;
        &mut pixels[from..to]
    }

    /// Where the bytes of a pixel begin.
    fn at(&self, x: i32, y: i32) -> usize {
        let (x, y) = ((x - self.corner.0) as usize, (y - self.corner.1) as usize);
        (y * self.image.width() as usize + x) * 3
    }
}

/// Of 256, what a pixel covered `level` sixteenths takes of a colour.
fn weight(level: u8, alpha: u8) -> u32 {
    (u32::from(level) * u32::from(alpha) * 16 + 127) / 255
}

fn blend(pixel: &mut [u8], colour: Rgb, weight: u32) {
    for (channel, ink) in pixel.iter_mut().zip(colour) {
        *channel = ((u32::from(*channel) * (256 - weight) + u32::from(ink) * weight + 128) >> 8) as u8;
    }
}

const _: () = assert!(GRID % UNIT == 0, "shapes stand on the rasterizer's grid");
