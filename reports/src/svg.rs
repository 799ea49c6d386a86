//! The little that drawing by hand needs: escaping, numbers, scales, ticks.

/// Text made safe for HTML and SVG, attributes included.
pub(crate) fn esc(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Control characters are not allowed in HTML; the replacement character shows that one was there.
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

/// A coordinate: two decimals, no trailing zeros, never `-0`.
pub(crate) fn num(x: f64) -> String {
    fixed(x, 2)
}

/// At most `decimals` decimals, no trailing zeros, never `-0`.
pub(crate) fn fixed(x: f64, decimals: usize) -> String {
    let text = format!("{x:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" {
        "0".into()
    } else {
        text.to_owned()
    }
}

/// A share's difference in points with one decimal and its sign; none where it rounds to 0.
pub(crate) fn signed(x: f64) -> String {
    let text = format!("{:.1}", x * 100.0);
    match text.strip_prefix('-') {
        Some("0.0") => "0.0".into(),
        Some(rest) => format!("−{rest}"),
        None if text == "0.0" => text,
        None => format!("+{text}"),
    }
}

/// Maps a data range linearly to pixels.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    data: (f64, f64),
    pixels: (f64, f64),
}

impl Scale {
    /// A range of no width maps to the middle.
    pub(crate) fn new(data: (f64, f64), pixels: (f64, f64)) -> Self {
        Self { data, pixels }
    }

    /// The pixel of `x`, clamped to the range.
    pub(crate) fn at(&self, x: f64) -> f64 {
        let width = self.data.1 - self.data.0;
        let share =
            if width.abs() < f64::EPSILON { 0.5 } else { ((x - self.data.0) / width).clamp(0.0, 1.0) };
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }
}

/// Round numbers (1, 2, 5 times a power of ten) that cover `low..=high` in about `count` steps; the first
/// and last enclose the range.
pub(crate) fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let (low, high) = if high - low > 1e-12 * low.abs().max(high.abs()).max(1e-9) {
        (low, high)
    } else {
        (low - 0.5, high + 0.5)
    };
    let raw = (high - low) / count.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|s| *s >= raw * 0.999)
        .unwrap_or(10.0 * power);
    let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
    let steps = (last - first).clamp(1.0, 100.0) as usize;
    (0..=steps).map(|i| (first + i as f64) * step).collect()
}

/// A tick as text, with as many decimals as the step needs; thousands as `k`, millions as `M`.
pub(crate) fn tick_text(value: f64, step: f64) -> String {
    let (unit, suffix) = match step.abs().max(value.abs()) {
        v if v >= 1e6 => (1e6, "M"),
        v if v >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let step = step / unit;
    let decimals = if step >= 1.0 {
        usize::from((step.fract()).abs() > 1e-9)
    } else {
        (-step.log10()).ceil().clamp(0.0, 9.0) as usize
    };
    let text = fixed(value / unit, decimals);
    if text == "0" {
        text
    } else {
        text + suffix
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn points_have_a_sign_unless_they_are_none() {
        let all = [0.059, -0.0123, 0.0004, -0.0004, 0.0, 0.01].map(signed);
        assert_eq!(all, ["+5.9", "−1.2", "0.0", "0.0", "0.0", "+1.0"]);
    }

    #[test]
    fn hostile_text_becomes_harmless() {
        assert_eq!(esc("<img src=x onerror='a'>&\""), "&lt;img src=x onerror=&#39;a&#39;&gt;&amp;&quot;");
        assert_eq!(esc("a\u{0}b\nc"), "a\u{FFFD}b\nc");
    }

    #[test]
    fn numbers_have_no_tail() {
        for (x, want) in [(1.0, "1"), (-0.001, "0"), (2.50, "2.5"), (100.0, "100"), (0.126, "0.13")] {
            assert_eq!(num(x), want);
        }
        assert_eq!(fixed(100.0, 0), "100");
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0.0, 1.0, 5), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(ticks(0.0, 430.0, 5), [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]);
        assert_eq!(tick_text(0.6000000000000001, 0.2), "0.6");
        assert_eq!(tick_text(15000.0, 5000.0), "15k");
    }

    proptest! {
        #[test]
        fn ticks_enclose_any_range(low in -1e6f64..1e6, width in 0.0f64..1e6) {
            let all = ticks(low, low + width, 5);
            prop_assert!(all.len() >= 2 && all.len() <= 9);
            let slack = 1e-6 * (1.0 + low.abs() + width);
            prop_assert!(all[0] <= low + slack && all[all.len() - 1] >= low + width - slack);
            prop_assert!(all.windows(2).all(|w| w[1] > w[0]));
        }

        #[test]
        fn scales_stay_inside(x in -10.0f64..10.0) {
            let at = Scale::new((0.0, 1.0), (30.0, 200.0)).at(x);
            prop_assert!((30.0..=200.0).contains(&at));
        }
    }
}
