//! A place in an image without the image: what recorded turns about tables and charts are judged against.

use vrrl_harness_core::{
    Answer, Canonical, Error, Feedback, Image, Problem, RegionTruth, Rng, TaskKind, Truth, Verdict, View,
};

/// Pixels on a side that a truth without `size` is taken to have.
const SIDE: u32 = 512;

/// A ground truth alone. Judging needs no more; its pictures are blank.
pub(crate) struct Place {
    kind: TaskKind,
    truth: RegionTruth,
}

impl Place {
    /// Takes a truth that decides what is right.
    pub(crate) fn new(kind: TaskKind, truth: &RegionTruth) -> Result<Self, Error> {
        truth.check()?;
        Ok(Self { kind, truth: truth.clone() })
    }

    fn size(&self) -> [u32; 2] {
        self.truth.size.unwrap_or([SIDE, SIDE])
    }
}

impl Problem for Place {
    fn kind(&self) -> TaskKind {
        self.kind
    }

    fn truth(&self) -> Truth {
        Truth::Region(self.truth.clone())
    }

    fn question(&self) -> String {
        "Point at the place that the ground truth names; its picture is not known.".into()
    }

    fn canonical(&self) -> Canonical {
        let text = serde_json::to_string(&self.truth).expect("a checked truth has finite numbers");
        let exact = format!("{} {text}", self.kind.word());
        Canonical { symmetric: exact.clone(), pattern: exact.clone(), exact, size: 0 }
    }

    fn observe(&self, _view: View) -> Image {
        // A truth is input like any other: its size must not decide how much memory is taken.
        let [width, height] = self.size().map(|side| side.min(4096));
        let mut picture = Image::new(width, height);
        picture.fill(255);
        picture
    }

    fn feedback(&self, answer: &Answer, _view: View) -> Feedback {
        Feedback::Text(format!("{} on a picture that is not known.", answer.text()))
    }

    fn judge(&self, answer: &Answer) -> Verdict {
        let point = match answer {
            Answer::Point(point) => *point,
            Answer::Moves(_) => [f64::NAN; 2],
        };
        Verdict::Point(self.truth.judge(point))
    }

    fn oracle(&self, _rng: &mut Rng) -> Answer {
        Answer::Point(self.truth.centre())
    }

    fn mistake(&self, rng: &mut Rng) -> Answer {
        // A region may fill its picture, but not twice its picture to every side.
        let [width, height] = self.size().map(f64::from);
        let far = Answer::Point([-2.0 * width, -2.0 * height]);
        (0..16).map(|_| self.guess(rng)).find(|guess| !self.judge(guess).correct()).unwrap_or(far)
    }

    fn guess(&self, rng: &mut Rng) -> Answer {
        Answer::Point(self.size().map(|side| f64::from(rng.between(0, side - 1))))
    }
}

#[cfg(test)]
mod tests {
    use vrrl_harness_core::Seed;

    use super::*;

    #[test]
    fn a_truth_alone_is_judged() {
        for text in [r#"{"point":[840,297],"tolerance":40,"size":[1200,700]}"#, r#"{"box":[1,2,30,40]}"#] {
            let truth: RegionTruth = serde_json::from_str(text).unwrap();
            let place = Place::new(TaskKind::Chart, &truth).unwrap();
            let mut rng = Seed(1).rng();
            assert!(place.judge(&place.oracle(&mut rng)).correct());
            assert!(!place.judge(&place.mistake(&mut rng)).correct());
            assert!(!place.judge(&Answer::Moves(vec![])).correct());
            assert_eq!(place.truth(), Truth::Region(truth));
        }
        let empty = RegionTruth { point: None, bounds: None, tolerance: None, size: None };
        assert!(Place::new(TaskKind::Table, &empty).is_err());
    }
}
