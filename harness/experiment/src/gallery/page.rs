//! The page of a gallery: no script, pictures beside it.

use std::fmt::Write as _;

use vrrl_generators::shift::Level;

use super::{Strip, Tile};

const STYLE: &str = include_str!("page.css");

/// One task on the page.
pub(super) struct Section {
    pub task: &'static str,
    pub base: String,
    pub strips: Vec<Strip>,
}

/// The page.
pub(super) fn html(sections: &[Section]) -> String {
    let (mut nav, mut body) = (String::new(), String::new());
    for Section { task, base, strips } in sections {
        let _ = write!(nav, "<div><a href=\"#{task}\"><b>{task}</b></a>");
        let _ = write!(body, "<section id=\"{task}\"><h2>{task}</h2><p>Base: <code>{}</code>. ", esc(base));
        let _ = write!(body, "<a href=\"{task}.png\">All axes as one picture</a>.</p>");
        for strip in strips {
            let id = format!("{task}-{}", esc(&strip.axis));
            let _ = write!(nav, " <a href=\"#{id}\">{}</a>", esc(&strip.axis));
            let _ = write!(body, "<article id=\"{id}\"><h3>{}</h3>", esc(&strip.axis));
            let _ = write!(body, "<p>{} <small>({})</small></p>", esc(&strip.about), esc(&strip.facts));
            for tiles in &strip.scenes {
                let _ = write!(body, "<div class=\"strip\">");
                tiles.iter().for_each(|tile| figure(&mut body, task, &strip.axis, tile));
                body.push_str("</div>");
            }
            for told in &strip.left_out {
                let _ = write!(body, "<p><small>left out: {}</small></p>", esc(told));
            }
            body.push_str("</article>\n");
        }
        nav.push_str("</div>");
        body.push_str("</section>\n");
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>Gallery of shifts</title>\n<style>\n{STYLE}</style>\n\
         <h1>Gallery of shifts</h1>\n<p>Severities from left to right, 0 is in-distribution; a row is one seed. A click \
         opens a picture at full size.</p>\n<label><input type=\"checkbox\" id=\"mark\"> show what is right</label>\n\
         <nav>{nav}</nav>\n{body}</html>\n"
    )
}

fn figure(body: &mut String, task: &str, axis: &str, tile: &Tile) {
    let level = match &tile.level {
        Level::Grade(0) => "0".to_owned(),
        level => level.to_string(),
    };
    let ([w, h], file) = (tile.size, esc(&tile.file));
    let _ = write!(
        body,
        "<figure><a href=\"{file}\"><img loading=\"lazy\" src=\"{file}\" width=\"{w}\" height=\"{h}\" \
         alt=\"{task}, {}, level {}\">",
        esc(axis),
        esc(&level)
    );
    if let Some([x0, y0, x1, y1]) = tile.right {
        // A point gets a frame that is seen on a picture of any size.
        let pad = f64::from(w.max(h)) / 60.0 * f64::from(u8::from(x1 <= x0 && y1 <= y0));
        let (x, y, dx, dy) = (x0 - pad, y0 - pad, x1 - x0 + 2.0 * pad, y1 - y0 + 2.0 * pad);
        let _ = write!(
            body,
            "<svg viewBox=\"0 0 {w} {h}\" aria-hidden=\"true\"><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{dx:.1}\" \
             height=\"{dy:.1}\"/></svg>"
        );
    }
    let _ =
        write!(body, "</a><figcaption><b>{}</b> {}</figcaption></figure>", esc(&level), esc(&tile.question));
}

/// Text as HTML writes it, also between quotes.
fn esc(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_the_page() {
        let tile = |right| Tile {
            level: Level::Named("<b>".into()),
            file: "a\"b.png".into(),
            question: "x < y & \"z\"".into(),
            size: [100, 50],
            right,
        };
        let scenes = vec![vec![tile(None), tile(Some([10.0, 10.0, 10.0, 10.0]))]];
        let strip = Strip {
            axis: "<i>".into(),
            about: "&".into(),
            facts: "<script>".into(),
            scenes,
            left_out: vec!["3: <script>".into()],
        };
        let page = html(&[Section { task: "table", base: "a<b".into(), strips: vec![strip] }]);
        assert!(
            !page.contains("<script>") && !page.contains("<b>\"") && !page.contains("a\"b.png"),
            "{page}"
        );
        assert!(page.contains("x &lt; y &amp; &quot;z&quot;"));
        assert_eq!(page.matches("<svg").count(), 1);
    }
}
