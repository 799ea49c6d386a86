//! Writes `reports/statistics.md`: how often the intervals cover and the tests err.
//!
//! `cargo run --release -p vrrl-harness-stats --example coverage` takes some minutes on one core. Whatever depends on
//! a count or on two alone is summed over all outcomes, exactly; the rest is simulated, with the number of samples
//! beside it.

#![allow(clippy::print_stderr, reason = "an example that says what it does")]

mod paired;
mod seeds;
mod single;

use std::fmt::Write as _;
use std::path::Path;

/// True shares of the tables.
const SHARES: [f64; 11] = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98];
/// Numbers of items of the tables.
const SIZES: [usize; 3] = [50, 250, 1000];

/// A Markdown table.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

/// A share as percent.
fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

/// A share as percent, to the second digit.
fn fine(share: f64) -> String {
    format!("{:.2}", 100.0 * share)
}

fn main() -> std::io::Result<()> {
    let mut text = String::from(
        "# What the intervals cover and how often the tests err\n\n\
         Written by `cargo run --release -p vrrl-harness-stats --example coverage`; formulas and sources stand in \
         the crate's docs. All numbers are percent at a nominal 95 % (5 %). *Exact* means summed over all outcomes, \
         without simulation.\n",
    );
    for (what, part) in [
        ("single shares", single::report as fn() -> String),
        ("paired differences", paired::coverage),
        ("paired tests", paired::tests),
        ("power", paired::power),
        ("gains", paired::gains),
        ("seeds", seeds::report),
    ] {
        eprintln!("{what} ...");
        text.push('\n');
        text.push_str(&part());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports/statistics.md");
    std::fs::write(&path, text)?;
    eprintln!("wrote {}", path.display());
    Ok(())
}
