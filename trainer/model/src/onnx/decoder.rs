//! The decoder with its keys and values as inputs and outputs.
//!
//! A head with slope `s` subtracts `s·(turn of the query − turn of the key)` from its scores. The query's part
//! is the same for all keys, so the softmax does not see it; what is left is `s·(turn of the key)`. A key
//! therefore carries its turn as one more dimension, against which the query has `s`: the bias lives in the
//! cache, and the graph needs no input that other decoders lack. `position_ids` are `turn·slots + slot`.
//! So a key is one wider than a value.

use super::graph::{int, ints, Graph, Weights};
use super::{proto, Precision};
use crate::kernels::norm::EPS;
use crate::Config;

/// A score that the softmax makes 0. Not −∞: a row of padding, which sees nothing, must not become NaN.
const HIDDEN: f32 = -1e9;

/// `inputs_embeds [b, s, d]`, `attention_mask [b, past + s]`, `position_ids [b, s]` and the cache → `logits
/// [b, s, v]` and the cache with the new tokens. Padding may stand anywhere: its mask is 0.
pub(super) fn decoder(config: &Config, weights: &Weights, precision: Precision) -> Graph {
    let mut g = Graph::new("decoder_model_merged", precision);
    let heads = Heads::of(config);
    let (width, count) = (config.width.to_string(), heads.count.to_string());
    let embeds = g.input("inputs_embeds", proto::FLOAT, &["batch", "sequence", &width]);
    let mask = g.input("attention_mask", proto::INT64, &["batch", "past + sequence"]);
    let positions = g.input("position_ids", proto::INT64, &["batch", "sequence"]);
    let sizes = [("key", (heads.size + 1).to_string()), ("value", heads.size.to_string())];
    let mut cache = Vec::new();
    for layer in 0..config.layers {
        for (part, size) in &sizes {
            let name = format!("past_key_values.{layer}.{part}");
            cache.push(g.input(&name, proto::FLOAT, &["batch", &count, "past", size]));
        }
    }
    let (slot, turn) = slot_and_turn(&mut g, &positions, config.slots, heads.size);
    let hidden = hidden(&mut g, &mask, &embeds);
    let table = g.floats(
        "text.positions.weight",
        &[config.slots, config.width],
        weights.get("text.positions.weight"),
    );
    let place = g.node("Gather", &[&table, &slot], vec![]);
    let mut x = g.node("Add", &[&embeds, &place], vec![]);
    let mut present = Vec::new();
    for layer in 0..config.layers {
        let name = format!("text.layers.{layer}");
        let past = [cache[2 * layer].as_str(), cache[2 * layer + 1].as_str()];
        let normed = norm(&mut g, &x, &format!("{name}.norm_in"), weights);
        let (mixed, keys, values) = attend(&mut g, &normed, &name, (weights, &heads), past, (&turn, &hidden));
        let out = affine(&mut g, &mixed, &format!("{name}.out"), weights, heads.width());
        x = g.node("Add", &[&x, &out], vec![]);
        let normed = norm(&mut g, &x, &format!("{name}.norm_mid"), weights);
        let up = affine(&mut g, &normed, &format!("{name}.up"), weights, config.width);
        let up = gelu(&mut g, &up);
        let down = affine(&mut g, &up, &format!("{name}.down"), weights, config.hidden);
        x = g.node("Add", &[&x, &down], vec![]);
        present.extend([keys, values]);
    }
    let x = norm(&mut g, &x, "text.norm", weights);
    let logits = affine(&mut g, &x, "text.head", weights, config.width);
    g.output("logits", proto::FLOAT, &["batch", "sequence", &config.vocab.to_string()], &logits);
    for (i, value) in present.iter().enumerate() {
        let (part, size) = &sizes[i % 2];
        let name = format!("present.{}.{part}", i / 2);
        g.output(&name, proto::FLOAT, &["batch", &count, "past + sequence", size], value);
    }
    g
}

/// How the heads are laid out.
struct Heads<'c> {
    count: usize,
    size: usize,
    slopes: &'c [f32],
}

impl<'c> Heads<'c> {
    fn of(config: &'c Config) -> Self {
        let count = config.slopes.len();
        Self { count, size: config.width / count, slopes: &config.slopes }
    }

    fn width(&self) -> usize {
        self.count * self.size
    }

    /// Weight `[d, ·]` and bias of queries, keys and values with the dimension for the turn: queries scaled and
    /// followed by their slope, keys followed by 0, values as they are.
    fn widened(&self, weight: &[f32], bias: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let d = self.width();
        let scale = 1.0 / (self.size as f32).sqrt();
        let row = |row: &[f32], slopes: &dyn Fn(usize) -> f32| -> Vec<f32> {
            let mut out = Vec::with_capacity(3 * d + 2 * self.count);
            for h in 0..self.count {
                out.extend(row[h * self.size..][..self.size].iter().map(|x| x * scale));
                out.push(slopes(h));
            }
            for h in 0..self.count {
                out.extend(&row[d + h * self.size..][..self.size]);
                out.push(0.0);
            }
            out.extend(&row[2 * d..]);
            out
        };
        let wide = weight.chunks_exact(3 * d).flat_map(|r| row(r, &|_| 0.0)).collect();
        (wide, row(bias, &|h| self.slopes[h]))
    }
}

/// Slots `[b, s]`, and what a new key gets added `[b, 1, s, size + 1]`: zeros and its turn.
fn slot_and_turn(g: &mut Graph, positions: &str, slots: usize, size: usize) -> (String, String) {
    let slots = g.ints("slots", &[slots as i64]);
    let turn = g.node("Div", &[positions, &slots], vec![]);
    let first = g.node("Mul", &[&turn, &slots], vec![]);
    let slot = g.node("Sub", &[positions, &first], vec![]);
    let turn = g.node("Cast", &[&turn], vec![int("to", i64::from(proto::FLOAT))]);
    let axes = g.ints("axes_1_3", &[1, 3]);
    let turn = g.node("Unsqueeze", &[&turn, &axes], vec![]);
    let mut last = vec![0.0; size + 1];
    last[size] = 1.0;
    let last = g.floats("last", &[size + 1], &last);
    (slot, g.node("Mul", &[&turn, &last], vec![]))
}

/// What is added to the scores `[b, 1, s, past + s]`: 0 where the query may look, else [`HIDDEN`]. Tokens are
/// counted along the mask, so causality holds whatever padding stands between them.
fn hidden(g: &mut Graph, mask: &str, embeds: &str) -> String {
    let one = g.ints("one", &[1]);
    let axis = g.ints("axis_1", &[1]);
    let along = g.whole("along", 1);
    let rank = g.node("CumSum", &[mask, &along], vec![]);
    let shape = g.node("Shape", &[embeds], vec![]);
    let new = g.node("Gather", &[&shape, &one], vec![int("axis", 0)]);
    let from = g.node("Neg", &[&new], vec![]);
    let end = g.ints("end", &[i64::MAX]);
    let query = g.node("Slice", &[&rank, &from, &end, &axis], vec![]);
    let (key_axes, query_axes) = (g.ints("axes_1_2", &[1, 2]), g.ints("axes_1_3", &[1, 3]));
    let key = g.node("Unsqueeze", &[&rank, &key_axes], vec![]);
    let query = g.node("Unsqueeze", &[&query, &query_axes], vec![]);
    let causal = g.node("LessOrEqual", &[&key, &query], vec![]);
    let real = g.node("Unsqueeze", &[mask, &key_axes], vec![]);
    let real = g.node("Cast", &[&real], vec![int("to", i64::from(proto::BOOL))]);
    let seen = g.node("And", &[&causal, &real], vec![]);
    let (zero, hide) = (g.scalar("zero", 0.0), g.scalar("hidden", HIDDEN));
    g.node("Where", &[&seen, &zero, &hide], vec![])
}

/// Attention of one layer; → what goes into the output layer `[b, s, d]`, keys and values.
fn attend(
    g: &mut Graph,
    x: &str,
    name: &str,
    (weights, heads): (&Weights, &Heads<'_>),
    [past_keys, past_values]: [&str; 2],
    (turn, hidden): (&str, &str),
) -> (String, String, String) {
    let Heads { count, size, .. } = *heads;
    let (d, wide) = (heads.width(), count * (size + 1));
    let weight = format!("{name}.qkv.weight");
    let (w, b) = heads.widened(weights.get(&weight), weights.get(&format!("{name}.qkv.bias")));
    let w = g.weight(&weight, &[d, 2 * wide + d], &w, 1);
    let b = g.floats(&format!("{name}.qkv.bias"), &[2 * wide + d], &b);
    let qkv = g.node("MatMul", &[x, &w], vec![]);
    let qkv = g.node("Add", &[&qkv, &b], vec![]);
    let parts = g.ints("qkv_parts", &[wide as i64, wide as i64, d as i64]);
    let parts = g.nodes("Split", &[&qkv, &parts], 3, vec![int("axis", -1)]);
    let mut by_head = |value: &str, size: usize| {
        let shape = g.ints(&format!("heads_of_{size}"), &[0, 0, count as i64, size as i64]);
        let value = g.node("Reshape", &[value, &shape], vec![]);
        g.node("Transpose", &[&value], vec![ints("perm", &[0, 2, 1, 3])])
    };
    let (q, k, v) = (by_head(&parts[0], size + 1), by_head(&parts[1], size + 1), by_head(&parts[2], size));
    let k = g.node("Add", &[&k, turn], vec![]);
    let keys = g.node("Concat", &[past_keys, &k], vec![int("axis", 2)]);
    let values = g.node("Concat", &[past_values, &v], vec![int("axis", 2)]);
    let turned = g.node("Transpose", &[&keys], vec![ints("perm", &[0, 1, 3, 2])]);
    let scores = g.node("MatMul", &[&q, &turned], vec![]);
    let scores = g.node("Add", &[&scores, hidden], vec![]);
    let probs = g.node("Softmax", &[&scores], vec![int("axis", -1)]);
    let mixed = g.node("MatMul", &[&probs, &values], vec![]);
    let mixed = g.node("Transpose", &[&mixed], vec![ints("perm", &[0, 2, 1, 3])]);
    let shape = g.ints("merged", &[0, 0, d as i64]);
    (g.node("Reshape", &[&mixed, &shape], vec![]), keys, values)
}

fn affine(g: &mut Graph, x: &str, name: &str, weights: &Weights, inputs: usize) -> String {
    let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
    let outputs = weights.get(&bias).len();
    let w = g.weight(&weight, &[inputs, outputs], weights.get(&weight), 1);
    let b = g.floats(&bias, &[outputs], weights.get(&bias));
    let y = g.node("MatMul", &[x, &w], vec![]);
    g.node("Add", &[&y, &b], vec![])
}

/// Root-mean-square normalisation with its gain, in the form that ONNX Runtime fuses into one operation.
fn norm(g: &mut Graph, x: &str, name: &str, weights: &Weights) -> String {
    let name = format!("{name}.gain");
    let two = g.scalar("two", 2.0);
    let square = g.node("Pow", &[x, &two], vec![]);
    let mean = g.node("ReduceMean", &[&square], vec![ints("axes", &[-1])]);
    let eps = g.scalar("eps", EPS);
    let sum = g.node("Add", &[&mean, &eps], vec![]);
    let root = g.node("Sqrt", &[&sum], vec![]);
    let unit = g.node("Div", &[x, &root], vec![]);
    let gain = weights.get(&name);
    let gain = g.floats(&name, &[gain.len()], gain);
    g.node("Mul", &[&unit, &gain], vec![])
}

/// GELU in its tanh form, `x/2·(1 + tanh(0.79788·x·(1 + 0.044715·x²)))`, as ONNX Runtime fuses it.
pub(super) fn gelu(g: &mut Graph, x: &str) -> String {
    let cube = g.scalar("gelu_cube", 0.044_715);
    let (root, one, half) =
        (g.scalar("gelu_root", 0.797_884_6), g.scalar("one_f", 1.0), g.scalar("half", 0.5));
    let y = g.node("Mul", &[x, &cube], vec![]);
    let y = g.node("Mul", &[&y, x], vec![]);
    let y = g.node("Add", &[&y, &one], vec![]);
    let scaled = g.node("Mul", &[x, &root], vec![]);
    let y = g.node("Mul", &[&y, &scaled], vec![]);
    let y = g.node("Tanh", &[&y], vec![]);
    let y = g.node("Add", &[&y, &one], vec![]);
    let halved = g.node("Mul", &[x, &half], vec![]);
    g.node("Mul", &[&halved, &y], vec![])
}
