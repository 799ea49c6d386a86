//! `experiment.yaml`: which experiment a directory belongs to.

use std::path::Path;

use serde_yaml::{Mapping, Value};

use crate::{store, yaml, Error, Experiment, Result};

/// Keys that change no result.
const WORDS: [&str; 3] = ["title", "notes", "estimate_seconds"];

/// Writes `experiment.yaml`, or checks that the one that is there says the same; with `grow`, methods and seeds may
/// have come in.
pub(crate) fn claim(experiment: &Experiment, out: &Path, grow: bool) -> Result<()> {
    let path = out.join("experiment.yaml");
    let text = experiment.to_yaml()?;
    if path.exists() {
        let before: Value = yaml::read(&store::read_text(&path)?, &path)?;
        let mut now: Value = yaml::read(&text, &path)?;
        if grow {
            only_known(&before, &mut now);
        }
        let mut found = Vec::new();
        differences(&before, &now, String::new(), &mut found);
        if !found.is_empty() {
            let more =
                if found.len() > 4 { format!("; and {} more", found.len() - 4) } else { String::new() };
            let difference = found.into_iter().take(4).collect::<Vec<_>>().join("; ") + &more;
            return Err(Error::Changed { dir: out.to_path_buf(), difference });
        }
    }
    store::replace(&path, text.as_bytes())
}

/// Takes out of `now` the methods that `before` does not name, and the seeds that came after its own.
fn only_known(before: &Value, now: &mut Value) {
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_sequence).cloned();
    let name = |method: &Value| method.get("name").cloned();
    let Some(map) = now.as_mapping_mut() else { return };
    if let (Some(before), Some(Value::Sequence(seeds))) = (list(before, "seeds"), map.get_mut("seeds")) {
        if seeds.starts_with(&before) {
            seeds.truncate(before.len());
        }
    }
    if let (Some(before), Some(Value::Sequence(methods))) = (list(before, "methods"), map.get_mut("methods"))
    {
        // In the order of before: new ones may stand in between.
        let known = before.iter().filter_map(|b| methods.iter().find(|now| name(now) == name(b)).cloned());
        *methods = known.collect();
    }
}

/// Collects the keys that differ, leaving out those that change no result.
fn differences(before: &Value, now: &Value, at: String, found: &mut Vec<String>) {
    let join = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
    match (before, now) {
        (Value::Mapping(a), Value::Mapping(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys {
                let name = key.as_str().unwrap_or_default();
                if !WORDS.contains(&name) {
                    let value = |map: &Mapping| map.get(key).cloned().unwrap_or(Value::Null);
                    differences(&value(a), &value(b), join(name), found);
                }
            }
        }
        (Value::Sequence(a), Value::Sequence(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, join(&i.to_string()), found);
            }
        }
        (a, b) if a == b || same_file(a, b) => {}
        (a, b) => found.push(format!("{at} was {}, now {}", word(a), word(b))),
    }
}

/// Whether both are files of one name. Where they lie depends on where the command is run; each stage knows what was in
/// those that it read.
fn same_file(a: &Value, b: &Value) -> bool {
    let file = |value: &Value| {
        let path = Path::new(value.as_str()?);
        path.extension().and(path.file_name()).map(ToOwned::to_owned)
    };
    file(a).is_some_and(|a| file(b) == Some(a))
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => "absent".into(),
        value => serde_json::to_string(value).unwrap_or_else(|_| "?".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "name: x\nseeds: [1]\ndialect: bare_commit\nsplits: {train: quick/maze/train, val: \
        quick/maze/id_val, test: [quick/maze/ood7]}\nmethods:\n  - {name: base, method: base}\n  - {name: b, method: \
        multi_sft, init: base}\n";

    fn read(text: &str) -> Experiment {
        Experiment::from_yaml(text, Path::new("x.yaml")).unwrap()
    }

    #[test]
    fn files_may_lie_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let with = |train: &str| read(&SMALL.replace("train: quick/maze/train", &format!("train: {train}")));
        claim(&with("reports/mine.yaml"), dir.path(), false).unwrap();
        claim(&with("mine.yaml"), dir.path(), false).unwrap();
        let refused = claim(&with("reports/other.yaml"), dir.path(), false).unwrap_err().to_string();
        assert!(refused.contains("splits.train was \"mine.yaml\", now \"reports/other.yaml\""), "{refused}");
    }

    #[test]
    fn a_directory_grows_only_where_it_may_and_never_changes() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path();
        claim(&read(SMALL), out, true).unwrap();
        let more = SMALL
            .replace("[1]", "[1, 2]")
            .replace("  - {name: b,", "  - {name: a, method: multi_sft, init: base}\n  - {name: b,");
        let refused = |text: &str, grow: bool| claim(&read(text), out, grow).unwrap_err().to_string();
        assert!(refused(&more, false).contains("seeds was [1], now [1,2]"));
        claim(&read(&more), out, true).unwrap();
        // What is there may neither go nor change, nor may seeds be put in front.
        assert!(refused(SMALL, true).contains("seeds was [1,2], now [1]"));
        assert!(refused(&more.replace("[1, 2]", "[2, 1]"), true).contains("seeds.0 was 1, now 2"));
        let other = more.replace("{name: a,", "{name: a, max_turns: 2,");
        assert!(refused(&other, true).contains("methods.1.max_turns was absent, now 2"));
        assert_eq!(store::read_text(&out.join("experiment.yaml")).unwrap(), read(&more).to_yaml().unwrap());
    }
}
