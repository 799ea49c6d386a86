//! A place in an image whose picture comes from elsewhere: what an imported table or chart is.

use std::sync::Arc;

use vrrl_harness_core::{
    Answer, Canonical, Error, Feedback, Image, Problem, RegionTruth, Rng, TaskKind, Truth, Verdict, View,
};

use crate::point::{self, Canvas};

/// Where the picture comes from: called whenever it is needed, so that many such problems take little memory.
pub type LoadPicture = dyn Fn() -> Image + Send + Sync;

/// Truth, question and picture, without the scene they were drawn from.
struct Pictured {
    kind: TaskKind,
    truth: RegionTruth,
    question: String,
    content_hash: String,
    load: Arc<LoadPicture>,
}

/// A problem about a given picture. Its canonical forms are all `content_hash`: what was drawn is not known, so its
/// structure cannot be compared. Mistakes are blind guesses.
///
/// # Errors
/// [`Error::Truth`] for a maze, or a truth that decides nothing.
pub fn pose_picture(
    kind: TaskKind,
    truth: &Truth,
    question: &str,
    content_hash: &str,
    load: Arc<LoadPicture>,
) -> Result<Arc<dyn Problem>, Error> {
    let (TaskKind::Table | TaskKind::Chart, Truth::Region(truth)) = (kind, truth) else {
        return Err(Error::Truth(format!("no place in a picture of a {}", kind.word())));
    };
    truth.check()?;
    let (truth, question, content_hash) = (truth.clone(), question.into(), content_hash.into());
    Ok(Arc::new(Pictured { kind, truth, question, content_hash, load }))
}

impl Problem for Pictured {
    fn kind(&self) -> TaskKind {
        self.kind
    }

    fn truth(&self) -> Truth {
        point::truth(&self.truth)
    }

    fn question(&self) -> String {
        self.question.clone()
    }

    fn canonical(&self) -> Canonical {
        let form = format!("sha256 {}", self.content_hash);
        Canonical { exact: form.clone(), symmetric: form.clone(), pattern: form, size: 0 }
    }

    fn observe(&self, view: View) -> Image {
        let picture = (self.load)();
        match view {
            View::Crisp => picture,
            View::Canvas => Canvas::shrunk(&picture, [255; 3]).image,
        }
    }

    fn feedback(&self, answer: &Answer, view: View) -> Feedback {
        let (picture, at) = ((self.load)(), point::point(answer));
        match view {
            View::Crisp => point::crop(&picture, at),
            View::Canvas => {
                let size = [picture.width(), picture.height()];
                Canvas::shrunk(&picture, [255; 3]).feedback(size, at)
            }
        }
    }

    fn whole_feedback(&self, answer: &Answer, view: View) -> Feedback {
        match view {
            View::Crisp => point::whole((self.load)(), point::point(answer)),
            View::Canvas => self.feedback(answer, view),
        }
    }

    fn judge(&self, answer: &Answer) -> Verdict {
        point::judge(&self.truth, answer)
    }

    fn oracle(&self, _rng: &mut Rng) -> Answer {
        point::oracle(&self.truth)
    }

    fn mistake(&self, rng: &mut Rng) -> Answer {
        point::mistake(&self.truth, &[], rng)
    }

    fn guess(&self, rng: &mut Rng) -> Answer {
        point::guess(&self.truth, rng)
    }
}

#[cfg(test)]
mod tests {
    use vrrl_harness_core::{MazeTruth, Seed};

    use super::*;

    #[test]
    fn a_given_picture_is_shown_marked_and_judged() {
        let truth: Truth =
            serde_json::from_str(r#"{"point":[240,100],"tolerance":40,"size":[300,200]}"#).unwrap();
        let load = Arc::new(|| Image::from_pixel(300, 200, image::Rgb([9, 8, 7])));
        let problem = pose_picture(TaskKind::Table, &truth, "Where?", "abc", load.clone()).unwrap();
        let mut rng = Seed(3).rng();
        assert!(problem.judge(&problem.oracle(&mut rng)).correct());
        assert!(!problem.judge(&problem.mistake(&mut rng)).correct());
        assert_eq!((problem.question().as_str(), problem.truth()), ("Where?", truth));
        assert_eq!(problem.observe(View::Crisp).dimensions(), (300, 200));
        assert_eq!(problem.observe(View::Canvas).dimensions(), (64, 64));
        let size = |feedback| match feedback {
            Feedback::Image(image) => Some(image.dimensions()),
            Feedback::Text(_) => None,
        };
        let at = Answer::Point([240.0, 100.0]);
        assert_eq!(size(problem.feedback(&at, View::Crisp)), Some((160, 200)));
        assert_eq!(size(problem.whole_feedback(&at, View::Crisp)), Some((300, 200)));
        assert_eq!(size(problem.feedback(&at, View::Canvas)), Some((64, 64)));
        for point in [[300.0, 5.0], [f64::NAN, 1.0], [1e300, -1e300]] {
            assert_eq!(size(problem.feedback(&Answer::Point(point), View::Crisp)), None);
        }
        assert!(pose_picture(TaskKind::Maze, &problem.truth(), "", "", load.clone()).is_err());
        let maze = MazeTruth { layout: vec!["SG".into()], start_pos: 0, target_pos: 1, level: 1 };
        assert!(pose_picture(TaskKind::Table, &Truth::Maze(maze), "", "", load).is_err());
    }
}
