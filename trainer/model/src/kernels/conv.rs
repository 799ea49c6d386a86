//! A residual convolution block as one operation: `y = x + conv3x3(gelu(rms_norm(x)))`.
//!
//! Images are `[b, side², c]`, the weight `[9·c, c]` with rows ordered (ky, kx, channel), zero padding. A few
//! images at a time are unfolded into a buffer that stays in the second-level cache.

use vrrl_trainer_linalg::{matmul, Form};

use super::norm::{inverse_rms, row_backward};
use super::scalar::{gelu, gelu_slope};

/// Images unfolded together: 4·64·432 floats are 432 KiB.
const TOGETHER: usize = 4;

/// Forward: `x [b, side², c]`, `w [9·c, c]`, `bias [c]` → `y` like `x`.
#[must_use]
pub fn forward(x: &[f32], w: &[f32], bias: &[f32], side: usize) -> Vec<f32> {
    let c = bias.len();
    let image = side * side * c;
    let mut y = x.to_vec();
    let mut columns = vec![0.0; TOGETHER * image * 9];
    let mut active = vec![0.0; image];
    for (xs, ys) in x.chunks(TOGETHER * image).zip(y.chunks_mut(TOGETHER * image)) {
        for (x, cols) in xs.chunks_exact(image).zip(columns.chunks_exact_mut(image * 9)) {
            activate(x, &mut active, c);
            unfold(&active, cols, side, c);
        }
        for row in ys.chunks_exact_mut(c) {
            for (y, b) in row.iter_mut().zip(bias) {
                *y += b;
            }
        }
        let rows = xs.len() / c;
        matmul([rows, 9 * c, c], (&columns[..rows * 9 * c], Form::Plain), (w, Form::Plain), ys, true);
    }
    y
}

/// Backward: gradients of `x`, `w` and `bias` from `dy`.
#[must_use]
pub fn backward(x: &[f32], w: &[f32], dy: &[f32], side: usize, c: usize) -> [Vec<f32>; 3] {
    let image = side * side * c;
    let mut dx = vec![0.0; x.len()];
    let mut dw = vec![0.0; w.len()];
    let mut db = vec![0.0; c];
    let mut columns = vec![0.0; TOGETHER * image * 9];
    let mut active = vec![0.0; image];
    for ((xs, dys), dxs) in
        x.chunks(TOGETHER * image).zip(dy.chunks(TOGETHER * image)).zip(dx.chunks_mut(TOGETHER * image))
    {
        for (x, cols) in xs.chunks_exact(image).zip(columns.chunks_exact_mut(image * 9)) {
            activate(x, &mut active, c);
            unfold(&active, cols, side, c);
        }
        for row in dys.chunks_exact(c) {
            for (sum, value) in db.iter_mut().zip(row) {
                *sum += value;
            }
        }
        let rows = xs.len() / c;
        let used = rows * 9 * c;
        matmul([9 * c, rows, c], (&columns[..used], Form::Transposed), (dys, Form::Plain), &mut dw, true);
        // The unfolded input has been used; its buffer takes the unfolded gradient.
        matmul([rows, c, 9 * c], (dys, Form::Plain), (w, Form::Transposed), &mut columns[..used], false);
        for (((x, dy), dx), cols) in xs
            .chunks_exact(image)
            .zip(dys.chunks_exact(image))
            .zip(dxs.chunks_exact_mut(image))
            .zip(columns.chunks_exact(image * 9))
        {
            fold(cols, &mut active, side, c);
            activate_backward(x, &mut active, dx, c);
            for (dx, dy) in dx.iter_mut().zip(dy) {
                *dx += dy;
            }
        }
    }
    [dx, dw, db]
}

/// gelu(rms_norm(x)) over the channels of each cell.
fn activate(x: &[f32], out: &mut [f32], c: usize) {
    for (cell, out) in x.chunks_exact(c).zip(out.chunks_exact_mut(c)) {
        let inverse = inverse_rms(cell);
        for (out, x) in out.iter_mut().zip(cell) {
            *out = gelu(x * inverse);
        }
    }
}

/// Turns the gradient of the activation (`grad`, used up) into that of its input.
fn activate_backward(x: &[f32], grad: &mut [f32], dx: &mut [f32], c: usize) {
    for ((cell, grad), dx) in x.chunks_exact(c).zip(grad.chunks_exact_mut(c)).zip(dx.chunks_exact_mut(c)) {
        let inverse = inverse_rms(cell);
        for (grad, x) in grad.iter_mut().zip(cell) {
            *grad *= gelu_slope(x * inverse);
        }
        row_backward(cell, inverse, grad, dx);
    }
}

/// The nine neighbours of every cell side by side, zeros outside.
fn unfold(image: &[f32], columns: &mut [f32], side: usize, c: usize) {
    for y in 0..side {
        for x in 0..side {
            let cell = &mut columns[(y * side + x) * 9 * c..][..9 * c];
            for (k, part) in cell.chunks_exact_mut(c).enumerate() {
                match neighbour(y, x, k, side) {
                    Some(at) => part.copy_from_slice(&image[at * c..][..c]),
                    None => part.fill(0.0),
                }
            }
        }
    }
}

/// The transpose of [`unfold`].
fn fold(columns: &[f32], image: &mut [f32], side: usize, c: usize) {
    image.fill(0.0);
    for y in 0..side {
        for x in 0..side {
            let cell = &columns[(y * side + x) * 9 * c..][..9 * c];
            for (k, part) in cell.chunks_exact(c).enumerate() {
                if let Some(at) = neighbour(y, x, k, side) {
                    for (sum, value) in image[at * c..][..c].iter_mut().zip(part) {
                        *sum += value;
                    }
                }
            }
        }
    }
}

#[inline]
fn neighbour(y: usize, x: usize, k: usize, side: usize) -> Option<usize> {
    let row = (y + k / 3).checked_sub(1).filter(|r| *r < side)?;
    let column = (x + k % 3).checked_sub(1).filter(|c| *c < side)?;
    Some(row * side + column)
}
