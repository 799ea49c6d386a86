//! What a split may be opened for.

use vrrl_harness_core::Role;

use crate::{Error, SplitDef};

/// What examples are used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Fitting weights.
    Train,
    /// Choosing checkpoints and settings.
    Choose,
    /// Reporting.
    Report,
}

impl Purpose {
    /// Whether splits of a role may be opened for it. What is reported is sealed: nothing is fitted or chosen on
    /// it. Anything may be scored.
    #[must_use]
    pub fn allows(self, role: Role) -> bool {
        match self {
            Self::Train => role == Role::Train,
            Self::Choose => matches!(role, Role::IdVal | Role::OodVal),
            Self::Report => true,
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Train => ("train on", "a split of role train"),
            Self::Choose => ("choose checkpoints on", "a split of role id_val or ood_val"),
            Self::Report => ("report", "any split"),
        }
    }
}

impl SplitDef {
    /// Refuses to open a split for what its role does not allow.
    ///
    /// # Errors
    /// [`Error::Sealed`] naming split, role and the roles that would do.
    pub fn open_for(&self, purpose: Purpose) -> Result<(), Error> {
        if purpose.allows(self.role) {
            return Ok(());
        }
        let (what, instead) = purpose.words();
        Err(Error::Sealed { split: self.name.clone(), role: self.role.word(), what, instead })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;

    #[test]
    fn no_test_split_trains_or_chooses() {
        for def in catalog() {
            let [train, choose, report] = [Purpose::Train, Purpose::Choose, Purpose::Report]
                .map(|purpose| def.open_for(purpose).is_ok());
            let expected = match def.role {
                Role::Train => (true, false),
                Role::IdVal | Role::OodVal => (false, true),
                Role::IdTest | Role::OodTest => (false, false),
            };
            assert_eq!((train, choose, report), (expected.0, expected.1, true), "{}", def.name);
        }
        let error = crate::find("ood7").unwrap().open_for(Purpose::Choose).unwrap_err().to_string();
        assert!(
            error.contains("quick/maze/ood7") && error.contains("ood_test") && error.contains("id_val"),
            "{error}"
        );
    }
}
