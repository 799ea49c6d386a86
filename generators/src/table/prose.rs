//! Running text around a table: captions, notes, and what does not belong to it. No number in it can be taken
//! for a cell's value.

use vrrl_harness_core::Rng;

use super::content::Content;

/// The head of the row headers.
const CORNERS: [&str; 8] =
    ["Method", "Model", "Approach", "System", "Algorithm", "Setting", "Variant", "Name"];
/// The same where rows and columns have changed places.
const TURNED_CORNERS: [&str; 4] = ["Data set", "Metric", "Benchmark", "Evaluation"];

/// What stands above the row headers; nothing now and then.
pub(crate) fn corner(turned: bool, rng: &mut Rng) -> &'static str {
    let words: &[&str] = if turned { &TURNED_CORNERS } else { &CORNERS };
    let word = words[rng.index(words.len())];
    if rng.chance(1, 8) {
        ""
    } else {
        word
    }
}

/// The caption behind its number.
pub(crate) fn caption(content: &Content, best: bool, rng: &mut Rng) -> String {
    let topic = content.domain.topic(rng);
    let mut text = match (content.metric, rng.below(4)) {
        (Some(metric), 0 | 1) => format!("{} on {topic}.", metric.name),
        (Some(metric), _) => format!("Comparison on {topic}, measured by {}.", metric.name),
        (None, 0) => format!("Results on {topic}."),
        (None, 1) => format!("Main results for {topic}."),
        (None, 2) => format!("Quantitative comparison on {topic}."),
        (None, _) => format!("Evaluation of {topic} under several measures."),
    };
    if best && rng.chance(2, 3) {
        text.push_str(" Best results are in bold.");
    }
    text
}

/// What the mark means.
pub(crate) fn note(rng: &mut Rng) -> &'static str {
    const NOTES: [&str; 5] = [
        "taken from the original publication.",
        "our own run with released code.",
        "trained with additional data.",
        "evaluated on a subset.",
        "reported without test-time changes.",
    ];
    NOTES[rng.index(NOTES.len())]
}

/// Footnote marks; none is a digit.
pub(crate) const MARKS: [&str; 4] = ["†", "‡", "*", "§"];

const SENTENCES: [&str; 18] = [
    "All runs share one training budget unless we say otherwise.",
    "We repeat every experiment with several seeds and report the mean.",
    "The gain is largest where labelled examples are scarce.",
    "A detailed description of the preprocessing is given in the appendix.",
    "Hyper-parameters were chosen on held-back data and then frozen.",
    "This agrees with what earlier work has observed at a smaller scale.",
    "We leave a theoretical explanation of the effect to future work.",
    "Removing either component makes the outcome less stable.",
    "Note that the comparison favours systems with more memory.",
    "Qualitative examples are shown in the supplementary material.",
    "The difference vanishes once both are trained to convergence.",
    "Our implementation follows the public release as closely as possible.",
    "None of the baselines had access to external resources.",
    "We found the ranking to be the same under other protocols.",
    "Longer schedules help all entries by about the same amount.",
    "Error bars are omitted where they are too small to see.",
    "The remaining failures are mostly due to ambiguous annotation.",
    "Code and configuration files will be released with the paper.",
];

/// Running text of about so many characters.
pub(crate) fn paragraph(characters: usize, rng: &mut Rng) -> String {
    let mut order = SENTENCES;
    rng.shuffle(&mut order);
    let mut text = String::from(order[0]);
    for sentence in &order[1..] {
        if text.len() >= characters {
            break;
        }
        text.push(' ');
        text.push_str(sentence);
    }
    text
}

/// A heading of a section.
pub(crate) fn heading(rng: &mut Rng) -> String {
    const HEADINGS: [&str; 6] = [
        "Main findings",
        "Ablation study",
        "Analysis",
        "Implementation details",
        "Discussion",
        "Limitations",
    ];
    format!("{}.{} {}", rng.between(2, 4), rng.between(1, 4), HEADINGS[rng.index(HEADINGS.len())])
}

/// The caption of a figure that is not there.
pub(crate) fn figure(rng: &mut Rng) -> String {
    const FIGURES: [&str; 5] = [
        "Overview of the proposed pipeline.",
        "Effect of the amount of training data.",
        "Failure cases on hard inputs, chosen at random.",
        "Convergence of all compared systems.",
        "Layout of the user study.",
    ];
    format!("Figure {}: {}", rng.between(1, 9), FIGURES[rng.index(FIGURES.len())])
}

/// What stands at the top of a page.
pub(crate) fn running_head(rng: &mut Rng) -> &'static str {
    const HEADS: [&str; 4] = [
        "Preprint. Under review.",
        "Published as a conference paper",
        "Workshop contribution",
        "Technical report, revised",
    ];
    HEADS[rng.index(HEADS.len())]
}

/// What a watermark says.
pub(crate) fn watermark(rng: &mut Rng) -> &'static str {
    const WORDS: [&str; 5] = ["DRAFT", "PREPRINT", "SAMPLE", "INTERNAL", "COPY"];
    WORDS[rng.index(WORDS.len())]
}
