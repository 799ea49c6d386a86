//! Rows for EasyR1: `problem` with an `<image>` mark, `answer`, `images` (its `data.prompt_key=problem`,
//! `data.answer_key=answer`, `data.image_key=images`; `data.train_files=OUT/data/SPLIT`, with several tasks `OUT/TASK/SPLIT`).
//!
//! Its reward functions see the reply and `answer` alone, and one right answer is not enough to judge a maze or a
//! pointed place. So `answer` is a JSON text of task, answer and truth, which the `reward.py` beside it reads.

use serde_json::json;
use vrrl_harness_core::Example;

use super::huggingface::{answer, path, picture};
use super::plan::Plan;
use super::value::{Columns, Row, Type, Value};
use super::write::Written;
use super::{prompt, Layout, One, Options};
use crate::split::sorted;

/// The judge that every reward file begins with: the rules of this project's own, for one reply.
pub(super) const JUDGE: &str = include_str!("python/judge.py");

pub(super) struct EasyR1;

/// Task, one answer and truth, for judges that are handed a single text.
pub(super) fn ground_truth(example: &Example) -> String {
    sorted(&json!({
        "task": example.task().word(),
        "answer": answer(example),
        "truth": example.problem.truth(),
    }))
}

impl Layout for EasyR1 {
    fn columns(&self, _: &Options) -> Columns {
        vec![
            ("problem", Type::Text),
            ("answer", Type::Text),
            ("images", Type::list(Type::Picture)),
            ("id", Type::Text),
            ("task", Type::Text),
            ("shift", Type::Text),
            ("severity", Type::Int),
            ("content_hash", Type::Text),
        ]
    }

    fn rows(&self, one: &One<'_>) -> Vec<Row> {
        let (example, options) = (one.example(), one.options);
        let text = prompt::text(&*example.problem, options.dialect, options.turns);
        let image = Value::Picture { path: path(one, 0), png: picture(example, options.view) };
        vec![vec![
            format!("{}{text}", prompt::PICTURE).into(),
            ground_truth(example).into(),
            Value::List(vec![image]),
            example.id.as_str().into(),
            example.task().word().into(),
            one.def.shift_label().as_str().into(),
            Value::Int(one.def.severity_number().into()),
            example.content_hash.as_str().into(),
        ]]
    }

    fn files(&self, _: &Plan<'_>, _: &[Vec<Written>]) -> Vec<(String, Vec<u8>)> {
        vec![("reward.py".into(), format!("{JUDGE}{}", include_str!("python/easyr1.py")).into())]
    }

    fn about(&self) -> &'static str {
        "Rows for EasyR1: `problem` with an `<image>` mark, `images`, and `answer`, a JSON text of task, one right \
         answer and the truth that decides about any answer. Set `data.prompt_key=problem`, `data.train_files` to the \
         folder of the split's files and `worker.reward.reward_function=<this folder>/reward.py:compute_score`."
    }
}
