//! A candle checkpoint as a [`vrrl_harness_core::Policy`].
//!
//! Replies are decoded in lock-step with a key/value memory per episode. Requests are spread over shards that
//! run in parallel; neither the shards nor the batch change a reply's bits (a row of a product in
//! `trainer/linalg` does not depend on its neighbours), so an interrupted and resumed run equals an
//! uninterrupted one.

mod checkpoint;
mod decode;
mod export;
mod policy;

pub use checkpoint::{device, load, products, Checkpoint, Error, CONFIG, DEVICES, TOKENIZER, WEIGHTS};
pub use export::{export_onnx, Export};
pub use policy::CandlePolicy;
