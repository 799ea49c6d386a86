//! White lines on blue paper: everything is an outline.

use super::{disc, ground, pixels, polygon, rect, Tiles};
use crate::canvas::{Rgb, Shape, Sprite};

const PAPER: Rgb = [28, 72, 138];
const GRID: Rgb = [74, 118, 182];
const LINE: Rgb = [236, 244, 255];

/// A shape as a line: the outer one white, the inner one paper.
fn outline(tile: Sprite, outer: &Shape, inner: &Shape) -> Sprite {
    tile.paint(outer, LINE).paint(inner, PAPER)
}

pub(super) fn crisp() -> Tiles {
    let paper = ground(GRID, PAPER);
    // A cross at the cell's centre, as drawings mark one.
    let free = paper.clone().paint(&rect(28, 31, 36, 33, 0), GRID).paint(&rect(31, 28, 33, 36, 0), GRID);
    let mut hole = outline(paper.clone(), &disc(32, 32, 25), &disc(32, 32, 23));
    // Hatching: slanted bars, cut to the circle by two corners of each that lie on it.
    for (x0, y0, x1, y1) in [(11, 28, 28, 11), (13, 41, 41, 13), (19, 49, 49, 19), (29, 53, 53, 29)] {
        hole = hole.paint(&polygon(&[(x0, y0), (x1, y1), (x1 + 2, y1 + 2), (x0 + 2, y0 + 2)]), LINE);
    }
    let start = paper.clone();
    let start = outline(start, &rect(22, 44, 31, 57, 2), &rect(24, 44, 29, 55, 1));
    let start = outline(start, &rect(33, 44, 42, 57, 2), &rect(35, 44, 40, 55, 1));
    let start = outline(
        start,
        &polygon(&[(22, 28), (42, 28), (49, 50), (15, 50)]),
        &polygon(&[(24, 30), (40, 30), (46, 48), (18, 48)]),
    );
    let start = outline(start, &disc(32, 20, 12), &disc(32, 20, 10))
        .paint(&disc(28, 19, 2), LINE)
        .paint(&disc(36, 19, 2), LINE)
        .paint(&rect(28, 24, 36, 26, 0), LINE);
    let goal = outline(paper, &rect(13, 27, 51, 56, 1), &rect(15, 29, 49, 54, 0));
    let goal =
        outline(goal, &polygon(&[(32, 21), (13, 5), (10, 21)]), &polygon(&[(27, 19), (14, 9), (12, 19)]));
    let goal =
        outline(goal, &polygon(&[(32, 21), (51, 5), (54, 21)]), &polygon(&[(37, 19), (50, 9), (52, 19)]));
    let goal = outline(goal, &rect(9, 18, 55, 29, 1), &rect(11, 20, 53, 27, 0))
        .paint(&rect(28, 18, 30, 56, 0), LINE)
        .paint(&rect(34, 18, 36, 56, 0), LINE);
    Tiles { around: [20, 56, 112], free, hole, start, goal }
}

pub(super) fn small() -> Tiles {
    let art = |rows: [&str; 8]| pixels(rows, &[(b'i', PAPER), (b'I', GRID), (b'w', LINE)]);
    Tiles {
        around: [96, 96, 104],
        free: art([
            "iiiiiiiI", "iiiiiiiI", "iiiiiiiI", "iiiIIiiI", "iiiIIiiI", "iiiiiiiI", "iiiiiiiI", "IIIIIIII",
        ]),
        hole: art([
            "iiwwwwiI", "iwiiwiwI", "wiiwiiww", "wiwiiwiw", "wwiiwiiw", "wiiwiiww", "iwwiiwwI", "IIwwwwII",
        ]),
        start: art([
            "iiwwwwiI", "iiwiiwiI", "iiwwwwiI", "iiiwwiiI", "wwwwwwww", "iiiwwiiI", "iiwiiwiI", "IwIIIIwI",
        ]),
        goal: art([
            "iwwiiwwI", "iwiwwiwI", "wwwwwwww", "wiiwwiiw", "wiiwwiiw", "wiiwwiiw", "wiiwwiiw", "wwwwwwww",
        ]),
    }
}
