//! A checkpoint as a directory of ONNX graphs.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use candle_core::Device;
use serde_json::{json, Value};
use vrrl_trainer_codec::Tokenizer;
use vrrl_trainer_model::{Config, OnnxOptions, Precision};

use crate::checkpoint::{load, Checkpoint, Error, CONFIG, TOKENIZER};

const FORMAT: u32 = 1;
const TRAINING: &str = "training.json";

/// How a checkpoint is exported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// Write eight-bit weights (`*_int8.onnx`) beside the full ones.
    pub int8: bool,
    /// Graphs with more bytes of weights than this have them in a file of their own.
    pub external_above: usize,
}

impl Default for Export {
    fn default() -> Self {
        Self { int8: false, external_above: OnnxOptions::default().external_above }
    }
}

/// Writes `vision_encoder.onnx`, `embed_tokens.onnx`, `decoder_model_merged.onnx` and the JSON files that say how
/// to use them into `out`; returns the files. Equal checkpoints give equal bytes. `config.json` goes first and
/// comes back last: a directory without it is half written.
///
/// # Errors
/// If the checkpoint does not load or the disk refuses.
pub fn export_onnx(checkpoint: &Path, out: &Path, export: &Export) -> Result<Vec<PathBuf>, Error> {
    let Checkpoint { network, tokenizer, fingerprint } = load(checkpoint, &Device::Cpu)?;
    fs::create_dir_all(out).map_err(|source| Error::Io { path: out.to_owned(), source })?;
    let last = out.join(CONFIG);
    if last.exists() {
        fs::remove_file(&last).map_err(|source| Error::Io { path: last.clone(), source })?;
    }
    let mut written = Vec::new();
    let mut put = |name: &str, bytes: &[u8]| -> Result<(), Error> {
        let path = out.join(name);
        write(&path, bytes)?;
        written.push(path);
        Ok(())
    };
    let precisions: &[Precision] =
        if export.int8 { &[Precision::F32, Precision::Int8] } else { &[Precision::F32] };
    let mut external = serde_json::Map::new();
    for &precision in precisions {
        let metadata = vec![
            ("vrrl.format".to_owned(), FORMAT.to_string()),
            ("vrrl.checkpoint".to_owned(), fingerprint.clone()),
        ];
        let options = OnnxOptions { external_above: export.external_above, metadata };
        for file in network.to_onnx(precision, &options)? {
            if let Some((name, bytes)) = &file.data {
                external.insert(file.name.clone(), json!(1));
                put(name, bytes)?;
            }
            put(&file.name, &file.bytes)?;
        }
    }
    put(TOKENIZER, tokenizer.to_json().as_bytes())?;
    put("preprocessor_config.json", &text(&preprocessor(network.config())))?;
    put("generation_config.json", &text(&generation(network.config(), &tokenizer)))?;
    let own = json!({
        "format": FORMAT,
        "checkpoint": fingerprint,
        "method": recorded(checkpoint, "/recipe/method"),
        "dialect": recorded(checkpoint, "/recipe/dialect"),
        "position_slots": network.config().slots,
    });
    put(CONFIG, &text(&sizes(network.config(), &tokenizer, (&external, &own))))?;
    Ok(written)
}

/// `config.json`: the usual keys, and ours below `vrrl`.
fn sizes(
    config: &Config,
    tokenizer: &Tokenizer,
    (external, own): (&serde_json::Map<String, Value>, &Value),
) -> Value {
    json!({
        "format": FORMAT,
        "model_type": "vrrl",
        "image_token_id": tokenizer.encode("<image>").ok().and_then(|ids| ids.first().copied()),
        "text_config": {
            "vocab_size": config.vocab,
            "hidden_size": config.width,
            "intermediate_size": config.hidden,
            "num_hidden_layers": config.layers,
            "num_attention_heads": config.slopes.len(),
        },
        "vision_config": { "image_size": config.side * config.patch, "patch_size": config.patch },
        "transformers.js_config": { "use_external_data_format": external },
        "vrrl": own,
    })
}

/// Pixels in [-1, 1] less the paper's; a smaller picture is padded with grey, a larger one cropped.
fn preprocessor(config: &Config) -> Value {
    let side = config.side * config.patch;
    // (p/255 − mean) / .5 = p/127.5 − 1 − paper
    let mean = 0.5 + f64::from(config.paper) / 2.0;
    json!({
        "format": FORMAT,
        "do_resize": false,
        "size": { "height": side, "width": side },
        "do_rescale": true,
        "rescale_factor": 1.0 / 255.0,
        "do_normalize": true,
        "image_mean": [mean, mean, mean],
        "image_std": [0.5, 0.5, 0.5],
    })
}

fn generation(config: &Config, tokenizer: &Tokenizer) -> Value {
    let stops: Vec<u32> = (0..tokenizer.len() as u32).filter(|&id| tokenizer.stops(id)).collect();
    json!({
        "format": FORMAT,
        "do_sample": false,
        "eos_token_id": stops,
        "max_new_tokens": config.slots - config.image_tokens() - 1,
    })
}

/// A word of the training record; null where there is none.
fn recorded(checkpoint: &Path, pointer: &str) -> Value {
    let record = fs::read(checkpoint.join(TRAINING)).ok();
    let record: Option<Value> = record.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    record.and_then(|record| record.pointer(pointer).cloned()).unwrap_or(Value::Null)
}

fn text(value: &Value) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("plain data serialises");
    text.push(b'\n');
    text
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    File::create(&part)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&part, path))
        .map_err(|source| Error::Io { path: path.to_owned(), source })
}
