//! Presets of the supervised blocks of a recipe: `sft: {preset: paper}` and `tuning: {preset: paper}`.
//!
//! The numbers of `paper` are those of the navigation runs (SFT: 4 K examples, 5 epochs, batch 48, 2e-6; warm-up: 3 K,
//! 10 epochs); grounding differs in the rate, 5e-6, and its number of epochs is not said. The paper trains models of
//! billions of weights that have been trained before; from scratch these rates teach nothing. The released code
//! has the navigation half alone and the same numbers, so `code` equals `paper` here.

use serde_yaml::{Mapping, Value};
use vrrl_trainer::{Error, SupervisedConfig};

use crate::TuningConfig;

/// Blocks that may name a preset; `rl` has its own, with the reward in it.
const BLOCKS: [&str; 2] = ["sft", "tuning"];

/// The recipe with every preset of its supervised blocks written out below what the block says itself.
pub(crate) fn resolve(text: &str) -> Result<String, Error> {
    let parsed = serde_yaml::from_str::<Value>(text).map_err(|e| Error::Recipe(e.to_string()))?;
    let Value::Mapping(mut recipe) = parsed else { return Ok(text.to_owned()) };
    let warm_up = recipe.get("method").and_then(Value::as_str) == Some("base");
    let mut named = false;
    for block in BLOCKS {
        let Some(Value::Mapping(own)) = recipe.get_mut(block) else { continue };
        let Some(preset) = own.remove("preset") else { continue };
        named = true;
        let name = preset.as_str().unwrap_or_default();
        let mut all = settings(block, name, warm_up).ok_or_else(|| {
            Error::Recipe(format!("`{block}.preset` is {name:?}; there are small, paper and code"))
        })?;
        all.extend(std::mem::take(own));
        *own = all;
    }
    if !named {
        // As it stands, so that errors know their lines.
        return Ok(text.to_owned());
    }
    serde_yaml::to_string(&recipe).map_err(|e| Error::Recipe(e.to_string()))
}

fn settings(block: &str, preset: &str, warm_up: bool) -> Option<Mapping> {
    let value = match (block, preset) {
        ("sft", "small") => serde_yaml::to_value(SupervisedConfig::default()),
        ("tuning", "small") => serde_yaml::to_value(TuningConfig::default()),
        ("sft", "paper" | "code") => serde_yaml::to_value(SupervisedConfig {
            steps: if warm_up { 3_000 * 10 / 48 } else { 4_000 * 5 / 48 },
            batch: 48,
            lr: 2e-6,
            lr_final: 1.0,
            warmup: 0,
            ..SupervisedConfig::default()
        }),
        ("tuning", "paper" | "code") => {
            serde_yaml::to_value(TuningConfig { rounds: 5, prompts: 4_000, temperature: 1.0 })
        }
        _ => return None,
    };
    value.ok()?.as_mapping().cloned()
}
