//! Rows of this project read back: whole ones, and every way in which they can be broken.

// Helpers outside of test functions are test code, too.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use proptest::prelude::*;
use vrrl_datasets::{
    audit, export, find, generate, import_rows, load, materialize, Container, Error, Examples, Format,
    Options, Progress, Source, Split, SplitDef, Watch,
};
use vrrl_harness_core::{sha256_hex, Answer, Example, Image, Role, Seed, TaskKind, View};

fn mazes(name: &str, n: usize) -> Split {
    generate(&SplitDef { n, ..find(name).unwrap() }).unwrap()
}

fn write(splits: &[&Split], container: Container, out: &Path) {
    export_as(splits, Format::Huggingface, container, out);
}

fn export_as(splits: &[&Split], format: Format, container: Container, out: &Path) {
    let options = Options { container, shard: 5, ..Options::default() };
    let splits: Vec<Examples> = splits.iter().map(|&split| split.clone().into()).collect();
    let splits: Vec<&Examples> = splits.iter().collect();
    let watch = Watch { progress: &mut |_| {}, stop: &AtomicBool::new(false) };
    export(&splits, format, out, &options, watch).unwrap();
}

/// The only file below a folder whose name ends so.
fn one(dir: &Path, ending: &str) -> PathBuf {
    let mut open = vec![dir.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_str().unwrap().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found.swap_remove(0)
}

fn same(a: &Split, b: &Split) {
    assert_eq!(a.examples.len(), b.examples.len());
    for (a, b) in a.examples.iter().zip(&b.examples) {
        assert_eq!((&a.id, a.seed, &a.content_hash), (&b.id, b.seed, &b.content_hash));
        assert_eq!(a.problem.truth(), b.problem.truth());
        assert_eq!(a.problem.observe(View::Canvas), b.problem.observe(View::Canvas));
    }
}

#[test]
fn own_rows_come_back() {
    let home = tempfile::tempdir().unwrap();
    let (test, ood) = (mazes("id_test", 12), mazes("ood7", 4));
    for container in [Container::Parquet, Container::Jsonl] {
        let out = home.path().join(format!("{container:?}"));
        write(&[&test, &ood], container, &out);
        let back = import_rows(&out, Some("back")).unwrap();
        let names: Vec<_> = back.iter().map(|split| (split.def.name.as_str(), split.def.role)).collect();
        assert_eq!(names, [("back_id_test", Role::IdTest), ("back_ood7", Role::OodTest)]);
        same(&test, &back[0]);
        same(&ood, &back[1]);
        assert!(back.iter().all(|split| split.source == Source::Imported));
        assert_eq!(audit(&[&test], &[&back[0]])[0].exact, 12);
    }
    // The manifest lost, a single file, an imagefolder with and without its manifest.
    let parquet = home.path().join("Parquet");
    fs::remove_file(parquet.join("export.json")).unwrap();
    let back = import_rows(&parquet, None).unwrap();
    assert_eq!(back[0].def.name, "Parquet_id_test");
    same(&test, &back[0]);
    let file = one(&parquet, "id_test-00001-of-00003.parquet");
    assert_eq!(import_rows(&file, None).unwrap()[0].examples[0].id, test.examples[5].id);
    let folder = home.path().join("folder");
    materialize(&test, &folder, None).unwrap();
    same(&test, &import_rows(&folder, Some("x")).unwrap()[0]);
    fs::remove_file(folder.join("manifest.json")).unwrap();
    let back = import_rows(&folder, Some("x")).unwrap();
    assert_eq!((back[0].def.name.as_str(), back[0].def.role), ("x", Role::IdTest));
    same(&test, &back[0]);
    // Imported splits are written like any other.
    materialize(&back[0], &home.path().join("again"), None).unwrap();
}

/// Examples about pictures whose scene is not known here.
fn places(n: u32) -> Split {
    let example = |index: u32| {
        let truth = serde_json::from_str(&format!(
            r#"{{"point":[{},60],"tolerance":40,"size":[300,200]}}"#,
            100 + index
        ));
        let load = Arc::new(move || Image::from_pixel(300, 200, image::Rgb([index as u8, 3, 200])));
        let content_hash = sha256_hex(index.to_string().as_bytes());
        let problem =
            vrrl_generators::pose_picture(TaskKind::Table, &truth.unwrap(), "Where?", &content_hash, load);
        let (id, split, seed) = (format!("table-{index}"), "t/places".into(), Seed(index.into()));
        Example { id, split, seed, content_hash, problem: problem.unwrap() }
    };
    let def = SplitDef { name: "t/places".into(), task: TaskKind::Table, ..find("ood7").unwrap() };
    Split {
        def,
        source: Source::Imported,
        examples: (0..n).map(example).collect(),
        again: std::collections::BTreeMap::new(),
        ceiling: None,
    }
}

#[test]
fn regions_come_back_with_their_pictures() {
    let home = tempfile::tempdir().unwrap();
    let split = places(7);
    for container in [Container::Parquet, Container::Jsonl] {
        let out = home.path().join(format!("{container:?}"));
        write(&[&split], container, &out);
        let back = import_rows(&out, Some("back")).unwrap().swap_remove(0);
        same(&split, &back);
        for (index, example) in back.examples.iter().enumerate() {
            assert_eq!(example.problem.question(), "Where?");
            assert_eq!(
                example.problem.observe(View::Crisp),
                split.examples[index].problem.observe(View::Crisp)
            );
            let at = |x: usize| example.problem.judge(&Answer::Point([x as f64, 60.0])).correct();
            assert_eq!((at(100 + index), at(140 + index), at(141 + index)), (true, true, false));
        }
        assert_eq!(audit(&[&split], &[&back])[0].exact, 7);
    }
}

fn error(path: &Path) -> String {
    import_rows(path, None).map(|splits| splits.len()).unwrap_err().to_string()
}

#[test]
fn broken_rows_are_named() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("out");
    let fresh = |container: Container| {
        let _ = fs::remove_dir_all(&dir);
        write(&[&mazes("id_test", 8)], container, &dir);
    };
    let says = |expected: &[&str]| {
        let said = error(&dir);
        assert!(expected.iter().all(|part| said.contains(part)), "{said}: {expected:?}");
    };
    // A picture cut, changed, gone.
    fresh(Container::Jsonl);
    let picture = one(&dir, "000003.png");
    let png = fs::read(&picture).unwrap();
    fs::write(&picture, &png[..png.len() / 2]).unwrap();
    says(&["00000-of-00002.jsonl", "row 4 (maze-000003)", "picture is broken"]);
    fs::write(&picture, fs::read(one(&dir, "000004.png")).unwrap()).unwrap();
    says(&["row 4 (maze-000003)", "picture was changed"]);
    fs::remove_file(&picture).unwrap();
    says(&["00000-of-00002.jsonl", "line 4", "000003.png of maze-000003"]);
    // Rows cut and changed: with the manifest its hash tells, without it the row.
    fresh(Container::Jsonl);
    let rows = one(&dir, "00000-of-00002.jsonl");
    let text = fs::read_to_string(&rows).unwrap();
    let changed = |change: &dyn Fn(&str) -> String| fs::write(&rows, change(&text)).unwrap();
    changed(&|text| text[..text.len() - 30].into());
    says(&["00000-of-00002.jsonl", "not the one in export.json"]);
    fs::remove_file(dir.join("export.json")).unwrap();
    let alone = |expected: &[&str]| {
        let said = error(&rows);
        assert!(expected.iter().all(|part| said.contains(part)), "{said}: {expected:?}");
    };
    alone(&["line 5", "ends in the middle"]);
    changed(&|text| text.replacen("maze-000002", "maze-000001", 1));
    alone(&["row 3 (maze-000001)", "same id"]);
    changed(&|text| text.replacen("images/", "../images/", 1));
    alone(&["line 1", "leads out of the folder"]);
    changed(&|text| text.replacen(r#""seed":""#, r#""seed":"x"#, 1));
    alone(&["line 1"]);
    changed(&|text| text.replacen("\"content_hash\":\"", "\"content_hash\":\"0", 1));
    alone(&["row 1", "content_hash"]);
    changed(&|_| String::new());
    alone(&["no rows"]);
    // Parquet likewise.
    fresh(Container::Parquet);
    let file = one(&dir, "00000-of-00002.parquet");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 20]).unwrap();
    says(&["00000-of-00002.parquet", "not the one in export.json"]);
    let said = error(&file);
    assert!(said.contains("00000-of-00002.parquet") && said.contains("not a whole parquet file"), "{said}");
    // Other things that are no rows.
    let said = error(home.path());
    assert!(said.contains("no rows there"), "{said}");
    fs::write(home.path().join("x.csv"), "a,b").unwrap();
    assert!(error(&home.path().join("x.csv")).contains(".csv"));
    assert!(matches!(import_rows(&home.path().join("none"), None), Err(Error::Io { .. })));
    let out = home.path().join("sft");
    export_as(&[&mazes("id_test", 2)], Format::Sft, Container::Parquet, &out);
    assert!(error(&out).contains("cannot be read back"));
    let said = error(&one(&out, ".parquet"));
    assert!(said.contains("no column") && said.contains("one row an example"), "{said}");
}

#[test]
fn half_written_folders_are_not_read_as_whole_ones() {
    let home = tempfile::tempdir().unwrap();
    let split: Examples = mazes("id_test", 12).into();
    for container in [Container::Parquet, Container::Jsonl] {
        let out = home.path().join(format!("{container:?}"));
        let options = Options { container, shard: 5, ..Options::default() };
        let stop = AtomicBool::new(false);
        let mut progress = |_: &Progress| stop.store(true, Ordering::Relaxed);
        let watch = Watch { progress: &mut progress, stop: &stop };
        export(&[&split], Format::Huggingface, &out, &options, watch).unwrap_err();
        let said = error(&out);
        assert!(said.contains("export that was stopped"), "{said}");
    }
    // One of several files of a split is gone, and the manifest, too.
    let out = home.path().join("gone");
    write(&[&mazes("id_test", 12)], Container::Parquet, &out);
    let lost = one(&out, "00001-of-00003.parquet");
    fs::remove_file(&lost).unwrap();
    let said = error(&out);
    assert!(said.contains("00001-of-00003.parquet"), "{said}");
    fs::remove_file(out.join("export.json")).unwrap();
    let said = error(&out);
    assert!(said.contains("00000-of-00003.parquet") && said.contains("3 files belong together"), "{said}");
    // Rows of an imagefolder cut between two lines.
    let folder = home.path().join("folder");
    materialize(&mazes("id_test", 4), &folder, None).unwrap();
    let rows = one(&folder, "metadata.jsonl");
    let text = fs::read_to_string(&rows).unwrap();
    fs::write(&rows, text.lines().take(3).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let said = error(&folder);
    assert!(said.contains("metadata.jsonl") && said.contains("manifest.json"), "{said}");
}

#[test]
fn parquet_with_other_columns_names_the_column() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("other.parquet");
    write(&[&mazes("id_test", 3)], Container::Parquet, home.path());
    let bytes = fs::read(one(home.path(), "00001.parquet")).unwrap();
    // A name of equal length leaves every offset of the footer as it is.
    let (from, to) = (b"content_hash", b"content_hush");
    let mut changed = bytes.clone();
    for at in 0..changed.len() - from.len() {
        if changed[at..].starts_with(from) {
            changed[at..at + to.len()].copy_from_slice(to);
        }
    }
    assert_ne!(changed, bytes);
    fs::write(&file, changed).unwrap();
    let said = error(&file);
    assert!(said.contains("other.parquet") && said.contains("no column content_hash"), "{said}");
}

#[test]
fn shifted_rows_keep_their_shift() {
    let home = tempfile::tempdir().unwrap();
    let yaml = "name: t/maze/s\ntask: maze\nn: 4\nseed: 5\nrole: ood_test\nparams: { size: [3, 4] }\n\
                shifts: { theme: night, noise: 2 }\n";
    let def = SplitDef::from_yaml(yaml, "s.yaml").unwrap();
    let split = generate(&def).unwrap();
    let out = home.path().join("s");
    write(&[&split], Container::Parquet, &out);
    let back = import_rows(&out, Some("back")).unwrap().swap_remove(0);
    same(&split, &back);
    for (a, b) in split.examples.iter().zip(&back.examples) {
        assert_eq!(
            a.problem.observe(View::Crisp),
            b.problem.observe(View::Crisp),
            "the shift is drawn again"
        );
    }
    assert_eq!(back.def.shift_label(), def.shift_label());
    assert_eq!(back.def.severity_number(), def.severity_number());
    // It can be written, read and exported again under the same labels.
    let again = home.path().join("again");
    materialize(&back, &again, None).unwrap();
    assert_eq!(load(&again).unwrap().def.shift_label(), def.shift_label());
}

#[test]
fn a_parquet_cut_anywhere_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    write(&[&places(5)], Container::Parquet, home.path());
    let bytes = fs::read(one(home.path(), ".parquet")).unwrap();
    let file = home.path().join("cut.parquet");
    for length in (0..bytes.len()).step_by(37) {
        fs::write(&file, &bytes[..length]).unwrap();
        assert!(error(&file).contains("cut.parquet"), "{length} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_damage_panics(at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), parquet: bool) {
        let home = tempfile::tempdir().unwrap();
        let container = if parquet { Container::Parquet } else { Container::Jsonl };
        write(&[&places(3)], container, home.path());
        fs::remove_file(home.path().join("export.json")).unwrap();
        let file = one(home.path(), if parquet { ".parquet" } else { ".jsonl" });
        let mut bytes = fs::read(&file).unwrap();
        for (index, byte) in at {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        fs::write(&file, bytes).unwrap();
        let _ = import_rows(&file, None);
    }

    #[test]
    fn a_cut_or_lost_picture_is_named(index in 0usize..3, keep in prop::option::of(0.0..0.99f64)) {
        let home = tempfile::tempdir().unwrap();
        write(&[&places(3)], Container::Jsonl, home.path());
        let picture = one(home.path(), &format!("{index:06}.png"));
        match keep {
            Some(part) => {
                let png = fs::read(&picture).unwrap();
                fs::write(&picture, &png[..(png.len() as f64 * part) as usize]).unwrap();
            }
            None => fs::remove_file(&picture).unwrap(),
        }
        let said = error(home.path());
        let row = match keep {
            Some(_) => format!("row {} (table-{index})", index + 1),
            None => format!("line {}: picture images/places/{index:06}.png of table-{index}", index + 1),
        };
        prop_assert!(said.contains(&row), "{said}");
    }
}
