//! The judge, and the three ways to answer: right, plausibly wrong, and blind.

use vrrl_harness_core::{Answer, Move, PathVerdict, Rng};

use super::generate::MazeScene;
use super::solve::FAR;

/// Judges a list of moves (`vrrl` section 3.1 of the specification). Linear in the list, without allocation.
pub(crate) fn judge(scene: &MazeScene, moves: &[Move]) -> PathVerdict {
    let shortest = scene.shortest();
    let mut cell = scene.start;
    let mut nearer = 0;
    for &step in moves {
        // Holes are `FAR`, so that a lower distance is a legal move already.
        match scene.board.step(cell, step) {
            Some(next) if scene.distance[next] < scene.distance[cell] => {
                cell = next;
                nearer += 1;
            }
            _ => break,
        }
    }
    let optimal = nearer == shortest;
    PathVerdict {
        exact: optimal && moves.len() == shortest,
        strict: optimal || reaches(scene, moves, false),
        lenient: optimal || reaches(scene, moves, true),
        progress: nearer as f64 / shortest as f64,
        overshoots: optimal && moves.len() > shortest,
    }
}

/// Whether the walk enters the goal before a hole; moves off the grid are no-ops or end it.
fn reaches(scene: &MazeScene, moves: &[Move], off_grid_is_noop: bool) -> bool {
    let mut cell = scene.start;
    for &step in moves {
        match scene.board.step(cell, step) {
            None if off_grid_is_noop => {}
            Some(next) if !scene.board.hole(next) => cell = next,
            _ => return false,
        }
        if cell == scene.goal {
            return true;
        }
    }
    false
}

/// A shortest path, uniform among them.
pub(crate) fn oracle(scene: &MazeScene, rng: &mut Rng) -> Vec<Move> {
    scene.board.draw_shortest(&scene.distance, scene.start, rng)
}

/// A plausible wrong path, never empty, at most two moves longer than the shortest (or than `2n`): half are shortest paths
/// that overlook holes, three in ten have one or two moves replaced, two in ten a cut, longer or random end.
pub(crate) fn mistake(scene: &MazeScene, rng: &mut Rng) -> Vec<Move> {
    for _ in 0..8 {
        let moves = match rng.below(10) {
            0..=4 => overlook_holes(scene, rng),
            5..=7 => substitute(scene, rng),
            _ => other_end(scene, rng),
        };
        if !moves.is_empty() && !judge(scene, &moves).exact {
            return moves;
        }
    }
    let mut moves = guess(scene, rng);
    if judge(scene, &moves).exact {
        moves.push(*rng.choose(&Move::ALL));
    }
    moves
}

/// A shortest path on the board with six in ten holes removed.
fn overlook_holes(scene: &MazeScene, rng: &mut Rng) -> Vec<Move> {
    let mut board = scene.board;
    for cell in 0..board.n * board.n {
        if board.hole(cell) && rng.chance(6, 10) {
            board.holes &= !(1 << cell);
        }
    }
    let distance = board.distances(scene.goal);
    debug_assert!(distance[scene.start] != FAR, "fewer holes keep the way open");
    board.draw_shortest(&distance, scene.start, rng)
}

fn substitute(scene: &MazeScene, rng: &mut Rng) -> Vec<Move> {
    let mut moves = oracle(scene, rng);
    for _ in 0..rng.between(1, 2) {
        let place = rng.index(moves.len());
        moves[place] = *rng.choose(&Move::ALL);
    }
    moves
}

fn other_end(scene: &MazeScene, rng: &mut Rng) -> Vec<Move> {
    let mut moves = oracle(scene, rng);
    let whole = moves.len();
    match rng.below(3) {
        // Cut short.
        0 => moves.truncate(rng.index(whole)),
        // Go on behind the goal.
        1 => moves.extend((0..rng.between(1, 2)).map(|_| Move::ALL[rng.index(4)]).collect::<Vec<_>>()),
        // A random end of about the same length.
        _ => {
            moves.truncate(rng.index(whole));
            let until = (whole + 2).saturating_sub(rng.index(4)).max(moves.len() + 1);
            while moves.len() < until {
                moves.push(*rng.choose(&Move::ALL));
            }
        }
    }
    moves
}

/// One to `2n` random moves.
pub(crate) fn guess(scene: &MazeScene, rng: &mut Rng) -> Vec<Move> {
    let length = rng.between(1, 2 * scene.board.n as u32);
    (0..length).map(|_| *rng.choose(&Move::ALL)).collect()
}

/// The moves, or none where the answer is of another kind.
pub(crate) fn moves(answer: &Answer) -> &[Move] {
    answer.moves().unwrap_or_default()
}
