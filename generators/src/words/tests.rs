//! Laws of the vocabularies.

use std::collections::BTreeSet;

use vrrl_harness_core::Seed;

use super::{domain, domains, Domain, Model, DOMAINS};

type Words = BTreeSet<String>;

fn pairs([first, second]: [&[&str]; 2]) -> Words {
    first.iter().flat_map(|a| second.iter().map(move |b| format!("{a} {b}"))).collect()
}

fn models(domain: &Domain) -> Words {
    let sizes =
        |&Model(stem, sizes): &Model| sizes.iter().map(|size| format!("{stem}{size}")).collect::<Vec<_>>();
    domain.models.iter().flat_map(sizes).collect()
}

fn methods(domain: &Domain) -> Words {
    let [first, second] = domain.parts;
    let names = first.iter().flat_map(|a| second.iter().map(move |b| format!("{a}{b}")));
    names.flat_map(|name| ["", "++", " v2", "-L"].map(|more| format!("{name}{more}"))).collect()
}

fn data_sets(domain: &Domain) -> Words {
    let parts = |name: &&str| {
        std::iter::once("")
            .chain(domain.splits.iter().copied())
            .map(|part| format!("{name}{part}"))
            .collect::<Vec<_>>()
    };
    domain.data.iter().flat_map(parts).collect()
}

fn rows(domain: &Domain) -> Words {
    let variants = domain.variants.iter().map(|&word| word.to_owned());
    models(domain).into_iter().chain(methods(domain)).chain(pairs(domain.schools)).chain(variants).collect()
}

fn columns(domain: &Domain) -> Words {
    let metrics = domain.metrics.iter().chain(domain.costs).map(|metric| metric.name.to_owned());
    data_sets(domain).into_iter().chain(pairs(domain.suites)).chain(metrics).collect()
}

/// Every word of the held-out domains, or of the others.
pub(crate) fn all_words(held_out: bool) -> impl Iterator<Item = String> {
    domains(held_out).flat_map(|domain| rows(domain).into_iter().chain(columns(domain)))
}

#[test]
fn fifteen_domains_train_and_four_are_held_out() {
    assert_eq!([domains(false).count(), domains(true).count()], [15, 4]);
    for (index, one) in DOMAINS.iter().enumerate() {
        assert!(std::ptr::eq(domain(one.name).unwrap(), *one));
        assert_eq!(one.held_out, index >= 15, "held-out domains stand last");
    }
}

#[test]
fn every_domain_is_rich_enough_for_the_largest_table() {
    for domain in DOMAINS {
        let name = domain.name;
        // Sixty columns of their own, thirty groups of two, and both without drawing the last word.
        assert!(data_sets(domain).len() >= 140, "{name}: {} data sets", data_sets(domain).len());
        assert!(models(domain).len() >= 30, "{name}: {} models", models(domain).len());
        assert!(methods(domain).len() >= 400, "{name}: {} methods", methods(domain).len());
        assert!(pairs(domain.suites).len() >= 20 && pairs(domain.schools).len() >= 20, "{name}: groups");
        assert!(
            domain.metrics.len() >= 12 && domain.costs.len() == 4 && domain.variants.len() >= 10,
            "{name}"
        );
        assert!(domain.topics.len() >= 5, "{name}");
    }
}

#[test]
fn a_word_means_one_thing() {
    for domain in DOMAINS {
        let parts =
            [models(domain).len(), methods(domain).len(), pairs(domain.schools).len(), domain.variants.len()];
        assert_eq!(
            rows(domain).len(),
            parts.iter().sum::<usize>(),
            "{}: a word of rows comes twice",
            domain.name
        );
        let metrics = domain.metrics.len() + domain.costs.len();
        let parts = [data_sets(domain).len(), pairs(domain.suites).len(), metrics];
        assert_eq!(
            columns(domain).len(),
            parts.iter().sum::<usize>(),
            "{}: a word of columns comes twice",
            domain.name
        );
        let both: Vec<_> = rows(domain).intersection(&columns(domain)).cloned().collect();
        assert!(both.is_empty(), "{}: {both:?} of rows and of columns", domain.name);
    }
}

#[test]
fn held_out_words_stand_nowhere_else() {
    let all = |held_out| -> Words { all_words(held_out).collect() };
    let both: Vec<_> = all(false).intersection(&all(true)).cloned().collect();
    assert!(both.is_empty(), "{both:?}");
}

#[test]
fn labels_are_short_and_can_be_drawn() {
    let drawable = |c: char| c.is_ascii_graphic() || c == ' ' || "±–—×·†‡↑↓§µαβΔ→’“”".contains(c);
    for domain in DOMAINS {
        for word in rows(domain).into_iter().chain(columns(domain)) {
            assert!(word.chars().count() <= 36 && word.trim() == word && !word.is_empty(), "{word:?}");
            assert!(word.chars().all(drawable), "{word:?}");
            assert!(!word.contains('"'), "{word:?} would end the quotation of a question");
        }
    }
}

#[test]
fn draws_are_golden() {
    // A change here changes every generated table: raise `VERSION` with it.
    let mut rng = Seed(1).rng();
    let mut words = Vec::new();
    for domain in DOMAINS.iter().step_by(6) {
        words.extend([domain.model(&mut rng), domain.method(&mut rng), domain.data_set(&mut rng)]);
        words.extend([domain.suite(&mut rng), domain.school(&mut rng), domain.topic(&mut rng).into()]);
    }
    let golden = [
        "MobileNetV4",
        "SwapDistill",
        "Country211",
        "Specialized domains",
        "Fine-tuned ensembles",
        "image classification",
        "Phi-3-mini",
        "StepStar-L",
        "MuSR",
        "Commonsense questions",
        "Open-weight checkpoints",
        "knowledge-intensive tasks",
        "NLinear-I",
        "TrendKAN-L",
        "Exchange",
        "Hourly panels",
        "Frequency-domain forecasters",
        "time series classification",
        "VAR(2)",
        "Log-squared",
        "Tax share real",
        "Financial regions",
        "Pre-reform specifications",
        "effects of minimum wages",
    ];
    assert_eq!(words, golden, "{words:#?}");
}
