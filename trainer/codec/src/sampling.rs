//! From logits to a token, from our own seeded stream.

use vrrl_harness_core::Rng;

/// Draws an id from softmax(logits / temperature) without the `forbidden` ids; temperature 0 takes the largest
/// logit, the first among equals. Sums are in double precision and in order.
///
/// # Panics
/// If every id is forbidden.
#[must_use]
pub fn sample(logits: &[f32], temperature: f64, forbidden: &[u32], rng: &mut Rng) -> u32 {
    let allowed = || logits.iter().enumerate().filter(|(id, _)| !forbidden.contains(&(*id as u32)));
    let top = allowed().fold(f64::NEG_INFINITY, |top, (_, &x)| top.max(f64::from(x)));
    assert!(top > f64::NEG_INFINITY, "no token is allowed");
    if temperature == 0.0 {
        return allowed()
            .fold((0, f32::NEG_INFINITY), |best, (id, &x)| if x > best.1 { (id, x) } else { best })
            .0 as u32;
    }
    let weight = |x: f32| ((f64::from(x) - top) / temperature).exp();
    let total: f64 = allowed().map(|(_, &x)| weight(x)).sum();
    let mut left = rng.unit() * total;
    let mut pick = 0;
    for (id, &x) in allowed() {
        pick = id;
        left -= weight(x);
        if left < 0.0 {
            break;
        }
    }
    pick as u32
}

/// Log-probability of `id` under softmax(logits): at temperature 1, nothing forbidden.
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
        let logits = [0.0, 1.0, 2.0, 9.0];
        let mut counts = [0u32; 4];
        let mut rng = Seed(1).rng();
        for _ in 0..30_000 {
            counts[sample(&logits, 1.0, &[3], &mut rng) as usize] += 1;
        }
        let total: f64 = [0.0f64, 1.0, 2.0].iter().map(|x| x.exp()).sum();
        for (id, count) in counts.iter().enumerate().take(3) {
            let want = (id as f64).exp() / total;
            assert!((f64::from(*count) / 30_000.0 - want).abs() < 0.01);
        }
        assert_eq!(counts[3], 0);
    }

    #[test]
    fn greedy_takes_the_largest() {
        assert_eq!(sample(&[0.5, 2.0, 2.0], 0.0, &[], &mut Seed(1).rng()), 1);
        assert_eq!(sample(&[0.5, 2.0, 1.0], 0.0, &[1], &mut Seed(1).rng()), 2);
    }

    #[test]
    fn log_probabilities_are_those_of_the_softmax() {
        let want = 2.0 - (0.5f64.exp() + 2.0 * 2f64.exp()).ln();
        assert!((f64::from(log_prob(&[0.5, 2.0, 2.0], 1)) - want).abs() < 1e-6);
    }
}
