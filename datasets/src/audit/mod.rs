//! Proof that splits do not overlap.
//!
//! Forms are compared by 128 bits of their hash, some fifty bytes an example, so that a million examples against a
//! million take a few hundred megabytes. Examples are drawn or read in batches and not held.

mod look;
mod near;
mod pictures;
mod prints;
mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use near::Looks;
pub use near::NearDuplicates;
pub use pictures::draw_offenders;
use prints::{Prints, Sorted};

use crate::{Error, Examples, Split};

/// Forms in memory at once before they are hashed.
const BATCH: usize = 8192;

/// Overlap of one training and one test split.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pair {
    /// Training split.
    pub train: String,
    /// Test split.
    pub test: String,
    /// Training examples.
    pub n_train: usize,
    /// Test examples.
    pub n_test: usize,
    /// Test examples that equal a training example.
    pub exact: usize,
    /// Test examples that equal one up to the task's symmetries; includes the exact ones.
    pub symmetric: usize,
    /// Test examples with the background of a training example, in the same orientation.
    pub same_pattern: usize,
    /// Test examples that are distinct up to symmetry.
    pub distinct_test: usize,
    /// The same for each size class that the test split holds.
    pub by_size: Vec<BySize>,
    /// Both show the same base scenes on purpose (one scene at several severities): overlap is what makes them
    /// comparable, and neither may be trained on where the other is reported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paired: bool,
    /// What a comparison of pictures found, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near: Option<NearDuplicates>,
}

/// Overlap within one size class; fields as in [`Pair`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct BySize {
    pub size: usize,
    pub train: String,
    pub test: String,
    pub n_train: usize,
    pub n_test: usize,
    pub exact: usize,
    pub symmetric: usize,
    pub same_pattern: usize,
    pub distinct_test: usize,
}

/// What two items have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// They are equal.
    Exact,
    /// They are equal up to the task's symmetries, and not exactly.
    Symmetric,
    /// They have the same background, and nothing more.
    SamePattern,
    /// Their pictures are nearly equal.
    Near,
}

impl Overlap {
    /// The word used in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Symmetric => "symmetric",
            Self::SamePattern => "same_pattern",
            Self::Near => "near",
        }
    }
}

/// A test item and a training item that overlap.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Offender {
    /// How.
    pub overlap: Overlap,
    /// Position of their splits in [`Audit::pairs`].
    pub pair: usize,
    /// Position of the training split among those audited.
    pub train: usize,
    /// Position of the item in it.
    pub train_item: usize,
    /// Its id.
    pub train_id: String,
    /// Position of the test split.
    pub test: usize,
    /// Position of the item in it.
    pub test_item: usize,
    /// Its id.
    pub test_id: String,
}

/// What an audit found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Audit {
    /// Every training split with every test split, in this order.
    pub pairs: Vec<Pair>,
    /// The first items of each pair and kind of overlap.
    pub offenders: Vec<Offender>,
}

/// What an audit looks for beside the forms of problems.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AuditOptions {
    /// Offenders named for each pair of splits and kind of overlap.
    pub shown: usize,
    /// Compare pictures as well: every one is drawn and hashed.
    pub near: bool,
}

/// Compares every training split with every test split, in this order.
#[must_use]
pub fn audit(train: &[&Split], test: &[&Split]) -> Vec<Pair> {
    let side = |splits: &[&Split]| -> Vec<Side> {
        let one = |split: &&Split| Side {
            name: split.def.name.clone(),
            scenes: split.def.scenes_key(),
            prints: Prints::of(split.examples.iter().map(|example| example.problem.canonical()).collect()),
            looks: None,
        };
        splits.iter().map(one).collect()
    };
    let test = side(test);
    let compare = |side: Side| {
        let known = Known::of(side);
        test.iter().map(move |other| known.pair(other)).collect::<Vec<_>>()
    };
    side(train).into_iter().flat_map(compare).collect()
}

/// Compares every training split with every test split, in this order, in bounded memory: about a hundred bytes for
/// each example.
///
/// # Errors
/// As [`Examples::items`].
pub fn audit_examples(
    train: &[&Examples],
    test: &[&Examples],
    options: &AuditOptions,
) -> Result<Audit, Error> {
    let mut audit = Audit { pairs: Vec::new(), offenders: Vec::new() };
    let others = test.iter().map(|examples| Side::of(examples, options)).collect::<Result<Vec<_>, _>>()?;
    for (at, examples) in train.iter().enumerate() {
        let known = Known::of(Side::of(examples, options)?);
        for (other_at, other) in others.iter().enumerate() {
            let mut pair = known.pair(other);
            let mut found = known.sorted.offenders(&other.prints, options.shown);
            if let (Some(ours), Some(theirs)) = (&known.looks, &other.looks) {
                let (near, alike) = near(examples, test[other_at], [ours, theirs], &known, other)?;
                pair.near = Some(near);
                let alike = alike.into_iter().take(options.shown);
                found.extend(alike.map(|(here, there)| (Overlap::Near, here, there)));
            }
            audit.pairs.push(pair);
            for (overlap, train_item, test_item) in found {
                let id = |examples: &Examples, item: usize| -> Result<String, Error> {
                    Ok(examples.items(item..item + 1)?.swap_remove(0).example.id)
                };
                let train_id = id(examples, train_item)?;
                let test_id = id(test[other_at], test_item)?;
                let (pair, train, test) = (audit.pairs.len() - 1, at, other_at);
                audit.offenders.push(Offender {
                    overlap,
                    pair,
                    train,
                    train_item,
                    train_id,
                    test,
                    test_item,
                    test_id,
                });
            }
        }
    }
    Ok(audit)
}

/// The pairs of items whose pictures look alike, and their numbers.
fn near(
    train: &Examples,
    test: &Examples,
    [ours, theirs]: [&Looks; 2],
    known: &Known,
    other: &Side,
) -> Result<(NearDuplicates, Vec<(usize, usize)>), Error> {
    let candidates = near::candidates(ours, theirs);
    let alike = near::confirmed(train, test, &candidates)?;
    let new = |&&(_, item): &&(usize, usize)| !known.sorted.symmetric(&other.prints, item);
    let near = NearDuplicates {
        compared: theirs.compared(),
        candidates: candidates.iter().filter(|found| !found.is_empty()).count(),
        test: alike.len(),
        beyond: alike.iter().filter(new).count(),
    };
    Ok((near, alike))
}

/// What is held of a split while it is compared.
struct Side {
    name: String,
    scenes: String,
    prints: Prints,
    looks: Option<Looks>,
}

impl Side {
    fn of(examples: &Examples, options: &AuditOptions) -> Result<Self, Error> {
        let mut prints = Prints::default();
        for start in (0..examples.len()).step_by(BATCH) {
            prints.append(Prints::of(examples.forms(start..examples.len().min(start + BATCH))?));
        }
        let looks = options.near.then(|| Looks::of(examples)).transpose()?;
        let def = examples.def();
        Ok(Self { name: def.name.clone(), scenes: def.scenes_key(), prints, looks })
    }
}

/// A training split, ready to be looked up.
struct Known {
    name: String,
    scenes: String,
    sorted: Sorted,
    looks: Option<Looks>,
}

impl Known {
    fn of(side: Side) -> Self {
        Self { name: side.name, scenes: side.scenes, sorted: side.prints.sort(), looks: side.looks }
    }

    fn pair(&self, other: &Side) -> Pair {
        let paired = self.scenes == other.scenes && self.name != other.name;
        Pair { paired, ..pair(&self.sorted, &self.name, &other.name, &other.prints) }
    }
}

fn pair(known: &Sorted, train: &str, test: &str, prints: &Prints) -> Pair {
    let mut sizes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (item, &size) in prints.size.iter().enumerate() {
        sizes.entry(size as usize).or_default().push(item);
    }
    let one = |(size, items): (usize, Vec<usize>)| {
        let [exact, symmetric, same_pattern] = known.hits(prints, &items);
        BySize {
            size,
            train: train.into(),
            test: test.into(),
            n_train: known.of_size(size),
            n_test: items.len(),
            exact,
            symmetric,
            same_pattern,
            distinct_test: prints.distinct(&items),
        }
    };
    let by_size: Vec<BySize> = sizes.into_iter().map(one).collect();
    // Forms of different sizes are never equal, so sums over sizes are the counts over all.
    let sum = |of: fn(&BySize) -> usize| by_size.iter().map(of).sum();
    Pair {
        train: train.into(),
        test: test.into(),
        n_train: known.len(),
        n_test: prints.len(),
        exact: sum(|s| s.exact),
        symmetric: sum(|s| s.symmetric),
        same_pattern: sum(|s| s.same_pattern),
        distinct_test: sum(|s| s.distinct_test),
        by_size,
        paired: false,
        near: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;
    use vrrl_harness_core::{Example, MazeTruth, Seed, TaskKind, Truth};

    use super::*;
    use crate::{find, generate, Source, SplitDef};

    fn of(name: &str, mazes: &[&str]) -> Split {
        let example = |(index, maze): (usize, &&str)| {
            let truth = Truth::Maze(MazeTruth {
                layout: maze.split('/').map(Into::into).collect(),
                start_pos: maze.replace('/', "").find('S').unwrap(),
                target_pos: maze.replace('/', "").find('G').unwrap(),
                level: maze.split('/').count(),
            });
            Example {
                id: index.to_string(),
                split: name.into(),
                seed: Seed(0),
                content_hash: String::new(),
                problem: vrrl_generators::pose_truth(TaskKind::Maze, &truth, Seed(0)).unwrap(),
            }
        };
        let def = SplitDef { name: name.into(), ..find("ood6").unwrap() };
        let examples = mazes.iter().enumerate().map(example).collect();
        Split { def, source: Source::Imported, examples, again: BTreeMap::new(), ceiling: None }
    }

    #[test]
    fn planted_duplicates_are_found() {
        let train = of("a", &["SFH/FFF/FFG", "SF/FG"]);
        let test = of(
            "b",
            &[
                "SFH/FFF/FFG", // the same
                "HFS/FFF/GFF", // mirrored: same holes only up to symmetry
                "FSH/FFF/GFF", // the same holes, another start and goal
                "FFF/FSF/FGF", // nothing in common
                "HFS/FFF/GFF", // its own repeat
                "SF/HG",       // another size
            ],
        );
        let pairs = audit(&[&train], &[&test]);
        assert_eq!(pairs.len(), 1);
        let pair = &pairs[0];
        assert_eq!((pair.train.as_str(), pair.test.as_str(), pair.n_train, pair.n_test), ("a", "b", 2, 6));
        assert_eq!((pair.exact, pair.symmetric, pair.same_pattern, pair.distinct_test), (1, 3, 2, 4));
        let three = &pair.by_size[1];
        assert_eq!((three.size, three.n_train, three.n_test, three.distinct_test), (3, 1, 5, 3));
        assert_eq!(pair.by_size[0].symmetric, 0);
        let json = serde_json::to_value(pair).unwrap();
        let keys: BTreeSet<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = [
            "by_size",
            "distinct_test",
            "exact",
            "n_test",
            "n_train",
            "same_pattern",
            "symmetric",
            "test",
            "train",
        ];
        assert_eq!(keys, expected.into());
        assert_eq!(json["by_size"][0]["size"], json!(2));
    }

    #[test]
    fn quick_splits_do_not_touch_training() {
        let cut = |name: &str| generate(&SplitDef { n: 400, ..find(name).unwrap() }).unwrap();
        let train = generate(&SplitDef { n: 4000, ..find("train").unwrap() }).unwrap();
        let (val, test) = (cut("id_val"), cut("id_test"));
        for pair in audit(&[&train, &val], &[&test]).into_iter().chain(audit(&[&train], &[&val])) {
            assert_eq!((pair.exact, pair.symmetric, pair.distinct_test), (0, 0, 400), "{pair:?}");
        }
    }
}
