//! Turns and views from aside: projective maps of the plane, resampling, and where truths go.
//!
//! Only +, −, ·, / and roundings of doubles are used, which are exact everywhere; angles come from integers.
//! Positions are continuous here: pixel i reaches from i to i + 1.

use vrrl_harness_core::{Image, RegionTruth, Rng};

use super::fixed::sin_cos;
use crate::canvas::Bounds;

/// A projective map of the plane, row by row.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Map([f64; 9]);

impl Map {
    pub(crate) const SAME: Self = Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);

    /// First this one, then `next`.
    pub(crate) fn then(&self, next: &Self) -> Self {
        let (a, b) = (next.0, self.0);
        Self(std::array::from_fn(|i| {
            let (row, column) = (i / 3 * 3, i % 3);
            a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6]
        }))
    }

    /// The way back, up to a factor, which a projective map does not notice.
    fn inverse(&self) -> Self {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        Self([
            e * i - f * h,
            c * h - b * i,
            b * f - c * e,
            f * g - d * i,
            a * i - c * g,
            c * d - a * f,
            d * h - e * g,
            b * g - a * h,
            a * e - b * d,
        ])
    }

    fn at(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        let w = g * x + h * y + i;
        [(a * x + b * y + c) / w, (d * x + e * y + f) / w]
    }

    /// Where a pixel goes, to an eighth of a pixel.
    pub(crate) fn pixel(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        self.at([x + 0.5, y + 0.5]).map(|v| ((v - 0.5) * 8.0).round() / 8.0)
    }

    /// Where a truth goes on a picture of this size: its point, or the largest box of whole pixels about the
    /// middle that lies inside the turned one.
    pub(crate) fn region(&self, region: &RegionTruth, size: [u32; 2]) -> RegionTruth {
        RegionTruth {
            point: region.point.map(|point| self.pixel(point)),
            bounds: region.bounds.map(|bounds| self.inside(bounds)),
            size: Some(size),
            ..region.clone()
        }
    }

    fn inside(&self, [x0, y0, x1, y1]: [f64; 4]) -> [f64; 4] {
        let corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map(|[x, y]| self.at([x + 0.5, y + 0.5]));
        let middle = self.at([(x0 + x1 + 1.0) / 2.0, (y0 + y1 + 1.0) / 2.0]);
        // Half sides a, b fit where |nx|·a + |ny|·b ≤ room for each edge with normal (nx, ny).
        let edges: Vec<[f64; 3]> = (0..4)
            .map(|i| {
                let ([ax, ay], [bx, by]) = (corners[i], corners[(i + 1) % 4]);
                let (nx, ny) = (by - ay, ax - bx);
                let room = nx * (ax - middle[0]) + ny * (ay - middle[1]);
                [nx.abs(), ny.abs(), room.abs()]
            })
            .collect();
        let fits = |a: f64, b: f64| edges.iter().all(|[nx, ny, room]| nx * a + ny * b <= room * (1.0 + 1e-9));
        // The largest product stands where one edge alone binds, or where two meet.
        let mut best = [0.0, 0.0];
        let mut offer = |a: f64, b: f64| {
            if a.is_finite()
                && b.is_finite()
                && a >= 0.0
                && b >= 0.0
                && fits(a, b)
                && a * b > best[0] * best[1]
            {
                best = [a, b];
            }
        };
        for (i, &[nx, ny, room]) in edges.iter().enumerate() {
            offer(room / (2.0 * nx), room / (2.0 * ny));
            for &[mx, my, other] in &edges[i + 1..] {
                let det = nx * my - ny * mx;
                offer((room * my - other * ny) / det, (nx * other - mx * room) / det);
            }
        }
        let [a, b] = best;
        let [x, y] = middle.map(|v| v - 0.5);
        let whole = |low: f64, high: f64| {
            let (from, to) = (low.ceil(), high.floor());
            // A box thinner than a pixel keeps its middle, to an eighth.
            let centre = ((low + high) * 4.0).round() / 8.0;
            if from <= to {
                [from, to]
            } else {
                [centre, centre]
            }
        };
        let ([x0, x1], [y0, y1]) = (whole(x - a, x + a), whole(y - b, y + b));
        [x0, y0, x1, y1]
    }

    /// The smallest box of pixels around where a box of pixels goes.
    pub(crate) fn around(&self, b: &Bounds) -> Bounds {
        let [x0, y0, x1, y1] = [b.x0, b.y0, b.x1, b.y1].map(f64::from);
        let corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map(|corner| self.at(corner));
        let least =
            |axis: usize| corners.iter().map(|c| c[axis]).fold(f64::INFINITY, f64::min).floor() as i32;
        let most =
            |axis: usize| corners.iter().map(|c| c[axis]).fold(f64::NEG_INFINITY, f64::max).ceil() as i32;
        Bounds { x0: least(0), y0: least(1), x1: most(0), y1: most(1) }
    }
}

/// A turn by `angle` tenths of a degree about the centre, to a drawn side, and the new size: larger, so that
/// nothing is cut; with `fixed`, the picture shrinks into its own frame instead.
pub(super) fn turn(angle: u32, size: [u32; 2], fixed: bool, rng: &mut Rng) -> (Map, [u32; 2]) {
    let angle = if rng.chance(1, 2) { angle as i32 } else { -(angle as i32) };
    let (sine, cosine) = sin_cos(angle);
    let unit = (1u64 << 40) as f64;
    let (sine, cosine) = (sine as f64 / unit, cosine as f64 / unit);
    let [w, h] = size.map(f64::from);
    let (wide, high) = (w * cosine + h * sine.abs(), w * sine.abs() + h * cosine);
    let (scale, new) = if fixed {
        ((w / wide).min(h / high), size)
    } else {
        (1.0, [wide, high].map(|side| side.ceil() as u32))
    };
    let [nw, nh] = new.map(f64::from);
    let (s, c) = (sine * scale, cosine * scale);
    let (x, y) = (nw / 2.0 - c * w / 2.0 + s * h / 2.0, nh / 2.0 - s * w / 2.0 - c * h / 2.0);
    (Map([c, -s, x, s, c, y, 0.0, 0.0, 1.0]), new)
}

/// A view from aside: one drawn side of the picture moves away and becomes shorter, by up to `shift`
/// thousandths of the picture's sides; everything stays on the picture.
pub(super) fn aside(shift: u32, size: [u32; 2], rng: &mut Rng) -> Map {
    let far = rng.below(4);
    // Clockwise from the top left; the far side lies between corners `far` and `far + 1`.
    let moves: [[u32; 2]; 4] = std::array::from_fn(|corner| {
        let (along, inwards) = (rng.between(600, 1000), rng.between(200, 500));
        let near = rng.between(0, 150);
        let corner = corner as u32;
        match corner == far || corner == (far + 1) % 4 {
            true if far.is_multiple_of(2) => [along, inwards],
            true => [inwards, along],
            false => [near, near],
        }
    });
    let [w, h] = size.map(f64::from);
    let part = |parts: u32, side: f64| f64::from(parts) * f64::from(shift) * side / 1_000_000.0;
    let corner = |i: usize, right: bool, low: bool| {
        let (dx, dy) = (part(moves[i][0], w), part(moves[i][1], h));
        [if right { w - dx } else { dx }, if low { h - dy } else { dy }]
    };
    let corners =
        [corner(0, false, false), corner(1, true, false), corner(2, true, true), corner(3, false, true)];
    onto(corners, [w, h])
}

/// The map of a picture of this size onto a convex quadrangle, corners clockwise from the top left
/// (Heckbert, Fundamentals of Texture Mapping and Image Warping, 1989, section 2.2.3).
fn onto([p0, p1, p2, p3]: [[f64; 2]; 4], [w, h]: [f64; 2]) -> Map {
    let sum = [p0[0] - p1[0] + p2[0] - p3[0], p0[1] - p1[1] + p2[1] - p3[1]];
    let (d1, d2) = ([p1[0] - p2[0], p1[1] - p2[1]], [p3[0] - p2[0], p3[1] - p2[1]]);
    let det = d1[0] * d2[1] - d2[0] * d1[1];
    let g = (sum[0] * d2[1] - d2[0] * sum[1]) / det;
    let k = (d1[0] * sum[1] - sum[0] * d1[1]) / det;
    let unit = Map([
        p1[0] - p0[0] + g * p1[0],
        p3[0] - p0[0] + k * p3[0],
        p0[0],
        p1[1] - p0[1] + g * p1[1],
        p3[1] - p0[1] + k * p3[1],
        p0[1],
        g,
        k,
        1.0,
    ]);
    Map([1.0 / w, 0.0, 0.0, 0.0, 1.0 / h, 0.0, 0.0, 0.0, 1.0]).then(&unit)
}

/// The picture after a map, on a new frame, between pixels by two-way interpolation with positions rounded to
/// 1/256 pixel; what was not on the picture takes the colour of its first pixel.
pub(super) fn resample(image: &Image, map: &Map, [width, height]: [u32; 2]) -> Image {
    let back = map.inverse();
    let (w, h) = (i64::from(image.width()), i64::from(image.height()));
    let (pixels, paper): (&[u8], _) = (image, image.get_pixel(0, 0).0);
    let source = |x: i64, y: i64| match x >= 0 && y >= 0 && x < w && y < h {
        true => {
            let at = ((y * w + x) * 3) as usize;
            [pixels[at], pixels[at + 1], pixels[at + 2]]
        }
        false => paper,
    };
    let mut out = Image::new(width, height);
    for (y, row) in out.chunks_exact_mut(width as usize * 3).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let [u, v] = back.at([x as f64 + 0.5, y as f64 + 0.5]);
            let [u, v] = [u, v].map(|v| ((v - 0.5) * 256.0).round() as i64);
            let (left, top) = (u >> 8, v >> 8);
            if left < -1 || top < -1 || left >= w || top >= h {
                pixel.copy_from_slice(&paper);
                continue;
            }
            let (fx, fy) = ((u & 255) as u32, (v & 255) as u32);
            let four =
                [source(left, top), source(left + 1, top), source(left, top + 1), source(left + 1, top + 1)];
            for (channel, out) in pixel.iter_mut().enumerate() {
                let [a, b, c, d] = four.map(|colour| u32::from(colour[channel]));
                let (upper, lower) = (a * (256 - fx) + b * fx, c * (256 - fx) + d * fx);
                *out = ((upper * (256 - fy) + lower * fy + 32768) >> 16) as u8;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vrrl_harness_core::Seed;

    use super::*;

    fn maps(seed: u64, amount: u32, size: [u32; 2]) -> [(Map, [u32; 2]); 3] {
        let rng = || Seed(seed).rng();
        let (free, grown) = turn(amount, size, false, &mut rng());
        let (fixed, same) = turn(amount, size, true, &mut rng());
        [(free, grown), (fixed, same), (aside(amount.min(300), size, &mut rng()), size)]
    }

    proptest! {
        #[test]
        fn everything_stays_on_the_picture(seed in any::<u64>(), amount in 1u32..=450, w in 10u32..900, h in 10u32..900) {
            for (map, size) in maps(seed, amount, [w, h]) {
                for corner in [[0.0, 0.0], [f64::from(w), 0.0], [0.0, f64::from(h)], [f64::from(w), f64::from(h)]] {
                    let there = map.at(corner);
                    for axis in 0..2 {
                        prop_assert!((-1e-6..=f64::from(size[axis]) + 1e-6).contains(&there[axis]), "{there:?}");
                    }
                    let again = map.inverse().at(there);
                    prop_assert!((again[0] - corner[0]).abs() < 1e-6 && (again[1] - corner[1]).abs() < 1e-6);
                }
            }
        }

        #[test]
        fn the_box_lies_inside_the_turned_box(
            seed in any::<u64>(), amount in 1u32..=300, x0 in 0u32..300, y0 in 0u32..300, w in 1u32..90, h in 1u32..90,
        ) {
            let bounds = [x0, y0, x0 + w, y0 + h].map(f64::from);
            for (map, _) in maps(seed, amount, [400, 400]) {
                let [a0, b0, a1, b1] = map.inside(bounds);
                prop_assert!(a0 <= a1 && b0 <= b1);
                if a1 <= a0 || b1 <= b0 {
                    continue;
                }
                for corner in [[a0, b0], [a1, b0], [a0, b1], [a1, b1]] {
                    let [x, y] = map.inverse().at(corner.map(|v| v + 0.5)).map(|v| v - 0.5);
                    prop_assert!(x >= bounds[0] - 1e-6 && x <= bounds[2] + 1e-6);
                    prop_assert!(y >= bounds[1] - 1e-6 && y <= bounds[3] + 1e-6);
                }
            }
        }
    }

    #[test]
    fn a_small_turn_leaves_most_of_a_wide_box() {
        let (map, _) = turn(20, [400, 400], false, &mut Seed(1).rng());
        let [x0, y0, x1, y1] = map.inside([100.0, 100.0, 150.0, 250.0]);
        assert!((x1 - x0) * (y1 - y0) > 0.7 * 50.0 * 150.0, "{x0} {y0} {x1} {y1}");
    }

    #[test]
    fn pictures_follow_the_map() {
        let mut image = Image::from_pixel(120, 80, image::Rgb([250; 3]));
        for (x, y) in
            [(40, 30), (41, 30), (40, 31), (41, 31), (42, 30), (42, 31), (40, 32), (41, 32), (42, 32)]
        {
            image.put_pixel(x, y, image::Rgb([0; 3]));
        }
        for (map, size) in maps(5, 100, [120, 80]) {
            let out = resample(&image, &map, size);
            let [x, y] = map.pixel([41.0, 31.0]);
            let darkest = out.enumerate_pixels().min_by_key(|p| p.2 .0[0]).unwrap();
            assert!((f64::from(darkest.0) - x).abs() <= 1.5 && (f64::from(darkest.1) - y).abs() <= 1.5);
            assert_eq!(out.get_pixel(0, 0).0, [250; 3]);
        }
        assert_eq!(resample(&image, &Map::SAME, [120, 80]), image);
    }
}
