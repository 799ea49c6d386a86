//! How alike two pictures are: a perceptual hash that finds candidates, and a comparison that decides.

use std::ops::Range;

use vrrl_harness_core::Image;

/// 256 signs of brightness differences: 128 between neighbours to the side on a grid of 17×8 cells, 128 between
/// neighbours above each other on one of 8×17.
pub(super) type Hash = [u64; 4];

/// Bits of 256 in which the hashes of nearly equal pictures may differ.
pub(super) const DISTANCE: u32 = 15;

/// Grey levels, in sixteenths, by which a cell must be brighter: noise and paper decide nothing.
const MARGIN: u32 = 3 * 16;
/// Of a channel: from here on two colours are different ones to the comparison.
const VISIBLE: u8 = 24;
/// Side of the cells that are compared, in pixels: smaller than a letter, larger than a grain of noise.
const CELL: u32 = 3;

/// The perceptual hash; `None` of a picture of one colour, which says nothing.
pub(super) fn hash(picture: &Image) -> Option<Hash> {
    let first = picture.pixels().next()?;
    if picture.pixels().all(|pixel| pixel == first) {
        return None;
    }
    let (wide, tall) = (grid(picture, 17, 8), grid(picture, 8, 17));
    let brighter = |a: u32, b: u32| a > b + MARGIN;
    let aside = (0..128).map(|bit| {
        let at = bit / 16 * 17 + bit % 16;
        brighter(wide[at], wide[at + 1])
    });
    let below = (0..128).map(|bit| brighter(tall[bit], tall[bit + 8]));
    let mut hash = [0; 4];
    for (bit, set) in aside.chain(below).enumerate() {
        hash[bit / 64] |= u64::from(set) << (bit % 64);
    }
    Some(hash)
}

pub(super) fn distance(a: &Hash, b: &Hash) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// Whether two pictures show the same to a viewer: of what stands out from their backgrounds, nine tenths are equal.
/// Sizes may differ, proportions may not.
pub(super) fn alike(a: &Image, b: &Image) -> bool {
    let [(aw, ah), (bw, bh)] = [a, b].map(|picture| {
        let (width, height) = picture.dimensions();
        (u64::from(width), u64::from(height))
    });
    // Within a fiftieth.
    if (aw * bh).abs_diff(bw * ah) * 50 > aw * bh {
        return false;
    }
    let columns = (a.width().min(b.width()) / CELL).max(1);
    let rows = (a.height().min(b.height()) / CELL).max(1);
    let (a, b) = (colours(a, columns, rows), colours(b, columns, rows));
    let far = |x: &[u8; 3], y: &[u8; 3]| (0..3).any(|i| x[i].abs_diff(y[i]) > VISIBLE);
    let (paper_a, paper_b) = (background(&a), background(&b));
    let ink = a.iter().zip(&b).filter(|(x, y)| far(x, &paper_a) || far(y, &paper_b)).count();
    let differ = a.iter().zip(&b).filter(|(x, y)| far(x, y)).count();
    differ * 10 <= ink
}

/// Pixels of one side of a cell; at least one.
fn span(cell: u32, cells: u32, pixels: u32) -> Range<u32> {
    let at = |cell: u32| (u64::from(cell) * u64::from(pixels) / u64::from(cells)) as u32;
    let start = at(cell).min(pixels - 1);
    start..at(cell + 1).max(start + 1)
}

/// Sum of each channel over a cell, and its pixels.
fn sum(picture: &Image, x: &Range<u32>, y: &Range<u32>) -> ([u32; 3], u32) {
    let width = picture.width() as usize;
    let mut sum = [0; 3];
    for row in y.clone() {
        let line = row as usize * width;
        let pixels = &picture.as_raw()[(line + x.start as usize) * 3..(line + x.end as usize) * 3];
        for pixel in pixels.chunks_exact(3) {
            for (sum, &value) in sum.iter_mut().zip(pixel) {
                *sum += u32::from(value);
            }
        }
    }
    (sum, (x.end - x.start) * (y.end - y.start))
}

/// Brightness of each cell, row by row, in sixteenths of a grey level.
fn grid(picture: &Image, columns: u32, rows: u32) -> Vec<u32> {
    let across: Vec<_> = (0..columns).map(|x| span(x, columns, picture.width())).collect();
    let one = |y: u32| {
        let down = span(y, rows, picture.height());
        let cell = move |x: &Range<u32>| {
            let ([red, green, blue], pixels) = sum(picture, x, &down);
            let weighed = 2 * u64::from(red) + 5 * u64::from(green) + u64::from(blue);
            (weighed * 2 / u64::from(pixels)) as u32
        };
        across.iter().map(cell).collect::<Vec<_>>()
    };
    (0..rows).flat_map(one).collect()
}

/// Mean colour of each cell.
fn colours(picture: &Image, columns: u32, rows: u32) -> Vec<[u8; 3]> {
    let across: Vec<_> = (0..columns).map(|x| span(x, columns, picture.width())).collect();
    let one = |y: u32| {
        let down = span(y, rows, picture.height());
        let cell = move |x: &Range<u32>| {
            let (sum, pixels) = sum(picture, x, &down);
            sum.map(|channel| (channel / pixels) as u8)
        };
        across.iter().map(cell).collect::<Vec<_>>()
    };
    (0..rows).flat_map(one).collect()
}

/// The colour that most cells have, in steps of sixteen levels.
fn background(cells: &[[u8; 3]]) -> [u8; 3] {
    let bucket = |cell: &[u8; 3]| cell.iter().fold(0, |number, &v| number * 16 + usize::from(v / 16));
    let mut counts = vec![0u32; 4096];
    cells.iter().for_each(|cell| counts[bucket(cell)] += 1);
    let most = (0..counts.len()).max_by_key(|&at| (counts[at], std::cmp::Reverse(at)));
    cells.iter().find(|cell| Some(bucket(cell)) == most).copied().unwrap_or_default()
}
