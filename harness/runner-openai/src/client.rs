//! One request over HTTP, and what its failing is called.

use std::time::{Duration, SystemTime};

use ureq::http::{HeaderMap, HeaderName, HeaderValue};
use ureq::{Agent, Proxy, Timeout};
use vrrl_harness_core::{Fault, Reply};

use crate::config::{Address, EndpointConfig, Filled};
use crate::fault::{self, fault};
use crate::secret::{Key, Secrets};
use crate::{wire, Error};

/// Longest answer, bytes.
const LONGEST: u64 = 64 << 20;

/// Everything a request needs beside its body; shared by all workers.
pub(crate) struct Line {
    url: String,
    local: bool,
    headers: HeaderMap,
    connect: Duration,
    whole: Duration,
    pub secrets: Secrets,
}

/// What came of one try.
pub(crate) struct Missed {
    pub fault: Fault,
    /// How long the server asks to wait.
    pub wait: Option<Duration>,
}

impl From<Fault> for Missed {
    fn from(fault: Fault) -> Self {
        Self { fault, wait: None }
    }
}

impl Line {
    pub(crate) fn new(address: &Address, config: &EndpointConfig, key: &Key) -> Result<Self, Error> {
        let Filled { headers: extra, secrets } = config.filled()?;
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        for (name, text) in &extra {
            let wrong =
                |what: &str| Error::Config(format!("endpoint: headers.{name}: no {what} of a header"));
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("name"))?;
            headers.insert(header, HeaderValue::from_str(text).map_err(|_| wrong("value"))?);
        }
        if let Some(text) = key.header()? {
            let mut value = HeaderValue::from_str(&text).expect("checked to be plain signs");
            value.set_sensitive(true);
            headers.insert("authorization", value);
        }
        Ok(Self {
            url: address.url.clone(),
            local: address.is_local(),
            headers,
            connect: Duration::from_secs_f64(config.connect_timeout_s),
            whole: Duration::from_secs_f64(config.timeout_s),
            secrets: Secrets::new(key, secrets),
        })
    }

    /// A connection of one's own; each worker has one, so that nobody waits for another's lock.
    pub(crate) fn agent(&self) -> Agent {
        Agent::config_builder()
            .http_status_as_error(false)
            // A redirect would carry the key elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .timeout_connect(Some(self.connect))
            .timeout_per_call(Some(self.whole))
            .proxy(if self.local { None } else { Proxy::try_from_env() })
            .user_agent(concat!("vrrl/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent()
    }

    /// Sends one request and reads its answer whole.
    pub(crate) fn post(&self, agent: &Agent, body: &[u8]) -> Result<Reply, Missed> {
        let mut request = agent.post(&self.url);
        if let Some(headers) = request.headers_mut() {
            headers.extend(self.headers.clone());
        }
        let mut response = request.send(body).map_err(|e| self.missed(&e, false))?;
        let status = response.status();
        let wait = wait(response.headers(), SystemTime::now());
        let bytes = response.body_mut().with_config().limit(LONGEST).read_to_vec();
        let bytes = bytes.map_err(|e| self.missed(&e, true))?;
        let text = self.clean(String::from_utf8_lossy(&bytes).into_owned());
        if !status.is_success() {
            return Err(Missed { fault: fault::of_status(status.as_u16(), &text), wait });
        }
        Ok(wire::reply(&text)?)
    }

    /// An answer without secrets, however JSON spells them.
    fn clean(&self, text: String) -> String {
        let text = self.secrets.mask(text);
        let escapes = text.contains("\\u") || text.contains("\\/");
        match escapes.then(|| serde_json::from_str::<serde_json::Value>(&text)) {
            Some(Ok(value)) => self.secrets.mask(value.to_string()),
            _ => text,
        }
    }

    fn missed(&self, error: &ureq::Error, answered: bool) -> Missed {
        use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut};
        let kind = match error {
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => fault::CONNECT,
            ureq::Error::Timeout(_) => fault::TIMEOUT,
            ureq::Error::Io(e) if e.kind() == TimedOut => fault::TIMEOUT,
            ureq::Error::BodyExceedsLimit(_) if answered => fault::GARBLED,
            _ if answered => fault::CUT,
            ureq::Error::Io(e)
                if !matches!(e.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable) =>
            {
                fault::CUT
            }
            ureq::Error::Protocol(_) => fault::CUT,
            _ => fault::CONNECT,
        };
        fault(kind, self.secrets.mask(error.to_string())).into()
    }
}

/// How long a server asks to wait: `retry-after-ms`, or `retry-after` as seconds or as a date.
fn wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok()).map(str::trim);
    let seconds = |text: &str| text.parse::<f64>().ok().filter(|s| (0.0..=1e6).contains(s));
    if let Some(ms) = text("retry-after-ms").and_then(seconds) {
        return Some(Duration::from_secs_f64(ms / 1000.0));
    }
    let after = text("retry-after")?;
    match seconds(after) {
        Some(s) => Some(Duration::from_secs_f64(s)),
        None => httpdate::parse_http_date(after).ok().map(|at| at.duration_since(now).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_say_how_long_in_three_ways() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let later = httpdate::fmt_http_date(now + Duration::from_secs(90));
        for (name, text, seconds) in [
            ("retry-after", "7", Some(7.0)),
            ("retry-after", "0.5", Some(0.5)),
            ("retry-after-ms", "250", Some(0.25)),
            ("retry-after", later.as_str(), Some(90.0)),
            ("retry-after", "soon", None),
            ("retry-after", "-3", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_str(text).unwrap());
            assert_eq!(wait(&headers, now), seconds.map(Duration::from_secs_f64), "{name}: {text}");
        }
    }
}
