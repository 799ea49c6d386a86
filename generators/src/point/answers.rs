//! Three ways to answer: right, plausibly wrong, and blind.

use vrrl_harness_core::{Answer, RegionTruth, Rng};

use super::judge;
use crate::canvas::Bounds;

/// The right point: the truth's own, or the middle of its box.
pub(crate) fn oracle(region: &RegionTruth) -> Answer {
    Answer::Point(region.centre())
}

/// A plausible wrong point: the middle of another box, half of the time one of the three nearest to the target;
/// where all others would be right, a blind guess that is wrong.
pub(crate) fn mistake(region: &RegionTruth, others: &[Bounds], rng: &mut Rng) -> Answer {
    let middle = |b: &Bounds| {
        let (x, y) = b.centre();
        Answer::Point([f64::from(x), f64::from(y)])
    };
    let distance = |answer: &Answer| match judge(region, answer) {
        vrrl_harness_core::Verdict::Point(point) => point.distance,
        vrrl_harness_core::Verdict::Path(_) => 0.0,
    };
    let mut wrong: Vec<Answer> =
        others.iter().map(middle).filter(|answer| !judge(region, answer).correct()).collect();
    if !wrong.is_empty() {
        wrong.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
        let near = if rng.chance(1, 2) { wrong.len().min(3) } else { wrong.len() };
        return wrong.swap_remove(rng.index(near));
    }
    for _ in 0..32 {
        let answer = guess(region, rng);
        if !judge(region, &answer).correct() {
            return answer;
        }
    }
    // The target fills nearly all of the picture: only a point beside it is wrong for sure.
    Answer::Point([-1e4, -1e4])
}

/// A uniform pixel of the picture.
pub(crate) fn guess(region: &RegionTruth, rng: &mut Rng) -> Answer {
    let [width, height] = region.size.unwrap_or([1, 1]).map(|pixels| pixels.max(1));
    Answer::Point([f64::from(rng.below(width)), f64::from(rng.below(height))])
}
