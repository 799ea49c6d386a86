//! Tests of the task as a whole: laws over params, what grows with what, and golden pictures.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{json, Value};
use vrrl_harness_core::{sha256_hex, Answer, Error, Feedback, Image, Seed, Task, TaskKind, View};

use super::content::Axis;
use super::generate::Target;
use super::sheet::{Kind, PEN};
use super::*;
use crate::canvas::{box_of, box_turned, Bounds};
use crate::look::{Grid, LineStyle, Look, Palette};
use crate::shift::{axes, resolve, Changes};
use crate::{png, Family};

fn scene(params: Value, seed: u64) -> TableScene {
    Table::generate(&of(params), Seed(seed)).unwrap()
}

fn of(params: Value) -> TableParams {
    serde_json::from_value(params).unwrap()
}

/// Any look.
fn looks() -> impl Strategy<Value = Look> {
    let family = prop::option::of(prop::sample::select(Family::ALL.to_vec()));
    let palette = prop::sample::select(Palette::ALL.to_vec());
    let line = prop::sample::select(vec![LineStyle::Solid, LineStyle::Dashed, LineStyle::Dotted]);
    let grid = prop::sample::select(vec![Grid::Usual, Grid::None, Grid::Light, Grid::Full]);
    let turn = prop::sample::select(vec![0, 0, 30, 45, 60, 90]);
    (family, palette, 20..=100u8, line, grid, turn, any::<bool>()).prop_map(
        |(family, palette, contrast, line, grid, label_turn, dark)| Look {
            family,
            palette,
            contrast,
            line,
            grid,
            label_turn,
            dark,
        },
    )
}

fn range(most: u32) -> impl Strategy<Value = Option<[u32; 2]>> {
    prop::option::of((2..=most, 0..=6u32).prop_map(move |(low, more)| [low, (low + more).min(most)]))
}

/// Any params of large tables.
fn params() -> impl Strategy<Value = TableParams> {
    let sizes = (range(60), range(60), 10..=30u16, 40..=200u32);
    let words = (
        prop::sample::subsequence(Structure::ALL.to_vec(), 1..=4),
        prop::sample::subsequence(Query::ALL.to_vec(), 1..=4),
        prop::sample::select(vec![0, 30, 100]),
        0..3u64,
    );
    let style = (
        prop::sample::select(vec![
            Numbers::Mixed,
            Numbers::Percent,
            Numbers::Float,
            Numbers::Integer,
            Numbers::Scientific,
            Numbers::Comma,
        ]),
        prop::sample::select(vec![Rules::Booktabs, Rules::Grid, Rules::Zebra, Rules::None]),
        prop::sample::select(vec![Layout::Normal, Layout::Transposed, Layout::Mirrored]),
        prop::sample::select(vec![HeaderPlace::Top, HeaderPlace::Bottom]),
        prop::option::of(prop::sample::select(vec![
            CaptionPlace::Above,
            CaptionPlace::Below,
            CaptionPlace::None,
        ])),
    );
    let extras = (0..=100u32, 0..=100u32, 0..=5u32, prop::sample::select(vec![0, 0, 20, 60]), looks());
    (sizes, words, style, extras).prop_map(|(sizes, words, style, extras)| TableParams {
        rows: sizes.0,
        columns: sizes.1,
        text: sizes.2,
        spacing: sizes.3,
        structures: words.0,
        queries: if words.1 == [Query::SectionHeader] { Query::ALL.to_vec() } else { words.1 },
        new_words: words.2,
        again: words.3,
        numbers: style.0,
        rules: style.1,
        layout: style.2,
        header: style.3,
        caption: style.4,
        plus_minus: extras.0,
        marks: extras.1,
        distractors: extras.2,
        watermark: extras.3,
        look: extras.4,
        ..TableParams::default()
    })
}

/// Any params of the small canvas.
fn small_params() -> impl Strategy<Value = TableParams> {
    let style = (
        prop::sample::select(vec![Rules::Booktabs, Rules::Zebra, Rules::None]),
        prop::sample::select(vec![Layout::Normal, Layout::Transposed, Layout::Mirrored]),
        prop::sample::select(vec![HeaderPlace::Top, HeaderPlace::Bottom]),
    );
    let kind = (any::<bool>(), any::<bool>());
    (range(7), range(5), style, kind).prop_map(|(rows, columns, style, (cells, tiled))| TableParams {
        rows: if style.1 == Layout::Transposed && !tiled {
            rows.map(|range| range.map(|n| n.min(5)))
        } else {
            rows
        },
        columns,
        rules: style.0,
        layout: style.1,
        header: style.2,
        queries: if cells { vec![Query::CellValue] } else { TableParams::default().queries },
        small: true,
        tiled,
        ..TableParams::default()
    })
}

/// Boxes lie on the picture, no two touch, and no rule runs through one.
fn boxes_are_apart(scene: &TableScene) -> Result<(), TestCaseError> {
    let mut boxes = scene.sheet.boxes();
    let [rows, columns] = scene.dimensions();
    prop_assert!(boxes.len() >= rows * columns + rows + columns);
    let picture = render::whole(scene.size);
    for (kind, b) in &boxes {
        prop_assert!(!b.is_empty() && picture.contains(b), "{kind:?} {b:?} on {:?}", scene.size);
    }
    boxes.extend(scene.sheet.rules.iter().map(|rule| (Kind::Rule, rule.bounds)));
    // Sweep from top to bottom: only boxes that overlap in height are compared.
    boxes.sort_by_key(|(_, b)| b.y0);
    for (i, (kind, b)) in boxes.iter().enumerate() {
        for (other_kind, other) in boxes[i + 1..].iter().take_while(|(_, other)| other.y0 < b.y1) {
            let rules = [*kind, *other_kind] == [Kind::Rule; 2];
            prop_assert!(rules || !b.intersects(other), "{kind:?} {b:?} and {other_kind:?} {other:?}");
        }
    }
    Ok(())
}

/// Every drawn text stays inside one of the boxes.
fn ink_is_boxed(scene: &TableScene) -> Result<(), TestCaseError> {
    let boxes = scene.sheet.boxes();
    for piece in &scene.sheet.pieces {
        let ink = match piece.turned {
            0 => box_of(piece.at, PEN, &piece.text, piece.font),
            turned => box_turned(piece.at, PEN, &piece.text, piece.font, turned),
        };
        prop_assert!(boxes.iter().any(|(_, b)| b.contains(&ink)), "{:?} at {ink:?}", piece.text);
    }
    Ok(())
}

/// What the question names is there once: found in the question's text, not in the scene's target.
fn question_has_one_answer(scene: &TableScene) -> Result<(), TestCaseError> {
    let question = Table::question(scene);
    let named: Vec<&str> = question.split('"').skip(1).step_by(2).collect();
    let (rows, columns) = (&scene.content.rows, &scene.content.columns);
    let headers = |axis: &Axis, text: &str| {
        let leaves = axis.labels.iter().filter(|label| *label == text).count();
        leaves + axis.groups.iter().filter(|group| group.label == text).count()
    };
    let within = |axis: &Axis| {
        let of = |text: &str, section: &str| {
            let groups = axis.groups.iter().filter(|group| group.label == section);
            groups.flat_map(|group| &axis.labels[group.from..group.to]).filter(|label| *label == text).count()
        };
        of(named[0], named.get(1).unwrap_or(&""))
    };
    let found = match scene.query {
        Query::SectionHeader => {
            prop_assert_eq!(headers(rows, named[1]) + headers(columns, named[1]), 1, "{}", question);
            within(rows) + within(columns)
        }
        Query::CellValue => scene.content.cells.iter().flatten().filter(|cell| cell.text == named[0]).count(),
        // A header that is asked for without its section stands once in the whole table.
        _ => headers(rows, named[0]) + headers(columns, named[0]),
    };
    prop_assert_eq!(found, 1, "{}", question);
    Ok(())
}

fn answers_are_judged(scene: &TableScene, seed: u64) -> Result<(), TestCaseError> {
    let mut rng = Seed(seed).rng();
    prop_assert!(Table::judge(scene, &Table::oracle(scene, &mut rng)).correct());
    for _ in 0..4 {
        prop_assert!(!Table::judge(scene, &Table::mistake(scene, &mut rng)).correct());
        let Answer::Point([x, y]) = Table::guess(scene, &mut rng) else { panic!("not a point") };
        prop_assert!(x < f64::from(scene.size[0]) && y < f64::from(scene.size[1]));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_table_can_be_read(params in params(), seed in any::<u64>()) {
        let scene = Table::generate(&params, Seed(seed)).unwrap();
        let [rows, columns] = scene.dimensions();
        prop_assert!((params.rows()[0]..=params.rows()[1]).contains(&(rows as u32)));
        prop_assert!((params.columns()[0]..=params.columns()[1]).contains(&(columns as u32)));
        boxes_are_apart(&scene)?;
        ink_is_boxed(&scene)?;
        question_has_one_answer(&scene)?;
        answers_are_judged(&scene, seed)?;
        let values: BTreeSet<&str> = scene.content.cells.iter().flatten().map(|cell| cell.text.as_str()).collect();
        prop_assert_eq!(values.len(), rows * columns);
        prop_assert_eq!(&Table::generate(&params, Seed(seed)).unwrap(), &scene);
    }

    #[test]
    fn every_small_table_can_be_read(params in small_params(), seed in any::<u64>()) {
        let scene = Table::generate(&params, Seed(seed)).unwrap();
        boxes_are_apart(&scene)?;
        question_has_one_answer(&scene)?;
        answers_are_judged(&scene, seed)?;
        let labels = scene.content.rows.labels.iter().chain(&scene.content.columns.labels);
        prop_assert!(labels.into_iter().all(|label| small::readable(label)));
        if params.tiled {
            let tile = |at: &[f64; 2]| at.map(|x| (x / 32.0) as usize);
            let texts = Table::texts(&scene);
            let tiles: BTreeSet<_> = texts.iter().map(|(_, signs)| tile(&signs[0])).collect();
            prop_assert_eq!(tiles.len(), texts.len(), "one text a tile");
            prop_assert!(texts.iter().all(|(_, signs)| signs.iter().all(|sign| tile(sign) == tile(&signs[0]))));
        }
        let (canvas, crisp) = (Table::observe(&scene, View::Canvas), Table::observe(&scene, View::Crisp));
        prop_assert_eq!([canvas.dimensions(), crisp.dimensions()], [(64, 64), (256, 256)]);
        for (x, y, pixel) in crisp.enumerate_pixels() {
            prop_assert_eq!(pixel, canvas.get_pixel(x / 4, y / 4));
        }
    }

    #[test]
    fn a_picture_of_given_size_has_it(seed in any::<u64>(), width in 700u32..2000, height in 300u32..1200) {
        let params = TableParams { width: Some(width), height: Some(height), ..TableParams::default() };
        match Table::generate(&params, Seed(seed)) {
            Ok(scene) => {
                prop_assert_eq!(scene.size, [width, height]);
                boxes_are_apart(&scene)?;
            }
            Err(error) => {
                let text = error.to_string();
                prop_assert!(text.contains("width is") || text.contains("height is"), "{}", text);
            }
        }
    }

    #[test]
    fn a_larger_table_begins_with_the_smaller_one(seed in any::<u64>(), more in 0u32..40, wider in 0u32..40, small in any::<bool>()) {
        let [rows, columns] = if small { [(2 + more % 4), (2 + wider % 3)] } else { [5 + more, 5 + wider] };
        let [most_rows, most_columns] = if small { [7, 5] } else { [60, 60] };
        let at = |rows: u32, columns: u32| {
            let params = TableParams { rows: Some([rows; 2]), columns: Some([columns; 2]), small, ..TableParams::default() };
            Table::generate(&params, Seed(seed)).unwrap()
        };
        let (few, many) = (at(rows, columns), at(most_rows, most_columns));
        let starts = |few: &Axis, many: &Axis| {
            let n = few.labels.len();
            let groups = few.groups.iter().zip(&many.groups);
            many.labels[..n] == few.labels[..] && groups.clone().all(|(a, b)| a.label == b.label && a.from == b.from)
        };
        prop_assert!(starts(&few.content.rows, &many.content.rows));
        prop_assert!(starts(&few.content.columns, &many.content.columns));
        prop_assert_eq!(few.structure(), many.structure());
        for (few, many) in few.content.cells.iter().zip(&many.content.cells) {
            for (few, many) in few.iter().zip(many) {
                // A small table may leave out the last digit.
                prop_assert!(many.text.starts_with(&few.text), "{} in {}", few.text, many.text);
                prop_assert_eq!(few.mark, many.mark);
            }
        }
    }

    #[test]
    fn looks_and_layouts_do_not_change_what_a_table_says(params in params(), look in looks(), seed in any::<u64>()) {
        let plain = TableParams { look: Look::default(), rules: Rules::Booktabs, layout: Layout::Normal, header: HeaderPlace::Top, distractors: 0, watermark: 0, caption: None, ..params.clone() };
        let (one, other) = (Table::generate(&TableParams { look, ..params }, Seed(seed)).unwrap(), Table::generate(&plain, Seed(seed)).unwrap());
        prop_assert_eq!(Table::canonical(&one), Table::canonical(&other));
    }

    #[test]
    fn feedback_takes_any_point(seed in any::<u64>(), x in any::<f64>(), y in any::<f64>(), small in any::<bool>(), near in any::<bool>()) {
        let scene = Table::generate(&TableParams { small, ..TableParams::default() }, Seed(seed)).unwrap();
        let point = if near { [x.rem_euclid(1400.0), y.rem_euclid(600.0)] } else { [x, y] };
        for view in [View::Crisp, View::Canvas] {
            match Table::feedback(&scene, &Answer::Point(point), view) {
                Feedback::Image(image) => prop_assert!(image.width() <= 200 && image.height() <= 200),
                Feedback::Text(text) => prop_assert!(text.contains("outside")),
            }
            match Table::whole_feedback(&scene, &Answer::Point(point), view) {
                Feedback::Image(image) => prop_assert_eq!(image.dimensions(), Table::observe(&scene, view).dimensions()),
                Feedback::Text(text) => prop_assert!(text.contains("outside")),
            }
        }
    }
}

#[test]
fn feedback_shows_the_picture_around_the_point() {
    let scene = scene(json!({"watermark": 30, "rules": "grid", "look": {"label_turn": 45}}), 5);
    let whole = Table::observe(&scene, View::Crisp);
    let Feedback::Image(crop) = Table::feedback(&scene, &Answer::Point([300.0, 150.0]), View::Crisp) else {
        panic!("inside")
    };
    assert_eq!(crop.dimensions(), (200, 200));
    let differ = |(x, y, pixel): &(u32, u32, &image::Rgb<u8>)| *pixel != whole.get_pixel(x + 200, y + 50);
    let changed: Vec<_> = crop.enumerate_pixels().filter(differ).collect();
    assert!((60..120).contains(&changed.len()), "a disc of radius 5, not {} pixels", changed.len());
    assert!(changed.iter().all(|(x, y, _)| x.abs_diff(100) <= 6 && y.abs_diff(100) <= 6));
}

#[test]
fn additions_are_drawn_anew_and_the_base_stays() {
    let large = json!({"rows": [30, 30], "columns": [30, 30]});
    let again = |again: u64| scene(json!({"rows": [30, 30], "columns": [30, 30], "again": again}), 9);
    let (zero, one, two) = (again(0), again(1), again(2));
    let base = scene(json!({}), 9);
    let n = base.dimensions();
    for other in [&one, &two] {
        assert_eq!(other.content.rows.labels[..n[0]], base.content.rows.labels[..]);
        assert_eq!(other.content.columns.labels[..n[1]], base.content.columns.labels[..]);
        assert_ne!(Table::canonical(other).symmetric, Table::canonical(&zero).symmetric);
    }
    assert_ne!(Table::canonical(&one).symmetric, Table::canonical(&two).symmetric);
    assert_eq!(Table::canonical(&scene(large, 9)), Table::canonical(&zero));
    // The cell that is asked for, and held-out words, are additions too.
    for params in [json!({"queries": ["cell_value"]}), json!({"new_words": 20})] {
        let forms: BTreeSet<String> = (0..12)
            .map(|again| {
                let mut params = params.clone();
                params["again"] = again.into();
                Table::canonical(&scene(params, 3)).symmetric
            })
            .collect();
        assert!(forms.len() >= 5, "{params}: {} forms of 12", forms.len());
    }
}

#[test]
fn held_out_words_grow_with_their_share() {
    let foreign: BTreeSet<String> = crate::words::tests::all_words(true).collect();
    let count = |percent: u32| -> usize {
        let of = |seed| {
            let scene = scene(json!({"new_words": percent}), seed);
            let (rows, columns) = (scene.content.rows, scene.content.columns);
            let groups = rows.groups.into_iter().chain(columns.groups).map(|group| group.label);
            let labels: Vec<String> = rows.labels.into_iter().chain(columns.labels).chain(groups).collect();
            labels.iter().filter(|label| foreign.contains(*label)).count() * 1000 / labels.len()
        };
        (0..100).map(of).sum::<usize>() / 100
    };
    let shares: Vec<usize> = [0, 20, 40, 60, 80, 100].map(count).to_vec();
    assert_eq!([shares[0], shares[5]], [0, 1000], "per mille: {shares:?}");
    assert!(shares.windows(2).all(|pair| pair[0] + 100 < pair[1]), "per mille: {shares:?}");
    assert!((150..250).contains(&shares[1]), "per mille: {shares:?}");
}

/// As many tables as the paper's training split has, with its params: which of them share their header row.
#[test]
fn tables_of_a_split_rarely_share_a_header_row() {
    let n = 15_000;
    let [mut whole, mut leaves, mut stubs] = [(); 3].map(|()| BTreeMap::<String, usize>::new());
    let (mut structures, mut domains) = (BTreeMap::<&str, usize>::new(), BTreeMap::<&str, usize>::new());
    for i in 0..n as u64 {
        let content = content::draw(&TableParams::default(), Seed(7).derive("split", i));
        let columns = &content.columns;
        let groups = columns.groups.iter().map(|group| format!("{} {}", group.label, group.to));
        let row = groups.chain(columns.labels.iter().cloned()).collect::<Vec<_>>().join("\t");
        *whole.entry(row).or_default() += 1;
        *leaves.entry(columns.labels.join("\t")).or_default() += 1;
        *stubs.entry(content.rows.labels.join("\t")).or_default() += 1;
        *structures.entry(content.structure.word()).or_default() += 1;
        *domains.entry(content.domain.name).or_default() += 1;
    }
    // Pairs that are equal, and tables whose header row another one has too.
    let shared = |counts: &BTreeMap<String, usize>| {
        let pairs = counts.values().map(|&k| k * (k - 1) / 2).sum::<usize>();
        [pairs, counts.values().filter(|&&k| k > 1).sum::<usize>()]
    };
    let counted = [&whole, &leaves, &stubs].map(shared);
    println!(
        "pairs and tables: whole header {:?}, lowest row {:?}, row headers {:?}",
        counted[0], counted[1], counted[2]
    );
    assert!(counted[0][0] <= 2 && counted[1][0] <= 150, "{counted:?}");
    assert!(structures.values().all(|&k| k > n / 5), "{structures:?}");
    assert!(domains.len() == 15 && domains.values().all(|&k| k > n / 20), "{domains:?}");
}

#[test]
fn bad_params_are_named() {
    let text =
        |params: Value| crate::pose(TaskKind::Table, &params, Seed(0)).err().expect("refused").to_string();
    let bad = [
        (json!({"row": [5, 5]}), "unknown field `row`"),
        (json!({"rows": [9, 5]}), "rows is [9, 5]"),
        (json!({"rows": [0, 0]}), "rows is [0, 0]; use an ascending range within 2 to 60"),
        (json!({"columns": [5, 61]}), "columns is [5, 61]; use"),
        (json!({"rows": 5}), "rows"),
        (json!({"rows": [-1, 5]}), "rows"),
        (json!({"rows": [5, 5, 5]}), "rows"),
        (json!({"text": "large"}), "text"),
        (json!({"numbers": "roman"}), "numbers: unknown variant `roman`"),
        (json!({"look": {"colour": "red"}}), "look.colour: unknown field `colour`"),
        (json!({"look": {"family": "gothic"}}), "look.family: unknown variant `gothic`"),
        (json!({"queries": ["cel_value"]}), "queries[0]: unknown variant `cel_value`"),
        (json!({"height": 1_000_000}), "height is 1000000 pixels; use up to 20000"),
        (json!({"columns": [1, 5]}), "columns is [1, 5]; use an ascending range within 2 to 60"),
        (json!({"rows": [50, 50], "height": 100}), "height is 100 pixels, but 50 rows"),
        (json!({"rows": [50, 50], "width": 100}), "width is 100 pixels, but 50 rows"),
        (json!({"columns": [12, 12], "width": 400}), "width is 400 pixels"),
        (json!({"structures": ["single"], "queries": ["section_header"]}), "section_header alone"),
        (json!({"structures": []}), "at least one word"),
        (json!({"structures": ["flat"]}), "flat"),
        (json!({"domains": ["climat"]}), "domains names \"climat\""),
        (json!({"text": 9}), "text is 9; use 10 to 40"),
        (json!({"tolerance": 0}), "tolerance is 0"),
        (json!({"watermark": 90}), "watermark is 90"),
        (json!({"distractors": 6}), "distractors is 6"),
        (json!({"look": {"contrast": 2}}), "look.contrast is 2"),
        (json!({"look": {"label_turn": 20}}), "look.label_turn is 20"),
        (json!({"small": true, "rows": [5, 15]}), "within 2 to 7 where small is true"),
        (json!({"small": true, "layout": "transposed", "rows": [3, 7]}), "rows reaches 7"),
        (json!({"tiled": true}), "tiled has a meaning only where small is true"),
        (json!({"small": true, "tiled": true, "structures": ["multi_row"]}), "tiled tables are single"),
        (json!({"small": true, "numbers": "float"}), "numbers has no meaning where small"),
        (json!({"small": true, "look": {"family": "mono"}}), "look (but palette"),
        (json!({"new_words": 101}), "new_words is 101"),
    ];
    for (params, expected) in bad {
        let text = text(params.clone());
        assert!(text.starts_with("invalid table parameters") && text.contains(expected), "{params}: {text}");
    }
    let narrow = crate::pose(TaskKind::Table, &json!({"columns": [12, 12], "width": 400}), Seed(0)).err();
    assert!(matches!(narrow, Some(Error::Params { .. })));
}

#[test]
fn defaults_are_filled_in_for_each_number_of_rows() {
    let spans = crate::check(TaskKind::Table, &json!({"rows": [5, 7]})).unwrap();
    assert_eq!(spans.iter().map(|(size, _)| *size).collect::<Vec<_>>(), [5, 6, 7]);
    assert_eq!(spans[1].1["rows"], json!([6, 6]));
    assert_eq!(spans[1].1["columns"], json!([5, 15]));
    assert_eq!(spans[1].1["tolerance"], json!(40));
    assert_eq!(crate::check(TaskKind::Table, &json!({"small": true})).unwrap()[0].1["tolerance"], json!(12));
    let tiled = crate::check(TaskKind::Table, &json!({"small": true, "tiled": true})).unwrap();
    assert_eq!(tiled[0].1["tolerance"], json!(16));
    assert_eq!(Table::canonical(&scene(spans[1].1.clone(), 4)).size, 6);
}

#[test]
fn a_transposed_table_asks_for_the_same_label_elsewhere() {
    for seed in 0..40 {
        let of = |layout: &str| scene(json!({"layout": layout, "queries": ["row_header"]}), seed);
        let (normal, transposed) = (of("normal"), of("transposed"));
        assert_eq!(normal.target, transposed.target);
        assert!(Table::question(&normal).contains("row header"));
        assert!(Table::question(&transposed).contains("column header"));
        assert!(matches!(normal.target, Target::Row(_) | Target::RowGroup(_)));
        let first: &Bounds = &transposed.sheet.across[0];
        assert!(first.y1 < transposed.sheet.cells[0].y0, "headers of columns stand above the cells");
    }
}

#[test]
fn pictures_are_golden() {
    // A change here changes every generated split: raise `VERSION` with it.
    let mut lines = Vec::new();
    for (i, structure) in Structure::ALL.into_iter().enumerate() {
        let seed = 40 + i as u64;
        for params in [
            json!({"structures": [structure]}),
            json!({"structures": [structure], "rows": [20, 20], "columns": [20, 20], "queries": ["cell_value"]}),
            json!({"structures": [structure], "small": true}),
        ] {
            let scene = scene(params, seed);
            let hash = |image: Image| sha256_hex(&image)[..12].to_owned();
            let content = &sha256_hex(Table::canonical(&scene).exact.as_bytes())[..12];
            let (crisp, canvas) = (Table::observe(&scene, View::Crisp), Table::observe(&scene, View::Canvas));
            let mistake = Table::mistake(&scene, &mut Seed(seed).rng());
            let Feedback::Image(feedback) = Table::feedback(&scene, &mistake, View::Crisp) else {
                panic!("inside")
            };
            lines.push(format!("{content} {} {} {}", hash(crisp), hash(canvas), hash(feedback)));
        }
    }
    let styled = json!({"rules": "grid", "layout": "mirrored", "plus_minus": 100, "marks": 100, "distractors": 5, "watermark": 30,
        "look": {"family": "slab", "palette": "warm", "line": "dashed", "label_turn": 45}});
    let styled = scene(styled, 44);
    lines.push(sha256_hex(&png(&Table::observe(&styled, View::Crisp)))[..12].to_owned());
    assert_eq!(lines, GOLDEN, "{lines:#?}");
}

const GOLDEN: [&str; 13] = [
    "5f089fb63a0c 647e9d7284bf 7d42f77d65c9 c5c8b2be16d2",
    "cd79c79ebb9e 5a9c860ec5e2 efa247af4e2f 09bf8eefb49d",
    "008f59b5d26e 925e561efa36 b8d46503ca74 0797b9740328",
    "f95f6c48ca44 4b899e73387b 3620a693f3b0 7cd53c4e3931",
    "084c9617f4df 7fd4e05228aa a493fc981f67 6360f5d838c1",
    "35cf7454cc23 c34700daf16b a4cc277ee7ee 4dabed168091",
    "6f3964c23abc 81c188d2e63b e91701e66364 26bfcf1914e3",
    "d90e0bcd83b5 1d60a3bf4d26 8b15ba7494ae e3183971872c",
    "32aec32a0920 3adeccee82c7 40e34458c4bc 4ff25db71200",
    "9b4751cbd9fa 9989dceecc21 392bcbdf4994 1957d746c373",
    "1732fd45e3fb 2505f3cfc112 8fbb6afb7736 87edc28c04c5",
    "dba9acbdff43 6e599637a40e 547a059dad16 c71e31117644",
    "0454d5c19e10",
];

#[test]
fn every_shift_of_the_catalogue_keeps_boxes_apart() {
    for axis in axes().iter().filter(|axis| axis.changes != Changes::Pixels) {
        for level in axis.levels(TaskKind::Table) {
            for base in [json!({}), json!({"small": true})] {
                let shifts = [(axis.name.clone(), level.clone())].into();
                let params = resolve(TaskKind::Table, &base, &shifts, &[]).unwrap();
                let params: TableParams = serde_json::from_value(params).unwrap();
                if params.small && params.validate().is_err() {
                    continue;
                }
                for seed in 0..6 {
                    let scene = Table::generate(&params, Seed(seed)).unwrap();
                    let held = boxes_are_apart(&scene).and_then(|()| ink_is_boxed(&scene));
                    held.unwrap_or_else(|e| panic!("{} {level} seed {seed}: {e}", axis.name));
                }
            }
        }
    }
}
