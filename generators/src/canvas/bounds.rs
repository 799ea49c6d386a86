//! Boxes of whole pixels.

/// A box of pixels: left and top edge inside, right and bottom edge outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Bounds {
    /// First column.
    pub x0: i32,
    /// First row.
    pub y0: i32,
    /// Column after the last.
    pub x1: i32,
    /// Row after the last.
    pub y1: i32,
}

impl Bounds {
    /// From its corners.
    pub(crate) const fn new(x0: i32, y0: i32, x1: i32, y1: i32) -> Self {
        Self { x0, y0, x1, y1 }
    }

    /// From its top left corner and its size.
    pub(crate) const fn sized(x: i32, y: i32, width: i32, height: i32) -> Self {
        Self { x0: x, y0: y, x1: x.saturating_add(width), y1: y.saturating_add(height) }
    }

    /// Columns; negative or 0 where it is empty.
    pub(crate) const fn width(&self) -> i32 {
        self.x1.saturating_sub(self.x0)
    }

    /// Rows; negative or 0 where it is empty.
    pub(crate) const fn height(&self) -> i32 {
        self.y1.saturating_sub(self.y0)
    }

    /// Whether it has no pixel.
    pub(crate) const fn is_empty(&self) -> bool {
        self.x0 >= self.x1 || self.y0 >= self.y1
    }

    /// Whether both have a pixel in common.
    pub(crate) const fn intersects(&self, other: &Self) -> bool {
        !self.is_empty()
            && !other.is_empty()
            && self.x0 < other.x1
            && other.x0 < self.x1
            && self.y0 < other.y1
            && other.y0 < self.y1
    }

    /// Whether every pixel of `other` is inside; an empty box is inside of all.
    pub(crate) const fn contains(&self, other: &Self) -> bool {
        other.is_empty()
            || (self.x0 <= other.x0 && other.x1 <= self.x1 && self.y0 <= other.y0 && other.y1 <= self.y1)
    }

    /// Whether the pixel (x, y) is inside.
    #[cfg(test)]
    pub(crate) const fn holds(&self, x: i32, y: i32) -> bool {
        self.x0 <= x && x < self.x1 && self.y0 <= y && y < self.y1
    }

    /// The smallest box around both; an empty one counts for nothing.
    pub(crate) fn union(&self, other: &Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => *other,
            (_, true) => *self,
            _ => Self {
                x0: self.x0.min(other.x0),
                y0: self.y0.min(other.y0),
                x1: self.x1.max(other.x1),
                y1: self.y1.max(other.y1),
            },
        }
    }

    /// The pixels that both have.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        Self {
            x0: self.x0.max(other.x0),
            y0: self.y0.max(other.y0),
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
        }
    }

    /// Smaller by `by` pixels on every side; larger where negative.
    pub(crate) const fn inset(&self, by: i32) -> Self {
        Self {
            x0: self.x0.saturating_add(by),
            y0: self.y0.saturating_add(by),
            x1: self.x1.saturating_sub(by),
            y1: self.y1.saturating_sub(by),
        }
    }

    /// Moved right and down.
    pub(crate) const fn moved(&self, dx: i32, dy: i32) -> Self {
        Self {
            x0: self.x0.saturating_add(dx),
            y0: self.y0.saturating_add(dy),
            x1: self.x1.saturating_add(dx),
            y1: self.y1.saturating_add(dy),
        }
    }

    /// The pixel in the middle, rounded down.
    pub(crate) fn centre(&self) -> (i32, i32) {
        let middle = |a: i32, b: i32| ((a as i64 + b as i64 - 1).div_euclid(2)) as i32;
        (middle(self.x0, self.x1), middle(self.y0, self.y1))
    }
}
