//! The names of what can go wrong on the way to a reply. None is ever scored as wrong; the reply of a model that
//! does not parse is no fault.

use vrrl_harness_core::Fault;

/// No connection: refused, unknown host, TLS, connect timeout. Asked again.
pub const CONNECT: &str = "connect";
/// No whole reply in time. Asked again.
pub const TIMEOUT: &str = "timeout";
/// 429. Asked again, after the time that the server names.
pub const RATE_LIMIT: &str = "rate_limit";
/// 5xx, or an error object in place of a reply. Asked again.
pub const SERVER: &str = "server";
/// The connection broke off in the middle. Asked again.
pub const CUT: &str = "cut";
/// A whole answer that is no chat completion (a proxy's page, say). Asked again.
pub const GARBLED: &str = "garbled";
/// A completion without a choice, or whose message has no content.
pub const EMPTY_CHOICE: &str = "empty_choice";
/// The server's filter withheld question or reply.
pub const CONTENT_FILTER: &str = "content_filter";
/// The conversation is longer than the model reads.
pub const CONTEXT_OVERFLOW: &str = "context_overflow";
/// Another 3xx or 4xx: a wrong key, model, path or setting.
pub const REJECTED: &str = "rejected";
/// The reply came and could not be put into the cache.
pub const CACHE: &str = "cache";

/// Whether asking the same again may help.
#[must_use]
pub fn may_pass(kind: &str) -> bool {
    matches!(kind, CONNECT | TIMEOUT | RATE_LIMIT | SERVER | CUT | GARBLED)
}

/// Longest detail that is kept, in characters.
const DETAIL: usize = 300;

/// A fault, its detail on one line and cut to what a person reads.
pub(crate) fn fault(kind: &str, detail: impl AsRef<str>) -> Fault {
    let words: Vec<&str> = detail.as_ref().split_whitespace().collect();
    let line = words.join(" ");
    let mut detail: String = line.chars().take(DETAIL).collect();
    if detail.len() < line.len() {
        detail.push('…');
    }
    Fault { kind: kind.into(), detail }
}

/// What an error answer means, by its status and what it says.
pub(crate) fn of_status(status: u16, body: &str) -> Fault {
    let says = body.to_lowercase();
    let any = |marks: &[&str]| marks.iter().any(|mark| says.contains(mark));
    let kind = match status {
        429 => RATE_LIMIT,
        408 => TIMEOUT,
        500.. if !any(&OVERFLOW) => SERVER,
        _ if any(&FILTER) => CONTENT_FILTER,
        _ if status == 413 || any(&OVERFLOW) => CONTEXT_OVERFLOW,
        _ => REJECTED,
    };
    fault(kind, format!("status {status}: {}", body.trim()))
}

/// How servers say that a conversation is too long: OpenAI and vLLM, llama.cpp, SGLang, TGI.
const OVERFLOW: [&str; 8] = [
    "context_length_exceeded",
    "maximum context length",
    "maximum model length",
    "exceed_context_size",
    "exceeds the available context size",
    "longer than the model's context length",
    "must have less than",
    "prompt is too long",
];
/// How servers say that a filter was at work: OpenAI, Azure.
const FILTER: [&str; 3] = ["content_filter", "content_policy_violation", "responsibleaipolicyviolation"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_names() {
        for (status, body, kind) in [
            (429, "slow down", RATE_LIMIT),
            (500, "oops", SERVER),
            (503, "", SERVER),
            (529, "overloaded", SERVER),
            (400, r#"{"error":{"code":"context_length_exceeded"}}"#, CONTEXT_OVERFLOW),
            (400, "This model's maximum context length is 4096 tokens", CONTEXT_OVERFLOW),
            (400, r#"{"error":{"type":"exceed_context_size_error"}}"#, CONTEXT_OVERFLOW),
            (500, "the request exceeds the available context size", CONTEXT_OVERFLOW),
            (400, r#"{"error":{"code":"content_filter"}}"#, CONTENT_FILTER),
            (401, "no such key", REJECTED),
            (302, "", REJECTED),
            (408, "", TIMEOUT),
        ] {
            assert_eq!(of_status(status, body).kind, kind, "{status} {body}");
        }
        assert!(may_pass(SERVER) && !may_pass(CONTEXT_OVERFLOW) && !may_pass(EMPTY_CHOICE));
        assert_eq!(fault(CUT, "a\n  b").detail, "a b");
        assert_eq!(fault(CUT, "x".repeat(1000)).detail.chars().count(), DETAIL + 1);
    }
}
