//! What can be asked of a table.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vrrl_harness_core::Error;

use crate::look::Look;
use crate::point;
use crate::words::{self, Domain};

/// Most rows and columns of a table.
pub(crate) const MOST: u32 = 60;
/// Most rows and columns on the small canvas.
pub(crate) const SMALL_MOST: [u32; 2] = [7, 5];
/// Rows and columns where params say nothing: as in the paper, and on the small canvas.
pub(crate) const USUAL: [u32; 2] = [5, 15];
const SMALL_USUAL: [[u32; 2]; 2] = [[3, 5], [2, 4]];
/// Pixels of the em that letters never go below, whatever the picture's size.
pub(crate) const LEGIBLE: u16 = 10;
/// Half the distance of two rows on the small canvas, in crisp pixels, without tiles and with them.
const SMALL_TOLERANCE: [u32; 2] = [12, 16];

/// How headers are grouped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Structure {
    /// Not at all.
    Single,
    /// Columns have spanning headers.
    MultiColumn,
    /// Rows stand in named groups.
    MultiRow,
    /// Both.
    Hierarchical,
}

impl Structure {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Single, Self::MultiColumn, Self::MultiRow, Self::Hierarchical];

    pub(crate) fn groups_rows(self) -> bool {
        matches!(self, Self::MultiRow | Self::Hierarchical)
    }

    pub(crate) fn groups_columns(self) -> bool {
        matches!(self, Self::MultiColumn | Self::Hierarchical)
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::MultiColumn => "multi_column",
            Self::MultiRow => "multi_row",
            Self::Hierarchical => "hierarchical",
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Query {
    /// A header of a row, or of a group of rows.
    RowHeader,
    /// A header of a column, or of a group of columns.
    ColumnHeader,
    /// A header, and the group in which it stands.
    SectionHeader,
    /// The cell with a value.
    CellValue,
}

impl Query {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::RowHeader, Self::ColumnHeader, Self::SectionHeader, Self::CellValue];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::RowHeader => "row_header",
            Self::ColumnHeader => "column_header",
            Self::SectionHeader => "section_header",
            Self::CellValue => "cell_value",
        }
    }

    /// Whether it can be asked of such a table.
    pub(crate) fn fits(self, structure: Structure) -> bool {
        self != Self::SectionHeader || structure != Structure::Single
    }
}

/// How numbers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numbers {
    /// As each column's metric is: percentages, floats, integers.
    #[default]
    Mixed,
    /// Percentages: 84.37.
    Percent,
    /// Floats: 0.8437.
    Float,
    /// Integers: 8437.
    Integer,
    /// With an exponent: 8.437e-2.
    Scientific,
    /// As mixed, with a comma for the point: 84,37.
    Comma,
}

/// Lines between cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rules {
    /// Heavy rules above and below, a thin one below the header, partial ones below spanning headers.
    #[default]
    Booktabs,
    /// A line around every cell.
    Grid,
    /// Shaded rows instead of inner rules.
    Zebra,
    /// None at all.
    None,
}

/// Where things stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Row headers on the left.
    #[default]
    Normal,
    /// Rows as columns and columns as rows.
    Transposed,
    /// Row headers on the right, columns from right to left.
    Mirrored,
}

/// Where column headers stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderPlace {
    /// Above the cells.
    #[default]
    Top,
    /// Below the cells.
    Bottom,
}

/// Where the caption stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptionPlace {
    /// Above the table, as is usual.
    Above,
    /// Below it.
    Below,
    /// There is none.
    None,
}

/// Difficulty and style of tables.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableParams {
    /// Rows of cells, inclusive range within 2 to 60; absent: 5 to 15 (small: 3 to 5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<[u32; 2]>,
    /// Columns of cells, inclusive range within 2 to 60; absent: 5 to 15 (small: 2 to 4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<[u32; 2]>,
    /// Structures to draw from, each as likely.
    pub structures: Vec<Structure>,
    /// Queries to draw from, each as likely.
    pub queries: Vec<Query>,
    /// Domains to draw from: names, `training` (the fifteen) or `held_out` (the four).
    pub domains: Vec<String>,
    /// Percent of header labels that a held-out domain provides instead.
    pub new_words: u32,
    /// How numbers are written.
    pub numbers: Numbers,
    /// Lines between cells.
    pub rules: Rules,
    /// Where things stand.
    pub layout: Layout,
    /// Where column headers stand.
    pub header: HeaderPlace,
    /// Where the caption stands; absent: mostly above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caption: Option<CaptionPlace>,
    /// Percent of tables with ± in their cells.
    pub plus_minus: u32,
    /// Percent of tables with footnote marks.
    pub marks: u32,
    /// Size of the text in pixels of the em, 10 to 40.
    pub text: u16,
    /// Percent of the usual space between rows and columns, 40 to 200.
    pub spacing: u32,
    /// Exact width of the picture in pixels; the text shrinks as far as is legible. Absent: as wide as needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Exact height of the picture in pixels, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Pieces of foreign text around the table, up to 5.
    pub distractors: u32,
    /// Strength of a watermark behind the table in percent, up to 60.
    pub watermark: u32,
    /// Typeface, colours and lines.
    pub look: Look,
    /// Few and short headers, on 64×64 real pixels (crisp: the same, four times as large).
    pub small: bool,
    /// Small tables only: every text stands in a tile of 8×8 canvas pixels of its own, and headers are one letter, so
    /// that a policy which sees patches of that size has to tell signs apart but not their offsets. Nothing is grouped.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tiled: bool,
    /// Pixels by which an answer may miss the target's centre; absent: 40 (small: 12, tiled: 16).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<u32>,
    /// Draws anew what a shift adds to the usual table: labels of further rows and columns, held-out words, the
    /// cell that is asked for.
    pub again: u64,
}

impl Default for TableParams {
    fn default() -> Self {
        Self {
            rows: None,
            columns: None,
            structures: Structure::ALL.to_vec(),
            queries: vec![Query::RowHeader, Query::ColumnHeader, Query::SectionHeader],
            domains: vec!["training".into()],
            new_words: 0,
            numbers: Numbers::Mixed,
            rules: Rules::Booktabs,
            layout: Layout::Normal,
            header: HeaderPlace::Top,
            caption: None,
            plus_minus: 15,
            marks: 20,
            text: 16,
            spacing: 100,
            width: None,
            height: None,
            distractors: 0,
            watermark: 0,
            look: Look::default(),
            small: false,
            tiled: false,
            tolerance: None,
            again: 0,
        }
    }
}

impl TableParams {
    /// Range of rows.
    #[must_use]
    pub fn rows(&self) -> [u32; 2] {
        self.rows.unwrap_or(self.usual()[0])
    }

    /// Range of columns.
    #[must_use]
    pub fn columns(&self) -> [u32; 2] {
        self.columns.unwrap_or(self.usual()[1])
    }

    /// Ranges of rows and columns where nothing is said.
    pub(crate) fn usual(&self) -> [[u32; 2]; 2] {
        if self.small {
            SMALL_USUAL
        } else {
            [USUAL; 2]
        }
    }

    /// Pixels by which an answer may miss.
    #[must_use]
    pub fn tolerance(&self) -> u32 {
        let usual = if self.small { SMALL_TOLERANCE[usize::from(self.tiled)] } else { point::TOLERANCE };
        self.tolerance.unwrap_or(usual)
    }

    /// The same with every default that depends on others filled in, for tables of `rows` rows.
    pub(crate) fn only(&self, rows: u32) -> Self {
        Self {
            rows: Some([rows; 2]),
            columns: Some(self.columns()),
            tolerance: Some(self.tolerance()),
            ..self.clone()
        }
    }

    /// Params for each number of rows alone, defaults filled in.
    pub(crate) fn spans(&self) -> Result<Vec<(usize, Value)>, Error> {
        self.validate()?;
        let only =
            |rows| (rows as usize, serde_json::to_value(self.only(rows)).expect("plain data serialize"));
        Ok((self.rows()[0]..=self.rows()[1]).map(only).collect())
    }

    /// The domains to draw from, each once, in the order of the catalogue.
    pub(crate) fn drawn_domains(&self) -> Vec<&'static Domain> {
        let asked = |domain: &&Domain| {
            let group = if domain.held_out { "held_out" } else { "training" };
            self.domains.iter().any(|name| name == domain.name || name == group)
        };
        words::DOMAINS.into_iter().filter(asked).collect()
    }

    /// The structures of which at least one query can be asked.
    pub(crate) fn drawn_structures(&self) -> Vec<Structure> {
        let asked = |&structure: &Structure| {
            (!self.tiled || structure == Structure::Single)
                && self.queries.iter().any(|query| query.fits(structure))
        };
        self.structures.iter().copied().filter(asked).collect()
    }

    /// Checks every key.
    ///
    /// # Errors
    /// [`Error::Params`] naming the key.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.look.validate().map_err(wrong)?;
        self.check_ranges()?;
        self.check_lists()?;
        if self.small {
            self.check_small()?;
        } else if self.tiled {
            return Err(wrong("tiled has a meaning only where small is true".into()));
        }
        self.check_room()
    }

    fn check_ranges(&self) -> Result<(), Error> {
        let most = if self.small { SMALL_MOST } else { [MOST; 2] };
        let suffix = if self.small { " where small is true" } else { "" };
        for (key, [low, high], most) in [("rows", self.rows(), most[0]), ("columns", self.columns(), most[1])]
        {
            if low > high || low < 2 || high > most {
                return Err(wrong(format!(
                    "{key} is [{low}, {high}]; use an ascending range within 2 to {most}{suffix}"
                )));
            }
        }
        let numbers = [
            ("new_words", self.new_words, 0, 100),
            ("plus_minus", self.plus_minus, 0, 100),
            ("marks", self.marks, 0, 100),
            ("text", u32::from(self.text), u32::from(LEGIBLE), 40),
            ("spacing", self.spacing, 40, 200),
            ("distractors", self.distractors, 0, 5),
            ("watermark", self.watermark, 0, 60),
            ("tolerance", self.tolerance(), 1, 1000),
        ];
        for (key, value, least, most) in numbers {
            if value < least || value > most {
                return Err(wrong(format!("{key} is {value}; use {least} to {most}")));
            }
        }
        Ok(())
    }

    fn check_lists(&self) -> Result<(), Error> {
        if self.structures.is_empty() || self.queries.is_empty() || self.domains.is_empty() {
            return Err(wrong("structures, queries and domains need at least one word each".into()));
        }
        if self.tiled && !self.structures.contains(&Structure::Single) {
            return Err(wrong("structures leaves single out, but tiled tables are single".into()));
        }
        if self.drawn_structures().is_empty() {
            return Err(wrong(
                "queries asks for section_header alone, but structures is single alone (as where tiled is true), which \
                 has no sections"
                    .into(),
            ));
        }
        for name in &self.domains {
            if words::domain(name).is_none() && !matches!(name.as_str(), "training" | "held_out") {
                let known: Vec<_> = words::DOMAINS.iter().map(|domain| domain.name).collect();
                return Err(wrong(format!(
                    "domains names {name:?}; use training, held_out, or any of {}",
                    known.join(", ")
                )));
            }
        }
        Ok(())
    }

    /// What the small canvas has no room for is refused, not ignored.
    fn check_small(&self) -> Result<(), Error> {
        let usual = Self::default();
        let look = Look {
            palette: self.look.palette,
            contrast: self.look.contrast,
            dark: self.look.dark,
            ..Look::default()
        };
        let large: [(&str, bool); 11] = [
            ("numbers", self.numbers != usual.numbers),
            ("rules: grid", self.rules == Rules::Grid),
            ("caption", !matches!(self.caption, None | Some(CaptionPlace::None))),
            ("plus_minus", self.plus_minus != usual.plus_minus && self.plus_minus != 0),
            ("marks", self.marks != usual.marks && self.marks != 0),
            ("text", self.text != usual.text),
            ("spacing", self.spacing != usual.spacing),
            ("width or height", self.width.is_some() || self.height.is_some()),
            ("distractors or watermark", self.distractors + self.watermark > 0),
            ("domains or new_words", self.domains != usual.domains || self.new_words > 0),
            ("look (but palette, contrast and dark)", self.look != look),
        ];
        if let Some((key, _)) = large.into_iter().find(|&(_, set)| set) {
            return Err(wrong(format!("{key} has no meaning where small is true; leave it out")));
        }
        if self.layout == Layout::Transposed && !self.tiled && self.rows()[1] > SMALL_MOST[1] {
            let (rows, most) = (self.rows()[1], SMALL_MOST[1]);
            return Err(wrong(format!(
                "rows reaches {rows}, but transposed on the small canvas there is room for {most} of them"
            )));
        }
        Ok(())
    }

    /// Refuses sizes that even the smallest text cannot meet; what this lets through may still turn out too wide
    /// where labels are long.
    fn check_room(&self) -> Result<(), Error> {
        let (rows, columns) = (self.rows()[1], self.columns()[1]);
        let (down, across) =
            if self.layout == Layout::Transposed { (columns, rows) } else { (rows, columns) };
        let least = [("width", self.width, 60 + 24 * across), ("height", self.height, 50 + 13 * down)];
        for (key, given, least) in least {
            let Some(given) = given else { continue };
            if given > 20_000 {
                return Err(wrong(format!("{key} is {given} pixels; use up to 20000")));
            }
            if given < least {
                return Err(wrong(format!(
                    "{key} is {given} pixels, but {rows} rows and {columns} columns need at least {least} with \
                     legible text; raise {key}, or ask for fewer rows and columns"
                )));
            }
        }
        Ok(())
    }
}

/// An error about these params.
pub(crate) fn wrong(reason: String) -> Error {
    Error::Params { task: "table", reason }
}
