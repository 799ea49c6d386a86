//! A table with every piece of it in its place; pixels throughout.

use crate::canvas::{measure, Anchor, Bounds, Family, Font};
use crate::look::Look;

/// What a box holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A value, with what belongs to it.
    Cell,
    /// Header of a line.
    RowHeader,
    /// Header of a column.
    ColumnHeader,
    /// Header of a group of rows.
    RowSpan,
    /// Header of a group of columns.
    ColumnSpan,
    /// What stands above the row headers.
    Corner,
    /// The table's own caption.
    Caption,
    /// A footnote.
    Note,
    /// Text that has nothing to do with the table.
    Distractor,
    /// No text: what may touch its like, but nothing else.
    #[cfg(test)]
    Rule,
}

/// How dark something is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    Ink,
    /// Percent of the way from paper to ink.
    Faint(u8),
    /// Percent of the way from paper to a colour of the palette.
    Tint(usize, u8),
}

/// A line of text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    pub text: String,
    pub font: Font,
    /// Where its baseline starts.
    pub at: (i32, i32),
    /// Degrees, about that point.
    pub turned: u16,
    pub tone: Tone,
}

/// A straight rule: a box as thick as the rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rule {
    pub bounds: Bounds,
    pub tone: Tone,
}

/// Everything that is drawn, and the boxes of what is read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sheet {
    /// Drawn first.
    pub fills: Vec<Rule>,
    /// Drawn behind all text, and not meant to be read.
    pub watermark: Option<Piece>,
    pub rules: Vec<Rule>,
    pub pieces: Vec<Piece>,
    /// Headers of the lines from top to bottom, and of their groups.
    pub down: Vec<Bounds>,
    pub down_groups: Vec<Bounds>,
    /// Headers of the columns in the order of the content, and of their groups.
    pub across: Vec<Bounds>,
    pub across_groups: Vec<Bounds>,
    /// Line by line.
    pub cells: Vec<Bounds>,
    /// Corner, caption, notes, distractors.
    pub rest: Vec<(Kind, Bounds)>,
}

impl Sheet {
    /// Every box of text and what it holds.
    pub(crate) fn boxes(&self) -> Vec<(Kind, Bounds)> {
        let of = |kind, boxes: &[Bounds]| boxes.iter().map(move |&b| (kind, b)).collect::<Vec<_>>();
        let mut all = of(Kind::RowHeader, &self.down);
        all.extend(of(Kind::RowSpan, &self.down_groups));
        all.extend(of(Kind::ColumnHeader, &self.across));
        all.extend(of(Kind::ColumnSpan, &self.across_groups));
        all.extend(of(Kind::Cell, &self.cells));
        all.extend(self.rest.iter().copied());
        all
    }

    /// Moves everything.
    pub(crate) fn shift(&mut self, dx: i32, dy: i32) {
        for rule in self.fills.iter_mut().chain(&mut self.rules) {
            rule.bounds = rule.bounds.moved(dx, dy);
        }
        for piece in self.pieces.iter_mut().chain(&mut self.watermark) {
            piece.at = (piece.at.0 + dx, piece.at.1 + dy);
        }
        let lists = [
            &mut self.down,
            &mut self.down_groups,
            &mut self.across,
            &mut self.across_groups,
            &mut self.cells,
        ];
        let rest = self.rest.iter_mut().map(|(_, b)| b);
        for b in lists.into_iter().flatten().chain(rest) {
            *b = b.moved(dx, dy);
        }
    }

    /// Sets a text whose baseline starts at a point; returns its box.
    pub(crate) fn set(&mut self, text: &str, font: Font, at: (i32, i32)) -> Bounds {
        let (width, ascent, descent) = measure(text, font);
        self.pieces.push(Piece { text: text.into(), font, at, turned: 0, tone: Tone::Ink });
        Bounds::new(at.0, at.1 - ascent, at.0 + width, at.1 + descent)
    }

    /// Draws a rule.
    pub(crate) fn rule(&mut self, bounds: Bounds, tone: Tone) {
        self.rules.push(Rule { bounds, tone });
    }
}

/// Where a piece's [`Piece::at`] is.
pub(crate) const PEN: Anchor = Anchor::BASE_LEFT;

/// Fonts and distances that follow from the size of the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Type {
    pub body: Font,
    pub bold: Font,
    /// Footnote marks, and what follows ± where it is set low.
    pub script: Font,
    pub ascent: i32,
    pub descent: i32,
    /// By how much marks are raised.
    pub raise: i32,
    /// Between lines of cells.
    pub pad: i32,
    /// Between columns.
    pub gap: i32,
    /// Thickness of rules: heavy and thin.
    pub heavy: i32,
    pub thin: i32,
}

impl Type {
    pub(crate) fn new(look: &Look, text: u16, spacing: u32) -> Self {
        let body = look.font(Family::Serif, text);
        let bold = body.bold();
        let script = body.sized((text * 7 / 10).max(8));
        let extent = |font| {
            let (_, ascent, descent) = measure("", font);
            [ascent, descent]
        };
        let (all, script_extent) = ([body, bold, body.italic()].map(extent), extent(script));
        let most = |side: usize| all.iter().map(|extent| extent[side]).max().unwrap_or(0);
        let px = i32::from(text);
        let spaced = |percent: i32| px * percent * spacing as i32 / 10_000;
        let raise = px * 30 / 100;
        let thin = (px / 18).max(1);
        Self {
            body,
            bold,
            script,
            ascent: most(0).max(script_extent[0] + raise),
            descent: most(1),
            raise,
            // A rule fits between any two lines.
            pad: spaced(34).max(2 * thin),
            gap: spaced(125).max(px / 3),
            heavy: (px / 9).max(2),
            thin,
        }
    }

    /// Height of a line without space around it.
    pub(crate) fn line(&self) -> i32 {
        self.ascent + self.descent
    }
}

/// Width of a text.
pub(crate) fn width(text: &str, font: Font) -> i32 {
    if text.is_empty() {
        return 0;
    }
    measure(text, font).0
}
