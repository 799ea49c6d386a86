//! Measures "Data at scale" of `reports/LOG.md`: `cargo run --release -p vrrl-datasets --example scale -- audit`.
//!
//! `audit [N]`: N mazes (a million) of a train class against N of a test class, generation included.
//! `build DIR [N]`: N examples (a hundred thousand) on disk, a third each tables and charts at paper size, and mazes with
//! feedback.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use vrrl_datasets::{audit_examples, build, find, AuditOptions, Build, Examples, SplitDef};
use vrrl_harness_core::Role;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| args.get(at).map_or(default, |n| n.parse().expect("a number"));
    match args.first().map(String::as_str) {
        Some("audit") => audit(number(1, 1_000_000)),
        Some("build") => write(Path::new(args.get(1).expect("a folder")), number(2, 100_000)),
        _ => println!("use: scale audit [N] | build DIR [N]"),
    }
    println!("peak memory {} MB", peak() / 1024);
}

fn audit(n: usize) {
    let of = |name: &str, like: &str| SplitDef {
        name: name.into(),
        n,
        params: serde_json::json!({"size": [5, 8]}),
        ..find(like).unwrap()
    };
    let begun = Instant::now();
    let train = Examples::draw(&of("bench/train", "quick/maze/train")).unwrap();
    let test = Examples::draw(&of("bench/test", "quick/maze/ood7")).unwrap();
    println!("decided after {:.1} s", begun.elapsed().as_secs_f64());
    let audit = audit_examples(&[&train], &[&test], &AuditOptions { shown: 8, near: false }).unwrap();
    let pair = &audit.pairs[0];
    println!(
        "{} against {}: exact {}, symmetric {}, same pattern {}, distinct {}; {:.1} s",
        pair.n_train,
        pair.n_test,
        pair.exact,
        pair.symmetric,
        pair.same_pattern,
        pair.distinct_test,
        begun.elapsed().as_secs_f64()
    );
}

fn write(dir: &Path, n: usize) {
    let stop = AtomicBool::new(false);
    let begun = Instant::now();
    let mut rows = 0;
    for (name, feedback) in [("paper/table/rl", false), ("bar_chart", false), ("quick/maze/train", true)] {
        let def = find(name).unwrap();
        let def = SplitDef {
            n: n.div_ceil(3),
            name: format!("bench/{}", def.task.word()),
            role: Role::Train,
            ..def
        };
        let at = Instant::now();
        let options = Build { limit: None, feedback, progress: &mut |_| (), stop: &stop };
        let written = build(Examples::draw(&def).unwrap(), &dir.join(def.task.word()), options).unwrap();
        rows += written.rows;
        println!(
            "{}: {} examples, {:.0} items/s",
            def.name,
            written.rows,
            written.rows as f64 / at.elapsed().as_secs_f64()
        );
    }
    println!("{rows} examples, {:.0} items/s", rows as f64 / begun.elapsed().as_secs_f64());
}

/// Largest resident memory of this process in KiB; 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
