//! Episodes decoded together, some of which share all they have seen and said, are what they are alone, to the bit.

// Helpers outside #[test] functions unwrap as tests do.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use vrrl_generators::pose;
use vrrl_harness_core::{
    Action, Constraint, Dialect, Example, Feedback, Observation, Policy, Reply, Request, Sampling, Seed,
    TaskKind, Turn, View,
};
use vrrl_harness_runner_candle::CandlePolicy;
use vrrl_trainer_codec::Tokenizer;
use vrrl_trainer_model::{Config, Network};

/// Questions, and episodes of each.
const GROUPS: usize = 5;
const MEMBERS: usize = 8;

fn example(index: u64) -> Example {
    let seed = Seed(3).derive("together", index);
    let problem = pose(TaskKind::Maze, &serde_json::json!({"size": [4, 5]}), seed).unwrap();
    Example { id: index.to_string(), split: "test".into(), seed, content_hash: String::new(), problem }
}

fn seen(example: &Example, turn: usize) -> Observation {
    let mut rng = Seed(4).derive("mistake", turn as u64).rng();
    let image = match turn {
        0 => example.problem.observe(View::Canvas),
        _ => match example.problem.feedback(&example.problem.mistake(&mut rng), View::Canvas) {
            Feedback::Image(image) => image,
            Feedback::Text(text) => panic!("mazes draw: {text}"),
        },
    };
    Observation { image: Some(Arc::new(image)), ..Observation::default() }
}

/// Three turns of all episodes of `chosen`, each turn in one call; their replies, turn by turn. The fourth group
/// starts behind a reply that the policy never decoded; every third member may not commit.
fn talk(policy: &mut CandlePolicy, examples: &[Example], chosen: &[usize]) -> Vec<Vec<Reply>> {
    let mut histories: Vec<Vec<Turn>> = chosen
        .iter()
        .map(|at| {
            let observation = seen(&examples[at / MEMBERS], 0);
            let reply = Reply { text: "<ANSWER>up left</ANSWER>".into(), ..Reply::default() };
            let turn = Turn { observation, reply, action: Action::Malformed };
            if at / MEMBERS == 3 {
                vec![turn]
            } else {
                Vec::new()
            }
        })
        .collect();
    for round in 0..3 {
        let observations: Vec<Observation> = chosen
            .iter()
            .zip(&histories)
            .map(|(at, turns)| seen(&examples[at / MEMBERS], turns.len()))
            .collect();
        let requests: Vec<Request<'_>> = chosen
            .iter()
            .zip(&histories)
            .zip(&observations)
            .map(|((&at, history), observation)| Request {
                episode: at as u64,
                example: &examples[at / MEMBERS],
                history,
                observation,
                dialect: Dialect::BareCommit,
                // Two members of four say the same throughout, so that they share later turns, too.
                seed: Seed(9).derive("reply", (at / 4 * 3 + (at % 4).min(2)) as u64 * 10 + round),
                sampling: Sampling { temperature: 1.0, max_tokens: 3 + at % 2 * 6 },
                constraint: if at % 3 == 0 { Constraint::MustRevise } else { Constraint::Free },
            })
            .collect();
        let replies = policy.respond(&requests);
        for ((history, reply), observation) in histories.iter_mut().zip(replies).zip(observations) {
            history.push(Turn { observation, reply: reply.unwrap(), action: Action::Malformed });
        }
    }
    histories.into_iter().map(|turns| turns.into_iter().map(|turn| turn.reply).collect()).collect()
}

fn bits(reply: &Reply) -> Vec<u32> {
    reply.tokens.iter().flat_map(|tokens| &tokens.log_probs).map(|x| x.to_bits()).collect()
}

#[test]
fn company_changes_no_bit() {
    let tokenizer = Tokenizer::default();
    let mut rng = Seed(1).rng();
    let network =
        Network::new(&Config::small(tokenizer.len()), &candle_core::Device::Cpu, &mut || rng.unit()).unwrap();
    let examples: Vec<Example> = (0..GROUPS as u64).map(example).collect();
    let all: Vec<usize> = (0..GROUPS * MEMBERS).collect();
    let together = talk(&mut CandlePolicy::of(&network, &tokenizer), &examples, &all);
    let (mut equal, mut other) = (0, 0);
    for &at in &all {
        let alone = &talk(&mut CandlePolicy::of(&network, &tokenizer), &examples, &[at])[0];
        assert_eq!(alone, &together[at], "episode {at}");
        for (a, b) in alone.iter().zip(&together[at]) {
            assert_eq!(bits(a), bits(b), "episode {at}");
            assert!(at % 3 != 0 || a.text.starts_with("<ANSWER>"), "episode {at} has to revise: {}", a.text);
        }
        let neighbour = &together[at / MEMBERS * MEMBERS + (at + 1) % MEMBERS];
        for (mine, theirs) in together[at].iter().zip(neighbour) {
            let (mine, theirs) = (&mine.tokens, &theirs.tokens);
            *(if mine == theirs { &mut equal } else { &mut other }) += 1;
        }
    }
    assert!(equal > 0 && other > 0, "{equal} neighbours say the same, {other} do not: both must happen");
}
