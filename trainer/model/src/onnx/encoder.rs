//! What stands before the decoder: the image encoder and the table of token embeddings.

use super::decoder::gelu;
use super::graph::{ints, Graph, Weights};
use super::{proto, Precision};
use crate::kernels::norm::EPS;
use crate::Config;

/// `pixel_values [b, 3, h, w]` in [-1, 1] → `image_features [b, image tokens, d]`.
///
/// Patches are a convolution whose step is its size, the 2×2 pixel-unshuffle with the layer behind it another.
pub(super) fn vision(config: &Config, weights: &Weights, precision: Precision) -> Graph {
    let Config { side, patch, channels: c, width: d, .. } = *config;
    let mut g = Graph::new("vision_encoder", precision);
    let pixels = (side * patch).to_string();
    let input = g.input("pixel_values", proto::FLOAT, &["batch", "3", &pixels, &pixels]);
    // Rows of the stem are (y, x, colour).
    let stem = as_kernel(weights.get("vision.stem.weight"), [patch, patch, 3, c]);
    let mut x = conv(&mut g, &input, "vision.stem", (&stem, weights), [c, 3, patch], patch);
    let blocks = |g: &mut Graph, mut x: String, prefix: &str, count: usize| {
        for i in 0..count {
            x = block(g, x, &format!("{prefix}blocks.{i}"), weights, c);
        }
        x
    };
    for (f, count) in config.folds.iter().enumerate() {
        let prefix = format!("vision.folds.{f}.");
        x = blocks(&mut g, x, &prefix, *count);
        let name = format!("{prefix}project");
        let project = as_kernel(weights.get(&format!("{name}.weight")), [2, 2, c, c]);
        x = conv(&mut g, &x, &name, (&project, weights), [c, c, 2], 2);
    }
    let x = blocks(&mut g, x, "vision.", config.blocks);
    let x = rms(&mut g, &x);
    let gain = g.floats("vision.norm.gain", &[1, c, 1, 1], weights.get("vision.norm.gain"));
    let x = g.node("Mul", &[&x, &gain], vec![]);
    let project = as_kernel(weights.get("vision.project.weight"), [2, 2, c, d]);
    let x = conv(&mut g, &x, "vision.project", (&project, weights), [d, c, 2], 2);
    let flat = g.ints("flat", &[0, d as i64, config.image_tokens() as i64]);
    let x = g.node("Reshape", &[&x, &flat], vec![]);
    let x = g.node("Transpose", &[&x], vec![ints("perm", &[0, 2, 1])]);
    let tokens = config.image_tokens().to_string();
    g.output("image_features", proto::FLOAT, &["batch", &tokens, &d.to_string()], &x);
    g
}

/// Norm, GELU and a 3×3 convolution, with the residual.
fn block(g: &mut Graph, x: String, name: &str, weights: &Weights, c: usize) -> String {
    let active = rms(g, &x);
    let active = gelu(g, &active);
    let kernel = as_kernel(weights.get(&format!("{name}.weight")), [3, 3, c, c]);
    let new = conv(g, &active, name, (&kernel, weights), [c, c, 3], 1);
    g.node("Add", &[&x, &new], vec![])
}

/// `input_ids [b, s]` → `inputs_embeds [b, s, d]`.
pub(super) fn embed(config: &Config, weights: &Weights, precision: Precision) -> Graph {
    let mut g = Graph::new("embed_tokens", precision);
    let ids = g.input("input_ids", proto::INT64, &["batch", "sequence"]);
    let name = "text.embedding.weight";
    let table = g.weight(name, &[config.vocab, config.width], weights.get(name), 0);
    let x = g.node("Gather", &[&table, &ids], vec![]);
    g.output("inputs_embeds", proto::FLOAT, &["batch", "sequence", &config.width.to_string()], &x);
    g
}

/// A convolution of stride `stride`; 3×3 ones are padded with zeros.
fn conv(
    g: &mut Graph,
    x: &str,
    name: &str,
    (kernel, weights): (&[f32], &Weights),
    [outputs, inputs, size]: [usize; 3],
    stride: usize,
) -> String {
    let w = g.weight(&format!("{name}.weight"), &[outputs, inputs, size, size], kernel, 0);
    let b = g.floats(&format!("{name}.bias"), &[outputs], weights.get(&format!("{name}.bias")));
    let (size, stride, pad) = (size as i64, stride as i64, i64::from(size == 3));
    g.node(
        "Conv",
        &[x, &w, &b],
        vec![
            ints("kernel_shape", &[size, size]),
            ints("strides", &[stride, stride]),
            ints("pads", &[pad; 4]),
        ],
    )
}

/// Root-mean-square normalisation over the channels of each cell, without a gain.
fn rms(g: &mut Graph, x: &str) -> String {
    let square = g.node("Mul", &[x, x], vec![]);
    let mean = g.node("ReduceMean", &[&square], vec![ints("axes", &[1])]);
    let eps = g.scalar("eps", EPS);
    let sum = g.node("Add", &[&mean, &eps], vec![]);
    let root = g.node("Sqrt", &[&sum], vec![]);
    g.node("Div", &[x, &root], vec![])
}

/// Our weights are `[y, x, input, output]`, a convolution wants `[output, input, y, x]`.
fn as_kernel(weights: &[f32], [ys, xs, inputs, outputs]: [usize; 4]) -> Vec<f32> {
    let mut kernel = Vec::with_capacity(weights.len());
    for o in 0..outputs {
        for i in 0..inputs {
            for y in 0..ys {
                kernel.extend((0..xs).map(|x| weights[((y * xs + x) * inputs + i) * outputs + o]));
            }
        }
    }
    kernel
}
