//! What one episode costs to judge, reward and score, and one hostile reply to read.

#![allow(missing_docs, reason = "made by a macro")]

use std::hint::black_box;

use criterion::{criterion_group, criterion_main, Criterion};
use vrrl_harness_core::reward::{judge_turns, RewardConfig};
use vrrl_harness_core::{Answer, Dialect, Move, TaskKind};

#[path = "../src/toy.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod toy;

/// Four turns: two wrong, one right, the commit.
fn judge(c: &mut Criterion) {
    let example = toy::example("m", &["SFF", "HHF", "FFG"]);
    let path = |words: &str| Answer::Moves(words.split(' ').filter_map(Move::from_word).collect());
    let config = RewardConfig::preset("vrrl_code", TaskKind::Maze).expect("a preset");
    for dialect in Dialect::of(TaskKind::Maze) {
        let print = |words, think| dialect.print_proposal(&path(words), think);
        let texts = [
            print("down right", None),
            print("right right down", Some("a hole")),
            print("right right down down", Some("one short")),
            dialect.print_commit(&path("right right down down")),
        ];
        let texts = texts.each_ref().map(String::as_str);
        c.bench_function(&format!("judge, reward and score four turns of {}", dialect.word()), |b| {
            b.iter(|| {
                let judged = judge_turns(&*example.problem, dialect, black_box(&texts));
                (judged.reward(&config), judged.score(&config))
            });
        });
    }
}

/// Replies of 10 MB that a parser may trip over.
fn hostile(c: &mut Criterion) {
    let mut group = c.benchmark_group("hostile");
    group.sample_size(10);
    let long = |piece: &str| piece.repeat(10_000_000 / piece.len());
    let replies = [
        ("nested tags", long("<ANSWER>")),
        ("closing tags", format!("<FINAL>{}", long("</ANSWER>"))),
        ("unterminated JSON", format!("{{\"function_call\": {{\"name\": \"{}", long("x\\\""))),
        ("nested JSON", format!("{{\"function_call\": {}", long("{\"a\":["))),
        ("fences", long("```json\n{")),
        ("lone surrogates", format!("{{\"think\": \"{}\"}}", long("\\ud800"))),
        ("a million moves", format!("<ANSWER>{}</ANSWER>", "right ".repeat(1_000_000))),
        (
            "a million moves in JSON",
            Dialect::JsonCall.print_proposal(&Answer::Moves(vec![Move::Left; 1_000_000]), None),
        ),
    ];
    let example = toy::example("m", &["SFF", "HHF", "FFG"]);
    for (name, text) in &replies {
        for dialect in [Dialect::ReflectionTag, Dialect::BareCommit, Dialect::JsonCall] {
            group.bench_function(format!("{name} in {}", dialect.word()), |b| {
                b.iter(|| judge_turns(&*example.problem, dialect, black_box(&[text])));
            });
        }
    }
}

criterion_group!(benches, judge, hostile);
criterion_main!(benches);
