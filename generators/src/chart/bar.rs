//! Bars: upright, in groups, lying.

use vrrl_harness_core::Error;

use super::axis;
use super::layout::{cramped, Axes, Key, Scale, Sheet};
use super::params::{Family, Layout, Numbers};
use super::plan::Kind;
use crate::canvas::{Bounds, UNIT};

/// Least width of a bar, in pixels.
const NARROWEST: i32 = 4;

/// Value axis and categories of bars and lines: the reference line of a distractor included.
pub(crate) fn axes(sheet: &Sheet<'_>) -> Axes {
    let (params, content) = (sheet.params, sheet.content);
    let lying = content.family == Family::Horizontal;
    let highest = content.values.iter().flatten().copied().max().unwrap_or(1);
    let ticks = axis::from_zero(highest, if lying { 8 } else { 6 });
    let names = ticks.iter().map(|&tick| axis::write(tick, params.numbers)).collect();
    let ends = [0, *ticks.last().expect("an axis has two ticks")];
    let reference =
        (params.distractors >= 4).then(|| (ends[1] * (35 + sheet.style.pick as i32 % 40) / 100, "Goal"));
    let mirrored = params.layout == Layout::Mirrored;
    let labels = content.labels.clone();
    // Other formats than plain numbers are of another unit.
    let along = match params.numbers {
        Numbers::Integer => format!("{} ({})", content.along, content.unit),
        _ => content.along.clone(),
    };
    let across = content.across.clone();
    if lying {
        // Rightwards, unless the labels stand on the right; from top to bottom, unless mirrored.
        let leftwards = matches!(params.layout, Layout::Right | Layout::Mirrored);
        Axes {
            horizontal: Scale::values(ends, ticks, names, leftwards),
            vertical: Scale::places(labels, mirrored),
            titles: [along, across],
            least: None,
            reference,
        }
    } else {
        Axes {
            horizontal: Scale::places(labels, mirrored),
            vertical: Scale::values(ends, ticks, names, true),
            titles: [across, along],
            least: None,
            reference,
        }
    }
}

/// Lays out a chart of bars.
pub(crate) fn lay(mut sheet: Sheet<'_>) -> Result<Sheet<'_>, Error> {
    let content = sheet.content;
    let series = content.values.len();
    sheet.headings();
    if content.family == Family::Grouped {
        let keys = content.series.iter().enumerate();
        let keys: Vec<Key> =
            keys.map(|(s, name)| Key { name: name.clone(), colour: sheet.colour(s), dash: None }).collect();
        sheet.legend(&keys);
    }
    let axes = axes(&sheet);
    let plot = axes.lay(&mut sheet)?;
    let lying = content.family == Family::Horizontal;
    // A group fills more of its place than a single bar.
    let fill = if series > 1 { 82 } else { sheet.style.fill };
    let bounds = plot.bounds;
    for (s, values) in content.values.iter().enumerate() {
        for (i, &value) in values.iter().enumerate() {
            let part = |s: usize| 1000 * (100 - fill) / 2 + 1000 * fill * s as i32 / series as i32;
            let share = [part(s), part(s + 1), 100_000];
            let bar = if lying {
                let [y0, y1] = plot.vertical.span(i, share, bounds.y0, bounds.height());
                let end = (plot.x(value as i32) + UNIT / 2).div_euclid(UNIT);
                if plot.horizontal.backward {
                    Bounds::new(end, y0, bounds.x1, y1)
                } else {
                    Bounds::new(bounds.x0, y0, end, y1)
                }
            } else {
                let [x0, x1] = plot.horizontal.span(i, share, bounds.x0, bounds.width());
                Bounds::new(x0, (plot.y(value as i32) + UNIT / 2).div_euclid(UNIT), x1, bounds.y1)
            };
            if bar.width() < NARROWEST || bar.height() < NARROWEST {
                return Err(cramped(format!(
                    "a bar is {}x{} pixels; raise height or values, or lower bars, series or extra",
                    bar.width(),
                    bar.height()
                )));
            }
            let colour = match content.family {
                Family::Grouped => sheet.colour(s),
                _ if sheet.style.varied => sheet.colour(i),
                _ => sheet.colour(0),
            };
            sheet.rect(Kind::Bar(s, i), bar, colour);
        }
    }
    Ok(sheet)
}
