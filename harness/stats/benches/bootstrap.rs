//! Speed of resampling and of the intervals and tests that `vrrl compare` computes for every split.

#![allow(missing_docs, reason = "criterion's macros write undocumented functions")]

use std::hint::black_box;

use criterion::{criterion_group, criterion_main, Criterion};
use vrrl_harness_stats::{
    bootstrap, bootstrap_pairs, mcnemar_exact, paired_interval, sign_flip, Bootstrap, Pairs, Seed,
};

/// A thousand paired items, a fifth of which differ.
const PAIRS: Pairs = Pairs { both: 500, only_a: 80, only_b: 120, neither: 300 };

fn resampling(c: &mut Criterion) {
    let mut group = c.benchmark_group("100k_resamples_of_1000_pairs");
    group.sample_size(10);
    for (name, kind) in [("percentile", Bootstrap::Percentile), ("bca", Bootstrap::Bca)] {
        group.bench_function(name, |b| {
            b.iter(|| bootstrap_pairs(black_box(&PAIRS), 0.95, 100_000, kind, Seed(1)));
        });
    }
    let distances: Vec<f64> = (0..1000u32).map(|i| f64::from(i).sqrt()).collect();
    group.bench_function("all_values_differ", |b| {
        b.iter(|| bootstrap(black_box(&distances), 0.95, 100_000, Bootstrap::Percentile, Seed(1)));
    });
    group.finish();
}

fn exact(c: &mut Criterion) {
    c.bench_function("default_interval", |b| b.iter(|| paired_interval(black_box(&PAIRS), 0.95)));
    c.bench_function("mcnemar_exact", |b| b.iter(|| mcnemar_exact(black_box(&PAIRS))));
    let gains: Vec<f64> = (0..1000i32).map(|i| f64::from(i % 5 - 2)).collect();
    c.bench_function("sign_flip_1000", |b| b.iter(|| sign_flip(black_box(&gains), Seed(1))));
}

criterion_group!(benches, resampling, exact);
criterion_main!(benches);
