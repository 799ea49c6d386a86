//! Which method is best in a column, and whether the second best is shown to be worse: the daggers of the tables.

use std::collections::BTreeMap;
use std::path::Path;

use vrrl_harness::{compare, compare_seeds, read_items, Item};
use vrrl_harness_core::Seed;
use vrrl_harness_stats::holm;

use crate::group::{groups, Group};
use crate::leaderboard::{decodings, Columns};
use crate::run::Run;

/// Largest adjusted p of a dagger.
const LEVEL: f64 = 0.05;

/// A column of accuracies: one split, or all out-of-distribution ones together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Column {
    /// A split by its full name.
    Split(String),
    /// The average out of distribution.
    OodAverage,
}

/// The best of a column.
#[derive(Clone, PartialEq, Debug)]
struct Best {
    label: String,
    /// Best against second best, two-sided, adjusted over the columns of its table by Holm's method; `None` where
    /// the two do not pair.
    p: Option<f64>,
}

/// Best methods by decoding and column.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Marks(BTreeMap<(String, Column), Best>);

impl Marks {
    /// Compares in each column the best learned policy with the second best: over training seeds that both have where
    /// there are several (paired t test), else over items (exact McNemar; permutation where items repeat).
    /// References, runs under controls and a policy's own graphs in another engine take no part.
    pub(crate) fn of(runs: &[Run]) -> Self {
        let columns = Columns::of(runs);
        let mut known = BTreeMap::new();
        let mut marks = BTreeMap::new();
        for decoding in decodings(runs) {
            let all = groups(runs, &decoding);
            let learned: Vec<&Group<'_>> = all
                .iter()
                .filter(|g| !g.is_reference() && g.condition.is_empty() && !is_copy(g, &all))
                .collect();
            let mut found: Vec<(Column, Best)> = Vec::new();
            for column in of_table(&columns) {
                let splits = column.splits(&columns);
                let mut ranked: Vec<(f64, &Group<'_>)> =
                    learned.iter().filter_map(|g| Some((g.mean(&splits, "accuracy")?, *g))).collect();
                ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
                if let [(_, best), (_, second), ..] = ranked[..] {
                    let p = difference(best, second, &splits, &mut known);
                    found.push((column, Best { label: best.label.clone(), p }));
                }
            }
            let tested: Vec<usize> = (0..found.len()).filter(|i| found[*i].1.p.is_some()).collect();
            let raw: Vec<f64> = tested.iter().filter_map(|i| found[*i].1.p).collect();
            for (i, p) in tested.into_iter().zip(holm(&raw)) {
                found[i].1.p = Some(p);
            }
            marks.extend(found.into_iter().map(|(column, best)| ((decoding.clone(), column), best)));
        }
        Self(marks)
    }

    /// Whether this row is the best of its column.
    pub(crate) fn best(&self, decoding: &str, column: &Column, label: &str) -> bool {
        self.at(decoding, column).is_some_and(|best| best.label == label)
    }

    /// Whether it is, and the second best is shown to be worse.
    pub(crate) fn dagger(&self, decoding: &str, column: &Column, label: &str) -> bool {
        self.at(decoding, column).is_some_and(|best| best.label == label && best.p.is_some_and(|p| p < LEVEL))
    }

    fn at(&self, decoding: &str, column: &Column) -> Option<&Best> {
        self.0.get(&(decoding.to_owned(), column.clone()))
    }
}

/// What a dagger means.
pub(crate) const DAGGER: &str =
    "† better than the second best policy: p < 0.05 after Holm over the columns (over training seeds \
                                 that both have where there are several, else paired over examples).";

/// Whether this is a method's checkpoint exported, beside the checkpoint itself: no rival of it.
fn is_copy(group: &Group<'_>, all: &[Group<'_>]) -> bool {
    let graphs = |g: &Group<'_>| g.runs.iter().all(|run| run.backend != "candle");
    graphs(group) && all.iter().any(|other| other.method == group.method && !graphs(other))
}

fn of_table(columns: &Columns) -> Vec<Column> {
    let mut all: Vec<Column> = columns.all().into_iter().map(Column::Split).collect();
    if !columns.ood.is_empty() {
        all.push(Column::OodAverage);
    }
    all
}

impl Column {
    fn splits(&self, columns: &Columns) -> Vec<String> {
        match self {
            Self::Split(name) => vec![name.clone()],
            Self::OodAverage => columns.ood.clone(),
        }
    }
}

/// Items of runs that were read; `None` where a run has none.
type Known = BTreeMap<std::path::PathBuf, Option<Vec<Item>>>;

fn difference(a: &Group<'_>, b: &Group<'_>, splits: &[String], known: &mut Known) -> Option<f64> {
    let mut pairs: Vec<(&Run, &Run)> = Vec::new();
    for x in &a.runs {
        pairs.extend(b.runs.iter().find(|y| y.train_seed == x.train_seed).map(|y| (*x, *y)));
    }
    if let ([x], [y]) = (&a.runs[..], &b.runs[..]) {
        // Checkpoints of different seeds are still two checkpoints.
        pairs = vec![(x, y)];
    }
    let items: Option<Vec<(Vec<Item>, Vec<Item>)>> =
        pairs.iter().map(|(x, y)| Some((of(&x.dir, splits, known)?, of(&y.dir, splits, known)?))).collect();
    let items = items?;
    match &items[..] {
        [] => None,
        [(x, y)] => compare(x, y, false, Seed(0)).ok()?.splits.last()?.p(),
        several => compare_seeds(several, false, Seed(0)).ok()?.splits.last()?.accuracy.p_t,
    }
}

fn of(dir: &Path, splits: &[String], known: &mut Known) -> Option<Vec<Item>> {
    let items = known.entry(dir.to_path_buf()).or_insert_with(|| read_items(dir).ok()).as_ref()?;
    Some(items.iter().filter(|item| splits.contains(&item.split)).cloned().collect())
}
