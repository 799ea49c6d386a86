//! Blur: convolution with integer weights that sum to 2¹⁶; beyond the border the outermost pixels go on.

use vrrl_harness_core::{Image, Rng};

use super::fixed::{divide, exp_neg, sin_cos};

const WHOLE: i64 = 1 << 16;

/// Separable blur with a standard deviation in hundredths of a pixel, cut at four of them.
pub(super) fn gaussian(image: &Image, sigma: u32) -> Image {
    let radius = (4 * sigma).div_ceil(100) as usize;
    let square = u64::from(sigma) * u64::from(sigma);
    // exp(−d²/2σ²) with σ in hundredths.
    let raw: Vec<i64> = (0..=radius).map(|d| exp_neg((d * d) as u64 * 10_000, 2 * square) as i64).collect();
    let total = raw[0] + 2 * raw[1..].iter().sum::<i64>();
    let mut half: Vec<u32> = raw.iter().map(|&w| divide(w * WHOLE, total) as u32).collect();
    half[0] = WHOLE as u32 - 2 * half[1..].iter().sum::<u32>();
    let (width, height) = (image.width() as usize, image.height() as usize);
    // Rows first, with eight more bits kept between the passes.
    let mut between = vec![0u16; image.len()];
    let mut line = Vec::new();
    for (row, out) in image.chunks_exact(width * 3).zip(between.chunks_exact_mut(width * 3)) {
        line.clear();
        line.extend((0..radius).flat_map(|_| &row[..3]).copied().map(u32::from));
        line.extend(row.iter().copied().map(u32::from));
        line.extend((0..radius).flat_map(|_| &row[width * 3 - 3..]).copied().map(u32::from));
        for (i, out) in out.iter_mut().enumerate() {
            let centre = i + 3 * radius;
            let sides = half.iter().enumerate().skip(1);
            let sum = sides.fold(half[0] * line[centre], |sum, (d, &w)| {
                sum + w * (line[centre - 3 * d] + line[centre + 3 * d])
            });
            *out = ((sum + 128) >> 8) as u16;
        }
    }
    let mut blurred = image.clone();
    let mut sums = vec![0u32; width * 3];
    for (y, out) in blurred.chunks_exact_mut(width * 3).enumerate() {
        sums.fill(1 << 23);
        for d in -(radius as isize)..=radius as isize {
            let weight = half[d.unsigned_abs()];
            let from = y.saturating_add_signed(d).min(height - 1) * width * 3;
            for (sum, &value) in sums.iter_mut().zip(&between[from..from + width * 3]) {
                *sum += weight * u32::from(value);
            }
        }
        for (out, &sum) in out.iter_mut().zip(&sums) {
            *out = (sum >> 24) as u8;
        }
    }
    blurred
}

/// Blur by a disc with a radius in hundredths of a pixel; its rim counts by the share of 8×8 points inside.
pub(super) fn defocus(image: &Image, radius: u32) -> Image {
    let reach = ((radius + 50) / 100) as i32 + 1;
    let inside = |x: i32, y: i32| {
        let points = (0..64).map(|i| (i % 8 * 2 - 7, i / 8 * 2 - 7));
        // Coordinates in sixteenths of a pixel; the radius in hundredths.
        points
            .filter(|(dx, dy)| {
                let (dx, dy) = (i64::from(x * 16 + dx), i64::from(y * 16 + dy));
                (dx * dx + dy * dy) * 10_000 <= i64::from(radius) * i64::from(radius) * 256
            })
            .count() as i64
    };
    let cells = (-reach..=reach).flat_map(|y| (-reach..=reach).map(move |x| (x, y)));
    convolve(image, cells.map(|(x, y)| (x, y, inside(x, y))).collect())
}

/// Blur along a line of `length` hundredths of a pixel, 45° or less from the horizontal.
pub(super) fn motion(image: &Image, length: u32, rng: &mut Rng) -> Image {
    let (sine, cosine) = sin_cos(rng.between(0, 900) as i32 - 450);
    // Points every 32nd of a pixel, in 1/256 px, each shared among the four pixels around it.
    let steps = i64::from(length) * 32 / 100 / 2;
    let mut cells = Vec::new();
    for step in -steps..=steps {
        let place = |unit: i64| ((unit * step) >> 37) as i32;
        let (x, y) = (place(cosine), place(sine));
        let (fx, fy) = (i64::from(x & 255), i64::from(y & 255));
        for (dx, wx) in [(0, 256 - fx), (1, fx)] {
            for (dy, wy) in [(0, 256 - fy), (1, fy)] {
                cells.push(((x >> 8) + dx, (y >> 8) + dy, wx * wy));
            }
        }
    }
    convolve(image, cells)
}

/// Convolution with weighted offsets (x, y, weight), scaled to sum to 2¹⁶; offsets may repeat.
fn convolve(image: &Image, mut cells: Vec<(i32, i32, i64)>) -> Image {
    cells.sort_unstable();
    cells.dedup_by(|next, kept| {
        let same = (next.0, next.1) == (kept.0, kept.1);
        if same {
            kept.2 += next.2;
        }
        same
    });
    cells.retain(|cell| cell.2 > 0);
    let total: i64 = cells.iter().map(|cell| cell.2).sum();
    cells.iter_mut().for_each(|cell| cell.2 = divide(cell.2 * WHOLE, total));
    // The rounding goes to the heaviest, so that an even picture stays as it is.
    let rest = WHOLE - cells.iter().map(|cell| cell.2).sum::<i64>();
    if let Some(heaviest) = cells.iter_mut().max_by_key(|cell| (cell.2, -cell.0.abs() - cell.1.abs())) {
        heaviest.2 += rest;
    }
    let (width, height) = (image.width() as usize, image.height() as usize);
    let reach = cells.iter().map(|cell| cell.0.unsigned_abs() as usize).max().unwrap_or(0);
    // Rows with their ends repeated.
    let stride = (width + 2 * reach) * 3;
    let mut wide: Vec<u8> = Vec::with_capacity(stride * height);
    for row in image.chunks_exact(width * 3) {
        wide.extend((0..reach).flat_map(|_| &row[..3]));
        wide.extend(row);
        wide.extend((0..reach).flat_map(|_| &row[width * 3 - 3..]));
    }
    let mut blurred = image.clone();
    let mut sums = vec![0u32; width * 3];
    for (y, out) in blurred.chunks_exact_mut(width * 3).enumerate() {
        sums.fill(1 << 15);
        for &(dx, dy, weight) in &cells {
            let row = y.saturating_add_signed(dy as isize).min(height - 1);
            let from = row * stride + reach.saturating_add_signed(dx as isize) * 3;
            for (sum, &value) in sums.iter_mut().zip(&wide[from..from + width * 3]) {
                *sum += weight as u32 * u32::from(value);
            }
        }
        for (out, &sum) in out.iter_mut().zip(&sums) {
            *out = (sum >> 16) as u8;
        }
    }
    blurred
}

#[cfg(test)]
mod tests {
    use vrrl_harness_core::Seed;

    use super::*;

    fn dot() -> Image {
        let mut image = Image::new(61, 61);
        image.put_pixel(30, 30, image::Rgb([255, 128, 0]));
        image
    }

    #[test]
    fn an_even_picture_stays() {
        for value in [0, 1, 127, 254, 255] {
            let even = Image::from_pixel(40, 23, image::Rgb([value; 3]));
            for sigma in [10, 50, 123, 600, 2000] {
                assert_eq!(gaussian(&even, sigma), even, "sigma {sigma}");
            }
            for radius in [10, 60, 300, 1000] {
                assert_eq!(defocus(&even, radius), even, "radius {radius}");
                assert_eq!(motion(&even, radius, &mut Seed(1).rng()), even, "length {radius}");
            }
        }
    }

    #[test]
    fn a_gaussian_has_its_width() {
        // A line has one-dimensional spread; its second moment is σ².
        let mut line = Image::new(61, 9);
        (0..9).for_each(|y| line.put_pixel(30, y, image::Rgb([255; 3])));
        let blurred = gaussian(&line, 400);
        let values = (0..61).map(|x| (f64::from(x) - 30.0, f64::from(blurred.get_pixel(x, 4).0[0])));
        let (sum, square) =
            values.fold((0.0, 0.0), |(sum, square), (x, value)| (sum + value, square + x * x * value));
        assert!((square / sum - 16.0).abs() < 1.0, "{}", square / sum);
    }

    #[test]
    fn kernels_are_centred() {
        for blurred in [gaussian(&dot(), 200), defocus(&dot(), 450)] {
            for (x, y, pixel) in blurred.enumerate_pixels() {
                assert_eq!(pixel, blurred.get_pixel(60 - x, y));
                assert_eq!(pixel, blurred.get_pixel(y, x));
            }
        }
        assert_eq!(defocus(&dot(), 450).pixels().filter(|p| p.0[0] > 0).count(), 69);
    }

    #[test]
    fn motion_has_a_length() {
        let spread = |length| {
            let blurred = motion(&dot(), length, &mut Seed(4).rng());
            let hit: Vec<u32> = blurred.enumerate_pixels().filter(|p| p.2 .0[0] > 0).map(|p| p.0).collect();
            hit.iter().max().unwrap() - hit.iter().min().unwrap()
        };
        assert!(spread(400) >= 2 && spread(2000) > spread(400), "{} {}", spread(400), spread(2000));
    }
}
