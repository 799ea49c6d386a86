//! From a sweep to one experiment whose methods are the variants: what variants share stands there once.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use serde_yaml::{Mapping, Value};
use vrrl_baselines::Method;
use vrrl_harness_core::sha256_hex;

use super::key::{short_names, value_text, Key};
use super::variants::{self, slug, Variant};
use super::Sweep;
use crate::{Error, Experiment, MethodEntry, Result};

/// Longest name of a row; a longer one is cut and ends in part of its hash.
const LONGEST: usize = 72;

/// A sweep, expanded.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Expanded {
    /// One method for every distinct recipe and start.
    pub experiment: Experiment,
    /// Keys that differ.
    pub keys: Vec<Key>,
    /// What was asked for, by name, each with the rows that it stands in.
    pub variants: Vec<(String, Vec<String>)>,
    /// Rows of the table: scored methods, in order.
    pub rows: Vec<Row>,
    /// The row that the others are compared with.
    pub base: Option<String>,
}

/// One row of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    /// Name of its method in the expanded experiment.
    pub name: String,
    /// Training method.
    pub method: Method,
    /// Value of each key; `None` where it has no part in this row.
    pub values: Vec<Option<String>>,
    /// It is no variant and not the base row: it is there because others start from it.
    pub start: bool,
}

/// A method under a variant.
#[derive(Clone)]
struct Made {
    /// Place of the method in the experiment.
    at: usize,
    entry: MethodEntry,
    /// Everything that decides its training and its scoring, defaults written out.
    identity: Json,
    /// Its recipe, defaults written out.
    recipe: Json,
    /// Values that the variant sets, own and of its starts.
    values: Vec<(usize, Value)>,
}

struct Expander<'a> {
    experiment: &'a Experiment,
    keys: Vec<Key>,
    short: Vec<String>,
    made: Vec<Made>,
}

/// Expands a sweep.
///
/// # Errors
/// [`Error::Input`] naming the variant, for keys or values that make no sense.
pub(crate) fn expand(sweep: &Sweep) -> Result<Expanded> {
    let experiment = sweep.experiment()?;
    let (keys, variants) = variants::read(sweep, &experiment)?;
    let short = short_names(&keys);
    let mut expander = Expander { experiment: &experiment, keys, short, made: Vec::new() };
    let swept = expander.swept(&variants);
    let mut told: Vec<(String, Vec<String>)> = Vec::new();
    for variant in &variants {
        let mut rows = Vec::new();
        for &method in &swept {
            let named = |e: Error| {
                Error::Input(format!("variant {}: {}", variant.name, crate::experiment::chain(&e)))
            };
            // A variant trains what it changes; one that changes nothing is the experiment as it stands.
            if variant.values.is_empty() || expander.touches(method, variant) {
                let name = expander.make(method, variant).map_err(named)?;
                if experiment.methods[method].scored && !rows.contains(&name) {
                    rows.push(name);
                }
            }
        }
        told.push((variant.name.clone(), rows));
    }
    if let Some(base) = &sweep.base {
        let plain = Variant { name: base.clone(), of_grid: false, values: vec![] };
        if !expander.made.iter().any(|made| made.entry.name == *base) {
            let method =
                experiment.methods.iter().position(|entry| entry.name == *base).ok_or_else(|| {
                    let known: Vec<&str> = experiment
                        .methods
                        .iter()
                        .map(|e| &e.name)
                        .chain(told.iter().flat_map(|(_, r)| r))
                        .map(String::as_str)
                        .collect();
                    Error::Input(format!(
                        "base: {base:?} is neither a method nor a row (known: {})",
                        known.join(", ")
                    ))
                })?;
            expander.make(method, &plain)?;
        }
    }
    finish(sweep, expander, told)
}

impl Expander<'_> {
    /// Methods that some variant changes, by themselves or by their start; all where nothing is varied.
    fn swept(&self, variants: &[Variant]) -> Vec<usize> {
        let all = 0..self.experiment.methods.len();
        if self.keys.is_empty() {
            return all.collect();
        }
        all.filter(|&method| variants.iter().any(|variant| self.touches(method, variant))).collect()
    }

    /// Whether a variant changes a method or one that it starts from.
    fn touches(&self, method: usize, variant: &Variant) -> bool {
        let entry = &self.experiment.methods[method];
        let own = |(key, _): &(usize, Value)| self.keys[*key].method == entry.name;
        let start = entry.init.as_ref().and_then(|init| self.place(init)).filter(|start| *start < method);
        variant.values.iter().any(own) || start.is_some_and(|start| self.touches(start, variant))
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.experiment.methods.iter().position(|entry| entry.name == name)
    }

    /// Makes a method under a variant, with its starts, unless the same is there; returns its name.
    fn make(&mut self, method: usize, variant: &Variant) -> Result<String> {
        let plain = self.experiment.methods[method].clone();
        let mut entry = plain.clone();
        // Graphs of every variant would double what is scored.
        entry.onnx = false;
        let mut values = Vec::new();
        for (key, value) in &variant.values {
            if self.keys[*key].method == entry.name {
                self.keys[*key].set(&mut entry, value)?;
                values.push((*key, value.clone()));
            }
        }
        if let Some(init) = entry.init.take() {
            let start = self.place(&init).filter(|start| *start < method).ok_or_else(|| {
                Error::Input(format!("{}: init {init:?} is no method above it", plain.name))
            })?;
            let name = self.make(start, variant)?;
            let of_start = self.made.iter().find(|made| made.entry.name == name);
            values.extend(of_start.map(|made| made.values.clone()).unwrap_or_default());
            entry.init = Some(name);
        }
        if entry.method.needs_start() != entry.init.is_some() {
            let needs = if entry.method.needs_start() { "a start; name one as `init`" } else { "no start" };
            return Err(Error::Input(format!("{}: `{}` takes {needs}", plain.name, entry.method.word())));
        }
        values.sort_by_key(|(key, _)| *key);
        let recipe = written_out(self.experiment, &entry)?;
        let identity = identity(self.experiment, &entry, &recipe);
        if let Some(same) = self.made.iter().find(|made| made.at == method && made.identity == identity) {
            return Ok(same.entry.name.clone());
        }
        // What equals the experiment's own method carries its name, whatever the variant is called.
        let own = written_out(self.experiment, &plain)?;
        let own = self::identity(self.experiment, &plain, &own);
        if own == identity {
            // Its starts are its own too, or it would not be equal.
            entry = MethodEntry { onnx: false, ..plain };
        } else {
            entry.name = self.name(&plain.name, variant, &values);
        }
        let name = entry.name.clone();
        self.made.push(Made { at: method, entry, identity, recipe, values });
        Ok(name)
    }

    /// A name that no other method has.
    fn name(&self, method: &str, variant: &Variant, values: &[(usize, Value)]) -> String {
        let words = if variant.of_grid { slug(values, &self.short) } else { variant.name.clone() };
        let mut name = format!("{method}-{words}");
        let hash = || {
            let said =
                |(key, value): &(usize, Value)| format!("{}={}", self.keys[*key].text, value_text(value));
            sha256_hex(values.iter().map(said).collect::<Vec<_>>().join("\n").as_bytes())[..8].to_owned()
        };
        if name.len() > LONGEST {
            name.truncate(LONGEST - 9);
            name = format!("{name}-{}", hash());
        }
        let taken = |name: &str| {
            let methods = self.experiment.methods.iter().map(|entry| &entry.name);
            methods.chain(self.made.iter().map(|made| &made.entry.name)).any(|other| other == name)
        };
        // An end such as -s3 would be read as a seed.
        let seed = name
            .rsplit_once("-s")
            .is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        if taken(&name) || seed {
            name = format!("{name}-{}", hash());
        }
        name
    }
}

/// A method's recipe with every default written out; the seed has no part in it.
fn written_out(experiment: &Experiment, entry: &MethodEntry) -> Result<Json> {
    let mut recipe = experiment.recipe(entry, 0).map_err(|error| match error {
        Error::Recipe { name, reason } => {
            Error::Recipe { name, reason: crate::experiment::explained(&reason) }
        }
        other => other,
    })?;
    let unsaid = |e: serde_json::Error| Error::Input(format!("recipe {}: {e}", entry.name));
    match recipe.method {
        Method::Base => {
            recipe.network.get_or_insert_default();
            recipe.demos.get_or_insert_default();
            recipe.sft.get_or_insert_default();
        }
        Method::SingleSft => drop(recipe.sft.get_or_insert_default()),
        Method::MultiSft => {
            recipe.demos.get_or_insert_default();
            recipe.sft.get_or_insert_default();
        }
        Method::ReflectionTuning => {
            recipe.demos.get_or_insert_default();
            recipe.sft.get_or_insert_default();
            recipe.tuning.get_or_insert_default();
        }
        // The settings of reinforcement are a preset with others laid over it: they are written out below.
        _ => recipe.rl = Some(Mapping::new()),
    }
    let mut all = serde_json::to_value(&recipe).map_err(unsaid)?;
    if recipe.rl.is_some() {
        let config = experiment.recipe(entry, 0)?.rl_config();
        let config = config.map_err(|e| Error::Input(crate::experiment::chain(&e)))?;
        all["rl"] = serde_json::to_value(config).map_err(unsaid)?;
    }
    Ok(all)
}

/// Everything that decides a method's training and its scoring.
fn identity(experiment: &Experiment, entry: &MethodEntry, recipe: &Json) -> Json {
    let turns = entry.max_turns.unwrap_or(experiment.eval.max_turns);
    serde_json::json!([recipe, entry.init, turns, entry.shared])
}

/// Puts the parts together and checks them as a file would be.
fn finish(sweep: &Sweep, expander: Expander<'_>, variants: Vec<(String, Vec<String>)>) -> Result<Expanded> {
    let Expander { experiment, keys, mut made, .. } = expander;
    // Starts stand above what starts from them, a method's own form first.
    made.sort_by_key(|made| (made.at, made.entry.name != experiment.methods[made.at].name));
    let methods: Vec<MethodEntry> = made.iter().map(|made| made.entry.clone()).collect();
    let expanded = Experiment {
        name: sweep.name.clone(),
        title: if sweep.title.is_empty() { sweep.name.clone() } else { sweep.title.clone() },
        seed_folders: true,
        methods,
        ..experiment.clone()
    };
    expanded.check()?;
    let mut names = BTreeSet::new();
    for entry in &expanded.methods {
        for &seed in expanded.seeds_of(entry) {
            if !names.insert(expanded.checkpoint(entry, seed)) {
                let name = expanded.checkpoint(entry, seed);
                return Err(Error::Input(format!(
                    "two checkpoints would be called {name}; rename the variant"
                )));
            }
        }
    }
    let asked = |name: &String| {
        variants.iter().any(|(_, rows)| rows.contains(name)) || sweep.base.as_ref() == Some(name)
    };
    let row = |m: &Made| Row {
        name: m.entry.name.clone(),
        method: m.entry.method,
        values: values(m, &made, &keys, experiment),
        start: !asked(&m.entry.name),
    };
    let rows: Vec<Row> = made.iter().filter(|made| made.entry.scored).map(row).collect();
    if rows.is_empty() {
        return Err(Error::Input("nothing that is swept is scored; set `scored: true` on a method".into()));
    }
    if let Some(base) = &sweep.base {
        if !rows.iter().any(|row| row.name == *base) {
            return Err(Error::Input(format!("base: {base} is not scored")));
        }
    }
    Ok(Expanded { experiment: expanded, keys, variants, rows, base: sweep.base.clone() })
}

/// The value of every key in a row: as the variant says, else as the recipe has it by default.
fn values(made: &Made, all: &[Made], keys: &[Key], experiment: &Experiment) -> Vec<Option<String>> {
    let of = |(place, key): (usize, &Key)| {
        if let Some((_, value)) = made.values.iter().find(|(other, _)| *other == place) {
            return Some(value_text(value));
        }
        // The row itself, or the start that the key is about.
        let mut at = Some(made);
        while let Some(here) = at.filter(|here| experiment.methods[here.at].name != key.method) {
            at = here.entry.init.as_ref().and_then(|init| all.iter().find(|other| other.entry.name == *init));
        }
        let found = at?;
        let value = match key.path[0].as_str() {
            "init" => Json::from(found.entry.init.clone()),
            "max_turns" => Json::from(found.entry.max_turns.unwrap_or(experiment.eval.max_turns)),
            _ => key.path.iter().try_fold(&found.recipe, |at, part| at.get(part))?.clone(),
        };
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    keys.iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests;
