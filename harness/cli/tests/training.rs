//! `vrrl train` under bad conditions: killed, out of disk, started twice, started from what it cannot start from.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::files::files;
use common::{done, out, refused, vrrl, TINY};
use vrrl_harness_core::Seed;

const SPLITS: &str = "train: quick/maze/train\nval: quick/maze/id_val\n";
const BASE: &str = "method: base
network: {channels: 8, blocks: 1, width: 16, layers: 1}
demos: {drawn_share: 0.5}
sft: {steps: 30, batch: 16, lr: 0.01, warmup: 5, look_every: 30, look: 4}
";
const SFT: &str = "method: multi_sft
sft: {steps: 70, batch: 16, lr: 0.01, warmup: 5, look_every: 70, look: 4}
";
/// Everything that VRRL has is on, and a state is saved every other step.
const VRRL: &str = "method: vrrl
rl: {steps: 60, questions: 6, group: 4, max_turns: 4, filter: null, buffer: {min_fill: 2, share: 0.5}, look_every: 2, look: 4}
";
const RUN: [&str; 6] = ["train", "vrrl.yaml", "--init", "sft", "--out", "OUT"];

/// Recipes, and a start for VRRL in `sft`.
fn prepare(dir: &Path) {
    for (name, text) in [("base.yaml", BASE), ("sft.yaml", SFT), ("vrrl.yaml", VRRL)] {
        fs::write(dir.join(name), format!("{SPLITS}{text}")).unwrap();
    }
    done(dir, &["train", "base.yaml", "--out", "base"]);
    done(dir, &["train", "sft.yaml", "--init", "base", "--out", "sft"]);
}

fn run(out: &str) -> [&str; 6] {
    let mut args = RUN;
    args[5] = out;
    args
}

fn begin(dir: &Path, args: &[&str], threads: &str) -> Child {
    let mut command = vrrl(dir, args);
    command.env("RAYON_NUM_THREADS", threads).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// SIGKILL; an error only says that it was done already.
fn kill(mut child: Child) {
    let _ = child.kill();
    child.wait().unwrap();
}

/// Waits for something; whether it came before the child ended.
fn until(child: &mut Child, holds: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(120), "waited too long");
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    true
}

fn states(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("state"))
        .collect();
    names.sort();
    names
}

#[test]
fn twenty_kills_change_no_byte() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    prepare(dir);
    let begun = Instant::now();
    // One thread here, two and one by turns below.
    let mut whole = begin(dir, &run("whole"), "1");
    assert!(whole.wait().unwrap().success());
    let took = begun.elapsed().as_secs_f64();

    let killed = dir.join("killed");
    let log = killed.join("training.jsonl");
    let length = || fs::metadata(&log).map_or(0, |m| m.len());
    let mut rng = Seed(29).rng();
    let (mut cut, mut saving) = (0, 0);
    for i in 0..20 {
        let mut child = begin(dir, &run("killed"), ["2", "1"][i % 2]);
        match i % 4 {
            // Amid a state that is being written: the folder has its temporary name.
            0 => drop(until(&mut child, || killed.join("state.part").exists())),
            // Amid a step, some way behind a line of the log.
            1 => {
                let before = length();
                until(&mut child, || length() > before);
                std::thread::sleep(Duration::from_secs_f64(rng.unit() * took / 60.0));
            }
            // Whenever it comes; what loads before the first step included.
            _ => std::thread::sleep(Duration::from_secs_f64(took * (0.02 + 0.12 * rng.unit()))),
        }
        cut += u32::from(child.try_wait().unwrap().is_none());
        kill(child);
        saving += u32::from(killed.join("state.part").exists());
    }
    assert!(cut >= 12, "only {cut} kills hit a training under way");
    assert!(saving >= 1, "no kill hit a state being written");
    let (code, stdout, stderr) = out(dir, &run("killed"));
    assert_eq!(code, 0, "{stdout}\n{stderr}");
    let (whole, killed) = (files(&dir.join("whole")), files(&killed));
    assert_eq!(whole.keys().collect::<Vec<_>>(), killed.keys().collect::<Vec<_>>());
    assert!(["model.safetensors", "optimizer.safetensors", "training.jsonl", "training.json"]
        .iter()
        .all(|name| whole.contains_key(*name)));
    for (name, bytes) in &whole {
        assert!(killed[name] == *bytes, "{name} differs");
    }
}

/// `docs/train.md` names every key of a log.
fn everything_logged_is_explained(log: &Path) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/train.md");
    let page = fs::read_to_string(page).unwrap();
    let text = fs::read_to_string(log).unwrap();
    for line in text.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        for key in row.as_object().unwrap().keys() {
            assert!(page.contains(&format!("`{key}`")), "docs/train.md does not explain {key}");
        }
    }
}

#[test]
fn a_disk_that_fills_during_a_checkpoint_leaves_the_state_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    prepare(dir);
    fs::write(
        dir.join("vrrl.yaml"),
        format!("{SPLITS}{}", VRRL.replace("steps: 60", "steps: 8, turn0_credit: false")),
    )
    .unwrap();
    done(dir, &run("whole"));
    everything_logged_is_explained(&dir.join("whole/training.jsonl"));
    let full = dir.join("full");
    let mut child = begin(dir, &run("full"), "2");
    assert!(until(&mut child, || states(&full).iter().any(|name| name.starts_with("state-"))));
    kill(child);
    let before = states(&full).into_iter().find(|name| name.starts_with("state-")).unwrap();

    // No file may grow beyond half the weights' size (or all of it, where a block is 1024 bytes); the log stays below.
    let weights = fs::metadata(dir.join("whole/model.safetensors")).unwrap().len();
    let blocks = weights / 1024;
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_vrrl")])
        .args(run("full"))
        .current_dir(dir)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("state.part/") && stderr.contains("what was written before is intact"),
        "{stderr}"
    );
    assert_eq!(states(&full), [before], "the state before, and no half of another");

    done(dir, &run("full"));
    assert!(files(&dir.join("whole")) == files(&full));
}

#[test]
fn a_second_training_into_the_folder_is_refused_and_hurts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let long = BASE.replace("steps: 30", "steps: 100000");
    fs::write(dir.join("base.yaml"), format!("{SPLITS}{long}")).unwrap();
    let args = ["train", "base.yaml", "--out", "base"];
    let mut first = begin(dir, &args, "1");
    let log = dir.join("base/training.jsonl");
    assert!(until(&mut first, || fs::metadata(&log).map_or(0, |m| m.len()) > 0));
    refused(dir, &args, 2, &["base is in use", "another --out"]);
    assert!(first.try_wait().unwrap().is_none(), "the first goes on");
    kill(first);
    // The lock went with its process: the next one goes on, and beyond.
    let before = fs::metadata(&log).unwrap().len();
    let mut next = begin(dir, &args, "1");
    assert!(until(&mut next, || fs::metadata(&log).map_or(0, |m| m.len()) > before));
    kill(next);
}

#[test]
fn starts_that_cannot_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("base.yaml"), format!("{SPLITS}{BASE}")).unwrap();
    fs::write(dir.join("sft.yaml"), format!("{SPLITS}{SFT}")).unwrap();
    let base = ["train", "base.yaml", "--out", "base", "--tensorboard"];
    let text = done(dir, &base);
    assert!(text.contains("events: base/events.out.tfevents."), "{text}");
    let args = ["train", "sft.yaml", "--init", "base", "--out", "sft"];

    let config = dir.join("base/config.json");
    let sizes = fs::read_to_string(&config).unwrap();
    assert!(sizes.contains("\"layers\": 1"));
    fs::write(&config, sizes.replace("\"layers\": 1", "\"layers\": 2")).unwrap();
    refused(dir, &args, 2, &["base/model.safetensors", "`layers`: 1 in the weights, 2 in config.json"]);
    fs::write(&config, sizes.replace("\"layers\"", "\"depth\"")).unwrap();
    refused(dir, &args, 2, &["base/config.json", "`depth`"]);
    fs::write(&config, sizes).unwrap();

    let weights = dir.join("base/model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let end = bytes.len() - 4;
    bytes[end..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&weights, bytes).unwrap();
    refused(dir, &args, 2, &["base/model.safetensors", "holds NaN", "earlier checkpoint"]);
    assert!(!dir.join("sft/model.safetensors").exists());
}

#[test]
fn splits_are_found_beside_the_file_that_names_them() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::create_dir(dir.join("sub")).unwrap();
    let mine = "name: mine/train\ntask: maze\nn: 50\nseed: 3\nrole: train\nparams: {size: [3, 3]}\n";
    fs::write(dir.join("sub/mine.yaml"), mine).unwrap();
    let splits = "train: mine.yaml\nval: quick/maze/id_val\n";
    fs::write(dir.join("sub/base.yaml"), format!("{splits}{BASE}")).unwrap();
    done(dir, &["train", "sub/base.yaml", "--out", "base"]);
    fs::write(dir.join("sub/tiny.yaml"), TINY.replace("quick/maze/train", "mine.yaml")).unwrap();
    done(dir, &["run", "sub/tiny.yaml", "--out", "tiny"]);
    // Neither beside it nor here.
    fs::write(dir.join("away.yaml"), format!("{splits}{BASE}")).unwrap();
    refused(dir, &["train", "away.yaml", "--out", "away"], 2, &["mine.yaml"]);
    // A start that has no words for this task.
    let tables = "train: quick/table/table_train\nval: quick/table/table_id_val\n";
    fs::write(dir.join("tables.yaml"), format!("{tables}{SFT}")).unwrap();
    let args = ["train", "tables.yaml", "--init", "base", "--out", "tables"];
    refused(dir, &args, 2, &["the policy cannot say", "start from a `base`", "table"]);
}
