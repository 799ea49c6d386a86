//! Between text and pixels and numbers: tokenizer, patches, sequence layout, sampling.
