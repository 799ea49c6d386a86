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
    stages: Mutex<BTreeMap<String, Live>>,
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
        Self { all: MultiProgress::new(), terminal, stages: Mutex::new(BTreeMap::new()) }
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
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_prefix(stage.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

const TEMPLATE: &str = "{prefix:28} {bar:20} {pos:>5}/{len:<5} {elapsed:>4} {wide_msg}";

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
        let live = self.stages().remove(stage);
        let figures = live.as_ref().map(|live| words(&live.figures)).unwrap_or_default();
        if let Some(live) = live {
            live.bar.finish_and_clear();
            self.all.remove(&live.bar);
        }
        // What was found done stands in the plan already.
        if !reused {
            self.line(format!("{stage:36} done in {:>12}  {figures}", time(seconds)).trim_end());
        }
    }

    fn note(&self, stage: &str, text: &str) {
        self.line(&format!("{stage}: note: {text}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_that_matter_come_first() {
        let figures = [("kl", 0.01), ("tokens_per_second", 14_832.4), ("accuracy", 0.5), ("odd", 1.0)];
        let figures = figures.map(|(k, v)| (k.to_owned(), v)).into();
        assert_eq!(words(&figures), "accuracy 0.500  tokens/s 14832  kl 0.010");
    }

    #[test]
    fn the_template_is_one() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }

    #[test]
    fn times_read_as_words() {
        assert_eq!([time(3.21), time(75.0), time(7260.0)], ["3.2 s", "1 min 15 s", "2 h 01 min"]);
    }
}
