//! The known word that an unknown one was meant to be.

/// The candidate fewest edits away, if at most half of the word would change.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|candidate| (edits(word, candidate), candidate));
    let limit = word.chars().count().max(2);
    scored.min().filter(|&(distance, _)| distance * 2 <= limit).map(|(_, candidate)| candidate)
}

/// `; did you mean X?`, or all of the known words where none is near.
pub(crate) fn hint(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", known.join(", ")),
    }
}

/// A message of serde about an unknown key or variant, with the nearest known one named at its end.
pub(crate) fn with_hint(message: &str) -> String {
    let near = ["unknown field `", "unknown variant `"].into_iter().find_map(|start| {
        let (_, rest) = message.split_once(start)?;
        let (unknown, expected) = rest.split_once('`')?;
        nearest(unknown, expected.split('`').skip(1).step_by(2))
    });
    match near {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message.into(),
    }
}

/// Levenshtein distance; long words are cut, for no key is that long.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
