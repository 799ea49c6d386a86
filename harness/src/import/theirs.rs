//! Rows that nothing of ours can judge: items whose verdict is the harness's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::Serialize;
use serde_json::Value;
use vrrl_harness_core::{Hasher, Role, Seed, FORMAT};
use vrrl_harness_stats::{bootstrap_mean, paired_difference, wilson};

use super::json;
use super::judge;
use super::row::Batch;
use super::write::{describe, first, note, their_row, verdict, Once, TheirRow, IMPORTED};
use super::{Import, Imported};
use crate::record::{SplitInfo, SplitSummary, Summary};
use crate::run_dir::{RUN, SCORES, SUMMARY, TRACES};
use crate::scoring::{self, Mishaps};
use crate::{store, Error, EvalConfig, Result};

/// A line of `scores.jsonl` where nothing could be judged: an item, as `compare` reads it.
#[derive(Serialize)]
struct TheirItem<'b> {
    split: &'b str,
    id: &'b str,
    repeat: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    correct: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    correct_first: Option<bool>,
}

/// Rows whose verdicts are the harness's.
pub(super) fn write(request: &Import<'_>, batch: &Batch, imported: &mut Imported) -> Result<()> {
    let Some(metric) = imported.metric.clone() else {
        let mut names: Vec<&String> = batch.rows.iter().flat_map(|row| row.metrics.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let list = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        let reason = if names.is_empty() {
            "rows have neither a metric nor a truth to judge by; name the metric with --metric, or the split with \
             --split"
                .into()
        } else {
            format!("which metric says what is right? choose one with --metric: {list}")
        };
        return Err(Error::content(&batch.rows[0].place.file, "metrics", reason));
    };
    let (mut once, mut names) = (Once::default(), Vec::new());
    for row in &batch.rows {
        let id = row.id.clone().or_else(|| row.position.map(|p| p.to_string()));
        let id = id.ok_or_else(|| row.place.refuse("neither id nor doc_id"))?;
        names.push((judge::split_name(batch, row), id));
    }
    let (mut items, mut rows) = (Vec::new(), Vec::new());
    for (row, (split, id)) in batch.rows.iter().zip(&names) {
        once.check(split, id, row.repeat, row)?;
        let correct = verdict(Some(&metric), row).map_err(|why| row.place.refuse(why))?;
        rows.push(their_row(row, split, id, correct));
        let Some(correct) = correct else {
            imported.miss(row.place.text());
            continue;
        };
        let first = row.about.get("correct_first").unwrap_or(&Value::Null);
        let correct_first =
            json::verdict(first).map_err(|why| row.place.refuse(format!("correct_first is {why}")))?;
        let role = note(batch, row).role;
        items.push(TheirItem { split, id, repeat: row.repeat, role, correct, correct_first });
    }
    if items.is_empty() {
        return Err(Error::NothingRan(format!(
            "no row has a value of {metric}; the first is {}",
            first(batch)
        )));
    }
    imported.items = items.len();
    fs::create_dir_all(request.out).map_err(Error::io("create", request.out))?;
    // An import before this one may have been judged.
    for stale in [RUN, TRACES, SUMMARY].map(|name| request.out.join(name)).iter().filter(|path| path.exists())
    {
        fs::remove_file(stale).map_err(Error::io("remove", stale))?;
    }
    store::write_lines(&request.out.join(IMPORTED), &rows)?;
    store::write_lines(&request.out.join(SCORES), &items)?;
    let Some(temperature) = request.temperature.or(batch.temperature) else {
        // `compare` and `gate` need no more; a table would have to say how was decoded.
        return Ok(());
    };
    let repeats = items.iter().map(|item| item.repeat + 1).max().unwrap_or(1);
    // What is known of turns is whether there is a first answer beside the last.
    let max_turns = if items.iter().all(|item| item.correct_first.is_some()) { 2 } else { 1 };
    let config =
        EvalConfig { dialect: request.dialect, temperature, repeats, max_turns, ..EvalConfig::default() };
    let splits = splits(request, batch, &names, &items);
    let info = describe(imported, splits, config)?;
    let summarised = info.splits.iter().map(|split| {
        let mine: Vec<&TheirItem<'_>> = items.iter().filter(|item| item.split == split.name).collect();
        summary(split, &info.config, &mine, lost(&rows, &split.name))
    });
    store::write_json(&request.out.join(SUMMARY), &Summary { format: FORMAT, splits: summarised.collect() })?;
    store::write_json(&request.out.join(RUN), &info)
}

/// Rows of a split without a verdict: replies that could not be had.
fn lost(rows: &[TheirRow<'_>], split: &str) -> Mishaps {
    let lost = rows.iter().filter(|row| row.split == split && row.correct.is_none()).count();
    let mut mishaps = Mishaps::default();
    if lost > 0 {
        mishaps.faults.insert("unscored".into(), lost);
    }
    mishaps
}

/// The splits that have items, in the order of their names.
fn splits(
    request: &Import<'_>,
    batch: &Batch,
    names: &[(String, String)],
    items: &[TheirItem<'_>],
) -> Vec<SplitInfo> {
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for item in items {
        seen.entry(item.split).or_default().insert(item.id);
    }
    let info = |(name, ids): (&str, BTreeSet<&str>)| {
        let row = names.iter().position(|(split, _)| split == name).map(|at| &batch.rows[at]);
        let note = row.map(|row| note(batch, row)).unwrap_or_default();
        let role =
            note.role.or_else(|| items.iter().find(|item| item.split == name).and_then(|item| item.role));
        // Nobody says what the examples were, so this is a hash of what they are called.
        let called = || ids.iter().fold(Hasher::default().part(b"imported names"), |h, id| h.part(id)).hex();
        let asked = request.splits.iter().find(|split| split.name == name);
        SplitInfo {
            name: name.to_owned(),
            task: asked.map(|split| split.task),
            role: role.or_else(|| asked.and_then(|split| split.role)),
            shift: note.shift.unwrap_or_default(),
            severity: note.severity.unwrap_or_default(),
            hash: note.hash.unwrap_or_else(called),
            n: ids.len(),
        }
    };
    seen.into_iter().map(info).collect()
}

/// What can be said of a split by verdicts alone; everything else is absent.
fn summary(
    split: &SplitInfo,
    config: &EvalConfig,
    items: &[&TheirItem<'_>],
    mishaps: Mishaps,
) -> SplitSummary {
    let empty = scoring::summarise(split, config, &[], mishaps);
    let n = items.len();
    let mut by_id: BTreeMap<&str, Vec<&TheirItem<'_>>> = BTreeMap::new();
    for &item in items {
        by_id.entry(item.id).or_default().push(item);
    }
    // An item counts once, with the share of its episodes.
    let values = |holds: &dyn Fn(&TheirItem<'_>) -> bool| -> Vec<f64> {
        let share =
            |of: &Vec<&TheirItem<'_>>| of.iter().filter(|item| holds(item)).count() as f64 / of.len() as f64;
        by_id.values().map(share).collect()
    };
    let seed = |metric: &str| Seed(config.seed).derive(&format!("{}\0{metric}", split.name), 0);
    let share = |holds: &dyn Fn(&TheirItem<'_>) -> bool| match config.repeats {
        1 => wilson(items.iter().filter(|item| holds(item)).count(), n),
        _ => bootstrap_mean(&values(holds), seed("share")),
    };
    let first = |item: &TheirItem<'_>| item.correct_first == Some(true);
    let revisable = config.max_turns > 1;
    let moved = |from: bool, to: bool| {
        revisable.then(|| items.iter().filter(|item| first(item) == from && item.correct == to).count())
    };
    let gain = || paired_difference(&values(&first), &values(&|item| item.correct), seed("delta_ref"));
    SplitSummary {
        n,
        transport_fault_rate: Some(empty.faults as f64 / (n + empty.faults) as f64),
        accuracy: share(&|item| item.correct),
        first_accuracy: share(&first).filter(|_| revisable),
        delta_ref: gain().map(|gain| gain.estimate()).filter(|_| revisable),
        fixed: moved(false, true),
        broken: moved(true, false),
        kept_right: moved(true, true),
        kept_wrong: moved(false, false),
        ..empty
    }
}
