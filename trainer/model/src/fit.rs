//! Whether weights are of the network that a configuration describes, said in the configuration's own words.

use std::collections::BTreeMap;

use crate::Config;

/// Shapes by weight.
pub(crate) type Shapes = BTreeMap<String, Vec<usize>>;

/// One sentence for each size that the weights show to be another than the configuration's; empty if none is. Sizes
/// that no shape shows (`side`, `slopes`) are not compared, nor those whose weight is missing.
pub(crate) fn differences(config: &Config, shapes: &Shapes) -> Vec<String> {
    let dim = |name: &str, at: usize| shapes.get(name).and_then(|shape| shape.get(at)).copied();
    let count = |prefix: &str| {
        let numbers =
            shapes.keys().filter_map(|name| name.strip_prefix(prefix)?.split('.').next()?.parse().ok());
        numbers.max().map_or(0, |last: usize| last + 1)
    };
    let sizes = [
        ("vocab", dim("text.embedding.weight", 0), config.vocab),
        ("width", dim("text.embedding.weight", 1), config.width),
        ("slots", dim("text.positions.weight", 0), config.slots),
        ("layers", Some(count("text.layers.")), config.layers),
        ("hidden", dim("text.layers.0.up.weight", 1), config.hidden),
        ("channels", dim("vision.stem.weight", 1), config.channels),
        ("blocks", Some(count("vision.blocks.")), config.blocks),
        ("number of `folds`", Some(count("vision.folds.")), config.folds.len()),
        ("numbers of a patch (3 · `patch`²)", dim("vision.stem.weight", 0), config.patch_len()),
    ];
    let differs = |(key, found, want): (&str, Option<usize>, usize)| {
        let found = found.filter(|found| *found != want)?;
        let key = if key.contains(' ') { key.to_owned() } else { format!("`{key}`") };
        Some(format!("{key}: {found} in the weights, {want} in config.json"))
    };
    sizes.into_iter().filter_map(differs).collect()
}
