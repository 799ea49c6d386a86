//! Lines of a table from top to bottom: every text, rule and box at its place.

use super::layout::{Column, Columns, Label, Plan};
use super::params::{HeaderPlace, Rules};
use super::sheet::{width, Kind, Piece, Rule, Sheet, Tone, Type};
use super::style::Groups;
use crate::canvas::{measure, Across, Bounds};
use crate::look::{Grid, Palette};

/// Columns that stand, lines about to.
pub(super) struct Place<'a> {
    pub plan: &'a Plan<'a>,
    pub columns: &'a Columns,
}

impl Place<'_> {
    fn ty(&self) -> &Type {
        &self.plan.ty
    }

    /// Height of a line with the space around it.
    fn pitch(&self) -> i32 {
        self.ty().line() + self.ty().pad
    }

    /// The baseline of a line that begins at `y`.
    fn baseline(&self, y: i32) -> i32 {
        y + self.ty().pad / 2 + self.ty().ascent
    }

    // --- rules --------------------------------------------------------------------------------------------

    /// Space above and below a rule.
    fn sep(&self) -> i32 {
        self.ty().pad / 3
    }

    fn horizontal(&self, sheet: &mut Sheet, [x0, x1]: [i32; 2], y: i32, thickness: i32, tone: Tone) {
        sheet.rule(Bounds::new(x0, y, x1, y + thickness), tone);
    }

    /// The rule above or below everything.
    pub(super) fn edge(&self, sheet: &mut Sheet, y: i32) -> i32 {
        let closed = self.plan.closed();
        match self.plan.params.rules {
            _ if closed => y,
            Rules::None => y + self.sep(),
            _ => {
                let before = if y > 0 { self.sep() } else { 0 };
                let heavy = self.ty().heavy;
                self.horizontal(sheet, [0, self.columns.total], y + before, heavy, Tone::Ink);
                y + heavy + self.sep()
            }
        }
    }

    /// Whether thin rules divide the table.
    fn divided(&self) -> bool {
        matches!(self.plan.params.rules, Rules::Booktabs | Rules::Zebra)
            && self.plan.params.look.grid != Grid::None
    }

    /// The rule between header and cells.
    pub(super) fn midrule(&self, sheet: &mut Sheet, y: i32) -> i32 {
        self.divider(sheet, y, self.divided())
    }

    fn divider(&self, sheet: &mut Sheet, y: i32, drawn: bool) -> i32 {
        if self.plan.closed() {
            return y;
        }
        if drawn {
            self.horizontal(sheet, [0, self.columns.total], y + self.sep(), self.ty().thin, Tone::Ink);
        }
        y + self.ty().thin + 2 * self.sep()
    }

    /// The lines around cells of a band of the table, where there are such: above it, and between columns.
    fn lattice(&self, sheet: &mut Sheet, [y0, y1]: [i32; 2], columns: &[i32], across: [i32; 2]) {
        let thin = self.ty().thin;
        if self.plan.closed() {
            self.horizontal(sheet, across, y0, thin, Tone::Ink);
            for &x in columns {
                sheet.rule(Bounds::new(x, y0, x + thin, y1), Tone::Ink);
            }
        } else if self.plan.params.look.grid == Grid::Light {
            self.horizontal(sheet, across, y0, 1, Tone::Faint(25));
        }
    }

    /// Where lines stand between a column and its left neighbour; none before the first.
    fn before(&self, column: &Column) -> Option<i32> {
        let x = column.x - self.ty().gap / 2;
        (x > self.ty().gap / 2).then_some(x)
    }

    /// Lines before all columns.
    fn verticals(&self) -> Vec<i32> {
        let all = self.columns.side.iter().chain([&self.columns.stub]).chain(&self.columns.cells);
        all.filter_map(|column| self.before(column)).collect()
    }

    /// The outer lines of a closed table.
    pub(super) fn frame(&self, sheet: &mut Sheet, height: i32) {
        if self.plan.closed() {
            let (total, thin) = (self.columns.total, self.ty().thin);
            for bounds in [
                Bounds::new(0, 0, thin, height),
                Bounds::new(total - thin, 0, total, height),
                Bounds::new(0, height - thin, total, height),
            ] {
                sheet.rule(bounds, Tone::Ink);
            }
        }
    }

    fn fill(&self, sheet: &mut Sheet, [y0, y1]: [i32; 2], colour: usize, percent: u8) {
        let tinted = self.plan.params.look.palette != Palette::default();
        let tone = if tinted { Tone::Tint(colour, percent * 2) } else { Tone::Faint(percent) };
        sheet.fills.push(Rule { bounds: Bounds::new(0, y0, self.columns.total, y1), tone });
    }

    // --- headers ------------------------------------------------------------------------------------------

    /// The header of the columns.
    pub(super) fn head(&self, sheet: &mut Sheet, across: &[Label], y: i32) -> i32 {
        let grouped = !self.plan.across.groups.is_empty();
        let end = if self.plan.params.header == HeaderPlace::Top {
            let leaves = if grouped { self.spans(sheet, y) } else { y };
            self.leaves(sheet, across, leaves)
        } else {
            let spans = self.leaves(sheet, across, y);
            if grouped {
                self.spans(sheet, spans)
            } else {
                spans
            }
        };
        if self.plan.params.look.palette != Palette::default() {
            self.fill(sheet, [y, end], 0, 14);
        }
        end
    }

    /// Headers of groups, each with a partial rule on the side of its columns.
    fn spans(&self, sheet: &mut Sheet, y: i32) -> i32 {
        let top = self.plan.params.header == HeaderPlace::Top;
        let (closed, thin, sep) = (self.plan.closed(), self.ty().thin, self.sep());
        let extra = if closed { 0 } else { thin + sep };
        let row = if top { y } else { y + extra };
        let rule = if top { y + self.pitch() } else { y + sep };
        let mut lines = Vec::new();
        for group in &self.plan.across.groups {
            let members = &self.columns.cells[group.from..group.to];
            let x0 = members.iter().map(|column| column.x).min().unwrap_or(0);
            let x1 = members.iter().map(Column::end).max().unwrap_or(0);
            let font = self.plan.span_font();
            let x = x0 + (x1 - x0 - width(&group.label, font)) / 2;
            let text = sheet.set(&group.label, font, (x, self.baseline(row)));
            sheet.across_groups.push(text);
            if self.divided() && !closed {
                self.horizontal(sheet, [x0, x1], rule, thin, Tone::Ink);
            }
            lines.extend([x0 - self.ty().gap / 2, x1 + self.ty().gap - self.ty().gap / 2]);
        }
        // Neighbours share a line; the outermost are the frame's.
        lines.sort_unstable();
        lines.dedup();
        lines.retain(|&x| x > self.ty().gap / 2 && x < self.columns.total - self.ty().gap);
        self.lattice(sheet, [row, row + self.pitch()], &lines, [0, self.columns.total]);
        y + self.pitch() + extra
    }

    /// Headers of single columns, and the corner.
    fn leaves(&self, sheet: &mut Sheet, across: &[Label], y: i32) -> i32 {
        let turn = self.plan.turn();
        let line = self.ty().line();
        let tallest = |label: &Label| match turn {
            0 => line * label.lines.len() as i32,
            _ => self.plan.turned(label).height(),
        };
        let height = across.iter().map(tallest).max().unwrap_or(0).max(line);
        let end = y + height + self.ty().pad;
        let bottom = end - self.ty().pad + self.ty().pad / 2;
        let top = self.plan.params.header == HeaderPlace::Top;
        for (label, column) in across.iter().zip(&self.columns.cells) {
            let text = if turn == 0 {
                let first = if top { bottom - tallest(label) } else { y + self.ty().pad / 2 };
                self.set_label(
                    sheet,
                    label,
                    Across::Centre,
                    column.x + column.width / 2,
                    first + self.ty().ascent,
                )
            } else {
                self.set_turned(
                    sheet,
                    label,
                    column,
                    if top { bottom } else { y + self.ty().pad / 2 + tallest(label) },
                )
            };
            sheet.across.push(text);
        }
        if !self.plan.style.corner.is_empty() {
            let baseline = if top { bottom - line } else { y + self.ty().pad / 2 } + self.ty().ascent;
            let text =
                sheet.set(self.plan.style.corner, self.plan.span_font(), (self.columns.stub.x, baseline));
            sheet.rest.push((Kind::Corner, text));
        }
        self.lattice(sheet, [y, end], &self.verticals(), [0, self.columns.total]);
        end
    }

    /// A header whose lines stand one below the other.
    fn set_label(&self, sheet: &mut Sheet, label: &Label, across: Across, x: i32, baseline: i32) -> Bounds {
        let mut all = Bounds::default();
        for (i, line) in label.lines.iter().enumerate() {
            let last = i + 1 == label.lines.len();
            let text = if last { format!("{line}{}", label.tail) } else { line.clone() };
            let mark = if last && label.mark { self.plan.style.mark } else { "" };
            let own = width(&text, label.font);
            let left = match across {
                Across::Centre => x - (own + width(mark, self.ty().script)) / 2,
                _ => x,
            };
            let baseline = baseline + i as i32 * self.ty().line();
            all = all.union(&sheet.set(&text, label.font, (left, baseline)));
            if !mark.is_empty() {
                let raised = (left + own, baseline - self.ty().raise);
                all = all.union(&sheet.set(mark, self.ty().script, raised));
            }
        }
        all
    }

    fn set_turned(&self, sheet: &mut Sheet, label: &Label, column: &Column, bottom: i32) -> Bounds {
        let own = self.plan.turned(label);
        let (x, y) = (column.x + (column.width - own.width()) / 2 - own.x0, bottom - own.y1);
        sheet.pieces.push(Piece {
            text: self.plan.turned_text(label),
            font: label.font,
            at: (x, y),
            turned: self.plan.turn(),
            tone: Tone::Ink,
        });
        own.moved(x, y)
    }

    // --- cells --------------------------------------------------------------------------------------------

    /// All lines of cells, with the headers of their groups.
    pub(super) fn body(&self, sheet: &mut Sheet, down: &[Label], mut y: i32) -> i32 {
        let groups = &self.plan.down.groups;
        let titles = self.plan.style.groups == Groups::Title;
        let side = self.columns.side;
        let mut began = y;
        let mut next = 0;
        for (i, label) in down.iter().enumerate() {
            let mut first = i == 0;
            if groups.get(next).is_some_and(|group| group.from == i) {
                if next > 0 {
                    y = self.divider(sheet, y, self.divided() && self.plan.style.group_rules);
                }
                if titles {
                    y = self.title(sheet, next, y);
                }
                (next, first, began) = (next + 1, true, y);
            }
            self.line(sheet, i, label, y, first);
            y += self.pitch();
            if side.is_some() && groups.get(next - 1).is_some_and(|group| group.to == i + 1) {
                self.beside(sheet, next - 1, [began, y]);
            }
        }
        y
    }

    /// A header that has a line of its own.
    fn title(&self, sheet: &mut Sheet, group: usize, y: i32) -> i32 {
        let (label, font) = (&self.plan.down.groups[group].label, self.plan.group_font());
        let own = width(label, font);
        let first =
            self.columns.stub.x.min(self.columns.cells.iter().map(|column| column.x).min().unwrap_or(0));
        let mirrored = self.columns.stub.x > first;
        let x = match (self.plan.style.titles_centred, mirrored) {
            (true, _) => (self.columns.total - own) / 2,
            (false, true) => self.columns.stub.end() - own,
            (false, false) => self.columns.stub.x,
        };
        let text = sheet.set(label, font, (x, self.baseline(y)));
        sheet.down_groups.push(text);
        self.lattice(sheet, [y, y + self.pitch()], &[], [0, self.columns.total]);
        y + self.pitch()
    }

    /// A header beside the lines of its group.
    fn beside(&self, sheet: &mut Sheet, group: usize, [y0, y1]: [i32; 2]) {
        let Some(column) = self.columns.side else { return };
        let lines = self.plan.side_lines(group);
        let (font, line) = (self.plan.group_font(), self.ty().line());
        let top = y0 + (y1 - y0 - line * lines.len() as i32) / 2;
        let mut all = Bounds::default();
        for (i, text) in lines.iter().enumerate() {
            let baseline = top + line * i as i32 + self.ty().ascent;
            all = all.union(&sheet.set(text, font, (column.x, baseline)));
        }
        sheet.down_groups.push(all);
    }

    /// One line: its header and its cells.
    fn line(&self, sheet: &mut Sheet, i: usize, label: &Label, y: i32, first: bool) {
        let baseline = self.baseline(y);
        let end = y + self.pitch();
        if self.plan.params.rules == Rules::Zebra && i % 2 == 1 {
            self.fill(sheet, [y, end], 1, 8);
        }
        // A header beside several lines is not cut by the lines between them.
        let (half, total) = (self.ty().gap / 2, self.columns.total);
        let across = match self.columns.side {
            Some(side) if !first && side.x > self.columns.stub.x => [0, side.x - half],
            Some(_) if !first => [self.columns.stub.x - half, total],
            _ => [0, total],
        };
        if i > 0 || self.plan.closed() {
            self.lattice(sheet, [y, end], &self.verticals(), across);
        }
        let stub = self.columns.stub.x + self.plan.indent();
        let text = self.set_label(sheet, label, Across::Left, stub, baseline);
        sheet.down.push(text);
        for (j, column) in self.columns.cells.iter().enumerate() {
            self.cell(sheet, [i, j], column, baseline);
        }
    }

    fn cell(&self, sheet: &mut Sheet, [i, j]: [usize; 2], column: &Column, baseline: i32) {
        let cell = self.plan.cell(i, j);
        let (text, font) = (self.plan.number(cell), self.plan.number_font(cell));
        let mut x = column.numbers();
        let mut all = sheet.set(&text, font, (x - width(&text, font), baseline));
        if let Some((text, font, low)) = self.plan.spread(cell) {
            // In the closest of tables the last line's would reach into the frame.
            let framed = self.plan.closed() && i + 1 == self.plan.down.labels.len();
            let end = baseline - self.baseline(0) + self.pitch() - self.ty().thin;
            let room = end - baseline - measure(&text, font).2;
            let low = if framed { low.min(room.max(0)) } else { low };
            all = all.union(&sheet.set(&text, font, (x, baseline + low)));
            x = all.x1;
        }
        if cell.mark {
            let mark = sheet.set(self.plan.style.mark, self.ty().script, (x, baseline - self.ty().raise));
            all = all.union(&mark);
        }
        sheet.cells.push(all);
    }
}
