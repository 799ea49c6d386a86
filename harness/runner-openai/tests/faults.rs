//! Everything that can go wrong on the way has a name; what may pass is asked again; nothing is scored as wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::time::{Duration, Instant};

use common::{after, config, endpoint, everything, opening, quick, run, split, well, Act, Server, KEY};
use tempfile::tempdir;
use vrrl_harness::{read_traces, Error, EvalConfig, Summary};
use vrrl_harness_core::{End, Trace};
use vrrl_harness_runner_openai::{fault, Endpoint, EndpointConfig};

fn ran(server: &Server, with: EndpointConfig, n: u64) -> (Summary, Vec<Trace>) {
    let dir = tempdir().unwrap();
    let mut policy = endpoint(server, opening(with, 4));
    let result = run(&mut policy, &[split("toy", n)], &config(), dir.path());
    let summary = match result {
        Ok(summary) => summary,
        Err(Error::NothingRan(_)) => vrrl_harness::read_summary(dir.path()).unwrap(),
        Err(error) => panic!("{error}"),
    };
    (summary, read_traces(dir.path()).unwrap())
}

fn status(code: u16, text: &str) -> Act {
    Act::Status(code, None, text.into())
}

#[test]
fn every_fault_has_its_name_and_only_what_may_pass_is_asked_again() {
    let slow = EndpointConfig { timeout_s: 0.2, ..quick() };
    let cases: Vec<(&str, Act, EndpointConfig, usize)> = vec![
        (fault::TIMEOUT, after(Duration::from_secs(3), Act::Say(String::new())), slow, 4),
        (fault::RATE_LIMIT, status(429, "slow down"), quick(), 4),
        (fault::SERVER, status(500, "oops"), quick(), 4),
        (fault::SERVER, status(503, ""), quick(), 4),
        (fault::CUT, Act::Cut, quick(), 4),
        (fault::CUT, Act::Close, quick(), 4),
        (fault::CUT, Act::Raw("{\"choices\": [".into()), quick(), 4),
        (fault::GARBLED, Act::Raw("<html>busy</html>".into()), quick(), 4),
        (fault::EMPTY_CHOICE, Act::Raw("{\"choices\": []}".into()), quick(), 1),
        (fault::CONTENT_FILTER, Act::Finish("x".into(), "content_filter"), quick(), 1),
        (
            fault::CONTEXT_OVERFLOW,
            status(400, "{\"error\": {\"code\": \"context_length_exceeded\"}}"),
            quick(),
            1,
        ),
        (fault::REJECTED, status(401, "wrong key"), quick(), 1),
        (fault::REJECTED, Act::Status(307, Some(("location", "/v2".into())), String::new()), quick(), 1),
    ];
    for (kind, act, with, tries) in cases {
        let answer = act.clone();
        let server = Server::new(move |_| answer.clone());
        let (summary, traces) = ran(&server, with, 2);
        let split = &summary.splits[0];
        assert_eq!((split.n, split.faults, split.fault_kinds[kind]), (0, 2, 2), "{kind} {act:?}");
        assert_eq!((split.accuracy, split.transport_fault_rate), (None, Some(1.0)), "{kind}");
        assert_eq!(server.count(), 2 * tries, "{kind} {act:?}");
        assert!(traces.iter().all(|t| t.end == End::Fault && t.fault.as_ref().unwrap().kind == kind));
    }
}

#[test]
fn nobody_at_home_is_a_fault_too() {
    let server = Server::new(well);
    let word = server.word();
    drop(server);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = format!("http://{}/v1#m", listener.local_addr().unwrap());
    drop(listener);
    for word in [word, free] {
        let dir = tempdir().unwrap();
        let mut policy = Endpoint::open(&word, opening(quick(), 2)).unwrap();
        let error = run(&mut policy, &[split("toy", 3)], &config(), dir.path()).unwrap_err();
        assert!(matches!(error, Error::NothingRan(_)), "{error}");
        let traces = read_traces(dir.path()).unwrap();
        let kinds: Vec<_> = traces.iter().map(|t| t.fault.as_ref().unwrap().kind.as_str()).collect();
        assert_eq!(kinds, [fault::CONNECT; 3], "{traces:?}");
    }
}

#[test]
fn what_passes_is_counted_and_scored_as_if_nothing_had_been() {
    // Each request fails twice, in two ways, before it is answered.
    let seen = std::sync::Mutex::new(std::collections::BTreeMap::<u64, usize>::new());
    let server = Server::new(move |call| {
        let mut seen = seen.lock().unwrap();
        let times = seen.entry(call.seed()).or_default();
        *times += 1;
        match *times {
            1 => status(502, "bad gateway"),
            2 => Act::Cut,
            _ => well(call),
        }
    });
    let (rough, _) = ran(&server, quick(), 20);
    let (smooth, _) = ran(&Server::new(well), quick(), 20);
    let (mut rough, smooth) = (rough.splits[0].clone(), &smooth.splits[0]);
    assert_eq!((rough.n, rough.faults), (20, 0));
    let retries: Vec<_> = std::mem::take(&mut rough.retries).into_iter().collect();
    assert_eq!(retries, [("cut".to_owned(), 60), ("server".to_owned(), 60)]);
    assert_eq!(&rough, smooth);
}

#[test]
fn a_server_that_says_when_is_asked_then() {
    let server = Server::new(|call| match call.number {
        0 => Act::Status(429, Some(("retry-after", "0.4".into())), String::new()),
        _ => well(call),
    });
    let begun = Instant::now();
    let (summary, _) = ran(&server, quick(), 1);
    assert!(begun.elapsed() >= Duration::from_millis(400));
    assert_eq!(summary.splits[0].retries["rate_limit"], 1);
    // Longer than anybody waits: given up at once, with the reason.
    let server = Server::new(|_| Act::Status(429, Some(("retry-after", "9999".into())), String::new()));
    let (_, traces) = ran(&server, quick(), 1);
    let detail = &traces[0].fault.as_ref().unwrap().detail;
    assert!(detail.contains("max_wait_s") && server.count() == 1, "{detail}");
}

#[test]
fn a_model_that_talks_nonsense_is_scored() {
    let server = Server::new(|call| match call.number % 3 {
        0 => Act::Say("I cannot see it.".into()),
        1 => Act::Finish("<ANSWER>up, le".into(), "length"),
        _ => Act::Say(String::new()),
    });
    let (summary, traces) = ran(&server, quick(), 9);
    let split = &summary.splits[0];
    assert_eq!((split.n, split.faults, split.accuracy.unwrap().value.to_bits()), (9, 0, 0f64.to_bits()));
    let ends = |end| traces.iter().filter(|t| t.end == end).count();
    assert_eq!((ends(End::Malformed), ends(End::Length)), (6, 3));
}

#[test]
fn too_many_faults_are_an_error_of_their_own() {
    let server = Server::new(|call| if call.seed() % 2 == 0 { status(400, "no") } else { well(call) });
    let dir = tempdir().unwrap();
    let strict = EvalConfig { max_fault_rate: 0.01, ..config() };
    let mut policy = endpoint(&server, opening(quick(), 4));
    let error = run(&mut policy, &[split("toy", 30)], &strict, dir.path()).unwrap_err();
    assert!(matches!(error, Error::TooManyFaults { episodes: 30, .. }), "{error}");
    assert!(error.to_string().contains("rejected: status 400"), "{error}");
    assert!(dir.path().join("summary.json").exists());
}

#[test]
fn a_dead_server_costs_no_night() {
    let server = Server::new(|_| status(404, "no such model"));
    let (dir, splits) = (tempdir().unwrap(), [split("toy", 900)]);
    let strict = EvalConfig { max_fault_rate: 0.1, ..config() };
    let mut policy = endpoint(&server, opening(quick(), 4));
    let error = run(&mut policy, &splits, &strict, dir.path()).unwrap_err();
    assert!(matches!(error, Error::TooManyFaults { .. }), "{error}");
    // 90 of 900 are allowed; each worker may have one more under way.
    assert!((91..=99).contains(&server.count()), "{}", server.count());
    let summary = vrrl_harness::read_summary(dir.path()).unwrap();
    assert_eq!((summary.splits[0].n, summary.splits[0].faults), (0, 91));
}

/// A server that repeats what it was sent, wherever it can.
#[test]
fn the_key_is_sent_and_written_nowhere() {
    let echo = |call: &common::Call| {
        let key = call.authorization.clone().unwrap_or_default();
        match call.seed() % 4 {
            0 => Act::Status(401, None, format!("wrong key {key}")),
            1 => Act::Say(format!("your key is {key}")),
            2 => Act::Raw(format!("{{\"error\": {{\"message\": \"{}\"}}}}", key.replace('-', "\\u002d"))),
            _ => Act::Raw(format!("<html>{key}</html>")),
        }
    };
    let server = Server::new(echo);
    let (dir, cache) = (tempdir().unwrap(), tempdir().unwrap());
    let opened = common::Opening { cache: Some(cache.path()), ..opening(quick(), 3) };
    let mut policy = endpoint(&server, opened);
    let strict = EvalConfig { max_fault_rate: 0.0, ..config() };
    let error = run(&mut policy, &[split("toy", 40)], &strict, dir.path()).unwrap_err();
    assert!(server.calls.lock().unwrap().iter().all(|c| c.authorization == Some(format!("Bearer {KEY}"))));
    let mut written = everything(dir.path());
    written.extend(everything(cache.path()));
    written.extend(format!("{error} {error:?}").into_bytes());
    for needle in [KEY, &KEY.replace('-', "\\u002d"), "n0thing"] {
        let found = written.windows(needle.len()).any(|w| w == needle.as_bytes());
        assert!(!found, "{needle} stands in the files");
    }
    assert!(String::from_utf8_lossy(&written).contains("[secret]"), "the echo did reach the files");
}
