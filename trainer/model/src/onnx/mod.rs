//! The network as ONNX graphs, written from our own description of it.
//!
//! Three files in the layout that vision-language models are published in (SmolVLM's on Hugging Face):
//! `vision_encoder.onnx`, `embed_tokens.onnx`, `decoder_model_merged.onnx`. Equal weights give equal bytes.

mod decoder;
mod encoder;
mod graph;
mod proto;

use crate::{Error, Network};

/// How weights are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precision {
    /// As they are.
    F32,
    /// Matrices and convolutions as eight-bit integers with a scale for each output, symmetric, made into floats
    /// by `DequantizeLinear` before use. What flows through stays as it is: `DynamicQuantizeLinear` has one scale
    /// for a whole batch, so a reply would depend on which episodes share it.
    Int8,
}

impl Precision {
    /// What stands behind the name of a graph: nothing, or `_int8`.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::F32 => "",
            Self::Int8 => "_int8",
        }
    }
}

/// What an export is told.
#[derive(Clone, PartialEq, Debug)]
pub struct Options {
    /// Graphs with more bytes of weights than this have them in a file of their own.
    pub external_above: usize,
    /// Keys and values that every graph carries.
    pub metadata: Vec<(String, String)>,
}

impl Default for Options {
    /// A message of Protocol Buffers may not be longer than 2 GiB; a tenth is left for the graph itself.
    fn default() -> Self {
        Self { external_above: 1_900_000_000, metadata: Vec::new() }
    }
}

/// One graph as it stands on disk.
#[derive(Clone, PartialEq, Debug)]
pub struct OnnxFile {
    /// Name of the file.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Name and bytes of the file of weights beside it, if they do not stand within.
    pub data: Option<(String, Vec<u8>)>,
}

impl Network {
    /// Image encoder, token embeddings and decoder as ONNX graphs (opset 17).
    ///
    /// # Errors
    /// If the weights cannot be copied from their device.
    pub fn to_onnx(&self, precision: Precision, options: &Options) -> Result<[OnnxFile; 3], Error> {
        let weights = graph::Weights::of(self.params())?;
        let config = self.config();
        Ok([encoder::vision, encoder::embed, decoder::decoder]
            .map(|lower| lower(config, &weights, precision).finish(options)))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use prost::Message as _;

    use super::*;
    use crate::Config;

    fn network(seed: u64) -> Network {
        let mut config =
            Config { layers: 2, blocks: 1, channels: 8, width: 16, hidden: 24, ..Config::small(7) };
        config.slopes = vec![0.0, 2.0];
        let mut state = seed;
        let mut unit = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        Network::new(&config, &Device::Cpu, &mut unit).unwrap()
    }

    fn graph(file: &OnnxFile) -> proto::Graph {
        proto::Model::decode(file.bytes.as_slice()).unwrap().graph.unwrap()
    }

    #[test]
    fn equal_weights_give_equal_bytes() {
        let options = Options { metadata: vec![("k".into(), "v".into())], ..Options::default() };
        let files = network(1).to_onnx(Precision::F32, &options).unwrap();
        assert_eq!(files, network(1).to_onnx(Precision::F32, &options).unwrap());
        assert_ne!(files[2].bytes, network(2).to_onnx(Precision::F32, &options).unwrap()[2].bytes);
        let names = files.each_ref().map(|file| file.name.as_str());
        assert_eq!(names, ["vision_encoder.onnx", "embed_tokens.onnx", "decoder_model_merged.onnx"]);
        let model = proto::Model::decode(files[2].bytes.as_slice()).unwrap();
        assert_eq!(model.opset_import[0].version, 17);
        assert_eq!(
            (model.metadata_props[0].key.as_str(), model.metadata_props[0].value.as_str()),
            ("k", "v")
        );
    }

    #[test]
    fn every_value_is_made_once_before_it_is_used() {
        for precision in [Precision::F32, Precision::Int8] {
            for file in network(1).to_onnx(precision, &Options::default()).unwrap() {
                let graph = graph(&file);
                let mut known: Vec<&str> = graph.input.iter().map(|v| v.name.as_str()).collect();
                known.extend(graph.initializer.iter().map(|t| t.name.as_str()));
                for node in &graph.node {
                    for input in &node.input {
                        assert!(
                            known.contains(&input.as_str()),
                            "{}: {} needs {input}",
                            file.name,
                            node.name
                        );
                    }
                    for output in &node.output {
                        assert!(!known.contains(&output.as_str()), "{}: {output} twice", file.name);
                        known.push(output);
                    }
                }
                for output in &graph.output {
                    assert!(known.contains(&output.name.as_str()), "{}: {}", file.name, output.name);
                }
            }
        }
    }

    #[test]
    fn the_cache_is_declared_as_models_are_published() {
        let files = network(1).to_onnx(Precision::F32, &Options::default()).unwrap();
        let graph = graph(&files[2]);
        let names = |list: &[proto::ValueInfo]| list.iter().map(|v| v.name.clone()).collect::<Vec<_>>();
        let past = ["0.key", "0.value", "1.key", "1.value"];
        let inputs = ["inputs_embeds", "attention_mask", "position_ids"].map(String::from).to_vec();
        let want: Vec<String> =
            inputs.into_iter().chain(past.map(|p| format!("past_key_values.{p}"))).collect();
        assert_eq!(names(&graph.input), want);
        let want: Vec<String> =
            std::iter::once("logits".into()).chain(past.map(|p| format!("present.{p}"))).collect();
        assert_eq!(names(&graph.output), want);
    }

    #[test]
    fn large_weights_stand_in_a_file_of_their_own() {
        let within = network(1).to_onnx(Precision::F32, &Options::default()).unwrap();
        let options = Options { external_above: 10_000, ..Options::default() };
        let beside = network(1).to_onnx(Precision::F32, &options).unwrap();
        assert!(beside[1].data.is_none(), "a small graph stays whole");
        let (name, data) = beside[2].data.as_ref().unwrap();
        assert_eq!(name, "decoder_model_merged.onnx_data");
        let mut moved = 0;
        for (inner, outer) in graph(&within[2]).initializer.iter().zip(&graph(&beside[2]).initializer) {
            let bytes = inner.raw_data.as_ref().unwrap();
            if outer.raw_data.is_some() {
                assert!(bytes.len() < 1024);
                continue;
            }
            let number = |at: usize| outer.external_data[at].value.parse::<usize>().unwrap();
            assert_eq!((outer.data_location, &outer.external_data[0].value), (Some(1), name));
            assert_eq!(&data[number(1)..][..number(2)], bytes.as_slice());
            assert_eq!(number(1) % 64, 0);
            moved += 1;
        }
        assert!(moved > 5);
    }

    #[test]
    fn eight_bits_are_within_half_a_step() {
        let full = network(1).to_onnx(Precision::F32, &Options::default()).unwrap();
        let small = network(1).to_onnx(Precision::Int8, &Options::default()).unwrap();
        assert_eq!(small[0].name, "vision_encoder_int8.onnx");
        let floats = |t: &proto::Tensor| -> Vec<f32> {
            let bytes = t.raw_data.as_ref().unwrap();
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        };
        let (full, small) = (graph(&full[2]), graph(&small[2]));
        let find = |graph: &proto::Graph, name: &str| {
            graph.initializer.iter().find(|t| t.name == name).cloned().unwrap()
        };
        let name = "text.layers.0.up.weight";
        let values = floats(&find(&full, name));
        let scales = floats(&find(&small, &format!("{name}.scale")));
        let eights = find(&small, &format!("{name}.int8")).raw_data.unwrap();
        for (at, (value, eight)) in values.iter().zip(eights).enumerate() {
            let scale = scales[at % scales.len()];
            let back = f32::from(eight as i8) * scale;
            assert!((value - back).abs() <= scale * 0.5001, "{value} {back} {scale}");
        }
    }
}
