//! Permutation tests (Fisher, The Design of Experiments, 1935; Pitman 1937), two-sided.
//!
//! Exact wherever all rearrangements can be counted. Else a random sample of them, with the observed one among
//! them: p = (1 + hits) / (1 + drawn), which is never 0 and never too small (Phipson and Smyth, Statistical
//! Applications in Genetics and Molecular Biology 9:39, 2010).

use vrrl_harness_core::Seed;

use crate::binomial;

/// Rearrangements drawn where they cannot all be counted.
pub const DRAWN: usize = 20_000;
/// Most rearrangements that are looked at one by one.
const ENUMERATED: u64 = 1 << 18;
/// Most multiplications of the exact distribution of sums.
const CONVOLVED: usize = 1 << 26;
/// Sums nearer to each other than this share of the whole are equal.
const SLACK: f64 = 1e-9;

/// What a permutation test found.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Permutation {
    /// Two-sided p.
    pub p: f64,
    /// Whether all rearrangements were counted.
    pub exact: bool,
}

/// Whether differences have mean 0, by turning the sign of each on its own; `None` without data.
///
/// The null hypothesis is that A and B are exchangeable within an item. Zeros stay and change nothing; p is 1
/// where all are 0. Exact for up to 18 differences that are not 0, and for any number of multiples of a common
/// unit, as all sums of right-or-wrong outcomes are (there it equals the exact McNemar test).
#[must_use]
pub fn sign_flip(differences: &[f64], seed: Seed) -> Option<Permutation> {
    if differences.is_empty() {
        return None;
    }
    let moved: Vec<f64> = differences.iter().copied().filter(|d| d.abs() > 1e-12).collect();
    let exact = |p: f64| Some(Permutation { p: p.clamp(f64::MIN_POSITIVE, 1.0), exact: true });
    if moved.is_empty() {
        return exact(1.0);
    }
    if let Some(p) = lattice(&moved) {
        return exact(p);
    }
    let whole: f64 = moved.iter().map(|d| d.abs()).sum();
    let bar = moved.iter().sum::<f64>().abs() - SLACK * whole;
    if moved.len() <= 18 {
        let all = 1u64 << moved.len();
        let hits = (0..all).filter(|signs| flipped(&moved, |i| signs >> i & 1 == 1).abs() >= bar).count();
        return exact(hits as f64 / all as f64);
    }
    let mut rng = seed.derive("sign flip", moved.len() as u64).rng();
    let mut signs = vec![0u64; moved.len().div_ceil(64)];
    let hits = (0..DRAWN)
        .filter(|_| {
            signs.iter_mut().for_each(|word| *word = rng.next_u64());
            flipped(&moved, |i| signs[i / 64] >> (i % 64) & 1 == 1).abs() >= bar
        })
        .count();
    Some(Permutation { p: (1 + hits) as f64 / (1 + DRAWN) as f64, exact: false })
}

fn flipped(values: &[f64], minus: impl Fn(usize) -> bool) -> f64 {
    values.iter().enumerate().map(|(i, v)| if minus(i) { -v } else { *v }).sum()
}

/// Two-sided p of multiples of a common unit, from the exact distribution of their sum under random signs; `None`
/// where there is no small unit or the distribution is too large.
fn lattice(values: &[f64]) -> Option<f64> {
    let unit = (1..=64u32).find(|d| {
        values.iter().all(|v| {
            let scaled = v * f64::from(*d);
            scaled.abs() < 1e6 && (scaled - scaled.round()).abs() < 1e-9
        })
    })?;
    let whole: Vec<i64> = values.iter().map(|v| (v * f64::from(unit)).round() as i64).collect();
    let observed = whole.iter().sum::<i64>().unsigned_abs() as usize;
    // How often each size occurs; a size s that occurs k times adds s·(2·Binomial(k, ½) − k).
    let mut sizes = std::collections::BTreeMap::<usize, usize>::new();
    whole.iter().for_each(|v| *sizes.entry(v.unsigned_abs() as usize).or_default() += 1);
    let reach: usize = sizes.iter().map(|(size, count)| size * count).sum();
    let work: usize = sizes.values().map(|count| (count + 1).saturating_mul(2 * reach + 1)).sum();
    if work > CONVOLVED && sizes.len() > 1 {
        return None;
    }
    if let (1, Some((size, count))) = (sizes.len(), sizes.iter().next()) {
        // Equal sizes: the sign test.
        let larger = (observed / size + count) / 2;
        let split = binomial::split(*count, 0.5, larger);
        return Some(if observed == 0 { 1.0 } else { 2.0 * (split.at + split.above) });
    }
    // Chances of sums, shifted by `reach`.
    let mut chances = vec![0.0; 2 * reach + 1];
    chances[reach] = 1.0;
    let mut reached = 0;
    for (size, count) in sizes {
        let (first, terms) = binomial::distribution(count, 0.5);
        let mut next = vec![0.0; chances.len()];
        for (i, term) in terms.iter().enumerate() {
            // The sum of this size with `first + i` plus signs, from its least one.
            let shift = 2 * size * (first + i);
            for at in reach - reached..=reach + reached {
                next[at + shift - size * count] += chances[at] * term;
            }
        }
        reached += size * count;
        chances = next;
    }
    let far = |range: &[f64]| range.iter().sum::<f64>();
    Some(if observed == 0 {
        1.0
    } else {
        far(&chances[..=reach - observed]) + far(&chances[reach + observed..])
    })
}

/// Whether two independent groups have one mean, by exchanging their labels; `None` where a group is empty.
#[must_use]
pub fn label_exchange(a: &[f64], b: &[f64], seed: Seed) -> Option<Permutation> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let pool: Vec<f64> = a.iter().chain(b).copied().collect();
    let (n, k) = (pool.len(), a.len());
    let total: f64 = pool.iter().sum();
    let gap = |sum_a: f64| (sum_a / k as f64 - (total - sum_a) / (n - k) as f64).abs();
    let slack = SLACK * pool.iter().map(|x| x.abs()).sum::<f64>();
    let bar = gap(a.iter().sum()) - slack;
    let ways = (1..=k as u64).try_fold(1u64, |ways, i| Some(ways.checked_mul(n as u64 - k as u64 + i)? / i));
    if ways.is_some_and(|ways| ways <= ENUMERATED) {
        let (mut hits, mut all) = (0u64, 0u64);
        choose(&pool, k, 0.0, &mut |sum| {
            all += 1;
            hits += u64::from(gap(sum) >= bar);
        });
        return Some(Permutation { p: hits as f64 / all as f64, exact: true });
    }
    let mut rng = seed.derive("label exchange", n as u64).rng();
    let mut shuffled = pool;
    let hits = (0..DRAWN)
        .filter(|_| {
            rng.shuffle(&mut shuffled);
            gap(shuffled[..k].iter().sum()) >= bar
        })
        .count();
    Some(Permutation { p: (1 + hits) as f64 / (1 + DRAWN) as f64, exact: false })
}

/// Calls `visit` with the sum of each choice of `k` numbers.
fn choose(pool: &[f64], k: usize, sum: f64, visit: &mut dyn FnMut(f64)) {
    if k == 0 {
        return visit(sum);
    }
    for i in 0..=pool.len() - k {
        choose(&pool[i + 1..], k - 1, sum + pool[i], visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mcnemar_exact, Pairs};

    fn p(values: &[f64]) -> f64 {
        let found = sign_flip(values, Seed(1)).unwrap();
        assert!(found.exact);
        found.p
    }

    #[test]
    fn by_hand() {
        assert!((p(&[1.0, 1.0, 1.0]) - 0.25).abs() < 1e-12);
        // Sums of ±1 ±2: 3, 1, -1, -3; of (-1, 2) it is 1, which all reach.
        assert!((p(&[1.0, 2.0]) - 0.5).abs() < 1e-12 && (p(&[-1.0, 2.0]) - 1.0).abs() < 1e-12);
        assert!((p(&[0.3, 0.71, 0.013]) - 0.25).abs() < 1e-12);
        assert!((p(&[0.0, 0.0]) - 1.0).abs() < 1e-12);
        assert_eq!(sign_flip(&[], Seed(1)), None);
    }

    #[test]
    fn darwins_maize() {
        // Fisher 1935, chapter III: 15 pairs of plants, in eighths of an inch; 863 of 32,768 sums are as large
        // on one side, so 1,726 on both.
        let maize = [49., -67., 8., 16., 6., 23., 28., 41., 14., 29., 56., 24., 75., 60., -48.];
        let found = p(&maize);
        assert!((found - 1726.0 / 32768.0).abs() < 1e-9, "{}", found * 32768.0);
    }

    #[test]
    fn right_or_wrong_is_mcnemar() {
        for (only_a, only_b) in [(3, 9), (0, 6), (5, 5), (120, 170)] {
            let mut values = vec![1.0; only_b];
            values.extend(vec![-1.0; only_a]);
            values.extend(vec![0.0; 40]);
            let pairs = Pairs { both: 40, only_a, only_b, neither: 0 };
            assert!((p(&values) - mcnemar_exact(&pairs).unwrap()).abs() < 1e-12);
        }
    }

    #[test]
    fn counting_sums_equals_looking_at_each() {
        let values = [2.0, -1.0, 1.0, 1.0, -2.0, 2.0, 1.0, 1.0, 1.0, -1.0, 2.0];
        let bar = values.iter().sum::<f64>().abs() - 1e-9;
        let hits = (0..1u32 << 11).filter(|s| flipped(&values, |i| s >> i & 1 == 1).abs() >= bar).count();
        assert!((p(&values) - hits as f64 / 2048.0).abs() < 1e-12);
    }

    #[test]
    fn drawn_ones_agree_with_counted_ones() {
        let values: Vec<f64> =
            (0..40).map(|i| f64::from(i % 7) - 2.3 + 0.001 * f64::from(i).sqrt()).collect();
        let drawn = sign_flip(&values, Seed(1)).unwrap();
        let rounded: Vec<f64> = values.iter().map(|v| (v * 60.0).round() / 60.0).collect();
        let counted = sign_flip(&rounded, Seed(1)).unwrap();
        assert!(!drawn.exact && counted.exact);
        assert!((drawn.p - counted.p).abs() < 0.01, "{drawn:?} {counted:?}");
    }

    #[test]
    fn labels() {
        let found = label_exchange(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], Seed(1)).unwrap();
        assert!(found.exact && (found.p - 0.1).abs() < 1e-12);
        assert_eq!(label_exchange(&[], &[1.0], Seed(1)), None);
        let low: Vec<f64> = (0..30).map(|i| f64::from(i).sin()).collect();
        let high: Vec<f64> = low.iter().map(|x| x + 2.0).collect();
        let far = label_exchange(&low, &high, Seed(1)).unwrap();
        assert!(!far.exact && far.p < 1e-4 && far.p > 0.0);
    }
}
