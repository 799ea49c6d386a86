//! Reading YAML that somebody else wrote: bounded in size, depth and repetition, with errors that name the key.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::Error;

/// Definitions are a few lines; a larger file is a mistake or an attack.
const LARGEST: u64 = 256 * 1024;
/// Values after aliases are followed. A short text with aliases of aliases can stand for billions.
const MOST_VALUES: u32 = 50_000;
/// Opening brackets: the time of the parser grows with depth times length.
const MOST_BRACKETS: usize = 10_000;

/// Reads a small text file whole.
///
/// # Errors
/// [`Error::Io`], or [`Error::Malformed`] if it is larger than a definition can be or no UTF-8.
pub(crate) fn read_small(path: &Path) -> Result<String, Error> {
    let mut bytes = Vec::new();
    // A device has no length, so the limit is on what is read.
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(Error::io("read", path))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::malformed(
            path,
            format!("larger than {} KiB, which no definition is", LARGEST / 1024),
        ));
    }
    String::from_utf8(bytes).map_err(|_| Error::malformed(path, "not UTF-8"))
}

/// Reads a value; the reason of a failure says the line and, for an unknown key, the nearest known one.
pub(crate) fn from_yaml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    if text.len() as u64 > LARGEST {
        return Err(format!("larger than {} KiB, which no definition is", LARGEST / 1024));
    }
    if text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > MOST_BRACKETS {
        return Err(format!("more than {MOST_BRACKETS} opening brackets"));
    }
    let left = Cell::new(MOST_VALUES);
    Count { left: &left }
        .deserialize(serde_yaml::Deserializer::from_str(text))
        .and_then(|()| serde_yaml::from_str(text))
        .map_err(|e| with_hint(&e.to_string()))
}

/// Walks through a document without keeping it.
#[derive(Clone, Copy)]
struct Count<'a> {
    left: &'a Cell<u32>,
}

impl Count<'_> {
    fn one<E: serde::de::Error>(self) -> Result<(), E> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(E::custom(format!("more than {MOST_VALUES} values, aliases followed"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Count<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Count<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("plain data without tags")
    }
    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.one()
    }
    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.one()
    }
    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.one()
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.one()
    }
    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.one()
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.one()
    }
    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        self.one()
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.one()?;
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.one()?;
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<Key>()? {
            // Of two equal keys, a map keeps the last and says nothing.
            if seen.contains(&key.0) {
                return Err(A::Error::custom(format!("key `{}` stands there twice", key.0)));
            }
            seen.insert(key.0);
            map.next_value_seed(self)?;
        }
        Ok(())
    }
}

/// A key as text, whatever it is.
struct Key(String);

impl<'de> serde::Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Key;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a key")
            }
            fn visit_bool<E: serde::de::Error>(self, key: bool) -> Result<Key, E> {
                Ok(Key(key.to_string()))
            }
            fn visit_i64<E: serde::de::Error>(self, key: i64) -> Result<Key, E> {
                Ok(Key(key.to_string()))
            }
            fn visit_u64<E: serde::de::Error>(self, key: u64) -> Result<Key, E> {
                Ok(Key(key.to_string()))
            }
            fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Key, E> {
                Ok(Key(key.into()))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A message with the nearest known key at its end, where it is about an unknown one.
pub(crate) fn with_hint(message: &str) -> String {
    match suggestion(message) {
        // The message of a deeper layer may have it already.
        Some(key) if !message.contains("did you mean") => format!("{message}; did you mean `{key}`?"),
        _ => message.into(),
    }
}

/// The nearest known key, from a serde message such as "unknown field `hole`, expected one of `holes`, …";
/// `None` for another message or where nothing is near.
#[must_use]
pub fn suggestion(message: &str) -> Option<String> {
    let (_, rest) =
        message.split_once("unknown field `").or_else(|| message.split_once("unknown variant `"))?;
    let (unknown, expected) = rest.split_once('`')?;
    let known = expected.split('`').skip(1).step_by(2);
    nearest(unknown, known).map(Into::into)
}

/// The candidate fewest edits away, if at most half of the word would change.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = candidates.into_iter().map(|candidate| (edits(word, candidate), candidate));
    scored
        .min()
        .filter(|&(distance, _)| distance * 2 <= word.chars().count().max(2))
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance; long words are cut, for no key is that long.
fn edits(a: &str, b: &str) -> usize {
    const LONGEST: usize = 100;
    let b: Vec<char> = b.chars().take(LONGEST).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(LONGEST).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::Value;

    use super::*;

    fn error(text: &str) -> String {
        from_yaml::<Value>(text).unwrap_err()
    }

    #[test]
    fn bombs_end_soon_with_a_reason() {
        let begun = Instant::now();
        let mut laughs = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
        for (from, to) in "abcdefgh".chars().zip("bcdefghi".chars()) {
            let line = format!("*{from}, ").repeat(9);
            laughs += &format!("{to}: &{to} [{line}]\n");
        }
        assert!(
            error(&laughs).contains("values") || error(&laughs).contains("repetition"),
            "{}",
            error(&laughs)
        );
        // Few jumps, each long: what a limit on jumps alone lets through.
        let flat = format!("a: &a [{}]\nb: [{}]\n", "x, ".repeat(5000), "*a, ".repeat(5000));
        assert!(error(&flat).contains("more than 50000 values"), "{}", error(&flat));
        assert!(error(&"[".repeat(100_000)).contains("brackets"));
        assert!(error(&"[".repeat(5_000)).contains("recursion"), "{}", error(&"[".repeat(5_000)));
        assert!(error(&"- ".repeat(50_000)).contains("recursion"));
        assert!(error(&"a: 1\n".repeat(100_000)).contains("KiB"));
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }

    #[test]
    fn a_key_twice_is_named_at_any_depth() {
        assert!(error("a: 1\nb: 2\na: 3\n").contains("`a` stands there twice"));
        assert!(error("p: { size: [3, 4], size: [5, 6] }").contains("`size` stands there twice"));
        assert_eq!(from_yaml::<Value>("p: {size: 1}\nq: {size: 2}\n").unwrap()["q"]["size"], 2);
    }

    #[test]
    fn large_files_are_not_read_to_their_end() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("large.yaml");
        std::fs::write(&path, vec![b' '; LARGEST as usize + 1]).unwrap();
        assert!(read_small(&path).unwrap_err().to_string().contains("larger than 256 KiB"));
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(read_small(&path).unwrap_err().to_string().contains("not UTF-8"));
    }
}
