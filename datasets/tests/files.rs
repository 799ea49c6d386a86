//! Splits on disk: written, read, verified, damaged, imported.

// Helpers outside of test functions are test code, too.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use vrrl_datasets::{find, generate, import_frozenlake, load, materialize, verify, Error, Split, SplitDef};
use vrrl_harness_core::{Role, View};

fn small() -> Split {
    let def = SplitDef { n: 12, ..find("quick/maze/id_test").unwrap() };
    generate(&def).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn same(a: &Split, b: &Split) {
    assert_eq!(a.hash(), b.hash());
    assert_eq!((&a.def, a.source, &a.ceiling), (&b.def, b.source, &b.ceiling));
    for (a, b) in a.examples.iter().zip(&b.examples) {
        assert_eq!((&a.id, &a.split, a.seed, &a.content_hash), (&b.id, &b.split, b.seed, &b.content_hash));
        // The offset on the canvas comes back, too.
        for view in [View::Crisp, View::Canvas] {
            assert_eq!(a.problem.observe(view), b.problem.observe(view));
        }
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn written_splits_come_back() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("out");
    let split = small();
    assert_eq!(materialize(&split, &dir, None).unwrap(), split.hash());
    same(&split, &load(&dir).unwrap());
    assert_eq!(verify(&dir).unwrap(), 12);
    assert_eq!(names(home.path()), ["out"], "nothing is left beside it");
    assert_eq!(names(&dir), ["README.md", "id_test", "manifest.json"]);
    assert_eq!(names(&dir.join("id_test/images")).len(), 12);
    let first = fs::read_to_string(dir.join("id_test/metadata.jsonl")).unwrap();
    let row: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!(row["seed"].as_str().unwrap().len(), 16);
    assert!(row["truth"].as_str().unwrap().starts_with("{\"layout\":["));
    // The same again replaces it with the same bytes; fewer rows are a prefix.
    materialize(&split, &dir, None).unwrap();
    assert_eq!(fs::read_to_string(dir.join("id_test/metadata.jsonl")).unwrap(), first);
    materialize(&split, &dir, Some(5)).unwrap();
    assert_eq!(verify(&dir).unwrap(), 5);
    same(&split.head(5), &load(&dir).unwrap());
}

#[test]
fn other_peoples_folders_are_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("mine");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("thesis.txt"), "precious").unwrap();
    assert!(matches!(materialize(&small(), &dir, None), Err(Error::Occupied(_))));
    // Nor is a split with something of theirs in it replaced.
    let split = home.path().join("split");
    materialize(&small(), &split, None).unwrap();
    fs::write(split.join("notes.txt"), "precious").unwrap();
    assert!(matches!(materialize(&small(), &split, None), Err(Error::Occupied(_))));
    assert_eq!(names(&dir), ["thesis.txt"]);
    assert_eq!(names(home.path()), ["mine", "split"]);
    // An empty folder is fine.
    fs::create_dir(home.path().join("empty")).unwrap();
    materialize(&small(), &home.path().join("empty"), Some(1)).unwrap();
}

#[test]
fn damage_is_named() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("out");
    let metadata = dir.join("id_test/metadata.jsonl");
    let damaged = |path: &Path, change: &dyn Fn(String) -> String, expected: &str| {
        materialize(&small(), &dir, None).unwrap();
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, change(text)).unwrap();
        let error = verify(&dir).unwrap_err();
        assert!(error.to_string().contains(expected), "{error} should say {expected}");
        // Put it right for the next round.
        fs::remove_dir_all(&dir).unwrap();
    };
    damaged(&metadata, &|text| text[..text.len() - 40].into(), "line 12");
    damaged(
        &metadata,
        &|text| text.lines().take(11).map(|line| format!("{line}\n")).collect(),
        "11 rows instead of 12",
    );
    damaged(&metadata, &|text| text.replace("maze-000003", "maze-000002"), "line 4: id \"maze-000002\"");
    damaged(&metadata, &|text| text.replacen("images/", "../images/", 1), "leads out of the folder");
    damaged(&metadata, &|text| text.replacen("Which", "What", 1), "its hash is another");
    damaged(
        &dir.join("manifest.json"),
        &|text| text.replace("\"format\": 1", "\"format\": 2"),
        "format 2 is newer",
    );
    damaged(&dir.join("manifest.json"), &|text| text[..50].into(), "manifest.json");
    damaged(
        &dir.join("manifest.json"),
        &|text| text.replace("\"seed\": 103", "\"seed\": 7"),
        "line 1 (maze-000000): answer is",
    );
    materialize(&small(), &dir, None).unwrap();
    let picture = dir.join("id_test/images/000003.png");
    let other = fs::read(dir.join("id_test/images/000004.png")).unwrap();
    fs::write(&picture, other).unwrap();
    let error = verify(&dir).unwrap_err();
    assert!(
        matches!(error, Error::Differs { .. }) && error.to_string().contains("picture of maze-000003"),
        "{error}"
    );
}

#[test]
fn both_shapes_are_imported() {
    let splits = import_frozenlake(&fixture("eval_shape.json"), "hand").unwrap();
    let names: Vec<_> = splits.iter().map(|split| split.def.name.as_str()).collect();
    assert_eq!(names, ["hand_L3", "hand_L4"]);
    let ids: Vec<_> = splits[0].examples.iter().map(|example| example.id.as_str()).collect();
    assert_eq!(ids, ["hand_0000", "hand_0002"]);
    assert_eq!(splits[0].def.role, Role::IdTest);
    let one = import_frozenlake(&fixture("train_shape.json"), "hand").unwrap();
    assert_eq!((one.len(), one[0].def.name.as_str(), one[0].examples.len()), (1, "hand", 2));
    // Imported splits are written and read like any other.
    let home = tempfile::tempdir().unwrap();
    materialize(&one[0], &home.path().join("hand"), None).unwrap();
    same(&one[0], &load(&home.path().join("hand")).unwrap());
    assert_eq!(verify(&home.path().join("hand")).unwrap(), 2);
}

#[test]
fn bad_maps_are_named() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("maps.json");
    let good = fs::read_to_string(fixture("eval_shape.json")).unwrap();
    let bad = |text: &str, expected: &[&str]| {
        fs::write(&file, text).unwrap();
        let error = import_frozenlake(&file, "bad").unwrap_err().to_string();
        assert!(
            error.contains("maps.json") && expected.iter().all(|part| error.contains(part)),
            "{error}: {expected:?}"
        );
    };
    bad(&good[..good.len() / 2], &["not JSON"]);
    bad("{}", &["not an array"]);
    bad("[]", &["no maps"]);
    bad("[7]", &["item 1", "not a maze"]);
    bad(&good.replace("\"target_pos\": 0,", ""), &["item 2 (hand_0001)", "target_pos is missing"]);
    bad(&good.replace("\"level\": 4", "\"level\": \"four\""), &["item 2 (hand_0001)", "not a maze"]);
    bad(
        &good.replace(
            "[\"F\", \"S\", \"H\"], [\"H\", \"F\", \"F\"]",
            "[\"F\", \"S\", \"H\"], [\"H\", \"H\", \"H\"]",
        ),
        &["item 3 (hand_0002)", "no path"],
    );
    bad(&good.replace("hand_0002\"", "hand_0000\""), &["item 3 (hand_0000)", "same id"]);
    bad(&good.replacen("\"n_steps\": 2", "\"n_steps\": 4", 1), &["item 1", "n_steps is 4"]);
    assert!(matches!(import_frozenlake(&home.path().join("none.json"), "x"), Err(Error::Io { .. })));
}
