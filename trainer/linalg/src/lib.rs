//! The one matrix product of the project, behind a checked interface.
//!
//! Crate `gemm` is `unsafe` because it takes raw pointers and strides. This crate is the workspace's single
//! exception to `unsafe_code = "forbid"`: it checks every length, then calls it, on one thread. Parallelism
//! lives above, over independent shards, so that results never depend on the number of threads.
#![allow(unsafe_code)]

/// How an operand is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Row-major, as the product uses it.
    Plain,
    /// Row-major, but its transpose is used.
    Transposed,
}

/// `c = a·b` or, with `accumulate`, `c += a·b`, where `a` is `[m, k]`, `b` `[k, n]` and `c` `[m, n]` after
/// the operands' forms are applied; all three are dense.
///
/// With both operands [`Form::Plain`] and `k` at most 512, a row of `c` has the same bits whatever the other
/// rows are (tested); a transposed right operand does not promise that, so weights are stored `[in, out]`.
///
/// # Panics
/// If a slice has not exactly the length that its shape needs.
pub fn matmul(
    [m, k, n]: [usize; 3],
    (a, a_form): (&[f32], Form),
    (b, b_form): (&[f32], Form),
    c: &mut [f32],
    accumulate: bool,
) {
    assert_eq!(a.len(), m * k, "left operand of {m}x{k}x{n}");
    assert_eq!(b.len(), k * n, "right operand of {m}x{k}x{n}");
    assert_eq!(c.len(), m * n, "product of {m}x{k}x{n}");
    if m == 1 && accumulate {
        // For one row the crate adds the terms to `c` one by one; for more it adds their sum. The same for all here.
        let mut row = vec![0.0; n];
        matmul([m, k, n], (a, a_form), (b, b_form), &mut row, false);
        c.iter_mut().zip(&row).for_each(|(c, x)| *c += x);
        return;
    }
    let (a_cs, a_rs) = strides(a_form, m, k);
    let (b_cs, b_rs) = strides(b_form, k, n);
    // SAFETY: the asserts above keep every index `i·rs + j·cs` of each operand inside its slice; `c` is
    // borrowed mutably, so it overlaps neither `a` nor `b`.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            a.as_ptr(),
            a_cs,
            a_rs,
            b.as_ptr(),
            b_cs,
            b_rs,
            1.0f32,
            1.0f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

fn strides(form: Form, rows: usize, cols: usize) -> (isize, isize) {
    match form {
        Form::Plain => (1, cols as isize),
        Form::Transposed => (rows as isize, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(
        [m, k, n]: [usize; 3],
        a: impl Fn(usize, usize) -> f32,
        b: impl Fn(usize, usize) -> f32,
    ) -> Vec<f32> {
        let mut c = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                c[i * n + j] = (0..k).map(|t| a(i, t) * b(t, j)).sum();
            }
        }
        c
    }

    #[test]
    fn agrees_with_the_definition_in_every_form() {
        let (m, k, n) = (5, 7, 3);
        let a: Vec<f32> = (0..m * k).map(|i| (i as f32 * 0.37).sin()).collect();
        let b: Vec<f32> = (0..k * n).map(|i| (i as f32 * 0.91).cos()).collect();
        for a_form in [Form::Plain, Form::Transposed] {
            for b_form in [Form::Plain, Form::Transposed] {
                let at = |i: usize, t: usize| if a_form == Form::Plain { a[i * k + t] } else { a[t * m + i] };
                let bt = |t: usize, j: usize| if b_form == Form::Plain { b[t * n + j] } else { b[j * k + t] };
                let want = naive([m, k, n], at, bt);
                let mut got = vec![1.0; m * n];
                matmul([m, k, n], (&a, a_form), (&b, b_form), &mut got, true);
                assert!(got.iter().zip(&want).all(|(g, w)| (g - w - 1.0).abs() < 1e-5));
                matmul([m, k, n], (&a, a_form), (&b, b_form), &mut got, false);
                assert!(got.iter().zip(&want).all(|(g, w)| (g - w).abs() < 1e-5));
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours() {
        // Batched decoding must give each episode the same bits whoever else is in the batch.
        for (k, n) in [(64, 192), (64, 64), (192, 64), (64, 15), (432, 48), (192, 48)] {
            let a: Vec<f32> = (0..300 * k).map(|i| (i as f32 * 0.7331).sin()).collect();
            let b: Vec<f32> = (0..k * n).map(|i| (i as f32 * 0.1177).cos()).collect();
            for accumulate in [false, true] {
                let mut all = vec![0.3; 300 * n];
                matmul([300, k, n], (&a, Form::Plain), (&b, Form::Plain), &mut all, accumulate);
                for m in 1..300 {
                    let mut some = vec![0.3; m * n];
                    matmul([m, k, n], (&a[..m * k], Form::Plain), (&b, Form::Plain), &mut some, accumulate);
                    let same = some.iter().zip(&all).all(|(x, y)| x.to_bits() == y.to_bits());
                    assert!(same, "m={m} k={k} n={n} accumulate={accumulate}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "left operand")]
    fn a_short_operand_is_refused() {
        matmul([2, 2, 2], (&[0.0; 3], Form::Plain), (&[0.0; 4], Form::Plain), &mut [0.0; 4], false);
    }
}
