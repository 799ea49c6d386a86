//! What a leaderboard refuses: runs that are not finished, and rows that cannot be compared. Every refusal names its files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use vrrl_harness::{RunInfo, ScoreRow, SplitInfo, Summary};
use vrrl_harness_core::FORMAT;

use crate::load;
use crate::run::{stem, Run};
use crate::site::find::Submission;
use crate::traces::each_line;
use crate::{Error, Result};

/// What the page says of a run besides its numbers.
pub(crate) struct Facts {
    /// Whose it is.
    pub submission: String,
    /// Whether its traces are there, so that `vrrl verify` can judge them again.
    pub traces: bool,
    /// Episodes that were asked.
    pub episodes: usize,
    /// Of these, faults.
    pub faults: usize,
    /// Most turns.
    pub max_turns: usize,
    /// Its splits as `run.json` has them.
    pub splits: Vec<SplitInfo>,
}

/// Facts by run directory, once every run is finished and every split means the same in all of them.
pub(crate) fn facts(submissions: &[Submission]) -> Result<BTreeMap<PathBuf, Facts>> {
    let mut all: BTreeMap<PathBuf, Facts> = BTreeMap::new();
    let mut splits: BTreeMap<String, (PathBuf, SplitInfo)> = BTreeMap::new();
    let mut ids: BTreeMap<String, PathBuf> = BTreeMap::new();
    for submission in submissions {
        for dir in &submission.runs {
            let (info, found) = finished(dir, submission)?;
            if let Some(other) = ids.insert(info.run_id.clone(), dir.clone()) {
                let reason = format!("{} is the same run; keep one of the two", other.display());
                return Err(Error::content(dir.join("run.json"), "run_id", reason));
            }
            for split in info.splits {
                match splits.get(&split.name) {
                    None => drop(splits.insert(split.name.clone(), (dir.clone(), split))),
                    Some((other, known)) => same(dir, &split, other, known)?,
                }
            }
            all.insert(dir.clone(), found);
        }
    }
    Ok(all)
}

/// Reads a run's small files and holds them against each other.
fn finished(dir: &Path, submission: &Submission) -> Result<(RunInfo, Facts)> {
    let (info_path, summary_path, scores_path) =
        (dir.join("run.json"), dir.join("summary.json"), dir.join("scores.jsonl"));
    let info: RunInfo = load::json(&info_path)?;
    let summary: Summary = load::json(&summary_path)?;
    for (path, format) in [(&info_path, info.format), (&summary_path, summary.format)] {
        if format != FORMAT {
            let reason = format!("{format}, not {FORMAT}; score the model again with this version of vrrl");
            return Err(Error::content(path, "format", reason));
        }
    }
    let mut scores: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut seen: BTreeSet<(String, String, u32)> = BTreeSet::new();
    let mut twice = None;
    each_line(&scores_path, |row: ScoreRow| {
        let counts = scores.entry(row.split.clone()).or_default();
        counts.0 += 1;
        counts.1 += usize::from(row.correct);
        let key = (row.split, row.id, row.repeat);
        if seen.contains(&key) {
            twice = twice.take().or(Some(key));
        } else {
            seen.insert(key);
        }
    })?;
    if let Some((split, id, _)) = twice {
        return Err(Error::content(scores_path, format!("split {split}, id {id}"), "stands twice"));
    }
    let (mut episodes, mut faults) = (0, 0);
    for split in &info.splits {
        let Some(row) = summary.splits.iter().find(|row| row.split == split.name) else {
            let reason = "run.json asks it and the summary lacks it; run `vrrl eval` again to finish the run";
            return Err(Error::content(&summary_path, &split.name, reason));
        };
        let asked = split.n * info.config.repeats as usize;
        if row.n + row.faults != asked {
            let reason = format!(
                "{} of {asked} episodes are there; run `vrrl eval` again to finish the run",
                row.n + row.faults
            );
            return Err(Error::content(&summary_path, &split.name, reason));
        }
        let (n, right) = scores.get(&split.name).copied().unwrap_or_default();
        if n != row.n {
            let reason =
                format!("{n} episodes, and the summary says {}; hand in both files of one run", row.n);
            return Err(Error::content(&scores_path, &split.name, reason));
        }
        let told = row.accuracy.map_or(0.0, |a| a.value);
        // With repeats an example counts once, whatever its number of faults; then the counts alone are held together.
        if info.config.repeats == 1 && n > 0 && (right as f64 / n as f64 - told).abs() > 1e-9 {
            let reason = format!(
                "{right} of {n} are right, and the summary says {told}; hand in both files of one run"
            );
            return Err(Error::content(&scores_path, &split.name, reason));
        }
        episodes += asked;
        faults += row.faults;
    }
    let facts = Facts {
        submission: submission.name.clone(),
        traces: dir.join("traces.jsonl").exists(),
        episodes,
        faults,
        max_turns: info.config.max_turns,
        splits: info.splits.clone(),
    };
    Ok((info, facts))
}

/// One name, one set of examples: else rows would stand side by side that cannot be compared.
fn same(dir: &Path, split: &SplitInfo, other: &Path, known: &SplitInfo) -> Result<()> {
    let differ = if split.hash != known.hash {
        format!("its data are {}, and {} in {}", split.hash, known.hash, other.display())
    } else if split.n != known.n {
        format!("it asks {} examples, and {} asks {}", split.n, other.display(), known.n)
    } else if (split.task, split.role, &split.shift, &split.severity)
        != (known.task, known.role, &known.shift, &known.severity)
    {
        format!("its task, role, shift or severity is another than in {}", other.display())
    } else {
        return Ok(());
    };
    let reason =
        format!("{differ}; such rows cannot be compared: score both on one split, or give it another name");
    Err(Error::content(dir.join("run.json"), format!("split {}", split.name), reason))
}

/// Names are rows: within a submission training seeds share one, and nobody else may have it.
pub(crate) fn rows(runs: &[Run], facts: &BTreeMap<PathBuf, Facts>) -> Result<()> {
    let mut owners: BTreeMap<(&str, &str, &str, &str), Vec<&Run>> = BTreeMap::new();
    for run in runs {
        let key = (run.method.as_str(), stem(&run.model), run.condition.as_str(), run.decoding.as_str());
        let others = owners.entry(key).or_default();
        let of = |run: &Run| facts.get(&run.dir).map(|f| f.submission.clone()).unwrap_or_default();
        for other in others.iter() {
            let what = if of(other) != of(run) {
                "is of another submission and has this name, method and decoding; give one another name: policy.name in run.json"
            } else if other.train_seed == run.train_seed {
                "has this name, method, decoding and training seed; score all splits in one run, or give one another name: policy.name in run.json"
            } else {
                continue;
            };
            let reason = format!("{} {what}", other.dir.display());
            return Err(Error::content(run.dir.join("run.json"), format!("model {}", run.model), reason));
        }
        others.push(run);
    }
    Ok(())
}
