//! The lenient reading: what a person would take an ill-formed reply for. It never decides a score; it stands in a
//! column of its own, beside the strict one, so that the share of answers that only the grammar cost is known.
//!
//! Forgiven are: tags with blanks in them or never closed; moves between any punctuation, as letters or arrows;
//! coordinates with brackets or names around them; JSON that was cut, calls without their wrapper, names in another
//! case, lists of moves, numbers in strings. Not forgiven: another dialect, and words that are no moves.

use std::borrow::Cow;

use super::{json, json_call, points_tag, scan, Dialect, Parsed};
use crate::{Answer, Move, TaskKind};

pub(super) fn parse(dialect: Dialect, text: &str, task: TaskKind) -> Parsed {
    match dialect {
        Dialect::ReflectionTag => tags(text, task, ["final", "answer"], false),
        Dialect::BareCommit => tags(text, task, ["final", "answer"], true),
        Dialect::RouteTag => tags(text, task, ["answer", "route"], false),
        Dialect::PointsTag if task != TaskKind::Maze => tags(text, task, ["answer", "points"], true),
        Dialect::PointsTag => Parsed::Malformed,
        Dialect::JsonCall => call(text, task).unwrap_or(Parsed::Malformed),
    }
}

/// A commit tag wins over a proposal tag, as in the strict reading, if something can be read from it.
fn tags(text: &str, task: TaskKind, [commit, propose]: [&str; 2], may_be_bare: bool) -> Parsed {
    let thinks = tag(text, "think").is_some();
    let committed = tag(text, commit);
    if let Some((attributes, body)) = committed {
        let bare = may_be_bare && scan::is_blank(body);
        let answer = place(attributes).or_else(|| answer(body, task));
        if bare || answer.is_some() {
            return Parsed::Commit { answer, bare, thinks };
        }
    }
    match tag(text, propose) {
        Some((attributes, body)) => {
            Parsed::Propose { answer: place(attributes).or_else(|| answer(body, task)), thinks }
        }
        None if committed.is_some() => Parsed::Commit { answer: None, bare: false, thinks },
        None => Parsed::Malformed,
    }
}

/// Attributes and body of the first `< name …>`; a body without a closing tag ends at the next tag.
fn tag<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let mut at = 0;
    let (attributes, body) = loop {
        at += text[at..].find('<')? + 1;
        let inside = text[at..].trim_start_matches(scan::is_space);
        let Some(length) = scan::named(inside.as_bytes(), name) else { continue };
        let rest = &inside[length..];
        if !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            let end = rest.find('>')?;
            break (&rest[..end], &rest[end + 1..]);
        }
    };
    if attributes.ends_with('/') {
        return Some((attributes, ""));
    }
    let mut at = 0;
    while let Some(found) = body[at..].find("</") {
        let inside = body[at + found + 2..].trim_start_matches(scan::is_space);
        let closes = scan::named(inside.as_bytes(), name)
            .is_some_and(|n| inside[n..].trim_start_matches(scan::is_space).starts_with('>'));
        if closes {
            return Some((attributes, &body[..at + found]));
        }
        at += found + 2;
    }
    Some((attributes, &body[..body.find('<').unwrap_or(body.len())]))
}

/// The place that a tag's attributes say.
fn place(attributes: &str) -> Option<Answer> {
    let of = |names: [&str; 2]| names.into_iter().find_map(|name| points_tag::attribute(attributes, name));
    Some(Answer::Point([of(["x1", "x"])?, of(["y1", "y"])?]))
}

/// Moves or a point from a body.
fn answer(body: &str, task: TaskKind) -> Option<Answer> {
    if task != TaskKind::Maze {
        // A tag in the body may say the place.
        return tag(body, "points").and_then(|(attributes, _)| place(attributes)).or_else(|| point(body));
    }
    let arrows = [('↑', Move::Up), ('↓', Move::Down), ('←', Move::Left), ('→', Move::Right)];
    let words = body.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let mut moves: Vec<Move> = words.map(word).collect::<Option<_>>()?;
    if moves.is_empty() {
        moves =
            body.chars().filter_map(|c| arrows.iter().find(|(arrow, _)| *arrow == c)).map(|a| a.1).collect();
    }
    (!moves.is_empty()).then_some(Answer::Moves(moves))
}

fn word(word: &str) -> Option<Move> {
    let letter = |m: &Move| word.len() == 1 && m.word()[..1].eq_ignore_ascii_case(word);
    Move::from_word(word).or_else(|| Move::ALL.into_iter().find(letter))
}

/// Exactly two numbers, whatever stands around them but letters other than x and y.
fn point(body: &str) -> Option<Answer> {
    let part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
    if body.chars().any(|c| c.is_alphabetic() && !matches!(c, 'x' | 'y' | 'X' | 'Y')) {
        return None;
    }
    let mut numbers = body.split(|c| !part(c)).filter(|word| !word.is_empty()).map(scan::number);
    let found = [numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(Answer::Point(found))
}

fn call(text: &str, task: TaskKind) -> Option<Parsed> {
    let whole = object(text)?;
    let wrapped = json::member(&whole, "function_call").filter(|call| call.starts_with('{'));
    let call = wrapped.unwrap_or(&whole);
    let name = json::string(json::member(call, "name")?)?.to_ascii_lowercase();
    let arguments = json::member(call, "arguments").unwrap_or("{}");
    let spoken = json::string(arguments).unwrap_or(Cow::Borrowed(arguments));
    let arguments = if json::is_object(&spoken) { &*spoken } else { "{}" };
    let thinks = json::member(&whole, "think").is_some();
    match (&*name, task) {
        ("terminate", TaskKind::Maze) => {
            Some(Parsed::Commit { answer: moves(arguments, "answer"), bare: false, thinks })
        }
        ("terminate", _) => Some(Parsed::Commit { answer: None, bare: true, thinks }),
        ("route", TaskKind::Maze) => Some(Parsed::Propose { answer: moves(arguments, "actions"), thinks }),
        ("pointing", TaskKind::Table | TaskKind::Chart) => {
            Some(Parsed::Propose { answer: pointed(arguments), thinks })
        }
        _ => None,
    }
}

/// The object in a turn; one that was cut is closed.
fn object(text: &str) -> Option<Cow<'_, str>> {
    if let Some(source) = json_call::source(text).filter(|source| json::is_object(source)) {
        return Some(Cow::Borrowed(source));
    }
    let start = &text[text.find('{')?..];
    match json::scan(start.as_bytes(), 0) {
        Ok(end) => Some(Cow::Borrowed(&start[..end])),
        Err(Some(open)) if open.len() < 64 => ["", "\""].into_iter().find_map(|quote| {
            let closed: String = open.iter().rev().map(|&bracket| char::from(bracket + 2)).collect();
            let mended = format!("{}{quote}{closed}", start.trim_end_matches([' ', '\n', ',']));
            json::is_object(&mended).then_some(Cow::Owned(mended))
        }),
        Err(_) => None,
    }
}

fn moves(arguments: &str, name: &str) -> Option<Answer> {
    let value = json::member(arguments, name)?;
    let text = match json::items(value) {
        Some(items) => items.into_iter().map(json::string).collect::<Option<Vec<_>>>()?.join(" "),
        None => json::string(value)?.into_owned(),
    };
    answer(&text, TaskKind::Maze)
}

/// The last of the points, as an object or a pair, or the arguments themselves.
fn pointed(arguments: &str) -> Option<Answer> {
    let points = json::member(arguments, "points");
    let items = points.and_then(json::items);
    let last = items.as_ref().and_then(|items| items.last().copied()).or(points).unwrap_or(arguments);
    let number = |value: &str| json::number(value).or_else(|| scan::number(json::string(value)?.trim()));
    let pair = match json::items(last).as_deref() {
        Some(&[x, y]) => (x, y),
        _ if last.starts_with('{') => (json::member(last, "x")?, json::member(last, "y")?),
        // A bare pair `[840, 297]` is read by its last item above.
        _ => match items.as_deref() {
            Some(&[x, y]) => (x, y),
            _ => return None,
        },
    };
    Some(Answer::Point([number(pair.0)?, number(pair.1)?]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Move::{Left, Right, Up};

    fn read(dialect: Dialect, text: &str, task: TaskKind) -> Option<(bool, Option<Answer>)> {
        assert!(!dialect.parse(text, task).understood(), "{text} needs no leniency");
        match dialect.parse_leniently(text, task) {
            Parsed::Propose { answer, .. } => Some((false, answer)),
            Parsed::Commit { answer, .. } => Some((true, answer)),
            Parsed::Malformed => None,
        }
    }

    #[test]
    fn slips_in_mazes_are_forgiven() {
        use Dialect::{BareCommit, JsonCall, ReflectionTag, RouteTag};
        for (dialect, text, commits, moves) in [
            (ReflectionTag, "<ANSWER>up, right", false, vec![Up, Right]),
            (ReflectionTag, "< answer >up</ answer >", false, vec![Up]),
            (ReflectionTag, "<ANSWER>[\"U\"; \"R\"]</ANSWER>", false, vec![Up, Right]),
            (ReflectionTag, "<ANSWER>up -> left.</ANSWER>", false, vec![Up, Left]),
            (ReflectionTag, "<ANSWER>↑→</ANSWER>", false, vec![Up, Right]),
            (ReflectionTag, "<FINAL>up <THINK>so</THINK>", true, vec![Up]),
            (BareCommit, "<ANSWER>up\n<", false, vec![Up]),
            (RouteTag, "<route>up <route>", false, vec![Up]),
            (JsonCall, r#"{"name": "route", "arguments": {"actions": "up"}}"#, false, vec![Up]),
            (
                JsonCall,
                r#"{"function_call": {"name": "Route", "arguments": {"actions": ["up", "L"]}}}"#,
                false,
                vec![Up, Left],
            ),
            (
                JsonCall,
                r#"{"function_call": {"name": "terminate", "arguments": {"answer": "up"#,
                true,
                vec![Up],
            ),
            (
                JsonCall,
                r#"{"function_call": {"name": "route", "arguments": {"actions": "up"}}} {x}"#,
                false,
                vec![Up],
            ),
        ] {
            assert_eq!(
                read(dialect, text, TaskKind::Maze),
                Some((commits, Some(Answer::Moves(moves)))),
                "{text}"
            );
        }
        assert_eq!(read(ReflectionTag, "<ANSWER>up jump</ANSWER>", TaskKind::Maze), Some((false, None)));
        assert_eq!(read(ReflectionTag, "<route>up</route>", TaskKind::Maze), None, "another dialect");
        assert_eq!(read(ReflectionTag, "up right", TaskKind::Maze), None);
    }

    #[test]
    fn slips_in_grounding_are_forgiven() {
        use Dialect::{BareCommit, JsonCall, PointsTag};
        for (dialect, text, commits) in [
            (BareCommit, "<ANSWER>(840, 297)</ANSWER>", false),
            (BareCommit, "<ANSWER>x=840 y=297", false),
            (PointsTag, "<points x1=\"840\" y1=\"297\"/>", false),
            (PointsTag, "<points x=\"840\" y=\"297\">a</points>", false),
            (PointsTag, "<answer>[840, 297]</answer>", true),
            (PointsTag, "<answer><points x1=\"840\" y1=\"297\"/></answer>", true),
            (
                JsonCall,
                r#"{"function_call": {"name": "pointing", "arguments": {"points": [[840, 297]]}}}"#,
                false,
            ),
            (
                JsonCall,
                r#"{"function_call": {"name": "pointing", "arguments": {"points": [840, 297]}}}"#,
                false,
            ),
            (
                JsonCall,
                r#"{"function_call": {"name": "pointing", "arguments": {"x": "840", "y": 297}}}"#,
                false,
            ),
            (JsonCall, r#"{"name": "pointing", "arguments": {"points": [{"x": 840, "y": 297}"#, false),
        ] {
            let wanted = Some((commits, Some(Answer::Point([840.0, 297.0]))));
            assert_eq!(read(dialect, text, TaskKind::Chart), wanted, "{text}");
        }
        for text in ["<ANSWER>1 2 3</ANSWER>", "<ANSWER>1 of 2</ANSWER>", "<ANSWER>1e3</ANSWER>"] {
            assert_eq!(read(BareCommit, text, TaskKind::Chart), Some((false, None)), "{text}");
        }
    }
}
