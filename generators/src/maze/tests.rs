//! Tests of the task as a whole: laws, the independent solver, the judge's table, and golden pictures.

use proptest::prelude::*;
use vrrl_harness_core::{
    sha256_hex, Answer, Error, Feedback, Image, MazeTruth, Move, PathVerdict, Seed, Task, Truth, Verdict,
    View,
};

use super::generate::CANVAS_CELLS;
use super::{Maze, MazeParams, MazeScene, Theme};
use crate::png;

const FAR: usize = 1000;

/// Shortest length by Floyd-Warshall over all pairs: shares nothing with the breadth-first search but the
/// letters of the truth.
fn second_solver(truth: &MazeTruth) -> Option<usize> {
    let n = truth.level;
    let cells: Vec<u8> = truth.layout.iter().flat_map(|row| row.bytes()).collect();
    let near = |a: usize, b: usize| (a / n).abs_diff(b / n) + (a % n).abs_diff(b % n) == 1;
    let mut table = vec![vec![FAR; n * n]; n * n];
    for a in 0..n * n {
        table[a][a] = 0;
        for b in 0..n * n {
            if near(a, b) && cells[a] != b'H' && cells[b] != b'H' {
                table[a][b] = 1;
            }
        }
    }
    for via in 0..n * n {
        for a in 0..n * n {
            for b in 0..n * n {
                table[a][b] = table[a][b].min(table[a][via] + table[via][b]);
            }
        }
    }
    let length = table[truth.start_pos][truth.target_pos];
    (length < FAR).then_some(length)
}

fn maze_truth(scene: &MazeScene) -> MazeTruth {
    match Maze::truth(scene) {
        Truth::Maze(truth) => truth,
        Truth::Region(_) => panic!("not a maze"),
    }
}

fn scene_of(rows: &[&str]) -> MazeScene {
    Maze::from_truth(&Truth::Maze(truth_of(rows)), Seed(0)).unwrap()
}

fn truth_of(rows: &[&str]) -> MazeTruth {
    let at = |letter| rows.concat().find(letter).unwrap_or(0);
    MazeTruth {
        layout: rows.iter().map(|&row| row.into()).collect(),
        start_pos: at('S'),
        target_pos: at('G'),
        level: rows.len(),
    }
}

fn path(words: &str) -> Answer {
    Answer::Moves(words.split_whitespace().map(|word| Move::from_word(word).unwrap()).collect())
}

fn verdict(scene: &MazeScene, answer: &Answer) -> PathVerdict {
    match Maze::judge(scene, answer) {
        Verdict::Path(verdict) => verdict,
        Verdict::Point(_) => panic!("not a path"),
    }
}

fn drawn(scene: &MazeScene, answer: &Answer, view: View) -> Image {
    match Maze::feedback(scene, answer, view) {
        Feedback::Image(image) => image,
        Feedback::Text(text) => panic!("{text}"),
    }
}

fn rotated(truth: &MazeTruth, mirrored: bool) -> MazeTruth {
    let n = truth.level;
    let rows: Vec<Vec<char>> = truth.layout.iter().map(|row| row.chars().collect()).collect();
    let letter = |row: usize, column: usize| {
        if mirrored {
            rows[row][n - 1 - column]
        } else {
            rows[n - 1 - column][row]
        }
    };
    let layout: Vec<String> = (0..n).map(|row| (0..n).map(|column| letter(row, column)).collect()).collect();
    truth_of(&layout.iter().map(String::as_str).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_maze_is_as_its_params_say(low in 2u32..=8, more in 0u32..=3, seed in any::<u64>()) {
        let params = MazeParams::of_size(low, (low + more).min(8));
        let scene = Maze::generate(&params, Seed(seed)).unwrap();
        let n = scene.size();
        prop_assert!(params.sizes().contains(&n));
        prop_assert!(scene.start() != scene.goal());
        prop_assert!(scene.offset().iter().all(|&cells| cells + n <= CANVAS_CELLS));
        prop_assert_eq!(second_solver(&maze_truth(&scene)), Some(scene.shortest()));
        prop_assert!((2..=16).contains(&scene.shortest()));
        // The truth and the seed rebuild the whole scene, offset included.
        prop_assert_eq!(&Maze::from_truth(&Maze::truth(&scene), Seed(seed)).unwrap(), &scene);
        // Same seed, same bytes.
        let again = Maze::generate(&params, Seed(seed)).unwrap();
        for view in [View::Crisp, View::Canvas] {
            prop_assert_eq!(png(&Maze::observe(&again, view)), png(&Maze::observe(&scene, view)));
        }
    }

    #[test]
    fn the_oracle_is_right_and_mistakes_are_wrong(n in 2u32..=8, seed in any::<u64>()) {
        let scene = Maze::generate(&MazeParams::of_size(n, n), Seed(seed)).unwrap();
        let mut rng = Seed(seed).derive("answers", 0).rng();
        for _ in 0..8 {
            let right = verdict(&scene, &Maze::oracle(&scene, &mut rng));
            prop_assert!(right.exact && right.strict && right.lenient && !right.overshoots);
            prop_assert!((right.progress - 1.0).abs() < 1e-12);
            let wrong = Maze::mistake(&scene, &mut rng);
            let length = wrong.moves().unwrap().len();
            prop_assert!(!verdict(&scene, &wrong).exact);
            prop_assert!((1..=scene.shortest().max(2 * scene.size()) + 2).contains(&length));
            let guess = Maze::guess(&scene, &mut rng);
            prop_assert!((1..=2 * scene.size()).contains(&guess.moves().unwrap().len()));
        }
    }

    #[test]
    fn feedback_takes_any_list(seed in any::<u64>(), n in 2u32..=8, steps in prop::collection::vec(0usize..4, 0..200)) {
        let scene = Maze::generate(&MazeParams::of_size(n, n), Seed(seed)).unwrap();
        let answer = Answer::Moves(steps.into_iter().map(|step| Move::ALL[step]).collect());
        let crisp = drawn(&scene, &answer, View::Crisp);
        prop_assert_eq!(crisp.dimensions(), (64 * (n + 1), 64 * (n + 1)));
        let canvas = drawn(&scene, &answer, View::Canvas);
        prop_assert_eq!(canvas.dimensions(), (64, 64));
        prop_assert_ne!(canvas, Maze::observe(&scene, View::Canvas));
        let judged = verdict(&scene, &answer);
        prop_assert!((0.0..=1.0).contains(&judged.progress));
        prop_assert!(!judged.exact || judged.strict);
        prop_assert!(!judged.strict || judged.lenient);
    }

    #[test]
    fn symmetric_forms_ignore_rotation_and_reflection(seed in any::<u64>(), n in 2u32..=8) {
        let scene = Maze::generate(&MazeParams::of_size(n, n), Seed(seed)).unwrap();
        let form = Maze::canonical(&scene);
        let mut truth = maze_truth(&scene);
        for turn in 0..8 {
            truth = rotated(&truth, turn == 3);
            let image = Maze::canonical(&Maze::from_truth(&Truth::Maze(truth.clone()), Seed(0)).unwrap());
            prop_assert_eq!(&image.symmetric, &form.symmetric);
            prop_assert_eq!(&image.exact, &truth.layout.join("\n"));
        }
    }
}

#[test]
fn the_judge_follows_its_table() {
    // S F F
    // F H F
    // F F G
    let scene = scene_of(&["SFF", "FHF", "FFG"]);
    let rows: [(&str, bool, bool, bool, u32, bool); 12] = [
        // moves, exact, strict, lenient, progress in quarters, overshoots
        ("right right down down", true, true, true, 4, false),
        ("down down right right", true, true, true, 4, false),
        ("right right down down up", false, true, true, 4, true),
        ("right right down down right", false, true, true, 4, true),
        ("right right down", false, false, false, 3, false),
        ("", false, false, false, 0, false),
        ("up right right down down", false, false, true, 0, false),
        ("right right right down down", false, false, true, 2, false),
        ("right left right right down down", false, true, true, 1, false),
        ("right down right down", false, false, false, 1, false),
        ("down right", false, false, false, 1, false),
        ("right right down up down down", false, true, true, 3, false),
    ];
    for (moves, exact, strict, lenient, quarters, overshoots) in rows {
        let expected =
            PathVerdict { exact, strict, lenient, progress: f64::from(quarters) / 4.0, overshoots };
        assert_eq!(verdict(&scene, &path(moves)), expected, "{moves:?}");
    }
    let point = Answer::Point([1.0, 2.0]);
    assert!(!Maze::judge(&scene, &point).correct());
    assert!(matches!(Maze::feedback(&scene, &point, View::Crisp), Feedback::Text(_)));
}

#[test]
fn only_on_an_empty_list_is_the_marker_alone() {
    let scene = scene_of(&["SF", "FG"]);
    let changed = |answer: &Answer, view| {
        let (before, after) = (Maze::observe(&scene, view), drawn(&scene, answer, view));
        before.pixels().zip(after.pixels()).filter(|(a, b)| a != b).count()
    };
    assert_eq!(changed(&path(""), View::Canvas), 16);
    // From the centre of one cell to the centre of the next: eight pixels, less the marker and the overlap.
    assert_eq!(changed(&path("right"), View::Canvas), 16 + 2 * 7);
}

#[test]
fn a_step_off_the_grid_is_drawn_and_goes_nowhere() {
    let scene = scene_of(&["SF", "FG"]);
    let (before, after) = (Maze::observe(&scene, View::Crisp), drawn(&scene, &path("up"), View::Crisp));
    // The margin above the start cell's centre carries the line up to the phantom cell's centre.
    assert_ne!(before.get_pixel(64, 0), after.get_pixel(64, 0));
    assert_ne!(before.get_pixel(64, 30), after.get_pixel(64, 30));
    assert_eq!(before.get_pixel(128, 0), after.get_pixel(128, 0));
    // The star stands on the start cell.
    assert_eq!(after.get_pixel(64, 64).0, [255, 220, 60]);
}

#[test]
fn a_million_moves_are_drawn_and_judged() {
    let scene = Maze::generate(&MazeParams::of_size(7, 7), Seed(5)).unwrap();
    let mut rng = Seed(6).rng();
    let answer = Answer::Moves((0..1_000_000).map(|_| *rng.choose(&Move::ALL)).collect());
    for view in [View::Crisp, View::Canvas] {
        drawn(&scene, &answer, view);
    }
    assert!(!verdict(&scene, &answer).exact);
}

#[test]
fn bad_truths_are_named() {
    let bad = |truth: MazeTruth, expected: &str| {
        let text = Maze::from_truth(&Truth::Maze(truth), Seed(0)).unwrap_err().to_string();
        assert!(text.contains(expected), "{text} should say {expected}");
    };
    bad(truth_of(&["SH", "HG"]), "no path leads");
    bad(truth_of(&["SF", "FF"]), "0 cells G");
    bad(truth_of(&["SFG", "FF", "FFF"]), "row 1 has 2 cells");
    bad(truth_of(&["SX", "FG"]), "row 0, column 1 is 'X'");
    bad(truth_of(&["S"]), "1 rows");
    bad(MazeTruth { level: 3, ..truth_of(&["SF", "FG"]) }, "level is 3");
    bad(MazeTruth { start_pos: 9, ..truth_of(&["SF", "FG"]) }, "start_pos is 9");
    bad(MazeTruth { target_pos: 1, ..truth_of(&["SF", "FG"]) }, "target_pos is 1");
}

#[test]
fn bad_params_are_named() {
    let pose =
        |params: serde_json::Value| crate::pose(vrrl_harness_core::TaskKind::Maze, &params, Seed(0)).err();
    let text = |params| pose(params).unwrap().to_string();
    assert!(text(serde_json::json!({"size": [4, 5], "hole": [1, 2]})).contains("unknown field `hole`"));
    assert!(text(serde_json::json!({"size": [5, 4]})).contains("size is [5, 4]"));
    assert!(text(serde_json::json!({"size": [4, 9]})).contains("within 2 to 8"));
    assert!(text(serde_json::json!({"size": [3, 3], "shortest": [9, 9]})).contains("a 3x3 board has 9 cells"));
    assert!(text(serde_json::json!({"size": [3, 4], "weights": [1]})).contains("each of the 2 sizes"));
    // Solvable on paper, not in bounded tries: at most eight moves fit on an empty 3x3 board without holes.
    let hard = serde_json::json!({"size": [3, 3], "holes": [0, 0], "shortest": [6, 8]});
    assert!(matches!(pose(hard), Some(Error::Exhausted { tries: 1000, .. })));
}

#[test]
fn weights_shift_the_sizes() {
    let params = MazeParams { weights: Some(vec![1, 0, 3]), ..MazeParams::of_size(3, 5) };
    let mut counts = [0; 9];
    for index in 0..2000 {
        counts[Maze::generate(&params, Seed(1).derive("weights", index)).unwrap().size()] += 1;
    }
    assert_eq!(counts[4], 0);
    assert!((400..600).contains(&counts[3]), "{counts:?}");
}

#[test]
fn pictures_are_golden() {
    // A change here changes every generated split: raise `VERSION` with it.
    let mut lines = Vec::new();
    for (n, seed) in [(3, 1), (5, 2), (7, 3)] {
        let scene = Maze::generate(&MazeParams::of_size(n, n), Seed(seed)).unwrap();
        let mistake = Maze::mistake(&scene, &mut Seed(seed).rng());
        for view in [View::Crisp, View::Canvas] {
            let hash = |image: Image| sha256_hex(&image)[..16].to_owned();
            let (seen, feedback) = (hash(Maze::observe(&scene, view)), hash(drawn(&scene, &mistake, view)));
            lines.push(format!("{n} {} {seen} {feedback}", Maze::canonical(&scene).exact.replace('\n', "/")));
        }
    }
    let wide = Maze::generate(&MazeParams::of_size(7, 7), Seed(3)).unwrap();
    lines.push(sha256_hex(&png(&Maze::observe(&wide, View::Crisp)))[..16].to_owned());
    assert_eq!(lines, GOLDEN, "{lines:#?}");
}

const GOLDEN: [&str; 7] = [
    "3 FFG/HFH/HSF ff5bdb069acd9b65 18e8021be8a0b9e1",
    "3 FFG/HFH/HSF 9fa6c6c86eb75e27 7e6fb83ccc12cea5",
    "5 FHFHG/FHFSF/HHHFH/FHFHH/FFHFF e7a7cdf32dbdc1c7 9d8c8df0e9efc3e0",
    "5 FHFHG/FHFSF/HHHFH/FHFHH/FFHFF c0b8d9ad1d389dca ccfb6a1b416f8492",
    "7 FHFFFFH/FFHFHFF/HFFFGFF/FFFFFSH/FFHFHFF/FFFFHHF/HFHFFHF c56c575c16330ae0 0b9d50bf694d79c8",
    "7 FHFFFFH/FFHFHFF/HFFFGFF/FFFFFSH/FFHFHFF/FFFFHHF/HFHFFHF 674c9786cb0199e7 53ea9e694f59d56b",
    "86858bee32e7430c",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn more_holes_keep_the_holes_before(n in 3u32..=8, seed in any::<u64>(), again in 0u64..3) {
        let params = |more_holes| MazeParams { more_holes, again, ..MazeParams::of_size(n, n) };
        let scenes: Vec<MazeScene> =
            [0, 10, 30, 60, 100].map(|percent| Maze::generate(&params(percent), Seed(seed)).unwrap()).into();
        for pair in scenes.windows(2) {
            let (fewer, more) = (&pair[0], &pair[1]);
            prop_assert_eq!((fewer.start(), fewer.goal(), fewer.offset()), (more.start(), more.goal(), more.offset()));
            prop_assert!((0..fewer.size().pow(2)).all(|cell| more.is_hole(cell) || !fewer.is_hole(cell)));
            prop_assert!(second_solver(&maze_truth(more)).is_some());
            prop_assert!(fewer.shortest() <= more.shortest() && more.shortest() <= 16);
        }
    }
}

#[test]
fn another_draw_puts_other_holes() {
    let params = |again| MazeParams { more_holes: 30, again, ..MazeParams::of_size(6, 6) };
    let boards: std::collections::BTreeSet<String> = (0..20)
        .map(|again| Maze::canonical(&Maze::generate(&params(again), Seed(3)).unwrap()).exact)
        .collect();
    assert!(boards.len() > 15, "{}", boards.len());
}

#[test]
fn a_theme_changes_the_look_alone() {
    let ice = Maze::generate(&MazeParams::of_size(5, 5), Seed(2)).unwrap();
    let mut pictures = std::collections::BTreeSet::new();
    for theme in [Theme::Ice, Theme::Desert, Theme::Forest, Theme::Night, Theme::Blueprint] {
        let scene = Maze::generate(&MazeParams { theme, ..MazeParams::of_size(5, 5) }, Seed(2)).unwrap();
        assert_eq!(Maze::canonical(&scene), Maze::canonical(&ice));
        for view in [View::Crisp, View::Canvas] {
            assert!(pictures.insert(Maze::observe(&scene, view).into_raw()));
        }
    }
    let text = serde_json::to_string(&MazeParams::of_size(3, 4)).unwrap();
    assert!(!text.contains("theme") && !text.contains("again"), "defaults stay out of files: {text}");
}
