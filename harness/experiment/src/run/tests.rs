use std::sync::atomic::AtomicUsize;

use vrrl_harness::policies::Reference;
use vrrl_harness_core::{Dialect, Policy};

use super::*;
use crate::{Plan, Quiet, Trained};

const SMALL: &str = "\
name: small
seeds: [1]
dialect: bare_commit
splits:
  train: TRAIN
  val: VAL
  test: [TEST]
methods:
  - {name: base, method: base, max_turns: 1}
  - {name: multi_sft, method: multi_sft, init: base}
  - {name: multi_sft_grpo, method: multi_sft_grpo, init: multi_sft}
  - {name: vrrl, method: vrrl, init: multi_sft}
eval: {limit: 12, save_images: 2, max_turns: 4}
references: [oracle, random]
";

/// An experiment on small materialized splits, so that tests draw few mazes.
pub(crate) fn small(dir: &Path) -> Experiment {
    let folder = |name: &str| {
        let out = dir.join(format!("data-{name}"));
        let never = AtomicBool::new(false);
        let first = crate::BuildOptions { limit: Some(12), feedback: false, parquet: false, stop: &never };
        crate::build(name, &out, &first, &|_| ()).unwrap();
        out.display().to_string()
    };
    let text = SMALL
        .replace("TRAIN", &folder("train"))
        .replace("VAL", &folder("id_val"))
        .replace("TEST", &folder("ood7"));
    Experiment::from_yaml(&text, Path::new("small.yaml")).unwrap()
}

/// Pretends to train: leaves a log and what it was started from.
pub(crate) fn fake_train(job: &TrainJob<'_>, progress: &mut dyn FnMut(&StageProgress)) -> Result<Trained> {
    std::fs::create_dir_all(job.out).unwrap();
    let init = job.init.map_or_else(String::new, |init| std::fs::read_to_string(init.join("w")).unwrap());
    std::fs::write(job.out.join("w"), format!("{init}>{}", job.name)).unwrap();
    std::fs::write(job.out.join("training.jsonl"), "{\"step\":1,\"loss\":0.5,\"liveness\":{\"fired\":3}}\n")
        .unwrap();
    progress(&StageProgress {
        what: "fake".into(),
        done: 1,
        total: 1,
        figures: vec![("loss".into(), 0.5)],
        ..StageProgress::default()
    });
    Ok(Trained { seconds: 0.5, steps: 1, complaints: vec!["only pretended".into()], ..Trained::default() })
}

fn fake_open(dir: &Path, _: &str) -> Result<Box<dyn Policy>> {
    assert!(dir.join("w").exists(), "scored before it was trained");
    Ok(Box::new(Reference::noisy_oracle(0.4, Dialect::BareCommit)?))
}

fn go(
    experiment: &Experiment,
    out: &Path,
    jobs: usize,
    tools: Tools<'_>,
    reporter: &dyn Reporter,
) -> Result<Outcome> {
    let stop = AtomicBool::new(false);
    run(experiment, &Options { out, jobs, command: "vrrl run", stop: &stop }, tools, reporter)
}

const FAKE: Tools<'static> = Tools { train: &fake_train, open: &fake_open };

#[test]
fn a_run_leaves_everything_and_the_next_one_does_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let experiment = small(dir.path());
    let out = dir.path().join("out");
    let outcome = go(&experiment, &out, 2, FAKE, &Quiet).unwrap();
    for file in [
        "experiment.yaml",
        "splits/audit.json",
        "checkpoints/vrrl/stage.json",
        "evals/vrrl@t1/summary.json",
        "evals/oracle@greedy/traces.jsonl",
        "leaderboard.csv",
        "leaderboard_wide.csv",
        "index.html",
        "stage.json",
    ] {
        assert!(out.join(file).is_file(), "{file} is missing");
    }
    assert_eq!(std::fs::read_to_string(out.join("checkpoints/vrrl/w")).unwrap(), ">base>multi_sft>vrrl");
    assert_eq!((outcome.reused, outcome.page), (0, out.join("index.html")));
    assert_eq!(outcome.table.rows.len(), 12);
    let what: Vec<&str> = outcome.claims.iter().map(|c| c.what.as_str()).collect();
    assert!(what.iter().any(|w| w.contains("Δref on ood7")), "{what:?}");
    let page = std::fs::read(out.join("index.html")).unwrap();
    assert!(String::from_utf8_lossy(&page).contains("only pretended"));

    let never: Tools<'_> =
        Tools { train: &|_, _| panic!("trained again"), open: &|_, _| panic!("opened again") };
    let again = go(&experiment, &out, 2, never, &Quiet).unwrap();
    assert_eq!((again.reused, &again.table), (again.stages, &outcome.table));
    assert_eq!(std::fs::read(out.join("index.html")).unwrap(), page);
}

#[test]
fn threads_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let experiment = small(dir.path());
    let files = |jobs: usize| {
        let out = dir.path().join(format!("out{jobs}"));
        go(&experiment, &out, jobs, FAKE, &Quiet).unwrap();
        ["evals/vrrl@t1/traces.jsonl", "evals/random@t1/scores.jsonl", "splits/audit.json"]
            .map(|file| std::fs::read(out.join(file)).unwrap())
    };
    assert_eq!(files(1), files(3));
}

#[test]
fn another_experiment_is_refused_by_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    let mut experiment = small(dir.path());
    let out = dir.path().join("out");
    go(&experiment, &out, 2, FAKE, &Quiet).unwrap();
    experiment.title = "another title".into();
    go(&experiment, &out, 2, FAKE, &Quiet).unwrap();
    experiment.seeds = vec![2];
    let error = go(&experiment, &out, 2, FAKE, &Quiet).unwrap_err();
    assert!(matches!(error, Error::Changed { .. }));
    assert!(error.to_string().contains("seeds.0 was 1, now 2"), "{error}");
}

#[test]
fn a_failure_stops_and_the_rest_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let experiment = small(dir.path());
    let out = dir.path().join("out");
    let trained = AtomicUsize::new(0);
    let failing = |job: &TrainJob<'_>, progress: &mut dyn FnMut(&StageProgress)| {
        trained.fetch_add(1, Ordering::SeqCst);
        if job.name == "vrrl" {
            return Err(Error::Input("vrrl: the loss is NaN".into()));
        }
        fake_train(job, progress)
    };
    let error = go(&experiment, &out, 1, Tools { train: &failing, open: &fake_open }, &Quiet).unwrap_err();
    assert!(error.to_string().contains("NaN") && !error.is_interruption());
    assert!(out.join("checkpoints/multi_sft/stage.json").is_file() && !out.join("index.html").exists());
    let before = trained.load(Ordering::SeqCst);
    go(&experiment, &out, 1, FAKE, &Quiet).unwrap();
    assert!(before >= 3 && out.join("index.html").is_file());
}

#[test]
fn a_stop_from_outside_is_an_interruption() {
    let dir = tempfile::tempdir().unwrap();
    let experiment = small(dir.path());
    let stop = AtomicBool::new(true);
    let out = dir.path().join("out");
    let options = Options { out: &out, jobs: 2, command: "", stop: &stop };
    let error = run(&experiment, &options, FAKE, &Quiet).unwrap_err();
    assert!(error.is_interruption() && error.to_string().contains("goes on from there"), "{error}");
}

#[test]
fn the_plan_is_told_before_anything_runs() {
    struct Told(Mutex<Vec<String>>);
    impl Reporter for Told {
        fn plan(&self, plan: &Plan) {
            self.0.lock().unwrap().push(format!("plan of {} stages", plan.stages.len()));
        }
        fn started(&self, stage: &str) {
            self.0.lock().unwrap().push(stage.to_owned());
        }
        fn progress(&self, _: &str, _: &StageProgress) {}
        fn finished(&self, _: &str, _: f64, _: bool) {}
        fn note(&self, _: &str, _: &str) {}
    }
    let dir = tempfile::tempdir().unwrap();
    let told = Told(Mutex::new(Vec::new()));
    go(&small(dir.path()), &dir.path().join("out"), 1, FAKE, &told).unwrap();
    let told = told.0.into_inner().unwrap();
    assert_eq!(told[0], "plan of 18 stages");
    assert_eq!(told[1], "splits");
    assert_eq!(told.last().map(String::as_str), Some("report"));
}

#[test]
fn two_runs_do_not_share_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let experiment = small(dir.path());
    let out = dir.path().join("out");
    let inner = |job: &TrainJob<'_>, progress: &mut dyn FnMut(&StageProgress)| {
        // While the first is at work, a second one comes.
        let error = go(&experiment, &out, 1, FAKE, &Quiet).unwrap_err();
        assert!(matches!(error, Error::Busy { .. }), "{error}");
        assert!(error.to_string().contains("is in use by another vrrl (process "), "{error}");
        fake_train(job, progress)
    };
    go(&experiment, &out, 1, Tools { train: &inner, open: &fake_open }, &Quiet).unwrap();
    go(&experiment, &out, 1, FAKE, &Quiet).unwrap();
}
