use super::*;

const SMALL: &str = "\
name: small
seeds: [1]
dialect: bare_commit
splits:
  train: quick/maze/train
  val: quick/maze/id_val
  test: [quick/maze/id_test]
methods:
  - name: base
    method: base
  - name: multi_sft
    method: multi_sft
    init: base
references: [oracle]
";

fn refused(text: &str) -> String {
    Experiment::from_yaml(text, Path::new("x.yaml")).unwrap_err().to_string()
}

#[test]
fn the_presets_are_valid_and_survive_resolving() {
    for (name, text) in PRESETS {
        let experiment = Experiment::from_yaml(text, Path::new(name)).unwrap();
        assert_eq!(experiment.name, name);
        let again = experiment.to_yaml().unwrap();
        assert_eq!(Experiment::from_yaml(&again, Path::new(name)).unwrap(), experiment);
    }
    assert_eq!(preset("slow"), None);
}

#[test]
fn unknown_keys_name_file_line_and_nearest_key() {
    let error = refused(&SMALL.replace("seeds:", "seads:"));
    assert!(error.starts_with("x.yaml") && error.contains("`seads`; did you mean `seeds`?"), "{error}");
    let error = refused(&SMALL.replace("  test:", "  tset:"));
    assert!(error.contains("did you mean `test`?"), "{error}");
    let text = SMALL.replace("    init: base\n", "    init: base\n    recipe:\n      no_such_block: 3\n");
    let error = refused(&text);
    assert!(error.contains("x.yaml:15") && error.contains("no_such_block"), "{error}");
}

#[test]
fn what_scores_nothing_is_refused() {
    let unscored = SMALL
        .replace("    method: base\n", "    method: base\n    scored: false\n")
        .replace("    init: base\n", "    init: base\n    scored: false\n");
    // A reference is something to report.
    Experiment::from_yaml(&unscored, Path::new("x.yaml")).unwrap();
    let error = refused(&unscored.replace("references: [oracle]\n", "references: []\n"));
    assert!(error.contains("none is scored") && error.contains("vrrl train"), "{error}");
}

#[test]
fn nonsense_is_refused_by_name() {
    for (from, to, word) in [
        ("name: small", "name: a/b", "a/b"),
        ("[1]", "[]", "seeds"),
        ("[1]", "[1, 1]", "seeds"),
        ("init: base", "init: bass", "bass"),
        ("name: multi_sft", "name: base", "twice"),
        ("[oracle]", "[oracel]", "oracel"),
        ("method: multi_sft", "method: mutli_sft", "multi_sft"),
        ("test: [quick/maze/id_test]", "test: []", "splits.test"),
        ("references:", "device: tpu\nreferences:", "tpu"),
        ("references:", "eval: {decodings: [hot]}\nreferences:", "hot"),
        ("    init: base", "    init: base\n    recipe: {seed: 3}", "outside"),
    ] {
        let error = refused(&SMALL.replacen(from, to, 1));
        assert!(error.contains(word), "{to}: {error}");
    }
}

#[test]
fn several_seeds_name_their_checkpoints() {
    let text = SMALL.replace("[1]", "[1, 2]").replace("method: base\n", "method: base\n    shared: true\n");
    let experiment = Experiment::from_yaml(&text, Path::new("x")).unwrap();
    let [base, sft] = &experiment.methods[..] else { panic!() };
    assert_eq!((experiment.checkpoint(base, 1), experiment.seeds_of(base).len()), ("base".into(), 1));
    assert_eq!((experiment.checkpoint(sft, 2), experiment.seeds_of(sft).len()), ("multi_sft-s2".into(), 2));
}

#[test]
fn decodings_are_words() {
    for (word, temperature) in [("greedy", 0.0), ("t1", 1.0), ("t0.7", 0.7)] {
        let decoding: Decoding = serde_yaml::from_str(word).unwrap();
        assert!((decoding.0 - temperature).abs() < 1e-12);
        assert_eq!(decoding.to_string(), word);
    }
    assert!(serde_yaml::from_str::<Decoding>("t-1").is_err());
}

#[test]
fn the_examples_are_valid() {
    let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let mut read = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("sweep.yaml") {
            let sweep = crate::Sweep::open(&path).unwrap();
            let stop = std::sync::atomic::AtomicBool::new(false);
            let options =
                crate::SweepOptions { out: Path::new("never"), jobs: 1, only: &[], command: "", stop: &stop };
            let dry = crate::dry_sweep(&sweep, &options).unwrap();
            // Two starts, trained once each; GRPO, four points of the grid and two variants with three seeds.
            assert_eq!((dry.trainings.len(), dry.rows.len()), (2 + 7 * 3, 1 + 7));
            assert_eq!(dry.without_sharing, 2 + 7 * 3 * 3);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            let experiment = Experiment::open(&path).unwrap();
            crate::plan::stages(&experiment, Path::new("out")).unwrap();
            read += 1;
        }
    }
    assert!(read > 0);
}

#[test]
fn files_of_splits_are_found_beside_the_experiment() {
    let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../reports/grounding"));
    for name in ["experiment.yaml", "tables.yaml"] {
        let mut experiment = Experiment::open(&dir.join(name)).unwrap();
        let mut files = 0;
        for split in experiment.split_names_mut() {
            assert!(crate::data::definition(split).unwrap().is_some(), "{split}");
            files += usize::from(Path::new(split).starts_with(dir));
        }
        assert!(files >= 10, "{name}: {files}");
        crate::plan::stages(&experiment, Path::new("out")).unwrap();
    }
}
