//! A picture under layout: what stands around a plot takes its strip, what is left is the plot's.

mod axes;
mod legend;
mod scale;

pub(super) use axes::{row, Axes};
pub(super) use legend::Key;
pub(super) use scale::Scale;

use vrrl_harness_core::Error;

use super::content::Content;
use super::params::{ChartParams, Family};
use super::plan::{Item, Kind, Paint, Plan};
use super::style::Style;
use super::{bar, dots, line, pie, words};
use crate::canvas::{box_turned, measure, Anchor, Bounds, Dash, Family as Typeface, Font, Rgb, Weight, UNIT};
use crate::look::Look;

/// Smallest type, in pixels.
const SMALLEST: i32 = 8;

/// A picture under layout.
pub(super) struct Sheet<'a> {
    pub params: &'a ChartParams,
    pub content: &'a Content,
    pub style: &'a Style,
    pub inks: Inks,
    colours: Vec<Rgb>,
    /// What is still free.
    pub area: Bounds,
    pub items: Vec<Item>,
}

/// Colours of everything but series.
#[derive(Clone, Copy)]
pub(super) struct Inks {
    pub paper: Rgb,
    pub ink: Rgb,
    /// Captions, leaders.
    pub faint: Rgb,
    /// Grid lines.
    pub grid: Rgb,
    /// Lines of a full grid.
    pub strong: Rgb,
    /// Watermarks.
    pub ghost: Rgb,
}

impl Inks {
    pub(super) fn of(look: &Look) -> Self {
        let [faint, grid, strong, ghost] = [62, 16, 45, 8].map(|percent| look.faint(percent));
        Self { paper: look.paper(), ink: look.ink(), faint, grid, strong, ghost }
    }
}

/// Roles of text, by size.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Title,
    AxisTitle,
    Label,
    Tick,
    Note,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(params: &'a ChartParams, content: &'a Content, style: &'a Style) -> Self {
        let area = Bounds { x0: 0, y0: 0, x1: style.width, y1: style.height };
        let inks = Inks::of(&params.look);
        let colours = colours(&params.look, style, content.family.has_legend());
        let mut sheet = Self { params, content, style, inks, colours, area, items: Vec::new() };
        let pad = sheet.part(24);
        sheet.area = area.inset(pad);
        sheet
    }

    /// Thousandths of the picture's height, at least one pixel.
    pub(super) fn part(&self, thousandths: i32) -> i32 {
        (self.style.height * thousandths / 1000).max(1)
    }

    /// The font of a role.
    pub(super) fn font(&self, role: Role) -> Font {
        let (thousandths, weight) = match role {
            Role::Title => (36, Weight::Bold),
            Role::AxisTitle => (29, Weight::Regular),
            Role::Label | Role::Tick => (26, Weight::Regular),
            Role::Note => (23, Weight::Regular),
        };
        self.sized(self.part(thousandths), weight)
    }

    /// A font of a usual size in pixels, at the share that the parameters ask for.
    pub(super) fn sized(&self, px: i32, weight: Weight) -> Font {
        let px = px * self.params.text as i32 / 100;
        Font { weight, ..self.params.look.font(Typeface::Sans, px.max(SMALLEST) as u16) }
    }

    /// Colour of series or mark `i`; after fifteen they repeat.
    pub(super) fn colour(&self, i: usize) -> Rgb {
        self.colours[i % self.colours.len()]
    }

    /// Adds text; its box.
    pub(super) fn text(
        &mut self,
        kind: Kind,
        at: (i32, i32),
        anchor: Anchor,
        text: &str,
        font: Font,
        colour: Rgb,
    ) -> Bounds {
        self.turned(kind, at, anchor, text, font, (0, colour))
    }

    /// Adds text that is turned counter-clockwise; the box around it.
    pub(super) fn turned(
        &mut self,
        kind: Kind,
        at: (i32, i32),
        anchor: Anchor,
        text: &str,
        font: Font,
        (turn, colour): (u16, Rgb),
    ) -> Bounds {
        let bounds = box_turned(at, anchor, text, font, turn);
        let paint = Paint::Text { at, anchor, text: text.into(), font, turn, colour };
        self.items.push(Item { kind, bounds, paint });
        bounds
    }

    /// Adds a filled box.
    pub(super) fn rect(&mut self, kind: Kind, bounds: Bounds, colour: Rgb) {
        self.items.push(Item { kind, bounds, paint: Paint::Rect(colour) });
    }

    /// Adds a line through points in pixels.
    pub(super) fn line(&mut self, kind: Kind, points: &[(i32, i32)], width: i32, dash: Dash, colour: Rgb) {
        let half = width / 2 + 1;
        let xs = points.iter().map(|point| point.0);
        let ys = points.iter().map(|point| point.1);
        let bounds = Bounds {
            x0: xs.clone().min().unwrap_or(0) - half,
            y0: ys.clone().min().unwrap_or(0) - half,
            x1: xs.max().unwrap_or(0) + half,
            y1: ys.max().unwrap_or(0) + half,
        };
        let points = points.iter().map(|&(x, y)| (x * UNIT + UNIT / 2, y * UNIT + UNIT / 2)).collect();
        self.items.push(Item {
            kind,
            bounds,
            paint: Paint::Line { points, width: width * UNIT, dash, colour },
        });
    }

    /// Title, subtitle, captions and stamp take their strips.
    pub(super) fn headings(&mut self) {
        let ink = self.inks.ink;
        let font = self.fitted(&self.content.title, self.font(Role::Title), self.area.x1 - self.area.x0);
        let title = self.content.title.clone();
        let mut strip = self.heading(&title, font, ink);
        if self.params.distractors >= 2 {
            let font = self.font(Role::Note);
            let note = words::NOTES[(self.style.pick / 8) % words::NOTES.len()];
            strip = self.heading(note, font, self.inks.faint);
        }
        self.area.y0 = strip.y1 + self.part(16);
        if self.params.distractors >= 1 {
            self.caption(words::NOTES[self.style.pick % words::NOTES.len()]);
        }
        if self.params.distractors >= 5 {
            self.stamp();
        }
    }

    fn heading(&mut self, text: &str, font: Font, colour: Rgb) -> Bounds {
        let (x, horizontal) = if self.style.flush {
            (self.area.x0, Anchor::TOP_LEFT)
        } else {
            ((self.area.x0 + self.area.x1) / 2, Anchor::TOP)
        };
        let bounds = self.text(Kind::Title, (x, self.area.y0), horizontal, text, font, colour);
        self.area.y0 = bounds.y1 + self.part(8);
        bounds
    }

    /// Words below everything else.
    fn caption(&mut self, text: &str) {
        let at = (self.area.x0, self.area.y1);
        let bounds =
            self.text(Kind::Note, at, Anchor::BOTTOM_LEFT, text, self.font(Role::Note), self.inks.faint);
        self.area.y1 = bounds.y0 - self.part(12);
    }

    /// A framed word at the right end of the caption's line.
    fn stamp(&mut self) {
        let font = self.sized(self.part(21), Weight::Bold);
        let at = (self.style.width - self.part(34), self.style.height - self.part(26));
        let ink = self.inks.faint;
        let bounds = self.text(Kind::Note, at, Anchor::BOTTOM_RIGHT, "REV 2", font, ink);
        let frame = bounds.inset(-self.part(6));
        self.items.push(Item { kind: Kind::Rule, bounds: frame, paint: Paint::Outline(1, ink) });
    }

    /// The font, smaller if need be, so that the text fits a width.
    pub(super) fn fitted(&self, text: &str, mut font: Font, width: i32) -> Font {
        while measure(text, font).0 > width && i32::from(font.px) > SMALLEST {
            font.px -= 1;
        }
        font
    }

    /// Faint large letters behind a plot.
    pub(super) fn watermark(&mut self, plot: Bounds) {
        if self.params.distractors < 3 {
            return;
        }
        let word = words::MARKS[self.style.pick % words::MARKS.len()];
        let px = (plot.y1 - plot.y0) / 3;
        let font = self.fitted(word, self.sized(px, Weight::Bold), (plot.x1 - plot.x0) * 9 / 10);
        self.text(Kind::Watermark, plot.centre(), Anchor::CENTRE, word, font, self.inks.ghost);
    }

    /// The finished picture, if everything is inside.
    pub(super) fn finish(self) -> Result<Plan, Error> {
        let (width, height) = (self.style.width, self.style.height);
        let whole = Bounds { x0: 0, y0: 0, x1: width, y1: height };
        match self.items.iter().find(|item| !whole.contains(&item.bounds)) {
            Some(item) => Err(cramped(format!(
                "{:?} leaves a picture of {width}x{height}; raise height or aspect, or lower the number of marks",
                item.kind
            ))),
            None => Ok(Plan { width, height, paper: self.inks.paper, items: self.items }),
        }
    }
}

/// What does not fit.
pub(super) fn cramped(reason: String) -> Error {
    Error::Params { task: "chart", reason }
}

/// The palette in the order of the style, without what is too near to the paper; for series each next colour is
/// the one farthest from those before, so that a legend can be read.
pub(super) fn colours(look: &Look, style: &Style, series: bool) -> Vec<Rgb> {
    /// Least sum of differences to the paper, at full contrast.
    const NEAR: u32 = 90;
    let full = Look { contrast: 100, ..look.clone() };
    let from_paper =
        |colour: Rgb| -> u32 { colour.iter().zip(full.paper()).map(|(a, b)| u32::from(a.abs_diff(b))).sum() };
    let seen = style.colours.iter().filter(|&&i| from_paper(full.series(i)) >= NEAR);
    let mut rest: Vec<Rgb> = seen.map(|&i| look.series(i)).collect();
    if !series {
        return rest;
    }
    let apart = |a: Rgb, b: Rgb| -> u32 {
        // Green counts most for the eye, blue least.
        (0..3).zip([3, 6, 2]).map(|(c, weight)| weight * u32::from(a[c].abs_diff(b[c])).pow(2)).sum()
    };
    let mut taken = vec![rest.remove(0)];
    while !rest.is_empty() {
        let near = |colour: Rgb| {
            let others = taken.iter().map(|&other| apart(colour, other)).min();
            others.unwrap_or(0).min(2 * apart(colour, look.paper()))
        };
        let best = (0..rest.len()).rev().max_by_key(|&i| near(rest[i])).unwrap_or(0);
        taken.push(rest.remove(best));
    }
    taken
}

/// Puts everything of a chart in its place.
pub(super) fn lay(params: &ChartParams, content: &Content, style: &Style) -> Result<Plan, Error> {
    let sheet = Sheet::new(params, content, style);
    let sheet = match content.family {
        Family::Bar | Family::Grouped | Family::Horizontal => bar::lay(sheet)?,
        Family::Line => line::lay(sheet)?,
        Family::Pie => pie::lay(sheet)?,
        Family::Scatter => dots::lay(sheet)?,
    };
    sheet.finish()
}
