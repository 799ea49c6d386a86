//! What is drawn anew where the additions of a structural shift do not fit: other ones, and now and then another
//! number of them.

/// Draws of the same number of additions before another number is tried.
const SAME_NUMBER: u64 = 100;

/// How many additions draw `again` has where `asked` are asked for. Crowded scenes leave few choices: after every
/// [`SAME_NUMBER`] draws it is one more, one less, two more and so on.
pub(crate) fn number(asked: usize, again: u64) -> usize {
    let round = (again / SAME_NUMBER) as usize;
    let aside = round.div_ceil(2);
    if round % 2 == 1 {
        asked + aside
    } else {
        asked.saturating_sub(aside)
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_go_to_both_sides() {
        let numbers: Vec<usize> = [0, 99, 100, 200, 300, 400, 1000].map(|again| number(3, again)).into();
        assert_eq!(numbers, [3, 3, 4, 2, 5, 1, 0]);
    }
}
