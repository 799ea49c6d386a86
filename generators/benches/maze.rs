//! Speed of the maze task, in the order of an episode.

// Criterion's macros make functions without docs.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{criterion_group, criterion_main, Criterion};
use vrrl_generators::{png, Maze, MazeParams};
use vrrl_harness_core::{Answer, Feedback, Seed, Task, View};

fn maze(c: &mut Criterion) {
    let params = MazeParams::of_size(7, 7);
    let scene = Maze::generate(&params, Seed(1)).expect("size 7 is easy");
    let answer = Maze::oracle(&scene, &mut Seed(2).rng());
    let picture = |feedback| match feedback {
        Feedback::Image(image) => image,
        Feedback::Text(text) => panic!("a path is drawn, not said: {text}"),
    };
    let mut index = 0;
    c.bench_function("generate 7x7", |b| {
        b.iter(|| {
            index += 1;
            Maze::generate(&params, Seed(1).derive("bench", index))
        });
    });
    c.bench_function("solve 7x7 (uniform shortest path)", |b| {
        let mut rng = Seed(3).rng();
        b.iter(|| Maze::oracle(black_box(&scene), &mut rng));
    });
    c.bench_function("judge", |b| b.iter(|| Maze::judge(black_box(&scene), black_box(&answer))));
    c.bench_function("judge a wrong million", |b| {
        let long = Answer::Moves(vec![vrrl_harness_core::Move::Up; 1_000_000]);
        b.iter(|| Maze::judge(black_box(&scene), black_box(&long)));
    });
    for (name, view) in [("crisp", View::Crisp), ("canvas", View::Canvas)] {
        c.bench_function(&format!("render 7x7 {name}"), |b| {
            b.iter(|| Maze::observe(black_box(&scene), view))
        });
        c.bench_function(&format!("feedback 7x7 {name}"), |b| {
            b.iter(|| Maze::feedback(black_box(&scene), black_box(&answer), view));
        });
        c.bench_function(&format!("render 7x7 {name} to PNG"), |b| {
            b.iter(|| png(&Maze::observe(black_box(&scene), view)));
        });
        c.bench_function(&format!("feedback 7x7 {name} to PNG"), |b| {
            b.iter(|| png(&picture(Maze::feedback(black_box(&scene), black_box(&answer), view))));
        });
    }
}

criterion_group!(benches, maze);
criterion_main!(benches);
