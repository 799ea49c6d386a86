//! A tiny maze for tests: judged by the definitions, drawn as a few coloured pixels. The real task lives in
//! the generators, which this crate must not know.

use std::collections::VecDeque;
use std::sync::Arc;

use vrrl_harness_core::{
    Answer, Canonical, Error, Example, Feedback, Image, MazeTruth, Move, PathVerdict, Posed, Rng, Seed, Task,
    TaskKind, Truth, Verdict, View,
};

/// The task.
pub struct Toy;

/// Rows of `S`, `F`, `H`, `G`, with the distance of every cell to the goal.
pub struct Grid {
    rows: Vec<Vec<u8>>,
    start: (usize, usize),
    distance: Vec<Vec<Option<usize>>>,
}

impl Grid {
    fn new(rows: &[String]) -> Result<Self, Error> {
        let rows: Vec<Vec<u8>> = rows.iter().map(|r| r.clone().into_bytes()).collect();
        let find = |c: u8| {
            let at = |(r, row): (usize, &Vec<u8>)| Some((r, row.iter().position(|x| *x == c)?));
            rows.iter().enumerate().find_map(at).ok_or_else(|| Error::Truth(format!("no {}", c as char)))
        };
        let (start, goal) = (find(b'S')?, find(b'G')?);
        let mut distance: Vec<Vec<Option<usize>>> = rows.iter().map(|r| vec![None; r.len()]).collect();
        distance[goal.0][goal.1] = Some(0);
        let mut queue = VecDeque::from([goal]);
        while let Some(at) = queue.pop_front() {
            for step in Move::ALL {
                let Some(to) = moved(&rows, at, step) else { continue };
                if rows[to.0][to.1] != b'H' && distance[to.0][to.1].is_none() {
                    distance[to.0][to.1] = distance[at.0][at.1].map(|d| d + 1);
                    queue.push_back(to);
                }
            }
        }
        let grid = Self { rows, start, distance };
        if grid.at(start).is_none() {
            Err(Error::Truth("no path".into()))
        } else {
            Ok(grid)
        }
    }

    fn at(&self, (row, column): (usize, usize)) -> Option<usize> {
        self.distance[row][column]
    }

    fn shortest(&self) -> usize {
        self.at(self.start).unwrap_or(usize::MAX)
    }
}

fn moved(rows: &[Vec<u8>], (row, column): (usize, usize), step: Move) -> Option<(usize, usize)> {
    let (dr, dc) = step.delta();
    let to = (row.checked_add_signed(dr as isize)?, column.checked_add_signed(dc as isize)?);
    (to.0 < rows.len() && to.1 < rows[0].len()).then_some(to)
}

impl Task for Toy {
    type Params = ();
    type Scene = Grid;
    const KIND: TaskKind = TaskKind::Maze;

    fn generate(_params: &(), seed: Seed) -> Result<Grid, Error> {
        let mut rng = seed.rng();
        loop {
            let mut cells: Vec<u8> = (0..9).map(|_| if rng.chance(1, 4) { b'H' } else { b'F' }).collect();
            let (start, goal) = (rng.index(9), rng.index(9));
            cells[start] = b'S';
            cells[goal] = b'G';
            let rows: Vec<String> =
                cells.chunks(3).map(|c| String::from_utf8_lossy(c).into_owned()).collect();
            match Grid::new(&rows) {
                Ok(grid) if grid.shortest() >= 2 => return Ok(grid),
                _ => {}
            }
        }
    }

    fn from_truth(truth: &Truth, _seed: Seed) -> Result<Grid, Error> {
        match truth {
            Truth::Maze(maze) => Grid::new(&maze.layout),
            Truth::Region(_) => Err(Error::Truth("not a maze".into())),
        }
    }

    fn truth(scene: &Grid) -> Truth {
        let layout: Vec<String> =
            scene.rows.iter().map(|r| String::from_utf8_lossy(r).into_owned()).collect();
        let index = |c: char| layout.concat().find(c).unwrap_or(0);
        let (start_pos, target_pos) = (index('S'), index('G'));
        Truth::Maze(MazeTruth { level: layout.len(), start_pos, target_pos, layout })
    }

    fn question(_scene: &Grid) -> String {
        "find the way".into()
    }

    fn canonical(scene: &Grid) -> Canonical {
        let text = String::from_utf8_lossy(&scene.rows.concat()).into_owned();
        Canonical { exact: text.clone(), symmetric: text.clone(), pattern: text, size: scene.rows.len() }
    }

    fn observe(scene: &Grid, _view: View) -> Image {
        let mut picture = Image::new(scene.rows[0].len() as u32, scene.rows.len() as u32);
        for (x, y, pixel) in picture.enumerate_pixels_mut() {
            pixel.0[0] = scene.rows[y as usize][x as usize];
        }
        picture
    }

    fn feedback(scene: &Grid, answer: &Answer, view: View) -> Feedback {
        let mut picture = Self::observe(scene, view);
        let mut at = scene.start;
        for step in answer.moves().unwrap_or_default() {
            at = moved(&scene.rows, at, *step).unwrap_or(at);
            picture.get_pixel_mut(at.1 as u32, at.0 as u32).0[1] = 255;
        }
        Feedback::Image(picture)
    }

    fn judge(scene: &Grid, answer: &Answer) -> Verdict {
        let moves = answer.moves().unwrap_or_default();
        let walk = |strict: bool| {
            let mut at = scene.start;
            for step in moves {
                match moved(&scene.rows, at, *step) {
                    None if strict => return false,
                    to => at = to.unwrap_or(at),
                }
                match scene.rows[at.0][at.1] {
                    b'G' => return true,
                    b'H' => return false,
                    _ => {}
                }
            }
            false
        };
        let (mut at, mut good) = (scene.start, 0);
        for step in moves {
            match moved(&scene.rows, at, *step) {
                Some(to) if scene.at(to).is_some() && scene.at(to) < scene.at(at) => {
                    (at, good) = (to, good + 1)
                }
                _ => break,
            }
        }
        let shortest = scene.shortest();
        Verdict::Path(PathVerdict {
            exact: good == shortest && moves.len() == shortest,
            strict: walk(true),
            lenient: walk(false),
            progress: good as f64 / shortest as f64,
            overshoots: good == shortest && moves.len() > shortest,
        })
    }

    fn oracle(scene: &Grid, rng: &mut Rng) -> Answer {
        let (mut at, mut path) = (scene.start, Vec::new());
        while scene.at(at) != Some(0) {
            let nearer = |m: &Move| {
                moved(&scene.rows, at, *m)
                    .is_some_and(|to| scene.at(to).is_some() && scene.at(to) < scene.at(at))
            };
            let step = *rng.choose(&Move::ALL.into_iter().filter(nearer).collect::<Vec<_>>());
            at = moved(&scene.rows, at, step).unwrap_or(at);
            path.push(step);
        }
        Answer::Moves(path)
    }

    fn mistake(scene: &Grid, rng: &mut Rng) -> Answer {
        loop {
            let answer = Self::guess(scene, rng);
            if !Self::judge(scene, &answer).correct() {
                return answer;
            }
        }
    }

    fn guess(_scene: &Grid, rng: &mut Rng) -> Answer {
        let length = rng.between(1, 4);
        Answer::Moves((0..length).map(|_| *rng.choose(&Move::ALL)).collect())
    }
}

/// An example from rows of cells.
pub fn example(id: &str, rows: &[&str]) -> Example {
    let rows: Vec<String> = rows.iter().map(|r| (*r).to_owned()).collect();
    posed(id, "toy", Grid::new(&rows).expect("a solvable toy"))
}

/// `n` examples drawn from a seed.
#[allow(dead_code)]
pub fn examples(split: &str, n: u64, seed: Seed) -> Vec<Example> {
    let draw = |i| Toy::generate(&(), seed.derive("toy", i)).expect("toys always come");
    (0..n).map(|i| posed(&format!("toy-{i:03}"), split, draw(i))).collect()
}

fn posed(id: &str, split: &str, grid: Grid) -> Example {
    let content_hash = Toy::canonical(&grid).exact;
    Example {
        id: id.into(),
        split: split.into(),
        seed: Seed(0),
        content_hash,
        problem: Arc::new(Posed::<Toy>(grid)),
    }
}
