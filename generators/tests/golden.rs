//! Bytes that must not change: every task, at its base and at every level of every axis.
//!
//! `golden.txt` has a line for each, with a hash of what seeds draw: pictures, feedback on a wrong answer, question,
//! truth, canonical form. Where a change is meant, raise `vrrl_generators::VERSION` and write the file anew:
//!
//! ```text
//! VRRL_GOLDEN=write cargo test -p vrrl-generators --test golden
//! ```

mod common;

use std::fmt::Write as _;

use common::{bases, levels, posed, Base};
use serde_json::Value;
use vrrl_generators::shift::Changes;
use vrrl_harness_core::{sha256_hex, Feedback, Image, Seed, TaskKind, View};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden.txt");
const SEEDS: [u64; 2] = [1, 2];

/// Everything that seeds decide, one hash after the other.
fn hash(base: &Base, params: &Value, seeds: &[u64]) -> String {
    let mut all = String::new();
    let picture = |image: &Image| format!("{}x{} {}\n", image.width(), image.height(), sha256_hex(image));
    for &seed in seeds {
        let problem = posed(base, params, seed);
        let truth = serde_json::to_string(&problem.truth()).expect("plain data");
        let form = problem.canonical();
        let lines =
            [problem.question(), truth, form.exact, form.symmetric, form.pattern, form.size.to_string()];
        all.push_str(&lines.join("\n"));
        // Of a large picture the canvas is the same, shrunk.
        let drawn = base.kind == TaskKind::Maze || params.get("small").is_some() || params == &base.params;
        let views: &[View] = if drawn { &[View::Crisp, View::Canvas] } else { &[View::Crisp] };
        let wrong = problem.mistake(&mut Seed(seed).derive("golden", 0).rng());
        for &view in views {
            all.push_str(&picture(&problem.observe(view)));
            match problem.feedback(&wrong, view) {
                Feedback::Image(image) => all.push_str(&picture(&image)),
                Feedback::Text(text) => all.push_str(&text),
            }
        }
    }
    sha256_hex(all.as_bytes())[..16].to_owned()
}

fn drawn() -> String {
    let mut text = format!("version {}\n", vrrl_generators::VERSION);
    let parts: Vec<String> = std::thread::scope(|scope| {
        let part = |base: Base| {
            let mut text = format!("{} base 0 {}\n", base.name, hash(&base, &base.params, &SEEDS));
            for (axis, level, params) in levels(&base) {
                // Pixel operations take their time without optimization, and one picture shows them.
                let seeds = if axis.changes == Changes::Pixels { &SEEDS[..1] } else { &SEEDS[..] };
                writeln!(text, "{} {} {level} {}", base.name, axis.name, hash(&base, &params, seeds))
                    .expect("memory");
            }
            text
        };
        let threads: Vec<_> = bases().into_iter().map(|base| scope.spawn(move || part(base))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    parts.iter().for_each(|part| text.push_str(part));
    text
}

#[test]
fn every_task_and_shift_is_golden() {
    let drawn = drawn();
    if std::env::var("VRRL_GOLDEN").is_ok_and(|word| word == "write") {
        std::fs::write(FILE, &drawn).expect("golden.txt is written");
        return;
    }
    let golden = include_str!("golden.txt");
    let changed: Vec<&str> =
        drawn.lines().filter(|line| !golden.lines().any(|known| known == *line)).collect();
    let gone: Vec<&str> = golden.lines().filter(|line| !drawn.lines().any(|known| known == *line)).collect();
    assert!(
        drawn == golden,
        "{} lines are other than in golden.txt:\n{}\nwhich has:\n{}\nIf that is meant, see the top of golden.rs",
        changed.len(),
        changed.join("\n"),
        gone.join("\n")
    );
}
