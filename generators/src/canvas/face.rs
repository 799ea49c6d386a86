//! The vendored fonts: which letters there are, how wide they are, and their coverage, kept once drawn.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use ttf_parser::{GlyphId, OutlineBuilder};

use super::fill::{Fill, Window, GRID};
use super::text::{Family, Font, Weight};

/// Every letter that can be drawn beside ASCII, in the order of their numbers.
const EXTRA: &str = "§°±²³µ¶·¹ÄÉÖ×Üßàáâäçèéêíñóôö÷øüΓΔΘΛΣΦΨΩαβγδεθκλμπρσφχω–—‘’“”†‡•…€←↑→↓−∗√∞≈≤≥★";

/// The files, in the order of [`regular`].
const FILES: [&[u8]; 11] = [
    include_bytes!("fonts/serif.otf"),
    include_bytes!("fonts/serif-bold.otf"),
    include_bytes!("fonts/serif-italic.otf"),
    include_bytes!("fonts/sans.ttf"),
    include_bytes!("fonts/sans-bold.ttf"),
    include_bytes!("fonts/mono.ttf"),
    include_bytes!("fonts/mono-bold.ttf"),
    include_bytes!("fonts/slab.ttf"),
    include_bytes!("fonts/slab-bold.ttf"),
    include_bytes!("fonts/hand.ttf"),
    include_bytes!("fonts/hand-bold.ttf"),
];

/// Where a letter that its own font lacks is taken from: sans, which has all, and its bold form.
const SPARE: [usize; 2] = [3, 4];

/// Where a family begins in [`FILES`].
const fn regular(family: Family) -> usize {
    match family {
        Family::Serif => 0,
        Family::Sans => 3,
        Family::Mono => 5,
        Family::Slab => 7,
        Family::Hand => 9,
    }
}

/// One letter of a font; lengths in parts of `em`, y upwards.
pub(super) struct Letter {
    file: usize,
    id: GlyphId,
    em: i32,
    advance: i32,
    /// Left, bottom, right, top; all 0 for a blank.
    ink: [i32; 4],
}

/// A font at any size.
pub(super) struct Face {
    letters: Vec<Letter>,
    /// By how much pairs of ASCII letters move together, in parts of `em`, the second letter running fastest.
    kerns: Vec<i16>,
    /// Whether italic is made by slanting the upright.
    slanted: bool,
    /// Highest and lowest ink of all letters, and height of `H`, in 2^14ths of the size.
    rise: i32,
    fall: i32,
    capital: i32,
}

impl Face {
    /// The face of a font; loaded once.
    pub(super) fn of(font: Font) -> &'static Self {
        static FACES: [OnceLock<Face>; 20] = [const { OnceLock::new() }; 20];
        let bold = usize::from(font.weight == Weight::Bold);
        let at = font.family as usize * 4 + bold * 2 + usize::from(font.italic);
        FACES[at].get_or_init(|| Self::load(font, bold))
    }

    fn load(font: Font, bold: usize) -> Self {
        let cut = font.family == Family::Serif && font.italic && bold == 0;
        let file = if cut { 2 } else { regular(font.family) + bold };
        let sources = [file, SPARE[bold]];
        let letters: Vec<Letter> = letters().map(|c| Letter::find(c, &sources)).collect();
        let part = |letter: &Letter, y: i32| (i64::from(y) << 14).div_euclid(i64::from(letter.em)) as i32;
        let rise = letters.iter().map(|l| part(l, l.ink[3]) + 1).max().unwrap_or(0);
        let fall = letters.iter().map(|l| part(l, -l.ink[1]) + 1).max().unwrap_or(0);
        let capital = &letters[index('H').expect("H is ASCII")];
        let capital = part(capital, capital.ink[3]);
        let kerns = kerns(parsed(file), &letters[..ASCII]);
        Self { letters, kerns, slanted: font.italic && !cut, rise, fall, capital }
    }

    /// Pixels from the baseline to the highest and the lowest ink of any letter, rounded up.
    pub(super) fn extent(&self, px: u16) -> (i32, i32) {
        let up = |part: i32| (i32::from(px) * part + (1 << 14) - 1) >> 14;
        (up(self.rise), up(self.fall))
    }

    /// Height of a capital in [`GRID`]s.
    pub(super) fn capital(&self, px: u16) -> i32 {
        (i32::from(px) * self.capital) >> (14 - GRID.trailing_zeros())
    }

    /// What the pen moves between two letters beside the first one's width, in [`GRID`]s.
    pub(super) fn kern(&self, first: usize, second: usize, px: u16) -> i32 {
        if first >= ASCII || second >= ASCII {
            return 0;
        }
        match self.kerns[first * ASCII + second] {
            0 => 0,
            kern => scale(i32::from(kern), self.letters[first].em, px),
        }
    }

    /// Width of a letter in [`GRID`]s, and where its ink begins and ends, measured from the pen.
    pub(super) fn advance(&self, letter: usize, px: u16) -> (i32, i32, i32) {
        let letter = &self.letters[letter];
        let grid = |v: i32| scale(v, letter.em, px);
        let [left, bottom, right, top] = letter.ink.map(grid);
        let lean = |y: i32| if self.slanted { y / 5 } else { 0 };
        (grid(letter.advance), left + lean(bottom).min(0) - 1, right + lean(top).max(0) + 1)
    }
}

/// Parts of `em` to [`GRID`]s, rounded.
fn scale(v: i32, em: i32, px: u16) -> i32 {
    let (v, em) = (i64::from(v) * i64::from(px) * i64::from(GRID), i64::from(em));
    (2 * v + em).div_euclid(2 * em) as i32
}

/// Letters of ASCII, which come first.
const ASCII: usize = 95;

fn kerns(face: &ttf_parser::Face<'_>, letters: &[Letter]) -> Vec<i16> {
    let Some(table) = face.tables().kern else { return vec![0; ASCII * ASCII] };
    let kern = |a: &Letter, b: &Letter| {
        let mut found = table.subtables.into_iter().filter(|t| t.horizontal && !t.has_cross_stream);
        found.find_map(|t| t.glyphs_kerning(a.id, b.id)).unwrap_or(0)
    };
    letters.iter().flat_map(|a| letters.iter().map(move |b| kern(a, b))).collect()
}

/// All letters, in the order of their places.
fn letters() -> impl Iterator<Item = char> {
    (' '..='~').chain(EXTRA.chars())
}

/// The place of a character among the letters.
pub(super) fn index(c: char) -> Option<usize> {
    static EXTRAS: OnceLock<Vec<char>> = OnceLock::new();
    match c {
        ' '..='~' => Some(c as usize - ' ' as usize),
        '\u{a0}' => Some(0),
        _ => EXTRAS.get_or_init(|| EXTRA.chars().collect()).binary_search(&c).ok().map(|at| at + ASCII),
    }
}

impl Letter {
    fn find(c: char, sources: &[usize]) -> Self {
        let (file, id) = sources
            .iter()
            .find_map(|&file| Some((file, parsed(file).glyph_index(c)?)))
            .expect("the sans face has every letter");
        let face = parsed(file);
        let ink = face.glyph_bounding_box(id).map_or([0; 4], |r| [r.x_min, r.y_min, r.x_max, r.y_max]);
        Self {
            file,
            id,
            em: i32::from(face.units_per_em()),
            advance: i32::from(face.glyph_hor_advance(id).unwrap_or(0)),
            ink: ink.map(i32::from),
        }
    }
}

fn parsed(file: usize) -> &'static ttf_parser::Face<'static> {
    static PARSED: [OnceLock<ttf_parser::Face<'static>>; FILES.len()] =
        [const { OnceLock::new() }; FILES.len()];
    PARSED[file].get_or_init(|| {
        ttf_parser::Face::parse(FILES[file], 0).expect("vendored fonts are whole, a test reads them all")
    })
}

/// Coverage of a letter in sixteenths, row-major, cut to its ink.
pub(super) struct Mask {
    /// Left column and top row, from the pixel that the pen stands in.
    pub at: (i32, i32),
    /// Pixels a row; 0 for a blank.
    pub width: usize,
    /// The rows.
    pub coverage: Vec<u8>,
}

/// How text is turned and how it stands between pixels: quarters to the right and down.
type Phase = [u8; 2];

/// Letters of one font and angle that were drawn.
pub(super) struct Page {
    face: &'static Face,
    font: Font,
    /// Cosine and sine in 2^14ths.
    turn: (i32, i32),
    masks: Vec<Option<Mask>>,
    bytes: usize,
}

impl Page {
    fn new(font: Font, turn: (i32, i32)) -> Self {
        let face = Face::of(font);
        let phases = if turn.1 == 0 { 4 } else { 16 };
        let masks = std::iter::repeat_with(|| None).take(face.letters.len() * phases).collect();
        Self { face, font, turn, masks, bytes: 0 }
    }

    /// The coverage of a letter; a first time draws it.
    pub(super) fn mask(&mut self, letter: usize, [right, down]: Phase) -> &Mask {
        let phase = usize::from(right) + 4 * usize::from(down);
        let at = phase * self.face.letters.len() + letter;
        let Self { face, font, turn, masks, bytes } = self;
        masks[at].get_or_insert_with(|| {
            let mask = draw(face, letter, font.px, *turn, [right, down]);
            *bytes += mask.coverage.len() + 64;
            mask
        })
    }
}

/// Bytes of coverage a thread keeps; about 20,000 letters at the size of text.
const KEPT: usize = 4 << 20;

/// Gives the drawn letters of a font to `work`. Every thread keeps its own.
pub(super) fn with_page<T>(font: Font, turn: (i32, i32), work: impl FnOnce(&mut Page) -> T) -> T {
    type Pages = BTreeMap<(Font, (i32, i32)), Page>;
    thread_local! {
        static PAGES: RefCell<(Pages, usize)> = RefCell::default();
    }
    PAGES.with_borrow_mut(|(pages, kept)| {
        if *kept > KEPT {
            pages.clear();
            *kept = 0;
        }
        let page = pages.entry((font, turn)).or_insert_with(|| {
            let page = Page::new(font, turn);
            *kept += page.masks.len() * size_of::<Option<Mask>>();
            page
        });
        let before = page.bytes;
        let result = work(page);
        *kept += page.bytes - before;
        result
    })
}

/// Draws a letter whose pen stands (right, down) quarters of a pixel into pixel (0, 0).
fn draw(face: &Face, letter: usize, px: u16, turn: (i32, i32), phase: Phase) -> Mask {
    let letter = &face.letters[letter];
    let (cos, sin) = (i64::from(turn.0), i64::from(turn.1));
    let step = i64::from(GRID) / 4;
    let mut pen = Pen::new(|(x, y)| {
        // From 64ths of a font unit, y upwards, to the grid.
        let x = if face.slanted { x + y / 5 } else { x };
        let (right, down) = (x * cos - y * sin, -x * sin - y * cos);
        let part = i64::from(letter.em) << 14;
        let grid = |v: i64| (2 * v * i64::from(px) + part).div_euclid(2 * part) as i32;
        (grid(right) + (i64::from(phase[0]) * step) as i32, grid(down) + (i64::from(phase[1]) * step) as i32)
    });
    parsed(letter.file).outline_glyph(letter.id, &mut pen);
    let all = || pen.outlines.iter().flatten();
    let span = |of: fn(&(i32, i32)) -> i32| {
        let low = all().map(of).min().unwrap_or(0).div_euclid(GRID);
        let high = (all().map(of).max().unwrap_or(0) + GRID - 1).div_euclid(GRID);
        [low, high]
    };
    let window = Window { x: span(|p| p.0), y: span(|p| p.1) };
    let mut fill = Fill::new(window, 16);
    pen.outlines.iter().for_each(|outline| fill.outline(outline));
    let width = (window.x[1] - window.x[0]) as usize;
    let mut coverage = vec![0; width * (window.y[1] - window.y[0]) as usize];
    fill.rows(|y, x, levels| {
        let start = (y - window.y[0]) as usize * width + (x - window.x[0]) as usize;
        coverage[start..start + levels.len()].copy_from_slice(levels);
    });
    trim(window, width, &coverage)
}

/// Without the rows and columns that nothing covers.
fn trim(window: Window, width: usize, coverage: &[u8]) -> Mask {
    let places = || coverage.iter().enumerate().filter(|(_, level)| **level > 0).map(|(at, _)| at);
    let blank = Mask { at: (0, 0), width: 0, coverage: Vec::new() };
    let (Some(first), Some(last)) = (places().next(), places().next_back()) else { return blank };
    let columns = || places().map(|at| at % width);
    let (Some(left), Some(right)) = (columns().min(), columns().max()) else { return blank };
    let rows = coverage.chunks_exact(width).skip(first / width).take(last / width - first / width + 1);
    Mask {
        at: (window.x[0] + left as i32, window.y[0] + (first / width) as i32),
        width: right - left + 1,
        coverage: rows.flat_map(|row| &row[left..=right]).copied().collect(),
    }
}

/// Flattens curves in integers: font units arrive as floats that hold whole or half numbers.
struct Pen<F> {
    place: F,
    outlines: Vec<Vec<(i32, i32)>>,
    here: (i64, i64),
}

/// Pieces of a curve.
const PIECES: i64 = 8;

impl<F: Fn((i64, i64)) -> (i32, i32)> Pen<F> {
    fn new(place: F) -> Self {
        Self { place, outlines: Vec::new(), here: (0, 0) }
    }

    fn point(x: f32, y: f32) -> (i64, i64) {
        ((x * GRID as f32).round() as i64, (y * GRID as f32).round() as i64)
    }

    fn to(&mut self, point: (i64, i64)) {
        let placed = (self.place)(point);
        if let Some(outline) = self.outlines.last_mut() {
            outline.push(placed);
        }
        self.here = point;
    }

    /// A curve whose point at t / [`PIECES`] is the sum of its controls by these weights.
    fn curve<const N: usize>(&mut self, controls: [(i64, i64); N], weights: fn(i64) -> [i64; N]) {
        for t in 1..=PIECES {
            let weights = weights(t);
            let whole: i64 = weights.iter().sum();
            let sum = |of: fn(&(i64, i64)) -> i64| {
                let sum: i64 = controls.iter().zip(weights).map(|(p, w)| of(p) * w).sum();
                (2 * sum + whole).div_euclid(2 * whole)
            };
            self.to((sum(|p| p.0), sum(|p| p.1)));
        }
    }
}

impl<F: Fn((i64, i64)) -> (i32, i32)> OutlineBuilder for Pen<F> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.outlines.push(Vec::new());
        self.to(Self::point(x, y));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.to(Self::point(x, y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let controls = [self.here, Self::point(x1, y1), Self::point(x, y)];
        self.curve(controls, |t| [(PIECES - t) * (PIECES - t), 2 * t * (PIECES - t), t * t]);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let controls = [self.here, Self::point(x1, y1), Self::point(x2, y2), Self::point(x, y)];
        self.curve(controls, |t| {
            let s = PIECES - t;
            [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t]
        });
    }

    fn close(&mut self) {}
}
