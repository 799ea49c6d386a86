//! A proposed point, shown: a red marker on a crop or on the whole picture, or words where it lies outside.

use vrrl_harness_core::{Answer, Feedback, Image};

use crate::canvas::{Bounds, Picture, Rgb, UNIT};

/// Side of the crop in pixels, and radius of the marker (`vrrl` section 2 of the specification).
const SIDE: i32 = 200;
const RADIUS: i32 = 5;

const RED: Rgb = [255, 0, 0];
const HALF: u8 = 128;

/// The answer's coordinates; not a number for an answer of another kind.
pub(crate) fn point(answer: &Answer) -> [f64; 2] {
    match answer {
        Answer::Point(point) => *point,
        Answer::Moves(_) => [f64::NAN; 2],
    }
}

/// Says which coordinate is outside of a picture of this size; `None` where both are inside.
pub(crate) fn outside(size: [u32; 2], [x, y]: [f64; 2]) -> Option<String> {
    let off = |v: f64, pixels: u32| !(v >= 0.0 && v < f64::from(pixels));
    let said = |name: &str, v: f64, pixels: u32| {
        let last = pixels.saturating_sub(1);
        let shown = if v.abs() < 1e6 { format!("{v}") } else { format!("{v:e}") };
        format!("{name} = {shown} is outside the image, whose {name} goes from 0 to {last}.")
    };
    match (off(x, size[0]), off(y, size[1])) {
        (false, false) => None,
        (true, false) => Some(said("x", x, size[0])),
        (false, true) => Some(said("y", y, size[1])),
        (true, true) => Some(format!("{} {}", said("x", x, size[0]), said("y", y, size[1]))),
    }
}

/// The part of a picture of this size that [`crop`] shows for a point on it: 200 × 200 pixels around it, less what
/// lies outside.
pub(crate) fn window(size: [u32; 2], [x, y]: [f64; 2]) -> Bounds {
    let [width, height] = size.map(|pixels| i32::try_from(pixels).unwrap_or(i32::MAX));
    // Saturating, so that no point is too far.
    let (x, y) = (x.floor() as i32, y.floor() as i32);
    Bounds::sized(x.saturating_sub(SIDE / 2), y.saturating_sub(SIDE / 2), SIDE, SIDE)
        .intersection(&Bounds::new(0, 0, width, height))
}

/// The crop around a point with a half transparent red marker on it; words for a point outside.
pub(crate) fn crop(picture: &Image, point: [f64; 2]) -> Feedback {
    crop_of([picture.width(), picture.height()], point, |part| cut(picture, part))
}

/// The same of a picture that is not drawn yet: `draw` gives the pixels of a part of it, as
/// [`Picture::part`] makes cheap.
pub(crate) fn crop_of(size: [u32; 2], point: [f64; 2], draw: impl FnOnce(Bounds) -> Image) -> Feedback {
    if let Some(words) = outside(size, point) {
        return Feedback::Text(words);
    }
    let part = window(size, point);
    let mut crop = Picture::from_image(draw(part));
    let [x, y] = point;
    mark(&mut crop, [x - f64::from(part.x0), y - f64::from(part.y0)], RADIUS * UNIT);
    Feedback::Image(crop.into_image())
}

/// The whole picture with the marker; words for a point outside.
pub(crate) fn whole(picture: Image, point: [f64; 2]) -> Feedback {
    match outside([picture.width(), picture.height()], point) {
        Some(words) => Feedback::Text(words),
        None => {
            let mut picture = Picture::from_image(picture);
            mark(&mut picture, point, RADIUS * UNIT);
            Feedback::Image(picture.into_image())
        }
    }
}

/// Draws the marker: on the pixel that the point names, to an eighth of a pixel.
fn mark(picture: &mut Picture, point: [f64; 2], radius: i32) {
    let [x, y] = point.map(|v| (v * f64::from(UNIT)).round() as i32 + UNIT / 2);
    picture.disc((x, y), radius, RED, HALF);
}

/// A part of a picture.
fn cut(picture: &Image, part: Bounds) -> Image {
    let (width, height) = (part.width().max(0) as usize, part.height().max(0) as usize);
    let source: &[u8] = picture;
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in part.y0..part.y1 {
        let start = (y as usize * picture.width() as usize + part.x0 as usize) * 3;
        pixels.extend_from_slice(&source[start..start + width * 3]);
    }
    Image::from_raw(width as u32, height as u32, pixels).expect("the buffer has three bytes for each pixel")
}

/// The 64 × 64 form of a picture, and where its pixels come from.
pub(crate) struct Canvas {
    /// The small picture.
    pub image: Image,
    /// Crisp pixels a canvas pixel, and the crisp pixel at the canvas's corner (0 or negative).
    scale: [f64; 3],
}

/// Pixels of the canvas's side.
const SMALL: u32 = 64;

impl Canvas {
    /// Of a picture that was drawn at 64 × 64 in its own right and stands for a crisp one of `side` × `side`.
    pub(crate) fn drawn(image: Image, side: u32) -> Self {
        let scale = f64::from(side) / f64::from(image.width().max(1));
        Self { image, scale: [scale, 0.0, 0.0] }
    }

    /// A crisp picture shrunk by averaging, its aspect kept, in the middle of a canvas of `paper`. Small print is
    /// lost on it.
    pub(crate) fn shrunk(picture: &Image, paper: Rgb) -> Self {
        let (width, height) = (picture.width().max(1), picture.height().max(1));
        let side = width.max(height);
        let short = |pixels: u32| ((u64::from(pixels) * u64::from(SMALL)) / u64::from(side)).max(1) as u32;
        let (columns, rows) = (short(width), short(height));
        let (left, top) = ((SMALL - columns) / 2, (SMALL - rows) / 2);
        let mut image = Picture::new(SMALL, SMALL, paper).into_image();
        let cuts =
            |n: u32, whole: u32| move |i: u32| (u64::from(i) * u64::from(whole) / u64::from(n)) as usize;
        let (column, row) = (cuts(columns, width), cuts(rows, height));
        for y in 0..rows {
            for x in 0..columns {
                let pixel = mean(picture, [column(x), column(x + 1)], [row(y), row(y + 1)]);
                image.get_pixel_mut(left + x, top + y).0 = pixel;
            }
        }
        let scale = f64::from(side) / f64::from(SMALL);
        Self { image, scale: [scale, -f64::from(left) * scale, -f64::from(top) * scale] }
    }

    /// The canvas with the marker where a crisp point is; words for a point outside of the crisp picture.
    pub(crate) fn feedback(self, size: [u32; 2], point: [f64; 2]) -> Feedback {
        if let Some(words) = outside(size, point) {
            return Feedback::Text(words);
        }
        let [scale, left, top] = self.scale;
        let [x, y] = [(point[0] - left) / scale, (point[1] - top) / scale].map(f64::floor);
        let mut picture = Picture::from_image(self.image);
        mark(&mut picture, [x, y], 2 * UNIT);
        Feedback::Image(picture.into_image())
    }
}

/// The mean colour of a box of pixels, at least one.
fn mean(picture: &Image, [x0, x1]: [usize; 2], [y0, y1]: [usize; 2]) -> Rgb {
    let (source, width): (&[u8], usize) = (picture, picture.width() as usize);
    let (x1, y1) = (x1.max(x0 + 1), y1.max(y0 + 1));
    let mut sum = [0_u64; 3];
    for y in y0..y1 {
        for pixel in source[(y * width + x0) * 3..(y * width + x1) * 3].chunks_exact(3) {
            sum.iter_mut().zip(pixel).for_each(|(sum, channel)| *sum += u64::from(*channel));
        }
    }
    let count = ((x1 - x0) * (y1 - y0)) as u64;
    sum.map(|channel| ((channel + count / 2) / count) as u8)
}
