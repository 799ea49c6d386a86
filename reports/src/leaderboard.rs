//! `leaderboard.csv` with its schema, the wide form, and the Markdown table.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::json;
use vrrl_harness_core::{Role, FORMAT};

use crate::cells::text;
use crate::group::{groups, Group};
use crate::info::PageInfo;
use crate::run::{decoding_label, decoding_rank, Metric, Run, SplitResult};
use crate::significance::{Column, Marks, DAGGER};

/// Columns of the long form: name, type, meaning.
pub(crate) const COLUMNS: [(&str, &str, &str); 19] = [
    (
        "model",
        "string",
        "MODEL without its folder; in brackets what was shown as feedback, where not the usual",
    ),
    ("method", "string", "training method; `reference` for oracle and the like, `external` for endpoints"),
    ("backend", "string", "backend that really ran"),
    ("decoding", "string", "`greedy`, or `t` and the temperature"),
    ("task", "string", "task; empty where another harness asked something else"),
    ("split", "string", "full name of the split"),
    ("role", "string", "train, id_val, id_test, ood_val or ood_test"),
    ("shift", "string", "named way in which the split differs from in-distribution; empty for none"),
    ("severity", "string", "how far the shift goes: 0 to 5, or a named level"),
    ("metric", "string", "key of summary.json"),
    ("value", "number", "estimate"),
    ("ci_low", "number", "lower end of the 95 % interval; empty where there is none"),
    ("ci_high", "number", "upper end of the 95 % interval; empty where there is none"),
    ("n", "integer", "episodes without faults"),
    ("seeds", "integer", "how many training seeds the row pools"),
    ("dataset_hash", "string", "hash of the split's data"),
    ("run_id", "string", "run the row comes from"),
    ("code_version", "string", "code version of the run"),
    ("date", "string", "day of the run"),
];

/// Metrics in the order of the files; others follow by name.
const METRICS: [&str; 20] = [
    "accuracy",
    "accuracy_well_formed",
    "first_accuracy",
    "delta_ref",
    "strict_success",
    "lenient_success",
    "mean_distance",
    "turns_mean",
    "proposals_mean",
    "repeat_rate",
    "fixed",
    "broken",
    "kept_right",
    "kept_wrong",
    "commit_rate",
    "turn_limit_rate",
    "format_fault_rate",
    "transport_fault_rate",
    "prompt_tokens_per_episode",
    "completion_tokens_per_episode",
];

/// A table that could not be serialised into memory; cannot happen, but is not worth a panic.
type CsvResult = std::result::Result<Vec<u8>, csv::Error>;

/// The long form.
pub(crate) fn long(runs: &[Run]) -> CsvResult {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(COLUMNS.map(|(name, ..)| name))?;
    for run in runs {
        for split in &run.splits {
            for (metric, number) in metrics(split) {
                out.write_record(row(run, split, metric, number))?;
            }
        }
    }
    finish(out)
}

fn finish(out: csv::Writer<Vec<u8>>) -> CsvResult {
    out.into_inner().map_err(|e| e.into_error().into())
}

fn metrics(split: &SplitResult) -> Vec<(&str, Metric)> {
    let mut all: Vec<_> = split.metrics.iter().map(|(key, metric)| (key.as_str(), *metric)).collect();
    let rank = |key: &str| METRICS.iter().position(|m| *m == key).unwrap_or(METRICS.len());
    all.sort_by_key(|(key, _)| (rank(key), *key));
    all
}

fn row(run: &Run, split: &SplitResult, metric: &str, number: Metric) -> [String; 19] {
    // `{}` of a float is its shortest form that reads back as the same float.
    let end = |pick: fn((f64, f64)) -> f64| number.ci.map(pick).map_or_else(String::new, |x| x.to_string());
    [
        text(&run.shown_model()),
        text(&run.method),
        text(&run.backend),
        text(&run.decoding),
        split.task.map_or(String::new(), |task| task.word().to_owned()),
        text(&split.split),
        split.role.map_or_else(String::new, |r| r.word().to_owned()),
        text(&split.shift),
        text(&split.severity.to_string()),
        metric.to_owned(),
        number.value.to_string(),
        end(|ci| ci.0),
        end(|ci| ci.1),
        split.n.to_string(),
        "1".to_owned(),
        text(&split.dataset_hash),
        text(&run.id),
        text(&run.code_version),
        text(&run.date),
    ]
}

/// What the columns of the long form mean (a table schema).
pub(crate) fn schema() -> String {
    let fields: Vec<_> = COLUMNS
        .iter()
        .map(|(name, kind, what)| json!({"name": name, "type": kind, "description": what}))
        .collect();
    let schema = json!({
        "format": FORMAT,
        "path": "leaderboard.csv",
        "missingValues": [""],
        "text": crate::cells::RULE,
        "order": "method (base to vrrl, others, reference), model, decoding, split as run, metric",
        "fields": fields,
    });
    format!("{schema:#}\n")
}

/// The splits that people compare, in order: in-distribution first, then by severity and name. Test splits
/// where roles are known, else all.
pub(crate) struct Columns {
    /// In-distribution test splits, full names.
    pub id: Vec<String>,
    /// Out-of-distribution test splits, full names.
    pub ood: Vec<String>,
}

impl Columns {
    /// Reads them off the runs.
    pub(crate) fn of(runs: &[Run]) -> Self {
        let all: BTreeSet<_> = runs
            .iter()
            .flat_map(|r| &r.splits)
            .map(|s| (s.severity.clone(), s.split.clone(), s.role))
            .collect();
        let pick = |wanted: &[Option<Role>]| -> Vec<String> {
            let mut names: Vec<String> = Vec::new();
            for (_, name, role) in &all {
                if wanted.contains(role) && !names.contains(name) {
                    names.push(name.clone());
                }
            }
            names
        };
        Self { id: pick(&[Some(Role::IdTest)]), ood: pick(&[Some(Role::OodTest), None]) }
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<String> {
        self.id.iter().chain(&self.ood).cloned().collect()
    }

    /// A split's name for people: its last part where no other column has the same, else the full name.
    pub(crate) fn name<'s>(&self, split: &'s str) -> &'s str {
        let same = self.id.iter().chain(&self.ood).filter(|other| short(other) == short(split)).count();
        if same > 1 {
            split
        } else {
            short(split)
        }
    }

    /// The split that Δref is read from: 7×7 mazes as in the paper's hardest column, else the hardest here.
    pub(crate) fn delta(&self) -> Option<String> {
        let paper = self.ood.iter().find(|s| short(s) == "ood7");
        paper.or(self.ood.last()).or(self.id.last()).cloned()
    }
}

/// The last part of a split's name.
pub(crate) fn short(split: &str) -> &str {
    split.rsplit('/').next().unwrap_or(split)
}

/// Decodings of the runs, primary first.
pub(crate) fn decodings(runs: &[Run]) -> Vec<String> {
    let mut all: Vec<String> = runs.iter().map(|r| r.decoding.clone()).collect();
    all.sort_by_key(|d| decoding_rank(d));
    all.dedup();
    all
}

/// One row a model and decoding (training seeds pooled), a column a split.
pub(crate) fn wide(runs: &[Run]) -> CsvResult {
    let columns = Columns::of(runs);
    let mut out = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> = ["model", "method", "decoding", "seeds"].map(str::to_owned).to_vec();
    header.extend(columns.all().iter().map(|s| text(columns.name(s))));
    header.push("id".into());
    header.push("ood_average".into());
    let delta = columns.delta();
    header.extend(delta.iter().flat_map(|s| {
        let name = columns.name(s);
        [format!("delta_ref_{name}"), format!("turns_{name}")]
    }));
    out.write_record(&header)?;
    let number = |x: Option<f64>| x.map_or_else(String::new, |x| x.to_string());
    for decoding in decodings(runs) {
        for group in groups(runs, &decoding) {
            let mut row = vec![
                text(&crate::run::bracketed(crate::run::stem(&group.runs[0].model), &group.condition)),
                text(&group.method),
                text(&decoding),
                group.runs.len().to_string(),
            ];
            let value = |split: &str, key: &str| group.metric(split, key).map(|m| m.value);
            row.extend(columns.all().iter().map(|s| number(value(s, "accuracy"))));
            row.push(number(group.mean(&columns.id, "accuracy")));
            row.push(number(group.mean(&columns.ood, "accuracy")));
            row.extend(
                delta.iter().flat_map(|s| [number(value(s, "delta_ref")), number(value(s, "turns_mean"))]),
            );
            out.write_record(&row)?;
        }
    }
    finish(out)
}

/// The same for a README or a pull request.
pub(crate) fn markdown(runs: &[Run], info: &PageInfo, marks: &Marks) -> String {
    let columns = Columns::of(runs);
    let mut out = String::new();
    let title = if info.title.is_empty() { "Results" } else { &info.title };
    let _ = writeln!(out, "# {}\n", cell(title));
    for decoding in decodings(runs) {
        let _ = writeln!(out, "## Accuracy, {}\n", decoding_label(&decoding));
        let _ = writeln!(
            out,
            "Percent, with 95 % intervals; Δref is the accuracy gained after the first answer, in points. {DAGGER}\n"
        );
        let mut header = vec!["method".to_owned(), "seeds".to_owned()];
        header.extend(columns.all().iter().map(|s| cell(columns.name(s))));
        header.push("OOD average".into());
        header.extend(columns.delta().iter().flat_map(|s| {
            let name = cell(columns.name(s));
            [format!("Δref {name}"), format!("turns {name}")]
        }));
        let _ = writeln!(out, "| {} |", header.join(" | "));
        let _ = writeln!(out, "|---|{}", "---:|".repeat(header.len() - 1));
        for group in groups(runs, &decoding) {
            let _ = writeln!(out, "| {} |", markdown_row(&group, &columns, &decoding, marks).join(" | "));
        }
        out.push('\n');
    }
    if !info.claims.is_empty() {
        out.push_str("## Bars\n\n| what | bar | measured | met |\n|---|---|---|---|\n");
        for claim in &info.claims {
            let met = crate::html::met_word(claim.met);
            let _ = writeln!(
                out,
                "| {} | {} | {} | {met} |",
                cell(&claim.what),
                cell(&claim.bar),
                cell(&claim.measured)
            );
        }
        out.push('\n');
    }
    for note in &info.notes {
        let _ = writeln!(out, "- {}", cell(note));
    }
    for (label, value) in [("Machine", &info.machine), ("Code", &info.code_version)] {
        if !value.is_empty() {
            let _ = writeln!(out, "\n{label}: {}", cell(value));
        }
    }
    out
}

fn markdown_row(group: &Group<'_>, columns: &Columns, decoding: &str, marks: &Marks) -> Vec<String> {
    let dagger = |column: &Column| if marks.dagger(decoding, column, &group.label) { " †" } else { "" };
    let mut row = vec![cell(&group.label), group.runs.len().to_string()];
    let show = |m: Option<Metric>, scale: f64, decimals: usize| match m {
        None => "–".to_owned(),
        Some(Metric { value, ci: None }) => format!("{:.decimals$}", value * scale),
        Some(Metric { value, ci: Some((l, h)) }) => {
            format!("{:.decimals$} ({:.decimals$} to {:.decimals$})", value * scale, l * scale, h * scale)
        }
    };
    row.extend(columns.all().into_iter().map(|s| {
        let text = show(group.metric(&s, "accuracy"), 100.0, 1);
        text + dagger(&Column::Split(s))
    }));
    let average = group.mean(&columns.ood, "accuracy");
    let average = average.map_or("–".to_owned(), |x| format!("{:.1}", x * 100.0));
    row.push(average + dagger(&Column::OodAverage));
    if let Some(split) = columns.delta() {
        row.push(show(group.metric(&split, "delta_ref"), 100.0, 1));
        row.push(show(group.metric(&split, "turns_mean"), 1.0, 2));
    }
    row
}

/// Text that stays inside its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ").replace('<', "&lt;")
}
