//! File names from names that anybody may have chosen.

use vrrl_harness_core::sha256_hex;

/// Longest part of a name that is kept.
const LONGEST: usize = 60;

/// A name as part of a file's name: letters, digits, `.`, `_` and `-`, never empty, never beginning with a dot. A name that
/// had to change ends with eight digits of its hash, so that two names never share a file.
pub(crate) fn slug(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let kept: String = name.chars().take(LONGEST).map(|c| if plain(c) { c } else { '_' }).collect();
    let kept = kept.trim_start_matches('.').trim_end_matches('.').to_owned();
    // Devices of Windows have no business in a name either.
    let device = ["con", "prn", "aux", "nul", "com", "lpt"].iter().any(|d| {
        kept.split('.')
            .next()
            .is_some_and(|s| s.to_ascii_lowercase().trim_end_matches(|c: char| c.is_ascii_digit()) == *d)
    });
    if kept == name && !device && !kept.is_empty() {
        return kept;
    }
    let hash = &sha256_hex(name.as_bytes())[..8];
    match (kept.is_empty(), device) {
        (true, _) => hash.to_owned(),
        (_, true) => format!("_{kept}-{hash}"),
        _ => format!("{kept}-{hash}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_their_folder_and_apart() {
        for name in ["vrrl", "vrrl-s1", "a.b_c"] {
            assert_eq!(slug(name), name);
        }
        let hostile =
            ["../../etc/passwd", "..", "", ".", "a/b", "a_b ", "a\0b", "con", "COM1.txt", "ü", "a\\b"];
        let mut slugs: Vec<String> = hostile.iter().map(|name| slug(name)).collect();
        for made in &slugs {
            let fine = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            assert!(made.chars().all(fine) && !made.starts_with('.') && made.len() >= 8, "{made}");
        }
        slugs.sort();
        slugs.dedup();
        assert_eq!(slugs.len(), hostile.len());
        assert!(slug(&"x".repeat(500)).len() < 80);
    }
}
