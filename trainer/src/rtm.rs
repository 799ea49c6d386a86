//! Random Turn Masking (RTM; section "Random Turn Masking" of the VRRL paper's method).
//!
//! For each on-policy rollout of T turns, k is drawn and only turns k and later carry loss. In expectation
//! turn t (from 1) has weight t/T, so late turns, which decide whether to revise, are not drowned by the
//! first proposal.

use serde::{Deserialize, Serialize};
use vrrl_harness_core::Rng;

use crate::liveness::{self, Liveness};

/// Which numbering k is drawn in. Both give every first kept turn the same chance, 1/T.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turns {
    /// The paper: k uniform in 1..=T, turns counted from 1.
    #[default]
    Paper,
    /// The released code: k uniform in 0..=T−1, 0 = train on everything.
    Code,
}

impl Turns {
    /// The smallest k; there are as many as turns.
    fn least(self) -> usize {
        match self {
            Self::Paper => 1,
            Self::Code => 0,
        }
    }

    /// The first kept turn, from 0, of `k`.
    fn first(self, k: usize) -> usize {
        k - self.least()
    }
}

/// Settings of RTM.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RtmConfig {
    /// Numbering of k.
    pub turns: Turns,
    /// Chance that nothing is masked, instead of 1/T; the other first turns share the rest evenly.
    pub keep_first: Option<f64>,
    /// Never mask the first proposal, whatever k: it otherwise gets a third of plain GRPO's gradient.
    pub spare_first: bool,
}

/// What one rollout trains on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mask {
    /// First kept turn, from 0.
    pub first: usize,
    /// Whether each turn carries loss.
    pub kept: Vec<bool>,
}

impl RtmConfig {
    /// Draws the first kept turn, from 0, of a rollout of `turns` turns; 0 where there is none.
    #[must_use]
    pub fn draw(&self, turns: usize, rng: &mut Rng) -> usize {
        if turns == 0 {
            return 0;
        }
        match self.keep_first {
            Some(chance) if turns == 1 || rng.unit() < chance => 0,
            Some(_) => 1 + rng.index(turns - 1),
            None => self.turns.first(self.turns.least() + rng.index(turns)),
        }
    }

    /// Draws the mask of one rollout whose turns have this many trainable tokens each, and counts it.
    pub fn mask(&self, tokens: &[usize], rng: &mut Rng, counts: &mut RtmCounts) -> Mask {
        let first = self.draw(tokens.len(), rng);
        let kept: Vec<bool> =
            (0..tokens.len()).map(|turn| turn >= first || (self.spare_first && turn == 0)).collect();
        let masked = || kept.iter().zip(tokens).filter(|(kept, _)| !**kept);
        counts.rollouts += 1;
        counts.rollouts_masked += u64::from(masked().next().is_some());
        counts.turns += tokens.len() as u64;
        counts.turns_masked += masked().count() as u64;
        counts.tokens += tokens.iter().sum::<usize>() as u64;
        counts.tokens_masked += masked().map(|(_, tokens)| *tokens as u64).sum::<u64>();
        Mask { first, kept }
    }
}

/// What RTM did so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RtmCounts {
    /// Rollouts seen.
    pub rollouts: u64,
    /// Rollouts of which at least one turn was masked.
    pub rollouts_masked: u64,
    /// Turns seen.
    pub turns: u64,
    /// Turns masked.
    pub turns_masked: u64,
    /// Trainable tokens seen.
    pub tokens: u64,
    /// Tokens masked.
    pub tokens_masked: u64,
}

impl RtmCounts {
    /// Adds these counts under [`liveness::RTM`].
    pub fn report(&self, to: &mut Liveness) {
        for (name, count) in [
            ("rollouts", self.rollouts),
            ("rollouts_masked", self.rollouts_masked),
            ("turns", self.turns),
            ("turns_masked", self.turns_masked),
            ("tokens", self.tokens),
            ("tokens_masked", self.tokens_masked),
        ] {
            to.add(&liveness::RTM, name, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrrl_harness_core::Seed;

    #[test]
    fn turn_t_weighs_t_over_big_t() {
        // Exact enumeration over every k, all equally likely.
        for (form, ks) in [(Turns::Paper, 1..=8usize), (Turns::Code, 0..=7)] {
            for turns in 1..=8usize {
                let ks: Vec<usize> = ks.clone().take(turns).collect();
                assert_eq!(ks[0], form.least());
                for t in 1..=turns {
                    let kept = ks.iter().filter(|k| t > form.first(**k)).count();
                    assert_eq!((kept, ks.len()), (t, turns), "turn {t} of {turns} has weight {t}/{turns}");
                }
            }
        }
        for form in [Turns::Paper, Turns::Code] {
            let config = RtmConfig { turns: form, ..RtmConfig::default() };
            let mut rng = Seed(5).rng();
            let mut hits = [0u32; 4];
            for _ in 0..8000 {
                hits[config.draw(4, &mut rng)] += 1;
            }
            // 2,000 expected each, standard deviation 39.
            assert!(hits.iter().all(|h| h.abs_diff(2000) < 200), "{form:?} {hits:?}");
        }
    }

    #[test]
    fn keep_first_sets_the_chance_of_everything() {
        let config = RtmConfig { keep_first: Some(0.7), ..RtmConfig::default() };
        let mut rng = Seed(6).rng();
        let mut hits = [0u32; 3];
        for _ in 0..10_000 {
            hits[config.draw(3, &mut rng)] += 1;
        }
        // 7000, 1500, 1500; standard deviations 46 and 36.
        assert!(hits[0].abs_diff(7000) < 230 && hits[1].abs_diff(1500) < 180, "{hits:?}");
        for (chance, turns) in [(0.0, 1), (1.0, 5), (0.0, 0)] {
            let config = RtmConfig { keep_first: Some(chance), ..RtmConfig::default() };
            assert_eq!(config.draw(turns, &mut rng), 0);
        }
    }

    #[test]
    fn counts_what_it_masks() {
        let config = RtmConfig { keep_first: Some(0.0), ..RtmConfig::default() };
        let (mut rng, mut counts) = (Seed(1).rng(), RtmCounts::default());
        let mask = config.mask(&[10, 2], &mut rng, &mut counts);
        assert_eq!(mask, Mask { first: 1, kept: vec![false, true] });
        let spared = RtmConfig { spare_first: true, ..config }.mask(&[7, 3], &mut rng, &mut counts);
        assert_eq!(spared, Mask { first: 1, kept: vec![true, true] });
        assert_eq!(config.mask(&[4], &mut rng, &mut counts).kept, [true]);
        let want = RtmCounts {
            rollouts: 3,
            rollouts_masked: 1,
            turns: 5,
            turns_masked: 1,
            tokens: 26,
            tokens_masked: 10,
        };
        assert_eq!(counts, want);
        let mut liveness = Liveness::default();
        counts.report(&mut liveness);
        assert!(liveness.complaints(&[&liveness::RTM]).is_empty());
    }

    #[test]
    fn the_last_turn_is_always_kept() {
        let (mut rng, mut counts) = (Seed(2).rng(), RtmCounts::default());
        for turns in 1..9 {
            for _ in 0..50 {
                let mask = RtmConfig::default().mask(&vec![1; turns], &mut rng, &mut counts);
                assert_eq!(mask.kept.last(), Some(&true));
                assert_eq!(mask.kept.iter().position(|kept| *kept), Some(mask.first));
            }
        }
    }
}
