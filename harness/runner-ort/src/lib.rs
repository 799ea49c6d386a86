//! A directory of ONNX graphs as a [`vrrl_harness_core::Policy`]: vision encoder, token embeddings and a decoder
//! with its cache, as vision-language models are published.
//!
//! Names, types, heads and sizes are read from the graphs; what cannot be run is refused by name. Two engines stand
//! behind one interface: a library of ONNX Runtime that is found at run time, else (feature `embedded`) tract, which
//! is built in. Which one ran stands in every run.
//!
//! Unlike with candle, a reply's last bits may depend on its batch: engines choose their kernels by size.

mod batch;
mod decode;
pub mod engine;
mod error;
mod graph;
mod header;
mod install;
mod layout;
mod model;
mod policy;

pub use engine::Engine;
pub use error::Error;
pub use install::{install, Installed};
pub use policy::{Options, OrtPolicy};
