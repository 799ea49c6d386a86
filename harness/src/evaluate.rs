//! A policy over splits: one drive per split (or one crew over all), every finished episode on disk before the next is awaited.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Instant;

use vrrl_harness_core::{
    drive, sha256_hex, End, Example, Finished, Policy, Shown, Start, Trace, TraceTurn, TurnTokens,
};

use crate::crew::{drive_crew, Crew};
use crate::record::{episode_seed, RunInfo, ScoreRow, Summary, TimingRow};
use crate::run_dir::{self, IMAGES, TIMING, TRACES};
use crate::store::{self, Log};
use crate::{scoring, Error, EvalConfig, EvalSplit, Result};

/// How far a run is; sent after every episode.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Progress {
    /// The split under way.
    pub split: String,
    /// Its episodes that are over, those of an earlier attempt included.
    pub split_done: usize,
    /// All its episodes.
    pub split_total: usize,
    /// Episodes of all splits that are over.
    pub done: usize,
    /// All episodes of all splits.
    pub total: usize,
    /// Of the split's episodes that are over: final answer right.
    pub correct: usize,
    /// First proposal right.
    pub correct_first: usize,
    /// Turns, summed.
    pub turns: usize,
    /// With a fault.
    pub faults: usize,
}

impl Progress {
    /// Accuracy so far, over the split's episodes without faults; `None` before the first.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        vrrl_harness_stats::ratio(self.correct, self.split_done - self.faults)
    }

    fn count(&mut self, row: Option<&ScoreRow>) {
        self.split_done += 1;
        match row {
            Some(row) => {
                self.correct += usize::from(row.correct);
                self.correct_first += usize::from(row.correct_first);
                self.turns += row.score.score.turns;
            }
            None => self.faults += 1,
        }
    }
}

/// What a run tells and listens to while it goes on.
pub struct Hooks<'h> {
    /// Set from outside to stop after the episode under way.
    pub stop: &'h AtomicBool,
    /// Called after every episode.
    pub progress: &'h mut dyn FnMut(&Progress),
}

/// Runs `policy` over `splits` into the run directory `out`, or goes on with the run that is there.
///
/// Equal policies, splits and configurations leave equal bytes, `timing.jsonl` and the date in `run.json`
/// aside, however often the run was interrupted.
///
/// # Errors
/// [`Error::Input`] and [`Error::Changed`] before anything is asked; [`Error::Interrupted`] and
/// [`Error::Io`] with all finished episodes on disk; [`Error::TooManyFaults`] and [`Error::NothingRan`] after
/// everything is written.
pub fn evaluate(
    policy: &mut dyn Policy,
    splits: &[EvalSplit],
    config: &EvalConfig,
    out: &Path,
    hooks: Hooks<'_>,
) -> Result<Summary> {
    config.validate()?;
    let plan = Plan::new(splits, config)?;
    fs::create_dir_all(out).map_err(Error::io("create", out))?;
    let info = run_dir::begin(out, run_dir::describe(policy, splits, config))?;
    let mut run = Run::open(out, info, plan, hooks)?;
    if policy.workers().is_empty() {
        for index in 0..splits.len() {
            run.ask(policy, splits, index..index + 1)?;
        }
    } else {
        // One queue over all splits: the slowest episode of one must not hold the next.
        run.ask(policy, splits, 0..splits.len())?;
    }
    run.finish(config)
}

/// Episode of a run: split index, example index, repeat. Its order is the order of the files.
type Slot = (usize, usize, u32);

/// Which episodes there are.
struct Plan<'e> {
    examples: Vec<Vec<&'e Example>>,
    shown: Vec<Vec<Shown<'e>>>,
    repeats: u32,
    slots: BTreeMap<(&'e str, &'e str, u32), Slot>,
}

impl<'e> Plan<'e> {
    fn new(splits: &'e [EvalSplit], config: &EvalConfig) -> Result<Self> {
        let examples: Vec<Vec<&Example>> = splits.iter().map(|split| split.selected(config)).collect();
        let shown = splits.iter().map(|split| split.shown(config)).collect::<Result<_>>()?;
        let mut slots = BTreeMap::new();
        for (s, split) in splits.iter().enumerate() {
            if splits[..s].iter().any(|other| other.name == split.name) {
                return Err(Error::Input(format!("split {} is asked for twice", split.name)));
            }
            for (e, example) in examples[s].iter().enumerate() {
                for repeat in 0..config.repeats {
                    let key = (split.name.as_str(), example.id.as_str(), repeat);
                    if slots.insert(key, (s, e, repeat)).is_some() {
                        return Err(Error::Input(format!(
                            "split {}: id {} stands twice",
                            split.name, example.id
                        )));
                    }
                }
            }
        }
        let known: BTreeSet<&str> = splits.iter().flat_map(|s| &s.examples).map(|e| e.id.as_str()).collect();
        if let Some(id) = config.samples.iter().find(|id| !known.contains(id.as_str())) {
            return Err(Error::Input(format!("samples: no split has the id {id}")));
        }
        if slots.is_empty() {
            return Err(Error::NothingRan("the splits hold no examples that limit and samples leave".into()));
        }
        Ok(Self { examples, shown, repeats: config.repeats, slots })
    }
}

/// Faults in a row from the first episode on after which nobody is asked any more.
const IN_VAIN: usize = 32;

/// Notices a policy that answers nothing, so that a server that is down costs no night: once its faults alone fail
/// the run, and not one reply has come.
struct Hopeless {
    enough: f64,
    faults: usize,
    answered: bool,
}

impl Hopeless {
    fn new(config: &EvalConfig, episodes: usize) -> Self {
        let enough = (config.max_fault_rate * episodes as f64).max(IN_VAIN as f64 - 1.0);
        Self { enough, faults: 0, answered: false }
    }

    fn after(&mut self, trace: &Trace) -> bool {
        self.answered |= trace.end != End::Fault || !trace.turns.is_empty();
        self.faults += usize::from(trace.end == End::Fault);
        !self.answered && self.faults as f64 > self.enough
    }
}

/// A finished episode as it goes to disk; made where it was run, so that encoding pictures holds nobody.
struct Recorded {
    trace: Trace,
    row: Option<ScoreRow>,
    /// Names and bytes of the pictures that are kept.
    images: Vec<(String, Arc<[u8]>)>,
}

impl Recorded {
    fn of(finished: &Finished<'_>, split: &EvalSplit, repeat: u32, keep: bool) -> Self {
        let mut images = Vec::new();
        let turns = finished.turns.iter().map(|turn| {
            let image_sha256 = turn.observation.png().map(|png| {
                let name = sha256_hex(&png);
                if keep {
                    images.push((name.clone(), png));
                }
                name
            });
            TraceTurn {
                text: turn.reply.text.clone(),
                action: Some(turn.action.clone()),
                image_sha256,
                sent_sha256: turn.reply.sent_sha256.clone(),
                seen: turn.observation.text.clone(),
                tokens: TurnTokens {
                    prompt: turn.reply.prompt_tokens,
                    completion: turn.reply.completion_tokens,
                },
                retried: turn.reply.retried.clone(),
            }
        });
        let turns = turns.collect();
        let example = finished.example;
        let trace = Trace {
            id: example.id.clone(),
            split: split.name.clone(),
            repeat,
            task: example.task(),
            dialect: finished.dialect,
            truth: example.problem.truth(),
            turns,
            end: finished.end,
            fault: finished.fault.clone(),
        };
        let row = scoring::score_trace(&trace, &*example.problem, split.role);
        Self { trace, row, images }
    }
}

/// A run under way.
struct Run<'e, 'h> {
    out: PathBuf,
    info: RunInfo,
    plan: Plan<'e>,
    done: BTreeMap<Slot, (Trace, Option<ScoreRow>)>,
    traces: Log,
    timing: Log,
    begun: Instant,
    hooks: Hooks<'h>,
}

impl<'e, 'h> Run<'e, 'h> {
    fn open(out: &Path, info: RunInfo, plan: Plan<'e>, hooks: Hooks<'h>) -> Result<Self> {
        let path = out.join(TRACES);
        let mut done = BTreeMap::new();
        for trace in run_dir::resume(out)? {
            let key = (trace.split.as_str(), trace.id.as_str(), trace.repeat);
            let refuse = |why: &str| {
                Error::content(&path, format!("split {}, id {}, repeat {}", key.0, key.1, key.2), why)
            };
            let slot = *plan
                .slots
                .get(&key)
                .ok_or_else(|| refuse("not an episode of this run; use another --out"))?;
            let problem = &plan.examples[slot.0][slot.1].problem;
            if trace.truth != problem.truth() {
                return Err(refuse("another ground truth than the split's; use another --out"));
            }
            let row = scoring::score_trace(&trace, &**problem, info.splits[slot.0].role);
            if done.contains_key(&slot) {
                return Err(refuse("stands twice; remove one of the lines"));
            }
            done.insert(slot, (trace, row));
        }
        let (traces, timing) = (Log::open(&path)?, Log::open(&out.join(TIMING))?);
        Ok(Self { out: out.to_path_buf(), info, plan, done, traces, timing, begun: Instant::now(), hooks })
    }

    /// How far a split is.
    fn board(&self, index: usize, split: &EvalSplit) -> Progress {
        let mut board = Progress {
            split: split.name.clone(),
            split_total: self.plan.examples[index].len() * self.plan.repeats as usize,
            total: self.plan.slots.len(),
            ..Progress::default()
        };
        let mine = self.done.range((index, 0, 0)..(index + 1, 0, 0));
        mine.for_each(|(_, (_, row))| board.count(row.as_ref()));
        board.done = self.done.len();
        board
    }

    /// The episodes of some splits that are not there yet, in order.
    fn missing(&self, which: Range<usize>) -> Vec<Slot> {
        let examples = which.flat_map(|s| (0..self.plan.examples[s].len()).map(move |e| (s, e)));
        let all = examples.flat_map(|(s, e)| (0..self.plan.repeats).map(move |r| (s, e, r)));
        all.filter(|slot| !self.done.contains_key(slot)).collect()
    }

    fn interrupted(&self) -> Error {
        Error::Interrupted { done: self.done.len(), total: self.plan.slots.len() }
    }

    /// Asks what is missing of some splits, in one drive. Gives up on a policy that answers nothing.
    fn ask(&mut self, policy: &mut dyn Policy, splits: &[EvalSplit], which: Range<usize>) -> Result<()> {
        let mut boards: Vec<Progress> = which.clone().map(|s| self.board(s, &splits[s])).collect();
        let missing = self.missing(which.clone());
        if missing.is_empty() {
            return Ok(());
        }
        let stop = self.hooks.stop;
        if stop.load(Ordering::SeqCst) {
            return Err(self.interrupted());
        }
        policy.announce(&missing.iter().map(|slot| slot.2).collect::<Vec<_>>());
        let settings = self.info.config.settings(policy.view());
        let config = &self.info.config.clone();
        let (seed, save_images) = (config.seed, config.save_images);
        let (examples, shown) = (self.plan.examples.clone(), self.plan.shown.clone());
        let repeats = self.plan.repeats as usize;
        let starts = missing.iter().map(|&(s, e, repeat)| {
            let seed = episode_seed(seed, &splits[s].name, &examples[s][e].id, repeat);
            Start { shown: shown[s][e], ..Start::fresh(examples[s][e], seed) }
        });
        let prepare = |i: usize, finished: Finished<'_>| {
            let (s, e, repeat) = missing[i];
            let keep = e * repeats + (repeat as usize) < save_images;
            Recorded::of(&finished, &splits[s], repeat, keep)
        };
        let (mut failed, mut hopeless) = (None, Hopeless::new(config, self.plan.slots.len()));
        let mut done = |i: usize, recorded: Recorded| {
            let given_up = hopeless.after(&recorded.trace);
            failed = self.record(missing[i], recorded, &mut boards[missing[i].0 - which.start]).err();
            if failed.is_some() || given_up || stop.load(Ordering::SeqCst) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let mut workers = policy.workers();
        workers.truncate(missing.len());
        if workers.is_empty() {
            drive(policy, settings, starts, &mut |i, finished| done(i, prepare(i, finished)));
        } else {
            let crew = Crew { workers, settings, stop, halt: &|| policy.halt() };
            drive_crew(crew, starts, &prepare, &mut done);
        }
        let stopped = stop.load(Ordering::SeqCst) && self.done.len() < self.plan.slots.len();
        failed.or_else(|| stopped.then(|| self.interrupted())).map_or(Ok(()), Err)
    }

    /// Writes one finished episode: first its images, then its line, so that a line never points at nothing.
    fn record(&mut self, slot: Slot, recorded: Recorded, progress: &mut Progress) -> Result<()> {
        let Recorded { trace, row, images } = recorded;
        for (name, png) in &images {
            self.image(name, png)?;
        }
        self.traces.push(&trace)?;
        self.timing.push(&TimingRow {
            split: trace.split.clone(),
            id: trace.id.clone(),
            repeat: trace.repeat,
            finished_s: self.begun.elapsed().as_secs_f64(),
        })?;
        progress.count(row.as_ref());
        self.done.insert(slot, (trace, row));
        progress.done = self.done.len();
        (self.hooks.progress)(progress);
        Ok(())
    }

    fn image(&self, name: &str, png: &[u8]) -> Result<()> {
        let folder = self.out.join(IMAGES);
        let path = folder.join(format!("{name}.png"));
        if !path.exists() {
            fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
            store::replace(&path, |out| std::io::Write::write_all(out, png))?;
        }
        Ok(())
    }

    fn finish(self, config: &EvalConfig) -> Result<Summary> {
        let traces: Vec<&Trace> = self.done.values().map(|(trace, _)| trace).collect();
        let rows: Vec<ScoreRow> = self.done.values().filter_map(|(_, row)| row.clone()).collect();
        let summary = run_dir::finish(&self.out, &self.info, &traces, &rows)?;
        run_dir::few_faults(&traces, config.max_fault_rate)?;
        Ok(summary)
    }
}
