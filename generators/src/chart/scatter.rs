//! Where the dots of a scatter plot lie: integer coordinates in a randomly cropped range, by rejection.
//!
//! Whether two dots and their letters touch is decided in thousandths of the picture's height, with a square
//! for each letter that holds the widest letter of any font, so that neither font nor size of a picture
//! change a scene.

use vrrl_harness_core::{Error, Rng, Seed};

use super::content::{Dot, Side};
use super::params::ChartParams;

/// The most that margins take of a scatter plot's width and height, in thousandths of the picture's height.
pub(crate) const MARGINS: [i32; 2] = [320, 400];
/// Radius of a dot, side of a letter's square, gap between both, and what stays free around, in thousandths
/// of the picture's height.
pub(crate) const RADIUS: i32 = 12;
pub(crate) const LETTER: i32 = 42;
pub(crate) const GAP: i32 = 8;
const FREE: i32 = 10;

const TRIES: u32 = 600;
const RESTARTS: u64 = 20;

/// Sizes that decide what touches what; any unit.
pub(crate) struct Measure {
    /// Width and height of the plot.
    pub plot: [i32; 2],
    pub radius: i32,
    pub letter: [i32; 2],
    pub gap: i32,
    pub free: i32,
    /// Least distance of two dots.
    pub apart: i32,
}

impl Measure {
    fn of(params: &ChartParams) -> Self {
        if params.small {
            return super::small::measure();
        }
        let [wide, high] = params.aspect.map(|part| part as i32);
        Self {
            plot: [1000 * wide / high - MARGINS[0], 1000 - MARGINS[1]],
            radius: RADIUS,
            letter: [LETTER; 2],
            gap: GAP,
            free: FREE,
            apart: 0,
        }
    }

    /// Left, top, right and bottom of a dot and its letter, `None` if they leave the plot.
    fn extent(&self, dot: &Dot, crop: &[[i32; 2]; 2]) -> Option<[i32; 4]> {
        let scaled = |value: i32, [low, high]: [i32; 2], size: i32| (value - low) * size / (high - low);
        let x = scaled(dot.x, crop[0], self.plot[0]);
        let y = self.plot[1] - scaled(dot.y, crop[1], self.plot[1]);
        let r = self.radius;
        let reach = |letter: i32| r + self.gap + letter;
        let side = [(self.letter[0] + 1) / 2, (self.letter[1] + 1) / 2].map(|half| half.max(r));
        let [x0, y0, x1, y1] = match dot.side {
            Side::Right => [x - r, y - side[1], x + reach(self.letter[0]), y + side[1]],
            Side::Left => [x - reach(self.letter[0]), y - side[1], x + r, y + side[1]],
            Side::Above => [x - side[0], y - reach(self.letter[1]), x + side[0], y + r],
            Side::Below => [x - side[0], y - r, x + side[0], y + reach(self.letter[1])],
        };
        let free = self.free / 2;
        let inside = x0 >= free && y0 >= free && x1 <= self.plot[0] - free && y1 <= self.plot[1] - free;
        inside.then_some([x0, y0, x1, y1])
    }
}

/// Places `count[0]` dots, and `count[1]` more drawn by `more`; a longer list begins like a shorter one.
pub(crate) fn place(
    params: &ChartParams,
    count: [usize; 2],
    seed: Seed,
    more: &mut Rng,
) -> Result<(Vec<Dot>, [[i32; 2]; 2]), Error> {
    if params.tiled {
        return Ok(tiles(count[0], seed));
    }
    let measure = Measure::of(params);
    let mut cropping = seed.derive("chart crop", 0).rng();
    let crop = if params.small {
        super::small::CROP
    } else {
        [0, 1].map(|_| {
            let low = cropping.below(241) as i32 - 120;
            [low, low + 20 + cropping.below(101) as i32]
        })
    };
    for restart in 0..RESTARTS {
        let mut rng = seed.derive("chart dots", restart).rng();
        let mut placed = Placed { measure: &measure, crop, dots: Vec::new(), taken: Vec::new() };
        if placed.add(count[0], &mut rng) && (0..RESTARTS).any(|_| placed.add(count[1], more)) {
            return Ok((placed.dots, crop));
        }
    }
    let wanted = format!("{} dots (keys dots and extra) that do not touch", count[0] + count[1]);
    Err(Error::Exhausted { task: "chart", wanted, tries: TRIES * RESTARTS as u32, seed })
}

/// Dots in tiles, column and row from below, none beside another.
fn tiles(count: usize, seed: Seed) -> (Vec<Dot>, [[i32; 2]; 2]) {
    let crop = super::small::TILES;
    let [columns, rows] = crop.map(|[low, high]| low..=high);
    let mut free: Vec<(i32, i32)> = columns.flat_map(|x| rows.clone().map(move |y| (x, y))).collect();
    seed.derive("chart dots", 0).rng().shuffle(&mut free);
    let mut dots: Vec<Dot> = Vec::new();
    for (x, y) in free {
        let apart = |dot: &Dot| (dot.x - x).abs().max((dot.y - y).abs()) > 1;
        if dots.len() < count && dots.iter().all(apart) {
            dots.push(Dot { x, y, side: Side::Right });
        }
    }
    (dots, crop)
}

struct Placed<'a> {
    measure: &'a Measure,
    crop: [[i32; 2]; 2],
    dots: Vec<Dot>,
    taken: Vec<[i32; 4]>,
}

impl Placed<'_> {
    /// Adds `count` dots, or none.
    fn add(&mut self, count: usize, rng: &mut Rng) -> bool {
        let before = self.dots.len();
        for _ in 0..count {
            if !(0..TRIES).any(|_| self.try_one(rng)) {
                self.dots.truncate(before);
                self.taken.truncate(before);
                return false;
            }
        }
        true
    }

    fn try_one(&mut self, rng: &mut Rng) -> bool {
        let [x, y] = self.crop.map(|[low, high]| low + rng.below((high - low + 1) as u32) as i32);
        let side = *rng.choose(&[Side::Right, Side::Left, Side::Above, Side::Below]);
        let dot = Dot { x, y, side };
        let Some(extent) = self.measure.extent(&dot, &self.crop) else { return false };
        let [x0, y0, x1, y1] = extent;
        let free = self.measure.free;
        let clear = |other: &[i32; 4]| {
            x0 >= other[2] + free || other[0] >= x1 + free || y0 >= other[3] + free || other[1] >= y1 + free
        };
        let far = |other: &Dot| {
            let gap = |low: i32, high: i32, a: i32, b: i32, size: i32| ((a - b) * size / (high - low)).pow(2);
            let [[x0, x1], [y0, y1]] = self.crop;
            let [wide, high] = self.measure.plot;
            gap(x0, x1, x, other.x, wide) + gap(y0, y1, y, other.y, high) >= self.measure.apart.pow(2)
        };
        let fits = self.taken.iter().all(clear) && self.dots.iter().all(far);
        if fits {
            self.dots.push(dot);
            self.taken.push(extent);
        }
        fits
    }
}
