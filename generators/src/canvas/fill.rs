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
    /// Scan line of every crossing, and its place in [`GRID`]s with its direction.
    crossings: Vec<(i32, Crossing)>,
}

/// Twice the place, plus one where the outline goes down.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Crossing(i32);

impl Crossing {
    fn new(x: i32, down: bool) -> Self {
        Self(2 * x + i32::from(down))
    }

    fn x(self) -> i32 {
        self.0 >> 1
    }

    fn way(self) -> i32 {
        2 * (self.0 & 1) - 1
    }
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
        let (top, bottom, down) = if from.1 < to.1 { (from, to, true) } else { (to, from, false) };
        // Scan line i stands at (i + 1/2) steps; a line on a corner belongs to the edge below it.
        let step = GRID / self.lines;
        let first = |y: i32| (y - step / 2).div_euclid(step) + i32::from((y - step / 2).rem_euclid(step) > 0);
        let begin = first(top.1).max(self.window.y[0] * self.lines);
        let end = first(bottom.1).min(self.window.y[1] * self.lines);
        if begin >= end {
            return;
        }
        // Fixed point counted from the upper corner, so that a place does not depend on the window.
        let slope = (i64::from(bottom.0 - top.0) << 32).div_euclid(i64::from(bottom.1 - top.1));
        let below = i64::from(begin * step + step / 2 - top.1);
        let mut x = (i64::from(top.0) << 32) + slope * below + (1 << 31);
        let [left, right] = self.window.x.map(|x| x * GRID);
        for line in begin..end {
            self.crossings.push((line, Crossing::new(((x >> 32) as i32).clamp(left, right), down)));
            x += slope * i64::from(step);
        }
    }

    /// Calls `row(y, x, coverage)` for every run of pixels that may be touched, from top to bottom; coverage in
    /// parts of [`FULL`].
    pub(crate) fn rows(self, mut row: impl FnMut(i32, i32, &[u8])) {
        let Some((first, ends, sorted)) = self.sorted() else { return };
        let width = (self.window.x[1] - self.window.x[0]).max(0) as usize;
        let mut parts = vec![0; width];
        let mut levels = vec![0; width];
        let whole = (GRID * self.lines) as u32;
        let mut begin = 0;
        for y in first.div_euclid(self.lines).. {
            let (mut low, mut high) = (width, 0);
            for line in (y * self.lines).max(first)..(y + 1) * self.lines {
                let Some(&end) = ends.get((line - first) as usize) else { break };
                let touched = self.cover(&sorted[begin..end], &mut parts);
                (low, high) = (low.min(touched.start), high.max(touched.end));
                begin = end;
            }
            if low < high {
                for (level, part) in levels[low..high].iter_mut().zip(&mut parts[low..high]) {
                    *level = ((*part * FULL + whole / 2) / whole) as u8;
                    *part = 0;
                }
                row(y, self.window.x[0] + low as i32, &levels[low..high]);
            }
            if begin == sorted.len() {
                return;
            }
        }
    }

    /// The first scan line, where each line's crossings end, and all of them by line and place.
    fn sorted(&self) -> Option<(i32, Vec<usize>, Vec<Crossing>)> {
        let first = self.crossings.iter().map(|c| c.0).min()?;
        let last = self.crossings.iter().map(|c| c.0).max()?;
        // Where a line's crossings begin, which moves to where they end as they are put there.
        let mut ends = vec![0; (last - first) as usize + 2];
        for (line, _) in &self.crossings {
            ends[(line - first) as usize + 1] += 1;
        }
        for at in 1..ends.len() {
            ends[at] += ends[at - 1];
        }
        let mut sorted = vec![Crossing::default(); self.crossings.len()];
        for &(line, crossing) in &self.crossings {
            let place = &mut ends[(line - first) as usize];
            sorted[*place] = crossing;
            *place += 1;
        }
        ends.pop();
        let mut begin = 0;
        for &end in &ends {
            sorted[begin..end].sort_unstable();
            begin = end;
        }
        Some((first, ends, sorted))
    }

    /// Adds up what one scan line covers; returns the pixels touched, an empty range beyond the row for none.
    fn cover(&self, crossings: &[Crossing], parts: &mut [u32]) -> std::ops::Range<usize> {
        let (mut low, mut high) = (usize::MAX, 0);
        let (mut winding, mut since) = (0, 0);
        for crossing in crossings {
            let x = crossing.x() - self.window.x[0] * GRID;
            if winding == 0 {
                since = x;
            }
            winding += crossing.way();
            if winding == 0 && x > since {
                span(parts, since, x);
                low = low.min((since / GRID) as usize);
                high = ((x + GRID - 1) / GRID) as usize;
            }
        }
        low..high
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
