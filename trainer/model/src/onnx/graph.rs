//! A graph under construction, and its bytes.

use std::collections::HashMap;

use prost::Message as _;

use super::proto::{self, Attribute, Dim, Entry, Kind, Node, Tensor, ValueInfo};
use super::{OnnxFile, Options, Precision};
use crate::Params;

/// Bytes at which a tensor in a side file begins: a multiple, so that readers may map it.
const ALIGN: usize = 64;
/// Tensors below this many bytes stay in the graph: shapes are read while it is being built.
const SMALL: usize = 1024;

/// The weights of a network on the host, by name.
pub(super) struct Weights(HashMap<String, Vec<f32>>);

impl Weights {
    pub fn of(params: &Params) -> Result<Self, crate::Error> {
        let names = params.iter().map(|(name, _)| name.to_owned());
        Ok(Self(names.zip(params.values()?).collect()))
    }

    /// The network names its weights itself, so each is there.
    pub fn get(&self, name: &str) -> &[f32] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

/// A graph under construction. A value is known by its name; every function that makes one returns it.
pub(super) struct Graph {
    graph: proto::Graph,
    precision: Precision,
}

impl Graph {
    pub fn new(name: &str, precision: Precision) -> Self {
        Self { graph: proto::Graph { name: name.into(), ..proto::Graph::default() }, precision }
    }

    /// Declares an input. A size is a number, or a name or sum of names where it may differ from call to call.
    pub fn input(&mut self, name: &str, elem: i32, dims: &[&str]) -> String {
        self.graph.input.push(declare(name, elem, dims));
        name.to_owned()
    }

    /// Declares an output and lets it stand for `value`.
    pub fn output(&mut self, name: &str, elem: i32, dims: &[&str], value: &str) {
        self.graph.output.push(declare(name, elem, dims));
        for node in &mut self.graph.node {
            for made in node.output.iter_mut().chain(&mut node.input) {
                if made == value {
                    name.clone_into(made);
                }
            }
        }
    }

    /// Adds a node with one result, which has the node's name.
    pub fn node(&mut self, op: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        self.nodes(op, inputs, 1, attributes).remove(0)
    }

    /// Adds a node with several results.
    pub fn nodes(
        &mut self,
        op: &str,
        inputs: &[&str],
        results: usize,
        attribute: Vec<Attribute>,
    ) -> Vec<String> {
        let name = format!("{}_{op}", self.graph.node.len());
        let output: Vec<String> =
            (0..results).map(|i| if results == 1 { name.clone() } else { format!("{name}.{i}") }).collect();
        let input = inputs.iter().map(|&i| i.to_owned()).collect();
        self.graph.node.push(Node { input, output: output.clone(), name, op_type: op.into(), attribute });
        output
    }

    /// A constant of numbers that stay as they are.
    pub fn floats(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        self.tensor(name, dims, proto::FLOAT, values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// A single number.
    pub fn scalar(&mut self, name: &str, value: f32) -> String {
        self.floats(name, &[], &[value])
    }

    /// A constant of integers.
    pub fn ints(&mut self, name: &str, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.tensor(name, &[values.len()], proto::INT64, bytes)
    }

    /// A single integer.
    pub fn whole(&mut self, name: &str, value: i64) -> String {
        self.tensor(name, &[], proto::INT64, value.to_le_bytes().to_vec())
    }

    /// A weight: as it is, or as eight-bit integers with a scale for each index of `axis`.
    pub fn weight(&mut self, name: &str, dims: &[usize], values: &[f32], axis: usize) -> String {
        if self.precision == Precision::F32 {
            return self.floats(name, dims, values);
        }
        let inner: usize = dims[axis + 1..].iter().product();
        let channel = |at: usize| at / inner % dims[axis];
        let mut scales = vec![0.0f32; dims[axis]];
        for (at, x) in values.iter().enumerate() {
            scales[channel(at)] = scales[channel(at)].max(x.abs() / 127.0);
        }
        // A channel of zeros has any scale.
        scales.iter_mut().filter(|s| **s <= 0.0).for_each(|s| *s = 1.0);
        let bytes =
            values.iter().enumerate().map(|(at, x)| (x / scales[channel(at)]).round() as i8 as u8).collect();
        let whole = self.tensor(&format!("{name}.int8"), dims, proto::INT8, bytes);
        let scale = self.floats(&format!("{name}.scale"), &[dims[axis]], &scales);
        let zeros = vec![0; dims[axis]];
        let zero = self.tensor(&format!("{name}.zero"), &[dims[axis]], proto::INT8, zeros);
        self.node("DequantizeLinear", &[&whole, &scale, &zero], vec![int("axis", axis as i64)])
    }

    fn tensor(&mut self, name: &str, dims: &[usize], data_type: i32, bytes: Vec<u8>) -> String {
        if !self.graph.initializer.iter().any(|t| t.name == name) {
            self.graph.initializer.push(Tensor {
                dims: dims.iter().map(|&d| d as i64).collect(),
                data_type,
                name: name.into(),
                raw_data: Some(bytes),
                ..Tensor::default()
            });
        }
        name.to_owned()
    }

    /// The graph as a file, with a file of its weights beside it where they are too large for one message.
    pub fn finish(mut self, options: &Options) -> OnnxFile {
        let name = format!("{}{}.onnx", self.graph.name, self.precision.suffix());
        let size: usize =
            self.graph.initializer.iter().map(|t| t.raw_data.as_ref().map_or(0, Vec::len)).sum();
        let mut data = None;
        if size > options.external_above {
            let file = format!("{name}_data");
            let mut all = Vec::with_capacity(size);
            for tensor in &mut self.graph.initializer {
                let Some(bytes) = tensor.raw_data.take_if(|bytes| bytes.len() >= SMALL) else { continue };
                all.resize(all.len().next_multiple_of(ALIGN), 0);
                let entry = |key: &str, value: String| Entry { key: key.into(), value };
                tensor.external_data = vec![
                    entry("location", file.clone()),
                    entry("offset", all.len().to_string()),
                    entry("length", bytes.len().to_string()),
                ];
                tensor.data_location = Some(1);
                all.extend(bytes);
            }
            data = Some((file, all));
        }
        let entry = |(key, value): &(String, String)| Entry { key: key.clone(), value: value.clone() };
        let model = proto::Model {
            ir_version: proto::IR_VERSION,
            producer_name: "vrrl".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            graph: Some(self.graph),
            opset_import: vec![proto::OperatorSet { domain: String::new(), version: proto::OPSET }],
            metadata_props: options.metadata.iter().map(entry).collect(),
        };
        OnnxFile { name, bytes: model.encode_to_vec(), data }
    }
}

/// An attribute that is a number.
pub(super) fn int(name: &str, value: i64) -> Attribute {
    Attribute { name: name.into(), i: Some(value), ints: Vec::new(), kind: 2 }
}

/// An attribute that is a list of numbers.
pub(super) fn ints(name: &str, values: &[i64]) -> Attribute {
    Attribute { name: name.into(), i: None, ints: values.to_vec(), kind: 7 }
}

fn declare(name: &str, elem_type: i32, dims: &[&str]) -> ValueInfo {
    let dim = |word: &&str| match word.parse() {
        Ok(value) => Dim { value: Some(value), param: None },
        Err(_) => Dim { value: None, param: Some((*word).to_owned()) },
    };
    let shape = proto::Shape { dim: dims.iter().map(dim).collect() };
    let tensor = proto::TensorKind { elem_type, shape: Some(shape) };
    ValueInfo { name: name.into(), kind: Some(Kind { tensor: Some(tensor) }) }
}
