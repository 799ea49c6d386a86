//! Shortest path through a frozen lake.

mod feedback;
mod generate;
mod judge;
mod render;
mod solve;
mod space;
#[cfg(test)]
mod tests;
mod theme;

use vrrl_harness_core::{
    Answer, Canonical, Error, Feedback, Image, Rng, Seed, Task, TaskKind, Truth, Verdict, View,
};

pub use generate::{MazeParams, MazeScene};
pub(crate) use space::every;
pub use theme::Theme;

/// The maze task: answer with a shortest path from start to goal (`vrrl` section 2 of the specification).
pub struct Maze;

impl Task for Maze {
    type Params = MazeParams;
    type Scene = MazeScene;

    const KIND: TaskKind = TaskKind::Maze;

    fn generate(params: &MazeParams, seed: Seed) -> Result<MazeScene, Error> {
        generate::generate(params, seed)
    }

    fn from_truth(truth: &Truth, seed: Seed) -> Result<MazeScene, Error> {
        match truth {
            Truth::Maze(truth) => generate::from_truth(truth, seed),
            Truth::Region(_) => {
                Err(Error::Truth("a maze needs a layout, this is a place in an image".into()))
            }
        }
    }

    fn truth(scene: &MazeScene) -> Truth {
        Truth::Maze(generate::truth(scene))
    }

    fn question(_: &MazeScene) -> String {
        "Which moves (up, down, left, right) lead from the figure to the gift on a shortest path that stays on \
         the board and off the holes?"
            .into()
    }

    fn canonical(scene: &MazeScene) -> Canonical {
        generate::canonical(scene)
    }

    fn observe(scene: &MazeScene, view: View) -> Image {
        match view {
            View::Crisp => render::crisp(scene),
            View::Canvas => render::canvas(scene),
        }
    }

    fn feedback(scene: &MazeScene, answer: &Answer, view: View) -> Feedback {
        match answer {
            Answer::Moves(moves) => Feedback::Image(feedback::draw(scene, moves, view)),
            Answer::Point(_) => Feedback::Text("A maze is answered with moves, not with a point.".into()),
        }
    }

    fn judge(scene: &MazeScene, answer: &Answer) -> Verdict {
        Verdict::Path(judge::judge(scene, judge::moves(answer)))
    }

    fn oracle(scene: &MazeScene, rng: &mut Rng) -> Answer {
        Answer::Moves(judge::oracle(scene, rng))
    }

    fn mistake(scene: &MazeScene, rng: &mut Rng) -> Answer {
        Answer::Moves(judge::mistake(scene, rng))
    }

    fn guess(scene: &MazeScene, rng: &mut Rng) -> Answer {
        Answer::Moves(judge::guess(scene, rng))
    }
}
