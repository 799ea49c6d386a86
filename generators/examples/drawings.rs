//! Times pictures from nothing to PNG bytes, on one thread and on one for every core, and says what they are made of, as JSON on standard
//! output: the Rust side of `tests/python/compare_matplotlib.py`.

use std::hint::black_box;
use std::time::Instant;

use serde_json::{json, Map, Value};
use vrrl_generators::{bench, png, pose, Chart, Table};
use vrrl_harness_core::{Feedback, Image, Seed, Task, TaskKind, View};

/// The allocator of the program that ships.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rounds, of which the median counts.
const ROUNDS: u64 = 5;

#[expect(clippy::print_stdout, reason = "its output is the example's result")]
fn main() {
    let mut all = Map::new();
    all.insert("table".into(), table(&json!({}), 24));
    all.insert("large table".into(), table(&json!({"rows": [20, 50], "columns": [20, 50]}), 4));
    for family in ["bar", "scatter", "horizontal", "grouped", "line", "pie"] {
        all.insert(family.into(), chart(&json!({ "family": family }), 24));
    }
    let params = json!({"size": [7, 7]});
    all.insert(
        "maze".into(),
        json!({"items_per_second": speed(1, 500, |seed| feedback(TaskKind::Maze, &params, seed))}),
    );
    println!("{}", Value::Object(all));
}

/// Speeds, and what the first `shown` pictures are made of; twenty times as many are timed a round.
fn table(params: &Value, shown: u64) -> Value {
    let own = serde_json::from_value(params.clone()).expect("plain params");
    let calls: Vec<_> = (0..shown)
        .map(|i| bench::table_calls(&Table::generate(&own, seed(0, i)).expect("no size is asked for")))
        .collect();
    json!({
        "items_per_second": speed(1, 20 * shown, |seed| picture(TaskKind::Table, params, seed)),
        "on_all_cores": speed(cores(), 20 * shown, |seed| picture(TaskKind::Table, params, seed)),
        "feedback_per_second": speed(1, 20 * shown, |seed| feedback(TaskKind::Table, params, seed)),
        "drawings": calls,
    })
}

fn chart(params: &Value, shown: u64) -> Value {
    let own = serde_json::from_value(params.clone()).expect("plain params");
    let calls: Vec<_> = (0..shown)
        .map(|i| bench::chart_calls(&Chart::generate(&own, seed(0, i)).expect("paper sizes have room")))
        .collect();
    json!({
        "items_per_second": speed(1, 20 * shown, |seed| picture(TaskKind::Chart, params, seed)),
        "on_all_cores": speed(cores(), 20 * shown, |seed| picture(TaskKind::Chart, params, seed)),
        "feedback_per_second": speed(1, 20 * shown, |seed| feedback(TaskKind::Chart, params, seed)),
        "drawings": calls,
    })
}

fn seed(round: u64, i: u64) -> Seed {
    Seed(round).derive("drawings", i)
}

fn picture(kind: TaskKind, params: &Value, seed: Seed) -> Image {
    pose(kind, params, seed).expect("paper sizes have room").observe(View::Crisp)
}

/// The feedback on a wrong answer, its question posed for it.
fn feedback(kind: TaskKind, params: &Value, seed: Seed) -> Image {
    let problem = pose(kind, params, seed).expect("paper sizes have room");
    match problem.feedback(&problem.mistake(&mut seed.rng()), View::Crisp) {
        Feedback::Image(image) => image,
        Feedback::Text(text) => panic!("mistakes lie on the picture: {text}"),
    }
}

/// Pictures with their PNG bytes a second, so many a round on each of `threads`: the median round, no seed twice.
fn speed(threads: u64, items: u64, draw: impl Fn(Seed) -> Image + Sync) -> f64 {
    let share = &|round: u64, thread: u64| {
        for i in 0..items {
            black_box(png(&draw(seed(round, thread * items + i))));
        }
    };
    let mut rounds: Vec<f64> = (0..=ROUNDS)
        .map(|round| {
            let start = Instant::now();
            std::thread::scope(|scope| {
                (1..threads).for_each(|thread| drop(scope.spawn(move || share(round, thread))));
                share(round, 0);
            });
            start.elapsed().as_secs_f64()
        })
        .skip(1)
        .collect();
    rounds.sort_by(f64::total_cmp);
    (threads * items) as f64 / rounds[rounds.len() / 2]
}

fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}
