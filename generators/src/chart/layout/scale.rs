//! One axis: where its labels stand and where its values lie.

use crate::canvas::UNIT;

/// What runs along an axis.
#[derive(Clone, Debug)]
enum Run {
    /// Equal places, one a label.
    Places(usize),
    /// Numbers from low to high, and those with a label.
    Values { low: i32, high: i32, ticks: Vec<i32> },
}

/// One axis; positions along it are in [`UNIT`]s (eighths of a pixel).
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    run: Run,
    /// Labels, in their order.
    pub names: Vec<String>,
    /// Whether it runs from its far end (right, bottom) to the near one.
    pub backward: bool,
}

impl Scale {
    /// Categories.
    pub(crate) fn places(names: Vec<String>, backward: bool) -> Self {
        Self { run: Run::Places(names.len()), names, backward }
    }

    /// Numbers, with a label for each tick.
    pub(crate) fn values([low, high]: [i32; 2], ticks: Vec<i32>, names: Vec<String>, backward: bool) -> Self {
        Self { run: Run::Values { low, high, ticks }, names, backward }
    }

    /// Whether it counts, so that a grid means something.
    pub(crate) fn counts(&self) -> bool {
        matches!(self.run, Run::Values { .. })
    }

    /// Where label `i` stands on `length` pixels from pixel `start`.
    pub(crate) fn label(&self, i: usize, start: i32, length: i32) -> i32 {
        match &self.run {
            Run::Places(n) => self.share([2 * i as i32 + 1, 2 * *n as i32], start, length),
            Run::Values { ticks, .. } => self.value(ticks[i], start, length),
        }
    }

    /// Where a value lies, or a place's index in a category axis.
    pub(crate) fn value(&self, value: i32, start: i32, length: i32) -> i32 {
        match self.run {
            Run::Places(_) => self.label(value as usize, start, length),
            Run::Values { low, high, .. } => self.share([value - low, high - low], start, length),
        }
    }

    /// First and last pixel column (or row) of share `[from, to]` in `of` parts of place `i`.
    pub(crate) fn span(&self, i: usize, [from, to, of]: [i32; 3], start: i32, length: i32) -> [i32; 2] {
        let n = self.names.len() as i32;
        let edge = |part: i32| self.share([i as i32 * of + part, n * of], start, length);
        let edges = [edge(from), edge(to)].map(|edge| (edge + UNIT / 2).div_euclid(UNIT));
        [edges[0].min(edges[1]), edges[0].max(edges[1])]
    }

    /// Least distance between two labels, in pixels.
    pub(crate) fn pitch(&self, length: i32) -> i32 {
        let at = (0..self.names.len()).map(|i| self.label(i, 0, length));
        let at: Vec<i32> = at.collect();
        at.windows(2).map(|pair| (pair[1] - pair[0]).abs() / UNIT).min().unwrap_or(length)
    }

    fn share(&self, [part, whole]: [i32; 2], start: i32, length: i32) -> i32 {
        let far = i64::from(length) * i64::from(UNIT);
        let along = (far * i64::from(part) + i64::from(whole) / 2).div_euclid(i64::from(whole)) as i32;
        start * UNIT + if self.backward { length * UNIT - along } else { along }
    }
}
