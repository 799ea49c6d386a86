//! MODEL words: `candle:PATH`, `replay:FILE`, `oracle`, ...

use std::path::Path;

use vrrl_harness::policies::{Reference, Replay};
use vrrl_harness_core::{Dialect, Policy};

use crate::tools::Open;
use crate::{Error, Result};

/// The MODEL words that can be used, for help and messages.
pub const MODELS: &str = "candle:PATH, replay:TRACES.jsonl, oracle, noisy-oracle:P, random, repeat";

/// Whether the word names a policy without learning.
pub(crate) fn is_reference(model: &str) -> bool {
    matches!(model, "oracle" | "random" | "repeat") || model.starts_with("noisy-oracle:")
}

/// Opens the policy that a MODEL word names.
///
/// # Errors
/// [`Error::Input`] for a word that names none, or what the policy's own files say.
pub fn open(model: &str, dialect: Dialect, device: &str, checkpoint: Open<'_>) -> Result<Box<dyn Policy>> {
    if let Some(path) = model.strip_prefix("candle:") {
        return checkpoint(Path::new(path), device);
    }
    if let Some(path) = model.strip_prefix("replay:") {
        return Ok(Box::new(Replay::open(Path::new(path))?));
    }
    if let Some(reference) = Reference::from_model(model, dialect)? {
        return Ok(Box::new(reference));
    }
    let later = ["ort:", "openai:"].iter().find(|prefix| model.starts_with(**prefix));
    Err(Error::Input(match later {
        Some(prefix) => format!("model {model:?}: {prefix} arrives later; now there are {MODELS}"),
        None => format!("model {model:?} is unknown; there are {MODELS}"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_policies_or_say_what_does() {
        let none: Open<'_> = &|dir, _| Err(Error::Input(format!("opened {}", dir.display())));
        let open = |word| open(word, Dialect::BareCommit, "cpu", none);
        for word in ["oracle", "random", "repeat", "noisy-oracle:0.25"] {
            assert_eq!(open(word).unwrap().info().name, word);
            assert!(is_reference(word));
        }
        for (word, says) in [
            ("candle:/a/b", "opened /a/b"),
            ("openai:http://localhost#m", "arrives later; now there are candle:PATH"),
            ("ort:x", "arrives later"),
            ("gpt", "is unknown; there are candle:PATH"),
            ("noisy-oracle:2", "0 to 1"),
            ("replay:/no/such.jsonl", "/no/such.jsonl"),
        ] {
            let error = open(word).err().unwrap().to_string();
            assert!(error.contains(says), "{word}: {error}");
        }
    }
}
