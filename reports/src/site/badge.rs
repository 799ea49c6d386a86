//! Badges: small SVG files that need no font, script or address of anybody else.

use crate::svg::{esc, num};

/// Longest text of one half, in characters.
const LONGEST: usize = 40;
/// Says that a file in `badges/` is ours, so that a badge without a row may be removed.
pub(crate) const MARK: &str = "data-made-by=\"vrrl\"";

/// A badge's words.
pub(crate) struct Badge {
    /// Left half: what is measured.
    pub label: String,
    /// Right half: the number.
    pub value: String,
    /// The whole sentence, for those who hear it.
    pub title: String,
}

impl Badge {
    /// The drawing. Text keeps the width that its half has, whatever the font.
    pub(crate) fn svg(&self) -> String {
        let (label, value) = (cut(&self.label), cut(&self.value));
        let width = |text: &str| text.chars().count() as f64 * 6.6;
        let (left, right) = (width(&label) + 12.0, width(&value) + 12.0);
        let text = |x: f64, words: &str| {
            format!(
                "<text x=\"{}\" y=\"14\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\" style=\"fill:#fff\">{}</text>",
                num(x),
                num(width(words)),
                esc(words)
            )
        };
        let title = esc(&self.title.chars().take(300).collect::<String>());
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" {MARK} width=\"{all}\" height=\"20\" viewBox=\"0 0 {all} 20\" role=\"img\" \
             aria-label=\"{title}\"><title>{title}</title>\
             <rect width=\"{all}\" height=\"20\" rx=\"3\" fill=\"#3c424c\"/>\
             <path d=\"M{l} 0h{r}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-{r}z\" fill=\"#0059a8\"/>\
             <g font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">{a}{b}</g></svg>\n",
            all = num(left + right),
            l = num(left),
            r = num(right - 3.0),
            a = text(6.0, &label),
            b = text(left + 6.0, &value),
        )
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_words_stay_words_and_nothing_is_fetched() {
        let hostile = "</text><script>alert(1)</script>\u{1}\"' onload=x &";
        let badge = Badge { label: hostile.into(), value: hostile.into(), title: hostile.repeat(20) };
        let svg = badge.svg();
        for word in ["<script", "onload=\"", "\u{1}", "url(", "href", "<style"] {
            assert!(!svg.contains(word), "{word}: {svg}");
        }
        // The one address is the name of the format.
        assert_eq!(svg.matches("http").count(), 1);
        assert_eq!(svg.matches("<text").count(), 2);
        assert!(svg.len() < 3000 && svg.contains(MARK));
    }
}
