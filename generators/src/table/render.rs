//! From a laid-out table to pixels.

use vrrl_harness_core::Image;

use super::generate::TableScene;
use super::sheet::{Piece, Rule, Sheet, Tone, PEN};
use crate::bench::Calls;
use crate::canvas::{Bounds, Dash, Picture, Rgb, UNIT};
use crate::look::Look;

/// The colour of a tone.
pub(super) fn colour(look: &Look, tone: Tone) -> Rgb {
    match tone {
        Tone::Ink => look.ink(),
        Tone::Faint(percent) => look.faint(percent),
        Tone::Tint(index, percent) => crate::look::between(look.paper(), look.series(index), percent),
    }
}

/// Draws a part of a table, or all of it.
pub(crate) fn draw(sheet: &Sheet, part: Bounds, look: &Look) -> Image {
    let mut picture = Picture::part(part, look.paper());
    for Rule { bounds, tone } in &sheet.fills {
        picture.rect(*bounds, colour(look, *tone));
    }
    if let Some(mark) = &sheet.watermark {
        text(&mut picture, mark, look);
    }
    for rule in &sheet.rules {
        draw_rule(&mut picture, rule, look);
    }
    for piece in &sheet.pieces {
        // Letters reach less than two sizes from the baseline.
        let reach = 2 * i32::from(piece.font.px);
        if piece.turned > 0 || (part.y0 - reach..part.y1 + reach).contains(&piece.at.1) {
            text(&mut picture, piece, look);
        }
    }
    picture.into_image()
}

fn text(picture: &mut Picture, piece: &Piece, look: &Look) {
    let colour = colour(look, piece.tone);
    if piece.turned == 0 {
        picture.text(piece.at, PEN, &piece.text, piece.font, colour);
    } else {
        picture.text_turned(piece.at, PEN, &piece.text, piece.font, piece.turned, colour);
    }
}

/// A rule: whole, or in strokes along its length.
fn draw_rule(picture: &mut Picture, rule: &Rule, look: &Look) {
    let (b, colour) = (rule.bounds, colour(look, rule.tone));
    let dash = look.dash();
    if dash == Dash::Solid {
        return picture.rect(b, colour);
    }
    let unit = |pixels: i32| pixels * UNIT;
    let (width, ends) = if b.width() >= b.height() {
        let y = unit(b.y0 + b.y1) / 2;
        (b.height(), [(unit(b.x0), y), (unit(b.x1), y)])
    } else {
        let x = unit(b.x0 + b.x1) / 2;
        (b.width(), [(x, unit(b.y0)), (x, unit(b.y1))])
    };
    picture.line(&ends, unit(width), dash, colour, 255);
}

/// What [`draw`] draws, said.
pub(crate) fn calls(scene: &TableScene) -> Calls {
    let (sheet, look) = (&scene.sheet, &scene.look);
    let mut calls = Calls::new(scene.size, look.paper());
    for Rule { bounds, tone } in sheet.fills.iter().chain(&sheet.rules) {
        calls.rect(*bounds, colour(look, *tone));
    }
    for piece in sheet.watermark.iter().chain(&sheet.pieces) {
        calls.text(&piece.text, piece.at, PEN, piece.font, piece.turned, colour(look, piece.tone));
    }
    calls
}

/// The bounds of a whole picture.
pub(crate) fn whole(size: [u32; 2]) -> Bounds {
    Bounds::new(0, 0, size[0] as i32, size[1] as i32)
}
