//! Reports of small made-up runs: numbers, order, hostile text, missing and torn files.

#![allow(clippy::unwrap_used)] // tests

use std::fs;
use std::path::Path;

use serde_json::Value;
use vrrl_reports::{load, load_sampling, write, Claim, PageInfo, TrainingLog};

mod common;
use common::{write_run, Fake, SPLITS};

const HEADER: &str = "model,method,backend,decoding,task,split,role,shift,severity,metric,value,ci_low,ci_high,n,seeds,dataset_hash,run_id,code_version,date";

fn vrrl() -> Fake {
    Fake { model: "candle:vrrl", method: "vrrl", seed: None, skill: [0.8, 0.5, 0.3] }
}

fn small(root: &Path) {
    write_run(root, &vrrl(), "t1", 40, 8);
    write_run(root, &vrrl(), "greedy", 40, 0);
    write_run(
        root,
        &Fake {
            model: "candle:multi_sft_grpo",
            method: "multi_sft_grpo",
            seed: None,
            skill: [0.8, 0.5, 1.0],
        },
        "t1",
        40,
        8,
    );
    write_run(
        root,
        &Fake { model: "oracle", method: "reference", seed: None, skill: [9.0, 0.5, 1.0] },
        "t1",
        40,
        0,
    );
}

#[test]
fn daggers_compare_rivals_and_not_a_policy_with_its_own_graphs() {
    let dir = tempfile::tempdir().unwrap();
    let fake = |model, method, skill| Fake { model, method, seed: None, skill };
    write_run(dir.path(), &fake("candle:vrrl", "vrrl", [0.9, 0.9, 0.0]), "t1", 200, 0);
    write_run(dir.path(), &fake("candle:multi_sft_grpo", "multi_sft_grpo", [0.5, 0.0, 1.0]), "t1", 200, 0);
    let tex = |dir: &Path| {
        page(dir, &[], &PageInfo::default());
        fs::read_to_string(dir.join("leaderboard.tex")).unwrap()
    };
    let alone = tex(dir.path());
    let row = alone.lines().find(|line| line.starts_with("VRRL &")).unwrap();
    // Four splits and their average out of distribution.
    assert_eq!(row.matches("$^\\dagger$").count(), 5, "{row}");
    // The same replies once more, by another engine.
    let graphs = write_run(dir.path(), &fake("candle:vrrl_onnx", "vrrl", [0.9, 0.9, 0.0]), "t1", 200, 0);
    let info = fs::read_to_string(graphs.join("run.json")).unwrap();
    assert!(info.contains("\"candle\""));
    fs::write(graphs.join("run.json"), info.replace("\"candle\"", "\"tract\"")).unwrap();
    let beside = tex(dir.path());
    assert!(beside.contains(row), "{beside}");
    assert!(!beside.lines().find(|line| line.contains("onnx")).unwrap().contains("dagger"));
}

#[test]
fn plots_are_pictures_of_the_same_numbers() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let hostile = Fake { model: "x<script>&", method: "srpo<b>", seed: None, skill: [0.5, 0.5, 0.5] };
    write_run(dir.path(), &hostile, "t1", 40, 0);
    let runs = load(&[dir.path().to_path_buf()]).unwrap();
    let written = write(&runs, &[], &PageInfo::default(), dir.path()).unwrap();
    let names: Vec<String> =
        written.plots.iter().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect();
    for name in ["accuracy_by_turn-t1", "reached_turn-t1", "ood_against_id-t1", "accuracy_by_turn-greedy"] {
        for ending in ["svg", "png"] {
            assert!(names.contains(&format!("{name}.{ending}")), "{name}.{ending} of {names:?}");
        }
    }
    for path in written.plots {
        let bytes = fs::read(&path).unwrap();
        if path.extension().unwrap() == "png" {
            // A picture with lines on it, not paper alone.
            let image = image::load_from_memory(&bytes).unwrap().into_rgb8();
            let coloured =
                image.pixels().filter(|p| p.0.iter().max().unwrap() - p.0.iter().min().unwrap() > 60);
            assert!(image.width() > 600 && coloured.count() > 200, "{}", path.display());
        } else {
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.contains("var(--") && !text.contains("<script"), "{}", path.display());
        }
    }
}

fn page(root: &Path, logs: &[TrainingLog], info: &PageInfo) -> String {
    let written = write(&load(&[root.to_path_buf()]).unwrap(), logs, info, root).unwrap();
    let page = fs::read_to_string(&written.page).unwrap();
    assert_eq!(page.len() as u64, written.page_bytes);
    page
}

#[test]
fn the_long_form_has_the_fixed_header_and_order_and_the_summary_s_numbers() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    page(dir.path(), &[], &PageInfo::default());
    let text = fs::read_to_string(dir.path().join("leaderboard.csv")).unwrap();
    assert_eq!(text.lines().next(), Some(HEADER));
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|l| l.split(',').collect()).collect();
    assert_eq!(rows.len(), 4 * 4 * 17);
    let mut models: Vec<String> = rows.iter().map(|r| format!("{}@{}", r[0], r[3])).collect();
    models.dedup();
    assert_eq!(models, ["candle:multi_sft_grpo@t1", "candle:vrrl@t1", "candle:vrrl@greedy", "oracle@t1"]);
    let metrics: Vec<&str> = rows[..17].iter().map(|r| r[9]).collect();
    assert_eq!(
        metrics[..5],
        ["accuracy", "accuracy_well_formed", "first_accuracy", "delta_ref", "turns_mean"]
    );
    assert_eq!(metrics[15..], ["prompt_tokens_per_episode", "completion_tokens_per_episode"]);
    let seven: Vec<&str> = rows.iter().find(|r| r[5] == "quick/maze/ood7").unwrap()[4..9].to_vec();
    assert_eq!(seven, ["maze", "quick/maze/ood7", "ood_test", "size", "2"]);

    let summary: Value =
        serde_json::from_slice(&fs::read(dir.path().join("evals/vrrl@t1/summary.json")).unwrap()).unwrap();
    for (i, (split, ..)) in SPLITS.iter().enumerate() {
        let row = rows
            .iter()
            .find(|r| r[0] == "candle:vrrl" && r[3] == "t1" && r[5] == *split && r[9] == "delta_ref")
            .unwrap();
        let want = &summary["splits"][i]["delta_ref"];
        for (cell, key) in [(10, "value"), (11, "ci_low"), (12, "ci_high")] {
            assert_eq!(
                row[cell].parse::<f64>().unwrap().to_bits(),
                want[key].as_f64().unwrap().to_bits(),
                "{split} {key}"
            );
        }
    }
    let repeat = rows.iter().find(|r| r[9] == "repeat_rate").unwrap();
    assert_eq!(repeat[10..15], ["0.125", "", "", "40", "1"]);
    let schema: Value =
        serde_json::from_slice(&fs::read(dir.path().join("leaderboard.schema.json")).unwrap()).unwrap();
    let names: Vec<&str> =
        schema["fields"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert_eq!(names.join(","), HEADER);
}

#[test]
fn the_page_and_the_wide_form_show_the_summary_s_numbers() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let page = page(dir.path(), &[], &PageInfo { title: "a & b".into(), ..PageInfo::default() });
    let summary: Value =
        serde_json::from_slice(&fs::read(dir.path().join("evals/vrrl@t1/summary.json")).unwrap()).unwrap();
    let seven = &summary["splits"][2];
    assert!(page.contains(&format!("<b>{:.1}</b>", seven["accuracy"]["value"].as_f64().unwrap() * 100.0)));
    assert!(page.contains(&format!("in {:.2} turns", seven["turns_mean"]["value"].as_f64().unwrap())));
    assert!(page.contains("<title>a &amp; b</title>") && page.contains("not comparable"));
    assert!(!page.contains("http://") && !page.contains("https://"), "the page needs no network");
    let wide = fs::read_to_string(dir.path().join("leaderboard_wide.csv")).unwrap();
    assert!(wide.starts_with(
        "model,method,decoding,seeds,id_test,ood6,ood7,ood8,id,ood_average,delta_ref_ood7,turns_ood7\n"
    ));
    let row: Vec<&str> = wide.lines().find(|l| l.starts_with("vrrl,vrrl,t1")).unwrap().split(',').collect();
    assert_eq!(row[6], seven["accuracy"]["value"].to_string());
    let markdown = fs::read_to_string(dir.path().join("leaderboard.md")).unwrap();
    assert!(markdown.contains("| Multi-SFT → GRPO | 1 |"));
}

#[test]
fn training_seeds_are_pooled_and_still_shown() {
    let dir = tempfile::tempdir().unwrap();
    for (seed, model) in [(0, "candle:vrrl-s0"), (1, "candle:vrrl-s1")] {
        write_run(dir.path(), &Fake { model, seed: Some(seed), ..vrrl() }, "t1", 40, 0);
    }
    let page = page(dir.path(), &[], &PageInfo::default());
    assert!(page.contains("<small>2 seeds</small>") && page.contains("seed 1"));
    let wide = fs::read_to_string(dir.path().join("leaderboard_wide.csv")).unwrap();
    assert_eq!(wide.lines().count(), 2);
    assert!(wide.lines().nth(1).unwrap().starts_with("vrrl,vrrl,t1,2,"));
    let long = fs::read_to_string(dir.path().join("leaderboard.csv")).unwrap();
    assert!(long.contains("candle:vrrl-s0,") && long.contains("candle:vrrl-s1,"));
}

#[test]
fn hostile_text_stays_text() {
    let dir = tempfile::tempdir().unwrap();
    let run = write_run(dir.path(), &vrrl(), "t1", 3, 3);
    let hostile = "</script><!--<script>alert(1)</script><img src=x onerror=alert(2)>";
    let traces = fs::read_to_string(run.join("traces.jsonl")).unwrap();
    let traces = traces.replace("<ANSWER>", &format!("{hostile}<ANSWER>"));
    fs::write(run.join("traces.jsonl"), traces).unwrap();
    let info = PageInfo {
        title: hostile.into(),
        notes: vec![hostile.into()],
        command: hostile.into(),
        experiment_yaml: hostile.into(),
        claims: vec![Claim {
            what: hostile.into(),
            bar: hostile.into(),
            measured: hostile.into(),
            met: None,
        }],
        ..PageInfo::default()
    };
    let log = TrainingLog {
        method: hostile.into(),
        rows: vec![(1.0, [(hostile.to_owned(), 1.0)].into())],
        warnings: vec![format!("step 50: the KL {hostile}")],
        ..TrainingLog::default()
    };
    let page = page(dir.path(), &[log], &info);
    assert!(page.contains("Early warnings") && page.contains("step 50: the KL"));
    assert!(!page.contains("<img src=x") && !page.contains("<!--") && !page.contains("<script>alert"));
    assert_eq!(page.matches("</script>").count(), 2, "only the page's own two script elements end");
    assert_eq!(page.matches("<script").count(), 2);
    // Inside the data the text survives, escaped.
    let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    let text = data["runs"][0]["splits"][0]["episodes"][0]["turns"][0]["text"].as_str().unwrap();
    assert!(text.starts_with(hostile));
}

#[test]
fn pictures_are_embedded_once_and_within_the_budget() {
    let dir = tempfile::tempdir().unwrap();
    write_run(dir.path(), &vrrl(), "t1", 30, 30);
    write_run(dir.path(), &vrrl(), "greedy", 30, 30);
    let full = page(dir.path(), &[], &PageInfo::default());
    let uris: Vec<&str> =
        full.split("\"data:image/png;base64,").skip(1).map(|s| s.split('"').next().unwrap()).collect();
    assert!(uris.len() > 100);
    let mut distinct = uris.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), uris.len());
    let tight = page(dir.path(), &[], &PageInfo { image_budget: 20_000, ..PageInfo::default() });
    let bytes: usize = tight
        .split("\"data:image/png;base64,")
        .skip(1)
        .map(|s| s.split('"').next().unwrap().len() * 3 / 4)
        .sum();
    assert!(bytes <= 21_000 && bytes > 2_000, "{bytes}");
    assert_eq!(load_sampling(&[dir.path().to_path_buf()], 5).unwrap()[0].episodes.len(), 5 * SPLITS.len());
}

#[test]
fn a_difference_of_methods_comes_with_its_interval_over_seeds() {
    let dir = tempfile::tempdir().unwrap();
    let methods = [("vrrl", [0.9, 0.7, 0.5]), ("multi_sft_grpo", [0.9, 0.5, 0.3])];
    let one = |seed: u64| {
        for (method, skill) in methods {
            let model: &'static str = Box::leak(format!("candle:{method}-s{seed}").into_boxed_str());
            write_run(dir.path(), &Fake { model, method, seed: Some(seed), skill }, "t1", 40, 0);
        }
        page(dir.path(), &[], &PageInfo::default())
    };
    assert!(one(1).contains("with one training seed, which says nothing about the methods"));
    (2..4).for_each(|seed| drop(one(seed)));
    let html = one(4);
    assert!(html.contains("(95 % interval over 4 training seeds "), "{html:.4000}");
    assert!(html.contains("All 8 runs: no pictures were kept"), "{html:.4000}");
}

#[test]
fn missing_pieces_are_named_on_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let run = write_run(dir.path(), &vrrl(), "t1", 5, 0);
    assert!(page(dir.path(), &[], &PageInfo::default()).contains("no pictures were kept"));
    fs::remove_file(run.join("scores.jsonl")).unwrap();
    assert!(page(dir.path(), &[], &PageInfo::default()).contains("no scores.jsonl"));
    fs::remove_file(run.join("traces.jsonl")).unwrap();
    let page = page(dir.path(), &[], &PageInfo::default());
    assert!(page.contains("no traces.jsonl") && !page.contains("id=\"viewer\""));
}

#[test]
fn missing_and_torn_files_are_errors_that_name_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let run = write_run(dir.path(), &vrrl(), "t1", 5, 1);
    let root = [dir.path().to_path_buf()];
    let torn = |file: &str, keep: usize| {
        let path = run.join(file);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len().min(keep)]).unwrap();
        let error = load(&root).unwrap_err().to_string();
        fs::write(&path, whole).unwrap();
        error
    };
    assert!(torn("summary.json", 300).contains("summary.json: line 1"));
    assert!(torn("run.json", 0).contains("run.json"));
    assert!(torn("traces.jsonl", 100).contains("traces.jsonl: line 1"));
    assert!(torn("scores.jsonl", 100).contains("scores.jsonl: line 1"));
    let summary = fs::read_to_string(run.join("summary.json")).unwrap();
    fs::write(run.join("summary.json"), summary.replace("\"format\":1", "\"format\":9")).unwrap();
    assert!(load(&root).unwrap_err().to_string().contains("newer"));
    fs::remove_file(run.join("summary.json")).unwrap();
    assert!(load(&root).unwrap_err().to_string().contains("summary.json"));
    fs::write(run.join("summary.json"), summary).unwrap();

    let image = fs::read_dir(run.join("images")).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&image).unwrap();
    fs::write(&image, &whole[..whole.len() - 9]).unwrap();
    let out = dir.path().join("out");
    let error = write(&load(&root).unwrap(), &[], &PageInfo::default(), &out).unwrap_err().to_string();
    assert!(error.contains(".png") && !out.exists(), "{error}");

    let empty = tempfile::tempdir().unwrap();
    assert!(load(&[empty.path().to_path_buf()]).is_err());
    assert!(write(&[], &[], &PageInfo::default(), empty.path()).is_err());
}

#[test]
fn equal_runs_make_equal_bytes_and_no_temporary_file_stays() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let first = page(dir.path(), &[], &PageInfo::default());
    assert_eq!(first, page(dir.path(), &[], &PageInfo::default()));
    let left: Vec<String> =
        fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| !name.ends_with(".tmp")), "{left:?}");
}

#[test]
fn robustness_is_the_gap_and_the_slope_of_the_summaries() {
    let dir = tempfile::tempdir().unwrap();
    write_run(dir.path(), &vrrl(), "t1", 40, 0);
    page(dir.path(), &[], &PageInfo::default());
    let mut table = csv::Reader::from_path(dir.path().join("robustness.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let accuracy = |short: &str| -> f64 {
        let mut long = csv::Reader::from_path(dir.path().join("leaderboard.csv")).unwrap();
        let rows: Vec<csv::StringRecord> = long.records().map(Result::unwrap).collect();
        rows.iter().find(|r| r[5].ends_with(short) && &r[9] == "accuracy").unwrap()[10].parse().unwrap()
    };
    let number = |row: &csv::StringRecord, at: usize| -> f64 { row[at].parse().unwrap() };
    let ood = ["ood6", "ood7", "ood8"].map(accuracy);
    let gap = rows.iter().find(|row| &row[4] == "id_ood_gap").unwrap();
    let expected = accuracy("id_test") - ood.iter().sum::<f64>() / 3.0;
    assert!((number(gap, 6) - expected).abs() < 1e-9, "{gap:?}");
    assert!(number(gap, 7) < expected && expected < number(gap, 8));
    let slope = rows.iter().find(|row| &row[4] == "severity_slope").unwrap();
    // Severities 0 to 3: least squares over four points weighs them -.3, -.1, .1, .3.
    let expected = -0.3 * accuracy("id_test") - 0.1 * ood[0] + 0.1 * ood[1] + 0.3 * ood[2];
    assert!((number(slope, 6) - expected).abs() < 1e-9, "{slope:?}");
}
