//! The files of `examples/` read, and say what their comments say.

use std::path::{Path, PathBuf};

use vrrl_baselines::{Method, Recipe};
use vrrl_harness_experiment::{Experiment, Sweep};

/// The YAML files of a folder below `examples/`, in order.
fn files(folder: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(folder);
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

#[test]
fn every_experiment_reads() {
    let mut files = files("");
    files.retain(|path| !path.ends_with("sweep.yaml"));
    assert!(files.len() >= 3, "{files:?}");
    for path in files {
        let experiment = Experiment::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(path.ends_with(format!("{}.yaml", experiment.name)), "{}", path.display());
    }
}

#[test]
fn the_sweep_reads() {
    let path = files("").into_iter().find(|path| path.ends_with("sweep.yaml")).unwrap();
    let sweep = Sweep::open(&path).unwrap();
    assert_eq!((sweep.name.as_str(), sweep.experiment().unwrap().eval.limit), ("sweep", Some(300)));
}

#[test]
fn every_recipe_reads() {
    let files = files("recipes");
    let named = |method: &Method| files.iter().any(|path| path.ends_with(format!("{}.yaml", method.word())));
    let missing: Vec<Method> = Method::ALL.into_iter().filter(|method| !named(method)).collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let recipe = Recipe::from_yaml(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        if recipe.method.parts().is_some() {
            recipe.rl_config().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        }
        assert!(path.ends_with(format!("{}.yaml", recipe.method.word())), "{}", path.display());
    }
}

#[test]
fn the_vrrl_recipe_is_its_preset_written_out() {
    let path = files("recipes").into_iter().find(|path| path.ends_with("vrrl.yaml")).unwrap();
    let written = Recipe::from_yaml(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let text =
        "method: vrrl\ntrain: quick/maze/train\nval: quick/maze/id_val\nrl: {preset: small, steps: 200}\n";
    let preset = Recipe::from_yaml(text).unwrap();
    assert_eq!(written.rl_config().unwrap(), preset.rl_config().unwrap(), "{}", path.display());
}
