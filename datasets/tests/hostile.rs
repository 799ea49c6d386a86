//! What strangers write: definitions, maps and folders, whole, cut and mixed up. Nothing panics, everything ends soon,
//! and what is accepted is what was written.

// Helpers outside of test functions are test code, too.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use vrrl_datasets::{
    catalog, find, import_frozenlake_text, materialize, verify, Error, Examples, Purpose, Split, SplitDef,
};

static KEYS: [&str; 14] = [
    "name", "task", "n", "seed", "role", "params", "shift", "severity", "shifts", "scenes", "axes", "size",
    "post", "<<",
];
static VALUES: [&str; 24] = [
    "a/b",
    "maze",
    "table",
    "10",
    "-1",
    "1e300",
    ".nan",
    "null",
    "~",
    "[4, 5]",
    "{ size: [4, 5] }",
    "ood_test",
    "noise",
    "3",
    "mono",
    "{ noise: 3, theme: night }",
    "[x.yaml]",
    "&a [1, 2]",
    "*a",
    "!!binary aGk=",
    "\"\\u0000\"",
    "|\n  x",
    "{ post: [{ op: occlude, patches: 4000000000 }] }",
    "99999999999999999999",
];

/// A definition that may be right, with up to three lines changed, doubled or lost.
fn definition() -> impl Strategy<Value = String> {
    let line = (prop::sample::select(&KEYS[..]), prop::sample::select(&VALUES[..]));
    let edits = prop::collection::vec((0..7usize, line, 0..3u8), 0..4);
    (0..catalog().len(), edits).prop_map(|(at, edits)| {
        let yaml = serde_yaml::to_string(&catalog()[at]).unwrap();
        let mut lines: Vec<String> = yaml.lines().map(Into::into).collect();
        for (at, (key, value), how) in edits {
            let at = at % lines.len();
            match how {
                0 => lines[at] = format!("{key}: {value}"),
                1 => lines.insert(at, format!("{key}: {value}")),
                _ => drop(lines.remove(at)),
            }
            if lines.is_empty() {
                break;
            }
        }
        lines.join("\n")
    })
}

fn check(text: &str) {
    match SplitDef::from_yaml(text, "hostile.yaml") {
        Ok(def) => {
            let again = SplitDef::from_yaml(&serde_yaml::to_string(&def).unwrap(), "again.yaml").unwrap();
            assert_eq!(again, def);
            def.shifted_params().unwrap();
        }
        Err(error) => assert!(error.to_string().contains("hostile.yaml"), "{error}"),
    }
}

fn cut(text: &str, at: usize, with: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let at = at % bytes.len();
    bytes.splice(at..(at + with.len()).min(bytes.len()), with.bytes());
    bytes
}

fn maps(shape: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(shape);
    fs::read_to_string(file).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 200 } else { 4000 }))]

    #[test]
    fn definitions_are_read_or_refused(text in definition()) {
        check(&text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,400}") {
        check(&text);
    }

    #[test]
    fn maps_are_read_or_refused(
        shape in prop::sample::select(vec!["eval_shape.json", "train_shape.json"]),
        at in any::<usize>(),
        with in "[\\[\\]{}\",0-9a-zSFHG-]{0,6}",
        end in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let mut bytes = cut(&maps(shape), at, &with);
        if !whole {
            bytes.truncate(end.index(bytes.len()) + 1);
        }
        match import_frozenlake_text(&bytes, Path::new("maps.json"), "hostile") {
            Ok(splits) => prop_assert!(splits.iter().all(|split| split.def.n == split.examples.len())),
            Err(error) => prop_assert!(error.to_string().contains("maps.json"), "{}", error),
        }
    }

    #[test]
    fn any_bytes_are_no_maps(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(import_frozenlake_text(&bytes, Path::new("maps.json"), "hostile").is_err());
    }
}

fn small() -> Split {
    Examples::draw(&SplitDef { n: 3, ..find("quick/maze/id_test").unwrap() }).unwrap().into_split().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 60 } else { 600 }))]

    #[test]
    fn changed_folders_are_refused(
        file in prop::sample::select(vec!["manifest.json", "id_test/metadata.jsonl"]),
        at in any::<usize>(),
        with in "[\\[\\]{}\":,0-9a-z/.-]{1,6}",
    ) {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("split");
        materialize(&small(), &dir, None).unwrap();
        let path = dir.join(file);
        let before = fs::read_to_string(&path).unwrap();
        let after = cut(&before, at, &with);
        fs::write(&path, &after).unwrap();
        let changed = after != before.as_bytes();
        match verify(&dir) {
            Ok(_) => prop_assert!(!changed || file == "manifest.json", "a changed row was not noticed"),
            Err(error) => {
                prop_assert!(changed);
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}

#[test]
fn what_is_cut_or_sealed_is_named() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("split");
    materialize(&small(), &dir, None).unwrap();
    let picture = dir.join("id_test/images/000001.png");
    let bytes = fs::read(&picture).unwrap();
    fs::write(&picture, &bytes[..bytes.len() - 7]).unwrap();
    let error = verify(&dir).unwrap_err();
    assert!(matches!(error, Error::Differs { .. }) && error.to_string().contains("000001.png"), "{error}");
    fs::remove_file(&picture).unwrap();
    let error = verify(&dir).unwrap_err().to_string();
    assert!(error.contains("000001.png") && error.contains("missing"), "{error}");
    // A file's role binds like a built-in one's.
    let file = home.path().join("mine.yaml");
    let yaml = "name: my/noisy\ntask: maze\nn: 10\nseed: 3\nrole: ood_test\nparams: { size: [4, 5] }\n";
    fs::write(&file, yaml).unwrap();
    let def = vrrl_datasets::find_or_read(file.to_str().unwrap()).unwrap();
    let error = def.open_for(Purpose::Train).unwrap_err();
    assert!(matches!(error, Error::Sealed { .. }) && error.to_string().contains("my/noisy"), "{error}");
    assert!(matches!(def.open_for(Purpose::Choose), Err(Error::Sealed { .. })));
    // Nor may it take the name of a built-in split.
    fs::write(&file, yaml.replace("my/noisy", "quick/maze/train").replace("ood_test", "train")).unwrap();
    let error = SplitDef::read(&file).unwrap_err().to_string();
    assert!(error.contains("mine.yaml") && error.contains("name: quick/maze/train"), "{error}");
}
