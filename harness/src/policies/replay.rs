//! Replies read from a file instead of a model.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use vrrl_harness_core::{sha256_hex, End, Fault, Policy, PolicyInfo, Reply, Request, TurnTokens, View};

use super::SLOTS;
use crate::{Error, Result};

/// Replays the turns of a JSONL file: `id`, `turns` (texts, or objects with `text`), and where ids repeat
/// `split` or `repeat`; a run's `traces.jsonl` is such a file. Recorded faults come back as faults.
#[derive(Clone, Debug)]
pub struct Replay {
    name: String,
    fingerprint: String,
    view: View,
    lines: BTreeMap<String, Vec<Line>>,
    repeats: Vec<u32>,
}

#[derive(Clone, Debug, Deserialize)]
struct Line {
    id: String,
    split: Option<String>,
    repeat: Option<u32>,
    turns: Vec<ReplayTurn>,
    end: Option<End>,
    fault: Option<Fault>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum ReplayTurn {
    Text(String),
    Turn {
        text: String,
        #[serde(default)]
        tokens: TurnTokens,
    },
}

impl Replay {
    /// Reads the file.
    ///
    /// # Errors
    /// A file that does not read, a line that is no recording, or one that stands twice, named by number.
    pub fn open(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
        let mut lines: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (i, row) in text.lines().enumerate().filter(|(_, row)| !row.trim().is_empty()) {
            let refuse = |reason: String| Error::content(path, format!("line {}", i + 1), reason);
            let mut line: Line = serde_json::from_str(row).map_err(|e| refuse(e.to_string()))?;
            let same = lines.entry(line.id.clone()).or_default();
            // Without a number, lines of one item are its repeats in the order of the file.
            let before = same.iter().filter(|old| old.split == line.split).count();
            let repeat = *line.repeat.get_or_insert(u32::try_from(before).unwrap_or(u32::MAX));
            if !seen.insert((line.split.clone(), line.id.clone(), repeat)) {
                return Err(refuse(format!("id {}, repeat {repeat} stands twice", line.id)));
            }
            same.push(line);
        }
        let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let (name, fingerprint) = (format!("replay:{file}"), sha256_hex(text.as_bytes()));
        Ok(Self { name, fingerprint, view: View::Crisp, lines, repeats: Vec::new() })
    }

    /// The same, looking at another picture (it decides only which images are recorded).
    #[must_use]
    pub fn with_view(self, view: View) -> Self {
        Self { view, ..self }
    }

    fn line(&self, split: &str, id: &str, repeat: u32) -> Result<&Line, Fault> {
        let missing = |detail: String| Fault { kind: "missing_replay".into(), detail };
        let all = self.lines.get(id).map(Vec::as_slice).unwrap_or_default();
        let splits: BTreeSet<&Option<String>> = all.iter().map(|line| &line.split).collect();
        let named = all.iter().any(|line| line.split.as_deref() == Some(split));
        if !named && splits.len() > 1 {
            return Err(missing(format!("id {id} stands in several splits, but not in {split}")));
        }
        let mut fits = all.iter().filter(|line| !named || line.split.as_deref() == Some(split));
        fits.find(|line| line.repeat == Some(repeat))
            .ok_or_else(|| missing(format!("no line for split {split}, id {id}, repeat {repeat}")))
    }

    fn reply(&self, request: &Request<'_>) -> Result<Reply, Fault> {
        let repeat =
            usize::try_from(request.episode).ok().and_then(|e| self.repeats.get(e)).copied().unwrap_or(0);
        let line = self.line(&request.example.split, &request.example.id, repeat)?;
        let turn = request.history.len();
        let (text, tokens) = match line.turns.get(turn) {
            Some(ReplayTurn::Text(text)) => (text, TurnTokens::default()),
            Some(ReplayTurn::Turn { text, tokens }) => (text, *tokens),
            None => {
                let detail = format!("{} turns recorded", line.turns.len());
                return Err(line.fault.clone().unwrap_or(Fault { kind: Fault::SCRIPT_END.into(), detail }));
            }
        };
        Ok(Reply {
            text: text.clone(),
            prompt_tokens: tokens.prompt,
            completion_tokens: tokens.completion,
            cut: line.end == Some(End::Length) && turn + 1 == line.turns.len(),
            ..Reply::default()
        })
    }
}

impl Policy for Replay {
    fn info(&self) -> PolicyInfo {
        let engine = format!("vrrl {}", env!("CARGO_PKG_VERSION"));
        PolicyInfo {
            name: self.name.clone(),
            backend: "replay".into(),
            engine,
            fingerprint: self.fingerprint.clone(),
        }
    }

    fn view(&self) -> View {
        self.view
    }

    fn slots(&self) -> usize {
        SLOTS
    }

    fn announce(&mut self, repeats: &[u32]) {
        self.repeats = repeats.to_vec();
    }

    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
        requests.iter().map(|request| self.reply(request)).collect()
    }
}
