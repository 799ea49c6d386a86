//! Causal multi-head attention over packed sequences with a bias for turn distance.
//!
//! Tokens of all sequences stand one after another, `qkv [n, 3·d]` (queries, keys, values; heads side by
//! side), without padding. A head with slope `s` subtracts `s·(turn of the query − turn of the key)` from its
//! scores: ALiBi (Press et al., 2022) with turns for tokens. Slope 0 sees the whole episode, a steep one the
//! current turn, so a small network need not learn which image is the newest.

use super::norm::dot;
use super::scalar::exp;

/// How the heads are laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct Heads {
    /// Width of all heads together.
    pub width: usize,
    /// One slope a head.
    pub slopes: Vec<f32>,
}

impl Heads {
    fn size(&self) -> usize {
        self.width / self.slopes.len()
    }

    fn scale(&self) -> f32 {
        1.0 / (self.size() as f32).sqrt()
    }
}

/// Keys and values of one layer and one episode, `[len, d]` each, and the turn of every position.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    /// Keys.
    pub keys: Vec<f32>,
    /// Values.
    pub values: Vec<f32>,
}

/// Forward over whole sequences: `spans` are `start..end` rows of `qkv`; → `[n, d]`.
#[must_use]
pub fn forward(qkv: &[f32], turns: &[u32], spans: &[(usize, usize)], heads: &Heads) -> Vec<f32> {
    let d = heads.width;
    let mut out = vec![0.0; turns.len() * d];
    let mut head = Head::default();
    for &(start, end) in spans {
        let turns = &turns[start..end];
        let rows = &qkv[start * 3 * d..end * 3 * d];
        for (h, &slope) in heads.slopes.iter().enumerate() {
            head.load(rows, d, h * heads.size(), heads.size());
            for i in 0..turns.len() {
                head.weights(i, turns, slope, heads.scale());
                let out = &mut out[(start + i) * d + h * heads.size()..][..heads.size()];
                mix(&head.probs[..=i], &head.v, out);
            }
        }
    }
    out
}

/// Backward: gradient of `qkv` from `dout [n, d]`. The weights are recomputed rather than kept.
#[must_use]
pub fn backward(
    qkv: &[f32],
    turns: &[u32],
    spans: &[(usize, usize)],
    heads: &Heads,
    dout: &[f32],
) -> Vec<f32> {
    let d = heads.width;
    let size = heads.size();
    let scale = heads.scale();
    let mut dqkv = vec![0.0; qkv.len()];
    let mut head = Head::default();
    let mut slopes_of_probs = Vec::new();
    for &(start, end) in spans {
        let turns = &turns[start..end];
        let rows = &qkv[start * 3 * d..end * 3 * d];
        let drows = &mut dqkv[start * 3 * d..end * 3 * d];
        for (h, &slope) in heads.slopes.iter().enumerate() {
            head.load(rows, d, h * size, size);
            let len = turns.len();
            let (mut dk, mut dv) = (vec![0.0; len * size], vec![0.0; len * size]);
            for i in 0..len {
                head.weights(i, turns, slope, scale);
                let probs = &head.probs[..=i];
                let dout = &dout[(start + i) * d + h * size..][..size];
                slopes_of_probs.clear();
                slopes_of_probs.extend(head.v.chunks_exact(size).take(i + 1).map(|v| dot(v, dout)));
                let mean = dot(probs, &slopes_of_probs);
                let q = &head.q[i * size..][..size];
                let mut dq = [0.0f32; 64];
                for j in 0..=i {
                    let p = probs[j];
                    let ds = p * (slopes_of_probs[j] - mean) * scale;
                    let k = &head.k[j * size..][..size];
                    let (dk, dv) = (&mut dk[j * size..][..size], &mut dv[j * size..][..size]);
                    for t in 0..size {
                        dv[t] += p * dout[t];
                        dk[t] += ds * q[t];
                        dq[t] += ds * k[t];
                    }
                }
                drows[i * 3 * d + h * size..][..size].copy_from_slice(&dq[..size]);
            }
            for j in 0..len {
                drows[j * 3 * d + d + h * size..][..size].copy_from_slice(&dk[j * size..][..size]);
                drows[j * 3 * d + 2 * d + h * size..][..size].copy_from_slice(&dv[j * size..][..size]);
            }
        }
    }
    dqkv
}

/// Appends the new rows of one episode to its cache and attends from them to everything so far. `turns` are
/// of all positions, old and new; → `[new, d]` appended to `out`.
pub fn extend(qkv: &[f32], turns: &[u32], cache: &mut Cache, heads: &Heads, out: &mut Vec<f32>) {
    let d = heads.width;
    let size = heads.size();
    let new = qkv.len() / (3 * d);
    let old = turns.len() - new;
    for row in qkv.chunks_exact(3 * d) {
        cache.keys.extend_from_slice(&row[d..2 * d]);
        cache.values.extend_from_slice(&row[2 * d..]);
    }
    let base = out.len();
    out.resize(base + new * d, 0.0);
    let mut probs = Vec::with_capacity(turns.len());
    for (i, row) in qkv.chunks_exact(3 * d).enumerate() {
        let last = old + i;
        for (h, &slope) in heads.slopes.iter().enumerate() {
            let q = &row[h * size..][..size];
            probs.clear();
            probs.extend((0..=last).map(|j| dot(q, &cache.keys[j * d + h * size..][..size])));
            finish(&mut probs, turns, slope, heads.scale());
            let out = &mut out[base + i * d + h * size..][..size];
            for (p, v) in probs.iter().zip(cache.values.chunks_exact(d)) {
                for (out, v) in out.iter_mut().zip(&v[h * size..][..size]) {
                    *out += p * v;
                }
            }
        }
    }
}

/// One head of one sequence, gathered.
#[derive(Default)]
struct Head {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    probs: Vec<f32>,
    size: usize,
}

impl Head {
    fn load(&mut self, rows: &[f32], d: usize, from: usize, size: usize) {
        self.size = size;
        for (part, place) in [&mut self.q, &mut self.k, &mut self.v].into_iter().zip([0, d, 2 * d]) {
            part.clear();
            for row in rows.chunks_exact(3 * d) {
                part.extend_from_slice(&row[place + from..][..size]);
            }
        }
    }

    /// Attention weights of query `i` over keys `0..=i`, into `probs`.
    fn weights(&mut self, i: usize, turns: &[u32], slope: f32, scale: f32) {
        let q = &self.q[i * self.size..][..self.size];
        self.probs.clear();
        self.probs.extend(self.k.chunks_exact(self.size).take(i + 1).map(|k| dot(q, k)));
        finish(&mut self.probs, turns, slope, scale);
    }
}

/// Raw products to weights: scale, bias, softmax.
#[inline]
fn finish(scores: &mut [f32], turns: &[u32], slope: f32, scale: f32) {
    let now = turns[scores.len() - 1];
    let mut top = f32::NEG_INFINITY;
    for (score, &turn) in scores.iter_mut().zip(turns) {
        *score = *score * scale - slope * (now - turn) as f32;
        top = top.max(*score);
    }
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = exp(*score - top);
        sum += *score;
    }
    let inverse = 1.0 / sum;
    for score in scores.iter_mut() {
        *score *= inverse;
    }
}

/// `out += Σ probs·v`, out starting at zero.
#[inline]
fn mix(probs: &[f32], v: &[f32], out: &mut [f32]) {
    for (p, v) in probs.iter().zip(v.chunks_exact(out.len())) {
        for (out, v) in out.iter_mut().zip(v) {
            *out += p * v;
        }
    }
}
