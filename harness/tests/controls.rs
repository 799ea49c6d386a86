//! What a policy's own feedback is worth: runs under every control, item by item.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "helpers of tests; shares of small counts are exact"
)]

mod common;

use common::{config, run, split};
use tempfile::tempdir;
use vrrl_harness::*;
use vrrl_harness_core::{Control, Dialect, Fault, Policy, PolicyInfo, Reply, Request, Role, Seed};

/// Proposes something wrong, then what is right if the feedback picture shows anything at all (or always, or
/// never), and commits.
#[derive(Clone, Copy, PartialEq)]
enum Eyes {
    Open,
    ClosedButClever,
    Closed,
}

impl Policy for Eyes {
    fn info(&self) -> PolicyInfo {
        let [name, backend, engine, fingerprint] = ["eyes", "test", "1", "0"].map(Into::into);
        PolicyInfo { name, backend, engine, fingerprint }
    }
    fn slots(&self) -> usize {
        4
    }
    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
        let one = |request: &Request<'_>| {
            let mut rng = request.example.seed.rng();
            let problem = &request.example.problem;
            let flat = |image: &vrrl_harness_core::Image| image.pixels().all(|p| p == image.get_pixel(0, 0));
            let sees = match self {
                Self::Open => request.observation.image.as_ref().is_some_and(|image| !flat(image)),
                Self::ClosedButClever => true,
                Self::Closed => false,
            };
            let text = match request.history.len() {
                0 => Dialect::BareCommit.print_proposal(&problem.mistake(&mut rng), None),
                1 if sees => Dialect::BareCommit.print_proposal(&problem.oracle(&mut rng), None),
                _ => "<FINAL/>".into(),
            };
            Ok(Reply { text, ..Reply::default() })
        };
        requests.iter().map(one).collect()
    }
}

fn of(eyes: Eyes) -> Gaps {
    let items = |control| {
        let dir = tempdir().unwrap();
        let config = EvalConfig { control, ..config() };
        run(&mut { eyes }, &[split("toy/many", 40, Role::IdTest)], &config, dir.path()).unwrap();
        read_items(dir.path()).unwrap()
    };
    let controls = [Control::Blank, Control::Swapped, Control::Oracle].map(|c| (c, items(c)));
    gaps(&items(Control::None), &controls, Seed(0)).unwrap()
}

#[test]
fn a_policy_that_looks_loses_what_it_cannot_see() {
    let gaps = of(Eyes::Open);
    let [blank, swapped, oracle] = &gaps.controls[..] else { panic!("three controls") };
    assert_eq!((gaps.n, gaps.accuracy.value, blank.accuracy.value), (40, 1.0, 0.0));
    assert_eq!((blank.gap.value, swapped.gap.value, oracle.gap.value), (1.0, 0.0, 0.0));
    assert!(blank.gap.ci_low > 0.8 && blank.p.unwrap() < 1e-6);
    assert_eq!(blank.delta_ref_gap.as_ref().unwrap().value, 1.0);
    assert!(gaps.sentence.contains("over an empty picture: it uses what it sees"), "{}", gaps.sentence);
    let table = gap_table(&gaps);
    for word in ["real", "blank", "swapped", "oracle", "+1.000", "Δref"] {
        assert!(table.contains(word), "{word} in {table}");
    }
}

#[test]
fn a_policy_that_does_not_look_shows_nothing() {
    for eyes in [Eyes::ClosedButClever, Eyes::Closed] {
        let gaps = of(eyes);
        for gap in &gaps.controls {
            assert_eq!(gap.gap.value, 0.0);
            assert!(gap.gap.ci_low < 0.0 && gap.gap.ci_high > 0.0, "never of zero width");
        }
        assert_eq!(gaps.sentence.matches("no sign that it looks").count(), 2, "{}", gaps.sentence);
    }
    // Its revisions are right all the same: what reflecting gains does not tell whether it looks.
    assert_eq!(of(Eyes::ClosedButClever).reflection.unwrap().gain.value, 1.0);
}
