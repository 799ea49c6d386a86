//! How good an answer is on the way to right, and what revising gained (section 4).

use super::{Judged, RewardConfig};
use crate::{TaskKind, Verdict};

/// Sums this close to 0 are rounding, not loss.
const ROUNDING: f64 = 1e-12;

/// Progress of an answer in [0, 1]: the progress rate of a path, φ of a point's distance.
pub(super) fn progress(verdict: &Verdict, config: &RewardConfig) -> f64 {
    match verdict {
        Verdict::Path(path) if config.overshoot_zero && path.overshoots => 0.0,
        Verdict::Path(path) => path.progress,
        Verdict::Point(point) => phi(point.distance, config),
    }
}

/// φ(d) = ½·exp(−d²/σ₁²) + ½·exp(−d²/σ₂²), d in pixels.
pub(super) fn phi(distance: f64, config: &RewardConfig) -> f64 {
    let bell = |sigma: f64| (-(distance / sigma).powi(2)).exp();
    0.5 * bell(config.sigma_1) + 0.5 * bell(config.sigma_2)
}

/// What revising gained over all proposals, before clipping; 0 with fewer than two.
///
/// Paths: Σ w(PR_t − PR_{t−1}) with w(Δ) = Δ if Δ ≥ 0, else λ_deg·Δ. Points: φ(last) − φ(first).
pub(super) fn gained(judged: &Judged, config: &RewardConfig) -> f64 {
    let mut steps = judged.proposals().map(|(_, verdict)| (verdict, progress(verdict, config)));
    let Some((verdict, first)) = steps.next() else { return 0.0 };
    if matches!(verdict, Verdict::Point(_)) {
        return steps.next_back().map_or(0.0, |(_, last)| last - first);
    }
    let mut before = first;
    let mut sum = 0.0;
    for (_, now) in steps {
        let change = now - before;
        sum += if change >= 0.0 { change } else { config.lambda_deg * change };
        before = now;
    }
    sum
}

/// r_refl: what was gained, clipped to [`reflect_lower_clip`, 1]; for points always to [0, 1], which is all that the
/// text has for grounding.
pub(super) fn reflection(judged: &Judged, config: &RewardConfig) -> f64 {
    if judged.proposals().nth(1).is_none() {
        return 0.0;
    }
    let lower = if judged.task == TaskKind::Maze { config.reflect_lower_clip } else { 0.0 };
    gained(judged, config).max(lower).min(1.0)
}

/// Whether revising lost progress.
pub(super) fn broke(judged: &Judged, config: &RewardConfig) -> bool {
    gained(judged, config) < -ROUNDING
}
