//! `json_call`: `{"function_call": {"name": …, "arguments": {…}}}`, fenced or bare.
//!
//! Mazes: `route` proposes its `actions`, `terminate` commits its `answer`, both strings. Grounding: `pointing`
//! proposes the last of its `points`, `terminate` commits the last proposal whatever its arguments. Where the JSON
//! is: in the first fenced block that holds `{…}` and nothing else; without one, from the first `{` to the last `}`.

use std::borrow::Cow;

use super::{json, scan, Parsed};
use crate::{Answer, TaskKind};

pub(super) fn parse(text: &str, task: TaskKind) -> Parsed {
    call(text, task).unwrap_or(Parsed::Malformed)
}

fn call(text: &str, task: TaskKind) -> Option<Parsed> {
    let source = source(text).filter(|source| json::is_object(source))?;
    let call = json::member(source, "function_call").filter(|call| call.starts_with('{'))?;
    let name = json::string(json::member(call, "name")?)?;
    let arguments = json::member(call, "arguments").map_or(Cow::Borrowed("{}"), object);
    let thinks = json::member(source, "think").is_some_and(|think| think.starts_with('"'));
    let commits = match (&*name, task) {
        ("terminate", _) => true,
        ("route", TaskKind::Maze) | ("pointing", TaskKind::Table | TaskKind::Chart) => false,
        _ => return None,
    };
    Some(match (task, commits) {
        (TaskKind::Maze, true) => Parsed::Commit { answer: moves(&arguments, "answer"), bare: false, thinks },
        (TaskKind::Maze, false) => Parsed::Propose { answer: moves(&arguments, "actions"), thinks },
        (_, true) => Parsed::Commit { answer: None, bare: true, thinks },
        (_, false) => Parsed::Propose { answer: point(&arguments), thinks },
    })
}

/// The part of a turn that should be JSON.
pub(super) fn source(text: &str) -> Option<&str> {
    fenced(text).or_else(|| text.get(text.find('{')?..=text.rfind('}')?))
}

/// The first `{…}` that is all there is between two fences.
fn fenced(text: &str) -> Option<&str> {
    let mut at = 0;
    let start = loop {
        at += text[at..].find("```")?;
        let inside = &text[at + 3..];
        let inside = inside.strip_prefix("json").unwrap_or(inside).trim_start_matches(scan::is_space);
        if inside.starts_with('{') {
            break text.len() - inside.len();
        }
        at += 1;
    };
    // Where this block is never closed, no later one is.
    let mut at = start;
    loop {
        at += text[at..].find('}')? + 1;
        if text[at..].trim_start_matches(scan::is_space).starts_with("```") {
            return Some(&text[start..at]);
        }
    }
}

/// Arguments are an object, or a string that holds one; anything else counts as empty.
fn object(value: &str) -> Cow<'_, str> {
    let text = json::string(value).unwrap_or(Cow::Borrowed(value));
    if json::is_object(&text) {
        text
    } else {
        Cow::Borrowed("{}")
    }
}

/// The moves of a string member; none where it is missing.
fn moves(arguments: &str, name: &str) -> Option<Answer> {
    match json::member(arguments, name) {
        None => Some(Answer::Moves(Vec::new())),
        Some(value) => scan::answer(&json::string(value)?, TaskKind::Maze),
    }
}

/// The last of the points.
fn point(arguments: &str) -> Option<Answer> {
    let points = json::items(json::member(arguments, "points")?)?;
    let last = points.last().filter(|point| point.starts_with('{'))?;
    let number = |name| json::number(json::member(last, name)?);
    Some(Answer::Point([number("x")?, number("y")?]))
}

pub(super) fn print_proposal(answer: &Answer, think: Option<&str>) -> String {
    let arguments = match answer {
        Answer::Moves(_) => format!(r#"{{"actions": "{}"}}"#, answer.text()),
        Answer::Point([x, y]) => format!(r#"{{"points": [{{"x": {x}, "y": {y}}}]}}"#),
    };
    let name = if matches!(answer, Answer::Moves(_)) { "route" } else { "pointing" };
    // A backtick is written as an escape: a fence inside a string would be taken for the turn's own.
    let think = think.map(|t| serde_json::Value::from(t).to_string().replace('`', "\\u0060"));
    let think = think.map(|t| format!(r#""think": {t}, "#)).unwrap_or_default();
    format!(r#"{{{think}"function_call": {{"name": "{name}", "arguments": {arguments}}}}}"#)
}

pub(super) fn print_commit(answer: &Answer) -> String {
    let arguments = match answer {
        Answer::Moves(_) => format!(r#"{{"answer": "{}"}}"#, answer.text()),
        Answer::Point(_) => "{}".to_owned(),
    };
    format!(r#"{{"function_call": {{"name": "terminate", "arguments": {arguments}}}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Move::{Left, Up};

    fn list(moves: &[crate::Move]) -> Option<Answer> {
        Some(Answer::Moves(moves.to_vec()))
    }

    fn propose(answer: Option<Answer>) -> Parsed {
        Parsed::Propose { answer, thinks: false }
    }

    #[test]
    fn mazes_rule_by_rule() {
        let commit = |answer| Parsed::Commit { answer, bare: false, thinks: false };
        let call = |name: &str, arguments: &str| {
            format!(r#"{{"function_call": {{"name": "{name}", "arguments": {arguments}}}}}"#)
        };
        let route = call("route", r#"{"actions": "up"}"#);
        for (text, wanted) in [
            (route.clone(), propose(list(&[Up]))),
            (format!("I go.\n```json\n{route}\n``` {{not this}}"), propose(list(&[Up]))),
            (format!("```{route}```"), propose(list(&[Up]))),
            (format!("```json\n{{broken}}\n```\n```json\n{route}\n```"), Parsed::Malformed),
            (format!("```python\nx\n```\n```json\n{route}\n```"), propose(list(&[Up]))),
            (format!("```json\nso: {route}\n```"), propose(list(&[Up]))),
            (format!("so {route} then"), propose(list(&[Up]))),
            (format!("{route} {route}"), Parsed::Malformed),
            (format!("{{{route}"), Parsed::Malformed),
            (call("route", r#""{\"actions\": \"up, LEFT\"}""#), propose(list(&[Up, Left]))),
            (call("route", r#"["up"]"#), propose(list(&[]))),
            (call("route", r#""up""#), propose(list(&[]))),
            (call("route", "null"), propose(list(&[]))),
            (call("route", "{}"), propose(list(&[]))),
            (call("route", r#"{"actions": ["up"]}"#), propose(None)),
            (call("route", r#"{"actions": null}"#), propose(None)),
            (call("route", r#"{"actions": "jump"}"#), propose(None)),
            (call("terminate", r#"{"answer": "up"}"#), commit(list(&[Up]))),
            (call("terminate", r#"{"actions": "up"}"#), commit(list(&[]))),
            (call("Route", r#"{"actions": "up"}"#), Parsed::Malformed),
            (call("pointing", r#"{"points": [{"x": 1, "y": 2}]}"#), Parsed::Malformed),
            (r#"{"function_call": {"name": "route"}}"#.into(), propose(list(&[]))),
            (r#"{"function_call": {"name": ["route"]}}"#.into(), Parsed::Malformed),
            (r#"{"function_call": "route"}"#.into(), Parsed::Malformed),
            (r#"{"function_call": [{"name": "route"}]}"#.into(), Parsed::Malformed),
            (r#"{"name": "route", "arguments": {"actions": "up"}}"#.into(), Parsed::Malformed),
            ("} {".into(), Parsed::Malformed),
            ("<route>up</route>".into(), Parsed::Malformed),
        ] {
            assert_eq!(parse(&text, TaskKind::Maze), wanted, "{text}");
        }
        let thinks = parse(r#"{"think": "x", "function_call": {"name": "terminate"}}"#, TaskKind::Maze);
        assert_eq!(thinks, Parsed::Commit { answer: list(&[]), bare: false, thinks: true });
    }

    #[test]
    fn points_rule_by_rule() {
        let point = |x, y| propose(Some(Answer::Point([x, y])));
        let pointing = |points: &str| {
            format!(r#"{{"function_call": {{"name": "pointing", "arguments": {{"points": {points}}}}}}}"#)
        };
        for (text, wanted) in [
            (pointing(r#"[{"description": "Mon", "x": 840, "y": 297}]"#), point(840.0, 297.0)),
            (pointing(r#"[{"x": 1, "y": 2}, {"x": -1.5, "y": 2e2}]"#), point(-1.5, 200.0)),
            (pointing("[]"), propose(None)),
            (pointing(r#"[{"x": "1", "y": 2}]"#), propose(None)),
            (pointing(r#"[{"x": true, "y": 2}]"#), propose(None)),
            (pointing(r#"[{"x": NaN, "y": 2}]"#), propose(None)),
            (pointing(r#"[{"x": 1e999, "y": 2}]"#), propose(None)),
            (pointing(r#"[{"x": 1}]"#), propose(None)),
            (pointing("[[1, 2]]"), propose(None)),
            (pointing(r#"{"x": 1, "y": 2}"#), propose(None)),
            (r#"{"function_call": {"name": "route"}}"#.into(), Parsed::Malformed),
        ] {
            assert_eq!(parse(&text, TaskKind::Chart), wanted, "{text}");
        }
        let text = r#"{"function_call": {"name": "terminate", "arguments": {"points": [{"x": 1, "y": 2}]}}}"#;
        let wanted = Parsed::Commit { answer: None, bare: true, thinks: false };
        assert_eq!(parse(text, TaskKind::Table), wanted, "it repeats the last point whatever it says");
    }
}
