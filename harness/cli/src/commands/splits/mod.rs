//! `vrrl splits …`.

mod new;

use std::path::Path;
use std::time::Instant;

use serde_json::json;
use vrrl_datasets::Options;
use vrrl_harness_experiment as experiment;
use vrrl_harness_experiment::{AuditPair, Built, Error, Reporter as _, Result, SplitRow, StageProgress};

use crate::args::{AuditArgs, BuildArgs, ExportArgs, ImportArgs, Importable, Overlap, Splits, VerifyArgs};
use crate::exit::Exit;
use crate::output::{note, say, say_json, Format};
use crate::progress::Bars;
use crate::signal::STOP;

pub(crate) fn splits(args: Splits) -> Result<Exit> {
    match args {
        Splits::List { part, task, role, format } => {
            let part = part.unwrap_or_default();
            let file = Path::new(&part);
            let wanted = |row: &SplitRow| {
                task.is_none_or(|task| row.task == task) && role.is_none_or(|role| row.role == role)
            };
            let mut rows = match file.is_file() {
                true => vec![experiment::described(file)?],
                false => experiment::catalog()?,
            };
            rows.retain(|row| wanted(row) && (file.is_file() || row.name.contains(&part)));
            list(rows, format)
        }
        Splits::Axes { task, axes, format } => list_axes(&experiment::list_axes(task, &axes)?, format),
        Splits::New(args) => new::new(args),
        Splits::Build(args) => build(&args),
        Splits::Audit(args) => audit(&args),
        Splits::Export(args) => export(args),
        Splits::Import(args) => import(&args),
        Splits::Verify(args) => verify(&args),
    }
}

fn list(rows: Vec<SplitRow>, format: Format) -> Result<Exit> {
    if format == Format::Json {
        say_json(&json!({ "splits": rows }))?;
        return Ok(Exit::Ok);
    }
    let wide = |of: &dyn Fn(&SplitRow) -> usize, least| rows.iter().map(of).max().unwrap_or(0).max(least);
    let (name_wide, shift_wide) =
        (wide(&|row: &SplitRow| row.name.len(), 4), wide(&|row: &SplitRow| row.shift.len(), 5));
    let line = |cells: [&str; 7]| {
        let [name, task, role, shift, severity, n, ceiling] = cells;
        let text = format!(
            "{name:name_wide$}  {task:5} {role:8} {shift:shift_wide$} {severity:>11} {n:>7}  {ceiling}"
        );
        say(text.trim_end());
    };
    line(["name", "task", "role", "shift", "severity", "n", ""]);
    for row in &rows {
        let (severity, n) = (row.severity.to_string(), row.n.to_string());
        let ceiling = row.ceiling.map(|most| format!("at most {most} distinct")).unwrap_or_default();
        line([&row.name, row.task.word(), row.role.word(), &row.shift, &severity, &n, &ceiling]);
    }
    Ok(Exit::Ok)
}

fn list_axes(rows: &[experiment::AxisRow], format: Format) -> Result<Exit> {
    if format == Format::Json {
        say_json(&json!({ "axes": rows }))?;
        return Ok(Exit::Ok);
    }
    for row in rows {
        let paired = if row.paired { "paired" } else { "not paired" };
        say(&format!("{} ({}, {paired}): {}", row.name, row.changes, row.about));
        for (task, levels) in &row.levels {
            let levels: Vec<String> = levels.iter().map(ToString::to_string).collect();
            say(&format!("  {task:6} {}", levels.join(" ")));
        }
    }
    Ok(Exit::Ok)
}

/// Runs something that writes examples under a bar with items a second.
pub(super) fn under_a_bar<T>(
    stage: &str,
    work: impl FnOnce(&(dyn Fn(&StageProgress) + Sync)) -> Result<T>,
) -> Result<T> {
    let bars = Bars::new();
    bars.started(stage);
    let begun = Instant::now();
    let done = work(&|progress| bars.progress(stage, progress))?;
    bars.finished(stage, begun.elapsed().as_secs_f64(), false);
    Ok(done)
}

fn build(args: &BuildArgs) -> Result<Exit> {
    if args.limit == Some(0) {
        return Err(Error::Input("--limit 0 leaves nothing to write; use at least 1".into()));
    }
    let stage = format!("build {}", args.out.display());
    let (limit, feedback, parquet) = (args.limit, args.feedback, args.parquet);
    let built = under_a_bar(&stage, |tell| {
        let wanted = experiment::BuildOptions { limit, feedback, parquet, stop: &STOP };
        experiment::build(&args.split, &args.out, &wanted, tell)
    })?;
    tell_built(&built, args.format)
}

fn tell_built(splits: &[Built], format: Format) -> Result<Exit> {
    for ceiling in splits.iter().filter_map(|s| s.ceiling.as_ref()) {
        note(ceiling);
    }
    if format == Format::Json {
        say_json(&json!({ "splits": splits }))?;
        return Ok(Exit::Ok);
    }
    for split in splits {
        let found = match split.found {
            0 => String::new(),
            found => format!(", {found} of them found done"),
        };
        let (dir, hash) = (split.dir.display(), &split.hash[..16.min(split.hash.len())]);
        say(&format!("{}: {} examples{found} in {dir} (hash {hash})", split.name, split.n));
        if let Some(parquet) = &split.parquet {
            say(&format!("  the same as parquet in {}", parquet.display()));
        }
    }
    Ok(Exit::Ok)
}

fn export(args: ExportArgs) -> Result<Exit> {
    let options = Options {
        container: args.container,
        limit: args.limit,
        shard: args.shard,
        view: args.view,
        dialect: args.dialect,
        turns: args.turns,
        multi: args.multi,
        max_wrong: args.max_wrong,
    };
    let stage = format!("export {}", args.out.display());
    let done = under_a_bar(&stage, |tell| {
        experiment::export(&args.splits, args.format, &args.out, &options, &STOP, tell)
    })?;
    if args.json {
        say_json(&done)?;
        return Ok(Exit::Ok);
    }
    let written = &done.written;
    say(&format!(
        "{}: {} examples in {} rows, {} in {} (hash {})",
        done.format,
        written.examples,
        written.rows,
        size(written.bytes),
        done.dir.display(),
        &written.hash[..16.min(written.hash.len())]
    ));
    Ok(Exit::Ok)
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

fn import(args: &ImportArgs) -> Result<Exit> {
    let import = match args.from {
        Importable::VrrlFrozenlake => experiment::import,
        Importable::VrrlRows => experiment::import_rows,
    };
    tell_built(&import(&args.file, args.name.as_deref(), &args.out)?, args.format)
}

fn verify(args: &VerifyArgs) -> Result<Exit> {
    let n = experiment::verify(&args.dir)?;
    if args.format == Format::Json {
        say_json(&json!({ "dir": args.dir, "examples": n }))?;
    } else {
        say(&format!("{}: {n} examples are what their manifest says", args.dir.display()));
    }
    Ok(Exit::Ok)
}

fn audit(args: &AuditArgs) -> Result<Exit> {
    if args.fail_on.contains(&Overlap::Near) && !args.near {
        return Err(Error::Input("--fail-on near needs --near, which compares pictures".into()));
    }
    let audit = experiment::audit_names(&args.train, &args.test, args.near, args.out.as_deref())?;
    let pairs = &audit.pairs;
    if args.format == Format::Json {
        say_json(&json!({ "pairs": pairs }))?;
    } else {
        say(audit.text().trim_end());
    }
    if let Some(out) = &args.out {
        note(&format!("{}: the same, with {} offending pairs drawn", out.display(), audit.offenders.len()));
    }
    let count = |pair: &AuditPair, kind: &Overlap| match kind {
        Overlap::Exact => pair.exact,
        Overlap::Symmetric => pair.symmetric,
        Overlap::SamePattern => pair.same_pattern,
        Overlap::Near => pair.near.as_ref().map_or(0, |near| near.test),
    };
    let hits: usize =
        pairs.iter().flat_map(|pair| args.fail_on.iter().map(move |kind| count(pair, kind))).sum();
    if hits == 0 {
        return Ok(Exit::Ok);
    }
    note(&format!("error: {hits} test items overlap with training in a way that --fail-on names"));
    Ok(Exit::GateFailed)
}
