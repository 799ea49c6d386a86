//! The page's colours against WCAG 2.1 AA: text 4.5 to 1 (success criterion 1.4.3), lines and marks 3 to 1 (1.4.11).

#![allow(clippy::unwrap_used)] // tests

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../src/page/style.css");

/// Variables of a `:root` block.
fn palette(block: &str) -> BTreeMap<&str, [f64; 3]> {
    let value = |text: &str| {
        let hex = text.strip_prefix('#').filter(|hex| hex.len() == 6)?;
        let channel = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).ok().map(|c| f64::from(c) / 255.0);
        Some([channel(0)?, channel(2)?, channel(4)?])
    };
    block
        .split(';')
        .filter_map(|rule| {
            let (name, text) = rule.trim().strip_prefix("--")?.split_once(": ")?;
            Some((name, value(text.trim())?))
        })
        .collect()
}

fn luminance(colour: [f64; 3]) -> f64 {
    let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn both_palettes_can_be_read() {
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 1e-9);
    let blocks: Vec<&str> =
        STYLE.split(":root {").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
    assert_eq!(blocks.len(), 2, "one light and one dark");
    let methods = [
        "base",
        "single_sft",
        "multi_sft",
        "reflection_tuning",
        "single_sft_grpo",
        "multi_sft_grpo",
        "vrrl",
        "reference",
        "other0",
        "other1",
        "other2",
        "other3",
    ];
    for (name, block) in ["light", "dark"].into_iter().zip(blocks) {
        let colours = palette(block);
        let check = |front: &str, back: &str, least: f64| {
            let found = contrast(colours[front], colours[back]);
            assert!(found >= least, "{name}: {front} on {back} is {found:.2} to 1, not {least}");
        };
        for back in ["bg", "panel"] {
            for text in ["ink", "soft", "accent"] {
                check(text, back, 4.5);
            }
        }
        for [text, back] in [["yes", "yes-bg"], ["no", "no-bg"], ["open", "open-bg"]] {
            check(text, back, 4.5);
        }
        for mark in methods.into_iter().chain(["kept-right", "fixed", "broken", "kept-wrong"]) {
            check(mark, "bg", 3.0);
        }
    }
}
