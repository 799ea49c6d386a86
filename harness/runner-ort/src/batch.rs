//! Keys and values of a few episodes in one tensor, while they are decoded in lock-step.
//!
//! Episodes are of different lengths, so shorter ones are padded on the left and the mask says what is padding;
//! a row that has nothing to append gets padding as well. A masked key has weight exactly 0.

use ort::value::DynValue;

use crate::graph::{floats, integers, read, Port};
use crate::model::Model;
use crate::Error;

/// Keys and values of one episode so far: `[heads, len, size]` for each part.
#[derive(Clone, Default, Debug)]
pub(crate) struct Memory {
    pub len: usize,
    parts: Vec<Vec<f32>>,
}

/// Tokens to append to one row.
#[derive(Clone, Default, Debug)]
pub(crate) struct New {
    /// `[n, width]`.
    pub embeds: Vec<f32>,
    /// `[n]`.
    pub positions: Vec<i64>,
}

/// Rows in lock-step.
pub(crate) struct Batch {
    /// Which cached places of each row are real.
    real: Vec<Vec<bool>>,
    cache: Vec<DynValue>,
}

impl Batch {
    pub fn gather(model: &Model, memories: Vec<Memory>) -> Result<Self, Error> {
        let longest = memories.iter().map(|m| m.len).max().unwrap_or(0);
        let real = memories.iter().map(|m| (0..longest).map(|t| t >= longest - m.len).collect()).collect();
        let mut cache = Vec::with_capacity(model.parts.len());
        for (p, part) in model.parts.iter().enumerate() {
            let row = longest * part.size;
            let mut all = vec![0.0; memories.len() * part.heads * row];
            for (memory, rows) in memories.iter().zip(all.chunks_exact_mut((part.heads * row).max(1))) {
                let own = memory.len * part.size;
                if own > 0 {
                    for (from, to) in memory.parts[p].chunks_exact(own).zip(rows.chunks_exact_mut(row)) {
                        to[row - own..].copy_from_slice(from);
                    }
                }
            }
            cache.push(floats(&part.past, &[memories.len(), part.heads, longest, part.size], all)?);
        }
        Ok(Self { real, cache })
    }

    /// Appends to every row and returns the logits behind each one's last token, `[rows, v]`; those of a row
    /// without new tokens mean nothing.
    pub fn step(&mut self, model: &mut Model, new: &[New]) -> Result<Vec<Vec<f32>>, Error> {
        let longest = new.iter().map(|n| n.positions.len()).max().unwrap_or(0);
        let (b, d) = (new.len(), model.width);
        let mut embeds = vec![0.0; b * longest * d];
        let mut positions = vec![0; b * longest];
        for (i, (new, real)) in new.iter().zip(&mut self.real).enumerate() {
            let pad = longest - new.positions.len();
            embeds[(i * longest + pad) * d..][..new.embeds.len()].copy_from_slice(&new.embeds);
            positions[i * longest + pad..][..new.positions.len()].copy_from_slice(&new.positions);
            real.extend((0..longest).map(|t| t >= pad));
        }
        let total = self.real.first().map_or(0, Vec::len);
        let mask = self.real.iter().flatten().map(|&real| i64::from(real)).collect();
        let port = model.decoder.input("inputs_embeds")?.clone();
        let inputs = (
            floats(&port, &[b, longest, d], embeds)?,
            integers(&[b, total], mask)?,
            integers(&[b, longest], positions)?,
        );
        let mut out = model.decode(inputs, std::mem::take(&mut self.cache))?;
        self.cache = out.split_off(1);
        let (dims, logits) = read(&out[0]).map_err(|e| model.decoder.failed(e))?;
        let [rows, places @ .., vocab] = &dims[..] else {
            return Err(model.decoder.refuse(format!("`logits` are {dims:?}")));
        };
        let (rows, vocab, places) = (*rows, *vocab, places.iter().product::<usize>());
        if rows != b || places == 0 || vocab == 0 {
            return Err(model.decoder.refuse(format!("`logits` are {dims:?} for {b} rows of {longest}")));
        }
        Ok(logits.chunks_exact(places * vocab).map(|row| row[(places - 1) * vocab..].to_vec()).collect())
    }

    /// The rows as memories again, without padding.
    pub fn scatter(self, model: &Model) -> Result<Vec<Memory>, Error> {
        let len = |real: &Vec<bool>| real.iter().filter(|r| **r).count();
        let mut memories: Vec<Memory> =
            self.real.iter().map(|real| Memory { len: len(real), parts: Vec::new() }).collect();
        for (part, value) in model.parts.iter().zip(&self.cache) {
            let (dims, all) = read(value).map_err(|e| model.decoder.failed(e))?;
            let total = self.real.first().map_or(0, Vec::len);
            if dims != [self.real.len(), part.heads, total, part.size] {
                return Err(mismatch(model, &part.past, &part.present, &dims, total));
            }
            let row = part.heads * total * part.size;
            for ((memory, real), rows) in
                memories.iter_mut().zip(&self.real).zip(all.chunks_exact(row.max(1)))
            {
                let mut own = Vec::with_capacity(part.heads * memory.len * part.size);
                for head in rows.chunks_exact(total * part.size) {
                    for (place, _) in head.chunks_exact(part.size).zip(real).filter(|(_, real)| **real) {
                        own.extend_from_slice(place);
                    }
                }
                memory.parts.push(own);
            }
        }
        Ok(memories)
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.real.len()
    }
}

fn mismatch(model: &Model, past: &Port, present: &str, dims: &[usize], total: usize) -> Error {
    let want = format!("[{}, {}, {total}, {}]", "batch", past.dims[1], past.dims[3]);
    model.decoder.refuse(format!("`{present}` came out as {dims:?}, not {want}: the cache does not fit"))
}
