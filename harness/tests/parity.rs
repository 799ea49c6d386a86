//! Two policies that ought to be one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use common::splits;
use vrrl_harness::policies::Reference;
use vrrl_harness::{parity, EvalConfig, Parity};
use vrrl_harness_core::{Dialect, Fault, Policy, PolicyInfo, Reply, Request, TokenRecord, View};

fn reference(word: &str) -> Reference {
    Reference::from_model(word, Dialect::BareCommit).unwrap().unwrap()
}

fn compared(a: &mut dyn Policy, b: &mut dyn Policy) -> Parity {
    let config = EvalConfig { seed: 5, max_turns: 6, temperature: 1.0, ..EvalConfig::default() };
    parity(a, b, &splits(), &config).unwrap()
}

/// A reference policy that says which tokens it wrote, wrongly by `error` in their log-probabilities, and turns its
/// second reply of every episode round where `strays`.
struct Spoken {
    inner: Reference,
    error: f32,
    strays: bool,
    view: View,
}

impl Policy for Spoken {
    fn info(&self) -> PolicyInfo {
        self.inner.info()
    }
    fn view(&self) -> View {
        self.view
    }
    fn slots(&self) -> usize {
        3
    }
    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
        let replies = self.inner.respond(requests).into_iter().zip(requests);
        replies
            .map(|(reply, request)| {
                let mut reply = reply?;
                if self.strays && request.history.len() == 1 {
                    reply.text = "<ANSWER>up up up</ANSWER>".into();
                }
                let ids: Vec<u32> = reply.text.bytes().map(u32::from).collect();
                let log_probs = vec![-1.0 + self.error; ids.len()];
                reply.tokens = Some(TokenRecord { owners: Vec::new(), ids, log_probs });
                Ok(reply)
            })
            .collect()
    }
}

fn spoken(word: &str, error: f32, strays: bool) -> Spoken {
    Spoken { inner: reference(word), error, strays, view: View::Crisp }
}

#[test]
fn a_policy_equals_itself() {
    let found = compared(&mut reference("random"), &mut reference("random"));
    assert_eq!((found.episodes, found.turns_equal, found.pictures_equal), (40, found.turns, found.pictures));
    assert!(found.turns > 40 && found.first_divergence.is_none(), "{found:?}");
    let difference = found.accuracy_difference.unwrap();
    assert!(difference.value.abs() < 1e-12 && difference.ci_low < 0.0 && difference.ci_high > 0.0);
    assert_eq!(found.max_log_prob_difference, None, "a policy without tokens has no log-probabilities");
}

#[test]
fn differences_of_log_probabilities_are_found() {
    let found = compared(&mut spoken("random", 0.0, false), &mut spoken("random", 0.25, false));
    assert_eq!(found.turns_equal, found.turns);
    assert_eq!((found.max_log_prob_difference, found.max_at.unwrap().turn), (Some(0.25), 1));
    assert!(found.tokens_compared > found.turns);
}

#[test]
fn the_first_divergence_is_named_and_does_not_spread() {
    let found = compared(&mut spoken("random", 0.0, false), &mut spoken("random", 0.0, true));
    let first = found.first_divergence.unwrap();
    assert_eq!((first.place.split.as_str(), first.place.turn), ("toy/id_test", 2));
    assert_eq!(first.b, "<ANSWER>up up up</ANSWER>");
    // Only second turns differ: the third is asked with A's second before it.
    let seconds = found.turns - found.turns_equal;
    assert!(seconds > 0 && seconds <= found.episodes, "{seconds}");
    assert!(found.share_equal < 1.0);
}

#[test]
fn other_pictures_cannot_be_compared() {
    let mut other = spoken("random", 0.0, false);
    other.view = View::Canvas;
    let config = EvalConfig::default();
    let error = parity(&mut reference("random"), &mut other, &splits(), &config).unwrap_err().to_string();
    assert!(error.contains("crisp") && error.contains("canvas"), "{error}");
}
