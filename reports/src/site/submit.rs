//! `SUBMIT.md`: what a submission is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use vrrl_harness::SplitInfo;

use super::find::TRACES_LIMIT;

/// The text, with the splits that rows are compared on.
pub(crate) fn text(title: &str, splits: &BTreeMap<&str, &SplitInfo>) -> String {
    let mut out = format!("# Submit to {}\n\n", plain(title));
    let _ = writeln!(
        out,
        "A submission is a pull request that adds one folder, `submissions/NAME/`, with the small files of a finished run:\n\n\
         | file | what it is | needed |\n|---|---|---|\n\
         | `run.json` | settings, model, engine, hashes of the splits | yes |\n\
         | `summary.json` | the numbers | yes |\n\
         | `scores.jsonl` | one line an episode | yes |\n\
         | `traces.jsonl` | every reply, up to {} MiB | where it is not larger: with it anybody can judge the replies again |\n\n\
         No pictures, no weights, no links. Several runs (training seeds, other decodings) are folders below `submissions/NAME/`.\n",
        TRACES_LIMIT / (1024 * 1024)
    );
    let names: Vec<&str> = splits.keys().copied().filter(|name| typeable(name)).collect();
    let _ = writeln!(
        out,
        "```sh\nvrrl eval --model MODEL --split {} --out my-run\nmkdir -p submissions/NAME\n\
         cp my-run/run.json my-run/summary.json my-run/scores.jsonl my-run/traces.jsonl submissions/NAME/\n\
         vrrl report --site public submissions\n```\n\n\
         The last command is what the site is built with. It refuses, and names: a run that is not finished; files of another\n\
         format; scores that contradict the summary; a split whose data, number of examples or role differ from those below; a\n\
         name, method and decoding that another submission has (`policy.name` in `run.json` is the name, and may be changed there);\n\
         a file that is a link. Rows are never dropped in silence.\n",
        if names.is_empty() { "SPLIT...".to_owned() } else { names.join(" ") }
    );
    out.push_str("## Splits\n\n| split | role | examples | data |\n|---|---|---|---|\n");
    for (name, split) in splits {
        let role = split.role.map_or("", |role| role.word());
        let _ = writeln!(out, "| {} | {role} | {} | {} |", plain(name), split.n, plain(&split.hash));
    }
    out
}

/// Whether a name can stand in a command as it is.
fn typeable(name: &str) -> bool {
    !name.starts_with('-') && name.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c))
}

/// Text without a meaning in Markdown, on one line.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push(' '),
            c if "\\`*{}[]()#!|~>".contains(c) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_in_their_cell_and_out_of_the_command() {
        let split: SplitInfo = serde_json::from_str(
            r#"{"name": "x", "shift": "", "severity": 0, "hash": "<b>|", "n": 5, "role": "ood_test"}"#,
        )
        .unwrap();
        let hostile = "a | [x](javascript:y)\n```\n$(rm -rf .) <script>";
        let text = text("<img> | t", &BTreeMap::from([(hostile, &split), ("quick/maze/ood7", &split)]));
        let row = text.lines().find(|line| line.contains("javascript")).unwrap();
        assert!(
            row.starts_with("| a \\| \\[x\\]\\(javascript:y\\)")
                && row.ends_with("| ood_test | 5 | &lt;b\\>\\| |"),
            "{row}"
        );
        assert!(
            text.contains("--split quick/maze/ood7 --out")
                && !text.contains("<script>")
                && !text.contains("<img")
        );
        assert_eq!(text.matches("```").count(), 2);
    }
}
