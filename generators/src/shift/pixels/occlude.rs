//! What lies over a picture: patches, and a watermark.

use vrrl_harness_core::{Image, Rng, Seed};

use crate::canvas::{measure, mix, Anchor, Bounds, Family, Font, Picture, Rgb};

/// Colours of things that lie on paper.
const COLOURS: [Rgb; 6] =
    [[92, 98, 108], [150, 120, 84], [70, 104, 140], [126, 88, 112], [96, 126, 96], [184, 168, 140]];
const TRIES: u32 = 40;
/// Pixels left free around what must be seen.
const MARGIN: i32 = 4;

/// How many patches, how large, how opaque: see [`Op::Occlude`](super::super::Op).
#[derive(Clone, Copy)]
pub(super) struct Patches {
    pub count: u32,
    pub side: u32,
    pub cover: u32,
}

/// Lays patches on the picture; none touches a box of `spare` or another patch. Each has its own stream, so that
/// more patches are the same ones and further ones. One that finds no place is left out.
pub(super) fn occlude(image: &mut Image, patches: Patches, spare: &[Bounds], seed: Seed) {
    let (width, height) = (image.width() as i32, image.height() as i32);
    let mut taken: Vec<Bounds> = spare.iter().map(|b| b.inset(-MARGIN)).collect();
    for index in 0..patches.count {
        let mut rng = seed.derive("patch", u64::from(index)).rng();
        let colour = *rng.choose(&COLOURS);
        let side = |share: u32| {
            let pixels = u64::from(patches.side) * u64::from(width.min(height) as u32) * u64::from(share);
            (pixels / 1_000_000).max(1) as u32
        };
        let (w, h) = (side(rng.between(700, 1400)), side(rng.between(700, 1400)));
        let (w, h) = (w.min(width as u32), h.min(height as u32));
        let place = (0..TRIES).find_map(|_| {
            let (x, y) = (rng.below(width as u32 - w + 1) as i32, rng.below(height as u32 - h + 1) as i32);
            let place = Bounds { x0: x, y0: y, x1: x + w as i32, y1: y + h as i32 };
            taken.iter().all(|b| !b.intersects(&place)).then_some(place)
        });
        let Some(place) = place else { continue };
        taken.push(place);
        for y in place.y0..place.y1 {
            let start = (y * width + place.x0) as usize * 3;
            for pixel in image.as_mut()[start..start + w as usize * 3].chunks_exact_mut(3) {
                mix(pixel, colour, patches.cover, 100);
            }
        }
    }
}

/// Words that are stamped on drafts.
const STAMPS: [&str; 4] = ["DRAFT", "COPY", "SAMPLE", "PREVIEW"];
/// Grey that shows on light and dark.
const GREY: Rgb = [128, 128, 128];

/// Writes a drawn word across the picture in grey of `cover` percent opacity.
pub(super) fn watermark(image: &mut Image, cover: u32, rng: &mut Rng) {
    let word = *rng.choose(&STAMPS);
    let [width, height] = [image.width(), image.height()].map(|side| side as i32);
    // As wide as fits at 30°, where a box w × h takes 0.87 w + 0.5 h by 0.5 w + 0.87 h.
    let fits = |px: &u16| {
        let (w, ascent, descent) = measure(word, Font::new(Family::Sans, *px).bold());
        let h = ascent + descent;
        87 * w + 50 * h <= 92 * width && 50 * w + 87 * h <= 92 * height
    };
    let sizes: Vec<u16> = (1..=64).map(|step| step * 8).collect();
    let Some(&px) = sizes.iter().rev().find(|px| fits(px)) else { return };
    let mut stamp = Picture::new(image.width(), image.height(), [0; 3]);
    let font = Font::new(Family::Sans, px).bold();
    stamp.text_turned((width / 2, height / 2), Anchor::CENTRE, word, font, 30, [255; 3]);
    for (pixel, stamp) in image.chunks_exact_mut(3).zip(stamp.into_image().chunks_exact(3)) {
        mix(pixel, GREY, u32::from(stamp[0]) * cover, 25_500);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(count: u32, spare: &[Bounds]) -> Image {
        let mut image = Image::from_pixel(200, 100, image::Rgb([255; 3]));
        occlude(&mut image, Patches { count, side: 200, cover: 100 }, spare, Seed(8));
        image
    }

    #[test]
    fn patches_spare_boxes_and_accumulate() {
        let spare = Bounds { x0: 50, y0: 20, x1: 120, y1: 70 };
        let (few, many) = (laid(3, &[spare]), laid(30, &[spare]));
        for (x, y, pixel) in many.enumerate_pixels() {
            assert!(!spare.inset(-MARGIN).holds(x as i32, y as i32) || pixel.0 == [255; 3], "{x} {y}");
            assert!(few.get_pixel(x, y).0 == [255; 3] || pixel.0 != [255; 3]);
        }
        assert_ne!(few, many);
        // Where nothing may be covered, nothing is.
        let all = Bounds { x0: 0, y0: 0, x1: 200, y1: 100 };
        assert!(laid(30, &[all]).iter().all(|&v| v == 255));
    }

    #[test]
    fn a_watermark_shows_and_grows() {
        let white = Image::from_pixel(320, 320, image::Rgb([255; 3]));
        let change = |cover| {
            let mut image = white.clone();
            watermark(&mut image, cover, &mut Seed(1).rng());
            image.iter().map(|&v| u64::from(255 - v)).sum::<u64>()
        };
        assert!(change(10) > 0 && change(40) > 3 * change(10));
    }
}
