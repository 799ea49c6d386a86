//! The three graphs together, and what they say about themselves.

use std::collections::HashMap;

use ort::session::SessionInputValue;
use ort::value::{DynValue, Tensor, TensorElementType};

use crate::graph::{floats, integers, read, Graph, Port, Running};
use crate::layout::Layout;
use crate::{Engine, Error};

const PAST: &str = "past_key_values.";

/// Keys or values of one layer.
pub(crate) struct Part {
    /// The input.
    pub past: Port,
    /// Name of the output.
    pub present: String,
    pub heads: usize,
    pub size: usize,
}

/// The graphs in sessions of their own.
pub(crate) struct Model {
    vision: Graph,
    embed: Graph,
    pub decoder: Graph,
    pub parts: Vec<Part>,
    /// Width of a token.
    pub width: usize,
    /// Whether the decoder takes a mask; without one nothing can be padded, so episodes go one by one.
    pub masked: bool,
    pub positioned: bool,
    /// Most rows in a batch, where the graph fixes it.
    pub most: usize,
    /// What goes out of the decoder, logits first.
    pub wanted: Vec<String>,
    /// Token embeddings that were asked for already.
    known: HashMap<u32, Vec<f32>>,
    size: (usize, usize),
}

impl Model {
    pub fn open(layout: &Layout, engine: &Engine, running: &Running) -> Result<Self, Error> {
        let [vision, embed, decoder] = &layout.graphs;
        let vision = Graph::open(vision, engine, running)?;
        let embed = Graph::open(embed, engine, running)?;
        let decoder = Graph::open(decoder, engine, running)?;
        let size = (layout.pictures.size.height as usize, layout.pictures.size.width as usize);
        check_vision(&vision, size)?;
        if embed.input("input_ids")?.elem != TensorElementType::Int64 {
            return Err(embed.refuse("`input_ids` are no 64-bit integers"));
        }
        let embeds = decoder.input("inputs_embeds")?;
        if !embeds.is_float() || embeds.dims.len() != 3 {
            return Err(
                decoder.refuse("`inputs_embeds` is not [batch, sequence, width] of 16- or 32-bit floats")
            );
        }
        if embeds.dims[1] > 0 {
            return Err(decoder.refuse("`inputs_embeds` has a fixed length; export it with a dynamic one"));
        }
        let most = if embeds.dims[0] > 0 { embeds.dims[0] as usize } else { usize::MAX };
        if most != 1 && most != usize::MAX {
            return Err(decoder.refuse(format!("batches of exactly {most}; export it with a dynamic batch")));
        }
        let width = match (embeds.dims[2], embed.output("inputs_embeds")?.dims.last()) {
            (width, _) | (_, Some(&width)) if width > 0 => width as usize,
            _ => return Err(decoder.refuse("the width of `inputs_embeds` is not fixed")),
        };
        if !decoder.output("logits")?.is_float() {
            return Err(decoder.refuse("`logits` are no floats of 16 or 32 bits"));
        }
        let (masked, positioned) = inputs(&decoder)?;
        let parts = parts(&decoder)?;
        let wanted =
            std::iter::once("logits".to_owned()).chain(parts.iter().map(|p| p.present.clone())).collect();
        let most = if masked { most } else { 1 };
        Ok(Self {
            vision,
            embed,
            decoder,
            parts,
            width,
            masked,
            positioned,
            most,
            wanted,
            known: HashMap::new(),
            size,
        })
    }

    /// Tokens of each picture, `[tokens, width]`.
    pub fn encode(&mut self, pictures: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, Error> {
        let port = self.vision.input("pixel_values")?.clone();
        let (height, width) = self.size;
        let (b, pixels) = (pictures.len(), pictures.concat());
        let dims =
            if port.dims.len() == 5 { vec![b, 1, 3, height, width] } else { vec![b, 3, height, width] };
        let mut inputs =
            vec![("pixel_values".to_owned(), SessionInputValue::from(floats(&port, &dims, pixels)?))];
        if self.vision.input("pixel_attention_mask").is_ok() {
            let all = (vec![b, 1, height, width], vec![true; b * height * width]);
            let all = Tensor::from_array(all).map_err(|e| self.vision.failed(e.to_string()))?;
            inputs.push(("pixel_attention_mask".to_owned(), all.into_dyn().into()));
        }
        let out = self.vision.run(inputs, &["image_features".to_owned()])?;
        let (dims, values) = read(&out[0]).map_err(|e| self.vision.failed(e))?;
        if b == 0 || values.len() % (b * self.width) != 0 || dims.last() != Some(&self.width) {
            return Err(self.vision.refuse(format!(
                "`image_features` are {dims:?} for {b} pictures; the decoder wants tokens of {}",
                self.width
            )));
        }
        finite(&self.vision, "image_features", &values)?;
        Ok(values.chunks_exact(values.len() / b).map(<[f32]>::to_vec).collect())
    }

    /// Appends the embeddings of ids to `out`.
    pub fn embed(&mut self, ids: &[u32], out: &mut Vec<f32>) -> Result<(), Error> {
        let mut new: Vec<u32> = ids.iter().copied().filter(|id| !self.known.contains_key(id)).collect();
        new.sort_unstable();
        new.dedup();
        if !new.is_empty() {
            let numbers = new.iter().map(|&id| i64::from(id)).collect();
            let input = integers(&[1, new.len()], numbers)?;
            let rows =
                self.embed.run(vec![("input_ids".into(), input.into())], &["inputs_embeds".to_owned()])?;
            let (dims, values) = read(&rows[0]).map_err(|e| self.embed.failed(e))?;
            if values.len() != new.len() * self.width {
                let reason = format!("`inputs_embeds` are {dims:?} for {} ids of {}", new.len(), self.width);
                return Err(self.embed.refuse(reason));
            }
            finite(&self.embed, "inputs_embeds", &values)?;
            for (id, row) in new.into_iter().zip(values.chunks_exact(self.width)) {
                self.known.insert(id, row.to_vec());
            }
        }
        for id in ids {
            out.extend(&self.known[id]);
        }
        Ok(())
    }

    /// Runs the decoder; logits first, then keys and values.
    pub fn decode(
        &mut self,
        (embeds, mask, positions): (DynValue, DynValue, DynValue),
        cache: Vec<DynValue>,
    ) -> Result<Vec<DynValue>, Error> {
        let mut inputs = vec![("inputs_embeds".to_owned(), SessionInputValue::from(embeds))];
        if self.masked {
            inputs.push(("attention_mask".to_owned(), mask.into()));
        }
        if self.positioned {
            inputs.push(("position_ids".to_owned(), positions.into()));
        }
        inputs
            .extend(self.parts.iter().zip(cache).map(|(part, value)| (part.past.name.clone(), value.into())));
        self.decoder.run(inputs, &self.wanted)
    }
}

/// Refuses numbers that are none: what follows from them would look like replies.
fn finite(graph: &Graph, name: &str, values: &[f32]) -> Result<(), Error> {
    match values.iter().find(|x| !x.is_finite()) {
        Some(x) => Err(graph.failed(format!("`{name}` holds {x}; the model is broken"))),
        None => Ok(()),
    }
}

fn check_vision(vision: &Graph, (height, width): (usize, usize)) -> Result<(), Error> {
    let known = ["pixel_values", "pixel_attention_mask"];
    if let Some(port) = vision.inputs.iter().find(|port| !known.contains(&port.name.as_str())) {
        return Err(vision.refuse(format!("input `{}` is not known here", port.name)));
    }
    let port = vision.input("pixel_values")?;
    let sizes = [height, width];
    let tail = port.dims.iter().rev().zip(sizes.iter().rev());
    let fits =
        matches!(port.dims.len(), 4 | 5) && tail.clone().all(|(&dim, &size)| dim < 0 || dim as usize == size);
    if !port.is_float() || !fits {
        return Err(vision.refuse(format!(
            "`pixel_values` are {:?}, preprocessor_config.json makes pictures of {height} × {width}",
            port.dims
        )));
    }
    vision.output("image_features").map(|_| ())
}

/// Whether the decoder takes a mask, and positions; refuses what it takes besides.
fn inputs(decoder: &Graph) -> Result<(bool, bool), Error> {
    let (mut masked, mut positioned) = (false, false);
    for port in &decoder.inputs {
        let integers = port.elem == TensorElementType::Int64;
        match port.name.as_str() {
            "inputs_embeds" => {}
            "attention_mask" if integers && port.dims.len() == 2 => masked = true,
            "position_ids" if integers && port.dims.len() == 2 => positioned = true,
            "position_ids" => {
                let reason = format!(
                    "`position_ids` of shape {:?}; positions on several axes are not known here",
                    port.dims
                );
                return Err(decoder.refuse(reason));
            }
            name if name.starts_with(PAST) => {}
            name => return Err(decoder.refuse(format!("input `{name}` ({:?}) is not known here", port.elem))),
        }
    }
    Ok((masked, positioned))
}

fn parts(decoder: &Graph) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    for port in decoder.inputs.iter().filter(|port| port.name.starts_with(PAST)) {
        let present = port.name.replacen(PAST, "present.", 1);
        let out = decoder.output(&present)?;
        let shape =
            |dims: &[i64]| format!("[{}]", dims.iter().map(i64::to_string).collect::<Vec<_>>().join(", "));
        let (&[_, heads, past, size], true) = (&port.dims[..], port.is_float()) else {
            return Err(decoder.refuse(format!(
                "`{}` is {}, not [batch, heads, past, size]",
                port.name,
                shape(&port.dims)
            )));
        };
        if heads < 1 || size < 1 || past > 0 {
            return Err(decoder.refuse(format!(
                "`{}` is {}: heads and size must be fixed, the past must not",
                port.name,
                shape(&port.dims)
            )));
        }
        let differs = |at: usize, size: i64| out.dims.get(at).is_some_and(|&dim| dim > 0 && dim != size);
        if out.dims.len() != 4 || differs(1, heads) || differs(3, size) || out.elem != port.elem {
            return Err(decoder.refuse(format!(
                "`{}` is {} but `{present}` is {}: what goes out cannot come in again",
                port.name,
                shape(&port.dims),
                shape(&out.dims)
            )));
        }
        parts.push(Part { past: port.clone(), present, heads: heads as usize, size: size as usize });
    }
    if parts.is_empty() {
        return Err(decoder.refuse("it has no `past_key_values.*`: every turn would be read anew"));
    }
    Ok(parts)
}
