//! The reference policy's network.
//!
//! ```text
//! image 64×64 ─ patches 8×8 ─ linear ─ conv blocks on the 8×8 grid ─ 2×2 pixel-unshuffle ─ linear ─ 16 tokens
//!   (where small signs must be read: finer patches, and conv blocks and a 2×2 fold on each finer grid before that)
//! token ids ── embedding ─────────────────────────────────────────────────────────────────────────┐
//!                     episode: [16 image tokens, marker, reply …] × turns ─ causal decoder ─ logits
//! ```
//! Every turn's image stands in the sequence, as in SmolVLM. A token's position is its slot within its turn;
//! turns are told apart by the attention's bias (see [`crate::kernels::attention`]).

use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::kernels::attention::Heads;
use crate::ops::{self, Packing, Products};
use crate::params::{from_safetensors, DTYPE};
use crate::{fit, Error, Params};

mod extend;
pub use extend::{Extension, Memory, Piece};

/// Sizes of the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Tokens of the vocabulary.
    pub vocab: usize,
    /// Patches on a side of the image.
    pub side: usize,
    /// Pixels on a side of a patch.
    pub patch: usize,
    /// What a pixel of the background is, in [-1, 1]; it is taken off every pixel. White paper is 1: with it in every
    /// patch nothing is learned of what stands on it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub paper: f32,
    /// Channels of the encoder.
    pub channels: usize,
    /// Convolution blocks of the encoder, on the grid behind all folds.
    pub blocks: usize,
    /// Convolution blocks on each finer grid; behind them 2×2 cells become one. Without any, patches are as large as
    /// they are to stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folds: Vec<usize>,
    /// Width of the decoder.
    pub width: usize,
    /// Layers of the decoder.
    pub layers: usize,
    /// Slope of the turn bias, one a head.
    pub slopes: Vec<f32>,
    /// Width of the decoder's hidden layer.
    pub hidden: usize,
    /// Longest turn in tokens, image included.
    pub slots: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(paper: &f32) -> bool {
    paper.abs() <= 0.0
}

impl Config {
    /// The quickstart's network.
    #[must_use]
    pub fn small(vocab: usize) -> Self {
        Self {
            vocab,
            side: 8,
            patch: 8,
            paper: 0.0,
            channels: 48,
            blocks: 8,
            folds: Vec::new(),
            width: 64,
            layers: 3,
            slopes: vec![0.0, 1.0, 4.0, 16.0],
            hidden: 192,
            slots: 64,
        }
    }

    /// Numbers of one patch: RGB.
    #[must_use]
    pub fn patch_len(&self) -> usize {
        self.patch * self.patch * 3
    }

    /// Numbers of one image, as [`Batch::patches`] orders them.
    #[must_use]
    pub fn image_len(&self) -> usize {
        self.side * self.side * self.patch_len()
    }

    /// Tokens an image becomes.
    #[must_use]
    pub fn image_tokens(&self) -> usize {
        self.grid() * self.grid() / 4
    }

    /// Cells on a side of the grid behind all folds; 0 where there are more folds than can be.
    fn grid(&self) -> usize {
        let folds = u32::try_from(self.folds.len()).unwrap_or(u32::MAX);
        self.side.checked_shr(folds).unwrap_or(0)
    }

    fn heads(&self) -> Heads {
        Heads { width: self.width, slopes: self.slopes.clone() }
    }

    /// Refuses sizes that do not fit together.
    ///
    /// # Errors
    /// [`Error::Config`] naming the size.
    pub fn validate(&self) -> Result<(), Error> {
        let bad = |what: &str| Err(Error::Config(what.to_owned()));
        let halves = self.folds.len() + 1;
        if self.side == 0 || halves > 16 || !self.side.is_multiple_of(1 << halves) {
            return bad(
                "`side` must halve once for each of `folds` and once more: 2×2 cells become one token",
            );
        }
        if self.slopes.is_empty()
            || !self.width.is_multiple_of(self.slopes.len())
            || self.width / self.slopes.len() > 64
        {
            return bad("`width` must divide into the heads of `slopes`, at most 64 wide each");
        }
        if [self.vocab, self.patch, self.channels, self.layers, self.hidden].contains(&0) {
            return bad("a size is 0");
        }
        if !(-1.0..=1.0).contains(&self.paper) {
            return bad("`paper` is a pixel's number, -1 to 1");
        }
        if self.slots <= self.image_tokens() + 1 {
            return bad("`slots` leaves no room for a reply behind the image");
        }
        Ok(())
    }
}

/// A training batch: packed sequences without padding. Images are shared between the sequences that show them.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Pixels in [-1, 1], `[b, side², patch²·3]`.
    pub patches: Vec<f32>,
    /// Row of `[embedding; image tokens]` for each of the `n` tokens: ids below `vocab`, then image `i`'s token
    /// `t` at `vocab + i·image_tokens + t`.
    pub gather: Vec<u32>,
    /// Turn of each token.
    pub turns: Vec<u32>,
    /// Slot of each token within its turn.
    pub slots: Vec<u32>,
    /// `start..end` of each sequence.
    pub spans: Vec<(usize, usize)>,
    /// Tokens whose successor is predicted, `[p]`.
    pub predict: Vec<u32>,
    /// The successor's id, `[p]`.
    pub targets: Vec<u32>,
    /// Signs that image tokens are to stand for, `[s]`: the token's row, as in `gather`, and the sign's id.
    pub signs: Vec<(u32, u32)>,
}

/// Image tokens, `[b·image_tokens, d]`, on the host.
#[derive(Clone, Debug)]
pub struct Encoded {
    tokens: Arc<Vec<f32>>,
    len: usize,
}

impl Encoded {
    /// One image's tokens.
    #[must_use]
    pub fn image(&self, index: usize) -> &[f32] {
        &self.tokens[index * self.len..][..self.len]
    }
}

#[derive(Clone)]
struct Affine {
    w: Tensor,
    b: Tensor,
    products: Products,
}

impl Affine {
    fn apply(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        ops::linear(x, &self.w, &self.b, self.products)
    }

    fn detached(&self) -> Self {
        Self { w: self.w.detach(), b: self.b.detach(), ..*self }
    }
}

#[derive(Clone)]
struct Layer {
    norm_in: Tensor,
    qkv: Affine,
    out: Affine,
    norm_mid: Tensor,
    up: Affine,
    down: Affine,
}

/// What stands on one of the finer grids.
#[derive(Clone)]
struct Fold {
    blocks: Vec<Affine>,
    project: Affine,
}

#[derive(Clone)]
struct Weights {
    stem: Affine,
    folds: Vec<Fold>,
    blocks: Vec<Affine>,
    encoder_norm: Tensor,
    project: Affine,
    embedding: Tensor,
    positions: Tensor,
    layers: Vec<Layer>,
    norm: Tensor,
    head: Affine,
}

/// The network: configuration, weights, and the same weights without gradient tracking.
#[derive(Clone)]
pub struct Network {
    config: Config,
    params: Params,
    weights: Weights,
    frozen: Weights,
    products: Products,
}

impl Network {
    /// A network with initial weights drawn from `unit`, a source of uniform numbers in [0, 1).
    ///
    /// # Errors
    /// If the configuration describes no network, or the device refuses.
    pub fn new(config: &Config, device: &Device, unit: &mut dyn FnMut() -> f64) -> Result<Self, Error> {
        config.validate()?;
        let mut build = Builder { params: Params::new(device), unit };
        let (c, d, c4) = (config.channels, config.width, 4 * config.channels);
        let residual = 1.0 / (2.0 * config.layers as f64).sqrt();
        let weights = Weights {
            stem: build.affine("vision.stem", config.patch_len(), c, 3.0)?,
            folds: (0..config.folds.len())
                .map(|f| {
                    let block = |i: usize| format!("vision.folds.{f}.blocks.{i}");
                    let blocks = (0..config.folds[f])
                        .map(|i| build.affine(&block(i), 9 * c, c, 0.7))
                        .collect::<Result<_, Error>>()?;
                    Ok(Fold {
                        blocks,
                        project: build.affine(&format!("vision.folds.{f}.project"), c4, c, 1.0)?,
                    })
                })
                .collect::<Result<_, Error>>()?,
            blocks: (0..config.blocks)
                .map(|i| build.affine(&format!("vision.blocks.{i}"), 9 * c, c, 0.7))
                .collect::<Result<_, _>>()?,
            encoder_norm: build.gain("vision.norm", c)?,
            project: build.affine("vision.project", c4, d, 1.0)?,
            embedding: build.table("text.embedding", config.vocab, d)?,
            positions: build.table("text.positions", config.slots, d)?,
            layers: (0..config.layers)
                .map(|i| {
                    let name = |part: &str| format!("text.layers.{i}.{part}");
                    Ok(Layer {
                        norm_in: build.gain(&name("norm_in"), d)?,
                        qkv: build.affine(&name("qkv"), d, 3 * d, 1.0)?,
                        out: build.affine(&name("out"), d, d, residual)?,
                        norm_mid: build.gain(&name("norm_mid"), d)?,
                        up: build.affine(&name("up"), d, config.hidden, 1.0)?,
                        down: build.affine(&name("down"), config.hidden, d, residual)?,
                    })
                })
                .collect::<Result<_, Error>>()?,
            norm: build.gain("text.norm", d)?,
            head: build.affine("text.head", d, config.vocab, 0.3)?,
        };
        let frozen = weights.detached();
        let products = Products::default();
        Ok(Self { config: config.clone(), params: build.params, weights, frozen, products })
    }

    /// The same weights with other products.
    #[must_use]
    pub fn with_products(mut self, products: Products) -> Self {
        self.products = products;
        for affine in self.weights.affines().chain(self.frozen.affines()) {
            affine.products = products;
        }
        self
    }

    /// In which numbers products are taken.
    #[must_use]
    pub fn products(&self) -> Products {
        self.products
    }

    /// A network of this shape with the weights of another.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn twin(&self) -> Result<Self, Error> {
        let twin = Self::new(&self.config, self.params.device(), &mut || 0.0)?;
        twin.params.set_values(&self.params.values()?)?;
        Ok(twin.with_products(self.products))
    }

    /// Sizes.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Weights.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Loads every weight from safetensors bytes; `path` is for messages.
    ///
    /// # Errors
    /// If they are of a network of other sizes, each of which is named, or as [`Params::load`]. Nothing is changed then.
    pub fn load(&self, bytes: &[u8], path: &Path) -> Result<(), Error> {
        let shapes = from_safetensors(bytes, path)?.into_iter().map(|(name, (shape, _))| (name, shape));
        let differences = fit::differences(&self.config, &shapes.collect());
        if differences.is_empty() {
            return self.params.load(bytes, path);
        }
        let reason = format!("the weights are of another network ({})", differences.join("; "));
        Err(Error::Weights { path: path.to_owned(), reason })
    }

    /// Log-probability `[p + s]` of every target of a batch and behind them of every sign. With `track`, gradients can
    /// flow back.
    ///
    /// A sign's is that of its embedding among all embeddings, by their products with the image token before it enters the
    /// decoder: what an image shows and what is said of it then live in one space, and the decoder finds a name on
    /// the picture by comparing like with like.
    ///
    /// # Errors
    /// If shapes do not fit or the device refuses.
    pub fn log_probs(&self, batch: &Batch, track: bool) -> Result<Tensor, Error> {
        let device = self.params.device();
        let w = if track { &self.weights } else { &self.frozen };
        let source = self.source(w, batch)?;
        let mut logits = Vec::new();
        if !batch.predict.is_empty() {
            logits.push(self.decode(w, batch, &source)?);
        }
        let (rows, signs): (Vec<u32>, Vec<u32>) = batch.signs.iter().copied().unzip();
        if !rows.is_empty() {
            let seen = source.index_select(&Tensor::from_slice(&rows, rows.len(), device)?, 0)?;
            logits.push(seen.matmul(&w.embedding.t()?)?);
        }
        let targets = [&batch.targets[..], &signs].concat();
        let targets = Tensor::from_slice(&targets, targets.len(), device)?;
        Ok(ops::log_probs(&Tensor::cat(&logits, 0)?, &targets)?)
    }

    /// Logits `[p, v]` at every predicted position of a batch.
    ///
    /// # Errors
    /// As [`Network::log_probs`].
    pub fn logits(&self, batch: &Batch, track: bool) -> Result<Tensor, Error> {
        let w = if track { &self.weights } else { &self.frozen };
        self.decode(w, batch, &self.source(w, batch)?)
    }

    /// Embeddings, and below them the batch's image tokens.
    fn source(&self, w: &Weights, batch: &Batch) -> Result<Tensor, Error> {
        let images = batch.patches.len() / self.config.image_len();
        if images == 0 {
            return Ok(w.embedding.clone());
        }
        let shape = (images, self.config.image_len());
        let pixels = Tensor::from_slice(&batch.patches, shape, self.params.device())?;
        Ok(Tensor::cat(&[&w.embedding, &self.encode_with(w, &pixels)?], 0)?)
    }

    fn decode(&self, w: &Weights, batch: &Batch, source: &Tensor) -> Result<Tensor, Error> {
        let device = self.params.device();
        let index = |ids: &[u32]| Tensor::from_slice(ids, ids.len(), device);
        let mut x = (source.index_select(&index(&batch.gather)?, 0)?
            + w.positions.index_select(&index(&batch.slots)?, 0)?)?;
        let packing = Packing { turns: Arc::new(batch.turns.clone()), spans: Arc::new(batch.spans.clone()) };
        let heads = self.config.heads();
        for layer in &w.layers {
            x = layer.apply(&x, |qkv| ops::attention(&qkv, &packing, &heads, self.products))?;
        }
        let x = x.index_select(&index(&batch.predict)?, 0)?;
        Ok(w.head.apply(&ops::rms_norm(&x, &w.norm)?)?)
    }

    /// Encodes images given as patches, `[b, side², patch²·3]`, without gradients.
    ///
    /// # Errors
    /// If the length is not that of whole images, or the device refuses.
    pub fn encode(&self, patches: &[f32]) -> Result<Encoded, Error> {
        let images = patches.len() / self.config.image_len();
        let len = self.config.image_tokens() * self.config.width;
        if images == 0 {
            return Ok(Encoded { tokens: Arc::new(Vec::new()), len });
        }
        let pixels = Tensor::from_slice(patches, (images, self.config.image_len()), self.params.device())?;
        let tokens = self.encode_with(&self.frozen, &pixels)?.flatten_all()?.to_vec1::<f32>()?;
        Ok(Encoded { tokens: Arc::new(tokens), len })
    }

    fn encode_with(&self, w: &Weights, pixels: &Tensor) -> Result<Tensor, Error> {
        let (b, _) = pixels.dims2()?;
        let Config { mut side, channels: c, .. } = self.config;
        let mut x = w.stem.apply(&pixels.reshape((b * side * side, self.config.patch_len()))?)?;
        let convolve = |x: &Tensor, blocks: &[Affine], side: usize| -> candle_core::Result<Tensor> {
            let mut x = x.reshape((b, side * side, c))?;
            for block in blocks {
                x = ops::conv_block(&x, &block.w, &block.b, side, block.products)?;
            }
            x.reshape((b * side * side, c))
        };
        for fold in &w.folds {
            x = fold.project.apply(&unshuffle(&convolve(&x, &fold.blocks, side)?, [b, side, c])?)?;
            side /= 2;
        }
        let x = ops::rms_norm(&convolve(&x, &w.blocks, side)?, &w.encoder_norm)?;
        Ok(w.project.apply(&unshuffle(&x, [b, side, c])?)?)
    }
}

/// 2×2 cells side by side: `[b·side², c]` to `[b·(side/2)², 4c]`.
fn unshuffle(x: &Tensor, [b, side, c]: [usize; 3]) -> candle_core::Result<Tensor> {
    let half = side / 2;
    let x = x.reshape((b, half, 2, half, 2, c))?.permute((0, 1, 3, 2, 4, 5))?.contiguous()?;
    x.reshape((b * half * half, 4 * c))
}

impl Layer {
    /// Pre-norm attention and hidden layer, each with its residual; `x [n, d]`.
    fn apply(
        &self,
        x: &Tensor,
        attend: impl FnOnce(Tensor) -> candle_core::Result<Tensor>,
    ) -> candle_core::Result<Tensor> {
        let qkv = self.qkv.apply(&ops::rms_norm(x, &self.norm_in)?)?;
        let x = (x + self.out.apply(&attend(qkv)?)?)?;
        let hidden = ops::gelu(&self.up.apply(&ops::rms_norm(&x, &self.norm_mid)?)?)?;
        x + self.down.apply(&hidden)?
    }

    fn detached(&self) -> Self {
        Self {
            norm_in: self.norm_in.detach(),
            qkv: self.qkv.detached(),
            out: self.out.detached(),
            norm_mid: self.norm_mid.detach(),
            up: self.up.detached(),
            down: self.down.detached(),
        }
    }
}

impl Weights {
    fn affines(&mut self) -> impl Iterator<Item = &mut Affine> {
        let folds = self.folds.iter_mut().flat_map(|fold| fold.blocks.iter_mut().chain([&mut fold.project]));
        let layers = self.layers.iter_mut();
        let layers = layers.flat_map(|l| [&mut l.qkv, &mut l.out, &mut l.up, &mut l.down]);
        let ends = [&mut self.stem, &mut self.project, &mut self.head];
        ends.into_iter().chain(folds).chain(&mut self.blocks).chain(layers)
    }

    /// The same storage without gradient tracking: updates through the variables show here as well.
    fn detached(&self) -> Self {
        Self {
            stem: self.stem.detached(),
            folds: self
                .folds
                .iter()
                .map(|fold| Fold {
                    blocks: fold.blocks.iter().map(Affine::detached).collect(),
                    project: fold.project.detached(),
                })
                .collect(),
            blocks: self.blocks.iter().map(Affine::detached).collect(),
            encoder_norm: self.encoder_norm.detach(),
            project: self.project.detached(),
            embedding: self.embedding.detach(),
            positions: self.positions.detach(),
            layers: self.layers.iter().map(Layer::detached).collect(),
            norm: self.norm.detach(),
            head: self.head.detached(),
        }
    }
}

struct Builder<'u> {
    params: Params,
    unit: &'u mut dyn FnMut() -> f64,
}

impl Builder<'_> {
    /// Uniform values of a given standard deviation.
    fn noise(&mut self, count: usize, deviation: f64) -> Vec<f32> {
        let spread = deviation * 12f64.sqrt();
        (0..count).map(|_| (((self.unit)() - 0.5) * spread) as f32).collect()
    }

    fn affine(&mut self, name: &str, inputs: usize, outputs: usize, scale: f64) -> Result<Affine, Error> {
        let values = self.noise(inputs * outputs, scale / (inputs as f64).sqrt());
        let w = self.params.add(&format!("{name}.weight"), &[inputs, outputs], values)?;
        let b = self.params.add(&format!("{name}.bias"), &[outputs], vec![0.0; outputs])?;
        Ok(Affine { w, b, products: Products::default() })
    }

    fn table(&mut self, name: &str, rows: usize, width: usize) -> Result<Tensor, Error> {
        let values = self.noise(rows * width, 0.5);
        self.params.add(&format!("{name}.weight"), &[rows, width], values)
    }

    fn gain(&mut self, name: &str, width: usize) -> Result<Tensor, Error> {
        self.params.add(&format!("{name}.gain"), &[width], vec![1.0; width])
    }
}

const _: () = assert!(matches!(DTYPE, candle_core::DType::F32));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gradients;

    fn tiny() -> Network {
        let config = Config {
            vocab: 7,
            side: 8,
            patch: 2,
            paper: 0.0,
            channels: 8,
            blocks: 2,
            folds: vec![1],
            width: 16,
            layers: 2,
            slopes: vec![0.0, 2.0],
            hidden: 24,
            slots: 16,
        };
        let mut state = 1u64;
        let mut unit = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        Network::new(&config, &Device::Cpu, &mut unit).unwrap()
    }

    fn pixels(network: &Network, images: usize) -> Vec<f32> {
        (0..images * network.config.image_len()).map(|i| (i as f32 * 0.77).sin().abs()).collect()
    }

    /// Two sequences of one and two turns; 4 image tokens, a marker, a reply of two.
    fn batch(network: &Network) -> Batch {
        // Image tokens 1 and 6, of the first and the second picture, stand for signs 3 and 4.
        let signs = vec![(7 + 1, 3), (7 + 6, 4)];
        let mut batch = Batch { patches: pixels(network, 2), signs, ..Batch::default() };
        for turns in [vec![0usize], vec![1, 0]] {
            let start = batch.gather.len();
            for (t, image) in turns.iter().enumerate() {
                let ids: Vec<u32> =
                    (0..4).map(|k| 7 + (image * 4 + k) as u32).chain([1, 2 + *image as u32, 5]).collect();
                for (slot, id) in ids.iter().enumerate() {
                    if (4..6).contains(&slot) {
                        batch.predict.push(batch.gather.len() as u32);
                        batch.targets.push(ids[slot + 1]);
                    }
                    batch.gather.push(*id);
                    batch.turns.push(t as u32);
                    batch.slots.push(slot as u32);
                }
            }
            batch.spans.push((start, batch.gather.len()));
        }
        batch
    }

    #[test]
    fn every_weight_receives_a_gradient() {
        let network = tiny();
        let loss = network.log_probs(&batch(&network), true).unwrap().sum_all().unwrap();
        let grads = Gradients::collect(network.params(), &loss.backward().unwrap()).unwrap();
        for ((name, _), grad) in network.params().iter().zip(&grads.0) {
            assert!(grad.iter().all(|g| g.is_finite()), "{name}");
            assert!(grad.iter().any(|g| *g != 0.0), "{name}");
        }
    }

    #[test]
    fn gradients_are_slopes() {
        let network = tiny();
        let batch = batch(&network);
        let value = || {
            f64::from(
                network.log_probs(&batch, false).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap(),
            )
        };
        let loss = network.log_probs(&batch, true).unwrap().sum_all().unwrap();
        let grads = Gradients::collect(network.params(), &loss.backward().unwrap()).unwrap();
        let start = network.params().values().unwrap();
        for (i, (name, _)) in network.params().iter().enumerate() {
            let at =
                (0..grads.0[i].len()).max_by(|a, b| grads.0[i][*a].abs().total_cmp(&grads.0[i][*b].abs()));
            let at = at.unwrap();
            let slope = |offset: f32| {
                let mut moved = start.clone();
                moved[i][at] += offset;
                network.params().set_values(&moved).unwrap();
                value()
            };
            let slope = (slope(4e-3) - slope(-4e-3)) / 8e-3;
            network.params().set_values(&start).unwrap();
            let grad = f64::from(grads.0[i][at]);
            assert!((slope - grad).abs() < 0.02 * grad.abs().max(0.05), "{name}: {slope} against {grad}");
        }
    }

    #[test]
    fn bf16_products_differ_by_their_rounding_alone() {
        let floats = tiny();
        let batch = batch(&floats);
        let halves = floats.twin().unwrap().with_products(Products::Bf16);
        assert_eq!(halves.twin().unwrap().products(), Products::Bf16);
        let run = |network: &Network| {
            let values = network.log_probs(&batch, true).unwrap();
            let grads = values.sum_all().unwrap().backward().unwrap();
            let grads = Gradients::collect(network.params(), &grads).unwrap();
            (values.to_vec1::<f32>().unwrap(), grads)
        };
        let ((a, da), (b, db)) = (run(&floats), run(&halves));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 0.05), "{a:?} against {b:?}");
        assert!(a.iter().zip(&b).any(|(a, b)| (a - b).abs() > 1e-5), "nothing was rounded");
        for ((name, _), (a, b)) in floats.params().iter().zip(da.0.iter().zip(&db.0)) {
            let norm = |x: &mut dyn Iterator<Item = f32>| x.map(|x| x * x).sum::<f32>().sqrt();
            let gap = norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut a.iter().copied());
            assert!(gap < 0.1, "{name}: gradients differ by {gap}");
        }
    }

    #[test]
    fn cached_and_batched_decoding_is_the_whole_pass() {
        let network = tiny();
        let batch = batch(&network);
        let logits = network.logits(&batch, false).unwrap().to_vec2::<f32>().unwrap();
        let encoded = network.encode(&batch.patches).unwrap();
        // The second sequence, alone and piece by piece.
        let mut memory = Memory::default();
        let mut seen = Vec::new();
        for (turn, image) in [(0u32, 1usize), (1, 0)] {
            let prompt = Extension {
                turn,
                slot: 0,
                pieces: vec![Piece::Image(encoded.image(image)), Piece::Ids(&[1])],
            };
            seen.push(network.extend(&mut [&mut memory], &[vec![prompt]]).unwrap());
            let reply = [2 + image as u32];
            let next = Extension { turn, slot: 5, pieces: vec![Piece::Ids(&reply)] };
            seen.push(network.extend(&mut [&mut memory], &[vec![next]]).unwrap());
            let close = Extension { turn, slot: 6, pieces: vec![Piece::Ids(&[5])] };
            network.extend(&mut [&mut memory], &[vec![close]]).unwrap();
        }
        for (one, whole) in seen.iter().zip(&logits[2..]) {
            assert!(one.iter().zip(whole).all(|(a, b)| (a - b).abs() < 1e-5), "{one:?} against {whole:?}");
        }
        // Beside another episode: the same bits.
        let (mut a, mut b) = (Memory::default(), Memory::default());
        let prompt = |image| Extension {
            turn: 0,
            slot: 0,
            pieces: vec![Piece::Image(encoded.image(image)), Piece::Ids(&[1])],
        };
        let both = network.extend(&mut [&mut a, &mut b], &[vec![prompt(0)], vec![prompt(1)]]).unwrap();
        assert_eq!(both[7..], seen[0][..]);
    }

    #[test]
    fn weights_survive_their_bytes_and_refuse_bad_ones() {
        let (a, b) = (tiny(), tiny());
        let path = std::path::Path::new("model.safetensors");
        let mut values = a.params().values().unwrap();
        values[0][3] = 0.25;
        a.params().set_values(&values).unwrap();
        let bytes = a.params().to_bytes().unwrap();
        b.params().load(&bytes, path).unwrap();
        assert_eq!(b.params().values().unwrap(), values);
        let torn = b.params().load(&bytes[..bytes.len() - 9], path).unwrap_err().to_string();
        assert!(torn.contains("model.safetensors") && torn.contains("truncated"), "{torn}");
        values[2][1] = f32::NAN;
        a.params().set_values(&values).unwrap();
        let nan = b.params().load(&a.params().to_bytes().unwrap(), path).unwrap_err().to_string();
        assert!(nan.contains("NaN") && nan.contains("vision.folds.0.blocks.0.weight"), "{nan}");
    }

    #[test]
    fn weights_of_another_network_name_what_differs() {
        let a = tiny();
        let path = Path::new("model.safetensors");
        let bytes = a.params().to_bytes().unwrap();
        a.load(&bytes, path).unwrap();
        type Change = fn(&mut Config);
        let table: [(Change, &str); 8] = [
            (|c| c.layers = 3, "`layers`: 2 in the weights, 3 in config.json"),
            // One layer fewer: every weight of the network is there, and more.
            (|c| c.layers = 1, "`layers`: 2 in the weights, 1 in config.json"),
            (|c| c.blocks = 1, "`blocks`: 2 in the weights, 1 in config.json"),
            (|c| c.folds = vec![1, 1], "`folds`: 1 in the weights, 2 in config.json"),
            (|c| c.hidden = 32, "`hidden`: 24 in the weights, 32 in config.json"),
            (|c| c.vocab = 9, "`vocab`: 7 in the weights, 9 in config.json"),
            (|c| c.slots = 20, "`slots`: 16 in the weights, 20 in config.json"),
            (
                |c| (c.width, c.channels) = (32, 4),
                "`width`: 16 in the weights, 32 in config.json; `channels`: 8",
            ),
        ];
        for (change, want) in table {
            let mut config = a.config().clone();
            change(&mut config);
            let other = Network::new(&config, &Device::Cpu, &mut || 0.5).unwrap();
            let before = other.params().values().unwrap();
            let error = other.load(&bytes, path).unwrap_err().to_string();
            assert!(error.starts_with("model.safetensors: ") && error.contains(want), "{want}: {error}");
            assert_eq!(other.params().values().unwrap(), before);
            assert!(other.params().load(&bytes, path).is_err(), "{want}");
        }
    }
}
