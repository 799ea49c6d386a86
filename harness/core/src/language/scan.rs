//! Tags and bodies, as the released judge reads them, without a regular expression: every scan moves forward
//! only, so that hostile text costs linear time.
//!
//! `<name …>body</name>`: first match, non-greedy, case-insensitive, across lines; attributes are allowed
//! after a word boundary; an unclosed tag is no tag.

use crate::{Answer, Move, TaskKind};

/// White space as the released judge sees it: Unicode's, and the four ASCII separators.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Whether nothing but white space is there: such a turn does not count.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(is_space)
}

/// An opening tag: where the text after it begins, and whether it ends in `/>`.
pub(super) struct Open {
    /// Byte after `>`.
    pub(super) end: usize,
    /// `<name …/>`.
    pub(super) empty: bool,
}

/// The first `<name …>` at or after byte `from`.
pub(super) fn open(text: &str, name: &str, from: usize) -> Option<Open> {
    let mut at = from;
    loop {
        at += text[at..].find('<')?;
        let after = at + 1 + name.len();
        let named =
            text.as_bytes().get(at + 1..after).is_some_and(|b| b.eq_ignore_ascii_case(name.as_bytes()));
        // A named match is ASCII, so `after` is a character boundary.
        if named && !text[after..].starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            let end = after + text[after..].find('>')? + 1;
            return Some(Open { end, empty: text[after..end].ends_with("/>") });
        }
        at += 1;
    }
}

/// The text from byte `from` to the first `</name>`.
pub(super) fn body<'t>(text: &'t str, name: &str, from: usize) -> Option<&'t str> {
    let mut at = from;
    loop {
        at += text[at..].find("</")?;
        let rest = &text.as_bytes()[at + 2..];
        let named = rest.get(..name.len()).is_some_and(|b| b.eq_ignore_ascii_case(name.as_bytes()));
        if named && rest.get(name.len()) == Some(&b'>') {
            return Some(&text[from..at]);
        }
        at += 2;
    }
}

/// The body of the first closed `<name …>`. If the first one is never closed, no later one is either.
pub(super) fn tag<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    body(text, name, open(text, name, 0)?.end)
}

/// Reads a body: moves for a maze, two numbers elsewhere. `None` where it does not parse.
pub(super) fn answer(body: &str, task: TaskKind) -> Option<Answer> {
    let mut words = body.split(|c| c == ',' || is_space(c)).filter(|word| !word.is_empty());
    if task == TaskKind::Maze {
        return words.map(Move::from_word).collect::<Option<_>>().map(Answer::Moves);
    }
    let mut number = || words.next()?.parse::<f64>().ok().filter(|x| x.is_finite());
    let point = [number()?, number()?];
    words.next().is_none().then_some(Answer::Point(point))
}
