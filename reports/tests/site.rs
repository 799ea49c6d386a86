//! The leaderboard site: what it shows, what it refuses, and what nobody may smuggle in.

#![allow(clippy::unwrap_used)] // tests

use std::fs;
use std::path::{Path, PathBuf};

use vrrl_reports::{load, site, write, PageInfo, Site};

mod common;
use common::{write_run, Fake};

fn fake(model: &'static str) -> Fake {
    Fake { model, method: "vrrl", seed: None, skill: [0.8, 0.5, 0.3] }
}

/// Hands in the small files of a run below `root/submissions/name`.
fn hand_in(root: &Path, name: &str, run: &Path) -> PathBuf {
    let folder = root.join("submissions").join(name);
    fs::create_dir_all(&folder).unwrap();
    for file in ["run.json", "summary.json", "scores.jsonl", "traces.jsonl"] {
        fs::copy(run.join(file), folder.join(file)).unwrap();
    }
    folder
}

/// Two submissions of 20 examples a split.
fn two(root: &Path) -> [PathBuf; 2] {
    [("ada", "candle:ada-net"), ("bob", "candle:bob-net")]
        .map(|(name, model)| hand_in(root, name, &write_run(root, &fake(model), "t1", 20, 0)))
}

fn made(root: &Path, out: &str) -> Result<Site, String> {
    site(&[root.join("submissions")], "Mazes", &root.join(out)).map_err(|e| e.to_string())
}

fn all_bytes(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(all_bytes(&path));
        } else {
            all.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn a_folder_of_submissions_becomes_a_site_of_equal_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let [_, bob] = two(dir.path());
    fs::remove_file(bob.join("traces.jsonl")).unwrap();
    let first = made(dir.path(), "a").unwrap();
    assert_eq!((first.submissions, first.runs, first.badges.len()), (2, 2, 2 * 5));
    let page = fs::read_to_string(&first.page).unwrap();
    for text in [
        "<h1>Mazes</h1>",
        "2 runs in 2 submissions",
        "VRRL (ada-net)",
        "scores alone",
        "data-sort-by",
        "SUBMIT.md",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(
        !page.contains("https://")
            && page.matches("http://").count() == page.matches("http://www.w3.org/2000/svg").count()
    );
    // The very numbers of a report of the same runs.
    let runs = load(&["ada", "bob"].map(|name| dir.path().join("submissions").join(name))).unwrap();
    let report = write(&runs, &[], &PageInfo::default(), &dir.path().join("report")).unwrap();
    for (ours, theirs) in [
        (&first.leaderboard, &report.leaderboard),
        (&first.wide, &report.wide),
        (&first.schema, &report.schema),
    ] {
        assert_eq!(fs::read(ours).unwrap(), fs::read(theirs).unwrap());
    }
    let badge = fs::read_to_string(dir.path().join("a/badges/ada-net-t1.svg")).unwrap();
    let ood = fs::read_to_string(&first.wide).unwrap();
    let ood: f64 =
        ood.lines().find(|l| l.starts_with("ada-net")).unwrap().split(',').nth(9).unwrap().parse().unwrap();
    assert!(badge.contains(&format!(">{:.1} % · Δref ", ood * 100.0)), "{badge}");
    let submit = fs::read_to_string(&first.submit).unwrap();
    assert!(submit.contains("| quick/maze/ood7 | ood_test | 20 |") && submit.contains("10 MiB"));

    // Elsewhere, and named in another order: the same bytes.
    let paths = ["bob", "ada"].map(|name| dir.path().join("submissions").join(name));
    site(&paths, "Mazes", &dir.path().join("b")).unwrap();
    let strip = |root: &str| {
        let root = dir.path().join(root);
        all_bytes(&root)
            .into_iter()
            .map(|(p, b)| (p.strip_prefix(&root).unwrap().to_owned(), b))
            .collect::<Vec<_>>()
    };
    assert_eq!(strip("a"), strip("b"));
}

#[test]
fn badges_of_rows_that_are_gone_go_and_other_files_stay() {
    let dir = tempfile::tempdir().unwrap();
    let [_, bob] = two(dir.path());
    made(dir.path(), "out").unwrap();
    fs::write(dir.path().join("out/badges/logo.svg"), "<svg/>").unwrap();
    fs::remove_dir_all(bob).unwrap();
    let site = made(dir.path(), "out").unwrap();
    assert_eq!(site.removed.len(), 5);
    assert!(!dir.path().join("out/badges/bob-net-t1.svg").exists());
    assert!(
        dir.path().join("out/badges/logo.svg").exists()
            && dir.path().join("out/badges/ada-net-t1.svg").exists()
    );
}

/// Changes one file of Bob's submission, wants a refusal with these words and no site, and puts the file back.
fn refused(root: &Path, file: &str, change: impl Fn(String) -> Option<String>, words: &[&str]) {
    let path = root.join("submissions/bob").join(file);
    let whole = fs::read_to_string(&path).unwrap();
    match change(whole.clone()) {
        Some(text) => {
            assert_ne!(text, whole, "{file}: nothing was changed");
            fs::write(&path, text).unwrap();
        }
        None => fs::remove_file(&path).unwrap(),
    }
    let error = made(root, "out").unwrap_err();
    for word in words.iter().chain(&["bob", file]) {
        assert!(error.contains(word), "{file}: {word:?} is not in {error}");
    }
    assert!(!root.join("out").exists(), "a refusal writes nothing");
    fs::write(path, whole).unwrap();
}

#[test]
fn what_is_not_finished_or_contradicts_itself_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    two(root);
    refused(root, "run.json", |_| None, &["cannot read"]);
    refused(root, "summary.json", |_| None, &["cannot read"]);
    refused(root, "scores.jsonl", |_| None, &["cannot read"]);
    refused(root, "run.json", |t| Some(t[..t.len() / 2].into()), &["line 1"]);
    refused(root, "scores.jsonl", |t| Some(t[..t.len() - 9].into()), &["line 80"]);
    refused(root, "traces.jsonl", |t| Some(t[..t.len() - 9].into()), &["line 80"]);
    for file in ["run.json", "summary.json"] {
        refused(root, file, |t| Some(t.replace("\"format\":1", "\"format\":2")), &["newer"]);
        refused(root, file, |t| Some(t.replace("\"format\":1", "\"format\":0")), &["format", "0, not 1"]);
    }
    // Fewer episodes than were asked: the run was cut off.
    refused(
        root,
        "summary.json",
        |t| Some(t.replacen("\"n\":20", "\"n\":19", 1)),
        &["19 of 20", "vrrl eval"],
    );
    refused(
        root,
        "scores.jsonl",
        |t| Some(t.lines().skip(1).map(|l| format!("{l}\n")).collect()),
        &["19 episodes, and the summary says 20"],
    );
    refused(
        root,
        "scores.jsonl",
        |t| {
            let first = t.lines().next().unwrap().to_owned();
            Some(
                t.lines()
                    .enumerate()
                    .map(|(i, l)| format!("{}\n", if i == 1 { &first } else { l }))
                    .collect(),
            )
        },
        &["stands twice"],
    );
    // Better numbers than the scores say.
    refused(
        root,
        "scores.jsonl",
        |t| {
            let (from, to) = (
                "\"correct\":false,\"correct_first\":false,\"end\"",
                "\"correct\":true,\"correct_first\":false,\"end\"",
            );
            Some(t.replacen(from, to, 1))
        },
        &["are right, and the summary says"],
    );
    let scores = root.join("submissions/bob/scores.jsonl");
    let whole = fs::read(&scores).unwrap();
    fs::write(&scores, [&whole[..], b"{\"split\":\"\xff\xfe\"}\n"].concat()).unwrap();
    let error = made(root, "out").unwrap_err();
    assert!(error.contains("bob/scores.jsonl") && error.contains("UTF-8"), "{error}");
    fs::write(&scores, whole).unwrap();
    made(root, "out").unwrap();
}

#[test]
fn rows_that_cannot_be_compared_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let [ada, bob] = two(root);
    let hash = vrrl_harness_core::sha256_hex(b"quick/maze/ood7");
    let other = "f".repeat(64);
    refused(root, "run.json", |t| Some(t.replace(&hash, &other)), &["quick/maze/ood7", &hash, &other, "ada"]);
    refused(
        root,
        "run.json",
        |t| Some(t.replace("\"severity\":2", "\"severity\":4")),
        &["quick/maze/ood7", "severity"],
    );
    refused(
        root,
        "run.json",
        |t| Some(t.replacen("\"role\":\"ood_test\"", "\"role\":\"train\"", 1)),
        &["ood6", "role"],
    );
    refused(
        root,
        "run.json",
        |t| Some(t.replace("bob-net", "ada-net")),
        &["another submission", "policy.name"],
    );
    let run_id = |folder: &Path| {
        let info: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.join("run.json")).unwrap()).unwrap();
        info["run_id"].as_str().unwrap().to_owned()
    };
    let (hers, his) = (run_id(&ada), run_id(&bob));
    refused(root, "run.json", |t| Some(t.replace(&his, &hers)), &["is the same run"]);

    // Fewer examples of a split than the others answered.
    let few = write_run(&root.join("few"), &fake("candle:few"), "t1", 10, 0);
    hand_in(root, "few", &few);
    let error = made(root, "out").unwrap_err();
    assert!(error.contains("asks 10 examples") || error.contains("asks 20 examples"), "{error}");
    fs::remove_dir_all(root.join("submissions/few")).unwrap();

    // Training seeds of one submission share a row; the same seed twice does not.
    for (seed, model) in [(0, "candle:cy-s0"), (1, "candle:cy-s1")] {
        let run = write_run(root, &Fake { seed: Some(seed), ..fake(model) }, "t1", 20, 0);
        hand_in(root, &format!("cy/{seed}"), &run);
    }
    let site = made(root, "out").unwrap();
    assert_eq!((site.submissions, site.runs), (3, 4));
    assert!(fs::read_to_string(site.page).unwrap().contains("<small>2 seeds</small>"));
    let path = root.join("submissions/cy/1/run.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"train_seed\":1", "\"train_seed\":0")).unwrap();
    assert!(made(root, "out").unwrap_err().contains("training seed"));
}

#[test]
fn submissions_stay_in_their_folder_and_small() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let [_, bob] = two(root);
    fs::create_dir(root.join("submissions/empty")).unwrap();
    assert!(made(root, "out").unwrap_err().contains("empty: submission: no run in it"));
    fs::remove_dir(root.join("submissions/empty")).unwrap();

    let traces = bob.join("traces.jsonl");
    let whole = fs::read(&traces).unwrap();
    fs::write(&traces, " ".repeat(10 * 1024 * 1024 + 1)).unwrap();
    assert!(made(root, "out").unwrap_err().contains("above the limit of 10485760"));
    fs::write(&traces, whole).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        for link in [bob.join("traces2.jsonl"), root.join("submissions/eve")] {
            symlink("/etc", &link).unwrap();
            let error = made(root, "out").unwrap_err();
            assert!(error.contains("a link") && error.contains(link.to_str().unwrap()), "{error}");
            fs::remove_file(link).unwrap();
        }
    }
    assert!(!root.join("out").exists());
    made(root, "out").unwrap();
}

#[test]
fn hostile_names_become_neither_markup_nor_formulas_nor_paths() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    two(root);
    let names = ["=cmd|' /C calc'!A0", "@SUM(1)</script><img src=x onerror=alert(1)>", "../../../evil"];
    for (file, from, to) in [
        ("run.json", "candle:bob-net", names[0]),
        ("run.json", "\"method\":\"vrrl\"", &format!("\"method\":{:?}", names[1])),
    ] {
        let path = root.join("submissions/bob").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(path, text.replace(from, to)).unwrap();
    }
    for who in ["ada", "bob"] {
        for (from, to) in [("quick/maze/ood8", names[2]), ("quick/maze/ood6", "-1+1")] {
            for file in ["run.json", "summary.json", "scores.jsonl", "traces.jsonl"] {
                let path = root.join("submissions").join(who).join(file);
                let text = fs::read_to_string(&path).unwrap();
                fs::write(path, text.replace(from, to)).unwrap();
            }
        }
    }
    let title = "</title><script>alert(2)</script>";
    let site = site(&[root.join("submissions")], title, &root.join("out")).unwrap();
    assert!(!fs::read_to_string(&site.submit).unwrap().contains("<script"));
    let page = fs::read_to_string(&site.page).unwrap();
    assert!(!page.contains("<img") && page.contains("&lt;img") && page.matches("<script").count() == 2);
    for badge in &site.badges {
        assert_eq!(
            fs::canonicalize(badge).unwrap().parent().unwrap(),
            fs::canonicalize(root.join("out/badges")).unwrap()
        );
        assert!(!fs::read_to_string(badge).unwrap().contains("<img"));
    }
    // Every cell of every table: a number, or no formula.
    let runs = load(&["ada", "bob"].map(|name| root.join("submissions").join(name))).unwrap();
    let report = write(&runs, &[], &PageInfo::default(), &root.join("report")).unwrap();
    let mut guarded = 0;
    for table in [&site.leaderboard, &site.wide, &report.robustness] {
        for record in csv::ReaderBuilder::new().has_headers(false).from_path(table).unwrap().records() {
            for cell in &record.unwrap() {
                let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
                assert!(!formula || cell.parse::<f64>().is_ok(), "{table:?}: {cell:?}");
                guarded += usize::from(cell.starts_with('\''));
            }
        }
    }
    assert!(guarded > 20, "{guarded}");
    let wide = fs::read_to_string(&site.wide).unwrap();
    assert!(wide.lines().next().unwrap().contains(",'-1+1,"), "{wide}");
    // A gain below zero is still a number.
    let long = fs::read_to_string(&site.leaderboard).unwrap();
    assert!(long.contains(",delta_ref,0") || long.contains(",delta_ref,-0"));
    assert!(fs::read_to_string(&site.schema).unwrap().contains("apostrophe"));
}
