//! Secrets: where they come from, and that they go nowhere else.

use std::fmt;

use crate::Error;

/// Shorter words are no secrets (`EMPTY`, `none`: what servers without keys are given) and stand in ordinary text.
const SHORTEST: usize = 6;
/// What stands in a secret's place.
const MASK: &str = "[secret]";

/// The key that a request carries; prints as nothing.
#[derive(Clone, Default)]
pub struct Key(Option<String>);

impl Key {
    /// The environment variable that holds it.
    pub const VARIABLE: &'static str = "OPENAI_API_KEY";

    /// From the environment, the only place a key is ever read from; none where the variable is unset or empty.
    #[must_use]
    pub fn from_env() -> Self {
        Self(std::env::var(Self::VARIABLE).ok().filter(|key| !key.is_empty()))
    }

    /// A given key, for tests and embedding.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self(Some(key.into()))
    }

    /// The value of the header `authorization`.
    ///
    /// # Errors
    /// A key that no header can carry; the message does not hold it.
    pub(crate) fn header(&self) -> Result<Option<String>, Error> {
        let Some(key) = &self.0 else { return Ok(None) };
        if key.bytes().any(|b| !(0x21..=0x7e).contains(&b)) {
            let name = Self::VARIABLE;
            return Err(Error::Config(format!(
                "{name} holds a space, a line end or another sign that no header carries; set it again"
            )));
        }
        Ok(Some(format!("Bearer {key}")))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Key(set)" } else { "Key(unset)" })
    }
}

/// Words that must stand in no file, log or error.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn new(key: &Key, others: impl IntoIterator<Item = String>) -> Self {
        let all = key.0.iter().cloned().chain(others);
        Self(all.filter(|word| word.len() >= SHORTEST).collect())
    }

    /// The text without them: servers repeat what they were sent, in errors above all.
    pub(crate) fn mask(&self, text: String) -> String {
        let hide = |text: String, word: &String| {
            if text.contains(word.as_str()) {
                text.replace(word.as_str(), MASK)
            } else {
                text
            }
        };
        self.0.iter().fold(text, hide)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_never_printed() {
        let key = Key::new("sk-very-secret");
        assert_eq!(format!("{key:?}"), "Key(set)");
        let secrets = Secrets::new(&key, ["other-one".into(), "EMPTY".into()]);
        let text = "a sk-very-secret b other-one c EMPTY".to_owned();
        assert_eq!(secrets.mask(text), "a [secret] b [secret] c EMPTY");
        assert_eq!(format!("{secrets:?}"), "Secrets(2)");
        let error = Key::new("sk-very\nsecret").header().unwrap_err().to_string();
        assert!(!error.contains("sk-very") && error.contains("OPENAI_API_KEY"), "{error}");
    }
}
