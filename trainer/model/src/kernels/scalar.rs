//! Element-wise functions that vectorise: no libm, so the same bits on every machine.

// Rounding by adding and subtracting 1.5·2²³ leaves the integer in the low mantissa bits.
const MAGIC: f32 = 12_582_912.0;
const GELU_SCALE: f32 = 1.595_769; // 2·sqrt(2/π)
const GELU_CUBE: f32 = 0.044_715;

/// e^x, relative error below 3e-7; saturates outside [-87, 88].
#[inline(always)]
#[must_use]
pub fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    // ln 2 in two parts, so that the remainder keeps all its bits.
    let r = (x - n * 0.693_359_4) + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4 * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(MAGIC.to_bits()).wrapping_add(127) << 23;
    p * f32::from_bits(exponent)
}

/// GELU in its tanh form: x·sigmoid(2·sqrt(2/π)·(x + 0.044715·x³)) (Hendrycks and Gimpel, 2016).
#[inline(always)]
#[must_use]
pub fn gelu(x: f32) -> f32 {
    x / (1.0 + exp(-GELU_SCALE * x * (1.0 + GELU_CUBE * x * x)))
}

/// [`gelu`] of every number.
pub fn gelu_all(x: &mut [f32]) {
    for x in x {
        *x = gelu(*x);
    }
}

/// Derivative of [`gelu`].
#[inline(always)]
#[must_use]
pub fn gelu_slope(x: f32) -> f32 {
    let s = 1.0 / (1.0 + exp(-GELU_SCALE * x * (1.0 + GELU_CUBE * x * x)));
    s + x * s * (1.0 - s) * GELU_SCALE * (1.0 + 3.0 * GELU_CUBE * x * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exp() {
        for i in -8000..8800 {
            let x = i as f32 / 100.0;
            let want = f64::from(x).exp();
            assert!((f64::from(exp(x)) / want - 1.0).abs() < 3e-7, "{x}");
        }
    }

    #[test]
    fn gelu_has_its_published_values_and_slope() {
        // torch.nn.functional.gelu(x, approximate="tanh")
        for (x, want) in [(-3.0, -0.003_637_4), (-1.0, -0.158_808), (0.5, 0.345_714), (2.0, 1.954_597_7)] {
            assert!((gelu(x) - want).abs() < 2e-6, "{x}: {}", gelu(x));
        }
        for i in -40..40 {
            let x = i as f32 / 10.0;
            let slope = (f64::from(gelu(x + 1e-2)) - f64::from(gelu(x - 1e-2))) / 2e-2;
            assert!((slope - f64::from(gelu_slope(x))).abs() < 1e-3, "{x}");
        }
    }
}
