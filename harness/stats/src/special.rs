//! The few special functions, from `statrs`: normal and Student t.

use statrs::function::beta::beta_reg;
use statrs::function::erf::{erfc, erfc_inv};

/// Chance that a standard normal number is at most `z`.
pub(crate) fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// The number that a standard normal one stays below with chance `p`, strictly between 0 and 1.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p)
}

/// Half-width, in standard errors, of a two-sided normal interval of this level.
pub(crate) fn z_of(level: f64) -> f64 {
    assert!(level > 0.0 && level < 1.0, "a level lies between 0 and 1, not {level}");
    -normal_quantile((1.0 - level) / 2.0)
}

/// Two-sided p of a Student t statistic.
pub(crate) fn t_two_sided(t: f64, df: f64) -> f64 {
    beta_reg(df / 2.0, 0.5, df / (df + t * t))
}

/// Half-width, in standard errors, of a two-sided t interval of this level.
pub(crate) fn t_of(level: f64, df: f64) -> f64 {
    assert!(level > 0.0 && level < 1.0, "a level lies between 0 and 1, not {level}");
    let mut high = 1.0;
    while t_two_sided(high, df) > 1.0 - level {
        high *= 2.0;
    }
    bisect(0.0, high, |t| t_two_sided(t, df) > 1.0 - level)
}

/// The point between `low` and `high` where `holds` turns from true to false, to the last bit but a few.
pub(crate) fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low.min(high) || middle >= low.max(high) {
            break;
        }
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_scipy() {
        // scipy 1.x: norm.ppf(.975), norm.ppf(.8), t.ppf(.975, 2), t.ppf(.975, 4), t.ppf(.975, 29), t.ppf(.95, 9)
        assert!((z_of(0.95) - 1.959_963_984_540_054).abs() < 1e-12);
        assert!((normal_quantile(0.8) - 0.841_621_233_572_914_3).abs() < 1e-12);
        for (level, df, t) in [
            (0.95, 2.0, 4.302_652_729_749_464),
            (0.95, 4.0, 2.776_445_105_197_793),
            (0.95, 29.0, 2.045_229_642_132_703),
            (0.9, 9.0, 1.833_112_932_653_564),
        ] {
            assert!((t_of(level, df) - t).abs() < 1e-9, "{df}: {}", t_of(level, df));
        }
        assert!((normal_cdf(1.0) - 0.841_344_746_068_542_9).abs() < 1e-10);
    }
}
