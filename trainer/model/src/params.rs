//! Named weights in a fixed order, read from and written to safetensors.
//!
//! Candle's `VarMap` is a hash map: its order, hence any float sum over it, differs between processes. This
//! list has one order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor, Var};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

/// What can go wrong with weights.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Candle refused.
    #[error("network: {0}")]
    Candle(#[from] candle_core::Error),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {reason}")]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A configuration that no network has.
    #[error("network configuration: {0}")]
    Config(String),
}

/// Weights in a fixed order.
#[derive(Clone)]
pub struct Params {
    entries: Vec<(String, Var)>,
    device: Device,
}

impl Params {
    /// An empty list on a device.
    #[must_use]
    pub fn new(device: &Device) -> Self {
        Self { entries: Vec::new(), device: device.clone() }
    }

    /// Where the weights live.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Adds a tensor; names are unique by construction of the network.
    ///
    /// # Errors
    /// If candle cannot place it.
    pub fn add(&mut self, name: &str, shape: &[usize], values: Vec<f32>) -> Result<Tensor, Error> {
        let var = Var::from_tensor(&Tensor::from_vec(values, shape, &self.device)?)?;
        let tensor = var.as_tensor().clone();
        self.entries.push((name.to_owned(), var));
        Ok(tensor)
    }

    /// All weights in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.entries.iter().map(|(name, var)| (name.as_str(), var))
    }

    /// Number of scalars.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.iter().map(|(_, var)| var.elem_count()).sum()
    }

    /// All values in order.
    ///
    /// # Errors
    /// If they cannot be copied from their device.
    pub fn values(&self) -> Result<Vec<Vec<f32>>, Error> {
        self.entries.iter().map(|(_, var)| Ok(var.flatten_all()?.to_vec1::<f32>()?)).collect()
    }

    /// Replaces all values, in order.
    ///
    /// # Errors
    /// If a length does not fit.
    pub fn set_values(&self, values: &[Vec<f32>]) -> Result<(), Error> {
        for ((_, var), values) in self.entries.iter().zip(values) {
            var.set(&Tensor::from_slice(values, var.shape(), &self.device)?)?;
        }
        Ok(())
    }

    /// Safetensors bytes of the weights.
    ///
    /// # Errors
    /// If they cannot be copied or serialised.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let names: Vec<String> = self.entries.iter().map(|(name, _)| name.clone()).collect();
        let shapes: Vec<Vec<usize>> = self.entries.iter().map(|(_, var)| var.dims().to_vec()).collect();
        to_safetensors(&names, &shapes, &self.values()?)
    }

    /// Loads every weight from safetensors bytes; `path` is for messages.
    ///
    /// # Errors
    /// If the bytes are truncated, a weight is missing, unknown, has another shape, or is not finite. Nothing is
    /// changed then.
    pub fn load(&self, bytes: &[u8], path: &Path) -> Result<(), Error> {
        let found = from_safetensors(bytes, path)?;
        let mut values = Vec::new();
        for (name, var) in self.iter() {
            let weights = |reason: String| Error::Weights { path: path.to_owned(), reason };
            let Some((shape, data)) = found.get(name) else {
                return Err(weights(format!(
                    "weight `{name}` is missing; the checkpoint is of another network"
                )));
            };
            if shape != var.dims() {
                let reason =
                    format!("weight `{name}` has shape {shape:?}, the network needs {:?}", var.dims());
                return Err(weights(reason));
            }
            if let Some(at) = data.iter().position(|x| !x.is_finite()) {
                return Err(weights(format!(
                    "weight `{name}` holds {} at {at}; use an earlier checkpoint",
                    data[at]
                )));
            }
            values.push(data.clone());
        }
        if let Some(name) = found.keys().find(|name| self.iter().all(|(known, _)| known != name.as_str())) {
            let reason =
                format!("weight `{name}` is none of the network's; the checkpoint is of another network");
            return Err(Error::Weights { path: path.to_owned(), reason });
        }
        self.set_values(&values)
    }
}

/// Serialises named `f32` tensors.
pub(crate) fn to_safetensors(
    names: &[String],
    shapes: &[Vec<usize>],
    values: &[Vec<f32>],
) -> Result<Vec<u8>, Error> {
    let bytes: Vec<Vec<u8>> =
        values.iter().map(|values| values.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let views = names.iter().zip(shapes).zip(&bytes).map(|((name, shape), bytes)| {
        TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.clone(), view))
    });
    let views: Vec<_> = views.collect::<Result<_, _>>().map_err(|e| Error::Config(e.to_string()))?;
    safetensors::serialize(views, None).map_err(|e| Error::Config(e.to_string()))
}

type Named = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Reads named `f32` tensors.
pub(crate) fn from_safetensors(bytes: &[u8], path: &Path) -> Result<Named, Error> {
    let weights = |reason: String| Error::Weights { path: path.to_owned(), reason };
    let file = SafeTensors::deserialize(bytes)
        .map_err(|e| weights(format!("not a readable safetensors file ({e}); it may be truncated")))?;
    let mut named = Named::new();
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(weights(format!("weight `{name}` is {:?}, expected F32", view.dtype())));
        }
        let data =
            view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        named.insert(name, (view.shape().to_vec(), data));
    }
    Ok(named)
}

/// The one number type of the network.
pub(crate) const DTYPE: DType = DType::F32;
