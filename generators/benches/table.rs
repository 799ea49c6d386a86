//! Speed of tables at the paper's sizes: 5 to 15 rows and columns, and 20 to 50.

// Criterion's macros make functions without docs.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{criterion_group, criterion_main, Criterion};
use serde_json::{json, Value};
use vrrl_generators::{png, pose, Table, TableParams, TableScene};
use vrrl_harness_core::{Answer, Feedback, Image, Seed, Task, TaskKind, View};

/// Scenes of one kind; a run goes round, so that no single table decides.
const SCENES: u64 = 64;

fn seed(i: u64) -> Seed {
    Seed(1).derive("bench", i % SCENES)
}

fn picture(feedback: Feedback) -> Image {
    match feedback {
        Feedback::Image(image) => image,
        Feedback::Text(text) => panic!("the middle of a table is inside: {text}"),
    }
}

fn table(c: &mut Criterion) {
    let kinds = [("5-15", json!({})), ("20-50", json!({"rows": [20, 50], "columns": [20, 50]}))];
    for (name, params) in kinds {
        let own: TableParams = serde_json::from_value(params.clone()).expect("plain params");
        let scenes: Vec<TableScene> =
            (0..SCENES).map(|i| Table::generate(&own, seed(i)).expect("no size is asked for")).collect();
        let mut i = 0;
        let mut next = || {
            i += 1;
            i
        };
        c.bench_function(&format!("{name}: generate"), |b| {
            b.iter(|| Table::generate(black_box(&own), seed(next())));
        });
        c.bench_function(&format!("{name}: draw"), |b| {
            b.iter(|| Table::observe(&scenes[(next() % SCENES) as usize], View::Crisp));
        });
        c.bench_function(&format!("{name}: PNG"), |b| {
            let pictures: Vec<Image> =
                scenes.iter().take(8).map(|scene| Table::observe(scene, View::Crisp)).collect();
            b.iter(|| png(&pictures[(next() % 8) as usize]));
        });
        c.bench_function(&format!("{name}: pose, draw, PNG"), |b| b.iter(|| whole(&params, next())));
        c.bench_function(&format!("{name}: feedback to PNG"), |b| {
            b.iter(|| {
                let scene = &scenes[(next() % SCENES) as usize];
                let middle = Answer::Point(scene.size().map(|pixels| f64::from(pixels / 2)));
                png(&picture(Table::feedback(scene, &middle, View::Crisp)))
            });
        });
    }
    let small = json!({"small": true});
    c.bench_function("small: pose, draw", |b| {
        let mut i = 0;
        b.iter(|| {
            i += 1;
            pose(TaskKind::Table, &small, seed(i)).expect("small tables fit").observe(View::Canvas)
        });
    });
}

/// An item from nothing to the bytes of its file.
fn whole(params: &Value, i: u64) -> Vec<u8> {
    png(&pose(TaskKind::Table, params, seed(i)).expect("no size is asked for").observe(View::Crisp))
}

criterion_group!(benches, table);
criterion_main!(benches);
