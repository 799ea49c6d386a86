//! Rows for verl: `data_source`, `prompt`, `images`, `reward_model`, `extra_info`.

use super::easyr1::{ground_truth, JUDGE};
use super::huggingface::{answer, path, picture};
use super::plan::Plan;
use super::value::{Columns, Row, Type, Value};
use super::write::Written;
use super::{prompt, Layout, One, Options};

pub(super) struct Verl;

impl Layout for Verl {
    fn columns(&self, _: &Options) -> Columns {
        let message = Type::Struct(vec![("role", Type::Text), ("content", Type::Text)]);
        let reward = vec![("style", Type::Text), ("ground_truth", Type::Text)];
        let extra = vec![
            ("split", Type::Text),
            ("index", Type::Int),
            ("id", Type::Text),
            ("question", Type::Text),
            ("answer", Type::Text),
            ("shift", Type::Text),
            ("severity", Type::Int),
            ("content_hash", Type::Text),
        ];
        vec![
            ("data_source", Type::Text),
            ("prompt", Type::list(message)),
            ("images", Type::list(Type::Picture)),
            ("ability", Type::Text),
            ("reward_model", Type::Struct(reward)),
            ("extra_info", Type::Struct(extra)),
        ]
    }

    fn rows(&self, one: &One<'_>) -> Vec<Row> {
        let (def, example, options) = (one.def, one.example(), one.options);
        let text = prompt::text(&*example.problem, options.dialect, options.turns);
        let image = Value::Picture { path: path(one, 0), png: picture(example, options.view) };
        let extra = vec![
            def.folder().into(),
            Value::Int(one.index as i64),
            example.id.as_str().into(),
            example.problem.question().into(),
            answer(example).into(),
            def.shift_label().as_str().into(),
            Value::Int(def.severity_number().into()),
            example.content_hash.as_str().into(),
        ];
        vec![vec![
            format!("vrrl/{}", example.task().word()).into(),
            Value::List(vec![Value::Struct(vec![
                "user".into(),
                format!("{}{text}", prompt::PICTURE).into(),
            ])]),
            Value::List(vec![image]),
            "visual_grounding".into(),
            Value::Struct(vec!["rule".into(), ground_truth(example).into()]),
            Value::Struct(extra),
        ]]
    }

    fn files(&self, _: &Plan<'_>, _: &[Vec<Written>]) -> Vec<(String, Vec<u8>)> {
        vec![("reward.py".into(), format!("{JUDGE}{}", include_str!("python/verl.py")).into())]
    }

    fn about(&self) -> &'static str {
        "Rows for verl: `prompt` with an `<image>` mark, `images`, and `reward_model.ground_truth`, a JSON text of \
         task, one right answer and the truth that decides about any answer. Set `data.train_files` to the files \
         and `custom_reward_function.path=<this folder>/reward.py`."
    }
}
