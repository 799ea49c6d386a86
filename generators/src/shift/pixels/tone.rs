//! Contrast and brightness.

use vrrl_harness_core::Image;

use super::fixed::divide;

/// Moves every channel to its mean over the picture; `keep` thousandths of the difference are left.
pub(super) fn contrast(image: &mut Image, keep: u32) {
    let count = (image.len() / 3) as i64;
    let keep = i64::from(keep);
    let tables: [Vec<u8>; 3] = std::array::from_fn(|channel| {
        let sum: i64 = image.iter().skip(channel).step_by(3).map(|&value| i64::from(value)).sum();
        let moved =
            |value: i64| divide(sum * (1000 - keep) + value * count * keep, 1000 * count.max(1)) as u8;
        (0..256).map(moved).collect()
    });
    for pixel in image.chunks_exact_mut(3) {
        for (channel, table) in pixel.iter_mut().zip(&tables) {
            *channel = table[usize::from(*channel)];
        }
    }
}

/// Raises the value (the largest channel) by `add` thousandths of full scale; hue and saturation stay.
pub(super) fn brightness(image: &mut Image, add: u32) {
    let add = divide(i64::from(add) * 255, 1000);
    for pixel in image.chunks_exact_mut(3) {
        let value = i64::from(*pixel.iter().max().expect("three channels"));
        let raised = (value + add).min(255);
        for channel in pixel {
            *channel = if value == 0 { raised } else { divide(i64::from(*channel) * raised, value) } as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_keeps_the_mean_and_shrinks_the_rest() {
        let mut image = Image::from_raw(2, 1, vec![0, 10, 200, 100, 10, 100]).unwrap();
        contrast(&mut image, 500);
        assert_eq!(image.into_raw(), [25, 10, 175, 75, 10, 125]);
    }

    #[test]
    fn brightness_raises_the_value() {
        let mut image = Image::from_raw(4, 1, vec![0, 0, 0, 100, 50, 0, 255, 128, 0, 250, 250, 250]).unwrap();
        brightness(&mut image, 200);
        assert_eq!(image.into_raw(), [51, 51, 51, 151, 76, 0, 255, 128, 0, 255, 255, 255]);
    }
}
