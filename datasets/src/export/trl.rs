//! Rows for TRL's GRPO and related trainers: `prompt` as messages, `images`, and columns that the trainer hands to
//! reward functions and to the reset of an environment.

use super::easyr1::JUDGE;
use super::huggingface;
use super::plan::Plan;
use super::value::{Columns, Row, Type, Value};
use super::write::Written;
use super::{prompt, Layout, One, Options};

pub(super) struct Trl;

impl Layout for Trl {
    fn columns(&self, _: &Options) -> Columns {
        let message = Type::Struct(vec![("role", Type::Text), ("content", Type::Text)]);
        let mut columns = vec![("prompt", Type::list(message)), ("images", Type::list(Type::Picture))];
        columns.extend(huggingface::columns().into_iter().skip(1));
        columns
    }

    fn rows(&self, one: &One<'_>) -> Vec<Row> {
        let text = prompt::text(&*one.example().problem, one.options.dialect, one.options.turns);
        // No mark: the trainer itself puts the pictures before the first user text.
        let message = Value::Struct(vec!["user".into(), text.into()]);
        let mut columns = huggingface::row(one).into_iter();
        let images = columns.next().into_iter().collect();
        let mut row = vec![Value::List(vec![message]), Value::List(images)];
        row.extend(columns);
        vec![row]
    }

    fn files(&self, _: &Plan<'_>, _: &[Vec<Written>]) -> Vec<(String, Vec<u8>)> {
        vec![("reward.py".into(), format!("{JUDGE}{}", include_str!("python/trl.py")).into())]
    }

    fn about(&self) -> &'static str {
        "Rows for TRL: `prompt` as messages, `images`, and the columns of a plain export, which reach reward functions \
         (`from reward import correct_reward`) and an environment's `reset`."
    }
}
