//! Value axes: nice numbers, and how they are written.

use super::params::Numbers;

/// Steps between ticks that people count in.
const STEPS: [i32; 10] = [1, 2, 5, 10, 20, 25, 50, 100, 200, 500];

/// The smallest nice step that needs at most `most` steps for `span`.
fn step(span: i32, most: i32) -> i32 {
    *STEPS.iter().find(|&&step| span <= step * most).unwrap_or(&1000)
}

/// Tick positions of an axis from 0 that holds `highest`; the last tick is its end.
pub(crate) fn from_zero(highest: u32, most: i32) -> Vec<i32> {
    let highest = highest as i32;
    let step = step(highest.max(1), most);
    (0..=(highest + step - 1) / step).map(|i| i * step).collect()
}

/// Tick positions within a cropped range.
pub(crate) fn within([low, high]: [i32; 2], most: i32) -> Vec<i32> {
    let step = step(high - low, most);
    let first = low.div_euclid(step) + i32::from(low.rem_euclid(step) != 0);
    (first..=high.div_euclid(step)).map(|i| i * step).collect()
}

/// A number of the axis as it is written: hundredths or thousands of itself for some formats.
pub(crate) fn write(value: i32, numbers: Numbers) -> String {
    let sign = if value < 0 { "\u{2212}" } else { "" };
    let size = value.unsigned_abs();
    match numbers {
        Numbers::Integer => format!("{sign}{size}"),
        Numbers::Percent => format!("{sign}{size}%"),
        Numbers::Float => format!("{sign}{}.{:02}", size / 100, size % 100),
        Numbers::Comma if size == 0 => "0".into(),
        Numbers::Comma => format!("{sign}{size},000"),
        Numbers::Scientific if size == 0 => "0".into(),
        // Thousands of the value: 45 is 4.5e4.
        Numbers::Scientific => {
            let power = size.ilog10();
            let unit = 10u32.pow(power);
            let (whole, rest) = (size / unit, size % unit);
            let digits = format!("{rest:0width$}", width = power as usize);
            let digits = digits.trim_end_matches('0');
            let fraction = if digits.is_empty() { String::new() } else { format!(".{digits}") };
            format!("{sign}{whole}{fraction}e{}", power + 3)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_and_nice() {
        assert_eq!(from_zero(97, 6), [0, 20, 40, 60, 80, 100]);
        assert_eq!(from_zero(100, 5), [0, 20, 40, 60, 80, 100]);
        assert_eq!(from_zero(31, 6), [0, 10, 20, 30, 40]);
        assert_eq!(from_zero(4, 6), [0, 1, 2, 3, 4]);
        assert_eq!(within([-37, 21], 6), [-30, -20, -10, 0, 10, 20]);
        assert_eq!(within([-37, 83], 6), [-20, 0, 20, 40, 60, 80]);
        for low in -120..120 {
            for span in 20..=120 {
                let ticks = within([low, low + span], 8);
                assert!((3..=9).contains(&ticks.len()), "{low} {span}: {ticks:?}");
            }
        }
    }

    #[test]
    fn numbers_are_written_as_their_format_says() {
        let all = |value| {
            [Numbers::Integer, Numbers::Percent, Numbers::Float, Numbers::Comma, Numbers::Scientific]
                .map(|numbers| write(value, numbers))
        };
        assert_eq!(all(40), ["40", "40%", "0.40", "40,000", "4e4"]);
        assert_eq!(all(-125), ["−125", "−125%", "−1.25", "−125,000", "−1.25e5"]);
        assert_eq!(all(0), ["0", "0%", "0.00", "0", "0"]);
        assert_eq!(all(105)[4], "1.05e5");
    }
}
