//! What stands in a table: its headers and their groups, before any of it has a place.
//!
//! Everything is drawn item after item, so that a larger table of the same seed begins with the smaller one.

use std::collections::BTreeSet;

use vrrl_harness_core::{Rng, Seed};

use super::params::{Numbers, Structure, TableParams};
use super::values::{self, Values};
use crate::again::number;
use crate::words::{self, Domain, Kind, Metric};

/// Rows or columns: headers, and the groups in which they stand.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Axis {
    /// One for each row or column.
    pub labels: Vec<String>,
    /// Groups in order; empty, or they cover all.
    pub groups: Vec<Group>,
}

/// Neighbours under one header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Group {
    pub label: String,
    pub from: usize,
    /// Behind the last.
    pub to: usize,
}

impl Axis {
    /// The group that holds a row or column.
    pub(crate) fn group_of(&self, index: usize) -> Option<usize> {
        self.groups.iter().position(|group| (group.from..group.to).contains(&index))
    }
}

/// One cell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cell {
    /// The value, as it is asked for.
    pub text: String,
    /// What follows ±.
    pub spread: Option<String>,
    /// The best of its metric.
    pub best: bool,
    /// Has a footnote.
    pub mark: bool,
}

/// Everything a table says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Content {
    pub structure: Structure,
    pub rows: Axis,
    pub columns: Axis,
    /// What each column measures.
    pub metrics: Vec<Metric>,
    /// Column by column.
    pub cells: Vec<Vec<Cell>>,
    pub domain: &'static Domain,
    /// The metric of all columns, where there is one.
    pub metric: Option<Metric>,
    /// Row labels with a footnote.
    pub marked: Vec<bool>,
    /// Numbers of cited works behind row labels, where there are any.
    pub cited: Vec<u32>,
}

/// A place within `0..n`, at the same share of the way for every `n`.
pub(crate) fn share(of: u32, n: usize) -> usize {
    ((u64::from(of) * n as u64) >> 32) as usize
}

/// A size within a range, larger for a range that is higher.
fn size(range: [u32; 2], at: u32) -> usize {
    range[0] as usize + share(at, (range[1] - range[0] + 1) as usize)
}

/// The number of rows beyond the usual `base`. Rows that only complete a group, whose members come back, leave
/// nothing to draw anew but their [`number`].
fn beyond(base: usize, rows: usize, most: u32, again: u64) -> usize {
    if rows <= base {
        rows
    } else {
        number(rows, again).clamp(base + 1, most as usize)
    }
}

/// Draws the content of a table.
pub(crate) fn draw(params: &TableParams, seed: Seed) -> Content {
    let mut rng = seed.derive("table shape", 0).rng();
    let at = [(); 2].map(|()| rng.next_u32());
    let [rows, columns] = [size(params.rows(), at[0]), size(params.columns(), at[1])];
    let usual = params.usual();
    let rows = beyond(size(usual[0], at[0]), rows, params.rows()[1], params.again);
    let structures = params.drawn_structures();
    let structure = structures[share(rng.next_u32(), structures.len())];
    let domains = params.drawn_domains();
    let domain = domains[share(rng.next_u32(), domains.len())];
    let foreign: Vec<_> = words::domains(true).collect();
    let own = rng.next_u32();
    let foreign = match params.again {
        0 => foreign[share(own, foreign.len())],
        // One replaced label may leave few choices in one domain.
        k => {
            foreign
                [share(seed.derive("again", k).derive("table new words", 0).rng().next_u32(), foreign.len())]
        }
    };

    let drawn = |side, n, base, grouped| {
        let shape = Shape::new(seed, side, n, grouped, params.small);
        let later = Later { from: size(base, at[usize::from(side == Side::Column)]), again: params.again };
        Drawn {
            side,
            shape,
            seed,
            later,
            new_words: params.new_words,
            small: params.small,
            tiled: params.tiled,
        }
    };
    let rows = drawn(Side::Row, rows, usual[0], structure.groups_rows());
    let columns = drawn(Side::Column, columns, usual[1], structure.groups_columns());
    let (row_axis, _, _) = rows.axis(domain, foreign);
    let (column_axis, metrics, metric) = columns.axis(domain, foreign);
    let mut content = Content {
        structure,
        marked: vec![false; row_axis.labels.len()],
        cited: Vec::new(),
        rows: row_axis,
        columns: column_axis,
        metrics,
        cells: Vec::new(),
        domain,
        metric,
    };
    content.fill(params, seed);
    if !params.small {
        content.decorate(params, seed);
    }
    content
}

impl Content {
    /// Rows and columns.
    pub(crate) fn size(&self) -> [usize; 2] {
        [self.rows.labels.len(), self.columns.labels.len()]
    }

    /// Draws the cells.
    fn fill(&mut self, params: &TableParams, seed: Seed) {
        let [rows, columns] = self.size();
        let plain = |text| Cell { text, spread: None, best: false, mark: false };
        if params.small {
            let numbers = values::small(seed, rows, columns);
            let column = |numbers: Vec<u32>| numbers.into_iter().map(|n| plain(n.to_string())).collect();
            self.cells = numbers.into_iter().map(column).collect();
            return;
        }
        let values = Values::new(seed, rows, columns);
        let mut rng = seed.derive("table cells", 0).rng();
        let spread = rng.chance(params.plus_minus, 100);
        let best = rng.chance(3, 4);
        self.cells = (0..columns)
            .map(|column| {
                let metric = self.metrics[column];
                let digits = values.column(column, rows);
                let winner = best.then(|| values::best(&digits, &metric));
                let cell = |(row, &digits): (usize, &u32)| Cell {
                    text: values.text(digits, column, metric.kind, params.numbers),
                    spread: spread.then(|| values.spread(digits, metric.kind, params.numbers)).flatten(),
                    best: winner == Some(row),
                    mark: false,
                };
                digits.iter().enumerate().map(cell).collect()
            })
            .collect();
    }

    /// Footnote marks and citations, the same for a cell whatever the table's size.
    fn decorate(&mut self, params: &TableParams, seed: Seed) {
        let mut rng = seed.derive("table marks", 0).rng();
        let (marks, cites) = (rng.chance(params.marks, 100), rng.chance(1, 4));
        let [on_rows, row, place] = [2, 9, 37].map(|n| rng.below(n) as usize);
        if marks && on_rows == 1 {
            self.marked.iter_mut().enumerate().for_each(|(i, mark)| *mark = i % 9 == row);
        } else if marks {
            for (j, column) in self.cells.iter_mut().enumerate() {
                column
                    .iter_mut()
                    .enumerate()
                    .for_each(|(i, cell)| cell.mark = (i * 7 + j * 16) % 37 == place);
            }
        }
        // Whole numbers in cells begin at 50, so that no citation looks like one.
        if cites {
            let groups_repeat = has_repeats(&self.rows.labels);
            self.cited = if groups_repeat {
                Vec::new()
            } else {
                self.rows.labels.iter().map(|_| rng.between(1, 49)).collect()
            };
        }
    }

    /// Whether all its numbers are percentages.
    pub(crate) fn percent_only(&self, numbers: Numbers) -> bool {
        match numbers {
            Numbers::Percent => true,
            Numbers::Mixed | Numbers::Comma => self.metrics.iter().all(|metric| metric.kind == Kind::Percent),
            _ => false,
        }
    }
}

fn has_repeats(labels: &[String]) -> bool {
    labels.iter().collect::<BTreeSet<_>>().len() < labels.len()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Row,
    Column,
}

/// How an axis is divided.
struct Shape {
    n: usize,
    /// Ends of groups; empty where there are none.
    ends: Vec<usize>,
    /// Members that come back in every group; 0: all labels differ.
    repeated: usize,
    /// Ungrouped columns: 0 data sets, 1 costs before them, 2 metrics first.
    kind: u32,
}

impl Shape {
    fn new(seed: Seed, side: Side, n: usize, grouped: bool, small: bool) -> Self {
        let mut rng = seed.derive("table groups", side as u64).rng();
        let kind = [0, 0, 0, 1, 1, 2][rng.index(6)];
        let most = if small { 3 } else { [5, 4][side as usize] };
        let repeated = if rng.chance(1, 2) { rng.between(2, most - 1) as usize } else { 0 };
        let mut ends = Vec::new();
        while grouped && ends.last().is_none_or(|&end| end < n) {
            let members = if repeated > 0 { repeated } else { rng.between(2, most) as usize };
            ends.push((ends.last().unwrap_or(&0) + members).min(n));
        }
        Self { n, ends, repeated: if grouped { repeated } else { 0 }, kind }
    }
}

/// From which row or column on labels are additions, and how often those were drawn before.
struct Later {
    from: usize,
    again: u64,
}

/// One axis about to be drawn.
struct Drawn {
    side: Side,
    shape: Shape,
    seed: Seed,
    later: Later,
    new_words: u32,
    small: bool,
    tiled: bool,
}

/// Labels of an axis from one vocabulary.
struct Labels {
    groups: Vec<String>,
    labels: Vec<(String, Metric)>,
    /// The metric of all columns.
    common: Option<Metric>,
}

impl Drawn {
    /// The axis, what its columns measure, and the metric of all of them, if there is one.
    fn axis(&self, domain: &Domain, foreign: &Domain) -> (Axis, Vec<Metric>, Option<Metric>) {
        let again = |k| if k == 0 { self.seed } else { self.seed.derive("again", k) };
        let own = self.labels(domain, self.seed, again(self.later.again));
        let metrics = own.labels.iter().map(|(_, metric)| *metric).collect();
        let (mut groups, mut labels) =
            (own.groups, own.labels.into_iter().map(|(label, _)| label).collect::<Vec<_>>());
        if self.new_words > 0 {
            let seed = again(self.later.again);
            let other = self.labels(foreign, seed.derive("new words", 0), seed.derive("new words", 0));
            // Whether a label is replaced depends on its place and grows with the share; members that come back
            // are replaced everywhere.
            let mut rng = self.seed.derive("table new words", self.side as u64).rng();
            let groups_at: Vec<u32> = groups.iter().map(|_| rng.below(100)).collect();
            let mut rng = self.seed.derive("table new words", 2 + self.side as u64).rng();
            let labels_at: Vec<u32> = labels.iter().map(|_| rng.below(100)).collect();
            for (i, label) in other.groups.into_iter().enumerate() {
                if groups_at[i] < self.new_words {
                    groups[i] = label;
                }
            }
            for (i, (label, _)) in other.labels.into_iter().enumerate() {
                if labels_at[i.checked_rem(self.shape.repeated).unwrap_or(i)] < self.new_words {
                    labels[i] = label;
                }
            }
        }
        let from = std::iter::once(0).chain(self.shape.ends.iter().copied());
        let group = |((label, from), &to)| Group { label, from, to };
        let groups = groups.into_iter().zip(from).zip(&self.shape.ends).map(group).collect();
        (Axis { labels, groups }, metrics, own.common)
    }

    /// Labels of one domain: those of the usual table from `seed`, those behind it from `later`.
    fn labels(&self, domain: &Domain, seed: Seed, later: Seed) -> Labels {
        let stream = |seed: Seed, part: u64| seed.derive("table labels", 4 * part + self.side as u64).rng();
        let streams = |part| {
            let first = stream(seed, part);
            Streams { later: (later != seed).then(|| stream(later, part)), first, from: self.later.from }
        };
        let mut used = BTreeSet::new();
        let mut ends = streams(0);
        let begins = std::iter::once(0).chain(self.shape.ends.iter().copied());
        let groups: Vec<String> = begins
            .zip(&self.shape.ends)
            .map(|(from, _)| unique(&mut used, ends.at(from), |rng| self.group_label(domain, rng)))
            .collect();
        let mut leaves = streams(1);
        let source = Source::new(domain, &mut leaves.first);
        let distinct =
            if self.shape.repeated > 0 { self.shape.repeated.min(self.shape.n) } else { self.shape.n };
        let mut labels: Vec<(String, Metric)> = Vec::with_capacity(self.shape.n);
        for i in 0..distinct {
            let rng = leaves.at(i);
            let mut metric = source.common;
            let label = unique(&mut used, rng, |rng| {
                let (label, own) = self.leaf_label(domain, &source, i, rng);
                metric = own;
                label
            });
            labels.push((label, metric));
        }
        for i in distinct..self.shape.n {
            labels.push(labels[i - distinct].clone());
        }
        let common = labels.iter().all(|(_, metric)| *metric == source.common).then_some(source.common);
        Labels { groups, labels, common }
    }

    fn group_label(&self, domain: &Domain, rng: &mut Rng) -> String {
        match (self.small, self.side, self.shape.repeated > 0) {
            (true, side, _) => words::letter(side == Side::Row, rng),
            (_, Side::Row, true) => domain.model(rng),
            (_, Side::Row, false) => domain.school(rng),
            (_, Side::Column, true) => domain.data_set(rng),
            (_, Side::Column, false) => domain.suite(rng),
        }
    }

    fn leaf_label(&self, domain: &Domain, source: &Source, i: usize, rng: &mut Rng) -> (String, Metric) {
        let common = source.common;
        let grouped = !self.shape.ends.is_empty();
        match (self.small, self.side, self.shape.repeated > 0) {
            (true, side, _) if self.tiled => (words::letter(side == Side::Row, rng), common),
            (true, side, _) => (words::letters(side == Side::Row, rng), common),
            (_, Side::Row, true) if rng.chance(2, 3) => ((*rng.choose(domain.variants)).into(), common),
            (_, Side::Row, true) => (domain.method(rng), common),
            (_, Side::Row, false) if rng.chance(source.models, 4) => (domain.model(rng), common),
            (_, Side::Row, false) => (domain.method(rng), common),
            (_, Side::Column, true) => named(*rng.choose(domain.metrics)),
            (_, Side::Column, false) if grouped => (domain.data_set(rng), common),
            (_, Side::Column, false) => match self.shape.kind {
                1 if i < source.costs => named(source.cost_order[i]),
                2 if i < source.metric_order.len() => named(source.metric_order[i]),
                _ => (domain.data_set(rng), common),
            },
        }
    }
}

fn named(metric: Metric) -> (String, Metric) {
    (metric.name.into(), metric)
}

/// What a table draws once for all its labels.
struct Source {
    /// The metric of columns that name data sets.
    common: Metric,
    /// Of four rows that are not in groups, how many name an architecture.
    models: u32,
    costs: usize,
    cost_order: Vec<Metric>,
    metric_order: Vec<Metric>,
}

impl Source {
    fn new(domain: &Domain, rng: &mut Rng) -> Self {
        let common = *rng.choose(domain.metrics);
        let models = rng.below(4);
        let costs = rng.between(1, 2) as usize;
        let mut shuffled = |metrics: &[Metric]| {
            let mut order = metrics.to_vec();
            rng.shuffle(&mut order);
            order
        };
        let (cost_order, metric_order) = (shuffled(domain.costs), shuffled(domain.metrics));
        Self { common, models, costs, cost_order, metric_order }
    }
}

/// The stream of the usual table's labels, and the one of additions where they were drawn anew.
struct Streams {
    first: Rng,
    later: Option<Rng>,
    from: usize,
}

impl Streams {
    fn at(&mut self, index: usize) -> &mut Rng {
        match &mut self.later {
            Some(later) if index >= self.from => later,
            _ => &mut self.first,
        }
    }
}

/// A label that was not used before.
fn unique(used: &mut BTreeSet<String>, rng: &mut Rng, mut draw: impl FnMut(&mut Rng) -> String) -> String {
    const TRIES: usize = 200;
    let mut label = draw(rng);
    for _ in 0..TRIES {
        if used.insert(label.clone()) {
            return label;
        }
        label = draw(rng);
    }
    // Vocabularies are large enough that hardly any seed comes here.
    let numbered = (2..).map(|n| format!("{label} ({n})")).find(|label| !used.contains(label));
    let label = numbered.expect("numbers do not end");
    used.insert(label.clone());
    label
}
