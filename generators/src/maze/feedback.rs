//! The proposal, drawn over the maze: a red line and a marker where it ends.
//!
//! A walk of any length comes down to which of four half-edges each cell shows, so that drawing takes no
//! longer for a million moves than for twenty, and lines that run twice along an edge stay half transparent.

use std::sync::OnceLock;

use vrrl_harness_core::{Image, Move, View};

use super::generate::{MazeScene, CANVAS_CELLS};
use super::render::{self, CRISP, MARGIN, SMALL};
use crate::canvas::{mix, Rgb, Shape, UNIT};

/// Cells on a side with the ring of phantom cells around.
const RING: usize = CANVAS_CELLS + 2;

const RED: Rgb = [224, 24, 36];
const DARK: Rgb = [84, 8, 20];
const STAR: Rgb = [255, 220, 60];

/// Half-edges of every cell, from its centre to the middle of a side: one bit for each [`Move`], in their
/// order. Row and column 0 are the phantom cells before the board.
struct Trail {
    edges: [[u8; RING]; RING],
    end: usize,
}

impl Trail {
    fn of(scene: &MazeScene, moves: &[Move]) -> Self {
        let n = scene.size();
        let mut edges = [[0; RING]; RING];
        let mut cell = scene.start;
        for &step in moves {
            let (row, column) = (cell / n + 1, cell % n + 1);
            let (down, right) = step.delta();
            let (there_row, there_column) =
                (row.wrapping_add_signed(down as isize), column.wrapping_add_signed(right as isize));
            edges[row][column] |= bit(step);
            edges[there_row][there_column] |= bit(opposite(step));
            // Off the grid the agent stays; through holes the line goes on.
            cell = scene.board.step(cell, step).unwrap_or(cell);
        }
        Self { edges, end: cell }
    }

    /// Cells with a line: row and column on the board (−1 and `n` are phantoms) and the half-edges.
    fn cells(&self) -> impl Iterator<Item = (i32, i32, u8)> + '_ {
        let cells = (0..RING).flat_map(|row| (0..RING).map(move |column| (row, column)));
        cells
            .map(|(row, column)| (row as i32 - 1, column as i32 - 1, self.edges[row][column]))
            .filter(|&(_, _, edges)| edges != 0)
    }
}

fn bit(step: Move) -> u8 {
    match step {
        Move::Up => 1,
        Move::Down => 2,
        Move::Left => 4,
        Move::Right => 8,
    }
}

fn opposite(step: Move) -> Move {
    match step {
        Move::Up => Move::Down,
        Move::Down => Move::Up,
        Move::Left => Move::Right,
        Move::Right => Move::Left,
    }
}

/// The maze with `moves` drawn on it.
pub(crate) fn draw(scene: &MazeScene, moves: &[Move], view: View) -> Image {
    let trail = Trail::of(scene, moves);
    match view {
        View::Crisp => crisp(scene, &trail),
        View::Canvas => canvas(scene, &trail),
    }
}

fn canvas(scene: &MazeScene, trail: &Trail) -> Image {
    let mut image = render::canvas(scene);
    let corner = scene.offset.map(|cells| (cells * SMALL) as i32);
    let mut fill = |row: i32, column: i32, y: [i32; 2], x: [i32; 2], colour: Rgb| {
        for y in y[0]..=y[1] {
            for x in x[0]..=x[1] {
                let (y, x) = (corner[0] + row * SMALL as i32 + y, corner[1] + column * SMALL as i32 + x);
                put(&mut image, x, y, |pixel| pixel.copy_from_slice(&colour));
            }
        }
    };
    for (row, column, edges) in trail.cells() {
        for step in Move::ALL.into_iter().filter(|&step| edges & bit(step) != 0) {
            let (y, x) = match step {
                Move::Up => ([0, 4], [3, 4]),
                Move::Down => ([3, 7], [3, 4]),
                Move::Left => ([3, 4], [0, 4]),
                Move::Right => ([3, 4], [3, 7]),
            };
            fill(row, column, y, x, [232, 0, 24]);
        }
    }
    let (row, column) = ((trail.end / scene.size()) as i32, (trail.end % scene.size()) as i32);
    fill(row, column, [2, 5], [2, 5], [40, 0, 48]);
    fill(row, column, [3, 4], [3, 4], [255, 80, 255]);
    image
}

/// Changes a pixel, if it is on the picture.
fn put(image: &mut Image, x: i32, y: i32, change: impl FnOnce(&mut [u8])) {
    if x >= 0 && y >= 0 && x < image.width() as i32 && y < image.height() as i32 {
        change(&mut image.get_pixel_mut(x as u32, y as u32).0);
    }
}

/// What a stroke does to one pixel of a cell.
struct Dab {
    x: u8,
    y: u8,
    /// Covered by line or outline, and by the line alone, in quarters.
    whole: u32,
    inner: u32,
}

fn crisp(scene: &MazeScene, trail: &Trail) -> Image {
    static STROKES: OnceLock<Vec<Vec<Dab>>> = OnceLock::new();
    static END: OnceLock<Vec<Dab>> = OnceLock::new();
    let strokes = STROKES.get_or_init(|| (0..16).map(stroke).collect());
    let mut image = render::crisp(scene);
    for (row, column, edges) in trail.cells() {
        for dab in &strokes[usize::from(edges)] {
            let (x, y) = place(row, column, dab);
            // The line lets four tenths of the picture through, its outline three.
            put(&mut image, x, y, |pixel| {
                mix(pixel, DARK, (dab.whole - dab.inner) * 7, 40);
                mix(pixel, RED, dab.inner * 6, 40);
            });
        }
    }
    let (row, column) = ((trail.end / scene.size()) as i32, (trail.end % scene.size()) as i32);
    for dab in END.get_or_init(star) {
        let (x, y) = place(row, column, dab);
        put(&mut image, x, y, |pixel| {
            mix(pixel, DARK, dab.whole, 4);
            mix(pixel, STAR, dab.inner, 4);
        });
    }
    image
}

fn place(row: i32, column: i32, dab: &Dab) -> (i32, i32) {
    let pixel = |cell: i32, within: u8| MARGIN as i32 + cell * CRISP as i32 + i32::from(within);
    (pixel(column, dab.x), pixel(row, dab.y))
}

/// The line through one cell with these half-edges.
fn stroke(edges: u8) -> Vec<Dab> {
    let shapes = |half: i32| {
        let (middle, end, half) = (CRISP as i32 / 2 * UNIT, CRISP as i32 * UNIT, half * UNIT);
        let (low, high) = (middle - half, middle + half);
        let mut shapes = vec![Shape::disc(middle, middle, half)];
        shapes.extend(Move::ALL.into_iter().filter(|&step| edges & bit(step) != 0).map(|step| match step {
            Move::Up => Shape::Rect(low, 0, high, middle, 0),
            Move::Down => Shape::Rect(low, middle, high, end, 0),
            Move::Left => Shape::Rect(0, low, middle, high, 0),
            Move::Right => Shape::Rect(middle, low, end, high, 0),
        }));
        shapes
    };
    dabs(&shapes(8), &shapes(5))
}

/// A five-pointed star with a dark rim, at the cell's centre.
fn star() -> Vec<Dab> {
    // Unit vectors of the ten corners, in thousandths, alternately outer and inner.
    const CORNERS: [(i32, i32); 10] = [
        (0, -1000),
        (259, -356),
        (951, -309),
        (419, 136),
        (588, 809),
        (0, 440),
        (-588, 809),
        (-419, 136),
        (-951, -309),
        (-259, -356),
    ];
    let middle = CRISP as i32 / 2 * UNIT;
    let shape = |radius: i32| {
        let corner =
            |&(x, y): &(i32, i32)| (middle + x * radius * UNIT / 1000, middle + y * radius * UNIT / 1000);
        Shape::Polygon(CORNERS.iter().map(corner).collect())
    };
    dabs(&[shape(22)], &[shape(16)])
}

fn dabs(whole: &[Shape], inner: &[Shape]) -> Vec<Dab> {
    let most = |shapes: &[Shape], x, y| shapes.iter().map(|shape| shape.coverage(x, y)).max().unwrap_or(0);
    let pixels = (0..CRISP).flat_map(|y| (0..CRISP).map(move |x| (x, y)));
    pixels
        .map(|(x, y)| Dab { x: x as u8, y: y as u8, whole: most(whole, x, y), inner: most(inner, x, y) })
        .filter(|dab| dab.whole > 0)
        .collect()
}
