//! Noise of the sensor. Every channel takes its own draw, and the same draw at every strength, so that a
//! stronger noise is the weaker one turned up.

use vrrl_harness_core::{Image, Rng};

use super::fixed::divide;

/// Adds a normal variate of `sigma` thousandths of full scale: eight uniform bytes summed, whose standard
/// deviation is √(8·(2¹⁶−1)/12) = 209.02; they reach 4.9 standard deviations.
pub(super) fn gaussian(image: &mut Image, sigma: u32, rng: &mut Rng) {
    const MEAN: i64 = 8 * 255 / 2;
    let step = |sum: i64| divide((sum - MEAN) * i64::from(sigma) * 255, 209_023) as i32;
    let added: Vec<i32> = (0..=8 * 255).map(step).collect();
    for channel in image.iter_mut() {
        let sum: usize = rng.next_u64().to_le_bytes().into_iter().map(usize::from).sum();
        *channel = (i32::from(*channel) + added[sum]).clamp(0, 255) as u8;
    }
}

/// Replaces a channel of value v by n/photons of full scale, n drawn from the Poisson distribution with mean
/// photons·v/255.
pub(super) fn shot(image: &mut Image, photons: u32, rng: &mut Rng) {
    let mut tables: Vec<Option<Counts>> = (0..256).map(|_| None).collect();
    for channel in image.iter_mut() {
        let table = tables[usize::from(*channel)].get_or_insert_with(|| Counts::of(*channel, photons));
        let count = table.draw(rng.next_u32());
        *channel = divide(i64::from(count) * 255, i64::from(photons)).min(255) as u8;
    }
}

/// A Poisson distribution by its cumulative probabilities in units of 2⁻³².
struct Counts {
    first: u32,
    up_to: Vec<u64>,
}

impl Counts {
    /// Mean `value`·`photons`/255. Weights start at the mode with 2⁴⁰ and follow from their neighbours,
    /// p(k+1)/p(k) = mean/(k+1), so that no exponential is needed.
    fn of(value: u8, photons: u32) -> Self {
        let mean = u64::from(value) * u64::from(photons);
        let mode = mean / 255;
        let mut weights = std::collections::VecDeque::from([1u64 << 40]);
        let mut low = mode;
        while low > 0 {
            let weight = weights[0] * (255 * low) / mean;
            if weight == 0 {
                break;
            }
            weights.push_front(weight);
            low -= 1;
        }
        let mut high = mode;
        loop {
            let weight = weights[weights.len() - 1] * mean / (255 * (high + 1));
            if weight == 0 {
                break;
            }
            weights.push_back(weight);
            high += 1;
        }
        let total: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
        let mut sum = 0;
        let up_to = weights.into_iter().map(|weight| {
            sum += u128::from(weight);
            ((sum << 32) / total) as u64
        });
        Self { first: low as u32, up_to: up_to.collect() }
    }

    fn draw(&self, ticket: u32) -> u32 {
        self.first + self.up_to.partition_point(|&sum| sum <= u64::from(ticket)) as u32
    }
}

/// Sets `share` thousandths of the channels to 0 or 255.
pub(super) fn impulse(image: &mut Image, share: u32, rng: &mut Rng) {
    let hit = (u64::from(share) << 32) / 1000;
    for channel in image.iter_mut() {
        let ticket = rng.next_u32();
        if u64::from(ticket) < hit {
            *channel = if ticket & 1 == 0 { 0 } else { 255 };
        }
    }
}

#[cfg(test)]
mod tests {
    use vrrl_harness_core::Seed;

    use super::*;

    fn moments(image: &Image) -> (f64, f64) {
        let n = image.len() as f64;
        let mean = image.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = image.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt())
    }

    fn grey(value: u8) -> Image {
        Image::from_pixel(200, 200, image::Rgb([value; 3]))
    }

    #[test]
    fn gaussian_noise_has_its_sigma() {
        let mut image = grey(128);
        gaussian(&mut image, 80, &mut Seed(1).rng());
        let (mean, sigma) = moments(&image);
        assert!((mean - 128.0).abs() < 0.3 && (sigma - 20.4).abs() < 0.3, "{mean} {sigma}");
    }

    #[test]
    fn shot_noise_is_poisson() {
        for (value, photons) in [(200, 60), (100, 25), (30, 5), (255, 300)] {
            let mut image = grey(value);
            // Twice as much room as the value needs: a count above full scale would be cut.
            let photons_at_half = photons * 2;
            image.iter_mut().for_each(|v| *v /= 2);
            shot(&mut image, photons_at_half, &mut Seed(2).rng());
            let (mean, sigma) = moments(&image);
            let value = f64::from(value / 2);
            let expected =
                (value / 255.0 * f64::from(photons_at_half)).sqrt() / f64::from(photons_at_half) * 255.0;
            assert!((mean - value).abs() < 0.02 * value + 0.5, "{mean} {value}");
            assert!((sigma - expected).abs() < 0.03 * expected + 0.3, "{sigma} {expected}");
        }
        let mut black = grey(0);
        shot(&mut black, 60, &mut Seed(2).rng());
        assert!(black.iter().all(|&v| v == 0));
    }

    #[test]
    fn impulses_hit_their_share_and_stay() {
        let (mut few, mut many) = (grey(128), grey(128));
        impulse(&mut few, 30, &mut Seed(3).rng());
        impulse(&mut many, 270, &mut Seed(3).rng());
        let hit = |image: &Image| image.iter().filter(|&&v| v != 128).count() as f64 / image.len() as f64;
        assert!((hit(&few) - 0.03).abs() < 0.003 && (hit(&many) - 0.27).abs() < 0.006);
        assert!(few.iter().zip(many.iter()).all(|(&a, &b)| a == 128 || a == b));
    }
}
