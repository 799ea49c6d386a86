//! The state machine of one attempt.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::language::{Dialect, Parsed};
use crate::{
    Answer, Constraint, End, Example, Fault, FeedbackMode, Observation, Reply, Sampling, Seed, Shown, Start,
    TaskKind, View,
};

/// What holds for every episode of a run.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// Turn language.
    pub dialect: Dialect,
    /// Most turns, commit included.
    pub max_turns: usize,
    /// Sampling.
    pub sampling: Sampling,
    /// Which picture the policy sees.
    pub view: View,
    /// How much of the picture feedback shows.
    pub feedback: FeedbackMode,
    /// Also end a maze episode at a repeated proposal (grounding always does). Rollouts set it: such an
    /// episode has failed the format already and earns nothing.
    pub stop_on_repeat: bool,
}

/// What a parsed reply did.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Proposed this.
    Propose(Answer),
    /// Committed this; `None` where the commit's list did not parse or there was nothing to repeat.
    Commit(Option<Answer>),
    /// Did not parse.
    Malformed,
}

/// One observation and the reply to it.
#[derive(Clone, Debug)]
pub struct Turn {
    /// What was seen.
    pub observation: Observation,
    /// What came back.
    pub reply: Reply,
    /// What it did.
    pub action: Action,
}

/// An attempt under way. [`Episode::apply`] consumes it, so stepping past the end cannot be written.
#[derive(Clone, Debug)]
pub struct Episode<'e> {
    example: &'e Example,
    settings: Settings,
    seed: Seed,
    shown: Shown<'e>,
    constraint: Constraint,
    turns: Vec<Turn>,
    observation: Observation,
}

/// What [`Episode::apply`] leads to.
pub enum Step<'e> {
    /// Another reply is wanted.
    Open(Episode<'e>),
    /// The attempt is over.
    Done(Finished<'e>),
}

/// A finished attempt, in memory. Its record on disk is [`crate::Trace`]; with the replies' tokens it is the
/// training sample.
#[derive(Clone, Debug)]
pub struct Finished<'e> {
    /// The example.
    pub example: &'e Example,
    /// Turn language it was held in.
    pub dialect: Dialect,
    /// All turns.
    pub turns: Vec<Turn>,
    /// Why it ended.
    pub end: End,
    /// The fault, if that is why.
    pub fault: Option<Fault>,
}

impl<'e> Episode<'e> {
    /// Starts at the question, or after the start's prefix: the next reply then obeys its constraint.
    ///
    /// # Panics
    /// If there is a prefix and its last turn is not a proposal: a roll-in ends right before the commit.
    #[must_use]
    pub fn new(start: Start<'e>, settings: Settings) -> Self {
        let Start { example, seed, shown, prefix, constraint } = start;
        let observation = match prefix.last() {
            None => Observation {
                image: Some(Arc::new(example.problem.observe(settings.view))),
                text: Some(example.problem.question()),
                packed: None,
            },
            Some(Turn { action: Action::Propose(answer), .. }) => {
                shown.observation(example, answer, (settings.view, settings.feedback), seed)
            }
            Some(_) => panic!("a roll-in prefix ends with a proposal"),
        };
        let constraint = if prefix.is_empty() { Constraint::Free } else { constraint };
        Self { example, settings, seed, shown, constraint, turns: prefix, observation }
    }

    /// The example.
    #[must_use]
    pub fn example(&self) -> &'e Example {
        self.example
    }

    /// Turns so far.
    #[must_use]
    pub fn history(&self) -> &[Turn] {
        &self.turns
    }

    /// Gives up the pixels of everything that was seen.
    #[must_use]
    pub(crate) fn packed(mut self) -> Self {
        self.turns.iter_mut().map(|turn| &mut turn.observation).for_each(Observation::pack);
        self.observation.pack();
        self
    }

    /// What is seen now.
    #[must_use]
    pub fn observation(&self) -> &Observation {
        &self.observation
    }

    /// What the next reply may not do.
    #[must_use]
    pub fn constraint(&self) -> Constraint {
        self.constraint
    }

    /// Sampling seed of the next reply.
    #[must_use]
    pub fn reply_seed(&self) -> Seed {
        self.seed.derive("turn", self.turns.len() as u64)
    }

    /// What is seen after the proposal `answer`.
    fn feedback(&self, answer: &Answer) -> Observation {
        let Settings { view, feedback, .. } = self.settings;
        self.shown.observation(self.example, answer, (view, feedback), self.seed)
    }

    /// Takes the next reply.
    #[must_use]
    pub fn apply(mut self, reply: Result<Reply, Fault>) -> Step<'e> {
        let reply = match reply {
            Ok(reply) => reply,
            Err(fault) => {
                let (example, dialect, turns) = (self.example, self.settings.dialect, self.turns);
                // A replay that ran out is an end like the turn limit, not a transport fault.
                let script_end = fault.kind == Fault::SCRIPT_END;
                let end = if script_end { End::ScriptEnd } else { End::Fault };
                let fault = (!script_end).then_some(fault);
                return Step::Done(Finished { example, dialect, turns, end, fault });
            }
        };
        let action = match self.settings.dialect.parse(&reply.text, self.example.task()) {
            Parsed::Propose { answer: Some(answer), .. } => Action::Propose(answer),
            Parsed::Commit { answer, bare, .. } => {
                Action::Commit(if bare { last_proposal(&self.turns) } else { answer })
            }
            Parsed::Propose { answer: None, .. } | Parsed::Malformed => Action::Malformed,
        };
        let cut = reply.cut;
        let end = match &action {
            Action::Malformed if cut => Some(End::Length),
            Action::Malformed | Action::Commit(None) => Some(End::Malformed),
            Action::Commit(Some(_)) => Some(End::Commit),
            Action::Propose(answer) => {
                let repeats =
                    self.turns.iter().any(|t| matches!(&t.action, Action::Propose(a) if a == answer));
                let stops = self.settings.stop_on_repeat || self.example.task() != TaskKind::Maze;
                if repeats && stops {
                    Some(End::Repeat)
                } else if self.turns.len() + 1 >= self.settings.max_turns {
                    Some(End::TurnLimit)
                } else {
                    None
                }
            }
        };
        let next = match (&action, end) {
            (Action::Propose(answer), None) => Some(self.feedback(answer)),
            _ => None,
        };
        let observation = std::mem::take(&mut self.observation);
        self.turns.push(Turn { observation, reply, action });
        self.constraint = Constraint::Free;
        match (next, end) {
            (Some(observation), _) => {
                self.observation = observation;
                Step::Open(self)
            }
            (None, end) => Step::Done(Finished {
                example: self.example,
                dialect: self.settings.dialect,
                turns: self.turns,
                end: end.unwrap_or(End::TurnLimit),
                fault: None,
            }),
        }
    }
}

/// The last proposal among `turns`.
pub(crate) fn last_proposal(turns: &[Turn]) -> Option<Answer> {
    turns.iter().rev().find_map(|turn| match &turn.action {
        Action::Propose(answer) => Some(answer.clone()),
        _ => None,
    })
}
