//! Rows to a run directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::Serialize;
use vrrl_harness_core::{sha256_hex, End, Hasher, PolicyInfo, Trace, View, FORMAT};

use super::json::{self, Object};
use super::judge::{self, Joined};
use super::row::{self, Batch, Row, TaskNote};
use super::{theirs, Agreement, FileRead, Import, Imported, NAMED};
use crate::record::{RunInfo, ScoreRow, SplitInfo};
use crate::run_dir::{self, RUN, SCORES};
use crate::{machine, scoring, store, Error, EvalConfig, Result};

/// File names.
const IMPORT: &str = "import.json";
pub(super) const IMPORTED: &str = "imported.jsonl";

/// One line of `imported.jsonl`: what the other harness said, as it said it.
#[derive(Serialize)]
pub(super) struct TheirRow<'b> {
    pub split: &'b str,
    id: &'b str,
    repeat: u32,
    file: String,
    place: &'b str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correct: Option<bool>,
    metrics: &'b Object,
}

pub(super) fn write(request: &Import<'_>, batch: Batch) -> Result<Imported> {
    let out = request.out;
    if (out.join(RUN).exists() || out.join(SCORES).exists()) && !out.join(IMPORT).exists() {
        return Err(Error::Input(format!(
            "{} holds a run that was not imported; use another --out",
            out.display()
        )));
    }
    let metric = row::metric(request.metric.as_deref(), &batch.rows)?;
    let joined = judge::join(request, &batch)?;
    let mut imported = Imported {
        format: FORMAT,
        from: request.from,
        version: batch.version.clone(),
        model: request.model.clone().or_else(|| batch.model.clone()).unwrap_or_else(|| "external".into()),
        files: read(&batch)?,
        judged: joined.is_some(),
        metric: metric.clone(),
        items: 0,
        missing: 0,
        missing_first: Vec::new(),
        agreement: None,
    };
    match joined {
        Some(joined) => judged(request, &batch, &joined, &mut imported)?,
        None => theirs::write(request, &batch, &mut imported)?,
    }
    store::write_json(&out.join(IMPORT), &imported)?;
    Ok(imported)
}

/// The files that rows came from.
fn read(batch: &Batch) -> Result<Vec<FileRead>> {
    let mut files: Vec<_> = batch.rows.iter().map(|row| &row.place.file).collect();
    files.sort_unstable();
    files.dedup();
    let one = |path: &&std::path::PathBuf| {
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        Ok(FileRead { file: path.display().to_string(), sha256: sha256_hex(&bytes) })
    };
    files.iter().map(one).collect()
}

impl Imported {
    pub(super) fn miss(&mut self, place: String) {
        self.missing += 1;
        if self.missing_first.len() < NAMED {
            self.missing_first.push(place);
        }
    }
}

/// Every item once: a second row would be counted twice, or contradict the first.
#[derive(Default)]
pub(super) struct Once(BTreeMap<(String, String, u32), String>);

impl Once {
    pub(super) fn check(&mut self, split: &str, id: &str, repeat: u32, row: &Row) -> Result<()> {
        match self.0.insert((split.to_owned(), id.to_owned(), repeat), row.place.text()) {
            None => Ok(()),
            Some(before) => Err(row.place.refuse(format!(
                "split {split:?}, id {id}, repeat {repeat} stands twice, before at {before}; import one evaluation at a \
                 time, and remove what a second try appended"
            ))),
        }
    }
}

/// The harness's verdict on a row.
pub(super) fn verdict(metric: Option<&str>, row: &Row) -> std::result::Result<Option<bool>, String> {
    let Some(name) = metric else { return Ok(None) };
    match row::find(&row.metrics, name) {
        None => Ok(None),
        Some(value) => json::verdict(value).map_err(|why| {
            let inside = value.as_object().and_then(|object| object.keys().next());
            let inside =
                inside.map(|key| format!(", or a number inside it as {name}.{key}")).unwrap_or_default();
            format!("{name} is {why}; choose another metric with --metric{inside}")
        }),
    }
}

pub(super) fn first(batch: &Batch) -> String {
    batch.rows.first().map(|row| row.place.text()).unwrap_or_default()
}

pub(super) fn note(batch: &Batch, row: &Row) -> TaskNote {
    batch.tasks.get(&row.task).cloned().unwrap_or_default()
}

pub(super) fn their_row<'b>(
    row: &'b Row,
    split: &'b str,
    id: &'b str,
    correct: Option<bool>,
) -> TheirRow<'b> {
    let file = row.place.file.display().to_string();
    TheirRow { split, id, repeat: row.repeat, file, place: &row.place.at, correct, metrics: &row.metrics }
}

/// Rows that our judge decides.
fn judged(request: &Import<'_>, batch: &Batch, joined: &[Joined<'_>], imported: &mut Imported) -> Result<()> {
    let temperature = request.temperature.or(batch.temperature).ok_or_else(|| {
        Error::Input(format!("{} does not say the sampling temperature; give --temperature", first(batch)))
    })?;
    let (mut once, mut theirs, mut agreement) = (Once::default(), Vec::new(), Agreement::default());
    let (mut traces, mut rows): (Vec<Trace>, Vec<ScoreRow>) = (Vec::new(), Vec::new());
    let splits = splits(request, batch, joined);
    for one in joined {
        // A metric of many shades is kept as it is; it only takes no part in the agreement.
        let correct = verdict(imported.metric.as_deref(), one.row).unwrap_or(None);
        theirs.push(their_row(one.row, &one.split, &one.id, correct));
        let role = splits.iter().find(|split| split.name == one.split).and_then(|split| split.role);
        for trace in judge::traces(one, request.dialect)? {
            once.check(&trace.split, &trace.id, trace.repeat, one.row)?;
            match scoring::score_trace(&trace, &*one.problem, role) {
                Some(row) => {
                    if one.row.said.len() == 1 {
                        agreement.count(row.correct, correct, one.row);
                    }
                    rows.push(row);
                }
                None => imported.miss(one.row.place.text()),
            }
            traces.push(trace);
        }
    }
    if rows.is_empty() {
        return Err(Error::NothingRan(format!("no row has a reply; the first is {}", first(batch))));
    }
    imported.items = rows.len();
    imported.agreement = Some(agreement).filter(|found| found.n() > 0);
    let turns = traces.iter().filter(|trace| trace.end != End::Fault).map(|trace| trace.turns.len()).max();
    let config = EvalConfig {
        dialect: traces.first().map_or(request.dialect, |trace| trace.dialect),
        max_turns: turns.unwrap_or(1).max(1),
        temperature,
        repeats: traces.iter().map(|trace| trace.repeat + 1).max().unwrap_or(1),
        ..EvalConfig::default()
    };
    let info = describe(imported, splits, config)?;
    fs::create_dir_all(request.out).map_err(Error::io("create", request.out))?;
    store::write_json(&request.out.join(RUN), &info)?;
    store::write_lines(&request.out.join(IMPORTED), &theirs)?;
    run_dir::finish(request.out, &info, &traces.iter().collect::<Vec<_>>(), &rows).map(|_| ())
}

impl Agreement {
    fn n(&self) -> usize {
        self.both + self.only_ours + self.only_theirs + self.neither
    }

    fn count(&mut self, ours: bool, theirs: Option<bool>, row: &Row) {
        let Some(theirs) = theirs else { return };
        match (ours, theirs) {
            (true, true) => self.both += 1,
            (true, false) => self.only_ours += 1,
            (false, true) => self.only_theirs += 1,
            (false, false) => self.neither += 1,
        }
        if ours != theirs && self.first.len() < NAMED {
            self.first.push(row.place.text());
        }
    }
}

/// The splits in the order in which they come, with what is known of them.
fn splits(request: &Import<'_>, batch: &Batch, joined: &[Joined<'_>]) -> Vec<SplitInfo> {
    let mut found: Vec<SplitInfo> = Vec::new();
    let mut seen = BTreeSet::new();
    for one in joined {
        let new = usize::from(seen.insert((&one.split, &one.id)));
        if let Some(split) = found.iter_mut().find(|split| split.name == one.split) {
            split.n += new;
            continue;
        }
        let (note, asked) =
            (note(batch, one.row), request.splits.iter().find(|split| split.name == one.split));
        found.push(SplitInfo {
            name: one.split.clone(),
            task: Some(one.problem.kind()),
            role: note.role.or_else(|| asked.and_then(|split| split.role)),
            shift: note.shift.or_else(|| asked.map(|split| split.shift.clone())).unwrap_or_default(),
            severity: note.severity.or_else(|| asked.map(|split| split.severity.clone())).unwrap_or_default(),
            hash: note.hash.or_else(|| asked.map(|split| split.hash.clone())).unwrap_or_default(),
            n: 1,
        });
    }
    for split in found.iter_mut().filter(|split| split.hash.is_empty()) {
        // Nobody says what the whole split was, so this is a hash of what is seen of it.
        let rows = joined.iter().filter(|one| one.split == split.name);
        let hashed = rows.fold(Hasher::default().part(b"imported split"), |hasher, one| {
            let truth = serde_json::to_vec(&one.problem.truth()).expect("a truth is plain data");
            hasher.part(&one.id).part(truth)
        });
        split.hash = hashed.hex();
    }
    found
}

/// What is written of a run into `run.json`.
pub(super) fn describe(imported: &Imported, splits: Vec<SplitInfo>, config: EvalConfig) -> Result<RunInfo> {
    let config = EvalConfig { name: imported.model.clone(), save_images: 0, ..config };
    config.validate()?;
    let bytes =
        imported.files.iter().fold(Hasher::default().part(b"imported"), |h, file| h.part(&file.sha256));
    let version = imported.version.as_deref().unwrap_or("of an unknown version");
    let policy = PolicyInfo {
        name: imported.model.clone(),
        backend: imported.from.word().into(),
        engine: format!("{} {version}", imported.from.word()),
        fingerprint: bytes.hex(),
    };
    let config_hash = config.hash();
    Ok(RunInfo {
        settings: None,
        format: FORMAT,
        run_id: run_dir::run_id(&config_hash, &policy.fingerprint, &splits),
        method: config.method.clone(),
        reference: false,
        train_seed: None,
        seed: config.seed,
        decoding: config.decoding(),
        config,
        config_hash,
        policy,
        view: View::Crisp,
        splits,
        code_version: machine::CODE_VERSION.into(),
        machine: machine::machine(),
        date: machine::utc_now(),
    })
}
