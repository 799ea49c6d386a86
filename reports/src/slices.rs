//! Accuracy by what an example's truth says of its difficulty: size, density, distance.

use std::collections::BTreeMap;

use vrrl_harness_core::Truth;

/// Fewest episodes behind a point.
pub(crate) const FEWEST: u64 = 20;

/// Episodes, and those whose final answer is right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Episodes without faults.
    pub n: u64,
    /// Right ones.
    pub right: u64,
}

/// Tallies by split, then by fact (`cells on a side`, ...), then by its value.
pub type Slices = BTreeMap<String, BTreeMap<&'static str, BTreeMap<u32, Tally>>>;

/// Counts one judged episode.
pub(crate) fn count(slices: &mut Slices, split: &str, truth: &Truth, right: bool) {
    let by_fact = match slices.get_mut(split) {
        Some(found) => found,
        None => slices.entry(split.to_owned()).or_default(),
    };
    for (fact, value) in facts(truth) {
        let tally = by_fact.entry(fact).or_default().entry(value).or_default();
        tally.n += 1;
        tally.right += u64::from(right);
    }
}

/// Facts that stand in the truth alone; shares and pixels are rounded so that a value has company.
fn facts(truth: &Truth) -> Vec<(&'static str, u32)> {
    match truth {
        Truth::Maze(maze) => {
            let side = maze.level.max(1);
            let holes = maze.layout.iter().flat_map(|row| row.chars()).filter(|c| *c == 'H').count();
            let apart =
                |of: fn(usize, usize) -> usize| of(maze.start_pos, side).abs_diff(of(maze.target_pos, side));
            let straight = apart(|cell, side| cell / side) + apart(|cell, side| cell % side);
            vec![
                ("cells on a side", whole(side)),
                ("holes, % of cells", whole((holes * 20 + side * side / 2) / (side * side) * 5)),
                ("rows and columns from start to goal", whole(straight)),
            ]
        }
        Truth::Region(region) => match region.size {
            Some([width, height]) => {
                vec![("longer side of the picture, pixels", (width.max(height) + 50) / 100 * 100)]
            }
            None => Vec::new(),
        },
    }
}

fn whole(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn truths_say_how_hard_they_are() {
        let maze = r#"{"layout":["SFH","HFF","FFG"],"start_pos":0,"target_pos":8,"level":3}"#;
        let found = facts(&serde_json::from_str(maze).unwrap());
        // 2 of 9 cells are 22 %, the nearest twentieth 20 %.
        let words = ["cells on a side", "holes, % of cells", "rows and columns from start to goal"];
        assert_eq!(found, words.into_iter().zip([3, 20, 4]).collect::<Vec<_>>());
        let point = r#"{"point":[1.0,2.0],"tolerance":4,"size":[640,551]}"#;
        assert_eq!(
            facts(&serde_json::from_str(point).unwrap()),
            [("longer side of the picture, pixels", 600)]
        );
    }
}
