//! Tasks for lm-eval and lmms-eval: the rows of a plain export with their prompt, and for each split a YAML file
//! that points at them. Both harnesses ask for one answer, without feedback.

use serde_json::json;

use super::easyr1::JUDGE;
use super::plan::{Part, Plan};
use super::value::{Columns, Row, Type};
use super::write::Written;
use super::{huggingface, prompt, Layout, One, Options, Turns};

pub(super) struct LmEval;

impl Layout for LmEval {
    fn columns(&self, _: &Options) -> Columns {
        let mut columns = huggingface::columns();
        columns.push(("prompt", Type::Text));
        columns
    }

    fn rows(&self, one: &One<'_>) -> Vec<Row> {
        let mut row = huggingface::row(one);
        row.push(prompt::text(&*one.example().problem, one.options.dialect, Turns::Single).into());
        vec![row]
    }

    fn files(&self, plan: &Plan<'_>, files: &[Vec<Written>]) -> Vec<(String, Vec<u8>)> {
        let mut beside = huggingface::described(plan, files, &self.columns(&plan.options));
        let utils = [
            ("lm_eval", include_str!("python/lm_eval.py")),
            ("lmms_eval", include_str!("python/lmms_eval.py")),
        ];
        for (folder, utils) in utils {
            beside.push((format!("{folder}/utils.py"), format!("{JUDGE}{utils}").into()));
        }
        for part in &plan.splits {
            let name = format!("vrrl_{}_{}", part.examples.def().task.word(), part.name);
            beside.push((format!("lm_eval/{name}.yaml"), lm_eval(part, &name).into()));
            beside.push((format!("lmms_eval/{name}.yaml"), lmms_eval(part, &name).into()));
        }
        beside
    }

    fn about(&self) -> &'static str {
        "Rows and tasks for two harnesses: `lm_eval --include_path <this folder>/lm_eval --tasks vrrl_…` with a model \
         that takes pictures, and `lmms_eval --include_path <this folder>/lmms_eval --tasks vrrl_…`. Each row is one \
         example with its `prompt`."
    }
}

/// Metadata of a task: what was asked, as the harness writes it into its results.
fn metadata(part: &Part<'_>) -> String {
    let def = part.examples.def();
    let text = |value: &str| json!(value).to_string();
    format!(
        "metadata:\n  version: 1.0\n  split_name: {}\n  role: {}\n  shift: {}\n  severity: {}\n  identity: {}\n",
        text(&def.name),
        def.role.word(),
        text(&def.shift_label()),
        def.severity_number(),
        text(&part.identity)
    )
}

fn lm_eval(part: &Part<'_>, name: &str) -> String {
    format!(
        "# The folder is found from the place of utils.py, so the export can be moved as a whole.\n\
         task: {name}\n\
         custom_dataset: !function utils.load_rows\n\
         dataset_kwargs:\n  config: {config}\n  split: {split}\n\
         test_split: {split}\n\
         output_type: generate_until\n\
         doc_to_text: !function utils.doc_to_text\n\
         doc_to_image: !function utils.doc_to_image\n\
         doc_to_target: answer\n\
         process_results: !function utils.process_results\n\
         generation_kwargs:\n  until: []\n  do_sample: false\n  temperature: 0.0\n  max_gen_toks: 512\n\
         metric_list:\n\
         - metric: accuracy\n  aggregation: mean\n  higher_is_better: true\n\
         - metric: parses\n  aggregation: mean\n  higher_is_better: true\n{metadata}",
        config = part.config,
        split = part.name,
        metadata = metadata(part),
    )
}

fn lmms_eval(part: &Part<'_>, name: &str) -> String {
    format!(
        "# The folder is found from the place of utils.py, so the export can be moved as a whole.\n\
         task: {name}\n\
         dataset_path: !function utils.FOLDER\n\
         dataset_name: {config}\n\
         test_split: {split}\n\
         output_type: generate_until\n\
         doc_to_visual: !function utils.doc_to_visual\n\
         doc_to_text: !function utils.doc_to_text\n\
         doc_to_target: answer\n\
         process_results: !function utils.process_results\n\
         generation_kwargs:\n  do_sample: false\n  temperature: 0.0\n  max_new_tokens: 512\n\
         metric_list:\n\
         - metric: accuracy\n  aggregation: mean\n  higher_is_better: true\n\
         - metric: parses\n  aggregation: mean\n  higher_is_better: true\n{metadata}",
        config = part.config,
        split = part.name,
        metadata = metadata(part),
    )
}
