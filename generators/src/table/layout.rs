//! From content to places: widths of columns, heights of lines, and where every text, rule and box is.
//!
//! Lengths follow from measured text alone. A box is as wide as its text and as high as its font, and distances
//! are such that no two touch.

use super::content::{Axis, Cell, Content};
use super::params::{HeaderPlace, Layout, Rules, TableParams};
use super::place::Place;
use super::sheet::{width, Sheet, Type, PEN};
use super::style::{Groups, Style};
use crate::canvas::{box_turned, Bounds, Font};
use crate::look::Grid;

/// A table about to be laid out: what runs down, what runs across.
pub(crate) struct Plan<'a> {
    pub content: &'a Content,
    pub params: &'a TableParams,
    pub style: &'a Style,
    pub down: &'a Axis,
    pub across: &'a Axis,
    pub transposed: bool,
    pub ty: Type,
}

/// A header: its lines, and what stands behind the last of them.
pub(super) struct Label {
    pub lines: Vec<String>,
    pub tail: String,
    pub mark: bool,
    pub font: Font,
    pub width: i32,
}

/// A column of cells: its left edge, its width, and where its numbers end.
#[derive(Clone, Copy, Default)]
pub(super) struct Column {
    pub x: i32,
    pub width: i32,
    /// Width of the numbers, and of what follows them (±, marks).
    pub main: i32,
    pub rest: i32,
}

impl Column {
    pub(super) fn end(&self) -> i32 {
        self.x + self.width
    }

    /// Where numbers end: they stand in the middle, one below the other.
    pub(super) fn numbers(&self) -> i32 {
        self.x + (self.width - self.main - self.rest) / 2 + self.main
    }
}

/// All columns in their places.
pub(super) struct Columns {
    /// Groups of rows, where they have a column of their own.
    pub side: Option<Column>,
    pub stub: Column,
    pub cells: Vec<Column>,
    pub total: i32,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(content: &'a Content, params: &'a TableParams, style: &'a Style, text: u16) -> Self {
        let transposed = params.layout == Layout::Transposed;
        let (rows, columns) = (&content.rows, &content.columns);
        let (down, across) = if transposed { (columns, rows) } else { (rows, columns) };
        let ty = Type::new(&params.look, text, params.spacing);
        Self { content, params, style, down, across, transposed, ty }
    }

    pub(super) fn cell(&self, line: usize, column: usize) -> &Cell {
        let [row, column] = if self.transposed { [column, line] } else { [line, column] };
        &self.content.cells[column][row]
    }

    /// The table alone, its upper left corner at (0, 0), and its size.
    pub(crate) fn table(&self) -> (Sheet, [i32; 2]) {
        let down: Vec<Label> = (0..self.down.labels.len()).map(|i| self.row_label(i)).collect();
        let across: Vec<Label> = (0..self.across.labels.len()).map(|j| self.column_label(j)).collect();
        let columns = self.columns(&down, &across);
        let mut sheet = Sheet::default();
        let place = Place { plan: self, columns: &columns };
        let mut y = place.edge(&mut sheet, 0);
        if self.params.header == HeaderPlace::Top {
            y = place.head(&mut sheet, &across, y);
            y = place.midrule(&mut sheet, y);
            y = place.body(&mut sheet, &down, y);
        } else {
            y = place.body(&mut sheet, &down, y);
            y = place.midrule(&mut sheet, y);
            y = place.head(&mut sheet, &across, y);
        }
        y = place.edge(&mut sheet, y);
        place.frame(&mut sheet, y);
        (sheet, [columns.total, y])
    }

    // --- labels -------------------------------------------------------------------------------------------

    /// The arrow behind a column of the content whose header names its metric.
    fn arrow(&self, column: usize) -> &'static str {
        let metric = &self.content.metrics[column];
        match (self.style.arrows && self.content.columns.labels[column] == metric.name, metric.more) {
            (false, _) => "",
            (true, true) => " ↑",
            (true, false) => " ↓",
        }
    }

    /// What stands behind the header of a row of the content.
    fn row_tail(&self, row: usize) -> (String, bool) {
        let cited = self.content.cited.get(row).map(|n| format!(" [{n}]")).unwrap_or_default();
        (cited, self.content.marked[row])
    }

    fn label(&self, lines: Vec<String>, (tail, mark): (String, bool), font: Font) -> Label {
        let mut label = Label { lines, tail, mark, font, width: 0 };
        let last = label.lines.len() - 1;
        let of =
            |(i, line): (usize, &String)| width(line, font) + if i == last { self.behind(&label) } else { 0 };
        label.width = label.lines.iter().enumerate().map(of).max().unwrap_or(0);
        label
    }

    /// Width of a label's tail and mark.
    fn behind(&self, label: &Label) -> i32 {
        let mark = if label.mark { width(self.style.mark, self.ty.script) } else { 0 };
        width(&label.tail, label.font) + mark
    }

    fn row_label(&self, i: usize) -> Label {
        let tail = if self.transposed { (self.arrow(i).into(), false) } else { self.row_tail(i) };
        self.label(vec![self.down.labels[i].clone()], tail, self.ty.body)
    }

    fn column_label(&self, j: usize) -> Label {
        let font = if self.style.bold_head { self.ty.bold } else { self.ty.body };
        let tail = if self.transposed { self.row_tail(j) } else { (self.arrow(j).into(), false) };
        let text = &self.across.labels[j];
        let lines = if self.turn() == 0 { self.wrapped(text, font) } else { vec![text.clone()] };
        self.label(lines, tail, font)
    }

    /// One line, or two where one is long and has a blank.
    fn wrapped(&self, text: &str, font: Font) -> Vec<String> {
        if width(text, font) <= 6 * i32::from(self.ty.body.px) {
            return vec![text.into()];
        }
        let cuts = text.match_indices(' ').map(|(at, _)| [&text[..at], &text[at + 1..]]);
        let best = cuts.min_by_key(|parts| parts.iter().map(|part| width(part, font)).max());
        best.map_or_else(|| vec![text.into()], |parts| parts.map(String::from).to_vec())
    }

    pub(super) fn turn(&self) -> u16 {
        self.params.look.label_turn
    }

    /// The header of a group of rows beside them: in two lines where two rows give room and one would be long.
    pub(super) fn side_lines(&self, g: usize) -> Vec<String> {
        let group = &self.down.groups[g];
        if group.to - group.from < 2 {
            return vec![group.label.clone()];
        }
        self.wrapped(&group.label, self.group_font())
    }

    pub(super) fn group_font(&self) -> Font {
        match self.style.group_face {
            0 => self.ty.body.italic(),
            1 => self.ty.bold,
            _ => self.ty.body,
        }
    }

    // --- widths -------------------------------------------------------------------------------------------

    fn columns(&self, down: &[Label], across: &[Label]) -> Columns {
        let gap = self.ty.gap;
        let mut cells: Vec<Column> =
            across.iter().enumerate().map(|(j, label)| self.column(j, label)).collect();
        for group in &self.across.groups {
            let needed = width(&group.label, self.span_font());
            let members = &mut cells[group.from..group.to];
            let have =
                members.iter().map(|column| column.width).sum::<i32>() + gap * (members.len() as i32 - 1);
            // Too narrow: every member takes its share of what is missing.
            let mut missing = (needed - have).max(0);
            for (done, column) in members.iter_mut().enumerate() {
                let part = missing / (group.to - group.from - done) as i32;
                column.width += part;
                missing -= part;
            }
        }
        let indent = self.indent();
        let labels = down.iter().map(|label| label.width + indent).max().unwrap_or(0);
        let mut stub =
            Column { width: labels.max(width(self.style.corner, self.ty.bold)), ..Column::default() };
        let mut side = None;
        if self.style.groups == Groups::Side && !self.down.groups.is_empty() {
            let lines = |g: usize| self.side_lines(g).into_iter().map(|line| width(&line, self.group_font()));
            let most = (0..self.down.groups.len()).flat_map(lines).max().unwrap_or(0);
            side = Some(Column { width: most, ..Column::default() });
        }
        let others: i32 = cells.iter().map(|column| column.width + gap).sum();
        if self.style.groups == Groups::Title {
            let titles = self.down.groups.iter().map(|group| width(&group.label, self.group_font()));
            let needed = titles.max().unwrap_or(0);
            stub.width = stub.width.max(needed - others);
        }
        self.placed(side, stub, cells)
    }

    /// Sets the columns side by side: from left to right, or from right to left.
    fn placed(&self, mut side: Option<Column>, mut stub: Column, mut cells: Vec<Column>) -> Columns {
        let edge = if self.closed() { self.ty.gap / 2 } else { self.ty.gap / 4 };
        let mut x = edge;
        let mut order: Vec<&mut Column> = side.iter_mut().chain([&mut stub]).chain(&mut cells).collect();
        if self.params.layout == Layout::Mirrored {
            order.reverse();
        }
        for column in order {
            column.x = x;
            x += column.width + self.ty.gap;
        }
        Columns { side, stub, cells, total: x - self.ty.gap + edge }
    }

    /// Whether a line runs around the table.
    pub(super) fn closed(&self) -> bool {
        self.params.rules == Rules::Grid || self.params.look.grid == Grid::Full
    }

    pub(super) fn indent(&self) -> i32 {
        let titled = self.style.groups == Groups::Title && !self.down.groups.is_empty();
        if titled && self.style.indented {
            i32::from(self.ty.body.px) * 3 / 4
        } else {
            0
        }
    }

    pub(super) fn span_font(&self) -> Font {
        if self.style.bold_head {
            self.ty.bold
        } else {
            self.ty.body
        }
    }

    fn column(&self, j: usize, label: &Label) -> Column {
        let (mut main, mut rest) = (0, 0);
        for line in 0..self.down.labels.len() {
            let cell = self.cell(line, j);
            main = main.max(width(&self.number(cell), self.number_font(cell)));
            rest = rest.max(self.spread_width(cell) + self.mark_width(cell));
        }
        let head = if self.turn() == 0 { label.width } else { self.turned(label).width() };
        Column { x: 0, width: (main + rest).max(head), main, rest }
    }

    pub(super) fn number_font(&self, cell: &Cell) -> Font {
        if cell.best {
            self.ty.bold
        } else {
            self.ty.body
        }
    }

    /// The value as it stands in the table.
    pub(super) fn number(&self, cell: &Cell) -> String {
        format!("{}{}", cell.text, if self.style.percent_sign { "%" } else { "" })
    }

    /// What follows a value: text, font, distance below the baseline.
    pub(super) fn spread(&self, cell: &Cell) -> Option<(String, Font, i32)> {
        let spread = cell.spread.as_ref()?;
        let px = i32::from(self.ty.body.px);
        Some(match self.style.spread_low {
            true => (format!("±{spread}"), self.ty.script, px / 10),
            false => (format!(" ± {spread}"), self.ty.body, 0),
        })
    }

    fn spread_width(&self, cell: &Cell) -> i32 {
        self.spread(cell).map_or(0, |(text, font, _)| width(&text, font))
    }

    fn mark_width(&self, cell: &Cell) -> i32 {
        if cell.mark {
            width(self.style.mark, self.ty.script)
        } else {
            0
        }
    }

    /// What a turned header says; its mark stands on its line.
    pub(super) fn turned_text(&self, label: &Label) -> String {
        format!("{}{}{}", label.lines[0], label.tail, if label.mark { self.style.mark } else { "" })
    }

    /// The box of a turned header whose pen starts at (0, 0).
    pub(super) fn turned(&self, label: &Label) -> Bounds {
        box_turned((0, 0), PEN, &self.turned_text(label), label.font, self.turn())
    }
}
