//! Laws of drawing: nothing panics or leaves the picture, text is where it was measured, bytes never change.

use proptest::prelude::*;
use vrrl_harness_core::sha256_hex;

use super::text::drawable;
use super::*;

const INK: Rgb = [0; 3];
const PAPER: Rgb = [255; 3];

fn fonts() -> impl Strategy<Value = Font> {
    let family = prop::sample::select(Family::ALL.to_vec());
    (family, any::<bool>(), any::<bool>(), 1_u16..40).prop_map(|(family, bold, italic, px)| {
        let weight = if bold { Weight::Bold } else { Weight::Regular };
        Font { family, weight, italic, px }
    })
}

fn anchors() -> impl Strategy<Value = Anchor> {
    let across = prop::sample::select(vec![Across::Left, Across::Centre, Across::Right]);
    let down = prop::sample::select(vec![Down::Top, Down::Middle, Down::Baseline, Down::Bottom]);
    (across, down).prop_map(|(across, down)| Anchor(across, down))
}

/// The box of all pixels that are not paper.
fn ink(picture: &Picture) -> Bounds {
    let image = picture.clone().into_image();
    let dark = image.enumerate_pixels().filter(|(_, _, pixel)| pixel.0 != PAPER);
    dark.fold(Bounds::default(), |all, (x, y, _)| all.union(&Bounds::sized(x as i32, y as i32, 1, 1)))
}

proptest! {
    #[test]
    fn text_stays_inside_what_was_measured(
        text in "[ -~±–µ→†≤é]{0,12}", font in fonts(), anchor in anchors()
    ) {
        let mut picture = Picture::new(700, 200, PAPER);
        let (width, ascent, descent) = measure(&text, font);
        let at = (350, 100);
        let said = picture.text(at, anchor, &text, font, INK);
        prop_assert_eq!(said, box_of(at, anchor, &text, font));
        let x0 = at.0 - match anchor.0 { Across::Left => 0, Across::Centre => width / 2, Across::Right => width };
        prop_assert!(said.is_empty() || (x0 <= said.x0 && said.x1 <= x0 + width), "{:?} {} {}", said, x0, width);
        prop_assert!(said.height() <= ascent + descent);
        match anchor.1 {
            Down::Top => prop_assert!(said.is_empty() || said.y0 >= at.1),
            Down::Bottom => prop_assert!(said.is_empty() || said.y1 <= at.1),
            _ => {}
        }
        prop_assert!(said.contains(&ink(&picture)));
        prop_assert_eq!(said.is_empty(), ink(&picture).is_empty());
    }

    #[test]
    fn nothing_is_too_far_or_too_large(
        x in any::<i32>(), y in any::<i32>(), a in any::<i32>(), b in any::<i32>(), px in any::<u16>(),
        text in "\\PC{0,6}", degrees in any::<u16>(), anchor in anchors(), alpha in any::<u8>()
    ) {
        let mut picture = Picture::new(20, 10, PAPER);
        let bounds = Bounds::new(x, y, a, b);
        picture.rect(bounds, INK);
        picture.outline(bounds, a, INK);
        for dash in [Dash::Solid, Dash::Dashed, Dash::Dotted] {
            picture.line(&[(x, y), (a, b), (0, 0), (b, x)], 8, dash, INK, alpha);
            picture.line(&[(x, y), (a, b)], a, dash, INK, alpha);
        }
        picture.disc((x, y), a, INK, alpha);
        picture.polygon(&[(x, y), (a, b), (y, a)], INK, alpha);
        let font = Font::new(Family::Hand, px % 60);
        picture.text((x, y), anchor, &text, font, INK);
        picture.text_turned((a % 30, b % 30), anchor, &text, font, degrees, INK);
        prop_assert_eq!((picture.width(), picture.height()), (20, 10));
    }

    #[test]
    fn a_part_is_drawn_as_the_whole(x in -5_i32..80, y in -5_i32..50, degrees in 0_u16..91, r in 0_i32..200) {
        let whole = scribble(Picture::new(90, 60, PAPER), x, y, degrees, r);
        let part = Bounds::new(17, 9, 61, 44);
        let drawn = scribble(Picture::part(part, PAPER), x, y, degrees, r).into_image();
        let whole = whole.into_image();
        for (column, row, pixel) in drawn.enumerate_pixels() {
            prop_assert_eq!(pixel, whole.get_pixel(column + 17, row + 9));
        }
    }
}

fn scribble(mut picture: Picture, x: i32, y: i32, degrees: u16, r: i32) -> Picture {
    picture.rect(Bounds::sized(x, y, 12, 20), [200, 40, 40]);
    picture.outline(Bounds::sized(x + 20, y, 25, 20), 2, [0, 90, 0]);
    picture.disc((x * 8, y * 8), r, [30, 60, 200], 128);
    picture.line(&[(x * 8, y * 8), (300, r), (500, 90)], 20, Dash::Dashed, [90, 0, 90], 200);
    picture.line(&[(40, 300), (x * 8, y * 8), (r, 90), (400, 30)], 16, Dash::Solid, [120, 60, 0], 255);
    picture.polygon(&[(x * 8, 20), (r, y * 8), (600, 400)], [0, 120, 120], 255);
    let font = Font::new(Family::Sans, 13);
    picture.text_turned((x, y), Anchor::LEFT, "turned", font, degrees, INK);
    picture.text((x + 3, y + 7), Anchor::BASE_LEFT, "plain ±", font, INK);
    picture
}

/// Every file holds every letter it is asked for, and each but the blank has ink.
#[test]
fn every_letter_of_every_font_has_ink() {
    let said = "± – — × · † ‡ ↑ ↓ § µ α β Δ → ’ “ ”";
    assert!(drawable(said) && !drawable("漢") && !drawable("\n"));
    for family in Family::ALL {
        for font in [Font::new(family, 24), Font::new(family, 24).bold(), Font::new(family, 24).italic()] {
            for c in ('!'..='~').chain(said.chars().filter(|c| *c != ' ')) {
                let ink = box_of((0, 0), Anchor::BASE_LEFT, &c.to_string(), font);
                assert!(!ink.is_empty(), "{c:?} of {font:?}");
            }
            assert!(box_of((0, 0), Anchor::BASE_LEFT, "    ", font).is_empty());
        }
    }
}

#[test]
fn digits_keep_their_columns() {
    for family in [Family::Serif, Family::Sans, Family::Mono] {
        let widths = |font| ["1111.1", "0000.0", "4747.7"].map(|text| measure(text, font).0);
        for font in [Font::new(family, 14), Font::new(family, 14).bold()] {
            let [a, b, c] = widths(font);
            assert!(a == b && b == c, "{font:?}");
        }
    }
}

#[test]
fn shapes_cover_what_they_should() {
    let mut picture = Picture::new(8, 8, PAPER);
    // A line along a row of pixels covers them and no others, whichever way it is drawn.
    picture.line(&[(8, 12), (56, 12)], 8, Dash::Solid, INK, 255);
    picture.line(&[(60, 56), (60, 24)], 8, Dash::Solid, INK, 255);
    assert_eq!(ink(&picture), Bounds::new(1, 1, 8, 7));
    let image = picture.clone().into_image();
    assert!((1..7).all(|x| image.get_pixel(x, 1).0 == INK));
    assert!((3..7).all(|y| image.get_pixel(7, y).0 == INK));
    // Half a pixel is half covered; alpha counts once where a line crosses itself.
    let mut picture = Picture::new(8, 8, PAPER);
    picture.polygon(&[(0, 0), (4, 0), (4, 8), (0, 8)], INK, 255);
    picture.line(&[(16, 36), (60, 36), (60, 40), (16, 36)], 24, Dash::Solid, INK, 128);
    let image = picture.into_image();
    assert!(image.get_pixel(0, 0).0[0].abs_diff(128) <= 1);
    assert!(image.pixels().all(|pixel| pixel.0[0] >= 126));
}

/// Counts of discs' covered pixels come near to πr².
#[test]
fn discs_have_the_right_area() {
    for radius in [2, 5, 20, 40] {
        let mut picture = Picture::new(100, 100, PAPER);
        picture.disc((400, 400), radius * 8, INK, 255);
        let dark: u32 = picture.into_image().pixels().map(|pixel| 255 - u32::from(pixel.0[0])).sum();
        let (area, wanted) = (f64::from(dark) / 255.0, std::f64::consts::PI * f64::from(radius * radius));
        assert!((area / wanted - 1.0).abs() < 0.03, "radius {radius}: {area} instead of {wanted}");
    }
}

/// Golden pixels: letters of every font, turned ones, and shapes. They change with `VERSION` alone.
#[test]
fn bytes_are_those_of_every_machine() {
    let mut picture = Picture::new(420, 330, PAPER);
    for (row, family) in (0..).zip(Family::ALL) {
        let font = Font::new(family, 15);
        picture.text((5, row * 40 + 4), Anchor::TOP_LEFT, "BLEU-4 (%) 93.41 ± 0.2 † AVATo", font, INK);
        let font = font.sized(11).bold();
        picture.text(
            (415, row * 40 + 24),
            Anchor(Across::Right, Down::Top),
            "ΔF1 → “α” 0.123",
            font,
            [20, 40, 160],
        );
        let font = font.sized(13).italic();
        picture.text((5, row * 40 + 24), Anchor::TOP_LEFT, "quick brown fox", font, INK);
    }
    for (column, degrees) in (0..).zip([0, 30, 45, 60, 90]) {
        let at = (80 + column * 75, 215);
        picture.text_turned(at, Anchor::RIGHT, "December", Font::new(Family::Sans, 12), degrees, INK);
    }
    let picture = scribble(picture, 200, 280, 30, 150).into_image();
    assert_eq!(sha256_hex(&picture), "6d8843d6b2b25b8fa42c7eba3c3876643abdfda0f44c99fc46c3581884b1bd9c");
}
