//! One question with its image and ground truth.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Problem, Seed, TaskKind};

/// What a split is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Training.
    Train,
    /// Choosing checkpoints, in distribution.
    IdVal,
    /// Reporting, in distribution.
    IdTest,
    /// Development, out of distribution.
    OodVal,
    /// Reporting, out of distribution.
    OodTest,
}

impl Role {
    /// The word used in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::IdVal => "id_val",
            Self::IdTest => "id_test",
            Self::OodVal => "ood_val",
            Self::OodTest => "ood_test",
        }
    }
}

/// One example of a split: (task, params, seed, generator version) made concrete.
#[derive(Clone)]
pub struct Example {
    /// Unique within its split.
    pub id: String,
    /// The split's full name.
    pub split: String,
    /// Seed that generated it.
    pub seed: Seed,
    /// Hash of its exact canonical form.
    pub content_hash: String,
    /// The problem itself.
    pub problem: Arc<dyn Problem>,
}

impl Example {
    /// The task.
    #[must_use]
    pub fn task(&self) -> TaskKind {
        self.problem.kind()
    }
}

impl fmt::Debug for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Example").field("split", &self.split).field("id", &self.id).finish_non_exhaustive()
    }
}
