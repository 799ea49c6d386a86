//! Pixels to patches.

use vrrl_harness_core::Image;

/// The image as `[side², patch²·3]` numbers, patches row-major, pixels row-major within a patch, RGB: pixels in
/// [-1, 1] less `paper`, the number of a pixel that says nothing. An image of another size is cropped, or padded with
/// 0.
#[must_use]
pub fn patches(image: &Image, side: usize, patch: usize, paper: f32) -> Vec<f32> {
    let middle = 1.0 + paper;
    let mut out = Vec::with_capacity(side * side * patch * patch * 3);
    let width = image.width() as usize;
    let (raw, line) = (image.as_raw(), 3 * width);
    for row in 0..side {
        for column in 0..side {
            for y in row * patch..(row + 1) * patch {
                let x = column * patch;
                if y < image.height() as usize && x + patch <= width {
                    let pixels = &raw[y * line + 3 * x..][..3 * patch];
                    out.extend(pixels.iter().map(|&p| f32::from(p) / 127.5 - middle));
                } else {
                    out.extend(std::iter::repeat_n(0.0, 3 * patch));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_holds_its_own_pixels() {
        let image = Image::from_fn(4, 4, |x, y| image::Rgb([x as u8, y as u8, 255]));
        let numbers = patches(&image, 2, 2, 0.0);
        assert_eq!(numbers.len(), 4 * 12);
        let last: Vec<f32> =
            [2, 2, 255, 3, 2, 255, 2, 3, 255, 3, 3, 255].map(|p| p as f32 / 127.5 - 1.0).to_vec();
        assert_eq!(numbers[36..], last[..]);
    }

    #[test]
    fn a_small_image_is_padded() {
        let image = Image::from_pixel(2, 2, image::Rgb([255; 3]));
        let numbers = patches(&image, 2, 2, 0.0);
        assert!(numbers[..12].iter().all(|&x| x > 0.9) && numbers[12..].iter().all(|&x| x.abs() < 0.1));
        assert!(patches(&image, 2, 2, 1.0).iter().all(|x| x.abs() < 1e-6), "paper is nothing");
    }
}
