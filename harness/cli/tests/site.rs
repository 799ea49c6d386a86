//! The leaderboard site and the exports by the real binary; the commands of docs/leaderboard.md.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{done, out, refused};
use serde_json::Value;

fn page() -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join("docs/leaderboard.md")).unwrap()
}

/// Runs the page's commands, in order, with our binary in front of the path.
#[cfg(unix)]
fn follow(dir: &Path) {
    let folder = Path::new(env!("CARGO_BIN_EXE_vrrl")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let page = page();
    let blocks: Vec<&str> =
        page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let done =
            Command::new("sh").args(["-ec", block]).current_dir(dir).env("PATH", &path).output().unwrap();
        assert!(done.status.success(), "{block}\n{}", String::from_utf8_lossy(&done.stderr));
    }
}

#[cfg(unix)]
#[test]
fn the_guide_s_commands_make_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    follow(dir.path());
    let page = page();
    for file in
        ["index.html", "leaderboard.csv", "leaderboard.schema.json", "leaderboard_wide.csv", "SUBMIT.md"]
    {
        assert!(
            page.contains(&format!("`{file}`")) && dir.path().join("public").join(file).exists(),
            "{file}"
        );
    }
    let html = fs::read_to_string(dir.path().join("public/index.html")).unwrap();
    assert!(html.contains("<h1>Mazes that grow</h1>") && html.contains("1 run in 1 submission"));
    for format in ["every-eval-ever", "bencher", "bigger", "hf"] {
        assert!(page.contains(&format!("`{format}`")), "{format}");
        assert_eq!(
            fs::read_dir(dir.path().join("my-report/exports").join(format)).unwrap().count(),
            1,
            "{format}"
        );
    }

    // What the guide says is refused, with the exit code that it says.
    let dir = dir.path();
    fs::create_dir_all(dir.join("submissions/other")).unwrap();
    let limited = ["eval", "--model", "random", "--split", "quick/maze/ood7", "--limit", "5", "--out", "few"];
    done(dir, &limited);
    for file in ["run.json", "summary.json", "scores.jsonl"] {
        fs::copy(dir.join("few").join(file), dir.join("submissions/other").join(file)).unwrap();
    }
    let site = ["report", "submissions", "--site", "again"];
    refused(dir, &site, 2, &["submissions/other/run.json", "quick/maze/ood7", "asks 5 examples", "asks 50"]);
    fs::remove_file(dir.join("submissions/other/summary.json")).unwrap();
    refused(dir, &site, 2, &["submissions/other/summary.json"]);
    assert!(!dir.join("again").exists());
    fs::remove_dir_all(dir.join("submissions/other")).unwrap();
    let told: Value =
        serde_json::from_str(&done(dir, &["report", "submissions", "--site", "again", "--format", "json"]))
            .unwrap();
    assert_eq!(told["site"]["runs"], 1);
    assert!(told.get("page").is_none() && dir.join("again/index.html").exists());
}

#[test]
fn flags_that_cannot_be_followed_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    done(dir, &["eval", "--model", "oracle", "--split", "ood7", "--limit", "3", "--out", "r"]);
    refused(dir, &["report", "r", "--out", "o", "--export", "hf"], 2, &["--hub-dataset OWNER/NAME"]);
    refused(
        dir,
        &["report", "r", "--out", "o", "--export", "all", "--hub-dataset", "mazes"],
        2,
        &["mazes", "OWNER/NAME"],
    );
    refused(dir, &["report", "r", "--out", "o", "--export", "pdf"], 2, &["pdf"]);
    for missing in [&["report", "r", "--site", "o", "--export", "bencher"][..], &["report", "r"]] {
        let (code, _, error) = out(dir, missing);
        assert!(code == 2 && error.contains("--out <DIR>"), "{missing:?}: {code} {error}");
    }
    refused(dir, &["report", "none", "--site", "o"], 2, &["none"]);
    assert!(!dir.join("o").exists());
    let (code, _, error) = out(dir, &["report", "r", "--out", "o", "--export", "tensorboard"]);
    assert!(code == 2 && error.contains("no training curves"), "{code} {error}");
    // Without curves the other formats are written all the same.
    done(dir, &["report", "r", "--out", "o", "--export", "tensorboard,bencher"]);
    assert_eq!(fs::read_dir(dir.join("o/exports/bencher")).unwrap().count(), 1);
}
