//! What the operations do to pixels. Every function is a pure one of picture, numbers and seed, in integers (or
//! in exact operations on doubles rounded to a grid), so that all machines agree.

mod blur;
mod coarse;
mod fixed;
mod geometry;
mod jpeg;
mod noise;
mod occlude;
mod tone;

use vrrl_harness_core::{Image, Seed};

use super::op::Op;
use crate::canvas::Bounds;
use occlude::Patches;

pub(crate) use coarse::shrink;
pub(super) use geometry::Map;

/// Operations in order, with what they need beside the picture.
pub(super) struct Chain<'a> {
    pub ops: &'a [Op],
    pub seed: Seed,
    /// The picture shows its scene this many times smaller than the crisp one: blurs are narrower, pixels lost fewer.
    pub zoom: u32,
    /// Whether turns keep the frame.
    pub fixed: bool,
}

impl Chain<'_> {
    /// Each operation and its seed: its own at every strength, and whatever stands before it.
    fn steps(&self) -> impl Iterator<Item = (Op, Seed)> + '_ {
        self.ops.iter().enumerate().map(|(i, &op)| {
            let before = self.ops[..i].iter().filter(|other| other.word() == op.word()).count();
            (op, self.seed.derive("post", 0).derive(op.word(), before as u64))
        })
    }

    /// The picture after all operations; patches keep off the boxes of `spare`.
    pub(super) fn run(&self, mut image: Image, spare: &[Bounds]) -> Image {
        let mut spare = spare.to_vec();
        for (op, seed) in self.steps() {
            let size = [image.width(), image.height()];
            if let Some((map, size)) = self.map(op, seed, size) {
                image = geometry::resample(&image, &map, size);
                spare = spare.iter().map(|b| map.around(b)).collect();
                continue;
            }
            let rng = &mut seed.rng();
            // Narrower than half a pixel, a kernel changes nothing.
            let narrower = |hundredths: u32| match self.zoom {
                1 => hundredths,
                zoom => hundredths / zoom + 45,
            };
            match op {
                Op::GaussianNoise { sigma } => noise::gaussian(&mut image, sigma, rng),
                Op::ShotNoise { photons } => noise::shot(&mut image, photons, rng),
                Op::ImpulseNoise { share } => noise::impulse(&mut image, share, rng),
                Op::GaussianBlur { sigma } => image = blur::gaussian(&image, narrower(sigma)),
                Op::Defocus { radius } => image = blur::defocus(&image, narrower(radius)),
                Op::MotionBlur { length } => image = blur::motion(&image, narrower(length), rng),
                Op::Contrast { keep } => tone::contrast(&mut image, keep),
                Op::Brightness { add } => tone::brightness(&mut image, add),
                Op::Jpeg { quality } => jpeg::jpeg(&mut image, quality),
                // The canvas has lost pixels already; half as many go again.
                Op::Pixelate { keep } => {
                    let keep = if self.zoom == 1 { keep } else { keep.midpoint(1000) };
                    image = coarse::pixelate(&image, keep);
                }
                Op::Occlude { patches, side, cover } => {
                    occlude::occlude(&mut image, Patches { count: patches, side, cover }, &spare, seed);
                }
                Op::Watermark { cover } => occlude::watermark(&mut image, cover, rng),
                Op::Rotate { .. } | Op::Perspective { .. } => {}
            }
        }
        image
    }

    /// Where the pixels of a picture of this size go, and the new size.
    pub(super) fn path(&self, mut size: [u32; 2]) -> (Map, [u32; 2]) {
        let mut path = Map::SAME;
        for (op, seed) in self.steps() {
            if let Some((map, new)) = self.map(op, seed, size) {
                (path, size) = (path.then(&map), new);
            }
        }
        (path, size)
    }

    fn map(&self, op: Op, seed: Seed, size: [u32; 2]) -> Option<(Map, [u32; 2])> {
        match op {
            Op::Rotate { angle } => Some(geometry::turn(angle, size, self.fixed, &mut seed.rng())),
            Op::Perspective { shift } => Some((geometry::aside(shift, size, &mut seed.rng()), size)),
            _ => None,
        }
    }
}
