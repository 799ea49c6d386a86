//! From logits to a token, from our own seeded stream.

use vrrl_harness_core::Rng;

/// A drawn token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draw {
    /// Its id.
    pub id: u32,
    /// Its log-probability at temperature 1, after `forbidden`.
    pub log_prob: f32,
}

/// Draws from softmax(logits / temperature) without the `forbidden` ids; temperature 0 takes the largest logit,
/// the first among equals. Sums are in double precision and in order.
///
/// # Panics
/// If every id is forbidden.
#[must_use]
pub fn sample(logits: &[f32], temperature: f64, forbidden: &[u32], rng: &mut Rng) -> Draw {
    let allowed = || logits.iter().enumerate().filter(|(id, _)| !forbidden.contains(&(*id as u32)));
    let top = allowed().fold(f64::NEG_INFINITY, |top, (_, &x)| top.max(f64::from(x)));
    assert!(top > f64::NEG_INFINITY, "no token is allowed");
    let pick = if temperature == 0.0 {
        allowed().fold((0, f32::NEG_INFINITY), |best, (id, &x)| if x > best.1 { (id, x) } else { best }).0
    } else {
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
        pick
    };
    let norm: f64 = allowed().map(|(_, &x)| (f64::from(x) - top).exp()).sum();
    Draw { id: pick as u32, log_prob: (f64::from(logits[pick]) - top - norm.ln()) as f32 }
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
            counts[sample(&logits, 1.0, &[3], &mut rng).id as usize] += 1;
        }
        let total: f64 = [0.0f64, 1.0, 2.0].iter().map(|x| x.exp()).sum();
        for (id, count) in counts.iter().enumerate().take(3) {
            let want = (id as f64).exp() / total;
            assert!((f64::from(*count) / 30_000.0 - want).abs() < 0.01);
        }
        assert_eq!(counts[3], 0);
    }

    #[test]
    fn greedy_takes_the_largest_and_reports_its_probability() {
        let draw = sample(&[0.5, 2.0, 2.0], 0.0, &[], &mut Seed(1).rng());
        assert_eq!(draw.id, 1);
        let want = 2.0 - (0.5f64.exp() + 2.0 * 2f64.exp()).ln();
        assert!((f64::from(draw.log_prob) - want).abs() < 1e-6);
    }
}
