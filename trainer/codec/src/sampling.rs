//! From logits to a token, from our own seeded stream.

use vrrl_harness_core::Rng;

/// Draws an id from softmax(logits / temperature); temperature 0 takes the largest logit, the first among equals.
/// Sums are in double precision and in order.
///
/// # Panics
/// If there is no logit.
#[must_use]
pub fn sample(logits: &[f32], temperature: f64, rng: &mut Rng) -> u32 {
    let all = || logits.iter().enumerate();
    let top = all().fold(f64::NEG_INFINITY, |top, (_, &x)| top.max(f64::from(x)));
    assert!(top > f64::NEG_INFINITY, "no token to draw from");
    if temperature == 0.0 {
        return all().fold((0, f32::NEG_INFINITY), |best, (id, &x)| if x > best.1 { (id, x) } else { best }).0
            as u32;
    }
    let weight = |x: f32| ((f64::from(x) - top) / temperature).exp();
    let total: f64 = all().map(|(_, &x)| weight(x)).sum();
    let mut left = rng.unit() * total;
    let mut pick = 0;
    for (id, &x) in all() {
        pick = id;
        left -= weight(x);
        if left < 0.0 {
            break;
        }
    }
    pick as u32
}

/// Log-probability of `id` under softmax(logits): at temperature 1.
#[must_use]
pub fn log_prob(logits: &[f32], id: u32) -> f32 {
    let top = logits.iter().fold(f64::NEG_INFINITY, |top, &x| top.max(f64::from(x)));
    let norm: f64 = logits.iter().map(|&x| (f64::from(x) - top).exp()).sum();
    (f64::from(logits[id as usize]) - top - norm.ln()) as f32
}

#[cfg(test)]
mod tests {
    use vrrl_harness_core::Seed;

    use super::*;

    #[test]
    fn frequencies_follow_the_softmax() {
        let logits = [0.0, 1.0, 2.0];
        let mut counts = [0u32; 3];
        let mut rng = Seed(1).rng();
        for _ in 0..30_000 {
            counts[sample(&logits, 1.0, &mut rng) as usize] += 1;
        }
        let total: f64 = logits.iter().map(|x| f64::from(*x).exp()).sum();
        for (id, count) in counts.iter().enumerate() {
            let want = (id as f64).exp() / total;
            assert!((f64::from(*count) / 30_000.0 - want).abs() < 0.01);
        }
    }

    #[test]
    fn greedy_takes_the_largest() {
        assert_eq!(sample(&[0.5, 2.0, 2.0], 0.0, &mut Seed(1).rng()), 1);
    }

    #[test]
    fn log_probabilities_are_those_of_the_softmax() {
        let want = 2.0 - (0.5f64.exp() + 2.0 * 2f64.exp()).ln();
        assert!((f64::from(log_prob(&[0.5, 2.0, 2.0], 1)) - want).abs() < 1e-6);
    }
}
