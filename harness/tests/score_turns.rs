//! Recorded turns through `score_turns`: order, chunks, bad lines, what other programs write.

#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "helpers of tests; the numbers are exact")]

mod common;

use std::fs;

use serde_json::Value;
use tempfile::tempdir;
use vrrl_harness::{score_turns, Error, OnError, Result, ScoreTurns, Scored};
use vrrl_harness_core::reward::RewardSet;

const TRUTH: &str = r#"{"layout":["SF","HG"],"start_pos":0,"target_pos":3,"level":2}"#;

fn line(id: &str, turns: &str) -> String {
    format!(
        r#"{{"turns":{turns},"id":"{id}","task":"maze","dialect":"bare_commit","truth":{TRUTH},"more":{{"a":[1]}}}}"#
    )
}

fn scored(input: &[u8], on_error: OnError, lenient: bool) -> (Result<Scored>, Vec<Value>) {
    let dir = tempdir().unwrap();
    let (from, to) = (dir.path().join("in.jsonl"), dir.path().join("new/out.jsonl"));
    fs::write(&from, input).unwrap();
    let rewards = RewardSet::preset("vrrl_code").unwrap();
    let work =
        ScoreTurns { input: &from, output: &to, rewards: &rewards, on_error, lenient, pose: &common::pose };
    let done = score_turns(&work);
    assert!(!dir.path().join("new/out.jsonl.tmp").exists(), "nothing half-written is left");
    let rows = fs::read_to_string(to).unwrap_or_default();
    (done, rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect())
}

#[test]
fn many_lines_keep_their_order() {
    let n = 20_000;
    let turns = [
        r#"["<ANSWER>right down</ANSWER>","<FINAL/>"]"#,
        r#"[{"text":"<ANSWER>down</ANSWER>","tokens":{}}, "<FINAL/>"]"#,
    ];
    let text: String = (0..n).map(|i| line(&i.to_string(), turns[i % 2]) + "\r\n\n").collect();
    let (done, rows) = scored(text.as_bytes(), OnError::Abort, false);
    assert_eq!(done.unwrap(), Scored { scored: n, errors: 0 });
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(row["id"], i.to_string());
        assert_eq!(row["score"]["correct"], i % 2 == 0);
        assert_eq!(row["reward"]["total"], if i % 2 == 0 { 1.0 } else { 0.1 });
        assert_eq!(row.as_object().unwrap().len(), 3, "nothing but id, reward and score");
    }
}

#[test]
fn bad_lines_are_recorded_in_their_place_or_abort() {
    let good = line("good", r#"["<ANSWER>right down</ANSWER>","<FINAL/>"]"#);
    let walled = line("walled", "[]").replace("SF", "FF");
    let bad = [
        ("{\"id\": \"no task\"}".to_owned(), "missing field"),
        ("nonsense".into(), "expected"),
        (line("turn", "[3]"), "a turn: a text, or an object"),
        (line("turn", r#"[{"txt":"x"}]"#), "missing field `text`"),
        (walled, "id walled"),
        (good.replace("bare_commit", "points_tag"), "no dialect of task maze; use reflection_tag"),
        (good.replace("bare_commit", "tags"), "unknown variant `tags`"),
        (good.replace("start_pos", "start"), "start_pos"),
    ];
    let mut text = format!("{good}\n\n").into_bytes();
    bad.iter().for_each(|(line, _)| text.extend(format!("{line}\n").into_bytes()));
    text.extend(b"{\"id\": \"\xff\"}\n");
    text.extend(good.into_bytes());
    let (done, rows) = scored(&text, OnError::Record, false);
    assert_eq!(done.unwrap(), Scored { scored: 2, errors: bad.len() + 1 });
    for (i, (_, says)) in bad.iter().enumerate() {
        let row = &rows[i + 1];
        assert_eq!(row["line"], i + 3);
        assert!(row["error"].as_str().unwrap().contains(says), "{row}");
    }
    assert_eq!((&rows[1]["id"], &rows[2]["id"]), (&"no task".into(), &Value::Null));
    assert!(rows[bad.len() + 1]["error"].as_str().unwrap().contains("UTF-8 after byte 8"));
    assert_eq!(rows[bad.len() + 2]["id"], "good");

    let (done, rows) = scored(&text, OnError::Abort, false);
    let error = done.unwrap_err();
    assert!(
        matches!(error, Error::Content { .. }) && error.to_string().contains("in.jsonl, line 3"),
        "{error}"
    );
    assert!(rows.is_empty());
}

#[test]
fn what_python_writes_is_read() {
    let text = format!(
        "\u{feff}{}\n",
        line(
            "lone \\ud800",
            r#"["\ud83d <ANSWER>right\u00a0down</ANSWER> \ud83d\ude00", " \u001f", "<FINAL/>"]"#
        )
    );
    let (done, rows) = scored(text.as_bytes(), OnError::Abort, false);
    done.unwrap();
    assert_eq!(rows[0]["id"], "lone \u{fffd}");
    assert_eq!((&rows[0]["score"]["correct"], &rows[0]["score"]["turns"]), (&true.into(), &2.into()));
}

#[test]
fn the_lenient_reading_is_a_column_of_its_own() {
    let text = line("slip", r#"["<ANSWER>right, down.</ANSWER>","<FINAL/>"]"#);
    let (done, rows) = scored(text.as_bytes(), OnError::Abort, true);
    done.unwrap();
    assert_eq!((&rows[0]["score"]["correct"], &rows[0]["lenient"]["correct"]), (&false.into(), &true.into()));
    assert_eq!(rows[0]["reward"]["total"], 0.0);
}
