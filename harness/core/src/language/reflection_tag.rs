//! `reflection_tag`: `<ANSWER>…</ANSWER>` proposes, `<FINAL>…</FINAL>` commits, `<THINK>…</THINK>` reasons.
//!
//! FINAL is looked for first and wins over ANSWER; THINK hides nothing inside it.

use super::{scan, Parsed};
use crate::TaskKind;

pub(super) fn parse(text: &str, task: TaskKind) -> Parsed {
    let thinks = scan::tag(text, "think").is_some();
    if let Some(body) = scan::tag(text, "final") {
        return Parsed::Commit { answer: scan::answer(body, task), bare: false, thinks };
    }
    match scan::tag(text, "answer") {
        Some(body) => Parsed::Propose { answer: scan::answer(body, task), thinks },
        None => Parsed::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Answer;
    use crate::Move::{Down, Left, Right, Up};

    fn moves(list: &[crate::Move]) -> Option<Answer> {
        Some(Answer::Moves(list.to_vec()))
    }

    fn propose(answer: Option<Answer>) -> Parsed {
        Parsed::Propose { answer, thinks: false }
    }

    fn commit(answer: Option<Answer>) -> Parsed {
        Parsed::Commit { answer, bare: false, thinks: false }
    }

    #[test]
    fn the_rules_one_by_one() {
        for (text, wanted) in [
            ("<ANSWER>up right</ANSWER>", propose(moves(&[Up, Right]))),
            ("<answer>UP,right,\n Down</Answer>", propose(moves(&[Up, Right, Down]))),
            ("<ANSWER>,, up ,\t,left,</ANSWER>", propose(moves(&[Up, Left]))),
            ("<ANSWER>up\u{1c}left\u{a0}left</ANSWER>", propose(moves(&[Up, Left, Left]))),
            ("<ANSWER lang=\"x\" y>up</ANSWER>", propose(moves(&[Up]))),
            ("<ANSWER\n>up</ANSWER>", propose(moves(&[Up]))),
            ("<ANSWER></ANSWER>", propose(moves(&[]))),
            ("<ANSWER> \n </ANSWER>", propose(moves(&[]))),
            ("<ANSWER>up jump</ANSWER>", propose(None)),
            ("<ANSWER>up;right</ANSWER>", propose(None)),
            ("<FINAL>up</FINAL>", commit(moves(&[Up]))),
            ("<ANSWER>left</ANSWER> <FINAL>up</FINAL>", commit(moves(&[Up]))),
            ("<FINAL>jump</FINAL><ANSWER>up</ANSWER>", commit(None)),
            ("<ANSWER>up</ANSWER><ANSWER>left</ANSWER>", propose(moves(&[Up]))),
            ("<FINAL>up</FINAL><FINAL>left</FINAL>", commit(moves(&[Up]))),
            ("<ANSWER>up", Parsed::Malformed),
            ("up right", Parsed::Malformed),
            ("", Parsed::Malformed),
            // An unclosed FINAL is no tag, so the proposal stands.
            ("<FINAL>up <ANSWER>left</ANSWER>", propose(moves(&[Left]))),
            // Word boundaries: these are other tags.
            ("<ANSWERS>up</ANSWERS>", Parsed::Malformed),
            ("<ANSWER_2>up</ANSWER>", Parsed::Malformed),
            ("<ANSWERé>up</ANSWER>", Parsed::Malformed),
            ("<ANSWER-2>up</ANSWER>", propose(moves(&[Up]))),
            ("<ANSWERS>left<ANSWER>up</ANSWER>", propose(moves(&[Up]))),
            // A closing tag takes no blanks.
            ("<ANSWER>up</ANSWER >", Parsed::Malformed),
            ("< ANSWER>up</ANSWER>", Parsed::Malformed),
            // Attributes run to the first `>`, whatever they hold.
            ("<ANSWER <b>up</ANSWER>", propose(moves(&[Up]))),
            ("<FINAL/>", Parsed::Malformed),
            ("<FINAL/>up</FINAL>", commit(moves(&[Up]))),
        ] {
            assert_eq!(parse(text, TaskKind::Maze), wanted, "{text:?}");
        }
    }

    #[test]
    fn reasoning_is_noted_and_hides_nothing() {
        let parsed = parse("<THINK>a hole</THINK><ANSWER>up</ANSWER>", TaskKind::Maze);
        assert_eq!(parsed, Parsed::Propose { answer: moves(&[Up]), thinks: true });
        let parsed = parse("<think>I will <FINAL>down</FINAL></think><ANSWER>up</ANSWER>", TaskKind::Maze);
        assert_eq!(parsed, Parsed::Commit { answer: moves(&[Down]), bare: false, thinks: true });
        let parsed = parse("<THINK>unclosed <ANSWER>up</ANSWER>", TaskKind::Maze);
        assert_eq!(parsed, propose(moves(&[Up])));
    }

    #[test]
    fn points_are_two_numbers() {
        let point = |x, y| propose(Some(Answer::Point([x, y])));
        for (text, wanted) in [
            ("<ANSWER>840 297</ANSWER>", point(840.0, 297.0)),
            ("<ANSWER>-1.5, 2e2</ANSWER>", point(-1.5, 200.0)),
            ("<ANSWER>1 2 3</ANSWER>", propose(None)),
            ("<ANSWER>1</ANSWER>", propose(None)),
            ("<ANSWER></ANSWER>", propose(None)),
            ("<ANSWER>inf 2</ANSWER>", propose(None)),
            ("<ANSWER>nan nan</ANSWER>", propose(None)),
            ("<ANSWER>up 2</ANSWER>", propose(None)),
        ] {
            assert_eq!(parse(text, TaskKind::Chart), wanted, "{text:?}");
        }
    }
}
