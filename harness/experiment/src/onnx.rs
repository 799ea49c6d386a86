//! Checkpoints as ONNX graphs, and two backends side by side (`vrrl export --onnx`, `vrrl parity`).

use std::path::{Path, PathBuf};

use vrrl_harness::{EvalConfig, Parity};
use vrrl_harness_core::Dialect;
use vrrl_harness_runner_candle::Export;

use crate::model::{self, EndpointRequest, OrtRequest, Rules};
use crate::{single, Error, Result, Tools};

/// Writes a checkpoint as a directory of ONNX graphs; returns the files. See
/// [`vrrl_harness_runner_candle::export_onnx`].
///
/// # Errors
/// If the checkpoint does not load or the disk refuses.
pub fn export_onnx(checkpoint: &Path, out: &Path, int8: bool) -> Result<Vec<PathBuf>> {
    let export = Export { int8, ..Export::default() };
    Ok(vrrl_harness_runner_candle::export_onnx(checkpoint, out, &export)?)
}

/// Two models to be compared reply by reply.
#[derive(Clone, PartialEq, Debug)]
pub struct ParityRequest {
    /// MODEL words.
    pub models: [String; 2],
    /// Names, folders or files of maps.
    pub splits: Vec<String>,
    /// `cpu` or `cuda`.
    pub device: String,
    /// Turn language; the models' own, else bare commit, where absent.
    pub dialect: Option<Dialect>,
    /// What only a directory of ONNX graphs is told.
    pub ort: OrtRequest,
    /// How they are asked; `dialect` is filled in.
    pub config: EvalConfig,
}

/// Runs the same examples through two models; see [`vrrl_harness::parity`].
///
/// # Errors
/// Bad input before anything is asked; models of other turn languages.
pub fn parity(request: &ParityRequest, tools: Tools<'_>) -> Result<Parity> {
    let [a, b] = &request.models;
    let own = [single::own_dialect(a), single::own_dialect(b)];
    if let (None, [Some(x), Some(y)]) = (request.dialect, own) {
        if x != y {
            let (x, y) = (x.word(), y.word());
            return Err(Error::Input(format!("{a} was trained in {x} and {b} in {y}; say --dialect")));
        }
    }
    let dialect = request.dialect.or(own[0]).or(own[1]).unwrap_or(Dialect::BareCommit);
    let splits = single::load_splits(&request.splits, dialect)?;
    // Flags of ort: go to whichever of the two takes them.
    let (none, endpoint) = (OrtRequest::default(), EndpointRequest::default());
    if !request.models.iter().any(|word| word.starts_with("ort:")) && request.ort != none {
        return Err(Error::Input("--engine and --threads are for ort:DIR; neither model is one".into()));
    }
    let open = |word: &str| {
        let ort = if word.starts_with("ort:") { &request.ort } else { &none };
        let (device, max_turns) = (request.device.as_str(), request.config.max_turns);
        model::open(word, Rules { dialect, max_turns, device, endpoint: &endpoint, ort }, tools.open)
    };
    let (mut first, mut second) = (open(a)?, open(b)?);
    let config = EvalConfig { dialect, ..request.config.clone() };
    Ok(vrrl_harness::parity(first.as_mut(), second.as_mut(), &splits, &config)?)
}
