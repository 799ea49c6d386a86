//! `vrrl run`.

use std::path::{Path, PathBuf};

use serde_json::json;
use vrrl_harness_experiment::{
    preset, run as run_experiment, Error, Experiment, Options, Outcome, Result, Tools, PRESETS,
};

use crate::args::RunArgs;
use crate::exit::Exit;
use crate::output::{say, say_json, Format};
use crate::progress::{time, Bars};
use crate::signal::STOP;

pub(crate) fn run(args: RunArgs) -> Result<Exit> {
    let (text, name) = source(&args)?;
    let mut experiment = match &args.file {
        Some(file) => Experiment::open(file)?,
        None => Experiment::from_yaml(&text, &name)?,
    };
    let changed = change(&mut experiment, &args)?;
    if args.show {
        // As it was written, comments included, unless a flag changes it.
        say(if changed { experiment.to_yaml()? } else { text }.trim_end());
        return Ok(Exit::Ok);
    }
    let out = args.out.unwrap_or_else(|| Path::new("runs").join(&experiment.name));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options {
        out: &out,
        jobs: args.jobs.unwrap_or(cores.min(2)).max(1),
        command: &super::typed(),
        stop: &STOP,
    };
    let outcome = run_experiment(&experiment, &options, Tools::candle(), &Bars::new())?;
    print(&outcome, args.format)?;
    Ok(Exit::Ok)
}

/// The experiment's text and its name for messages.
fn source(args: &RunArgs) -> Result<(String, PathBuf)> {
    if let Some(file) = &args.file {
        let text = std::fs::read_to_string(file).map_err(|source| Error::Content {
            path: file.clone(),
            place: String::new(),
            reason: format!("{source}; name an experiment file, or none for the quickstart"),
        })?;
        return Ok((text, file.clone()));
    }
    let name = args.preset.as_deref().unwrap_or("quickstart");
    let known = PRESETS.map(|(name, _)| name).join(", ");
    let text = preset(name).ok_or_else(|| Error::Input(format!("no preset {name:?}; there are {known}")))?;
    Ok((text.to_owned(), PathBuf::from(format!("{name}.yaml"))))
}

/// Lays the flags over the experiment; says whether any did.
fn change(experiment: &mut Experiment, args: &RunArgs) -> Result<bool> {
    let before = experiment.clone();
    if let Some(first) = args.seed {
        for (seed, next) in experiment.seeds.iter_mut().zip(first..) {
            *seed = next;
        }
    }
    if let Some(device) = &args.device {
        experiment.device.clone_from(device);
    }
    experiment.maps.extend(args.maps.iter().cloned());
    let changed = *experiment != before;
    if changed {
        // The same checks as for a file.
        let name = PathBuf::from(&experiment.name);
        *experiment = Experiment::from_yaml(&experiment.to_yaml()?, &name)?;
    }
    Ok(changed)
}

fn print(outcome: &Outcome, format: Format) -> Result<()> {
    if format == Format::Json {
        let claims: Vec<_> = outcome
            .claims
            .iter()
            .map(|c| json!({"what": c.what, "bar": c.bar, "measured": c.measured, "met": c.met}))
            .collect();
        return say_json(&json!({
            "page": outcome.page,
            "seconds": outcome.seconds,
            "stages": outcome.stages,
            "reused": outcome.reused,
            "table": outcome.table,
            "claims": claims,
        }));
    }
    say("");
    say(outcome.table.text().trim_end());
    say("");
    for claim in &outcome.claims {
        let verdict = match claim.met {
            Some(true) => "met    ",
            Some(false) => "NOT MET",
            None => "       ",
        };
        let bar = if claim.bar.is_empty() { String::new() } else { format!(" (bar: {})", claim.bar) };
        say(&format!("{verdict}  {}: {}{bar}", claim.what, claim.measured));
    }
    say("");
    let reused = if outcome.reused > 0 {
        format!(", {} of {} stages were done before", outcome.reused, outcome.stages)
    } else {
        String::new()
    };
    say(&format!("took {}{reused}", time(outcome.seconds)));
    say(&format!("page: {}", outcome.page.display()));
    Ok(())
}
