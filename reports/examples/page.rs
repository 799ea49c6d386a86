//! A page of made-up runs, to look at its layout without training anything:
//! `cargo run -p vrrl-reports --example page -- /tmp/page`. None of its numbers were measured.

use std::collections::BTreeMap;
use std::path::PathBuf;

use vrrl_harness_core::Seed;
use vrrl_reports::{load, write, AuditRow, Claim, PageInfo, StageTiming, TrainingLog};

#[path = "../tests/common/mod.rs"]
mod common;
use common::{write_run, Fake};

fn main() -> vrrl_reports::Result<()> {
    let out = std::env::args().nth(1).map_or_else(|| PathBuf::from("page"), PathBuf::from);
    let fake = |model, method, seed, skill| Fake { model, method, seed, skill };
    let mut fakes = vec![
        fake("candle:base", "base", None, [0.80, 0.3, 1.0]),
        fake("candle:single_sft", "single_sft", None, [0.82, 0.3, 1.0]),
        fake("candle:multi_sft", "multi_sft", None, [0.84, 0.35, 0.4]),
        fake("candle:reflection_tuning", "reflection_tuning", None, [0.86, 0.4, 0.5]),
        fake("oracle", "reference", None, [4.0, 1.0, 0.0]),
        fake("random", "reference", None, [0.01, 0.01, 0.5]),
        fake("repeat", "reference", None, [0.01, 0.01, 1.0]),
    ];
    for (seed, grpo, vrrl) in [
        (0, "candle:multi_sft_grpo-s0", "candle:vrrl-s0"),
        (1, "candle:multi_sft_grpo-s1", "candle:vrrl-s1"),
        (2, "candle:multi_sft_grpo-s2", "candle:vrrl-s2"),
    ] {
        fakes.push(fake(grpo, "multi_sft_grpo", Some(seed), [0.93, 0.3, 0.99]));
        fakes.push(fake(vrrl, "vrrl", Some(seed), [0.88, 0.45, 0.25]));
    }
    for fake in &fakes {
        for decoding in ["t1", "greedy"] {
            write_run(&out, fake, decoding, 1000, 40);
        }
    }
    let runs = load(std::slice::from_ref(&out))?;
    write(&runs, &logs(), &info(), &out)?;
    Ok(())
}

/// Noisy saturating curves.
fn logs() -> Vec<TrainingLog> {
    let mut all = Vec::new();
    for (method, steps, seeds) in
        [("base", 6000, 1), ("multi_sft", 2000, 1), ("multi_sft_grpo", 300, 3), ("vrrl", 300, 3)]
    {
        for seed in 0..seeds {
            let mut rng = Seed::from_text(method).derive("seed", seed).rng();
            let mut log = TrainingLog {
                method: method.into(),
                seed: (seeds > 1).then_some(seed),
                ..TrainingLog::default()
            };
            for step in 0..steps {
                let t = f64::from(step) / f64::from(steps);
                let mut noisy = |from: f64, to: f64, noise: f64| {
                    to + (from - to) * (-5.0 * t).exp() + (rng.unit() - 0.5) * noise
                };
                let row: Vec<(&str, f64)> = if seeds == 1 {
                    vec![
                        ("loss", noisy(2.3, 0.2, 0.1)),
                        ("tokens_per_second", noisy(14_000.0, 14_500.0, 900.0)),
                        ("grad_norm", noisy(4.0, 0.8, 0.5)),
                    ]
                } else {
                    let v = f64::from(u8::from(method == "vrrl"));
                    vec![
                        ("reward", noisy(0.5, 0.85, 0.1)),
                        ("first_accuracy", noisy(0.7, 0.92 - 0.05 * v, 0.1)),
                        ("accuracy", noisy(0.75, 0.93, 0.1)),
                        ("turns", noisy(2.6, 2.02 + 0.5 * v, 0.1)),
                        ("delta_ref", noisy(0.04, 0.08 * v, 0.02)),
                        ("stop_right", noisy(0.9, 0.99, 0.02).min(1.0)),
                        ("stop_wrong", noisy(0.4, 0.97 - 0.75 * v, 0.05)),
                        ("buffer_fill", 500.0 * v * (t * 4.0).min(1.0)),
                        ("tokens_per_second", noisy(9000.0, 9500.0, 1500.0)),
                        ("kl", noisy(0.0, 0.05, 0.01)),
                        ("clip_share", noisy(0.0, 0.02, 0.01)),
                    ]
                };
                log.rows
                    .push((f64::from(step + 1), row.into_iter().map(|(k, x)| (k.to_owned(), x)).collect()));
            }
            if seeds > 1 {
                log.liveness =
                    BTreeMap::from([("groups_dropped".into(), 812.0), ("episodes".into(), 76_800.0)]);
            }
            if method == "vrrl" {
                for (name, x) in [
                    ("turns_masked", 41_233.0),
                    ("prefixes_collected", 6_120.0),
                    ("prefixes_replayed", 5_018.0),
                    ("mean_shaping", 0.0413),
                ] {
                    log.liveness.insert(name.into(), x);
                }
            }
            all.push(log);
        }
    }
    all
}

fn info() -> PageInfo {
    let claim = |what: &str, bar: &str, measured: &str, met| Claim {
        what: what.into(),
        bar: bar.into(),
        measured: measured.into(),
        met,
    };
    let stage = |name: &str, seconds, reused| StageTiming { name: name.into(), seconds, reused };
    let audit = |test: &str, n_test, same_pattern| AuditRow {
        train: "quick/maze/train".into(),
        test: test.into(),
        n_train: 60_000,
        n_test,
        exact: 0,
        symmetric: 0,
        same_pattern,
        distinct_test: n_test,
    };
    PageInfo {
        title: "Quickstart: visually grounded reflection on mazes (made-up numbers)".into(),
        command: "vrrl run --seed 1 --out runs/quickstart".into(),
        experiment_yaml:
            "# made up\nname: quickstart\nseed: 1\nsplits:\n  - quick/maze/id_test\n  - quick/maze/ood6\n"
                .into(),
        machine: "2 cores, x86-64 with AVX-512, 16 GiB".into(),
        code_version: "0.1.0+d04a2fd".into(),
        notes: vec![
            "All numbers on this page are made up: it only shows the layout.".into(),
            "Checkpoints were chosen on id_val and on separate development mazes, never on a test split."
                .into(),
        ],
        claims: vec![
            claim("quickstart, after compiling", "≤ 10 min", "8 min 41 s", Some(true)),
            claim("Multi-SFT, id_test, greedy", "≥ 0.75", "0.842 (0.818 to 0.863)", Some(true)),
            claim(
                "VRRL − GRPO, Δref on ood7, T = 1",
                "≥ +0.05 in each of three seeds",
                "+0.21, +0.19, +0.04",
                Some(false),
            ),
            claim("VRRL − GRPO, total OOD accuracy, paired", "", "+0.081 (0.060 to 0.102)", None),
        ],
        stages: vec![
            stage("splits", 1.2, true),
            stage("base", 181.4, false),
            stage("multi_sft", 96.0, false),
            stage("vrrl", 141.7, false),
        ],
        audit: vec![audit("quick/maze/id_test", 1000, 14), audit("quick/maze/ood7", 1000, 0)],
        image_budget: 0,
    }
}
