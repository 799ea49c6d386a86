//! A scatter plot: dots with letters between two cropped axes.

use vrrl_harness_core::Error;

use super::axis;
use super::content::Side;
use super::layout::{Axes, Scale, Sheet};
use super::params::Layout;
use super::plan::{Item, Kind, Paint};
use super::scatter::{GAP, LETTER, MARGINS, RADIUS};
use crate::canvas::{box_of, Anchor, Bounds, Weight, UNIT};
use crate::look::Grid;

/// Lays out a scatter plot. Its plot is at least as large as the one in which dots were placed.
pub(crate) fn lay(mut sheet: Sheet<'_>) -> Result<Sheet<'_>, Error> {
    let (params, content) = (sheet.params, sheet.content);
    sheet.headings();
    let [across, along] = content.crop;
    let scale = |ends: [i32; 2], most: i32, backward: bool| {
        let ticks = axis::within(ends, most);
        let names = ticks.iter().map(|&tick| axis::write(tick, params.numbers)).collect();
        Scale::values(ends, ticks, names, backward)
    };
    let share = along[1] - along[0];
    let goal = along[0] + share * (35 + sheet.style.pick as i32 % 40) / 100;
    let axes = Axes {
        horizontal: scale(across, 9, params.layout == Layout::Mirrored),
        vertical: scale(along, 7, true),
        titles: [content.across.clone(), content.along.clone()],
        least: Some([
            sheet.style.width - sheet.part(MARGINS[0]),
            sheet.style.height - sheet.part(MARGINS[1]),
        ]),
        reference: (params.distractors >= 4).then_some((goal, "Goal")),
    };
    let plot = axes.lay(&mut sheet)?;
    let (radius, gap, cell) = (sheet.part(RADIUS), sheet.part(GAP), sheet.part(LETTER));
    let font = sheet.sized(cell * 4 / 5, Weight::Regular);
    for (i, dot) in content.dots.iter().enumerate() {
        let (x, y) = (plot.x(dot.x), plot.y(dot.y));
        let colour = if sheet.style.varied { sheet.colour(i) } else { sheet.colour(0) };
        let r = radius * UNIT;
        let bounds = Bounds::new(
            (x - r).div_euclid(UNIT),
            (y - r).div_euclid(UNIT),
            (x + r + UNIT - 1).div_euclid(UNIT),
            (y + r + UNIT - 1).div_euclid(UNIT),
        );
        sheet.items.push(Item {
            kind: Kind::Dot(i),
            bounds,
            paint: Paint::Disc { centre: (x, y), radius: r, colour },
        });
        let away = radius + gap + cell / 2;
        let (x, y) = (x / UNIT, y / UNIT);
        // The square is for the widest letter: others move up to their dot.
        let (at, anchor) = match dot.side.seen(params.layout) {
            Side::Right => ((x + radius + gap + 1, y), Anchor::LEFT),
            Side::Left => ((x - radius - gap, y), Anchor::RIGHT),
            Side::Above => ((x, y - away), Anchor::CENTRE),
            Side::Below => ((x, y + away), Anchor::CENTRE),
        };
        let (letter, ink) = (content.labels[i].clone(), sheet.inks.ink);
        if params.look.grid == Grid::Full {
            // Strong lines do not run through a letter.
            let behind = box_of(at, anchor, &letter, font).inset(-1);
            sheet.rect(Kind::Rule, behind, sheet.inks.paper);
        }
        sheet.text(Kind::Letter(i), at, anchor, &letter, font, ink);
    }
    Ok(sheet)
}
