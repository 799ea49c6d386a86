//! Cell values: unique in a table by construction, and the same whatever the table's size.
//!
//! A value has up to four digits. Columns lie in bands of sixteen steps, rows within them in any order, and of the
//! numbers in one step each block of sixteen by sixteen cells takes another, so that no two cells of 64 × 64 share
//! their digits. Numbers of one column are thereby near each other, as in a real table. The last two written digits
//! are never zero, so that numbers with different decimals differ too: 5.07 and 5.070 do not stand in one table.

use vrrl_harness_core::{Rng, Seed};

use super::params::Numbers;
use crate::words::{Kind, Metric};

const SIDE: usize = 16;
const BLOCKS: usize = 4;

/// The digits of every cell that a table may have.
pub(crate) struct Values {
    seed: Seed,
    base: u32,
    step: u32,
    /// Per block of columns: the band of each.
    bands: [[u32; SIDE]; BLOCKS],
    /// What a block adds, and what every step adds, both modulo `step - 10`: numbers of neighbouring steps in one
    /// block differ by more than ten, so that they do without their last digit.
    offsets: [u32; BLOCKS * BLOCKS],
    turns: [u32; SIDE * SIDE],
    /// The last digit is left out, where the table is small enough to stay unique without.
    coarse: bool,
}

impl Values {
    /// Least and greatest number of all; written, 511 and 9989.
    const LEAST: u32 = 405;
    const MOST: u32 = 8090;

    /// The values of a table of this size.
    pub(crate) fn new(seed: Seed, rows: usize, columns: usize) -> Self {
        let mut rng = seed.derive("table values", 0).rng();
        let step = rng.between(27, 30);
        let span = step * (SIDE * SIDE) as u32;
        let base = rng.between(Self::LEAST, Self::MOST - span);
        let bands = std::array::from_fn(|_| order(&mut rng));
        let offsets = order(&mut rng);
        let turns = std::array::from_fn(|_| rng.below(step - 10));
        let coarse = rng.chance(1, 2) && rows.max(columns) <= SIDE;
        Self { seed, base, step, bands, offsets, turns, coarse }
    }

    /// The digits of a column, from the first row on.
    pub(crate) fn column(&self, column: usize, rows: usize) -> Vec<u32> {
        let mut rng = self.seed.derive("table column", column as u64).rng();
        let orders: [[u32; SIDE]; BLOCKS] = std::array::from_fn(|_| order(&mut rng));
        let (block, band) = (column / SIDE, self.bands[column / SIDE][column % SIDE]);
        let digits = |row: usize| {
            let place = SIDE as u32 * band + orders[row / SIDE][row % SIDE];
            let within = self.offsets[row / SIDE * BLOCKS + block] + self.turns[place as usize];
            self.base + self.step * place + within % (self.step - 10)
        };
        (0..rows).map(digits).collect()
    }

    /// The exponent of a column's numbers, where they have one.
    fn exponent(column: usize) -> i32 {
        [-2, 1, -3, 2, -1, 3, 0][column * 5 % 7]
    }

    /// How digits are written in a column of this metric: texts of different digits differ, whatever the columns.
    pub(crate) fn text(&self, digits: u32, column: usize, kind: Kind, numbers: Numbers) -> String {
        let kind = match numbers {
            Numbers::Percent => Kind::Percent,
            Numbers::Float => Kind::Unit,
            Numbers::Integer => Kind::Count,
            Numbers::Mixed | Numbers::Comma | Numbers::Scientific => kind,
        };
        if numbers == Numbers::Scientific {
            return self.scientific(digits, column);
        }
        let point = if numbers == Numbers::Comma { ',' } else { '.' };
        let (decimals, written) = (decimals(kind), Self::written(digits));
        match (self.coarse, decimals) {
            (true, 0) => (written / 10).to_string(),
            (true, _) => decimal(written / 10, decimals - 1, point),
            (false, 0) => written.to_string(),
            (false, _) => decimal(written, decimals, point),
        }
    }

    /// The number whose last two digits, counted from 1 to 9, are those of `digits` to base nine.
    fn written(digits: u32) -> u32 {
        digits / 81 * 100 + (digits / 9 % 9 + 1) * 10 + digits % 9 + 1
    }

    /// One digit before the point; nine steps a unit keep it one.
    fn scientific(&self, digits: u32, column: usize) -> String {
        let exponent = Self::exponent(column);
        let (mantissa, decimals) = if self.coarse {
            (1000 + (digits / 10 - Self::LEAST / 10) * 9, 3)
        } else {
            (10_000 + (digits - Self::LEAST) * 9, 4)
        };
        format!("{}e{exponent}", decimal(mantissa, decimals, '.'))
    }

    /// What stands behind ±: smaller than any value; `None` for whole numbers and exponents.
    pub(crate) fn spread(&self, digits: u32, kind: Kind, numbers: Numbers) -> Option<String> {
        let kind = match numbers {
            Numbers::Percent => Kind::Percent,
            Numbers::Float => Kind::Unit,
            Numbers::Mixed | Numbers::Comma => kind,
            Numbers::Integer | Numbers::Scientific => return None,
        };
        let point = if numbers == Numbers::Comma { ',' } else { '.' };
        let decimals = decimals(kind);
        match (decimals, self.coarse) {
            (0, _) => None,
            (_, true) => Some(decimal(1 + digits * 7 % 9, decimals - 1, point)),
            (_, false) => Some(decimal(5 + digits * 7 % 85, decimals, point)),
        }
    }
}

/// Decimals of the full digits.
fn decimals(kind: Kind) -> usize {
    match kind {
        Kind::Count => 0,
        Kind::Percent => 2,
        Kind::Float => 3,
        Kind::Unit => 4,
    }
}

fn decimal(digits: u32, decimals: usize, point: char) -> String {
    let one = 10_u32.pow(decimals as u32);
    format!("{}{point}{:0decimals$}", digits / one, digits % one)
}

/// Numbers from 0 in any order.
fn order<const N: usize>(rng: &mut Rng) -> [u32; N] {
    let mut items = std::array::from_fn(|i| i as u32);
    rng.shuffle(&mut items);
    items
}

/// Two-digit numbers of the small canvas, unique up to eight columns.
pub(crate) fn small(seed: Seed, rows: usize, columns: usize) -> Vec<Vec<u32>> {
    let mut rng = seed.derive("table values", 1).rng();
    let mut numbers: Vec<u32> = (10..100).collect();
    rng.shuffle(&mut numbers);
    (0..columns).map(|column| (0..rows).map(|row| numbers[row * 8 + column]).collect()).collect()
}

/// The place of the best of a column.
pub(crate) fn best(digits: &[u32], metric: &Metric) -> usize {
    let places = 0..digits.len();
    let best =
        if metric.more { places.max_by_key(|&i| digits[i]) } else { places.min_by_key(|&i| digits[i]) };
    best.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const NUMBERS: [Numbers; 6] = [
        Numbers::Mixed,
        Numbers::Percent,
        Numbers::Float,
        Numbers::Integer,
        Numbers::Scientific,
        Numbers::Comma,
    ];
    const KINDS: [Kind; 4] = [Kind::Percent, Kind::Float, Kind::Unit, Kind::Count];

    #[test]
    fn no_two_cells_are_written_alike() {
        for seed in 0..60 {
            for (rows, columns) in [(64, 64), (16, 16), (5, 15), (17, 3)] {
                let values = Values::new(Seed(seed), rows, columns);
                for numbers in NUMBERS {
                    let mut texts = BTreeSet::new();
                    let mut exact = BTreeSet::new();
                    let mut spreads = BTreeSet::new();
                    for column in 0..columns {
                        let kind = KINDS[(column + seed as usize) % 4];
                        for digits in values.column(column, rows) {
                            let text = values.text(digits, column, kind, numbers);
                            let number: f64 = text.replace(',', ".").parse().unwrap();
                            exact.insert(number.to_bits());
                            texts.insert(text);
                            spreads.extend(values.spread(digits, kind, numbers));
                        }
                    }
                    assert_eq!(exact.len(), rows * columns, "seed {seed}, {rows}x{columns}, {numbers:?}");
                    assert_eq!(texts.len(), rows * columns, "seed {seed}, {rows}x{columns}, {numbers:?}");
                    assert!(texts.is_disjoint(&spreads), "a ± looks like a value: {numbers:?}");
                    assert!(texts.iter().all(|text| text.len() <= 9), "{:?}", texts.first());
                }
            }
        }
    }

    #[test]
    fn a_larger_table_holds_the_smaller_one() {
        let (small, large) = (Values::new(Seed(3), 5, 7), Values::new(Seed(3), 50, 60));
        for column in 0..7 {
            assert_eq!(small.column(column, 5)[..], large.column(column, 50)[..5]);
        }
        let (few, more) = (super::small(Seed(3), 3, 2), super::small(Seed(3), 7, 5));
        assert!(few.iter().zip(&more).all(|(few, more)| more.starts_with(few)));
        let all: BTreeSet<u32> = more.concat().into_iter().collect();
        assert_eq!(all.len(), 35);
    }

    #[test]
    fn numbers_look_as_named() {
        let values = Values { coarse: false, ..Values::new(Seed(1), 9, 9) };
        let coarse = Values { coarse: true, ..Values::new(Seed(1), 9, 9) };
        let row = |values: &Values, numbers| KINDS.map(|kind| values.text(6828, 0, kind, numbers));
        assert_eq!(row(&values, Numbers::Mixed), ["84.37", "8.437", "0.8437", "8437"]);
        assert_eq!(row(&coarse, Numbers::Mixed), ["84.3", "8.43", "0.843", "843"]);
        assert_eq!(row(&values, Numbers::Comma), ["84,37", "8,437", "0,8437", "8437"]);
        assert_eq!(row(&values, Numbers::Percent), ["84.37"; 4]);
        assert_eq!(row(&values, Numbers::Float), ["0.8437"; 4]);
        assert_eq!(row(&values, Numbers::Integer), ["8437"; 4]);
        assert_eq!(row(&values, Numbers::Scientific), ["6.7807e-2"; 4]);
        assert_eq!(row(&coarse, Numbers::Scientific), ["6.778e-2"; 4]);
        assert_eq!([Values::LEAST, Values::MOST].map(Values::written), [511, 9989]);
        assert_eq!(decimal(507, 2, '.'), "5.07");
    }
}
