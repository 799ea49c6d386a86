//! Small square pictures, drawn once and copied often.

use vrrl_harness_core::Image;

/// Red, green, blue.
pub(crate) type Rgb = [u8; 3];

/// Shape coordinates are in eighths of a pixel.
pub(crate) const UNIT: i32 = 8;

/// A filled shape; coordinates in [`UNIT`]s from the sprite's top left corner.
pub(crate) enum Shape {
    /// Centre x, y and half axes.
    Ellipse(i32, i32, i32, i32),
    /// Left, top, right, bottom and corner radius.
    Rect(i32, i32, i32, i32, i32),
    /// Corners in order, any simple polygon.
    Polygon(Vec<(i32, i32)>),
}

impl Shape {
    /// A disc: centre x, y and radius.
    pub(crate) fn disc(x: i32, y: i32, radius: i32) -> Self {
        Self::Ellipse(x, y, radius, radius)
    }

    /// Whether it covers a point.
    pub(crate) fn covers(&self, x: i32, y: i32) -> bool {
        match self {
            &Self::Ellipse(cx, cy, rx, ry) => {
                let (dx, dy) = (i64::from(x - cx), i64::from(y - cy));
                let (rx, ry) = (i64::from(rx), i64::from(ry));
                dx * dx * ry * ry + dy * dy * rx * rx <= rx * rx * ry * ry
            }
            &Self::Rect(x0, y0, x1, y1, radius) => {
                let dx = (x0 + radius - x).max(x - (x1 - radius)).max(0);
                let dy = (y0 + radius - y).max(y - (y1 - radius)).max(0);
                dx * dx + dy * dy <= radius * radius
            }
            Self::Polygon(corners) => {
                let mut inside = false;
                for (i, &(ax, ay)) in corners.iter().enumerate() {
                    let (bx, by) = corners[(i + 1) % corners.len()];
                    if (ay > y) != (by > y) {
                        // x < ax + (bx - ax)(y - ay)/(by - ay), without the division.
                        let left = (x - ax) * (by - ay);
                        let right = (bx - ax) * (y - ay);
                        inside ^= if by > ay { left < right } else { left > right };
                    }
                }
                inside
            }
        }
    }

    /// Covered share of pixel (x, y) in quarters, rounded; few levels keep palettes small.
    pub(crate) fn coverage(&self, x: usize, y: usize) -> u32 {
        let (left, top) = (x as i32 * UNIT, y as i32 * UNIT);
        let samples =
            (0..16).filter(|i| self.covers(left + 1 + i % 4 * 2, top + 1 + i / 4 * 2)).count() as u32;
        (samples + 2) / 4
    }
}

/// A square picture.
#[derive(Clone)]
pub(crate) struct Sprite {
    side: usize,
    pixels: Vec<u8>,
}

impl Sprite {
    /// One colour, `side` pixels square.
    pub(crate) fn new(side: usize, colour: Rgb) -> Self {
        Self { side, pixels: colour.repeat(side * side) }
    }

    /// From rows of letters.
    pub(crate) fn from_art(art: &[&str], colour: impl Fn(u8) -> Rgb) -> Self {
        Self { side: art.len(), pixels: art.iter().flat_map(|row| row.bytes()).flat_map(colour).collect() }
    }

    /// Fills a shape, with soft edges.
    pub(crate) fn paint(mut self, shape: &Shape, colour: Rgb) -> Self {
        for y in 0..self.side {
            for x in 0..self.side {
                let quarters = shape.coverage(x, y);
                let at = (y * self.side + x) * 3;
                let pixel = &mut self.pixels[at..at + 3];
                mix(pixel, colour, quarters, 4);
            }
        }
        self
    }

    /// Copies it to (x, y); what lies outside the picture is cut.
    pub(crate) fn blit(&self, image: &mut Image, x: usize, y: usize) {
        let (width, height) = (image.width() as usize, image.height() as usize);
        if x >= width {
            return;
        }
        let bytes = self.side.min(width - x) * 3;
        let pixels: &mut [u8] = image;
        let rows = self.pixels.chunks_exact(self.side * 3).take(height.saturating_sub(y));
        for (row, source) in rows.enumerate() {
            let at = ((y + row) * width + x) * 3;
            pixels[at..at + bytes].copy_from_slice(&source[..bytes]);
        }
    }
}

/// Moves a pixel `parts` of `whole` towards a colour.
pub(crate) fn mix(pixel: &mut [u8], colour: Rgb, parts: u32, whole: u32) {
    for (channel, target) in pixel.iter_mut().zip(colour) {
        let sum = u32::from(*channel) * (whole - parts) + u32::from(target) * parts;
        *channel = ((sum + whole / 2) / whole) as u8;
    }
}
