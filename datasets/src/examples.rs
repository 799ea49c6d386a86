//! The examples of a split, drawn or read when they are asked for.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;
use vrrl_harness_core::{Canonical, Example};

use crate::generate::draws;
use crate::load::Folder;
use crate::plan::{Class, Draw, Plan};
use crate::split::start_hash;
use crate::{space, Error, Source, Split, SplitDef};

/// Examples in memory at once while many are gone through.
const BATCH: usize = 1024;

/// The examples of a split without holding them: a definition, a folder, or a split in memory.
///
/// A drawn split holds 16 bytes for each example (train splits none), a folder 8; so a million take little, whatever
/// their task.
pub struct Examples {
    def: SplitDef,
    source: Source,
    ceiling: Option<String>,
    len: usize,
    kind: Kind,
}

enum Kind {
    Stream(Plan),
    Draws(Plan, Vec<Draw>),
    Folder(Folder),
    Held(Split),
}

/// One example with the parameters that drew it (of an imported one: what is said about its file).
#[derive(Clone, Debug)]
pub struct Item {
    /// The example.
    pub example: Example,
    /// After all shifts, with `again`: with task and seed, this draws the example.
    pub params: Arc<Value>,
}

impl Examples {
    /// Those of a definition. Val and test splits are searched for distinct examples now, and drawn again later.
    ///
    /// # Errors
    /// As [`generate`](crate::generate).
    pub fn draw(def: &SplitDef) -> Result<Self, Error> {
        Self::draw_head(def, def.n)
    }

    /// The first `limit` of a definition, without a search for the others.
    ///
    /// # Errors
    /// As [`Examples::draw`].
    pub fn draw_head(def: &SplitDef, limit: usize) -> Result<Self, Error> {
        let n = def.n.min(limit);
        def.check(&def.name)?;
        let plan = Plan::of(def)?;
        let (kind, len, ceiling) = match plan.class {
            Class::Train => {
                let note = space::note(&plan)?;
                (Kind::Stream(plan), n, note)
            }
            _ => {
                let (draws, ceiling) = draws(&plan, n)?;
                let len = draws.len();
                (Kind::Draws(plan, draws), len, ceiling)
            }
        };
        Ok(Self { def: def.clone(), source: Source::Generated, ceiling, len, kind })
    }

    /// Those of a materialized folder.
    ///
    /// # Errors
    /// As [`load`](crate::load), but rows are read one by one later, and only their number, ids and hash are
    /// checked now.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Ok(Self::from_folder(Folder::open(dir)?))
    }

    pub(crate) fn from_folder(folder: Folder) -> Self {
        let manifest = &folder.manifest;
        Self {
            def: manifest.definition.clone(),
            source: manifest.source,
            ceiling: manifest.ceiling.clone(),
            len: manifest.rows,
            kind: Kind::Folder(folder),
        }
    }

    /// The folder that it reads.
    pub(crate) fn folder(&self) -> Option<&Folder> {
        match &self.kind {
            Kind::Folder(folder) => Some(folder),
            _ => None,
        }
    }

    /// Its definition.
    #[must_use]
    pub fn def(&self) -> &SplitDef {
        &self.def
    }

    /// Where the examples come from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// See [`Split::ceiling`].
    #[must_use]
    pub fn ceiling(&self) -> Option<&str> {
        self.ceiling.as_deref()
    }

    /// Examples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Only the first `limit`.
    #[must_use]
    pub fn head(self, limit: usize) -> Self {
        Self { len: self.len.min(limit), ..self }
    }

    /// Examples of a range of positions, in order; drawn in parallel.
    ///
    /// # Errors
    /// [`Error::Generate`]; of a folder also [`Error::Io`], [`Error::Malformed`] and [`Error::Differs`].
    ///
    /// # Panics
    /// If the range ends beyond [`Examples::len`].
    pub fn items(&self, range: Range<usize>) -> Result<Vec<Item>, Error> {
        assert!(range.end <= self.len, "{range:?} ends beyond {}", self.len);
        match &self.kind {
            Kind::Stream(plan) => range
                .into_par_iter()
                .map(|index| {
                    let drawn = plan.stream(index as u64)?;
                    let params = plan.params_of(drawn.draw.again);
                    Ok(Item { example: plan.example(index as u64, &drawn), params })
                })
                .collect(),
            Kind::Draws(plan, draws) => range
                .into_par_iter()
                .map(|index| {
                    let draw = draws[index];
                    let problem = plan.pose(draw)?;
                    let exact = problem.canonical().exact;
                    let example = plan.example_of(index as u64, draw, problem, &exact);
                    Ok(Item { example, params: plan.params_of(draw.again) })
                })
                .collect(),
            Kind::Folder(folder) => folder.items(range),
            Kind::Held(split) => split.items(range),
        }
    }

    /// Canonical forms of a range of positions, as cheaply as they can be had.
    pub(crate) fn forms(&self, range: Range<usize>) -> Result<Vec<Canonical>, Error> {
        assert!(range.end <= self.len, "{range:?} ends beyond {}", self.len);
        match &self.kind {
            Kind::Stream(plan) => {
                range.into_par_iter().map(|index| Ok(plan.stream(index as u64)?.canonical)).collect()
            }
            Kind::Draws(plan, draws) => {
                draws[range].par_iter().map(|&draw| Ok(plan.pose(draw)?.canonical())).collect()
            }
            Kind::Folder(_) | Kind::Held(_) => {
                Ok(self.items(range)?.par_iter().map(|item| item.example.problem.canonical()).collect())
            }
        }
    }

    /// Goes through all examples in order, some hundreds at a time in memory.
    ///
    /// # Errors
    /// As [`Examples::items`], or what `visit` returns.
    pub fn each_batch(
        &self,
        visit: &mut dyn FnMut(usize, Vec<Item>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        (0..self.len)
            .step_by(BATCH)
            .try_for_each(|start| visit(start, self.items(start..self.len.min(start + BATCH))?))
    }

    /// [`Split::hash`], without holding the examples.
    ///
    /// # Errors
    /// As [`Examples::items`].
    pub fn hash(&self) -> Result<String, Error> {
        let mut hasher = start_hash(&self.def);
        self.each_batch(&mut |_, items| {
            for Item { example, .. } in items {
                hasher =
                    std::mem::take(&mut hasher).part(&example.id).part(example.problem.canonical().exact);
            }
            Ok(())
        })?;
        Ok(hasher.hex())
    }

    /// All of them in memory.
    ///
    /// # Errors
    /// As [`Examples::items`].
    pub fn into_split(self) -> Result<Split, Error> {
        if let Kind::Held(split) = self.kind {
            return Ok(if split.examples.len() == self.len { split } else { split.head(self.len) });
        }
        let (mut examples, mut again) = (Vec::with_capacity(self.len), BTreeMap::new());
        self.each_batch(&mut |_, items| {
            for item in items {
                if let Some(number) = item.params["again"].as_u64().filter(|&number| number > 0) {
                    again.insert(examples.len(), u32::try_from(number).unwrap_or(u32::MAX));
                }
                examples.push(item.example);
            }
            Ok(())
        })?;
        Ok(Split { def: self.def, source: self.source, examples, again, ceiling: self.ceiling })
    }
}

impl From<Split> for Examples {
    /// Those of a split in memory.
    fn from(split: Split) -> Self {
        Self {
            def: split.def.clone(),
            source: split.source,
            ceiling: split.ceiling.clone(),
            len: split.examples.len(),
            kind: Kind::Held(split),
        }
    }
}
