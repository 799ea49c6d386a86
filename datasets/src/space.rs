//! What small spaces hold.

use sha2::{Digest as _, Sha256};

use crate::plan::{Class, Plan};
use crate::{Error, SplitDef};

/// 128 bits of SHA-256: what stands for a text where many are held.
pub(crate) fn fingerprint(text: &str) -> u128 {
    let digest = Sha256::digest(text.as_bytes());
    u128::from_le_bytes(std::array::from_fn(|i| digest[i]))
}

/// How many problems, distinct up to symmetry, a split's parameters can draw.
struct Space {
    /// Of the split's class.
    class: usize,
    /// Of all classes.
    all: usize,
}

/// `None` where the space is too large to be listed, or surely large enough for `n`.
fn space(plan: &Plan) -> Result<Option<Space>, Error> {
    let def = &plan.def;
    let forms = vrrl_generators::every(def.task, plan.deciding_params(), def.n)
        .map_err(|source| Error::Generate { split: def.name.clone(), source })?;
    let Some(forms) = forms else { return Ok(None) };
    let class = forms.iter().filter(|form| Class::of_form(form) == plan.class).count();
    Ok(Some(Space { class, all: forms.len() }))
}

/// Distinct examples that a split's class holds, where they are few enough to be listed and surely fewer than some
/// multiple of its `n`; `None` says that there are plenty.
///
/// # Errors
/// [`Error::Definition`] or [`Error::Generate`] for parameters that the task does not take.
pub fn ceiling(def: &SplitDef) -> Result<Option<usize>, Error> {
    Ok(space(&Plan::of(def)?)?.map(|space| space.class))
}

/// Refuses a split of distinct examples that asks for more than there are.
///
/// # Errors
/// [`Error::Ceiling`] with the numbers.
pub(crate) fn enough(plan: &Plan) -> Result<(), Error> {
    match space(plan)? {
        Some(space) if space.class < plan.def.n => Err(Error::Ceiling {
            split: plan.def.name.clone(),
            n: plan.def.n,
            ceiling: space.class,
            class: plan.class.word(),
            all: space.all,
        }),
        _ => Ok(()),
    }
}

/// Words for a training split that must repeat itself, because its space is small.
pub(crate) fn note(plan: &Plan) -> Result<Option<String>, Error> {
    let note = |space: Space| {
        let (name, n, class) = (&plan.def.name, plan.def.n, space.class);
        format!("{name}: the train class of its params holds {class} distinct examples, so {n} repeat some")
    };
    Ok(space(plan)?.filter(|space| space.class < plan.def.n).map(note))
}
