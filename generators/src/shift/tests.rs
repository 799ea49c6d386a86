//! Tests of the catalogue, of users' axes and of merging.

use std::collections::BTreeMap;

use serde_json::{json, Value};
use vrrl_harness_core::TaskKind;

use super::{axes, axes_from_yaml, axis, resolve, Axis, Level};

const OWN: &str = "
format: 1
axes:
- name: lens
  about: Blur and turn.
  changes: pixels
  paired: true
  patches:
  - tasks: [maze, table]
    levels:
      1: {post: [{op: gaussian_blur, sigma: 100}]}
      2: {post: [{op: gaussian_blur, sigma: 200}]}
      3: {post: [{op: gaussian_blur, sigma: 300}]}
      4: {post: [{op: gaussian_blur, sigma: 400}]}
      5: {post: [{op: gaussian_blur, sigma: 500}, {op: rotate, angle: 20}]}
- name: dress
  about: Names.
  changes: look
  paired: true
  patches:
  - tasks: [table]
    levels:
      second: {look: {family: mono}}
      first: {look: {palette: muted, grid: full}}
";

fn own() -> Vec<Axis> {
    axes_from_yaml(OWN, "own.yaml").unwrap()
}

fn shifted(task: TaskKind, base: Value, shifts: &[(&str, Level)]) -> Result<Value, String> {
    let shifts: BTreeMap<String, Level> =
        shifts.iter().map(|(name, level)| ((*name).to_owned(), level.clone())).collect();
    resolve(task, &base, &shifts, &own()).map_err(|e| e.to_string())
}

fn named(name: &str) -> Level {
    Level::Named(name.into())
}

#[test]
fn the_catalogue_reads() {
    assert!(!axes().is_empty());
    assert!(axis("noise").unwrap().ordered());
    assert!(axis("nonsense").is_none());
}

#[test]
fn patches_are_merged_in_order() {
    let base = json!({"size": [4, 5], "look": {"family": "serif", "dark": true}});
    let both = shifted(
        TaskKind::Table,
        base.clone(),
        &[("dress", named("first")), ("lens", Level::Grade(5)), ("noise", Level::Grade(1))],
    );
    let expected = json!({
        "size": [4, 5],
        "look": {"family": "serif", "dark": true, "palette": "muted", "grid": "full"},
        "post": [
            {"op": "gaussian_noise", "sigma": 80}, {"op": "gaussian_blur", "sigma": 500}, {"op": "rotate", "angle": 20},
        ],
    });
    assert_eq!(both.unwrap(), expected);
    assert_eq!(shifted(TaskKind::Table, base.clone(), &[("lens", Level::Grade(0))]).unwrap(), base);
    assert_eq!(shifted(TaskKind::Table, Value::Null, &[]).unwrap(), json!({}));
}

#[test]
fn levels_have_numbers() {
    let own = own();
    assert_eq!(own[0].severity(TaskKind::Maze, &Level::Grade(4)), Some(4));
    assert_eq!(own[0].severity(TaskKind::Chart, &Level::Grade(4)), None);
    assert_eq!(own[1].severity(TaskKind::Table, &named("second")), Some(1));
    assert_eq!(own[1].severity(TaskKind::Table, &named("first")), Some(2));
    assert_eq!(own[1].severity(TaskKind::Table, &Level::Grade(0)), Some(0));
    assert_eq!(own[1].severity(TaskKind::Table, &Level::Grade(1)), None);
    assert_eq!(own[1].levels(TaskKind::Table), [named("second"), named("first")]);
    assert_eq!(own[0].tasks(), [TaskKind::Table, TaskKind::Maze]);
}

#[test]
fn unknown_axes_and_levels_name_the_nearest() {
    let error = |task, shifts: &[(&str, Level)]| shifted(task, json!({}), shifts).unwrap_err();
    assert!(error(TaskKind::Maze, &[("noize", Level::Grade(1))]).contains("did you mean `noise`?"));
    assert!(error(TaskKind::Maze, &[("xyzzy", Level::Grade(1))]).contains("known: "));
    assert!(error(TaskKind::Maze, &[("dress", named("first"))]).contains("it is for table"));
    assert!(error(TaskKind::Table, &[("dress", named("frist"))]).contains("did you mean `first`?"));
    assert!(error(TaskKind::Table, &[("dress", Level::Grade(2))]).contains("one of second, first"));
    assert!(error(TaskKind::Maze, &[("noise", named("a"))]).contains("use a severity"));
    let level = |text: &str| serde_json::from_str::<Level>(text).unwrap_err().to_string();
    assert!(level("9").contains("use 0 to 5"));
    assert!(level("-1").contains("use 0 to 5"));
    assert!(level("1.5").contains("a severity from 0 to 5"));
}

#[test]
fn bad_axes_are_named() {
    let error = |from: &str, to: &str| {
        assert!(OWN.contains(from), "{from}");
        axes_from_yaml(&OWN.replacen(from, to, 1), "own.yaml").unwrap_err().to_string()
    };
    for (from, to, expected) in [
        ("paired", "piared", "did you mean `paired`?"),
        ("sigma", "sigm", "did you mean `sigma`?"),
        ("gaussian_blur", "gausian_blur", "did you mean `gaussian_blur`?"),
        ("sigma: 100", "sigma: 0", "use 1 to 2000"),
        ("      3: {post: [{op: gaussian_blur, sigma: 300}]}\n", "", "level 3 is missing"),
        ("      3:", "      2:", "level 2 stands there twice"),
        ("      3:", "      7:", "use 0 to 5"),
        ("      3:", "      three:", "not both"),
        ("name: lens", "name: noise", "the catalogue has this name"),
        ("name: lens", "name: dress", "stands there twice"),
        ("name: lens", "name: My Lens", "use up to 32"),
        ("format: 1", "format: 2", "this version reads 1"),
        ("tasks: [maze, table]", "tasks: [maze, maze]", "task maze stands there twice"),
        ("tasks: [maze, table]", "tasks: []", "tasks is empty"),
        ("tasks: [maze, table]", "tasks: [mace]", "did you mean `maze`?"),
        ("changes: pixels", "changes: pixel", "did you mean `pixels`?"),
        ("{look: {family: mono}}", "3", "give a map of parameters"),
        ("{look: {family: mono}}", "{look: {famly: mono}}", "axis dress: level second: look: "),
        ("{look: {family: mono}}", "{look: {famly: mono}}", "did you mean `family`?"),
        ("{look: {family: mono}}", "{look: {family: monno}}", "did you mean `mono`?"),
        ("{look: {family: mono}}", "{rows: 7}", "rows: "),
        ("{look: {family: mono}}", "{rowz: [2, 3]}", "did you mean `rows`?"),
        ("  changes: pixels", "", "missing field `changes`"),
        ("      1: {post", "      1: {again: x, post", "again: "),
    ] {
        let text = error(from, to);
        assert!(text.contains("own.yaml") && text.contains(expected), "{text} should say {expected}");
    }
}

#[test]
fn tasks_may_differ_in_what_is_paired() {
    let own = axes_from_yaml(
        &OWN.replacen("  - tasks: [maze, table]", "  - tasks: [maze, table]\n    paired: false", 1),
        "own.yaml",
    );
    let own = own.unwrap();
    assert!(own[0].paired && !own[0].keeps_scene(TaskKind::Maze) && own[1].keeps_scene(TaskKind::Table));
    assert!(axis("size").is_some_and(|size| size.keeps_scene(TaskKind::Table)));
    assert!(axis("size").is_some_and(|size| !size.keeps_scene(TaskKind::Maze)));
}

#[test]
fn a_yaml_bomb_is_refused() {
    let mut text = String::from("format: 1\na: &a [x, x, x, x, x, x, x, x, x]\n");
    for (from, to) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        text.push_str(&format!(
            "{to}: &{to} [*{from}, *{from}, *{from}, *{from}, *{from}, *{from}, *{from}]\n"
        ));
    }
    text.push_str("axes: *i\n");
    assert!(axes_from_yaml(&text, "bomb.yaml").is_err());
    // Also where it hides in a patch, which may hold any value.
    let patch =
        OWN.replace("{look: {family: mono}}", "*i").replace("format: 1", &text.replace("axes: *i\n", ""));
    assert!(axes_from_yaml(&patch, "bomb.yaml").is_err());
    assert!(axes_from_yaml(&"#".repeat(1 << 20), "long.yaml").unwrap_err().to_string().contains("KiB"));
}
