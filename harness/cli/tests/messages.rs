//! Exit codes and messages of the real binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::fs;

use common::{out, refused, TINY};

#[test]
fn bad_experiments_name_file_line_and_nearest_key() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let write = |name: &str, text: String| fs::write(dir.join(name), text).unwrap();
    write("key.yaml", TINY.replace("seeds:", "sedes:"));
    refused(dir, &["run", "key.yaml"], 2, &["key.yaml:", "`sedes`", "did you mean `seeds`?"]);
    write("recipe.yaml", TINY.replacen("look: 8", "loook: 8", 1));
    refused(dir, &["run", "recipe.yaml"], 2, &["recipe.yaml:15", "base", "`loook`", "did you mean `look`?"]);
    write("split.yaml", TINY.replace("quick/maze/ood6]", "quick/maze/odo6]"));
    refused(dir, &["run", "split.yaml"], 2, &["odo6", "ood6"]);
    refused(dir, &["run", "none.yaml"], 2, &["none.yaml"]);
    refused(dir, &["run", "."], 2, &["."]);
    // What only reinforcement reads is refused before anything is trained, too.
    let rl = |reward: &str| {
        let rl = "{name: grpo, method: multi_sft_grpo, init: base, recipe: {rl: {reward: REWARD}}}";
        TINY.replacen("eval:", &format!("  - {}\neval:", rl.replace("REWARD", reward)), 1)
    };
    write("name.yaml", rl("outcome_olny"));
    refused(dir, &["run", "name.yaml"], 2, &["name.yaml", "grpo", "`outcome_olny`", "outcome_only"]);
    write("reward.yaml", rl("{maze: {fromat_value: 0.1}}"));
    refused(dir, &["run", "reward.yaml"], 2, &["grpo", "`fromat_value`", "did you mean `format_value`?"]);
    refused(dir, &["run", "--preset", "slow"], 2, &["slow", "quickstart, mazes, ablations"]);
    assert!(!dir.join("runs").exists(), "a refused experiment writes nothing");
}

#[test]
fn bad_models_splits_and_checkpoints_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let eval =
        |model: &'static str, split: &'static str| ["eval", "--model", model, "--split", split, "--out", "o"];
    refused(dir, &eval("oracle", "odo7"), 2, &["odo7", "did you mean ood7?"]);
    refused(dir, &eval("gpt", "ood7"), 2, &["gpt", "candle:PATH"]);
    refused(
        dir,
        &eval("openai:http://localhost", "ood7"),
        2,
        &["no #NAME", "openai:http://localhost:8000/v1#"],
    );
    refused(dir, &eval("candle:nothing", "ood7"), 2, &["nothing"]);
    refused(dir, &eval("noisy-oracle:7", "ood7"), 2, &["0 to 1"]);
    refused(dir, &eval("replay:none.jsonl", "ood7"), 2, &["none.jsonl"]);
    let mut asked = eval("oracle", "ood7").to_vec();
    asked.extend(["--samples", "nobody"]);
    refused(dir, &asked, 2, &["nobody"]);
    fs::create_dir(dir.join("torn")).unwrap();
    fs::write(dir.join("torn/config.json"), "{\"vocab\":").unwrap();
    fs::write(dir.join("torn/tokenizer.json"), "{}").unwrap();
    fs::write(dir.join("torn/model.safetensors"), "no").unwrap();
    refused(dir, &eval("candle:torn", "ood7"), 2, &["torn"]);
}

#[test]
fn bad_maps_name_file_and_item() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let maze = |layout: &str| {
        format!(r#"[{{"map_id":"m1","level":2,"layout":{layout},"start_pos":0,"target_pos":3}}]"#)
    };
    fs::write(dir.join("words.json"), "not json").unwrap();
    fs::write(dir.join("nomaze.json"), r#"[{"id": "a", "metadata": {}}]"#).unwrap();
    fs::write(dir.join("nopath.json"), maze(r#"["SH","HG"]"#)).unwrap();
    for (file, words) in [
        ("words.json", vec!["words.json", "JSON"]),
        ("nomaze.json", vec!["nomaze.json", "item 1 (a)"]),
        ("nopath.json", vec!["nopath.json", "item 1 (m1)"]),
        ("none.json", vec!["none.json"]),
    ] {
        refused(dir, &["splits", "import", "--from", "vrrl-frozenlake", file, "--out", "data"], 2, &words);
        assert!(!dir.join("data").exists());
    }
    fs::write(dir.join("good.json"), maze(r#"["SF","HG"]"#)).unwrap();
    let (code, stdout, stderr) =
        out(dir, &["splits", "import", "--from", "vrrl-frozenlake", "good.json", "--out", "data"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("good: 1 examples"), "{stdout}");
    let (code, stdout, stderr) = out(dir, &["splits", "verify", "data"]);
    assert_eq!((code, stdout.contains("1 examples")), (0, true), "{stderr}");
}

#[test]
fn data_that_differ_from_their_manifest_end_with_six() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (code, _, stderr) = out(dir, &["splits", "build", "ood7", "--out", "d", "--limit", "3"]);
    assert_eq!(code, 0, "{stderr}");
    let images = dir.join("d/ood7/images");
    let image = fs::read_dir(&images).unwrap().next().unwrap().unwrap().path();
    fs::write(image, "other").unwrap();
    refused(dir, &["splits", "verify", "d"], 6, &["differs from its manifest"]);
}

#[test]
fn an_evaluation_is_scored_resumed_replayed_and_compared() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let eval = [
        "eval",
        "--model",
        "noisy-oracle:0.5",
        "--split",
        "ood7",
        "--limit",
        "30",
        "--out",
        "a",
        "--format",
        "json",
    ];
    let (code, stdout, stderr) = out(dir, &eval);
    assert_eq!(code, 0, "{stderr}");
    let summary: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(summary["splits"][0]["n"], 30);
    assert_eq!(out(dir, &eval).1, stdout, "the same command finds everything done");
    let mut other = eval.to_vec();
    other[6] = "31";
    refused(dir, &other, 2, &["cannot resume", "limit"]);

    let (code, replayed, stderr) = out(
        dir,
        &[
            "eval",
            "--model",
            "replay:a/traces.jsonl",
            "--split",
            "ood7",
            "--limit",
            "30",
            "--out",
            "b",
            "--format",
            "json",
        ],
    );
    assert_eq!(code, 0, "{stderr}");
    let replayed: serde_json::Value = serde_json::from_str(&replayed).unwrap();
    assert_eq!(replayed["splits"][0]["accuracy"], summary["splits"][0]["accuracy"]);
    let (code, compared, _) = out(dir, &["compare", "a", "b", "--format", "json"]);
    let compared: serde_json::Value = serde_json::from_str(&compared).unwrap();
    assert_eq!((code, &compared["splits"][1]["split"]), (0, &"ALL".into()));
    let (code, _, stderr) = out(dir, &["report", "a", "b", "--out", "page"]);
    assert_eq!((code, dir.join("page/index.html").is_file()), (0, true), "{stderr}");

    let (code, _, stderr) =
        out(dir, &["score", "--input", "a/traces.jsonl", "--reward", "vrrl_paper", "--output", "s.jsonl"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(fs::read_to_string(dir.join("s.jsonl")).unwrap().lines().count(), 30);
}

#[test]
fn a_replay_without_its_lines_ends_with_five() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("t.jsonl"),
        "{\"id\": \"maze-000000\", \"turns\": [\"<ANSWER>up</ANSWER>\"]}\n",
    )
    .unwrap();
    let args = ["eval", "--model", "replay:t.jsonl", "--split", "ood7", "--limit", "4", "--out", "r"];
    refused(dir.path(), &args, 5, &["3 of 4 episodes had faults"]);
}

#[test]
fn comparisons_take_files_and_name_what_does_not_pair() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let line =
        |id: usize, right: bool| format!("{{\"id\": \"item-{id}\", \"correct\": {}}}\n", u8::from(right));
    fs::write(dir.join("a.jsonl"), (0..60).map(|i| line(i, i % 2 == 0)).collect::<String>()).unwrap();
    fs::write(dir.join("b.jsonl"), (1..61).map(|i| line(i, i % 4 != 3)).collect::<String>()).unwrap();
    refused(dir, &["compare", "a.jsonl", "b.jsonl"], 2, &["item-0", "item-60", "--intersect"]);
    refused(dir, &["compare", "a.jsonl", "none.jsonl"], 2, &["none.jsonl"]);
    let (code, stdout, stderr) =
        out(dir, &["compare", "a.jsonl", "b.jsonl", "--intersect", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &found["splits"][1]["n"]), (0, &59.into()), "{stderr}");
    assert_eq!(found["intersection"]["only_a"], 1);
    assert_eq!((&found["splits"][1]["only_a"], &found["splits"][1]["only_b"]), (&0.into(), &15.into()));
    assert!(found["splits"][1]["p_mcnemar"].as_f64().unwrap() < 0.001);
    let (code, stdout, _) = out(dir, &["compare", "a.jsonl", "b.jsonl", "--intersect"]);
    assert_eq!(code, 0);
    assert!(
        stdout.contains("left out") && stdout.contains("On 59 paired items, b.jsonl was right"),
        "{stdout}"
    );
}

#[test]
fn small_commands_answer() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (code, stdout, _) = out(dir, &["splits", "list", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, list["splits"].as_array().unwrap().len() > 5), (0, true));
    let (code, stdout, _) = out(dir, &["run", "--show"]);
    assert_eq!((code, stdout.contains("# ") && stdout.contains("name: quickstart")), (0, true));
    let (code, stdout, _) = out(dir, &["run", "--show", "--seed", "7"]);
    assert_eq!((code, stdout.contains("- 7")), (0, true), "{stdout}");
    let (code, stdout, stderr) = out(dir, &["show", "ood7", "3", "--propose", "up right", "--out", "look"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("proposed: up right") && stdout.contains("-feedback.png"), "{stdout}");
    refused(dir, &["show", "ood7", "3", "--propose", "north"], 2, &["north"]);
    let (code, stdout, _) = out(dir, &["doctor", "--format", "json"]);
    let doctor: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &doctor["devices"][0]["works"]), (0, &true.into()));
    let (code, stdout, _) = out(dir, &["completions", "bash"]);
    assert_eq!((code, stdout.contains("vrrl")), (0, true));
    let (code, stdout, _) =
        out(dir, &["eval", "--model", "oracle", "--split", "ood7", "--limit", "5", "--dry-run"]);
    assert_eq!((code, stdout.contains("5 episodes, at most 40 replies")), (0, true), "{stdout}");
    let (code, stdout, _) = out(
        dir,
        &[
            "splits",
            "audit",
            "--train",
            "id_val",
            "--test",
            "id_val",
            "ood7",
            "--fail-on",
            "exact",
            "--format",
            "json",
        ],
    );
    let audit: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &audit["pairs"][1]["symmetric"]), (3, &0.into()));
    let (code, _, stderr) = out(dir, &["splits", "lits"]);
    assert_eq!((code, stderr.contains("list")), (2, true), "{stderr}");
}
