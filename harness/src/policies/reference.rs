//! Oracle, noisy oracle, random and repeat.

use vrrl_harness_core::{
    Action, Answer, Constraint, Dialect, Fault, Hasher, Policy, PolicyInfo, Reply, Request, Rng, View,
};

use super::SLOTS;
use crate::{Error, Result};

/// What a revision says where the language wants reasoning.
const THOUGHT: &str = "The feedback shows that this is wrong.";

/// A policy that knows the truth, or does not look at all.
#[derive(Clone, PartialEq, Debug)]
pub struct Reference {
    kind: Kind,
    dialect: Dialect,
    view: View,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Oracle,
    Noisy(f64),
    Random,
    Repeat,
}

impl Reference {
    /// Proposes a right answer and commits it.
    #[must_use]
    pub fn oracle(dialect: Dialect) -> Self {
        Self::new(Kind::Oracle, dialect)
    }

    /// Each proposal is wrong with chance `p`; commits when right.
    ///
    /// # Errors
    /// A chance outside 0 to 1.
    pub fn noisy_oracle(p: f64, dialect: Dialect) -> Result<Self> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::Input(format!("noisy-oracle:{p}: the chance of a wrong proposal is 0 to 1")));
        }
        Ok(Self::new(Kind::Noisy(p), dialect))
    }

    /// Proposes guesses; after each it commits with a chance of one half.
    #[must_use]
    pub fn random(dialect: Dialect) -> Self {
        Self::new(Kind::Random, dialect)
    }

    /// Commits its first guess.
    #[must_use]
    pub fn repeat(dialect: Dialect) -> Self {
        Self::new(Kind::Repeat, dialect)
    }

    /// The policy that a MODEL word names; `None` if it names another kind of policy.
    ///
    /// # Errors
    /// `noisy-oracle:P` whose P is not a chance.
    pub fn from_model(model: &str, dialect: Dialect) -> Result<Option<Self>> {
        Ok(Some(match model {
            "oracle" => Self::oracle(dialect),
            "random" => Self::random(dialect),
            "repeat" => Self::repeat(dialect),
            _ => {
                let Some(p) = model.strip_prefix("noisy-oracle:") else { return Ok(None) };
                let number = p.parse().map_err(|_| {
                    Error::Input(format!("{model}: {p} is not a number; try noisy-oracle:0.3"))
                })?;
                Self::noisy_oracle(number, dialect)?
            }
        }))
    }

    /// The same, looking at another picture (it decides only which images are recorded).
    #[must_use]
    pub fn with_view(self, view: View) -> Self {
        Self { view, ..self }
    }

    fn new(kind: Kind, dialect: Dialect) -> Self {
        Self { kind, dialect, view: View::Crisp }
    }

    fn name(&self) -> String {
        match self.kind {
            Kind::Oracle => "oracle".into(),
            Kind::Noisy(p) => format!("noisy-oracle:{p}"),
            Kind::Random => "random".into(),
            Kind::Repeat => "repeat".into(),
        }
    }

    fn reply(&self, request: &Request<'_>) -> String {
        let problem = &request.example.problem;
        let mut rng = request.seed.rng();
        if let Some(last) = last_proposal(request) {
            let commits = match self.kind {
                Kind::Oracle | Kind::Noisy(_) => problem.judge(last).correct(),
                Kind::Random => rng.chance(1, 2),
                Kind::Repeat => true,
            };
            if commits && request.constraint == Constraint::Free {
                return self.dialect.print_commit(last);
            }
        }
        let answer = match self.kind {
            Kind::Oracle => problem.oracle(&mut rng),
            Kind::Noisy(p) if rng.unit() < p => fresh(request, &mut rng, |rng| problem.mistake(rng)),
            Kind::Noisy(_) => problem.oracle(&mut rng),
            Kind::Random | Kind::Repeat => fresh(request, &mut rng, |rng| problem.guess(rng)),
        };
        let thinks = self.dialect == Dialect::ReflectionTag && !request.history.is_empty();
        self.dialect.print_proposal(&answer, thinks.then_some(THOUGHT))
    }
}

fn proposals<'r>(request: &Request<'r>) -> impl DoubleEndedIterator<Item = &'r Answer> {
    request.history.iter().filter_map(|turn| match &turn.action {
        Action::Propose(answer) => Some(answer),
        _ => None,
    })
}

fn last_proposal<'r>(request: &Request<'r>) -> Option<&'r Answer> {
    proposals(request).next_back()
}

/// Draws an answer that was not proposed before, if a few tries find one: repeating fails the format.
fn fresh(request: &Request<'_>, rng: &mut Rng, draw: impl Fn(&mut Rng) -> Answer) -> Answer {
    let mut answer = draw(rng);
    for _ in 0..16 {
        if !proposals(request).any(|old| *old == answer) {
            break;
        }
        answer = draw(rng);
    }
    answer
}

impl Policy for Reference {
    fn info(&self) -> PolicyInfo {
        let name = self.name();
        let fingerprint = Hasher::default().part(&name).part(self.dialect.word()).hex();
        let engine = format!("vrrl {}", env!("CARGO_PKG_VERSION"));
        PolicyInfo { name, backend: "reference".into(), engine, fingerprint }
    }

    fn view(&self) -> View {
        self.view
    }

    fn slots(&self) -> usize {
        SLOTS
    }

    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
        requests.iter().map(|request| Ok(Reply { text: self.reply(request), ..Reply::default() })).collect()
    }
}
