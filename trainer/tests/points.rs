//! Tables: a policy sees its question in words, and the learner sees what the policy saw.

// Helpers outside #[test] functions unwrap as tests do.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use vrrl_harness_core::reward::RewardSet;
use vrrl_harness_core::{
    Action, Dialect, Example, Feedback, FeedbackMode, Observation, Owner, Parsed, Reply, Sampling, Seed,
    Settings, Start, TaskKind, Turn, View,
};
use vrrl_harness_runner_candle::CandlePolicy;
use vrrl_trainer::{base_demo, collect, multi_turn, pack, Demo, DemoConfig, Sequence, Source};
use vrrl_trainer_codec::Tokenizer;
use vrrl_trainer_model::{Config, Network};

const DIALECT: Dialect = Dialect::BareCommit;

fn examples(n: u64) -> Vec<Example> {
    let source = Source::find(&"quick/table/table_train".into()).unwrap();
    (0..n).map(|index| source.example(index).unwrap()).collect()
}

fn network(tokenizer: &Tokenizer) -> Network {
    let small = Config::small(tokenizer.len());
    let config = Config { channels: 8, blocks: 1, width: 16, layers: 2, hidden: 24, paper: 1.0, ..small };
    let mut rng = Seed(1).rng();
    Network::new(&config, &candle_core::Device::Cpu, &mut || rng.unit()).unwrap()
}

#[test]
fn log_probs_of_rollouts_and_of_the_learner_agree() {
    let tokenizer = Tokenizer::of_tasks(&[TaskKind::Table]);
    let network = network(&tokenizer);
    let examples = examples(6);
    let settings = Settings {
        dialect: DIALECT,
        max_turns: 3,
        sampling: Sampling { temperature: 1.0, max_tokens: 6 },
        view: View::Canvas,
        feedback: FeedbackMode::Crop,
        stop_on_repeat: true,
    };
    // Behind a proposal that the policy never made, so that the question stands in an earlier turn, too.
    let behind = |example: &Example| {
        let image = Some(Arc::new(example.problem.observe(View::Canvas)));
        let text = "<ANSWER>2 2</ANSWER>";
        let Parsed::Propose { answer: Some(answer), .. } = DIALECT.parse(text, TaskKind::Table) else {
            panic!()
        };
        let observation = Observation { image, ..Observation::default() };
        let reply = Reply { text: text.into(), ..Reply::default() };
        vec![Turn { observation, reply, action: Action::Propose(answer) }]
    };
    let starts = examples.iter().enumerate().map(|(i, example)| {
        let prefix = if i % 2 == 0 { Vec::new() } else { behind(example) };
        Start { prefix, ..Start::fresh(example, Seed(i as u64)) }
    });
    let reward = RewardSet::preset("outcome_only").unwrap();
    let mut policy = CandlePolicy::of(&network, &tokenizer);
    let rollouts = collect(&mut policy, settings, starts.collect(), &reward).unwrap();
    let sequences: Vec<Sequence> =
        rollouts.iter().map(|r| Sequence::of(&r.finished, &tokenizer).unwrap()).collect();
    assert!(sequences.iter().all(|s| s.prompt.len() > 2), "questions have words");
    let (batch, refs) = pack(&sequences, 0, network.config());
    let learned = network.log_probs(&batch, false).unwrap().to_vec1::<f32>().unwrap();
    assert!(refs.iter().any(|r| r.turn == 1) && refs.len() > 20, "{}", refs.len());
    for (at, log_prob) in refs.iter().zip(learned) {
        let sampled = sequences[at.sequence].turns[at.turn].log_probs[at.token];
        assert!((sampled - log_prob).abs() < 1e-4, "{at:?}: {sampled} when sampled, {log_prob} when trained");
    }
}

#[test]
fn demonstrations_point_at_what_is_asked_and_name_what_is_marked() {
    let tokenizer = Tokenizer::of_tasks(&[TaskKind::Table]);
    let demo = Demo { dialect: DIALECT, tokenizer: &tokenizer };
    let recover = DemoConfig { multi_share: 1.0, max_wrong: 1, ..DemoConfig::default() };
    let naming = DemoConfig { named_share: 1.0, ..DemoConfig::default() };
    for example in examples(40) {
        let mut rng = example.seed.rng();
        let episode = multi_turn(demo, &example, &recover, &mut rng).unwrap();
        let right: Vec<bool> = episode.turns[..2]
            .iter()
            .map(|turn| match DIALECT.parse(&tokenizer.decode(&turn.ids), TaskKind::Table) {
                Parsed::Propose { answer: Some(answer), .. } => example.problem.judge(&answer).correct(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(right, [false, true], "{}", example.id);

        let named = base_demo(demo, &example, &naming, &mut rng).unwrap();
        let words = tokenizer.prompt(&example.problem.question());
        assert_eq!(named.turns[0].ids, words[..words.len() - 1]);
        assert!(named.turns[0].owners.iter().all(|owner| *owner == Owner::Policy));
        assert_eq!(named.prompt, [tokenizer.assistant()], "the question is not shown");
        let shown =
            example.problem.feedback(&tokenizer.nearest(&example.problem.oracle(&mut rng)), View::Canvas);
        assert!(matches!(shown, Feedback::Image(image) if Some(&image) == named.turns[0].image.as_deref()));
    }
    let maze = Source::find(&"quick/maze/train".into()).unwrap().example(0).unwrap();
    let moves = Tokenizer::of_tasks(&[TaskKind::Maze]);
    let demo = Demo { dialect: DIALECT, tokenizer: &moves };
    let error = base_demo(demo, &maze, &naming, &mut maze.seed.rng()).err().unwrap().to_string();
    assert!(error.contains("named_share"), "{error}");
}
