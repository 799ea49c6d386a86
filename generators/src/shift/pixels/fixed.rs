//! The few transcendental numbers that decide pixels, in integers: equal on every machine.

/// One, in the fixed point used here.
pub(crate) const ONE: i128 = 1 << 60;
/// π in units of 2⁻⁶⁰.
const PI: i128 = 3_622_009_729_038_561_421;

/// exp(−num/den) in units of 2⁻³²; `num` and `den` positive, `den` below 2³².
pub(crate) fn exp_neg(num: u64, den: u64) -> u64 {
    let x = (i128::from(num) << 60) / i128::from(den.max(1));
    // exp(−x) = exp(−x/2ⁿ)^(2ⁿ), with x/2ⁿ below one half.
    let mut halvings = 0;
    while (x >> halvings) >= ONE / 2 {
        halvings += 1;
        if halvings > 8 {
            return 0;
        }
    }
    let x = x >> halvings;
    let (mut term, mut sum) = (ONE, ONE);
    for n in 1..24 {
        term = -((term * x) >> 60) / n;
        sum += term;
    }
    for _ in 0..halvings {
        sum = (sum * sum) >> 60;
    }
    u64::try_from(sum.max(0) >> 28).expect("at most one")
}

/// Sine and cosine of an angle in tenths of a degree (±90°), in units of 2⁻⁴⁰.
pub(crate) fn sin_cos(tenths: i32) -> (i64, i64) {
    let x = PI / 1800 * i128::from(tenths);
    let square = (x * x) >> 60;
    let series = |first: i128, start: i128| {
        let (mut term, mut sum) = (first, first);
        for n in (start..start + 24).step_by(2) {
            term = -((term * square) >> 60) / (n * (n + 1));
            sum += term;
        }
        i64::try_from(sum >> 20).expect("at most one")
    };
    (series(x, 2), series(ONE, 1))
}

/// Quotient rounded to the nearest integer, halves up; `b` positive.
pub(crate) fn divide(a: i64, b: i64) -> i64 {
    (2 * a + b).div_euclid(2 * b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_floats() {
        for (num, den) in [(0, 1), (1, 3), (1, 1), (9, 2), (77, 10), (20, 1), (60, 1), (1 << 40, 1)] {
            let exact = (-(num as f64) / den as f64).exp() * 4_294_967_296.0;
            assert!((exp_neg(num, den) as f64 - exact).abs() < 2.0, "exp(-{num}/{den})");
        }
        for tenths in [-450, -101, -1, 0, 1, 5, 300, 450, 899] {
            let angle = f64::from(tenths) * std::f64::consts::PI / 1800.0;
            let (sine, cosine) = sin_cos(tenths);
            let unit = (1u64 << 40) as f64;
            assert!((sine as f64 / unit - angle.sin()).abs() < 1e-11, "sin {tenths}");
            assert!((cosine as f64 / unit - angle.cos()).abs() < 1e-11, "cos {tenths}");
        }
        assert_eq!([divide(5, 2), divide(-5, 2), divide(-7, 2), divide(4, 3)], [3, -2, -3, 1]);
    }
}
