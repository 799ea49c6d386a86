//! MODEL words: `candle:PATH`, `openai:URL#NAME`, `replay:FILE`, `oracle`, ...

use std::path::{Path, PathBuf};

use vrrl_harness::policies::{Reference, Replay};
use vrrl_harness_core::{Dialect, Policy, PromptProfile};
use vrrl_harness_runner_openai::{Endpoint, EndpointConfig, Key, Opening, Workers};
use vrrl_harness_runner_ort::OrtPolicy;

use crate::tools::Open;
use crate::{prompt_profile, store, yaml, Error, Result};

/// The MODEL words that can be used, for help and messages.
pub const MODELS: &str =
    "candle:PATH, ort:DIR, openai:URL#NAME, replay:TRACES.jsonl, oracle, noisy-oracle:P, random, repeat";

/// Whether the word names a policy without learning.
pub(crate) fn is_reference(model: &str) -> bool {
    matches!(model, "oracle" | "random" | "repeat") || model.starts_with("noisy-oracle:")
}

/// What only an endpoint is told; other policies refuse what is given here.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EndpointRequest {
    /// File of settings; see [`EndpointConfig`].
    pub settings: Option<PathBuf>,
    /// Episodes at once.
    pub workers: Option<Workers>,
    /// Prompt profile, by built-in name or path.
    pub prompts: Option<String>,
    /// Directory of replies to reuse and to add to.
    pub cache: Option<PathBuf>,
}

impl EndpointRequest {
    /// The settings, read and checked.
    pub(crate) fn config(&self) -> Result<EndpointConfig> {
        let Some(path) = &self.settings else { return Ok(EndpointConfig::default()) };
        let config: EndpointConfig = yaml::read(&store::read_text(path)?, path)?;
        config.check().map_err(|e| Error::content(path, "", e.to_string()))?;
        Ok(config)
    }

    /// The prompts, read and checked.
    pub(crate) fn profile(&self) -> Result<PromptProfile> {
        prompt_profile(self.prompts.as_deref().unwrap_or(PromptProfile::DEFAULT))
    }

    /// The first of its flags that was given.
    fn given(&self) -> Option<&'static str> {
        let all = [
            ("--endpoint", self.settings.is_some()),
            ("--workers", self.workers.is_some()),
            ("--prompt-profile", self.prompts.is_some()),
            ("--cache", self.cache.is_some()),
        ];
        all.into_iter().find_map(|(flag, given)| given.then_some(flag))
    }
}

/// What only a directory of ONNX graphs is told; other policies refuse what is given here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OrtRequest {
    /// `auto`, `embedded` or the path of a library of ONNX Runtime.
    pub engine: Option<String>,
    /// Threads; all cores where absent.
    pub threads: Option<usize>,
}

impl OrtRequest {
    fn options(&self, device: &str) -> vrrl_harness_runner_ort::Options {
        let engine = self.engine.clone().unwrap_or_else(|| vrrl_harness_runner_ort::engine::AUTO.into());
        vrrl_harness_runner_ort::Options { engine, threads: self.threads, device: device.into() }
    }

    /// The first of its flags that was given.
    fn given(&self) -> Option<&'static str> {
        let all = [("--engine", self.engine.is_some()), ("--threads", self.threads.is_some())];
        all.into_iter().find_map(|(flag, given)| given.then_some(flag))
    }
}

/// How a policy is opened, whatever it is.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    /// Turn language.
    pub dialect: Dialect,
    /// Most turns, commit included.
    pub max_turns: usize,
    /// `cpu` or `cuda`.
    pub device: &'r str,
    /// What only an endpoint is told.
    pub endpoint: &'r EndpointRequest,
    /// What only a directory of ONNX graphs is told.
    pub ort: &'r OrtRequest,
}

/// Opens the policy that a MODEL word names.
///
/// # Errors
/// [`Error::Input`] for a word that names none or does not take what is given, or what the policy's own files say.
pub fn open(model: &str, rules: Rules<'_>, checkpoint: Open<'_>) -> Result<Box<dyn Policy>> {
    if let Some(address) = model.strip_prefix("openai:") {
        return Ok(Box::new(endpoint(address, rules)?));
    }
    if let Some(flag) = rules.endpoint.given() {
        return Err(Error::Input(format!("{flag} is for openai:URL#NAME; model {model} does not take it")));
    }
    if let Some(word) = model.strip_prefix("ort:") {
        return Ok(Box::new(OrtPolicy::open(word, &rules.ort.options(rules.device))?));
    }
    if let Some(flag) = rules.ort.given() {
        return Err(Error::Input(format!("{flag} is for ort:DIR; model {model} does not take it")));
    }
    if let Some(path) = model.strip_prefix("candle:") {
        return checkpoint(Path::new(path), rules.device);
    }
    if let Some(path) = model.strip_prefix("replay:") {
        return Ok(Box::new(Replay::open(Path::new(path))?));
    }
    if let Some(reference) = Reference::from_model(model, rules.dialect)? {
        return Ok(Box::new(reference));
    }
    Err(Error::Input(format!("model {model:?} is unknown; there are {MODELS}")))
}

fn endpoint(address: &str, rules: Rules<'_>) -> Result<Endpoint> {
    let request = rules.endpoint;
    let opening = Opening {
        config: request.config()?,
        prompts: request.profile()?,
        rules: (rules.dialect, rules.max_turns),
        workers: request.workers.unwrap_or_default(),
        cache: request.cache.as_deref(),
        key: Key::from_env(),
    };
    Ok(Endpoint::open(address, opening)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_policies_or_say_what_does() {
        let none: Open<'_> = &|dir, _| Err(Error::Input(format!("opened {}", dir.display())));
        let ort = OrtRequest::default();
        let rules = |endpoint| Rules {
            dialect: Dialect::BareCommit,
            max_turns: 8,
            device: "cpu",
            endpoint,
            ort: &ort,
        };
        let open = |word, endpoint| open(word, rules(endpoint), none);
        let plain = EndpointRequest::default();
        for word in ["oracle", "random", "repeat", "noisy-oracle:0.25"] {
            assert_eq!(open(word, &plain).unwrap().info().name, word);
            assert!(is_reference(word));
        }
        for (word, says) in [
            ("candle:/a/b", "opened /a/b"),
            ("openai:http://localhost", "no #NAME"),
            ("ort:/no/such", "vision_encoder.onnx"),
            ("gpt", "is unknown; there are candle:PATH"),
            ("noisy-oracle:2", "0 to 1"),
            ("replay:/no/such.jsonl", "/no/such.jsonl"),
        ] {
            let error = open(word, &plain).err().unwrap().to_string();
            assert!(error.contains(says), "{word}: {error}");
        }
        let workers = EndpointRequest { workers: Some(Workers::Fixed(3)), ..EndpointRequest::default() };
        let endpoint = open("openai:http://localhost:1/v1#org/m", &workers).unwrap();
        assert_eq!((endpoint.info().name.as_str(), endpoint.workers().len()), ("org/m", 3));
        let error = open("oracle", &workers).err().unwrap().to_string();
        assert!(error.contains("--workers is for openai:"), "{error}");
        let threads = OrtRequest { threads: Some(3), ..OrtRequest::default() };
        let error =
            super::open("oracle", Rules { ort: &threads, ..rules(&plain) }, none).err().unwrap().to_string();
        assert!(error.contains("--threads is for ort:"), "{error}");
    }
}
