//! Severity is monotone: on every ordered axis of every task the distance from severity 0 grows with it.

mod common;

use common::{axes_of, base, posed, shifted, Base};
use vrrl_generators::shift::{Axis, Changes, Level};
use vrrl_harness_core::{Answer, Image, Problem, Seed, TaskKind, View};

/// Root mean square difference of two pictures, centred on one another, over the means of cells of `cell` by `cell`
/// pixels; what only one of them covers counts as far as it differs from that picture's corner. The square, for thin
/// ink on blank paper: a mean falls where faint echoes of it vanish, though the ink itself is further off.
fn pixels(a: &Image, b: &Image, cell: u32) -> f64 {
    let (width, height) = (a.width().max(b.width()), a.height().max(b.height()));
    let at = |image: &Image, x: u32, y: u32| {
        let inside = |v: u32, whole: u32, own: u32| {
            let offset = (whole - own) / 2;
            v.checked_sub(offset).filter(|&v| v < own)
        };
        match (inside(x, width, image.width()), inside(y, height, image.height())) {
            (Some(x), Some(y)) => image.get_pixel(x, y).0,
            _ => image.get_pixel(0, 0).0,
        }
    };
    let across = width.div_ceil(cell) as usize;
    let mut cells = vec![[0i64; 3]; across * height.div_ceil(cell) as usize];
    for y in 0..height {
        for x in 0..width {
            let (p, q) = (at(a, x, y), at(b, x, y));
            let sums = &mut cells[(y / cell) as usize * across + (x / cell) as usize];
            (0..3).for_each(|i| sums[i] += i64::from(p[i]) - i64::from(q[i]));
        }
    }
    let area = f64::from(cell * cell);
    let squares: f64 = cells.iter().flatten().map(|&sum| (sum as f64 / area).powi(2)).sum();
    (squares / cells.len() as f64).sqrt()
}

/// The cells in which a picture is compared, in pixels: one, but for axes that move thin ink by more than its width,
/// where two strokes apart are as different as two strokes far apart.
fn cell(axis: &Axis, view: View) -> u32 {
    match (axis.name.as_str(), view) {
        ("rotation" | "perspective" | "font_size", View::Crisp) => 48,
        ("rotation" | "perspective" | "font_size", View::Canvas) => 12,
        _ => 1,
    }
}

/// How far two frames are apart: thousandths by which width and height differ.
fn frame(a: &Image, b: &Image) -> f64 {
    let by = |a: u32, b: u32| f64::from(a.abs_diff(b)) / f64::from(a) * 1000.0;
    by(a.width(), b.width()) + by(a.height(), b.height())
}

/// Words that only one of two texts has.
fn words(a: &str, b: &str) -> f64 {
    let count = |a: &str, b: &str| a.split([';', '|', ',', '\n']).filter(|word| !b.contains(word)).count();
    (count(a, b) + count(b, a)) as f64
}

/// How far a changed structure is from its base.
fn structure(axis: &Axis, base: &dyn Problem, shifted: &dyn Problem) -> f64 {
    let (a, b) = (base.canonical(), shifted.canonical());
    let far = |a: usize, b: usize| a.abs_diff(b) as f64;
    match (axis.name.as_str(), base.kind()) {
        // The board, and the way across it.
        ("size", TaskKind::Maze) => {
            let moves = |problem: &dyn Problem| match problem.oracle(&mut Seed(0).rng()) {
                Answer::Moves(moves) => moves.len(),
                Answer::Point(_) => 0,
            };
            far(a.exact.len() + moves(base), b.exact.len() + moves(shifted))
        }
        // Holes more.
        ("density", TaskKind::Maze) => {
            a.exact.chars().zip(b.exact.chars()).filter(|(a, b)| a != b).count() as f64
        }
        ("vocabulary", _) => words(&a.pattern, &b.pattern),
        // What there is to read.
        _ => far(a.exact.len(), b.exact.len()),
    }
}

/// Mean distances of severities 0 to 5 over `scenes` scenes.
fn means(base: &Base, axis: &Axis, view: View, scenes: u64) -> Vec<f64> {
    let mut sums = [[0.0; 3]; 6];
    for seed in 0..scenes {
        let plain = posed(base, &base.params, seed);
        let seen = plain.observe(view);
        for (grade, sums) in (0..=5).zip(&mut sums) {
            let params = shifted(base, axis, &Level::Grade(grade));
            let problem = posed(base, &params, seed);
            if axis.changes == Changes::Structure {
                sums[0] += structure(axis, plain.as_ref(), problem.as_ref());
                continue;
            }
            let image = problem.observe(view);
            sums[1] += frame(&seen, &image);
            // Upright labels take up less of the page than slanted ones: the angle itself is the distance, where it shows.
            sums[2] += match (&params["look"]["label_turn"], image == seen) {
                (degrees, false) if axis.name == "label_rotation" => degrees.as_f64().expect("an angle"),
                _ => pixels(&seen, &image, cell(axis, view)),
            };
        }
    }
    // A look that needs another frame is measured by it: nothing in it stays where it was.
    let reframed =
        axis.changes == Changes::Look && view == View::Crisp && sums[1..].iter().all(|sums| sums[1] > 0.0);
    let measure = match axis.changes {
        Changes::Structure => 0,
        _ if reframed => 1,
        _ => 2,
    };
    sums.iter().map(|sums| sums[measure] / scenes as f64).collect()
}

/// Whether the base takes every level: small pictures have room for a few more marks only.
fn whole(base: &Base, axis: &Axis) -> bool {
    let takes = |level: &Level| vrrl_generators::check(base.kind, &shifted(base, axis, level)).is_ok();
    axis.levels(base.kind).iter().all(takes)
}

fn monotone(name: &str, views: &[View], scenes: u64) {
    let base = base(name);
    let mut broken = Vec::new();
    let mut seen = 0;
    for axis in axes_of(&base).into_iter().filter(|axis| axis.ordered() && whole(&base, axis)) {
        for &view in views {
            let means = means(&base, axis, view, scenes);
            if means[0] > 0.0 || means.windows(2).any(|pair| pair[0] >= pair[1]) {
                broken.push(format!("{name} {} {view:?} {means:.2?}", axis.name));
            }
            seen += 1;
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(seen >= 14, "only {seen} axes of {name}");
}

#[test]
fn severities_of_mazes_are_monotone() {
    monotone("maze", &[View::Crisp, View::Canvas], 12);
}

#[test]
fn severities_of_tables_are_monotone() {
    monotone("table", &[View::Crisp], 5);
}

#[test]
fn severities_of_bars_are_monotone() {
    monotone("bar", &[View::Crisp], 5);
}

#[test]
fn severities_of_scatter_plots_are_monotone() {
    monotone("scatter", &[View::Crisp], 5);
}

#[test]
fn severities_on_the_small_canvas_are_monotone() {
    monotone("table-small", &[View::Crisp, View::Canvas], 12);
    monotone("chart-small", &[View::Crisp, View::Canvas], 12);
}
