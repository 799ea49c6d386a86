//! JSON as Python writes it, and its values as metrics.

use std::borrow::Cow;

use serde_json::{Map, Value};
use vrrl_harness_core::mend_surrogates;

/// An object of a file.
pub(super) type Object = Map<String, Value>;

/// Reads one object. Python's `NaN` and `Infinity`, which no JSON reader need know, become null: missing.
pub(super) fn object(bytes: &[u8]) -> Result<Object, String> {
    match value(bytes)? {
        Value::Object(object) => Ok(object),
        other => Err(format!("an object is wanted, not {}", short(&other))),
    }
}

/// Reads one value, likewise.
pub(super) fn value(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("not UTF-8 after byte {}", e.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = if text.contains("\\ud") || text.contains("\\uD") {
        mend_surrogates(text)
    } else {
        Cow::Borrowed(text)
    };
    serde_json::from_str(&without_nan(&text)).map_err(|e| {
        let cut =
            if e.is_eof() { "; the file was cut off: write it again, or remove the torn end" } else { "" };
        format!("{e}{cut}")
    })
}

/// The same text with null for every number that is none, outside of strings.
fn without_nan(text: &str) -> Cow<'_, str> {
    if !(text.contains("NaN") || text.contains("Infinity")) {
        return Cow::Borrowed(text);
    }
    let (mut mended, mut quoted, mut rest) = (String::with_capacity(text.len()), false, text);
    while let Some(next) = rest.chars().next() {
        let word =
            ["-Infinity", "Infinity", "NaN"].into_iter().find(|word| !quoted && rest.starts_with(word));
        let taken = match (word, next) {
            (Some(word), _) => {
                mended.push_str("null");
                rest = &rest[word.len()..];
                continue;
            }
            (None, '\\') if quoted => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            (None, '"') => {
                quoted = !quoted;
                1
            }
            (None, other) => other.len_utf8(),
        };
        mended.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    Cow::Owned(mended)
}

/// A value in a few words, for messages.
pub(super) fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// An id or name: a text, or a whole number as its digits.
pub(super) fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        _ => None,
    }
}

/// Right or wrong, or nothing where a metric has no value.
///
/// Zero and one (also as texts, as tables have them), booleans, and `inspect_ai`'s letters: C is right; I and N
/// (no answer) are wrong. Everything else is neither and is refused.
pub(super) fn verdict(value: &Value) -> Result<Option<bool>, String> {
    let neither = || Err(format!("{}, which is neither right (1) nor wrong (0)", short(value)));
    match value {
        Value::Null => Ok(None),
        Value::Bool(bit) => Ok(Some(*bit)),
        Value::Number(number) => match number.as_f64() {
            Some(x) if x.total_cmp(&0.0).is_eq() => Ok(Some(false)),
            Some(x) if x.total_cmp(&1.0).is_eq() => Ok(Some(true)),
            _ => neither(),
        },
        Value::String(text) => match text.trim() {
            "" | "nan" | "NaN" => Ok(None),
            "1" | "1.0" | "true" | "True" | "C" => Ok(Some(true)),
            "0" | "0.0" | "false" | "False" | "I" | "N" => Ok(Some(false)),
            _ => neither(),
        },
        Value::Array(_) | Value::Object(_) => neither(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_that_are_none_are_missing_and_texts_stay() {
        let read = value(br#"{"a": NaN, "b": [-Infinity, 1], "c": "NaN \" Infinity", "d\\": NaN}"#).unwrap();
        assert_eq!(read, json!({"a": null, "b": [null, 1], "c": "NaN \" Infinity", "d\\": null}));
        assert!(value(br#"{"a": "NaN"#).unwrap_err().contains("cut off"));
        assert!(object(b"[1]").unwrap_err().contains("not [1]"));
        assert!(value(b"\"\xff\"").unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn only_right_and_wrong_are_verdicts() {
        for (value, wanted) in [
            (json!(1.0), Some(true)),
            (json!(0), Some(false)),
            (json!(-0.0), None),
            (json!("C"), Some(true)),
            (json!("N"), Some(false)),
            (json!(true), Some(true)),
            (json!(" 1 "), Some(true)),
        ] {
            match wanted {
                Some(bit) => assert_eq!(verdict(&value), Ok(Some(bit)), "{value}"),
                None => assert!(verdict(&value).is_err(), "{value}"),
            }
        }
        for value in [json!(null), json!(""), json!("nan")] {
            assert_eq!(verdict(&value), Ok(None));
        }
        for value in [json!(0.5), json!("P"), json!({"id": 1}), json!([1])] {
            assert!(verdict(&value).unwrap_err().contains("neither"), "{value}");
        }
    }
}
