//! What varies from chart to chart without meaning anything.

use vrrl_harness_core::Seed;

use super::params::{ChartParams, Legend};

/// Style of one chart; drawn from a stream of its own, a fixed number of times, so that no parameter moves it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Style {
    /// Pixels.
    pub width: i32,
    pub height: i32,
    /// Order in which colours of a palette of 15 are taken.
    pub colours: Vec<usize>,
    /// Whether every bar has a colour of its own.
    pub varied: bool,
    /// Width of a bar in percent of its place.
    pub fill: i32,
    /// A line around the whole plot, not along the axes only.
    pub framed: bool,
    /// Light lines behind the marks.
    pub lined: bool,
    /// Title at the left border of the plot, not in the middle.
    pub flush: bool,
    pub legend: Legend,
    /// Pies: names beside the slices, not in a legend.
    pub direct: bool,
    /// Pies: where the first slice starts, in thousandths of a turn.
    pub start: i32,
    /// Which caption, watermark, and so on.
    pub pick: usize,
}

impl Style {
    /// Colours that a palette holds.
    pub(crate) const COLOURS: usize = 15;

    pub(crate) fn draw(params: &ChartParams, seed: Seed) -> Self {
        let mut rng = seed.derive("chart style", 0).rng();
        let mut colours: Vec<usize> = (0..Self::COLOURS).collect();
        rng.shuffle(&mut colours);
        let varied = rng.chance(1, 2);
        let fill = rng.between(50, 84) as i32;
        let [framed, lined, flush] = [rng.chance(1, 3), rng.chance(1, 2), rng.chance(1, 4)];
        let legend = *rng.choose(&[Legend::Right, Legend::Top, Legend::Bottom]);
        let direct = rng.chance(2, 3);
        let start = rng.below(1000) as i32;
        let pick = rng.below(1 << 16) as usize;
        let height = seed.derive("chart height", 0).rng().between(params.height[0], params.height[1]);
        let [wide, high] = params.aspect;
        let (width, height) = if params.small {
            (256, 256)
        } else {
            (((height * wide + high / 2) / high) as i32, height as i32)
        };
        let legend = params.legend.unwrap_or(legend);
        Self { width, height, colours, varied, fill, framed, lined, flush, legend, direct, start, pick }
    }
}
