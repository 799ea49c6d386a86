//! Pies: slices with names beside them or in a legend, and a box inside each slice to point at.
//!
//! A slice is a poor box, and a box around it would hold its neighbours: the truth is the largest square
//! with level sides that lies wholly inside the slice, centred on its middle direction. The question asks for
//! the slice's middle.

use vrrl_harness_core::Error;

use super::layout::{cramped, row, Key, Role, Sheet};
use super::params::Layout;
use super::plan::{Item, Kind, Paint};
use crate::canvas::{measure, Anchor, Bounds, Dash, Font, UNIT};
use crate::look::Palette;

/// Directions are vectors of this length.
const FULL: i64 = 1 << 14;
/// Parts of a turn.
const TURN: i64 = 1000;
/// Smallest truth box, in pixels.
const SMALLEST_BOX: i32 = 12;
/// More slices than this are named beside the pie: legends of many colours cannot be read.
const LEGEND_MOST: usize = 7;

/// x (right) and y (down) of a direction in [`TURN`]s, clockwise from the top.
///
/// Sums and products of doubles are the same on every machine; the sine's series ends far below the last
/// digit kept.
pub(crate) fn direction(part: i64) -> (i64, i64) {
    let eighth = TURN / 8;
    let part = part.rem_euclid(TURN);
    let (octant, rest) = (part / eighth, part % eighth);
    // Every other octant runs backwards from the axis it ends at.
    let angle = if octant % 2 == 0 { rest } else { eighth - rest };
    let x = angle as f64 * (std::f64::consts::TAU / TURN as f64);
    let xx = x * x;
    let sin = x * (1.0 - xx / 6.0 * (1.0 - xx / 20.0 * (1.0 - xx / 42.0 * (1.0 - xx / 72.0))));
    let cos = 1.0 - xx / 2.0 * (1.0 - xx / 12.0 * (1.0 - xx / 30.0 * (1.0 - xx / 56.0)));
    let whole = |v: f64| (v * FULL as f64).round() as i64;
    let (sin, cos) = (whole(sin), whole(cos));
    match octant {
        0 => (sin, -cos),
        1 => (cos, -sin),
        2 => (cos, sin),
        3 => (sin, cos),
        4 => (-sin, cos),
        5 => (-cos, sin),
        6 => (-cos, -sin),
        _ => (-sin, -cos),
    }
}

/// Whether a point lies in the sector of at most half a turn, clockwise from `from` to `to`.
fn within((x, y): (i64, i64), from: (i64, i64), to: (i64, i64), radius: i64) -> bool {
    let cross = |a: (i64, i64), b: (i64, i64)| a.0 * b.1 - a.1 * b.0;
    x * x + y * y <= radius * radius && cross(from, (x, y)) >= 0 && cross((x, y), to) >= 0
}

/// Centre (from the pie's, in pixels) and half the side of the largest square in a sector.
fn square([from, to]: [i64; 2], radius: i64) -> ((i64, i64), i64) {
    let middle = direction((from + to) / 2);
    // Sectors of more than half a turn are not convex: their middle half is.
    let half = ((to - from) / 2).min(TURN / 4);
    let sides = (direction((from + to) / 2 - half), direction((from + to) / 2 + half));
    let mut best = ((0, 0), 0);
    // A ring further out has more room across and less along; the middle one wins where both are equal.
    let mut rings: Vec<i64> = (20..=88).collect();
    rings.sort_by_key(|ring| (ring - 58).abs());
    for ring in rings {
        let centre = (middle.0 * radius * ring / (FULL * 100), middle.1 * radius * ring / (FULL * 100));
        let fits = |s: i64| {
            [(-s, -s), (s, -s), (s, s), (-s, s)]
                .iter()
                .all(|(dx, dy)| within((centre.0 + dx, centre.1 + dy), sides.0, sides.1, radius - 2))
        };
        while fits(best.1 + 1) {
            best = (centre, best.1 + 1);
        }
    }
    best
}

/// Lays out a pie.
pub(crate) fn lay(mut sheet: Sheet<'_>) -> Result<Sheet<'_>, Error> {
    let (content, style) = (sheet.content, sheet.style);
    sheet.headings();
    let weights: Vec<i64> = content.values[0].iter().map(|&weight| i64::from(weight)).collect();
    let whole: i64 = weights.iter().sum();
    let named = style.direct || weights.len() > LEGEND_MOST || sheet.params.look.palette == Palette::Grey;
    if !named {
        let keys = content.labels.iter().enumerate();
        let keys: Vec<Key> =
            keys.map(|(i, name)| Key { name: name.clone(), colour: sheet.colour(i), dash: None }).collect();
        sheet.legend(&keys);
    }
    let (centre, radius, font) = circle(&sheet, named)?;
    sheet.watermark(Bounds::new(centre.0 - radius, centre.1 - radius, centre.0 + radius, centre.1 + radius));
    // Both ends of each slice, clockwise.
    let mut passed = 0;
    let mut ends = Vec::new();
    for weight in &weights {
        let (from, to) = (passed * TURN / whole, (passed + weight) * TURN / whole);
        passed += weight;
        let start = i64::from(style.start);
        ends.push(match sheet.params.layout {
            Layout::Mirrored => [start - to, start - from],
            _ => [start + from, start + to],
        });
    }
    for (i, &end) in ends.iter().enumerate() {
        slice(&mut sheet, i, end, centre, radius)?;
    }
    let seam = sheet.part(4).max(1);
    for &[from, _] in &ends {
        let (x, y) = direction(from);
        let r = i64::from(radius);
        let rim = (centre.0 + (x * r / FULL) as i32, centre.1 + (y * r / FULL) as i32);
        let paper = sheet.inks.paper;
        sheet.line(Kind::Rule, &[centre, rim], seam, Dash::Solid, paper);
    }
    if named {
        names(&mut sheet, &ends, centre, radius, font);
    }
    Ok(sheet)
}

/// Centre and radius in pixels, and the font of names beside the slices.
fn circle(sheet: &Sheet<'_>, named: bool) -> Result<((i32, i32), i32, Font), Error> {
    let area = sheet.area;
    let font = sheet.font(Role::Label);
    let widest = sheet.content.labels.iter().map(|name| measure(name, font).0).max().unwrap_or(0);
    let (beside, over) = if named { (widest + sheet.part(20), row(font) + sheet.part(12)) } else { (0, 0) };
    let radius = (area.height() / 2 - over - sheet.part(6)).min((area.width() / 2 - beside) * 100 / 112);
    if radius < sheet.style.height / 5 {
        return Err(cramped(
            "names or legend leave too little room for a pie; raise height or aspect".into(),
        ));
    }
    Ok((area.centre(), radius, font))
}

fn slice(
    sheet: &mut Sheet<'_>,
    i: usize,
    [from, to]: [i64; 2],
    (cx, cy): (i32, i32),
    radius: i32,
) -> Result<(), Error> {
    let unit = i64::from(UNIT);
    let rim = |part: i64| {
        let (x, y) = direction(part);
        let r = i64::from(radius) * unit;
        (cx * UNIT + (x * r / FULL) as i32, cy * UNIT + (y * r / FULL) as i32)
    };
    let mut corners = vec![(cx * UNIT, cy * UNIT)];
    corners.extend((from..to).step_by(4).map(rim));
    corners.push(rim(to));
    let bounds = Bounds::new(cx - radius, cy - radius, cx + radius, cy + radius);
    // The last slice stands beside the first one, and where colours repeat it could have its colour.
    let last = i + 1 == sheet.content.labels.len() && sheet.colour(i) == sheet.colour(0);
    let colour = sheet.colour(if last { i + 1 } else { i });
    sheet.items.push(Item { kind: Kind::Sector(i), bounds, paint: Paint::Polygon { corners, colour } });
    let ((dx, dy), half) = square([from, to], i64::from(radius));
    let (x, y, half) = (cx + dx as i32, cy + dy as i32, half as i32);
    if 2 * half <= SMALLEST_BOX {
        return Err(cramped(format!(
            "a slice has room for {} pixels only; raise height or lower slices or extra",
            2 * half
        )));
    }
    let bounds = Bounds::new(x - half, y - half, x + half, y + half);
    sheet.items.push(Item { kind: Kind::Slice(i), bounds, paint: Paint::Nothing });
    Ok(())
}

/// Names outside the rim, on each side one under the other, with a leader to their slice.
fn names(sheet: &mut Sheet<'_>, ends: &[[i64; 2]], (cx, cy): (i32, i32), radius: i32, font: Font) {
    let (row, gap) = (row(font) + 2, sheet.part(8));
    let rim = radius + radius / 12 + gap;
    let area = sheet.area;
    for right in [false, true] {
        let mut side: Vec<(i32, usize)> = Vec::new();
        for (i, [from, to]) in ends.iter().enumerate() {
            let (x, y) = direction((from + to) / 2);
            if (x >= 0) == right {
                side.push((cy + (y * i64::from(rim) / FULL) as i32, i));
            }
        }
        side.sort_unstable();
        // Down, then up again where the lowest left the area.
        let mut least = area.y0 + row / 2;
        for (y, _) in &mut side {
            *y = (*y).max(least);
            least = *y + row;
        }
        let mut most = area.y1 - row / 2;
        for (y, _) in side.iter_mut().rev() {
            *y = (*y).min(most);
            most = *y - row;
        }
        for &(y, i) in &side {
            // The row of the text that is nearest to the centre decides how far out it must stand.
            let near = ((y - cy).abs() - row / 2).max(0);
            let out = (rim * rim - near * near).max(0).isqrt() + gap;
            let (x, y0) = direction((ends[i][0] + ends[i][1]) / 2);
            let point =
                |r: i32| (cx + (x * i64::from(r) / FULL) as i32, cy + (y0 * i64::from(r) / FULL) as i32);
            let (at, anchor) = if right { (cx + out, Anchor::LEFT) } else { (cx - out, Anchor::RIGHT) };
            let end = if right { at - gap / 2 } else { at + gap / 2 };
            let colour = sheet.inks.faint;
            sheet.line(
                Kind::Rule,
                &[point(radius), point(radius + radius / 20), (end, y)],
                1,
                Dash::Solid,
                colour,
            );
            let (name, ink) = (sheet.content.labels[i].clone(), sheet.inks.ink);
            sheet.text(Kind::Label(i), (at, y), anchor, &name, font, ink);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_those_of_a_clock() {
        assert_eq!(direction(0), (0, -FULL));
        assert_eq!(direction(250), (FULL, 0));
        assert_eq!(direction(500), (0, FULL));
        assert_eq!(direction(-250), (-FULL, 0));
        for part in 0..TURN {
            let angle = part as f64 * std::f64::consts::TAU / 1000.0;
            let (x, y) = direction(part);
            assert!((x as f64 - angle.sin() * 16384.0).abs() <= 0.51, "{part}");
            assert!((y as f64 + angle.cos() * 16384.0).abs() <= 0.51, "{part}");
        }
    }

    #[test]
    fn squares_lie_inside_their_slice() {
        for (from, to) in [(0, 20), (100, 150), (240, 480), (333, 999), (970, 1030)] {
            let ((x, y), half) = square([from, to], 200);
            assert!(half > 4, "{from} {to}: {half}");
            for (dx, dy) in [(-half, -half), (half, -half), (half, half), (-half, half), (0, 0)] {
                let (px, py) = ((x + dx) as f64, (y + dy) as f64);
                assert!(px * px + py * py <= 200.0 * 200.0);
                let turn = (px.atan2(-py) / std::f64::consts::TAU * 1000.0).rem_euclid(1000.0);
                let (low, high) = (from as f64 - 0.5, to as f64 + 0.5);
                let inside = |turn: f64| (low..=high).contains(&turn);
                assert!(inside(turn) || inside(turn + 1000.0), "{from} {to}: {turn}");
            }
        }
    }
}
