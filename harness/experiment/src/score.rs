//! Judges and rewards recorded turns, without a model (`vrrl score`).

use std::path::{Path, PathBuf};

use vrrl_harness::{score_turns, OnError, ScoreTurns, Scored};
use vrrl_harness_core::reward::{RewardSet, PRESETS};

use crate::{store, yaml, Error, Result};

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
    /// Also write what the lenient reading makes of the turns.
    pub lenient: bool,
}

/// Scores every line of a file into another.
///
/// # Errors
/// A reward that makes no sense; else as [`score_turns`].
pub fn score(options: &ScoreOptions) -> Result<Scored> {
    let rewards = rewards(&options.reward)?;
    let work = ScoreTurns {
        input: &options.input,
        output: &options.output,
        rewards: &rewards,
        on_error: options.on_error,
        lenient: options.lenient,
        pose: &vrrl_generators::pose_truth,
    };
    Ok(score_turns(&work)?)
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
    use serde_json::{json, Value};

    use super::*;

    const GOOD: &str = r#"{"id":"a","task":"maze","dialect":"bare_commit","truth":{"layout":["SF","HG"],"start_pos":0,"target_pos":3,"level":2},"turns":["<ANSWER>right down</ANSWER>",{"text":"<FINAL/>"}],"more":1}"#;

    fn scored(text: &str, reward: &str, on_error: OnError) -> (Result<Scored>, String) {
        let dir = tempfile::tempdir().unwrap();
        let (input, output) = (dir.path().join("in.jsonl"), dir.path().join("out.jsonl"));
        std::fs::write(&input, text).unwrap();
        let options =
            ScoreOptions { input, reward: reward.into(), output: output.clone(), on_error, lenient: false };
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
        assert!(error.contains("in.jsonl, line 2") && error.contains("task"), "{error}");
        assert!(out.is_empty());
        let (done, out) = scored(&text, "vrrl_paper", OnError::Record);
        assert_eq!(done.unwrap(), Scored { scored: 1, errors: 1 });
        let row: Value = serde_json::from_str(out.lines().nth(1).unwrap()).unwrap();
        assert_eq!((&row["id"], &row["line"]), (&json!("b"), &json!(2)));
        let (done, _) = scored(GOOD, "vrrl", OnError::Abort);
        assert!(done.unwrap_err().to_string().contains("vrrl_paper, vrrl_code, outcome_only"));
    }
}
