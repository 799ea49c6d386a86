//! Listing every maze of small boards.

use std::collections::BTreeSet;

use super::generate::{canonical, MazeParams, MazeScene};
use super::solve::{Board, FAR};
use vrrl_harness_core::Seed;

/// Largest board whose mazes can be listed: 2^25 patterns of a 5×5 board are too many.
const LARGEST: usize = 4;
/// Images of a square under rotation and reflection.
const IMAGES: usize = 8;
/// The smallest class (val) is a tenth of a space; half of that is safe.
const SMALLEST_CLASS: usize = 20;

/// Forms up to symmetry of all mazes that `params` can draw, sorted. `None` where boards are too large to list
/// them, and where there are surely more than `enough` in each class.
pub(crate) fn every(params: &MazeParams, enough: usize) -> Option<Vec<String>> {
    let weight = |n: usize| params.weights.as_ref().map_or(1, |weights| weights[n - params.size[0] as usize]);
    let sizes: Vec<usize> = params.sizes().filter(|&n| weight(n) > 0).collect();
    // Holes put on top make a part of the space whose size is not known without drawing.
    if params.more_holes > 0 || sizes.iter().any(|&n| n > LARGEST) {
        return None;
    }
    let count: usize = sizes.iter().map(|&n| triples(params, n, &mut |_, _, _| ())).sum();
    if count / IMAGES / SMALLEST_CLASS > enough {
        return None;
    }
    let mut forms = BTreeSet::new();
    for n in sizes {
        triples(params, n, &mut |board, start, goal| {
            let scene = MazeScene::new(board, start, goal, Seed(0));
            forms.insert(canonical(&scene).symmetric);
        });
    }
    Some(forms.into_iter().collect())
}

/// Visits board, start and goal of every maze on one board of each family of images; returns how many.
fn triples(params: &MazeParams, n: usize, visit: &mut dyn FnMut(Board, usize, usize)) -> usize {
    let cells = n * n;
    // Any percentage above 0 can draw any number of holes.
    let patterns = if params.holes[1] == 0 { 1 } else { 1u64 << cells };
    let mut count = 0;
    for holes in (0..patterns).filter(|&holes| is_first_image(n, holes)) {
        let board = Board { n, holes };
        for goal in (0..cells).filter(|&cell| !board.hole(cell)) {
            let distance = board.distances(goal);
            let allowed = |&start: &usize| {
                let length = u32::from(distance[start]);
                distance[start] != FAR && (params.shortest[0]..=params.shortest[1]).contains(&length)
            };
            for start in (0..cells).filter(allowed) {
                visit(board, start, goal);
                count += 1;
            }
        }
    }
    count
}

/// Whether a pattern is the smallest number among its eight images.
fn is_first_image(n: usize, holes: u64) -> bool {
    let far = n - 1;
    let image = |symmetry: usize| {
        (0..n * n).fold(0u64, |image, cell| {
            let (row, column) = (cell / n, cell % n);
            let (row, column) = if symmetry & 1 == 0 { (row, column) } else { (column, row) };
            let row = if symmetry & 2 == 0 { row } else { far - row };
            let column = if symmetry & 4 == 0 { column } else { far - column };
            image | (holes >> cell & 1) << (row * n + column)
        })
    };
    (1..IMAGES).all(|symmetry| image(symmetry) >= holes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maze::generate::generate;

    fn of_size(low: u32, high: u32) -> MazeParams {
        MazeParams::of_size(low, high)
    }

    #[test]
    fn small_spaces_have_known_sizes() {
        // Counted by hand for 2x2: start and goal side by side with 0, 1 or 2 holes, or across with 0 or 1.
        let any = |n| MazeParams { shortest: [1, 63], ..of_size(n, n) };
        let count = |params: &MazeParams| every(params, 1 << 40).map(|forms| forms.len());
        assert_eq!(count(&any(2)), Some(6));
        assert_eq!(count(&MazeParams { holes: [0, 0], shortest: [2, 2], ..of_size(2, 2) }), Some(1));
        assert_eq!(count(&any(3)), Some(879));
        assert_eq!(count(&MazeParams { more_holes: 10, ..any(3) }), None);
        assert_eq!(count(&any(5)), None);
        assert_eq!(count(&MazeParams { weights: Some(vec![1, 0]), ..of_size(3, 4) }), count(&of_size(3, 3)));
        assert_eq!(every(&of_size(4, 4), 1000), None, "enough without listing them");
    }

    #[test]
    fn every_drawn_maze_is_listed_and_every_listed_one_is_drawn() {
        let params = MazeParams { holes: [20, 70], shortest: [1, 63], ..of_size(3, 3) };
        let all: BTreeSet<String> = every(&params, 1 << 40).unwrap().into_iter().collect();
        let drawn: BTreeSet<String> = (0..60_000)
            .map(|i| canonical(&generate(&params, Seed(5).derive("space", i)).unwrap()).symmetric)
            .collect();
        assert!(drawn.is_subset(&all));
        assert!(all.len() - drawn.len() < 10, "{} of {}", drawn.len(), all.len());
    }
}
