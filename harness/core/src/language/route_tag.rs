//! `route_tag`: `<route>…</route>` proposes, `<answer>…</answer>` commits. The answer is looked for first; reasoning
//! is allowed everywhere and required nowhere.

use super::{scan, Parsed};
use crate::TaskKind;

pub(super) fn parse(text: &str, task: TaskKind) -> Parsed {
    let thinks = scan::tag(text, "think").is_some();
    if let Some(body) = scan::tag(text, "answer") {
        return Parsed::Commit { answer: scan::answer(body, task), bare: false, thinks };
    }
    match scan::tag(text, "route") {
        Some(body) => Parsed::Propose { answer: scan::answer(body, task), thinks },
        None => Parsed::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Answer;
    use crate::Move::{Left, Up};

    #[test]
    fn the_rules_one_by_one() {
        let moves = |m| Some(Answer::Moves(vec![m]));
        let propose = |answer| Parsed::Propose { answer, thinks: false };
        let commit = |answer| Parsed::Commit { answer, bare: false, thinks: false };
        for (text, wanted) in [
            ("<route>up</route>", propose(moves(Up))),
            ("<ROUTE id=\"1\">UP</Route>", propose(moves(Up))),
            ("<answer>up</answer>", commit(moves(Up))),
            ("<route>left</route><answer>up</answer>", commit(moves(Up))),
            ("<answer>up <route>left</route>", propose(moves(Left))),
            ("<route>jump</route>", propose(None)),
            ("<answer></answer>", commit(Some(Answer::Moves(vec![])))),
            ("<final>up</final>", Parsed::Malformed),
            ("<routes>up</routes>", Parsed::Malformed),
        ] {
            assert_eq!(parse(text, TaskKind::Maze), wanted, "{text:?}");
        }
        let thinks = parse("<think>a hole</think><route>up</route>", TaskKind::Maze);
        assert_eq!(thinks, Parsed::Propose { answer: moves(Up), thinks: true });
    }
}
