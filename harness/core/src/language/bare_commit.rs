//! `bare_commit`: `<ANSWER>…</ANSWER>` proposes; `<FINAL/>` or an empty `<FINAL></FINAL>` commits the last
//! proposal; a FINAL with a body commits that body. Reasoning is allowed everywhere and required nowhere.

use super::{scan, Parsed};
use crate::TaskKind;

pub(super) fn parse(text: &str, task: TaskKind) -> Parsed {
    let thinks = scan::tag(text, "think").is_some();
    if let Some(body) = commit(text) {
        let bare = scan::is_blank(body);
        let answer = if bare { None } else { scan::answer(body, task) };
        return Parsed::Commit { answer, bare, thinks };
    }
    match scan::tag(text, "answer") {
        Some(body) => Parsed::Propose { answer: scan::answer(body, task), thinks },
        None => Parsed::Malformed,
    }
}

/// The body of the first FINAL that is closed, by itself or by a closing tag.
fn commit(text: &str) -> Option<&str> {
    let mut open = scan::open(text, "final", 0)?;
    if !open.empty {
        if let Some((body, _)) = scan::body(text, "final", open.end) {
            return Some(body);
        }
    }
    // Where the first one is never closed, no later one is, except by itself.
    while !open.empty {
        open = scan::open(text, "final", open.end)?;
    }
    Some("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Answer;
    use crate::Move::{Left, Up};

    #[test]
    fn the_rules_one_by_one() {
        let bare = || Parsed::Commit { answer: None, bare: true, thinks: false };
        let list = |m| Parsed::Commit { answer: Some(Answer::Moves(vec![m])), bare: false, thinks: false };
        let propose = |m| Parsed::Propose { answer: Some(Answer::Moves(vec![m])), thinks: false };
        for (text, wanted) in [
            ("<FINAL/>", bare()),
            ("<final />", bare()),
            ("<FINAL why=\"ok\"/>", bare()),
            ("<FINAL></FINAL>", bare()),
            ("<FINAL> \n</FINAL>", bare()),
            ("<ANSWER>up</ANSWER><FINAL/>", bare()),
            ("<FINAL>up <FINAL/>", bare()),
            ("<FINAL/><FINAL>up</FINAL>", bare()),
            ("<FINAL>up</FINAL>", list(Up)),
            ("<FINAL x=1>left</FINAL><FINAL/>", list(Left)),
            ("<FINAL>jump</FINAL>", Parsed::Commit { answer: None, bare: false, thinks: false }),
            ("<ANSWER>up</ANSWER>", propose(Up)),
            ("<FINAL><ANSWER>up</ANSWER>", propose(Up)),
            ("<FINALE/>", Parsed::Malformed),
            ("<FINAL/", Parsed::Malformed),
            ("FINAL", Parsed::Malformed),
        ] {
            assert_eq!(parse(text, TaskKind::Maze), wanted, "{text:?}");
        }
        let thinks = parse("<THINK>fine</THINK><FINAL/>", TaskKind::Maze);
        assert_eq!(thinks, Parsed::Commit { answer: None, bare: true, thinks: true });
    }
}
