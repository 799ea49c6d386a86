//! From an experiment to its graph of stages, each with the hash of its inputs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use vrrl_baselines::Mix;
use vrrl_harness::EvalConfig;
use vrrl_harness_core::Hasher;

use crate::experiment::Decoding;
use crate::pool::{self, Node};
use crate::stage::{Model, Stage, Work};
use crate::{data, Error, Experiment, Result};

/// What is going to happen, for people.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// Name of the experiment.
    pub name: String,
    /// Where it goes.
    pub out: String,
    /// Stages in order.
    pub stages: Vec<PlannedStage>,
    /// Seconds that what is left may take on so many threads of stages.
    pub estimate_seconds: f64,
    /// Stages that run side by side at most.
    pub jobs: usize,
}

/// One stage of a plan.
#[derive(Clone, PartialEq, Debug)]
pub struct PlannedStage {
    /// Its name.
    pub name: String,
    /// Seconds it may take, measured on two cores when the file was written.
    pub estimate_seconds: f64,
    /// It is already done.
    pub done: bool,
}

/// Seconds for what the file names no estimate for.
const SPLITS: f64 = 5.0;
const TRAIN: f64 = 60.0;
const EXPORT: f64 = 1.0;
const EVAL: f64 = 10.0;
const REFERENCE: f64 = 2.0;
const REPORT: f64 = 3.0;

/// The stages of `experiment` in `out`, in an order in which each comes after what it needs.
///
/// # Errors
/// A split that does not exist, or a recipe that makes no sense.
pub(crate) fn stages(experiment: &Experiment, out: &Path) -> Result<Vec<Stage>> {
    let splits = split_inputs(experiment)?;
    let tested = tested(experiment, &splits);
    let trained = |mix: &Mix| -> String {
        mix.names().iter().map(|name| splits[name].as_str()).collect::<Vec<_>>().join(" ")
    };
    let mut all = vec![Stage {
        name: "splits".into(),
        dir: out.join("splits"),
        inputs: hash("splits", splits.iter().flat_map(|(name, hash)| [name.as_str(), hash.as_str()])),
        needs: vec![],
        estimate: SPLITS,
        work: Work::Splits,
    }];
    // Checkpoint name to its stage.
    let mut checkpoints: BTreeMap<String, usize> = BTreeMap::new();
    for (method, entry) in experiment.methods.iter().enumerate() {
        for &seed in experiment.seeds_of(entry) {
            let name = experiment.checkpoint(entry, seed);
            let recipe = experiment.recipe(entry, seed)?;
            let text =
                recipe.settings().map_err(|e| Error::Input(format!("recipe {name}: {e}")))?.to_string();
            let parent = parent(experiment, method, seed).map(|parent| checkpoints[&parent]);
            let init = parent.map_or("", |p| all[p].inputs.as_str());
            let [train, val] = experiment.mixes(entry).map(trained);
            let inputs = hash("train", [text.as_str(), init, &train, &val, &experiment.device]);
            checkpoints.insert(name.clone(), all.len());
            all.push(Stage {
                dir: out.join("checkpoints").join(&name),
                inputs,
                needs: std::iter::once(0).chain(parent).collect(),
                estimate: entry.estimate_seconds.unwrap_or(TRAIN),
                work: Work::Train { method, seed },
                name: format!("train {name}"),
            });
        }
    }
    let mut scored: Vec<(Model, String, usize)> = Vec::new();
    for (method, entry) in experiment.methods.iter().enumerate().filter(|(_, entry)| entry.scored) {
        for &seed in experiment.seeds_of(entry) {
            let name = experiment.checkpoint(entry, seed);
            let stage = checkpoints[&name];
            scored.push((Model::Trained { method, seed }, name, stage));
            if entry.onnx {
                let name = exported(experiment, method, seed);
                scored.push((Model::Exported { method, seed }, name.clone(), all.len()));
                all.push(Stage {
                    dir: out.join("onnx").join(&name),
                    inputs: hash("export", [all[stage].inputs.as_str()]),
                    needs: vec![stage],
                    estimate: EXPORT,
                    work: Work::Export { method, seed },
                    name: format!("export {name}"),
                });
            }
        }
    }
    scored.extend(experiment.references.iter().map(|word| (Model::Reference(word.clone()), word.clone(), 0)));
    for decoding in &experiment.eval.decodings {
        for (model, name, need) in &scored {
            let config = eval_config(experiment, model, *decoding, name);
            let run = format!("{}@{decoding}", name.replace(':', "_"));
            let needed = if *need == 0 { name.as_str() } else { all[*need].inputs.as_str() };
            let config_hash = config.hash();
            let parts = [needed, config_hash.as_str(), tested.as_str(), experiment.device.as_str()];
            let reference = matches!(model, Model::Reference(_));
            all.push(Stage {
                dir: out.join("evals").join(&run),
                inputs: hash("eval", parts),
                needs: if *need == 0 { vec![0] } else { vec![0, *need] },
                estimate: if reference {
                    REFERENCE
                } else {
                    experiment.eval.estimate_seconds.unwrap_or(EVAL)
                },
                work: Work::Eval { model: model.clone(), temperature: decoding.0 },
                name: format!("score {run}"),
            });
        }
    }
    let words = experiment.notes.iter().chain([&experiment.title]).map(String::as_str);
    let inputs = hash("report", all.iter().map(|stage| stage.inputs.as_str()).chain(words));
    let needs = (0..all.len()).collect();
    all.push(Stage {
        name: "report".into(),
        dir: out.to_path_buf(),
        inputs,
        needs,
        estimate: REPORT,
        work: Work::Report,
    });
    Ok(all)
}

/// Name of a checkpoint's ONNX graphs: `vrrl_onnx`, or `vrrl_onnx-s2` with several seeds.
pub(crate) fn exported(experiment: &Experiment, method: usize, seed: u64) -> String {
    let entry = &experiment.methods[method];
    let checkpoint = experiment.checkpoint(entry, seed);
    let seed = checkpoint.strip_prefix(entry.name.as_str()).unwrap_or_default();
    format!("{}_onnx{seed}", entry.name)
}

/// Name of the checkpoint that a training starts from.
pub(crate) fn parent(experiment: &Experiment, method: usize, seed: u64) -> Option<String> {
    let entry = experiment.method(experiment.methods[method].init.as_ref()?)?;
    Some(experiment.checkpoint(entry, seed))
}

/// The configuration of one evaluation.
pub(crate) fn eval_config(
    experiment: &Experiment,
    model: &Model,
    decoding: Decoding,
    name: &str,
) -> EvalConfig {
    let settings = &experiment.eval;
    let (method, max_turns, train_seed) = match model {
        Model::Trained { method, seed } | Model::Exported { method, seed } => {
            let entry = &experiment.methods[*method];
            (entry.method.word().to_owned(), entry.max_turns.unwrap_or(settings.max_turns), Some(*seed))
        }
        Model::Reference(_) => ("reference".into(), settings.max_turns, None),
    };
    EvalConfig {
        name: name.to_owned(),
        method,
        reference: train_seed.is_none(),
        train_seed,
        dialect: experiment.dialect,
        max_turns,
        temperature: decoding.0,
        max_tokens: settings.max_tokens,
        seed: settings.seed,
        limit: settings.limit,
        save_images: settings.save_images,
        ..EvalConfig::default()
    }
}

/// Every split and file of maps that the experiment names, with the hash of what decides its data.
fn split_inputs(experiment: &Experiment) -> Result<BTreeMap<String, String>> {
    let names = &experiment.splits;
    let [train, val] = experiment.used();
    let all = train.into_iter().chain(val).chain(&names.dev).chain(&names.test);
    let maps = experiment.maps.iter().map(|file| file.display().to_string());
    let mut found = BTreeMap::new();
    for name in all.cloned().chain(maps) {
        let hash = data::input_hash(&name)?;
        found.insert(name, hash);
    }
    Ok(found)
}

/// Hash over what is scored on, in order.
fn tested(experiment: &Experiment, inputs: &BTreeMap<String, String>) -> String {
    hash("tested", tested_names(experiment).iter().map(|name| inputs[name].as_str()))
}

/// What is scored on, in the order of every table: test splits, development splits, maps.
pub(crate) fn tested_names(experiment: &Experiment) -> Vec<String> {
    let maps = experiment.maps.iter().map(|file| file.display().to_string());
    experiment.splits.test.iter().chain(&experiment.splits.dev).cloned().chain(maps).collect()
}

fn hash<'a>(label: &str, parts: impl IntoIterator<Item = &'a str>) -> String {
    parts.into_iter().fold(Hasher::default().part("vrrl stage 1").part(label), |h, part| h.part(part)).hex()
}

/// The graph that is still to be done.
pub(crate) fn nodes(stages: &[Stage], done: &[bool]) -> Vec<Node> {
    let node = |(stage, done): (&Stage, &bool)| Node {
        needs: stage.needs.clone(),
        estimate: if *done { 0.0 } else { stage.estimate },
    };
    stages.iter().zip(done).map(node).collect()
}

/// The stages that are not to be started: those that none of the methods in `only` needs, and the report unless all
/// else is done then. All false without `only`.
pub(crate) fn left_out(
    experiment: &Experiment,
    stages: &[Stage],
    done: &[bool],
    only: Option<&BTreeSet<String>>,
) -> Vec<bool> {
    let mut wanted = vec![only.is_none(); stages.len()];
    let Some(only) = only else { return wanted.iter().map(|wanted| !wanted).collect() };
    for (i, stage) in stages.iter().enumerate().rev() {
        wanted[i] |= match &stage.work {
            Work::Train { method, .. }
            | Work::Export { method, .. }
            | Work::Eval { model: Model::Trained { method, .. } | Model::Exported { method, .. }, .. } => {
                only.contains(&experiment.methods[*method].name)
            }
            Work::Splits | Work::Eval { model: Model::Reference(_), .. } => true,
            Work::Report => false,
        };
        if wanted[i] {
            stage.needs.iter().for_each(|&need| wanted[need] = true);
        }
    }
    let rest = stages.iter().zip(&wanted).zip(done).all(|((s, w), d)| *w || *d || s.work == Work::Report);
    let started = |i: usize| wanted[i] || done[i] || rest && stages[i].work == Work::Report;
    (0..stages.len()).map(|i| !started(i)).collect()
}

/// The plan for people.
pub(crate) fn describe(
    experiment: &Experiment,
    out: &Path,
    stages: &[Stage],
    done: &[bool],
    left_out: &[bool],
    jobs: usize,
) -> Plan {
    let counts = |i: &usize| !left_out[*i];
    let planned = |i: usize| PlannedStage {
        name: stages[i].name.clone(),
        estimate_seconds: stages[i].estimate,
        done: done[i],
    };
    let skipped: Vec<bool> = done.iter().zip(left_out).map(|(done, left)| *done || *left).collect();
    Plan {
        name: experiment.name.clone(),
        out: out.display().to_string(),
        stages: (0..stages.len()).filter(counts).map(planned).collect(),
        estimate_seconds: pool::makespan(&nodes(stages, &skipped), jobs),
        jobs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quick() -> Experiment {
        Experiment::from_yaml(crate::preset("quickstart").unwrap(), Path::new("quickstart")).unwrap()
    }

    #[test]
    fn every_stage_comes_after_what_it_needs() {
        let stages = stages(&quick(), Path::new("out")).unwrap();
        for (i, stage) in stages.iter().enumerate() {
            assert!(stage.needs.iter().all(|&need| need < i), "{}", stage.name);
        }
        let names: BTreeSet<&str> = stages.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names.len(), stages.len());
        let dirs: BTreeSet<_> = stages.iter().map(|s| &s.dir).collect();
        assert_eq!(dirs.len(), stages.len());
        for name in
            ["splits", "train vrrl", "score vrrl@t1", "score vrrl@greedy", "score oracle@t1", "report"]
        {
            assert!(names.contains(name), "{name} is not among {names:?}");
        }
        // The last method's graphs stand beside it.
        assert!(names.contains("export vrrl_onnx") && names.contains("score vrrl_onnx@t1"), "{names:?}");
        let mut several = quick();
        several.seeds = vec![1, 2];
        assert_eq!(exported(&several, several.methods.len() - 1, 2), "vrrl_onnx-s2");
    }

    #[test]
    fn a_change_reaches_what_depends_on_it_and_nothing_else() {
        let base = quick();
        let hashes = |e: &Experiment| -> BTreeMap<String, String> {
            stages(e, Path::new("out")).unwrap().into_iter().map(|s| (s.name, s.inputs)).collect()
        };
        let before = hashes(&base);
        let mut other = base.clone();
        other.eval.max_turns += 1;
        let after = hashes(&other);
        assert_eq!(before["train vrrl"], after["train vrrl"]);
        assert_ne!(before["score vrrl@t1"], after["score vrrl@t1"]);
        let mut other = base.clone();
        other.seeds[0] += 1;
        let after = hashes(&other);
        assert_ne!(before["train base"], after["train base"]);
        assert_ne!(before["train vrrl"], after["train vrrl"]);
        assert_eq!(before["score oracle@t1"], after["score oracle@t1"]);
        assert_eq!(before["splits"], after["splits"]);
        let mut other = base;
        other.notes.push("a remark".into());
        other.title.push('!');
        let mut after = hashes(&other);
        // Words stand on the page alone.
        assert_ne!(after.insert("report".into(), before["report"].clone()), before.get("report").cloned());
        assert_eq!(before, after);
    }
}
