//! The operations on finished pictures: their parameters, as they stand under `post`.
//!
//! All numbers are integers, so that a definition means the same everywhere; units stand in the docs of each.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_harness_core::{Error, TaskKind};

use super::near::with_hint;

/// One operation on a finished picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Adds a normal variate to every channel.
    GaussianNoise {
        /// Standard deviation, thousandths of full scale.
        sigma: u32,
    },
    /// Replaces every channel by a Poisson count of this many photons at full scale.
    ShotNoise {
        /// Photons at full scale.
        photons: u32,
    },
    /// Salt and pepper on single channels.
    ImpulseNoise {
        /// Share of channels hit, thousandths.
        share: u32,
    },
    /// Gaussian blur.
    GaussianBlur {
        /// Standard deviation, hundredths of a pixel.
        sigma: u32,
    },
    /// Blur by a disc, as out of focus.
    Defocus {
        /// Radius, hundredths of a pixel.
        radius: u32,
    },
    /// Blur along a line whose direction the seed decides.
    MotionBlur {
        /// Length, hundredths of a pixel.
        length: u32,
    },
    /// Moves every channel towards its mean.
    Contrast {
        /// Contrast that is left, thousandths.
        keep: u32,
    },
    /// Raises the value (of hue, saturation, value).
    Brightness {
        /// What is added, thousandths of full scale.
        add: u32,
    },
    /// The loss of a baseline JPEG with 4:2:0 colour.
    Jpeg {
        /// Quality of the IJG scale, 1 to 100.
        quality: u32,
    },
    /// Fewer, larger pixels.
    Pixelate {
        /// Side of the small picture, thousandths of the side.
        keep: u32,
    },
    /// A turn about the centre, to either side as the seed decides; the picture grows so that nothing is cut.
    Rotate {
        /// Angle, tenths of a degree.
        angle: u32,
    },
    /// A view from aside: corners move inwards, each as far as the seed decides.
    Perspective {
        /// Farthest move of a corner, thousandths of the side.
        shift: u32,
    },
    /// Patches over the picture; they spare what the answer needs.
    Occlude {
        /// Number of patches.
        patches: u32,
        /// Side of a patch, thousandths of the picture's shorter side.
        side: u32,
        /// Opacity, percent.
        cover: u32,
    },
    /// A word across the picture, in grey.
    Watermark {
        /// Opacity, percent.
        cover: u32,
    },
}

impl Op {
    /// The word used in files, which also names its random stream.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::GaussianNoise { .. } => "gaussian_noise",
            Self::ShotNoise { .. } => "shot_noise",
            Self::ImpulseNoise { .. } => "impulse_noise",
            Self::GaussianBlur { .. } => "gaussian_blur",
            Self::Defocus { .. } => "defocus",
            Self::MotionBlur { .. } => "motion_blur",
            Self::Contrast { .. } => "contrast",
            Self::Brightness { .. } => "brightness",
            Self::Jpeg { .. } => "jpeg",
            Self::Pixelate { .. } => "pixelate",
            Self::Rotate { .. } => "rotate",
            Self::Perspective { .. } => "perspective",
            Self::Occlude { .. } => "occlude",
            Self::Watermark { .. } => "watermark",
        }
    }

    /// Which of its numbers is out of range.
    fn fault(self) -> Option<String> {
        let checks = match self {
            Self::GaussianNoise { sigma } => vec![("sigma", sigma, 1, 1000)],
            Self::ShotNoise { photons } => vec![("photons", photons, 1, 1000)],
            Self::ImpulseNoise { share } => vec![("share", share, 1, 1000)],
            Self::GaussianBlur { sigma } => vec![("sigma", sigma, 1, 2000)],
            Self::Defocus { radius } => vec![("radius", radius, 1, 2000)],
            Self::MotionBlur { length } => vec![("length", length, 1, 4000)],
            Self::Contrast { keep } => vec![("keep", keep, 1, 1000)],
            Self::Brightness { add } => vec![("add", add, 1, 1000)],
            Self::Jpeg { quality } => vec![("quality", quality, 1, 100)],
            Self::Pixelate { keep } => vec![("keep", keep, 10, 1000)],
            Self::Watermark { cover } => vec![("cover", cover, 1, 100)],
            Self::Rotate { angle } => vec![("angle", angle, 1, 450)],
            Self::Perspective { shift } => vec![("shift", shift, 1, 300)],
            Self::Occlude { patches, side, cover } => {
                vec![("patches", patches, 1, 1000), ("side", side, 1, 500), ("cover", cover, 1, 100)]
            }
        };
        let &(key, value, least, most) =
            checks.iter().find(|&&(_, value, least, most)| !(least..=most).contains(&value))?;
        Some(format!("{key} is {value}; use {least} to {most}"))
    }
}

/// More operations than these make no sense and only cost time.
const MOST: usize = 32;

/// The operations of a value of `post`.
pub(crate) fn parse_post(post: Option<&Value>) -> Result<Vec<Op>, String> {
    let Some(post) = post else { return Ok(Vec::new()) };
    let Value::Array(items) = post else { return Err(format!("post is {post}; give a list of operations")) };
    if items.len() > MOST {
        return Err(format!("post has {} operations; use up to {MOST}", items.len()));
    }
    let read = |(index, item): (usize, &Value)| {
        let op =
            Op::deserialize(item).map_err(|e| format!("post[{index}]: {}", with_hint(&e.to_string())))?;
        match op.fault() {
            Some(fault) => Err(format!("post[{index}]: {fault}")),
            None => Ok(op),
        }
    };
    items.iter().enumerate().map(read).collect()
}

/// Parameters without `post`, and its operations.
///
/// # Errors
/// [`Error::Params`] naming the operation and its key.
pub(crate) fn take_post(task: TaskKind, params: &Value) -> Result<(Value, Vec<Op>), Error> {
    let mut own = params.clone();
    let post = own.as_object_mut().and_then(|map| map.remove("post"));
    let ops = parse_post(post.as_ref()).map_err(|reason| Error::Params { task: task.word(), reason })?;
    Ok((own, ops))
}
