//! Intervals and tests of paired differences.

use std::cell::RefCell;

use vrrl_harness_core::Rng;
use vrrl_harness_stats::{
    bootstrap_pairs, exact_power, mcnemar_exact, mcnemar_midp, mean_difference, newcombe_paired,
    paired_interval, rejection_rate, small_sample, tango, Bootstrap, Estimate, Pairs, Seed, USUAL,
};

use crate::{fine, percent, table, SHARES, SIZES};

/// Samples behind every simulated coverage; their standard error is 0.3 points.
const SAMPLES: usize = 4000;
/// Resamples behind every simulated bootstrap interval.
const RESAMPLES: usize = 1000;

/// A population of paired items: chances of both right, only A, only B, neither.
#[derive(Clone, Copy)]
struct Population([f64; 4]);

impl Population {
    /// Shares `a` and `b`, with `overlap` of what they could share beyond independence.
    fn new(a: f64, b: f64, overlap: f64) -> Self {
        let both = a * b + overlap * (a.min(b) - a * b);
        Self([both, a - both, b - both, 1.0 - a - b + both])
    }

    fn psi(self) -> f64 {
        self.0[1] + self.0[2]
    }

    fn delta(self) -> f64 {
        self.0[2] - self.0[1]
    }

    fn draw(self, n: usize, rng: &mut Rng) -> Pairs {
        let mut cells = [0; 4];
        for _ in 0..n {
            let mut at = rng.unit();
            let mut cell = 0;
            while cell < 3 && at >= self.0[cell] {
                at -= self.0[cell];
                cell += 1;
            }
            cells[cell] += 1;
        }
        let [both, only_a, only_b, neither] = cells;
        Pairs { both, only_a, only_b, neither }
    }
}

/// Intervals that depend on the differing items alone, computed once for each table.
struct Known<F> {
    n: usize,
    of: F,
    cells: RefCell<Vec<[f64; 2]>>,
}

impl<F: Fn(&Pairs) -> Estimate> Known<F> {
    fn new(n: usize, of: F) -> Self {
        Self { n, of, cells: RefCell::new(vec![[f64::NAN; 2]; (n + 1) * (n + 1)]) }
    }

    /// Exact coverage.
    fn covers(&self, psi: f64, delta: f64) -> f64 {
        1.0 - rejection_rate(self.n, psi, delta, |pairs| {
            let mut cells = self.cells.borrow_mut();
            let cell = &mut cells[pairs.only_a * (self.n + 1) + pairs.only_b];
            if cell[0].is_nan() {
                let found = (self.of)(pairs);
                *cell = [found.ci_low, found.ci_high];
            }
            // Limits that equal the truth by construction must not fail by rounding.
            cell[0] > delta + 1e-12 || cell[1] < delta - 1e-12
        })
    }
}

fn simulated(population: Population, n: usize, seed: Seed, of: impl Fn(&Pairs, Seed) -> Estimate) -> f64 {
    let delta = population.delta();
    let mut rng = seed.rng();
    let held = (0..SAMPLES)
        .filter(|i| {
            let found = of(&population.draw(n, &mut rng), seed.derive("sample", *i as u64));
            found.ci_low <= delta + 1e-9 && delta - 1e-9 <= found.ci_high
        })
        .count();
    held as f64 / SAMPLES as f64
}

fn default_interval(pairs: &Pairs) -> Estimate {
    paired_interval(pairs, 0.95).expect("n is not 0").estimate()
}

pub(crate) fn coverage() -> String {
    let mut text = String::from(
        "## A difference of two shares on the same items\n\n\
         A and B are both right with the chances p and p + d, and half of what they could have in common beyond \
         chance they have. *Differ* is the expected number of items on which they differ. The default is Tango's \
         score interval from 16 differing items on, below it the small-sample interval, and the outer limits of both \
         where fewer than 6 agree; these three depend on the differing items alone and their coverage is exact. The others are simulated (4,000 samples each, \
         bootstraps with 1,000 resamples; standard error 0.3).\n\n",
    );
    let mut rows = Vec::new();
    let mut worst = Vec::new();
    for n in SIZES {
        let default = Known::new(n, default_interval);
        let score = Known::new(n, |p| tango(p, 0.95).expect("n is not 0"));
        let small = Known::new(n, |p| small_sample(p, 0.95).expect("n is not 0"));
        for share in SHARES {
            for d in [0.0, 0.05] {
                if share + d > 0.99 {
                    continue;
                }
                let population = Population::new(share, share + d, 0.5);
                let (psi, delta) = (population.psi(), population.delta());
                let seed = Seed::from_text(&format!("{n} {share} {d}"));
                let resampled = |kind| {
                    simulated(population, n, seed, |pairs, seed| {
                        let found = bootstrap_pairs(pairs, 0.95, RESAMPLES, kind, seed);
                        found.expect("n is not 0").estimate()
                    })
                };
                let newcombe =
                    simulated(population, n, seed, |p, _| newcombe_paired(p, 0.95).expect("n is not 0"));
                rows.push(vec![
                    n.to_string(),
                    share.to_string(),
                    d.to_string(),
                    format!("{:.1}", psi * n as f64),
                    percent(default.covers(psi, delta)),
                    percent(score.covers(psi, delta)),
                    percent(small.covers(psi, delta)),
                    percent(newcombe),
                    percent(resampled(Bootstrap::Percentile)),
                    percent(resampled(Bootstrap::Bca)),
                ]);
            }
        }
        worst.extend(extremes(n, &default));
    }
    let head = ["n", "p", "d", "differ", "default", "Tango", "small-sample", "Newcombe", "percentile", "BCa"];
    text.push_str(&table(&head, &rows));
    text.push_str(
        "\nThe default over every population: a grid of expected differing items and of the share of them that one \
         side has right (0 to 0.5, the rest by symmetry), exact. Bar: within 93.5 and 97.5 wherever at least ten \
         items are expected to differ. Where fewer than ten items are expected to *agree* and all that differ point \
         one way, a share near 1 is estimated and no interval of a count can stay in so narrow a band: there the \
         default errs on the wide side.\n\n",
    );
    let head = ["n", "region", "least", "at (differ, share one way)", "most", "at"];
    text.push_str(&table(&head, &worst));
    text
}

/// Least and most coverage by region.
fn extremes(n: usize, default: &Known<impl Fn(&Pairs) -> Estimate>) -> Vec<Vec<String>> {
    let size = n as f64;
    let few = [0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.5];
    let middle = (20..80)
        .map(|i| f64::from(i) / 2.0)
        .chain((40..).step_by(if n > 300 { 37 } else { 5 }).map(f64::from));
    let middle: Vec<f64> = middle.take_while(|d| *d <= size - 10.0).collect();
    let last: Vec<f64> = (1..20).map(|i| size - 10.0 + f64::from(i) / 2.0).collect();
    [
        ("fewer than 10 differ", few.to_vec()),
        ("at least 10 differ, 10 agree", middle),
        ("fewer than 10 agree", last),
    ]
    .into_iter()
    .map(|(region, expected)| {
        let (mut least, mut most) = ((2.0, 0.0, 0.0), (-1.0, 0.0, 0.0));
        for differ in expected {
            for step in 0..=25 {
                let way = f64::from(step) / 50.0;
                let psi = differ / size;
                let found = default.covers(psi, psi * (1.0 - 2.0 * way));
                if found < least.0 {
                    least = (found, differ, way);
                }
                if found > most.0 {
                    most = (found, differ, way);
                }
            }
        }
        let place = |(_, differ, way): (f64, f64, f64)| format!("({differ}, {way})");
        vec![n.to_string(), region.into(), fine(least.0), place(least), fine(most.0), place(most)]
    })
    .collect()
}

/// For each number of differing items, how many must point one way for a test at 5 %.
fn critical(n: usize, of: fn(&Pairs) -> Option<f64>) -> Vec<usize> {
    let rejects = |differing: usize, most: usize| {
        let pairs = Pairs { both: n - differing, only_a: differing - most, only_b: most, neither: 0 };
        of(&pairs).is_some_and(|p| p <= 0.05)
    };
    (0..=n).map(|m| (m.div_ceil(2)..=m).find(|most| rejects(m, *most)).unwrap_or(m + 1)).collect()
}

pub(crate) fn tests() -> String {
    let mut rows = Vec::new();
    let mut worst = Vec::new();
    for n in SIZES {
        let (exact, midp) = (critical(n, mcnemar_exact), critical(n, mcnemar_midp));
        let rate = |psi: f64, critical: &[usize]| {
            rejection_rate(n, psi, 0.0, |p| p.only_a.max(p.only_b) >= critical[p.differing()])
        };
        for share in SHARES {
            let psi = Population::new(share, share, 0.5).psi();
            rows.push(vec![
                n.to_string(),
                share.to_string(),
                format!("{:.1}", psi * n as f64),
                fine(rate(psi, &exact)),
                fine(rate(psi, &midp)),
            ]);
        }
        let grid: Vec<f64> = (1..=200).map(|i| f64::from(i) / 200.0).collect();
        let most = |test: &[usize]| grid.iter().map(|psi| rate(*psi, test)).fold(0.0, f64::max);
        worst.push(vec![n.to_string(), fine(most(&exact)), fine(most(&midp))]);
    }
    format!(
        "## Tests of no difference\n\nExact error rates at a nominal 5 % where A and B are equally good, half of the \
         possible overlap shared. The sign-flip permutation test of right-or-wrong outcomes is the exact McNemar \
         test.\n\n{}\nLargest error rate over any share of differing items (step 0.005; bar: the exact test never \
         above 5).\n\n{}",
        table(&["n", "p", "differ", "exact McNemar", "mid-p McNemar"], &rows),
        table(&["n", "exact McNemar", "mid-p McNemar"], &worst)
    )
}

pub(crate) fn power() -> String {
    let mut rows = Vec::new();
    for n in SIZES {
        for psi in [0.05, 0.2, 0.5] {
            let mde = USUAL.mde(n, psi).expect("enough items");
            // Where the smallest difference exceeds ψ, all differing items point one way.
            let exact = exact_power(n, psi.max(mde), mde, 0.05);
            rows.push(vec![n.to_string(), percent(psi), fine(mde), percent(exact)]);
        }
    }
    format!(
        "## What can be found\n\nSmallest difference that is found with 80 % power by the formula of Miettinen and \
         Connor, and the exact power of the exact McNemar test there, which is less where few items differ.\n\n{}",
        table(&["n", "differ (%)", "smallest difference (points)", "exact power"], &rows)
    )
}

pub(crate) fn gains() -> String {
    let mut rows = Vec::new();
    for n in SIZES {
        // Chances of -2, -1, 1 and 2, the gains of B less those of A.
        for chances in [[0.0, 0.01, 0.02, 0.0], [0.005, 0.03, 0.06, 0.01], [0.02, 0.1, 0.2, 0.05]] {
            let truth = 2.0 * (chances[3] - chances[0]) + chances[2] - chances[1];
            let seed = Seed::from_text(&format!("gains {n} {chances:?}"));
            let mut rng = seed.rng();
            let held = (0..SAMPLES)
                .filter(|i| {
                    let gains: Vec<f64> = (0..n).map(|_| gain(&chances, rng.unit())).collect();
                    let found = mean_difference(&gains, 0.95, seed.derive("sample", *i as u64));
                    let found = found.expect("n is not 0");
                    found.ci_low <= truth && truth <= found.ci_high
                })
                .count();
            let moved = chances.iter().sum::<f64>() * n as f64;
            rows.push(vec![n.to_string(), format!("{moved:.1}"), percent(held as f64 / SAMPLES as f64)]);
        }
    }
    format!(
        "## Differences of gains by reflection\n\nSimulated coverage (4,000 samples) of the interval of a mean of \
         differences between -2 and 2: percentile bootstrap from 20 differences other than 0 on, below it the \
         adjusted t interval.\n\n{}",
        table(&["n", "differences other than 0", "coverage"], &rows)
    )
}

fn gain(chances: &[f64; 4], at: f64) -> f64 {
    let mut left = at;
    for (chance, value) in chances.iter().zip([-2.0, -1.0, 1.0, 2.0]) {
        if left < *chance {
            return value;
        }
        left -= chance;
    }
    0.0
}
