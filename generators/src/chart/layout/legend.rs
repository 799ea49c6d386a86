//! Legends: a swatch and a name for each series or slice, in a column beside the plot or in rows over or under it.

use super::{Role, Sheet};
use crate::canvas::{measure, Anchor, Bounds, Dash, Rgb, UNIT};
use crate::chart::params::Legend;
use crate::chart::plan::{Item, Kind, Paint};

/// Shapes of markers on lines, by series.
const MARKERS: usize = 6;

/// One entry.
pub(crate) struct Key {
    pub name: String,
    pub colour: Rgb,
    /// The dash of its line; boxes have none.
    pub dash: Option<Dash>,
}

impl Sheet<'_> {
    /// Takes a strip of the free area for the legend and draws it.
    pub(crate) fn legend(&mut self, keys: &[Key]) {
        let font = self.font(Role::Label);
        let (row, gap) = (super::row(font) + self.part(8), self.part(10));
        // A line needs more room to show its dash.
        let swatch = if keys.iter().any(|key| key.dash.is_some()) { self.part(56) } else { self.part(28) };
        let widths: Vec<i32> = keys.iter().map(|key| swatch + gap + measure(&key.name, font).0).collect();
        let widest = widths.iter().copied().max().unwrap_or(0);
        let area = self.area;
        let between = self.part(28);
        let places: Vec<(i32, i32)> = match self.style.legend {
            Legend::Right | Legend::Left => {
                let x = if self.style.legend == Legend::Right { area.x1 - widest } else { area.x0 };
                let top = area.y0 + (area.height() - row * keys.len() as i32).max(0) / 3;
                if self.style.legend == Legend::Right {
                    self.area.x1 -= widest + between;
                } else {
                    self.area.x0 += widest + between;
                }
                (0..keys.len() as i32).map(|i| (x, top + i * row)).collect()
            }
            Legend::Top | Legend::Bottom => {
                let rows = wrapped(&widths, between, area.width());
                let height = rows.len() as i32 * row;
                let top = if self.style.legend == Legend::Top {
                    self.area.y0 += height + self.part(6);
                    area.y0
                } else {
                    self.area.y1 -= height + self.part(10);
                    area.y1 - height
                };
                let mut places = Vec::new();
                for (r, (first, last)) in (0..).zip(rows) {
                    let wide: i32 =
                        widths[first..last].iter().map(|width| width + between).sum::<i32>() - between;
                    let mut x = area.x0 + (area.width() - wide).max(0) / 2;
                    for width in &widths[first..last] {
                        places.push((x, top + r * row));
                        x += width + between;
                    }
                }
                places
            }
        };
        for (i, (key, (x, y))) in keys.iter().zip(places).enumerate() {
            let middle = y + row / 2;
            self.swatch(i, key, Bounds::new(x, middle - self.part(11), x + swatch, middle + self.part(11)));
            self.text(
                Kind::Entry(i),
                (x + swatch + gap, middle),
                Anchor::LEFT,
                &key.name,
                font,
                self.inks.ink,
            );
        }
    }

    fn swatch(&mut self, i: usize, key: &Key, bounds: Bounds) {
        let Some(dash) = key.dash else {
            self.rect(Kind::Swatch(i), bounds, key.colour);
            return;
        };
        let middle = bounds.centre();
        let ends = [(bounds.x0, middle.1), (bounds.x1, middle.1)];
        self.line(Kind::Swatch(i), &ends, self.part(5).max(2), dash, key.colour);
        let centre = (middle.0 * UNIT + UNIT / 2, middle.1 * UNIT);
        self.marker(Kind::Rule, i, centre, self.part(9).max(3), key.colour);
    }

    /// The marker of series `i` at a point in [`UNIT`]s; `radius` in pixels.
    pub(crate) fn marker(&mut self, kind: Kind, i: usize, (x, y): (i32, i32), radius: i32, colour: Rgb) {
        let r = radius * UNIT;
        let bounds = Bounds::new((x - r) / UNIT, (y - r) / UNIT, (x + r) / UNIT + 1, (y + r) / UNIT + 1);
        let corners = |parts: &[(i32, i32)]| {
            let corners = parts.iter().map(|&(dx, dy)| (x + dx * r / 100, y + dy * r / 100)).collect();
            Paint::Polygon { corners, colour }
        };
        let paint = match i % MARKERS {
            0 => Paint::Disc { centre: (x, y), radius: r, colour },
            1 => corners(&[(-90, -90), (90, -90), (90, 90), (-90, 90)]),
            2 => corners(&[(0, -100), (100, 85), (-100, 85)]),
            3 => corners(&[(0, -100), (100, 0), (0, 100), (-100, 0)]),
            4 => corners(&[(0, 100), (100, -85), (-100, -85)]),
            _ => corners(&[
                (-40, -100),
                (40, -100),
                (40, -40),
                (100, -40),
                (100, 40),
                (40, 40),
                (40, 100),
                (-40, 100),
                (-40, 40),
                (-100, 40),
                (-100, -40),
                (-40, -40),
            ]),
        };
        self.items.push(Item { kind, bounds, paint });
    }
}

/// Runs of widths that fit a row.
fn wrapped(widths: &[i32], between: i32, room: i32) -> Vec<(usize, usize)> {
    let mut rows = Vec::new();
    let (mut first, mut used) = (0, 0);
    for (i, width) in widths.iter().enumerate() {
        if i > first && used + width > room {
            rows.push((first, i));
            (first, used) = (i, 0);
        }
        used += width + between;
    }
    rows.push((first, widths.len()));
    rows
}
