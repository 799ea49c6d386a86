//! The lines and the manifest of a materialized split.

use serde::{Deserialize, Serialize};
use vrrl_harness_core::{sha256_hex, Feedback, Seed, View};

use crate::split::sorted;
use crate::{Examples, Item, Source, SplitDef};

/// Name of the file that marks a folder as ours.
pub(crate) const MANIFEST: &str = "manifest.json";
/// Name of the file of rows.
pub(crate) const METADATA: &str = "metadata.jsonl";

/// One line of `metadata.jsonl`; the same keys and types for every task.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) file_name: String,
    pub(crate) id: String,
    pub(crate) task: String,
    pub(crate) question: String,
    pub(crate) answer: String,
    /// Ground truth, as JSON text.
    pub(crate) truth: String,
    /// Parameters, as JSON text.
    pub(crate) params: String,
    pub(crate) seed: Seed,
    pub(crate) shift: String,
    pub(crate) severity: u32,
    pub(crate) content_hash: String,
    pub(crate) image_sha256: String,
    /// A plausible wrong answer, where feedback is written, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) proposal: Option<String>,
    /// Its feedback as a picture; a column `feedback` to readers of imagefolders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) feedback_file_name: Option<String>,
}

/// `manifest.json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) generator_version: u32,
    pub(crate) source: Source,
    pub(crate) definition: SplitDef,
    pub(crate) folder: String,
    pub(crate) rows: usize,
    /// [`crate::Split::hash`].
    pub(crate) hash: String,
    /// SHA-256 of `metadata.jsonl`: the root hash, since its rows hash problems and pictures.
    pub(crate) metadata_sha256: String,
    /// Whether rows have a proposal and its feedback.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) feedback: bool,
    /// Whose base scenes are shown again elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) base_scenes: Option<BaseScenes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ceiling: Option<String>,
}

/// What a paired split says about itself: splits of equal `key` show the same base scenes under equal ids.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct BaseScenes {
    pub(crate) name: String,
    pub(crate) key: String,
    /// Built-in splits with the same key, this one left out.
    pub(crate) shared_with: Vec<String>,
}

/// The pictures of a row, as PNG.
pub(crate) struct Pictures {
    pub(crate) question: Vec<u8>,
    pub(crate) feedback: Option<Vec<u8>>,
}

/// What all rows of a split have in common.
pub(crate) struct Style {
    shift: String,
    severity: u32,
    feedback: bool,
}

impl Style {
    pub(crate) fn of(def: &SplitDef, feedback: bool) -> Self {
        Self { shift: def.shift_label(), severity: def.severity_number().into(), feedback }
    }

    /// Row `index` and its pictures.
    pub(crate) fn row(&self, index: usize, item: &Item) -> (Row, Pictures) {
        let example = &item.example;
        let problem = &example.problem;
        let question = vrrl_generators::png(&problem.observe(View::Crisp));
        let (proposal, feedback) = self.feedback.then(|| wrong_answer(item)).unzip();
        // Ids may be third parties' and hold any letter; positions are always good names.
        let row = Row {
            file_name: format!("images/{index:06}.png"),
            id: example.id.clone(),
            task: example.task().word().into(),
            question: problem.question(),
            answer: problem.oracle(&mut example.seed.derive("answer", 0).rng()).text(),
            truth: serde_json::to_string(&problem.truth()).expect("a truth is plain data"),
            params: sorted(&item.params),
            seed: example.seed,
            shift: self.shift.clone(),
            severity: self.severity,
            content_hash: example.content_hash.clone(),
            image_sha256: sha256_hex(&question),
            proposal,
            feedback_file_name: self.feedback.then(|| format!("images/{index:06}_feedback.png")),
        };
        (row, Pictures { question, feedback })
    }
}

/// A wrong answer in words, and its feedback as PNG.
fn wrong_answer(item: &Item) -> (String, Vec<u8>) {
    let problem = &item.example.problem;
    let answer = problem.mistake(&mut item.example.seed.derive("proposal", 0).rng());
    let picture = match problem.feedback(&answer, View::Crisp) {
        Feedback::Image(picture) => picture,
        // Feedback in words has no picture of its own; the question's stands there.
        Feedback::Text(_) => problem.observe(View::Crisp),
    };
    (answer.text(), vrrl_generators::png(&picture))
}

/// What the manifest says about shared base scenes.
pub(crate) fn base_scenes(examples: &Examples) -> Option<BaseScenes> {
    let def = examples.def();
    let name = def.scenes.clone()?;
    let key = def.scenes_key();
    let shares = |other: &&SplitDef| other.name != def.name && other.scenes_key() == key;
    let shared_with = crate::catalog().iter().filter(shares).map(|other| other.name.clone()).collect();
    Some(BaseScenes { name, key, shared_with })
}
