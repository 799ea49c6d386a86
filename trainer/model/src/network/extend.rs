//! Decoding: tokens appended to episodes whose earlier keys and values are remembered.

use candle_core::{Device, Tensor};

use super::{Affine, Layer, Network};
use crate::kernels::attention::{self, Cache, Heads, Scratch};
use crate::kernels::{linear, norm, scalar};
use crate::ops::{self, Products};
use crate::Error;

/// Room that a copy of a memory has for more tokens: a reply, the next picture and the next reply.
const ROOM: usize = 48;

/// Keys and values of an episode so far.
#[derive(Debug, Default)]
pub struct Memory {
    layers: Vec<Cache>,
    turns: Vec<u32>,
}

impl Memory {
    /// Tokens remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.turns.len()
    }

    /// Nothing yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }
}

/// One piece of an episode to append.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// An image's tokens, `[image_tokens, d]`.
    Image(&'a [f32]),
    /// Token ids.
    Ids(&'a [u32]),
}

/// Pieces of one turn to append, from a slot on.
#[derive(Clone, Debug)]
pub struct Extension<'a> {
    /// The turn.
    pub turn: u32,
    /// Slot of the first appended token.
    pub slot: u32,
    /// What to append.
    pub pieces: Vec<Piece<'a>>,
}

impl Network {
    /// A copy of a memory that can go another way.
    #[must_use]
    pub fn fork(&self, memory: &Memory) -> Memory {
        let mut turns = Vec::with_capacity(memory.turns.len() + ROOM);
        turns.extend_from_slice(&memory.turns);
        let layers = memory.layers.iter().map(|cache| cache.fork(ROOM, self.config.width)).collect();
        Memory { layers, turns }
    }

    /// Appends to each memory, one extension after the other, and returns the logits `[b, v]` behind each one's
    /// last token, row after row. A memory's bits do not depend on the others, nor on whether its tokens come in
    /// one call or in several.
    ///
    /// # Errors
    /// If a turn grows past `slots`, or the device refuses.
    ///
    /// # Panics
    /// If a memory has nothing to append.
    pub fn extend(
        &self,
        memories: &mut [&mut Memory],
        new: &[Vec<Extension<'_>>],
    ) -> Result<Vec<f32>, Error> {
        let (x, counts) = self.embed(memories, new)?;
        if self.params.device().is_cpu() && self.products == Products::Float {
            return Ok(self.extend_slices(x, memories, &counts)?);
        }
        Ok(self.extend_tensors(x, memories, &counts)?)
    }

    /// The new tokens' embeddings, `[n, d]`, and how many each memory gets. Registers their turns.
    fn embed(
        &self,
        memories: &mut [&mut Memory],
        new: &[Vec<Extension<'_>>],
    ) -> Result<(Vec<f32>, Vec<usize>), Error> {
        let (d, slots) = (self.config.width, self.config.slots);
        let tables =
            [&self.frozen.embedding, &self.frozen.positions].map(|table| table.to_device(&Device::Cpu));
        let [embedding, positions] = tables;
        let (mut x, mut counts) = (Vec::new(), Vec::with_capacity(new.len()));
        ops::with_slices([&embedding?, &positions?], |[embedding, positions]| {
            for (memory, extensions) in memories.iter_mut().zip(new) {
                let before = x.len() / d;
                for Extension { turn, slot, pieces } in extensions {
                    let start = x.len();
                    for piece in pieces {
                        match piece {
                            Piece::Image(tokens) => x.extend_from_slice(tokens),
                            Piece::Ids(ids) => {
                                for &id in *ids {
                                    x.extend_from_slice(&embedding[id as usize * d..][..d]);
                                }
                            }
                        }
                    }
                    let (count, first) = ((x.len() - start) / d, *slot as usize);
                    if first + count > slots {
                        let reason = format!("a turn of {} tokens, {slots} fit", first + count);
                        return Err(Error::Config(reason));
                    }
                    let places = positions[first * d..].iter();
                    x[start..].iter_mut().zip(places).for_each(|(x, position)| *x += position);
                    memory.turns.extend(std::iter::repeat_n(*turn, count));
                }
                counts.push(x.len() / d - before);
                assert!(counts.last() != Some(&0), "an empty extension has no last token");
                memory.layers.resize_with(self.config.layers, Cache::default);
            }
            Ok(())
        })??;
        Ok((x, counts))
    }

    /// On the CPU: kernels on slices in buffers that all layers share.
    fn extend_slices(
        &self,
        mut x: Vec<f32>,
        memories: &mut [&mut Memory],
        counts: &[usize],
    ) -> candle_core::Result<Vec<f32>> {
        let d = self.config.width;
        let (heads, mut room) = (self.config.heads(), Room::default());
        for (l, layer) in self.frozen.layers.iter().enumerate() {
            layer.extend(&mut x, memories, counts, (l, &heads), &mut room)?;
        }
        let mut last = Vec::with_capacity(counts.len() * d);
        for end in ends(counts) {
            last.extend_from_slice(&x[(end - 1) * d..end * d]);
        }
        let Affine { w, b, .. } = &self.frozen.head;
        ops::with_slices([&self.frozen.norm, w, b], |[gain, w, b]| {
            linear::forward(&norm::forward(&last, gain), w, b)
        })
    }

    /// On any device: candle's operations, but for attention, which stays on the host beside the memories.
    fn extend_tensors(
        &self,
        x: Vec<f32>,
        memories: &mut [&mut Memory],
        counts: &[usize],
    ) -> candle_core::Result<Vec<f32>> {
        let (d, device) = (self.config.width, self.params.device());
        let heads = self.config.heads();
        let mut x = Tensor::from_vec(x, (counts.iter().sum::<usize>(), d), device)?;
        for (l, layer) in self.frozen.layers.iter().enumerate() {
            x = layer.apply(&x, |qkv| {
                let (rows, _) = qkv.dims2()?;
                let mut out = vec![0.0; rows * d];
                ops::with_slices([&qkv.to_device(&Device::Cpu)?], |[qkv]| {
                    attend(qkv, memories, counts, (l, &heads), &mut out);
                })?;
                Tensor::from_vec(out, (rows, d), device)
            })?;
        }
        let last: Vec<u32> = ends(counts).map(|end| end as u32 - 1).collect();
        let x = x.index_select(&Tensor::from_slice(&last, last.len(), device)?, 0)?;
        self.frozen.head.apply(&ops::rms_norm(&x, &self.frozen.norm)?)?.flatten_all()?.to_vec1::<f32>()
    }
}

/// Where each memory's new rows end.
fn ends(counts: &[usize]) -> impl Iterator<Item = usize> + '_ {
    counts.iter().scan(0, |end, count| {
        *end += count;
        Some(*end)
    })
}

/// Every memory's new rows `qkv [n, 3·d]` of layer `l` into its cache, and what they see into `out [n, d]`.
fn attend(
    qkv: &[f32],
    memories: &mut [&mut Memory],
    counts: &[usize],
    (l, heads): (usize, &Heads),
    out: &mut [f32],
) {
    let (d, mut scratch) = (heads.width, Scratch::default());
    for ((memory, count), end) in memories.iter_mut().zip(counts).zip(ends(counts)) {
        let start = end - count;
        let (rows, out) = (&qkv[start * 3 * d..end * 3 * d], &mut out[start * d..end * d]);
        attention::extend(rows, &memory.turns, &mut memory.layers[l], heads, &mut scratch, out);
    }
}

/// Buffers that the layers share.
#[derive(Default)]
struct Room {
    normed: Vec<f32>,
    wide: Vec<f32>,
    narrow: Vec<f32>,
}

impl Layer {
    /// [`Layer::apply`] in place, `x [n, d]`: the same operations in the same order, hence the same bits.
    fn extend(
        &self,
        x: &mut [f32],
        memories: &mut [&mut Memory],
        counts: &[usize],
        at: (usize, &Heads),
        Room { normed, wide, narrow }: &mut Room,
    ) -> candle_core::Result<()> {
        let add = |x: &mut [f32], y: &[f32]| x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
        let tensors = [&self.norm_in, &self.qkv.w, &self.qkv.b, &self.out.w, &self.out.b];
        ops::with_slices(tensors, |[gain, qkv, qkv_bias, out, out_bias]| {
            norm::forward_into(x, gain, normed);
            linear::forward_into(normed, qkv, qkv_bias, wide);
            attend(wide, memories, counts, at, normed);
            linear::forward_into(normed, out, out_bias, narrow);
            add(x, narrow);
        })?;
        let tensors = [&self.norm_mid, &self.up.w, &self.up.b, &self.down.w, &self.down.b];
        ops::with_slices(tensors, |[gain, up, up_bias, down, down_bias]| {
            norm::forward_into(x, gain, normed);
            linear::forward_into(normed, up, up_bias, wide);
            scalar::gelu_all(wide);
            linear::forward_into(wide, down, down_bias, narrow);
            add(x, narrow);
        })
    }
}
