//! Split definitions made into examples, audited, materialized and imported.
//!
//! A split is a function of its definition: the same YAML gives the same examples on every machine and
//! thread count. Every maze belongs to one of three classes (train, val, test) by a hash of its form up to
//! rotation and reflection, so that splits of different classes are disjoint by construction; [`audit`]
//! proves it for any two.

mod audit;
mod card;
mod definition;
mod error;
mod export;
mod generate;
mod import;
mod load;
mod materialize;
mod split;

pub use audit::{audit, BySize, Pair};
pub use definition::{catalog, find, suggestion, SplitDef};
pub use error::Error;
pub use export::{export, Container, Examples, Exported, Format, Options, Progress, Turns};
pub use generate::{class_of, example_at, generate, stream, Class};
pub use import::import_frozenlake;
pub use load::{load, verify};
pub use materialize::materialize;
pub use split::{Source, Split};

/// Version of the files written here (`format` in `manifest.json`).
pub const FORMAT: u32 = 1;
