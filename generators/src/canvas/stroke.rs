//! Lines and discs as outlines for the rasterizer.

use super::bounds::Bounds;
use super::fill::{Fill, GRID};
use super::picture::Dash;
use super::sprite::UNIT;

/// Farthest point of a shape, in pixels.
const FAR: i32 = 1 << 14;

/// Unit vectors of sixteen directions between right (1, 0) and down (0, 1), in 2^14ths: cos and sin of
/// 90° · i / 16, rounded.
const QUARTER: [(i32, i32); 16] = [
    (16384, 0),
    (16305, 1606),
    (16069, 3196),
    (15679, 4756),
    (15137, 6270),
    (14449, 7723),
    (13623, 9102),
    (12665, 10394),
    (11585, 11585),
    (10394, 12665),
    (9102, 13623),
    (7723, 14449),
    (6270, 15137),
    (4756, 15679),
    (3196, 16069),
    (1606, 16305),
];

/// [`UNIT`]s to the rasterizer's [`GRID`], no farther out than it can do.
pub(super) fn grid((x, y): (i32, i32)) -> (i32, i32) {
    let near = |v: i32| v.clamp(-FAR * UNIT, FAR * UNIT) * (GRID / UNIT);
    (near(x), near(y))
}

/// A disc; centre and radius in [`UNIT`]s.
pub(super) fn disc(fill: &mut Fill, centre: (i32, i32), radius: i32) {
    let (centre, radius) = (grid(centre), grid((radius.max(0), 0)).0);
    // Few corners for a joint, many for a pie.
    let step = if radius <= 4 * GRID { 2 } else { 1 };
    round(fill, centre, radius, step);
}

/// A circle as a polygon of 64 / `step` corners, in [`GRID`]s.
fn round(fill: &mut Fill, (x, y): (i32, i32), radius: i32, step: usize) {
    let far = |part: i32| ((i64::from(radius) * i64::from(part) + (1 << 13)) >> 14) as i32;
    let mut corners = Vec::with_capacity(64);
    for turn in 0..4 {
        for &(cos, sin) in QUARTER.iter().step_by(step) {
            let (dx, dy) = (far(cos), far(sin));
            corners.push(match turn {
                0 => (x + dx, y + dy),
                1 => (x - dy, y + dx),
                2 => (x - dx, y - dy),
                _ => (x + dy, y - dx),
            });
        }
    }
    fill.outline(&corners);
}

/// A polyline; points and width in [`UNIT`]s. Pieces that cannot be seen in `window` are left out.
pub(super) fn stroke(fill: &mut Fill, points: &[(i32, i32)], width: i32, dash: Dash, window: Bounds) {
    let width = grid((width.max(0), 0)).0;
    let points: Vec<(i32, i32)> = points.iter().map(|&point| grid(point)).collect();
    let (on, off) = match dash {
        Dash::Solid => (i64::MAX, 0),
        Dash::Dashed => (i64::from(width.max(GRID)) * 4, i64::from(width.max(GRID)) * 5 / 2),
        Dash::Dotted => (i64::from(width.max(GRID)), i64::from(width.max(GRID)) * 7 / 4),
    };
    let reach = width + GRID;
    let seen = [window.x0, window.y0, window.x1, window.y1].map(|edge| edge.clamp(-FAR, FAR) * GRID);
    let seen = [seen[0] - reach, seen[1] - reach, seen[2] + reach, seen[3] + reach];
    // How far into the pattern of dashes the line is.
    let mut phase = 0;
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let length = distance(from, to);
        if length == 0 {
            continue;
        }
        if let Some(seen) = visible(from, to, length, seen) {
            pieces(phase, length, seen, [on, off], |a, b| {
                segment(fill, along(from, to, length, a), along(from, to, length, b), width);
            });
        }
        phase = if off == 0 { 0 } else { (phase + length) % (on + off) };
    }
    if dash == Dash::Solid && width > GRID {
        for &joint in points.get(1..points.len().saturating_sub(1)).unwrap_or_default() {
            // Sixteen corners are round enough for two pixels.
            round(fill, joint, width / 2, if width <= 3 * GRID { 4 } else { 2 });
        }
    }
}

/// Calls `piece` for the strokes of a segment that starts at `phase`, those that may be seen: whole ones, so that a
/// part of a picture is drawn as the whole is.
fn pieces(
    phase: i64,
    length: i64,
    (begin, end): (i64, i64),
    [on, off]: [i64; 2],
    mut piece: impl FnMut(i64, i64),
) {
    if off == 0 {
        return piece(0, length);
    }
    let period = on + off;
    let mut start = (phase + begin).div_euclid(period) * period - phase;
    while start < end {
        let (a, b) = (start.max(0), (start + on).min(length));
        if a < b {
            piece(a, b);
        }
        start += period;
    }
}

/// The part of a segment, as lengths from its start, that may be seen; a little too much rather than too little.
fn visible(from: (i32, i32), to: (i32, i32), length: i64, seen: [i32; 4]) -> Option<(i64, i64)> {
    let (mut begin, mut end) = (0, length);
    for (a, b, low, high) in [(from.0, to.0, seen[0], seen[2]), (from.1, to.1, seen[1], seen[3])] {
        let run = i64::from(b) - i64::from(a);
        let [low, high] = [low, high].map(|edge| i64::from(edge) - i64::from(a));
        if run == 0 {
            if low > 0 || high < 0 {
                return None;
            }
            continue;
        }
        let (near, far) = if run > 0 { (low, high) } else { (high, low) };
        begin = begin.max((near * length).div_euclid(run) - 1);
        end = end.min((far * length).div_euclid(run) + 1);
    }
    (begin < end).then_some((begin, end))
}

/// The point `done` of `length` along a segment.
fn along(from: (i32, i32), to: (i32, i32), length: i64, done: i64) -> (i32, i32) {
    let at = |a: i32, b: i32| {
        (i64::from(a) + (2 * i64::from(b - a) * done + length).div_euclid(2 * length)) as i32
    };
    (at(from.0, to.0), at(from.1, to.1))
}

/// One straight stroke as a rectangle, always turning the same way so that pieces add up.
fn segment(fill: &mut Fill, from: (i32, i32), to: (i32, i32), width: i32) {
    let length = distance(from, to);
    if length == 0 {
        return;
    }
    let (dx, dy) = (i64::from(to.0 - from.0), i64::from(to.1 - from.1));
    let half = |part: i64| ((part * i64::from(width) + length).div_euclid(2 * length)) as i32;
    let (nx, ny) = (half(-dy), half(dx));
    // The two halves may differ by a rounding; together they are as wide as asked.
    let (mx, my) = (half(-dy * 2) - nx, half(dx * 2) - ny);
    fill.outline(&[
        (from.0 - nx, from.1 - ny),
        (to.0 - nx, to.1 - ny),
        (to.0 + mx, to.1 + my),
        (from.0 + mx, from.1 + my),
    ]);
}

/// Rounded down; corners are near enough not to overflow.
fn distance(from: (i32, i32), to: (i32, i32)) -> i64 {
    let (dx, dy) = (i64::from(to.0) - i64::from(from.0), i64::from(to.1) - i64::from(from.1));
    (dx * dx + dy * dy).isqrt()
}
