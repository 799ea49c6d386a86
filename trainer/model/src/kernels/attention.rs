//! Causal multi-head attention over packed sequences with a bias for turn distance.
//!
//! Tokens of all sequences stand one after another, `qkv [n, 3·d]` (queries, keys, values; heads side by
//! side), without padding. A head with slope `s` subtracts `s·(turn of the query − turn of the key)` from its
//! scores: ALiBi (Press et al., 2022) with turns for tokens. Slope 0 sees the whole episode, a steep one the
//! current turn, so a small network need not learn which image is the newest.
//!
//! Keys are also kept in *blocks* of eight, transposed (number `t` of the block's key `j` at `8·t + j`), so that one
//! query meets eight keys at once. Every sum has the order that [`dot`] and a loop over keys give it, whatever the
//! blocks: the tests hold the kernels against such loops, to the bit.

use super::norm::dot;
use super::scalar::exp;

/// Keys of a block.
const BLOCK: usize = 8;

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

/// Keys and values of one layer and one episode.
#[derive(Debug, Default)]
pub struct Cache {
    /// Blocks of keys, `[⌈len/8⌉, d, 8]`, zeros behind the last key.
    keys: Vec<f32>,
    /// `[len, d]`.
    values: Vec<f32>,
}

impl Cache {
    /// A copy with room for `more` positions of width `d`.
    #[must_use]
    pub fn fork(&self, more: usize, d: usize) -> Self {
        let copy = |from: &[f32], room: usize| {
            let mut to = Vec::with_capacity(from.len() + room);
            to.extend_from_slice(from);
            to
        };
        Self { keys: copy(&self.keys, (more + BLOCK) * d), values: copy(&self.values, more * d) }
    }

    fn push(&mut self, key: &[f32], value: &[f32]) {
        let d = value.len();
        let at = self.values.len() / d;
        if at.is_multiple_of(BLOCK) {
            self.keys.resize(self.keys.len() + BLOCK * d, 0.0);
        }
        put(key, &mut self.keys[at / BLOCK * BLOCK * d..], at % BLOCK);
        self.values.extend_from_slice(value);
    }
}

/// Room for one query's scores.
#[derive(Default)]
pub struct Scratch {
    scores: Vec<f32>,
    distances: Vec<f32>,
}

impl Scratch {
    /// Makes room for a query of turn `now` among these turns, itself the last.
    fn start(&mut self, turns: &[u32]) {
        let now = turns[turns.len() - 1];
        self.distances.clear();
        self.distances.extend(turns.iter().map(|turn| (now - turn) as f32));
        self.scores.resize(turns.len().next_multiple_of(BLOCK), 0.0);
    }

    /// The attention weights of query `q` over the first keys of `blocks`, whose blocks are `stride` apart.
    #[inline]
    fn weights(&mut self, q: &[f32], blocks: &[f32], stride: usize, slope: f32, scale: f32) -> &[f32] {
        products(q, blocks, stride, &mut self.scores);
        soften(&mut self.scores, &self.distances, slope, scale);
        &self.scores[..self.distances.len()]
    }
}

/// Forward over whole sequences: `spans` are `start..end` rows of `qkv`; → `[n, d]`.
#[must_use]
pub fn forward(qkv: &[f32], turns: &[u32], spans: &[(usize, usize)], heads: &Heads) -> Vec<f32> {
    let (d, size) = (heads.width, heads.size());
    let mut out = vec![0.0; turns.len() * d];
    let (mut head, mut scratch) = (Head::default(), Scratch::default());
    for &(start, end) in spans {
        let turns = &turns[start..end];
        let rows = &qkv[start * 3 * d..end * 3 * d];
        for (h, &slope) in heads.slopes.iter().enumerate() {
            head.load(rows, d, h * size, size);
            for i in 0..turns.len() {
                scratch.start(&turns[..=i]);
                let q = &head.q[i * size..][..size];
                let probs = scratch.weights(q, &head.key_blocks, BLOCK * size, slope, heads.scale());
                mix(probs, &head.v, size, &mut out[(start + i) * d + h * size..][..size]);
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
    let (d, size, scale) = (heads.width, heads.size(), heads.scale());
    let mut dqkv = vec![0.0; qkv.len()];
    let (mut head, mut scratch) = (Head::default(), Scratch::default());
    let mut slopes = Vec::new();
    for &(start, end) in spans {
        let turns = &turns[start..end];
        let rows = &qkv[start * 3 * d..end * 3 * d];
        let drows = &mut dqkv[start * 3 * d..end * 3 * d];
        for (h, &slope) in heads.slopes.iter().enumerate() {
            head.load(rows, d, h * size, size);
            head.start_gradients();
            for i in 0..turns.len() {
                scratch.start(&turns[..=i]);
                let q = &head.q[i * size..][..size];
                let probs = scratch.weights(q, &head.key_blocks, BLOCK * size, slope, scale);
                let dout = &dout[(start + i) * d + h * size..][..size];
                // The slope of the loss in each weight, then in each score.
                slopes.resize(probs.len().next_multiple_of(BLOCK), 0.0);
                products(dout, &head.value_blocks, BLOCK * size, &mut slopes);
                let mean = dot(probs, &slopes[..probs.len()]);
                for (slope, p) in slopes.iter_mut().zip(probs) {
                    *slope = p * (*slope - mean) * scale;
                }
                let pull = Pull { probs, slopes: &slopes, q, dout, size };
                let dq = &mut drows[i * 3 * d + h * size..][..size];
                pull.apply(&head.k, dq, &mut head.dk, &mut head.dv);
            }
            for ((row, dk), dv) in
                drows.chunks_exact_mut(3 * d).zip(head.dk.chunks_exact(size)).zip(head.dv.chunks_exact(size))
            {
                row[d + h * size..][..size].copy_from_slice(dk);
                row[2 * d + h * size..][..size].copy_from_slice(dv);
            }
        }
    }
    dqkv
}

/// Appends the new rows of one episode to its cache and attends from them to everything so far. `turns` are
/// of all positions, old and new; → `[new, d]` into `out`.
pub fn extend(
    qkv: &[f32],
    turns: &[u32],
    cache: &mut Cache,
    heads: &Heads,
    scratch: &mut Scratch,
    out: &mut [f32],
) {
    let (d, size) = (heads.width, heads.size());
    for row in qkv.chunks_exact(3 * d) {
        cache.push(&row[d..2 * d], &row[2 * d..]);
    }
    let old = turns.len() - out.len() / d;
    for (i, (row, out)) in qkv.chunks_exact(3 * d).zip(out.chunks_exact_mut(d)).enumerate() {
        scratch.start(&turns[..=old + i]);
        for (h, &slope) in heads.slopes.iter().enumerate() {
            let q = &row[h * size..][..size];
            let probs = scratch.weights(q, &cache.keys[h * size * BLOCK..], BLOCK * d, slope, heads.scale());
            mix(probs, &cache.values[h * size..], d, &mut out[h * size..][..size]);
        }
    }
}

/// One head of one sequence, gathered.
#[derive(Default)]
struct Head {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    key_blocks: Vec<f32>,
    value_blocks: Vec<f32>,
    dk: Vec<f32>,
    dv: Vec<f32>,
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
        block(&self.k, size, &mut self.key_blocks);
    }

    /// What the backward pass needs besides.
    fn start_gradients(&mut self) {
        block(&self.v, self.size, &mut self.value_blocks);
        for grad in [&mut self.dk, &mut self.dv] {
            grad.clear();
            grad.resize(self.k.len(), 0.0);
        }
    }
}

/// `rows [len, size]` as blocks.
fn block(rows: &[f32], size: usize, blocks: &mut Vec<f32>) {
    let len = rows.len() / size;
    blocks.clear();
    blocks.resize(len.next_multiple_of(BLOCK) * size, 0.0);
    for (at, row) in rows.chunks_exact(size).enumerate() {
        put(row, &mut blocks[at / BLOCK * BLOCK * size..], at % BLOCK);
    }
}

/// One row into its place of a block.
#[inline]
fn put(row: &[f32], block: &mut [f32], at: usize) {
    for (x, cells) in row.iter().zip(block.chunks_exact_mut(BLOCK)) {
        cells[at] = *x;
    }
}

/// `out[j] = dot(q, key j)`, with the bits of [`dot`]; `out` is whole blocks long.
#[inline]
fn products(q: &[f32], blocks: &[f32], stride: usize, out: &mut [f32]) {
    for (b, out) in out.chunks_exact_mut(BLOCK).enumerate() {
        let keys = &blocks[b * stride..][..BLOCK * q.len()];
        let (q8, k8) = (q.chunks_exact(8), keys.chunks_exact(8 * BLOCK));
        let mut tail = [0.0f32; BLOCK];
        for (x, key) in q8.remainder().iter().zip(k8.remainder().chunks_exact(BLOCK)) {
            for j in 0..BLOCK {
                tail[j] += x * key[j];
            }
        }
        let mut lanes = [[0.0f32; BLOCK]; 8];
        for (q, k) in q8.zip(k8) {
            for (lane, sums) in lanes.iter_mut().enumerate() {
                for j in 0..BLOCK {
                    sums[j] += q[lane] * k[lane * BLOCK + j];
                }
            }
        }
        let mut sum = lanes[0];
        for lane in &lanes[1..] {
            for j in 0..BLOCK {
                sum[j] += lane[j];
            }
        }
        for j in 0..BLOCK {
            out[j] = sum[j] + tail[j];
        }
    }
}

/// Raw products to weights: scale, bias, softmax. What stands behind the distances is padding.
#[inline]
fn soften(scores: &mut [f32], distances: &[f32], slope: f32, scale: f32) {
    for (score, distance) in scores.iter_mut().zip(distances) {
        *score = *score * scale - slope * distance;
    }
    scores[distances.len()..].fill(f32::NEG_INFINITY);
    let mut tops = [f32::NEG_INFINITY; BLOCK];
    for part in scores.chunks_exact(BLOCK) {
        for j in 0..BLOCK {
            tops[j] = tops[j].max(part[j]);
        }
    }
    let top = tops.into_iter().fold(f32::NEG_INFINITY, f32::max);
    for part in scores.chunks_exact_mut(BLOCK) {
        for score in part {
            *score = exp(*score - top);
        }
    }
    let sum: f32 = scores[..distances.len()].iter().sum();
    let inverse = 1.0 / sum;
    for part in scores.chunks_exact_mut(BLOCK) {
        for score in part {
            *score *= inverse;
        }
    }
}

/// `out = Σ probs·v`, the rows of `v` `stride` apart.
#[inline]
fn mix(probs: &[f32], v: &[f32], stride: usize, out: &mut [f32]) {
    let mut at = 0;
    while at < out.len() {
        at += match out.len() - at {
            16.. => mix_part::<16>(probs, &v[at..], stride, &mut out[at..]),
            8.. => mix_part::<8>(probs, &v[at..], stride, &mut out[at..]),
            _ => mix_part::<1>(probs, &v[at..], stride, &mut out[at..]),
        };
    }
}

/// `S` numbers of [`mix`], summed in registers.
#[inline]
fn mix_part<const S: usize>(probs: &[f32], v: &[f32], stride: usize, out: &mut [f32]) -> usize {
    let mut sums = [0.0f32; S];
    for (p, v) in probs.iter().zip(v.chunks(stride)) {
        for (sum, v) in sums.iter_mut().zip(&v[..S]) {
            *sum += p * v;
        }
    }
    out[..S].copy_from_slice(&sums);
    S
}

/// One query's part in the gradients.
struct Pull<'a> {
    probs: &'a [f32],
    /// Slope of the loss in each score.
    slopes: &'a [f32],
    q: &'a [f32],
    dout: &'a [f32],
    size: usize,
}

impl Pull<'_> {
    /// `dq = Σ slope·k`, `dk += slope·q`, `dv += prob·dout`, keys in order.
    fn apply(&self, k: &[f32], dq: &mut [f32], dk: &mut [f32], dv: &mut [f32]) {
        let mut at = 0;
        while at < self.size {
            at += match self.size - at {
                16.. => self.part::<16>(at, k, dq, dk, dv),
                8.. => self.part::<8>(at, k, dq, dk, dv),
                _ => self.part::<1>(at, k, dq, dk, dv),
            };
        }
    }

    #[inline]
    fn part<const S: usize>(
        &self,
        at: usize,
        k: &[f32],
        dq: &mut [f32],
        dk: &mut [f32],
        dv: &mut [f32],
    ) -> usize {
        let (mut q, mut dout, mut sums) = ([0.0f32; S], [0.0f32; S], [0.0f32; S]);
        q.copy_from_slice(&self.q[at..][..S]);
        dout.copy_from_slice(&self.dout[at..][..S]);
        let rows =
            k.chunks_exact(self.size).zip(dk.chunks_exact_mut(self.size).zip(dv.chunks_exact_mut(self.size)));
        for ((p, ds), (k, (dk, dv))) in self.probs.iter().zip(self.slopes).zip(rows) {
            let (k, dk, dv) = (&k[at..][..S], &mut dk[at..][..S], &mut dv[at..][..S]);
            for t in 0..S {
                dv[t] += p * dout[t];
                dk[t] += ds * q[t];
                sums[t] += ds * k[t];
            }
        }
        dq[at..][..S].copy_from_slice(&sums);
        S
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(n: usize, step: f64) -> Vec<f32> {
        (0..n).map(|i| ((i as f64 * step).sin() * 1.7) as f32).collect()
    }

    /// One query's weights by loops over keys.
    fn plain_weights(q: &[f32], keys: &[&[f32]], turns: &[u32], slope: f32, scale: f32) -> Vec<f32> {
        let now = turns[keys.len() - 1];
        let mut scores: Vec<f32> =
            keys.iter().zip(turns).map(|(k, turn)| dot(q, k) * scale - slope * (now - turn) as f32).collect();
        let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for score in &mut scores {
            *score = exp(*score - top);
            sum += *score;
        }
        scores.iter().map(|x| x * (1.0 / sum)).collect()
    }

    /// Output and gradient by the definition, in the order that is promised.
    fn plain(qkv: &[f32], turns: &[u32], heads: &Heads, dout: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (d, size, scale, n) = (heads.width, heads.size(), heads.scale(), turns.len());
        let part = |i: usize, which: usize, h: usize| &qkv[i * 3 * d + which * d + h * size..][..size];
        let (mut out, mut grad) = (vec![0.0; n * d], vec![0.0; qkv.len()]);
        for (h, &slope) in heads.slopes.iter().enumerate() {
            for i in 0..n {
                let keys: Vec<&[f32]> = (0..=i).map(|j| part(j, 1, h)).collect();
                let probs = plain_weights(part(i, 0, h), &keys, turns, slope, scale);
                let dout = &dout[i * d + h * size..][..size];
                let pulls: Vec<f32> = (0..=i).map(|j| dot(part(j, 2, h), dout)).collect();
                let mean = dot(&probs, &pulls);
                for j in 0..=i {
                    let ds = probs[j] * (pulls[j] - mean) * scale;
                    for t in 0..size {
                        let at = |row: usize, which: usize| row * 3 * d + which * d + h * size + t;
                        out[i * d + h * size + t] += probs[j] * qkv[at(j, 2)];
                        grad[at(i, 0)] += ds * qkv[at(j, 1)];
                        grad[at(j, 1)] += ds * qkv[at(i, 0)];
                        grad[at(j, 2)] += probs[j] * dout[t];
                    }
                }
            }
        }
        (out, grad)
    }

    fn bits(x: &[f32]) -> Vec<u32> {
        x.iter().map(|x| x.to_bits()).collect()
    }

    #[test]
    fn the_kernels_have_the_bits_of_plain_loops() {
        for (width, count, n) in [(64, 4, 37), (64, 1, 9), (24, 2, 17), (12, 3, 8), (48, 2, 1)] {
            let heads = Heads { width, slopes: (0..count).map(|h| 1.5 * h as f32).collect() };
            let turns: Vec<u32> = (0..n).map(|i| i / 7).collect();
            let n = n as usize;
            let (qkv, dout) = (wave(n * 3 * width, 0.37), wave(n * width, 0.71));
            let (out, grad) = plain(&qkv, &turns, &heads, &dout);
            assert_eq!(bits(&forward(&qkv, &turns, &[(0, n)], &heads)), bits(&out), "{width} {count} {n}");
            let got = backward(&qkv, &turns, &[(0, n)], &heads, &dout);
            assert_eq!(bits(&got), bits(&grad), "{width} {count} {n}");
            // Piece by piece, with a fork on the way.
            let (mut cache, mut scratch, mut got) =
                (Cache::default(), Scratch::default(), vec![0.0; n * width]);
            let (mut at, pieces) = (0, [1, 5, 1, 11, 19]);
            for piece in pieces.into_iter().filter(|p| *p <= n) {
                let end = (at + piece).min(n);
                cache = cache.fork(3, width);
                let rows = &qkv[at * 3 * width..end * 3 * width];
                extend(
                    rows,
                    &turns[..end],
                    &mut cache,
                    &heads,
                    &mut scratch,
                    &mut got[at * width..end * width],
                );
                at = end;
            }
            assert_eq!(bits(&got[..at * width]), bits(&out[..at * width]), "{width} {count} {n}");
        }
    }
}
