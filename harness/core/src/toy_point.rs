//! A tiny pointing task for tests: a bright spot in a picture of one random colour. The real ones live in the
//! generators.

use std::sync::Arc;

use vrrl_harness_core::{
    Answer, Canonical, Error, Example, Feedback, Image, Posed, RegionTruth, Rng, Seed, Task, TaskKind, Truth,
    Verdict, View,
};

/// Pixels on the sides of a picture, and from a proposed point to the border of its crop.
pub const SIZE: [u32; 2] = [40, 30];
/// See [`SIZE`].
pub const REACH: u32 = 5;

/// The task.
pub struct Spot;

/// A colour and a target.
pub struct Field {
    colour: [u8; 3],
    target: [u32; 2],
}

impl Task for Spot {
    type Params = ();
    type Scene = Field;
    const KIND: TaskKind = TaskKind::Chart;

    fn generate(_params: &(), seed: Seed) -> Result<Field, Error> {
        let mut rng = seed.rng();
        let colour = [200; 3].map(|most| rng.between(1, most) as u8);
        Ok(Field { colour, target: SIZE.map(|side| rng.between(0, side - 1)) })
    }

    fn from_truth(truth: &Truth, _seed: Seed) -> Result<Field, Error> {
        match truth {
            Truth::Region(RegionTruth { point: Some([x, y]), .. }) => {
                Ok(Field { colour: [0; 3], target: [*x as u32, *y as u32] })
            }
            _ => Err(Error::Truth("not a point".into())),
        }
    }

    fn truth(scene: &Field) -> Truth {
        let point = Some(scene.target.map(f64::from));
        Truth::Region(RegionTruth { point, bounds: None, tolerance: Some(2.0), size: Some(SIZE) })
    }

    fn question(_scene: &Field) -> String {
        "find the spot".into()
    }

    fn canonical(scene: &Field) -> Canonical {
        let text = format!("{:?} {:?}", scene.colour, scene.target);
        Canonical { exact: text.clone(), symmetric: text.clone(), pattern: text, size: 1 }
    }

    fn observe(scene: &Field, _view: View) -> Image {
        let mut picture = Image::new(SIZE[0], SIZE[1]);
        picture.pixels_mut().for_each(|pixel| pixel.0 = scene.colour);
        // Wider than the mark, so that a mark on it does not hide it.
        let [x, y] = scene.target;
        for x in x.saturating_sub(1)..(x + 2).min(SIZE[0]) {
            picture.get_pixel_mut(x, y).0 = [255; 3];
        }
        picture
    }

    fn feedback(scene: &Field, answer: &Answer, view: View) -> Feedback {
        let Feedback::Image(whole) = Self::whole_feedback(scene, answer, view) else {
            return Self::whole_feedback(scene, answer, view);
        };
        let Answer::Point([x, y]) = *answer else { unreachable!("the whole feedback has refused it") };
        let (x, y) = (x as u32, y as u32);
        let (left, top) = (x.saturating_sub(REACH), y.saturating_sub(REACH));
        let (right, bottom) = ((x + REACH).min(SIZE[0]), (y + REACH).min(SIZE[1]));
        Feedback::Image(Image::from_fn(right - left, bottom - top, |i, j| {
            *whole.get_pixel(left + i, top + j)
        }))
    }

    fn whole_feedback(scene: &Field, answer: &Answer, view: View) -> Feedback {
        match *answer {
            Answer::Point([x, y])
                if (0.0..f64::from(SIZE[0])).contains(&x) && (0.0..f64::from(SIZE[1])).contains(&y) =>
            {
                let mut picture = Self::observe(scene, view);
                picture.get_pixel_mut(x as u32, y as u32).0 = [255, 0, 0];
                Feedback::Image(picture)
            }
            _ => Feedback::Text("outside".into()),
        }
    }

    fn judge(scene: &Field, answer: &Answer) -> Verdict {
        let Truth::Region(region) = Self::truth(scene) else { unreachable!("a spot is a region") };
        let Answer::Point(point) = answer else { unreachable!("charts parse points") };
        Verdict::Point(region.judge(*point))
    }

    fn oracle(scene: &Field, _rng: &mut Rng) -> Answer {
        Answer::Point(scene.target.map(f64::from))
    }

    fn mistake(scene: &Field, rng: &mut Rng) -> Answer {
        loop {
            let answer = Self::guess(scene, rng);
            if !Self::judge(scene, &answer).correct() {
                return answer;
            }
        }
    }

    fn guess(_scene: &Field, rng: &mut Rng) -> Answer {
        Answer::Point(SIZE.map(|side| f64::from(rng.between(0, side - 1))))
    }
}

/// `n` examples drawn from a seed.
pub fn examples(split: &str, n: u64, seed: Seed) -> Vec<Example> {
    let draw = |i| Spot::generate(&(), seed.derive("spot", i)).expect("spots always come");
    let posed = |i: u64| {
        let field = draw(i);
        Example {
            id: format!("spot-{i:03}"),
            split: split.into(),
            seed: Seed(i),
            content_hash: Spot::canonical(&field).exact,
            problem: Arc::new(Posed::<Spot>(field)),
        }
    };
    (0..n).map(posed).collect()
}
