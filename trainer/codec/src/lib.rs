//! Between text and pixels and numbers. No candle here.

mod patches;
mod sampling;
mod tokenizer;

pub use patches::patches;
pub use sampling::{log_prob, sample};
pub use tokenizer::{Error, Tokenizer, ASSISTANT};
