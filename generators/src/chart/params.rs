//! Difficulty and style of a chart: every key, its range, and what it costs to leave it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use vrrl_harness_core::Error;

use super::words::{Domain, LETTERS};
use crate::look::Look;

/// Kinds of charts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Vertical bars (the paper's).
    Bar,
    /// Vertical bars in groups, one bar a series.
    Grouped,
    /// Horizontal bars.
    Horizontal,
    /// Dots with letters (the paper's).
    Scatter,
    /// One line a series over ordered categories.
    Line,
    /// A pie with one slice a category.
    Pie,
}

impl Family {
    /// The word of files.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Bar => "bar",
            Self::Grouped => "grouped",
            Self::Horizontal => "horizontal",
            Self::Scatter => "scatter",
            Self::Line => "line",
            Self::Pie => "pie",
        }
    }

    /// The key that counts its marks.
    fn key(self) -> &'static str {
        match self {
            Self::Bar | Self::Grouped | Self::Horizontal => "bars",
            Self::Scatter => "dots",
            Self::Line => "points",
            Self::Pie => "slices",
        }
    }

    /// Fewest marks, most marks to start with, most with the additions.
    fn limits(self, small: bool) -> [u32; 3] {
        match (self, small) {
            (Self::Scatter, true) => [2, 5, 8],
            (_, true) => [2, 4, 6],
            (Self::Scatter, false) => [2, 26, LETTERS as u32],
            (Self::Line, false) => [3, 24, 40],
            (Self::Pie, false) => [2, 8, 16],
            (_, false) => [2, 24, 40],
        }
    }

    fn default_marks(self, small: bool) -> [u32; 2] {
        match (self, small) {
            (Self::Scatter, true) => [3, 5],
            (_, true) => [3, 4],
            (Self::Scatter, false) => [10, 20],
            (Self::Grouped, false) => [3, 6],
            (Self::Line, false) => [6, 12],
            (Self::Pie, false) => [4, 7],
            (_, false) => [5, 10],
        }
    }

    /// Whether a legend may tell its marks apart.
    pub(crate) fn has_legend(self) -> bool {
        self.has_series() || self == Self::Pie
    }

    /// Whether it shows several series.
    pub(crate) fn has_series(self) -> bool {
        matches!(self, Self::Grouped | Self::Line)
    }
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Query {
    /// The highest bar (of a series), the top of a line, the largest slice.
    Highest,
    /// The lowest, the bottom, the smallest.
    Lowest,
    /// The bar, dot or slice of a name, a line at a category.
    Named,
}

/// How the value axis writes its numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Numbers {
    /// `40`
    #[default]
    Integer,
    /// `40%`
    Percent,
    /// `0.40`
    Float,
    /// `40,000`
    Comma,
    /// `4e4`
    Scientific,
}

/// Where the axes stand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Left and bottom.
    #[default]
    Normal,
    /// The vertical axis on the right.
    Right,
    /// The horizontal axis on top.
    Top,
    /// The horizontal axis runs from right to left, the vertical one stands on the right (pies: clockwise
    /// becomes counter-clockwise).
    Mirrored,
}

/// Where a legend stands, where there is one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Legend {
    /// Right of the plot.
    Right,
    /// Left of the plot and its axis.
    Left,
    /// Between title and plot.
    Top,
    /// Below everything but a caption.
    Bottom,
}

/// Difficulty of a chart. Ranges are inclusive; where a key takes a word it takes a list of words too and
/// draws one of them for each chart.
///
/// Scenes are nested: at one seed, more marks (`extra`), another look, layout or number format extend or
/// redress the same base chart, and the query stays (its answer may move to an added mark).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChartParams {
    /// Kinds of charts; `bar` where absent.
    #[serde(default = "bar", deserialize_with = "one_or_many")]
    pub family: Vec<Family>,
    /// Kinds of questions; all three where absent (dots are always asked for by name).
    #[serde(default = "all_queries", deserialize_with = "one_or_many")]
    pub query: Vec<Query>,
    /// Bars of a series; 5 to 10 where absent (grouped: 3 to 6, small: 3 to 4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bars: Option<[u32; 2]>,
    /// Dots of a scatter plot; 10 to 20 where absent (small: 3 to 5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dots: Option<[u32; 2]>,
    /// Points of a line; 6 to 12 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<[u32; 2]>,
    /// Slices of a pie; 4 to 7 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slices: Option<[u32; 2]>,
    /// Series of lines and grouped bars.
    #[serde(default = "default_series")]
    pub series: [u32; 2],
    /// Marks added to the base chart, in percent of its marks, rounded up; the density of a shift.
    #[serde(default)]
    pub extra: u32,
    /// Height of the picture in pixels.
    #[serde(default = "default_height")]
    pub height: [u32; 2],
    /// Width to height.
    #[serde(default = "default_aspect")]
    pub aspect: [u32; 2],
    /// Values of bars and lines, on an axis that starts at 0. The paper says 0 to 100; a bar below 4 would be
    /// too flat to be pointed at.
    #[serde(default = "default_values")]
    pub values: [u32; 2],
    /// Size of the text in percent of the usual one, 50 to 100; no letter is smaller than eight pixels.
    #[serde(default = "default_text")]
    pub text: u32,
    /// Where category labels come from; the paper's eight domains where absent.
    #[serde(default = "all_labels", deserialize_with = "one_or_many")]
    pub labels: Vec<Domain>,
    /// How the value axis writes numbers.
    #[serde(default)]
    pub numbers: Numbers,
    /// Where the axes stand.
    #[serde(default)]
    pub layout: Layout,
    /// Where the legend stands; drawn for each chart where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legend: Option<Legend>,
    /// How many things are added that say nothing of the answer, each one more than the last: a caption, a
    /// subtitle, a watermark, a reference line (pies: a second caption), a stamp.
    #[serde(default)]
    pub distractors: u32,
    /// Font, palette, lines and paper.
    #[serde(default)]
    pub look: Look,
    /// The small form: few marks, short names, a crisp picture of 256×256 pixels whose canvas is the same
    /// drawing at 64×64. Bars, horizontal bars and scatter plots only; what there is no room for is refused.
    #[serde(default)]
    pub small: bool,
    /// Small bars and scatter plots only: every letter stands in a tile of 8×8 canvas pixels of its own, below its bar or
    /// beside its dot, so that a policy which sees patches of that size has to tell signs apart but not their offsets.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tiled: bool,
    /// Pixels around a point (dots, lines) that still count as a hit.
    #[serde(default = "default_tolerance")]
    pub tolerance: u32,
    /// Which draw of the marks that `extra` adds; 0 is the first.
    #[serde(default)]
    pub again: u64,
}

fn bar() -> Vec<Family> {
    vec![Family::Bar]
}
fn all_queries() -> Vec<Query> {
    vec![Query::Highest, Query::Lowest, Query::Named]
}
fn all_labels() -> Vec<Domain> {
    Domain::PAPER.to_vec()
}
fn default_series() -> [u32; 2] {
    [2, 4]
}
fn default_height() -> [u32; 2] {
    [512, 768]
}
fn default_aspect() -> [u32; 2] {
    [16, 9]
}
fn default_text() -> u32 {
    100
}
fn default_values() -> [u32; 2] {
    [4, 100]
}
fn default_tolerance() -> u32 {
    40
}

/// A word or a list of words; errors name the word, as those of plain keys do.
fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Words<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Words<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a word or a list of words")
        }

        fn visit_str<E: de::Error>(self, word: &str) -> Result<Vec<T>, E> {
            T::deserialize(word.into_deserializer()).map(|word| vec![word])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Vec<T>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(seq))
        }
    }
    deserializer.deserialize_any(Words(PhantomData))
}

impl Default for ChartParams {
    fn default() -> Self {
        Self::of(Family::Bar)
    }
}

impl ChartParams {
    /// Default difficulty of one family.
    #[must_use]
    pub fn of(family: Family) -> Self {
        Self {
            family: vec![family],
            query: all_queries(),
            bars: None,
            dots: None,
            points: None,
            slices: None,
            series: default_series(),
            extra: 0,
            height: default_height(),
            aspect: default_aspect(),
            values: default_values(),
            text: default_text(),
            labels: all_labels(),
            numbers: Numbers::default(),
            layout: Layout::default(),
            legend: None,
            distractors: 0,
            look: Look::default(),
            small: false,
            tiled: false,
            tolerance: default_tolerance(),
            again: 0,
        }
    }

    /// How many marks a family starts with.
    pub(crate) fn marks(&self, family: Family) -> [u32; 2] {
        let given = match family {
            Family::Bar | Family::Grouped | Family::Horizontal => self.bars,
            Family::Scatter => self.dots,
            Family::Line => self.points,
            Family::Pie => self.slices,
        };
        given.unwrap_or_else(|| family.default_marks(self.small))
    }

    /// How many marks are added to `count`.
    pub(crate) fn added(&self, count: u32) -> u32 {
        (count * self.extra).div_ceil(100)
    }

    /// The numbers of marks (of a series) that it spans, additions included, and what draws each alone.
    pub(crate) fn sizes(&self) -> Vec<(usize, Self)> {
        let mut sizes: std::collections::BTreeMap<u32, Self> = std::collections::BTreeMap::new();
        for &family in &self.family {
            let [low, high] = self.marks(family);
            for count in low..=high {
                let size = count + self.added(count);
                let only = sizes.entry(size).or_insert_with(|| Self { family: Vec::new(), ..self.clone() });
                only.family.push(family);
                let range = match family {
                    Family::Bar | Family::Grouped | Family::Horizontal => &mut only.bars,
                    Family::Scatter => &mut only.dots,
                    Family::Line => &mut only.points,
                    Family::Pie => &mut only.slices,
                };
                *range = Some([count, count]);
            }
        }
        sizes.into_iter().map(|(size, params)| (size as usize, params)).collect()
    }

    /// Checks every key.
    ///
    /// # Errors
    /// [`Error::Params`] naming the key.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let check = |(key, [low, high], least, most): (&str, [u32; 2], u32, u32)| {
            if low > high || low < least || high > most {
                return wrong(format!(
                    "{key} is [{low}, {high}]; use an ascending range within {least} to {most}"
                ));
            }
            Ok(())
        };
        for (key, empty) in [
            ("family", self.family.is_empty()),
            ("query", self.query.is_empty()),
            ("labels", self.labels.is_empty()),
        ] {
            if empty {
                return wrong(format!("{key} is an empty list; give at least one word"));
            }
        }
        check(("series", self.series, 1, 6))?;
        check(("height", self.height, 300, 2160))?;
        check(("values", self.values, 4, 100))?;
        // Every series keeps away from its own extremes and lines from each other: there must be room for it.
        let spread = 30.max(10 * self.series[1]);
        if self.values[1] - self.values[0] < spread {
            return wrong(format!(
                "values is {:?}; leave at least {spread} between lowest and highest",
                self.values
            ));
        }
        for (key, value, least, most) in [
            ("extra", self.extra, 0, 300),
            ("distractors", self.distractors, 0, 5),
            ("text", self.text, 50, 100),
            ("tolerance", self.tolerance, 1, 1000),
        ] {
            if value < least || value > most {
                return wrong(format!("{key} is {value}; use {least} to {most}"));
            }
        }
        let [wide, high] = self.aspect;
        if !(1..=100).contains(&wide) || !(1..=100).contains(&high) || wide < high || wide > 3 * high {
            return wrong(format!(
                "aspect is {:?}; use [width, height] from 1:1 to 3:1, parts up to 100",
                self.aspect
            ));
        }
        self.look.validate().or_else(wrong)?;
        if self.small {
            self.validate_small()?;
        } else if self.tiled {
            return wrong("tiled has a meaning only where small is true".into());
        }
        if self.small && self.values[1] - self.values[0].max(super::small::LEAST) < 30 {
            return wrong(format!(
                "values is {:?}; small bars need 30 between 12 or more and 100",
                self.values
            ));
        }
        self.family.iter().try_for_each(|&family| self.validate_family(family))
    }

    /// What the small canvas has no room for is refused, not ignored.
    fn validate_small(&self) -> Result<(), Error> {
        let usual = Self::default();
        let kept = Look { family: self.look.family, palette: self.look.palette, ..Look::default() };
        let kept = Look { contrast: self.look.contrast, dark: self.look.dark, ..kept };
        let large = [
            ("numbers", self.numbers != usual.numbers),
            ("text", self.text != usual.text),
            ("height", self.height != usual.height),
            ("aspect", self.aspect != usual.aspect),
            ("legend", self.legend.is_some()),
            ("labels", self.labels != usual.labels),
            ("distractors", self.distractors > 0),
            ("look (but family, palette, contrast and dark)", self.look != kept),
        ];
        if let Some((key, _)) = large.into_iter().find(|&(_, set)| set) {
            return wrong(format!("{key} has no meaning where small is true; leave it out"));
        }
        let untiled = [
            ("layout", self.layout != usual.layout),
            ("extra", self.extra > 0),
            ("family: horizontal", self.family.contains(&Family::Horizontal)),
        ];
        match untiled.into_iter().find(|&(_, set)| set && self.tiled) {
            Some((key, _)) => wrong(format!("{key} has no meaning where tiled is true; leave it out")),
            None => Ok(()),
        }
    }

    fn validate_family(&self, family: Family) -> Result<(), Error> {
        let (word, key) = (family.word(), family.key());
        let [least, most, ceiling] = family.limits(self.small);
        let [low, high] = self.marks(family);
        if low > high || low < least || high > most {
            let small = if self.small { "small " } else { "" };
            return wrong(format!(
                "{key} is [{low}, {high}]; {small}{word} charts take an ascending range within {least} to {most}"
            ));
        }
        if high + self.added(high) > ceiling {
            return wrong(format!(
                "extra is {} and makes {} of {high} {key}; a {word} chart holds {ceiling}",
                self.extra,
                high + self.added(high)
            ));
        }
        if self.small && !matches!(family, Family::Bar | Family::Horizontal | Family::Scatter) {
            return wrong(format!("small takes the families bar, horizontal and scatter, not {word}"));
        }
        // Beside other families, dots are asked for by their letter whatever the others are asked for.
        if self.family == [Family::Scatter] && !self.query.contains(&Query::Named) {
            return wrong("query leaves out named, but a dot can only be asked for by its letter".into());
        }
        let fitting = self.labels.iter().any(|domain| self.fits(family, *domain, high));
        if !fitting && family != Family::Scatter && !self.small {
            return wrong(format!(
                "labels has no domain with {high} {key} for a {word} chart{}",
                if family == Family::Line {
                    "; a line needs months, weekdays, quarters, years or hours"
                } else {
                    ""
                }
            ));
        }
        Ok(())
    }

    /// Whether a chart of `count` marks can take its labels from a domain.
    pub(crate) fn fits(&self, family: Family, domain: Domain, count: u32) -> bool {
        domain.capacity() >= count as usize
            && (family != Family::Line || domain.ordered())
            && (family != Family::Pie || !domain.ordered())
    }
}

fn wrong<T>(reason: String) -> Result<T, Error> {
    Err(Error::Params { task: "chart", reason })
}
