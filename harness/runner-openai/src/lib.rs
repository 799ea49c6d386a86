//! Any endpoint that speaks OpenAI's chat completions, as a [`vrrl_harness_core::Policy`].
//!
//! `openai:URL#NAME` works with what people run: vLLM, SGLang, llama.cpp's server, Ollama, TGI, LiteLLM, hosted
//! ones. A request holds the whole conversation, pictures as PNG data URIs in order; all but the newest message is
//! byte for byte what the request before held, so that prompt caches of the server hit. Each worker is a thread with
//! one episode, so a slow reply holds nobody. What goes wrong on the way has a name ([`fault`]); what may pass is
//! asked again, and counted. The key comes from the environment alone and never leaves it but in the request.

mod cache;
mod client;
mod config;
pub mod fault;
mod gate;
mod picture;
mod policy;
mod secret;
mod wire;

pub use config::{EndpointConfig, Omit, TokenLimit, Workers};
pub use gate::Pace;
pub use picture::{fit, Limits};
pub use policy::{Endpoint, Opening};
pub use secret::Key;

/// What opening an endpoint can fail with: settings that make no sense.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Settings that make no sense, with the key and what to do.
    #[error("{0}")]
    Config(String),
    /// The cache directory cannot be used.
    #[error("failed to use cache {}: {source}", path.display())]
    Cache {
        /// The directory.
        path: std::path::PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}
