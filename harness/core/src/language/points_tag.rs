//! `points_tag` (grounding): `<points x1="840" y1="297">…</points>` proposes, wherever it stands in the turn, and the
//! last one counts; `<answer>…</answer>` commits and is looked for first.
//!
//! The commit's body is a `<points …>` or two numbers; an empty one repeats the last proposal. Of a tag with several
//! points the first pair counts. The released rollout reads this form inside a tool call; no wrapper is required here.

use super::{scan, Parsed};
use crate::{Answer, TaskKind};

pub(super) fn parse(text: &str, task: TaskKind) -> Parsed {
    if task == TaskKind::Maze {
        return Parsed::Malformed;
    }
    let thinks = scan::tag(text, "think").is_some();
    if let Some(body) = scan::tag(text, "answer") {
        let bare = scan::is_blank(body);
        let answer = points(body).unwrap_or_else(|| scan::answer(body, task));
        return Parsed::Commit { answer, bare, thinks };
    }
    match points(text) {
        Some(answer) => Parsed::Propose { answer, thinks },
        None => Parsed::Malformed,
    }
}

/// The point of the last closed `<points …>`; `None` without one, `Some(None)` where it says no x1 and y1.
fn points(text: &str) -> Option<Option<Answer>> {
    let (mut last, mut at) = (None, 0);
    while let Some(open) = scan::open(text, "points", at) {
        let Some((_, end)) = scan::body(text, "points", open.end) else { break };
        last = Some(&text[open.name..open.end - 1]);
        at = end;
    }
    last.map(|attributes| Some(Answer::Point([attribute(attributes, "x1")?, attribute(attributes, "y1")?])))
}

/// The number of the first attribute of this name.
pub(super) fn attribute(attributes: &str, name: &str) -> Option<f64> {
    let letter = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    let mut rest = attributes;
    loop {
        let start = rest.find(letter)?;
        let length = rest[start..].find(|c: char| !letter(c)).unwrap_or(rest.len() - start);
        let key = &rest[start..start + length];
        rest = &rest[start + length..];
        let Some(after) = rest.trim_start_matches(scan::is_space).strip_prefix('=') else { continue };
        let after = after.trim_start_matches(scan::is_space);
        let Some(quote @ ('"' | '\'')) = after.chars().next() else { continue };
        let Some((value, behind)) = after[1..].split_once(quote) else { continue };
        if key.eq_ignore_ascii_case(name) {
            return scan::number(value.trim_matches(scan::is_space));
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_one_by_one() {
        let point = |x, y| Some(Answer::Point([x, y]));
        let propose = |answer| Parsed::Propose { answer, thinks: false };
        let commit = |answer, bare| Parsed::Commit { answer, bare, thinks: false };
        for (text, wanted) in [
            ("<points x1=\"840\" y1=\"297\">Mon</points>", propose(point(840.0, 297.0))),
            ("<POINTS alt='x1=\"3\"' X1 = ' 1.5 ' y1='2e1' x2=\"9\">a</Points>", propose(point(1.5, 20.0))),
            ("<tool_call><points y1=\"2\" x1=\"1\"></points></tool_call>", propose(point(1.0, 2.0))),
            (
                "<points x1=\"1\" y1=\"1\">a</points> or <points x1=\"2\" y1=\"2\">b</points>",
                propose(point(2.0, 2.0)),
            ),
            ("<points x1=\"1\" y1=\"1\">a</points><points>b</points>", propose(None)),
            ("<points x1=\"1\" y1=\"1\">a</points><points x1=\"2\" y1=\"2\">", propose(point(1.0, 1.0))),
            ("<points x1=\"1\">a</points>", propose(None)),
            ("<points data-x1=\"1\" y1=\"1\">a</points>", propose(None)),
            ("<points x1=1 y1=1>a</points>", propose(None)),
            ("<points x1=\"inf\" y1=\"1\">a</points>", propose(None)),
            ("<points x1=\"1 y1=\"1\">a</points>", propose(None)),
            ("<points x1=\"1\" y1=\"1\"/>", Parsed::Malformed),
            ("<pointss x1=\"1\" y1=\"1\">a</pointss>", Parsed::Malformed),
            ("<answer></answer>", commit(None, true)),
            ("<answer>840, 297</answer>", commit(point(840.0, 297.0), false)),
            (
                "<answer><points x1=\"1\" y1=\"1\">a</points></answer><points x1=\"2\" y1=\"2\">b</points>",
                commit(point(1.0, 1.0), false),
            ),
            ("<answer>done</answer>", commit(None, false)),
            ("840 297", Parsed::Malformed),
        ] {
            assert_eq!(parse(text, TaskKind::Chart), wanted, "{text:?}");
        }
        let text = "<points x1=\"840\" y1=\"297\">Mon</points>";
        assert_eq!(parse(text, TaskKind::Maze), Parsed::Malformed, "for grounding");
    }
}
