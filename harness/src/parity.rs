//! The same examples through two policies that ought to be one: the same weights in two engines, say.
//!
//! Each holds its episodes on its own first, which gives accuracy and speed. Then B is asked for every turn of A's
//! episodes with A's history before it, so that one early difference does not make all later turns incomparable;
//! within a turn, log-probabilities are compared up to the first token in which the replies differ.

use std::ops::ControlFlow;
use std::time::Instant;

use serde::Serialize;
use vrrl_harness_core::reward::{judge_turns, RewardConfig};
use vrrl_harness_core::{
    drive, Constraint, End, Fault, Finished, Policy, PolicyInfo, Reply, Request, Sampling, Settings, Start,
    View, FORMAT,
};
use vrrl_harness_stats::{paired_interval, wilson, Difference, Estimate, Pairs};

use crate::record::episode_seed;
use crate::{Error, EvalConfig, EvalSplit, Result};

/// Level of the intervals.
const LEVEL: f64 = 0.95;

/// What two policies have in common.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Parity {
    /// Format of this object.
    pub format: u32,
    /// The first policy, on its own.
    pub a: Side,
    /// The second, on its own.
    pub b: Side,
    /// Episodes of A.
    pub episodes: usize,
    /// Turns of A, each asked of B with A's history.
    pub turns: usize,
    /// Turns in which both replied with the same tokens.
    pub turns_equal: usize,
    /// Their share.
    pub share_equal: f64,
    /// Pictures seen by both after equal replies.
    pub pictures: usize,
    /// Of these, equal in every pixel.
    pub pictures_equal: usize,
    /// Tokens whose log-probabilities were compared.
    pub tokens_compared: usize,
    /// Largest difference of a token's log-probability; absent where a policy has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_log_prob_difference: Option<f64>,
    /// Where that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_at: Option<Place>,
    /// The first turn in which they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_divergence: Option<Divergence>,
    /// Accuracy of B − accuracy of A over episodes that both finished, each on its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy_difference: Option<Difference>,
    /// How often B replies in the time in which A replies once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed_ratio: Option<f64>,
}

/// One policy on its own.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Side {
    /// What it is, engine included.
    pub policy: PolicyInfo,
    /// Final answers right (Wilson).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Estimate>,
    /// Episodes that a fault ended.
    pub faults: usize,
    /// Replies.
    pub replies: usize,
    /// Tokens written.
    pub tokens: u64,
    /// Seconds spent replying, pictures encoded included, rendering not.
    pub seconds: f64,
    /// Tokens written a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
}

/// One token of one turn.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// Full name of the split.
    pub split: String,
    /// Example.
    pub id: String,
    /// Turn, from 1.
    pub turn: usize,
    /// Token within the reply, from 1.
    pub token: usize,
}

/// Two replies to the same history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Divergence {
    /// Where they part.
    #[serde(flatten)]
    pub place: Place,
    /// What A replied.
    pub a: String,
    /// What B replied, or why it did not.
    pub b: String,
}

/// Compares two policies on the examples of some splits. `config` says how they are asked; repeats and controls do
/// not apply.
///
/// # Errors
/// If they look at different pictures, or there is nothing to ask.
pub fn parity(
    a: &mut dyn Policy,
    b: &mut dyn Policy,
    splits: &[EvalSplit],
    config: &EvalConfig,
) -> Result<Parity> {
    config.validate()?;
    if a.view() != b.view() {
        return Err(Error::Input(format!(
            "{} looks at {} pictures and {} at {} ones: their replies cannot be compared",
            a.info().name,
            view(a.view()),
            b.info().name,
            view(b.view())
        )));
    }
    let settings = Settings {
        dialect: config.dialect,
        max_turns: config.max_turns,
        sampling: Sampling { temperature: config.temperature, max_tokens: config.max_tokens },
        view: a.view(),
        feedback: config.feedback,
        stop_on_repeat: false,
    };
    let (mut all_a, mut all_b) = (Timed::new(a), Timed::new(b));
    let mut found = Tally::default();
    for split in splits {
        let examples = split.selected(config);
        let starts =
            || examples.iter().map(|e| Start::fresh(e, episode_seed(config.seed, &split.name, &e.id, 0)));
        let run = |policy: &mut Timed<'_>| {
            let mut ended: Vec<Option<Finished<'_>>> = vec![None; examples.len()];
            drive(policy, settings, starts(), &mut |index, finished| {
                ended[index] = Some(finished);
                ControlFlow::Continue(())
            });
            ended.into_iter().flatten().collect::<Vec<_>>()
        };
        let (ended_a, ended_b) = (run(&mut all_a), run(&mut all_b));
        found.alone(&ended_a, &ended_b);
        found.forced(all_b.inner, split, &ended_a, (settings, config.seed));
    }
    if found.turns == 0 {
        return Err(Error::NothingRan("A replied to nothing".into()));
    }
    let (a, b) = (all_a.side(found.right_a(), found.faults[0]), all_b.side(found.right_b(), found.faults[1]));
    let speed = (b.seconds > 0.0 && a.seconds > 0.0 && a.replies > 0)
        .then(|| b.replies as f64 / b.seconds / (a.replies as f64 / a.seconds));
    Ok(Parity {
        format: FORMAT,
        a,
        b,
        episodes: found.episodes,
        turns: found.turns,
        turns_equal: found.equal,
        share_equal: found.equal as f64 / found.turns as f64,
        pictures: found.pictures,
        pictures_equal: found.pictures_equal,
        tokens_compared: found.tokens,
        max_log_prob_difference: found.max.as_ref().map(|(difference, _)| *difference),
        max_at: found.max.map(|(_, place)| place),
        first_divergence: found.first,
        accuracy_difference: paired_interval(&Pairs::count(found.outcomes), LEVEL),
        speed_ratio: speed,
    })
}

fn view(view: View) -> &'static str {
    match view {
        View::Crisp => "crisp",
        View::Canvas => "canvas",
    }
}

/// Counts while splits are gone through.
#[derive(Default)]
struct Tally {
    episodes: usize,
    turns: usize,
    equal: usize,
    pictures: usize,
    pictures_equal: usize,
    tokens: usize,
    max: Option<(f64, Place)>,
    first: Option<Divergence>,
    /// Right in A, right in B, for each episode without faults.
    outcomes: Vec<(bool, bool)>,
    faults: [usize; 2],
}

impl Tally {
    fn right_a(&self) -> Option<Estimate> {
        wilson(self.outcomes.iter().filter(|(a, _)| *a).count(), self.outcomes.len())
    }

    fn right_b(&self) -> Option<Estimate> {
        wilson(self.outcomes.iter().filter(|(_, b)| *b).count(), self.outcomes.len())
    }

    /// What both did, each on its own.
    fn alone(&mut self, a: &[Finished<'_>], b: &[Finished<'_>]) {
        for (a, b) in a.iter().zip(b) {
            self.episodes += 1;
            for (faults, side) in self.faults.iter_mut().zip([a, b]) {
                *faults += usize::from(side.end == End::Fault);
            }
            if a.end != End::Fault && b.end != End::Fault {
                self.outcomes.push((correct(a), correct(b)));
            }
            for (x, y) in a.turns.iter().zip(&b.turns) {
                self.pictures += 1;
                self.pictures_equal += usize::from(x.observation.image == y.observation.image);
                if x.reply.text != y.reply.text {
                    break;
                }
            }
        }
    }

    /// Every turn of A's episodes, asked of B with A's history.
    fn forced(
        &mut self,
        b: &mut dyn Policy,
        split: &EvalSplit,
        episodes: &[Finished<'_>],
        (settings, seed): (Settings, u64),
    ) {
        for group in episodes.chunks(b.slots().max(1)) {
            let longest = group.iter().map(|e| e.turns.len()).max().unwrap_or(0);
            for t in 0..longest {
                let open: Vec<usize> = (0..group.len()).filter(|&i| group[i].turns.len() > t).collect();
                let requests: Vec<Request<'_>> = open
                    .iter()
                    .map(|&i| Request {
                        episode: i as u64,
                        example: group[i].example,
                        history: &group[i].turns[..t],
                        observation: &group[i].turns[t].observation,
                        dialect: settings.dialect,
                        seed: episode_seed(seed, &split.name, &group[i].example.id, 0)
                            .derive("turn", t as u64),
                        sampling: settings.sampling,
                        constraint: Constraint::Free,
                    })
                    .collect();
                let replies = b.respond(&requests);
                for (&i, reply) in open.iter().zip(replies) {
                    let place = |token| Place {
                        split: split.name.clone(),
                        id: group[i].example.id.clone(),
                        turn: t + 1,
                        token,
                    };
                    if !self.turn(&group[i].turns[t].reply, &reply, &place) || reply.is_err() {
                        // What it remembers of this episode is its own reply, not A's.
                        b.release(i as u64);
                    }
                }
            }
            (0..group.len()).for_each(|i| b.release(i as u64));
        }
    }

    /// One turn of both; whether they are equal.
    fn turn(
        &mut self,
        a: &Reply,
        b: &std::result::Result<Reply, Fault>,
        place: &dyn Fn(usize) -> Place,
    ) -> bool {
        self.turns += 1;
        let Ok(b) = b else {
            let why = b.as_ref().err().map(ToString::to_string).unwrap_or_default();
            self.first.get_or_insert_with(|| Divergence { place: place(1), a: a.text.clone(), b: why });
            return false;
        };
        let (equal, common) = match (&a.tokens, &b.tokens) {
            (Some(x), Some(y)) => {
                let common = x.ids.iter().zip(&y.ids).take_while(|(x, y)| x == y).count();
                for at in 0..common {
                    let difference = f64::from((x.log_probs[at] - y.log_probs[at]).abs());
                    self.tokens += 1;
                    if self.max.as_ref().is_none_or(|(max, _)| difference > *max) {
                        self.max = Some((difference, place(at + 1)));
                    }
                }
                (x.ids == y.ids, common)
            }
            _ => (a.text == b.text, 0),
        };
        self.equal += usize::from(equal);
        if !equal && self.first.is_none() {
            self.first = Some(Divergence { place: place(common + 1), a: a.text.clone(), b: b.text.clone() });
        }
        equal
    }
}

fn correct(episode: &Finished<'_>) -> bool {
    let texts: Vec<&str> = episode.turns.iter().map(|turn| turn.reply.text.as_str()).collect();
    let problem = &*episode.example.problem;
    judge_turns(problem, episode.dialect, &texts).score(&RewardConfig::default()).correct
}

/// A policy with a clock beside it.
struct Timed<'p> {
    inner: &'p mut dyn Policy,
    seconds: f64,
    replies: usize,
    tokens: u64,
}

impl<'p> Timed<'p> {
    fn new(inner: &'p mut dyn Policy) -> Self {
        Self { inner, seconds: 0.0, replies: 0, tokens: 0 }
    }

    fn side(&self, accuracy: Option<Estimate>, faults: usize) -> Side {
        Side {
            policy: self.inner.info(),
            accuracy,
            faults,
            replies: self.replies,
            tokens: self.tokens,
            seconds: self.seconds,
            tokens_per_second: (self.seconds > 0.0).then(|| self.tokens as f64 / self.seconds),
        }
    }
}

impl Policy for Timed<'_> {
    fn info(&self) -> PolicyInfo {
        self.inner.info()
    }

    fn view(&self) -> View {
        self.inner.view()
    }

    fn slots(&self) -> usize {
        self.inner.slots()
    }

    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<std::result::Result<Reply, Fault>> {
        let begun = Instant::now();
        let replies = self.inner.respond(requests);
        self.seconds += begun.elapsed().as_secs_f64();
        for reply in replies.iter().flatten() {
            self.replies += 1;
            self.tokens += reply.completion_tokens;
        }
        replies
    }

    fn release(&mut self, episode: u64) {
        self.inner.release(episode);
    }
}
