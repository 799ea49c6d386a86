//! What the benches draw and cannot reach from outside.

use vrrl_harness_core::{Feedback, Image};

use crate::canvas::{Anchor, Bounds, Dash, Family, Font, Picture, UNIT};
use crate::point;

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
