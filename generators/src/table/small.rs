//! Tables on the small canvas: 64 × 64 real pixels, letters of three by five, headers of one or two letters.
//!
//! The crisp picture is the same drawing with every pixel four times as wide and high, so that a place on one is
//! a place on the other. All lengths here are canvas pixels.

use vrrl_harness_core::{Image, Seed};

use super::content::{Axis, Content};
use super::params::{HeaderPlace, Layout, Rules, TableParams};
use super::render;
use super::sheet::{Rule, Sheet, Tone};
use crate::canvas::{Bounds, Picture, Rgb};
use crate::look::{Look, Palette};

/// Pixels of the canvas's side, and crisp pixels a canvas pixel.
pub(crate) const SIDE: i32 = 64;
pub(crate) const SCALE: i32 = 4;

/// Size of a letter, and what one takes with the blank behind it.
const LETTER: [i32; 2] = [3, 5];
const STEP: i32 = 4;
/// From one line to the next, from one column of cells to the next, and the width of their two signs.
const LINE: i32 = 6;
const COLUMN: i32 = 9;
const PAIR: i32 = 7;
/// Side of a tile.
const TILE: i32 = 8;

/// A table on the canvas.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Small {
    fills: Vec<Rule>,
    rules: Vec<Rule>,
    texts: Vec<(String, [i32; 2])>,
}

/// Where texts go while the table is laid out.
#[derive(Default)]
struct Board {
    small: Vec<(String, [i32; 2])>,
    fills: Vec<Rule>,
    rules: Vec<Rule>,
    sheet: Sheet,
}

impl Board {
    fn set(&mut self, text: &str, at: [i32; 2]) -> Bounds {
        self.small.push((text.into(), at));
        Bounds::sized(at[0], at[1], STEP * text.chars().count() as i32 - 1, LETTER[1])
    }

    fn rule(&mut self, [x0, x1]: [i32; 2], y: i32) {
        self.rules.push(Rule { bounds: Bounds::new(x0, y, x1, y + 1), tone: Tone::Ink });
    }
}

/// Where columns stand.
struct Columns {
    side: Option<i32>,
    stub: i32,
    cells: Vec<i32>,
    total: i32,
}

impl Columns {
    fn new(grouped: bool, cells: usize, mirrored: bool) -> Self {
        let first = if grouped { STEP + 1 } else { 0 };
        let left = first + PAIR + 3;
        let total = left + COLUMN * cells as i32 - (COLUMN - PAIR);
        let turn = |x: i32, width: i32| if mirrored { total - x - width } else { x };
        Self {
            side: grouped.then(|| turn(0, LETTER[0])),
            stub: turn(first, PAIR),
            cells: (0..cells as i32).map(|j| turn(left + COLUMN * j, PAIR)).collect(),
            total,
        }
    }
}

/// Lays out a table; the boxes of the sheet are crisp pixels.
pub(crate) fn layout(params: &TableParams, content: &Content, seed: Seed) -> (Small, Sheet) {
    if params.tiled {
        return tiles(params, content, seed);
    }
    let transposed = params.layout == Layout::Transposed;
    let (down, across) =
        if transposed { (&content.columns, &content.rows) } else { (&content.rows, &content.columns) };
    let columns =
        Columns::new(!down.groups.is_empty(), across.labels.len(), params.layout == Layout::Mirrored);
    let mut board = Board::default();
    let ruled = params.rules != Rules::None;
    let mut y = edge(&mut board, &columns, 0, ruled);
    if params.header == HeaderPlace::Top {
        y = head(&mut board, params, across, &columns, y);
        y = edge(&mut board, &columns, y, params.rules == Rules::Booktabs);
        y = body(&mut board, params, content, down, &columns, y);
    } else {
        y = body(&mut board, params, content, down, &columns, y);
        y = edge(&mut board, &columns, y, params.rules == Rules::Booktabs);
        y = head(&mut board, params, across, &columns, y);
    }
    let height = edge(&mut board, &columns, y, ruled) - 1;
    place(board, [columns.total, height], 1, seed)
}

/// Lays out a table of one text a tile.
fn tiles(params: &TableParams, content: &Content, seed: Seed) -> (Small, Sheet) {
    let transposed = params.layout == Layout::Transposed;
    let (down, across) =
        if transposed { (&content.columns, &content.rows) } else { (&content.rows, &content.columns) };
    let (lines, cells) = (down.labels.len() as i32, across.labels.len() as i32);
    let (width, height) = (TILE * (cells + 1), TILE * (lines + 1));
    let mut board = Board::default();
    let top = params.header == HeaderPlace::Top;
    let head = if top { 0 } else { lines };
    if params.rules != Rules::None {
        board.rule([0, width], 0);
        // Where the table reaches the end of the canvas the last rule falls off it: there is no room beside letters.
        board.rule([0, width], height);
    }
    if params.rules == Rules::Booktabs {
        board.rule([0, width], TILE * if top { 1 } else { lines });
    }
    if params.look.palette != Palette::default() {
        let bounds = Bounds::sized(0, TILE * head, width, TILE);
        board.fills.push(Rule { bounds, tone: Tone::Tint(0, 28) });
    }
    // `column` 0 holds the headers of rows.
    let write = |board: &mut Board, text: &str, column: i32, line: i32| {
        let column = if params.layout == Layout::Mirrored { cells - column } else { column };
        let wide = STEP * text.chars().count() as i32 - 1;
        board.set(text, [TILE * column + (TILE - wide) / 2, TILE * line + 2])
    };
    for (column, label) in (1..).zip(&across.labels) {
        let text = write(&mut board, label, column, head);
        board.sheet.across.push(text);
    }
    for (i, label) in down.labels.iter().enumerate() {
        let line = i as i32 + i32::from(top);
        if params.rules == Rules::Zebra && i % 2 == 1 {
            let bounds = Bounds::sized(0, TILE * line + 1, width, TILE - 2);
            board.fills.push(Rule { bounds, tone: Tone::Faint(18) });
        }
        let text = write(&mut board, label, 0, line);
        board.sheet.down.push(text);
        for j in 0..across.labels.len() {
            let [row, column] = if transposed { [j, i] } else { [i, j] };
            let text = write(&mut board, &content.cells[column][row].text, j as i32 + 1, line);
            board.sheet.cells.push(text);
        }
    }
    place(board, [width, height], TILE, seed)
}

/// Moves the table to its place on the canvas, by a multiple of `step`; the boxes become crisp.
fn place(board: Board, size: [i32; 2], step: i32, seed: Seed) -> (Small, Sheet) {
    let mut rng = seed.derive("table offset", 0).rng();
    let [dx, dy] =
        size.map(|pixels| step * rng.below((SIDE - pixels).max(0) as u32 / step as u32 + 1) as i32);
    let Board { small: mut texts, mut fills, mut rules, mut sheet } = board;
    for (_, at) in &mut texts {
        *at = [at[0] + dx, at[1] + dy];
    }
    for rule in fills.iter_mut().chain(&mut rules) {
        rule.bounds = rule.bounds.moved(dx, dy);
    }
    sheet.shift(dx, dy);
    let lists = [
        &mut sheet.down,
        &mut sheet.down_groups,
        &mut sheet.across,
        &mut sheet.across_groups,
        &mut sheet.cells,
    ];
    for b in lists.into_iter().flatten() {
        *b = Bounds::new(b.x0 * SCALE, b.y0 * SCALE, b.x1 * SCALE, b.y1 * SCALE);
    }
    (Small { fills, rules, texts }, sheet)
}

fn edge(board: &mut Board, columns: &Columns, y: i32, drawn: bool) -> i32 {
    if drawn {
        board.rule([0, columns.total], y);
    }
    y + 2
}

fn head(board: &mut Board, params: &TableParams, across: &Axis, columns: &Columns, y: i32) -> i32 {
    let top = params.header == HeaderPlace::Top;
    let spans = if across.groups.is_empty() { 0 } else { LINE + 2 };
    let leaves = if top { y + spans } else { y };
    for (label, &x) in across.labels.iter().zip(&columns.cells) {
        let text = board.set(label, [x, leaves]);
        board.sheet.across.push(text);
    }
    for group in &across.groups {
        let members = &columns.cells[group.from..group.to];
        let x0 = members.iter().copied().min().unwrap_or(0);
        let x1 = members.iter().copied().max().unwrap_or(0) + PAIR;
        let (text, rule) = if top { (y, y + LINE) } else { (y + LINE + 2, y + LINE) };
        let text = board.set(&group.label, [(x0 + x1 - LETTER[0]) / 2, text]);
        board.sheet.across_groups.push(text);
        board.rule([x0, x1], rule);
    }
    let end = y + spans + LINE;
    if params.look.palette != Palette::default() {
        board.fills.push(Rule { bounds: Bounds::new(0, y, columns.total, end), tone: Tone::Tint(0, 28) });
    }
    end
}

fn body(
    board: &mut Board,
    params: &TableParams,
    content: &Content,
    down: &Axis,
    columns: &Columns,
    y: i32,
) -> i32 {
    let transposed = params.layout == Layout::Transposed;
    for (i, label) in down.labels.iter().enumerate() {
        let y = y + LINE * i as i32;
        if params.rules == Rules::Zebra && i % 2 == 1 {
            board
                .fills
                .push(Rule { bounds: Bounds::new(0, y, columns.total, y + LINE - 1), tone: Tone::Faint(18) });
        }
        let text = board.set(label, [columns.stub, y]);
        board.sheet.down.push(text);
        for (j, &x) in columns.cells.iter().enumerate() {
            let [row, column] = if transposed { [j, i] } else { [i, j] };
            let text = board.set(&content.cells[column][row].text, [x, y]);
            board.sheet.cells.push(text);
        }
    }
    if let Some(x) = columns.side {
        // At the first line of the group, so that it is plain where one begins.
        for group in &down.groups {
            let text = board.set(&group.label, [x, y + LINE * group.from as i32]);
            board.sheet.down_groups.push(text);
        }
    }
    y + LINE * down.labels.len() as i32
}

impl Small {
    /// The 64 × 64 picture.
    pub(crate) fn canvas(&self, look: &Look) -> Image {
        let mut picture = Picture::new(SIDE as u32, SIDE as u32, look.paper());
        for rule in self.fills.iter().chain(&self.rules) {
            picture.rect(rule.bounds, render::colour(look, rule.tone));
        }
        let mut image = picture.into_image();
        for (text, at) in &self.texts {
            write(&mut image, text, *at, look.ink());
        }
        image
    }

    /// Texts and the middles of their signs, crisp pixels.
    pub(crate) fn texts(&self) -> Vec<(String, Vec<[f64; 2]>)> {
        let signs = |(text, at): &(String, [i32; 2])| (text.clone(), middles(text, *at));
        self.texts.iter().map(signs).collect()
    }

    /// The same, four times as large.
    pub(crate) fn crisp(&self, look: &Look) -> Image {
        let canvas = self.canvas(look);
        let scale = SCALE as u32;
        Image::from_fn(SIDE as u32 * scale, SIDE as u32 * scale, |x, y| {
            *canvas.get_pixel(x / scale, y / scale)
        })
    }
}

/// Middles of the signs that are written from a place on, crisp pixels.
fn middles(text: &str, [x, y]: [i32; 2]) -> Vec<[f64; 2]> {
    let crisp = |middle: [i32; 2]| middle.map(|twice| f64::from(twice * SCALE) / 2.0);
    let count = text.chars().count() as i32;
    (0..count).map(|i| crisp([2 * (x + STEP * i) + LETTER[0], 2 * y + LETTER[1]])).collect()
}

/// Writes signs from a place on to the right.
fn write(image: &mut Image, text: &str, [x, y]: [i32; 2], ink: Rgb) {
    for (place, sign) in (0..).zip(text.chars()) {
        let rows = LETTERS.iter().find(|(letter, _)| *letter == sign).map_or(0o77777, |(_, rows)| *rows);
        for bit in 0..15 {
            if rows >> (14 - bit) & 1 == 1 {
                let (x, y) = (x + STEP * place + bit % 3, y + bit / 3);
                if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) {
                    if let Some(pixel) = image.get_pixel_mut_checked(x, y) {
                        pixel.0 = ink;
                    }
                }
            }
        }
    }
}

/// Signs of three by five pixels: one octal digit a row, from the top.
const LETTERS: [(char, u16); 28] = [
    ('0', 0o75557),
    ('1', 0o26227),
    ('2', 0o71747),
    ('3', 0o71717),
    ('4', 0o55711),
    ('5', 0o74717),
    ('6', 0o74757),
    ('7', 0o71122),
    ('8', 0o75757),
    ('9', 0o75717),
    ('A', 0o25755),
    ('C', 0o34443),
    ('D', 0o65556),
    ('E', 0o74647),
    ('F', 0o74644),
    ('H', 0o55755),
    ('J', 0o11152),
    ('K', 0o56465),
    ('L', 0o44447),
    ('M', 0o57755),
    ('N', 0o75555),
    ('P', 0o65644),
    ('R', 0o65655),
    ('T', 0o72222),
    ('U', 0o55557),
    ('V', 0o55552),
    ('X', 0o55255),
    ('Y', 0o55222),
];

/// What a box of this kind may hold.
#[cfg(test)]
pub(crate) fn readable(text: &str) -> bool {
    text.chars().all(|sign| LETTERS.iter().any(|(letter, _)| *letter == sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_signs_are_alike() {
        for (i, (a, rows)) in LETTERS.iter().enumerate() {
            for (b, others) in &LETTERS[i + 1..] {
                assert_ne!(rows, others, "{a} and {b}");
            }
        }
    }

    #[test]
    fn the_largest_table_fits() {
        let columns = Columns::new(true, 5, false);
        assert!(columns.total <= SIDE, "{}", columns.total);
    }
}
