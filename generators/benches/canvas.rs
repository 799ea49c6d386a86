//! Speed of drawing: a page of numbers, a plot, and the crop around a point.

// Criterion's macros make functions without docs.
#![allow(missing_docs)]

use criterion::{criterion_group, criterion_main, Criterion};
use vrrl_generators::{bench, png};

fn canvas(c: &mut Criterion) {
    c.bench_function("page of 192 numbers, 900x420", |b| b.iter(bench::page));
    c.bench_function("page to PNG", |b| b.iter(|| png(&bench::page())));
    c.bench_function("crop of the page, 200x200", |b| b.iter(bench::crop));
    c.bench_function("plot, 960x540", |b| b.iter(bench::plot));
    c.bench_function("plot to PNG", |b| b.iter(|| png(&bench::plot())));
}

criterion_group!(benches, canvas);
criterion_main!(benches);
