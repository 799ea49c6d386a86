//! Laws of drawing.

use super::*;

#[test]
fn text_stays_inside_what_was_measured() {
    let mut picture = Picture::new(300, 60, [255; 3]);
    let font = Font::new(Family::Serif, 15);
    let (width, ascent, descent) = measure("Accuracy (%)", font);
    let ink = picture.text((20, 30), Anchor::BASE_LEFT, "Accuracy (%)", font, [0; 3]);
    assert!(Bounds::new(20, 30 - ascent, 20 + width, 30 + descent).contains(&ink), "{ink:?}");
}
