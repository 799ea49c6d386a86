//! Charts: bars, lines, pies and scatter plots; the question points at one mark.
//!
//! A chart is drawn in three steps: what it says ([`content`]) and how it looks ([`style`]) in integers, from
//! separate streams of the seed; where everything stands ([`plan`], by one file for each family); the pixels.
//! Bars and pies are hit inside a box, dots and lines within a tolerance.

mod axis;
mod bar;
mod content;
mod dots;
mod layout;
mod line;
mod params;
mod pie;
mod plan;
mod scatter;
mod small;
mod spare;
mod style;
#[cfg(test)]
mod tests;
mod words;

use vrrl_harness_core::{
    Answer, Canonical, Error, Feedback, Image, RegionTruth, Rng, Seed, Task, TaskKind, Truth, Verdict, View,
};

pub use self::params::{ChartParams, Family as ChartFamily, Layout as ChartLayout, Legend, Numbers, Query};
pub use self::words::Domain as LabelDomain;

use self::content::Content;
use self::plan::{Kind, Plan};
use self::style::Style;
use crate::bench::Calls;
use crate::canvas::{Bounds, Rgb};
use crate::point;

/// The chart task: answer with a pixel on the bar or the slice, or near the dot or the point of a line, that is
/// asked for (`vrrl` section 2 of the specification; groups, horizontal bars, lines and pies are further families).
///
/// The small canvas ([`View::Canvas`]) is a drawing of its own where params say `small` (families `bar`,
/// `horizontal` and `scatter`, 2 to 4 bars or 2 to 5 dots): 64 × 64 pixels with letters of three by five, the same
/// drawing as the crisp picture of 256 × 256, in whose pixels answers are given. Else it is the crisp picture shrunk
/// into 64 × 64, on which bars and dots can be seen and nothing can be read.
pub struct Chart;

/// One chart with everything in its place.
#[derive(Debug)]
pub struct ChartScene {
    content: Content,
    plan: Plan,
    region: RegionTruth,
    /// The 64×64 form of a small chart.
    canvas: Option<Plan>,
}

impl ChartScene {
    /// The kind of chart that was drawn.
    #[must_use]
    pub fn family(&self) -> ChartFamily {
        self.content.family
    }

    /// What is asked for.
    #[must_use]
    pub fn query(&self) -> Query {
        self.content.query
    }

    /// Everything that stands in the picture, in the order it is drawn.
    pub(crate) fn boxes(&self) -> impl Iterator<Item = (Kind, Bounds)> + '_ {
        self.plan.items.iter().map(|item| (item.kind, item.bounds))
    }

    /// The marks that could be meant, without the target.
    fn others(&self) -> Vec<Bounds> {
        let target = self.content.target();
        let mark =
            |kind: Kind| matches!(kind, Kind::Bar(..) | Kind::Point(..) | Kind::Dot(_) | Kind::Slice(_));
        self.boxes().filter(|&(kind, _)| mark(kind) && kind != target).map(|(_, bounds)| bounds).collect()
    }

    fn size(&self) -> [u32; 2] {
        [self.plan.width as u32, self.plan.height as u32]
    }

    fn paper(&self) -> Rgb {
        self.plan.paper
    }

    fn crisp(&self) -> Image {
        self.plan.draw().into_image()
    }

    /// What the crisp picture is drawn from.
    pub(crate) fn calls(&self) -> Calls {
        self.plan.calls()
    }

    fn small(&self) -> point::Canvas {
        match &self.canvas {
            Some(plan) => point::Canvas::drawn(plan.draw().into_image(), self.size()[0]),
            None => point::Canvas::shrunk(&self.crisp(), self.paper()),
        }
    }
}

impl Task for Chart {
    type Params = ChartParams;
    type Scene = ChartScene;

    const KIND: TaskKind = TaskKind::Chart;

    fn generate(params: &ChartParams, seed: Seed) -> Result<ChartScene, Error> {
        params.validate()?;
        let content = content::draw(params, seed)?;
        let style = Style::draw(params, seed);
        let (plan, canvas) = if params.small {
            let (plan, canvas) = small::lay(params, &content, &style)?;
            (plan, Some(canvas))
        } else {
            (layout::lay(params, &content, &style)?, None)
        };
        let target = content.target();
        let bounds = plan.find(target).expect("every mark of the content is laid out");
        let size = [plan.width as u32, plan.height as u32];
        let region = match target {
            Kind::Dot(_) | Kind::Point(..) => point::near(bounds, params.tolerance, size),
            _ => point::inside(bounds, size),
        };
        Ok(ChartScene { content, plan, region, canvas })
    }

    fn from_truth(_: &Truth, _: Seed) -> Result<ChartScene, Error> {
        Err(Error::Truth("a place in an image does not say how to draw the image".into()))
    }

    fn truth(scene: &ChartScene) -> Truth {
        point::truth(&scene.region)
    }

    fn question(scene: &ChartScene) -> String {
        scene.content.question()
    }

    fn texts(scene: &ChartScene) -> Vec<(String, Vec<[f64; 2]>)> {
        scene.canvas.as_ref().map(small::texts).unwrap_or_default()
    }

    fn canonical(scene: &ChartScene) -> Canonical {
        scene.content.canonical()
    }

    fn observe(scene: &ChartScene, view: View) -> Image {
        match view {
            View::Crisp => scene.crisp(),
            View::Canvas => scene.small().image,
        }
    }

    fn feedback(scene: &ChartScene, answer: &Answer, view: View) -> Feedback {
        let at = point::point(answer);
        match (view, point::outside(scene.size(), at)) {
            // Words need no picture.
            (_, Some(words)) => Feedback::Text(words),
            (View::Crisp, None) => {
                point::crop_of(scene.size(), at, |part| scene.plan.part(part).into_image())
            }
            (View::Canvas, None) => scene.small().feedback(scene.size(), at),
        }
    }

    fn whole_feedback(scene: &ChartScene, answer: &Answer, view: View) -> Feedback {
        let at = point::point(answer);
        match (view, point::outside(scene.size(), at)) {
            (_, Some(words)) => Feedback::Text(words),
            (View::Crisp, None) => point::whole(scene.crisp(), at),
            (View::Canvas, None) => scene.small().feedback(scene.size(), at),
        }
    }

    fn judge(scene: &ChartScene, answer: &Answer) -> Verdict {
        point::judge(&scene.region, answer)
    }

    fn oracle(scene: &ChartScene, _: &mut Rng) -> Answer {
        point::oracle(&scene.region)
    }

    fn mistake(scene: &ChartScene, rng: &mut Rng) -> Answer {
        point::mistake(&scene.region, &scene.others(), rng)
    }

    fn guess(scene: &ChartScene, rng: &mut Rng) -> Answer {
        point::guess(&scene.region, rng)
    }
}
