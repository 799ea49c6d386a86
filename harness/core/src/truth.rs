//! Ground truth as it stands in files (`truth` of a trace or a metadata row).

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Error, PointVerdict};

/// What decides whether an answer is right.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Truth {
    /// A maze.
    Maze(MazeTruth),
    /// A place in an image.
    Region(RegionTruth),
}

/// A maze: rows of `S`, `F`, `H`, `G`, and row-major cell indices.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MazeTruth {
    /// Rows of cells; read from `["SF", "HG"]` and from `[["S", "F"], ["H", "G"]]`.
    #[serde(deserialize_with = "rows")]
    pub layout: Vec<String>,
    /// Start cell.
    pub start_pos: usize,
    /// Goal cell.
    pub target_pos: usize,
    /// Cells on a side.
    pub level: usize,
}

/// A place in an image, in pixels of the original: a point with a tolerance, or a box.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RegionTruth {
    /// The point to hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<[f64; 2]>,
    /// The box to hit, `[x0, y0, x1, y1]`, borders included.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub bounds: Option<[f64; 4]>,
    /// Largest distance that counts as a hit; wins over the reward's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// Width and height of the original image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<[u32; 2]>,
}

/// Distance of what is no number, and of a point so far away that means of distances would not stay finite.
const FARTHEST: f64 = 1e300;

impl RegionTruth {
    /// Largest distance in pixels that counts as a hit where neither truth nor reward names one.
    pub const TOLERANCE: f64 = 40.0;

    /// Checks that this says what is right: a point or a box, of finite numbers.
    ///
    /// # Errors
    /// [`Error::Truth`] naming the key.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |reason: String| Err(Error::Truth(reason));
        let finite = |numbers: &[f64]| numbers.iter().all(|x| x.is_finite());
        match (self.point, self.bounds) {
            (None, None) => return refuse("neither point nor box; give one of them".into()),
            (Some(_), Some(_)) => return refuse("point and box; keep the one that decides".into()),
            (Some(point), None) if !finite(&point) => {
                return refuse(format!("point is {point:?}; give two numbers"));
            }
            (None, Some([x0, y0, x1, y1])) if !(finite(&[x0, y0, x1, y1]) && x0 <= x1 && y0 <= y1) => {
                let wanted = "give x0, y0, x1, y1 with x0 at most x1 and y0 at most y1";
                return refuse(format!("box is [{x0}, {y0}, {x1}, {y1}]; {wanted}"));
            }
            _ => {}
        }
        match (self.tolerance, self.size) {
            (Some(pixels), _) if !(pixels.is_finite() && pixels >= 0.0) => {
                refuse(format!("tolerance is {pixels}; give 0 pixels or more"))
            }
            (_, Some([w, h])) if w == 0 || h == 0 => {
                refuse(format!("size is [{w}, {h}]; give 1 pixel or more"))
            }
            _ => Ok(()),
        }
    }

    /// Judges a point: within the tolerance of the truth's point, or in its box or on the border. What is no
    /// number is as far away as can be.
    #[must_use]
    pub fn judge(&self, [x, y]: [f64; 2]) -> PointVerdict {
        let outside = |value: f64, low: f64, high: f64| (low - value).max(value - high).max(0.0);
        let away = match (self.bounds, self.point) {
            (Some([x0, y0, x1, y1]), _) => outside(x, x0, x1).hypot(outside(y, y0, y1)),
            (None, Some([px, py])) => (x - px).hypot(y - py),
            (None, None) => FARTHEST,
        };
        // `max` above takes the number where the other side is none, so ask again.
        let distance = if x.is_nan() || y.is_nan() || away.is_nan() { FARTHEST } else { away.min(FARTHEST) };
        let most = if self.bounds.is_some() { 0.0 } else { self.tolerance.unwrap_or(Self::TOLERANCE) };
        PointVerdict { correct: distance <= most && distance < FARTHEST, distance }
    }

    /// A pixel that is right: the point, or the middle of the box.
    #[must_use]
    pub fn centre(&self) -> [f64; 2] {
        match (self.point, self.bounds) {
            (Some(point), _) => point,
            (None, Some([x0, y0, x1, y1])) => [(x0 + x1) / 2.0, (y0 + y1) / 2.0],
            (None, None) => [0.0, 0.0],
        }
    }
}

fn rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Row {
        Joined(String),
        Cells(Vec<String>),
    }
    let rows = Vec::<Row>::deserialize(deserializer)?;
    Ok(rows
        .into_iter()
        .map(|row| match row {
            Row::Joined(text) => text,
            Row::Cells(cells) => cells.concat(),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(text: &str) -> RegionTruth {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn points_have_a_tolerance_and_boxes_a_border() {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        for (truth, point, correct, distance) in [
            (r#"{"point":[100,100],"tolerance":40}"#, [124.0, 132.0], true, 40.0),
            (r#"{"point":[100,100],"tolerance":40}"#, [124.0, 132.1], false, 24.0_f64.hypot(32.1)),
            (r#"{"point":[100,100],"tolerance":5}"#, [106.0, 100.0], false, 6.0),
            (r#"{"point":[100,100]}"#, [100.0, 60.0], true, 40.0),
            (r#"{"box":[10,20,30,40]}"#, [10.0, 40.0], true, 0.0),
            (r#"{"box":[10,20,30,40],"tolerance":40}"#, [33.0, 44.0], false, 5.0),
            (r#"{"box":[10,20,30,40]}"#, [20.0, 15.5], false, 4.5),
            (r#"{"box":[10,20,10,20]}"#, [10.0, 20.0], true, 0.0),
            (r#"{"point":[100,100]}"#, [1e300, -1e300], false, FARTHEST),
            (r#"{"point":[0,0]}"#, [3e12, -4e12], false, 5e12),
            (r#"{"point":[1e300,0]}"#, [-1e308, 1e308], false, FARTHEST),
            (r#"{"point":[100,100]}"#, [f64::NAN, 100.0], false, FARTHEST),
            (r#"{"box":[0,0,9,9]}"#, [f64::NAN, 5.0], false, FARTHEST),
            (r#"{"box":[0,0,9,9]}"#, [5.0, f64::NEG_INFINITY], false, FARTHEST),
        ] {
            let truth = region(truth);
            truth.check().unwrap();
            let verdict = truth.judge(point);
            assert!(
                verdict.correct == correct && close(verdict.distance, distance),
                "{truth:?} {point:?}: {verdict:?}"
            );
        }
    }

    #[test]
    fn the_centre_is_right() {
        for text in [r#"{"point":[3,4],"tolerance":0}"#, r#"{"box":[1,2,8,9]}"#] {
            assert!(region(text).judge(region(text).centre()).correct);
        }
    }

    #[test]
    fn truths_that_decide_nothing_are_refused_by_key() {
        for (text, word) in [
            ("{}", "neither point nor box"),
            (r#"{"point":[1,2],"box":[1,2,3,4]}"#, "keep the one"),
            (r#"{"box":[5,2,3,4]}"#, "box is"),
            (r#"{"point":[1,2],"tolerance":-1}"#, "tolerance is -1"),
            (r#"{"point":[1,2],"size":[0,5]}"#, "size is"),
        ] {
            let error = region(text).check().unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
