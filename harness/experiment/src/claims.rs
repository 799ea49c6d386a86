//! What an experiment was to reach, and what it reached: true or not, it is written down.

use std::path::Path;

use vrrl_baselines::Method;
use vrrl_harness::{paired, paired_by_split, read_scores, read_summary, ScoreRow, SplitSummary};
use vrrl_harness_core::{Role, Seed};
use vrrl_harness_stats::Estimate;
use vrrl_reports::Claim;

use crate::{Experiment, Result};

/// Resampling seed of the paired intervals.
const SEED: Seed = Seed(0);

/// What claims are read from.
pub(crate) struct Evidence<'a> {
    pub experiment: &'a Experiment,
    pub out: &'a Path,
    /// Wall-clock seconds of the whole experiment.
    pub wall: f64,
    /// Largest resident memory of any process that ran it.
    pub peak_bytes: Option<u64>,
}

/// Rows of GRPO and VRRL with one seed.
struct Rivals {
    seed: u64,
    grpo: Vec<ScoreRow>,
    vrrl: Vec<ScoreRow>,
}

/// Every claim that this experiment's methods and splits can speak to.
pub(crate) fn all(evidence: &Evidence<'_>) -> Result<Vec<Claim>> {
    let mut claims = vec![wall(evidence.wall, evidence.experiment.name == "quickstart")];
    claims.extend(multi_sft(evidence)?);
    claims.extend(turns(
        evidence,
        Method::MultiSftGrpo,
        "id_test",
        "GRPO: turns on id_test, T = 1",
        Bar::AtMost(2.1),
    )?);
    claims.extend(delta_ref(evidence)?);
    claims.extend(turns(evidence, Method::Vrrl, "ood7", "VRRL: turns on ood7, T = 1", Bar::AtLeast(2.5))?);
    claims.extend(total(evidence)?);
    claims.extend(evidence.peak_bytes.map(memory));
    Ok(claims)
}

#[derive(Clone, Copy)]
enum Bar {
    AtMost(f64),
    AtLeast(f64),
}

impl Bar {
    fn met(self, value: f64) -> bool {
        match self {
            Self::AtMost(bar) => value <= bar,
            Self::AtLeast(bar) => value >= bar,
        }
    }

    fn words(self) -> String {
        match self {
            Self::AtMost(bar) => format!("≤ {bar}"),
            Self::AtLeast(bar) => format!("≥ {bar}"),
        }
    }
}

/// Only the quickstart promises a time.
fn wall(seconds: f64, quick: bool) -> Claim {
    Claim {
        what: "whole experiment, wall clock".into(),
        bar: if quick { "≤ 10 min".into() } else { String::new() },
        measured: minutes(seconds),
        met: quick.then_some(seconds <= 600.0),
    }
}

fn memory(bytes: u64) -> Claim {
    let gib = bytes as f64 / f64::from(1u32 << 30);
    Claim {
        what: "largest resident memory".into(),
        bar: "≤ 4 GiB".into(),
        measured: format!("{gib:.2} GiB"),
        met: Some(gib <= 4.0),
    }
}

fn multi_sft(evidence: &Evidence<'_>) -> Result<Option<Claim>> {
    let measured = evidence.each_seed(Method::MultiSft, "greedy", "id_test", |s| s.accuracy)?;
    Ok(claim("Multi-SFT: accuracy on id_test, greedy", Bar::AtLeast(0.75), &measured))
}

fn turns(
    evidence: &Evidence<'_>,
    method: Method,
    split: &str,
    what: &str,
    bar: Bar,
) -> Result<Option<Claim>> {
    let measured = evidence.each_seed(method, "t1", split, |s| s.turns_mean)?;
    Ok(claim(what, bar, &measured))
}

/// One claim over all seeds: the bar holds if every seed meets it.
fn claim(what: &str, bar: Bar, measured: &[(u64, Estimate)]) -> Option<Claim> {
    let each = if measured.len() > 1 { " in each seed" } else { "" };
    (!measured.is_empty()).then(|| Claim {
        what: what.into(),
        bar: format!("{}{each}", bar.words()),
        measured: measured.iter().map(|(_, e)| interval(e)).collect::<Vec<_>>().join(", "),
        met: Some(measured.iter().all(|(_, e)| bar.met(e.value))),
    })
}

fn delta_ref(evidence: &Evidence<'_>) -> Result<Option<Claim>> {
    let mut measured = Vec::new();
    for Rivals { seed, grpo, vrrl } in evidence.pairs("t1")? {
        let of = |rows: &[ScoreRow]| {
            rows.iter().filter(|r| short(&r.split) == "ood7").cloned().collect::<Vec<_>>()
        };
        let (grpo, vrrl) = (of(&grpo), of(&vrrl));
        if grpo.is_empty() {
            return Ok(None);
        }
        let found = paired_by_split(&grpo, &vrrl, SEED)?;
        measured.extend(found.into_iter().filter_map(|c| Some((seed, c.delta_ref?.diff.estimate()))));
    }
    Ok(claim("VRRL − GRPO: Δref on ood7, T = 1, paired", Bar::AtLeast(0.05), &measured))
}

/// Total accuracy out of distribution: reported, without a bar.
fn total(evidence: &Evidence<'_>) -> Result<Option<Claim>> {
    let own: Vec<&str> = evidence.experiment.splits.test.iter().map(String::as_str).collect();
    let mut measured = Vec::new();
    for Rivals { grpo, vrrl, .. } in evidence.pairs("t1")? {
        // Imported maps stand in the table, but are not what the claim is about.
        let counts = |r: &&ScoreRow| {
            r.role == Some(Role::OodTest)
                && own.iter().any(|name| r.split == *name || short(&r.split) == *name)
        };
        let of = |rows: &[ScoreRow]| rows.iter().filter(counts).cloned().collect::<Vec<_>>();
        let (grpo, vrrl) = (of(&grpo), of(&vrrl));
        if grpo.is_empty() {
            return Ok(None);
        }
        measured.push(interval_signed(&paired(&grpo, &vrrl, SEED)?.diff.estimate()));
    }
    Ok((!measured.is_empty()).then(|| Claim {
        what: "VRRL − GRPO: accuracy on all OOD test splits, T = 1, paired".into(),
        bar: String::new(),
        measured: measured.join(", "),
        met: None,
    }))
}

impl Evidence<'_> {
    /// Name of the first checkpoint of a method with each seed, with the seed.
    fn checkpoints(&self, method: Method) -> Vec<(u64, String)> {
        let entry = self.experiment.methods.iter().find(|entry| entry.method == method && entry.scored);
        entry.map_or_else(Vec::new, |entry| {
            let seeds = self.experiment.seeds_of(entry).iter();
            seeds.map(|&seed| (seed, self.experiment.checkpoint(entry, seed))).collect()
        })
    }

    fn decoded(&self, decoding: &str) -> bool {
        self.experiment.eval.decodings.iter().any(|d| d.to_string() == decoding)
    }

    /// A number of one split for each seed of a method; empty where it was not scored.
    fn each_seed(
        &self,
        method: Method,
        decoding: &str,
        split: &str,
        of: impl Fn(&SplitSummary) -> Option<Estimate>,
    ) -> Result<Vec<(u64, Estimate)>> {
        let mut found = Vec::new();
        for (seed, name) in self.checkpoints(method).into_iter().filter(|_| self.decoded(decoding)) {
            let summary = read_summary(&self.out.join("evals").join(format!("{name}@{decoding}")))?;
            let row = summary.splits.iter().find(|s| short(&s.split) == split);
            found.extend(row.and_then(&of).map(|estimate| (seed, estimate)));
        }
        Ok(found)
    }

    /// Rows of GRPO and VRRL, by seed.
    fn pairs(&self, decoding: &str) -> Result<Vec<Rivals>> {
        let rows = |name: &str| read_scores(&self.out.join("evals").join(format!("{name}@{decoding}")));
        let (grpo, vrrl) = (self.checkpoints(Method::MultiSftGrpo), self.checkpoints(Method::Vrrl));
        let mut found = Vec::new();
        for ((seed, grpo), (other, vrrl)) in grpo.iter().zip(&vrrl).filter(|_| self.decoded(decoding)) {
            if seed == other {
                found.push(Rivals { seed: *seed, grpo: rows(grpo)?, vrrl: rows(vrrl)? });
            }
        }
        Ok(found)
    }
}

fn short(split: &str) -> &str {
    split.rsplit('/').next().unwrap_or(split)
}

fn interval(e: &Estimate) -> String {
    format!("{:.3} ({:.3} to {:.3})", e.value, e.ci_low, e.ci_high)
}

fn interval_signed(e: &Estimate) -> String {
    format!("{:+.3} ({:+.3} to {:+.3})", e.value, e.ci_low, e.ci_high)
}

/// Seconds for people.
pub(crate) fn minutes(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    if whole < 60 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64) -> Estimate {
        Estimate { value, ci_low: value - 0.1, ci_high: value + 0.1 }
    }

    #[test]
    fn a_bar_holds_only_if_every_seed_meets_it() {
        let found = claim("x", Bar::AtLeast(0.05), &[(1, estimate(0.2)), (2, estimate(0.04))]).unwrap();
        assert_eq!((found.met, found.bar.as_str()), (Some(false), "≥ 0.05 in each seed"));
        assert_eq!(found.measured, "0.200 (0.100 to 0.300), 0.040 (-0.060 to 0.140)");
        let one = claim("x", Bar::AtMost(2.1), &[(1, estimate(2.1))]).unwrap();
        assert_eq!((one.met, one.bar.as_str()), (Some(true), "≤ 2.1"));
        assert_eq!(claim("x", Bar::AtMost(1.0), &[]), None);
    }

    #[test]
    fn times_and_memory_read_as_words() {
        assert_eq!(minutes(59.24), "59.2 s");
        assert_eq!(minutes(521.4), "8 min 41 s");
        assert_eq!((wall(601.0, true).met, wall(601.0, false).met), (Some(false), None));
        assert_eq!(memory(5 << 30).met, Some(false));
        assert_eq!(memory(1 << 30).measured, "1.00 GiB");
    }
}
