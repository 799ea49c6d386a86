//! Split definitions made into examples, audited, materialized and imported.
//!
//! A split is a function of its definition: the same YAML gives the same examples on every machine and
//! thread count. Every problem belongs to one of three classes (train, val, test) by a hash of its form up to
//! the task's symmetries, so that splits of different classes are disjoint by construction; [`audit`] proves it
//! for any two.

mod audit;
mod builtin;
mod card;
mod definition;
mod error;
mod examples;
mod export;
mod generate;
mod import;
mod ladder;
mod load;
mod materialize;
mod plan;
mod purpose;
mod rows;
mod space;
mod split;
mod verify;
mod yaml;

pub use audit::{
    audit, audit_examples, draw_offenders, Audit, AuditOptions, BySize, NearDuplicates, Offender, Overlap,
    Pair,
};
pub use builtin::{catalog, check_names, find, find_or_read};
pub use definition::{AxesFile, SplitDef};
pub use error::Error;
pub use examples::{Examples, Item};
pub use export::{export, Container, Exported, Format, Options, Progress, Turns, Watch};
pub use generate::{example_at, generate, stream};
pub use import::{import_frozenlake, import_frozenlake_text};
pub use load::load;
pub use materialize::{build, materialize, Build, Building, Written};
pub use plan::{class_of, Class};
pub use purpose::Purpose;
pub use rows::import_rows;
pub use space::ceiling;
pub use split::{Source, Split};
pub use verify::verify;
pub use yaml::suggestion;

/// Version of the files written here (`format` in `manifest.json`).
pub const FORMAT: u32 = 1;
