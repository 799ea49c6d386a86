//! `vrrl splits ...`.

use serde_json::json;
use vrrl_harness_experiment::{audit_names, build, catalog, import, verify, AuditPair, Built, Error, Result};

use crate::args::{Importable, Overlap, Splits};
use crate::exit::Exit;
use crate::output::{note, say, say_json, Format};

pub(crate) fn splits(args: Splits) -> Result<Exit> {
    match args {
        Splits::List { format } => list(format),
        Splits::Build { split, out, limit, format } => {
            if limit == Some(0) {
                return Err(Error::Input("--limit 0 leaves nothing to write; use at least 1".into()));
            }
            built(&build(&split, &out, limit)?, format)
        }
        Splits::Audit { train, test, fail_on, format } => {
            audit(&audit_names(&train, &test)?, &fail_on, format)
        }
        Splits::Import { from: Importable::VrrlFrozenlake, file, out, name, format } => {
            built(&import(&file, name.as_deref(), &out)?, format)
        }
        Splits::Verify { dir } => {
            let n = verify(&dir)?;
            say(&format!("{}: {n} examples are what their manifest says", dir.display()));
            Ok(Exit::Ok)
        }
    }
}

fn list(format: Format) -> Result<Exit> {
    let rows = catalog();
    if format == Format::Json {
        say_json(&json!({ "splits": rows }))?;
        return Ok(Exit::Ok);
    }
    say(&format!("{:24} {:6} {:9} {:8} {:>8} {:>7}", "name", "task", "role", "shift", "severity", "n"));
    for row in rows {
        let (task, role) = (row.task.word(), row.role.word());
        say(&format!("{:24} {task:6} {role:9} {:8} {:>8} {:>7}", row.name, row.shift, row.severity, row.n));
    }
    Ok(Exit::Ok)
}

fn built(splits: &[Built], format: Format) -> Result<Exit> {
    for ceiling in splits.iter().filter_map(|s| s.ceiling.as_ref()) {
        note(ceiling);
    }
    if format == Format::Json {
        say_json(&json!({ "splits": splits }))?;
    } else {
        for split in splits {
            say(&format!(
                "{}: {} examples in {} (hash {})",
                split.name,
                split.n,
                split.dir.display(),
                &split.hash[..16.min(split.hash.len())]
            ));
        }
    }
    Ok(Exit::Ok)
}

fn audit(pairs: &[AuditPair], fail_on: &[Overlap], format: Format) -> Result<Exit> {
    if format == Format::Json {
        say_json(&json!({ "pairs": pairs }))?;
    } else {
        say(&format!(
            "{:22} {:22} {:>7} {:>7} {:>6} {:>9} {:>12} {:>13}",
            "train", "test", "n train", "n test", "exact", "symmetric", "same pattern", "distinct test"
        ));
        for p in pairs {
            say(&format!(
                "{:22} {:22} {:>7} {:>7} {:>6} {:>9} {:>12} {:>13}",
                p.train, p.test, p.n_train, p.n_test, p.exact, p.symmetric, p.same_pattern, p.distinct_test
            ));
        }
    }
    let count = |pair: &AuditPair, kind: &Overlap| match kind {
        Overlap::Exact => pair.exact,
        Overlap::Symmetric => pair.symmetric,
        Overlap::SamePattern => pair.same_pattern,
    };
    let hits: usize = pairs.iter().flat_map(|pair| fail_on.iter().map(move |kind| count(pair, kind))).sum();
    if hits == 0 {
        return Ok(Exit::Ok);
    }
    note(&format!("error: {hits} test items overlap with training in a way that --fail-on names"));
    Ok(Exit::GateFailed)
}
