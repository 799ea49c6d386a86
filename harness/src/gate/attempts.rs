//! Every attempt to get a candidate through, so that trying until it is green shows.

use std::path::Path;

use serde::{Deserialize, Serialize};
use vrrl_harness_core::FORMAT;

use super::report::{GateReport, Verdict};
use crate::store::{self, Log, Torn};
use crate::{machine, Error, Result};

/// The file in a candidate's run.
pub const ATTEMPTS: &str = "gate.jsonl";

/// One line of the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// Format of the line.
    pub format: u32,
    /// Number of the attempt, from 1.
    pub attempt: usize,
    /// When, UTC.
    pub date: String,
    /// What it came to.
    pub verdict: Verdict,
    /// Hash of the baseline's items.
    pub baseline: String,
    /// Hash of the candidate's items.
    pub candidate: String,
    /// The candidate model's fingerprint, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Hash of the rules.
    pub rules: String,
    /// Which of the CI's own attempts this was, where a CI says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci_attempt: Option<String>,
}

/// Appends this attempt to a file and puts all into the report.
///
/// # Errors
/// A file that is no list of attempts, or a disk that refuses.
pub fn record(report: &mut GateReport, path: &Path, ci_attempt: Option<String>) -> Result<()> {
    let before: Vec<Attempt> =
        if path.exists() { store::read_lines(path, Torn::Drop)?.0 } else { Vec::new() };
    if let Some(newer) = before.iter().find(|attempt| attempt.format > FORMAT) {
        let reason = format!("format {} is newer than {FORMAT}; use a newer version", newer.format);
        return Err(Error::content(path, format!("attempt {}", newer.attempt), reason));
    }
    let attempt = Attempt {
        format: FORMAT,
        attempt: before.len() + 1,
        date: machine::utc_now(),
        verdict: report.verdict,
        baseline: report.baseline.hash.clone(),
        candidate: report.candidate.hash.clone(),
        fingerprint: report.candidate.fingerprint.clone(),
        rules: report.rules_hash.clone(),
        ci_attempt,
    };
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    }
    Log::open(path)?.push(&attempt)?;
    report.attempts = before.into_iter().chain([attempt]).collect();
    Ok(())
}

/// `attempt 3 of this candidate: fail, fail, pass`, and what changed between them; `None` for a first attempt.
#[must_use]
pub fn tried(attempts: &[Attempt]) -> Option<String> {
    let last = attempts.last().filter(|last| last.attempt > 1)?;
    let verdicts: Vec<String> = attempts.iter().map(|attempt| attempt.verdict.to_string()).collect();
    let differs = |of: fn(&Attempt) -> &str| attempts.iter().any(|attempt| of(attempt) != of(last));
    let changed: Vec<&str> = [
        (differs(|attempt| &attempt.candidate), "the candidate's answers"),
        (differs(|attempt| &attempt.baseline), "the baseline"),
        (differs(|attempt| &attempt.rules), "the rules"),
    ]
    .into_iter()
    .filter_map(|(differs, what)| differs.then_some(what))
    .collect();
    let changed = if changed.is_empty() {
        String::new()
    } else {
        format!(" ({} changed between them)", changed.join(" and "))
    };
    Some(format!("attempt {} of this candidate: {}{changed}", attempts.len(), verdicts.join(", ")))
}
