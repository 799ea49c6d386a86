//! A run directory as lm-eval would have written it, so that what reads its results goes on working.
//!
//! Layout of lm_eval 0.4.13 (`lm_eval/result_schema.py`, `loggers/evaluation_tracker.py`):
//! `<model>/results_<date>.json`, and `<model>/samples_<task>_<date>.jsonl` with a row an episode and filter. Our two
//! readings are its filters, `strict` and `lenient`. A row's document keeps the whole episode (`turns`), its language
//! and its truth, so that `vrrl import` gives back what was exported. Episodes with faults have no row.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{json, Map, Value};
use vrrl_harness_core::{sha256_hex, Problem, Seed, Trace};
use vrrl_harness_stats::ratio;

use crate::machine::{self, CODE_VERSION};
use crate::record::{RunInfo, ScoreRow, SplitInfo};
use crate::run_dir::{self, Pose};
use crate::{store, Error, Result};

/// What each filter reports.
const FILTERS: [(&str, &[&str]); 2] =
    [("strict", &["accuracy", "first_accuracy", "well_formed"]), ("lenient", &["accuracy"])];

/// Writes a run's results and samples below `out`; returns the files, results first.
///
/// # Errors
/// A directory that holds no judged run, a truth that is no problem, or a disk that refuses.
pub fn write_lm_eval(run: &Path, out: &Path, pose: Pose<'_>) -> Result<Vec<PathBuf>> {
    let info = run_dir::read_info(run)?;
    let (traces, scores) = (run_dir::read_traces(run)?, run_dir::read_scores(run)?);
    let scores: BTreeMap<_, _> = scores.iter().map(|row| (row.key(), row)).collect();
    let stamp = info.date.replace(':', "-").replace('Z', ".000000");
    let folder = out.join(sanitized(&info.policy.name));
    fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
    let mut tasks = BTreeMap::new();
    for split in &info.splits {
        let name = task_name(&split.name);
        if let Some(other) = tasks.insert(name.clone(), split) {
            return Err(Error::Input(format!(
                "splits {} and {} would both be task {name}",
                other.name, split.name
            )));
        }
    }
    let mut results = Results::new();
    let mut files = vec![folder.join(format!("results_{stamp}.json"))];
    for (name, split) in tasks {
        let mut rows: Vec<Value> = Vec::new();
        let mut judged = Vec::new();
        for trace in traces.iter().filter(|trace| trace.split == split.name) {
            let key = (trace.split.as_str(), trace.id.as_str(), trace.repeat);
            let Some(score) = scores.get(&key) else { continue };
            let problem = pose(trace.task, &trace.truth, Seed(0))
                .map_err(|e| Error::Input(format!("split {}, id {}: {e}", trace.split, trace.id)))?;
            let rest = FILTERS.map(|filter| sample(judged.len(), trace, score, &*problem, &info, filter));
            rows.extend(rest);
            judged.push(*score);
        }
        let path = folder.join(format!("samples_{name}_{stamp}.jsonl"));
        store::write_lines(&path, &rows)?;
        files.push(path);
        results.add(&name, split, &info, &judged, &rows);
    }
    store::replace(&files[0], |out| {
        serde_json::to_writer_pretty(&mut *out, &results.finish(&info))?;
        std::io::Write::write_all(out, b"\n")
    })?;
    Ok(files)
}

/// A model's name as a folder, as lm-eval's `sanitize_model_name` makes it.
fn sanitized(name: &str) -> String {
    let mut folder = String::new();
    for c in name.chars() {
        if !r#""<>:/|\?*[]"#.contains(c) {
            folder.push(c);
        } else if !folder.ends_with("__") {
            folder.push_str("__");
        }
    }
    folder
}

fn task_name(split: &str) -> String {
    let word: String = split.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    format!("vrrl_{word}")
}

fn value(row: &ScoreRow, filter: &str, metric: &str) -> bool {
    match (filter, metric) {
        ("lenient", _) => row.score.lenient_correct,
        (_, "first_accuracy") => row.correct_first,
        (_, "well_formed") => row.score.well_formed,
        _ => row.correct,
    }
}

fn generation(info: &RunInfo) -> Value {
    let config = &info.config;
    json!({
        "until": [],
        "do_sample": config.temperature > 0.0,
        "temperature": config.temperature,
        "max_gen_toks": config.max_tokens,
    })
}

fn sample(
    position: usize,
    trace: &Trace,
    row: &ScoreRow,
    problem: &dyn Problem,
    info: &RunInfo,
    (filter, metrics): (&str, &[&str]),
) -> Value {
    let turns: Vec<&str> = trace.turns.iter().map(|turn| turn.text.as_str()).collect();
    let images: Vec<&str> = trace.turns.iter().filter_map(|turn| turn.image_sha256.as_deref()).collect();
    let target = problem.oracle(&mut Seed(0).derive("answer", 0).rng()).text();
    let question = problem.question();
    let doc = json!({
        "id": trace.id, "split": trace.split, "repeat": trace.repeat, "task": trace.task, "question": question,
        "answer": target, "truth": json!(trace.truth).to_string(), "dialect": trace.dialect, "turns": turns,
        "end": trace.end, "images": images,
    });
    let last = turns.last().copied().unwrap_or_default();
    let mut sample = json!({
        "doc_id": position,
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": question, "arg_1": generation(info)}},
        "resps": [[last]],
        "filtered_resps": [last],
        "filter": filter,
        "metrics": metrics,
        "doc_hash": sha256_hex(doc.to_string().as_bytes()),
        // What was seen decides the reply as much as what was read.
        "prompt_hash": sha256_hex(format!("{question}\n{}", images.join("\n")).as_bytes()),
        "target_hash": sha256_hex(target.as_bytes()),
        "doc": doc,
    });
    for metric in metrics {
        sample[*metric] = json!(f64::from(value(row, filter, metric)));
    }
    sample
}

/// The results file, task by task.
struct Results(BTreeMap<&'static str, Map<String, Value>>);

impl Results {
    fn new() -> Self {
        let keys = [
            "results",
            "groups",
            "group_subtasks",
            "configs",
            "versions",
            "n-shot",
            "higher_is_better",
            "n-samples",
            "task_hashes",
        ];
        Self(keys.into_iter().map(|key| (key, Map::new())).collect())
    }

    fn put(&mut self, key: &'static str, task: &str, value: Value) {
        self.0.entry(key).or_default().insert(task.to_owned(), value);
    }

    fn add(&mut self, task: &str, split: &SplitInfo, info: &RunInfo, rows: &[&ScoreRow], samples: &[Value]) {
        let n = rows.len();
        let mut numbers = json!({"name": task, "alias": task, "sample_len": n});
        for (filter, metrics) in FILTERS {
            for metric in metrics {
                let right = rows.iter().filter(|row| value(row, filter, metric)).count();
                // Nothing judged: the key is absent rather than 0.
                let Some(share) = ratio(right, n) else { continue };
                numbers[format!("{metric},{filter}")] = json!(share);
                let spread = (n > 1).then(|| (share * (1.0 - share) / (n - 1) as f64).sqrt());
                numbers[format!("{metric}_stderr,{filter}")] = spread.map_or(json!("N/A"), |s| json!(s));
            }
        }
        let strict = FILTERS[0].1;
        let metric = |name: &&str| json!({"metric": name, "aggregation": "mean", "higher_is_better": true});
        let shift = if split.shift.is_empty() { "none" } else { &split.shift };
        let config = json!({
            "task": task, "output_type": "generate_until", "num_fewshot": 0, "repeats": 1,
            "generation_kwargs": generation(info),
            "metric_list": strict.iter().map(metric).collect::<Vec<_>>(),
            "metadata": {
                "version": 1.0, "split_name": split.name, "role": split.role, "shift": shift,
                "severity": split.severity, "identity": split.hash,
            },
        });
        let hashes: String = samples
            .iter()
            .flat_map(|row| {
                ["doc_hash", "prompt_hash", "target_hash"].map(|key| row[key].as_str().unwrap_or_default())
            })
            .collect();
        self.put("results", task, numbers);
        self.put("group_subtasks", task, json!([]));
        self.put("configs", task, config);
        self.put("versions", task, json!(1.0));
        self.put("n-shot", task, json!(0));
        self.put(
            "higher_is_better",
            task,
            strict.iter().map(|name| ((*name).to_owned(), json!(true))).collect(),
        );
        self.put(
            "n-samples",
            task,
            json!({"original": split.n * info.config.repeats as usize, "effective": n}),
        );
        self.put("task_hashes", task, json!(sha256_hex(hashes.as_bytes())));
    }

    fn finish(self, info: &RunInfo) -> Value {
        let mut all: Map<String, Value> =
            self.0.into_iter().map(|(key, tasks)| (key.to_owned(), Value::Object(tasks))).collect();
        let config = &info.config;
        let rest = json!({
            "config": {
                "model": info.policy.backend, "model_args": {"name": info.policy.name},
                "model_revision": "", "model_sha": info.policy.fingerprint, "batch_size": 1, "device": null,
                "use_cache": null, "limit": config.limit, "bootstrap_iters": 0, "gen_kwargs": generation(info),
                "random_seed": config.seed, "numpy_seed": config.seed, "torch_seed": config.seed,
                "fewshot_seed": config.seed,
            },
            "git_hash": CODE_VERSION,
            "date": machine::seconds(&info.date),
            "pretty_env_info": info.machine,
            "written_by": format!("vrrl {CODE_VERSION}"),
            "system_instruction": null, "system_instruction_sha": null, "fewshot_as_multiturn": false,
            "chat_template": null, "chat_template_sha": null,
            "model_source": info.policy.backend,
            "model_name": info.policy.name,
            "model_name_sanitized": sanitized(&info.policy.name),
        });
        all.extend(rest.as_object().cloned().unwrap_or_default());
        Value::Object(all)
    }
}
