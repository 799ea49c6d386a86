//! Two axes around a plot: room for their labels, turned where they would touch, ticks, grid and names.

use vrrl_harness_core::Error;

use super::scale::Scale;
use super::{cramped, Role, Sheet, SMALLEST};
use crate::canvas::{measure, Anchor, Bounds, Dash, Font, Rgb, UNIT};
use crate::chart::params::Layout;
use crate::chart::plan::Kind;
use crate::look::Grid;

/// Axes to be laid out.
pub(crate) struct Axes {
    pub horizontal: Scale,
    pub vertical: Scale,
    /// Names of the horizontal and the vertical axis.
    pub titles: [String; 2],
    /// Least width and height of the plot, where its marks need them to keep apart.
    pub least: Option<[i32; 2]>,
    /// A value with a line across the plot, on the axis that counts (the vertical one if both do), and its name.
    pub reference: Option<(i32, &'static str)>,
}

/// The plot, and what maps values to its pixels.
pub(crate) struct Plot {
    pub bounds: Bounds,
    pub horizontal: Scale,
    pub vertical: Scale,
}

impl Plot {
    /// Column of a value of the horizontal axis, in [`UNIT`]s.
    pub(crate) fn x(&self, value: i32) -> i32 {
        self.horizontal.value(value, self.bounds.x0, self.bounds.width())
    }

    /// Row of a value of the vertical axis, in [`UNIT`]s.
    pub(crate) fn y(&self, value: i32) -> i32 {
        self.vertical.value(value, self.bounds.y0, self.bounds.height())
    }
}

/// How labels of the horizontal axis stand.
#[derive(Clone, Copy)]
struct Stand {
    turn: u16,
    font: Font,
    /// Rows they take.
    height: i32,
}

/// Gaps and lengths, in pixels.
struct Gaps {
    tick: i32,
    text: i32,
    title: i32,
}

/// sin and cos of a turn, in 1024ths, rounded up.
pub(crate) fn sin_cos(turn: u16) -> (i32, i32) {
    match turn {
        0 => (0, 1024),
        15 => (266, 990),
        30 => (512, 887),
        45 => (725, 725),
        60 => (887, 512),
        75 => (990, 266),
        _ => (1024, 0),
    }
}

impl Axes {
    /// Takes the free area, draws axes and grid, and returns the plot.
    pub(crate) fn lay(self, sheet: &mut Sheet<'_>) -> Result<Plot, Error> {
        let gaps = Gaps { tick: sheet.part(8), text: sheet.part(7), title: sheet.part(10) };
        let layout = sheet.params.layout;
        let right = matches!(layout, Layout::Right | Layout::Mirrored);
        let top = layout == Layout::Top;
        let vertical_font = self.vertical_font(sheet)?;
        let widest = self.vertical.names.iter().map(|name| measure(name, vertical_font).0).max().unwrap_or(0);
        let title_font = sheet.font(Role::AxisTitle);
        let title_height = row(title_font);
        let aside = gaps.tick + gaps.text + widest + gaps.title + title_height;
        let area = sheet.area;
        let across = self.opposite(sheet, true).max(self.overhang(sheet));
        let mut plot = area;
        if right {
            plot.x1 -= aside;
            plot.x0 += across;
        } else {
            plot.x0 += aside;
            plot.x1 -= across;
        }
        let stand = self.stand(sheet, plot, top)?;
        let below = gaps.tick + gaps.text + stand.height + gaps.title + title_height;
        let above = (row(vertical_font) / 2 + 1).max(self.opposite(sheet, false));
        if top {
            plot.y0 += below;
            plot.y1 -= above;
        } else {
            plot.y1 -= below;
            plot.y0 += above;
        }
        let least = self.least.unwrap_or([sheet.style.width / 3, sheet.style.height * 2 / 5]);
        if plot.width() < least[0] || plot.height() < least[1] {
            let (width, height) = (plot.width(), plot.height());
            return Err(too_small(&format!(
                "labels and legend leave {width}x{height} pixels for the plot, which needs {}x{}",
                least[0], least[1]
            )));
        }
        self.draw(sheet, &gaps, plot, [right, top], (vertical_font, stand))?;
        Ok(Plot { bounds: plot, horizontal: self.horizontal, vertical: self.vertical })
    }

    /// The font of the vertical labels: smaller where categories stand close.
    fn vertical_font(&self, sheet: &Sheet<'_>) -> Result<Font, Error> {
        let mut font = sheet.font(Role::Label);
        if self.vertical.counts() {
            return Ok(font);
        }
        let room = sheet.area.height() * 4 / 5 / self.vertical.names.len() as i32;
        while row(font) + 2 > room {
            if i32::from(font.px) == SMALLEST {
                let n = self.vertical.names.len();
                return Err(too_small(&format!("{n} labels do not fit one above the other")));
            }
            font.px -= 1;
        }
        Ok(font)
    }

    /// Room for the reference line's name on the side without axis.
    fn opposite(&self, sheet: &Sheet<'_>, beside: bool) -> i32 {
        let Some((_, name)) = self.reference else { return 0 };
        let font = sheet.font(Role::Note);
        match (beside, self.vertical.counts()) {
            (true, true) => measure(name, font).0 + sheet.part(8),
            (false, false) => row(font) + sheet.part(8),
            _ => 0,
        }
    }

    /// How far a number under the end of the plot stands out.
    fn overhang(&self, sheet: &Sheet<'_>) -> i32 {
        if !self.horizontal.counts() {
            return sheet.part(8);
        }
        let font = sheet.font(Role::Tick);
        self.horizontal.names.iter().map(|name| measure(name, font).0 / 2 + 1).max().unwrap_or(0)
    }

    /// The least turn, then the largest font, at which labels of the horizontal axis do not touch.
    fn stand(&self, sheet: &Sheet<'_>, plot: Bounds, top: bool) -> Result<Stand, Error> {
        let base = sheet.font(Role::Label);
        let at = |i: usize| self.horizontal.label(i, plot.x0, plot.width()) / UNIT;
        let pitch = self.horizontal.pitch(plot.width());
        let names = &self.horizontal.names;
        // Every other chart goes from 0 to 45 degrees at once.
        let steep = sheet.style.framed;
        for px in (SMALLEST..=i32::from(base.px)).rev() {
            let font = Font { px: px as u16, ..base };
            let widths: Vec<i32> = names.iter().map(|name| measure(name, font).0).collect();
            let widest = widths.iter().copied().max().unwrap_or(0);
            for turn in [0, 15, 30, 45, 60, 75, 90] {
                let least = sheet.params.look.label_turn;
                // Without being asked, labels turn by 30, 45 or 90 degrees.
                let usual = least > 0 || !(turn == 30 && steep || matches!(turn, 15 | 60 | 75));
                if turn < least || !usual {
                    continue;
                }
                let (sin, cos) = sin_cos(turn);
                let height = up(widest * sin + row(font) * cos);
                let clear = if turn == 0 {
                    let gap = row(font) / 2;
                    let reach = |i: usize| (at(i) - widths[i] / 2 - 1, at(i) + widths[i] / 2 + 1);
                    let apart =
                        |i: usize, j: usize| reach(i).1 + gap <= reach(j).0 || reach(j).1 + gap <= reach(i).0;
                    (1..names.len()).all(|i| apart(i - 1, i))
                        && (0..names.len())
                            .all(|i| reach(i).0 >= sheet.area.x0 && reach(i).1 <= sheet.area.x1)
                } else {
                    let reach = |i: usize| up(widths[i] * cos + row(font) * sin);
                    pitch * sin / 1024 >= row(font) + 2
                        && (0..names.len()).all(|i| {
                            if top {
                                at(i) + reach(i) <= sheet.area.x1
                            } else {
                                at(i) - reach(i) >= sheet.area.x0
                            }
                        })
                        && height * 3 <= sheet.style.height
                };
                if clear {
                    return Ok(Stand { turn, font, height });
                }
            }
        }
        Err(too_small(&format!("{} labels do not fit side by side", names.len())))
    }

    fn draw(
        &self,
        sheet: &mut Sheet<'_>,
        gaps: &Gaps,
        plot: Bounds,
        [right, top]: [bool; 2],
        (vertical_font, stand): (Font, Stand),
    ) -> Result<(), Error> {
        sheet.watermark(plot);
        self.grid(sheet, plot);
        self.reference(sheet, plot, [right, top]);
        self.rules(sheet, gaps, plot, [right, top]);
        let (ink, title_font) = (sheet.inks.ink, sheet.font(Role::AxisTitle));
        // The vertical axis.
        let outward = if right { 1 } else { -1 };
        let edge = if right { plot.x1 } else { plot.x0 };
        let anchor = if right { Anchor::LEFT } else { Anchor::RIGHT };
        let mut outer = edge + outward * (gaps.tick + gaps.text);
        for (i, name) in self.vertical.names.iter().enumerate() {
            let y = self.vertical.label(i, plot.y0, plot.height()) / UNIT;
            let at = (edge + outward * (gaps.tick + gaps.text), y);
            let bounds = sheet.text(self.kind(&self.vertical, i), at, anchor, name, vertical_font, ink);
            outer = if right { outer.max(bounds.x1) } else { outer.min(bounds.x0) };
        }
        let (_, middle) = plot.centre();
        let at = (outer + outward * gaps.title, middle);
        let anchor = if right { Anchor::TOP } else { Anchor::BOTTOM };
        let font = sheet.fitted(&self.titles[1], title_font, sheet.area.height() * 9 / 10);
        let span = measure(&self.titles[1], font).0;
        let middle =
            middle.clamp(sheet.area.y0 + span / 2 + 1, (sheet.area.y1 - span / 2 - 1).max(sheet.area.y0));
        sheet.turned(Kind::AxisTitle, (at.0, middle), anchor, &self.titles[1], font, (90, ink));
        // The horizontal axis.
        let edge = if top { plot.y0 - gaps.tick - gaps.text } else { plot.y1 + gaps.tick + gaps.text };
        let (_, cos) = sin_cos(stand.turn);
        let lean = row(stand.font) * cos / 2048;
        for (i, name) in self.horizontal.names.iter().enumerate() {
            let x = self.horizontal.label(i, plot.x0, plot.width()) / UNIT;
            let (y, anchor) = match (stand.turn, top) {
                (0, false) => (edge, Anchor::TOP),
                (0, true) => (edge, Anchor::BOTTOM),
                (_, false) => (edge + lean, Anchor::RIGHT),
                (_, true) => (edge - lean, Anchor::LEFT),
            };
            sheet.turned(self.kind(&self.horizontal, i), (x, y), anchor, name, stand.font, (stand.turn, ink));
        }
        let away = stand.height + gaps.title;
        let (y, anchor) = if top { (edge - away, Anchor::BOTTOM) } else { (edge + away, Anchor::TOP) };
        let font = sheet.fitted(&self.titles[0], title_font, sheet.area.width() * 9 / 10);
        sheet.text(Kind::AxisTitle, (plot.centre().0, y), anchor, &self.titles[0], font, ink);
        Ok(())
    }

    fn kind(&self, scale: &Scale, i: usize) -> Kind {
        if scale.counts() {
            Kind::Tick
        } else {
            Kind::Label(i)
        }
    }

    fn grid(&self, sheet: &mut Sheet<'_>, plot: Bounds) {
        // The usual picture has light lines or none.
        let grid = match sheet.params.look.grid {
            Grid::Usual if sheet.style.lined => Grid::Light,
            Grid::Usual => Grid::None,
            grid => grid,
        };
        let colour = if grid == Grid::Full { sheet.inks.strong } else { sheet.inks.grid };
        let dash = sheet.params.look.dash();
        for (scale, vertical) in [(&self.vertical, true), (&self.horizontal, false)] {
            let wanted = match grid {
                Grid::None | Grid::Usual => false,
                // Both axes of a scatter plot count; the light grid of bars is that of their values.
                Grid::Light => scale.counts(),
                Grid::Full => true,
            };
            if !wanted {
                continue;
            }
            for i in 0..scale.names.len() {
                let points = if vertical {
                    let y = scale.label(i, plot.y0, plot.height()) / UNIT;
                    [(plot.x0, y), (plot.x1, y)]
                } else {
                    let x = scale.label(i, plot.x0, plot.width()) / UNIT;
                    [(x, plot.y0), (x, plot.y1)]
                };
                match dash {
                    Dash::Solid => straight(sheet, points, 1, colour),
                    _ => sheet.line(Kind::Rule, &points, 1, dash, colour),
                }
            }
        }
    }

    fn reference(&self, sheet: &mut Sheet<'_>, plot: Bounds, [right, top]: [bool; 2]) {
        let Some((value, name)) = self.reference else { return };
        let (colour, font, gap) = (sheet.inks.faint, sheet.font(Role::Note), sheet.part(5));
        if self.vertical.counts() {
            let y = self.vertical.value(value, plot.y0, plot.height()) / UNIT;
            sheet.line(Kind::Reference, &[(plot.x0, y), (plot.x1, y)], 1, Dash::Dashed, colour);
            let (x, anchor) =
                if right { (plot.x0 - gap, Anchor::RIGHT) } else { (plot.x1 + gap, Anchor::LEFT) };
            sheet.text(Kind::Note, (x, y), anchor, name, font, colour);
        } else {
            let x = self.horizontal.value(value, plot.x0, plot.width()) / UNIT;
            sheet.line(Kind::Reference, &[(x, plot.y0), (x, plot.y1)], 1, Dash::Dashed, colour);
            let (y, anchor) =
                if top { (plot.y1 + gap, Anchor::TOP) } else { (plot.y0 - gap, Anchor::BOTTOM) };
            sheet.text(Kind::Note, (x, y), anchor, name, font, colour);
        }
    }

    /// The lines of both axes, the frame, and a tick for each label.
    fn rules(&self, sheet: &mut Sheet<'_>, gaps: &Gaps, plot: Bounds, [right, top]: [bool; 2]) {
        let ink = sheet.inks.ink;
        let Bounds { x0, y0, x1, y1 } = plot;
        let sides = [
            (!right, [(x0, y0), (x0, y1)]),
            (right, [(x1, y0), (x1, y1)]),
            (top, [(x0, y0), (x1, y0)]),
            (!top, [(x0, y1), (x1, y1)]),
        ];
        for (axis, points) in sides {
            if axis || sheet.style.framed {
                straight(sheet, points, 1, ink);
            }
        }
        for i in 0..self.vertical.names.len() {
            let y = self.vertical.label(i, y0, plot.height()) / UNIT;
            let (from, to) = if right { (x1, x1 + gaps.tick) } else { (x0 - gaps.tick, x0) };
            straight(sheet, [(from, y), (to, y)], 1, ink);
        }
        for i in 0..self.horizontal.names.len() {
            let x = self.horizontal.label(i, x0, plot.width()) / UNIT;
            let (from, to) = if top { (y0 - gaps.tick, y0) } else { (y1, y1 + gaps.tick) };
            straight(sheet, [(x, from), (x, to)], 1, ink);
        }
    }
}

/// A line along a row or a column, as a box: sharp, and fast.
fn straight(sheet: &mut Sheet<'_>, [from, to]: [(i32, i32); 2], width: i32, colour: Rgb) {
    let bounds = Bounds::new(from.0, from.1, to.0.max(from.0 + width), to.1.max(from.1 + width));
    sheet.rect(Kind::Rule, bounds, colour);
}

/// Height of a line of text.
pub(crate) fn row(font: Font) -> i32 {
    let (_, ascent, descent) = measure("Hg", font);
    ascent + descent
}

fn up(parts: i32) -> i32 {
    (parts + 1023) / 1024
}

fn too_small(reason: &str) -> Error {
    cramped(format!("{reason}; raise height, or lower bars, dots, points, series or extra"))
}
