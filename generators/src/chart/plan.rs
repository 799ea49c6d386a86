//! A chart with everything in its place: what is drawn, in order, and the box of each thing.

use crate::bench::Calls;
use crate::canvas::{Across, Anchor, Bounds, Dash, Font, Picture, Rgb, UNIT};

/// What a box holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Title or subtitle.
    Title,
    /// Name of an axis.
    AxisTitle,
    /// Number of an axis.
    Tick,
    /// Category label (its index).
    Label(usize),
    /// Letter of a dot.
    Letter(usize),
    /// Name in a legend, of a series or of a slice, and the swatch before it.
    Entry(usize),
    Swatch(usize),
    /// Caption, watermark, reference line and its name, stamp.
    Note,
    Watermark,
    Reference,
    /// The bar or the point of a series and a label.
    Bar(usize, usize),
    Point(usize, usize),
    Dot(usize),
    /// The truth box of a slice.
    Slice(usize),
    /// Lines of axes and grid, the lines of series, whole slices, leaders.
    Rule,
    Series(usize),
    Sector(usize),
}

#[cfg(test)]
impl Kind {
    /// Whether it is text that must not touch other text.
    pub(crate) fn is_text(self) -> bool {
        matches!(
            self,
            Self::Title
                | Self::AxisTitle
                | Self::Tick
                | Self::Label(_)
                | Self::Letter(_)
                | Self::Entry(_)
                | Self::Note
        )
    }

    /// Whether it is a mark that text must not hide.
    pub(crate) fn is_mark(self) -> bool {
        matches!(self, Self::Bar(..) | Self::Point(..) | Self::Dot(_) | Self::Slice(_) | Self::Swatch(_))
    }
}

/// How it is drawn; coordinates of `Line`, `Disc` and `Polygon` in eighths of a pixel.
#[derive(Clone, Debug)]
pub(crate) enum Paint {
    /// Nothing: only a box.
    Nothing,
    Rect(Rgb),
    Outline(i32, Rgb),
    Line {
        points: Vec<(i32, i32)>,
        width: i32,
        dash: Dash,
        colour: Rgb,
    },
    Disc {
        centre: (i32, i32),
        radius: i32,
        colour: Rgb,
    },
    Polygon {
        corners: Vec<(i32, i32)>,
        colour: Rgb,
    },
    /// Text of the small canvas, in the top left corner of its box; in letters
    /// of another size it keeps one edge.
    Tiny {
        text: String,
        across: Across,
        colour: Rgb,
    },
    Text {
        at: (i32, i32),
        anchor: Anchor,
        text: String,
        font: Font,
        turn: u16,
        colour: Rgb,
    },
}

/// One thing of a picture.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub kind: Kind,
    pub bounds: Bounds,
    pub paint: Paint,
}

/// Everything of a picture, in the order it is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub width: i32,
    pub height: i32,
    pub paper: Rgb,
    pub items: Vec<Item>,
}

impl Plan {
    /// The box of a thing.
    pub(crate) fn find(&self, kind: Kind) -> Option<Bounds> {
        self.items.iter().find(|item| item.kind == kind).map(|item| item.bounds)
    }

    /// Draws everything.
    pub(crate) fn draw(&self) -> Picture {
        let mut picture = Picture::new(self.width as u32, self.height as u32, self.paper);
        self.draw_on(&mut picture);
        picture
    }

    /// Draws what a part of the picture shows.
    pub(crate) fn part(&self, part: Bounds) -> Picture {
        let mut picture = Picture::part(part, self.paper);
        self.draw_on(&mut picture);
        picture
    }

    fn draw_on(&self, picture: &mut Picture) {
        let seen = picture.bounds();
        for item in self.items.iter().filter(|item| item.bounds.intersects(&seen)) {
            match &item.paint {
                Paint::Nothing => {}
                Paint::Rect(colour) => picture.rect(item.bounds, *colour),
                Paint::Outline(width, colour) => picture.outline(item.bounds, *width, *colour),
                Paint::Line { points, width, dash, colour } => {
                    picture.line(points, *width, *dash, *colour, u8::MAX);
                }
                Paint::Disc { centre, radius, colour } => picture.disc(*centre, *radius, *colour, u8::MAX),
                Paint::Polygon { corners, colour } => picture.polygon(corners, *colour, u8::MAX),
                Paint::Tiny { text, colour, .. } => {
                    picture.tiny((item.bounds.x0, item.bounds.y0), text, *colour);
                }
                Paint::Text { at, anchor, text, font, turn, colour } => {
                    picture.text_turned(*at, *anchor, text, *font, *turn, *colour);
                }
            }
        }
    }

    /// What the picture is made of, for other libraries to draw.
    pub(crate) fn calls(&self) -> Calls {
        let mut calls = Calls::new([self.width as u32, self.height as u32], self.paper);
        let pixels = |&(x, y): &(i32, i32)| [x, y].map(|v| f64::from(v) / f64::from(UNIT));
        for item in &self.items {
            let b = item.bounds;
            match &item.paint {
                Paint::Nothing | Paint::Tiny { .. } => {}
                Paint::Rect(colour) => calls.rect(b, *colour),
                Paint::Outline(width, colour) => {
                    let inner = b.inset(*width);
                    calls.rect(Bounds { y1: inner.y0, ..b }, *colour);
                    calls.rect(Bounds { y0: inner.y1, ..b }, *colour);
                    calls.rect(Bounds { x1: inner.x0, ..b }, *colour);
                    calls.rect(Bounds { x0: inner.x1, ..b }, *colour);
                }
                Paint::Line { points, width, colour, .. } => {
                    let width = f64::from(*width) / f64::from(UNIT);
                    calls.lines.push((points.iter().map(pixels).collect(), width, *colour));
                }
                Paint::Disc { centre, radius, colour } => {
                    calls.discs.push((pixels(centre), f64::from(*radius) / f64::from(UNIT), *colour));
                }
                Paint::Polygon { corners, colour } => {
                    calls.polygons.push((corners.iter().map(pixels).collect(), *colour));
                }
                Paint::Text { at, anchor, text, font, turn, colour } => {
                    calls.text(text, *at, *anchor, *font, *turn, *colour);
                }
            }
        }
        calls
    }
}
