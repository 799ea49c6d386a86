//! From a definition to examples.

use std::collections::{BTreeMap, HashSet};

use rayon::prelude::*;
use vrrl_harness_core::Example;

use crate::plan::{Class, Draw, Drawn, Plan};
use crate::space;
use crate::{Error, Source, Split, SplitDef};

/// Candidates after which the search looks whether sizes are exhausted.
const BATCH: u64 = 2048;
/// Candidates for each example asked for, before the search ends.
const TRIES: u64 = 400;
/// Repeats in a row after which a size counts as exhausted.
const REPEATS: u32 = 1000;

/// All examples of a split.
///
/// Training splits follow [`stream`] and may repeat an example; val and test splits hold examples that are
/// distinct up to symmetry (where `scenes` is given: whose base scenes are), and fewer than `n` where the search
/// ends before ([`Split::ceiling`]). The result does not depend on the number of threads.
///
/// # Errors
/// [`Error::Definition`]; [`Error::Ceiling`] where it is known that the space holds fewer than `n`;
/// [`Error::Generate`], [`Error::Class`] and [`Error::Again`] where params leave nothing to draw.
pub fn generate(def: &SplitDef) -> Result<Split, Error> {
    def.check(&def.name)?;
    let plan = Plan::of(def)?;
    let mut examples = Vec::with_capacity(def.n);
    let mut again = BTreeMap::new();
    let mut keep = |number: u64, drawn: Drawn| {
        examples.push(plan.example(number, &drawn));
        if drawn.draw.again > 0 {
            again.insert(examples.len() - 1, drawn.draw.again);
        }
    };
    let ceiling = match plan.class {
        Class::Train => {
            let drawn = (0..def.n as u64).into_par_iter().map(|index| plan.stream(index));
            drawn.collect::<Result<Vec<_>, _>>()?.into_iter().zip(0..).for_each(|(drawn, i)| keep(i, drawn));
            space::note(&plan)?
        }
        _ => distinct(&plan, def.n, &mut keep)?,
    };
    Ok(Split { def: def.clone(), source: Source::Generated, examples, again, ceiling })
}

/// Example `index` of a split's endless stream: of the role's class, a pure function of both.
///
/// # Errors
/// [`Error::Definition`], [`Error::Generate`] or, where the class is empty, [`Error::Class`].
pub fn example_at(def: &SplitDef, index: u64) -> Result<Example, Error> {
    let plan = Plan::of(def)?;
    Ok(plan.example(index, &plan.stream(index)?))
}

/// The endless stream of a split from `start` on; see [`example_at`].
///
/// # Errors
/// [`Error::Definition`]; items as [`example_at`].
pub fn stream(def: &SplitDef, start: u64) -> Result<impl Iterator<Item = Result<Example, Error>>, Error> {
    let plan = Plan::of(def)?;
    Ok((start..).map(move |index| Ok(plan.example(index, &plan.stream(index)?))))
}

/// What the first `n` examples of a split are drawn from, without the examples: 16 bytes for each.
pub(crate) fn draws(plan: &Plan, n: usize) -> Result<(Vec<Draw>, Option<String>), Error> {
    let mut draws = Vec::with_capacity(n);
    let ceiling = distinct(plan, n, &mut |_, drawn| draws.push(drawn.draw))?;
    Ok((draws, ceiling))
}

/// What a search has seen of one size.
#[derive(Default)]
struct Size {
    kept: usize,
    repeats: usize,
    repeats_in_a_row: u32,
}

/// Draws candidates in order and keeps the first `n` of the class that are new up to symmetry.
fn distinct(plan: &Plan, n: usize, keep: &mut dyn FnMut(u64, Drawn)) -> Result<Option<String>, Error> {
    space::enough(plan)?;
    let (def, params) = (&plan.def, plan.deciding_params());
    let spans = vrrl_generators::check(def.task, params)
        .map_err(|source| Error::Generate { split: def.name.clone(), source })?;
    let mut sizes: BTreeMap<usize, Size> =
        spans.into_iter().map(|(size, _)| (size, Size::default())).collect();
    let most = (def.n as u64).saturating_mul(TRIES).max(100_000);
    // 128 bits of a hash stand for a form: a million forms meet by chance once in 10^26 splits.
    let mut seen = HashSet::with_capacity(n);
    let mut drawn = 0;
    // Small splits need few candidates; when a search ends for want of new ones is decided once a batch all the same.
    let step = (n as u64 * 8).next_power_of_two().clamp(64, BATCH);
    // One exhausted size does not end the search: the others fill up.
    while seen.len() < n && drawn < most && sizes.values().any(|size| size.repeats_in_a_row < REPEATS) {
        let window = (drawn + BATCH).min(most);
        while drawn < window && seen.len() < n {
            let candidates: Vec<_> = (drawn..(drawn + step).min(window))
                .into_par_iter()
                .map(|index| plan.candidate(plan.seed(index)))
                .collect::<Result<_, Error>>()?;
            drawn += candidates.len() as u64;
            for candidate in candidates.into_iter().flatten() {
                if seen.len() == n {
                    break;
                }
                let size = sizes.entry(candidate.base.1).or_default();
                let number = seen.len() as u64;
                if seen.insert(space::fingerprint(&candidate.base.0)) {
                    keep(number, candidate);
                    size.kept += 1;
                    size.repeats_in_a_row = 0;
                } else {
                    size.repeats += 1;
                    size.repeats_in_a_row += 1;
                }
            }
        }
    }
    Ok(ceiling(plan, n, seen.len(), drawn, &sizes))
}

/// Words for what ran out: sizes that gave nothing new for long, and those that repeated more than they gave.
fn ceiling(plan: &Plan, n: usize, found: usize, drawn: u64, sizes: &BTreeMap<usize, Size>) -> Option<String> {
    let (name, word) = (&plan.def.name, plan.class.word());
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
    use std::collections::BTreeSet;

    use serde_json::json;
    use vrrl_harness_core::Role;

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
    fn a_small_space_has_a_ceiling_and_blocks_no_other_size() {
        let error = generate(&small("t/three", Role::IdTest, 1000, [3, 3])).unwrap_err();
        let Error::Ceiling { n: 1000, ceiling, class: "test", all, .. } = error else { panic!("{error}") };
        let text = error.to_string();
        assert!(
            text.contains("t/three: n is 1000") && text.contains(&format!("only {ceiling} distinct test"))
        );
        assert_eq!((ceiling, all), (100, 479), "of the 879, those with a path of two moves or more");
        let whole = generate(&small("t/three", Role::IdTest, ceiling, [3, 3])).unwrap();
        assert_eq!(whole.examples.len(), ceiling);
        // Fewer than there are may still be too rare to be found, which is reported.
        let params = json!({"size": [3, 3], "holes": [1, 3]});
        let rare = SplitDef { params, ..small("t/rare", Role::IdTest, ceiling, [3, 3]) };
        let rare = generate(&rare).unwrap();
        let found = rare.examples.len();
        let report = rare.ceiling.unwrap();
        assert!((10..ceiling).contains(&found), "{found}");
        assert!(
            report.contains(&format!("{found} of {ceiling}")) && report.contains("size 3 runs low"),
            "{report}"
        );
        let train = generate(&small("t/three", Role::Train, 1000, [3, 3])).unwrap();
        assert_eq!(train.examples.len(), 1000);
        assert!(train.ceiling.unwrap().contains("so 1000 repeat some"));
        let mixed = generate(&small("t/mixed", Role::IdTest, 1500, [3, 5])).unwrap();
        assert_eq!(mixed.examples.len(), 1500);
        let report = mixed.ceiling.clone().unwrap();
        assert!(report.contains("other sizes fill up to 1500") && !report.contains("size 5"), "{report}");
        let of_three = mixed.examples.iter().filter(|example| example.problem.canonical().size == 3).count();
        assert!(of_three <= ceiling, "{of_three} of {ceiling}");
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
        let from_zero: Vec<_> = stream(&def, 0).unwrap().take(8).map(|e| e.unwrap().content_hash).collect();
        let from_five: Vec<_> = stream(&def, 5).unwrap().take(3).map(|e| e.unwrap().content_hash).collect();
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
