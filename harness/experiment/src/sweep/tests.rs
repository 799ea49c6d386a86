use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use serde_json::Value as Json;
use vrrl_harness::policies::Reference;
use vrrl_harness::read_summary;
use vrrl_harness_core::{sha256_hex, Dialect, Policy};

use super::*;
use crate::run::tests::{fake_train, small};
use crate::{Quiet, StageProgress, TrainJob, Trained};

/// A sweep over the small experiment of [`crate::run`]'s tests.
fn sweep(dir: &Path, rest: &str) -> Sweep {
    let mut experiment = small(dir);
    experiment.eval.decodings.truncate(1);
    std::fs::write(dir.join("small.yaml"), experiment.to_yaml().unwrap()).unwrap();
    let text = format!("format: 1\nname: knobs\nexperiment: small.yaml\nbase: multi_sft_grpo\n{rest}");
    Sweep::from_yaml(&text, &dir.join("sweep.yaml")).unwrap()
}

const TWO: &str = "seeds: [1, 2]\ngrid: {vrrl.rl.steps: [5, 6]}\n";

/// Replies that depend on which checkpoint is opened.
fn fake_open(dir: &Path, _: &str) -> Result<Box<dyn Policy>> {
    let hash = sha256_hex(&std::fs::read(dir.join("w")).unwrap());
    let noise = f64::from(u8::from_str_radix(&hash[..2], 16).unwrap()) / 300.0;
    Ok(Box::new(Reference::noisy_oracle(noise, Dialect::BareCommit)?))
}

fn go(sweep: &Sweep, out: &Path, jobs: usize, only: &[String], tools: Tools<'_>) -> Result<SweepOutcome> {
    let stop = AtomicBool::new(false);
    run_sweep(sweep, &SweepOptions { out, jobs, only, command: "vrrl sweep", stop: &stop }, tools, &Quiet)
}

const FAKE: Tools<'static> = Tools { train: &fake_train, open: &fake_open };

/// Files that must be equal however a sweep came about.
fn files(out: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for name in ["sweep.csv", "sweep.md", "sweep.json", "sweep.yaml", "experiment.yaml", ".lock"] {
        found.push((name.to_owned(), std::fs::read(out.join(name)).unwrap()));
    }
    for folder in std::fs::read_dir(out.join("evals")).unwrap() {
        let path = folder.unwrap().path();
        for name in ["traces.jsonl", "scores.jsonl", "summary.json"] {
            let path = path.join(name);
            found.push((path.strip_prefix(out).unwrap().display().to_string(), std::fs::read(path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn what_variants_share_is_trained_once_and_more_variants_join() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let trained = Mutex::new(Vec::new());
    let train = |job: &TrainJob<'_>, progress: &mut dyn FnMut(&StageProgress)| {
        trained.lock().unwrap().push(job.name.to_owned());
        fake_train(job, progress)
    };
    let tools = Tools { train: &train, open: &fake_open };
    let taken = || {
        let mut names = std::mem::take(&mut *trained.lock().unwrap());
        names.sort();
        names
    };
    let first = sweep(dir.path(), "seeds: [1]\ngrid: {vrrl.rl.steps: [5, 6]}\n");
    let stop = AtomicBool::new(false);
    let options = SweepOptions { out: &out, jobs: 2, only: &[], command: "", stop: &stop };
    let dry = dry_sweep(&first, &options).unwrap();
    // Rows: base, multi_sft, GRPO, two of VRRL; chains of 1, 2, 3, 3, 3 trainings.
    assert_eq!((dry.trainings.len(), dry.without_sharing, dry.rows.len()), (5, 12, 5));
    assert_eq!((dry.trainings[0].used_by, dry.trainings[1].used_by, dry.trainings[4].used_by), (5, 4, 1));
    assert!(!out.exists(), "a dry run writes nothing");
    // Trained and never scored: fewer chains, and never fewer than trainings.
    let mut unscored = small(dir.path());
    unscored.methods.iter_mut().for_each(|entry| entry.scored = entry.name == "multi_sft_grpo");
    std::fs::write(dir.path().join("unscored.yaml"), unscored.to_yaml().unwrap()).unwrap();
    let text = "format: 1\nname: knobs\nexperiment: unscored.yaml\nbase: multi_sft_grpo\nseeds: [1]\n\
                grid: {vrrl.rl.steps: [5, 6]}\n";
    let unscored = Sweep::from_yaml(text, &dir.path().join("sweep.yaml")).unwrap();
    let dry = dry_sweep(&unscored, &options).unwrap();
    assert_eq!((dry.trainings.len(), dry.without_sharing), (5, 5));

    let outcome = go(&first, &out, 2, &[], tools).unwrap();
    let names = ["base-s1", "multi_sft-s1", "multi_sft_grpo-s1", "vrrl-steps-5-s1", "vrrl-steps-6-s1"];
    assert_eq!(taken(), names);
    assert!(outcome.failures.is_empty() && outcome.waiting.is_empty());
    assert_eq!(outcome.page, Some(out.join("index.html")));
    for file in ["sweep.yaml", "sweep.csv", "sweep.md", "sweep.json", "leaderboard.csv", "experiment.yaml"] {
        assert!(out.join(file).is_file(), "{file}");
    }

    // The same again does nothing; one more variant and seed do only what is new.
    let again = go(&first, &out, 2, &[], tools).unwrap();
    assert_eq!((again.reused, again.stages, taken().len()), (again.stages, outcome.stages, 0));
    let more = sweep(dir.path(), "seeds: [1, 2]\ngrid: {vrrl.rl.steps: [4, 5, 6]}\n");
    let outcome = go(&more, &out, 2, &[], tools).unwrap();
    assert_eq!(taken().len(), 7, "one variant with seed 1, six methods with seed 2");
    let table = outcome.table.unwrap();
    assert!(table.rows.iter().all(|row| row.seeds == [1, 2] && row.missing.is_empty()));
    // But what is there neither changes nor goes.
    let other = sweep(dir.path(), "seeds: [1, 2]\ngrid: {vrrl.rl.steps: [4, 5]}\n");
    let error = go(&other, &out, 2, &[], tools).unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");

    // The dry run of what is written finds it all done.
    let written = Sweep::open(&out.join("sweep.yaml")).unwrap();
    let dry = dry_sweep(&written, &options).unwrap();
    assert_eq!((dry.to_do, dry.trainings.iter().all(|training| training.done)), (0, true));
}

#[test]
fn a_failed_run_is_named_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let sweep = sweep(dir.path(), TWO);
    let (out, whole) = (dir.path().join("out"), dir.path().join("whole"));
    go(&sweep, &whole, 1, &[], FAKE).unwrap();
    let failing = |job: &TrainJob<'_>, progress: &mut dyn FnMut(&StageProgress)| -> Result<Trained> {
        let trained = fake_train(job, progress);
        match job.name {
            "vrrl-steps-5-s2" => Err(Error::Input("the loss is NaN".into())),
            "multi_sft_grpo-s1" => panic!("no such tensor"),
            _ => trained,
        }
    };
    let outcome = go(&sweep, &out, 3, &[], Tools { train: &failing, open: &fake_open }).unwrap();
    let failed: Vec<&str> = outcome.failures.iter().map(|failure| failure.stage.as_str()).collect();
    assert_eq!(failed, ["train multi_sft_grpo-s1", "train vrrl-steps-5-s2"]);
    assert!(
        matches!(&outcome.failures[0].error, Error::Panicked { message, .. } if message == "no such tensor")
    );
    assert!(outcome.failures[1].error.to_string().contains("NaN"));
    assert_eq!(outcome.failures[1].log, Some(out.join("checkpoints/vrrl-steps-5-s2/training.jsonl")));
    // Their evaluations, and the report.
    assert_eq!((outcome.waiting.len(), outcome.page), (3, Some(out.join("index.html"))));
    let table = outcome.table.unwrap();
    let row = table.rows.iter().find(|row| row.name == "vrrl-steps-5").unwrap();
    assert_eq!((&row.seeds[..], &row.missing[..]), (&[1][..], &[2][..]));
    assert!(
        table.warnings.iter().any(|warning| warning.contains("2 runs are not done")),
        "{:?}",
        table.warnings
    );

    let outcome = go(&sweep, &out, 2, &[], FAKE).unwrap();
    assert!(outcome.failures.is_empty() && outcome.page.is_some());
    assert_eq!(files(&out), files(&whole), "as if nothing had failed");
}

#[test]
fn an_interrupted_sweep_goes_on_to_equal_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let sweep = sweep(dir.path(), TWO);
    let (out, whole) = (dir.path().join("out"), dir.path().join("whole"));
    go(&sweep, &whole, 1, &[], FAKE).unwrap();
    for after in [0, 3, 5] {
        let stop = AtomicBool::new(false);
        let count = AtomicUsize::new(0);
        let stopping = |job: &TrainJob<'_>, progress: &mut dyn FnMut(&StageProgress)| {
            if count.fetch_add(1, Ordering::SeqCst) == after {
                stop.store(true, Ordering::SeqCst);
                return Err(Error::Interrupted { stage: job.name.into() });
            }
            fake_train(job, progress)
        };
        let tools = Tools { train: &stopping, open: &fake_open };
        let options = SweepOptions { out: &out, jobs: 2, only: &[], command: "", stop: &stop };
        let error = run_sweep(&sweep, &options, tools, &Quiet).unwrap_err();
        assert!(error.is_interruption(), "{error}");
        assert!(out.join("sweep.yaml").is_file());
    }
    go(&sweep, &out, 2, &[], FAKE).unwrap();
    assert_eq!(files(&out), files(&whole));
}

#[test]
fn only_does_what_a_row_needs() {
    let dir = tempfile::tempdir().unwrap();
    let sweep = sweep(dir.path(), TWO);
    let out = dir.path().join("out");
    let outcome = go(&sweep, &out, 2, &["steps-6".into()], FAKE).unwrap();
    let made = |name: &str| out.join("checkpoints").join(name).exists();
    assert!(
        made("vrrl-steps-6-s2")
            && made("multi_sft-s1")
            && !made("vrrl-steps-5-s1")
            && !made("multi_sft_grpo-s1")
    );
    assert!(outcome.failures.is_empty() && outcome.page.is_some() && out.join("sweep.csv").is_file());
    let error = go(&sweep, &out, 2, &["steps-7".into()], FAKE).unwrap_err().to_string();
    assert!(error.contains("did you mean steps-5?") && error.contains("multi_sft_grpo"), "{error}");
    // The rest afterwards, and then the page.
    let rest = ["vrrl-steps-5", "multi_sft_grpo", "multi_sft", "base"].map(str::to_owned);
    assert!(go(&sweep, &out, 2, &rest, FAKE).unwrap().page.is_some());
}

#[test]
fn the_table_is_what_the_summaries_say() {
    let dir = tempfile::tempdir().unwrap();
    let sweep = sweep(dir.path(), "seeds: [1, 2, 3]\nset: {eval.max_turns: 2, eval.decodings: [t1, greedy]}\ngrid: {vrrl.rl.steps: [5]}\n");
    let out = dir.path().join("out");
    let table = go(&sweep, &out, 2, &[], FAKE).unwrap().table.unwrap();
    let of = |name: &str, decoding: &str| -> Vec<(f64, f64)> {
        (1..=3)
            .map(|seed| {
                let summary = read_summary(&out.join(format!("evals/{name}-s{seed}@{decoding}"))).unwrap();
                let [split] = &summary.splits[..] else { panic!() };
                (split.accuracy.unwrap().value, split.delta_ref.unwrap().value)
            })
            .collect()
    };
    for decoding in ["t1", "greedy"] {
        let row =
            table.rows.iter().find(|row| row.name == "vrrl-steps-5" && row.decoding == decoding).unwrap();
        let (vrrl, grpo) = (of("vrrl-steps-5", decoding), of("multi_sft_grpo", decoding));
        let ood = row.test.as_ref().unwrap().ood.as_ref().unwrap();
        // Student's interval with two degrees of freedom, by hand.
        let student = |x: [f64; 3]| {
            let mean = (x[0] + x[1] + x[2]) / 3.0;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2.0;
            (mean, 4.302_652_73 * (variance / 3.0).sqrt())
        };
        let (mean, half) = student([vrrl[0].0, vrrl[1].0, vrrl[2].0]);
        let level = ood.accuracy.unwrap();
        assert!((level.value - mean).abs() < 1e-9 && half > 1e-3, "{level:?}");
        assert!((level.ci_low.unwrap() - (mean - half).max(0.0)).abs() < 1e-6, "{level:?}");
        let versus = ood.accuracy_vs_base.as_ref().unwrap();
        let (mean, half) = student([0, 1, 2].map(|i| vrrl[i].0 - grpo[i].0));
        assert!((versus.level.value - mean).abs() < 1e-9);
        assert!((versus.level.ci_high.unwrap() - (mean + half).min(1.0)).abs() < 1e-6);
        let delta = (0..3).map(|i| vrrl[i].1 - grpo[i].1).sum::<f64>() / 3.0;
        assert!((ood.delta_ref_vs_base.as_ref().unwrap().level.value - delta).abs() < 1e-9);
    }
    let written: Json = serde_json::from_slice(&std::fs::read(out.join("sweep.json")).unwrap()).unwrap();
    assert_eq!(
        (&written["format"], written["rows"].as_array().unwrap().len()),
        (&Json::from(1), table.rows.len())
    );
}

#[test]
fn runs_side_by_side_divide_the_cores() {
    let dir = tempfile::tempdir().unwrap();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let most = AtomicUsize::new(0);
    let train = |job: &TrainJob<'_>, progress: &mut dyn FnMut(&StageProgress)| {
        // Seeds 1 and 2 of VRRL are ready together once both starts are there.
        most.fetch_max(rayon::current_num_threads(), Ordering::SeqCst);
        if job.name.starts_with("base") {
            assert_eq!(rayon::current_num_threads(), (cores / 2).max(1));
        }
        fake_train(job, progress)
    };
    go(&sweep(dir.path(), TWO), &dir.path().join("out"), 2, &[], Tools { train: &train, open: &fake_open })
        .unwrap();
    assert!(most.load(Ordering::SeqCst) <= cores);
}
