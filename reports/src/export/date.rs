//! A run's date as seconds.

/// Seconds from 1970 to `YYYY-MM-DDTHH:MM:SSZ`; `None` where it is something else.
pub(super) fn unix_seconds(date: &str) -> Option<i64> {
    let bytes = date.as_bytes();
    let shape = b"0000-00-00T00:00:00Z";
    let fits = |(have, want): (&u8, &u8)| if *want == b'0' { have.is_ascii_digit() } else { have == want };
    if bytes.len() != shape.len() || !bytes.iter().zip(shape).all(fits) {
        return None;
    }
    let part = |from: usize, to: usize| date[from..to].parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days from civil (Howard Hinnant): years begin in March, so that leap days end them.
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_seconds() {
        for (date, want) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:00:00Z", Some(951_825_600)),
            ("2026-11-21T11:59:30Z", Some(1_795_262_370)),
            ("2026-11-21", None),
            ("2026-13-21T11:59:30Z", None),
            ("２026-11-21T11:59Z", None),
        ] {
            assert_eq!(unix_seconds(date), want, "{date}");
        }
    }
}
