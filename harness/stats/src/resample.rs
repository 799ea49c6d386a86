//! Drawing with replacement, exactly and fast.
//!
//! A resample of n items with few distinct values is a multinomial draw of their counts. It is drawn as a chain
//! of binomials with rational chances, and each binomial from fair bits: the trials' uniform numbers are
//! compared with the chance bit by bit (by long division, no rounding), all trials at once, since among the
//! trials that are still undecided the number of next bits that are 0 is the number of ones among as many fair
//! bits. So the counts have exactly the distribution of drawing items one by one, at about two random *bits* an
//! item in place of a random word.

use vrrl_harness_core::{Rng, Seed};

/// Resamples that share one stream; streams are derived by block, so threads cannot change a draw.
const BLOCK: usize = 1024;
/// More distinct values than this are drawn item by item.
const MOST_LEVELS: usize = 64;
/// Items to draw above which a second thread pays.
const LARGE: usize = 1 << 22;

/// Numbers of a sample as distinct values, the most frequent first, and how often each occurs.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Sample {
    pub values: Vec<f64>,
    pub counts: Vec<u32>,
    pub n: u32,
}

impl Sample {
    /// Collapses numbers; `None` without any.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut levels: Vec<(f64, u32)> = Vec::new();
        for value in sorted {
            match levels.last_mut() {
                Some((last, count)) if last.total_cmp(&value).is_eq() => *count += 1,
                _ => levels.push((value, 1)),
            }
        }
        Self::of_levels(levels)
    }

    /// From values with their counts; `None` if all counts are 0.
    pub fn of_levels(mut levels: Vec<(f64, u32)>) -> Option<Self> {
        levels.retain(|level| level.1 > 0);
        levels.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.total_cmp(&b.0)));
        let n = levels.iter().map(|level| level.1).sum();
        let (values, counts) = levels.into_iter().unzip();
        (n > 0).then_some(Self { values, counts, n })
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.weigh(&self.counts)
    }

    /// Sum of the `power`-th powers of the distances from the mean.
    pub fn moment(&self, power: i32) -> f64 {
        let mean = self.mean();
        let terms = self.values.iter().zip(&self.counts);
        terms.map(|(v, c)| f64::from(*c) * (v - mean).powi(power)).sum()
    }

    /// Whether all numbers are equal.
    pub fn constant(&self) -> bool {
        self.values.len() == 1
    }

    /// Means of resamples of equal size, in the order drawn.
    pub fn resampled_means(&self, resamples: usize, seed: Seed) -> Vec<f64> {
        let mut means = vec![0.0; resamples];
        let fill = |first: usize, part: &mut [f64]| {
            for (i, block) in part.chunks_mut(BLOCK).enumerate() {
                self.fill(block, seed.derive("resample", (first + i) as u64));
            }
        };
        let blocks = resamples.div_ceil(BLOCK);
        if resamples.saturating_mul(self.n as usize) < LARGE || blocks < 2 {
            fill(0, &mut means);
        } else {
            let half = blocks / 2;
            let (low, high) = means.split_at_mut(half * BLOCK);
            std::thread::scope(|scope| {
                scope.spawn(|| fill(0, low));
                fill(half, high);
            });
        }
        means
    }

    fn fill(&self, means: &mut [f64], seed: Seed) {
        let mut rng = seed.rng();
        if self.values.len() <= MOST_LEVELS {
            let mut bits = Bits::new(rng);
            let mut drawn = vec![0; self.counts.len()];
            for mean in means {
                multinomial(&mut bits, self.n, &self.counts, self.n, &mut drawn);
                *mean = self.weigh(&drawn);
            }
        } else {
            let items: Vec<f64> = self
                .values
                .iter()
                .zip(&self.counts)
                .flat_map(|(v, c)| std::iter::repeat_n(*v, *c as usize))
                .collect();
            for mean in means {
                let sum: f64 = (0..self.n).map(|_| items[rng.below(self.n) as usize]).sum();
                *mean = sum / f64::from(self.n);
            }
        }
    }

    fn weigh(&self, counts: &[u32]) -> f64 {
        let sum: f64 = self.values.iter().zip(counts).map(|(v, c)| v * f64::from(*c)).sum();
        sum / f64::from(self.n)
    }
}

/// Random bits by the word.
pub(crate) struct Bits {
    rng: Rng,
    word: u64,
    left: u32,
}

impl Bits {
    pub fn new(rng: Rng) -> Self {
        Self { rng, word: 0, left: 0 }
    }

    /// Ones among `n` fair bits.
    fn ones(&mut self, mut n: u32) -> u32 {
        let mut ones = 0;
        while n >= 64 {
            ones += self.rng.next_u64().count_ones();
            n -= 64;
        }
        if n > self.left {
            ones += self.word.count_ones();
            n -= self.left;
            self.word = self.rng.next_u64();
            self.left = 64;
        }
        if n > 0 {
            ones += (self.word & ((1 << n) - 1)).count_ones();
            self.word = self.word.checked_shr(n).unwrap_or(0);
            self.left -= n;
        }
        ones
    }
}

/// Successes of `n` trials that each succeed with the chance `part`/`whole`, exactly.
pub(crate) fn binomial(bits: &mut Bits, n: u32, part: u32, whole: u32) -> u32 {
    debug_assert!(part <= whole && whole > 0);
    if part == whole {
        return n;
    }
    let (mut open, mut successes) = (n, 0);
    let (mut rest, whole) = (u64::from(part), u64::from(whole));
    while open > 0 && rest > 0 {
        // The next binary digit of part/whole.
        rest *= 2;
        let zeros = bits.ones(open);
        if rest >= whole {
            rest -= whole;
            // A 0 below a 1 decides for success; the others stay undecided.
            successes += zeros;
            open -= zeros;
        } else {
            // A 1 above a 0 decides against it.
            open = zeros;
        }
    }
    successes
}

/// Counts of `draws` draws with replacement from levels that occur `counts` times among `whole`.
pub(crate) fn multinomial(bits: &mut Bits, draws: u32, counts: &[u32], whole: u32, drawn: &mut [u32]) {
    let (mut draws, mut whole) = (draws, whole);
    for (count, slot) in counts.iter().zip(drawn) {
        *slot = if whole == 0 { 0 } else { binomial(bits, draws, *count, whole) };
        draws -= *slot;
        whole -= count;
    }
}

/// Quantile of sorted, non-empty data by linear interpolation (Hyndman and Fan's type 7).
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let (low, high) = (sorted[below], sorted[above]);
    if low.total_cmp(&high).is_eq() {
        // Also between two infinities, where the difference would be no number.
        return low;
    }
    low + (position - below as f64) * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binomials_have_their_distribution() {
        for (n, part, whole) in [(7, 1, 3), (40, 3, 4), (130, 1, 1000), (64, 1, 2), (5, 0, 9), (5, 9, 9)] {
            let mut bits = Bits::new(Seed(9).derive("binomial", u64::from(n)).rng());
            let draws = 40_000;
            let mut seen = vec![0usize; n as usize + 1];
            (0..draws).for_each(|_| seen[binomial(&mut bits, n, part, whole) as usize] += 1);
            let (first, chances) =
                crate::binomial::distribution(n as usize, f64::from(part) / f64::from(whole));
            let mut squares = 0.0;
            let mut cells = 0.0;
            for (k, count) in seen.iter().enumerate() {
                let chance = k.checked_sub(first).and_then(|i| chances.get(i)).copied().unwrap_or(0.0);
                let expected = chance * f64::from(draws);
                if expected >= 10.0 {
                    squares += (*count as f64 - expected).powi(2) / expected;
                    cells += 1.0;
                }
            }
            // A chi-square of c degrees has mean c and standard deviation sqrt(2c).
            assert!(
                squares < cells + 4.0 * f64::sqrt(2.0 * cells),
                "{n} {part}/{whole}: {squares} over {cells}"
            );
        }
    }

    #[test]
    fn a_resample_has_all_its_items() {
        let mut bits = Bits::new(Seed(1).rng());
        let counts = [70, 20, 9, 1];
        let mut total = [0u32; 4];
        for _ in 0..4000 {
            let mut drawn = [0; 4];
            multinomial(&mut bits, 100, &counts, 100, &mut drawn);
            assert_eq!(drawn.iter().sum::<u32>(), 100);
            total.iter_mut().zip(drawn).for_each(|(t, d)| *t += d);
        }
        for (total, count) in total.iter().zip(counts) {
            let expected = 4000.0 * f64::from(count);
            assert!((f64::from(*total) - expected).abs() < 5.0 * expected.sqrt(), "{total} {count}");
        }
    }

    #[test]
    fn threads_do_not_change_a_draw() {
        let sample = Sample::of_levels(vec![(0.0, 900), (1.0, 60), (-1.0, 40)]).unwrap();
        let long = sample.resampled_means(10_000, Seed(3));
        let short = sample.resampled_means(2048, Seed(3));
        assert_eq!(long[..2048], short[..], "the first was drawn by two threads, the second by one");
    }

    #[test]
    fn collapsing_keeps_every_number() {
        let sample = Sample::of(&[1.0, 0.0, 0.0, -1.0, 0.0]).unwrap();
        assert_eq!((sample.values, sample.counts, sample.n), (vec![0.0, -1.0, 1.0], vec![3, 1, 1], 5));
        assert_eq!(Sample::of(&[]), None);
    }
}
