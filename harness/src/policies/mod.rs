//! Policies without learning: what a table of results is read against, and what a recording is replayed with.

mod reference;
mod replay;

pub use reference::Reference;
pub use replay::Replay;

/// Episodes these policies hold open at once; they answer at no cost, so it only bounds memory.
const SLOTS: usize = 32;
