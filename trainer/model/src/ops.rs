//! The kernels as differentiable candle operations.
//!
//! On the CPU each is one custom operation with its own backward pass; on any other device the same value is
//! composed from candle's differentiable operations. Trap, measured: candle's own `softmax_last_dim`,
//! `rms_norm`, `layer_norm`, `rope` and `sdpa` drop gradients without a word; none of them is used.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, DType, Layout, Result, Shape, Tensor, D};

use crate::kernels::attention::Heads;
use crate::kernels::{attention, conv, linear as affine, norm, scalar};

/// Which tokens belong together, for attention over packed sequences.
#[derive(Clone, Debug)]
pub struct Packing {
    /// Turn of every token.
    pub turns: Arc<Vec<u32>>,
    /// `start..end` of every sequence.
    pub spans: Arc<Vec<(usize, usize)>>,
}

/// In which numbers products are taken. Weights, norms, softmax and losses stay in floats either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Products {
    /// 32 bits.
    #[default]
    Float,
    /// Operands of 16 bits, eight of them mantissa. The CPU has no such products: there operands are rounded to
    /// bf16 and multiplied as floats, which says what a card computes, not how fast.
    Bf16,
}

impl Products {
    /// Whether the fused operations of the CPU take these products.
    fn fused(self, x: &Tensor) -> bool {
        self == Self::Float && x.device().is_cpu()
    }

    fn operand(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Float => Ok(x.clone()),
            Self::Bf16 if x.device().is_cpu() => x.to_dtype(DType::BF16)?.to_dtype(DType::F32),
            Self::Bf16 => x.to_dtype(DType::BF16),
        }
    }

    fn matmul(self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        self.operand(a)?.matmul(&self.operand(b)?)?.to_dtype(DType::F32)
    }
}

/// `x [n, i] · w [i, o] + b [o]`.
pub fn linear(x: &Tensor, w: &Tensor, b: &Tensor, products: Products) -> Result<Tensor> {
    if products.fused(x) {
        return x.apply_op3(w, b, Linear);
    }
    products.matmul(x, w)?.broadcast_add(b)
}

/// RMS norm of `x [n, d]` with `gain [d]`.
pub fn rms_norm(x: &Tensor, gain: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() {
        return x.apply_op2(gain, Norm);
    }
    composed_norm(x)?.broadcast_mul(gain)
}

/// `x + conv3x3(gelu(rms_norm(x)))` for `x [b, side², c]`, `w [9·c, c]`, `bias [c]`.
pub fn conv_block(x: &Tensor, w: &Tensor, bias: &Tensor, side: usize, products: Products) -> Result<Tensor> {
    if products.fused(x) {
        return x.apply_op3(w, bias, Conv { side });
    }
    let (b, cells, c) = x.dims3()?;
    let active = composed_gelu(&composed_norm(x)?)?.transpose(1, 2)?.reshape((b, c, side, side))?;
    let kernel = w.reshape((3, 3, c, c))?.permute((3, 2, 0, 1))?.contiguous()?;
    let [active, kernel] = [products.operand(&active.contiguous()?)?, products.operand(&kernel)?];
    let y = active.conv2d(&kernel, 1, 1, 1, 1)?.to_dtype(DType::F32)?;
    x + y.reshape((b, c, cells))?.transpose(1, 2)?.broadcast_add(bias)?
}

/// GELU, tanh form.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() {
        return x.apply_op1(Gelu);
    }
    composed_gelu(x)
}

/// Causal attention over packed sequences, `qkv [n, 3·d]` → `[n, d]`.
pub fn attention(qkv: &Tensor, packing: &Packing, heads: &Heads, products: Products) -> Result<Tensor> {
    if products.fused(qkv) {
        return qkv.apply_op1(Attention { packing: packing.clone(), heads: heads.clone() });
    }
    composed_attention(qkv, packing, heads, products)
}

/// Log-probability of `targets [n]` under `logits [n, v]`.
pub fn log_probs(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let top = logits.max_keepdim(D::Minus1)?.detach();
    let shifted = logits.broadcast_sub(&top)?;
    let norm = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
    shifted.gather(&targets.unsqueeze(1)?, 1)?.sub(&norm)?.squeeze(1)
}

pub(crate) fn composed_norm(x: &Tensor) -> Result<Tensor> {
    let mean = (x.sqr()?.mean_keepdim(D::Minus1)? + f64::from(norm::EPS))?;
    x.broadcast_div(&mean.sqrt()?)
}

pub(crate) fn composed_gelu(x: &Tensor) -> Result<Tensor> {
    let inner = ((x.sqr()? * 0.044_715)? + 1.0)?.mul(x)?;
    let sigmoid = ((inner * -1.595_769_121_605_730_7)?.exp()? + 1.0)?.recip()?;
    x.mul(&sigmoid)
}

/// Attention from candle's own operations: unpack to a padded batch, attend under a mask, pack again.
pub(crate) fn composed_attention(
    qkv: &Tensor,
    packing: &Packing,
    heads: &Heads,
    products: Products,
) -> Result<Tensor> {
    let device = qkv.device();
    let (h, size) = (heads.slopes.len(), heads.width / heads.slopes.len());
    let (b, t) = (packing.spans.len(), packing.spans.iter().map(|(s, e)| e - s).max().unwrap_or(0));
    let mut rows = vec![0u32; b * t];
    let mut back = vec![0u32; packing.turns.len()];
    let mut bias = vec![f32::NEG_INFINITY; b * h * t * t];
    for (s, &(start, end)) in packing.spans.iter().enumerate() {
        for i in 0..t {
            rows[s * t + i] = (start + i).min(end - 1) as u32;
            // Padding queries see the first key only: their rows are dropped, but must stay finite.
            for (head, slope) in heads.slopes.iter().enumerate() {
                let line = &mut bias[((s * h + head) * t + i) * t..][..t];
                for (j, cell) in line.iter_mut().enumerate().take(i + 1) {
                    if start + i < end {
                        *cell = -slope * (packing.turns[start + i] - packing.turns[start + j]) as f32;
                    } else if j == 0 {
                        *cell = 0.0;
                    }
                }
            }
        }
        for (i, place) in back[start..end].iter_mut().enumerate() {
            *place = (s * t + i) as u32;
        }
    }
    let rows = Tensor::from_vec(rows, b * t, device)?;
    let bias = Tensor::from_vec(bias, (b, h, t, t), device)?;
    let split = |part: usize| {
        qkv.narrow(1, part * heads.width, heads.width)?
            .contiguous()?
            .index_select(&rows, 0)?
            .reshape((b, t, h, size))?
            .transpose(1, 2)?
            .contiguous()
    };
    let (q, k, v) = (split(0)?, split(1)?, split(2)?);
    let scores = ((products.matmul(&q, &k.transpose(2, 3)?.contiguous()?)? / (size as f64).sqrt())? + bias)?;
    let top = scores.max_keepdim(D::Minus1)?.detach();
    let weights = scores.broadcast_sub(&top)?.exp()?;
    let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?;
    let out = products.matmul(&weights, &v)?.transpose(1, 2)?.contiguous()?.reshape((b * t, heads.width))?;
    out.index_select(&Tensor::from_vec(back, packing.turns.len(), device)?, 0)
}

/// The dense slice behind a CPU storage.
fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("a kernel needs a contiguous operand, not {:?}", layout.stride()),
    }
}

/// Runs `f` on the dense values of CPU tensors, without copying them.
pub(crate) fn with_slices<const N: usize, R>(
    tensors: [&Tensor; N],
    f: impl FnOnce([&[f32]; N]) -> R,
) -> Result<R> {
    let dense: Vec<Tensor> = tensors.iter().map(|t| t.contiguous()).collect::<Result<_>>()?;
    let guards: Vec<_> = dense.iter().map(Tensor::storage_and_layout).collect();
    let mut slices: [&[f32]; N] = [&[]; N];
    for (place, (storage, layout)) in slices.iter_mut().zip(&guards) {
        let candle_core::Storage::Cpu(storage) = &**storage else {
            candle_core::bail!("a kernel's operand left the CPU")
        };
        *place = slice(storage, layout)?;
    }
    Ok(f(slices))
}

fn tensor(values: Vec<f32>, like: &Tensor) -> Result<Option<Tensor>> {
    Tensor::from_vec(values, like.shape(), like.device()).map(Some)
}

struct Linear;
impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }
    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
        b: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let y = affine::forward(slice(x, xl)?, slice(w, wl)?, slice(b, bl)?);
        let (rows, _) = xl.shape().dims2()?;
        Ok((CpuStorage::F32(y), Shape::from((rows, bl.shape().elem_count()))))
    }
    fn bwd(&self, x: &Tensor, w: &Tensor, b: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Grads3> {
        let [dx, dw, db] = with_slices([x, w, dy], |[x, w, dy]| affine::backward(x, w, dy, b.elem_count()))?;
        Ok((tensor(dx, x)?, tensor(dw, w)?, tensor(db, b)?))
    }
}

struct Norm;
impl CustomOp2 for Norm {
    fn name(&self) -> &'static str {
        "rms_norm"
    }
    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        g: &CpuStorage,
        gl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(norm::forward(slice(x, xl)?, slice(g, gl)?)), xl.shape().clone()))
    }
    fn bwd(
        &self,
        x: &Tensor,
        gain: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [dx, dgain] = with_slices([x, gain, dy], |[x, gain, dy]| norm::backward(x, gain, dy))?;
        Ok((tensor(dx, x)?, tensor(dgain, gain)?))
    }
}

struct Conv {
    side: usize,
}
impl CustomOp3 for Conv {
    fn name(&self) -> &'static str {
        "conv_block"
    }
    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
        b: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let y = conv::forward(slice(x, xl)?, slice(w, wl)?, slice(b, bl)?, self.side);
        Ok((CpuStorage::F32(y), xl.shape().clone()))
    }
    fn bwd(&self, x: &Tensor, w: &Tensor, b: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Grads3> {
        let channels = b.elem_count();
        let [dx, dw, db] =
            with_slices([x, w, dy], |[x, w, dy]| conv::backward(x, w, dy, self.side, channels))?;
        Ok((tensor(dx, x)?, tensor(dw, w)?, tensor(db, b)?))
    }
}

struct Gelu;
impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }
    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = slice(x, xl)?.iter().map(|&x| scalar::gelu(x)).collect();
        Ok((CpuStorage::F32(y), xl.shape().clone()))
    }
    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dx = with_slices([x, dy], |[x, dy]| {
            x.iter().zip(dy).map(|(&x, dy)| scalar::gelu_slope(x) * dy).collect()
        })?;
        tensor(dx, x)
    }
}

struct Attention {
    packing: Packing,
    heads: Heads,
}
impl CustomOp1 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }
    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, _) = layout.shape().dims2()?;
        let out =
            attention::forward(slice(qkv, layout)?, &self.packing.turns, &self.packing.spans, &self.heads);
        Ok((CpuStorage::F32(out), Shape::from((n, self.heads.width))))
    }
    fn bwd(&self, qkv: &Tensor, _: &Tensor, dout: &Tensor) -> Result<Option<Tensor>> {
        let dqkv = with_slices([qkv, dout], |[qkv, dout]| {
            attention::backward(qkv, &self.packing.turns, &self.packing.spans, &self.heads, dout)
        })?;
        tensor(dqkv, qkv)
    }
}

type Grads3 = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    fn wave(n: usize, step: f64) -> Vec<f32> {
        (0..n).map(|i| ((i as f64 * step).sin() * 0.8) as f32).collect()
    }

    fn var(shape: &[usize], step: f64) -> Var {
        let n = shape.iter().product();
        Var::from_tensor(&Tensor::from_vec(wave(n, step), shape, &Device::Cpu).unwrap()).unwrap()
    }

    /// Σ y·wave as a scalar, so that every output matters differently.
    fn probe(y: &Tensor) -> Tensor {
        let weights = Tensor::from_vec(wave(y.elem_count(), 0.713), y.shape(), y.device()).unwrap();
        (y * weights).unwrap().sum_all().unwrap()
    }

    /// The fused operation against its composed form, value and every gradient, and against differences.
    fn check(vars: &[&Var], fused: impl Fn() -> Result<Tensor>, composed: impl Fn() -> Result<Tensor>) {
        let (a, b) = (fused().unwrap(), composed().unwrap());
        assert_eq!(a.dims(), b.dims());
        assert!((&a - &b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap() < 2e-5);
        let (ga, gb) = (probe(&a).backward().unwrap(), probe(&b).backward().unwrap());
        for var in vars {
            let (x, y) = (ga.get(var).unwrap(), gb.get(var).unwrap());
            let gap = (x - y).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            let size = y.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(size > 0.0 && gap < 1e-4 * size.max(1.0), "gradients differ by {gap} of {size}");
            let flat = var.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let grads = x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            for at in [0, flat.len() / 2, flat.len() - 1] {
                let at_offset = |offset: f32| {
                    let mut moved = flat.clone();
                    moved[at] += offset;
                    var.set(&Tensor::from_vec(moved, var.shape(), &Device::Cpu).unwrap()).unwrap();
                    f64::from(probe(&fused().unwrap()).to_scalar::<f32>().unwrap())
                };
                let slope = (at_offset(1e-2) - at_offset(-1e-2)) / 2e-2;
                at_offset(0.0);
                let gap = (slope - f64::from(grads[at])).abs();
                assert!(gap < 5e-3 * slope.abs().max(1.0), "difference {slope}, gradient {}", grads[at]);
            }
        }
    }

    #[test]
    fn linear_is_right() {
        let (x, w, b) = (var(&[5, 6], 0.3), var(&[6, 4], 0.7), var(&[4], 1.1));
        check(&[&x, &w, &b], || linear(&x, &w, &b, Products::Float), || x.matmul(&w)?.broadcast_add(&b));
    }

    #[test]
    fn norm_is_right() {
        let (x, g) = (var(&[5, 12], 0.3), var(&[12], 0.7));
        check(&[&x, &g], || rms_norm(&x, &g), || composed_norm(&x)?.broadcast_mul(&g));
    }

    #[test]
    fn gelu_is_right() {
        let x = var(&[5, 12], 0.3);
        check(&[&x], || gelu(&x), || composed_gelu(&x));
    }

    #[test]
    fn conv_block_is_right() {
        // Six images: a full group of four and a rest.
        let (x, w, b) = (var(&[6, 16, 8], 0.37), var(&[72, 8], 0.7), var(&[8], 1.1));
        let composed = || {
            let active = composed_gelu(&composed_norm(&x)?)?.transpose(1, 2)?.reshape((6, 8, 4, 4))?;
            let kernel = w.reshape((3, 3, 8, 8))?.permute((3, 2, 0, 1))?.contiguous()?;
            let y = active.contiguous()?.conv2d(&kernel, 1, 1, 1, 1)?;
            x.as_tensor() + y.reshape((6, 8, 16))?.transpose(1, 2)?.broadcast_add(&b)?
        };
        check(&[&x, &w, &b], || conv_block(&x, &w, &b, 4, Products::Float), composed);
    }

    #[test]
    fn attention_is_right() {
        let packing = Packing {
            turns: Arc::new(vec![0, 0, 0, 1, 1, 2, 0, 0, 1]),
            spans: Arc::new(vec![(0, 6), (6, 9)]),
        };
        let heads = Heads { width: 8, slopes: vec![0.0, 1.5] };
        let qkv = var(&[9, 24], 0.37);
        let float = Products::Float;
        check(
            &[&qkv],
            || attention(&qkv, &packing, &heads, float),
            || composed_attention(&qkv, &packing, &heads, float),
        );
    }

    #[test]
    fn log_probs_are_normalised_and_differentiable() {
        let logits = var(&[3, 5], 0.9);
        let targets = Tensor::from_vec(vec![0u32, 3, 4], 3, &Device::Cpu).unwrap();
        let all: f32 = (0..5u32)
            .map(|t| {
                let targets = Tensor::from_vec(vec![t; 3], 3, &Device::Cpu).unwrap();
                log_probs(&logits, &targets).unwrap().get(0).unwrap().to_scalar::<f32>().unwrap().exp()
            })
            .sum();
        assert!((all - 1.0).abs() < 1e-5);
        let grads = log_probs(&logits, &targets).unwrap().sum_all().unwrap().backward().unwrap();
        let grad = grads.get(&logits).unwrap().get(0).unwrap().to_vec1::<f32>().unwrap();
        assert!((grad.iter().sum::<f32>()).abs() < 1e-5 && grad[0] > 0.0);
    }
}
