//! The loss of a baseline JPEG, without its file: colour transform, 4:2:0, cosine transform, quantisation and
//! back. What a JPEG file adds to this is lossless, so it is left out; with integers only, every machine gets
//! the same bytes, which a library with another cosine transform for each processor does not promise.
//!
//! Tables and quality scale are those of ITU-T T.81 annex K and of the IJG library; colours are upsampled with
//! the weights 9, 3, 3, 1 that its decoder uses. Compared once with libjpeg-turbo on a maze, qualities 7 to 25: the
//! same loss to 0.25 dB, mean difference below one level.

use vrrl_harness_core::Image;

/// Annex K.1, brightness and colour, row by row.
const BRIGHT: [i32; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17,
    22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78,
    87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
const COLOUR: [i32; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/// cos(kπ/16)/2 in units of 2⁻¹⁶, k = 0 to 7; the first is divided by √2 as the transform wants it.
const COSINES: [i32; 8] = [23170, 32138, 30274, 27246, 23170, 18205, 12540, 6393];

/// Row u, column x of the transform: half the cosine of (2x + 1)uπ/16.
fn basis(u: usize, x: usize) -> i32 {
    let (turn, sign) = match (2 * x + 1) * u % 32 {
        angle @ 0..=8 => (angle, 1),
        angle @ 9..=16 => (16 - angle, -1),
        angle @ 17..=24 => (angle - 16, -1),
        angle => (32 - angle, 1),
    };
    match (u, turn) {
        (0, _) => COSINES[0],
        (_, 8) => 0,
        (_, 0) => sign * 32768,
        _ => sign * COSINES[turn],
    }
}

struct Codec {
    basis: [[i32; 8]; 8],
}

impl Codec {
    fn new() -> Self {
        Self { basis: std::array::from_fn(|u| std::array::from_fn(|x| basis(u, x))) }
    }

    /// To frequencies, coarsely, and back; `block` is centred at 0.
    fn lose(&self, block: &mut [i32; 64], table: &[i32; 64]) {
        // Three more bits between the passes.
        let rows = product(block, |i, j| self.basis[j][i], 13);
        let columns = product(&transposed(&rows), |i, j| self.basis[j][i], 19);
        // `columns` is transposed: entry [u][v] stands for column u, row v.
        let mut spectrum = transposed(&columns);
        for (value, &step) in spectrum.iter_mut().zip(table) {
            let half = step / 2;
            *value = if *value < 0 { -((half - *value) / step) } else { (*value + half) / step } * step;
        }
        let rows = product(&spectrum, |i, j| self.basis[i][j], 13);
        let columns = product(&transposed(&rows), |i, j| self.basis[i][j], 19);
        *block = transposed(&columns);
    }
}

/// Each row times a matrix, shifted down with rounding.
fn product(block: &[i32; 64], matrix: impl Fn(usize, usize) -> i32, shift: u32) -> [i32; 64] {
    let mut out = [0; 64];
    for (row, out) in block.chunks_exact(8).zip(out.chunks_exact_mut(8)) {
        for (j, out) in out.iter_mut().enumerate() {
            let sum: i64 = row.iter().enumerate().map(|(i, &v)| i64::from(v) * i64::from(matrix(i, j))).sum();
            *out = ((sum + (1 << (shift - 1))) >> shift) as i32;
        }
    }
    out
}

fn transposed(block: &[i32; 64]) -> [i32; 64] {
    std::array::from_fn(|i| block[i % 8 * 8 + i / 8])
}

/// One channel, its sides multiples of eight.
struct Plane {
    width: usize,
    height: usize,
    values: Vec<i32>,
}

impl Plane {
    fn of(width: usize, height: usize, value: impl Fn(usize, usize) -> i32) -> Self {
        let values = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| value(x, y));
        Self { width, height, values: values.collect() }
    }

    fn lose(&mut self, codec: &Codec, table: &[i32; 64]) {
        for top in (0..self.height).step_by(8) {
            for left in (0..self.width).step_by(8) {
                let at = |i: usize| (top + i / 8) * self.width + left + i % 8;
                let mut block: [i32; 64] = std::array::from_fn(|i| self.values[at(i)] - 128);
                codec.lose(&mut block, table);
                for (i, value) in block.into_iter().enumerate() {
                    self.values[at(i)] = (value + 128).clamp(0, 255);
                }
            }
        }
    }

    /// The plane at twice its size: three parts of the nearest value and one of the next, each way.
    fn doubled(&self, x: usize, y: usize) -> i32 {
        let near = |x: usize, most: usize| {
            let other =
                if x.is_multiple_of(2) { (x / 2).saturating_sub(1) } else { (x / 2 + 1).min(most - 1) };
            (x / 2, other)
        };
        let ((x, other_x), (y, other_y)) = (near(x, self.width), near(y, self.height));
        let value = |x: usize, y: usize| self.values[y * self.width + x];
        (9 * value(x, y) + 3 * value(other_x, y) + 3 * value(x, other_y) + value(other_x, other_y) + 8) >> 4
    }
}

/// What a JPEG of this quality (IJG scale, 1 to 100) leaves of the picture.
pub(super) fn jpeg(image: &mut Image, quality: u32) {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (wide, high) = (width.next_multiple_of(16), height.next_multiple_of(16));
    let codec = Codec::new();
    let scale = if quality < 50 { 5000 / quality.max(1) } else { 200 - 2 * quality.min(100) } as i32;
    let scaled = |table: &[i32; 64]| table.map(|step| ((step * scale + 50) / 100).clamp(1, 255));
    // Beyond the border the outermost pixels go on.
    let pixels: &[u8] = image;
    let pixel = |x: usize, y: usize| {
        let at = (y.min(height - 1) * width + x.min(width - 1)) * 3;
        [0, 1, 2].map(|channel| i32::from(pixels[at + channel]))
    };
    // The JFIF colour transform in units of 2⁻¹⁶.
    let mix = |[r, g, b]: [i32; 3], [kr, kg, kb]: [i32; 3]| (kr * r + kg * g + kb * b + 32768) >> 16;
    let mut luma = Plane::of(wide, high, |x, y| mix(pixel(x, y), [19595, 38470, 7471]));
    let chroma = |weights: [i32; 3]| {
        Plane::of(wide / 2, high / 2, |x, y| {
            let four =
                [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| mix(pixel(2 * x + dx, 2 * y + dy), weights));
            128 + ((four.iter().sum::<i32>() + 2) >> 2)
        })
    };
    let (mut blue, mut red) = (chroma([-11059, -21709, 32768]), chroma([32768, -27439, -5329]));
    luma.lose(&codec, &scaled(&BRIGHT));
    blue.lose(&codec, &scaled(&COLOUR));
    red.lose(&codec, &scaled(&COLOUR));
    for (y, row) in image.chunks_exact_mut(width * 3).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let (l, b, r) = (luma.values[y * wide + x], blue.doubled(x, y) - 128, red.doubled(x, y) - 128);
            let lit = |part: i32| (l + ((part + 32768) >> 16)).clamp(0, 255) as u8;
            pixel.copy_from_slice(&[lit(91881 * r), lit(-22554 * b - 46802 * r), lit(116_130 * b)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use vrrl_harness_core::Seed;

    use super::*;

    #[test]
    fn the_transform_is_a_rotation() {
        // Rows of the basis have length 1 and stand at right angles.
        for u in 0..8 {
            for v in 0..8 {
                let dot: i64 = (0..8).map(|x| i64::from(basis(u, x)) * i64::from(basis(v, x))).sum();
                let expected = if u == v { 1i64 << 32 } else { 0 };
                assert!((dot - expected).abs() < 1 << 19, "{u} {v}: {dot}");
            }
        }
    }

    #[test]
    fn steps_of_one_lose_next_to_nothing() {
        let mut rng = Seed(1).rng();
        let codec = Codec::new();
        for _ in 0..50 {
            let block: [i32; 64] = std::array::from_fn(|_| rng.below(256) as i32 - 128);
            let mut lost = block;
            codec.lose(&mut lost, &[1; 64]);
            assert!(block.iter().zip(lost).all(|(a, b)| (a - b).abs() <= 2));
        }
    }

    #[test]
    fn grey_stays_grey_and_worse_is_worse() {
        let mut rng = Seed(2).rng();
        let mut picture = Image::from_pixel(50, 37, image::Rgb([255; 3]));
        for _ in 0..40 {
            picture.put_pixel(rng.below(50), rng.below(37), image::Rgb([0; 3]));
        }
        let error = |quality| {
            let mut lost = picture.clone();
            jpeg(&mut lost, quality);
            assert!(lost.pixels().all(|p| p.0[0] == p.0[1] && p.0[1] == p.0[2]));
            picture.iter().zip(lost.iter()).map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum::<u64>()
        };
        let errors = [100, 80, 50, 25, 10, 5].map(error);
        assert!(errors.windows(2).all(|pair| pair[0] < pair[1]), "{errors:?}");
    }
}
