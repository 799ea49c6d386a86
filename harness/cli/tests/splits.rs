//! `vrrl splits …` of the real binary: cutting, writing, resuming, converting.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{done, out, refused, vrrl};
use serde_json::Value;

/// Every file of a folder, by its path.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![root.to_path_buf()]);
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_split_is_cut_built_proven_and_scored() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let new = ["splits", "new", "--task", "maze", "--base", "quick/maze/id_test", "--shift", "noise=3"];
    let mut asked = new.to_vec();
    asked.extend([
        "theme=night",
        "--n",
        "40",
        "--name",
        "my/noisy_night",
        "--out",
        "cut.yaml",
        "--format",
        "json",
    ]);
    let cut: Value = serde_json::from_str(&done(dir, &asked)).unwrap();
    assert_eq!((&cut["name"], &cut["n"]), (&"my/noisy_night".into(), &40.into()));
    assert_eq!((&cut["role"], &cut["paired"]), (&"ood_test".into(), &true.into()));
    assert_eq!((&cut["shift"], &cut["base"]), (&"noise+theme".into(), &"quick/maze/id_test".into()));
    let text = fs::read_to_string(dir.join("cut.yaml")).unwrap();
    for line in [
        "# A split of its own",
        "scenes: quick/maze/id_test",
        "  noise: 3",
        "  theme: night",
        "role: ood_test",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(text.lines().filter(|line| line.trim_start().starts_with('#')).count() >= 6, "{text}");
    refused(dir, &asked, 2, &["cut.yaml exists", "--out", "--force"]);
    fs::write(dir.join("cut.yaml"), "something else\n").unwrap();
    asked.push("--force");
    done(dir, &asked);
    assert_eq!(fs::read_to_string(dir.join("cut.yaml")).unwrap(), text);

    let built = done(dir, &["splits", "build", "cut.yaml", "--out", "data"]);
    assert!(built.contains("my/noisy_night: 40 examples in data"), "{built}");
    let verified: Value =
        serde_json::from_str(&done(dir, &["splits", "verify", "data", "--format", "json"])).unwrap();
    assert_eq!(verified["examples"], 40);
    let audit = ["splits", "audit", "--train", "quick/maze/id_val", "--test", "cut.yaml", "data"];
    let mut proof = audit.to_vec();
    proof.extend(["--fail-on", "exact,symmetric"]);
    assert!(done(dir, &proof).contains("my/noisy_night"));
    // Pictures, too, and everything on disk; a split against itself is nothing but overlap.
    let itself = ["splits", "audit", "--train", "data", "--test", "data", "--near", "--out", "overlap"];
    let said = done(dir, &itself);
    assert!(said.contains("40 of 40 test pictures look like a training picture"), "{said}");
    let written: Value =
        serde_json::from_str(&fs::read_to_string(dir.join("overlap/audit.json")).unwrap()).unwrap();
    assert_eq!((&written["format"], &written["pairs"][0]["near"]["beyond"]), (&1.into(), &0.into()));
    assert_eq!(fs::read_dir(dir.join("overlap/pairs")).unwrap().count(), 16);
    let mut failing = itself.to_vec();
    failing.extend(["--fail-on", "near"]);
    refused(dir, &failing, 3, &["40 test items overlap"]);
    refused(
        dir,
        &["splits", "audit", "--train", "data", "--test", "data", "--fail-on", "near"],
        2,
        &["--near"],
    );
    refused(
        dir,
        &["splits", "audit", "--train", "data", "--test", "data", "--out", "data"],
        2,
        &["other things"],
    );
    // Paired: item by item the scenes of the base.
    let eval = |split: &str, out: &str| {
        done(dir, &["eval", "--model", "oracle", "--split", split, "--limit", "40", "--out", out]);
        let traces = fs::read_to_string(dir.join(out).join("traces.jsonl")).unwrap();
        let truth = |line: &str| serde_json::from_str::<Value>(line).unwrap()["truth"].clone();
        traces.lines().map(truth).collect::<Vec<_>>()
    };
    assert_eq!(eval("cut.yaml", "a"), eval("quick/maze/id_test", "b"));
}

#[test]
fn defaults_make_a_whole_definition() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let said = done(dir, &["splits", "new", "--base", "quick/maze/dev6", "--shift", "noise=1"]);
    assert!(said.contains("noise_1.yaml: my/maze/noise_1") && said.contains("ood_val"), "{said}");
    assert!(
        said.contains("vrrl splits build noise_1.yaml") && said.contains("--train quick/maze/train"),
        "{said}"
    );
    let fresh =
        ["splits", "new", "--base", "ood6", "--shift", "none", "--name", "my/more6", "--out", "f.yaml"];
    let said = done(dir, &fresh);
    assert!(said.contains("not shifted") && said.contains("ood_test"), "{said}");
    assert!(!fs::read_to_string(dir.join("f.yaml")).unwrap().contains("scenes:"));
    done(dir, &["splits", "build", "f.yaml", "--out", "f", "--limit", "3"]);
}

#[test]
fn cuts_that_make_no_sense_are_refused_and_write_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let refuse = |args: &[&str], words: &[&str]| {
        let mut all = vec!["splits", "new"];
        all.extend(args);
        refused(dir, &all, 2, words);
    };
    refuse(&[], &["--task or --base"]);
    refuse(&["--task", "maze"], &["--shift axis=level", "vrrl splits axes"]);
    refuse(&["--base", "odo6", "--shift", "noise=1"], &["odo6", "ood6"]);
    refuse(&["--task", "maze", "--shift", "nose=1"], &["nose", "did you mean noise?"]);
    refuse(&["--task", "maze", "--shift", "noise=9"], &["9", "1, 2, 3, 4, 5"]);
    refuse(&["--task", "maze", "--shift", "theme=nigth"], &["nigth", "did you mean night?"]);
    refuse(&["--task", "maze", "--shift", "noise"], &["axis=level"]);
    refuse(&["--task", "maze", "--shift", "noise=0"], &["severity 0"]);
    refuse(&["--task", "maze", "--shift", "noise=1", "noise=2"], &["twice"]);
    refuse(&["--task", "table", "--base", "ood6", "--shift", "noise=1"], &["ood6", "leave one of them out"]);
    refuse(&["--base", "ladder/maze/noise_1", "--shift", "blur=1"], &["shifted itself"]);
    refuse(&["--task", "maze", "--shift", "noise=1", "--n", "0"], &["n is 0"]);
    refuse(&["--task", "maze", "--shift", "noise=1", "--name", "My Split"], &["My Split"]);
    refuse(&["--task", "maze", "--shift", "noise=1", "--name", "quick/maze/ood7"], &["built-in"]);
    refuse(&["--task", "maze", "--shift", "noise=1", "--axes", "none.yaml"], &["none.yaml"]);
    assert_eq!(fs::read_dir(dir).unwrap().count(), 0);
}

#[test]
fn axes_of_ones_own_are_found_beside_the_definition() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::create_dir_all(dir.join("mine")).unwrap();
    let axes = "format: 1\naxes:\n- name: murk\n  about: Noise and fewer holes.\n  changes: pixels\n  paired: true\n  patches:\n  - tasks: [maze]\n    levels:\n      dim: {post: [{op: gaussian_noise, sigma: 60}]}\n      dark: {post: [{op: gaussian_noise, sigma: 300}]}\n";
    fs::write(dir.join("mine/murk.yaml"), axes).unwrap();
    let list: Value = serde_json::from_str(&done(
        dir,
        &["splits", "axes", "--task", "maze", "--axes", "mine/murk.yaml", "--format", "json"],
    ))
    .unwrap();
    let names: Vec<&str> =
        list["axes"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"murk") && names.contains(&"noise"), "{names:?}");
    let mut new = vec!["splits", "new", "--base", "quick/maze/ood6", "--axes", "mine/murk.yaml"];
    new.extend(["--shift", "murk=dark", "--n", "5", "--out", "mine/dark.yaml"]);
    done(dir, &new);
    let text = fs::read_to_string(dir.join("mine/dark.yaml")).unwrap();
    assert!(text.contains("  - murk.yaml") && text.contains("levels dim, dark"), "{text}");
    done(dir, &["splits", "build", "mine/dark.yaml", "--out", "data"]);
    let row = fs::read_to_string(dir.join("data/murk_dark/metadata.jsonl")).unwrap();
    let row: Value = serde_json::from_str(row.lines().next().unwrap()).unwrap();
    assert_eq!((&row["shift"], &row["severity"]), (&"murk:dark".into(), &2.into()));
    done(dir, &["splits", "verify", "data"]);
}

#[test]
fn lists_are_narrowed() {
    let dir = tempfile::tempdir().unwrap();
    let list = |args: &[&str]| {
        let mut all = vec!["splits", "list", "--format", "json"];
        all.extend(args);
        let list: Value = serde_json::from_str(&done(dir.path(), &all)).unwrap();
        list["splits"].as_array().unwrap().len()
    };
    assert!(list(&["--task", "maze"]) > list(&["quick/", "--task", "maze"]));
    assert_eq!((list(&["quick/maze/ood"]), list(&["no such"])), (3, 0));
    let text = done(dir.path(), &["splits", "list", "quick/maze/ood7"]);
    assert!(text.lines().count() == 2 && text.contains("ood_test"), "{text}");
    assert!(list(&["--role", "train"]) >= 1 && list(&["--role", "train"]) < list(&[]));
    // A space that is so small that it matters says how much it holds.
    let small = "name: my/small\ntask: maze\nn: 150\nseed: 1\nrole: ood_test\nparams: {size: [3, 3]}\n";
    fs::write(dir.path().join("small.yaml"), small).unwrap();
    let row = done(dir.path(), &["splits", "list", "small.yaml"]);
    assert!(row.contains("my/small") && row.contains("at most 1") && row.contains("distinct"), "{row}");
    let build = ["splits", "build", "small.yaml", "--out", "small"];
    fs::write(dir.path().join("small.yaml"), small.replace("150", "900")).unwrap();
    refused(dir.path(), &build, 2, &["my/small", "n is 900", "ceiling", "lower n"]);
    assert!(!dir.path().join("small").exists());
}

#[test]
fn bad_definitions_and_folders_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let good = "name: my/a\ntask: maze\nn: 5\nseed: 1\nrole: ood_test\nparams: {size: [4, 4]}\n";
    let build = ["splits", "build", "a.yaml", "--out", "a"];
    let refuse = |text: &str, words: &[&str]| {
        fs::write(dir.join("a.yaml"), text).unwrap();
        refused(dir, &build, 2, words);
        assert!(!dir.join("a").exists());
    };
    refuse(&format!("{good}shift: blurr\nseverity: 1\n"), &["a.yaml", "blurr", "did you mean `blur`?"]);
    refuse(&format!("{good}shift: blur\nseverity: 9\n"), &["a.yaml", "severity", "9", "line 8", "0 to 5"]);
    refuse(&good.replace("task: maze", "task: moze"), &["a.yaml", "line 2", "moze"]);
    refuse(&good.replace("size:", "sise:"), &["a.yaml", "sise", "did you mean `size`?"]);
    refuse(&good.replace("my/a", "quick/maze/ood7"), &["a.yaml", "built-in"]);
    let bomb = (1..10).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, i| {
        let past = i - 1;
        format!("{text}a{i}: &a{i} [*a{past}, *a{past}, *a{past}, *a{past}, *a{past}, *a{past}, *a{past}]\n")
    });
    refuse(&bomb, &["a.yaml"]);

    fs::write(dir.join("a.yaml"), good).unwrap();
    done(dir, &build);
    // A row that is lost, and a picture that is cut.
    let rows = fs::read_to_string(dir.join("a/a/metadata.jsonl")).unwrap();
    fs::write(dir.join("a/a/metadata.jsonl"), rows.lines().next().unwrap()).unwrap();
    refused(dir, &["splits", "verify", "a"], 6, &["a"]);
    fs::write(dir.join("a/a/metadata.jsonl"), &rows).unwrap();
    let picture = fs::read_dir(dir.join("a/a/images")).unwrap().next().unwrap().unwrap().path();
    let bytes = fs::read(&picture).unwrap();
    fs::write(&picture, &bytes[..bytes.len() / 2]).unwrap();
    refused(dir, &["splits", "verify", "a"], 6, &[picture.file_name().unwrap().to_str().unwrap()]);
    fs::remove_file(dir.join("a/manifest.json")).unwrap();
    refused(dir, &["splits", "verify", "a"], 2, &["manifest.json"]);
    refused(dir, &build, 2, &["a exists"]);
}

#[test]
fn what_is_reported_is_not_trained_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let train = |train: &str, val: &str, words: &[&str]| {
        let recipe = format!("method: base\ntrain: {train}\nval: {val}\n");
        fs::write(dir.join("r.yaml"), recipe).unwrap();
        refused(dir, &["train", "r.yaml", "--out", "c"], 2, words);
    };
    train("quick/maze/ood7", "quick/maze/id_val", &["quick/maze/ood7", "ood_test", "refused to train"]);
    train("quick/maze/train", "quick/maze/ood7", &["quick/maze/ood7", "ood_test", "refused to choose"]);
}

#[test]
fn galleries_are_drawn() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let gallery = ["gallery", "--task", "maze", "--shift", "noise,theme", "--scenes", "1", "--tile", "64"];
    let mut args = gallery.to_vec();
    args.extend(["--out", "g", "--format", "json"]);
    let drawn: Value = serde_json::from_str(&done(dir, &args)).unwrap();
    assert_eq!(drawn["sheets"][0]["axes"], serde_json::json!(["theme", "noise"]));
    assert!(fs::read(dir.join("g/maze.png")).unwrap().starts_with(b"\x89PNG"));
    assert!(fs::read_to_string(dir.join("g/index.html")).unwrap().contains("maze/noise/5-0.png"));
    assert!(dir.join("g/maze/noise/5-0.png").is_file());
    refused(dir, &["gallery", "--shift", "nosie", "--out", "h"], 2, &["nosie", "did you mean noise?"]);
    refused(dir, &["gallery", "--base", "odo6", "--out", "h"], 2, &["odo6", "ood6"]);
    refused(dir, &["gallery", "--scenes", "0", "--out", "h"], 2, &["--scenes 0"]);
    assert!(!dir.join("h").exists());
}

#[test]
fn an_example_is_shown_under_shifts() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let said = done(dir, &["show", "ood6", "2", "--shift", "noise=3", "theme=night", "--out", "look"]);
    assert!(said.contains("noise=3 theme=night") && said.contains("noise_3-theme_night.png"), "{said}");
    refused(dir, &["show", "ood6", "2", "--shift", "noise=9"], 2, &["9", "1, 2, 3, 4, 5"]);
    done(dir, &["splits", "build", "ood6", "--limit", "3", "--out", "data"]);
    refused(dir, &["show", "data", "2", "--shift", "noise=1"], 2, &["data", "built-in"]);
}

#[test]
fn a_killed_build_goes_on_and_ends_with_equal_files() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let build = |out: &'static str| {
        vec!["splits", "build", "quick/maze/train", "--limit", "6000", "--parquet", "--out", out]
    };
    done(dir, &build("whole"));
    let mut kills = 0;
    for wait in [150, 300, 600] {
        let mut child =
            vrrl(dir, &build("killed")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        kills += u32::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        child.wait().unwrap();
    }
    assert!(kills > 0, "every build was done before its kill");
    done(dir, &build("killed"));
    let (whole, killed) = (files(&dir.join("whole")), files(&dir.join("killed")));
    assert_eq!(whole.keys().collect::<Vec<_>>(), killed.keys().collect::<Vec<_>>());
    assert!(
        whole.keys().any(|name| name.starts_with("parquet/") && name.ends_with(".parquet")),
        "{:?}",
        whole.keys()
    );
    assert!(whole.iter().all(|(name, bytes)| killed[name] == *bytes));
    let left: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing is left beside the folders: {left:?}");
    done(dir, &["splits", "verify", "killed"]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_build_says_how_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let build = ["splits", "build", "quick/maze/train", "--out", "data"];
    let child = vrrl(dir, &build).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // The hidden folder beside the target says that it has begun.
    let begun = Instant::now();
    while fs::read_dir(dir).unwrap().count() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(120), "the build never began");
        std::thread::sleep(Duration::from_millis(5));
    }
    let sent =
        std::process::Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("the same command again goes on"), "{stderr}");
    assert!(!dir.join("data").exists());
    let (code, stdout, stderr) = out(dir, &["splits", "build", "quick/maze/train", "--out", "data"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("20000 examples"), "{stdout}");
}

#[test]
fn splits_are_exported_in_every_format() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for format in ["huggingface", "easyr1", "verl", "trl", "sft", "sft_chat", "sft_turns", "lm_eval"] {
        let args =
            ["splits", "export", "ood6", "--format", format, "--out", format, "--limit", "4", "--json"];
        let export: Value = serde_json::from_str(&done(dir, &args)).unwrap();
        assert_eq!((&export["format"], &export["examples"]), (&format.into(), &4.into()));
        assert!(export["rows"].as_u64().unwrap() >= 4);
        assert_eq!(serde_json::from_str::<Value>(&done(dir, &args)).unwrap(), export, "the same again");
        assert!(dir.join(format).join("README.md").is_file());
    }
    let jsonl =
        ["splits", "export", "id_test", "ood6", "--format", "sft", "--container", "jsonl", "--limit", "2"];
    let mut both = jsonl.to_vec();
    both.extend(["--out", "both"]);
    assert!(done(dir, &both).contains("sft: 4 examples"));
    let mut again = jsonl.to_vec();
    again.extend(["--out", "trl"]);
    refused(dir, &again, 2, &["trl"]);
    let (code, _, stderr) = out(dir, &["splits", "export", "ood6", "--format", "csv", "--out", "x"]);
    assert_eq!((code, stderr.contains("huggingface, easyr1")), (2, true), "{stderr}");
    refused(dir, &["splits", "export", "odo6", "--format", "trl", "--out", "x"], 2, &["odo6", "ood6"]);
}

#[test]
fn exports_and_single_files_take_the_place_of_a_name() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    done(dir, &["splits", "export", "ood6", "--format", "huggingface", "--out", "hf", "--limit", "4"]);
    let file = fs::read_dir(dir.join("hf/data")).unwrap().next().unwrap().unwrap().path();
    fs::copy(&file, dir.join("rows.parquet")).unwrap();
    for (name, run) in [("hf", "a"), ("rows.parquet", "b")] {
        let eval = ["eval", "--model", "oracle", "--split", name, "--out", run, "--format", "json"];
        let summary: Value = serde_json::from_str(&done(dir, &eval)).unwrap();
        assert_eq!(
            (&summary["splits"][0]["n"], &summary["splits"][0]["accuracy"]["value"]),
            (&4.into(), &1.0.into())
        );
        // The same examples under another name: the audit sees through it.
        let audit =
            ["splits", "audit", "--train", name, "--test", "ood6", "--fail-on", "exact", "--format", "json"];
        let (code, stdout, stderr) = out(dir, &audit);
        let found: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((code, &found["pairs"][0]["exact"]), (3, &4.into()), "{stderr}");
    }
    let bytes = fs::read(&file).unwrap();
    fs::write(dir.join("cut.parquet"), &bytes[..bytes.len() / 2]).unwrap();
    refused(dir, &["splits", "audit", "--train", "cut.parquet", "--test", "ood6"], 2, &["cut.parquet"]);
    fs::create_dir(dir.join("empty")).unwrap();
    refused(dir, &["splits", "audit", "--train", "empty", "--test", "ood6"], 2, &["empty"]);
}
