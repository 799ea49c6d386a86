//! Errors of configuration files that name file, line and the nearest key.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Reads YAML strictly.
///
/// # Errors
/// [`Error::Content`] with the line, and for an unknown key the nearest known one.
pub(crate) fn read<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T> {
    serde_yaml::from_str(text).map_err(|e| {
        let place = e.location().map_or_else(String::new, |at| format!(":{}", at.line()));
        Error::content(path, place, explain(&e.to_string()))
    })
}

/// Adds the nearest known key to a message about an unknown one.
pub(crate) fn explain(message: &str) -> String {
    let Some((unknown, known)) = unknown_field(message) else { return message.to_owned() };
    if let Some(at) = message.find("unknown variant `") {
        let near =
            nearest(&unknown, &known).map(|word| format!("did you mean `{word}`? ")).unwrap_or_default();
        return format!(
            "{}`{unknown}` is not allowed here; {near}(allowed: {})",
            &message[..at],
            known.join(", ")
        );
    }
    match nearest(&unknown, &known) {
        Some(key) => format!("unknown key `{unknown}`; did you mean `{key}`? (known: {})", known.join(", ")),
        None => format!("unknown key `{unknown}` (known: {})", known.join(", ")),
    }
}

/// The line that a message of the YAML reader ends with.
pub(crate) fn line_in(message: &str) -> Option<usize> {
    let at = message.rfind(" at line ")? + " at line ".len();
    message[at..].split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The key that a message calls unknown, and those it names as known.
pub(crate) fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let at =
        ["unknown field `", "unknown variant `"].iter().find_map(|m| Some(message.find(m)? + m.len()))?;
    let mut quoted = message[at..].split('`').step_by(2);
    let unknown = quoted.next()?.to_owned();
    let rest = &message[at + unknown.len() + 1..];
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((unknown, known))
}

/// The known word nearest to `word`, if it is near at all.
pub(crate) fn nearest(word: &str, known: &[String]) -> Option<String> {
    let (distance, best) = known.iter().map(|k| (distance(word, k), k)).min()?;
    (distance <= 1 + best.len() / 3).then(|| best.clone())
}

/// Edit distance (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (corner + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[b.len()]
}

/// Line (from 1) of the first line that sets `key`, at or after the line that names `block`.
pub(crate) fn line_of(text: &str, block: &str, key: &str) -> Option<usize> {
    let sets = |line: &str, key: &str| {
        let line = line.split('#').next().unwrap_or_default();
        line.split(['{', ',', ' ', '-'])
            .any(|word| word.strip_suffix(':') == Some(key) || word == format!("{key}:"))
    };
    let from = text.lines().position(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.contains("name:") && line.split([' ', ',', '{', '}', '"']).any(|word| word == block)
    })?;
    text.lines().enumerate().skip(from).find(|(_, line)| sets(line, key)).map(|(i, _)| i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_nearest_key() {
        let message =
            "methods[1]: unknown field `inti`, expected one of `name`, `method`, `init` at line 3 column 5";
        let text = explain(message);
        assert!(text.contains("`inti`; did you mean `init`?"), "{text}");
        assert!(
            explain("unknown field `zzz`, expected `name`").starts_with("unknown key `zzz` (known: name)")
        );
        assert_eq!(line_in(message), Some(3));
        assert_eq!(line_in("at line"), None);
        assert_eq!(explain("no such thing"), "no such thing");
        let text = explain(
            "rl.buffer.ban: unknown variant `alway`, expected one of `always`, `half` at line 2 column 5",
        );
        assert_eq!(
            text,
            "rl.buffer.ban: `alway` is not allowed here; did you mean `always`? (allowed: always, half)"
        );
    }

    #[test]
    fn distances_are_edits() {
        for (a, b, d) in [("", "", 0), ("seed", "seeds", 1), ("metod", "method", 1), ("abc", "cba", 2)] {
            assert_eq!(distance(a, b), d);
        }
    }

    #[test]
    fn lines_are_found_inside_blocks() {
        let text = "methods:\n  - name: base\n    recipe: {steps: 1}\n  - {name: vrrl}\n    # steps: 0\n    recipe:\n      steps: 3\n";
        assert_eq!(line_of(text, "base", "steps"), Some(3));
        assert_eq!(line_of(text, "vrrl", "steps"), Some(7));
        assert_eq!(line_of(text, "vrrl", "zzz"), None);
    }
}
