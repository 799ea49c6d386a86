//! Tables: a policy sees its question in words, and the learner sees what the policy saw.

// Helpers outside #[test] functions unwrap as tests do.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use vrrl_harness_core::reward::RewardSet;
use vrrl_harness_core::{
    Action, Answer, Dialect, Example, FeedbackMode, Observation, Owner, Parsed, Reply, Sampling, Seed,
    Settings, Start, TaskKind, Turn, View,
};
use vrrl_harness_runner_candle::CandlePolicy;
use vrrl_trainer::{base_demo, collect, multi_turn, pack, Demo, DemoConfig, Sequence, SequenceTurn, Source};
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

/// Tokens of a text and of its place.
fn text(tokenizer: &Tokenizer, (name, signs): &(String, Vec<[f64; 2]>)) -> [Vec<u32>; 2] {
    let mut letters = tokenizer.prompt(name);
    letters.pop();
    let middle = [0, 1].map(|axis| (signs[0][axis] + signs[signs.len() - 1][axis]) / 2.0);
    [letters, tokenizer.encode(&tokenizer.nearest(&Answer::Point(middle)).text()).unwrap()]
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
fn demonstrations_point_at_what_is_asked_and_read_what_is_written() {
    let tokenizer = Tokenizer::of_tasks(&[TaskKind::Table]);
    let demo = Demo { dialect: DIALECT, tokenizer: &tokenizer };
    let recover = DemoConfig { multi_share: 1.0, max_wrong: 1, ..DemoConfig::default() };
    let reading = DemoConfig { read_share: 1.0, ..DemoConfig::default() };
    let mut given = [0; 2];
    for example in examples(40) {
        let mut rng = example.seed.rng();
        let episode = multi_turn(demo, &example, &recover, &mut rng).unwrap().sequence;
        let right: Vec<bool> = episode.turns[..2]
            .iter()
            .map(|turn| match DIALECT.parse(&tokenizer.decode(&turn.ids), TaskKind::Table) {
                Parsed::Propose { answer: Some(answer), .. } => example.problem.judge(&answer).correct(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(right, [false, true], "{}", example.id);

        let read = base_demo(demo, &example, &reading, &mut rng).unwrap().sequence;
        assert_eq!(read.prompt, [tokenizer.assistant()], "the question is not shown");
        assert_eq!(read.turns[0].image.as_deref(), Some(&example.problem.observe(View::Canvas)));
        let written: Vec<[Vec<u32>; 2]> =
            example.problem.texts().iter().map(|t| text(&tokenizer, t)).collect();
        let SequenceTurn { ids, owners, signs, .. } = &read.turns[0];
        let spelled: Vec<u32> = written.iter().flat_map(|[name, _]| name.clone()).collect();
        assert_eq!(signs.iter().map(|(_, id)| *id).collect::<Vec<_>>(), spelled);
        let places = example.problem.texts().into_iter().flat_map(|(_, signs)| signs);
        let near =
            |at: [f64; 2], crisp: [f64; 2]| at.iter().zip(crisp).all(|(a, b)| (256.0 * a - b).abs() < 1e-9);
        assert!(signs.iter().zip(places).all(|((at, _), crisp)| near(*at, crisp)));
        let config = Config::small(tokenizer.len());
        let (batch, refs) = pack(std::slice::from_ref(&read), 0, &config);
        assert_eq!(refs.len(), batch.predict.len() + signs.len());
        assert_eq!(refs.len(), read.trained());
        for (&(row, id), (at, wanted)) in batch.signs.iter().zip(signs) {
            let token = row as usize - config.vocab;
            let quarter = at.map(|share| (4.0 * share) as usize);
            assert_eq!((token, id), (4 * quarter[1] + quarter[0], *wanted), "the token over the sign");
        }
        let mut rest = &ids[..];
        while !rest.is_empty() {
            let starts = |[first, second]: [&Vec<u32>; 2]| rest.starts_with(&[&first[..], second].concat());
            let found = written.iter().find_map(|[name, place]| {
                [[name, place], [place, name]].into_iter().position(&starts).map(|way| (way, name, place))
            });
            let (way, name, place) = found.expect("a text with its place, in one order or the other");
            if way == 0 {
                assert_eq!(
                    written.iter().filter(|[other, _]| other == name).count(),
                    1,
                    "only one is called so"
                );
            }
            given[way] += 1;
            let at = ids.len() - rest.len();
            let split = at + if way == 0 { name.len() } else { place.len() };
            let end = at + name.len() + place.len();
            assert!(owners[at..split].iter().all(|owner| *owner == Owner::Stub));
            assert!(owners[split..end].iter().all(|owner| *owner == Owner::Policy));
            rest = &ids[end..];
        }
    }
    assert!(given.iter().all(|count| *count > 50), "{given:?}");
    let maze = Source::find(&"quick/maze/train".into()).unwrap().example(0).unwrap();
    let moves = Tokenizer::of_tasks(&[TaskKind::Maze]);
    let demo = Demo { dialect: DIALECT, tokenizer: &moves };
    let error = base_demo(demo, &maze, &reading, &mut maze.seed.rng()).err().unwrap().to_string();
    assert!(error.contains("read_share"), "{error}");
}
