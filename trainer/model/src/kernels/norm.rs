//! Root-mean-square normalisation (Zhang and Sennrich, 2019).

/// Added to the mean square.
pub const EPS: f32 = 1e-5;

/// 1 / root mean square of one row.
#[inline]
#[must_use]
pub fn inverse_rms(row: &[f32]) -> f32 {
    1.0 / (dot(row, row) / row.len() as f32 + EPS).sqrt()
}

/// Dot product in eight fixed lanes: vectorises, and sums in the same order everywhere.
#[inline]
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a8.zip(b8) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    lanes.iter().sum::<f32>() + tail
}

/// Forward: `x [n, d]`, `gain [d]` → `[n, d]`.
#[must_use]
pub fn forward(x: &[f32], gain: &[f32]) -> Vec<f32> {
    let mut y = Vec::new();
    forward_into(x, gain, &mut y);
    y
}

/// [`forward`] into a buffer, whatever it held.
pub fn forward_into(x: &[f32], gain: &[f32], y: &mut Vec<f32>) {
    y.resize(x.len(), 0.0);
    for (row, out) in x.chunks_exact(gain.len()).zip(y.chunks_exact_mut(gain.len())) {
        let inverse = inverse_rms(row);
        for ((out, x), gain) in out.iter_mut().zip(row).zip(gain) {
            *out = x * inverse * gain;
        }
    }
}

/// Backward: gradients of `x` and `gain` from `dy [n, d]`.
#[must_use]
pub fn backward(x: &[f32], gain: &[f32], dy: &[f32]) -> [Vec<f32>; 2] {
    let d = gain.len();
    let mut dx = vec![0.0; x.len()];
    let mut dgain = vec![0.0; d];
    let mut scaled = vec![0.0; d];
    for ((row, dy), dx) in x.chunks_exact(d).zip(dy.chunks_exact(d)).zip(dx.chunks_exact_mut(d)) {
        let inverse = inverse_rms(row);
        for i in 0..d {
            dgain[i] += dy[i] * row[i] * inverse;
            scaled[i] = dy[i] * gain[i];
        }
        row_backward(row, inverse, &scaled, dx);
    }
    [dx, dgain]
}

/// Adds nothing: writes the gradient of one un-gained row, from that of its normalised form.
#[inline]
pub fn row_backward(row: &[f32], inverse: f32, dn: &[f32], dx: &mut [f32]) {
    let shared = dot(row, dn) * inverse * inverse / row.len() as f32;
    for ((dx, dn), x) in dx.iter_mut().zip(dn).zip(row) {
        *dx = (dn - x * shared) * inverse;
    }
}
