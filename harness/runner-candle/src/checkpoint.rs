//! Reading a checkpoint directory: `model.safetensors`, `config.json`, `tokenizer.json`.

use std::fs;
use std::path::{Path, PathBuf};

use candle_core::Device;
use vrrl_harness_core::sha256_hex;
use vrrl_trainer_codec::Tokenizer;
use vrrl_trainer_model::{Config, Network, Products};

/// File of the weights.
pub const WEIGHTS: &str = "model.safetensors";
/// File of the network's sizes.
pub const CONFIG: &str = "config.json";
/// File of the vocabulary.
pub const TOKENIZER: &str = "tokenizer.json";

/// What can go wrong with a checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is missing or unreadable.
    #[error("{path}: {source}; a checkpoint directory holds {WEIGHTS}, {CONFIG} and {TOKENIZER}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The weights or the network are wrong.
    #[error(transparent)]
    Network(#[from] vrrl_trainer_model::Error),
    /// The vocabulary is wrong.
    #[error(transparent)]
    Tokenizer(#[from] vrrl_trainer_codec::Error),
    /// The device cannot be used.
    #[error("device `{name}`: {reason}")]
    Device {
        /// Name asked for.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
}

/// A checkpoint in memory.
#[derive(Clone)]
pub struct Checkpoint {
    /// The network.
    pub network: Network,
    /// The vocabulary.
    pub tokenizer: Tokenizer,
    /// SHA-256 over weights, sizes and vocabulary.
    pub fingerprint: String,
}

/// The devices that there are, by name. `cuda-bf16` is `cuda` with products of 16 bits ([`Products::Bf16`]).
pub const DEVICES: [&str; 3] = ["cpu", "cuda", "cuda-bf16"];

/// In which numbers a device of this name takes products.
#[must_use]
pub fn products(name: &str) -> Products {
    if name == "cuda-bf16" {
        Products::Bf16
    } else {
        Products::Float
    }
}

/// The device that a name of [`DEVICES`] asks for.
///
/// # Errors
/// If the name is unknown or the device cannot be used; never another device instead.
pub fn device(name: &str) -> Result<Device, Error> {
    let refuse = |reason: String| Error::Device { name: name.to_owned(), reason };
    match name {
        "cpu" => Ok(Device::Cpu),
        "cuda" | "cuda-bf16" if cfg!(feature = "cuda") => {
            Device::new_cuda(0).map_err(|e| refuse(format!("{e}; use --device cpu")))
        }
        "cuda" | "cuda-bf16" => {
            Err(refuse("this binary was built without it; build with --features cuda, or use cpu".into()))
        }
        _ => Err(refuse(format!("there are {}", DEVICES.join(", ")))),
    }
}

/// Reads a checkpoint directory.
///
/// # Errors
/// If a file is missing, truncated, of a newer format, or holds weights that are not finite.
pub fn load(dir: &Path, device: &Device) -> Result<Checkpoint, Error> {
    let read = |name: &str| {
        let path = dir.join(name);
        fs::read(&path).map_err(|source| Error::Io { path: path.clone(), source }).map(|bytes| (path, bytes))
    };
    let (config_path, config_bytes) = read(CONFIG)?;
    let (tokenizer_path, tokenizer_bytes) = read(TOKENIZER)?;
    let (weights_path, weights) = read(WEIGHTS)?;
    let config: Config = serde_json::from_slice(&config_bytes).map_err(|e| Error::File {
        path: config_path,
        reason: format!("not a network configuration: {e}"),
    })?;
    let text = String::from_utf8_lossy(&tokenizer_bytes);
    let tokenizer = Tokenizer::from_json(&text, &tokenizer_path)?;
    if tokenizer.len() != config.vocab {
        let reason = format!(
            "{} words, but the network has {}; the files are of two checkpoints",
            tokenizer.len(),
            config.vocab
        );
        return Err(Error::File { path: tokenizer_path, reason });
    }
    let network = Network::new(&config, device, &mut || 0.5)?;
    network.load(&weights, &weights_path)?;
    let all = [config_bytes, tokenizer_bytes, weights].map(|bytes| sha256_hex(&bytes)).concat();
    Ok(Checkpoint { network, tokenizer, fingerprint: sha256_hex(all.as_bytes()) })
}
