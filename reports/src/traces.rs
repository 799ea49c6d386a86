//! A bounded sample of a run's episodes, for the page's trace viewer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde::Serialize;
use vrrl_harness::ScoreRow;
use vrrl_harness_core::{End, Trace};

use crate::slices::{self, Slices};
use crate::{Error, Result};

/// What happened between the first and the final answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Wrong first, right in the end.
    Fixed,
    /// Right first, wrong in the end.
    Broken,
    /// Wrong before and after.
    Wrong,
    /// Right before and after.
    Right,
    /// The run has no score for it (a fault, or `scores.jsonl` is missing).
    Unscored,
}

/// One episode for the viewer.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// The episode.
    pub trace: Trace,
    /// What happened to its answer.
    pub outcome: Outcome,
    /// Whether the answer that stands after turn 1, 2, ... is right; empty without scores.
    pub right: Vec<bool>,
}

/// What the episodes of a run say.
#[derive(Default)]
pub(crate) struct Read {
    /// A bounded sample.
    pub episodes: Vec<Sampled>,
    /// All of them, counted.
    pub slices: Slices,
    /// Which pieces were missing.
    pub gaps: Vec<String>,
}

/// Reads `traces.jsonl` and `scores.jsonl` of `dir` and keeps at most `keep` episodes a split, those with
/// pictures first.
pub(crate) fn read(dir: &Path, keep: usize) -> Result<Read> {
    let mut gaps = Vec::new();
    let (traces, scores) = (dir.join("traces.jsonl"), dir.join("scores.jsonl"));
    if !traces.exists() {
        gaps.push("no traces.jsonl: episodes cannot be shown".to_owned());
        return Ok(Read { gaps, ..Read::default() });
    }
    let mut judged: BTreeMap<(String, String, u32), ScoreRow> = BTreeMap::new();
    if scores.exists() {
        each_line(&scores, |row: ScoreRow| {
            judged.insert((row.split.clone(), row.id.clone(), row.repeat), row);
        })?;
    } else {
        gaps.push("no scores.jsonl: episodes carry no verdicts".to_owned());
    }
    let pictures = pictures(dir)?;
    let mut bins: BTreeMap<String, BTreeMap<Outcome, Bin>> = BTreeMap::new();
    let mut slices = Slices::new();
    each_line(&traces, |trace: Trace| {
        let score = judged.get(&(trace.split.clone(), trace.id.clone(), trace.repeat));
        if let Some(score) = score {
            slices::count(&mut slices, &trace.split, &trace.truth, score.correct);
        }
        let outcome = if trace.end == End::Fault { Outcome::Unscored } else { outcome(score) };
        let kept =
            trace.turns.iter().filter_map(|t| t.image_sha256.as_ref()).all(|hash| pictures.contains(hash));
        let bin = bins.entry(trace.split.clone()).or_default().entry(outcome).or_default();
        let part = if kept { &mut bin.kept } else { &mut bin.lost };
        if part.len() < keep {
            let right = score.map_or_else(Vec::new, |s| s.score.correct_by_turn.clone());
            part.push(Sampled { trace, outcome, right });
        }
    })?;
    let episodes: Vec<Sampled> = bins.into_values().flat_map(|bins| mix(bins, keep)).collect();
    if pictures.is_empty() && episodes.iter().any(|e| e.trace.turns.iter().any(|t| t.image_sha256.is_some()))
    {
        gaps.push("no pictures were kept: episodes are shown as text".to_owned());
    }
    Ok(Read { episodes, slices, gaps })
}

/// Episodes of one outcome.
#[derive(Default)]
struct Bin {
    /// All their pictures are there.
    kept: Vec<Sampled>,
    /// Some are not.
    lost: Vec<Sampled>,
}

/// Without any picture, as many as there may be; next to episodes with pictures, this many of each story
/// that has none.
const WITHOUT_PICTURES: usize = 4;

/// Hashes of the pictures that the run keeps.
fn pictures(dir: &Path) -> Result<BTreeSet<String>> {
    let images = dir.join("images");
    if !images.is_dir() {
        return Ok(BTreeSet::new());
    }
    let read = |source| Error::Read { path: images.clone(), source };
    let mut all = BTreeSet::new();
    for entry in fs::read_dir(&images).map_err(read)? {
        let name = entry.map_err(read)?.file_name();
        all.extend(name.to_string_lossy().strip_suffix(".png").map(str::to_owned));
    }
    Ok(all)
}

fn outcome(score: Option<&ScoreRow>) -> Outcome {
    match score.map(|s| (s.correct_first, s.correct)) {
        None => Outcome::Unscored,
        Some((false, true)) => Outcome::Fixed,
        Some((true, false)) => Outcome::Broken,
        Some((false, false)) => Outcome::Wrong,
        Some((true, true)) => Outcome::Right,
    }
}

/// Takes from the bins in turn, so that a sample shows all stories.
fn mix(bins: BTreeMap<Outcome, Bin>, keep: usize) -> Vec<Sampled> {
    let any = bins.values().any(|bin| !bin.kept.is_empty());
    let mut queues: Vec<_> = bins
        .into_values()
        .map(|bin| match (any, bin.kept.is_empty()) {
            (true, true) => (true, bin.lost.into_iter().take(WITHOUT_PICTURES).collect::<Vec<_>>()),
            (true, false) => (false, bin.kept),
            (false, _) => (true, bin.lost),
        })
        .map(|(lost, bin)| bin.into_iter().map(move |episode| (lost, episode)))
        .collect();
    let mut taken = Vec::new();
    while taken.len() < keep && !queues.is_empty() {
        queues.retain_mut(|queue| match queue.next() {
            Some(episode) if taken.len() < keep => {
                taken.push(episode);
                true
            }
            _ => false,
        });
    }
    // Stable: the mix stays a mix within both parts.
    taken.sort_by_key(|(lost, _)| *lost);
    taken.into_iter().map(|(_, episode)| episode).collect()
}

/// Hands every non-empty line of a JSON-lines file to `take`; a line that does not parse is an error.
pub(crate) fn each_line<T: serde::de::DeserializeOwned>(path: &Path, mut take: impl FnMut(T)) -> Result<()> {
    let read = |source| Error::Read { path: path.to_path_buf(), source };
    let file = BufReader::new(File::open(path).map_err(read)?);
    for (index, line) in file.lines().enumerate() {
        let line = line.map_err(read)?;
        if line.trim().is_empty() {
            continue;
        }
        let value = serde_json::from_str(&line).map_err(|e| {
            Error::content(
                path,
                format!("line {}", index + 1),
                format!("{e}; run the same command again to finish or repair the run"),
            )
        })?;
        take(value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(outcome: Outcome) -> Sampled {
        let line = r#"{"id":"a","split":"s","task":"maze","dialect":"bare_commit","truth":{"layout":["SF","HG"],"start_pos":0,"target_pos":3,"level":2},"turns":[],"end":"commit"}"#;
        Sampled { trace: serde_json::from_str(line).unwrap(), outcome, right: vec![] }
    }

    fn bin(outcome: Outcome, kept: usize, lost: usize) -> (Outcome, Bin) {
        (outcome, Bin { kept: vec![of(outcome); kept], lost: vec![of(outcome); lost] })
    }

    fn counts(bins: BTreeMap<Outcome, Bin>, keep: usize) -> [usize; 3] {
        let taken = mix(bins, keep);
        [Outcome::Fixed, Outcome::Wrong, Outcome::Right]
            .map(|o| taken.iter().filter(|e| e.outcome == o).count())
    }

    #[test]
    fn a_sample_mixes_the_stories() {
        let bins =
            BTreeMap::from([bin(Outcome::Fixed, 1, 9), bin(Outcome::Wrong, 9, 0), bin(Outcome::Right, 9, 0)]);
        assert_eq!(counts(bins, 6), [1, 3, 2]);
    }

    #[test]
    fn episodes_without_pictures_only_stand_in() {
        let bins = BTreeMap::from([bin(Outcome::Fixed, 0, 9), bin(Outcome::Wrong, 2, 9)]);
        assert_eq!(counts(bins, 24), [WITHOUT_PICTURES, 2, 0]);
        let bins = BTreeMap::from([bin(Outcome::Fixed, 0, 9), bin(Outcome::Wrong, 0, 9)]);
        assert_eq!(counts(bins, 24), [9, 9, 0]);
    }
}
