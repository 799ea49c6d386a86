//! `report` for those who publish: the leaderboard site and other tools' formats.

use std::path::{Path, PathBuf};

use serde_json::{json, Value};
use vrrl_harness_experiment as experiment;
use vrrl_harness_experiment::Result;
use vrrl_reports::{ExportRequest, Site};

use crate::args::PublishArgs;

/// What was written, in words and as JSON.
pub(crate) struct Told {
    /// One line each.
    pub lines: Vec<String>,
    /// Keys of the result.
    pub keys: Vec<(&'static str, Value)>,
}

/// Writes the site, if one is asked for.
pub(crate) fn site(runs: &[PathBuf], args: &PublishArgs) -> Result<Option<Told>> {
    let Some(out) = &args.site else { return Ok(None) };
    let Site { page, leaderboard, schema, wide, submit, badges, removed, submissions, runs } =
        vrrl_reports::site(runs, &args.title, out)?;
    let many = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let counts = format!("{} in {}", many(runs, "run"), many(submissions, "submission"));
    let mut lines = vec![format!("site: {}, {counts}", page.display())];
    lines.extend(removed.iter().map(|path| format!("removed: {} (its row is gone)", path.display())));
    let site = json!({
        "page": page, "leaderboard": leaderboard, "schema": schema, "wide": wide, "submit": submit,
        "badges": badges, "removed": removed, "submissions": submissions, "runs": runs,
    });
    Ok(Some(Told { lines, keys: vec![("site", site)] }))
}

/// Refuses what could not be written later, before anything is.
pub(crate) fn check(args: &PublishArgs) -> Result<()> {
    Ok(request(args).check()?)
}

fn request(args: &PublishArgs) -> ExportRequest {
    ExportRequest {
        kinds: args.export.iter().flat_map(|formats| formats.0.iter().copied()).collect(),
        hub_dataset: args.hub_dataset.clone(),
    }
}

/// Writes the formats that are asked for.
pub(crate) fn exports(runs: &[PathBuf], args: &PublishArgs, out: &Path) -> Result<Option<Told>> {
    if args.export.is_empty() {
        return Ok(None);
    }
    let request = request(args);
    let logs = experiment::training_logs(runs)?;
    let folder = out.join("exports");
    let files = vrrl_reports::export(&vrrl_reports::load_sampling(runs, 0)?, &logs, &request, &folder)?;
    let lines = vec![format!("exports: {} files in {}", files.len(), folder.display())];
    Ok(Some(Told { lines, keys: vec![("exports", json!(files))] }))
}
