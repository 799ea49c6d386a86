//! The arithmetic of GRPO, in `f64` and without tensors: advantages, the clipped loss of one token with its
//! gradient, token weights, the online filter, the learning rate.
//!
//! Sources: group advantage, asymmetric clip, dual clip and token mean as in section 5 of the VRRL paper's
//! training recipe (GRPO, after DAPO and dual-clip PPO); k3 from Schulman's note on estimating KL. A network
//! needs only [`TokenLoss::grad`], the derivative with respect to the log-probability of the sampled token.

use serde::{Deserialize, Serialize};

/// Group advantages A = (r − mean) / (sample standard deviation + `floor`), one per reward.
///
/// `floor` is 1e-6 in the paper; .1 keeps a small shaping bonus from being blown up to a full-size advantage.
/// A group without variance, or with fewer than two members, has advantage 0 throughout.
#[must_use]
pub fn group_advantages(rewards: &[f64], floor: f64) -> Vec<f64> {
    let spread =
        rewards.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), r| (low.min(*r), high.max(*r)));
    // Compared by range: rounding in the mean of equal rewards must not become a signal.
    if rewards.len() < 2 || spread.1 - spread.0 <= 0.0 {
        return vec![0.0; rewards.len()];
    }
    let average = mean(rewards).unwrap_or(0.0);
    let squares: f64 = rewards.iter().map(|r| (r - average).powi(2)).sum();
    let deviation = (squares / (rewards.len() - 1) as f64).sqrt();
    rewards.iter().map(|r| (r - average) / (deviation + floor)).collect()
}

/// Arithmetic mean; `None` of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The constants of the token loss.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clip {
    /// The ratio is clipped below at 1 − `low`.
    pub low: f64,
    /// The ratio is clipped above at 1 + `high`.
    pub high: f64,
    /// With a negative advantage the loss is at most `dual`·|A| (dual clip); above 1 + `high`.
    pub dual: f64,
    /// Weight of the KL term.
    pub kl: f64,
}

impl Default for Clip {
    /// The paper's: 0.2, 0.3, 3, 0.01.
    fn default() -> Self {
        Self { low: 0.2, high: 0.3, dual: 3.0, kl: 0.01 }
    }
}

/// The loss of one token, to be minimised, and what the log should know about it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TokenLoss {
    /// Policy term plus `clip.kl`·`kl`.
    pub loss: f64,
    /// d loss / d new log-probability.
    pub grad: f64,
    /// Whether a clip took the policy term's gradient away.
    pub clipped: bool,
    /// k3 against the reference, before its weight; never negative.
    pub kl: f64,
    /// exp(new − old).
    pub ratio: f64,
}

/// The loss of one sampled token from its log-probabilities (natural logarithms, at most 0) under the policy
/// being trained (`new`), the policy that sampled it (`old`) and the frozen `reference`.
///
/// Policy term: max(−A·ρ, −A·clamp(ρ, 1 − low, 1 + high)) with ρ = exp(new − old); for A < 0 at most −A·dual.
/// KL term: k3 = exp(reference − new) − (reference − new) − 1, see [`k3`].
#[must_use]
pub fn token_loss(new: f64, old: f64, reference: f64, advantage: f64, clip: &Clip) -> TokenLoss {
    let ratio = (new - old).exp();
    let (policy, slope, clipped) = if advantage > 0.0 && ratio > 1.0 + clip.high {
        (-advantage * (1.0 + clip.high), 0.0, true)
    } else if advantage < 0.0 && ratio < 1.0 - clip.low {
        (-advantage * (1.0 - clip.low), 0.0, true)
    } else if advantage < 0.0 && ratio > clip.dual {
        (-advantage * clip.dual, 0.0, true)
    } else {
        (-advantage * ratio, -advantage * ratio, false)
    };
    let (kl, kl_slope) = k3(new, reference);
    TokenLoss { loss: policy + clip.kl * kl, grad: slope + clip.kl * kl_slope, clipped, kl, ratio }
}

/// Above this log-ratio k3 goes on as its tangent, so that one token that the policy has all but unlearnt
/// cannot own the whole gradient or overflow it.
const K3_LINEAR: f64 = 10.0;

/// The k3 ("low variance") estimate of KL(new ‖ reference) at one sampled token, and its derivative with
/// respect to `new`. Exact up to reference − new = 10, its tangent from there on.
#[must_use]
pub fn k3(new: f64, reference: f64) -> (f64, f64) {
    let gap = reference - new;
    let edge = gap.min(K3_LINEAR).exp();
    let value = edge * (1.0 + (gap - K3_LINEAR).max(0.0)) - gap - 1.0;
    // Near 0 the difference of near-equal numbers can round below 0.
    (value.max(0.0), 1.0 - edge)
}

/// How the tokens of on-policy and of buffer episodes are averaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenMean {
    /// One mean each, weighed ρ and 1 − ρ: the literal reading of J = ρ·J_RTM + (1 − ρ)·J_buffer.
    #[default]
    Separate,
    /// One mean over all tokens. The mostly mixed buffer groups then swamp the few mixed on-policy ones.
    Pooled,
}

/// The weight of one token's loss in the step's loss, by where its episode started.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TokenWeights {
    /// Of a token of an episode that started at the question.
    pub on_policy: f64,
    /// Of a token of an episode that was rolled in from the buffer.
    pub buffer: f64,
}

/// Token weights for a step with this many unmasked tokens of each kind; `rho` is the on-policy share.
///
/// If one kind has no token, the other has the whole weight; all weights of a step with any token sum to 1.
#[must_use]
pub fn token_means(on_policy: usize, buffer: usize, rho: f64, how: TokenMean) -> TokenWeights {
    let share = |weight: f64, tokens: usize| if tokens == 0 { 0.0 } else { weight / tokens as f64 };
    let (rho, rest) = match (on_policy, buffer) {
        (_, 0) => (1.0, 0.0),
        (0, _) => (0.0, 1.0),
        _ => (rho, 1.0 - rho),
    };
    match how {
        TokenMean::Separate => TokenWeights { on_policy: share(rho, on_policy), buffer: share(rest, buffer) },
        TokenMean::Pooled => {
            let all = on_policy + buffer;
            TokenWeights {
                on_policy: if on_policy == 0 { 0.0 } else { share(1.0, all) },
                buffer: if buffer == 0 { 0.0 } else { share(1.0, all) },
            }
        }
    }
}

/// Online filtering: whether a group with this mean reward still teaches. Groups at or below `low` (paper .01)
/// and at or above `high` (paper .99) are dropped and refilled.
#[must_use]
pub fn keep_group(mean_reward: f64, low: f64, high: f64) -> bool {
    mean_reward > low && mean_reward < high
}

/// A linear learning-rate schedule.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Schedule {
    /// The highest rate.
    pub peak: f64,
    /// Steps of linear warm-up; the first step has `peak` / `warmup`.
    pub warmup: usize,
    /// All steps, warm-up included.
    pub steps: usize,
    /// The last step's rate as a fraction of `peak`; 1 is a constant rate.
    pub last: f64,
}

impl Schedule {
    /// The rate of `step`, counted from 0. Past the end it stays at the last rate.
    #[must_use]
    pub fn rate(&self, step: usize) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        // The last step has the last rate; a single step after warm-up has nothing to decay over.
        let span = self.steps.saturating_sub(self.warmup + 1).max(1);
        let done = ((step - self.warmup) as f64 / span as f64).min(1.0);
        self.peak * (1.0 - done * (1.0 - self.last))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(a: f64, b: f64, tolerance: f64) -> bool {
        (a - b).abs() <= tolerance * (1.0 + b.abs())
    }

    #[test]
    fn advantages_use_the_sample_deviation() {
        // By hand: mean .5, sample deviation sqrt(1/3) = .5773502691896258 (population would be .5).
        let got = group_advantages(&[1.0, 0.0, 1.0, 0.0], 1e-6);
        let want = 0.5 / (0.577_350_269_189_625_8 + 1e-6);
        for (a, sign) in got.iter().zip([1.0, -1.0, 1.0, -1.0]) {
            assert!(close(*a, sign * want, 1e-14));
        }
        // One right of eight: mean .125, deviation sqrt(.875/7) = .3535533905932738.
        let mut rewards = [0.0; 8];
        rewards[3] = 1.0;
        let got = group_advantages(&rewards, 1e-6);
        assert!(close(got[3], 2.474_866_734, 1e-8) && close(got[0], -0.353_552_390_6, 1e-8));
    }

    #[test]
    fn a_floor_keeps_small_spreads_small() {
        // Rewards 1 and 1.02: deviation .0141421; the paper's floor makes ±.707 of it, a floor of .1 ±.0876.
        let got = |floor| group_advantages(&[1.0, 1.02], floor)[1];
        assert!(close(got(1e-6), 0.707_056_784, 1e-6));
        assert!(close(got(0.1), 0.01 / 0.114_142_135_623_73, 1e-9));
    }

    #[test]
    fn groups_without_variance_teach_nothing() {
        // .1 eight times: the mean rounds, so a naive formula gives a tiny deviation over a tiny floor.
        for rewards in [vec![0.1; 8], vec![0.7; 3], vec![1.0], vec![]] {
            assert!(group_advantages(&rewards, 1e-6).iter().all(|a| a.abs() <= 0.0), "{rewards:?}");
        }
    }

    /// (log ratio, advantage) → (policy loss, gradient, clipped), by hand from the formula.
    #[test]
    fn the_clip_table() {
        let clip = Clip { kl: 0.0, ..Clip::default() };
        let e = std::f64::consts::E;
        let table = [
            (0.0, 1.0, -1.0, -1.0, false),
            (0.0, -2.0, 2.0, 2.0, false),
            (0.0, 0.0, 0.0, 0.0, false),
            (1.25f64.ln(), 1.0, -1.25, -1.25, false), // inside the wider upper side
            (1.5f64.ln(), 1.0, -1.3, 0.0, true),
            (0.5f64.ln(), 1.0, -0.5, -0.5, false), // the pessimistic side keeps its gradient
            (0.5f64.ln(), -1.0, 0.8, 0.0, true),
            (0.9f64.ln(), -1.0, 0.9, 0.9, false),
            (1.0, -1.0, e, e, false),            // 2.718 < 3: not yet dual-clipped
            (4.0f64.ln(), -1.5, 4.5, 0.0, true), // dual clip: 3 · 1.5
        ];
        for (log_ratio, advantage, loss, grad, clipped) in table {
            let got = token_loss(-2.0 + log_ratio, -2.0, -3.0, advantage, &clip);
            assert!(
                close(got.loss, loss, 1e-12) && close(got.grad, grad, 1e-12),
                "{log_ratio} {advantage}: {got:?}"
            );
            assert_eq!(got.clipped, clipped, "{log_ratio} {advantage}");
            assert!(close(got.ratio, log_ratio.exp(), 1e-12));
        }
    }

    #[test]
    fn k3_by_hand() {
        // reference − new = ln 2: 2 − ln 2 − 1 = .3068528; −ln 2: .5 + ln 2 − 1 = .1931472.
        let ln2 = std::f64::consts::LN_2;
        let (value, slope) = k3(-1.0 - ln2, -1.0);
        assert!(close(value, 0.306_852_819_440_054_7, 1e-12) && close(slope, -1.0, 1e-12));
        let (value, slope) = k3(-1.0, -1.0 - ln2);
        assert!(close(value, 0.193_147_180_559_945_3, 1e-12) && close(slope, 0.5, 1e-12));
        assert_eq!(k3(-0.3, -0.3), (0.0, 0.0));
        let far = token_loss(-800.0, -800.0, -0.1, 0.0, &Clip::default());
        assert!(far.loss.is_finite() && far.grad.is_finite() && far.grad < 0.0);
    }

    proptest! {
        #[test]
        fn gradients_match_finite_differences(
            old in -6.0..-0.01f64, drift in -2.0..2.0f64, gap in -14.0..14.0f64, advantage in -3.0..3.0f64
        ) {
            let clip = Clip { kl: 0.05, ..Clip::default() };
            let new = old + drift;
            let loss = |x: f64| token_loss(x, old, new + gap, advantage, &clip);
            let step = 1e-5;
            // Skip the kinks, where no derivative exists.
            let ratio = drift.exp();
            prop_assume!([0.8, 1.3, 3.0].iter().all(|kink| (ratio / kink).ln().abs() > 3.0 * step));
            prop_assume!((gap - K3_LINEAR).abs() > 3.0 * step);
            let numeric = (loss(new + step).loss - loss(new - step).loss) / (2.0 * step);
            prop_assert!(close(loss(new).grad, numeric, 1e-5), "{} {numeric}", loss(new).grad);
        }

        #[test]
        fn k3_is_never_negative(new in -20.0..0.0f64, reference in -20.0..0.0f64) {
            prop_assert!(k3(new, reference).0 >= 0.0);
        }

        #[test]
        fn advantages_sum_to_nothing_and_keep_order(rewards in prop::collection::vec(0.0..1.1f64, 2..12)) {
            let got = group_advantages(&rewards, 0.1);
            prop_assert!(got.iter().sum::<f64>().abs() < 1e-9);
            for (i, j) in (0..rewards.len()).zip(1..rewards.len()) {
                prop_assert!(rewards[i] > rewards[j] || got[i] <= got[j]);
            }
        }

        #[test]
        fn weights_sum_to_one(on in 0..50usize, buffer in 0..50usize, rho in 0.0..=1.0f64, pooled: bool) {
            prop_assume!(on + buffer > 0);
            let w = token_means(on, buffer, rho, if pooled { TokenMean::Pooled } else { TokenMean::Separate });
            prop_assert!(close(w.on_policy * on as f64 + w.buffer * buffer as f64, 1.0, 1e-12));
        }
    }

    #[test]
    fn separate_means_do_not_depend_on_the_other_kind() {
        let w = |on, buffer, how| {
            let w = token_means(on, buffer, 2.0 / 3.0, how);
            (w.on_policy, w.buffer)
        };
        let (a, b) = w(10, 40, TokenMean::Separate);
        assert!(close(a, 2.0 / 30.0, 1e-12) && close(b, 1.0 / 120.0, 1e-12));
        assert!(close(w(10, 400, TokenMean::Separate).0, a, 1e-12));
        assert_eq!(w(10, 40, TokenMean::Pooled), (0.02, 0.02));
        assert_eq!(w(10, 0, TokenMean::Separate), (0.1, 0.0));
        assert_eq!(w(0, 4, TokenMean::Separate), (0.0, 0.25));
        assert_eq!(w(0, 0, TokenMean::Pooled), (0.0, 0.0));
    }

    #[test]
    fn the_filter_is_open_at_both_ends() {
        let kept = |r| keep_group(r, 0.01, 0.99);
        assert_eq!(
            [0.0, 0.01, 0.02, 0.5, 0.98, 0.99, 1.05].map(kept),
            [false, false, true, true, true, false, false]
        );
    }

    #[test]
    fn the_rate_warms_up_and_decays() {
        let schedule = Schedule { peak: 1.0, warmup: 2, steps: 7, last: 0.2 };
        let want = [0.5, 1.0, 1.0, 0.8, 0.6, 0.4, 0.2, 0.2];
        for (step, want) in want.into_iter().enumerate() {
            assert!(close(schedule.rate(step), want, 1e-12), "{step}: {}", schedule.rate(step));
        }
        let constant = Schedule { peak: 3e-4, warmup: 0, steps: 10, last: 1.0 };
        assert!((0..12).all(|step| close(constant.rate(step), 3e-4, 1e-12)));
        assert!(close(Schedule { peak: 1.0, warmup: 0, steps: 1, last: 0.1 }.rate(0), 1.0, 1e-12));
    }
}
