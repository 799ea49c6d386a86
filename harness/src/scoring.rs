//! Traces to rows, rows to the summary: pure functions, the same for a live run and for re-scoring.

use std::collections::BTreeMap;

use vrrl_harness_core::reward::{judge_leniently, judge_turns, RewardConfig};
use vrrl_harness_core::{End, Problem, Role, Seed, TaskKind, Trace};
use vrrl_harness_stats::{bootstrap_mean, mean, paired_difference, ratio, wilson, Estimate};

use crate::record::{EpisodeScore, ScoreRow, SplitInfo, SplitSummary};
use crate::EvalConfig;

/// Judges one recorded episode. `None` for an episode with a fault: it is never scored.
#[must_use]
pub fn score_trace(trace: &Trace, problem: &dyn Problem, role: Option<Role>) -> Option<ScoreRow> {
    if trace.end == End::Fault {
        return None;
    }
    let texts: Vec<&str> = trace.turns.iter().map(|turn| turn.text.as_str()).collect();
    let judged = judge_turns(problem, trace.dialect, &texts);
    // Scores are reported under the defaults, whatever reward a policy was trained on.
    let config = RewardConfig::default();
    let score = judged.score(&config);
    let (revisions, repeated) = judged.revisions();
    let lenient = judge_leniently(problem, trace.dialect, &texts).score(&config);
    Some(ScoreRow {
        split: trace.split.clone(),
        id: trace.id.clone(),
        repeat: trace.repeat,
        role,
        task: trace.task,
        end: trace.end,
        correct: score.correct,
        correct_first: score.correct_first,
        score: EpisodeScore {
            score,
            well_formed: judged.well_formed(config.min_turns),
            lenient_correct: lenient.correct,
            strict_success: judged.strict_success(),
            lenient_success: judged.lenient_success(),
            correct_by_turn: judged.correct_by_turn(&config),
            revisions,
            repeated,
            prompt_tokens: trace.turns.iter().map(|t| t.tokens.prompt).sum(),
            completion_tokens: trace.turns.iter().map(|t| t.tokens.completion).sum(),
        },
    })
}

/// Faults of one split's episodes, by kind.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mishaps {
    /// Those that ended an episode.
    pub faults: BTreeMap<String, usize>,
    /// Those that were got over by asking again.
    pub retries: BTreeMap<String, usize>,
}

impl Mishaps {
    /// Counts over traces.
    #[must_use]
    pub fn count<'t>(traces: impl IntoIterator<Item = &'t Trace>) -> Self {
        let mut all = Self::default();
        for trace in traces {
            if trace.end == End::Fault {
                let kind = trace.fault.as_ref().map_or("unknown", |fault| &fault.kind);
                *all.faults.entry(kind.to_owned()).or_default() += 1;
            }
            for kind in trace.turns.iter().flat_map(|turn| &turn.retried) {
                *all.retries.entry(kind.clone()).or_default() += 1;
            }
        }
        all
    }
}

/// Summarises one split's rows. Episodes count as independent in every interval, also where `repeats` asks an
/// example more than once.
#[must_use]
pub fn summarise(
    split: &SplitInfo,
    config: &EvalConfig,
    rows: &[&ScoreRow],
    mishaps: Mishaps,
) -> SplitSummary {
    let (n, faults) = (rows.len(), mishaps.faults.values().sum());
    let count = |holds: &dyn Fn(&ScoreRow) -> bool| rows.iter().filter(|row| holds(row)).count();
    let share = |holds: &dyn Fn(&ScoreRow) -> bool| wilson(count(holds), n);
    let values = |of: &dyn Fn(&ScoreRow) -> f64| rows.iter().map(|row| of(row)).collect::<Vec<f64>>();
    let seed = |metric: &str| Seed(config.seed).derive(&format!("{}\0{metric}", split.name), 0);
    let maze = |estimate: Option<Estimate>| estimate.filter(|_| split.task == TaskKind::Maze);
    let distances: Vec<f64> = rows.iter().filter_map(|row| row.score.score.distance_final).collect();
    let (first, last) = (values(&|r| f64::from(r.correct_first)), values(&|r| f64::from(r.correct)));
    let ended = |end: End| ratio(count(&|r| r.end == end), n);
    let revisions: usize = rows.iter().map(|r| r.score.revisions).sum();
    let repeated: usize = rows.iter().map(|r| r.score.repeated).sum();
    SplitSummary {
        split: split.name.clone(),
        n,
        faults,
        fault_kinds: mishaps.faults,
        retries: mishaps.retries,
        temperature: config.temperature,
        max_turns: config.max_turns,
        dialect: config.dialect,
        control: config.control.word().into(),
        feedback: (split.task != TaskKind::Maze).then_some(config.feedback),
        accuracy: share(&|r| r.correct),
        accuracy_well_formed: share(&|r| r.correct && r.score.well_formed),
        accuracy_lenient: share(&|r| r.score.lenient_correct),
        first_accuracy: share(&|r| r.correct_first),
        delta_ref: paired_difference(&first, &last, seed("delta_ref")).map(|gain| gain.estimate()),
        strict_success: maze(share(&|r| r.score.strict_success == Some(true))),
        lenient_success: maze(share(&|r| r.score.lenient_success == Some(true))),
        mean_distance: bootstrap_mean(&distances, seed("mean_distance")),
        turns_mean: bootstrap_mean(&values(&|r| r.score.score.turns as f64), seed("turns_mean")),
        proposals_mean: bootstrap_mean(&values(&|r| r.score.score.proposals as f64), seed("proposals_mean")),
        repeat_rate: ratio(repeated, revisions),
        fixed: count(&|r| !r.correct_first && r.correct),
        broken: count(&|r| r.correct_first && !r.correct),
        kept_right: count(&|r| r.correct_first && r.correct),
        kept_wrong: count(&|r| !r.correct_first && !r.correct),
        accuracy_by_turn: by_turn(config.max_turns, n, |t| count(&|r| right_after(r, t))),
        reached_turn: by_turn(config.max_turns, n, |t| count(&|r| r.score.score.turns > t)),
        commit_rate: ended(End::Commit),
        turn_limit_rate: ended(End::TurnLimit),
        format_fault_rate: ended(End::Malformed),
        transport_fault_rate: ratio(faults, n + faults),
        prompt_tokens_per_episode: mean(&values(&|r| r.score.prompt_tokens as f64)),
        completion_tokens_per_episode: mean(&values(&|r| r.score.completion_tokens as f64)),
    }
}

/// Whether the answer that stands after turn `t` (from 0) is right; answers are carried forward.
fn right_after(row: &ScoreRow, t: usize) -> bool {
    let by_turn = &row.score.correct_by_turn;
    by_turn.get(t).or(by_turn.last()).copied().unwrap_or(false)
}

fn by_turn(max_turns: usize, n: usize, count: impl Fn(usize) -> usize) -> Vec<f64> {
    (0..max_turns).filter_map(|t| ratio(count(t), n)).collect()
}
