//! Rules over paired sides to a verdict.
//!
//! Each rule has an interval of level 1 − 2α and from it two one-sided p (see [`super::test`]). A rule *fails* if its
//! p of lying on the bad side is at most α after Holm's adjustment over all rules: the chance that a gate whose rules
//! all hold fails at all stays below α. A rule *passes* if its interval lies wholly on the good side. The gate passes
//! only if all rules do; that is an intersection-union test (Berger, Technometrics 24, 1982, 295-300), whose chance to
//! pass though some rule is broken stays below α without any adjustment. With one rule, Holm changes nothing: the
//! interval wholly below the limit fails, wholly above passes, else the data cannot tell.

use std::collections::{BTreeMap, BTreeSet};

use vrrl_harness_core::{Role, Seed, FORMAT};
use vrrl_harness_stats::{holm, Power};

use super::metric::{Metric, Scale};
use super::report::{GateReport, RuleReport, Verdict};
use super::rule::{Bound, GateConfig, Rule};
use super::side::{changes, Case, Kind, Side};
use super::test::{estimate, Data};
use crate::compare::{self, Intersection, Item};
use crate::{Error, Result};

/// Chance of deciding for which numbers of items are named.
const POWER: f64 = 0.8;
/// Intervals that resample do it from here, so that equal data give equal verdicts.
const SEED: Seed = Seed(0);

/// An item on both sides: each metric's mean over its episodes, as far as all of them have it.
struct Matched<'s> {
    split: String,
    role: Option<Role>,
    a: Vec<&'s Case>,
    b: Vec<&'s Case>,
}

impl Matched<'_> {
    fn mean(cases: &[&Case], metric: Metric) -> Option<f64> {
        let values: Vec<f64> = cases.iter().map(|case| case.values.get(metric)).collect::<Option<_>>()?;
        vrrl_harness_stats::mean(&values)
    }
}

/// Judges `candidate` against `baseline` by the rules of `config`.
///
/// `intersect` compares the items on both sides and counts the others, in place of refusing.
///
/// # Errors
/// [`Error::NothingRan`] or [`Error::TooManyFaults`] of the candidate; [`Error::Unmatched`] naming items that stand on
/// one side only, splits whose data changed, settings that differ; [`Error::Input`] for rules that make no sense or
/// select nothing.
pub fn gate(config: &GateConfig, baseline: &Side, candidate: &Side, intersect: bool) -> Result<GateReport> {
    config.validate()?;
    fit(candidate)?;
    let changed = agree(config, baseline, candidate)?;
    let (matched, intersection) = matched(baseline, candidate, intersect)?;
    let mut rules = Vec::new();
    for rule in resolved(config, &matched)? {
        rules.push(one(&rule, config.alpha)?);
    }
    let adjusted = holm(&rules.iter().map(|rule| rule.p_fail).collect::<Vec<_>>());
    for (rule, p) in rules.iter_mut().zip(adjusted) {
        rule.p_fail_holm = p;
        rule.verdict = if p <= config.alpha {
            Verdict::Fail
        } else if rule.p_pass <= config.alpha {
            Verdict::Pass
        } else {
            Verdict::Inconclusive
        };
        if rule.verdict != Verdict::Inconclusive {
            (rule.n_to_decide, rule.n_if_equal) = (None, None);
        }
    }
    let any = |verdict| rules.iter().any(|rule| rule.verdict == verdict);
    let verdict = if any(Verdict::Fail) {
        Verdict::Fail
    } else if any(Verdict::Inconclusive) {
        Verdict::Inconclusive
    } else {
        Verdict::Pass
    };
    Ok(GateReport {
        format: FORMAT,
        verdict,
        alpha: config.alpha,
        rules_hash: config.hash(),
        baseline: baseline.operand.clone(),
        candidate: candidate.operand.clone(),
        rules,
        intersection: intersect.then_some(intersection),
        changed,
        notes: notes(baseline, candidate),
        attempts: Vec::new(),
    })
}

/// Whether there is something to judge.
fn fit(candidate: &Side) -> Result<()> {
    let name = &candidate.operand.name;
    if let Some((faults, episodes, limit)) = candidate.faulty {
        let first = format!("see fault_kinds in the summary of {name}");
        return Err(Error::TooManyFaults { faults, episodes, limit, first });
    }
    if candidate.cases.is_empty() {
        return Err(Error::NothingRan(format!("the candidate {name} holds no judged episode")));
    }
    Ok(())
}

/// Refuses splits and settings that differ; names the settings that may.
fn agree(config: &GateConfig, a: &Side, b: &Side) -> Result<Vec<String>> {
    let (splits, settings) = changes(&a.origin, &b.origin);
    if !splits.is_empty() {
        return Err(Error::Unmatched(format!(
            "{}; the items are others, so bless a baseline on the new data",
            splits.join("; ")
        )));
    }
    let (may, may_not): (Vec<_>, Vec<_>) =
        settings.into_iter().partition(|(setting, _)| config.allow_changed.contains(setting));
    if may_not.is_empty() {
        return Ok(may.into_iter().map(|(_, words)| words).collect());
    }
    let names: Vec<&str> = may_not.iter().map(|(setting, _)| setting.word()).collect();
    let words: Vec<String> = may_not.iter().map(|(_, words)| words.clone()).collect();
    Err(Error::Unmatched(format!(
        "{}; score both alike, bless a new baseline, or, if this change is what is judged, write \
         `allow_changed: [{}]` into gate.yaml",
        words.join("; "),
        names.join(", ")
    )))
}

fn notes(a: &Side, b: &Side) -> Vec<String> {
    let mut notes = Vec::new();
    for (word, side) in [("baseline", a), ("candidate", b)] {
        if side.operand.kind == Kind::Lines {
            notes.push(format!(
                "the {word} is a list of items: its data, prompts and settings could not be checked"
            ));
        }
        if side.operand.faults > 0 {
            notes.push(format!(
                "the {word} has {} episodes with faults, which are no items",
                side.operand.faults
            ));
        }
    }
    notes
}

fn matched<'s>(a: &'s Side, b: &'s Side, intersect: bool) -> Result<(Vec<Matched<'s>>, Intersection)> {
    let items = |side: &Side| side.cases.iter().map(|case| case.item.clone()).collect::<Vec<Item>>();
    let (keys, intersection) = compare::matching(&items(a), &items(b), intersect)?;
    type Found<'s> = BTreeMap<(&'s str, &'s str), BTreeMap<u32, &'s Case>>;
    fn index(side: &Side) -> Found<'_> {
        let mut found: Found<'_> = BTreeMap::new();
        for case in &side.cases {
            let key = (case.item.split.as_str(), case.item.id.as_str());
            found.entry(key).or_default().insert(case.item.repeat, case);
        }
        found
    }
    let (mut in_a, mut in_b) = (index(a), index(b));
    let mut all = Vec::with_capacity(keys.len());
    for (split, id) in &keys {
        let key = (split.as_str(), id.as_str());
        let (Some(a), Some(b)) = (in_a.remove(&key), in_b.remove(&key)) else { continue };
        let cases = |found: BTreeMap<u32, &'s Case>| found.into_values().collect::<Vec<_>>();
        let (a, b) = (cases(a), cases(b));
        let roles: BTreeSet<Role> = a.iter().chain(&b).filter_map(|case| case.item.role).collect();
        if roles.len() > 1 {
            return Err(Error::Unmatched(format!(
                "split {split}, id {id} has two roles: {}",
                roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(" and ")
            )));
        }
        all.push(Matched { split: split.clone(), role: roles.first().copied(), a, b });
    }
    Ok((all, intersection))
}

/// A rule with its items.
struct Resolved<'m> {
    rule: Rule,
    bound: Bound,
    name: String,
    items: Vec<&'m Matched<'m>>,
}

fn resolved<'m>(config: &GateConfig, matched: &'m [Matched<'m>]) -> Result<Vec<Resolved<'m>>> {
    let mut all = Vec::new();
    let rules = if config.rules.is_empty() { vec![usual(matched)?] } else { config.rules.clone() };
    for rule in rules {
        let bound = rule.bound()?;
        let splits = named(&rule, matched)?;
        let takes = |item: &&Matched<'_>| {
            rule.role.is_none_or(|role| item.role == Some(role))
                && (rule.splits.is_empty() || splits.contains(item.split.as_str()))
        };
        let items: Vec<&Matched<'_>> = matched.iter().filter(takes).collect();
        let words = rule.words(&bound);
        if items.is_empty() {
            return Err(Error::Input(format!(
                "rule {words}: no item is of its role; there are {}",
                roles(matched)
            )));
        }
        let place = rule.role.map_or_else(|| rule.splits.join("+"), |role| role.word().to_owned());
        let name = rule.name.clone().unwrap_or_else(|| format!("{words} {place}").trim_end().to_owned());
        if !rule.each_split {
            all.push(Resolved { rule, bound, name, items });
            continue;
        }
        let each: BTreeSet<&str> = items.iter().map(|item| item.split.as_str()).collect();
        for split in each {
            let items = items.iter().copied().filter(|item| item.split == split).collect();
            let name = format!("{} {split}", rule.name.as_ref().unwrap_or(&words));
            all.push(Resolved { rule: rule.clone(), bound, name, items });
        }
    }
    let mut seen = BTreeSet::new();
    for rule in &all {
        if !seen.insert(rule.name.clone()) {
            return Err(Error::Input(format!("rule {} stands twice; remove one, or name both", rule.name)));
        }
    }
    Ok(all)
}

/// The default: all `ood_test` items, or all items where none has a role.
fn usual(matched: &[Matched<'_>]) -> Result<Rule> {
    let rule = Rule::usual();
    if matched.iter().all(|item| item.role.is_none()) {
        return Ok(rule);
    }
    if matched.iter().any(|item| item.role == Some(Role::OodTest)) {
        return Ok(Rule { role: Some(Role::OodTest), ..rule });
    }
    Err(Error::Input(format!(
        "no item has the role ood_test, which the default rule is about; there are {}; name others in a gate.yaml",
        roles(matched)
    )))
}

fn roles(matched: &[Matched<'_>]) -> String {
    let found: BTreeSet<&str> = matched.iter().map(|item| item.role.map_or("no role", Role::word)).collect();
    found.into_iter().collect::<Vec<_>>().join(", ")
}

/// The full names of a rule's splits.
fn named<'m>(rule: &Rule, matched: &'m [Matched<'m>]) -> Result<BTreeSet<&'m str>> {
    let known: BTreeSet<&str> = matched.iter().map(|item| item.split.as_str()).collect();
    let mut found: BTreeSet<&str> = BTreeSet::new();
    for word in &rule.splits {
        let last = |name: &&str| name == word || name.rsplit('/').next() == Some(word);
        let fit: Vec<&str> = known.iter().copied().filter(last).collect();
        let exact = fit.iter().copied().find(|name| name == word);
        match (exact, &fit[..]) {
            (Some(name), _) => found.insert(name),
            (None, [name]) => found.insert(*name),
            (None, []) => {
                let all = known.iter().copied().collect::<Vec<_>>().join(", ");
                return Err(Error::Input(format!(
                    "rule on {}: no item is of split {word:?}; there are {all}",
                    rule.metric
                )));
            }
            (None, several) => {
                let all = several.join(", ");
                return Err(Error::Input(format!("rule on {}: split {word:?} could be {all}", rule.metric)));
            }
        };
    }
    Ok(found)
}

/// The true value that fails with the power asked for, if items spread as these do.
///
/// Spread is taken at the limit for the interval and at the truth for its chance to lie beyond. Where items are right
/// or wrong, a difference δ needs at least a share δ of items that differ, whatever these few have shown.
fn mde(data: &Data, bound: &Bound, power: Power) -> Option<f64> {
    let (n, limit, seen) = (data.n(), bound.limit(), data.variance()?);
    let spread = |truth: f64| match data {
        Data::Pairs(_) => seen.max(truth.abs() - truth * truth),
        _ => seen,
    };
    // At a power of a half only the interval's own half counts.
    let half = Power { power: 0.5, ..power };
    let (mut truth, sign) = (limit, if bound.above { -1.0 } else { 1.0 });
    for _ in 0..60 {
        let own = half.distance_of(n, spread(limit))?;
        let chance = power.distance_of(n, spread(truth))? - half.distance_of(n, spread(truth))?;
        truth = limit + sign * (own + chance);
    }
    Some(truth)
}

fn one(resolved: &Resolved<'_>, alpha: f64) -> Result<RuleReport> {
    let Resolved { rule, bound, name, items } = resolved;
    let values = |metric: Metric, side: &str| -> Result<Vec<f64>> {
        let one = |item: &&Matched<'_>| {
            let cases = if side == "baseline" { &item.a } else { &item.b };
            Matched::mean(cases, metric).ok_or_else(|| {
                let id = cases.first().map_or("", |case| case.item.id.as_str());
                Error::Input(format!(
                    "rule {name}: split {}, id {id} of the {side} has no {metric}",
                    item.split
                ))
            })
        };
        items.iter().map(one).collect()
    };
    let seed = SEED.derive(name, 0);
    let limit = bound.limit();
    let b = values(rule.metric, "candidate")?;
    let a = if bound.paired { Some(values(rule.metric, "baseline")?) } else { None };
    let data = match (&a, rule.metric.scale()) {
        (Some(a), _) => Data::paired(a, &b, seed),
        (None, Scale::Share) => Data::Share(b.clone()),
        (None, Scale::Gain) => Data::paired(
            &values(Metric::FirstAccuracy, "candidate")?,
            &values(Metric::Accuracy, "candidate")?,
            seed,
        ),
        (None, Scale::Count) => Data::Mean(b.clone(), limit, seed),
    };
    let none = || Error::NothingRan(format!("rule {name} has no item"));
    let level = 1.0 - 2.0 * alpha;
    let tested = data.interval(level).ok_or_else(none)?;
    let (p_fail, p_pass) = (data.p(limit, !bound.above), data.p(limit, bound.above));
    let variance = data.variance().ok_or_else(none)?;
    let power = Power { alpha: 2.0 * alpha, power: POWER };
    let (only_a, only_b) = match (&data, bound.paired) {
        (Data::Pairs(pairs), true) => (Some(pairs.only_a), Some(pairs.only_b)),
        _ => (None, None),
    };
    Ok(RuleReport {
        name: name.clone(),
        verdict: Verdict::Inconclusive,
        metric: rule.metric,
        role: rule.role,
        splits: items.iter().map(|item| item.split.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
        bound: bound.key.into(),
        amount: bound.amount,
        limit,
        n: data.n(),
        a: a.as_ref().and_then(|a| estimate(a, seed)),
        b: estimate(&b, seed).ok_or_else(none)?,
        only_a,
        only_b,
        tested,
        level,
        p_fail: p_fail.ok_or_else(none)?,
        p_fail_holm: 1.0,
        p_pass: p_pass.ok_or_else(none)?,
        mde: mde(&data, bound, power),
        n_to_decide: power.items_away(tested.value - limit, variance),
        n_if_equal: power.items_away(limit, variance).filter(|_| bound.paired),
    })
}
