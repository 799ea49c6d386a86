//! What nothing may hide if a chart's question is to have an answer.

use super::plan::Kind;
use super::{ChartFamily as Family, ChartScene, Query};
use crate::canvas::Bounds;

/// Pixels on both sides of a bar's end that show how long it is.
const END: i32 = 8;

impl ChartScene {
    /// Boxes without which the question has no answer: the target with its name and its legend entry, and for
    /// the highest and the lowest the ends of all that it is compared with.
    pub(crate) fn spare(&self) -> Vec<Bounds> {
        let content = &self.content;
        let [s, label] = content.target;
        let compared = content.query != Query::Named;
        let needed = |kind: Kind| match kind {
            Kind::Label(i) | Kind::Letter(i) => i == label && !compared,
            Kind::Entry(i) | Kind::Swatch(i) if content.family == Family::Pie => i == label && !compared,
            Kind::Entry(i) | Kind::Swatch(i) => i == s,
            // Slices are compared by their angles: the whole pie must be seen.
            Kind::Sector(_) => compared,
            Kind::Point(series, _) => compared && series == s,
            _ => false,
        };
        let own = content.target();
        let mut spare: Vec<Bounds> =
            self.boxes().filter(|&(kind, _)| kind == own || needed(kind)).map(|(_, bounds)| bounds).collect();
        if compared {
            spare.extend(self.ends(s));
        }
        spare
    }

    /// The ends of all bars of a series.
    fn ends(&self, series: usize) -> Vec<Bounds> {
        let of_series = |kind| matches!(kind, Kind::Bar(s, _) if s == series);
        let bars: Vec<Bounds> =
            self.boxes().filter(|&(kind, _)| of_series(kind)).map(|(_, bounds)| bounds).collect();
        // All bars begin on one line.
        let leftwards = bars.iter().all(|bar| bar.x1 == bars[0].x1);
        let end = |bar: &Bounds| match (self.content.family, leftwards) {
            (Family::Horizontal, false) => Bounds::new(bar.x1 - END, bar.y0, bar.x1 + END, bar.y1),
            (Family::Horizontal, true) => Bounds::new(bar.x0 - END, bar.y0, bar.x0 + END, bar.y1),
            _ => Bounds::new(bar.x0, bar.y0 - END, bar.x1, bar.y0 + END),
        };
        bars.iter().map(end).collect()
    }
}
