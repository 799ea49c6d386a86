//! One graph in one session, with what it says about its inputs and outputs.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use half::f16;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, Outlet, Tensor, TensorElementType};

use crate::{Engine, Error};

/// Type and shape of one input or output; −1 is a size that differs from call to call.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Port {
    pub name: String,
    pub elem: TensorElementType,
    pub dims: Vec<i64>,
}

/// How a session runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Running {
    /// Threads within one operation.
    pub threads: usize,
    /// `cpu` or `cuda`.
    pub device: String,
}

/// One graph in one session.
pub(crate) struct Graph {
    pub path: PathBuf,
    session: Session,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
}

impl Graph {
    pub fn open(path: &Path, engine: &Engine, running: &Running) -> Result<Self, Error> {
        let session = commit(path, engine, running).map_err(|reason| Error::Load {
            path: path.to_owned(),
            engine: engine.name.clone(),
            reason,
        })?;
        let ports = |outlets: &[Outlet]| -> Result<Vec<Port>, Error> {
            outlets.iter().map(|outlet| port(path, outlet)).collect()
        };
        let (inputs, outputs) = (ports(session.inputs())?, ports(session.outputs())?);
        Ok(Self { path: path.to_owned(), session, inputs, outputs })
    }

    /// The input of that name.
    pub fn input(&self, name: &str) -> Result<&Port, Error> {
        self.inputs.iter().find(|port| port.name == name).ok_or_else(|| self.missing("input", name))
    }

    /// The output of that name.
    pub fn output(&self, name: &str) -> Result<&Port, Error> {
        self.outputs.iter().find(|port| port.name == name).ok_or_else(|| self.missing("output", name))
    }

    fn missing(&self, what: &'static str, name: &str) -> Error {
        let ports = if what == "input" { &self.inputs } else { &self.outputs };
        let has = ports.iter().map(|port| port.name.as_str()).collect::<Vec<_>>().join(", ");
        Error::Missing { path: self.path.clone(), what, name: name.into(), has }
    }

    pub fn refuse(&self, reason: impl Into<String>) -> Error {
        Error::Unsupported { path: self.path.clone(), reason: reason.into() }
    }

    pub fn failed(&self, reason: impl Into<String>) -> Error {
        Error::Run { path: self.path.clone(), reason: reason.into() }
    }

    /// Runs the graph; the outputs asked for, in that order.
    pub fn run(
        &mut self,
        inputs: Vec<(String, SessionInputValue<'_>)>,
        wanted: &[String],
    ) -> Result<Vec<DynValue>, Error> {
        let path = self.path.clone();
        let failed = |reason: String| Error::Run { path: path.clone(), reason };
        let inputs: Vec<(Cow<'_, str>, SessionInputValue<'_>)> =
            inputs.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect();
        let mut outputs = self.session.run(inputs).map_err(|e| failed(e.to_string()))?;
        wanted
            .iter()
            .map(|name| outputs.remove(name).ok_or_else(|| failed(format!("the engine gave no `{name}`"))))
            .collect()
    }
}

fn commit(path: &Path, engine: &Engine, running: &Running) -> Result<Session, String> {
    let words = |e: ort::Error<_>| e.to_string();
    let mut builder = Session::builder(&engine.env).map_err(|e| e.to_string())?;
    // tract knows two levels, none and all.
    builder = builder.with_optimization_level(GraphOptimizationLevel::All).map_err(words)?;
    if engine.library.is_some() {
        builder = builder.with_intra_threads(running.threads).map_err(words)?;
        // Eight-bit weights are made into floats as they are used, sums are in floats: what flows through is not
        // rounded, so a reply does not depend on its batch.
        builder = builder.with_config_entry("session.qdq_matmulnbits_accuracy_level", "1").map_err(words)?;
        let provider = match running.device.as_str() {
            "cuda" => ort::ep::CUDA::default().build(),
            _ => ort::ep::CPU::default().build(),
        };
        builder = builder.with_execution_providers([provider.error_on_failure()]).map_err(words)?;
    }
    builder.commit_from_file(path).map_err(|e| e.to_string())
}

fn port(path: &Path, outlet: &Outlet) -> Result<Port, Error> {
    let refuse = |what: &str| Error::Unsupported {
        path: path.to_owned(),
        reason: format!("`{}` {what}", outlet.name()),
    };
    let elem = outlet.dtype().tensor_type().ok_or_else(|| refuse("is no tensor"))?;
    let dims = outlet.dtype().tensor_shape().map(|shape| shape.to_vec()).unwrap_or_default();
    Ok(Port { name: outlet.name().to_owned(), elem, dims })
}

impl Port {
    /// Whether it holds floating-point numbers of a kind that is read here.
    pub fn is_float(&self) -> bool {
        matches!(self.elem, TensorElementType::Float32 | TensorElementType::Float16)
    }
}

/// Numbers as a tensor of the port's own type.
pub(crate) fn floats(port: &Port, dims: &[usize], values: Vec<f32>) -> Result<DynValue, Error> {
    let failed = |e: ort::Error| Error::Run { path: port.name.clone().into(), reason: e.to_string() };
    if port.elem == TensorElementType::Float16 {
        let halves: Vec<f16> = values.into_iter().map(f16::from_f32).collect();
        return Ok(Tensor::from_array((dims.to_vec(), halves)).map_err(failed)?.into_dyn());
    }
    Ok(Tensor::from_array((dims.to_vec(), values)).map_err(failed)?.into_dyn())
}

/// Integers as a tensor.
pub(crate) fn integers(dims: &[usize], values: Vec<i64>) -> Result<DynValue, Error> {
    let failed = |e: ort::Error| Error::Run { path: "integers".into(), reason: e.to_string() };
    Ok(Tensor::from_array((dims.to_vec(), values)).map_err(failed)?.into_dyn())
}

/// Shape and numbers of a tensor.
pub(crate) fn read(value: &DynValue) -> Result<(Vec<usize>, Cow<'_, [f32]>), String> {
    let sizes = |shape: &[i64]| shape.iter().map(|&d| d.max(0) as usize).collect();
    if let Ok((shape, values)) = value.try_extract_tensor::<f32>() {
        return Ok((sizes(shape), Cow::Borrowed(values)));
    }
    let (shape, halves) = value.try_extract_tensor::<f16>().map_err(|e| e.to_string())?;
    Ok((sizes(shape), Cow::Owned(halves.iter().map(|h| h.to_f32()).collect())))
}
