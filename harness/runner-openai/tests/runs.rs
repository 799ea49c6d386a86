//! Whole runs against a server: what is sent, nothing lost and nothing double, resuming, refusing, the cache.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use common::{after, config, endpoint, opening, prompts, quick, run, split, well, Act, Opening, Server};
use tempfile::tempdir;
use vrrl_harness::{evaluate, read_traces, Error, EvalConfig, EvalSplit, Hooks};
use vrrl_harness_core::{sha256_hex, Policy as _};
use vrrl_harness_runner_openai::{EndpointConfig, Workers};

#[test]
fn the_conversation_is_sent_in_order_and_its_beginning_never_changes() {
    let server = Server::new(well);
    let dir = tempdir().unwrap();
    let with: EndpointConfig = serde_yaml::from_str(
        "token_limit: max_completion_tokens\nstop: ['</s>']\nimage_detail: high\nextra_body: {top_k: 5}\nheaders: {x-team: blue}",
    )
    .unwrap();
    run(&mut endpoint(&server, opening(with, 1)), &[split("toy", 1)], &config(), dir.path()).unwrap();
    let calls = server.calls.lock().unwrap().clone();
    assert_eq!(calls.iter().map(common::Call::turn).collect::<Vec<_>>(), [0, 1, 2]);
    let last = &calls[2];
    assert_eq!(last.path, "/v1/chat/completions");
    assert!(last.headers.contains(&("x-team".into(), "blue".into())));
    let body = &last.body;
    assert_eq!(
        (&body["model"], &body["stream"], &body["top_k"]),
        (&"toy/model".into(), &false.into(), &5.into())
    );
    assert_eq!((&body["max_completion_tokens"], body.get("max_tokens")), (&512.into(), None));
    assert_eq!((&body["temperature"], &body["stop"][0]), (&0.0.into(), &"</s>".into()));
    let roles: Vec<&str> = last.messages().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user", "assistant", "user"]);
    // Each turn's picture stands in its own message, before the words; it is the one that the trace names.
    let trace = &read_traces(dir.path()).unwrap()[0];
    for (turn, at) in [1, 3, 5].into_iter().enumerate() {
        let parts = &last.messages()[at]["content"];
        assert_eq!((&parts[0]["type"], &parts[1]["type"]), (&"image_url".into(), &"text".into()));
        assert_eq!(parts[0]["image_url"]["detail"], "high");
        let name = trace.turns[turn].image_sha256.as_ref().unwrap();
        let png = std::fs::read(dir.path().join(format!("images/{name}.png"))).unwrap();
        let uri = format!("data:image/png;base64,{}", base64(&png));
        assert_eq!((&parts[0]["image_url"]["url"], sha256_hex(&png)), (&uri.as_str().into(), name.clone()));
    }
    // Byte for byte: what a server has cached of one request is the beginning of the next.
    for pair in calls.windows(2) {
        let of = |call: &common::Call| String::from_utf8(call.bytes.clone()).unwrap();
        let (before, now) = (of(&pair[0]), of(&pair[1]));
        let end = before.rfind("}],").unwrap();
        assert!(now.starts_with(&before[..=end]), "{before}\n{now}");
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn a_picture_that_was_made_smaller_is_named_beside_the_one_observed() {
    let dir = tempdir().unwrap();
    let server = Server::new(well);
    let with = EndpointConfig { max_side: Some(2), ..quick() };
    run(&mut endpoint(&server, opening(with, 1)), &[split("toy", 2)], &config(), dir.path()).unwrap();
    for turn in read_traces(dir.path()).unwrap().iter().flat_map(|trace| &trace.turns) {
        assert!(turn.sent_sha256.is_some() && turn.sent_sha256 != turn.image_sha256, "{turn:?}");
    }
    let (dir, server) = (tempdir().unwrap(), Server::new(well));
    run(&mut endpoint(&server, opening(quick(), 1)), &[split("toy", 2)], &config(), dir.path()).unwrap();
    assert!(read_traces(dir.path()).unwrap().iter().all(|t| t.turns.iter().all(|t| t.sent_sha256.is_none())));
}

/// Two splits, a thousand episodes, and now and then a fault that passes.
fn thousand() -> Vec<EvalSplit> {
    vec![split("toy/a", 700), split("toy/b", 300)]
}

fn rough(call: &common::Call) -> Act {
    match call.number % 97 {
        13 => Act::Cut,
        31 => Act::Status(503, None, "busy".into()),
        53 => Act::Close,
        71 => Act::Status(429, Some(("retry-after-ms", "3".into())), String::new()),
        5 => after(Duration::from_millis(200), well(call)),
        _ => after(Duration::from_millis(call.number as u64 % 7), well(call)),
    }
}

#[test]
fn a_thousand_episodes_lose_nothing_and_ask_nothing_twice() {
    let answered = Arc::new(AtomicUsize::new(0));
    let count = answered.clone();
    let server = Server::new(move |call| {
        let act = rough(call);
        if matches!(act, Act::Say(_) | Act::After(..)) {
            count.fetch_add(1, Ordering::SeqCst);
        }
        act
    });
    let out = tempdir().unwrap();
    let with = EndpointConfig { tries: 8, ..quick() };
    let summary = run(&mut endpoint(&server, opening(with, 64)), &thousand(), &config(), out.path()).unwrap();
    assert_eq!(summary.splits.iter().map(|s| (s.n, s.faults)).collect::<Vec<_>>(), [(700, 0), (300, 0)]);
    // Three turns each (a commit after two proposals), each answered once.
    let turns: usize = read_traces(out.path()).unwrap().iter().map(|t| t.turns.len()).sum();
    assert_eq!((turns, answered.load(Ordering::SeqCst)), (3000, 3000));
    let retries: usize = summary.splits.iter().flat_map(|s| s.retries.values()).sum();
    assert_eq!(retries, server.count() - 3000);
    assert!(retries > 50 && server.most_at_once.load(Ordering::SeqCst) > 16, "{retries}");

    // The same from a server without faults and from one worker: equal files but for the count of retries.
    let (calm, auto) = (Server::new(well), tempdir().unwrap());
    let mut policy = endpoint(&calm, Opening { workers: Workers::Auto, ..opening(quick(), 1) });
    let mut same = run(&mut policy, &thousand(), &config(), auto.path()).unwrap();
    same.splits.iter_mut().zip(&summary.splits).for_each(|(a, b)| a.retries.clone_from(&b.retries));
    assert_eq!(same, summary);
    let scores = |dir: &tempfile::TempDir| std::fs::read(dir.path().join("scores.jsonl")).unwrap();
    assert_eq!(scores(&auto), scores(&out));
}

#[test]
fn a_slow_episode_holds_nobody() {
    // One request takes as long as everything else together.
    let server = Server::new(|call| match call.number {
        2 => after(Duration::from_millis(1500), well(call)),
        _ => well(call),
    });
    let dir = tempdir().unwrap();
    let mut policy = endpoint(&server, opening(quick(), 4));
    let stop = AtomicBool::new(false);
    let mut last_but_one = None;
    let begun = std::time::Instant::now();
    let mut progress = |p: &vrrl_harness::Progress| {
        if p.done == p.total - 1 {
            last_but_one = Some(begun.elapsed());
        }
    };
    let splits = [split("toy/a", 20), split("toy/b", 20)];
    evaluate(&mut policy, &splits, &config(), dir.path(), Hooks { stop: &stop, progress: &mut progress })
        .unwrap();
    assert!(last_but_one.unwrap() < Duration::from_millis(1200), "{last_but_one:?}");
    assert!(begun.elapsed() >= Duration::from_millis(1500));
    let order: Vec<_> = read_traces(dir.path()).unwrap().into_iter().map(|t| (t.split, t.id)).collect();
    assert!(order.is_sorted(), "split order at the end");
}

#[test]
fn a_stopped_run_asks_only_what_is_missing() {
    let server = Server::new(|call| after(Duration::from_millis(1), well(call)));
    let (dir, whole) = (tempdir().unwrap(), tempdir().unwrap());
    let splits = [split("toy", 200)];
    let stop = AtomicBool::new(false);
    let mut policy = endpoint(&server, opening(quick(), 8));
    let mut progress = |p: &vrrl_harness::Progress| stop.store(p.done >= 60, Ordering::SeqCst);
    let error =
        evaluate(&mut policy, &splits, &config(), dir.path(), Hooks { stop: &stop, progress: &mut progress })
            .unwrap_err();
    assert!(matches!(error, Error::Interrupted { total: 200, .. }), "{error}");
    // A killed process leaves a torn line.
    let path = dir.path().join("traces.jsonl");
    let mut text = std::fs::read_to_string(&path).unwrap();
    let kept: BTreeSet<String> = text.lines().map(id).collect();
    text.push_str("{\"id\":\"toy-1");
    std::fs::write(&path, text).unwrap();

    let before = server.count();
    run(&mut policy, &splits, &config(), dir.path()).unwrap();
    assert_eq!(server.count() - before, 3 * (200 - kept.len()));
    run(&mut policy, &splits, &config(), dir.path()).unwrap();
    assert_eq!(server.count() - before, 3 * (200 - kept.len()), "a finished run asks nothing");
    run(&mut endpoint(&server, opening(quick(), 3)), &splits, &config(), whole.path()).unwrap();
    for file in ["traces.jsonl", "scores.jsonl", "summary.json"] {
        let of = |dir: &tempfile::TempDir| std::fs::read(dir.path().join(file)).unwrap();
        assert_eq!(of(&dir), of(&whole), "{file}");
    }
}

fn id(line: &str) -> String {
    serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn another_model_prompt_or_setting_is_refused_and_named() {
    let server = Server::new(well);
    let dir = tempdir().unwrap();
    let splits = [split("toy", 3)];
    run(&mut endpoint(&server, opening(quick(), 2)), &splits, &config(), dir.path()).unwrap();
    let asked = server.count();
    let mut told = prompts();
    told.texts.get_mut("any").unwrap().get_mut("any").unwrap().system = Some("Look twice.".into());
    let other = |change: &dyn Fn(&mut Opening<'static>)| {
        let mut opening = opening(quick(), 2);
        change(&mut opening);
        opening
    };
    let word = server.word();
    let cases = [
        (word.clone(), other(&|o| o.prompts = told.clone()), "settings.prompts.texts.any.any.system was"),
        (word.replace("toy/model", "toy/other"), other(&|_| {}), "settings.model was \"toy/model\""),
        (word.clone(), other(&|o| o.config.max_side = Some(2)), "settings.endpoint.max_side was null, now 2"),
        (word.clone(), other(&|o| o.config.stop = vec!["x".into()]), "settings.endpoint.stop was"),
    ];
    for (word, opening, says) in cases {
        let mut policy = vrrl_harness_runner_openai::Endpoint::open(&word, opening).unwrap();
        let error = run(&mut policy, &splits, &config(), dir.path()).unwrap_err();
        assert!(matches!(error, Error::Changed { .. }) && error.to_string().contains(says), "{error}");
    }
    // How it is asked may change.
    let patient = other(&|o| o.config.timeout_s = 60.0);
    run(
        &mut endpoint(&server, Opening { workers: Workers::Auto, ..patient }),
        &splits,
        &config(),
        dir.path(),
    )
    .unwrap();
    assert_eq!(server.count(), asked);
}

#[test]
fn a_cache_saves_the_same_question_and_no_other() {
    let server = Server::new(|call| if call.seed() % 5 == 0 { Act::Cut } else { well(call) });
    let (dir, cache) = (tempdir().unwrap(), tempdir().unwrap());
    let splits = [split("toy", 20)];
    let ask = |with: EndpointConfig, seed: u64, name: &str| {
        let before = server.count();
        let opening = Opening { cache: Some(cache.path()), ..opening(with, 4) };
        let config = EvalConfig { seed, ..config() };
        run(&mut endpoint(&server, opening), &splits, &config, &dir.path().join(name)).unwrap();
        server.count() - before
    };
    let once = EndpointConfig { tries: 1, ..quick() };
    let first = ask(once.clone(), 3, "a");
    let cut = server.calls.lock().unwrap().iter().filter(|call| call.seed() % 5 == 0).count();
    assert!(cut > 0 && cut < first);
    assert_eq!(ask(once.clone(), 3, "b"), cut, "replies are kept, faults are not");
    assert!(ask(once.clone(), 4, "c") > first / 2, "another seed is another question");
    let smaller = EndpointConfig { max_side: Some(2), ..once };
    assert!(ask(smaller, 3, "d") > first / 2, "other pixels are another question");
}

#[test]
fn what_stands_in_run_json_is_what_decided() {
    let server = Server::new(well);
    let dir = tempdir().unwrap();
    let policy = &mut endpoint(&server, opening(quick(), 2));
    run(policy, &[split("toy", 2)], &config(), dir.path()).unwrap();
    let info = vrrl_harness::read_info(dir.path()).unwrap();
    let settings = info.settings.unwrap();
    assert_eq!((info.policy.name.as_str(), info.policy.backend.as_str()), ("toy/model", "openai"));
    assert_eq!(settings["model"], "toy/model");
    assert_eq!(settings["prompts"]["name"], "plain");
    assert_eq!(settings["endpoint"]["token_limit"], "max_tokens");
    assert_eq!(policy.info().fingerprint, info.policy.fingerprint);
}
