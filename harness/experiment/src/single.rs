//! Single pieces of the loop, as commands of their own.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use vrrl_baselines::Recipe;
use vrrl_harness::{
    corruption_errors, corruption_text, evaluate, gaps, read_info, read_items, CorruptionError, EvalConfig,
    EvalSplit, Gaps, Hooks, Report, SeedsReport, Summary,
};
use vrrl_harness_core::{Control, Dialect, Observation, Prompted, Seed, View};

use crate::model::{self, EndpointRequest, OrtRequest, Rules};
use crate::run::shown;
use crate::tools::TrainJob;
use crate::{data, store, yaml, Error, Result, StageProgress, Tools, Trained};

/// An evaluation.
#[derive(Clone, PartialEq, Debug)]
pub struct EvalRequest {
    /// MODEL word.
    pub model: String,
    /// Names, folders or files of maps.
    pub splits: Vec<String>,
    /// Run directory.
    pub out: PathBuf,
    /// `cpu` or `cuda`.
    pub device: String,
    /// Turn language; the checkpoint's own, else bare commit, where absent.
    pub dialect: Option<Dialect>,
    /// What only an endpoint is told.
    pub endpoint: EndpointRequest,
    /// What only a directory of ONNX graphs is told.
    pub ort: OrtRequest,
    /// Everything else; `name`, `method`, `reference` and `dialect` are filled in.
    pub config: EvalConfig,
}

/// What an evaluation would ask.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DryRun {
    /// The policy's own name.
    pub model: String,
    /// Turn language.
    pub dialect: Dialect,
    /// Times all of this: once for every control.
    pub runs: usize,
    /// One per split.
    pub splits: Vec<DrySplit>,
}

/// What an evaluation would ask of one split.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DrySplit {
    /// Full name.
    pub split: String,
    /// Episodes.
    pub episodes: usize,
    /// Replies if every episode takes all its turns.
    pub replies_at_most: usize,
    /// Endpoints: what that costs.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub cost: Option<DryCost>,
}

/// What an endpoint would read and write, if every episode takes all its turns and every reply its tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct DryCost {
    /// Pictures in all requests; each request holds those of the turns before again.
    pub images_at_most: usize,
    /// Tokens read, roughly: four bytes of text or 784 pixels each; a server's prompt cache saves most of them.
    pub prompt_tokens_about: u64,
    /// Tokens written.
    pub completion_tokens_at_most: u64,
}

/// What `request` would ask, under each of `controls` where there are several; opens the policy, and asks nothing.
///
/// # Errors
/// Bad input, as [`eval`] and [`eval_controls`].
pub fn dry_run(request: &EvalRequest, controls: &[Control], tools: Tools<'_>) -> Result<DryRun> {
    let runs = if controls.len() > 1 { beside_none(controls)?.len() } else { 1 };
    let config = &request.config;
    config.validate()?;
    let dialect = request.dialect();
    let model = model::open(&request.model, request.rules(dialect), tools.open)?.info().name;
    let one = |split: &EvalSplit| -> Result<DrySplit> {
        let episodes = split.selected(config).len() * config.repeats as usize;
        let endpoint = request.model.starts_with("openai:");
        let cost = if endpoint { cost(request, dialect, split, episodes)? } else { None };
        let replies_at_most = episodes * config.max_turns;
        Ok(DrySplit { split: split.name.clone(), episodes, replies_at_most, cost })
    };
    Ok(DryRun {
        model,
        dialect,
        runs,
        splits: request.load(dialect)?.iter().map(one).collect::<Result<_>>()?,
    })
}

/// Cost by the split's first example, as if feedback were as large as the question's picture and each reply full.
fn cost(
    request: &EvalRequest,
    dialect: Dialect,
    split: &EvalSplit,
    episodes: usize,
) -> Result<Option<DryCost>> {
    let Some(example) = split.examples.first() else { return Ok(None) };
    let (config, turns) = (request.endpoint.config()?, request.config.max_turns);
    let whom = Prompted { task: example.task(), dialect, max_turns: turns };
    let problem = &example.problem;
    let image = problem.observe(View::Crisp);
    let (width, height) = config.limits().size(image.width(), image.height());
    let pixels = u64::from(width) * u64::from(height) / 784;
    let seen = Observation { image: Some(Arc::new(image)), text: Some(problem.question()), packed: None };
    let written = config.max_tokens.unwrap_or(request.config.max_tokens) as u64;
    let seen = vec![seen; turns];
    let messages = request.endpoint.profile()?.messages(whom, &seen, &vec![""; turns.saturating_sub(1)]);
    // The last request holds everything; those before it a beginning of it each, half of it in the mean.
    let text: u64 = messages.iter().map(|m| m.text.len() as u64 / 4).sum();
    let [asked, most] = [episodes, turns].map(|n| n as u64);
    let last = text + most * pixels + (most - 1) * written;
    Ok(Some(DryCost {
        images_at_most: episodes * turns * (turns + 1) / 2,
        prompt_tokens_about: asked * (most + 1) * last / 2,
        completion_tokens_at_most: asked * most * written,
    }))
}

impl EvalRequest {
    fn dialect(&self) -> Dialect {
        self.dialect.or_else(|| own_dialect(&self.model)).unwrap_or(Dialect::BareCommit)
    }

    fn rules(&self, dialect: Dialect) -> Rules<'_> {
        let (device, endpoint, ort) = (self.device.as_str(), &self.endpoint, &self.ort);
        Rules { dialect, max_turns: self.config.max_turns, device, endpoint, ort }
    }

    fn load(&self, dialect: Dialect) -> Result<Vec<EvalSplit>> {
        load_splits(&self.splits, dialect)
    }
}

/// Reads splits that can be answered in a turn language.
pub(crate) fn load_splits(names: &[String], dialect: Dialect) -> Result<Vec<EvalSplit>> {
    let mut all: Vec<EvalSplit> = Vec::new();
    for name in names {
        for split in data::load_split(name)?.into_iter().map(data::eval_split) {
            if all.iter().any(|other| other.name == split.name) {
                return Err(Error::Input(format!("split {} is named twice", split.name)));
            }
            if !dialect.serves(split.task) {
                let known: Vec<&str> = Dialect::of(split.task).map(Dialect::word).collect();
                let (name, known) = (split.name, known.join(", "));
                let dialect = dialect.word();
                return Err(Error::Input(format!(
                    "split {name} cannot be answered in {dialect}; use {known}"
                )));
            }
            all.push(split);
        }
    }
    if all.is_empty() {
        return Err(Error::Input("no split; name one with --split, `vrrl splits list` shows them".into()));
    }
    Ok(all)
}

/// Scores one policy; the same request again goes on or finds everything done.
///
/// # Errors
/// Bad input before anything is asked; else as [`evaluate`].
pub fn eval(
    request: &EvalRequest,
    tools: Tools<'_>,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&StageProgress),
) -> Result<Summary> {
    request.config.validate()?;
    let dialect = request.dialect();
    let splits = request.load(dialect)?;
    let mut policy = model::open(&request.model, request.rules(dialect), tools.open)?;
    let reference = model::is_reference(&request.model);
    let trained = || recorded(&request.model, "method").unwrap_or_else(|| "external".into());
    let method = if reference { "reference".to_owned() } else { trained() };
    let max_tokens = request.endpoint.config()?.max_tokens.unwrap_or(request.config.max_tokens);
    let name = request.model.clone();
    let config = EvalConfig { name, method, reference, dialect, max_tokens, ..request.config.clone() };
    let mut tell = |p: &vrrl_harness::Progress| progress(&shown(p));
    let hooks = Hooks { stop, progress: &mut tell };
    Ok(evaluate(policy.as_mut(), &splits, &config, &request.out, hooks)?)
}

/// Shards of one evaluation as one run; see [`vrrl_harness::merge`].
///
/// # Errors
/// Shards that are missing, there twice, not finished or of different runs; an `out` that holds a run.
pub fn merge(shards: &[PathBuf], out: &Path) -> Result<Summary> {
    Ok(vrrl_harness::merge(shards, out, &vrrl_generators::pose_truth)?)
}

/// File of the gaps in the folder of runs under controls.
const GAPS: &str = "controls.json";

/// Scores one policy with its own feedback and under controls, each in a run directory of its own in `request.out`
/// (`none`, `blank`, …), and compares them item by item; what was found is left in `controls.json` there.
///
/// # Errors
/// As [`eval`]; no control but `none`.
pub fn eval_controls(
    request: &EvalRequest,
    controls: &[Control],
    tools: Tools<'_>,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&StageProgress),
) -> Result<Gaps> {
    let mut runs = Vec::new();
    for control in beside_none(controls)? {
        let out = request.out.join(control.word());
        let config = EvalConfig { control, ..request.config.clone() };
        let mut tell = |p: &StageProgress| {
            progress(&StageProgress { what: format!("{}: {}", control.word(), p.what), ..p.clone() });
        };
        eval(&EvalRequest { out: out.clone(), config, ..request.clone() }, tools, stop, &mut tell)?;
        runs.push((control, read_items(&out)?));
    }
    let (_, real) = runs.remove(0);
    let gaps = gaps(&real, &runs, Seed(0))?;
    store::write_json(&request.out.join(GAPS), &gaps)?;
    Ok(gaps)
}

/// The policy's own feedback first, then each other control once.
fn beside_none(controls: &[Control]) -> Result<Vec<Control>> {
    let mut wanted = vec![Control::None];
    for &control in controls {
        if !wanted.contains(&control) {
            wanted.push(control);
        }
    }
    if wanted.len() == 1 {
        return Err(Error::Input("--control names none alone; add blank, swapped or oracle".into()));
    }
    Ok(wanted)
}

/// The turn language that a model was trained in; `None` where its files do not say.
pub(crate) fn own_dialect(model: &str) -> Option<Dialect> {
    recorded(model, "dialect").and_then(|word| Dialect::from_word(&word))
}

/// A word of a checkpoint's training record, or of what an export kept of it; `None` where there is none.
fn recorded(model: &str, key: &str) -> Option<String> {
    let (path, block) = match (model.strip_prefix("candle:"), model.strip_prefix("ort:")) {
        (Some(dir), _) => (Path::new(dir).join("training.json"), "recipe"),
        (_, Some(word)) => {
            let dir = word.rsplit_once('#').map_or(word, |(dir, _)| dir);
            let dir = if Path::new(word).exists() { word } else { dir };
            (Path::new(dir).join("config.json"), "vrrl")
        }
        _ => return None,
    };
    let record = store::read_json::<serde_json::Value>(&path).ok().flatten()?;
    Some(record.get(block)?.get(key)?.as_str()?.to_owned())
}

/// What a training left.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TrainOutcome {
    /// The checkpoint directory.
    pub checkpoint: PathBuf,
    /// What the training reports.
    #[serde(flatten)]
    pub trained: Trained,
    /// TensorBoard events, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<PathBuf>,
}

/// A training of one recipe file.
#[derive(Clone, Copy, Debug)]
pub struct TrainRequest<'a> {
    /// The recipe file.
    pub recipe: &'a Path,
    /// Checkpoint directory to start from.
    pub init: Option<&'a Path>,
    /// Checkpoint directory to make or to go on with.
    pub out: &'a Path,
    /// `cpu` or `cuda`.
    pub device: &'a str,
    /// Write TensorBoard events beside the log while training.
    pub tensorboard: bool,
}

/// Between two updates of the events.
const EVENTS_EVERY: Duration = Duration::from_secs(2);

/// Trains one recipe file into a checkpoint directory; the same call again goes on.
///
/// # Errors
/// [`Error::Content`] naming file, line and nearest key; else the training's failure. Events that cannot be written are an
/// error once the training has ended.
pub fn train_recipe(
    request: &TrainRequest<'_>,
    tools: Tools<'_>,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&StageProgress),
) -> Result<TrainOutcome> {
    let TrainRequest { recipe: file, init, out, device, tensorboard } = *request;
    let refuse = |e: vrrl_baselines::Error| {
        let reason = crate::experiment::chain(&e);
        let line = yaml::line_in(&reason).map_or_else(String::new, |line| format!(":{line}"));
        Error::content(file, line, crate::experiment::explained(&reason))
    };
    let mut recipe = Recipe::from_yaml(&store::read_text(file)?).map_err(refuse)?;
    let Recipe { train, val, .. } = &mut recipe;
    crate::data::look_beside(file, train.names_mut().iter_mut().chain(val.names_mut()));
    let name = out.file_name().map_or_else(|| "checkpoint".into(), |n| n.to_string_lossy().into_owned());
    let job = TrainJob { name: &name, recipe: &recipe, init, out, device, stop };
    let mut events = tensorboard.then(|| vrrl_reports::Follow::new(out));
    let mut told: Option<Instant> = None;
    let trained = (tools.train)(&job, &mut |p| {
        if let Some(events) = events.as_mut().filter(|_| told.is_none_or(|t| t.elapsed() >= EVENTS_EVERY)) {
            // What cannot be written now is tried again at the end, and is an error there.
            let _ = events.update();
            told = Some(Instant::now());
        }
        progress(p);
    });
    // Also of a training that failed, and first its own error.
    let events = events.map_or(Ok(None), vrrl_reports::Follow::finish);
    Ok(TrainOutcome { checkpoint: out.to_path_buf(), trained: trained?, events: events? })
}

/// Compares two run directories or files of judged items, item by item; see [`vrrl_harness::compare`].
///
/// # Errors
/// Inputs that do not read, or items that do not pair.
pub fn compare(a: &Path, b: &Path, intersect: bool) -> Result<Compared> {
    let report = vrrl_harness::compare(&read_items(a)?, &read_items(b)?, intersect, Seed(0))?;
    let [name_a, name_b] = names(a, b);
    // Only a run knows what its splits are; that both have the same ones is known by their names.
    let known = [a, b].into_iter().find(|dir| dir.join("run.json").is_file());
    let splits = known.map(read_info).transpose()?.map_or_else(Vec::new, |info| info.splits);
    let corruption = corruption_errors(&report.splits, &splits, Seed(0));
    let mut text = vrrl_harness::table(&report);
    if !corruption.is_empty() {
        text.push_str(&format!("\n{}", corruption_text(&corruption, &name_a, &name_b)));
    }
    let sentence = vrrl_harness::sentence(&report, &name_a, &name_b);
    Ok(Compared { report, corruption, sentence, text })
}

/// What to call two runs: the last parts of their paths; the paths where these are equal.
fn names(a: &Path, b: &Path) -> [String; 2] {
    let name = |path: &Path| {
        path.file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
    };
    let names = [name(a), name(b)];
    if names[0] == names[1] {
        [a, b].map(|path| path.display().to_string())
    } else {
        names
    }
}

/// Compares two methods over training seeds, one pair of runs or files a seed; see [`vrrl_harness::compare_seeds`].
///
/// # Errors
/// As [`compare`], and splits that are not the same with every seed.
pub fn compare_methods(pairs: &[[PathBuf; 2]], intersect: bool) -> Result<ComparedMethods> {
    let mut items = Vec::new();
    for [a, b] in pairs {
        items.push((read_items(a)?, read_items(b)?));
    }
    let report = vrrl_harness::compare_seeds(&items, intersect, Seed(0))?;
    let [a, b] = names(&pairs[0][0], &pairs[0][1]);
    let text = vrrl_harness::seeds_table(&report, &a, &b);
    Ok(ComparedMethods { report, text })
}

/// Two methods over seeds, and how to say it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ComparedMethods {
    /// The numbers.
    #[serde(flatten)]
    pub report: SeedsReport,
    /// The same for people.
    #[serde(skip)]
    pub text: String,
}

/// A paired comparison and how to say it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Compared {
    /// The numbers.
    #[serde(flatten)]
    pub report: Report,
    /// Mean corruption error of B with A as the reference, by task; absent where no split stands at a severity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub corruption: Vec<CorruptionError>,
    /// The same for a paper.
    pub sentence: String,
    /// The same for people.
    #[serde(skip)]
    pub text: String,
}
