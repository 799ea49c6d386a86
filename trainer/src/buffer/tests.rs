use proptest::prelude::*;
use vrrl_harness_core::Seed;

use super::*;
use crate::liveness::{self, Liveness};

fn candidate(question: &str, right: bool, proposals: usize) -> Candidate<String> {
    Candidate {
        question: question.to_owned(),
        right,
        proposals,
        malformed: false,
        from_buffer: false,
        group_accuracy: 0.5,
        payload: format!("{question}/{proposals}"),
    }
}

/// A buffer of `n` questions with one prefix each: every third right, 1 to 3 proposals.
fn filled(config: BufferConfig, n: usize) -> Buffer<String> {
    let mut buffer = Buffer::new(config);
    for i in 0..n {
        assert_eq!(buffer.offer(candidate(&format!("q{i}"), i % 3 == 0, 1 + i % 3), 0), Offer::Stored);
    }
    buffer
}

fn ids(buffer: &Buffer<String>) -> Vec<u64> {
    buffer.entries().iter().map(|e| e.id).collect()
}

#[test]
fn rejects_with_a_reason() {
    let gate = Some(Gate { low: 0.0, high: 1.0 });
    let mut buffer = Buffer::new(BufferConfig { gate, ..BufferConfig::code() });
    let good = || candidate("q", false, 2);
    let table = [
        (good(), Offer::Stored),
        (Candidate { malformed: true, ..good() }, Offer::Rejected(Reject::Malformed)),
        (Candidate { from_buffer: true, malformed: true, ..good() }, Offer::Rejected(Reject::FromBuffer)),
        (candidate("q", true, 0), Offer::Rejected(Reject::NoProposal)),
        (candidate("q", true, 3), Offer::Rejected(Reject::TooManyProposals)),
        (Candidate { group_accuracy: 0.0, ..good() }, Offer::Rejected(Reject::Gated)),
        (Candidate { group_accuracy: 1.0, ..good() }, Offer::Rejected(Reject::Gated)),
    ];
    for (offered, want) in table {
        assert_eq!(buffer.offer(offered, 0), want);
    }
    assert_eq!(buffer.counts().offered, 7);
    assert_eq!(buffer.counts().stored, 1);
    assert_eq!(buffer.counts().rejected[&Reject::Gated], 2);
    assert_eq!(Buffer::new(BufferConfig::paper()).offer(candidate("q", true, 7), 0), Offer::Stored);
}

#[test]
fn the_oldest_goes_from_a_full_buffer() {
    let mut buffer = filled(BufferConfig { capacity: 4, ..BufferConfig::paper() }, 6);
    assert_eq!(ids(&buffer), [2, 3, 4, 5]);
    assert_eq!(buffer.counts().evicted_capacity, 2);
    // A question that makes its own room does not push another out.
    let config = BufferConfig { capacity: 4, per_question: 1, ..BufferConfig::paper() };
    buffer = filled(config, 4);
    buffer.offer(candidate("q3", true, 1), 0);
    assert_eq!(ids(&buffer), [0, 1, 2, 4]);
    assert_eq!((buffer.counts().evicted_capacity, buffer.counts().evicted_question), (0, 1));
}

#[test]
fn a_full_question_evicts_by_proposal_count() {
    // Counts held, oldest first; the new count; which of the three goes.
    let table = [
        ([1, 1, 2], 1, 0), // same count: its oldest
        ([1, 1, 2], 2, 2),
        ([2, 1, 1], 3, 1), // unseen: oldest of the most common
        ([1, 2, 2], 3, 1),
        ([3, 1, 2], 4, 0), // all equally common: the oldest
    ];
    for (held, new, victim) in table {
        let mut buffer = Buffer::new(BufferConfig::paper());
        buffer.offer(candidate("other", false, 1), 0);
        for proposals in held {
            buffer.offer(candidate("q", false, proposals), 0);
        }
        buffer.offer(candidate("q", false, new), 0);
        let mut want: Vec<u64> = vec![0, 1, 2, 3, 4];
        want.remove(victim + 1);
        assert_eq!(ids(&buffer), want, "{held:?} + {new}");
    }
}

#[test]
fn entries_leave_when_too_old() {
    let config = BufferConfig { min_fill: 1, max_age: 50, ..BufferConfig::paper() };
    let mut buffer = filled(config, 3);
    let mut rng = Seed(1).rng();
    assert_eq!(buffer.sample(1, 50, &mut rng).len(), 1);
    assert_eq!(buffer.counts().mean_replayed_age(), Some(50.0));
    assert_eq!(buffer.sample(1, 51, &mut rng), []);
    assert_eq!((buffer.counts().evicted_age, buffer.counts().too_few), (3, 1));
}

#[test]
fn no_sampling_below_the_least_fill() {
    let mut buffer = filled(BufferConfig::paper(), 31);
    let mut rng = Seed(1).rng();
    assert_eq!(buffer.sample(4, 0, &mut rng), []);
    buffer.offer(candidate("one more", true, 1), 0);
    assert_eq!(buffer.sample(4, 0, &mut rng).len(), 4);
}

#[test]
fn within_a_step_nothing_comes_twice() {
    let mut buffer = filled(BufferConfig::paper(), 40);
    let mut rng = Seed(3).rng();
    let mut seen = BTreeSet::new();
    for _ in 0..5 {
        for entry in buffer.sample(7, 9, &mut rng) {
            assert!(seen.insert(entry.id));
        }
    }
    assert_eq!(seen.len(), 35);
    assert_eq!(buffer.sample(7, 9, &mut rng).len(), 5);
    assert_eq!(buffer.sample(7, 9, &mut rng).len(), 0);
    assert_eq!(buffer.sample(7, 10, &mut rng).len(), 7);
    assert_eq!(buffer.entries().len(), 40);
}

#[test]
fn the_share_of_right_prefixes_holds() {
    for (config, share) in [(BufferConfig::paper(), 0.3), (BufferConfig::code(), 0.1)] {
        let mut buffer = Buffer::new(config);
        for i in 0..100 {
            buffer.offer(candidate(&format!("q{i}"), i % 2 == 0, 1 + i % 2), 0);
        }
        let mut rng = Seed(8).rng();
        for step in 0..50 {
            let got = buffer.sample(9, step, &mut rng);
            let right = got.iter().filter(|e| e.right).count();
            assert!((right as f64 - 9.0 * share).abs() < 1.0, "{right} of 9");
        }
        let wrong = buffer.counts().replayed_wrong as f64 / buffer.counts().replayed as f64;
        // The fraction of a slot is drawn, so the mean over 50 steps is close.
        assert!((wrong - (1.0 - share)).abs() < 0.03, "{wrong}");
        assert_eq!(buffer.counts().replayed_instead, 0);
    }
}

#[test]
fn the_other_side_stands_in() {
    let mut buffer = Buffer::new(BufferConfig { right_share: 0.0, ..BufferConfig::paper() });
    for i in 0..40 {
        buffer.offer(candidate(&format!("q{i}"), i >= 3, 1), 0);
    }
    let got = buffer.sample(8, 1, &mut Seed(4).rng());
    assert_eq!(got.iter().filter(|e| !e.right).count(), 3);
    assert_eq!((got.len(), buffer.counts().replayed_instead), (8, 5));
}

#[test]
fn proposal_counts_take_turns() {
    let config = BufferConfig { right_share: 0.0, ..BufferConfig::paper() };
    let mut firsts = BTreeSet::new();
    for seed in 0..40 {
        let mut buffer = Buffer::new(config.clone());
        // 50 short prefixes, 4 of two proposals, 1 of three.
        for i in 0..55 {
            buffer.offer(
                candidate(&format!("q{i}"), false, if i < 50 { 1 } else { 2 + usize::from(i == 54) }),
                0,
            );
        }
        let got = buffer.sample(6, 0, &mut Seed(seed).rng());
        let count = |proposals| got.iter().filter(|e| e.proposals == proposals).count();
        assert_eq!(count(3), 1);
        assert_eq!(count(1) + count(2), 5);
        assert!(count(1).abs_diff(count(2)) <= 1, "{} {}", count(1), count(2));
        firsts.insert(buffer.sample(1, 1, &mut Seed(seed).rng())[0].proposals);
    }
    assert_eq!(firsts.len(), 3, "the start is random");
}

#[test]
fn without_strata_rare_counts_stay_rare() {
    let drawn = |stratify| {
        let config = BufferConfig { right_share: 0.0, stratify, ..BufferConfig::paper() };
        let long = |seed| {
            let mut buffer = Buffer::new(config.clone());
            for i in 0..50 {
                buffer.offer(candidate(&format!("q{i}"), false, if i < 45 { 1 } else { 2 }), 0);
            }
            let got = buffer.sample(4, 0, &mut Seed(seed).rng());
            assert_eq!(buffer.counts().strata_mixed > 0, stratify);
            got.iter().filter(|e| e.proposals == 2).count()
        };
        (0..40).map(long).sum::<usize>()
    };
    // Half of 160 draws against a tenth.
    assert_eq!(drawn(true), 80);
    assert!((4..35).contains(&drawn(false)), "{}", drawn(false));
}

#[test]
fn the_ban_alternates() {
    let applied = |ban: Ban| (0..4).map(|nth| ban.applies(nth)).collect::<Vec<_>>();
    assert_eq!(applied(Ban::Always), [true; 4]);
    assert_eq!(applied(Ban::Half), [true, false, true, false]);
    assert_eq!(applied(Ban::Never), [false; 4]);
}

#[test]
fn counts_reach_the_liveness_record() {
    let mut buffer = filled(BufferConfig::paper(), 40);
    buffer.offer(Candidate { malformed: true, ..candidate("bad", true, 1) }, 4);
    buffer.sample(3, 4, &mut Seed(0).rng());
    let mut liveness = Liveness::default();
    buffer.counts().report(&mut liveness);
    assert_eq!(liveness.count(&liveness::BUFFER, "rejected_malformed"), 1);
    assert_eq!(liveness.mean(&liveness::BUFFER, "replayed_age"), Some(4.0));
    assert!(liveness.complaints(&[&liveness::BUFFER]).is_empty());
}

proptest! {
    #[test]
    fn limits_hold_and_a_restored_buffer_continues_exactly(
        offers in prop::collection::vec((0..12usize, any::<bool>(), 0..5usize, any::<bool>()), 1..120),
        cut in 0..120usize,
        seed: u64,
    ) {
        let config = BufferConfig { capacity: 20, min_fill: 5, max_age: 6, ..BufferConfig::paper() };
        let mut buffer = Buffer::new(config.clone());
        let mut twin: Option<Buffer<String>> = None;
        for (i, (question, right, proposals, malformed)) in offers.into_iter().enumerate() {
            let step = i as u64 / 8;
            if i == cut {
                let text = serde_json::to_string(buffer.state()).unwrap();
                twin = Some(Buffer::restore(config.clone(), serde_json::from_str(&text).unwrap()));
            }
            let offered = Candidate { malformed, ..candidate(&format!("q{question}"), right, proposals) };
            let act = |b: &mut Buffer<String>| {
                let answer = b.offer(offered.clone(), step);
                (answer, b.sample(2, step, &mut Seed(seed).derive("step", i as u64).rng()))
            };
            let got = act(&mut buffer);
            if let Some(twin) = &mut twin {
                prop_assert_eq!(&act(twin), &got);
                prop_assert_eq!(&*twin, &buffer);
            }
            prop_assert!(buffer.entries().len() <= 20);
            prop_assert!(buffer.entries().windows(2).all(|w| w[0].id < w[1].id && w[0].step <= w[1].step));
            for q in 0..12 {
                let question = format!("q{q}");
                prop_assert!(buffer.entries().iter().filter(|e| e.question == question).count() <= 3);
            }
            prop_assert!(buffer.entries().iter().all(|e| step - e.step <= 6));
            let c = buffer.counts();
            let gone = c.evicted_age + c.evicted_capacity + c.evicted_question;
            prop_assert_eq!(c.stored, gone + buffer.entries().len() as u64);
            prop_assert_eq!(c.offered, c.stored + c.rejected.values().sum::<u64>());
        }
    }
}
