//! Laws of points: the oracle is right, mistakes are wrong, feedback says where the point is and never panics.

use proptest::prelude::*;
use vrrl_harness_core::{Answer, Feedback, Image, RegionTruth, Seed};

use super::*;

const SIZE: [u32; 2] = [640, 360];

fn regions() -> impl Strategy<Value = RegionTruth> {
    let bounds =
        (0_i32..600, 0_i32..330, 1_i32..40, 1_i32..30).prop_map(|(x, y, w, h)| Bounds::sized(x, y, w, h));
    (bounds, 0_u32..60, any::<bool>())
        .prop_map(|(b, tolerance, hit)| if hit { inside(b, SIZE) } else { near(b, tolerance, SIZE) })
}

fn blank() -> Image {
    crate::canvas::Picture::new(SIZE[0], SIZE[1], [255; 3]).into_image()
}

/// Pixels that the marker coloured, as a box.
fn red(image: &Image) -> Bounds {
    let marked = image.enumerate_pixels().filter(|(_, _, pixel)| pixel.0 != [255; 3]);
    marked.fold(Bounds::default(), |all, (x, y, _)| all.union(&Bounds::sized(x as i32, y as i32, 1, 1)))
}

fn number() -> impl Strategy<Value = f64> {
    let odd =
        vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, -0.0, 0.5, 639.999, 640.0, 359.5];
    prop_oneof![prop::sample::select(odd), any::<f64>(), -50.0..700.0]
}

proptest! {
    #[test]
    fn right_is_right_and_wrong_is_wrong(region in regions(), seed in any::<u64>()) {
        region.check().unwrap();
        prop_assert!(judge(&region, &oracle(&region)).correct());
        let others: Vec<Bounds> = (0..6).map(|i| Bounds::sized(i * 100, i * 50, 40, 20)).collect();
        let mut rng = Seed(seed).rng();
        for others in [&others[..], &[]] {
            prop_assert!(!judge(&region, &mistake(&region, others, &mut rng)).correct());
        }
        prop_assert!(outside(SIZE, point(&guess(&region, &mut rng))).is_none());
        prop_assert!(!judge(&region, &Answer::Moves(vec![])).correct());
    }

    #[test]
    fn any_point_gets_feedback(x in number(), y in number()) {
        let inside = (0.0..640.0).contains(&x) && (0.0..360.0).contains(&y);
        match crop(&blank(), [x, y]) {
            Feedback::Image(image) => {
                prop_assert!(inside);
                prop_assert!((100..=200).contains(&image.width()) && (100..=200).contains(&image.height()));
                prop_assert!(!red(&image).is_empty());
            }
            Feedback::Text(words) => {
                prop_assert!(!inside);
                prop_assert_eq!(words.contains("x = "), !(0.0..640.0).contains(&x));
                prop_assert_eq!(words.contains("y = "), !(0.0..360.0).contains(&y));
            }
        }
        prop_assert_eq!(matches!(whole(blank(), [x, y]), Feedback::Image(_)), inside);
        for canvas in [Canvas::shrunk(&blank(), [255; 3]), Canvas::drawn(Image::new(64, 64), 256)] {
            prop_assert_eq!(matches!(canvas.feedback(SIZE, [x, y]), Feedback::Image(_)), inside);
        }
    }
}

#[test]
fn the_marker_is_where_the_point_is() {
    let Feedback::Image(image) = whole(blank(), [300.0, 200.0]) else { panic!("inside") };
    assert_eq!(red(&image), Bounds::new(295, 195, 306, 206));
    // Half transparent: white turns to light red.
    let middle = image.get_pixel(300, 200).0;
    assert!(middle[0] == 255 && middle[1].abs_diff(127) <= 1 && middle[2] == middle[1], "{middle:?}");
    for (point, size, marked) in [
        ([300.0, 200.0], (200, 200), Bounds::new(95, 95, 106, 106)),
        ([0.0, 0.0], (100, 100), Bounds::new(0, 0, 6, 6)),
        ([639.0, 359.0], (101, 101), Bounds::new(95, 95, 101, 101)),
        ([50.0, 200.0], (150, 200), Bounds::new(45, 95, 56, 106)),
    ] {
        let Feedback::Image(image) = crop(&blank(), point) else { panic!("inside") };
        assert_eq!((image.dimensions(), red(&image)), (size, marked), "{point:?}");
    }
}

#[test]
fn a_crop_shows_the_picture_around() {
    let mut picture = crate::canvas::Picture::new(640, 360, [255; 3]);
    picture.rect(Bounds::new(250, 150, 260, 160), [0, 0, 255]);
    let Feedback::Image(image) = crop(&picture.into_image(), [300.0, 200.0]) else { panic!("inside") };
    assert_eq!((image.get_pixel(50, 50).0, image.get_pixel(49, 50).0), ([0, 0, 255], [255; 3]));
}

#[test]
fn words_name_the_coordinate() {
    assert_eq!(outside([10, 20], [9.9, 19.0]), None);
    assert_eq!(
        outside([10, 20], [10.0, 3.0]).unwrap(),
        "x = 10 is outside the image, whose x goes from 0 to 9."
    );
    assert!(outside([10, 20], [f64::NAN, 1e300]).unwrap().contains("y = 1e300 is outside"));
}

#[test]
fn a_canvas_keeps_the_aspect_and_the_place() {
    let mut picture = crate::canvas::Picture::new(640, 320, [255; 3]);
    picture.rect(Bounds::new(320, 160, 330, 170), [0; 3]);
    let canvas = Canvas::shrunk(&picture.into_image(), [9; 3]);
    assert_eq!(canvas.image.dimensions(), (64, 64));
    assert_eq!((canvas.image.get_pixel(5, 15).0, canvas.image.get_pixel(5, 16).0), ([9; 3], [255; 3]));
    assert_eq!(canvas.image.get_pixel(32, 32).0, [0; 3]);
    let Feedback::Image(marked) = canvas.feedback([640, 320], [325.0, 165.0]) else { panic!("inside") };
    assert!(marked.get_pixel(32, 32).0[0] > 100);
    // A drawn canvas stands for a picture four times as large.
    let white = crate::canvas::Picture::new(64, 64, [255; 3]).into_image();
    let Feedback::Image(marked) = Canvas::drawn(white, 256).feedback([256, 256], [130.0, 40.0]) else {
        panic!("inside")
    };
    let (x, y) = red(&marked).centre();
    assert_eq!((x, y), (32, 10));
}
