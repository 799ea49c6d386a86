//! What an audit found, in plain lines.

use std::fmt::Write as _;

use super::{Audit, Pair};

/// Offenders of one audit that are listed in words; the JSON form lists all that were kept.
const LISTED: usize = 20;

impl Audit {
    /// A line for each pair of splits and each size of theirs, what was found on pictures, splits that share base
    /// scenes on purpose, and the first offenders by id.
    #[must_use]
    pub fn text(&self) -> String {
        let names = self.pairs.iter().flat_map(|pair| [&pair.train, &pair.test]);
        let wide = names.map(|name| name.chars().count()).max().unwrap_or(0).max(5);
        let mut text = String::new();
        let mut line = |cells: [&str; 9]| {
            let [train, test, size, n_train, n_test, exact, symmetric, pattern, distinct] = cells;
            let _ = writeln!(
                text,
                "{train:wide$}  {test:wide$}  {size:>4} {n_train:>8} {n_test:>8} {exact:>7} {symmetric:>9} \
                 {pattern:>12} {distinct:>13}"
            );
        };
        line([
            "train",
            "test",
            "size",
            "n train",
            "n test",
            "exact",
            "symmetric",
            "same pattern",
            "distinct test",
        ]);
        for pair in &self.pairs {
            let numbers = [
                pair.n_train,
                pair.n_test,
                pair.exact,
                pair.symmetric,
                pair.same_pattern,
                pair.distinct_test,
            ];
            let [a, b, c, d, e, f] = numbers.map(|number| number.to_string());
            line([&pair.train, &pair.test, "all", &a, &b, &c, &d, &e, &f]);
            for s in pair.by_size.iter().filter(|_| pair.by_size.len() > 1) {
                let numbers =
                    [s.size, s.n_train, s.n_test, s.exact, s.symmetric, s.same_pattern, s.distinct_test];
                let [size, a, b, c, d, e, f] = numbers.map(|number| number.to_string());
                line(["", "", &size, &a, &b, &c, &d, &e, &f]);
            }
        }
        for pair in &self.pairs {
            notes(&mut text, pair);
        }
        self.list(&mut text);
        text
    }

    fn list(&self, text: &mut String) {
        for offender in self.offenders.iter().take(LISTED) {
            let Pair { train, test, .. } = &self.pairs[offender.pair];
            let (overlap, here, there) = (offender.overlap.word(), &offender.test_id, &offender.train_id);
            let _ = writeln!(text, "{overlap}: {here} of {test} and {there} of {train}");
        }
        if self.offenders.len() > LISTED {
            let _ = writeln!(text, "and {} more", self.offenders.len() - LISTED);
        }
    }
}

fn notes(text: &mut String, pair: &Pair) {
    let Pair { train, test, .. } = pair;
    if pair.paired {
        let _ = writeln!(
            text,
            "{train} and {test} share their base scenes on purpose, so that they compare item by item: neither may \
             be trained on where the other is reported"
        );
    }
    if let Some(near) = &pair.near {
        let _ = writeln!(
            text,
            "{train} and {test}: {} of {} test pictures look like a training picture ({} by hash alone); of these, \
             {} show a problem that is not in training up to symmetry",
            near.test, near.compared, near.candidates, near.beyond
        );
    }
}
