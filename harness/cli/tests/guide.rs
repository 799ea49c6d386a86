//! Every command on the pages of `docs/` runs and ends as the page says.
//!
//! A page is read top to bottom in a folder of its own that holds this repository's `baselines`. A block whose kind is
//! followed by a name (` ```yaml gate.yaml`) becomes that file; of a `sh` block every line that starts with `vrrl` runs,
//! and ends with 0 unless it says `# exit N`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::out;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// Runs a page; at least `least` commands stand on it.
fn page(name: &str, least: usize) {
    let dir = tempfile::tempdir().unwrap();
    let checkpoint = "baselines/checkpoints/vrrl-quickstart";
    copy(&root().join(checkpoint), &dir.path().join(checkpoint));
    let text = fs::read_to_string(root().join("docs").join(name)).unwrap();
    let mut ran = 0;
    for block in text.split("```").skip(1).step_by(2) {
        let (kind, body) = block.split_once('\n').unwrap();
        match kind.split_once(' ') {
            Some((_, file)) => fs::write(dir.path().join(file), body).unwrap(),
            None if kind == "sh" => {
                for line in body.lines().filter(|line| line.starts_with("vrrl ")) {
                    let (command, code) = line.split_once("  # exit ").unwrap_or((line, "0"));
                    let code: i32 =
                        code.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
                    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
                    let (got, stdout, stderr) = out(dir.path(), &words);
                    assert_eq!(got, code, "{name}: {line}\n{stdout}\n{stderr}");
                    ran += 1;
                }
            }
            None => {}
        }
    }
    assert!(ran >= least, "{name}: only {ran} commands");
}

#[test]
fn the_page_about_scoring() {
    page("score.md", 13);
}

#[test]
fn the_page_about_training() {
    page("train.md", 1);
}

#[test]
fn the_page_about_comparing() {
    page("compare.md", 10);
}

#[test]
fn the_page_about_sweeps() {
    page("sweep.md", 6);
}

#[test]
fn the_page_about_shifts() {
    page("shift.md", 8);
}

#[test]
fn the_page_about_gates() {
    page("gate.md", 8);
}

#[test]
fn every_page_is_listed() {
    let index = fs::read_to_string(root().join("docs/README.md")).unwrap();
    // The commands of one page copy files between them, which its own test does.
    let tests = [include_str!("guide.rs"), include_str!("site.rs")].concat();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") && name != "README.md" {
            assert!(index.contains(&format!("]({name})")), "docs/README.md does not list {name}");
            let known = [format!("page(\"{name}\""), format!("docs/{name}\"")];
            assert!(known.iter().any(|call| tests.contains(call)), "no test runs {name}");
        }
    }
}
