//! Drawing a maze: parameters, the scene, and its canonical forms.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use vrrl_harness_core::{Canonical, Error, MazeTruth, Rng, Seed};

use super::solve::{Board, CELLS, FAR};
use super::theme::Theme;
use crate::again::number;

/// Cells on a side of the small canvas, the largest board there is.
pub(crate) const CANVAS_CELLS: usize = 8;
const TRIES: u32 = 1000;

/// Difficulty of a maze.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MazeParams {
    /// Cells on a side, inclusive range within 2 to 8.
    pub size: [u32; 2],
    /// Relative weights, one per size of the range; all equal where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<u32>>,
    /// Percentage of holes, inclusive range; one value is drawn for each maze.
    #[serde(default = "default_holes")]
    pub holes: [u32; 2],
    /// Allowed lengths of the shortest path, in moves, inclusive range.
    #[serde(default = "default_shortest")]
    pub shortest: [u32; 2],
    /// Holes put onto the board afterwards, percent of its free cells (rounded up), as far as the goal can still
    /// be reached. With one seed, the boards of higher numbers have all the holes of the lower ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_holes: u32,
    /// Which draw of these holes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub again: u64,
    /// What it is drawn with.
    #[serde(default, skip_serializing_if = "Theme::is_default")]
    pub theme: Theme,
}

fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

fn default_holes() -> [u32; 2] {
    [15, 40]
}

fn default_shortest() -> [u32; 2] {
    [2, 16]
}

impl MazeParams {
    /// Default difficulty for boards of `low` to `high` cells on a side.
    #[must_use]
    pub fn of_size(low: u32, high: u32) -> Self {
        Self {
            size: [low, high],
            weights: None,
            holes: default_holes(),
            shortest: default_shortest(),
            more_holes: 0,
            again: 0,
            theme: Theme::Ice,
        }
    }

    /// The sizes it spans.
    pub(crate) fn sizes(&self) -> RangeInclusive<usize> {
        self.size[0] as usize..=self.size[1] as usize
    }

    /// The same difficulty for one size.
    pub(crate) fn only(&self, n: usize) -> Self {
        Self { size: [n as u32; 2], weights: None, ..self.clone() }
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Params`] naming the knob.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::Params { task: "maze", reason });
        let ranges =
            [("size", self.size, 2, 8), ("holes", self.holes, 0, 95), ("shortest", self.shortest, 1, 63)];
        for (name, [low, high], least, most) in ranges {
            if low > high || low < least || high > most {
                return wrong(format!(
                    "{name} is [{low}, {high}]; use an ascending range within {least} to {most}"
                ));
            }
        }
        if self.more_holes > 100 {
            return wrong(format!("more_holes is {}; use 0 to 100 percent", self.more_holes));
        }
        let cells = self.size[0] * self.size[0];
        if self.shortest[0] >= cells {
            let n = self.size[0];
            return wrong(format!(
                "shortest starts at {}, but a {n}x{n} board has {cells} cells",
                self.shortest[0]
            ));
        }
        if let Some(weights) = &self.weights {
            let sizes = self.size[1] - self.size[0] + 1;
            if weights.len() != sizes as usize
                || weights.iter().any(|&w| w > 1_000_000)
                || weights.iter().all(|&w| w == 0)
            {
                return wrong(format!(
                    "weights is {weights:?}; give one weight up to 1000000 for each of the {sizes} sizes, not all 0"
                ));
            }
        }
        Ok(())
    }

    fn draw_size(&self, rng: &mut Rng) -> usize {
        let Some(weights) = &self.weights else { return rng.between(self.size[0], self.size[1]) as usize };
        let mut ticket = rng.below(weights.iter().sum());
        for (n, &weight) in self.sizes().zip(weights) {
            if ticket < weight {
                return n;
            }
            ticket -= weight;
        }
        self.size[1] as usize
    }
}

/// One maze, with its distances worked out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MazeScene {
    pub(crate) board: Board,
    pub(crate) start: usize,
    pub(crate) goal: usize,
    /// Row and column of the board's first cell on the small canvas.
    pub(crate) offset: [usize; 2],
    /// Moves to the goal from every cell.
    pub(crate) distance: [u8; CELLS],
    pub(crate) theme: Theme,
}

impl MazeScene {
    pub(crate) fn new(board: Board, start: usize, goal: usize, seed: Seed) -> Self {
        // The offset has its own stream, so that a scene rebuilt from its truth stands at the same place.
        let mut rng = seed.derive("maze offset", 0).rng();
        let room = (CANVAS_CELLS - board.n + 1) as u32;
        let offset = [rng.below(room) as usize, rng.below(room) as usize];
        Self { board, start, goal, offset, distance: board.distances(goal), theme: Theme::Ice }
    }

    /// Cells on a side.
    #[must_use]
    pub fn size(&self) -> usize {
        self.board.n
    }

    /// Whether a row-major cell is a hole.
    #[must_use]
    pub fn is_hole(&self, cell: usize) -> bool {
        cell < self.board.n * self.board.n && self.board.hole(cell)
    }

    /// Row-major start cell.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// Row-major goal cell.
    #[must_use]
    pub fn goal(&self) -> usize {
        self.goal
    }

    /// Row and column of the board's first cell among the canvas's 8×8 cells.
    #[must_use]
    pub fn offset(&self) -> [usize; 2] {
        self.offset
    }

    /// Moves on a shortest path.
    #[must_use]
    pub fn shortest(&self) -> usize {
        usize::from(self.distance[self.start])
    }

    pub(crate) fn letter(&self, cell: usize) -> char {
        match cell {
            _ if cell == self.start => 'S',
            _ if cell == self.goal => 'G',
            _ if self.board.hole(cell) => 'H',
            _ => 'F',
        }
    }
}

/// Draws a maze; see [`MazeParams`].
pub(crate) fn generate(params: &MazeParams, seed: Seed) -> Result<MazeScene, Error> {
    params.validate()?;
    let mut rng = seed.derive("maze board", 0).rng();
    // The size is drawn once: hard sizes must not become rare because easy ones succeed sooner.
    let n = params.draw_size(&mut rng);
    for _ in 0..TRIES {
        let percent = rng.between(params.holes[0], params.holes[1]);
        let holes = (0..n * n).fold(0, |holes, cell| holes | u64::from(rng.chance(percent, 100)) << cell);
        let board = Board { n, holes };
        let free: Vec<usize> = (0..n * n).filter(|&cell| !board.hole(cell)).collect();
        if free.len() < 2 {
            continue;
        }
        let goal = *rng.choose(&free);
        let distance = board.distances(goal);
        let allowed = |&cell: &usize| {
            let d = u32::from(distance[cell]);
            distance[cell] != FAR && (params.shortest[0]..=params.shortest[1]).contains(&d)
        };
        let starts: Vec<usize> = free.into_iter().filter(allowed).collect();
        if !starts.is_empty() {
            let start = *rng.choose(&starts);
            let board = thicken(board, start, goal, params, seed);
            return Ok(MazeScene { theme: params.theme, ..MazeScene::new(board, start, goal, seed) });
        }
    }
    let [[h0, h1], [s0, s1]] = [params.holes, params.shortest];
    let wanted = format!("size {n}, holes {h0}-{h1} %, shortest path {s0}-{s1} moves");
    Err(Error::Exhausted { task: "maze", wanted, tries: TRIES, seed })
}

/// The board with `more_holes`: free cells in a drawn order become holes, but for those that would cut the goal
/// off or make the way to it longer than `shortest` allows. The order has its own stream, and what is refused
/// does not depend on the number asked for, so that holes of lower numbers stay.
/// `again` draws other holes, and now and then another [`number`] of them, one at least.
fn thicken(mut board: Board, start: usize, goal: usize, params: &MazeParams, seed: Seed) -> Board {
    let free = |cell: &usize| !board.hole(*cell) && *cell != start && *cell != goal;
    let mut cells: Vec<usize> = (0..board.n * board.n).filter(free).collect();
    let share = (cells.len() * params.more_holes as usize).div_ceil(100);
    let mut wanted = if share == 0 { 0 } else { number(share, params.again).max(1) };
    seed.derive("maze more holes", 0).derive("again", params.again).rng().shuffle(&mut cells);
    for cell in cells {
        if wanted == 0 {
            break;
        }
        let more = Board { holes: board.holes | 1 << cell, ..board };
        // An unreachable start is `FAR`, longer than any limit.
        if u32::from(more.distances(goal)[start]) <= params.shortest[1] {
            board = more;
            wanted -= 1;
        }
    }
    board
}

/// Rebuilds a maze; everything in the truth is checked.
pub(crate) fn from_truth(truth: &MazeTruth, seed: Seed) -> Result<MazeScene, Error> {
    let wrong = |reason: String| Err(Error::Truth(reason));
    let n = truth.layout.len();
    if !(2..=CANVAS_CELLS).contains(&n) {
        return wrong(format!("the layout has {n} rows; use 2 to {CANVAS_CELLS}"));
    }
    if truth.level != n {
        return wrong(format!("level is {}, but the layout has {n} rows", truth.level));
    }
    let (mut holes, mut starts, mut goals) = (0, Vec::new(), Vec::new());
    for (row, text) in truth.layout.iter().enumerate() {
        if text.chars().count() != n {
            return wrong(format!("row {row} has {} cells, not {n}", text.chars().count()));
        }
        for (column, letter) in text.chars().enumerate() {
            let cell = row * n + column;
            match letter {
                'F' => {}
                'H' => holes |= 1u64 << cell,
                'S' => starts.push(cell),
                'G' => goals.push(cell),
                other => {
                    return wrong(format!("row {row}, column {column} is {other:?}; a cell is S, F, H or G"))
                }
            }
        }
    }
    for (name, key, cells, position) in
        [("S", "start_pos", &starts, truth.start_pos), ("G", "target_pos", &goals, truth.target_pos)]
    {
        if cells.len() != 1 {
            return wrong(format!("the layout has {} cells {name}; it needs exactly one", cells.len()));
        }
        if cells[0] != position {
            return wrong(format!("{key} is {position}, but {name} stands at cell {}", cells[0]));
        }
    }
    let scene = MazeScene::new(Board { n, holes }, truth.start_pos, truth.target_pos, seed);
    if scene.distance[scene.start] == FAR {
        return wrong("no path leads from start to goal".into());
    }
    Ok(scene)
}

/// Ground truth as it is written to files.
pub(crate) fn truth(scene: &MazeScene) -> MazeTruth {
    let n = scene.board.n;
    let row = |row: usize| (0..n).map(|column| scene.letter(row * n + column)).collect();
    MazeTruth { layout: (0..n).map(row).collect(), start_pos: scene.start, target_pos: scene.goal, level: n }
}

/// Canonical forms: rows of letters, one line a row.
pub(crate) fn canonical(scene: &MazeScene) -> Canonical {
    let n = scene.board.n;
    let letters: Vec<u8> = (0..n * n).map(|cell| scene.letter(cell) as u8).collect();
    let exact = lines(n, |row, column| letters[row * n + column]);
    let pattern = lines(n, |row, column| if scene.board.hole(row * n + column) { b'H' } else { b'F' });
    let far = n - 1;
    let image = |symmetry: usize| {
        lines(n, |row, column| {
            let (row, column) = if symmetry & 1 == 0 { (row, column) } else { (column, row) };
            let row = if symmetry & 2 == 0 { row } else { far - row };
            let column = if symmetry & 4 == 0 { column } else { far - column };
            letters[row * n + column]
        })
    };
    let symmetric = (0..8).map(image).min().expect("eight images");
    Canonical { exact, symmetric, pattern, size: n }
}

fn lines(n: usize, letter: impl Fn(usize, usize) -> u8) -> String {
    let mut text = Vec::with_capacity(n * (n + 1));
    for row in 0..n {
        if row > 0 {
            text.push(b'\n');
        }
        text.extend((0..n).map(|column| letter(row, column)));
    }
    String::from_utf8(text).expect("letters are ASCII")
}
