//! The format rules of section 3: all of them hold, or the reward is 0.

use std::cmp::Ordering;

use super::{Judged, JudgedTurn, Kind};
use crate::Answer;

pub(super) fn holds(judged: &Judged, min_turns: usize) -> bool {
    let Some((last, before)) = judged.turns.split_last() else { return false };
    let Some(committed) = parsed_as(last, Kind::Commit) else { return false };
    let Some(proposed) = before.iter().map(|turn| parsed_as(turn, Kind::Propose)).collect::<Option<Vec<_>>>()
    else {
        return false;
    };
    // With the line above: every turn parses, the first proposes, and exactly one commit stands last.
    let Some(newest) = proposed.last() else { return false };
    judged.turns.len() >= min_turns
        && committed == *newest
        && distinct(&proposed)
        && !proposed.iter().any(|answer| matches!(answer, Answer::Moves(moves) if moves.is_empty()))
        && (!judged.dialect.has_think_rules() || thinks_in_place(last, before))
}

/// Whether no two are equal; by sorting, because a hostile transcript has as many proposals as it likes.
fn distinct(proposed: &[&Answer]) -> bool {
    if proposed.len() <= 8 {
        return (1..proposed.len()).all(|i| !proposed[..i].contains(&proposed[i]));
    }
    let mut sorted = proposed.to_vec();
    sorted.sort_unstable_by(|a, b| order(a, b));
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

/// An order in which equal answers stand side by side (0 and −0 are equal points).
fn order(a: &Answer, b: &Answer) -> Ordering {
    match (a, b) {
        (Answer::Moves(a), Answer::Moves(b)) => a.cmp(b),
        (Answer::Point(a), Answer::Point(b)) => {
            let key = |x: f64| if x == 0.0 { 0.0 } else { x };
            key(a[0]).total_cmp(&key(b[0])).then(key(a[1]).total_cmp(&key(b[1])))
        }
        (Answer::Moves(_), Answer::Point(_)) => Ordering::Less,
        (Answer::Point(_), Answer::Moves(_)) => Ordering::Greater,
    }
}

fn parsed_as(turn: &JudgedTurn, kind: Kind) -> Option<&Answer> {
    turn.answer.as_deref().filter(|_| turn.kind == Some(kind)).map(|(answer, _)| answer)
}

/// First turn and commit carry no THINK; every revision does.
fn thinks_in_place(commit: &JudgedTurn, proposals: &[JudgedTurn]) -> bool {
    !commit.thinks && proposals.iter().enumerate().all(|(i, turn)| turn.thinks == (i > 0))
}
