//! Progress: bars on a terminal, plain lines elsewhere; always on stderr.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use vrrl_harness_experiment::{Plan, Reporter, StageProgress};

use crate::output::note;

/// Between two plain lines of one stage.
const PLAIN_EVERY: Duration = Duration::from_secs(10);
/// Figures worth the room, the most telling first.
const FIGURES: [(&str, &str); 14] = [
    ("items_per_second", "items/s"),
    ("accuracy", "accuracy"),
    ("first_accuracy", "first"),
    ("turns", "turns"),
    ("Δref", "Δref"),
    ("delta_ref", "Δref"),
    ("tokens_per_second", "tokens/s"),
    ("reward", "reward"),
    ("groups_with_gradient", "learning groups"),
    ("stop_right", "stop right"),
    ("stop_wrong", "stop wrong"),
    ("loss", "loss"),
    ("val_accuracy", "val"),
    ("kl", "kl"),
];
/// Figures shown at once.
const SHOWN: usize = 7;

/// Shows stages as they go.
pub(crate) struct Bars {
    all: MultiProgress,
    terminal: bool,
    /// Whether a plan of many stages is told by kind, and each end with how many there are.
    counted: bool,
    stages: Mutex<BTreeMap<String, Live>>,
    count: Mutex<Count>,
}

/// How far all stages together are.
#[derive(Clone, Copy, Default)]
struct Count {
    over: usize,
    to_do: usize,
    /// Characters of the longest name among them.
    wide: usize,
}

struct Live {
    bar: ProgressBar,
    /// The last value of every figure: not every step measures all of them.
    figures: BTreeMap<String, f64>,
    told: Instant,
}

impl Bars {
    pub(crate) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self {
            all: MultiProgress::new(),
            terminal,
            counted: false,
            stages: Mutex::new(BTreeMap::new()),
            count: Mutex::new(Count::default()),
        }
    }

    /// For many stages: says how many are over.
    pub(crate) fn counted() -> Self {
        Self { counted: true, ..Self::new() }
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a stage's bar away; its last figures in words.
    fn close(&self, stage: &str) -> String {
        let Some(live) = self.stages().remove(stage) else { return String::new() };
        live.bar.finish_and_clear();
        self.all.remove(&live.bar);
        words(&live.figures)
    }

    /// `[ 5/57] `, once another stage is over.
    fn counter(&self) -> String {
        if !self.counted {
            return String::new();
        }
        let mut count = self.count();
        count.over += 1;
        let to_do = count.to_do.to_string();
        format!("[{:>wide$}/{to_do}] ", count.over, wide = to_do.len())
    }

    fn line(&self, text: &str) {
        // While bars are drawn, lines have to go through them.
        if !self.terminal || self.all.println(text).is_err() {
            note(text);
        }
    }

    fn stages(&self) -> MutexGuard<'_, BTreeMap<String, Live>> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bar(&self, stage: &str) -> ProgressBar {
        if !self.terminal {
            return ProgressBar::hidden();
        }
        let bar = self.all.add(ProgressBar::new(0));
        // The template is a constant of this file; a test reads it.
        if let Ok(style) = ProgressStyle::with_template(&template(self.count().wide)) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_prefix(stage.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

/// A bar behind names of up to `wide` characters.
fn template(wide: usize) -> String {
    let wide = wide.clamp(28, 60);
    format!("{{prefix:{wide}!}} {{bar:20}} {{pos:>5}}/{{len:<5}} {{elapsed:>4}} {{wide_msg}}")
}

/// Stages by kind, the first word of their name: how many, and how many of them are to do.
fn kinds(plan: &Plan) -> Vec<(&str, usize, usize)> {
    let mut kinds: Vec<(&str, usize, usize)> = Vec::new();
    for stage in &plan.stages {
        let kind = stage.name.split(' ').next().unwrap_or_default();
        let at = kinds.iter().position(|(known, ..)| *known == kind).unwrap_or_else(|| {
            kinds.push((kind, 0, 0));
            kinds.len() - 1
        });
        kinds[at].1 += 1;
        kinds[at].2 += usize::from(!stage.done);
    }
    kinds
}

/// The figures worth showing, in words.
fn words(figures: &BTreeMap<String, f64>) -> String {
    let known = FIGURES.iter().filter_map(|(key, word)| Some((*word, *figures.get(*key)?)));
    let text = |(word, value): (&str, f64)| {
        let number = if value.abs() >= 1000.0 { format!("{value:.0}") } else { format!("{value:.3}") };
        format!("{word} {number}")
    };
    known.take(SHOWN).map(text).collect::<Vec<_>>().join("  ")
}

/// Seconds for people.
pub(crate) fn time(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

impl Reporter for Bars {
    fn plan(&self, plan: &Plan) {
        let left = plan.stages.iter().filter(|stage| !stage.done).count();
        self.line(&format!(
            "{}: {} stages into {}, {} to do, about {} with {} side by side",
            plan.name,
            plan.stages.len(),
            plan.out,
            left,
            time(plan.estimate_seconds),
            plan.jobs
        ));
        let wide = plan.stages.iter().map(|stage| stage.name.chars().count()).max().unwrap_or(0);
        *self.count() = Count { over: 0, to_do: left, wide };
        if self.counted {
            for (kind, all, left) in kinds(plan) {
                self.line(&format!("  {kind:8} {all:>4}, {left} to do"));
            }
            return;
        }
        for stage in &plan.stages {
            let state = if stage.done {
                "done".to_owned()
            } else {
                format!("about {}", time(stage.estimate_seconds))
            };
            self.line(&format!("  {:34} {state}", stage.name));
        }
    }

    fn started(&self, stage: &str) {
        if !self.terminal {
            self.line(&format!("{stage}: started"));
        }
        let live = Live { bar: self.bar(stage), figures: BTreeMap::new(), told: Instant::now() };
        self.stages().insert(stage.to_owned(), live);
    }

    fn progress(&self, stage: &str, progress: &StageProgress) {
        let mut stages = self.stages();
        let Some(live) = stages.get_mut(stage) else { return };
        live.figures.extend(progress.figures.iter().cloned());
        live.bar.set_length(progress.total);
        live.bar.set_position(progress.done);
        for text in &progress.warnings {
            self.line(&format!("warning: {stage}: {text}"));
        }
        let message = format!("{}  {}", progress.what, words(&live.figures));
        if !self.terminal && live.told.elapsed() >= PLAIN_EVERY {
            live.told = Instant::now();
            note(&format!("{stage}: {}/{}  {message}", progress.done, progress.total));
        }
        live.bar.set_message(message);
    }

    fn finished(&self, stage: &str, seconds: f64, reused: bool) {
        let figures = self.close(stage);
        // What was found done stands in the plan already.
        if !reused {
            let (count, wide) = (self.counter(), self.count().wide.clamp(36, 60));
            self.line(format!("{count}{stage:wide$} done in {:>12}  {figures}", time(seconds)).trim_end());
        }
    }

    fn failed(&self, stage: &str, reason: &str) {
        self.close(stage);
        let count = self.counter();
        self.line(&format!("{count}{stage} FAILED: {reason}"));
    }

    fn note(&self, stage: &str, text: &str) {
        self.line(&format!("{stage}: note: {text}"));
    }
}

#[cfg(test)]
mod tests {
    use vrrl_harness_experiment::PlannedStage;

    use super::*;

    #[test]
    fn figures_that_matter_come_first() {
        let figures = [("kl", 0.01), ("tokens_per_second", 14_832.4), ("accuracy", 0.5), ("odd", 1.0)];
        let figures = figures.map(|(k, v)| (k.to_owned(), v)).into();
        assert_eq!(words(&figures), "accuracy 0.500  tokens/s 14832  kl 0.010");
    }

    #[test]
    fn the_template_is_one() {
        assert!([0, 40, 900].iter().all(|wide| ProgressStyle::with_template(&template(*wide)).is_ok()));
    }

    #[test]
    fn many_stages_are_told_by_kind() {
        let stage = |name: &str, done| PlannedStage { name: name.into(), estimate_seconds: 1.0, done };
        let stages = vec![
            stage("splits", true),
            stage("train a", true),
            stage("train b", false),
            stage("report", false),
        ];
        let plan = Plan { name: "x".into(), out: "o".into(), stages, estimate_seconds: 1.0, jobs: 2 };
        assert_eq!(kinds(&plan), [("splits", 1, 0), ("train", 2, 1), ("report", 1, 1)]);
        let bars = Bars::counted();
        bars.count().to_do = 12;
        assert_eq!([bars.counter(), bars.counter()], ["[ 1/12] ", "[ 2/12] "]);
        assert_eq!(Bars::new().counter(), "");
    }

    #[test]
    fn times_read_as_words() {
        assert_eq!([time(3.21), time(75.0), time(7260.0)], ["3.2 s", "1 min 15 s", "2 h 01 min"]);
    }
}
