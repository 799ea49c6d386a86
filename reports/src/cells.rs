//! Text in CSV cells that a spreadsheet must not take for a formula.
//!
//! Names of models and splits come from files that anybody may have written. A spreadsheet runs a cell that begins with
//! `=`, `+`, `-` or `@` (or their full-width forms, or a tab or carriage return before them) as a formula, quoted or not;
//! one that splits at semicolons or tabs begins a cell after each. Numbers are written by the program and stay numbers.

/// What begins a formula.
fn formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

/// What ends a cell, or is skipped before one, in some reader.
fn between(c: char) -> bool {
    matches!(c, '\t' | '\r' | '\n' | ';')
}

/// A cell of text: an apostrophe stands before what would begin a formula; other text is as it was.
pub(crate) fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 1);
    let mut before = None;
    for c in value.chars() {
        let guarded = match before {
            None => formula(c) || (between(c) && c != ';'),
            Some(last) => between(last) && formula(c),
        };
        if guarded {
            out.push('\'');
        }
        out.push(c);
        before = Some(c);
    }
    out
}

/// What the schema file says about it.
pub(crate) const RULE: &str = "text that begins with = + - @ (full-width forms too), a tab or a line break has an apostrophe put before it, also \
     after a semicolon, tab or line break inside it, so that no spreadsheet runs it; numbers are never touched; the exact \
     text is in the run's run.json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_text_stays() {
        for (value, want) in [
            ("", ""),
            ("vrrl-s1", "vrrl-s1"),
            ("openai:http://host/v1#a=b", "openai:http://host/v1#a=b"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t'=1"),
            ("\r=1", "'\r'=1"),
            ("\n+1", "'\n'+1"),
            ("a;=1", "a;'=1"),
            ("a\n-1", "a\n'-1"),
            ("＝1+1", "'＝1+1"),
            ("a=-1", "a=-1"),
        ] {
            assert_eq!(text(value), want, "{value:?}");
        }
    }
}
