//! A chart of points: one accuracy against another, with the line where both are equal.

use std::fmt::Write as _;

use crate::charts::Panel;
use crate::run::Metric;
use crate::svg::{esc, num, ticks, Scale};

/// One policy.
pub(crate) struct Mark {
    /// Name, written beside it.
    pub name: String,
    /// CSS class that sets its colour.
    pub class: String,
    /// In-distribution accuracy.
    pub x: Metric,
    /// Out-of-distribution accuracy.
    pub y: Metric,
}

const SIDE: f64 = 330.0;
/// Left and bottom, right and top.
const MARGIN: (f64, f64) = (46.0, 12.0);

/// Both axes show the same tenths, as many as the points and their intervals take.
fn range(marks: &[Mark]) -> (f64, f64) {
    let ends = marks.iter().flat_map(|m| [m.x, m.y]).flat_map(|m| {
        let (low, high) = m.ci.unwrap_or((m.value, m.value));
        [low, m.value, high]
    });
    let (low, high) = ends.fold((1.0f64, 0.0f64), |(low, high), end| (low.min(end), high.max(end)));
    (((low * 10.0).floor() / 10.0).max(0.0), ((high * 10.0).ceil() / 10.0).clamp(0.1, 1.0))
}

/// Shares on both axes; `None` without points.
pub(crate) fn scatter(title: &str, x_label: &str, y_label: &str, marks: &[Mark]) -> Option<Panel> {
    if marks.is_empty() {
        return None;
    }
    let (least, most) = range(marks);
    let at_x = Scale::new((least, most), (MARGIN.0, SIDE - MARGIN.1));
    let at_y = Scale::new((least, most), (SIDE - MARGIN.0, MARGIN.1));
    let percent = |x: f64| format!("{:.1}%", x * 100.0);
    let each: Vec<String> = marks
        .iter()
        .map(|m| format!("{}: {} {x_label}, {} {y_label}", m.name, percent(m.x.value), percent(m.y.value)))
        .collect();
    let mut svg = String::new();
    for share in ticks(least, most, 5).into_iter().filter(|t| (least..=most).contains(t)) {
        let (x, y) = (num(at_x.at(share)), num(at_y.at(share)));
        let (low, high) = (num(at_y.at(least)), num(at_y.at(most)));
        let (left, right) = (num(at_x.at(least)), num(at_x.at(most)));
        let text = format!("{}%", num(share * 100.0));
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y}\" y2=\"{y}\"/>\
             <line class=\"grid\" x1=\"{x}\" x2=\"{x}\" y1=\"{low}\" y2=\"{high}\"/>\
             <text class=\"tick\" x=\"{}\" y=\"{y}\" dy=\".32em\" text-anchor=\"end\">{text}</text>\
             <text class=\"tick\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{text}</text>",
            MARGIN.0 - 5.0,
            SIDE - MARGIN.0 + 15.0
        );
    }
    let _ = write!(
        svg,
        "<line class=\"axis equal\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\
         <text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
         <text class=\"tick\" transform=\"translate(11 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        num(at_x.at(least)),
        num(at_y.at(least)),
        num(at_x.at(most)),
        num(at_y.at(most)),
        num((MARGIN.0 + SIDE - MARGIN.1) / 2.0),
        SIDE - 8.0,
        esc(x_label),
        num((MARGIN.1 + SIDE - MARGIN.0) / 2.0),
        esc(y_label)
    );
    for (mark, words) in marks.iter().zip(&each) {
        let (x, y) = (at_x.at(mark.x.value), at_y.at(mark.y.value));
        let _ = write!(svg, "<g class=\"{}\"><title>{}</title>", esc(&mark.class), esc(words));
        if let Some((low, high)) = mark.x.ci {
            let _ = write!(
                svg,
                "<line class=\"whisker\" x1=\"{}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\"/>",
                num(at_x.at(low)),
                num(at_x.at(high)),
                y = num(y)
            );
        }
        if let Some((low, high)) = mark.y.ci {
            let _ = write!(
                svg,
                "<line class=\"whisker\" x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{}\"/>",
                num(at_y.at(low)),
                num(at_y.at(high)),
                x = num(x)
            );
        }
        let _ = write!(svg, "<circle class=\"dot\" cx=\"{}\" cy=\"{}\" r=\"5\"/></g>", num(x), num(y));
    }
    let spoken = format!("{title}. {}.", each.join("; "));
    Some(Panel { title: title.to_owned(), spoken, size: (SIDE, SIDE), body: svg })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stand_where_they_belong() {
        assert!(scatter("t", "x", "y", &[]).is_none());
        let metric = |value: f64, ci| Metric { value, ci };
        let mark = Mark {
            name: "a<b".into(),
            class: "m-vrrl".into(),
            x: metric(1.0, None),
            y: metric(0.0, Some((0.0, 0.1))),
        };
        let svg = scatter("t", "ID", "OOD", &[mark]).unwrap().figure("chart");
        assert!(
            svg.contains("cx=\"318\" cy=\"284\"") && svg.contains("a&lt;b: 100.0% ID, 0.0% OOD"),
            "{svg}"
        );
        assert_eq!(svg.matches("whisker").count(), 1);
    }
}
