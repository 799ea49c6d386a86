//! Rewards: turns to named components to one scalar, and the scores beside it.
//!
//! One judge serves training, evaluation and recorded turns: [`judge_turns`] reads the texts of one episode
//! (sections 3, 3.1 and 4 of the `vrrl` specification), [`Judged::reward`] and [`Judged::score`] turn what
//! it saw into numbers under a [`RewardConfig`]. Scores are reported; a reward never is.
//!
#![doc = include_str!("presets.md")]

mod config;
mod format;
mod score;
mod shape;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::language::{is_blank, Dialect, Parsed};
use crate::{Answer, Finished, Problem, TaskKind, Truth, Verdict};

pub use config::{Outcome, RewardConfig, RewardSet, PRESETS};
pub use score::{Reward, Score};

/// What a turn that parsed does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Proposes.
    Propose,
    /// Commits.
    Commit,
}

/// One turn that was not blank.
#[derive(Clone, PartialEq, Debug)]
pub struct JudgedTurn {
    /// What it does; `None` where no tag says.
    pub kind: Option<Kind>,
    /// Its answer and the task's verdict on it; `None` where the body did not parse or a bare commit had
    /// nothing to repeat.
    /// A bare commit shares its proposal's: a hostile transcript repeats a long one as often as it likes.
    pub answer: Option<Arc<(Answer, Verdict)>>,
    /// Whether it reasons.
    pub thinks: bool,
}

/// An episode's turns, parsed and judged.
#[derive(Clone, PartialEq, Debug)]
pub struct Judged {
    task: TaskKind,
    dialect: Dialect,
    turns: Vec<JudgedTurn>,
    /// Grounding: the truth decides by itself what is right (a box, or a tolerance of its own).
    decided: bool,
}

/// Judges the texts of one episode; blank ones are dropped and do not count.
#[must_use]
pub fn judge_turns(problem: &dyn Problem, dialect: Dialect, texts: &[&str]) -> Judged {
    judge_with(problem, dialect, texts, Dialect::parse)
}

/// As [`judge_turns`], but every turn is read leniently: for a column of its own, never for a score.
#[must_use]
pub fn judge_leniently(problem: &dyn Problem, dialect: Dialect, texts: &[&str]) -> Judged {
    judge_with(problem, dialect, texts, Dialect::parse_leniently)
}

fn judge_with(
    problem: &dyn Problem,
    dialect: Dialect,
    texts: &[&str],
    read: fn(Dialect, &str, TaskKind) -> Parsed,
) -> Judged {
    let task = problem.kind();
    let mut turns: Vec<JudgedTurn> = Vec::with_capacity(texts.len());
    let mut proposed = None;
    for text in texts.iter().filter(|text| !is_blank(text)) {
        let judge = |answer: Option<Answer>| {
            answer.map(|a| {
                let verdict = problem.judge(&a);
                Arc::new((a, verdict))
            })
        };
        turns.push(match read(dialect, text, task) {
            Parsed::Propose { answer, thinks } => {
                let answer = judge(answer);
                proposed = answer.clone().or(proposed);
                JudgedTurn { kind: Some(Kind::Propose), answer, thinks }
            }
            Parsed::Commit { bare: true, thinks, .. } => {
                JudgedTurn { kind: Some(Kind::Commit), answer: proposed.clone(), thinks }
            }
            Parsed::Commit { answer, thinks, .. } => {
                JudgedTurn { kind: Some(Kind::Commit), answer: judge(answer), thinks }
            }
            Parsed::Malformed => JudgedTurn { kind: None, answer: None, thinks: false },
        });
    }
    let decided = task == TaskKind::Maze
        || match problem.truth() {
            Truth::Region(region) => region.bounds.is_some() || region.tolerance.is_some(),
            Truth::Maze(_) => true,
        };
    Judged { task, dialect, turns, decided }
}

/// Judges a finished attempt by the texts of its replies, in the dialect it was held in.
#[must_use]
pub fn judge_finished(finished: &Finished<'_>) -> Judged {
    let texts: Vec<&str> = finished.turns.iter().map(|turn| turn.reply.text.as_str()).collect();
    judge_turns(&*finished.example.problem, finished.dialect, &texts)
}

/// Proposals whose answer parsed, in order.
fn proposals(turns: &[JudgedTurn]) -> impl DoubleEndedIterator<Item = &(Answer, Verdict)> {
    turns.iter().filter(|t| t.kind == Some(Kind::Propose)).filter_map(|t| t.answer.as_deref())
}

/// The answer that stands after `turns`: the last commit that parsed, else the last proposal that did.
fn standing(turns: &[JudgedTurn]) -> Option<&(Answer, Verdict)> {
    let commit =
        turns.iter().rev().filter(|t| t.kind == Some(Kind::Commit)).find_map(|t| t.answer.as_deref());
    commit.or_else(|| proposals(turns).next_back())
}

impl Judged {
    /// The task.
    #[must_use]
    pub fn task(&self) -> TaskKind {
        self.task
    }

    /// The turns that were not blank.
    #[must_use]
    pub fn turns(&self) -> &[JudgedTurn] {
        &self.turns
    }

    /// Answers and verdicts of all proposals that parsed.
    pub fn proposals(&self) -> impl DoubleEndedIterator<Item = &(Answer, Verdict)> {
        proposals(&self.turns)
    }

    /// The final answer: the last commit that parsed, else the last proposal that did.
    #[must_use]
    pub fn final_answer(&self) -> Option<&(Answer, Verdict)> {
        standing(&self.turns)
    }

    /// Whether the format holds (section 3), with at least `min_turns` turns, commit included.
    #[must_use]
    pub fn well_formed(&self, min_turns: usize) -> bool {
        format::holds(self, min_turns)
    }

    /// Whether a verdict counts as right: by the truth, or where it leaves the tolerance open by `config`.
    #[must_use]
    pub fn correct(&self, verdict: &Verdict, config: &RewardConfig) -> bool {
        match verdict {
            Verdict::Point(point) if !self.decided => point.distance <= config.tolerance,
            _ => verdict.correct(),
        }
    }

    /// Whether the answer that stands after each turn is right.
    #[must_use]
    pub fn correct_by_turn(&self, config: &RewardConfig) -> Vec<bool> {
        let (mut proposed, mut committed) = (None, None);
        let mut after = |turn: &JudgedTurn| {
            let right = turn.answer.as_deref().map(|(_, verdict)| self.correct(verdict, config));
            match turn.kind {
                Some(Kind::Propose) => proposed = right.or(proposed),
                Some(Kind::Commit) => committed = right.or(committed),
                None => {}
            }
            committed.or(proposed).unwrap_or(false)
        };
        self.turns.iter().map(&mut after).collect()
    }

    /// Mazes: whether the final answer reaches the goal without leaving the grid or entering a hole before.
    #[must_use]
    pub fn strict_success(&self) -> Option<bool> {
        self.path_success(|path| path.strict)
    }

    /// Mazes: whether the final answer reaches the goal when moves off the grid are no-ops.
    #[must_use]
    pub fn lenient_success(&self) -> Option<bool> {
        self.path_success(|path| path.lenient)
    }

    fn path_success(&self, of: impl Fn(&crate::PathVerdict) -> bool) -> Option<bool> {
        (self.task == TaskKind::Maze)
            .then(|| matches!(self.final_answer(), Some((_, Verdict::Path(path))) if of(path)))
    }

    /// Proposals after a proposal, and how many of them repeat the one before.
    #[must_use]
    pub fn revisions(&self) -> (usize, usize) {
        let all: Vec<&Answer> = self.proposals().map(|(answer, _)| answer).collect();
        (all.len().saturating_sub(1), all.windows(2).filter(|pair| pair[0] == pair[1]).count())
    }
}
