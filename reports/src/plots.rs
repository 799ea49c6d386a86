//! The main plots as files: an SVG that looks the same everywhere, and the PNG of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use crate::charts::Panel;
use crate::group::{groups, Group};
use crate::html::{method_class, shifts, turns, STYLE};
use crate::leaderboard::{decodings, Columns};
use crate::run::{decoding_label, Run};
use crate::svg::{esc, num};
use crate::{Error, Result};

/// Panels side by side.
const ACROSS: usize = 3;
/// Between panels and around all.
const GAP: f64 = 14.0;
/// Height of a title above its panel, and of a line of the legend.
const LINE: f64 = 20.0;
/// Pixels of the PNG a unit of the SVG.
const ZOOM: f32 = 2.0;
/// The font of both.
const FONT: &str = "DejaVu Sans";

/// A plot.
pub(crate) struct Plot {
    /// Name of the files without their ending.
    pub name: String,
    /// The SVG.
    pub svg: String,
}

/// Every plot that the runs have numbers for.
pub(crate) fn plots(runs: &[Run]) -> Vec<Plot> {
    let columns = Columns::of(runs);
    let mut all = Vec::new();
    for decoding in decodings(runs) {
        let groups = groups(runs, &decoding);
        let learned: Vec<&Group<'_>> = groups.iter().filter(|g| !g.is_reference()).collect();
        let shown = if learned.is_empty() { groups.iter().collect() } else { learned };
        let mut add = |name: &str, what: &str, panels: Vec<Panel>| {
            if !panels.is_empty() {
                let title = format!("{what}, {}", decoding_label(&decoding));
                all.push(Plot { name: format!("{name}-{decoding}"), svg: document(&title, &panels, &shown) });
            }
        };
        add("accuracy_by_turn", "Accuracy after turn t", turns::right_after(&shown, &columns));
        add("reached_turn", "Share of episodes that reach turn t", turns::reached(&shown, &columns));
        let against = shifts::against(&groups, &columns).into_iter().collect();
        add("ood_against_id", "Out of distribution against in distribution", against);
        add("severity", "Accuracy by severity", shifts::curves(&groups));
    }
    all
}

/// Panels under a title and above a legend, with every colour written out.
fn document(title: &str, panels: &[Panel], groups: &[&Group<'_>]) -> String {
    let cell = panels.iter().fold((0.0f64, 0.0f64), |(w, h), p| (w.max(p.size.0), h.max(p.size.1)));
    let across = panels.len().min(ACROSS);
    let rows = panels.len().div_ceil(ACROSS);
    let width = (across as f64 * (cell.0 + GAP) + GAP).max(460.0);
    let top = GAP + 1.5 * LINE;
    let legend_at = top + rows as f64 * (cell.1 + LINE + GAP);
    let entry = width.min(190.0);
    let in_row = ((width - 2.0 * GAP) / entry).floor().max(1.0) as usize;
    let height = legend_at + groups.len().div_ceil(in_row) as f64 * LINE + GAP;
    let spoken: Vec<&str> = panels.iter().map(|p| p.spoken.as_str()).collect();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\">\
         <title>{}</title><desc>{}</desc><style>{}</style><rect width=\"{w}\" height=\"{h}\" fill=\"{}\"/>\
         <text class=\"head\" x=\"{GAP}\" y=\"{}\">{}</text>",
        esc(title),
        esc(&spoken.join(" ")),
        style(groups),
        colours().get("bg").copied().unwrap_or("#ffffff"),
        num(GAP + LINE * 0.8),
        esc(title),
        w = num(width),
        h = num(height),
    );
    for (at, panel) in panels.iter().enumerate() {
        let x = GAP + (at % ACROSS) as f64 * (cell.0 + GAP);
        let y = top + (at / ACROSS) as f64 * (cell.1 + LINE + GAP);
        let _ = write!(
            svg,
            "<g transform=\"translate({} {})\"><text class=\"name\" x=\"0\" y=\"13\">{}</text>\
             <g transform=\"translate(0 {LINE})\">{}</g></g>",
            num(x),
            num(y),
            esc(&panel.title),
            panel.body
        );
    }
    for (at, group) in groups.iter().enumerate() {
        let (x, y) = (GAP + (at % in_row) as f64 * entry, legend_at + (at / in_row) as f64 * LINE + 10.0);
        let _ = write!(
            svg,
            "<g class=\"{}\"><polyline class=\"line\" points=\"{},{y} {},{y}\"/><circle class=\"dot\" cx=\"{}\" cy=\"{y}\" r=\"3\"/></g>\
             <text x=\"{}\" y=\"{}\">{}</text>",
            method_class(&group.method),
            num(x),
            num(x + 28.0),
            num(x + 14.0),
            num(x + 34.0),
            num(y + 4.0),
            esc(&group.label),
            y = num(y)
        );
    }
    svg + "</svg>\n"
}

/// The light palette of the page, by the name of its variable.
fn colours() -> BTreeMap<&'static str, &'static str> {
    let block =
        STYLE.split_once(":root {").and_then(|(_, rest)| rest.split_once('}')).map_or("", |(block, _)| block);
    block.split(';').filter_map(|rule| rule.trim().strip_prefix("--")?.split_once(": ")).collect()
}

/// What the page's style sheet says of lines and dots, with its variables filled in: rasterizers know none.
fn style(groups: &[&Group<'_>]) -> String {
    let colours = colours();
    let get = |name: &str| colours.get(name).copied().unwrap_or("#1b1e23");
    let (soft, line, ink) = (get("soft"), get("line"), get("ink"));
    let mut css = format!(
        "text{{font-family:'{FONT}',sans-serif;font-size:11px;fill:{soft}}}.head{{font-size:15px;font-weight:bold;fill:{ink}}}\
         .name{{font-size:12px;font-weight:bold;fill:{ink}}}.grid{{stroke:{line}}}.axis{{stroke:{soft}}}\
         .equal{{stroke-dasharray:4 4}}.line{{fill:none;stroke-width:2;stroke-linejoin:round}}\
         .dot{{stroke:{};stroke-width:1}}.whisker{{stroke-width:1.5}}",
        get("bg")
    );
    let mut classes: Vec<String> = groups.iter().map(|g| method_class(&g.method)).collect();
    classes.sort();
    classes.dedup();
    for class in classes {
        let rule = STYLE.split_once(&format!(".{class} {{")).and_then(|(_, rest)| rest.split_once('}'));
        let of = |name: &str| {
            let (_, rest) = rule?.0.split_once(&format!("--{name}: "))?;
            Some(rest.split([';', '}']).next()?.trim())
        };
        let colour = of("c").and_then(|c| c.strip_prefix("var(--")?.strip_suffix(')')).map_or(ink, get);
        let dash = of("dash").unwrap_or("none");
        let _ = write!(
            css,
            ".{class} .line{{stroke:{colour};stroke-dasharray:{dash}}}.{class} .dot{{fill:{colour}}}.{class} .whisker{{stroke:{colour}}}"
        );
    }
    css
}

/// The PNG of a plot.
///
/// # Errors
/// An SVG that does not parse or has no size; the file is named.
pub(crate) fn png(svg: &str, path: &Path) -> Result<Vec<u8>> {
    let mut options = Options { font_family: FONT.into(), ..Options::default() };
    let fonts = Arc::make_mut(&mut options.fontdb);
    for font in [dejavu::sans::regular(), dejavu::sans::bold()] {
        fonts.load_font_data(font.to_vec());
    }
    let refuse = |what: String| Error::content(path, "svg", what);
    let tree = Tree::from_str(svg, &options).map_err(|e| refuse(e.to_string()))?;
    let size = tree.size().to_int_size().scale_by(ZOOM).ok_or_else(|| refuse("no size".into()))?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or_else(|| refuse("no size".into()))?;
    resvg::render(&tree, Transform::from_scale(ZOOM, ZOOM), &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| refuse(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_of_the_page() {
        let colours = colours();
        assert_eq!(colours.get("bg"), Some(&"#ffffff"));
        assert!(colours.get("vrrl").is_some_and(|c| c.starts_with('#') && c.len() == 7), "{colours:?}");
    }
}
