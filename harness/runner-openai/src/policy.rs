//! The policy: conversation, request, retries, reply.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{json, Value};
use ureq::Agent;
use vrrl_harness_core::{
    sha256_hex, Dialect, Fault, Observation, Policy, PolicyInfo, PromptProfile, Prompted, Reply, Request,
    Seed,
};

use crate::cache::Cache;
use crate::client::{Line, Missed};
use crate::config::{Address, EndpointConfig, Workers};
use crate::fault::{self, fault};
use crate::gate::{Gate, Outcome, Pace};
use crate::picture::Sent;
use crate::secret::Key;
use crate::{wire, Error};

/// Most requests under way where their number is found by trying.
const MOST: usize = 256;

/// How an endpoint is opened.
#[derive(Clone, Debug)]
pub struct Opening<'o> {
    /// Settings of the endpoint.
    pub config: EndpointConfig,
    /// What the model is told.
    pub prompts: PromptProfile,
    /// Turn language and most turns, which the prompts speak of.
    pub rules: (Dialect, usize),
    /// Episodes at once.
    pub workers: Workers,
    /// Directory of replies to reuse and to add to.
    pub cache: Option<&'o Path>,
    /// The key.
    pub key: Key,
}

/// A model behind an endpoint.
pub struct Endpoint {
    shared: Arc<Shared>,
    workers: usize,
    own: Worker,
}

/// What all workers use.
struct Shared {
    address: Address,
    config: EndpointConfig,
    prompts: PromptProfile,
    rules: (Dialect, usize),
    settings: Value,
    line: Line,
    gate: Gate,
    cache: Option<Cache>,
    /// Where a reply comes from, for the cache's key.
    place: String,
}

/// A handle with a connection and the pictures of its episode.
struct Worker {
    shared: Arc<Shared>,
    agent: Agent,
    /// Episode, and its pictures as they were sent.
    sent: (u64, Vec<Option<Sent>>),
}

impl Endpoint {
    /// Opens `URL#NAME` (what follows `openai:` in a MODEL word); asks nothing yet.
    ///
    /// # Errors
    /// [`Error`]: an address, settings or key that make no sense; a cache directory that cannot be made.
    pub fn open(word: &str, opening: Opening<'_>) -> Result<Self, Error> {
        let Opening { config, prompts, rules, workers, cache, key } = opening;
        let address: Address = word.parse()?;
        config.check()?;
        let line = Line::new(&address, &config, &key)?;
        let in_use = |source| Error::Cache { path: cache.map(Path::to_path_buf).unwrap_or_default(), source };
        let cache = cache.map(Cache::open).transpose().map_err(in_use)?;
        let deciding = config.deciding();
        let settings = json!({
            "url": address.url,
            "model": address.model,
            "endpoint": deciding,
            "prompts": prompts,
        });
        let place = json!([address.url, deciding["headers"]]).to_string();
        let (workers, pace) = match workers {
            Workers::Fixed(n) => (n.max(1), None),
            Workers::Auto => (MOST, Some(Pace::new(MOST))),
        };
        let gate = Gate::new(pace);
        let shared = Arc::new(Shared { address, config, prompts, rules, settings, line, gate, cache, place });
        let own = Worker::of(&shared);
        Ok(Self { shared, workers, own })
    }
}

impl Policy for Endpoint {
    fn info(&self) -> PolicyInfo {
        PolicyInfo {
            name: self.shared.address.model.clone(),
            backend: "openai".into(),
            engine: "chat completions".into(),
            fingerprint: sha256_hex(self.shared.settings.to_string().as_bytes()),
        }
    }

    fn slots(&self) -> usize {
        1
    }

    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
        self.own.respond(requests)
    }

    fn settings(&self) -> Option<Value> {
        Some(self.shared.settings.clone())
    }

    fn workers(&self) -> Vec<Box<dyn Policy + Send>> {
        self.shared.gate.reopen();
        let one = |_| Box::new(Worker::of(&self.shared)) as Box<dyn Policy + Send>;
        (0..self.workers).map(one).collect()
    }

    fn halt(&self) {
        self.shared.gate.halt();
    }
}

impl Worker {
    fn of(shared: &Arc<Shared>) -> Self {
        Self { shared: shared.clone(), agent: shared.line.agent(), sent: (0, Vec::new()) }
    }

    fn reply(&mut self, request: &Request<'_>) -> Result<Reply, Fault> {
        let shared = self.shared.clone();
        let history = request.history.iter().map(|turn| &turn.observation);
        let seen: Vec<&Observation> = history.chain([request.observation]).collect();
        self.draw(request.episode, &seen);
        let pictures: Vec<&str> = self.sent.1.iter().flatten().map(|sent| sent.uri.as_str()).collect();
        let said: Vec<&str> = request.history.iter().map(|turn| turn.reply.text.as_str()).collect();
        let (dialect, max_turns) = shared.rules;
        let whom = Prompted { task: request.example.task(), dialect, max_turns };
        let messages = shared.prompts.messages(whom, seen.iter().copied(), &said);
        let body = wire::body(&shared.address.model, &shared.config, request, &messages, &pictures);
        let mut reply = self.recall(request, &body)?;
        reply.sent_sha256 = self.sent.1.last().and_then(Option::as_ref).and_then(|sent| sent.other.clone());
        Ok(reply)
    }

    /// Encodes the pictures of an episode that are new.
    fn draw(&mut self, episode: u64, seen: &[&Observation]) {
        let limits = self.shared.config.limits();
        let (of, sent) = &mut self.sent;
        if *of != episode || sent.len() > seen.len() {
            (*of, *sent) = (episode, Vec::new());
        }
        for observation in &seen[sent.len()..] {
            sent.push(Sent::of(observation, limits));
        }
    }

    /// From the cache, or asked and put there.
    fn recall(&self, request: &Request<'_>, body: &[u8]) -> Result<Reply, Fault> {
        let begun = !request.history.is_empty();
        let Some(cache) = &self.shared.cache else { return self.ask(body, begun, request.seed) };
        let key = Cache::key(&self.shared.place, body, request.seed.0);
        if let Some(reply) = cache.get(&key) {
            return Ok(reply);
        }
        let reply = self.ask(body, begun, request.seed)?;
        cache.put(&key, &reply).map_err(|e| fault(fault::CACHE, e.to_string()))?;
        Ok(reply)
    }

    /// Asks until a reply comes, asking again makes no sense, or nothing more is wanted.
    fn ask(&self, body: &[u8], begun: bool, seed: Seed) -> Result<Reply, Fault> {
        let Shared { config, line, gate, .. } = &*self.shared;
        let mut retried = Vec::new();
        loop {
            let Some(pass) = gate.enter(begun || !retried.is_empty()) else { return Err(stopped()) };
            let outcome = line.post(&self.agent, body);
            gate.leave(&pass, ended(&outcome));
            let Missed { mut fault, wait } = match outcome {
                Ok(reply) => return Ok(Reply { retried, ..reply }),
                Err(missed) => missed,
            };
            let tries = retried.len() + 1;
            let pause = self.pause(tries, wait, seed);
            if !fault::may_pass(&fault.kind) || tries >= config.tries as usize || pause.is_none() {
                if pause.is_none() {
                    let most = config.max_wait_s;
                    fault.detail = format!("{} (asks to wait longer than max_wait_s {most})", fault.detail);
                } else if tries > 1 {
                    fault.detail = format!("{} (after {tries} tries)", fault.detail);
                }
                return Err(fault);
            }
            retried.push(fault.kind);
            if !gate.sleep(pause.unwrap_or_default()) {
                return Err(stopped());
            }
        }
    }

    /// How long to wait after try number `tries`: what the server says, else doubling, jittered so that those who
    /// failed together do not come back together. `None` if the server asks for too long.
    fn pause(&self, tries: usize, wait: Option<Duration>, seed: Seed) -> Option<Duration> {
        let EndpointConfig { backoff_s, max_wait_s, .. } = self.shared.config;
        let share = seed.derive("backoff", tries as u64).rng().index(1001) as f64 / 1000.0;
        let doubled = backoff_s * 2f64.powi(tries.min(30) as i32 - 1);
        let own = doubled.min(max_wait_s) * (1.0 - share / 2.0);
        match wait.map(|wait| wait.as_secs_f64()) {
            Some(asked) if asked > max_wait_s => None,
            // A little later than asked, never earlier.
            Some(asked) => Some(Duration::from_secs_f64(asked + backoff_s * share)),
            None => Some(Duration::from_secs_f64(own)),
        }
    }
}

/// The fault of an episode that nobody waits for any more; it is dropped with it.
fn stopped() -> Fault {
    fault("halted", "the run was stopped")
}

fn ended(outcome: &Result<Reply, Missed>) -> Outcome {
    match outcome {
        Ok(_) => Outcome::Replied,
        Err(missed)
            if missed.fault.kind == fault::RATE_LIMIT || missed.fault.detail.starts_with("status 503") =>
        {
            Outcome::Refused
        }
        Err(_) => Outcome::Other,
    }
}

impl Policy for Worker {
    fn info(&self) -> PolicyInfo {
        PolicyInfo {
            name: self.shared.address.model.clone(),
            backend: "openai".into(),
            engine: "chat completions".into(),
            fingerprint: String::new(),
        }
    }

    fn slots(&self) -> usize {
        1
    }

    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
        requests.iter().map(|request| self.reply(request)).collect()
    }

    fn wants_pixels(&self) -> bool {
        // Only the bytes are sent; what is to be made smaller is decoded for it.
        false
    }

    fn release(&mut self, _episode: u64) {
        self.sent.1.clear();
    }
}
