//! The wording of exported prompts, in one place.
//!
//! A prompt is the problem's own question and one sentence on how to answer. Trained checkpoints depend on such
//! wording; prompt profiles will take it over when they exist.

use vrrl_harness_core::{Dialect, Problem, TaskKind};

use super::Turns;

/// Where a picture stands in a text.
pub(super) const PICTURE: &str = "<image>";

/// Question and sentence on the turn language, without the picture.
pub(super) fn text(problem: &dyn Problem, dialect: Dialect, turns: Turns) -> String {
    format!("{} {}", problem.question(), how(problem.kind(), dialect, turns))
}

/// The sentence on how to answer.
fn how(task: TaskKind, dialect: Dialect, turns: Turns) -> String {
    let what = match task {
        TaskKind::Maze => "the moves, separated by blanks",
        TaskKind::Table | TaskKind::Chart => "x and y in pixels of the picture, separated by a blank",
    };
    match (turns, dialect) {
        (_, Dialect::JsonCall) => call(task, turns),
        (Turns::Single, Dialect::RouteTag | Dialect::PointsTag) => {
            format!("Answer with <answer>…</answer>: {what}.")
        }
        (Turns::Single, _) => format!("Answer with <FINAL>…</FINAL>: {what}."),
        (Turns::Multi, Dialect::ReflectionTag) => format!(
            "Propose with <ANSWER>…</ANSWER>: {what}. You will see your proposal drawn; then commit it by repeating \
             it in <FINAL>…</FINAL>, or reason in <THINK>…</THINK> and propose again."
        ),
        (Turns::Multi, Dialect::RouteTag) => format!(
            "Propose with <route>…</route>: {what}. You will see your proposal drawn; then commit it by repeating it \
             in <answer>…</answer>, or propose again."
        ),
        (Turns::Multi, Dialect::PointsTag) => format!(
            "Propose with <points x1=\"X\" y1=\"Y\"></points>, in pixels of the picture. You will see your proposal \
             drawn; then commit it with <answer>…</answer>: {what}, or propose again."
        ),
        (Turns::Multi, Dialect::BareCommit) => format!(
            "Propose with <ANSWER>…</ANSWER>: {what}. You will see your proposal drawn; then commit it with \
             <FINAL/>, or propose again."
        ),
    }
}

/// The sentence of the JSON dialect.
fn call(task: TaskKind, turns: Turns) -> String {
    let (propose, commit) = match task {
        TaskKind::Maze => (
            r#"{"function_call": {"name": "route", "arguments": {"actions": "…"}}}"#,
            r#"{"function_call": {"name": "terminate", "arguments": {"answer": "…"}}}"#,
        ),
        TaskKind::Table | TaskKind::Chart => (
            r#"{"function_call": {"name": "pointing", "arguments": {"points": [{"x": 0, "y": 0}]}}}"#,
            r#"{"function_call": {"name": "terminate", "arguments": {}}}"#,
        ),
    };
    match (turns, task) {
        (Turns::Multi, _) => format!(
            "Propose with {propose}. You will see your proposal drawn; then commit it with {commit}, or propose again."
        ),
        (Turns::Single, TaskKind::Maze) => format!("Answer with {commit}."),
        (Turns::Single, _) => format!("Answer with {propose}."),
    }
}

/// What is said beside a drawn proposal.
pub(super) const DRAWN: &str = "Your proposal, drawn.";

/// What a demonstration reasons before it revises.
pub(super) fn reasoning(task: TaskKind) -> &'static str {
    match task {
        TaskKind::Maze => "The drawn moves are not a shortest path to the gift.",
        TaskKind::Table | TaskKind::Chart => "The marker is not on what the question names.",
    }
}
