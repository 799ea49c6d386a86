use std::path::Path;

use super::super::key::value_name;
use super::*;
use crate::plan;
use crate::stage::Work;

const HEAD: &str = "\
format: 1
name: small-sweep
experiment:
  name: small
  seeds: [1]
  dialect: bare_commit
  splits: {train: quick/maze/train, val: quick/maze/id_val, test: [quick/maze/ood7]}
  methods:
    - {name: base, method: base, shared: true, scored: false, max_turns: 1}
    - {name: multi_sft, method: multi_sft, init: base, recipe: {sft: {steps: 50}}}
    - {name: reflection_tuning, method: reflection_tuning, init: multi_sft}
    - {name: multi_sft_grpo, method: multi_sft_grpo, init: multi_sft}
    - {name: vrrl, method: vrrl, init: multi_sft, onnx: true, recipe: {rl: {steps: 50}}}
";

fn read(rest: &str) -> Result<Expanded> {
    expand(&Sweep::from_yaml(&format!("{HEAD}{rest}"), Path::new("x.yaml"))?)
}

fn methods(expanded: &Expanded) -> Vec<&str> {
    expanded.experiment.methods.iter().map(|entry| entry.name.as_str()).collect()
}

fn rows(expanded: &Expanded) -> Vec<(&str, Vec<&str>)> {
    let text = |value: &Option<String>| value.as_deref().unwrap_or("-").to_owned().leak() as &str;
    expanded.rows.iter().map(|row| (row.name.as_str(), row.values.iter().map(text).collect())).collect()
}

#[test]
fn a_grid_is_every_combination_beside_what_it_starts_from() {
    let found = read(
        "seeds: [1, 2, 3]\nbase: multi_sft_grpo\ngrid:\n  vrrl.rl.buffer.share: [0.25, 0.5]\n  \
         vrrl.rl.rtm: [{}, {spare_first: true}]\n",
    )
    .unwrap();
    // reflection_tuning has no part in this.
    assert_eq!(
        methods(&found),
        [
            "base",
            "multi_sft",
            "multi_sft_grpo",
            "vrrl-share-0_25-rtm-default",
            "vrrl-share-0_25-rtm-spare_first-true",
            "vrrl-share-0_5-rtm-default",
            "vrrl-share-0_5-rtm-spare_first-true",
        ]
    );
    assert_eq!(rows(&found)[0], ("multi_sft", vec!["-", "-"]));
    assert_eq!(rows(&found)[3], (methods(&found)[4], vec!["0.25", "{\"spare_first\":true}"]));
    let starts: Vec<&str> = found.rows.iter().filter(|row| row.start).map(|row| row.name.as_str()).collect();
    assert_eq!(starts, ["multi_sft"]);
    let last = found.experiment.methods.last().unwrap();
    let rl = found.experiment.recipe(last, 1).unwrap().rl_config().unwrap();
    assert!((rl.buffer.unwrap().share - 0.5).abs() < 1e-12 && rl.rtm.unwrap().spare_first && rl.steps == 50);
    assert!(!last.onnx && found.experiment.seeds == [1, 2, 3]);

    // base once; multi_sft, GRPO and four variants with three seeds; nothing twice.
    let stages = plan::stages(&found.experiment, Path::new("out")).unwrap();
    let trainings: Vec<_> = stages.iter().filter(|s| matches!(s.work, Work::Train { .. })).collect();
    let distinct: BTreeSet<&str> = trainings.iter().map(|stage| stage.inputs.as_str()).collect();
    assert_eq!((trainings.len(), distinct.len()), (1 + 3 + 3 + 4 * 3, 1 + 3 + 3 + 4 * 3));
}

#[test]
fn what_a_start_changes_reaches_those_that_start_from_it() {
    let found = read("grid:\n  multi_sft.sft.steps: [50, 70]\n  vrrl.rl.lr: [0.0003, 0.0001]\n").unwrap();
    // 50 and 0.0003 are what the experiment and the recipe have: those rows are the methods themselves.
    assert_eq!(
        methods(&found),
        [
            "base",
            "multi_sft",
            "multi_sft-steps-70",
            "reflection_tuning",
            "reflection_tuning-steps-70",
            "multi_sft_grpo",
            "multi_sft_grpo-steps-70",
            "vrrl",
            "vrrl-steps-50-lr-0_0001",
            "vrrl-steps-70-lr-0_0003",
            "vrrl-steps-70-lr-0_0001",
        ]
    );
    let init = |name: &str| found.experiment.method(name).unwrap().init.clone().unwrap();
    assert_eq!(
        (init("vrrl-steps-70-lr-0_0001"), init("vrrl")),
        ("multi_sft-steps-70".into(), "multi_sft".into())
    );
    let rows = rows(&found);
    let value = |name: &str| rows.iter().find(|(row, _)| *row == name).unwrap().1.clone();
    assert_eq!(value("multi_sft_grpo-steps-70"), ["70", "-"]);
    assert_eq!(value("vrrl"), ["50", "0.0003"]);
    // Every combination stands in the rows that it changes.
    assert_eq!(found.variants[1].0, "steps-50-lr-0_0001");
    assert_eq!(
        found.variants[1].1,
        ["multi_sft", "reflection_tuning", "multi_sft_grpo", "vrrl-steps-50-lr-0_0001"]
    );
}

#[test]
fn named_variants_share_what_is_equal() {
    let found = read(
        "base: vrrl\nvariants:\n  no-ban: {vrrl.rl.buffer.ban: never}\n  same: {vrrl.rl.buffer: {ban: never}}\n  \
         plain: {}\n  from-grpo: {vrrl.init: multi_sft_grpo, vrrl.max_turns: 4}\n",
    )
    .unwrap();
    assert_eq!(
        methods(&found),
        ["base", "multi_sft", "multi_sft_grpo", "vrrl", "vrrl-no-ban", "vrrl-from-grpo"]
    );
    let variant = |name: &str| &found.variants.iter().find(|(variant, _)| variant == name).unwrap().1[..];
    assert_eq!(
        (variant("no-ban"), variant("same")),
        (&["vrrl-no-ban".to_owned()][..], &["vrrl-no-ban".to_owned()][..])
    );
    assert_eq!(variant("plain"), ["vrrl"]);
    let entry = found.experiment.method("vrrl-from-grpo").unwrap();
    assert_eq!((entry.init.as_deref(), entry.max_turns), (Some("multi_sft_grpo"), Some(4)));
}

#[test]
fn a_method_may_be_trained_on_another_split() {
    let found = read("grid: {vrrl.train: [quick/maze/train, paper/maze/maze_rl]}\n").unwrap();
    assert_eq!(methods(&found), ["base", "multi_sft", "vrrl", "vrrl-train-paper_maze_maze_rl"]);
    let last = found.experiment.methods.last().unwrap();
    assert_eq!(found.experiment.recipe(last, 1).unwrap().train, "paper/maze/maze_rl".into());
    assert_eq!(found.rows[2].values, [Some("paper/maze/maze_rl".to_owned())]);
    assert_eq!(found.rows[1].values, [Some("quick/maze/train".to_owned())]);
    assert_eq!(found.experiment.used()[0], ["quick/maze/train", "paper/maze/maze_rl"]);
    let stages = plan::stages(&found.experiment, Path::new("out")).unwrap();
    let inputs = |name: &str| stages.iter().find(|stage| stage.name == name).unwrap().inputs.clone();
    assert_ne!(inputs("train vrrl-s1"), inputs("train vrrl-train-paper_maze_maze_rl-s1"));
    // An experiment without such a method has the same stages as before.
    let plain = read("").unwrap();
    let before = plan::stages(&plain.experiment, Path::new("out")).unwrap();
    assert_ne!(before[0].inputs, stages[0].inputs);
}

#[test]
fn estimates_follow_the_number_of_steps() {
    let text = HEAD.replace("onnx: true,", "onnx: true, estimate_seconds: 100,");
    let text = format!("{text}variants:\n  long: {{vrrl.rl.steps: 75}}\n  other: {{vrrl.rl.lr: 0.001}}\n");
    let found = expand(&Sweep::from_yaml(&text, Path::new("x.yaml")).unwrap()).unwrap();
    let estimate = |name: &str| {
        found
            .experiment
            .methods
            .iter()
            .find(|entry| entry.name == name)
            .and_then(|entry| entry.estimate_seconds)
    };
    assert_eq!((estimate("vrrl-long"), estimate("vrrl-other")), (Some(150.0), Some(100.0)));
}

#[test]
fn without_keys_every_method_is_a_row_and_one_seed_has_its_folder() {
    let found = read("seeds: [7]\nset: {eval.limit: 30, vrrl.rl.steps: 9}\n").unwrap();
    assert_eq!(found.rows.len(), 4);
    let vrrl = found.experiment.method("vrrl").unwrap();
    assert_eq!(found.experiment.checkpoint(vrrl, 7), "vrrl-s7");
    assert_eq!(
        (found.experiment.eval.limit, found.experiment.recipe(vrrl, 7).unwrap().rl_config().unwrap().steps),
        (Some(30), 9)
    );
    // What is written beside the results reads as the same sweep.
    let sweep =
        Sweep::from_yaml(&format!("{HEAD}seeds: [7]\nset: {{eval.limit: 30}}\n"), Path::new("x.yaml"))
            .unwrap();
    let again = Sweep::from_yaml(&sweep.to_yaml().unwrap(), Path::new("again.yaml")).unwrap();
    assert_eq!(again, sweep);
    assert_eq!(again.experiment().unwrap().eval.limit, Some(30));
}

#[test]
fn names_are_distinct_and_name_folders() {
    let long = "a".repeat(90);
    let found = read(&format!(
        "variants:\n  s3: {{vrrl.rl.steps: 3}}\n  {long}: {{vrrl.rl.steps: 4}}\n  {long}b: {{vrrl.rl.steps: 5}}\n  \
         x: {{vrrl.rl.lr: 0.00001}}\n  grpo: {{vrrl.rl.lr: 0.00002}}\n"
    ))
    .unwrap();
    let names: BTreeSet<&str> = methods(&found).into_iter().collect();
    assert_eq!(names.len(), found.experiment.methods.len());
    for name in names {
        let plain =
            name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        let seed = name.rsplit_once("-s").is_some_and(|(_, end)| end.bytes().all(|b| b.is_ascii_digit()));
        assert!(plain && !seed && name.len() <= 90, "{name}");
    }
    let value = |text: &str| value_name(&serde_yaml::from_str(text).unwrap());
    let names = ["-0.5", "1e-7", "A/../b", "[1, 2]", "{a: true}", "null"].map(value);
    assert_eq!(names, ["m0_5", "1em7", "a____b", "1_2", "a-true", "null"]);
}

#[test]
fn what_makes_no_sense_is_refused_by_variant_and_nearest_key() {
    for (rest, words) in [
        (
            "grid: {vrrl.rl.bufer.share: [0.1]}\n",
            &["variant share-0_1", "`bufer`", "did you mean `buffer`?"][..],
        ),
        ("grid: {vrrl.rl.buffer.shaer: [0.1]}\n", &["`shaer`", "did you mean `share`?"]),
        (
            "variants: {a: {vrll.rl.steps: 3}}\n",
            &["variant a", "`vrll` is no method", "did you mean `vrrl`?"],
        ),
        ("variants: {a: {vrrl.r.steps: 3}}\n", &["unknown key `r`", "did you mean `rl`?"]),
        ("variants: {a: {vrrl: 3}}\n", &["say what of the method differs"]),
        ("variants: {a: {eval.limit: 3}}\n", &["variant a", "the same for a whole sweep"]),
        ("variants: {a: {vrrl.seed: 3}}\n", &["stand under `seeds`"]),
        ("variants: {a: {vrrl.rl.rtm: null}}\n", &["variant a", "switches a part of `vrrl` on or off"]),
        ("variants: {a: {vrrl.rl.group: -3}}\n", &["variant a", "vrrl"]),
        ("variants: {a: {vrrl.sft.steps: 3}}\n", &["variant a", "do nothing in `vrrl`"]),
        ("variants: {a: {vrrl.init: vrrl}}\n", &["variant a", "no method above it"]),
        ("variants: {a: {vrrl.init: null}}\n", &["variant a", "takes a start"]),
        ("variants: {a: {vrrl.max_turns: 0}}\n", &["variant a", "at least 1"]),
        ("variants: {a: {vrrl.rl: {steps: 1}, vrrl.rl.steps: 2}}\n", &["variant a", "set the same thing"]),
        ("variants: {A b: {vrrl.rl.steps: 1}}\n", &["\"A b\"", "a-z"]),
        ("grid: {vrrl.rl.steps: 3}\n", &["needs a list of values"]),
        ("grid: {vrrl.rl.steps: [1], vrrl.rl.lr: []}\n", &["`vrrl.rl.lr` needs a list"]),
        ("base: grop\ngrid: {vrrl.rl.steps: [3]}\n", &["base", "\"grop\"", "multi_sft_grpo"]),
        ("base: base\ngrid: {vrrl.rl.steps: [3]}\n", &["base is not scored"]),
        ("seeds: [1, 1]\n", &["x.yaml", "none of them twice"]),
        ("set: {eval.limt: 3}\n", &["x.yaml, key set.eval.limt", "did you mean `limit`?"]),
        ("set: {methods: 3}\n", &["METHOD.KEY"]),
        ("gird: {}\n", &["x.yaml", "`gird`; did you mean `grid`?"]),
    ] {
        let error = read(rest).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{rest}{word:?} is not in {error}");
        }
    }
    let many =
        format!("grid: {{vrrl.rl.steps: {0:?}, vrrl.rl.warmup: {0:?}}}\n", (1..60).collect::<Vec<_>>());
    assert!(read(&many).unwrap_err().to_string().contains("more than 2000"));
    let other = |from: &str, to: &str| {
        Sweep::from_yaml(&HEAD.replace(from, to), Path::new("x.yaml")).unwrap_err().to_string()
    };
    assert!(other("format: 1", "format: 2").contains("format 2"));
    let none = Sweep::from_yaml("format: 1\nname: x\nexperiment: none.yaml\n", Path::new("dir/x.yaml"));
    let error = none.unwrap_err().to_string();
    assert!(error.contains("none.yaml") && error.contains("quickstart, mazes, ablations"), "{error}");
}
