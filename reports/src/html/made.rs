//! How it was made, and published numbers beside ours.

use std::collections::BTreeSet;

use vrrl_harness_core::{Dialect, TaskKind};

use crate::group::groups;
use crate::info::PageInfo;
use crate::leaderboard::{decodings, Columns};
use crate::run::{decoding_label, Run};
use crate::svg::esc;

use super::{count, scrolling};

/// Command, machine, hashes, times, experiment.
pub(super) fn section(runs: &[Run], info: &PageInfo) -> String {
    let mut html = String::from("<h2>How it was made</h2><dl class=\"facts\">");
    let versions: BTreeSet<&str> =
        runs.iter().map(|r| r.code_version.as_str()).filter(|v| !v.is_empty()).collect();
    let machines: BTreeSet<&str> =
        runs.iter().map(|r| r.machine.as_str()).filter(|v| !v.is_empty()).collect();
    let joined = |own: &str, all: BTreeSet<&str>| {
        if own.is_empty() {
            all.into_iter().collect::<Vec<_>>().join("; ")
        } else {
            own.to_owned()
        }
    };
    for (term, value) in [
        ("Code", joined(&info.code_version, versions)),
        ("Machine", joined(&info.machine, machines)),
        ("Turn language", dialects(runs)),
    ] {
        if !value.is_empty() {
            html.push_str(&format!("<dt>{term}</dt><dd>{}</dd>", esc(&value)));
        }
    }
    if !info.command.is_empty() {
        html.push_str(&format!("<dt>Command</dt><dd><code>{}</code></dd>", esc(&info.command)));
    }
    html.push_str("</dl>");
    if !info.stages.is_empty() {
        html.push_str(&scrolling("Stages", &stages(info)));
    }
    if !info.audit.is_empty() {
        html.push_str("<h3>Overlap of training and test</h3><p>Test items that equal a training item: exactly, up to rotation and reflection (or the task's other symmetries), and in background only.</p>");
        html.push_str(&scrolling("Overlap", &audit(info)));
    }
    if !runs.is_empty() {
        html.push_str(&format!(
            "<details><summary>Runs and hashes ({})</summary>{}</details>",
            runs.len(),
            scrolling("Runs", &hashes(runs))
        ));
    }
    if !info.experiment_yaml.is_empty() {
        html.push_str(&format!(
            "<details><summary>Experiment file</summary><pre tabindex=\"0\">{}</pre></details>",
            esc(&info.experiment_yaml)
        ));
    }
    html
}

fn dialects(runs: &[Run]) -> String {
    let all: BTreeSet<&str> = runs
        .iter()
        .flat_map(|r| &r.splits)
        .map(|s| match s.dialect {
            Dialect::BareCommit => "bare commit: <ANSWER>…</ANSWER> proposes, <FINAL/> commits the last proposal (the paper's policies repeat it inside <FINAL>…</FINAL>)",
            Dialect::ReflectionTag => "reflection tag: <ANSWER>…</ANSWER> proposes, <FINAL>…</FINAL> repeats and commits, <THINK> reasons, as in the paper",
            Dialect::RouteTag => "route tag: <route>…</route> proposes, <answer>…</answer> repeats and commits",
            Dialect::JsonCall => "JSON call: route or pointing proposes, terminate commits",
            Dialect::PointsTag => "points tag: <points x1 y1> proposes, <answer> commits",
        })
        .collect();
    all.into_iter().collect::<Vec<_>>().join("; ")
}

fn stages(info: &PageInfo) -> String {
    let mut html = String::from("<table class=\"plain\"><caption>Time by stage</caption><thead><tr><th scope=\"col\">stage</th><th scope=\"col\">seconds</th><th scope=\"col\"></th></tr></thead><tbody>");
    for stage in &info.stages {
        let reused = if stage.reused { "done before, reused" } else { "" };
        html.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td>{:.1}</td><td>{reused}</td></tr>",
            esc(&stage.name),
            stage.seconds
        ));
    }
    let total: f64 = info.stages.iter().filter(|s| !s.reused).map(|s| s.seconds).sum();
    html.push_str(&format!(
        "<tr class=\"total\"><th scope=\"row\">this run</th><td>{total:.1}</td><td>{}</td></tr>",
        clock(total)
    ));
    html + "</tbody></table>"
}

fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    format!("{} min {:02} s", whole / 60, whole % 60)
}

fn audit(info: &PageInfo) -> String {
    let mut html = String::from("<table class=\"plain words\"><thead><tr>");
    for head in ["test", "training", "test items", "distinct", "exact", "symmetric", "background"] {
        html.push_str(&format!("<th scope=\"col\">{head}</th>"));
    }
    html.push_str("</tr></thead><tbody>");
    for row in &info.audit {
        html.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td>{} ({})</td>",
            esc(&row.test),
            esc(&row.train),
            count(row.n_train)
        ));
        for n in [row.n_test, row.distinct_test, row.exact, row.symmetric, row.same_pattern] {
            html.push_str(&format!("<td>{}</td>", count(n)));
        }
        html.push_str("</tr>");
    }
    html + "</tbody></table>"
}

fn hashes(runs: &[Run]) -> String {
    let mut html = String::from("<table class=\"plain words\"><thead><tr>");
    for head in ["run", "model", "decoding", "backend", "model fingerprint", "configuration", "data", "date"]
    {
        html.push_str(&format!("<th scope=\"col\">{head}</th>"));
    }
    html.push_str("</tr></thead><tbody>");
    let brief = |hash: &str| {
        format!("<code title=\"{}\">{}</code>", esc(hash), esc(&hash.chars().take(12).collect::<String>()))
    };
    for run in runs {
        let data: Vec<String> = run
            .splits
            .iter()
            .filter(|s| !s.dataset_hash.is_empty())
            .map(|s| format!("{} {}", esc(s.short()), brief(&s.dataset_hash)))
            .collect();
        let backend = if run.engine.is_empty() {
            run.backend.clone()
        } else {
            format!("{} ({})", run.backend, run.engine)
        };
        html.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            esc(&run.id),
            esc(&run.model),
            esc(&run.decoding),
            esc(&backend),
            brief(&run.fingerprint),
            brief(&run.config_hash),
            data.join("<br>"),
            esc(&run.date)
        ));
    }
    html + "</tbody></table>"
}

/// Maze accuracy in percent as published (arXiv 2607.02490, navigation): method, then ID, 6×6, 7×7, OOD
/// average of Qwen2.5-VL-3B and of Qwen3-VL-4B; and Δref in points and turns where published.
const PUBLISHED: [(&str, [f64; 8]); 9] = [
    ("zero-shot, single", [2.4, 1.2, 1.6, 1.4, 8.4, 2.4, 2.0, 2.2]),
    ("zero-shot, multi", [2.8, 0.8, 2.0, 1.4, 34.0, 8.8, 2.4, 5.6]),
    ("Base*", [77.7, 33.2, 4.8, 19.0, 88.1, 49.6, 5.6, 27.6]),
    ("Single-SFT", [83.5, 39.2, 8.8, 24.0, 90.7, 56.8, 8.0, 32.4]),
    ("Multi-SFT", [81.2, 41.6, 10.2, 25.9, 86.9, 60.4, 21.2, 40.8]),
    ("Reflection Tuning", [85.7, 49.6, 12.4, 31.0, 93.6, 63.6, 13.2, 38.4]),
    ("Single-SFT → GRPO", [85.9, 49.2, 8.8, 29.0, 93.2, 62.4, 5.6, 34.0]),
    ("Multi-SFT → GRPO", [85.2, 42.8, 9.2, 26.0, 87.9, 61.6, 10.4, 36.0]),
    ("VRRL", [83.9, 54.8, 23.6, 39.2, 89.1, 65.2, 39.2, 52.2]),
];

/// OOD turns and Δref in points, 3B then 4B.
const REFLECTION: [(&str, [f64; 4]); 4] = [
    ("Multi-SFT", [3.51, 2.8, 4.57, 11.0]),
    ("Reflection Tuning", [3.17, 3.4, 4.69, 7.4]),
    ("Multi-SFT → GRPO", [2.00, 0.0, 2.00, 0.0]),
    ("VRRL", [3.39, 13.6, 4.64, 23.0]),
];

/// The published maze table; empty unless the runs are about mazes.
pub(super) fn published(runs: &[Run]) -> String {
    let mazes = runs.iter().flat_map(|r| &r.splits).any(|s| s.task == Some(TaskKind::Maze));
    if !mazes {
        return String::new();
    }
    let mut html = String::from(
        "<table class=\"published\"><thead><tr><th scope=\"col\" rowspan=\"2\">method</th><th scope=\"colgroup\" colspan=\"6\">Qwen2.5-VL-3B, published</th>\
         <th scope=\"colgroup\" colspan=\"6\">Qwen3-VL-4B, published</th>",
    );
    let (decoding, columns) = (decodings(runs).into_iter().next().unwrap_or_default(), Columns::of(runs));
    let ours = groups(runs, &decoding);
    let find = |end: &str| columns.all().into_iter().find(|s| crate::leaderboard::short(s) == end);
    let picks = [columns.id.first().cloned(), find("ood6"), find("ood7")];
    let beside = picks.iter().any(Option::is_some);
    if beside {
        html.push_str(&format!(
            "<th scope=\"colgroup\" colspan=\"3\" class=\"ours\">this report, {}</th>",
            esc(&decoding_label(&decoding))
        ));
    }
    html.push_str("</tr><tr>");
    for _ in 0..2 {
        for head in ["ID", "6×6", "7×7", "OOD avg", "Δref OOD", "turns OOD"] {
            html.push_str(&format!("<th scope=\"col\">{head}</th>"));
        }
    }
    if beside {
        html.push_str("<th scope=\"col\" class=\"ours\">ID</th><th scope=\"col\" class=\"ours\">6×6</th><th scope=\"col\" class=\"ours\">7×7</th>");
    }
    html.push_str("</tr></thead><tbody>");
    for (method, numbers) in PUBLISHED {
        html.push_str(&format!("<tr><th scope=\"row\">{method}</th>"));
        let extra = REFLECTION.iter().find(|(m, _)| *m == method).map(|(_, x)| x);
        for half in 0..2 {
            for x in &numbers[half * 4..half * 4 + 4] {
                html.push_str(&format!("<td>{x:.1}</td>"));
            }
            match extra {
                Some(x) => {
                    html.push_str(&format!("<td>{:+.1}</td><td>{:.2}</td>", x[half * 2 + 1], x[half * 2]))
                }
                None => html.push_str("<td>–</td><td>–</td>"),
            }
        }
        if beside {
            let name = if method == "Base*" { "Base" } else { method };
            let group = ours.iter().find(|g| g.label == name);
            for split in &picks {
                let value = group.zip(split.as_ref()).and_then(|(g, s)| g.metric(s, "accuracy"));
                html.push_str(&value.map_or_else(
                    || "<td class=\"ours\">–</td>".into(),
                    |m| format!("<td class=\"ours\">{:.1}</td>", m.value * 100.0),
                ));
            }
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    format!(
        "<h2>Published numbers</h2><p class=\"warn\"><b>Published, other model, not comparable.</b> Accuracy in percent on the paper's \
         mazes (arXiv 2607.02490; 250 mazes a size, greedy decoding) by vision-language models of 3 and 4 billion parameters. The \
         policies of this report are miniatures trained from scratch on other mazes; only the pattern may be compared, not the \
         numbers.</p>{}",
        scrolling("Published numbers", &html)
    )
}
