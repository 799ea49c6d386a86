//! `vrrl sweep`.

use std::path::Path;

use serde_json::json;
use vrrl_harness_experiment::{
    dry_sweep, run_sweep, DrySweep, Result, Sweep, SweepFailure, SweepOptions, SweepOutcome, Tools,
};

use crate::args::SweepArgs;
use crate::exit::{self, Exit};
use crate::output::{note, say, say_json, Format};
use crate::progress::{time, Bars};
use crate::signal::STOP;

pub(crate) fn sweep(args: SweepArgs) -> Result<Exit> {
    let sweep = Sweep::open(&args.file)?;
    let out = args.out.unwrap_or_else(|| Path::new("runs").join(&sweep.name));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.map(usize::from).or(sweep.jobs).unwrap_or(cores.min(2)).max(1);
    let options = SweepOptions { out: &out, jobs, only: &args.only, command: &super::typed(), stop: &STOP };
    if args.dry_run {
        let told = dry_sweep(&sweep, &options)?;
        if args.format == Format::Json {
            say_json(&told)?;
        } else {
            tell(&told);
        }
        return Ok(Exit::Ok);
    }
    let outcome = run_sweep(&sweep, &options, Tools::candle(), &Bars::counted())?;
    print(&outcome, &out, args.format)?;
    Ok(outcome.failures.first().map_or(Exit::Ok, |failure| exit::of(&failure.error)))
}

fn tell(told: &DrySweep) {
    let shared = told.without_sharing - told.trainings.len();
    say(&format!(
        "{}: {} rows, seeds {}, into {}",
        told.name,
        told.rows.len(),
        told.seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        told.out.display()
    ));
    let wide = told.trainings.iter().map(|training| training.checkpoint.len()).max().unwrap_or(0);
    for training in &told.trainings {
        let from = training.init.as_ref().map(|init| format!("from {init}")).unwrap_or_default();
        let used = if training.used_by > 1 { format!("used by {}", training.used_by) } else { String::new() };
        let state =
            if training.done { "done".into() } else { format!("about {}", time(training.estimate_seconds)) };
        let line = format!("  train {:wide$}  {state:14} {used:12} {from}", training.checkpoint);
        say(line.trim_end());
    }
    say(&format!(
        "{} trainings ({} without sharing: {shared} are the same as another) and {} evaluations; {} of all stages are done, \
         {} to do, about {} with {} at a time",
        told.trainings.len(),
        told.without_sharing,
        told.evaluations,
        told.done,
        told.to_do,
        time(told.estimate_seconds),
        told.jobs
    ));
    if !told.not_estimated.is_empty() {
        let n = told.not_estimated.len();
        say(&format!(
            "{n} of the methods have no estimate_seconds; a minute is taken for each of their trainings"
        ));
    }
}

fn print(outcome: &SweepOutcome, out: &Path, format: Format) -> Result<()> {
    let files: Vec<_> = ["sweep.csv", "sweep.md", "sweep.json"].map(|file| out.join(file)).into();
    if format == Format::Json {
        let failures: Vec<_> = outcome
            .failures
            .iter()
            .map(|f| json!({"stage": f.stage, "error": words(f), "log": f.log}))
            .collect();
        say_json(&json!({
            "table": outcome.table,
            "failures": failures,
            "waiting": outcome.waiting,
            "page": outcome.page,
            "seconds": outcome.seconds,
            "stages": outcome.stages,
            "reused": outcome.reused,
        }))?;
    } else {
        say("");
        if let Some(table) = &outcome.table {
            say(table.text().trim_end());
            say("");
            say(&format!(
                "table: {}",
                files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ")
            ));
        }
        let missing = match outcome.waiting.len() + outcome.failures.len() {
            0 => String::new(),
            n => format!(" ({n} stages are not done, and not on it)"),
        };
        match &outcome.page {
            Some(page) => say(&format!("page: {}{missing}", page.display())),
            None => say("nothing is scored yet, so there is no page"),
        }
        let reused = if outcome.reused > 0 {
            format!(", {} of {} stages were done before", outcome.reused, outcome.stages)
        } else {
            String::new()
        };
        say(&format!("took {}{reused}", time(outcome.seconds)));
    }
    tell_failures(outcome);
    Ok(())
}

/// What failed, by name, at the very end, where it is seen.
fn tell_failures(outcome: &SweepOutcome) {
    if outcome.failures.is_empty() {
        return;
    }
    let n = outcome.failures.len();
    let wait = outcome.waiting.len();
    let waiting = if wait > 0 { format!(" and {wait} further stages are not done") } else { String::new() };
    let (runs, them) = if n == 1 { ("run", "it") } else { ("runs", "them") };
    note(&format!(
        "error: {n} {runs} failed{waiting}; the same command does {them} again, and nothing else twice"
    ));
    for failure in &outcome.failures {
        note(&format!("  {}: {}", failure.stage, words(failure)));
        if let Some(log) = &failure.log {
            note(&format!("    log: {}", log.display()));
        }
    }
}

fn words(failure: &SweepFailure) -> String {
    // A training's and an evaluation's errors begin with the stage's name.
    let text = crate::output::chain(&failure.error);
    text.strip_prefix(&format!("{}: ", failure.stage)).map_or(text.clone(), str::to_owned)
}
