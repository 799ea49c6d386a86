//! JSON as far as a turn needs it: where values begin and end, members, strings, numbers.
//!
//! Not `serde_json`, for three reasons. A reply may nest ten million brackets, and neither reading nor dropping it
//! may recurse. The released judge reads with Python, which takes lone surrogates (read here as U+FFFD), any depth,
//! and the words NaN and Infinity. And only two or three members are wanted, not a tree. All scans are linear.

use std::borrow::Cow;

/// The byte after the value that begins at `at` (blanks before it allowed); `None` where there is none.
pub(crate) fn skip(text: &[u8], at: usize) -> Option<usize> {
    scan(text, at).ok()
}

/// As [`skip`], but for text that ends too early the brackets that are still open, innermost last.
pub(super) fn scan(text: &[u8], mut at: usize) -> Result<usize, Option<Vec<u8>>> {
    let mut open: Vec<u8> = Vec::new();
    macro_rules! need {
        ($step:expr) => {
            match $step {
                Some(found) => found,
                None => return Err(Some(open)),
            }
        };
    }
    loop {
        at = blanks(text, at);
        at = match *need!(text.get(at)) {
            bracket @ (b'{' | b'[') => {
                let inside = blanks(text, at + 1);
                open.push(bracket);
                if *need!(text.get(inside)) != bracket + 2 {
                    at = if bracket == b'{' { need!(key(text, inside)) } else { inside };
                    continue;
                }
                inside
            }
            b'"' => need!(string_end(text, at)),
            b'-' | b'0'..=b'9' => need!(number_end(text, at)),
            _ => need!(word_end(text, at)),
        };
        loop {
            let Some(&bracket) = open.last() else { return Ok(at) };
            at = blanks(text, at);
            match *need!(text.get(at)) {
                b',' if bracket == b'{' => {
                    at = need!(key(text, blanks(text, at + 1)));
                    break;
                }
                b',' => {
                    at += 1;
                    break;
                }
                closing if closing == bracket + 2 => {
                    open.pop();
                    at += 1;
                }
                _ => return Err(None),
            }
        }
    }
}

fn blanks(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The byte after `"key" :`.
fn key(text: &[u8], at: usize) -> Option<usize> {
    let at = blanks(text, string_end(text, at)?);
    (text.get(at) == Some(&b':')).then_some(at + 1)
}

/// The byte after the string whose quote stands at `at`. Raw control characters are refused, as JSON has it.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    if text.get(at) != Some(&b'"') {
        return None;
    }
    at += 1;
    loop {
        at += match *text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match *text.get(at + 1)? {
                b'u' => {
                    unit(text, at)?;
                    6
                }
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                _ => return None,
            },
            0..=0x1f => return None,
            _ => 1,
        };
    }
}

/// The UTF-16 unit of the `\uXXXX` at `at`.
fn unit(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit * 16 + char::from(digit).to_digit(16)?))
}

fn number_end(text: &[u8], mut at: usize) -> Option<usize> {
    let digits = |from: usize| from + text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    if text[at] == b'-' {
        at += 1;
    }
    at = match *text.get(at)? {
        b'0' => at + 1,
        b'1'..=b'9' => digits(at),
        _ => return text[at..].starts_with(b"Infinity").then_some(at + 8),
    };
    if text.get(at) == Some(&b'.') && text.get(at + 1).is_some_and(u8::is_ascii_digit) {
        at = digits(at + 1);
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        if text.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
            at = digits(at + 1 + sign);
        }
    }
    Some(at)
}

fn word_end(text: &[u8], at: usize) -> Option<usize> {
    let words: [&[u8]; 5] = [b"true", b"false", b"null", b"NaN", b"Infinity"];
    words.iter().find(|word| text[at..].starts_with(word)).map(|word| at + word.len())
}

/// Whether `text` is one object and nothing else.
pub(super) fn is_object(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.get(blanks(bytes, 0)) == Some(&b'{')
        && skip(bytes, 0).is_some_and(|end| blanks(bytes, end) == bytes.len())
}

/// The value of a member of an object that [`is_object`]; the last one of that name, as everywhere.
pub(super) fn member<'t>(object: &'t str, name: &str) -> Option<&'t str> {
    let text = object.as_bytes();
    let (mut at, mut found) = (blanks(text, 0) + 1, None);
    loop {
        let start = blanks(text, at);
        let Some(value) = key(text, start) else { return found };
        let named = string(&object[start..string_end(text, start)?])? == name;
        let value = blanks(text, value);
        let end = skip(text, value)?;
        if named {
            found = Some(&object[value..end]);
        }
        at = blanks(text, end);
        if text.get(at) != Some(&b',') {
            return found;
        }
        at += 1;
    }
}

/// The values of an array that was skipped over whole; `None` for another value.
pub(super) fn items(array: &str) -> Option<Vec<&str>> {
    let text = array.as_bytes();
    let mut at = (text.first() == Some(&b'[')).then_some(1)?;
    let mut found = Vec::new();
    while text.get(blanks(text, at)) != Some(&b']') {
        let start = blanks(text, at);
        let end = skip(text, start)?;
        found.push(&array[start..end]);
        at = blanks(text, end);
        if text.get(at) == Some(&b',') {
            at += 1;
        }
    }
    Some(found)
}

/// The text of a string value; `None` for another value. A lone surrogate is read as U+FFFD.
pub(super) fn string(value: &str) -> Option<Cow<'_, str>> {
    let inside = value.strip_prefix('"')?.strip_suffix('"')?;
    if !inside.contains('\\') {
        return Some(Cow::Borrowed(inside));
    }
    let mut out = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (letter, used) = escape(&rest.as_bytes()[at..])?;
        out.push(letter);
        rest = &rest[at + used..];
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}

/// The character of the escape at the start of `text`, and its length.
fn escape(text: &[u8]) -> Option<(char, usize)> {
    let letter = match *text.get(1)? {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'u' => {
            let high = unit(text, 0)?;
            if let (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) = (high, unit(text, 6)) {
                return Some((char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, 12));
            }
            return Some((char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 6));
        }
        other => char::from(other),
    };
    Some((letter, 2))
}

/// A finite number value; `None` for another value.
pub(super) fn number(value: &str) -> Option<f64> {
    value.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then(|| super::scan::number(value))?
}

/// A JSON text with the escapes of lone surrogates made `\ufffd`, so that readers that refuse them can read it.
/// Other text, JSON or not, stays as it is.
#[must_use]
pub fn mend_surrogates(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let (mut out, mut kept, mut at) = (String::new(), 0, 0);
    while let Some(found) = text[at..].find('\\') {
        at += found;
        let high = unit(bytes, at);
        at += match high {
            Some(0xd800..=0xdbff) if matches!(unit(bytes, at + 6), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => {
                out.push_str(&text[kept..at]);
                out.push_str("\\ufffd");
                kept = at + 6;
                6
            }
            // Past the escaped character, which may be a backslash; never into the middle of a wider one.
            _ => 1 + usize::from(bytes.get(at + 1).is_some_and(u8::is_ascii)),
        };
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn pythons_json_is_taken() {
        for (text, holds) in [
            ("{}", true),
            (" { \"a\" : [ 1 , -0.5e+3, {} , [] , \"x\" ] , \"b\" : null } \n", true),
            ("{\"a\": NaN, \"b\": -Infinity, \"c\": Infinity}", true),
            (r#"{"a": "\ud800"}"#, true),
            (r#"{"a": "\u12g4"}"#, false),
            (r#"{"a": "\x"}"#, false),
            ("{\"a\": \"\n\"}", false),
            ("{\"a\": 01}", false),
            ("{\"a\": 1.}", false),
            ("{\"a\": +1}", false),
            ("{\"a\": 1,}", false),
            ("{\"a\" 1}", false),
            ("{'a': 1}", false),
            ("{\"a\": [1,]}", false),
            ("{\"a\": [}", false),
            ("{\"a\": [1}]", false),
            ("{} {}", false),
            ("[]", false),
            ("{", false),
            ("", false),
        ] {
            assert_eq!(is_object(text), holds, "{text}");
        }
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(is_object(&deep));
    }

    #[test]
    fn members_are_found_and_the_last_counts() {
        let object = r#"{"a": 1, "b": {"a": 2}, "\u0061": [3, {"x": "y]"}], "c": "}"}"#;
        assert_eq!(member(object, "a"), Some(r#"[3, {"x": "y]"}]"#));
        assert_eq!(member(object, "d"), None);
        assert_eq!(items(member(object, "a").unwrap()), Some(vec!["3", r#"{"x": "y]"}"#]));
        assert_eq!((items("[]"), items("[ ]"), items("{}")), (Some(vec![]), Some(vec![]), None));
    }

    #[test]
    fn surrogates_are_mended() {
        for (text, wanted) in [
            (r#""\ud83d\ude00""#, "😀"),
            (r#""\ud83d!\ude00""#, "\u{fffd}!\u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\\ud83d""#, "\\ud83d"),
            (r#""\\\ud83d""#, "\\\u{fffd}"),
        ] {
            assert_eq!(string(text).unwrap(), wanted, "{text}");
            assert_eq!(serde_json::from_str::<String>(&mend_surrogates(text)).unwrap(), wanted, "{text}");
        }
        assert!(matches!(mend_surrogates(r#"{"a": "\n\ud83d\ude00"}"#), Cow::Borrowed(_)));
        assert_eq!(mend_surrogates("\\é\\"), "\\é\\");
    }

    proptest! {
        #[test]
        fn what_serde_reads_is_read_alike(text in r#"[\[\]{}:,"0-9eE.+\- \\untrfalsdbé]{0,40}|\{("[a-c]":(1|"x\\\\n"|\[1,2\]|\{\}),?){0,4}\}"#) {
            if let Ok(Value::Object(map)) = serde_json::from_str::<Value>(&text) {
                prop_assert!(is_object(&text));
                for (name, value) in &map {
                    let raw = member(&text, name).unwrap();
                    prop_assert_eq!(&serde_json::from_str::<Value>(raw).unwrap(), value);
                }
            }
        }

        #[test]
        fn strings_read_back(text in ".*") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(string(&json).unwrap(), text);
            prop_assert_eq!(&*mend_surrogates(&json), &*json);
        }
    }
}
