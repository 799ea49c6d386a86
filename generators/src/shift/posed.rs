//! A problem seen through operations on its pictures.
//!
//! What is pointed at goes where its pixels go: truth, judge and answers speak of the picture that is seen.
//! Feedback on points is cut from the processed picture and marked afterwards; a path through a maze is drawn
//! first and processed with the maze.

use std::sync::Arc;

use vrrl_harness_core::{
    Answer, Canonical, Feedback, FeedbackMode, Image, Problem, RegionTruth, Rng, Seed, TaskKind, Truth,
    Verdict, View,
};

use super::op::Op;
use super::pixels::{Chain, Map};
use crate::canvas::Bounds;
use crate::point;

/// What operations need to know of a problem beside its pictures.
pub(crate) struct Needs {
    /// Whether its canvas picture is drawn at 64 × 64 in its own right, for a crisp one four times as large.
    pub small: bool,
    /// Boxes on the crisp picture without which the question has no answer.
    pub spare: Vec<Bounds>,
}

/// Crisp pixels to one of the canvas: of mazes, and of tables and charts drawn for it.
const MAZE_ZOOM: u32 = 8;
const POINT_ZOOM: u32 = 4;

/// The problem with `ops` on all of its pictures; the problem itself where there are none.
pub(crate) fn processed(inner: Arc<dyn Problem>, ops: Vec<Op>, needs: Needs, seed: Seed) -> Arc<dyn Problem> {
    if ops.is_empty() {
        return inner;
    }
    let mut processed = Processed { inner, ops, needs, seed, path: Map::SAME, region: None };
    if let Truth::Region(region) = processed.inner.truth() {
        let size = region.size.unwrap_or_else(|| {
            let picture = processed.inner.observe(View::Crisp);
            [picture.width(), picture.height()]
        });
        let (path, size) = processed.chain(View::Crisp).path(size);
        processed.region = Some(path.region(&region, size));
        processed.path = path;
    }
    Arc::new(processed)
}

struct Processed {
    inner: Arc<dyn Problem>,
    ops: Vec<Op>,
    needs: Needs,
    seed: Seed,
    /// Where crisp pixels go.
    path: Map,
    /// The truth where the answer is a point, on the processed picture.
    region: Option<RegionTruth>,
}

impl Processed {
    fn chain(&self, view: View) -> Chain<'_> {
        let maze = self.inner.kind() == TaskKind::Maze;
        let zoom = match view {
            View::Crisp => 1,
            View::Canvas if maze => MAZE_ZOOM,
            View::Canvas => POINT_ZOOM,
        };
        // The canvas has one size; a crisp picture that stands for it keeps its own, too.
        let fixed = self.needs.small || view == View::Canvas;
        Chain { ops: &self.ops, seed: self.seed, zoom, fixed }
    }

    fn crisp(&self) -> Image {
        self.chain(View::Crisp).run(self.inner.observe(View::Crisp), &self.needs.spare)
    }

    /// The canvas of a problem whose answer is a point.
    fn canvas(&self) -> point::Canvas {
        if self.needs.small {
            let reduced = |b: &Bounds| {
                let zoom = POINT_ZOOM as i32;
                let up = |v: i32| (v + zoom - 1).div_euclid(zoom);
                Bounds { x0: b.x0.div_euclid(zoom), y0: b.y0.div_euclid(zoom), x1: up(b.x1), y1: up(b.y1) }
            };
            let spare: Vec<Bounds> = self.needs.spare.iter().map(reduced).collect();
            let image = self.inner.observe(View::Canvas);
            let side = image.width() * POINT_ZOOM;
            return point::Canvas::drawn(self.chain(View::Canvas).run(image, &spare), side);
        }
        let picture = self.crisp();
        point::Canvas::shrunk(&picture, picture.get_pixel(0, 0).0)
    }

    fn shown(&self, answer: &Answer, view: View, mode: FeedbackMode) -> Feedback {
        let Some(region) = &self.region else {
            let drawn = match mode {
                FeedbackMode::Crop => self.inner.feedback(answer, view),
                FeedbackMode::Whole => self.inner.whole_feedback(answer, view),
            };
            return match drawn {
                Feedback::Image(image) => Feedback::Image(self.chain(view).run(image, &self.needs.spare)),
                text => text,
            };
        };
        let at = point::point(answer);
        // Words need no picture.
        if let Some(words) = region.size.and_then(|size| point::outside(size, at)) {
            return Feedback::Text(words);
        }
        match (view, mode) {
            (View::Crisp, FeedbackMode::Crop) => point::crop(&self.crisp(), at),
            (View::Crisp, FeedbackMode::Whole) => point::whole(self.crisp(), at),
            (View::Canvas, _) => self.canvas().feedback(region.size.unwrap_or([1, 1]), at),
        }
    }
}

impl Problem for Processed {
    fn kind(&self) -> TaskKind {
        self.inner.kind()
    }
    fn truth(&self) -> Truth {
        self.region.as_ref().map_or_else(|| self.inner.truth(), |region| Truth::Region(region.clone()))
    }
    fn question(&self) -> String {
        self.inner.question()
    }
    fn canonical(&self) -> Canonical {
        self.inner.canonical()
    }
    fn observe(&self, view: View) -> Image {
        match view {
            View::Crisp => self.crisp(),
            View::Canvas if self.region.is_some() => self.canvas().image,
            View::Canvas => self.chain(view).run(self.inner.observe(view), &[]),
        }
    }
    fn feedback(&self, answer: &Answer, view: View) -> Feedback {
        self.shown(answer, view, FeedbackMode::Crop)
    }
    fn whole_feedback(&self, answer: &Answer, view: View) -> Feedback {
        self.shown(answer, view, FeedbackMode::Whole)
    }
    fn judge(&self, answer: &Answer) -> Verdict {
        match &self.region {
            Some(region) => point::judge(region, answer),
            None => self.inner.judge(answer),
        }
    }
    fn oracle(&self, rng: &mut Rng) -> Answer {
        match &self.region {
            Some(region) if self.path != Map::SAME => point::oracle(region),
            _ => self.inner.oracle(rng),
        }
    }
    fn mistake(&self, rng: &mut Rng) -> Answer {
        let Some(region) = self.region.as_ref().filter(|_| self.path != Map::SAME) else {
            return self.inner.mistake(rng);
        };
        // Distances shrink in a view from aside: what was wrong may have become right.
        for _ in 0..8 {
            let Answer::Point(there) = self.inner.mistake(rng) else { continue };
            let answer = Answer::Point(self.path.pixel(there));
            if !point::judge(region, &answer).correct() {
                return answer;
            }
        }
        point::mistake(region, &[], rng)
    }
    fn guess(&self, rng: &mut Rng) -> Answer {
        match &self.region {
            Some(region) => point::guess(region, rng),
            None => self.inner.guess(rng),
        }
    }
}
