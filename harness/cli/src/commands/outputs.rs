//! Other harnesses' outputs as runs, and the other way round.

use vrrl_harness_experiment as experiment;
use vrrl_harness_experiment::{ImportRequest, Result};

use crate::args::{ExportRunArgs, ImportRunArgs};
use crate::exit::Exit;
use crate::output::{note, say, say_json, Format};

pub(crate) fn import(args: ImportRunArgs) -> Result<Exit> {
    let request = ImportRequest {
        from: args.from,
        files: args.files,
        out: args.out,
        model: args.model,
        metric: args.metric,
        filter: args.filter,
        dialect: args.dialect,
        temperature: args.temperature,
        splits: args.split,
    };
    let found = experiment::import_outputs(&request)?;
    if found.missing > 0 {
        note(&format!(
            "note: {} rows have no reply or no score and are no items: {}",
            found.missing,
            found.missing_first.join("; ")
        ));
    }
    if args.format == Format::Json {
        say_json(&found)?;
        return Ok(Exit::Ok);
    }
    let by = if found.judged { "replies judged anew" } else { "verdicts of the harness" };
    let metric = found.metric.as_ref().map(|name| format!(", its metric {name}")).unwrap_or_default();
    say(&format!("{} items of {}, {by}{metric}", found.items, found.model));
    if let Some(agreement) = &found.agreement {
        say(&format!(
            "right by both {}, only by our judge {}, only by {} {}, by neither {}",
            agreement.both,
            agreement.only_ours,
            found.from.word(),
            agreement.only_theirs,
            agreement.neither
        ));
        agreement.first.iter().for_each(|place| say(&format!("  they differ at {place}")));
    }
    say(&format!("run: {}", request.out.display()));
    if !request.out.join("run.json").exists() {
        note(
            "note: the files do not say the sampling temperature, so compare reads this run and report does not; \
             give --temperature for both",
        );
    }
    Ok(Exit::Ok)
}

pub(crate) fn export(args: &ExportRunArgs) -> Result<Exit> {
    let files = match (&args.onnx, &args.lm_eval) {
        (Some(out), _) => experiment::export_onnx(&args.from, out, args.int8)?,
        (None, Some(out)) => experiment::export_run(&args.from, out)?,
        (None, None) => Vec::new(),
    };
    if args.format == Format::Json {
        say_json(&serde_json::json!({ "files": files }))?;
    } else {
        files.iter().for_each(|file| say(&format!("wrote {}", file.display())));
    }
    Ok(Exit::Ok)
}
