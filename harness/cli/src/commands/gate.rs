//! `vrrl gate`, `vrrl gate bless`, `vrrl verify`.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use vrrl_harness::gate::{gate_text, plain, GateReport, Verdict};
use vrrl_harness_experiment as experiment;
use vrrl_harness_experiment::{Error, GateRequest, Result};
use vrrl_reports::gate as exports;

use crate::args::{BlessArgs, GateArgs, GateCommand, Inconclusive, VerifyRunArgs};
use crate::exit::Exit;
use crate::output::{note, say, say_json, Format};

pub(crate) fn gate(args: GateArgs) -> Result<Exit> {
    if let Some(GateCommand::Bless(args)) = args.command {
        return bless(&args);
    }
    let request = GateRequest {
        baseline: args.baseline.clone().unwrap_or_default(),
        candidate: args.candidate.clone().unwrap_or_default(),
        config: args.config.clone(),
        intersect: args.intersect,
        attempts: args.attempts.clone(),
        // What GitHub calls the number of a run's "re-run"; GitLab has none.
        ci_attempt: env::var("GITHUB_RUN_ATTEMPT").ok().filter(|word| word.parse::<u32>().is_ok()),
    };
    let report = experiment::run_gate(&request)?;
    let fails = args.inconclusive == Some(Inconclusive::Fail);
    if args.format == Format::Json {
        say_json(&report)?;
    } else {
        say(&gate_text(&report));
    }
    write_exports(&args, &report, fails)?;
    if args.github {
        github(&report, fails)?;
    }
    Ok(match (report.verdict, args.inconclusive) {
        (Verdict::Pass, _) | (Verdict::Inconclusive, Some(Inconclusive::Pass)) => Exit::Ok,
        (Verdict::Fail, _) | (Verdict::Inconclusive, Some(Inconclusive::Fail)) => Exit::GateFailed,
        (Verdict::Inconclusive, None) => Exit::Inconclusive,
    })
}

fn write_exports(args: &GateArgs, report: &GateReport, fails: bool) -> Result<()> {
    let json = |value: &serde_json::Value| format!("{value:#}\n");
    if let Some(path) = &args.junit {
        experiment::write_text(path, &exports::junit(report, fails))?;
    }
    if let Some(path) = &args.markdown {
        experiment::write_text(path, &exports::gate_markdown(report, exports::SUMMARY_LIMIT))?;
    }
    if let Some(path) = &args.json {
        let value =
            serde_json::to_value(report).map_err(|e| Error::Input(format!("the report is no JSON: {e}")))?;
        experiment::write_text(path, &json(&value))?;
    }
    if let Some(path) = &args.bencher {
        experiment::write_text(path, &json(&exports::bencher(report)))?;
    }
    if let Some(path) = &args.bigger {
        experiment::write_text(path, &json(&exports::bigger_is_better(report)))?;
    }
    Ok(())
}

/// Annotations to stderr, where the runner reads them as well and JSON on stdout stays whole; the rest to the files
/// that GitHub names.
fn github(report: &GateReport, fails: bool) -> Result<()> {
    exports::annotations(report, fails).iter().for_each(|line| note(line));
    let file = |name: &str| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    match file("GITHUB_STEP_SUMMARY") {
        Some(path) => {
            // What other commands of the step wrote counts towards the limit.
            let used =
                fs::metadata(&path).map_or(0, |meta| usize::try_from(meta.len()).unwrap_or(usize::MAX));
            let room = exports::SUMMARY_LIMIT.saturating_sub(used);
            let text = exports::gate_markdown(report, room);
            if text.len() <= room {
                append(&path, &text)?;
            } else {
                note("note: the step's summary is full; nothing was added");
            }
        }
        None => note("note: GITHUB_STEP_SUMMARY is not set, so there is no step summary to write"),
    }
    if let Some(path) = file("GITHUB_OUTPUT") {
        append(&path, &exports::outputs(report))?;
    }
    Ok(())
}

fn append(path: &Path, text: &str) -> Result<()> {
    let open = OpenOptions::new().create(true).append(true).open(path);
    open.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|source| Error::Io {
        action: "append to",
        path: path.to_path_buf(),
        source,
    })
}

fn bless(args: &BlessArgs) -> Result<Exit> {
    let out = args.out.clone().unwrap_or_else(|| {
        let name = args.run.canonicalize().unwrap_or_else(|_| args.run.clone());
        let name = name.file_name().map_or_else(|| "run".into(), |name| name.to_string_lossy().into_owned());
        PathBuf::from(format!("{name}.baseline.json"))
    });
    let baseline = experiment::bless(&args.run, &out)?;
    if args.format == Format::Json {
        let splits: Vec<_> = baseline.splits.iter().map(|split| &split.name).collect();
        say_json(&serde_json::json!({
            "file": out, "hash": baseline.hash, "run_id": baseline.run_id, "items": baseline.items(), "splits": splits,
        }))?;
    } else {
        say(&format!(
            "{} items of {} blessed: {}",
            baseline.items(),
            plain(&baseline.model.name),
            out.display()
        ));
    }
    Ok(Exit::Ok)
}

pub(crate) fn verify(args: &VerifyRunArgs) -> Result<Exit> {
    let found = experiment::verify_numbers(&args.run, &args.split)?;
    if args.format == Format::Json {
        say_json(&found)?;
    } else {
        for check in &found.checks {
            say(&format!(
                "{} {}: {}",
                if check.holds { "ok  " } else { "no  " },
                check.part,
                plain(&check.detail)
            ));
        }
        say(match found.follows {
            true => "the numbers follow from the traces",
            false => "the numbers do not follow",
        });
    }
    Ok(if found.follows { Exit::Ok } else { Exit::Differs })
}
