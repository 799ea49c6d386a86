//! Speed of charts at the paper's size (512 pixels high, 16:9) and small.

// Criterion's macros make functions without docs.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{criterion_group, criterion_main, Criterion};
use vrrl_generators::{png, Chart, ChartFamily, ChartParams};
use vrrl_harness_core::{Answer, Seed, Task, View};

/// Scenes of one kind; a run goes round, so that no single chart decides.
const SCENES: u64 = 64;

fn chart(c: &mut Criterion) {
    let families = [
        ("bar", ChartFamily::Bar),
        ("grouped", ChartFamily::Grouped),
        ("horizontal", ChartFamily::Horizontal),
        ("scatter", ChartFamily::Scatter),
        ("line", ChartFamily::Line),
        ("pie", ChartFamily::Pie),
    ];
    for (name, family) in families {
        let params = ChartParams { height: [512, 512], ..ChartParams::of(family) };
        let seed = |i: u64| Seed(1).derive("bench", i % SCENES);
        let scenes: Vec<_> =
            (0..SCENES).map(|i| Chart::generate(&params, seed(i)).expect("paper sizes have room")).collect();
        let mut i = 0;
        let mut next = || {
            i += 1;
            i
        };
        c.bench_function(&format!("{name}: generate"), |b| {
            b.iter(|| Chart::generate(black_box(&params), seed(next())));
        });
        c.bench_function(&format!("{name}: draw"), |b| {
            b.iter(|| Chart::observe(&scenes[(next() % SCENES) as usize], View::Crisp));
        });
        c.bench_function(&format!("{name}: generate, draw, PNG"), |b| {
            b.iter(|| {
                let scene = Chart::generate(black_box(&params), seed(next())).expect("drawn above");
                png(&Chart::observe(&scene, View::Crisp))
            });
        });
        c.bench_function(&format!("{name}: feedback to PNG"), |b| {
            let answer = Answer::Point([400.0, 300.0]);
            b.iter(|| match Chart::feedback(&scenes[(next() % SCENES) as usize], &answer, View::Crisp) {
                vrrl_harness_core::Feedback::Image(image) => png(&image),
                vrrl_harness_core::Feedback::Text(text) => text.into_bytes(),
            });
        });
    }
    let params = ChartParams { small: true, ..ChartParams::of(ChartFamily::Bar) };
    let scene = Chart::generate(&params, Seed(1)).expect("small charts have room");
    c.bench_function("small bar: canvas", |b| b.iter(|| Chart::observe(black_box(&scene), View::Canvas)));
}

criterion_group!(benches, chart);
criterion_main!(benches);
