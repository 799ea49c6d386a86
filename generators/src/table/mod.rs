//! Pointing at headers and cells of tables as papers have them.
//!
//! Headers are rich: of 15,000 tables as the paper trains on, no two share the whole header of their columns, 69 of
//! the 112 million pairs its lowest row (metrics that repeat below data sets, as a rule), 7 pairs all row headers. A
//! test holds it.

mod content;
mod generate;
mod layout;
mod page;
mod params;
mod place;
mod prose;
mod render;
mod sheet;
mod small;
mod style;
#[cfg(test)]
mod tests;
mod values;

use vrrl_harness_core::{
    Answer, Canonical, Error, Feedback, Image, Rng, Seed, Task, TaskKind, Truth, Verdict, View,
};

pub use generate::TableScene;
pub use params::{CaptionPlace, HeaderPlace, Layout, Numbers, Query, Rules, Structure, TableParams};

pub(crate) use render::calls;
pub use sheet::Kind as Part;

use crate::point;

/// The table task: answer with a pixel near the header or the cell that is asked for (`vrrl` section 2 of the
/// specification).
///
/// The small canvas ([`View::Canvas`]) is a drawing of its own where params say `small`; else it is the crisp
/// picture shrunk into 64 × 64, on which nobody can read.
pub struct Table;

impl Task for Table {
    type Params = TableParams;
    type Scene = TableScene;

    const KIND: TaskKind = TaskKind::Table;

    fn generate(params: &TableParams, seed: Seed) -> Result<TableScene, Error> {
        generate::generate(params, seed)
    }

    fn from_truth(_: &Truth, _: Seed) -> Result<TableScene, Error> {
        Err(Error::Truth("a place in an image does not say which table stands around it".into()))
    }

    fn truth(scene: &TableScene) -> Truth {
        point::truth(&scene.region)
    }

    fn question(scene: &TableScene) -> String {
        scene.question()
    }

    fn texts(scene: &TableScene) -> Vec<(String, Vec<[f64; 2]>)> {
        scene.small.as_ref().map(small::Small::texts).unwrap_or_default()
    }

    fn canonical(scene: &TableScene) -> Canonical {
        scene.canonical()
    }

    fn observe(scene: &TableScene, view: View) -> Image {
        match (&scene.small, view) {
            (Some(small), View::Crisp) => small.crisp(&scene.look),
            (None, View::Crisp) => render::draw(&scene.sheet, render::whole(scene.size), &scene.look),
            (_, View::Canvas) => canvas(scene).image,
        }
    }

    fn feedback(scene: &TableScene, answer: &Answer, view: View) -> Feedback {
        let at = point::point(answer);
        match (&scene.small, view) {
            (None, View::Crisp) => {
                point::crop_of(scene.size, at, |part| render::draw(&scene.sheet, part, &scene.look))
            }
            (Some(small), View::Crisp) => point::crop(&small.crisp(&scene.look), at),
            (_, View::Canvas) => canvas(scene).feedback(scene.size, at),
        }
    }

    fn whole_feedback(scene: &TableScene, answer: &Answer, view: View) -> Feedback {
        let at = point::point(answer);
        match (view, point::outside(scene.size, at)) {
            (_, Some(words)) => Feedback::Text(words),
            (View::Crisp, None) => point::whole(Table::observe(scene, View::Crisp), at),
            (View::Canvas, None) => canvas(scene).feedback(scene.size, at),
        }
    }

    fn judge(scene: &TableScene, answer: &Answer) -> Verdict {
        point::judge(&scene.region, answer)
    }

    fn oracle(scene: &TableScene, _: &mut Rng) -> Answer {
        point::oracle(&scene.region)
    }

    fn mistake(scene: &TableScene, rng: &mut Rng) -> Answer {
        scene.mistake(rng)
    }

    fn guess(scene: &TableScene, rng: &mut Rng) -> Answer {
        point::guess(&scene.region, rng)
    }
}

fn canvas(scene: &TableScene) -> point::Canvas {
    match &scene.small {
        Some(small) => point::Canvas::drawn(small.canvas(&scene.look), scene.size[0]),
        None => {
            let crisp = Table::observe(scene, View::Crisp);
            point::Canvas::shrunk(&crisp, scene.look.paper())
        }
    }
}
