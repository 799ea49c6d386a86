//! Judges and rewards recorded turns, without a model (`vrrl score`).

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use vrrl_harness_core::reward::{judge_turns, Reward, RewardSet, Score, PRESETS};
use vrrl_harness_core::{Dialect, Seed, TaskKind, Truth};

use crate::{store, yaml, Error, Result};

/// What happens at a line that cannot be scored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnError {
    /// Nothing is written.
    Abort,
    /// An error object is written in its place.
    Record,
}

/// What to score.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScoreOptions {
    /// Turns, one JSON object a line.
    pub input: PathBuf,
    /// A preset or a YAML file.
    pub reward: String,
    /// Scores, one JSON object a line, in input order.
    pub output: PathBuf,
    /// What happens at a line that cannot be scored.
    pub on_error: OnError,
}

/// What was scored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Scored {
    /// Lines scored.
    pub scored: usize,
    /// Lines that could not be.
    pub errors: usize,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    task: TaskKind,
    dialect: Dialect,
    truth: Truth,
    turns: Vec<Spoken>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Spoken {
    Text(String),
    Turn { text: String },
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    reward: Reward,
    score: Score,
}

/// Scores every line of a file into another.
///
/// # Errors
/// A reward that makes no sense; with [`OnError::Abort`] the first line that cannot be scored, by number, with
/// nothing written; files that cannot be read or written.
pub fn score(options: &ScoreOptions) -> Result<Scored> {
    let rewards = rewards(&options.reward)?;
    let text = store::read_text(&options.input)?;
    let mut out = String::new();
    let mut done = Scored { scored: 0, errors: 0 };
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let row = match one(line, &rewards) {
            Ok(row) => {
                done.scored += 1;
                row
            }
            Err(reason) if options.on_error == OnError::Abort => {
                return Err(Error::content(&options.input, format!(":{}", i + 1), reason));
            }
            Err(reason) => {
                done.errors += 1;
                let id = serde_json::from_str::<Value>(line).ok().and_then(|v| v.get("id").cloned());
                json!({"id": id, "line": i + 1, "error": reason}).to_string()
            }
        };
        out.push_str(&row);
        out.push('\n');
    }
    store::replace(&options.output, out.as_bytes())?;
    Ok(done)
}

fn one(line: &str, rewards: &RewardSet) -> Result<String, String> {
    let line: Line = serde_json::from_str(line).map_err(|e| e.to_string())?;
    // What the truth leaves open is only how the problem is drawn.
    let problem = vrrl_generators::pose_truth(line.task, &line.truth, Seed(0))
        .map_err(|e| format!("id {}, truth: {e}", line.id))?;
    let texts: Vec<&str> = line
        .turns
        .iter()
        .map(|turn| match turn {
            Spoken::Text(text) | Spoken::Turn { text } => text.as_str(),
        })
        .collect();
    let judged = judge_turns(&*problem, line.dialect, &texts);
    let config = rewards.of(line.task);
    let row = Row { id: &line.id, reward: judged.reward(config), score: judged.score(config) };
    serde_json::to_string(&row).map_err(|e| format!("id {}: {e}", line.id))
}

/// The rewards that a preset's name or a file holds.
fn rewards(word: &str) -> Result<RewardSet> {
    if let Some(set) = RewardSet::preset(word) {
        return Ok(set);
    }
    let path = Path::new(word);
    if path.exists() {
        return yaml::read(&store::read_text(path)?, path);
    }
    Err(Error::Input(format!("reward {word:?} is no file and no preset; presets: {}", PRESETS.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"id":"a","task":"maze","dialect":"bare_commit","truth":{"layout":["SF","HG"],"start_pos":0,"target_pos":3,"level":2},"turns":["<ANSWER>right down</ANSWER>",{"text":"<FINAL/>"}],"more":1}"#;

    fn scored(text: &str, reward: &str, on_error: OnError) -> (Result<Scored>, String) {
        let dir = tempfile::tempdir().unwrap();
        let (input, output) = (dir.path().join("in.jsonl"), dir.path().join("out.jsonl"));
        std::fs::write(&input, text).unwrap();
        let options = ScoreOptions { input, reward: reward.into(), output: output.clone(), on_error };
        (score(&options), std::fs::read_to_string(output).unwrap_or_default())
    }

    #[test]
    fn turns_are_scored_in_order() {
        let (done, out) = scored(
            &format!("{GOOD}\n\n{}\n", GOOD.replace("right down", "down right")),
            "outcome_only",
            OnError::Abort,
        );
        assert_eq!(done.unwrap(), Scored { scored: 2, errors: 0 });
        let rows: Vec<Value> = out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!((&rows[0]["score"]["correct"], &rows[0]["reward"]["total"]), (&json!(true), &json!(1.0)));
        assert_eq!((&rows[1]["score"]["correct"], &rows[1]["reward"]["total"]), (&json!(false), &json!(0.0)));
    }

    #[test]
    fn bad_lines_abort_or_are_recorded() {
        let text = format!("{GOOD}\n{{\"id\": \"b\"}}\n");
        let (done, out) = scored(&text, "vrrl_paper", OnError::Abort);
        let error = done.unwrap_err().to_string();
        assert!(error.contains("in.jsonl:2") && error.contains("task"), "{error}");
        assert!(out.is_empty());
        let (done, out) = scored(&text, "vrrl_paper", OnError::Record);
        assert_eq!(done.unwrap(), Scored { scored: 1, errors: 1 });
        let row: Value = serde_json::from_str(out.lines().nth(1).unwrap()).unwrap();
        assert_eq!((&row["id"], &row["line"]), (&json!("b"), &json!(2)));
        let (done, _) = scored(GOOD, "vrrl", OnError::Abort);
        assert!(done.unwrap_err().to_string().contains("vrrl_paper, vrrl_code, outcome_only"));
    }
}
