//! Every Eval Ever 0.3.0 (evaleval/every_eval_ever, `eval.schema.json` and `instance_level_eval.schema.json`): an aggregate
//! for each run, and beside it a row for each episode without a fault, as `multi_turn`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{json, Value};
use vrrl_harness::{RunInfo, ScoreRow, SplitInfo};
use vrrl_harness_core::{sha256_hex, Hasher, Trace};

use super::date::unix_seconds;
use super::json;
use crate::load;
use crate::run::{stem, Metric, Run, SplitResult};
use crate::slug::slug;
use crate::traces::each_line;
use crate::{Error, Result};

const VERSION: &str = "0.3.0";

/// A metric that is reported: key, name, unit.
struct Reported(&'static str, &'static str, &'static str);

const METRICS: [Reported; 9] = [
    Reported("accuracy", "Accuracy of the final answer", "proportion"),
    Reported("accuracy_well_formed", "Accuracy with a well-formed episode", "proportion"),
    Reported("first_accuracy", "Accuracy of the first answer", "proportion"),
    Reported("delta_ref", "Accuracy gained after the first answer", "proportion"),
    Reported("strict_success", "Strict success", "proportion"),
    Reported("lenient_success", "Lenient success", "proportion"),
    Reported("mean_distance", "Mean distance of the final answer", "pixels"),
    Reported("turns_mean", "Mean number of turns", "turns"),
    Reported("format_fault_rate", "Episodes ended by a malformed reply", "proportion"),
];

impl Reported {
    /// Costs and misses.
    fn lower_is_better(&self) -> bool {
        ["mean_distance", "turns_mean", "format_fault_rate"].contains(&self.0)
    }

    /// What it can be at all, as JSON has it.
    fn bounds(&self) -> (f64, Value) {
        match self.2 {
            "proportion" if self.0 == "delta_ref" => (-1.0, json!(1.0)),
            "proportion" => (0.0, json!(1.0)),
            _ => (0.0, json!("Infinity")),
        }
    }
}

/// The aggregate and its samples, by path below the folder that holds `data/`.
pub(super) fn files(run: &Run) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let path = run.dir.join("run.json");
    let info: RunInfo = load::json(&path)?;
    let Some(seconds) = unix_seconds(&info.date) else {
        return Err(Error::content(
            path,
            "date",
            format!("{:?} is no date as this program writes it", info.date),
        ));
    };
    let model = model(run);
    let (developer, name) = model.split_once('/').unwrap_or(("local", &model));
    let identity =
        Hasher::default().part(&info.run_id).part(&info.policy.fingerprint).part(&info.config_hash);
    let uuid = uuid(&identity.hex());
    let folder = format!("data/vrrl/{developer}/{name}");
    let ids = Ids { evaluation: format!("vrrl/{model}/{seconds}/{}", info.run_id), model: model.clone() };
    let (samples, total) = rows(run, &ids)?;
    let mut aggregate = aggregate(run, &info, &ids, seconds);
    let sample_path = format!("{folder}/{uuid}_samples.jsonl");
    let mut files = Vec::new();
    if total > 0 {
        aggregate["detailed_evaluation_results"] = json!({
            "format": "jsonl",
            "file_path": sample_path,
            "hash_algorithm": "sha256",
            "checksum": sha256_hex(&samples),
            "total_rows": total,
        });
        files.push((PathBuf::from(sample_path), samples));
    }
    files.insert(0, (PathBuf::from(format!("{folder}/{uuid}.json")), json(&aggregate)));
    Ok(files)
}

/// What ties rows to their aggregate.
struct Ids {
    evaluation: String,
    model: String,
}

impl Ids {
    fn result(&self, split: &str, metric: &str) -> String {
        format!("{}/{split}/{metric}", self.evaluation)
    }
}

/// `DEVELOPER/NAME`: as the model's own name says after `#` (endpoints), else `local/NAME`.
fn model(run: &Run) -> String {
    let name = run.model.rsplit('#').next().unwrap_or(&run.model);
    let (developer, name) = match name.split_once('/') {
        Some((developer, rest)) if run.model.contains('#') => {
            (slug(developer), slug(&rest.replace('/', "_")))
        }
        _ => ("local".into(), slug(if run.model.contains('#') { name } else { stem_of(run) })),
    };
    // `data` is reserved in a data store's paths.
    let apart = |part: String| if part == "data" { "data_".into() } else { part };
    format!("{}/{}", apart(developer), apart(name))
}

/// Training seeds are models of their own.
fn stem_of(run: &Run) -> &str {
    if run.train_seed.is_some() {
        run.model.rsplit(['/', ':']).next().unwrap_or(&run.model)
    } else {
        stem(&run.model)
    }
}

/// A version-4 UUID that equal runs share, from a digest.
fn uuid(digest: &str) -> String {
    let variant = ["8", "9", "a", "b"][usize::from(digest.as_bytes()[16]) % 4];
    format!(
        "{}-{}-4{}-{variant}{}-{}",
        &digest[..8],
        &digest[8..12],
        &digest[13..16],
        &digest[17..20],
        &digest[20..32]
    )
}

fn aggregate(run: &Run, info: &RunInfo, ids: &Ids, seconds: i64) -> Value {
    let results: Vec<Value> = run
        .splits
        .iter()
        .flat_map(|split| METRICS.iter().filter_map(move |row| Some((split, row, split.metric(row.0)?))))
        .map(|(split, row, metric)| result(split, row, metric, info, ids))
        .collect();
    let deployment = match info.policy.backend.as_str() {
        "candle" | "ort" | "reference" => "self_deployed",
        _ => "unknown",
    };
    json!({
        "schema_version": VERSION,
        "evaluation_id": ids.evaluation,
        "evaluation_timestamp": info.date,
        // When the record was made would differ between equal exports; the run's own date does not.
        "retrieved_timestamp": seconds.to_string(),
        "source_metadata": {
            "source_name": "vrrl",
            "source_type": "evaluation_run",
            "source_organization_name": "not stated",
            "evaluator_relationship": "other",
            "additional_details": {"run_id": info.run_id, "config_hash": info.config_hash, "machine": info.machine},
        },
        "eval_library": {"name": "vrrl", "version": or_unknown(&info.code_version)},
        "model_info": {
            "name": run.shown_model(),
            "id": ids.model,
            "inference_engine": {"name": info.policy.backend, "version": info.policy.engine},
            "additional_details": {
                "deployment_type": deployment,
                "model_availability": "unknown",
                "fingerprint": info.policy.fingerprint,
                "method": run.method,
            },
        },
        "evaluation_results": results,
    })
}

fn or_unknown(text: &str) -> &str {
    if text.is_empty() {
        "unknown"
    } else {
        text
    }
}

fn result(split: &SplitResult, reported: &Reported, metric: Metric, info: &RunInfo, ids: &Ids) -> Value {
    let Reported(key, name, unit) = reported;
    let (least, most) = reported.bounds();
    let mut details = json!({"score": metric.value});
    let mut uncertainty = json!({"num_samples": split.n});
    if let Some((low, high)) = metric.ci {
        uncertainty["confidence_interval"] = json!({"lower": low, "upper": high, "confidence_level": 0.95});
    }
    details["uncertainty"] = uncertainty;
    let known: Option<&SplitInfo> = info.splits.iter().find(|s| s.name == split.split);
    let config = &info.config;
    let mut arguments =
        json!({"temperature": config.temperature, "eval_limits": {"message_limit": config.max_turns}});
    if config.max_tokens > 0 {
        arguments["max_tokens"] = json!(config.max_tokens);
    }
    json!({
        "evaluation_result_id": ids.result(&split.split, key),
        "evaluation_name": split.split,
        "evaluation_timestamp": info.date,
        "source_data": {
            "dataset_name": split.split,
            "source_type": "other",
            "additional_details": {
                "hash": split.dataset_hash,
                "examples": known.map_or(0, |s| s.n).to_string(),
                "task": split.task.map_or("", |task| task.word()),
                "role": split.role.map_or("", |role| role.word()),
                "shift": split.shift,
                "severity": split.severity.to_string(),
            },
        },
        "metric_config": {
            "metric_id": format!("vrrl.{key}"),
            "metric_name": name,
            "metric_unit": unit,
            "lower_is_better": reported.lower_is_better(),
            "score_type": "continuous",
            "min_score": least,
            "max_score": most,
        },
        "score_details": details,
        "generation_config": {
            "generation_args": arguments,
            "additional_details": {
                "dialect": split.dialect.word(),
                "max_turns": config.max_turns.to_string(),
                "seed": config.seed.to_string(),
                "control": config.control.word(),
            },
        },
    })
}

/// A line for each episode that was judged, under the split's accuracy, and how many. Episodes with faults are no rows: they say nothing
/// of the model.
fn rows(run: &Run, ids: &Ids) -> Result<(Vec<u8>, usize)> {
    let (traces, scores) = (run.dir.join("traces.jsonl"), run.dir.join("scores.jsonl"));
    if !traces.exists() || !scores.exists() {
        return Ok((Vec::new(), 0));
    }
    let mut judged: BTreeMap<(String, String, u32), ScoreRow> = BTreeMap::new();
    each_line(&scores, |row: ScoreRow| {
        judged.insert((row.split.clone(), row.id.clone(), row.repeat), row);
    })?;
    let (mut lines, mut total) = (Vec::new(), 0);
    each_line(&traces, |trace: Trace| {
        let key = (trace.split.clone(), trace.id.clone(), trace.repeat);
        if let Some(score) = judged.get(&key) {
            lines.extend(row(&trace, score, ids).to_string().into_bytes());
            lines.push(b'\n');
            total += 1;
        }
    })?;
    Ok((lines, total))
}

fn row(trace: &Trace, score: &ScoreRow, ids: &Ids) -> Value {
    let question = trace.turns.first().and_then(|turn| turn.seen.clone()).unwrap_or_default();
    let truth = json!(trace.truth).to_string();
    let mut messages = Vec::new();
    let mut attribution = Vec::new();
    let last = trace.turns.iter().rposition(|turn| turn.action.is_some());
    for (at, turn) in trace.turns.iter().enumerate() {
        // Pictures are named by their hash: `images/<hash>.png` of the run.
        let picture = turn.image_sha256.iter().map(|hash| format!("[image sha256 {hash}]"));
        let seen: Vec<String> = turn.seen.iter().cloned().chain(picture).collect();
        let content = (!seen.is_empty()).then(|| seen.join("\n"));
        messages.push(json!({"turn_idx": 2 * at, "role": "user", "content": content}));
        messages.push(json!({"turn_idx": 2 * at + 1, "role": "assistant", "content": turn.text}));
        if let Some(action) = &turn.action {
            attribution.push(json!({
                "turn_idx": 2 * at + 1,
                "source": "messages[turn_idx].content",
                "extracted_value": json!(action).to_string(),
                "extraction_method": format!("vrrl {}", trace.dialect.word()),
                "is_terminal": Some(at) == last,
            }));
        }
    }
    let prompt: u64 = trace.turns.iter().map(|turn| turn.tokens.prompt).sum();
    let completion: u64 = trace.turns.iter().map(|turn| turn.tokens.completion).sum();
    let turns = (!trace.turns.is_empty()).then_some(trace.turns.len());
    json!({
        "schema_version": VERSION,
        "evaluation_id": ids.evaluation,
        "model_id": ids.model,
        "evaluation_name": trace.split,
        "evaluation_result_id": ids.result(&trace.split, "accuracy"),
        "sample_id": if trace.repeat == 0 { trace.id.clone() } else { format!("{}#{}", trace.id, trace.repeat) },
        "sample_hash": sha256_hex(format!("{question}{truth}").as_bytes()),
        "interaction_type": "multi_turn",
        "input": {"raw": question, "reference": [truth]},
        "output": null,
        "messages": messages,
        "answer_attribution": attribution,
        "evaluation": {
            "score": f64::from(u8::from(score.correct)),
            "is_correct": score.correct,
            "num_turns": turns,
        },
        "token_usage": {"input_tokens": prompt, "output_tokens": completion, "total_tokens": prompt + completion},
        "metadata": {
            "task": trace.task.word(),
            "end": json!(trace.end).as_str().unwrap_or_default(),
            "first_correct": score.correct_first.to_string(),
            "repeat": trace.repeat.to_string(),
        },
    })
}
