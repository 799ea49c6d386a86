//! Vocabularies: what the headers, captions and titles of tables and charts are made of.
//!
//! A domain is data (one constant each, in the files beside this one): data sets, metrics, architectures with
//! their sizes, and parts that combine into method names. Names of real data sets and models are facts; the
//! composed method names are made up and may by chance be somebody's. Words of rows and words of columns never
//! coincide, nor do those of held-out domains with those of the others, so that a question that names a header
//! means one thing. The tests hold that.

mod held_out;
mod language;
mod science;
mod signals;
#[cfg(test)]
pub(crate) mod tests;
mod vision;

use vrrl_harness_core::Rng;

/// One academic field and its words.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Domain {
    /// The name in params.
    pub name: &'static str,
    /// Kept for the vocabulary shift: never drawn unless asked for.
    pub held_out: bool,
    /// What a caption says the table is about.
    pub topics: &'static [&'static str],
    /// Data sets: columns, or groups of metric columns.
    pub data: &'static [&'static str],
    /// What may follow the name of a data set.
    pub splits: &'static [&'static str],
    /// Groups of data sets: any first word with any second.
    pub suites: [&'static [&'static str]; 2],
    /// Metrics: columns below a data set.
    pub metrics: &'static [Metric],
    /// Costs and properties that stand before the results.
    pub costs: &'static [Metric],
    /// Architectures and their sizes: rows, or groups of rows.
    pub models: &'static [Model],
    /// Groups of methods: any first word with any second.
    pub schools: [&'static [&'static str]; 2],
    /// Parts of method names: any first with any second.
    pub parts: [&'static [&'static str]; 2],
    /// Rows that come back in every group.
    pub variants: &'static [&'static str],
}

/// Something that is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    /// Whether more is better.
    pub more: bool,
}

/// An architecture: its stem, and what may follow it directly.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Model(pub &'static str, pub &'static [&'static str]);

/// How a number is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    /// 5.0 to 99.9, one decimal or two.
    Percent,
    /// 0.50 to 9.99, two decimals or three.
    Float,
    /// 0.050 to 0.999, three decimals or four.
    Unit,
    /// 50 to 9990, none.
    Count,
}

/// A percentage of which more is better.
const fn percent(name: &'static str) -> Metric {
    Metric { name, kind: Kind::Percent, more: true }
}

/// A percentage of which less is better.
const fn error(name: &'static str) -> Metric {
    Metric { name, kind: Kind::Percent, more: false }
}

/// A number up to ten of which more is better.
const fn gain(name: &'static str) -> Metric {
    Metric { name, kind: Kind::Float, more: true }
}

/// A number up to ten of which less is better.
const fn loss(name: &'static str) -> Metric {
    Metric { name, kind: Kind::Float, more: false }
}

/// A number up to one of which more is better.
const fn score(name: &'static str) -> Metric {
    Metric { name, kind: Kind::Unit, more: true }
}

/// A number up to one of which less is better.
const fn gap(name: &'static str) -> Metric {
    Metric { name, kind: Kind::Unit, more: false }
}

/// A whole number of which more is better.
const fn count(name: &'static str) -> Metric {
    Metric { name, kind: Kind::Count, more: true }
}

/// A whole number of which less is better.
const fn cost(name: &'static str) -> Metric {
    Metric { name, kind: Kind::Count, more: false }
}

/// Every domain, those for training first; the order decides what seeds draw.
pub(crate) static DOMAINS: [&Domain; 19] = [
    &vision::CLASSIFICATION,
    &vision::DETECTION,
    &vision::SEGMENTATION,
    &vision::GENERATION,
    &language::UNDERSTANDING,
    &language::TRANSLATION,
    &language::REASONING,
    &language::CODE,
    &signals::SPEECH,
    &signals::CONTROL,
    &signals::GRAPHS,
    &signals::RECOMMENDATION,
    &science::SERIES,
    &science::MEDICINE,
    &science::MOLECULES,
    &held_out::CLIMATE,
    &held_out::ASTRONOMY,
    &held_out::MATERIALS,
    &held_out::ECONOMETRICS,
];

/// The domain of that name.
pub(crate) fn domain(name: &str) -> Option<&'static Domain> {
    DOMAINS.into_iter().find(|domain| domain.name == name)
}

/// The domains for training, or those that are held out.
pub(crate) fn domains(held_out: bool) -> impl Iterator<Item = &'static Domain> {
    DOMAINS.into_iter().filter(move |domain| domain.held_out == held_out)
}

impl Domain {
    /// An architecture with a size: "ResNet-50".
    pub fn model(&self, rng: &mut Rng) -> String {
        let Model(stem, sizes) = rng.choose(self.models);
        format!("{stem}{}", rng.choose(sizes))
    }

    /// A made-up method: "CutNet", "RandFormer v2".
    pub fn method(&self, rng: &mut Rng) -> String {
        let [first, second] = self.parts;
        let name = format!("{}{}", rng.choose(first), rng.choose(second));
        // Now and then a later version of it.
        match rng.below(8) {
            0 => format!("{name}++"),
            1 => format!("{name} v2"),
            2 => format!("{name}-L"),
            _ => name,
        }
    }

    /// A data set, now and then one of its parts: "ImageNet", "ImageNet val".
    pub fn data_set(&self, rng: &mut Rng) -> String {
        let name = *rng.choose(self.data);
        let split = *rng.choose(self.splits);
        if rng.chance(1, 4) {
            format!("{name}{split}")
        } else {
            name.into()
        }
    }

    /// A group of data sets: "Fine-grained benchmarks".
    pub fn suite(&self, rng: &mut Rng) -> String {
        pair(self.suites, rng)
    }

    /// A group of methods: "Self-supervised transformers".
    pub fn school(&self, rng: &mut Rng) -> String {
        pair(self.schools, rng)
    }

    /// What a picture of this domain is about: "top-1 accuracy" is left to the metric.
    pub fn topic(&self, rng: &mut Rng) -> &'static str {
        self.topics[rng.index(self.topics.len())]
    }
}

fn pair([first, second]: [&'static [&'static str]; 2], rng: &mut Rng) -> String {
    format!("{} {}", rng.choose(first), rng.choose(second))
}

/// Letters that stay apart at three by five pixels, and from digits.
const LETTERS: [[char; 9]; 2] =
    [['A', 'D', 'F', 'J', 'L', 'N', 'R', 'U', 'Y'], ['C', 'E', 'H', 'K', 'M', 'P', 'T', 'V', 'X']];

/// One letter, for a group of rows or columns on the small canvas; those of rows and of columns differ.
pub(crate) fn letter(row: bool, rng: &mut Rng) -> String {
    rng.choose(&LETTERS[usize::from(row)]).to_string()
}

/// Two letters, for a header on the small canvas; those of rows and of columns begin differently.
pub(crate) fn letters(row: bool, rng: &mut Rng) -> String {
    let second = rng.chance(1, 2);
    format!("{}{}", letter(row, rng), letter(second, rng))
}
