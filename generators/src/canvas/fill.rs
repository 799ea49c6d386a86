//! The one rasterizer: closed outlines in integers to coverage in sixteenths, for letters and shapes alike.
//!
//! Every pixel row is cut into a few scan lines. An outline's crossings with each are found by integer division,
//! and what lies between them is covered exactly along the row. A place counts as inside where the winding
//! number is not zero, so that overlapping pieces (the segments of a polyline) are one shape.

/// Parts of a pixel that corners are given in.
pub(crate) const GRID: i32 = 64;

/// Full coverage of a pixel.
pub(crate) const FULL: u32 = 16;

/// Farthest corner, in pixels from the origin; what lies beyond is moved there, so that nothing overflows.
const FAR: i32 = 1 << 15;

/// Pixels an outline may touch, half-open.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    /// Left and right end.
    pub x: [i32; 2],
    /// Top and bottom end.
    pub y: [i32; 2],
}

/// Outlines under way.
pub(crate) struct Fill {
    window: Window,
    /// Scan lines a pixel.
    lines: i32,
    /// Scan line, place in [`GRID`]s and direction of every crossing.
    crossings: Vec<(i32, i32, i32)>,
}

impl Fill {
    /// Nothing yet. `lines` a pixel row divide [`GRID`]: 4 for shapes, 16 for letters.
    pub(crate) fn new(window: Window, lines: i32) -> Self {
        debug_assert!(GRID % (2 * lines) == 0, "scan lines stand on the grid");
        Self { window, lines, crossings: Vec::new() }
    }

    /// Adds a closed outline; corners in [`GRID`]s.
    pub(crate) fn outline(&mut self, corners: &[(i32, i32)]) {
        let Some(&last) = corners.last() else { return };
        let mut from = near(last);
        for &corner in corners {
            let to = near(corner);
            self.edge(from, to);
            from = to;
        }
    }

    fn edge(&mut self, from: (i32, i32), to: (i32, i32)) {
        if from.1 == to.1 {
            return;
        }
        let (top, bottom, way) = if from.1 < to.1 { (from, to, 1) } else { (to, from, -1) };
        // Scan line i stands at (i + 1/2) steps; a line on a corner belongs to the edge below it.
        let step = GRID / self.lines;
        let first = |y: i32| (y - step / 2).div_euclid(step) + i32::from((y - step / 2).rem_euclid(step) > 0);
        let begin = first(top.1).max(self.window.y[0] * self.lines);
        let end = first(bottom.1).min(self.window.y[1] * self.lines);
        let (run, rise) = (i64::from(bottom.0 - top.0), i64::from(bottom.1 - top.1));
        let [left, right] = self.window.x.map(|x| x * GRID);
        for line in begin..end {
            let down = i64::from(line * step + step / 2 - top.1);
            let x = i64::from(top.0) + (2 * run * down + rise).div_euclid(2 * rise);
            self.crossings.push((line, (x as i32).clamp(left, right), way));
        }
    }

    /// Calls `row(y, x, coverage)` for every run of pixels that may be touched, from top to bottom; coverage in
    /// parts of [`FULL`].
    pub(crate) fn rows(mut self, mut row: impl FnMut(i32, i32, &[u8])) {
        self.crossings.sort_unstable();
        let width = (self.window.x[1] - self.window.x[0]).max(0) as usize;
        let mut parts = vec![0; width];
        let mut levels = vec![0; width];
        let whole = (GRID * self.lines) as u32;
        let mut at = 0;
        while let Some(&(line, ..)) = self.crossings.get(at) {
            let y = line.div_euclid(self.lines);
            let end = at + self.crossings[at..].partition_point(|c| c.0.div_euclid(self.lines) == y);
            let touched = self.cover(at, end, &mut parts);
            for (level, part) in levels[touched.clone()].iter_mut().zip(&mut parts[touched.clone()]) {
                *level = ((*part * FULL + whole / 2) / whole) as u8;
                *part = 0;
            }
            row(y, self.window.x[0] + touched.start as i32, &levels[touched]);
            at = end;
        }
    }

    /// Adds up what the crossings `at..end`, all in one row of pixels, cover; returns the pixels touched.
    fn cover(&self, at: usize, end: usize, parts: &mut [u32]) -> std::ops::Range<usize> {
        let (mut low, mut high) = (usize::MAX, 0);
        let (mut winding, mut line, mut since) = (0, i32::MIN, 0);
        for &(this, x, way) in &self.crossings[at..end] {
            let x = x - self.window.x[0] * GRID;
            if this != line {
                (line, winding) = (this, 0);
            }
            if winding == 0 {
                since = x;
            }
            winding += way;
            if winding == 0 && x > since {
                span(parts, since, x);
                low = low.min((since / GRID) as usize);
                high = high.max(((x + GRID - 1) / GRID) as usize);
            }
        }
        if low < high {
            low..high
        } else {
            0..0
        }
    }
}

/// Covers `from..to` ([`GRID`]s from the row's start) of one scan line.
fn span(parts: &mut [u32], from: i32, to: i32) {
    let (first, last) = ((from / GRID) as usize, (to / GRID) as usize);
    let (begin, rest) = ((from % GRID) as u32, (to % GRID) as u32);
    if first == last {
        parts[first] += rest - begin;
        return;
    }
    parts[first] += GRID as u32 - begin;
    parts[first + 1..last].iter_mut().for_each(|part| *part += GRID as u32);
    if rest > 0 {
        parts[last] += rest;
    }
}

fn near((x, y): (i32, i32)) -> (i32, i32) {
    let far = FAR * GRID;
    (x.clamp(-far, far), y.clamp(-far, far))
}
