//! Shortest paths by breadth-first search, and uniform draws among them.

use vrrl_harness_core::{Move, Rng};

/// Most cells of a board.
pub(crate) const CELLS: usize = 64;
/// Distance of a cell that cannot reach the goal (holes included).
pub(crate) const FAR: u8 = u8::MAX;

/// The bare board: side length and one bit per row-major cell that is a hole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Board {
    pub(crate) n: usize,
    pub(crate) holes: u64,
}

impl Board {
    pub(crate) fn hole(self, cell: usize) -> bool {
        self.holes >> cell & 1 == 1
    }

    /// The cell one move away, `None` off the grid.
    pub(crate) fn step(self, cell: usize, step: Move) -> Option<usize> {
        let (row, column) = (cell / self.n, cell % self.n);
        match step {
            Move::Up => (row > 0).then(|| cell - self.n),
            Move::Down => (row + 1 < self.n).then(|| cell + self.n),
            Move::Left => (column > 0).then(|| cell - 1),
            Move::Right => (column + 1 < self.n).then(|| cell + 1),
        }
    }

    /// Moves from every cell to `goal`; [`FAR`] where there is no way. Cells beyond the board are [`FAR`].
    pub(crate) fn distances(self, goal: usize) -> [u8; CELLS] {
        let mut distance = [FAR; CELLS];
        let mut queue = [0u8; CELLS];
        let (mut head, mut tail) = (0, 1);
        queue[0] = goal as u8;
        distance[goal] = 0;
        while head < tail {
            let cell = usize::from(queue[head]);
            head += 1;
            for step in Move::ALL {
                if let Some(next) = self.step(cell, step) {
                    if !self.hole(next) && distance[next] == FAR {
                        distance[next] = distance[cell] + 1;
                        queue[tail] = next as u8;
                        tail += 1;
                    }
                }
            }
        }
        distance
    }

    /// A shortest path from `start` to where `distance` is 0, uniform among all of them. `start` must reach it.
    pub(crate) fn draw_shortest(self, distance: &[u8; CELLS], start: usize, rng: &mut Rng) -> Vec<Move> {
        let ways = self.ways(distance, distance[start]);
        let mut path = Vec::with_capacity(usize::from(distance[start]));
        let mut cell = start;
        while distance[cell] > 0 {
            let mut ticket = below(rng, ways[cell]);
            for step in Move::ALL {
                let Some(next) = self.step(cell, step).filter(|&next| distance[next] < distance[cell]) else {
                    continue;
                };
                if ticket < ways[next] {
                    path.push(step);
                    cell = next;
                    break;
                }
                ticket -= ways[next];
            }
        }
        path
    }

    /// How many shortest paths lead from each cell at most `reach` away to the goal.
    fn ways(self, distance: &[u8; CELLS], reach: u8) -> [u64; CELLS] {
        let mut ways = [0; CELLS];
        for layer in 0..=reach {
            for cell in (0..self.n * self.n).filter(|&cell| distance[cell] == layer) {
                ways[cell] = if layer == 0 {
                    1
                } else {
                    let nearer = Move::ALL.into_iter().filter_map(|step| self.step(cell, step));
                    nearer.filter(|&next| distance[next] == layer - 1).map(|next| ways[next]).sum()
                };
            }
        }
        ways
    }
}

/// Uniform in `0..bound` by rejection.
fn below(rng: &mut Rng, bound: u64) -> u64 {
    if let Ok(bound) = u32::try_from(bound) {
        return u64::from(rng.below(bound));
    }
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let draw = rng.next_u64();
        if draw < limit {
            return draw % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use vrrl_harness_core::Seed;

    use super::*;

    #[test]
    fn draws_are_uniform_among_shortest_paths() {
        // An empty 3x3 board has 6 paths from corner to corner.
        let board = Board { n: 3, holes: 0 };
        let distance = board.distances(8);
        let mut rng = Seed(1).rng();
        let mut seen: BTreeMap<Vec<Move>, u32> = BTreeMap::new();
        for _ in 0..6000 {
            *seen.entry(board.draw_shortest(&distance, 0, &mut rng)).or_default() += 1;
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|&count| (850..1150).contains(&count)), "{seen:?}");
    }

    #[test]
    fn holes_and_walled_cells_are_far() {
        // Row 1 is all holes: the top row cannot reach the bottom row.
        let distance = Board { n: 3, holes: 0b000_111_000 }.distances(8);
        assert_eq!(distance[..9], [FAR, FAR, FAR, FAR, FAR, FAR, 2, 1, 0]);
    }
}
