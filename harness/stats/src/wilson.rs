//! The score interval of a share (E. B. Wilson 1927), without continuity correction.

use crate::Estimate;

/// 0.975 quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// `successes` out of `n` with the 95 % Wilson interval; `None` without trials.
///
/// # Panics
/// If there are more successes than trials.
#[must_use]
pub fn wilson(successes: usize, n: usize) -> Option<Estimate> {
    assert!(successes <= n, "{successes} successes in {n} trials");
    if n == 0 {
        return None;
    }
    let trials = n as f64;
    let share = successes as f64 / trials;
    let scale = 1.0 + Z * Z / trials;
    let centre = (share + Z * Z / (2.0 * trials)) / scale;
    let half = Z / scale * (share * (1.0 - share) / trials + Z * Z / (4.0 * trials * trials)).sqrt();
    // At 0 and n the exact ends are 0 and 1; rounding must not push them past.
    let ci_low = if successes == 0 { 0.0 } else { (centre - half).max(0.0) };
    let ci_high = if successes == n { 1.0 } else { (centre + half).min(1.0) };
    Some(Estimate { value: share, ci_low, ci_high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        // Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
        for (successes, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let estimate = wilson(successes, n).unwrap();
            assert!((estimate.ci_low - low).abs() < 5e-5, "{successes}/{n}: {estimate:?}");
            assert!((estimate.ci_high - high).abs() < 5e-5, "{successes}/{n}: {estimate:?}");
        }
    }

    #[test]
    fn it_mirrors_and_holds_its_value() {
        for n in 1..60 {
            for successes in 0..=n {
                let [a, b] = [successes, n - successes].map(|s| wilson(s, n).unwrap());
                assert!((a.ci_low - (1.0 - b.ci_high)).abs() < 1e-12);
                assert!(0.0 <= a.ci_low && a.ci_low <= a.value && a.value <= a.ci_high && a.ci_high <= 1.0);
                assert!(a.ci_high - a.ci_low > 0.0);
            }
        }
    }
}
