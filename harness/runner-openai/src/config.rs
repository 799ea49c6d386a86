//! What an endpoint is told beside the conversation: `openai:URL#NAME`, and a short YAML file.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vrrl_harness_core::FORMAT;

use crate::picture::Limits;
use crate::Error;

/// Which key carries the longest reply's length.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenLimit {
    /// What most servers know.
    #[default]
    MaxTokens,
    /// What newer hosted models ask for; includes hidden reasoning there.
    MaxCompletionTokens,
}

/// A key that some servers refuse, and that can be left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Omit {
    /// `temperature`.
    Temperature,
    /// `seed`.
    Seed,
}

/// How many episodes are held open at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Workers {
    /// Grows until latency or refusals say stop; see [`crate::Pace`].
    #[default]
    Auto,
    /// So many.
    Fixed(usize),
}

impl FromStr for Workers {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word.parse() {
            Ok(n) if (1..=4096).contains(&n) => Ok(Self::Fixed(n)),
            _ if word == "auto" => Ok(Self::Auto),
            _ => Err("use a number from 1 to 4096, or auto".into()),
        }
    }
}

/// The settings of an endpoint, as a YAML file has them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointConfig {
    /// Version of this file format.
    pub format: u32,
    /// `max_tokens` or `max_completion_tokens`.
    pub token_limit: TokenLimit,
    /// Longest reply, tokens of the server's model; the run's own limit where absent.
    pub max_tokens: Option<usize>,
    /// Keys that are not sent.
    pub omit: Vec<Omit>,
    /// Texts that end a reply.
    pub stop: Vec<String>,
    /// `low`, `high` or `auto`, for servers that know it.
    pub image_detail: Option<String>,
    /// Longest side of a picture, pixels; larger ones are made smaller before they are sent.
    pub max_side: Option<u32>,
    /// Largest area of a picture, pixels.
    pub max_pixels: Option<u64>,
    /// More keys of the request's body.
    pub extra_body: Map<String, Value>,
    /// More headers; `${NAME}` stands for an environment variable.
    pub headers: BTreeMap<String, String>,
    /// How often a request is sent at most, when what goes wrong may pass.
    pub tries: u32,
    /// Wait before the second try, seconds; doubled each time, and jittered down by up to a half.
    pub backoff_s: f64,
    /// Longest wait, seconds; a server that asks for a longer one is not asked again.
    pub max_wait_s: f64,
    /// For a connection, seconds.
    pub connect_timeout_s: f64,
    /// For a whole reply, seconds.
    pub timeout_s: f64,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            format: FORMAT,
            token_limit: TokenLimit::default(),
            max_tokens: None,
            omit: Vec::new(),
            stop: Vec::new(),
            image_detail: None,
            max_side: None,
            max_pixels: None,
            extra_body: Map::new(),
            headers: BTreeMap::new(),
            tries: 6,
            backoff_s: 0.5,
            max_wait_s: 120.0,
            connect_timeout_s: 10.0,
            timeout_s: 600.0,
        }
    }
}

/// Keys of the body that other settings decide.
const OURS: [&str; 9] = [
    "model",
    "messages",
    "stream",
    "temperature",
    "seed",
    "stop",
    "n",
    "max_tokens",
    "max_completion_tokens",
];
/// Headers that carry secrets, or whose names say so.
const SECRET: [&str; 6] = ["authorization", "key", "token", "secret", "cookie", "password"];

impl EndpointConfig {
    /// Refuses values that mean nothing, and secrets in plain sight.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |text: String| Err(Error::Config(format!("endpoint: {text}")));
        if self.format > FORMAT {
            return wrong(format!("format is {}; this version reads up to {FORMAT}", self.format));
        }
        if self.max_tokens == Some(0) || self.max_side == Some(0) || self.max_pixels == Some(0) {
            return wrong(
                "max_tokens, max_side and max_pixels are at least 1; leave a key out for no limit".into(),
            );
        }
        if self.tries == 0 {
            return wrong("tries: 0 asks nothing; use at least 1".into());
        }
        let seconds = [
            ("backoff_s", self.backoff_s),
            ("max_wait_s", self.max_wait_s),
            ("connect_timeout_s", self.connect_timeout_s),
            ("timeout_s", self.timeout_s),
        ];
        if let Some((key, value)) = seconds.into_iter().find(|(_, s)| !(0.001..=1e6).contains(s)) {
            return wrong(format!("{key}: {value} is no time; use seconds from 0.001 to 1000000"));
        }
        if let Some(key) = self.extra_body.keys().find(|key| OURS.contains(&key.as_str())) {
            let instead = "set it by a flag or by its own key here (token_limit, stop, omit)";
            return wrong(format!("extra_body.{key} is decided elsewhere; {instead}"));
        }
        for (name, value) in &self.headers {
            let lower = name.to_lowercase();
            if lower == "authorization" {
                return wrong("headers.authorization comes from OPENAI_API_KEY; leave it out here".into());
            }
            if SECRET.iter().any(|mark| lower.contains(mark)) && !value.contains("${") {
                return wrong(format!(
                    "headers.{name} looks like a secret; keep it in the environment and write ${{NAME}} here"
                ));
            }
        }
        Ok(())
    }

    /// How large a picture may be.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { max_side: self.max_side, max_pixels: self.max_pixels }
    }

    /// The part that decides replies. Times and tries do not; headers as they are written, not as they are sent.
    pub(crate) fn deciding(&self) -> Value {
        let mut all = serde_json::to_value(self).expect("settings have only plain keys");
        let keys =
            ["tries", "backoff_s", "max_wait_s", "connect_timeout_s", "timeout_s", "format", "max_tokens"];
        if let Some(all) = all.as_object_mut() {
            keys.iter().for_each(|key| drop(all.remove(*key)));
        }
        all
    }

    /// The headers with variables filled in, and what was filled in.
    pub(crate) fn filled(&self) -> Result<Filled, Error> {
        let (mut headers, mut secrets) = (Vec::new(), Vec::new());
        for (name, text) in &self.headers {
            let (mut value, mut rest) = (String::new(), text.as_str());
            while let Some((before, after)) = rest.split_once("${") {
                let (variable, after) = after.split_once('}').ok_or_else(|| {
                    Error::Config(format!("endpoint: headers.{name}: ${{ without a closing brace"))
                })?;
                let word = std::env::var(variable).map_err(|_| {
                    Error::Config(format!("endpoint: headers.{name}: the variable {variable} is not set"))
                })?;
                value.push_str(before);
                value.push_str(&word);
                secrets.push(word);
                rest = after;
            }
            value.push_str(rest);
            headers.push((name.clone(), value));
        }
        Ok(Filled { headers, secrets })
    }
}

/// Headers as they are sent.
pub(crate) struct Filled {
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// What came from the environment.
    pub secrets: Vec<String>,
}

/// `URL#NAME`: where requests go, and the model's name there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Address {
    pub url: String,
    pub model: String,
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Err(Error::Config(format!("model openai:URL#NAME: {why}")));
        let Some((base, model)) = word.split_once('#') else {
            return wrong("no #NAME; write, for example, openai:http://localhost:8000/v1#my-model");
        };
        if model.is_empty() {
            return wrong("the name after # is empty");
        }
        let Some((scheme, rest)) = base.split_once("://") else {
            return wrong("the URL begins with http:// or https://");
        };
        if !["http", "https"].contains(&scheme) {
            return wrong("the URL begins with http:// or https://");
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.is_empty() {
            return wrong("the URL has no host");
        }
        // Not quoted: it may hold a password.
        if authority.contains('@') {
            return wrong("a user or password in the URL would be written into the run; use OPENAI_API_KEY");
        }
        if rest.contains('?') {
            return wrong(
                "a query in the URL is not supported; use headers or extra_body of --endpoint FILE.yaml",
            );
        }
        let base = base.trim_end_matches('/');
        let url = match base.strip_suffix("/chat/completions") {
            Some(_) => base.to_owned(),
            None => format!("{base}/chat/completions"),
        };
        Ok(Self { url, model: model.to_owned() })
    }
}

impl Address {
    /// Whether the host is this machine; no proxy stands between.
    pub(crate) fn is_local(&self) -> bool {
        let rest = self.url.split_once("://").map_or("", |(_, rest)| rest);
        let host = rest.split('/').next().unwrap_or_default();
        host.starts_with("127.") || host.starts_with("[::1]") || host.split(':').next() == Some("localhost")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_or_say_what_is_wrong() {
        for (word, url) in [
            ("http://localhost:8000/v1#m", "http://localhost:8000/v1/chat/completions"),
            ("https://api.example.org/v1/#org/m#2", "https://api.example.org/v1/chat/completions"),
            ("http://127.0.0.1:1/v1/chat/completions#m", "http://127.0.0.1:1/v1/chat/completions"),
        ] {
            assert_eq!(word.parse::<Address>().unwrap().url, url);
        }
        let of = |word: &str| word.parse::<Address>();
        assert_eq!(of("https://a/v1#org/m#2").unwrap().model, "org/m#2");
        assert!(
            of("http://localhost/v1#m").unwrap().is_local() && of("http://[::1]:80#m").unwrap().is_local()
        );
        assert!(!of("http://localhost.example.org/v1#m").unwrap().is_local());
        for (word, says) in [
            ("http://localhost", "no #NAME"),
            ("http://localhost#", "is empty"),
            ("localhost:8000#m", "begins with http"),
            ("ftp://localhost#m", "begins with http"),
            ("https://me:hunter2@host/v1#m", "OPENAI_API_KEY"),
            ("http:///v1#m", "no host"),
            ("http://h/v1?key=x#m", "query"),
        ] {
            let error = of(word).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn settings_are_checked() {
        let read = |text: &str| serde_yaml::from_str::<EndpointConfig>(text).unwrap();
        EndpointConfig::default().check().unwrap();
        read("token_limit: max_completion_tokens\nomit: [temperature, seed]\nstop: ['</s>']")
            .check()
            .unwrap();
        read("headers: {x-api-key: '${MY_KEY}', x-team: blue}\nextra_body: {top_k: 5}").check().unwrap();
        for (text, says) in [
            ("format: 2", "format is 2"),
            ("tries: 0", "tries"),
            ("max_side: 0", "max_side"),
            ("timeout_s: -1", "timeout_s"),
            ("timeout_s: .nan", "timeout_s"),
            ("extra_body: {stream: true}", "extra_body.stream"),
            ("headers: {Authorization: Bearer abc}", "OPENAI_API_KEY"),
            ("headers: {X-Api-Key: abcdef}", "looks like a secret"),
        ] {
            let error = read(text).check().unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("abc"), "{error}");
        }
        assert!(serde_yaml::from_str::<EndpointConfig>("tires: 3").is_err());
        let error = read("headers: {a: '${VRRL_NO_SUCH_VARIABLE}'}").filled().err().unwrap().to_string();
        assert!(error.contains("VRRL_NO_SUCH_VARIABLE"), "{error}");
    }

    #[test]
    fn only_what_decides_replies_is_compared() {
        let read = |text: &str| serde_yaml::from_str::<EndpointConfig>(text).unwrap().deciding();
        assert_eq!(read("tries: 9\ntimeout_s: 5"), read(""));
        assert_ne!(read("stop: [x]"), read(""));
        assert_eq!(read("headers: {x-key: '${HOME}'}")["headers"]["x-key"], "${HOME}");
    }

    #[test]
    fn workers_are_a_number_or_auto() {
        assert_eq!("7".parse(), Ok(Workers::Fixed(7)));
        assert_eq!("auto".parse(), Ok(Workers::Auto));
        assert!(["0", "-1", "many", "5000"].iter().all(|word| word.parse::<Workers>().is_err()));
    }
}
