//! The format rules of section 3: all of them hold, or the reward is 0.

use super::{Judged, JudgedTurn, Kind};
use crate::{Answer, Dialect};

pub(super) fn holds(judged: &Judged, min_turns: usize) -> bool {
    let Some((last, before)) = judged.turns.split_last() else { return false };
    let Some(committed) = parsed_as(last, Kind::Commit) else { return false };
    let Some(proposed) = before.iter().map(|turn| parsed_as(turn, Kind::Propose)).collect::<Option<Vec<_>>>()
    else {
        return false;
    };
    // With the line above: every turn parses, the first proposes, and exactly one commit stands last.
    let Some(newest) = proposed.last() else { return false };
    let distinct = (1..proposed.len()).all(|i| !proposed[..i].contains(&proposed[i]));
    judged.turns.len() >= min_turns
        && committed == *newest
        && distinct
        && !proposed.iter().any(|answer| matches!(answer, Answer::Moves(moves) if moves.is_empty()))
        && (judged.dialect != Dialect::ReflectionTag || thinks_in_place(last, before))
}

fn parsed_as(turn: &JudgedTurn, kind: Kind) -> Option<&Answer> {
    turn.answer.as_ref().filter(|_| turn.kind == Some(kind)).map(|(answer, _)| answer)
}

/// First turn and commit carry no THINK; every revision does.
fn thinks_in_place(commit: &JudgedTurn, proposals: &[JudgedTurn]) -> bool {
    !commit.thinks && proposals.iter().enumerate().all(|(i, turn)| turn.thinks == (i > 0))
}
