//! How a split's examples are drawn: its definition, resolved once.

use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use vrrl_harness_core::{sha256_hex, Canonical, Example, Problem, Role, Seed};

use crate::{Error, SplitDef};

/// Tries for one example of a class.
const AGAIN: u64 = 10_000;

/// The three disjoint parts of every space of examples.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Seven tenths.
    Train,
    /// One tenth: choosing checkpoints, development.
    Val,
    /// Two tenths: reporting.
    Test,
}

impl Class {
    /// The class that splits of a role draw from.
    #[must_use]
    pub fn of_role(role: Role) -> Self {
        match role {
            Role::Train => Self::Train,
            Role::IdVal | Role::OodVal => Self::Val,
            Role::IdTest | Role::OodTest => Self::Test,
        }
    }

    /// The class of a form up to symmetry, by its hash.
    pub(crate) fn of_form(symmetric: &str) -> Self {
        let digest = Sha256::digest(symmetric.as_bytes());
        let number = u64::from_be_bytes(std::array::from_fn(|i| digest[i]));
        match number % 10 {
            0..=6 => Self::Train,
            7 => Self::Val,
            _ => Self::Test,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

/// The class of an example, by a hash of its form up to symmetry.
#[must_use]
pub fn class_of(canonical: &Canonical) -> Class {
    Class::of_form(&canonical.symmetric)
}

/// What it takes to draw an example again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Draw {
    pub(crate) seed: Seed,
    /// How often the additions of a structural shift were drawn anew (`again` in the parameters).
    pub(crate) again: u32,
}

/// An example with what it was drawn from.
pub(crate) struct Drawn {
    pub(crate) draw: Draw,
    pub(crate) problem: Arc<dyn Problem>,
    /// Forms of the problem itself.
    pub(crate) canonical: Canonical,
    /// Form up to symmetry, and size, of what decides class and distinctness: the base scene of a ladder, else
    /// the problem itself.
    pub(crate) base: (String, usize),
}

/// A definition with its shifts resolved.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) def: SplitDef,
    pub(crate) class: Class,
    /// Parameters of every example, before `again`.
    pub(crate) params: Arc<Value>,
    /// Whether base scenes decide, and are not what is shown.
    on_base: bool,
}

impl Plan {
    pub(crate) fn of(def: &SplitDef) -> Result<Self, Error> {
        let params = Arc::new(def.shifted_params()?);
        let on_base = def.scenes.is_some() && *params != def.params;
        Ok(Self { class: Class::of_role(def.role), params, on_base, def: def.clone() })
    }

    /// The parameters whose problems are put into classes.
    pub(crate) fn deciding_params(&self) -> &Value {
        if self.on_base {
            &self.def.params
        } else {
            &self.params
        }
    }

    /// Seed of candidate `index`.
    pub(crate) fn seed(&self, index: u64) -> Seed {
        let name = self.def.scenes.as_ref().unwrap_or(&self.def.name);
        Seed(self.def.seed).derive(name, index)
    }

    /// The candidate of a seed, if it is of the split's class.
    pub(crate) fn candidate(&self, seed: Seed) -> Result<Option<Drawn>, Error> {
        let problem = self.pose_with(self.deciding_params(), seed)?;
        let canonical = problem.canonical();
        if class_of(&canonical) != self.class {
            return Ok(None);
        }
        let base = (canonical.symmetric.clone(), canonical.size);
        if !self.on_base {
            let draw = Draw { seed, again: 0 };
            return Ok(Some(Drawn { draw, problem, canonical, base }));
        }
        // What a structural shift adds may lead into another class: add anew until it does not.
        for again in 0..AGAIN as u32 {
            let draw = Draw { seed, again };
            let problem = self.pose(draw)?;
            let canonical = problem.canonical();
            if canonical.symmetric == base.0 || class_of(&canonical) == self.class {
                return Ok(Some(Drawn { draw, problem, canonical, base }));
            }
        }
        Err(Error::Again {
            split: self.def.name.clone(),
            shift: self.def.shift_label(),
            class: self.class.word(),
            seed,
            tries: AGAIN,
        })
    }

    /// Draw `index` of the endless stream: the first candidate of the class.
    pub(crate) fn stream(&self, index: u64) -> Result<Drawn, Error> {
        let first = self.seed(index);
        for again in 0..AGAIN {
            let seed = if again == 0 { first } else { first.derive("again", again) };
            if let Some(drawn) = self.candidate(seed)? {
                return Ok(drawn);
            }
        }
        Err(Error::Class { split: self.def.name.clone(), class: self.class.word(), index, tries: AGAIN })
    }

    /// The problem of a draw.
    pub(crate) fn pose(&self, draw: Draw) -> Result<Arc<dyn Problem>, Error> {
        self.pose_with(&self.params_of(draw.again), draw.seed)
    }

    fn pose_with(&self, params: &Value, seed: Seed) -> Result<Arc<dyn Problem>, Error> {
        vrrl_generators::pose(self.def.task, params, seed)
            .map_err(|source| Error::Generate { split: self.def.name.clone(), source })
    }

    /// The parameters of an example.
    pub(crate) fn params_of(&self, again: u32) -> Arc<Value> {
        if again == 0 {
            return self.params.clone();
        }
        let mut params = (*self.params).clone();
        params["again"] = again.into();
        Arc::new(params)
    }

    /// Example `number` of the split.
    pub(crate) fn example(&self, number: u64, drawn: &Drawn) -> Example {
        self.example_of(number, drawn.draw, drawn.problem.clone(), &drawn.canonical.exact)
    }

    pub(crate) fn example_of(
        &self,
        number: u64,
        draw: Draw,
        problem: Arc<dyn Problem>,
        exact: &str,
    ) -> Example {
        Example {
            id: format!("{}-{number:06}", self.def.task.word()),
            split: self.def.name.clone(),
            seed: draw.seed,
            content_hash: sha256_hex(exact.as_bytes()),
            problem,
        }
    }
}
