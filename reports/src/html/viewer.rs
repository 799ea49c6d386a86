//! The trace viewer's data: episodes as JSON, pictures as data URIs, each once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{json, Value};
use vrrl_harness_core::{Action, TraceTurn};

use crate::info::PageInfo;
use crate::leaderboard::Columns;
use crate::run::{decoding_label, method_label, Run};
use crate::traces::{Outcome, Sampled};
use crate::{Error, Result};

/// Bytes of PNG embedded unless the caller says otherwise: with base64 and the rest, a page below 15 MB.
const BUDGET: u64 = 8 << 20;

/// The viewer's part of the page.
pub(super) struct Viewer {
    /// Controls and an empty place for episodes; empty without episodes.
    pub html: String,
    /// JSON that is safe inside a script element.
    pub json: String,
}

/// Episodes and pictures of all runs, within the budget.
pub(super) fn payload(runs: &[Run], info: &PageInfo, columns: &Columns) -> Result<Viewer> {
    let mut bins = Vec::new();
    for run in runs.iter().filter(|r| !r.episodes.is_empty()) {
        let mut splits: BTreeMap<&str, Vec<&Sampled>> = BTreeMap::new();
        for episode in &run.episodes {
            splits.entry(&episode.trace.split).or_default().push(episode);
        }
        bins.push((run, splits));
    }
    if bins.is_empty() {
        return Ok(Viewer { html: String::new(), json: "{}".into() });
    }
    let budget = if info.image_budget == 0 { BUDGET } else { info.image_budget };
    let keep = episodes_within(&bins, budget);
    let mut pictures = Pictures::default();
    let mut list = Vec::new();
    for (run, splits) in &bins {
        let mut rows = Vec::new();
        for (split, episodes) in splits {
            let episodes: Vec<Value> =
                episodes.iter().take(keep).map(|e| episode(run, e, &mut pictures)).collect::<Result<_>>()?;
            rows.push(json!({"split": split, "episodes": episodes}));
        }
        list.push(json!({"name": name(run), "decoding": run.decoding, "splits": rows}));
    }
    let data = json!({"format": 1, "start": columns.delta(), "images": pictures.uris, "runs": list});
    // `<` never stands in the text, so neither `</script>` nor `<!--` can end or reopen the element.
    Ok(Viewer {
        html: HTML.replace("{keep}", &keep.to_string()),
        json: data.to_string().replace('<', "\\u003c"),
    })
}

const HTML: &str = "<h2>Traces</h2><p>Up to {keep} episodes a model and split, chosen to show all stories (a sample, not in \
proportion). Each turn: the picture that the policy saw, and its reply. From the second turn on the picture shows the proposal \
before it, drawn in red.</p><noscript><p>The trace viewer needs JavaScript; everything else on this page does not.</p></noscript>\
<form id=\"viewer\" class=\"controls\" hidden><label>Model <select id=\"v-run\"></select></label><label>Split <select id=\"v-split\"></select></label>\
<label>Show <select id=\"v-filter\"><option value=\"all\">all</option><option value=\"fixed\">fixed</option><option value=\"broken\">broken</option>\
<option value=\"wrong\">wrong</option><option value=\"right\">right</option></select></label>\
<span class=\"pager\"><button type=\"button\" id=\"v-prev\">← previous</button><output id=\"v-count\"></output><button type=\"button\" id=\"v-next\">next →</button></span></form>\
<div id=\"v-list\" aria-live=\"polite\"></div>";

fn name(run: &Run) -> String {
    let label = match run.method.as_str() {
        "reference" | "external" => run.model.clone(),
        method => method_label(method),
    };
    let seed = run.train_seed.map_or_else(String::new, |s| format!(", seed {s}"));
    let condition = if run.condition.is_empty() { String::new() } else { format!(", {}", run.condition) };
    format!("{label}{seed}{condition} · {}", decoding_label(&run.decoding))
}

type Bins<'r> = Vec<(&'r Run, BTreeMap<&'r str, Vec<&'r Sampled>>)>;

/// How many episodes a run and split may show so that all pictures fit. A sample's head is a mix as well, so
/// taking less of everything is fair.
fn episodes_within(bins: &Bins<'_>, budget: u64) -> usize {
    let most = bins.iter().flat_map(|(_, splits)| splits.values().map(Vec::len)).max().unwrap_or(0);
    let mut keep = most;
    while keep > 1 {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut bytes = 0;
        for (run, splits) in bins {
            for episode in splits.values().flat_map(|e| e.iter().take(keep)) {
                for hash in episode.trace.turns.iter().filter_map(|t| t.image_sha256.as_deref()) {
                    if seen.insert(hash) {
                        bytes += image_path(&run.dir, hash)
                            .and_then(|p| fs::metadata(p).ok())
                            .map_or(0, |m| m.len());
                    }
                }
            }
        }
        if bytes <= budget {
            break;
        }
        keep = (keep * 3 / 4).min(keep - 1);
    }
    keep
}

/// Where a picture lies; `None` for anything that is not a hash (a trace is input like any other).
fn image_path(dir: &Path, hash: &str) -> Option<PathBuf> {
    let plain = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then(|| dir.join("images").join(format!("{hash}.png")))
}

#[derive(Default)]
struct Pictures {
    uris: Vec<String>,
    index: BTreeMap<String, usize>,
}

impl Pictures {
    /// Number of a picture; `None` if the run does not keep it.
    fn add(&mut self, dir: &Path, hash: &str) -> Result<Option<usize>> {
        if let Some(index) = self.index.get(hash) {
            return Ok(Some(*index));
        }
        let Some(path) = image_path(dir, hash).filter(|p| p.exists()) else { return Ok(None) };
        let bytes = fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let whole = bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.ends_with(b"IEND\xaeB`\x82");
        if !whole {
            return Err(Error::content(
                path,
                "image",
                "not a whole PNG; delete it and run the evaluation again",
            ));
        }
        self.index.insert(hash.to_owned(), self.uris.len());
        self.uris.push(format!("data:image/png;base64,{}", base64(&bytes)));
        Ok(Some(self.uris.len() - 1))
    }
}

fn episode(run: &Run, sampled: &Sampled, pictures: &mut Pictures) -> Result<Value> {
    let trace = &sampled.trace;
    let turns: Vec<Value> = trace
        .turns
        .iter()
        .enumerate()
        .map(|(i, t)| turn(run, t, sampled.right.get(i).copied(), pictures))
        .collect::<Result<_>>()?;
    let end = serde_json::to_value(trace.end).unwrap_or_default();
    let outcome = match sampled.outcome {
        Outcome::Unscored => Value::Null,
        other => serde_json::to_value(other).unwrap_or_default(),
    };
    Ok(json!({
        "id": trace.id, "repeat": trace.repeat, "outcome": outcome, "end": end,
        "fault": trace.fault.as_ref().map(ToString::to_string), "turns": turns,
    }))
}

fn turn(run: &Run, turn: &TraceTurn, right: Option<bool>, pictures: &mut Pictures) -> Result<Value> {
    let image = match &turn.image_sha256 {
        Some(hash) => pictures.add(&run.dir, hash)?,
        None => None,
    };
    let (kind, answer) = match &turn.action {
        Some(Action::Propose(answer)) => ("propose", Some(answer.text())),
        Some(Action::Commit(answer)) => ("commit", answer.as_ref().map(|a| a.text())),
        Some(Action::Malformed) => ("malformed", None),
        None => ("reply", None),
    };
    Ok(json!({
        "text": turn.text, "kind": kind, "answer": answer, "right": right, "seen": turn.seen,
        "image": image, "lost": image.is_none() && turn.image_sha256.is_some(),
    }))
}

/// RFC 4648 base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |w, b| (w << 8) | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = ALPHABET[(word >> (18 - 6 * i)) as usize & 63] as char;
            out.push(if i <= chunk.len() { digit } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_agrees_with_the_standard() {
        // RFC 4648 section 10
        for (plain, want) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), want);
        }
        assert_eq!(base64(&[255, 254, 0]), "//4A");
    }

    #[test]
    fn only_hashes_become_paths() {
        assert!(image_path(Path::new("d"), "../../secret").is_none());
        assert!(image_path(Path::new("d"), &"a".repeat(64)).is_some());
    }
}
