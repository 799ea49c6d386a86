//! From a definition to examples.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use vrrl_harness_core::{sha256_hex, Canonical, Example, Problem, Role, Seed};

use crate::{Error, Source, Split, SplitDef};

/// Candidates drawn at once; part of nothing that is written, since they are kept in order.
const BATCH: u64 = 2048;
/// Candidates for each example asked for, before the search ends.
const TRIES: u64 = 400;
/// Repeats in a row after which a size counts as exhausted.
const REPEATS: u32 = 1000;

/// The three disjoint parts of every space of examples.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Seven tenths.
    Train,
    /// One tenth: choosing checkpoints, development.
    Val,
    /// Two tenths: reporting.
    Test,
}

impl Class {
    /// The class that splits of a role draw from.
    #[must_use]
    pub fn of_role(role: Role) -> Self {
        match role {
            Role::Train => Self::Train,
            Role::IdVal | Role::OodVal => Self::Val,
            Role::IdTest | Role::OodTest => Self::Test,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

/// The class of an example, by a hash of its form up to symmetry.
#[must_use]
pub fn class_of(canonical: &Canonical) -> Class {
    let digest = sha256_hex(canonical.symmetric.as_bytes());
    let number = u64::from_str_radix(&digest[..16], 16).expect("a digest is hexadecimal");
    match number % 10 {
        0..=6 => Class::Train,
        7 => Class::Val,
        _ => Class::Test,
    }
}

/// All examples of a split.
///
/// Training splits follow [`stream`] and may repeat an example; val and test splits hold examples that are
/// distinct up to symmetry, and fewer than `n` where the space ends ([`Split::ceiling`]). The result does not
/// depend on the number of threads.
///
/// # Errors
/// [`Error::Definition`], or [`Error::Generate`] and [`Error::Class`] where params leave nothing to draw.
pub fn generate(def: &SplitDef) -> Result<Split, Error> {
    def.check(&def.name)?;
    let (examples, ceiling) = match Class::of_role(def.role) {
        Class::Train => {
            let examples = (0..def.n as u64).into_par_iter().map(|index| example_at(def, index));
            (examples.collect::<Result<Vec<_>, _>>()?, None)
        }
        class => distinct(def, class)?,
    };
    Ok(Split { def: def.clone(), source: Source::Generated, examples, ceiling })
}

/// Example `index` of a split's endless stream: of the role's class, a pure function of both.
///
/// # Errors
/// [`Error::Generate`] or, where the class is empty, [`Error::Class`].
pub fn example_at(def: &SplitDef, index: u64) -> Result<Example, Error> {
    const AGAIN: u64 = 10_000;
    let class = Class::of_role(def.role);
    let first = Seed(def.seed).derive(&def.name, index);
    for again in 0..AGAIN {
        let seed = if again == 0 { first } else { first.derive("again", again) };
        let (problem, canonical) = pose(def, seed)?;
        if class_of(&canonical) == class {
            return Ok(example(def, index, seed, problem, &canonical));
        }
    }
    Err(Error::Class { split: def.name.clone(), class: class.word(), index, tries: AGAIN })
}

/// The endless stream of a split from `start` on; see [`example_at`].
pub fn stream(def: &SplitDef, start: u64) -> impl Iterator<Item = Result<Example, Error>> + '_ {
    (start..).map(|index| example_at(def, index))
}

fn pose(def: &SplitDef, seed: Seed) -> Result<(Arc<dyn Problem>, Canonical), Error> {
    let problem = vrrl_generators::pose(def.task, &def.params, seed)
        .map_err(|source| Error::Generate { split: def.name.clone(), source })?;
    let canonical = problem.canonical();
    Ok((problem, canonical))
}

fn example(
    def: &SplitDef,
    number: u64,
    seed: Seed,
    problem: Arc<dyn Problem>,
    canonical: &Canonical,
) -> Example {
    Example {
        id: format!("{}-{number:06}", def.task.word()),
        split: def.name.clone(),
        seed,
        content_hash: sha256_hex(canonical.exact.as_bytes()),
        problem,
    }
}

/// What a search has seen of one size.
#[derive(Default)]
struct Size {
    kept: usize,
    repeats: usize,
    repeats_in_a_row: u32,
}

/// Draws candidates in order and keeps those of the class that are new up to symmetry.
fn distinct(def: &SplitDef, class: Class) -> Result<(Vec<Example>, Option<String>), Error> {
    let spans = vrrl_generators::check(def.task, &def.params)
        .map_err(|source| Error::Generate { split: def.name.clone(), source })?;
    let mut sizes: BTreeMap<usize, Size> =
        spans.into_iter().map(|(size, _)| (size, Size::default())).collect();
    let most = (def.n as u64).saturating_mul(TRIES).max(100_000);
    let mut seen = BTreeSet::new();
    let mut examples = Vec::with_capacity(def.n);
    let mut drawn = 0;
    // One exhausted size does not end the search: the others fill up.
    while examples.len() < def.n && drawn < most && sizes.values().any(|size| size.repeats_in_a_row < REPEATS)
    {
        let candidates: Vec<_> = (drawn..(drawn + BATCH).min(most))
            .into_par_iter()
            .map(|index| {
                let seed = Seed(def.seed).derive(&def.name, index);
                let (problem, canonical) = pose(def, seed)?;
                Ok((class_of(&canonical) == class).then_some((seed, problem, canonical)))
            })
            .collect::<Result<_, Error>>()?;
        drawn += candidates.len() as u64;
        for (seed, problem, canonical) in candidates.into_iter().flatten() {
            if examples.len() == def.n {
                break;
            }
            let size = sizes.entry(canonical.size).or_default();
            if !seen.contains(&canonical.symmetric) {
                examples.push(example(def, examples.len() as u64, seed, problem, &canonical));
                seen.insert(canonical.symmetric);
                size.kept += 1;
                size.repeats_in_a_row = 0;
            } else {
                size.repeats += 1;
                size.repeats_in_a_row += 1;
            }
        }
    }
    let ceiling = ceiling(def, class, examples.len(), drawn, &sizes);
    Ok((examples, ceiling))
}

/// Words for what ran out: sizes that gave nothing new for long, and those that repeated more than they gave.
fn ceiling(
    def: &SplitDef,
    class: Class,
    found: usize,
    drawn: u64,
    sizes: &BTreeMap<usize, Size>,
) -> Option<String> {
    let (name, n, word) = (&def.name, def.n, class.word());
    let scarce = sizes.iter().filter(|(_, size)| size.repeats > size.kept).map(|(side, size)| {
        let verb = if size.repeats_in_a_row >= REPEATS { "ends" } else { "runs low" };
        format!("size {side} {verb} at {} distinct examples", size.kept)
    });
    let scarce = scarce.collect::<Vec<_>>().join(", ");
    match (found < n, scarce.is_empty()) {
        (false, true) => None,
        (false, false) => Some(format!("{name}: {scarce} of the {word} class; other sizes fill up to {n}")),
        (true, true) => {
            Some(format!("{name}: {found} of {n} {word} examples in {drawn} candidates, the most tried"))
        }
        (true, false) => {
            Some(format!("{name}: {found} of {n} {word} examples in {drawn} candidates; {scarce}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::find;

    fn small(name: &str, role: Role, n: usize, size: [u32; 2]) -> SplitDef {
        SplitDef { name: name.into(), n, role, params: json!({ "size": size }), ..find("ood6").unwrap() }
    }

    fn symmetric(split: &Split) -> BTreeSet<String> {
        split.examples.iter().map(|example| example.problem.canonical().symmetric).collect()
    }

    #[test]
    fn roles_are_disjoint_up_to_symmetry() {
        let [train, val, test] = [Role::Train, Role::IdVal, Role::IdTest]
            .map(|role| generate(&small("t/one", role, 600, [3, 4])).unwrap())
            .map(|split| symmetric(&split));
        assert!(train.is_disjoint(&val) && train.is_disjoint(&test) && val.is_disjoint(&test));
        assert!(train.len() > 300);
    }

    #[test]
    fn val_and_test_hold_distinct_examples() {
        let split = generate(&small("t/two", Role::OodTest, 700, [4, 6])).unwrap();
        assert_eq!((split.examples.len(), symmetric(&split).len()), (700, 700));
        assert_eq!(split.ceiling, None);
        let ids: BTreeSet<_> = split.examples.iter().map(|example| example.id.clone()).collect();
        assert!(ids.len() == 700 && ids.contains("maze-000123"));
    }

    #[test]
    fn a_small_space_ends_with_a_report_and_blocks_no_other_size() {
        let alone = generate(&small("t/three", Role::IdTest, 1000, [3, 3])).unwrap();
        let found = alone.examples.len();
        let report = alone.ceiling.clone().unwrap();
        assert!((50..400).contains(&found), "{found}");
        assert!(report.contains(&format!("{found} of 1000")) && report.contains("size 3 ends"), "{report}");
        let mixed = generate(&small("t/mixed", Role::IdTest, 1500, [3, 5])).unwrap();
        assert_eq!(mixed.examples.len(), 1500);
        let report = mixed.ceiling.clone().unwrap();
        assert!(report.contains("other sizes fill up to 1500") && !report.contains("size 5"), "{report}");
        let of_three = mixed.examples.iter().filter(|example| example.problem.canonical().size == 3).count();
        assert!(of_three <= found, "{of_three} of {found}");
    }

    #[test]
    fn an_empty_class_is_an_error_not_a_loop() {
        // A 2x2 board whose only path is one move around no hole: one maze up to symmetry.
        let params = json!({"size": [2, 2], "holes": [0, 0], "shortest": [2, 2]});
        let errors = [Role::Train, Role::IdVal, Role::IdTest].map(|role| {
            let def = SplitDef { params: params.clone(), ..small("t/tiny", role, 5, [2, 2]) };
            example_at(&def, 0).is_err()
        });
        assert_eq!(errors.into_iter().filter(|&error| error).count(), 2);
    }

    #[test]
    fn threads_change_nothing() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let defs = [small("t/a", Role::OodTest, 300, [5, 7]), small("t/b", Role::Train, 300, [4, 5])];
            pool.install(|| defs.map(|def| generate(&def).unwrap().hash()))
        };
        assert_eq!(run(1), run(3));
    }

    #[test]
    fn streams_start_anywhere_and_names_separate_them() {
        let def = small("t/stream", Role::Train, 10, [4, 5]);
        let from_zero: Vec<_> = stream(&def, 0).take(8).map(|e| e.unwrap().content_hash).collect();
        let from_five: Vec<_> = stream(&def, 5).take(3).map(|e| e.unwrap().content_hash).collect();
        assert_eq!(from_zero[5..], from_five);
        let other = small("t/other", Role::Train, 10, [4, 5]);
        assert_ne!(example_at(&other, 0).unwrap().content_hash, from_zero[0]);
        let split: Vec<_> = generate(&def).unwrap().examples.into_iter().map(|e| e.content_hash).collect();
        assert_eq!(split[..8], from_zero);
    }

    #[test]
    fn split_hashes_are_golden() {
        // A change here changes every materialized split: raise the generators' `VERSION` with it.
        let hash = |name: &str| {
            generate(&SplitDef { n: 20, ..find(name).unwrap() }).unwrap().hash()[..16].to_owned()
        };
        assert_eq!(
            [hash("train"), hash("id_test"), hash("ood8")],
            ["186094083a4c23a7", "d64924258f56d94c", "96892a08b2a4e08d"]
        );
    }
}
