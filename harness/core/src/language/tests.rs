//! Laws of all dialects: what is printed reads back, nothing is too strange, hostile text takes linear time.

use proptest::prelude::*;

use super::*;
use crate::Move;

fn answers() -> impl Strategy<Value = (Answer, TaskKind)> {
    let moves = prop::collection::vec(prop::sample::select(&Move::ALL[..]), 0..12)
        .prop_map(|moves| (Answer::Moves(moves), TaskKind::Maze));
    let coordinate = || prop_oneof![-1e6..1e6_f64, (-2000_i32..2000).prop_map(f64::from)];
    let point = (coordinate(), coordinate(), prop::bool::ANY).prop_map(|(x, y, table)| {
        (Answer::Point([x, y]), if table { TaskKind::Table } else { TaskKind::Chart })
    });
    prop_oneof![moves, point]
}

/// Text that is made of what parsers trip over.
fn strange() -> impl Strategy<Value = String> {
    let pieces = r#"(<|>|/|</|final|answer|THINK|route|points|up|down|,| |é|\u{212a}|\u{130}|x1=|y1="|"|'|7|\.|-|```|json|\{|\}|\[|\]|:|"function_call"|"name"|"route"|"terminate"|"pointing"|"arguments"|"actions"|"points"|\\\\|\\\\ud800|\n){0,40}"#;
    prop_oneof![".*", pieces]
}

proptest! {
    #[test]
    fn printed_proposals_read_back(
        (answer, task) in answers(),
        think in prop::option::of("[^\u{0}]{0,40}|.*<FINAL>up</FINAL>.*|</THINK><ANSWER>|```json\n\\{\\}\n```.*|.*[{}\"\\\\`]+"),
    ) {
        for dialect in Dialect::of(task) {
            let text = dialect.print_proposal(&answer, think.as_deref());
            let wanted = Parsed::Propose { answer: Some(answer.clone()), thinks: think.is_some() };
            prop_assert_eq!(&dialect.parse(&text, task), &wanted, "{}", text);
            prop_assert_eq!(dialect.parse_leniently(&text, task), wanted);
        }
    }

    #[test]
    fn printed_commits_read_back((answer, task) in answers()) {
        for dialect in Dialect::of(task) {
            let text = dialect.print_commit(&answer);
            let bare = dialect == Dialect::BareCommit || (dialect == Dialect::JsonCall && task != TaskKind::Maze);
            let wanted = Parsed::Commit { answer: (!bare).then(|| answer.clone()), bare, thinks: false };
            prop_assert_eq!(dialect.parse(&text, task), wanted, "{}", text);
        }
    }

    #[test]
    fn no_text_is_too_strange(text in strange()) {
        for dialect in Dialect::ALL {
            for task in [TaskKind::Maze, TaskKind::Table] {
                let strict = dialect.parse(&text, task);
                let lenient = dialect.parse_leniently(&text, task);
                if strict.understood() {
                    prop_assert_eq!(&lenient, &strict);
                    // What is understood can be said again.
                    if let Parsed::Propose { answer: Some(answer), .. } = strict {
                        let again = dialect.parse(&dialect.print_proposal(&answer, None), task);
                        prop_assert_eq!(again, Parsed::Propose { answer: Some(answer), thinks: false });
                    }
                }
            }
        }
    }
}

#[test]
fn hostile_text_takes_linear_time() {
    // Quadratic time would be hours, and this test would not end.
    for piece in [
        "<",
        "<final",
        "<final ",
        "<final>",
        "<FINAL/",
        "</final",
        "</",
        "<answer>",
        "<think <",
        "up,",
        "up ",
        "<points x1=\"1\" y1=\"1\">",
        "<points></points>",
        "<points ",
        "{",
        "}",
        "[",
        "{\"a\":",
        "{}",
        "```",
        "```{",
        "```json\n{",
        "} ",
        "\"",
        "\\",
        "\\ud800",
        "{\"function_call\":",
        " ",
        "` `",
        "x=",
        "\u{130}",
    ] {
        for text in [
            piece.repeat(1 << 18),
            format!("{{\"function_call\": {}", piece.repeat(1 << 18)),
            format!("<points {}></points>", piece.replace('>', "").repeat(1 << 18)),
        ] {
            for dialect in Dialect::ALL {
                for task in [TaskKind::Maze, TaskKind::Chart] {
                    let _ = dialect.parse_leniently(&text, task);
                }
            }
        }
    }
}

#[test]
fn words_name_dialects() {
    for dialect in Dialect::ALL {
        assert_eq!(Dialect::from_word(dialect.word()), Some(dialect));
        assert_eq!(serde_json::to_value(dialect).unwrap(), dialect.word());
    }
    assert_eq!(Dialect::from_word("Bare_Commit"), None);
    assert_eq!(Dialect::of(TaskKind::Maze).count(), 4);
    assert_eq!(Dialect::of(TaskKind::Table).count(), 5);
}
