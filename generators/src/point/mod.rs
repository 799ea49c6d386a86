//! What every task shares whose answer is one pixel of a picture: truth, judge, feedback, and the three ways to
//! answer.
//!
//! Coordinates count pixels from 0, x to the right and y down; (0, 0) is the first pixel. A box of pixels reaches
//! from its first to its last pixel, borders included. A point is on the picture if 0 ≤ x < width and
//! 0 ≤ y < height.

mod answers;
mod feedback;
#[cfg(test)]
mod tests;

use vrrl_harness_core::{Answer, RegionTruth, Truth, Verdict};

use crate::canvas::Bounds;

pub(crate) use answers::{guess, mistake, oracle};
pub(crate) use feedback::{crop, crop_of, outside, point, whole, Canvas};

/// Pixels that an answer may be off (`vrrl` section 2 of the specification).
pub(crate) const TOLERANCE: u32 = 40;

/// Truth of a point that may be missed by `tolerance` pixels: the centre of `target` on a picture of this size.
pub(crate) fn near(target: Bounds, tolerance: u32, size: [u32; 2]) -> RegionTruth {
    let (x, y) = target.centre();
    RegionTruth {
        point: Some([f64::from(x), f64::from(y)]),
        bounds: None,
        tolerance: Some(f64::from(tolerance)),
        size: Some(size),
    }
}

/// Truth of a box that must be hit, on a picture of this size.
pub(crate) fn inside(target: Bounds, size: [u32; 2]) -> RegionTruth {
    let [x0, y0, x1, y1] = [target.x0, target.y0, target.x1 - 1, target.y1 - 1].map(f64::from);
    RegionTruth { point: None, bounds: Some([x0, y0, x1, y1]), tolerance: None, size: Some(size) }
}

/// As it stands in files.
pub(crate) fn truth(region: &RegionTruth) -> Truth {
    Truth::Region(region.clone())
}

/// Judges an answer; one of another task's kind is as far off as can be. Never panics, whatever the numbers.
pub(crate) fn judge(region: &RegionTruth, answer: &Answer) -> Verdict {
    Verdict::Point(region.judge(point(answer)))
}
