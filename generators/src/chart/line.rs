//! Lines: one a series, with markers, over ordered categories.

use vrrl_harness_core::Error;

use super::bar;
use super::layout::{Key, Sheet};
use super::plan::{Item, Kind, Paint};
use crate::canvas::{Dash, UNIT};
use crate::look::Palette;

/// Lays out a chart of lines.
pub(crate) fn lay(mut sheet: Sheet<'_>) -> Result<Sheet<'_>, Error> {
    let content = sheet.content;
    sheet.headings();
    let keys: Vec<Key> = (content.series.iter().enumerate())
        .map(|(s, name)| Key { name: name.clone(), colour: sheet.colour(s), dash: Some(dash(&sheet, s)) })
        .collect();
    sheet.legend(&keys);
    let axes = bar::axes(&sheet);
    let plot = axes.lay(&mut sheet)?;
    let width = sheet.part(5).max(2);
    let radius = sheet.part(9).max(3);
    let points: Vec<Vec<(i32, i32)>> = (content.values.iter())
        .map(|values| (0..).zip(values).map(|(i, &value)| (plot.x(i), plot.y(value as i32))).collect())
        .collect();
    for (s, points) in points.iter().enumerate() {
        let paint = Paint::Line {
            points: points.clone(),
            width: width * UNIT,
            dash: keys[s].dash.unwrap_or(Dash::Solid),
            colour: keys[s].colour,
        };
        // Half of its width stands out where it touches an end of the axis.
        sheet.items.push(Item { kind: Kind::Series(s), bounds: plot.bounds.inset(-width), paint });
    }
    // No line runs over a marker.
    for (s, points) in points.iter().enumerate() {
        for (i, &at) in points.iter().enumerate() {
            sheet.marker(Kind::Point(s, i), s, at, radius, keys[s].colour);
        }
    }
    Ok(sheet)
}

/// The look's dash, or, where colours say little, one that tells series apart.
fn dash(sheet: &Sheet<'_>, s: usize) -> Dash {
    match sheet.params.look.dash() {
        Dash::Solid if sheet.params.look.palette == Palette::Grey => {
            [Dash::Solid, Dash::Dashed, Dash::Dotted][s % 3]
        }
        dash => dash,
    }
}
