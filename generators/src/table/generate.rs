//! From params and a seed to a scene: content, what is asked, and where it stands.

use vrrl_harness_core::{Canonical, Error, RegionTruth, Rng, Seed};

use super::content::{self, share, Axis, Content};
use super::page;
use super::params::{Layout, Query, Structure, TableParams};
use super::sheet::{Kind, Sheet};
use super::small::{self, Small};
use crate::canvas::Bounds;
use crate::look::Look;
use crate::point;

/// What a question asks for, in terms of the content: a table that is drawn transposed has its rows as columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    Row(usize),
    RowGroup(usize),
    Column(usize),
    ColumnGroup(usize),
    /// Row and column.
    Cell(usize, usize),
}

/// One table with one question.
#[derive(Clone, PartialEq, Debug)]
pub struct TableScene {
    pub(crate) content: Content,
    pub(crate) query: Query,
    pub(crate) target: Target,
    pub(crate) transposed: bool,
    pub(crate) sheet: Sheet,
    /// The drawing on the small canvas, where this is one.
    pub(crate) small: Option<Small>,
    /// Pixels of the crisp picture.
    pub(crate) size: [u32; 2],
    pub(crate) look: Look,
    pub(crate) region: RegionTruth,
}

/// Draws a table; see [`TableParams`].
pub(crate) fn generate(params: &TableParams, seed: Seed) -> Result<TableScene, Error> {
    params.validate()?;
    let content = content::draw(params, seed);
    let (query, target) = ask(params, &content, seed);
    let (small, sheet, size) = if params.small {
        let (small, sheet) = small::layout(params, &content, seed);
        (Some(small), sheet, [(small::SIDE * small::SCALE) as u32; 2])
    } else {
        let (sheet, size) = page::page(params, &content, seed)?;
        (None, sheet, size)
    };
    let transposed = params.layout == Layout::Transposed;
    let region = point::near(place(&sheet, &content, target, transposed), params.tolerance(), size);
    let look = params.look.clone();
    Ok(TableScene { content, query, target, transposed, sheet, small, size, look, region })
}

/// The box of a target.
fn place(sheet: &Sheet, content: &Content, target: Target, transposed: bool) -> Bounds {
    let (rows, row_groups, columns, column_groups) = if transposed {
        (&sheet.across, &sheet.across_groups, &sheet.down, &sheet.down_groups)
    } else {
        (&sheet.down, &sheet.down_groups, &sheet.across, &sheet.across_groups)
    };
    let [height, width] = content.size();
    match target {
        Target::Row(i) => rows[i],
        Target::RowGroup(g) => row_groups[g],
        Target::Column(j) => columns[j],
        Target::ColumnGroup(g) => column_groups[g],
        Target::Cell(i, j) => sheet.cells[if transposed { j * height + i } else { i * width + j }],
    }
}

/// Draws the question. The target stands at the same share of the way through a small and a large table.
fn ask(params: &TableParams, content: &Content, seed: Seed) -> (Query, Target) {
    let mut rng = seed.derive("table query", 0).rng();
    let [which, axis, first, second] = [(); 4].map(|()| rng.next_u32());
    let queries: Vec<Query> =
        params.queries.iter().copied().filter(|query| query.fits(content.structure)).collect();
    let query = queries[share(which, queries.len())];
    let [rows, columns] = content.size();
    let target = match query {
        Query::RowHeader => header(&content.rows, first, Target::Row, Target::RowGroup),
        Query::ColumnHeader => header(&content.columns, first, Target::Column, Target::ColumnGroup),
        Query::SectionHeader => {
            let in_rows = match content.structure {
                Structure::MultiRow => true,
                Structure::Hierarchical => share(axis, 2) == 0,
                _ => false,
            };
            if in_rows {
                Target::Row(share(first, rows))
            } else {
                Target::Column(share(first, columns))
            }
        }
        Query::CellValue => {
            let second = match params.again {
                0 => second,
                k => seed.derive("again", k).derive("table query", 0).rng().next_u32(),
            };
            Target::Cell(share(first, rows), share(second, columns))
        }
    };
    (query, target)
}

/// One of the headers that need no section to be told apart: a label that comes once, or a group.
fn header(axis: &Axis, at: u32, leaf: fn(usize) -> Target, group: fn(usize) -> Target) -> Target {
    let once = |label: &String| axis.labels.iter().filter(|other| *other == label).count() == 1;
    let leaves = axis.labels.iter().enumerate().filter(|(_, label)| once(label)).map(|(i, _)| leaf(i));
    let all: Vec<Target> = leaves.chain((0..axis.groups.len()).map(group)).collect();
    all[share(at, all.len())]
}

impl TableScene {
    /// Rows and columns of cells, before transposing.
    #[must_use]
    pub fn dimensions(&self) -> [usize; 2] {
        self.content.size()
    }

    /// How its headers are grouped.
    #[must_use]
    pub fn structure(&self) -> Structure {
        self.content.structure
    }

    /// What is asked for.
    #[must_use]
    pub fn query(&self) -> Query {
        self.query
    }

    /// Pixels of the crisp picture.
    #[must_use]
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// Every text on the crisp picture and its box: left, top, right, bottom in pixels, the last two just outside.
    /// No two touch.
    #[must_use]
    pub fn boxes(&self) -> Vec<(Kind, [i32; 4])> {
        let corners = |(kind, b): (Kind, Bounds)| (kind, [b.x0, b.y0, b.x1, b.y1]);
        self.sheet.boxes().into_iter().map(corners).collect()
    }

    /// The header that is asked for, and the section it stands in.
    fn asked(&self) -> (&str, Option<&str>) {
        let of = |axis: &'_ Axis, i: usize| axis.group_of(i);
        let (rows, columns) = (&self.content.rows, &self.content.columns);
        match self.target {
            Target::Row(i) => (&rows.labels[i], of(rows, i).map(|g| rows.groups[g].label.as_str())),
            Target::Column(j) => {
                (&columns.labels[j], of(columns, j).map(|g| columns.groups[g].label.as_str()))
            }
            Target::RowGroup(g) => (&rows.groups[g].label, None),
            Target::ColumnGroup(g) => (&columns.groups[g].label, None),
            Target::Cell(i, j) => (&self.content.cells[j][i].text, None),
        }
    }

    pub(crate) fn question(&self) -> String {
        let (text, section) = self.asked();
        match (self.query, section) {
            (Query::SectionHeader, Some(section)) => {
                format!("Point at the header \"{text}\" in the section \"{section}\".")
            }
            (Query::CellValue, _) => format!("Point at the cell that holds the value \"{text}\"."),
            _ => {
                let in_rows = matches!(self.target, Target::Row(_) | Target::RowGroup(_));
                let side = if in_rows != self.transposed { "row" } else { "column" };
                format!("Point at the {side} header \"{text}\".")
            }
        }
    }

    /// Boxes without which the question has no answer: the target's, and its section's.
    pub(crate) fn spare(&self) -> Vec<Bounds> {
        let section = match self.target {
            Target::Row(i) => self.content.rows.group_of(i).map(Target::RowGroup),
            Target::Column(j) => self.content.columns.group_of(j).map(Target::ColumnGroup),
            _ => None,
        };
        let named = section.filter(|_| self.query == Query::SectionHeader);
        let place = |target| place(&self.sheet, &self.content, target, self.transposed);
        std::iter::once(self.target).chain(named).map(place).collect()
    }

    /// Boxes that a wrong answer may be about: headers for a header, cells for a cell.
    fn others(&self) -> Vec<Bounds> {
        let sheet = &self.sheet;
        match self.query {
            Query::CellValue => sheet.cells.clone(),
            _ => [&sheet.down, &sheet.down_groups, &sheet.across, &sheet.across_groups]
                .into_iter()
                .flatten()
                .copied()
                .collect(),
        }
    }

    pub(crate) fn mistake(&self, rng: &mut Rng) -> vrrl_harness_core::Answer {
        point::mistake(&self.region, &self.others(), rng)
    }

    /// Canonical forms: texts of headers in order or sorted, never a style.
    pub(crate) fn canonical(&self) -> Canonical {
        let content = &self.content;
        let lines = |axis: &Axis| -> Vec<String> {
            let group = |i| axis.group_of(i).map_or("", |g| axis.groups[g].label.as_str());
            axis.labels.iter().enumerate().map(|(i, label)| format!("{}\t{label}", group(i))).collect()
        };
        let (rows, columns) = (lines(&content.rows), lines(&content.columns));
        let pattern = format!("rows\n{}\ncolumns\n{}", rows.join("\n"), columns.join("\n"));
        let line = |i: usize| {
            content.cells.iter().map(|column| column[i].text.as_str()).collect::<Vec<_>>().join("\t")
        };
        let values = (0..rows.len()).map(line).collect::<Vec<_>>().join("\n");
        // The target without its value and without its place.
        let target = match self.target {
            Target::Row(i) => format!("row {}", rows[i]),
            Target::Column(j) => format!("column {}", columns[j]),
            Target::RowGroup(_) => format!("rows {}", self.asked().0),
            Target::ColumnGroup(_) => format!("columns {}", self.asked().0),
            Target::Cell(i, j) => format!("cell {} {}", rows[i], columns[j]),
        };
        let asked = format!("{} {target}", self.query.word());
        let exact = format!("{pattern}\nvalues\n{values}\n{asked}");
        let sorted = |mut lines: Vec<String>| {
            lines.sort_unstable();
            lines.join("\n")
        };
        let size = rows.len();
        let structure = content.structure.word();
        let symmetric = format!("{structure}\nrows\n{}\ncolumns\n{}\n{asked}", sorted(rows), sorted(columns));
        Canonical { exact, symmetric, pattern, size }
    }
}
