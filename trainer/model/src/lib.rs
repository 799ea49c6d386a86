//! The reference network in candle: an image encoder whose few tokens stand in the sequence of a small causal
//! decoder, its kernels, its weights and its optimizer.
//!
//! Legend used throughout: `b` batch of images, `n` tokens of all packed sequences, `d` width, `v`
//! vocabulary, `p` predicted positions, `c` channels.

mod fit;
pub mod kernels;
mod network;
mod onnx;
pub mod ops;
mod optimizer;
mod params;

pub use network::{Batch, Config, Encoded, Extension, Memory, Network, Piece};
pub use onnx::{OnnxFile, Options as OnnxOptions, Precision};
pub use ops::Products;
pub use optimizer::{gradients, AdamW, AdamWConfig, Gradients};
pub use params::{Error, Params};
