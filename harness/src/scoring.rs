//! Traces to rows, rows to the summary: pure functions, the same for a live run and for re-scoring.

use std::collections::BTreeMap;

use vrrl_harness_core::reward::{judge_leniently, judge_turns, RewardConfig};
use vrrl_harness_core::{End, Problem, Role, Seed, TaskKind, Trace};
use vrrl_harness_stats::{
    area_by_turn, bootstrap_mean, flips, mean, paired_difference, pass_at_k, ratio, reliability, wilson,
    Attempts, Estimate,
};

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

/// Summarises one split's rows. Where `repeats` asks an example more than once its episodes are no independent
/// evidence: each example counts once, with the mean of its episodes, and intervals resample examples.
#[must_use]
pub fn summarise(
    split: &SplitInfo,
    config: &EvalConfig,
    rows: &[&ScoreRow],
    mishaps: Mishaps,
) -> SplitSummary {
    let (n, faults) = (rows.len(), mishaps.faults.values().sum());
    let count = |holds: &dyn Fn(&ScoreRow) -> bool| rows.iter().filter(|row| holds(row)).count();
    let seed = |metric: &str| Seed(config.seed).derive(&format!("{}\0{metric}", split.name), 0);
    let items = (config.repeats > 1).then(|| by_item(rows));
    let values = |of: &dyn Fn(&ScoreRow) -> f64| -> Vec<f64> {
        match &items {
            None => rows.iter().map(|row| of(row)).collect(),
            Some(items) => items
                .iter()
                .filter_map(|rows| mean(&rows.iter().map(|row| of(row)).collect::<Vec<_>>()))
                .collect(),
        }
    };
    let share = |holds: &dyn Fn(&ScoreRow) -> bool| match &items {
        None => wilson(count(holds), n),
        Some(_) => bootstrap_mean(&values(&|row| f64::from(u8::from(holds(row)))), seed("share")),
    };
    let attempts: Vec<Attempts> = items
        .iter()
        .flatten()
        .map(|rows| Attempts { right: rows.iter().filter(|row| row.correct).count(), n: rows.len() })
        .collect();
    let k = config.repeats as usize;
    let by_turns: Vec<&Vec<bool>> = rows.iter().map(|row| &row.score.correct_by_turn).collect();
    let maze = |estimate: Option<Estimate>| estimate.filter(|_| split.task == Some(TaskKind::Maze));
    let distances: Vec<f64> = rows.iter().filter_map(|row| row.score.score.distance_final).collect();
    let (first, last) = (values(&|r| f64::from(r.correct_first)), values(&|r| f64::from(r.correct)));
    let revisable = config.max_turns > 1;
    let moved =
        |from: bool, to: bool| revisable.then(|| count(&|r| r.correct_first == from && r.correct == to));
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
        feedback: split.task.filter(|task| *task != TaskKind::Maze).map(|_| config.feedback),
        accuracy: share(&|r| r.correct),
        accuracy_well_formed: share(&|r| r.correct && r.score.well_formed),
        accuracy_lenient: share(&|r| r.score.lenient_correct),
        first_accuracy: share(&|r| r.correct_first).filter(|_| revisable),
        delta_ref: paired_difference(&first, &last, seed("delta_ref"))
            .map(|gain| gain.estimate())
            .filter(|_| revisable),
        strict_success: maze(share(&|r| r.score.strict_success == Some(true))),
        lenient_success: maze(share(&|r| r.score.lenient_success == Some(true))),
        mean_distance: bootstrap_mean(&distances, seed("mean_distance")),
        turns_mean: bootstrap_mean(&values(&|r| r.score.score.turns as f64), seed("turns_mean")),
        proposals_mean: bootstrap_mean(&values(&|r| r.score.score.proposals as f64), seed("proposals_mean")),
        repeat_rate: ratio(repeated, revisions),
        fixed: moved(false, true),
        broken: moved(true, false),
        kept_right: moved(true, true),
        kept_wrong: moved(false, false),
        repeats: (config.repeats > 1).then_some(config.repeats),
        pass_at_k: pass_at_k(&attempts, k, seed("repeats")).map(|over| over.estimate),
        reliability: reliability(&attempts, k, seed("repeats")).map(|over| over.estimate),
        flip_rate: flips(&attempts, seed("repeats")).map(|over| over.estimate),
        // Over examples where they repeat: one curve an example is not to be had, so no interval is claimed then.
        area_by_turn: area_by_turn(&by_turns, config.max_turns, seed("area_by_turn"))
            .filter(|_| config.repeats == 1),
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

/// Rows of one example together, in the order of first appearance.
fn by_item<'r>(rows: &[&'r ScoreRow]) -> Vec<Vec<&'r ScoreRow>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut items: Vec<Vec<&ScoreRow>> = Vec::new();
    for &row in rows {
        let place = *places.entry(&row.id).or_insert(items.len());
        if place == items.len() {
            items.push(Vec::new());
        }
        items[place].push(row);
    }
    items
}

/// Whether the answer that stands after turn `t` (from 0) is right; answers are carried forward.
fn right_after(row: &ScoreRow, t: usize) -> bool {
    let by_turn = &row.score.correct_by_turn;
    by_turn.get(t).or(by_turn.last()).copied().unwrap_or(false)
}

fn by_turn(max_turns: usize, n: usize, count: impl Fn(usize) -> usize) -> Vec<f64> {
    (0..max_turns).filter_map(|t| ratio(count(t), n)).collect()
}
