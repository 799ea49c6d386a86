//! Pictures on the wire: made to fit, encoded, named by their bytes.
//!
//! Servers make large pictures smaller in ways of their own, which nobody can repeat. With a limit set here, it
//! happens before sending: both sides by one factor, rounded down, each new pixel the mean of the area that it
//! covers, in whole numbers, rounded half up. The hash of what was sent then stands in the trace. Answers stay in
//! pixels of the original, whose size the prompts say.

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use vrrl_harness_core::{encode_png, sha256_hex, Image, Observation};

/// How large a picture may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Longest side, pixels.
    pub max_side: Option<u32>,
    /// Area, pixels.
    pub max_pixels: Option<u64>,
}

impl Limits {
    /// The size at which a picture of `width` × `height` is sent.
    #[must_use]
    pub fn size(self, width: u32, height: u32) -> (u32, u32) {
        let mut size = (width, height);
        if let Some(side) = self.max_side.map(|side| side.max(1)) {
            let longest = u64::from(width.max(height));
            if longest > u64::from(side) {
                let scaled = |x: u32| (u64::from(x) * u64::from(side) / longest).max(1) as u32;
                size = (scaled(width), scaled(height));
            }
        }
        if let Some(pixels) = self.max_pixels.map(|pixels| pixels.max(1)) {
            // The longer side decides; walking down is exact where a square root is not.
            let (w, h) = (u64::from(size.0), u64::from(size.1));
            let longest = w.max(h);
            let fits = |side: u64| (w * side / longest).max(1) * (h * side / longest).max(1) <= pixels;
            let (mut low, mut high) = (1, longest);
            while low < high {
                let middle = (low + high).div_ceil(2);
                if fits(middle) {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
            size = ((w * low / longest).max(1) as u32, (h * low / longest).max(1) as u32);
        }
        size
    }
}

/// The picture at another size, not larger on any side: area means in whole numbers.
///
/// # Panics
/// If a side is 0 or larger than the picture's.
#[must_use]
pub fn fit(image: &Image, (width, height): (u32, u32)) -> Image {
    assert!(0 < width && width <= image.width() && 0 < height && height <= image.height());
    let columns = shares(image.width(), width);
    let rows = shares(image.height(), height);
    let total = u64::from(image.width()) * u64::from(image.height());
    Image::from_fn(width, height, |x, y| {
        let mut sums = [total / 2; 3];
        for &(row, tall) in &rows[y as usize] {
            for &(column, wide) in &columns[x as usize] {
                let pixel = image.get_pixel(column, row);
                (0..3).for_each(|c| sums[c] += u64::from(pixel.0[c]) * tall * wide);
            }
        }
        image::Rgb(sums.map(|sum| (sum / total) as u8))
    })
}

/// For each of `new` pixels of a line of `old`, which old ones it covers and how much of each; shares of one new
/// pixel sum to `old`.
fn shares(old: u32, new: u32) -> Vec<Vec<(u32, u64)>> {
    let (o, n) = (u64::from(old), u64::from(new));
    let covered = |x: u64| {
        let (from, to) = (x * o, (x + 1) * o);
        let share = |i: u64| ((i + 1) * n).min(to) - (i * n).max(from);
        (from / n..to.div_ceil(n)).map(|i| (i as u32, share(i))).collect()
    };
    (0..n).map(covered).collect()
}

/// A picture as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// `data:image/png;base64,…`.
    pub uri: String,
    /// SHA-256 of the PNG, where it is another than the one observed.
    pub other: Option<String>,
}

impl Sent {
    /// The picture of an observation, where there is one.
    ///
    /// # Panics
    /// If its PNG, which this program made, does not decode.
    pub(crate) fn of(observation: &Observation, limits: Limits) -> Option<Self> {
        let [width, height] = observation.size()?;
        let size = limits.size(width, height);
        let small = size != (width, height);
        let mut png = observation.png()?;
        if small {
            let pixels = match &observation.image {
                Some(image) => image.clone(),
                None => decode(&png).into(),
            };
            png = encode_png(&fit(&pixels, size)).into();
        }
        let mut uri = String::with_capacity(22 + png.len().div_ceil(3) * 4);
        uri.push_str("data:image/png;base64,");
        STANDARD.encode_string(&png, &mut uri);
        Some(Self { uri, other: small.then(|| sha256_hex(&png)) })
    }
}

fn decode(png: &[u8]) -> Image {
    let format = image::ImageFormat::Png;
    image::load_from_memory_with_format(png, format).expect("a PNG of our own decodes").to_rgb8()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_side: Option<u32>, max_pixels: Option<u64>) -> Limits {
        Limits { max_side, max_pixels }
    }

    #[test]
    fn sizes_keep_the_shape_and_the_limits() {
        assert_eq!(limits(None, None).size(1000, 500), (1000, 500));
        assert_eq!(limits(Some(500), None).size(1000, 301), (500, 150));
        assert_eq!(limits(Some(2000), Some(u64::MAX)).size(1000, 500), (1000, 500));
        assert_eq!(limits(Some(10), None).size(1000, 3), (10, 1));
        for (w, h) in [(1000, 500), (333, 777), (1, 5000), (64, 64)] {
            let (a, b) = limits(None, Some(10_000)).size(w, h);
            assert!(a >= 1 && b >= 1 && u64::from(a) * u64::from(b) <= 10_000, "{a} {b}");
            assert!(
                (f64::from(a) / f64::from(b) / (f64::from(w) / f64::from(h)) - 1.0).abs() < 0.1 || a == 1
            );
        }
    }

    #[test]
    fn pixels_are_area_means() {
        let image = Image::from_fn(4, 2, |x, y| image::Rgb([(x * 10 + y) as u8, 255, 0]));
        let small = fit(&image, (2, 1));
        // Columns 0 and 1 over rows 0 and 1: (0 + 10 + 1 + 11) / 4 = 5.5, rounded half up.
        assert_eq!(small.get_pixel(0, 0).0, [6, 255, 0]);
        assert_eq!(small.get_pixel(1, 0).0, [26, 255, 0]);
        assert_eq!(fit(&image, (4, 2)), image);
        // Three from four: the first covers one pixel and a third of the next: (0 × 3 + 10 × 1) / 4.
        let row = Image::from_fn(4, 1, |x, _| image::Rgb([(x * 10) as u8; 3]));
        let thirds: Vec<u8> = fit(&row, (3, 1)).pixels().map(|p| p.0[0]).collect();
        assert_eq!(thirds, [3, 15, 28]);
        let flat = Image::from_pixel(97, 31, image::Rgb([7, 8, 9]));
        assert!(fit(&flat, (13, 4)).pixels().all(|p| p.0 == [7, 8, 9]));
    }

    #[test]
    fn only_another_picture_has_another_hash() {
        let image = Image::from_fn(40, 20, |x, y| image::Rgb([x as u8, y as u8, 3]));
        let mut seen = Observation { image: Some(image.clone().into()), ..Observation::default() };
        let same = Sent::of(&seen, Limits::default()).unwrap();
        assert!(same.uri.starts_with("data:image/png;base64,iVBOR") && same.other.is_none());
        for _ in 0..2 {
            let small = Sent::of(&seen, limits(Some(10), None)).unwrap();
            assert_eq!(small.other, Some(sha256_hex(&encode_png(&fit(&image, (10, 5))))));
            seen.pack();
        }
        assert!(seen.image.is_none() && Sent::of(&seen, Limits::default()).unwrap().uri == same.uri);
    }
}
