//! Demonstrations: supervised episodes written by the task's own oracle.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vrrl_harness_core::{Answer, Dialect, Example, Feedback, Image, Owner, RegionTruth, Rng, Truth, View};
use vrrl_trainer_codec::Tokenizer;

use crate::liveness::{self, Mechanism};
use crate::{Error, Sequence, SequenceTurn};

/// What demonstrations look like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DemoConfig {
    /// Base stage: share of pictures that already carry a drawn proposal, right or wrong in equal parts, with
    /// the target "commit it, or answer better". It stands for what a pretrained model knows of drawings.
    pub drawn_share: f64,
    /// Base stage: share of pictures with a drawn wrong proposal whose target is a right answer whatever is
    /// drawn: planning through a drawing, without a verdict on it.
    pub overlay_share: f64,
    /// Base stage: share of those overlays that draw a right proposal instead, whose target is that same
    /// proposal. Reading it pays only where it is right, so the policy learns to see whether it is, still
    /// without a verdict in words.
    pub overlay_right: f64,
    /// Base stage: share of pictures that are read: their image tokens stand for the signs on them, and names and
    /// numbers are read out with their places, a name for a given place or a place for a given name. It is what a
    /// pretrained model knows of reading; pointing at a name that one cannot read is not learned. An error where
    /// nothing can be read (mazes).
    #[serde(skip_serializing_if = "is_zero")]
    pub read_share: f64,
    /// Share of episodes that practise second proposals as first ones are practised, without a verdict: a wrong
    /// proposal (not imitated) and a right one on what is drawn then. In the base stage the episode ends there. In the
    /// multi-turn stage, where commits are taught, the opening token of the second proposal is not imitated either and a
    /// commit follows: how to revise is taught, when is not.
    #[serde(skip_serializing_if = "is_zero")]
    pub second_share: f64,
    /// Multi-turn stage: share of episodes that open with wrong proposals.
    pub multi_share: f64,
    /// Multi-turn stage: most wrong proposals before the right one.
    pub max_wrong: u32,
    /// Weight of a reply's first token (propose or commit) from the second turn on.
    pub decision_weight: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(share: &f64) -> bool {
    *share <= 0.0
}

impl Default for DemoConfig {
    fn default() -> Self {
        Self {
            drawn_share: 0.0,
            overlay_share: 0.0,
            overlay_right: 0.0,
            read_share: 0.0,
            second_share: 0.0,
            multi_share: 0.5,
            max_wrong: 3,
            decision_weight: 1.0,
        }
    }
}

impl DemoConfig {
    /// The kinds of demonstrations that these settings ask of the base stage; each must be written.
    #[must_use]
    pub fn base_kinds(&self) -> Vec<&'static Mechanism> {
        let table = [
            (self.drawn_share, &liveness::DRAWN),
            (self.overlay_share * (1.0 - self.overlay_right), &liveness::OVERLAY),
            (self.overlay_share * self.overlay_right, &liveness::OVERLAY_RIGHT),
            (self.read_share, &liveness::READ),
            (self.second_share, &liveness::SECOND),
        ];
        table.into_iter().filter_map(|(share, kind)| (share > 0.0).then_some(kind)).collect()
    }

    /// The same of the multi-turn stage.
    #[must_use]
    pub fn multi_kinds(&self) -> Vec<&'static Mechanism> {
        let table = [
            (self.second_share, &liveness::SECOND),
            ((1.0 - self.second_share) * self.multi_share, &liveness::RECOVERY),
        ];
        table.into_iter().filter_map(|(share, kind)| (share > 0.0).then_some(kind)).collect()
    }
}

/// One episode to imitate.
#[derive(Clone, Debug)]
pub struct Demonstration {
    /// The episode.
    pub sequence: Sequence,
    /// What is practised beside plain episodes; a supervised stage counts it.
    pub kind: Option<&'static Mechanism>,
}

impl From<Sequence> for Demonstration {
    fn from(sequence: Sequence) -> Self {
        Self { sequence, kind: None }
    }
}

impl Sequence {
    fn of_kind(self, kind: &'static Mechanism) -> Demonstration {
        Demonstration { sequence: self, kind: Some(kind) }
    }
}

/// What demonstrations are written with.
#[derive(Clone, Copy)]
pub struct Demo<'a> {
    /// Turn language.
    pub dialect: Dialect,
    /// Vocabulary.
    pub tokenizer: &'a Tokenizer,
}

/// Single answers to the bare picture, and a share of drawn ones (see [`DemoConfig::drawn_share`]).
///
/// # Errors
/// If an answer has a word outside the vocabulary.
pub fn base_demo(
    demo: Demo<'_>,
    example: &Example,
    config: &DemoConfig,
    rng: &mut Rng,
) -> Result<Demonstration, Error> {
    let problem = &example.problem;
    let answer = demo.right(example, rng);
    let mut kind = rng.unit();
    if kind < config.read_share {
        return Ok(demo.read(example, rng)?.of_kind(&liveness::READ));
    }
    kind -= config.read_share;
    if kind < config.second_share {
        let mut episode = demo.episode(example, &[demo.wrong(example, rng)], rng)?;
        episode.turns.pop();
        return Ok(episode.of_kind(&liveness::SECOND));
    }
    kind -= config.second_share;
    if kind >= config.drawn_share + config.overlay_share {
        let turn =
            demo.turn(Some(problem.observe(View::Canvas)), &demo.propose(&answer, false), Owner::Policy)?;
        return Ok(demo.sequence(example, vec![turn]).into());
    }
    if kind >= config.drawn_share && config.overlay_right > 0.0 && rng.unit() < config.overlay_right {
        let shown = picture(problem.feedback(&answer, View::Canvas));
        let turn = demo.turn(shown, &demo.propose(&answer, true), Owner::Policy)?;
        return Ok(demo.sequence(example, vec![turn]).of_kind(&liveness::OVERLAY_RIGHT));
    }
    let right = kind < config.drawn_share && rng.chance(1, 2);
    let drawn = if right { demo.right(example, rng) } else { demo.wrong(example, rng) };
    let text = if right { demo.dialect.print_commit(&drawn) } else { demo.propose(&answer, true) };
    let turn = demo.turn(picture(problem.feedback(&drawn, View::Canvas)), &text, Owner::Policy)?;
    let kind = if kind < config.drawn_share { &liveness::DRAWN } else { &liveness::OVERLAY };
    Ok(demo.sequence(example, vec![turn]).of_kind(kind))
}

/// A right proposal, its feedback, the commit.
///
/// # Errors
/// As [`base_demo`].
pub fn single_turn(demo: Demo<'_>, example: &Example, rng: &mut Rng) -> Result<Sequence, Error> {
    demo.episode(example, &[], rng)
}

/// With a chance of `second_share` a second proposal whose opening is given (see there); of the others, with a chance of
/// `multi_share`, up to `max_wrong` wrong proposals (not imitated) before the right one.
///
/// # Errors
/// As [`base_demo`].
pub fn multi_turn(
    demo: Demo<'_>,
    example: &Example,
    config: &DemoConfig,
    rng: &mut Rng,
) -> Result<Demonstration, Error> {
    // Without the knob no number is drawn for it: recipes from before keep their weights.
    if config.second_share > 0.0 && rng.unit() < config.second_share {
        let mut episode = demo.episode(example, &[demo.wrong(example, rng)], rng)?;
        episode.turns[1].owners[0] = Owner::Stub;
        return Ok(episode.of_kind(&liveness::SECOND));
    }
    let mut wrong: Vec<Answer> = Vec::new();
    if rng.unit() < config.multi_share {
        for _ in 0..rng.between(1, config.max_wrong.max(1)) {
            let mistake = demo.wrong(example, rng);
            if !wrong.contains(&mistake) {
                wrong.push(mistake);
            }
        }
    }
    let kind = (!wrong.is_empty()).then_some(&liveness::RECOVERY);
    Ok(Demonstration { sequence: demo.episode(example, &wrong, rng)?, kind })
}

/// The given wrong proposals (not imitated), then a right one and its commit: what reflection tuning makes of
/// a failed rollout.
///
/// # Errors
/// As [`base_demo`].
pub fn correction(
    demo: Demo<'_>,
    example: &Example,
    wrong: &[Answer],
    rng: &mut Rng,
) -> Result<Sequence, Error> {
    demo.episode(example, wrong, rng)
}

/// Most texts that are read out of one picture: four tokens each find room behind it.
const TEXTS: usize = 8;

/// Draws of a wrong answer; more are only needed where nearly everything is right.
const DRAWS: usize = 32;

impl Demo<'_> {
    fn sequence(&self, example: &Example, turns: Vec<SequenceTurn>) -> Sequence {
        Sequence { prompt: self.tokenizer.prompt(&example.problem.question()), turns }
    }

    /// The bare picture. Its image tokens stand for the signs on them, and some of its texts follow in random order, each
    /// with its place. What is given comes first and is not imitated: the place, or the name where only one text is
    /// called so.
    fn read(&self, example: &Example, rng: &mut Rng) -> Result<Sequence, Error> {
        let texts = example.problem.texts();
        let (false, Truth::Region(RegionTruth { size: Some(size), .. })) =
            (texts.is_empty(), example.problem.truth())
        else {
            let reason = "`demos.read_share`: nothing on this task's pictures can be read; leave it out";
            return Err(Error::Recipe(reason.into()));
        };
        let spell = |text: &str| {
            let mut ids = self.tokenizer.prompt(text);
            ids.pop();
            ids
        };
        let share = |at: &[f64; 2]| [at[0] / f64::from(size[0]), at[1] / f64::from(size[1])];
        let signs = texts.iter().flat_map(|(text, at)| at.iter().map(share).zip(spell(text))).collect();
        let mut order: Vec<usize> = (0..texts.len()).collect();
        rng.shuffle(&mut order);
        let (mut ids, mut owners) = (Vec::new(), Vec::new());
        for &i in order.iter().take(TEXTS) {
            let (text, signs) = &texts[i];
            let middle = [0, 1].map(|axis| signs.iter().map(|at| at[axis]).sum::<f64>() / signs.len() as f64);
            let place = self.tokenizer.encode(&self.tokenizer.nearest(&Answer::Point(middle)).text())?;
            let unique = texts.iter().filter(|(other, _)| other == text).count() == 1;
            let name = spell(text);
            let both = if unique && rng.chance(1, 2) { [name, place] } else { [place, name] };
            for (part, owner) in both.into_iter().zip([Owner::Stub, Owner::Policy]) {
                owners.extend(std::iter::repeat_n(owner, part.len()));
                ids.extend(part);
            }
        }
        let image = Some(Arc::new(example.problem.observe(View::Canvas)));
        let turn = SequenceTurn { image, ids, owners, signs, ..SequenceTurn::default() };
        Ok(Sequence { prompt: vec![self.tokenizer.assistant()], turns: vec![turn] })
    }

    /// A right answer that the vocabulary has words for.
    fn right(&self, example: &Example, rng: &mut Rng) -> Answer {
        self.tokenizer.nearest(&example.problem.oracle(rng))
    }

    /// A wrong answer that the vocabulary has words for.
    fn wrong(&self, example: &Example, rng: &mut Rng) -> Answer {
        let mut draw = || self.tokenizer.nearest(&example.problem.mistake(rng));
        let wrong = |answer: &Answer| !example.problem.judge(answer).correct();
        let first = draw();
        if wrong(&first) {
            return first;
        }
        // A point beside the target may fall onto it on the grid.
        (1..DRAWS).map(|_| draw()).find(wrong).unwrap_or(first)
    }

    fn episode(&self, example: &Example, wrong: &[Answer], rng: &mut Rng) -> Result<Sequence, Error> {
        let problem = &example.problem;
        let mut picture_now = Some(problem.observe(View::Canvas));
        let mut turns = Vec::with_capacity(wrong.len() + 2);
        for mistake in wrong {
            turns.push(self.turn(
                picture_now.take(),
                &self.propose(mistake, !turns.is_empty()),
                Owner::Stub,
            )?);
            picture_now = picture(problem.feedback(mistake, View::Canvas));
        }
        let answer = self.right(example, rng);
        turns.push(self.turn(
            picture_now.take(),
            &self.propose(&answer, !turns.is_empty()),
            Owner::Policy,
        )?);
        let shown = picture(problem.feedback(&answer, View::Canvas));
        turns.push(self.turn(shown, &self.dialect.print_commit(&answer), Owner::Policy)?);
        Ok(self.sequence(example, turns))
    }

    /// A proposal's text. Where the dialect wants reasoning on revisions they carry an empty THINK: the small
    /// policy's vocabulary has no reasoning.
    fn propose(&self, answer: &Answer, revises: bool) -> String {
        let thinks = revises && self.dialect == Dialect::ReflectionTag;
        self.dialect.print_proposal(answer, thinks.then_some(""))
    }

    fn turn(&self, image: Option<Image>, text: &str, owner: Owner) -> Result<SequenceTurn, Error> {
        let ids = self.tokenizer.encode(text)?;
        Ok(SequenceTurn {
            image: image.map(Arc::new),
            owners: vec![owner; ids.len()],
            ids,
            log_probs: Vec::new(),
            signs: Vec::new(),
        })
    }
}

fn picture(feedback: Feedback) -> Option<Image> {
    match feedback {
        Feedback::Image(image) => Some(image),
        Feedback::Text(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vrrl_harness_core::{Parsed, Seed, TaskKind};

    use super::*;

    fn maze(side: u32, seed: Seed) -> Example {
        let problem = vrrl_generators::pose(TaskKind::Maze, &json!({"size": [side, side]}), seed).unwrap();
        Example { id: String::new(), split: String::new(), seed, content_hash: String::new(), problem }
    }

    /// Base demonstrations of the config: picture shown, and what the target proposes (`None` for a commit).
    fn targets(config: DemoConfig) -> Vec<(Example, Image, Option<Answer>)> {
        let tokenizer = Tokenizer::default();
        let demo = Demo { dialect: Dialect::BareCommit, tokenizer: &tokenizer };
        let one = |index: u64| {
            let seed = Seed(4).derive("demo", index);
            let example = maze(5, seed);
            let sequence = base_demo(demo, &example, &config, &mut seed.rng()).unwrap().sequence;
            let [turn] = &sequence.turns[..] else { panic!("one turn") };
            let proposed = match demo.dialect.parse(&tokenizer.decode(&turn.ids), TaskKind::Maze) {
                Parsed::Propose { answer, .. } => answer,
                _ => None,
            };
            let image = turn.image.as_deref().unwrap().clone();
            (example, image, proposed)
        };
        (0..60).map(one).collect()
    }

    #[test]
    fn second_proposals_answer_a_drawn_wrong_one_and_nothing_is_committed() {
        let tokenizer = Tokenizer::default();
        let demo = Demo { dialect: Dialect::BareCommit, tokenizer: &tokenizer };
        let config = DemoConfig { second_share: 1.0, ..DemoConfig::default() };
        let mut wrong = 0;
        for index in 0..40 {
            let seed = Seed(5).derive("demo", index);
            let example = maze(4, seed);
            let sequence = base_demo(demo, &example, &config, &mut seed.rng()).unwrap().sequence;
            let [first, second] = &sequence.turns[..] else { panic!("two turns") };
            let proposed = |turn: &SequenceTurn| match demo
                .dialect
                .parse(&tokenizer.decode(&turn.ids), TaskKind::Maze)
            {
                Parsed::Propose { answer: Some(answer), .. } => answer,
                other => panic!("{other:?}"),
            };
            let judged = |turn| example.problem.judge(&proposed(turn)).correct();
            assert!(judged(second));
            wrong += usize::from(!judged(first));
            assert_eq!(
                second.image.as_deref(),
                picture(example.problem.feedback(&proposed(first), View::Canvas)).as_ref()
            );
            assert!(first.owners.iter().all(|owner| *owner == Owner::Stub), "the mistake is not imitated");
            assert!(second.owners.iter().all(|owner| *owner == Owner::Policy));
        }
        assert_eq!(wrong, 40);
    }

    #[test]
    fn practised_seconds_are_given_their_opening_and_recoveries_are_not() {
        let tokenizer = Tokenizer::default();
        let demo = Demo { dialect: Dialect::BareCommit, tokenizer: &tokenizer };
        let policy =
            |turn: &SequenceTurn| turn.owners.iter().map(|o| *o == Owner::Policy).collect::<Vec<_>>();
        for (config, opening) in [
            (DemoConfig { second_share: 1.0, ..DemoConfig::default() }, false),
            (DemoConfig { multi_share: 1.0, max_wrong: 1, ..DemoConfig::default() }, true),
        ] {
            for index in 0..20 {
                let seed = Seed(6).derive("demo", index);
                let sequence = multi_turn(demo, &maze(4, seed), &config, &mut seed.rng()).unwrap().sequence;
                let [first, second, commit] = &sequence.turns[..] else { panic!("three turns") };
                assert!(policy(first).iter().all(|own| !own));
                assert_eq!(policy(second)[0], opening);
                assert!(policy(second)[1..].iter().chain(&policy(commit)).all(|own| *own));
            }
        }
    }

    #[test]
    fn overlays_draw_right_proposals_as_often_as_asked_and_never_ask_for_a_commit() {
        let drawn = |config| {
            let mut same = 0;
            for (example, image, proposed) in targets(config) {
                let answer = proposed.expect("an overlay's target proposes");
                assert!(example.problem.judge(&answer).correct());
                let Feedback::Image(own) = example.problem.feedback(&answer, View::Canvas) else { panic!() };
                assert_ne!(image, example.problem.observe(View::Canvas), "something is drawn");
                same += usize::from(image == own);
            }
            same
        };
        let overlays = DemoConfig { overlay_share: 1.0, ..DemoConfig::default() };
        assert_eq!(drawn(overlays), 0);
        assert_eq!(drawn(DemoConfig { overlay_right: 1.0, ..overlays }), 60);
        assert!((10..40).contains(&drawn(DemoConfig { overlay_right: 0.4, ..overlays })));
    }
}
