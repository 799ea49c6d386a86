//! Conversations for supervised training, written by the task's own oracle: a right proposal, its feedback, the
//! commit; and, in a share of them, deliberately wrong proposals before, which are context and not a target.
//!
//! Three shapes of the same conversations. `sft`: contents are texts with `<image>` marks, every message says
//! whether it is trained on (`train`). `sft_chat`: contents are parts (`{"type": "image"}`,
//! `{"type": "text", …}`), as chat templates take them, and the flag stands as `weight` 0 or 1 too. `sft_turns`:
//! one row for each reply that is trained on, so that a trainer that knows no flags, only prompt and completion,
//! imitates no wrong proposal.

use vrrl_harness_core::{Answer, Dialect, Example, Feedback};

use super::huggingface::{path, picture};
use super::value::{Columns, Row, Type, Value};
use super::{prompt, Layout, One, Options, Turns};

/// How conversations are laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Marks,
    Parts,
    Turns,
}

pub(super) struct Sft(pub(super) Shape);

/// What the policy sees, and the reply to it.
struct Exchange {
    picture: Option<Vec<u8>>,
    words: String,
    reply: String,
    /// Whether the reply is a target.
    train: bool,
}

/// The conversation about an example; a function of its seed and the options alone.
fn conversation(example: &Example, options: &Options) -> Vec<Exchange> {
    let problem = &*example.problem;
    let mut rng = example.seed.derive("sft", 0).rng();
    let mut proposals: Vec<(Answer, bool)> = Vec::new();
    if rng.chance(options.multi, 100) {
        for _ in 0..rng.between(1, options.max_wrong) {
            let mistake = problem.mistake(&mut rng);
            // A repeated proposal would end the episode, and a right one is none.
            let known = proposals.iter().any(|(answer, _)| *answer == mistake);
            if !known && !problem.judge(&mistake).correct() {
                proposals.push((mistake, false));
            }
        }
    }
    proposals.push((problem.oracle(&mut rng), true));
    let mut exchanges = Vec::with_capacity(proposals.len() + 1);
    let mut seen = Some(picture(example, options.view));
    let mut words = prompt::text(problem, options.dialect, Turns::Multi);
    for (answer, right) in proposals {
        // The dialect that knows reasoning wants it on every revision, and only there.
        let reasons = !exchanges.is_empty() && options.dialect == Dialect::ReflectionTag;
        let reply =
            options.dialect.print_proposal(&answer, reasons.then(|| prompt::reasoning(problem.kind())));
        exchanges.push(Exchange { picture: seen, words, reply, train: right });
        (seen, words) = match problem.feedback(&answer, options.view) {
            Feedback::Image(image) => (Some(vrrl_generators::png(&image)), prompt::DRAWN.to_owned()),
            Feedback::Text(text) => (None, text),
        };
        if right {
            let reply = options.dialect.print_commit(&answer);
            exchanges.push(Exchange {
                picture: seen.take(),
                words: std::mem::take(&mut words),
                reply,
                train: true,
            });
        }
    }
    exchanges
}

impl Sft {
    fn content(&self) -> Type {
        match self.0 {
            Shape::Marks => Type::Text,
            Shape::Parts | Shape::Turns => {
                Type::list(Type::Struct(vec![("type", Type::Text), ("text", Type::Text)]))
            }
        }
    }

    fn message(&self) -> Type {
        let mut keys = vec![("role", Type::Text), ("content", self.content())];
        match self.0 {
            Shape::Marks => keys.push(("train", Type::Bool)),
            Shape::Parts => keys.extend([("train", Type::Bool), ("weight", Type::Int)]),
            Shape::Turns => {}
        }
        Type::Struct(keys)
    }

    fn say(&self, role: &str, pictured: bool, text: String, train: bool) -> Value {
        let part = |kind: &str, text: Value| Value::Struct(vec![kind.into(), text]);
        let content = match self.0 {
            Shape::Marks if pictured => format!("{}{text}", prompt::PICTURE).into(),
            Shape::Marks => text.into(),
            Shape::Parts | Shape::Turns => {
                let image = pictured.then(|| part("image", Value::Null));
                Value::List(image.into_iter().chain([part("text", text.into())]).collect())
            }
        };
        let mut values = vec![role.into(), content];
        match self.0 {
            Shape::Marks => values.push(Value::Bool(train)),
            Shape::Parts => values.extend([Value::Bool(train), Value::Int(train.into())]),
            Shape::Turns => {}
        }
        Value::Struct(values)
    }

    /// Key columns of a row, after its texts and pictures.
    fn keys(one: &One<'_>, id: String, wrong: usize) -> [Value; 4] {
        let task = one.example().task().word();
        [id.into(), task.into(), Value::Int(wrong as i64), one.example().content_hash.as_str().into()]
    }
}

impl Layout for Sft {
    fn columns(&self, _: &Options) -> Columns {
        let messages = Type::list(self.message());
        let mut columns = match self.0 {
            Shape::Marks | Shape::Parts => vec![("messages", messages)],
            Shape::Turns => vec![("prompt", messages.clone()), ("completion", messages)],
        };
        columns.extend([
            ("images", Type::list(Type::Picture)),
            ("id", Type::Text),
            ("task", Type::Text),
            ("wrong", Type::Int),
            ("content_hash", Type::Text),
        ]);
        columns
    }

    fn rows(&self, one: &One<'_>) -> Vec<Row> {
        let exchanges = conversation(one.example(), one.options);
        let wrong = exchanges.iter().filter(|exchange| !exchange.train).count();
        let (mut said, mut images, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (turn, exchange) in exchanges.into_iter().enumerate() {
            let pictured = exchange.picture.is_some();
            images.extend(exchange.picture.map(|png| Value::Picture { path: path(one, turn), png }));
            said.push(self.say("user", pictured, exchange.words, false));
            let reply = self.say("assistant", false, exchange.reply, exchange.train);
            if self.0 == Shape::Turns && exchange.train {
                let (prompt, completion) = (Value::List(said.clone()), Value::List(vec![reply.clone()]));
                let mut row = vec![prompt, completion, Value::List(images.clone())];
                row.extend(Self::keys(one, format!("{}-{}", one.example().id, turn + 1), wrong));
                rows.push(row);
            }
            said.push(reply);
        }
        if self.0 != Shape::Turns {
            let mut row = vec![Value::List(said), Value::List(images)];
            row.extend(Self::keys(one, one.example().id.clone(), wrong));
            rows.push(row);
        }
        rows
    }

    fn about(&self) -> &'static str {
        match self.0 {
            Shape::Marks => {
                "Each row is a conversation: `messages` with `<image>` marks, `images` in the order of the marks. Replies \
                 with `train: false` are deliberately wrong proposals (`wrong` counts them): they are context, not a \
                 target."
            }
            Shape::Parts => {
                "Each row is a conversation whose contents are parts, as chat templates take them; `images` in the order \
                 of the image parts. Replies with `train: false` (`weight: 0`) are deliberately wrong proposals (`wrong` \
                 counts them): they are context, not a target."
            }
            Shape::Turns => {
                "Each row is one reply to train on (`completion`) after everything before it (`prompt`); `images` in the \
                 order of the image parts. Deliberately wrong proposals (`wrong` counts the conversation's) stand in \
                 prompts only."
            }
        }
    }
}
