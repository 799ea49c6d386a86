//! The picture around a table: caption, notes, what does not belong to it, margins; and how it all gets its size.

use vrrl_harness_core::{Error, Rng, Seed};

use super::content::Content;
use super::layout::Plan;
use super::params::{wrong, CaptionPlace, TableParams, LEGIBLE};
use super::prose;
use super::sheet::{width, Kind, Piece, Sheet, Tone, Type, PEN};
use super::style::Style;
use crate::canvas::{box_turned, Family, Font};

/// Lays out the table of this content; the text shrinks, within what is legible, where the picture's size is given.
pub(crate) fn page(params: &TableParams, content: &Content, seed: Seed) -> Result<(Sheet, [u32; 2]), Error> {
    let style = Style::new(params, content, seed);
    let mut text = params.text;
    loop {
        let page = Page::new(params, content, &style, text, seed);
        let needed = [page.size[0] as u32, page.size[1] as u32];
        let given = [("width", params.width), ("height", params.height)];
        let short = given
            .into_iter()
            .zip(needed)
            .find(|((_, given), needed)| given.is_some_and(|given| given < *needed));
        let Some(((key, _), needed)) = short else { return Ok(page.finish(params, &style, seed)) };
        if text > LEGIBLE {
            text -= 1;
            continue;
        }
        let [rows, columns] = content.size();
        return Err(wrong(format!(
            "{key} is {} pixels, but this table of {rows} rows and {columns} columns needs {needed} at {LEGIBLE} pixels of \
             text (seed {seed}); raise {key}, or ask for fewer rows and columns",
            given.into_iter().find_map(|(name, given)| given.filter(|_| name == key)).unwrap_or(0)
        )));
    }
}

/// A table with everything around it, its margins still missing.
struct Page {
    sheet: Sheet,
    /// With the least margins.
    size: [i32; 2],
    ty: Type,
}

/// Least distance from the picture's border.
const MARGIN: i32 = 8;

impl Page {
    fn new(params: &TableParams, content: &Content, style: &Style, text: u16, seed: Seed) -> Self {
        let plan = Plan::new(content, params, style, text);
        let (mut table, [across, height]) = plan.table();
        let ty = plan.ty;
        let text_width = across.max(18 * i32::from(ty.body.px));
        let mut column = TextColumn { sheet: Sheet::default(), ty, width: text_width, y: 0 };
        let mut rng = seed.derive("table distractors", 0).rng();
        column.before(params.distractors, &mut rng);
        if style.caption_place == CaptionPlace::Above {
            column.caption(&style.caption);
            column.space(50);
        }
        let inset = (text_width - across) / 2;
        table.shift(inset, column.y);
        column.y += height;
        column.take(table);
        if content.marked.contains(&true) || content.cells.iter().flatten().any(|cell| cell.mark) {
            column.space(25);
            column.lines(&format!("{} {}", style.mark, style.note), ty.script_text(), inset, Kind::Note);
        }
        if style.caption_place == CaptionPlace::Below {
            column.space(60);
            column.caption(&style.caption);
        }
        column.after(params.distractors, &mut rng);
        let size = [text_width + 2 * MARGIN, column.y + 2 * MARGIN];
        Self { sheet: column.sheet, size, ty }
    }

    /// Gives the page its margins, or its place on a picture of given size.
    fn finish(mut self, params: &TableParams, style: &Style, seed: Seed) -> (Sheet, [u32; 2]) {
        let mut size = [0; 2];
        let mut corner = [0; 2];
        for (axis, given) in [params.width, params.height].into_iter().enumerate() {
            let content = self.size[axis] - 2 * MARGIN;
            (size[axis], corner[axis]) = match given {
                None => (content + 2 * style.margin[axis], style.margin[axis]),
                Some(given) => {
                    let room = given as i32 - self.size[axis];
                    (
                        given as i32,
                        MARGIN + super::content::share(style.place[axis], room as usize + 1) as i32,
                    )
                }
            };
        }
        self.sheet.shift(corner[0], corner[1]);
        if params.watermark > 0 {
            self.sheet.watermark = Some(watermark(size, self.ty.body, params.watermark, seed));
        }
        (self.sheet, size.map(|pixels| pixels as u32))
    }
}

impl Type {
    /// Notes below a table.
    fn script_text(&self) -> Font {
        self.body.sized((self.body.px * 17 / 20).max(9))
    }
}

/// Text set line below line.
struct TextColumn {
    sheet: Sheet,
    ty: Type,
    width: i32,
    y: i32,
}

impl TextColumn {
    /// Leaves free so many percent of the text's size.
    fn space(&mut self, percent: i32) {
        self.y += i32::from(self.ty.body.px) * percent / 100;
    }

    /// Takes over a table.
    fn take(&mut self, table: Sheet) {
        let before = std::mem::replace(&mut self.sheet, table);
        self.sheet.pieces.splice(0..0, before.pieces);
        self.sheet.rest.splice(0..0, before.rest);
    }

    /// Sets a text in as many lines as it takes.
    fn lines(&mut self, text: &str, font: Font, x: i32, kind: Kind) {
        for line in wrapped(text, font, self.width - x) {
            self.line(&line, font, x, kind);
        }
    }

    fn line(&mut self, text: &str, font: Font, x: i32, kind: Kind) {
        let ascent = crate::canvas::measure("", font).1;
        let text = self.sheet.set(text, font, (x, self.y + ascent));
        self.sheet.rest.push((kind, text));
        self.y = text.y1 + 2;
    }

    fn centred(&mut self, text: &str, font: Font, kind: Kind) {
        let x = (self.width - width(text, font)) / 2;
        self.line(text, font, x.max(0), kind);
    }

    /// One line stands in the middle; more begin on the left.
    fn caption(&mut self, text: &str) {
        let font = self.ty.body;
        if width(text, font) <= self.width {
            self.centred(text, font, Kind::Caption);
        } else {
            self.lines(text, font, 0, Kind::Caption);
        }
    }

    /// A paragraph of about three lines.
    fn paragraph(&mut self, rng: &mut Rng) {
        let per_line = 2 * self.width / i32::from(self.ty.body.px);
        let text = prose::paragraph(per_line.clamp(30, 400) as usize * 2, rng);
        self.lines(&text, self.ty.body, 0, Kind::Distractor);
    }

    /// Foreign text above: a running head, a paragraph. Which pieces there are grows with their number, and each
    /// has its own draws.
    fn before(&mut self, pieces: u32, rng: &mut Rng) {
        let mut parts: Vec<Rng> = (0..2).map(|_| Seed(rng.next_u64()).rng()).collect();
        if pieces >= 3 {
            let text = prose::running_head(&mut parts[0]);
            self.centred(text, self.ty.script_text().italic(), Kind::Distractor);
            self.space(80);
        }
        if pieces >= 2 {
            self.paragraph(&mut parts[1]);
            self.space(120);
        }
    }

    /// Foreign text below: a paragraph, the caption of a figure, a heading with another paragraph.
    fn after(&mut self, pieces: u32, rng: &mut Rng) {
        let mut parts: Vec<Rng> = (0..3).map(|_| Seed(rng.next_u64()).rng()).collect();
        if pieces >= 4 {
            self.space(120);
            self.caption(&prose::figure(&mut parts[1]));
        }
        if pieces >= 5 {
            self.space(80);
            let heading = prose::heading(&mut parts[2]);
            self.lines(&heading, self.ty.bold, 0, Kind::Distractor);
            self.space(20);
        }
        if pieces >= 1 {
            self.space(if pieces >= 5 { 0 } else { 100 });
            self.paragraph(&mut parts[0]);
        }
    }
}

/// Cuts a text at blanks into lines no wider than a width, except for single words.
fn wrapped(text: &str, font: Font, most: i32) -> Vec<String> {
    let blank = width("n n", font) - width("nn", font);
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in text.split(' ') {
        let own = width(word, font);
        match lines.last_mut() {
            // One pixel a word for rounding.
            Some(line) if used + blank + own < most => {
                line.push(' ');
                line.push_str(word);
                used += blank + own + 1;
            }
            _ => {
                lines.push(word.into());
                used = own;
            }
        }
    }
    lines
}

/// A word across the picture, as large as fits.
fn watermark(size: [i32; 2], body: Font, percent: u32, seed: Seed) -> Piece {
    let mut rng = seed.derive("table watermark", 0).rng();
    let text = prose::watermark(&mut rng);
    let turned = *rng.choose(&[30, 45]);
    let font = |px| Font::new(Family::Sans, px).bold();
    let fits = |px| {
        let ink = box_turned((0, 0), PEN, text, font(px), turned);
        ink.width() <= size[0] * 9 / 10 && ink.height() <= size[1] * 9 / 10
    };
    let least = body.px;
    let px = (least..=Font::LARGEST).rev().step_by(8).find(|&px| fits(px)).unwrap_or(least);
    let ink = box_turned((0, 0), PEN, text, font(px), turned);
    let at = ((size[0] - ink.width()) / 2 - ink.x0, (size[1] - ink.height()) / 2 - ink.y0);
    Piece { text: text.into(), font: font(px), at, turned, tone: Tone::Faint(percent as u8) }
}
