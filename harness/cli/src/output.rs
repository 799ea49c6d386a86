//! What is printed where: results on stdout, everything else on stderr.

use std::io::Write as _;

use clap::ValueEnum;
use serde::Serialize;
use vrrl_harness_experiment::{Error, Result};

use crate::exit::Exit;

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Prints a result. A reader that has gone away wants no more, which is no error.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
}

/// Prints a result as indented JSON.
pub(crate) fn say_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::Input(format!("the result cannot be written as JSON: {e}")))?;
    say(&text);
    Ok(())
}

/// Prints a remark.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// An error with its causes, outermost first.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}

/// Prints an error with its causes, and what to do next.
pub(crate) fn error(error: &Error, code: Exit) {
    let text = chain(error);
    let word = if code == Exit::Interrupted { "interrupted" } else { "error" };
    note(&format!("{word}: {text}"));
    if code == Exit::Interrupted {
        note("the same command again goes on from there");
    }
}
