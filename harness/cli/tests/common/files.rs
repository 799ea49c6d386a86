//! Files of two runs that must be equal, timings taken out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// Keys that say how long something took, when, or how much memory the process had seen.
const TIMINGS: [&str; 9] = [
    "seconds",
    "learner_seconds",
    "tokens_per_second",
    "episodes_per_second",
    "peak_bytes",
    "date",
    "calls",
    "finished_s",
    "rollout_seconds",
];

/// Every file that must be equal, by its path, timings taken out.
pub fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let last = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                open.push(path);
            } else if last == "timing.jsonl"
                || last == "wall.json"
                || last == "index.html"
                || last == "stage.json"
            {
                // Timings alone, or full of them; that they exist is what counts.
                found.insert(name, Vec::new());
            } else if last.ends_with(".json") || last.ends_with(".jsonl") {
                let text = fs::read_to_string(&path).unwrap();
                found.insert(name, timeless(&text).into_bytes());
            } else if last == "leaderboard.csv" {
                // The date is the last column.
                let text = fs::read_to_string(&path).unwrap();
                let rows = text.lines().map(|line| line.rsplit_once(',').map_or(line, |(row, _)| row));
                found.insert(name, rows.collect::<Vec<_>>().join("\n").into_bytes());
            } else if last != "leaderboard.md" {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// JSON or JSON lines without timings.
fn timeless(text: &str) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                TIMINGS.iter().for_each(|key| drop(map.remove(*key)));
                map.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let show = |mut value: Value| {
        strip(&mut value);
        value.to_string()
    };
    if let Ok(value) = serde_json::from_str(text) {
        return show(value);
    }
    text.lines().map(|line| show(serde_json::from_str(line).unwrap())).collect::<Vec<_>>().join("\n")
}
