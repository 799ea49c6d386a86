//! Letters of three by five pixels for pictures of 64 × 64.

use super::bounds::Bounds;
use super::picture::Picture;
use super::sprite::Rgb;

/// Columns and rows of a letter; one more column stands between two.
pub(crate) const TINY: [i32; 2] = [3, 5];

/// Five rows of three bits, top left bit first. Own drawing.
const LETTERS: [u16; 26] = [
    0b010_101_111_101_101,
    0b110_101_110_101_110,
    0b011_100_100_100_011,
    0b110_101_101_101_110,
    0b111_100_110_100_111,
    0b111_100_110_100_100,
    0b011_100_101_101_011,
    0b101_101_111_101_101,
    0b111_010_010_010_111,
    0b001_001_001_101_010,
    0b101_101_110_101_101,
    0b100_100_100_100_111,
    0b111_111_101_101_101,
    0b110_101_101_101_101,
    0b010_101_101_101_010,
    0b110_101_110_100_100,
    0b010_101_101_110_011,
    0b110_101_110_110_101,
    0b011_100_010_001_110,
    0b111_010_010_010_010,
    0b101_101_101_101_111,
    0b101_101_101_101_010,
    0b101_101_111_111_010,
    0b101_101_010_101_101,
    0b101_101_010_010_010,
    0b111_001_010_100_111,
];
const DIGITS: [u16; 10] = [
    0b111_101_101_101_111,
    0b010_110_010_010_111,
    0b110_001_010_100_111,
    0b110_001_010_001_110,
    0b101_101_111_001_001,
    0b111_100_110_001_110,
    0b011_100_111_101_111,
    0b111_001_010_010_010,
    0b111_101_111_101_111,
    0b111_101_111_001_110,
];

fn bits(c: char) -> u16 {
    match c.to_ascii_uppercase() {
        c @ 'A'..='Z' => LETTERS[c as usize - 'A' as usize],
        c @ '0'..='9' => DIGITS[c as usize - '0' as usize],
        '.' => 0b010,
        '-' | '\u{2212}' => 0b111_000_000,
        '+' => 0b010_111_010_000,
        '%' => 0b101_001_010_100_101,
        ' ' => 0,
        _ => 0b111_111_111_111_111,
    }
}

/// The box that a text takes whose top left pixel is (x, y).
pub(crate) fn tiny_box((x, y): (i32, i32), text: &str) -> Bounds {
    let letters = text.chars().count() as i32;
    Bounds::sized(x, y, (letters * (TINY[0] + 1) - 1).max(0), TINY[1])
}

impl Picture {
    /// Draws a text whose top left pixel is (x, y): capitals, digits and `. - + %`; anything else is a block.
    pub(crate) fn tiny(&mut self, (x, y): (i32, i32), text: &str, colour: Rgb) -> Bounds {
        for (i, c) in (0..).zip(text.chars()) {
            let bits = bits(c);
            for (row, column) in (0..TINY[1]).flat_map(|row| (0..TINY[0]).map(move |column| (row, column))) {
                if bits >> (14 - row * TINY[0] - column) & 1 == 1 {
                    self.rect(Bounds::sized(x + i * (TINY[0] + 1) + column, y + row, 1, 1), colour);
                }
            }
        }
        tiny_box((x, y), text)
    }
}
