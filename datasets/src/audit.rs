//! Proof that splits do not overlap.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vrrl_harness_core::Canonical;

use crate::Split;

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

/// Compares every training split with every test split, in this order.
#[must_use]
pub fn audit(train: &[&Split], test: &[&Split]) -> Vec<Pair> {
    let tests: Vec<Vec<Canonical>> = test.iter().map(|split| forms(split)).collect();
    let pairs = train.iter().flat_map(|split| {
        let forms = forms(split);
        let known = Known::of(&forms);
        let compare = |(other, forms): (&&Split, &Vec<Canonical>)| {
            known.compare(&split.def.name, &other.def.name, forms)
        };
        test.iter().zip(&tests).map(compare).collect::<Vec<_>>()
    });
    pairs.collect()
}

fn forms(split: &Split) -> Vec<Canonical> {
    split.examples.par_iter().map(|example| example.problem.canonical()).collect()
}

/// The forms of a training split.
struct Known<'f> {
    exact: BTreeSet<&'f str>,
    symmetric: BTreeSet<&'f str>,
    pattern: BTreeSet<&'f str>,
    per_size: BTreeMap<usize, usize>,
}

impl<'f> Known<'f> {
    fn of(forms: &'f [Canonical]) -> Self {
        let set = |key: fn(&Canonical) -> &str| forms.iter().map(key).collect();
        let mut per_size = BTreeMap::new();
        for form in forms {
            *per_size.entry(form.size).or_default() += 1;
        }
        Self {
            exact: set(|f| &f.exact),
            symmetric: set(|f| &f.symmetric),
            pattern: set(|f| &f.pattern),
            per_size,
        }
    }

    fn compare(&self, train: &str, test: &str, forms: &[Canonical]) -> Pair {
        let mut sizes: BTreeMap<usize, Vec<&Canonical>> = BTreeMap::new();
        for form in forms {
            sizes.entry(form.size).or_default().push(form);
        }
        let by_size: Vec<BySize> = sizes
            .into_iter()
            .map(|(size, forms)| {
                let count = |hit: &dyn Fn(&Canonical) -> bool| forms.iter().filter(|form| hit(form)).count();
                BySize {
                    size,
                    train: train.into(),
                    test: test.into(),
                    n_train: self.per_size.get(&size).copied().unwrap_or(0),
                    n_test: forms.len(),
                    exact: count(&|form| self.exact.contains(form.exact.as_str())),
                    symmetric: count(&|form| self.symmetric.contains(form.symmetric.as_str())),
                    same_pattern: count(&|form| self.pattern.contains(form.pattern.as_str())),
                    distinct_test: forms.iter().map(|form| &form.symmetric).collect::<BTreeSet<_>>().len(),
                }
            })
            .collect();
        // Forms of different sizes are never equal, so sums over sizes are the counts over all.
        let sum = |of: fn(&BySize) -> usize| by_size.iter().map(of).sum();
        Pair {
            train: train.into(),
            test: test.into(),
            n_train: self.per_size.values().sum(),
            n_test: forms.len(),
            exact: sum(|s| s.exact),
            symmetric: sum(|s| s.symmetric),
            same_pattern: sum(|s| s.same_pattern),
            distinct_test: sum(|s| s.distinct_test),
            by_size,
        }
    }
}

#[cfg(test)]
mod tests {
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
