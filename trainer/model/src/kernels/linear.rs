//! `y = x·w + b`, weights stored `[in, out]` (see [`vrrl_trainer_linalg::matmul`] for why).

use vrrl_trainer_linalg::{matmul, Form};

/// Forward: `x [n, i]`, `w [i, o]`, `b [o]` → `y [n, o]`.
#[must_use]
pub fn forward(x: &[f32], w: &[f32], b: &[f32]) -> Vec<f32> {
    let mut y = Vec::new();
    forward_into(x, w, b, &mut y);
    y
}

/// [`forward`] into a buffer, whatever it held.
pub fn forward_into(x: &[f32], w: &[f32], b: &[f32], y: &mut Vec<f32>) {
    let outputs = b.len();
    let inputs = w.len() / outputs;
    let rows = x.len() / inputs;
    y.clear();
    y.reserve(rows * outputs);
    for _ in 0..rows {
        y.extend_from_slice(b);
    }
    matmul([rows, inputs, outputs], (x, Form::Plain), (w, Form::Plain), y, true);
}

/// Backward: gradients of `x`, `w` and `b` from `dy [n, o]`.
#[must_use]
pub fn backward(x: &[f32], w: &[f32], dy: &[f32], outputs: usize) -> [Vec<f32>; 3] {
    let inputs = w.len() / outputs;
    let rows = x.len() / inputs;
    let mut dx = vec![0.0; x.len()];
    matmul([rows, outputs, inputs], (dy, Form::Plain), (w, Form::Transposed), &mut dx, false);
    let mut dw = vec![0.0; w.len()];
    matmul([inputs, rows, outputs], (x, Form::Transposed), (dy, Form::Plain), &mut dw, false);
    let mut db = vec![0.0; outputs];
    for row in dy.chunks_exact(outputs) {
        for (sum, value) in db.iter_mut().zip(row) {
            *sum += value;
        }
    }
    [dx, dw, db]
}
