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
    /// Byte after the name.
    pub(super) name: usize,
    /// Byte after `>`.
    pub(super) end: usize,
    /// `<name …/>`.
    pub(super) empty: bool,
}

/// How many bytes at the start of `text` are `name` (lower case) in any case, as the released judge compares:
/// beside ASCII that takes the dotted and the dotless i, the long s and the Kelvin sign for i, s and k.
pub(super) fn named(text: &[u8], name: &str) -> Option<usize> {
    let mut at = 0;
    for letter in name.bytes() {
        at += match (letter, text.get(at..)?) {
            (_, [byte, ..]) if byte.eq_ignore_ascii_case(&letter) => 1,
            (b'i', [0xc4, 0xb0 | 0xb1, ..]) | (b's', [0xc5, 0xbf, ..]) => 2,
            (b'k', [0xe2, 0x84, 0xaa, ..]) => 3,
            _ => return None,
        };
    }
    Some(at)
}

/// The first `<name …>` at or after byte `from`.
pub(super) fn open(text: &str, name: &str, from: usize) -> Option<Open> {
    let mut at = from;
    loop {
        at += text[at..].find('<')? + 1;
        // A match ends at a character boundary.
        let Some(after) = named(&text.as_bytes()[at..], name).map(|n| at + n) else { continue };
        if !text[after..].starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            let end = after + text[after..].find('>')? + 1;
            return Some(Open { name: after, end, empty: text[after..end].ends_with("/>") });
        }
    }
}

/// The text from byte `from` to the first `</name>`, and the byte after that.
pub(super) fn body<'t>(text: &'t str, name: &str, from: usize) -> Option<(&'t str, usize)> {
    let mut at = from;
    loop {
        at += text[at..].find("</")? + 2;
        let rest = &text.as_bytes()[at..];
        if let Some(n) = named(rest, name).filter(|&n| rest.get(n) == Some(&b'>')) {
            return Some((&text[from..at - 2], at + n + 1));
        }
    }
}

/// The body of the first closed `<name …>`. If the first one is never closed, no later one is either.
pub(super) fn tag<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    Some(body(text, name, open(text, name, 0)?.end)?.0)
}

/// The pieces of a body: split on commas, then on white space.
pub(super) fn words(body: &str) -> impl Iterator<Item = &str> {
    body.split(|c| c == ',' || is_space(c)).filter(|word| !word.is_empty())
}

/// A finite decimal number.
pub(super) fn number(word: &str) -> Option<f64> {
    word.parse::<f64>().ok().filter(|x| x.is_finite())
}

/// Reads a body: moves for a maze, two numbers elsewhere. `None` where it does not parse.
pub(super) fn answer(body: &str, task: TaskKind) -> Option<Answer> {
    let mut words = words(body);
    if task == TaskKind::Maze {
        return words.map(Move::from_word).collect::<Option<_>>().map(Answer::Moves);
    }
    let point = [number(words.next()?)?, number(words.next()?)?];
    words.next().is_none().then_some(Answer::Point(point))
}
