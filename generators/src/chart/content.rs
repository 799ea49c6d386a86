//! What a chart says: words, values and the question, in integers, before anything has a place in a picture.
//!
//! Everything is drawn from streams of its own, so that a parameter which adds or redresses something leaves
//! the rest as it was.

use vrrl_harness_core::{Canonical, Error, Rng, Seed};

use super::params::{ChartParams, Family, Layout, Query};
use super::plan::Kind;
use super::words::{self, Heading};
use super::{scatter, small};

/// Least distance of the highest and the lowest value to all others, in units of the value axis. The axis
/// spans at most 100 units over at least six tenths of the height: 3 are more than 5 pixels in the smallest
/// picture, 9 in the paper's.
pub(crate) const MARGIN: u32 = 3;
/// Least distance of two lines over one category.
const APART: u32 = 5;
/// Least and most weight of a slice, and how much larger than any other the largest one is (and the smallest
/// one smaller), in percent.
const WEIGHTS: [u32; 2] = [30, 100];
const RATIO: u32 = 125;

/// A dot of a scatter plot: integer coordinates, and the side its letter stands on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Dot {
    pub x: i32,
    pub y: i32,
    pub side: Side,
}

/// Where a letter stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Right,
    Left,
    Above,
    Below,
}

impl Side {
    /// On the picture, where a mirrored axis turns right into left.
    pub(crate) fn seen(self, layout: Layout) -> Self {
        match (self, layout) {
            (Self::Right, Layout::Mirrored) => Self::Left,
            (Self::Left, Layout::Mirrored) => Self::Right,
            (side, _) => side,
        }
    }
}

/// What a chart says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Content {
    pub family: Family,
    pub query: Query,
    pub title: String,
    /// Names of the value axis and of the category axis (scatter plots: of the vertical and the horizontal).
    pub along: String,
    pub across: String,
    /// Unit of the value axis; may be empty.
    pub unit: &'static str,
    /// Category labels in the order of the axis; letters of dots.
    pub labels: Vec<String>,
    /// Names of series; empty where there is one without a name.
    pub series: Vec<String>,
    /// Values, per series and label (pies: weights of slices).
    pub values: Vec<Vec<u32>>,
    /// Dots, in the order of their letters.
    pub dots: Vec<Dot>,
    /// Both ends of the horizontal and of the vertical axis of a scatter plot.
    pub crop: [[i32; 2]; 2],
    /// Series and label that the question is about.
    pub target: [usize; 2],
}

/// Draws what a chart says.
pub(crate) fn draw(params: &ChartParams, seed: Seed) -> Result<Content, Error> {
    let stream = |label: &str| seed.derive(label, 0).rng();
    let mut more = seed.derive("chart extra", 0).derive("again", params.again).rng();
    let family = *stream("chart family").choose(&params.family);
    let [low, high] = params.marks(family);
    let count = stream("chart count").between(low, high);
    let extra = params.added(count) as usize;
    let mut asking = stream("chart query");
    let query = match family {
        Family::Scatter => Query::Named,
        _ => *asking.choose(&params.query),
    };
    let mut wording = stream("chart words");
    if family == Family::Scatter {
        let heading = words::measured(&mut wording);
        let labels = words::letters(params.small, count as usize, &mut wording, extra, &mut more);
        let (dots, crop) = scatter::place(params, [count as usize, extra], seed, &mut more)?;
        let target = [0, asking.index(count as usize)];
        let Heading { title, along, unit, across } = heading;
        let (series, values) = (Vec::new(), Vec::new());
        return Ok(Content {
            family,
            query,
            title,
            along,
            across,
            unit,
            labels,
            series,
            values,
            dots,
            crop,
            target,
        });
    }
    let (heading, labels, places, held_out) = if params.small {
        let (heading, names, places) = words::small(count as usize, &mut wording, extra, &mut more);
        let labels = if params.tiled {
            words::letters(true, count as usize, &mut wording, 0, &mut more)
        } else {
            names
        };
        (heading, labels, places, false)
    } else {
        let fitting: Vec<_> =
            params.labels.iter().copied().filter(|&domain| params.fits(family, domain, count)).collect();
        let domain = *wording.choose(&fitting);
        let (labels, places) = domain.draw(count as usize, &mut wording, extra, &mut more);
        (words::counted(domain, &mut wording), labels, places, domain.held_out())
    };
    let many = stream("chart series").between(params.series[0], params.series[1]) as usize;
    let mut naming = stream("chart series names");
    let series = if family.has_series() { words::series(many, held_out, &mut naming) } else { Vec::new() };
    let mut values: Vec<Vec<u32>> = Vec::new();
    for s in 0..series.len().max(1) {
        let base = seed.derive("chart values", s as u64).rng();
        let [low, high] = params.values;
        let (range, margin) =
            if params.small { ([low.max(small::LEAST), high], small::MARGIN) } else { ([low, high], MARGIN) };
        let row = Row { family, range, margin, places: &places, earlier: &values };
        values.push(row.draw(labels.len(), base, &mut more));
    }
    let s = asking.index(values.len());
    let label = match query {
        Query::Named => places[asking.index(places.len())],
        Query::Highest => extreme(&values[s], false),
        Query::Lowest => extreme(&values[s], true),
    };
    let Heading { title, along, unit, across } = heading;
    let (dots, crop) = (Vec::new(), [[0; 2]; 2]);
    Ok(Content {
        family,
        query,
        title,
        along,
        across,
        unit,
        labels,
        series,
        values,
        dots,
        crop,
        target: [s, label],
    })
}

fn extreme(values: &[u32], lowest: bool) -> usize {
    let indices = 0..values.len();
    let found = if lowest { indices.min_by_key(|&i| values[i]) } else { indices.max_by_key(|&i| values[i]) };
    found.expect("charts have marks")
}

/// One series under construction.
struct Row<'a> {
    family: Family,
    range: [u32; 2],
    margin: u32,
    /// Where the base labels stand among all labels.
    places: &'a [usize],
    /// The series before.
    earlier: &'a [Vec<u32>],
}

impl Row<'_> {
    /// Values of `count` labels: of the base ones by `base`, of the rest by `more`.
    fn draw(&self, count: usize, mut base: Rng, more: &mut Rng) -> Vec<u32> {
        let mut values: Vec<Option<u32>> = vec![None; count];
        let mut bounds = None;
        let mut last = None;
        for &place in self.places {
            let value = self.value(place, bounds, last, &mut base);
            values[place] = Some(value);
            bounds = Some(stretch(bounds, value));
            last = Some(value);
        }
        for place in 0..count {
            if values[place].is_none() {
                let before = place.checked_sub(1).and_then(|before| values[before]);
                let value = self.value(place, bounds, before, more);
                values[place] = Some(value);
                bounds = Some(stretch(bounds, value));
            }
        }
        values.into_iter().flatten().collect()
    }

    /// One value that keeps the highest and the lowest so far apart from all others.
    fn value(&self, place: usize, bounds: Option<[u32; 2]>, last: Option<u32>, rng: &mut Rng) -> u32 {
        let [low, high] = if self.family == Family::Pie { WEIGHTS } else { self.range };
        let clear = |value: u32| {
            bounds.is_none_or(|bounds| bounds.iter().all(|&bound| self.apart(value, bound)))
                && (self.family != Family::Line
                    || self.earlier.iter().all(|row| row[place].abs_diff(value) >= APART))
        };
        let allowed: Vec<u32> = (low..=high).filter(|&value| clear(value)).collect();
        assert!(!allowed.is_empty(), "ranges leave room for every value");
        match (self.family, last) {
            // Lines wander: the allowed value nearest to a step from the last one.
            (Family::Line, Some(last)) => {
                let step = (high - low) / 3;
                // What would leave the range turns back.
                let ahead = i64::from(last + rng.below(2 * step + 1)) - i64::from(step);
                let wanted = match (ahead - i64::from(low), i64::from(high) - ahead) {
                    (under, _) if under < 0 => i64::from(low) - under,
                    (_, over) if over < 0 => i64::from(high) + over,
                    _ => ahead,
                } as u32;
                *allowed.iter().min_by_key(|&&value| value.abs_diff(wanted)).expect("not empty")
            }
            _ => *rng.choose(&allowed),
        }
    }

    fn apart(&self, a: u32, b: u32) -> bool {
        match self.family {
            Family::Pie => a.max(b) * 100 >= a.min(b) * RATIO,
            _ => a.abs_diff(b) >= self.margin,
        }
    }
}

fn stretch(bounds: Option<[u32; 2]>, value: u32) -> [u32; 2] {
    bounds.map_or([value; 2], |[low, high]| [low.min(value), high.max(value)])
}

impl Content {
    /// The mark that the question is about.
    pub(crate) fn target(&self) -> Kind {
        let [s, label] = self.target;
        match self.family {
            Family::Bar | Family::Grouped | Family::Horizontal => Kind::Bar(s, label),
            Family::Line => Kind::Point(s, label),
            Family::Scatter => Kind::Dot(label),
            Family::Pie => Kind::Slice(label),
        }
    }

    /// The question in words.
    pub(crate) fn question(&self) -> String {
        let [s, label] = self.target;
        let name = &self.labels[label];
        let series = self.series.get(s).map_or("", String::as_str);
        match (self.family, self.query) {
            (Family::Scatter, _) => format!("Point at the dot labelled {name}."),
            (Family::Bar, Query::Highest) => "Point at the highest bar.".into(),
            (Family::Bar, Query::Lowest) => "Point at the lowest bar.".into(),
            (Family::Horizontal, Query::Highest) => "Point at the longest bar.".into(),
            (Family::Horizontal, Query::Lowest) => "Point at the shortest bar.".into(),
            (Family::Bar | Family::Horizontal, Query::Named) => format!("Point at the bar of {name}."),
            (Family::Grouped, Query::Highest) => format!("Point at the highest bar of the series {series}."),
            (Family::Grouped, Query::Lowest) => format!("Point at the lowest bar of the series {series}."),
            (Family::Grouped, Query::Named) => format!("Point at the bar of the series {series} at {name}."),
            (Family::Line, Query::Highest) => format!("Point at the highest point of the line {series}."),
            (Family::Line, Query::Lowest) => format!("Point at the lowest point of the line {series}."),
            (Family::Line, Query::Named) => format!("Point at the line {series} at {name}."),
            (Family::Pie, Query::Highest) => "Point at the middle of the largest slice.".into(),
            (Family::Pie, Query::Lowest) => "Point at the middle of the smallest slice.".into(),
            (Family::Pie, Query::Named) => format!("Point at the middle of the slice of {name}."),
        }
    }

    /// Canonical forms. Exact: all content and the question. Symmetric: title, axes, sorted names and the
    /// question, no values. Pattern: names in their order, without the question. Size: marks of a series.
    pub(crate) fn canonical(&self) -> Canonical {
        let head = format!("{}|{}|{}|{}", self.family.word(), self.title, self.along, self.across);
        let question = self.question();
        let ordered = format!("{head}|{}|{}", self.series.join(";"), self.labels.join(";"));
        let mut sorted = [self.series.clone(), self.labels.clone()];
        sorted.iter_mut().for_each(|names| names.sort_unstable());
        let symmetric = format!("{head}|{}|{}|{question}", sorted[0].join(";"), sorted[1].join(";"));
        let exact = format!("{ordered}|{:?}|{}|{question}", self.values, self.places());
        Canonical { exact, symmetric, pattern: ordered, size: self.labels.len() }
    }

    fn places(&self) -> String {
        let dots = self.dots.iter().map(|dot| format!("{},{}", dot.x, dot.y));
        format!("{}|{:?}", dots.collect::<Vec<_>>().join(";"), self.crop)
    }
}
