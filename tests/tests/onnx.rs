//! A checkpoint through candle and its ONNX graphs through the embedded engine: the same replies.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fs;
use std::path::Path;

use candle_core::Device;
use vrrl_harness::{parity, EvalConfig, EvalSplit, Parity};
use vrrl_harness_core::{Dialect, Policy, Seed};
use vrrl_harness_runner_candle::{export_onnx, CandlePolicy, Export};
use vrrl_harness_runner_ort::{engine, Options, OrtPolicy};
use vrrl_trainer_codec::Tokenizer;
use vrrl_trainer_model::{Config, Network};

/// A network of few weights.
fn tiny() -> Config {
    let mut config = Config::small(Tokenizer::default().len());
    (config.channels, config.blocks, config.width, config.hidden, config.layers) = (12, 2, 24, 32, 2);
    (config.slopes, config.slots) = (vec![0.0, 1.0, 16.0], 40);
    config
}

/// An untrained network that proposes a lot: several turns, all lengths of replies.
fn checkpoint(dir: &Path, config: &Config) {
    let tokenizer = Tokenizer::default();
    let mut rng = Seed(11).rng();
    let network = Network::new(config, &Device::Cpu, &mut || rng.unit()).unwrap();
    // Replies open with a proposal and close soon.
    let words = |list: &[&str]| -> Vec<usize> {
        list.iter().map(|word| tokenizer.encode(word).unwrap()[0] as usize).collect()
    };
    let mut values = network.params().values().unwrap();
    let bias = values.last_mut().unwrap();
    for (ids, by) in
        [(words(&["<ANSWER>"]), 2.0), (words(&["</ANSWER>"]), 2.0), (words(&["up", "left"]), 1.0)]
    {
        ids.iter().for_each(|&id| bias[id] += by);
    }
    network.params().set_values(&values).unwrap();
    fs::write(dir.join("model.safetensors"), network.params().to_bytes().unwrap()).unwrap();
    fs::write(dir.join("config.json"), serde_json::to_vec(config).unwrap()).unwrap();
    fs::write(dir.join("tokenizer.json"), tokenizer.to_json()).unwrap();
    let record = "{\"format\": 1, \"recipe\": {\"method\": \"vrrl\", \"dialect\": \"bare_commit\"}}";
    fs::write(dir.join("training.json"), record).unwrap();
}

fn split() -> EvalSplit {
    let def = vrrl_datasets::find("quick/maze/ood7").unwrap();
    let examples = (0..24).map(|i| vrrl_datasets::example_at(&def, i).unwrap()).collect();
    EvalSplit {
        name: def.name.clone(),
        role: None,
        task: vrrl_harness_core::TaskKind::Maze,
        shift: String::new(),
        severity: vrrl_harness::Severity::default(),
        hash: String::new(),
        examples,
    }
}

fn ort(word: &str) -> OrtPolicy {
    let options = Options { engine: engine::EMBEDDED.into(), threads: Some(2), ..Options::default() };
    OrtPolicy::open(word, &options).unwrap()
}

fn compared(a: &mut dyn Policy, b: &mut dyn Policy, temperature: f64) -> Parity {
    let config = EvalConfig { dialect: Dialect::BareCommit, temperature, seed: 3, ..EvalConfig::default() };
    parity(a, b, &[split()], &config).unwrap()
}

#[test]
fn candle_and_its_graphs_reply_alike() {
    let dir = tempfile::tempdir().unwrap();
    let (from, out) = (dir.path().join("checkpoint"), dir.path().join("graphs"));
    fs::create_dir(&from).unwrap();
    checkpoint(&from, &tiny());
    let files = export_onnx(&from, &out, &Export { int8: true, ..Export::default() }).unwrap();
    assert_eq!(files.last().unwrap().file_name().unwrap(), "config.json");
    let bytes = |dir: &Path| {
        files.iter().map(|f| fs::read(dir.join(f.file_name().unwrap())).unwrap()).collect::<Vec<_>>()
    };
    let before = bytes(&out);
    export_onnx(&from, &out, &Export { int8: true, ..Export::default() }).unwrap();
    assert_eq!(before, bytes(&out), "equal checkpoints give equal bytes");

    let mut candle = CandlePolicy::load(&from, "cpu").unwrap();
    let mut graphs = ort(&out.display().to_string());
    for temperature in [0.0, 1.0] {
        let found = compared(&mut candle, &mut graphs, temperature);
        assert!(found.turns > found.episodes, "some episodes revise: {found:?}");
        assert_eq!((found.turns_equal, found.pictures_equal), (found.turns, found.pictures), "{found:?}");
        assert!(found.max_log_prob_difference.unwrap() < 1e-4, "{found:?}");
        assert_eq!((found.a.faults, found.b.faults, found.first_divergence), (0, 0, None));
    }

    let beside = dir.path().join("beside");
    export_onnx(&from, &beside, &Export { int8: false, external_above: 1000 }).unwrap();
    assert!(beside.join("decoder_model_merged.onnx_data").exists());
    let found = compared(&mut graphs, &mut ort(&beside.display().to_string()), 1.0);
    assert_eq!((found.turns_equal, found.max_log_prob_difference), (found.turns, Some(0.0)));

    // Eight bits are not the same policy, and parity says where it parts.
    let mut eight = ort(&format!("{}#int8", out.display()));
    let found = compared(&mut graphs, &mut eight, 1.0);
    assert!(found.max_log_prob_difference.unwrap() > 1e-4, "{found:?}");
    assert!(found.share_equal > 0.5, "{found:?}");
    assert_eq!(found.first_divergence.is_some(), found.turns_equal < found.turns);
}

#[test]
fn a_finer_grid_becomes_graphs_too() {
    let dir = tempfile::tempdir().unwrap();
    let (from, out) = (dir.path().join("checkpoint"), dir.path().join("graphs"));
    fs::create_dir(&from).unwrap();
    checkpoint(&from, &Config { patch: 4, side: 16, folds: vec![1], ..tiny() });
    export_onnx(&from, &out, &Export { int8: false, ..Export::default() }).unwrap();
    let mut candle = CandlePolicy::load(&from, "cpu").unwrap();
    let found = compared(&mut candle, &mut ort(&out.display().to_string()), 1.0);
    assert_eq!((found.turns_equal, found.pictures_equal), (found.turns, found.pictures), "{found:?}");
    assert!(found.max_log_prob_difference.unwrap() < 1e-4, "{found:?}");
}

#[test]
fn broken_weights_are_faults_and_never_wrong_answers() {
    let dir = tempfile::tempdir().unwrap();
    let (from, out) = (dir.path().join("checkpoint"), dir.path().join("graphs"));
    fs::create_dir(&from).unwrap();
    checkpoint(&from, &tiny());
    export_onnx(&from, &out, &Export::default()).unwrap();
    // The last bias of the decoder becomes NaN.
    let network = vrrl_harness_runner_candle::load(&from, &Device::Cpu).unwrap().network;
    let bias = network.params().values().unwrap().pop().unwrap();
    let needle: Vec<u8> = bias.iter().flat_map(|x| x.to_le_bytes()).collect();
    let path = out.join("decoder_model_merged.onnx");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(needle.len()).position(|w| w == needle).unwrap();
    bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let mut candle = CandlePolicy::load(&from, "cpu").unwrap();
    let found = compared(&mut candle, &mut ort(&out.display().to_string()), 0.0);
    assert_eq!(found.b.faults, found.episodes);
    assert!(found.first_divergence.unwrap().b.contains("NaN"));
}
