//! Two backends side by side; which engine runs ONNX graphs, and how to get a better one.

use serde::Serialize;
use vrrl_harness::{EvalConfig, Parity, Side};
use vrrl_harness_experiment as experiment;
use vrrl_harness_experiment::{Error, ParityRequest, Result, Tools};

use vrrl_harness_runner_ort::engine::{self, Place};

use super::doctor::Check;
use crate::args::ParityArgs;
use crate::exit::Exit;
use crate::output::{note, say, say_json, Format};

pub(crate) fn parity(args: &ParityArgs) -> Result<Exit> {
    if !(0.0..=1.0).contains(&args.min_equal) {
        return Err(Error::Input(format!("--min-equal {} is no share; it goes from 0 to 1", args.min_equal)));
    }
    let request = ParityRequest {
        models: [args.a.clone(), args.b.clone()],
        splits: args.split.clone(),
        device: args.device.clone(),
        dialect: args.dialect,
        ort: args.ort.request(),
        config: EvalConfig {
            limit: args.limit,
            max_turns: args.max_turns,
            temperature: args.temperature,
            seed: args.seed,
            ..EvalConfig::default()
        },
    };
    let found = experiment::parity(&request, Tools::candle())?;
    if args.format == Format::Json {
        say_json(&found)?;
    } else {
        text(&found);
    }
    Ok(if found.share_equal < args.min_equal { Exit::GateFailed } else { Exit::Ok })
}

fn text(found: &Parity) {
    for (name, side) in [("A", &found.a), ("B", &found.b)] {
        say(&format!("{name}  {}", one(side)));
    }
    say(&format!(
        "turns with equal tokens: {} of {} ({:.3} %), in {} episodes",
        found.turns_equal,
        found.turns,
        100.0 * found.share_equal,
        found.episodes
    ));
    say(&format!("pictures equal in every pixel: {} of {}", found.pictures_equal, found.pictures));
    if let (Some(max), Some(at)) = (found.max_log_prob_difference, &found.max_at) {
        say(&format!(
            "largest difference of a log-probability: {max:.1e}, of {} tokens ({} {}, turn {}, token {})",
            found.tokens_compared, at.split, at.id, at.turn, at.token
        ));
    }
    match &found.first_divergence {
        None => say("they never part"),
        Some(first) => {
            let at = &first.place;
            say(&format!("they part first at {} {}, turn {}, token {}:", at.split, at.id, at.turn, at.token));
            say(&format!("  A  {}\n  B  {}", first.a, first.b));
        }
    }
    if let Some(d) = &found.accuracy_difference {
        say(&format!("accuracy, B − A: {:+.4} ({:+.4} to {:+.4})", d.value, d.ci_low, d.ci_high));
    }
    if let Some(ratio) = found.speed_ratio {
        say(&format!("replies a second, B : A: {ratio:.2}"));
    }
}

fn one(side: &Side) -> String {
    let accuracy = side.accuracy.map_or_else(String::new, |a| format!(", accuracy {:.3}", a.value));
    let speed = side.tokens_per_second.map_or_else(String::new, |s| format!(", {s:.0} tokens/s"));
    let faults = if side.faults > 0 { format!(", {} faults", side.faults) } else { String::new() };
    format!("{}: {}{accuracy}{speed}{faults}", side.policy.name, side.policy.engine)
}

/// What `vrrl doctor` says about ONNX graphs.
#[derive(Serialize)]
pub(super) struct Found {
    /// The engine that runs without being told.
    pub engine: Check,
    /// Where a library was looked for, in order.
    looked: Vec<Place>,
    /// The library that is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    library: Option<std::path::PathBuf>,
}

/// Which engine would run.
pub(super) fn look() -> Found {
    let mut looked = engine::places();
    let (check, library) = match engine::open(engine::AUTO) {
        Ok(found) => {
            let detail = match &found.library {
                Some(path) => format!("{} at {}", found.name, path.display()),
                None => format!(
                    "{}; ONNX Runtime is about three times as fast: `vrrl doctor --fix` installs it, or name a library with \
                     {} or --engine",
                    found.name,
                    engine::VARIABLE
                ),
            };
            (Check { name: "onnx", works: true, detail }, found.library)
        }
        Err(error) => (Check { name: "onnx", works: false, detail: error.to_string() }, None),
    };
    let system = library.clone().filter(|path| path.as_os_str() == engine::system_name().as_str());
    let place = format!("the system's loader ({})", engine::system_name());
    looked.push(Place { place, library: system });
    Found { engine: check, looked, library }
}

impl Found {
    pub(super) fn tell(&self) {
        for place in &self.looked {
            let what =
                place.library.as_ref().map_or_else(|| "nothing".into(), |path| path.display().to_string());
            say(&format!("     looked: {}: {what}", place.place));
        }
    }
}

/// Installs ONNX Runtime.
pub(super) fn fix() -> Result<()> {
    let installed = vrrl_harness_runner_ort::install()?;
    note(&format!(
        "installed {} from {} (SHA-256 {})",
        installed.library.display(),
        installed.wheel,
        installed.sha256
    ));
    Ok(())
}
