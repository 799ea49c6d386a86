//! A quick look at a policy in training: the same loop as evaluation on a hold-out.

use std::ops::ControlFlow;

use vrrl_harness_core::reward::{judge_finished, Kind, RewardConfig};
use vrrl_harness_core::{
    drive, Action, Constraint, Dialect, End, Example, FeedbackMode, Finished, Sampling, Seed, Settings,
    Start, Turn, View,
};
use vrrl_harness_runner_candle::CandlePolicy;
use vrrl_trainer_codec::Tokenizer;
use vrrl_trainer_model::Network;

use crate::rollout::MAX_TOKENS;
use crate::Error;

/// What a look found; shares of episodes unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Probe {
    /// Final answer right.
    pub accuracy: f64,
    /// First proposal right.
    pub first_accuracy: f64,
    /// Mean turns.
    pub turns: f64,
    /// Share of decisions about a right proposal that committed it.
    pub stop_right: Option<f64>,
    /// Share of decisions about a wrong proposal that committed it.
    pub stop_wrong: Option<f64>,
    /// Share of second proposals, after a wrong first one, that are right.
    pub second_right: Option<f64>,
    /// The same where every wrong first proposal has to be revised: what revising is worth if it is done. Only looks ask.
    pub asked_right: Option<f64>,
    /// Share of these that propose the same again.
    pub asked_same: Option<f64>,
    /// Share of fresh first proposals to the same questions that are right: what drawing once more is worth. Below it,
    /// revising pays less than not looking. Only looks ask.
    pub redrawn_right: Option<f64>,
}

/// Running sums of [`Probe`].
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    n: f64,
    right: f64,
    first: f64,
    turns: f64,
    stops: [[f64; 2]; 2],
    seconds: [f64; 2],
}

impl Tally {
    /// Counts one episode. Not for roll-ins: their prefix would count as their own decisions.
    pub(crate) fn add(&mut self, finished: &Finished<'_>) {
        let judged = judge_finished(finished);
        let score = judged.score(&RewardConfig::default());
        self.n += 1.0;
        self.right += f64::from(u8::from(score.correct));
        self.first += f64::from(u8::from(score.correct_first));
        self.turns += judged.turns().len() as f64;
        let turns = judged.turns();
        for pair in turns.windows(2) {
            let (Some(Kind::Propose), Some((_, verdict))) = (pair[0].kind, pair[0].answer.as_deref()) else {
                continue;
            };
            let stopped = pair[1].kind == Some(Kind::Commit);
            let cell = &mut self.stops[usize::from(verdict.correct())];
            cell[0] += 1.0;
            cell[1] += f64::from(u8::from(stopped));
        }
        let proposals: Vec<bool> = judged.proposals().map(|(_, v)| v.correct()).collect();
        if let [false, second, ..] = proposals[..] {
            self.seconds[0] += 1.0;
            self.seconds[1] += f64::from(u8::from(second));
        }
    }

    pub(crate) fn probe(&self) -> Probe {
        let share = |[n, k]: [f64; 2]| (n > 0.0).then(|| k / n);
        let n = self.n.max(1.0);
        Probe {
            accuracy: self.right / n,
            first_accuracy: self.first / n,
            turns: self.turns / n,
            stop_right: share(self.stops[1]),
            stop_wrong: share(self.stops[0]),
            second_right: share(self.seconds),
            asked_right: None,
            asked_same: None,
            redrawn_right: None,
        }
    }
}

impl Probe {
    /// Named figures for the log, each name behind `prefix`.
    #[must_use]
    pub fn figures(&self, prefix: &str) -> Vec<(String, f64)> {
        let always = [
            ("accuracy", Some(self.accuracy)),
            ("first_accuracy", Some(self.first_accuracy)),
            ("delta_ref", Some(self.accuracy - self.first_accuracy)),
            ("turns", Some(self.turns)),
            ("stop_right", self.stop_right),
            ("stop_wrong", self.stop_wrong),
            ("second_right", self.second_right),
            ("asked_right", self.asked_right),
            ("asked_same", self.asked_same),
            ("redrawn_right", self.redrawn_right),
        ];
        always.into_iter().filter_map(|(name, x)| Some((format!("{prefix}{name}"), x?))).collect()
    }
}

/// Runs every example once at `temperature`; questions whose first proposal is wrong twice more, for one proposal each:
/// behind that proposal, which has to be revised, and from the start.
///
/// # Errors
/// If the policy fails: a fault is never counted as wrong.
pub fn probe(
    network: &Network,
    tokenizer: &Tokenizer,
    dialect: Dialect,
    examples: &[Example],
    seed: Seed,
    temperature: f64,
) -> Result<Probe, Error> {
    let mut policy = CandlePolicy::of(network, tokenizer);
    let settings = |max_turns| Settings {
        dialect,
        max_turns,
        sampling: Sampling { temperature, max_tokens: MAX_TOKENS },
        view: View::Canvas,
        feedback: FeedbackMode::Crop,
        stop_on_repeat: true,
    };
    let start = |name: &str, i: usize| Start::fresh(&examples[i], seed.derive(name, i as u64));
    let mut tally = Tally::default();
    let mut wrong = Vec::new();
    let starts = (0..examples.len()).map(|i| start("probe", i)).collect();
    play(&mut policy, settings(8), starts, &mut |i, finished| {
        tally.add(finished);
        if let Some(turn) =
            finished.turns.first().filter(|turn| proposes(turn, finished.example) == Some(false))
        {
            wrong.push((i, turn.clone()));
        }
    })?;
    // Episodes end in the order of their lengths.
    wrong.sort_unstable_by_key(|(i, _)| *i);
    let share = |right: usize| (!wrong.is_empty()).then(|| right as f64 / wrong.len() as f64);
    let (mut asked, mut same, mut redrawn) = (0, 0, 0);
    let starts = wrong.iter().map(|(i, turn)| Start {
        prefix: vec![turn.clone()],
        constraint: Constraint::MustRevise,
        ..start("asked", *i)
    });
    play(&mut policy, settings(2), starts.collect(), &mut |_, finished| {
        asked += usize::from(last_is_right(finished));
        same += usize::from(finished.end == End::Repeat);
    })?;
    let starts = wrong.iter().map(|(i, _)| start("redrawn", *i)).collect();
    play(&mut policy, settings(1), starts, &mut |_, finished| {
        redrawn += usize::from(last_is_right(finished))
    })?;
    let (asked_right, asked_same, redrawn_right) = (share(asked), share(same), share(redrawn));
    Ok(Probe { asked_right, asked_same, redrawn_right, ..tally.probe() })
}

/// Whether the turn proposes something right; `None` where it proposes nothing.
fn proposes(turn: &Turn, example: &Example) -> Option<bool> {
    match &turn.action {
        Action::Propose(answer) => Some(example.problem.judge(answer).correct()),
        _ => None,
    }
}

fn last_is_right(finished: &Finished<'_>) -> bool {
    finished.turns.last().and_then(|turn| proposes(turn, finished.example)) == Some(true)
}

/// Plays all episodes to their ends.
fn play<'e>(
    policy: &mut CandlePolicy,
    settings: Settings,
    starts: Vec<Start<'e>>,
    done: &mut dyn FnMut(usize, &Finished<'e>),
) -> Result<(), Error> {
    let mut fault = None;
    drive(policy, settings, starts, &mut |i, finished| {
        if finished.fault.is_some() {
            fault = finished.fault;
            return ControlFlow::Break(());
        }
        done(i, &finished);
        ControlFlow::Continue(())
    });
    fault.map_or(Ok(()), |fault| Err(Error::Rollout(fault.to_string())))
}
