//! Overlap, from files to pictures of offenders; the known overlap of released maps.

// Helpers outside of test functions are test code, too.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use serde_json::{json, Value};
use vrrl_datasets::{
    audit, audit_examples, draw_offenders, find, import_frozenlake, materialize, AuditOptions, Examples,
    Pair, Split, SplitDef,
};

/// A map in the shape of the release: rows with `/` between them.
fn entry(index: usize, maze: &str, shape: &str) -> Value {
    let layout: Vec<Vec<String>> =
        maze.split('/').map(|row| row.chars().map(|cell| cell.to_string()).collect()).collect();
    let flat = maze.replace('/', "");
    let mut map = json!({
        "level": layout.len(),
        "layout": layout,
        "start_pos": flat.find('S').unwrap(),
        "target_pos": flat.find('G').unwrap(),
    });
    if shape == "train" {
        map["map_id"] = format!("train_{index}").into();
        return map;
    }
    json!({ "id": format!("eval_{index}"), "metadata": map })
}

fn write(path: &Path, shape: &str, mazes: &[&str]) -> Vec<Split> {
    let entries: Vec<Value> = mazes.iter().enumerate().map(|(i, maze)| entry(i, maze, shape)).collect();
    fs::write(path, serde_json::to_string(&entries).unwrap()).unwrap();
    import_frozenlake(path, shape).unwrap()
}

#[test]
fn planted_overlap_of_both_shapes_is_found_counted_and_drawn() {
    let home = tempfile::tempdir().unwrap();
    let train =
        write(&home.path().join("train.json"), "train", &["SFFH/FHFF/FFFF/HFFG", "FSFF/FFHF/FFGF/FFFF"]);
    let test = write(
        &home.path().join("eval.json"),
        "eval",
        &[
            "HFFG/FFFF/FHFF/SFFH", // the first of training, upside down
            "SFFH/FHFF/FFGF/HFFF", // its holes, another goal
            "FFFF/FSHF/FFHF/FFHG", // nothing in common
            "SFF/FFF/FFG",         // of another size
            "GFF/FFF/FFS",         // the one before, turned around
        ],
    );
    // A folder is audited like a file.
    materialize(&test[1], &home.path().join("folder"), None).unwrap();
    let folder = Examples::open(&home.path().join("folder")).unwrap();
    let (train, three) = (Examples::from(train[0].clone()), Examples::from(test[0].clone()));
    let options = AuditOptions { shown: 5, near: true };
    let found = audit_examples(&[&train], &[&three, &folder], &options).unwrap();
    let [small, four] = &found.pairs[..] else { panic!("{:?}", found.pairs) };
    assert_eq!((small.exact, small.symmetric, small.n_test, small.distinct_test), (0, 0, 2, 1));
    assert_eq!((four.exact, four.symmetric, four.same_pattern, four.distinct_test), (0, 1, 1, 3));
    let ids: Vec<_> = found.offenders.iter().map(|o| (o.overlap.word(), &*o.train_id, &*o.test_id)).collect();
    assert_eq!(ids, [("symmetric", "train_0", "eval_0"), ("same_pattern", "train_0", "eval_1")]);
    let text = found.text();
    assert!(text.contains("symmetric: eval_0 of eval_L4 and train_0 of train"), "{text}");
    let drawn = draw_offenders(&found.offenders, &[&train], &[&three, &folder], &home.path().join("pairs"));
    let names: Vec<_> =
        drawn.unwrap().iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["000_symmetric_train_0_eval_0.png", "001_same_pattern_train_0_eval_1.png"]);
    assert!(fs::read(home.path().join("pairs").join(&names[0])).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn ladders_say_that_they_share_base_scenes() {
    let [base, noise, blur] = ["ladder/maze/base", "ladder/maze/noise_2", "ladder/maze/blur_4"]
        .map(|name| Examples::draw(&SplitDef { n: 20, ..find(name).unwrap() }).unwrap());
    let train = Examples::draw(&SplitDef { n: 50, ..find("quick/maze/train").unwrap() }).unwrap();
    let options = AuditOptions { shown: 1, near: false };
    let found = audit_examples(&[&base, &train], &[&noise, &blur], &options).unwrap();
    let paired: Vec<_> = found.pairs.iter().map(|pair| (pair.paired, pair.exact)).collect();
    assert_eq!(paired, [(true, 20), (true, 20), (false, 0), (false, 0)]);
    assert!(found
        .text()
        .contains("ladder/maze/base and ladder/maze/noise_2 share their base scenes on purpose"));
}

/// The maps of the VRRL release, where `VRRL_FROZENLAKE` names the folder with `eval_L3-L6.json` and
/// `rl_train_maps.json`. The same numbers: `vrrl splits audit --train rl_train_maps.json --test eval_L3-L6.json`.
#[test]
fn released_maps_overlap_as_is_known() {
    let Some(folder) = std::env::var_os("VRRL_FROZENLAKE") else { return };
    let read = |file: &str| import_frozenlake(&Path::new(&folder).join(file), "released").unwrap();
    let (train, test) = (read("rl_train_maps.json"), read("eval_L3-L6.json"));
    let pairs = audit(&train.iter().collect::<Vec<_>>(), &test.iter().collect::<Vec<_>>());
    let of = |train: &str, test: &str| -> &Pair {
        pairs.iter().find(|pair| pair.train.ends_with(train) && pair.test.ends_with(test)).unwrap()
    };
    let four = of("L4", "L4");
    assert_eq!((four.n_test, four.exact, four.symmetric, four.same_pattern), (250, 0, 13, 121));
    assert_eq!((of("L4", "L3").n_test, of("L4", "L3").distinct_test), (250, 193));
}
