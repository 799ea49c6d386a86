//! AdamW with moments that can be saved, and gradients summed in a fixed order.

use std::path::Path;

use candle_core::backprop::GradStore;
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::params::{from_safetensors, to_safetensors};
use crate::{Error, Params};

/// Decoupled weight decay Adam (Loshchilov and Hutter, 2019).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamWConfig {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Decoupled decay; applied to matrices, not to gains and biases.
    pub weight_decay: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.98, eps: 1e-8, weight_decay: 0.01 }
    }
}

/// Gradients in the order of the weights.
#[derive(Clone, Debug)]
pub struct Gradients(pub Vec<Vec<f32>>);

impl Gradients {
    /// Collects the gradient of every weight.
    ///
    /// # Errors
    /// If a weight got none: then an operation on its way drops gradients.
    pub fn collect(params: &Params, store: &GradStore) -> Result<Self, Error> {
        let of = |(name, var): (&str, &candle_core::Var)| {
            let grad = store
                .get(var)
                .ok_or_else(|| Error::Config(format!("weight `{name}` received no gradient")))?;
            Ok(grad.flatten_all()?.to_vec1::<f32>()?)
        };
        params.iter().map(of).collect::<Result<_, Error>>().map(Self)
    }

    /// Adds another shard's, in place.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            for (x, y) in mine.iter_mut().zip(theirs) {
                *x += y;
            }
        }
    }

    /// Euclidean norm over all weights, summed in double precision and in order.
    #[must_use]
    pub fn norm(&self) -> f64 {
        self.0.iter().flatten().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt()
    }
}

/// The optimizer's state: moments per weight and the step count.
#[derive(Clone, Debug)]
pub struct AdamW {
    config: AdamWConfig,
    step: u64,
    first: Vec<Vec<f32>>,
    second: Vec<Vec<f32>>,
    decays: Vec<bool>,
}

impl AdamW {
    /// Fresh moments for these weights.
    #[must_use]
    pub fn new(params: &Params, config: AdamWConfig) -> Self {
        let zeros: Vec<Vec<f32>> = params.iter().map(|(_, var)| vec![0.0; var.elem_count()]).collect();
        let decays = params.iter().map(|(_, var)| var.dims().len() > 1).collect();
        Self { config, step: 0, first: zeros.clone(), second: zeros, decays }
    }

    /// Steps taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// One step at learning rate `lr`, gradients scaled so that their norm is at most `clip`. Returns the
    /// norm before clipping.
    ///
    /// # Errors
    /// If the norm is not finite: nothing is changed then.
    pub fn step(&mut self, params: &Params, grads: &Gradients, lr: f64, clip: f64) -> Result<f64, Error> {
        let norm = grads.norm();
        if !norm.is_finite() {
            return Err(Error::Config(format!("the gradient's norm is {norm} at step {}", self.step + 1)));
        }
        let scale = if norm > clip { (clip / norm) as f32 } else { 1.0 };
        self.step += 1;
        let t = i32::try_from(self.step).unwrap_or(i32::MAX);
        let (b1, b2) = (self.config.beta1 as f32, self.config.beta2 as f32);
        let rate = (lr / (1.0 - self.config.beta1.powi(t))) as f32;
        let root = (1.0 / (1.0 - self.config.beta2.powi(t))) as f32;
        let eps = self.config.eps as f32;
        let mut values = params.values()?;
        for (i, weights) in values.iter_mut().enumerate() {
            let keep = if self.decays[i] { (1.0 - lr * self.config.weight_decay) as f32 } else { 1.0 };
            let moments = self.first[i].iter_mut().zip(&mut self.second[i]);
            for ((w, g), (m, v)) in weights.iter_mut().zip(&grads.0[i]).zip(moments) {
                let g = g * scale;
                *m = b1 * *m + (1.0 - b1) * g;
                *v = b2 * *v + (1.0 - b2) * g * g;
                *w = *w * keep - rate * *m / ((*v * root).sqrt() + eps);
            }
        }
        params.set_values(&values)?;
        Ok(norm)
    }

    /// Safetensors bytes of the moments and the step.
    ///
    /// # Errors
    /// If they cannot be serialised.
    pub fn to_bytes(&self, params: &Params) -> Result<Vec<u8>, Error> {
        let (mut names, mut shapes, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for (kind, moments) in [("first", &self.first), ("second", &self.second)] {
            for ((name, var), moment) in params.iter().zip(moments) {
                names.push(format!("{kind}.{name}"));
                shapes.push(var.dims().to_vec());
                values.push(moment.clone());
            }
        }
        // Steps as two exact floats: 24 bits each.
        names.push("step".to_owned());
        shapes.push(vec![2]);
        values.push(vec![(self.step >> 24) as f32, (self.step & 0xff_ffff) as f32]);
        to_safetensors(&names, &shapes, &values)
    }

    /// Restores what [`AdamW::to_bytes`] wrote; `path` is for messages.
    ///
    /// # Errors
    /// If a moment is missing or of another size.
    pub fn load(&mut self, params: &Params, bytes: &[u8], path: &Path) -> Result<(), Error> {
        let found = from_safetensors(bytes, path)?;
        let take = |name: String, len: usize| match found.get(&name) {
            Some((_, data)) if data.len() == len => Ok(data.clone()),
            _ => Err(Error::Weights {
                path: path.to_owned(),
                reason: format!("optimizer state `{name}` is missing"),
            }),
        };
        let moments = |kind: &str| {
            params
                .iter()
                .map(|(name, var)| take(format!("{kind}.{name}"), var.elem_count()))
                .collect::<Result<_, _>>()
        };
        let (first, second) = (moments("first")?, moments("second")?);
        let step = take("step".to_owned(), 2)?;
        (self.first, self.second) = (first, second);
        self.step = ((step[0] as u64) << 24) | step[1] as u64;
        Ok(())
    }
}

/// Backward pass of a scalar, collected.
///
/// # Errors
/// As [`Gradients::collect`].
pub fn gradients(params: &Params, loss: &Tensor) -> Result<Gradients, Error> {
    Gradients::collect(params, &loss.backward()?)
}
