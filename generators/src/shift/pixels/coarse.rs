//! Fewer pixels: the mean over each, shown as large pixels.

use vrrl_harness_core::Image;

/// Shrinks both sides to `keep` thousandths by exact area means, and enlarges again without smoothing.
pub(super) fn pixelate(image: &Image, keep: u32) -> Image {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let side = |length: usize| ((length * keep as usize + 500) / 1000).clamp(1, length);
    let small = shrink(image, side(width), side(height));
    let from = |x: usize, length: usize, few: usize| (2 * x + 1) * few / (2 * length);
    let mut large = image.clone();
    for (y, row) in large.chunks_exact_mut(width * 3).enumerate() {
        let source = from(y, height, side(height)) * side(width);
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let at = (source + from(x, width, side(width))) * 3;
            pixel.copy_from_slice(&small.as_raw()[at..at + 3]);
        }
    }
    large
}

/// Area means; `width` and `height` are at most the picture's.
pub(crate) fn shrink(image: &Image, width: usize, height: usize) -> Image {
    let (w, h) = (image.width() as usize, image.height() as usize);
    let pixels: &[u8] = image;
    // Rows first, with eight more bits kept between the passes.
    let mut between = vec![0u32; width * h * 3];
    for (x, parts) in shares(w, width).into_iter().enumerate() {
        for y in 0..h {
            for channel in 0..3 {
                let value =
                    |&(from, share): &(usize, u64)| share * u64::from(pixels[(y * w + from) * 3 + channel]);
                let sum: u64 = parts.iter().map(value).sum();
                between[(y * width + x) * 3 + channel] = ((sum * 256 + w as u64 / 2) / w as u64) as u32;
            }
        }
    }
    let mut small = Image::new(width as u32, height as u32);
    let stride = width * 3;
    for (row, parts) in small.chunks_exact_mut(stride).zip(shares(h, height)) {
        for (x, out) in row.iter_mut().enumerate() {
            let value = |&(from, share): &(usize, u64)| share * u64::from(between[from * stride + x]);
            let sum: u64 = parts.iter().map(value).sum();
            *out = ((sum + 128 * h as u64) / (256 * h as u64)) as u8;
        }
    }
    small
}

/// For each of `few` cells on a line of `many`: the pixels under it and their shares; they sum to `many`.
fn shares(many: usize, few: usize) -> Vec<Vec<(usize, u64)>> {
    let cell = |i: usize| {
        let (start, end) = (i * many, (i + 1) * many);
        let pixels = start / few..end.div_ceil(few);
        pixels.map(|p| (p, (end.min((p + 1) * few) - start.max(p * few)) as u64)).collect()
    };
    (0..few).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_exact() {
        let image = Image::from_raw(3, 1, [30, 60, 90].iter().flat_map(|&v| [v; 3]).collect()).unwrap();
        // The middle pixel counts half on either side: (30 + 60/2)/1.5 and (60/2 + 90)/1.5.
        assert_eq!(shrink(&image, 2, 1).into_raw(), [40, 40, 40, 80, 80, 80]);
        assert_eq!(shrink(&image, 3, 1), image);
        assert_eq!(pixelate(&image, 1000), image);
        assert_eq!(pixelate(&image, 10).into_raw(), [60; 9]);
    }
}
