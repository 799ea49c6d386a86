//! Requests and replies as JSON.

use serde::Serialize;
use serde_json::{Map, Value};
use vrrl_harness_core::{Fault, Message, Reply, Request, Speaker};

use crate::config::{EndpointConfig, Omit, TokenLimit};
use crate::fault::{self, fault};

/// The body of a request.
#[derive(Serialize)]
struct Body<'b> {
    model: &'b str,
    messages: Vec<Said<'b>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'b [String],
    stream: bool,
    #[serde(flatten)]
    extra: &'b Map<String, Value>,
}

#[derive(Serialize)]
struct Said<'b> {
    role: Speaker,
    content: Content<'b>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'b> {
    Text(&'b str),
    Parts(Vec<Part<'b>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'b> {
    ImageUrl { image_url: Link<'b> },
    Text { text: &'b str },
}

#[derive(Serialize)]
struct Link<'b> {
    url: &'b str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'b str>,
}

/// The bytes of a request: `messages` with the data URIs of their pictures, in order.
pub(crate) fn body(
    model: &str,
    config: &EndpointConfig,
    request: &Request<'_>,
    messages: &[Message],
    pictures: &[&str],
) -> Vec<u8> {
    let mut pictures = pictures.iter();
    let messages = messages.iter().map(|message| {
        let picture = message.image.and_then(|_| pictures.next());
        let text = (!message.text.is_empty()).then_some(message.text.as_str());
        let content = match picture {
            None => Content::Text(text.unwrap_or_default()),
            Some(url) => {
                let image_url = Link { url, detail: config.image_detail.as_deref() };
                let text = text.map(|text| Part::Text { text });
                Content::Parts([Part::ImageUrl { image_url }].into_iter().chain(text).collect())
            }
        };
        Said { role: message.speaker, content }
    });
    let limit = |key| (config.token_limit == key).then_some(request.sampling.max_tokens);
    let body = Body {
        model,
        messages: messages.collect(),
        temperature: (!config.omit.contains(&Omit::Temperature)).then_some(request.sampling.temperature),
        max_tokens: limit(TokenLimit::MaxTokens),
        max_completion_tokens: limit(TokenLimit::MaxCompletionTokens),
        // Some servers read it as a signed 32-bit number.
        seed: (!config.omit.contains(&Omit::Seed)).then_some(request.seed.0 >> 33),
        stop: &config.stop,
        stream: false,
        extra: &config.extra_body,
    };
    serde_json::to_vec(&body).expect("texts and finite numbers serialize")
}

/// Reads the answer to a request that the server took.
pub(crate) fn reply(text: &str) -> Result<Reply, Fault> {
    let value: Value = serde_json::from_str(text).map_err(|e| {
        let kind = if e.is_eof() { fault::CUT } else { fault::GARBLED };
        fault(kind, format!("no JSON ({e}): {}", text.chars().take(80).collect::<String>()))
    })?;
    if let Some(error) = value.get("error").filter(|error| !error.is_null()) {
        return Err(fault::of_status(500, &error.to_string()));
    }
    let Some(choices) = value.get("choices").and_then(Value::as_array) else {
        let start: String = text.chars().take(80).collect();
        return Err(fault(fault::GARBLED, format!("no chat completion: {start}")));
    };
    let Some(choice) = choices.first() else {
        return Err(fault(fault::EMPTY_CHOICE, "choices is empty"));
    };
    let finish = choice.get("finish_reason").and_then(Value::as_str).unwrap_or_default();
    if finish == "content_filter" {
        return Err(fault(fault::CONTENT_FILTER, "finish_reason is content_filter"));
    }
    let cut = finish == "length";
    let text = match choice.pointer("/message/content") {
        Some(Value::String(text)) => text.clone(),
        // Some servers answer in parts.
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
        }
        // Hidden reasoning may use up all tokens: the model's own doing, a reply without words.
        _ if cut => String::new(),
        _ => {
            let detail = format!("the message has no content (finish_reason {finish:?})");
            return Err(fault(fault::EMPTY_CHOICE, detail));
        }
    };
    let tokens = |key: &str| value.pointer(key).and_then(Value::as_u64).unwrap_or(0);
    Ok(Reply {
        text,
        prompt_tokens: tokens("/usage/prompt_tokens"),
        completion_tokens: tokens("/usage/completion_tokens"),
        cut,
        ..Reply::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read_and_what_is_none_has_a_name() {
        let choice = |message: &str, finish: &str| {
            format!(
                r#"{{"choices":[{{"message":{message},"finish_reason":"{finish}"}}],
                "usage":{{"prompt_tokens":7,"completion_tokens":3}}}}"#
            )
        };
        let read = reply(&choice(r#"{"role":"assistant","content":"hi"}"#, "stop")).unwrap();
        assert_eq!(
            (read.text.as_str(), read.prompt_tokens, read.completion_tokens, read.cut),
            ("hi", 7, 3, false)
        );
        let parts = r#"{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#;
        assert_eq!(reply(&choice(parts, "stop")).unwrap().text, "ab");
        assert!(reply(&choice(r#"{"content":"<ANS"}"#, "length")).unwrap().cut);
        let spent = reply(&choice(r#"{"content":null,"reasoning_content":"hmm"}"#, "length")).unwrap();
        assert!(spent.cut && spent.text.is_empty());
        assert_eq!(
            reply(&choice(r#"{"content":""}"#, "stop")).unwrap().text,
            "",
            "blank came, and is scored"
        );
        for (text, kind) in [
            (choice(r#"{"content":null}"#, "stop"), fault::EMPTY_CHOICE),
            (choice(r#"{"content":"x"}"#, "content_filter"), fault::CONTENT_FILTER),
            (r#"{"choices":[]}"#.into(), fault::EMPTY_CHOICE),
            (r#"{"choices":[{"message""#.into(), fault::CUT),
            (String::new(), fault::CUT),
            ("<html>".into(), fault::GARBLED),
            (r#"{"object":"list"}"#.into(), fault::GARBLED),
            (r#"{"error":{"message":"overloaded"}}"#.into(), fault::SERVER),
            (r#"{"error":{"code":"context_length_exceeded"}}"#.into(), fault::CONTEXT_OVERFLOW),
        ] {
            assert_eq!(reply(&text).unwrap_err().kind, kind, "{text}");
        }
    }
}
