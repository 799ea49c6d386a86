//! Recipe: Reflection Tuning (after GUI-Reflection, Wu et al. 2025), as the paper runs it.
//!
//! From Multi-SFT, rounds of iterative supervised training: sample episodes on training prompts, keep the
//! right ones, and continue the wrong ones with a correction and the true answer. Deviations: the injected
//! reflection is the environment's feedback picture alone (the small vocabulary has no reasoning), and the
//! number of rounds is a setting.

use serde_json::{json, Value};
use vrrl_harness_core::reward::RewardSet;
use vrrl_harness_core::{Answer, FeedbackMode, Owner, Sampling, Seed, Settings, Start, View};
use vrrl_harness_runner_candle::CandlePolicy;
use vrrl_trainer::liveness::{Liveness, Mechanism};
use vrrl_trainer::{
    collect, correction, finished, report_of, supervise, Checkpoints, Demo, DemoConfig, Error, Imitated,
    Learner, Log, Run, Sequence, SupervisedConfig, TrainingReport, MAX_TOKENS,
};
use vrrl_trainer_model::{AdamW, AdamWConfig};

use crate::TuningConfig;

/// The mechanism that must fire: failed episodes turned into corrections.
const CORRECTION: Mechanism = Mechanism {
    name: "reflection_tuning",
    needs: &[
        ("kept", "no sampled episode was right; train the start longer"),
        ("corrected", "no sampled episode was wrong; raise `tuning.prompts` or harden the training split"),
    ],
};

pub(crate) fn reflection_tuning(
    run: &mut Run<'_>,
    learner: &mut Learner,
    tuning: &TuningConfig,
    demos: &DemoConfig,
    sft: &SupervisedConfig,
    mark: Value,
) -> Result<TrainingReport, Error> {
    let mut total: Option<TrainingReport> = None;
    let mut liveness = Liveness::default();
    let checkpoints = Checkpoints::new(run.out, &run.fingerprint)?;
    if let Some(record) = finished(run.out, &run.fingerprint)? {
        checkpoints.load_finished(learner)?;
        return Ok(report_of(&record, run));
    }
    for round in 0..tuning.rounds {
        let seed = run.seed.derive("round", round);
        let dir = run.out.join(format!("round-{}", round + 1));
        let fingerprint = format!("{} round {}", run.fingerprint, round + 1);
        // A finished round needs no data: `supervise` returns its record.
        if run.stop.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Error::Interrupted { step: round * sft.steps });
        }
        let began = std::time::Instant::now();
        let data = if finished(&dir, &fingerprint)?.is_some() {
            Vec::new()
        } else {
            sample(run, learner, tuning, seed, round)?
        };
        let sampling = began.elapsed().as_secs_f64();
        let counts = json!({
            "kept": data.iter().filter(|d| !d.corrected).count(),
            "corrected": data.iter().filter(|d| d.corrected).count(),
        });
        learner.optimizer = AdamW::new(learner.network.params(), AdamWConfig::default());
        let steps = run.progress as &mut dyn FnMut(&vrrl_trainer::Progress);
        let rounds = tuning.rounds;
        let mut progress = |p: &vrrl_trainer::Progress| {
            let (step, steps_all) = (round * p.steps + p.step, rounds * p.steps);
            steps(&vrrl_trainer::Progress { step, steps: steps_all, ..p.clone() });
        };
        let mut inner = Run {
            out: &dir,
            seed,
            fingerprint,
            dialect: run.dialect,
            train: run.train,
            val: run.val,
            stop: run.stop,
            progress: &mut progress,
        };
        let pick = |_, seed: Seed| Ok(data[seed.rng().index(data.len())].sequence.clone().into());
        let imitated = Imitated { write: &pick, decision_weight: demos.decision_weight, kinds: &[] };
        let report = supervise(&mut inner, learner, sft, imitated, counts)?;
        let record = finished(&dir, &format!("{} round {}", run.fingerprint, round + 1))?.unwrap_or_default();
        for counter in ["kept", "corrected"] {
            liveness.add(&CORRECTION, counter, record["recipe"][counter].as_u64().unwrap_or(0));
        }
        merge(&mut total, TrainingReport { seconds: report.seconds + sampling, ..report });
    }
    let mut report = total.ok_or_else(|| Error::Recipe("`tuning.rounds` is 0".into()))?;
    report.complaints = liveness.complaints(&[&CORRECTION]);
    report.liveness = serde_json::to_value(&liveness).expect("plain data serialises");
    if !report.complaints.is_empty() {
        return Err(Error::NeverFired(report.complaints));
    }
    finish(run, &checkpoints, learner, tuning, &report, mark)?;
    Ok(report)
}

/// One training episode of a round.
struct Datum {
    sequence: Sequence,
    corrected: bool,
}

/// Samples a round's episodes, keeps the right ones and corrects the wrong ones.
fn sample(
    run: &Run<'_>,
    learner: &Learner,
    tuning: &TuningConfig,
    seed: Seed,
    round: u64,
) -> Result<Vec<Datum>, Error> {
    let first = round * tuning.prompts as u64;
    let examples = (first..first + tuning.prompts as u64).map(run.train).collect::<Result<Vec<_>, _>>()?;
    let settings = Settings {
        dialect: run.dialect,
        max_turns: 8,
        sampling: Sampling { temperature: tuning.temperature, max_tokens: MAX_TOKENS },
        view: View::Canvas,
        feedback: FeedbackMode::Crop,
        stop_on_repeat: true,
    };
    let starts = examples.iter().enumerate().map(|(i, e)| Start::fresh(e, seed.derive("rollout", i as u64)));
    let mut policy = CandlePolicy::of(&learner.network, &learner.tokenizer);
    let rollouts = collect(&mut policy, settings, starts.collect(), &RewardSet::default())?;
    let demo = Demo { dialect: run.dialect, tokenizer: &learner.tokenizer };
    let mut data = Vec::with_capacity(rollouts.len());
    for (i, rollout) in rollouts.iter().enumerate() {
        let corrected = !(rollout.correct && rollout.judged.well_formed(1));
        let sequence = if corrected {
            let mut wrong: Vec<Answer> = Vec::new();
            for (answer, verdict) in rollout.judged.proposals() {
                // Six wrong ones, the right one and its commit fill the eight turns that are evaluated.
                if !verdict.correct() && !wrong.contains(answer) && wrong.len() < 6 {
                    wrong.push(answer.clone());
                }
            }
            correction(demo, rollout.finished.example, &wrong, &mut seed.derive("correct", i as u64).rng())?
        } else {
            let mut sequence = Sequence::of(&rollout.finished, &learner.tokenizer)?;
            // Wrong proposals on the way to a right one are shown, not imitated.
            for (turn, judged) in sequence.turns.iter_mut().zip(rollout.judged.turns()) {
                if judged.answer.as_deref().is_some_and(|(_, verdict)| !verdict.correct()) {
                    turn.owners.fill(Owner::Stub);
                }
            }
            sequence
        };
        data.push(Datum { sequence, corrected });
    }
    Ok(data)
}

fn merge(total: &mut Option<TrainingReport>, report: TrainingReport) {
    match total {
        None => *total = Some(report),
        Some(total) => {
            let seconds = total.seconds + report.seconds;
            let weighted =
                total.tokens_per_second * total.seconds + report.tokens_per_second * report.seconds;
            total.tokens_per_second = weighted / seconds.max(1e-9);
            total.seconds = seconds;
            total.steps += report.steps;
            total.tokens += report.tokens;
        }
    }
}

/// Puts the last round's weights and one log of all rounds into the checkpoint directory itself.
fn finish(
    run: &Run<'_>,
    checkpoints: &Checkpoints,
    learner: &Learner,
    tuning: &TuningConfig,
    report: &TrainingReport,
    mark: Value,
) -> Result<(), Error> {
    let mut log = Log::open(run.out, 0)?;
    let mut offset = 0;
    for round in 0..tuning.rounds {
        let path = run.out.join(format!("round-{}/training.jsonl", round + 1));
        let text = std::fs::read_to_string(&path).map_err(|source| Error::Io { path, source })?;
        let mut last = 0;
        for line in text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok()) {
            last = line["step"].as_u64().unwrap_or(0);
            let fields = line.as_object().into_iter().flatten().filter(|(k, _)| *k != "step");
            let figures: Vec<(String, f64)> =
                fields.filter_map(|(k, v)| Some((k.clone(), v.as_f64()?))).collect();
            log.write(offset + last, &figures)?;
        }
        offset += last;
    }
    let timing =
        json!({"format": 1, "seconds": report.seconds, "tokens_per_second": report.tokens_per_second});
    let record = json!({
        "format": 1,
        "fingerprint": run.fingerprint,
        "algorithm": vrrl_trainer::ALGORITHM,
        "seed": run.seed,
        "steps": report.steps,
        "tokens": report.tokens,
        "chosen": null,
        "liveness": report.liveness,
        "complaints": report.complaints,
        "warnings": report.warnings,
        "recipe": mark,
    });
    checkpoints.finish(learner, &timing, &record)
}
