//! Worlds in which the true difference is known, and how often a gate comes to what in them.

#![allow(dead_code)]

use vrrl_harness::gate::{gate, GateConfig, Side, Verdict};
use vrrl_harness::Item;
use vrrl_harness_core::{Role, Seed};
use vrrl_harness_stats::{paired_interval, rejection_rate, Pairs};

/// Two policies on the same items.
#[derive(Clone, Copy, Debug)]
pub struct World {
    /// Items.
    pub n: usize,
    /// Of the baseline.
    pub accuracy: f64,
    /// Share of items on which the two differ.
    pub psi: f64,
    /// Candidate − baseline.
    pub delta: f64,
    /// Episodes an item.
    pub repeats: u32,
}

/// Shares of verdicts.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Rates {
    pub fail: f64,
    pub pass: f64,
    pub inconclusive: f64,
}

/// One rule, "may not drop by more than `margin`", over all outcomes.
pub fn exact(world: &World, margin: f64, alpha: f64) -> Rates {
    let rate = |says: &dyn Fn(f64, f64) -> bool| {
        rejection_rate(world.n, world.psi, world.delta, |pairs: &Pairs| {
            paired_interval(pairs, 1.0 - 2.0 * alpha).is_some_and(|found| says(found.ci_low, found.ci_high))
        })
    };
    let fail = rate(&|_, high| high < -margin);
    let pass = rate(&|low, _| low > -margin);
    Rates { fail, pass, inconclusive: 1.0 - fail - pass }
}

/// Chances of (right in A, right in B): (1, 0), (0, 1) and (1, 1).
fn cells(world: &World) -> [f64; 3] {
    let (only_a, only_b) = ((world.psi - world.delta) / 2.0, (world.psi + world.delta) / 2.0);
    [only_a, only_b, (world.accuracy - only_a).max(0.0)]
}

/// Uniform numbers in [0, 1): SplitMix64 (Steele, Lea and Flood 2014), since a hash a number would take minutes.
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Both sides' items; first answers are the baseline's accuracy on both, so `first_accuracy` never changes in truth.
pub fn items(world: &World, splits: usize, seed: Seed) -> (Vec<Item>, Vec<Item>) {
    let [only_a, only_b, both] = cells(world);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let mut uniform = Uniform(seed.derive("items", 0).0);
    for at in 0..world.n {
        for repeat in 0..world.repeats {
            let x = uniform.next();
            let right_a = x < only_a || (x >= only_a + only_b && x < only_a + only_b + both);
            let right_b = x >= only_a && x < only_a + only_b + both;
            let [first_a, first_b] = [(); 2].map(|()| uniform.next() < world.accuracy);
            let item = |correct, first| Item {
                split: format!("split{}", at % splits),
                id: at.to_string(),
                repeat,
                role: Some(Role::OodTest),
                correct,
                correct_first: Some(first),
            };
            a.push(item(right_a, first_a));
            b.push(item(right_b, first_b));
        }
    }
    (a, b)
}

/// How often a judge of two lists of items says what.
pub fn rates(runs: u64, one: impl Fn(u64) -> Verdict) -> Rates {
    let mut rates = Rates::default();
    for run in 0..runs {
        *match one(run) {
            Verdict::Fail => &mut rates.fail,
            Verdict::Pass => &mut rates.pass,
            Verdict::Inconclusive => &mut rates.inconclusive,
        } += 1.0 / runs as f64;
    }
    rates
}

/// The gate itself, from items to verdict.
pub fn simulated(world: &World, config: &GateConfig, runs: u64) -> Rates {
    simulated_splits(world, 1, config, runs)
}

/// The same over several splits.
pub fn simulated_splits(world: &World, splits: usize, config: &GateConfig, runs: u64) -> Rates {
    let seed = Seed::from_text(&format!("{world:?} {splits}"));
    rates(runs, |run| {
        let (a, b) = items(world, splits, seed.derive("run", run));
        let [a, b] = [("a", a), ("b", b)].map(|(name, items)| Side::of_items(name, items));
        gate(config, &a, &b, false).expect("two sides of the same items").verdict
    })
}
