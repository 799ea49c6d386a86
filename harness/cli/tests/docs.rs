//! What the README says about splits is what the binary says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::fs;
use std::path::PathBuf;

use common::done;
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `1-5` for severities, else the names.
fn levels(axis: &Value, task: &str) -> String {
    let Some(levels) = axis["levels"].get(task) else { return String::new() };
    if axis["ordered"] == true {
        return "1-5".into();
    }
    let names: Vec<&str> = levels.as_array().unwrap().iter().map(|level| level.as_str().unwrap()).collect();
    names.join(", ")
}

#[test]
fn the_table_of_axes_is_the_catalogue() {
    let dir = tempfile::tempdir().unwrap();
    let listed: Value =
        serde_json::from_str(&done(dir.path(), &["splits", "axes", "--format", "json"])).unwrap();
    let mut table =
        String::from("| axis | changes | tables | charts | mazes | paired |\n|---|---|---|---|---|---|\n");
    for axis in listed["axes"].as_array().unwrap() {
        let [name, changes] = ["name", "changes"].map(|key| axis[key].as_str().unwrap());
        let [tables, charts, mazes] = ["table", "chart", "maze"].map(|task| levels(axis, task));
        let paired = if axis["paired"] == true { "yes" } else { "" };
        table.push_str(&format!("| `{name}` | {changes} | {tables} | {charts} | {mazes} | {paired} |\n"));
    }
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&table), "the table of axes in README.md should be\n{table}");
}

#[test]
fn every_named_set_is_described() {
    let dir = tempfile::tempdir().unwrap();
    let listed: Value =
        serde_json::from_str(&done(dir.path(), &["splits", "list", "--format", "json"])).unwrap();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for split in listed["splits"].as_array().unwrap() {
        let name = split["name"].as_str().unwrap();
        let (set, last) = name.rsplit_once('/').unwrap();
        let told = readme.contains(&format!("`{set}/")) && readme.contains(&format!("`{last}`"));
        assert!(told || name.starts_with("ladder/"), "README.md does not name {name}");
    }
}

#[test]
fn the_contact_sheet_is_there_and_small() {
    for line in fs::read_to_string(root().join("README.md")).unwrap().split("](docs/").skip(1) {
        let file = root().join("docs").join(line.split(')').next().unwrap());
        let bytes = fs::read(&file).unwrap();
        if file.extension().is_none_or(|kind| kind != "png") {
            continue;
        }
        assert!(bytes.starts_with(b"\x89PNG") && bytes.len() <= 400_000, "{}", file.display());
    }
}
