//! Pictures as PNG bytes.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::Image;

/// Encodes a picture as PNG, losslessly, fast, and with equal bytes for equal pictures.
#[must_use]
pub fn encode_png(image: &Image) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Pictures here are flat areas: the row above predicts most of a row, and costs next to nothing to try.
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Up)
        .write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8)
        .expect("an RGB picture with at least one pixel always encodes into memory");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_survive_and_bytes_repeat() {
        let picture = Image::from_fn(70, 33, |x, y| image::Rgb([x as u8, (y * 7) as u8, (x / 9 * 40) as u8]));
        let bytes = encode_png(&picture);
        assert_eq!(bytes, encode_png(&picture));
        let format = image::ImageFormat::Png;
        assert_eq!(image::load_from_memory_with_format(&bytes, format).unwrap().to_rgb8(), picture);
        let flat = encode_png(&Image::from_pixel(448, 448, image::Rgb([9, 9, 9])));
        assert!(flat.len() < 20_000, "{} bytes", flat.len());
    }
}
