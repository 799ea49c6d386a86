//! Binomial chances by summing ratios of neighbouring terms, relative to the largest one: no gamma function, so
//! no cancellation, and every digit of a far tail holds.

/// Chances of a binomial count to lie below, at and above a number of successes; they add up to 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Split {
    pub below: f64,
    pub at: f64,
    pub above: f64,
}

/// How Binomial(`n`, `chance`) splits at `k`.
pub(crate) fn split(n: usize, chance: f64, k: usize) -> Split {
    let (first, weights) = weights(n, chance);
    let total: f64 = weights.iter().sum();
    let place = |range: &[f64]| range.iter().sum::<f64>() / total;
    if k < first {
        return Split { below: 0.0, at: 0.0, above: 1.0 };
    }
    let k = k - first;
    if k >= weights.len() {
        return Split { below: 1.0, at: 0.0, above: 0.0 };
    }
    Split { below: place(&weights[..k]), at: weights[k] / total, above: place(&weights[k + 1..]) }
}

/// The whole distribution: the first count with a chance above 0 in floating point, and the chances from there.
pub(crate) fn distribution(n: usize, chance: f64) -> (usize, Vec<f64>) {
    let (first, mut weights) = weights(n, chance);
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= total);
    (first, weights)
}

/// Terms relative to the largest one, which is 1, as far as they do not underflow.
fn weights(n: usize, chance: f64) -> (usize, Vec<f64>) {
    if chance <= 0.0 {
        return (0, vec![1.0]);
    }
    if chance >= 1.0 {
        return (n, vec![1.0]);
    }
    let odds = chance / (1.0 - chance);
    let mode = (((n + 1) as f64 * chance) as usize).min(n);
    let mut down = Vec::new();
    let mut term = 1.0;
    for j in (1..=mode).rev() {
        term *= j as f64 / ((n - j + 1) as f64 * odds);
        if term < f64::MIN_POSITIVE {
            break;
        }
        down.push(term);
    }
    let first = mode - down.len();
    down.reverse();
    down.push(1.0);
    term = 1.0;
    for j in mode..n {
        term *= (n - j) as f64 * odds / (j + 1) as f64;
        if term < f64::MIN_POSITIVE {
            break;
        }
        down.push(term);
    }
    (first, down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        let fair = split(4, 0.5, 1);
        assert!((fair.below - 1.0 / 16.0).abs() < 1e-15 && (fair.at - 4.0 / 16.0).abs() < 1e-15);
        assert!((fair.above - 11.0 / 16.0).abs() < 1e-15);
        assert_eq!(split(3, 0.0, 0), Split { below: 0.0, at: 1.0, above: 0.0 });
        assert_eq!(split(3, 1.0, 2), Split { below: 0.0, at: 0.0, above: 1.0 });
        assert_eq!(split(0, 0.3, 0), Split { below: 0.0, at: 1.0, above: 0.0 });
    }

    #[test]
    fn far_tails_keep_their_digits() {
        // Sum of C(100, k) for k from 91 to 100, over 2^100, as a fraction.
        assert!((split(100, 0.5, 90).above / 1.6610244897268264e-18 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn terms_add_up() {
        for (n, chance) in [(1usize, 0.5), (50, 0.02), (1000, 0.98), (100_000, 0.3)] {
            let (first, terms) = distribution(n, chance);
            let mean: f64 = terms.iter().enumerate().map(|(i, p)| (first + i) as f64 * p).sum();
            assert!((mean / (n as f64 * chance) - 1.0).abs() < 1e-10, "{n} {chance}: {mean}");
        }
    }
}
