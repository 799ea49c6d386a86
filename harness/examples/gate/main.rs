//! Writes `reports/gate.md`: how often the gate fails, passes and cannot tell, where the truth is known.
//!
//! `cargo run --release -p vrrl-harness --example gate` takes some minutes. One rule on a difference depends on two
//! counts alone, so its rates are summed over all outcomes, exactly; the same cells are simulated beside it through the
//! whole gate, from items to verdict, and so is what has no closed form: several rules at once, repeated episodes.

#![allow(clippy::print_stderr, clippy::unwrap_used, reason = "an example that says what it does")]

#[path = "../../tests/gate_simulation/mod.rs"]
mod simulation;

use std::fmt::Write as _;
use std::path::Path;

use simulation::{exact, simulated, Rates, World};
use vrrl_harness::gate::{Amount, GateConfig, Metric, Rule};
use vrrl_harness_stats::Power;

const MARGIN: f64 = 0.02;
const SIZES: [usize; 4] = [100, 250, 1000, 3000];
const DIFFER: [f64; 3] = [0.05, 0.1, 0.2];
const RUNS: u64 = 1000;
/// Most items that are simulated: the exact rates beside them take a moment whatever n.
const SIMULATED: usize = 1000;
/// Runs where each takes many resamples.
const FEW: u64 = 200;

fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

fn row(text: &mut String, cells: &[String]) {
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

/// One rule, every n and share of differing items, at one true difference.
fn table(text: &mut String, drop: impl Fn(usize, f64) -> Option<f64>) {
    text.push_str("| n | differ | true difference, points | fail | pass | inconclusive | simulated: fail | pass | inconclusive |\n");
    text.push_str(&format!("|{}\n", "---|".repeat(9)));
    for n in SIZES {
        for psi in DIFFER {
            let Some(delta) = drop(n, psi).filter(|delta| delta.abs() <= psi) else { continue };
            let world = World { n, accuracy: 0.7, psi, delta, repeats: 1 };
            let all = exact(&world, MARGIN, 0.05);
            let rates = |rates: &Rates| [rates.fail, rates.pass, rates.inconclusive].map(percent);
            let mut cells = vec![n.to_string(), percent(psi), format!("{:+.1}", 100.0 * delta)];
            cells.extend(rates(&all));
            if n <= SIMULATED {
                cells.extend(rates(&simulated(&world, &GateConfig::default(), RUNS)));
            } else {
                cells.extend([(); 3].map(|()| String::new()));
            }
            row(text, &cells);
        }
    }
}

/// The true difference that a gate over n items is said to catch with 80 % chance.
fn caught(n: usize, psi: f64) -> Option<f64> {
    let power = Power { alpha: 0.1, power: 0.8 };
    // Spread follows from the difference itself, so a few rounds.
    let mut delta = -MARGIN;
    for _ in 0..50 {
        delta = -MARGIN - power.distance_of(n, (psi - delta * delta).max(1e-9))?;
    }
    Some(delta)
}

fn rules(each: &[(Metric, f64)]) -> GateConfig {
    let rule = |(metric, drop): &(Metric, f64)| Rule {
        metric: *metric,
        max_drop: Some(Amount(*drop)),
        ..Rule::usual()
    };
    GateConfig { rules: each.iter().map(rule).collect(), ..GateConfig::default() }
}

fn several(text: &mut String) {
    text.push_str(
        "| rules | n | true difference, points | fail | pass | inconclusive |\n|---|---|---|---|---|---|\n",
    );
    for n in [250, 1000] {
        for (delta, what) in [(-MARGIN, "at the margin"), (0.0, "none")] {
            for count in [1, 3, 6] {
                // A rule a split: splits are independent, which is what tests Holm hardest.
                let world = World { n: n * count, accuracy: 0.7, psi: 0.1, delta, repeats: 1 };
                let rule = Rule { each_split: true, ..Rule::usual() };
                let config = GateConfig { rules: vec![rule], ..GateConfig::default() };
                let rates = simulation::simulated_splits(&world, count, &config, RUNS);
                let cells = [
                    count.to_string(),
                    format!("{n} each"),
                    format!("{:+.1} ({what}), in every split", 100.0 * delta),
                    percent(rates.fail),
                    percent(rates.pass),
                    percent(rates.inconclusive),
                ];
                row(text, &cells);
            }
        }
    }
    let both = rules(&[(Metric::Accuracy, MARGIN), (Metric::FirstAccuracy, MARGIN)]);
    let world = World { n: 1000, accuracy: 0.7, psi: 0.1, delta: -MARGIN, repeats: 1 };
    let rates = simulated(&world, &both, RUNS);
    let cells = [
        "2, on the same items".to_owned(),
        "1000".into(),
        "-2.0 (at the margin) and none".into(),
        percent(rates.fail),
        percent(rates.pass),
        percent(rates.inconclusive),
    ];
    row(text, &cells);
}

fn repeated(text: &mut String) {
    text.push_str("| items | episodes an item | true difference, points | fail | pass | inconclusive |\n|---|---|---|---|---|---|\n");
    for n in [100, 300] {
        for repeats in [4] {
            for delta in [-MARGIN, 0.0, -0.08] {
                let world = World { n, accuracy: 0.7, psi: 0.2, delta, repeats };
                let rates = simulated(&world, &GateConfig::default(), FEW);
                let cells = [
                    n.to_string(),
                    repeats.to_string(),
                    format!("{:+.1}", 100.0 * delta),
                    percent(rates.fail),
                    percent(rates.pass),
                    percent(rates.inconclusive),
                ];
                row(text, &cells);
            }
        }
    }
}

/// The largest exact rate over a fine grid.
fn worst(text: &mut String) {
    text.push_str("| n | largest chance to fail at the margin | at share differing | largest chance to pass at the margin | at share differing |\n|---|---|---|---|---|\n");
    for n in [50, 100, 250, 500, 1000] {
        let grid = (0..=40).map(|i| 0.02 + 0.012 * f64::from(i));
        let rates: Vec<(f64, Rates)> = grid
            .map(|psi| {
                (psi, exact(&World { n, accuracy: 0.7, psi, delta: -MARGIN, repeats: 1 }, MARGIN, 0.05))
            })
            .collect();
        let most = |of: fn(&Rates) -> f64| {
            rates.iter().map(|(psi, r)| (of(r), *psi)).max_by(|a, b| a.0.total_cmp(&b.0))
        };
        let (fail, pass) = (most(|r| r.fail).unwrap(), most(|r| r.pass).unwrap());
        let cell = |x: f64| format!("{:.2}", 100.0 * x);
        row(text, &[n.to_string(), cell(fail.0), cell(fail.1), cell(pass.0), cell(pass.1)]);
    }
}

fn main() -> std::io::Result<()> {
    let mut text = String::from(
        "# How often the gate is right\n\n\
         Written by `cargo run --release -p vrrl-harness --example gate`. The default rule: accuracy may not drop by more \
         than 2 points, α = 5 % one-sided. *Differ*: the share of items on which baseline and candidate differ. Rates are \
         percent. The first three are exact, summed over all outcomes; the next three are simulated from items to verdict \
         (",
    );
    let _ = writeln!(
        text,
        "{RUNS} runs each, standard error at 5 %: {:.1}).\n",
        100.0 * (0.05f64 * 0.95 / RUNS as f64).sqrt()
    );
    for (title, note, delta) in [
        (
            "A true drop of exactly the margin",
            "The rule is just kept, so *fail* may be at most 5 %; so may *pass*, since a hair more would break it.",
            (|_, _| Some(-MARGIN)) as fn(usize, f64) -> Option<f64>,
        ),
        ("No drop", "The gate hardly ever fails. How often it can say so grows with n.", |_, _| Some(0.0)),
        (
            "The drop that the gate says it catches",
            "`mde` of the report: a candidate this much worse fails with 80 % chance.",
            caught,
        ),
        ("A gain of 2 points", "Better candidates get through sooner.", |_, _| Some(0.02)),
    ] {
        eprintln!("{title} ...");
        let _ = writeln!(text, "## {title}\n\n{note}\n");
        let mut body = String::new();
        table(&mut body, delta);
        let _ = writeln!(text, "{body}");
    }
    eprintln!("the worst ...");
    text.push_str(
        "## The worst over a grid\n\nExact, shares of differing items from 2 to 50 % in steps of 1.2. The interval is approximate, not exact, so a little more than 5 % occurs; this is how much.\n\n",
    );
    worst(&mut text);
    eprintln!("several rules ...");
    text.push_str(
        "\n## Several rules\n\nSimulated. Holm's adjustment keeps the chance of any false *fail* at 5 %; *pass* needs \
         every rule.\n\n",
    );
    several(&mut text);
    eprintln!("repeats ...");
    text.push_str(
        "\n## Items asked several times\n\nSimulated, 200 runs a row (standard error at 5 %: 1.5). Each item counts \
         once, with the mean of its episodes; the interval resamples items.\n\n",
    );
    repeated(&mut text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/gate.md");
    std::fs::write(&path, text)?;
    eprintln!("wrote {}", path.display());
    Ok(())
}
