//! Single pieces of the loop, as commands of their own.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use vrrl_baselines::Recipe;
use vrrl_harness::{evaluate, read_items, EvalConfig, EvalSplit, Hooks, Report, Summary};
use vrrl_harness_core::{encode_png, Answer, Dialect, Feedback, Move, Seed, TaskKind, Truth, Verdict, View};

use crate::run::shown;
use crate::tools::TrainJob;
use crate::{data, model, store, yaml, Error, Result, StageProgress, Tools, Trained};

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
}

/// What `request` would ask; opens the policy, and asks nothing.
///
/// # Errors
/// Bad input, as [`eval`].
pub fn dry_run(request: &EvalRequest, tools: Tools<'_>) -> Result<DryRun> {
    let config = &request.config;
    config.validate()?;
    let dialect = request.dialect();
    let model = model::open(&request.model, dialect, &request.device, tools.open)?.info().name;
    let one = |split: &EvalSplit| {
        let wanted = |id: &String| config.samples.is_empty() || config.samples.contains(id);
        let all = split.examples.iter().filter(|e| wanted(&e.id)).count();
        let episodes = all.min(config.limit.unwrap_or(usize::MAX)) * config.repeats as usize;
        DrySplit { split: split.name.clone(), episodes, replies_at_most: episodes * config.max_turns }
    };
    Ok(DryRun { model, dialect, splits: request.load()?.iter().map(one).collect() })
}

impl EvalRequest {
    fn dialect(&self) -> Dialect {
        let own = || recorded(&self.model, "/recipe/dialect").and_then(|word| Dialect::from_word(&word));
        self.dialect.or_else(own).unwrap_or(Dialect::BareCommit)
    }

    fn load(&self) -> Result<Vec<EvalSplit>> {
        let mut all: Vec<EvalSplit> = Vec::new();
        for name in &self.splits {
            for split in data::load_split(name)?.into_iter().map(data::eval_split) {
                if all.iter().any(|other| other.name == split.name) {
                    return Err(Error::Input(format!("split {} is named twice", split.name)));
                }
                all.push(split);
            }
        }
        if all.is_empty() {
            return Err(Error::Input(
                "no split; name one with --split, `vrrl splits list` shows them".into(),
            ));
        }
        Ok(all)
    }
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
    let splits = request.load()?;
    let dialect = request.dialect();
    let mut policy = model::open(&request.model, dialect, &request.device, tools.open)?;
    let reference = model::is_reference(&request.model);
    let trained = || recorded(&request.model, "/recipe/method").unwrap_or_else(|| "external".into());
    let method = if reference { "reference".to_owned() } else { trained() };
    let config =
        EvalConfig { name: request.model.clone(), method, reference, dialect, ..request.config.clone() };
    let mut tell = |p: &vrrl_harness::Progress| progress(&shown(p));
    let hooks = Hooks { stop, progress: &mut tell };
    Ok(evaluate(policy.as_mut(), &splits, &config, &request.out, hooks)?)
}

/// A word of a checkpoint's training record; `None` where there is none.
fn recorded(model: &str, pointer: &str) -> Option<String> {
    let path = Path::new(model.strip_prefix("candle:")?).join("training.json");
    let record = store::read_json::<serde_json::Value>(&path).ok().flatten()?;
    Some(record.pointer(pointer)?.as_str()?.to_owned())
}

/// What a training left.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TrainOutcome {
    /// The checkpoint directory.
    pub checkpoint: PathBuf,
    /// What the training reports.
    #[serde(flatten)]
    pub trained: Trained,
}

/// Trains one recipe file into a checkpoint directory; the same call again goes on.
///
/// # Errors
/// [`Error::Content`] naming file, line and nearest key; else the training's failure.
pub fn train_recipe(
    file: &Path,
    init: Option<&Path>,
    out: &Path,
    tools: Tools<'_>,
    device: &str,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&StageProgress),
) -> Result<TrainOutcome> {
    let refuse =
        |e: vrrl_baselines::Error| Error::content(file, "", yaml::explain(&crate::experiment::chain(&e)));
    let recipe = Recipe::from_yaml(&store::read_text(file)?).map_err(refuse)?;
    recipe.validate().map_err(refuse)?;
    let name = out.file_name().map_or_else(|| "checkpoint".into(), |n| n.to_string_lossy().into_owned());
    let job = TrainJob { name: &name, recipe: &recipe, init, out, device, stop };
    let trained = (tools.train)(&job, progress)?;
    Ok(TrainOutcome { checkpoint: out.to_path_buf(), trained })
}

/// Compares two run directories or files of judged items, item by item; see [`vrrl_harness::compare`].
///
/// # Errors
/// Inputs that do not read, or items that do not pair.
pub fn compare(a: &Path, b: &Path, intersect: bool) -> Result<Compared> {
    let report = vrrl_harness::compare(&read_items(a)?, &read_items(b)?, intersect, Seed(0))?;
    let name = |path: &Path| {
        path.file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
    };
    // Two runs of one name in different folders need their paths.
    let names = [name(a), name(b)];
    let [name_a, name_b] =
        if names[0] == names[1] { [a, b].map(|path| path.display().to_string()) } else { names };
    let sentence = vrrl_harness::sentence(&report, &name_a, &name_b);
    Ok(Compared { report, sentence })
}

/// A paired comparison and how to say it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Compared {
    /// The numbers.
    #[serde(flatten)]
    pub report: Report,
    /// The same for a paper.
    pub sentence: String,
}

/// One example, as text and pictures.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Shown {
    /// Full name of the split.
    pub split: String,
    /// Id.
    pub id: String,
    /// The question.
    pub question: String,
    /// The board, one line a row; empty for tasks that have none.
    pub board: Vec<String>,
    /// Ground truth.
    pub truth: Truth,
    /// A right answer.
    pub answer: String,
    /// The proposal that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// What the task says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Files written.
    pub files: Vec<PathBuf>,
}

/// Shows example `index` (from 0) of a split, and what a proposal for it gets; pictures go into `out`.
///
/// # Errors
/// An unknown split, an index past its end, words that are no moves, or a folder that cannot be written.
pub fn show(split: &str, index: usize, propose: Option<&str>, out: &Path) -> Result<Shown> {
    let splits = data::load_split(split)?;
    let n: usize = splits.iter().map(|s| s.examples.len()).sum();
    let example = splits.iter().flat_map(|s| &s.examples).nth(index).ok_or_else(|| {
        Error::Input(format!(
            "split {split} has {n} examples; index {index} is past the last, {}",
            n.saturating_sub(1)
        ))
    })?;
    let problem = &example.problem;
    let proposal = propose.map(|words| answer(problem.kind(), words)).transpose()?;
    let stem = format!("{}-{}", example.split.rsplit('/').next().unwrap_or("split"), example.id);
    let mut files = Vec::new();
    let mut save = |name: String, image: &vrrl_harness_core::Image| {
        let path = out.join(name);
        store::replace(&path, &encode_png(image))?;
        files.push(path);
        Ok::<_, Error>(())
    };
    save(format!("{stem}.png"), &problem.observe(View::Crisp))?;
    if let Some(proposal) = &proposal {
        if let Feedback::Image(image) = problem.feedback(proposal, View::Crisp) {
            save(format!("{stem}-feedback.png"), &image)?;
        }
    }
    let truth = problem.truth();
    Ok(Shown {
        split: example.split.clone(),
        id: example.id.clone(),
        question: problem.question(),
        board: match &truth {
            Truth::Maze(maze) => maze.layout.clone(),
            Truth::Region(_) => Vec::new(),
        },
        answer: problem.oracle(&mut example.seed.derive("oracle", 0).rng()).text(),
        verdict: proposal.as_ref().map(|p| problem.judge(p)),
        proposal: proposal.map(|p| p.text()),
        truth,
        files,
    })
}

/// An answer from words.
fn answer(task: TaskKind, words: &str) -> Result<Answer> {
    if task == TaskKind::Maze {
        let moves = words.split([' ', ',']).filter(|w| !w.is_empty()).map(|word| {
            Move::from_word(word).ok_or_else(|| {
                Error::Input(format!("--propose {word:?} is no move; use up, down, left, right"))
            })
        });
        return Ok(Answer::Moves(moves.collect::<Result<_>>()?));
    }
    let numbers: Vec<f64> = words.split([' ', ',']).filter_map(|w| w.parse().ok()).collect();
    match numbers[..] {
        [x, y] => Ok(Answer::Point([x, y])),
        _ => Err(Error::Input(format!("--propose {words:?} is no point; give x and y in pixels"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_shown_with_its_feedback() {
        let dir = tempfile::tempdir().unwrap();
        let shown = show("id_test", 3, Some("up right"), dir.path()).unwrap();
        assert_eq!(shown.split, "quick/maze/id_test");
        assert_eq!(shown.files.len(), 2);
        assert!(shown.files.iter().all(|f| std::fs::read(f).unwrap().starts_with(b"\x89PNG")));
        assert_eq!(shown.proposal.as_deref(), Some("up right"));
        let again = show("id_test", 3, Some(&shown.answer), dir.path()).unwrap();
        assert!(again.verdict.unwrap().correct());
    }

    #[test]
    fn what_cannot_be_shown_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for (split, index, propose, says) in [
            ("odo7", 0, None, "ood7"),
            ("id_test", 1_000_000, None, "past the last"),
            ("id_test", 0, Some("up north"), "north"),
        ] {
            let error = show(split, index, propose, dir.path()).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
