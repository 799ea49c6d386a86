//! Charts as SVG text: lines over turns or steps, and small bars for intervals and shares.

use std::fmt::Write as _;

use crate::run::{Matrix, Metric};
use crate::svg::{esc, num, tick_text, ticks, Scale};

/// One line of a chart.
pub(crate) struct Series {
    /// Name, for the tooltip.
    pub name: String,
    /// CSS class that sets colour and dashes (`m-vrrl`).
    pub class: String,
    /// Points, x ascending.
    pub points: Vec<(f64, f64)>,
}

/// A line chart.
pub(crate) struct Lines {
    /// Shown above it and read aloud.
    pub title: String,
    /// Name of the x axis.
    pub x_label: String,
    /// y from 0 to 1, written as percent.
    pub percent: bool,
    /// x takes whole numbers only.
    pub whole_x: bool,
    /// Lines.
    pub series: Vec<Series>,
}

/// A drawn chart: on the page a figure, in a file one panel of several.
pub(crate) struct Panel {
    /// Shown above it.
    pub title: String,
    /// Everything it shows, in words.
    pub spoken: String,
    /// Width and height.
    pub size: (f64, f64),
    /// What stands inside the `svg` element.
    pub body: String,
}

impl Panel {
    /// For the page.
    pub(crate) fn figure(&self, class: &str) -> String {
        format!(
            "<figure class=\"{class}\"><figcaption>{}</figcaption><svg viewBox=\"0 0 {} {}\" role=\"img\" \
             aria-label=\"{}\">{}</svg></figure>",
            esc(&self.title),
            self.size.0,
            self.size.1,
            esc(&self.spoken),
            self.body
        )
    }
}

/// Points beyond which a line carries no markers, and is thinned.
const MARKERS: usize = 16;
const MOST_POINTS: usize = 80;
const SIZE: (f64, f64) = (330.0, 210.0);
/// Left, right, top, bottom.
const MARGIN: (f64, f64, f64, f64) = (40.0, 16.0, 8.0, 36.0);

impl Lines {
    /// The chart as a `figure`; `None` if no line has a finite point.
    pub(crate) fn draw(&self) -> Option<String> {
        Some(self.panel()?.figure("chart"))
    }

    /// The chart; `None` if no line has a finite point.
    pub(crate) fn panel(&self) -> Option<Panel> {
        let finite = |p: &&(f64, f64)| p.0.is_finite() && p.1.is_finite();
        let all: Vec<(f64, f64)> =
            self.series.iter().flat_map(|s| s.points.iter().filter(finite)).copied().collect();
        let (first, rest) = all.split_first()?;
        let (mut x, mut y) = ((first.0, first.0), (first.1, first.1));
        for p in rest {
            x = (x.0.min(p.0), x.1.max(p.0));
            y = (y.0.min(p.1), y.1.max(p.1));
        }
        let y_ticks = if self.percent && y.0 >= 0.0 && y.1 <= 1.0 {
            ticks(0.0, if y.1 > 0.5 { 1.0 } else { y.1.max(0.05) }, 5)
        } else {
            ticks(y.0, y.1, 4)
        };
        let x_ticks: Vec<f64> = if self.whole_x {
            let step = (((x.1 - x.0) / 8.0).ceil()).max(1.0);
            (0..=((x.1 - x.0) / step) as usize).map(|i| x.0 + i as f64 * step).collect()
        } else {
            // Round numbers inside the data: a training curve should use the whole width.
            ticks(x.0, x.1, 4).into_iter().filter(|t| *t >= x.0 - 1e-9 && *t <= x.1 + 1e-9).collect()
        };
        let ends = |t: &[f64], or: (f64, f64)| t.first().copied().zip(t.last().copied()).unwrap_or(or);
        let at_x = Scale::new(x, (MARGIN.0, SIZE.0 - MARGIN.1));
        let at_y = Scale::new(ends(&y_ticks, y), (SIZE.1 - MARGIN.3, MARGIN.2));

        let mut svg = String::new();
        self.axes(&mut svg, &x_ticks, &y_ticks, at_x, at_y);
        for series in &self.series {
            draw_series(&mut svg, series, at_x, at_y, self.percent);
        }
        Some(Panel { title: self.title.clone(), spoken: self.spoken(), size: SIZE, body: svg })
    }

    fn axes(&self, svg: &mut String, x_ticks: &[f64], y_ticks: &[f64], at_x: Scale, at_y: Scale) {
        let step = |t: &[f64]| if t.len() > 1 { t[1] - t[0] } else { 1.0 };
        let (left, right, bottom) = (MARGIN.0, SIZE.0 - MARGIN.1, SIZE.1 - MARGIN.3);
        for t in y_ticks {
            let y = num(at_y.at(*t));
            let text = if self.percent {
                tick_text(t * 100.0, step(y_ticks) * 100.0) + "%"
            } else {
                tick_text(*t, step(y_ticks))
            };
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y}\" y2=\"{y}\"/><text class=\"tick\" x=\"{}\" y=\"{y}\" dy=\".32em\" text-anchor=\"end\">{text}</text>",
                left - 5.0
            );
        }
        for t in x_ticks {
            let x = num(at_x.at(*t));
            let _ = write!(
                svg,
                "<line class=\"axis\" x1=\"{x}\" x2=\"{x}\" y1=\"{bottom}\" y2=\"{}\"/><text class=\"tick\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                bottom + 4.0,
                bottom + 15.0,
                tick_text(*t, step(x_ticks))
            );
        }
        let _ = write!(
            svg,
            "<line class=\"axis\" x1=\"{left}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/><text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            num((left + right) / 2.0),
            SIZE.1 - 4.0,
            esc(&self.x_label)
        );
    }

    /// The chart in words: where every line starts and ends.
    fn spoken(&self) -> String {
        let mut text = format!("{}, over {}.", self.title, self.x_label);
        for s in &self.series {
            if let (Some(a), Some(b)) = (s.points.first(), s.points.last()) {
                let show = |y: f64| {
                    if self.percent {
                        format!("{:.1}%", y * 100.0)
                    } else {
                        crate::svg::fixed(y, 3)
                    }
                };
                let _ = write!(
                    text,
                    " {}: {} at {}, {} at {}.",
                    s.name,
                    show(a.1),
                    num(a.0),
                    show(b.1),
                    num(b.0)
                );
            }
        }
        text
    }
}

fn draw_series(svg: &mut String, series: &Series, at_x: Scale, at_y: Scale, percent: bool) {
    let points = thin(&series.points);
    // A gap in the numbers is a gap in the line.
    let runs: Vec<&[(f64, f64)]> =
        points.split(|p| !p.0.is_finite() || !p.1.is_finite()).filter(|r| !r.is_empty()).collect();
    let _ = write!(svg, "<g class=\"{}\"><title>{}</title>", esc(&series.class), esc(&series.name));
    for run in runs {
        let path: Vec<String> =
            run.iter().map(|p| format!("{},{}", num(at_x.at(p.0)), num(at_y.at(p.1)))).collect();
        let _ = write!(svg, "<polyline class=\"line\" points=\"{}\"/>", path.join(" "));
        if points.len() <= MARKERS {
            for p in run {
                let y = if percent { format!("{:.1}%", p.1 * 100.0) } else { num(p.1) };
                let _ = write!(
                    svg,
                    "<circle class=\"dot\" cx=\"{}\" cy=\"{}\" r=\"3\"><title>{}: {y} at {}</title></circle>",
                    num(at_x.at(p.0)),
                    num(at_y.at(p.1)),
                    esc(&series.name),
                    num(p.0)
                );
            }
        }
    }
    svg.push_str("</g>");
}

/// Means of equal runs of neighbours, so that a long log stays small on the page.
fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let chunk = points.len().div_ceil(MOST_POINTS).max(1);
    if chunk == 1 {
        return points.to_vec();
    }
    points
        .chunks(chunk)
        .map(|c| {
            (
                c.iter().map(|p| p.0).sum::<f64>() / c.len() as f64,
                c.iter().map(|p| p.1).sum::<f64>() / c.len() as f64,
            )
        })
        .collect()
}

/// A small bar of one interval on `range`, with a line at 0 where 0 lies inside the range.
pub(crate) fn interval(metric: Metric, range: (f64, f64), class: &str) -> String {
    let at = Scale::new(range, (1.0, 89.0));
    let mut svg = format!("<svg class=\"ci {}\" viewBox=\"0 0 90 10\" aria-hidden=\"true\"><line class=\"track\" x1=\"1\" x2=\"89\" y1=\"5\" y2=\"5\"/>", esc(class));
    if range.0 < 0.0 && range.1 > 0.0 {
        let zero = num(at.at(0.0));
        let _ = write!(svg, "<line class=\"zero\" x1=\"{zero}\" x2=\"{zero}\" y1=\"0\" y2=\"10\"/>");
    }
    if let Some((low, high)) = metric.ci {
        let (l, h) = (at.at(low), at.at(high));
        let _ = write!(
            svg,
            "<rect class=\"band\" x=\"{}\" y=\"2.5\" width=\"{}\" height=\"5\" rx=\"1\"/>",
            num(l),
            num((h - l).max(1.0))
        );
    }
    let _ = write!(
        svg,
        "<rect class=\"point\" x=\"{}\" y=\"0\" width=\"2\" height=\"10\"/></svg>",
        num(at.at(metric.value) - 1.0)
    );
    svg
}

/// First × final as one stacked bar: what was right in the end is on the left.
pub(crate) fn stacked(matrix: &Matrix) -> String {
    let mut svg = String::from(
        "<svg class=\"stack\" viewBox=\"0 0 400 18\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
    );
    let mut x = 0.0;
    for (class, share) in [
        ("kept-right", matrix.kept_right),
        ("fixed", matrix.fixed),
        ("broken", matrix.broken),
        ("kept-wrong", matrix.kept_wrong),
    ] {
        let width = share * 400.0;
        if width > 0.0 {
            let _ = write!(
                svg,
                "<rect class=\"s-{class}\" x=\"{}\" y=\"0\" width=\"{}\" height=\"18\"/>",
                num(x),
                num(width)
            );
        }
        x += width;
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(points: Vec<(f64, f64)>) -> Lines {
        let series = vec![Series { name: "a<b".into(), class: "m-vrrl".into(), points }];
        Lines { title: "t".into(), x_label: "turn".into(), percent: true, whole_x: true, series }
    }

    #[test]
    fn charts_draw_or_say_that_there_is_nothing() {
        assert!(lines(vec![]).draw().is_none());
        assert!(lines(vec![(1.0, f64::NAN)]).draw().is_none());
        let svg = lines(vec![(1.0, 0.5), (2.0, f64::NAN), (3.0, 0.9)]).draw().unwrap();
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains("a&lt;b") && !svg.contains("NaN,"));
        assert!(lines(vec![(1.0, 0.5)]).draw().unwrap().contains("<circle"));
    }

    #[test]
    fn long_lines_are_thinned_by_means() {
        let points: Vec<_> = (0..1000).map(|i| (f64::from(i), 1.0)).collect();
        let thinned = thin(&points);
        assert!(thinned.len() <= MOST_POINTS && (thinned[0].0 - 6.0).abs() < 1e-9);
    }

    #[test]
    fn stacked_bars_fill_their_width() {
        let svg = stacked(&Matrix { kept_right: 0.5, fixed: 0.25, broken: 0.25, kept_wrong: 0.0 });
        assert_eq!(svg.matches("<rect").count(), 3);
        assert!(svg.contains("x=\"300\" y=\"0\" width=\"100\""));
    }
}
