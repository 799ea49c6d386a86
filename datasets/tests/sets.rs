//! The named sets that ship: every definition draws what it promises.

// Helpers outside of test functions are test code, too.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use vrrl_datasets::{catalog, class_of, Class, Examples};
use vrrl_harness_core::{Role, TaskKind};

#[test]
fn every_definition_draws_examples_of_its_class() {
    for def in catalog() {
        let few = Examples::draw_head(def, 2).unwrap_or_else(|e| panic!("{}: {e}", def.name));
        let items = few.items(0..2).unwrap();
        for item in &items {
            let problem = &item.example.problem;
            let answer = problem.oracle(&mut item.example.seed.rng());
            assert!(problem.judge(&answer).correct(), "{}: the oracle is wrong", def.name);
            // Where base scenes decide, what is shown is of the class or shows the very scene of its base.
            if def.scenes.is_none() {
                assert_eq!(class_of(&problem.canonical()), Class::of_role(def.role), "{}", def.name);
            }
        }
        assert_ne!(items[0].example.content_hash, items[1].example.content_hash, "{}", def.name);
    }
}

#[test]
fn no_set_asks_for_more_than_there_is() {
    for def in catalog().iter().filter(|def| !def.name.starts_with("ladder/") && def.role != Role::Train) {
        let whole = Examples::draw(def).unwrap();
        assert_eq!(whole.len(), def.n, "{}", def.name);
        // Mazes of size 3 end before larger ones do, which is said.
        let scarce = def.task == TaskKind::Maze && def.params["size"][0] == 3;
        assert!(scarce || whole.ceiling().is_none(), "{:?}", whole.ceiling());
    }
    // What a structural axis adds must leave every scene in its class.
    let structural =
        ["maze/density_1", "maze/density_5", "chart/density_1", "table/density_1", "table/vocabulary_1"];
    for name in structural.iter().flat_map(|name| [name.to_string(), name.replace('/', "/dev_")]) {
        let name = &format!("ladder/{name}");
        assert_eq!(Examples::draw(&vrrl_datasets::find(name).unwrap()).unwrap().len(), 200);
    }
}

#[test]
fn sets_have_every_role_and_the_papers_numbers() {
    let mut roles: BTreeMap<(&str, TaskKind), BTreeSet<&str>> = BTreeMap::new();
    for def in catalog() {
        let set = def.name.split('/').next().unwrap();
        roles.entry((set, def.task)).or_default().insert(def.role.word());
    }
    for task in TASKS {
        let all = ["id_test", "id_val", "ood_test", "ood_val", "train"];
        assert_eq!(roles[&("quick", task)], all.into(), "{task:?}");
        assert_eq!(roles[&("ladder", task)], all[..4].iter().copied().collect(), "{task:?}");
    }
    let n = |name: &str| vrrl_datasets::find(name).unwrap().n;
    assert_eq!(
        (n("paper/table/sft"), n("paper/table/rl"), n("large_table"), n("cell_query")),
        (15000, 6000, 1000, 1000)
    );
    assert_eq!(["bar_chart", "scatter_plot"].map(n), [1000; 2]);
    assert_eq!(["maze4", "maze5", "maze6", "maze7"].map(n), [250; 4]);
}

const TASKS: [TaskKind; 3] = [TaskKind::Table, TaskKind::Chart, TaskKind::Maze];
