//! Training and hold-out examples by the name of their split.

use vrrl_datasets::{example_at, find_or_read, generate, Purpose, SplitDef};
use vrrl_harness_core::Example;

use crate::Error;

/// An endless stream of training examples: example `index` of a train-role split, whatever its `n`.
#[derive(Clone, Debug)]
pub struct Source {
    def: SplitDef,
}

impl Source {
    /// The stream of a built-in split, or of a definition's file (`.yaml`).
    ///
    /// # Errors
    /// If no split has this name, or it is not for training.
    pub fn find(name: &str) -> Result<Self, Error> {
        let bad = |e: vrrl_datasets::Error| Error::Recipe(format!("`train`: {e}"));
        let def = find_or_read(name).map_err(bad)?;
        def.open_for(Purpose::Train).map_err(bad)?;
        Ok(Self { def })
    }

    /// Example `index`.
    ///
    /// # Errors
    /// If it cannot be generated.
    pub fn example(&self, index: u64) -> Result<Example, Error> {
        example_at(&self.def, index).map_err(|e| Error::Example { index, reason: e.to_string() })
    }
}

/// The examples of a hold-out split, built in or of a definition's file (`.yaml`).
///
/// # Errors
/// If no split has this name, it is a test split (checkpoints are never chosen on one), or it cannot be made.
pub fn holdout(name: &str) -> Result<Vec<Example>, Error> {
    let bad = |e: vrrl_datasets::Error| Error::Recipe(format!("`val`: {e}"));
    let def = find_or_read(name).map_err(bad)?;
    def.open_for(Purpose::Choose).map_err(bad)?;
    Ok(generate(&def).map_err(bad)?.examples)
}
