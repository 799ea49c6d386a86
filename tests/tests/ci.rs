//! The files that other people's CI reads: they parse, and they name what is there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_yaml::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&read(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Variables that the gate's script reads.
const READ: [&str; 10] = [
    "VRRL",
    "BASELINE",
    "CANDIDATE",
    "MODEL",
    "SPLIT",
    "EVAL_ARGS",
    "CONFIG",
    "INCONCLUSIVE",
    "JUNIT",
    "ATTEMPTS",
];

#[test]
fn the_action_hands_its_inputs_over_as_variables() {
    let action = yaml(".github/actions/gate/action.yml");
    assert_eq!(action["runs"]["using"], "composite");
    let inputs: Vec<&str> =
        action["inputs"].as_mapping().unwrap().keys().map(|key| key.as_str().unwrap()).collect();
    let mut handed = Vec::new();
    for step in action["runs"]["steps"].as_sequence().unwrap() {
        assert_eq!(step["shell"], "bash");
        // An expression inside a script would let an input be a command.
        assert!(!step["run"].as_str().unwrap().contains("${{"), "{step:?}");
        for (name, value) in step["env"].as_mapping().into_iter().flatten() {
            let input = value.as_str().unwrap().trim_start_matches("${{ inputs.").trim_end_matches(" }}");
            assert!(inputs.contains(&input), "{input}");
            handed.push((name.as_str().unwrap().to_owned(), input.to_owned()));
        }
    }
    let names: Vec<&str> = handed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, READ);
    assert_eq!(inputs.len(), handed.len(), "every input reaches the script");
    let script = read(".github/actions/gate/gate.sh");
    READ.iter().for_each(|name| {
        assert!(script.contains(&format!("${{{name}:")) || script.contains(&format!("${name}\"")), "{name}")
    });
    for (_, output) in action["outputs"].as_mapping().unwrap() {
        let key = output["value"]
            .as_str()
            .unwrap()
            .trim_start_matches("${{ steps.gate.outputs.")
            .trim_end_matches(" }}")
            .to_owned();
        assert!(["verdict", "delta", "ci_low", "ci_high"].contains(&key.as_str()), "{key}");
    }
}

#[test]
fn the_templates_parse_and_call_the_script() {
    let gitlab = yaml("ci/gitlab.yml");
    let job = &gitlab[".vrrl-gate"];
    assert!(job["script"][0].as_str().unwrap().contains(".github/actions/gate/gate.sh"));
    assert_eq!(job["allow_failure"]["exit_codes"][0], 7);
    assert_eq!(job["artifacts"]["reports"]["junit"], "$JUNIT");
    for name in job["variables"].as_mapping().unwrap().keys().map(|key| key.as_str().unwrap()) {
        assert!(READ.contains(&name) || name == "VRRL_ROOT", "{name}");
    }
    let hook = &yaml("ci/pre-commit.yml")["repos"][0]["hooks"][0];
    let entry = hook["entry"].as_str().unwrap();
    for word in entry.split(' ').filter_map(|word| word.split_once('=').map(|(_, path)| path)) {
        let path = word.trim_start_matches("candle:");
        assert!(!path.contains('/') || root().join(path).exists(), "{path}");
    }
    assert!(root().join(entry.rsplit(' ').next().unwrap()).exists());
}

#[test]
fn the_shell_scripts_are_sound() {
    for script in [".github/actions/gate/gate.sh", ".ci/run"] {
        let checked = Command::new("bash").arg("-n").arg(root().join(script)).status().unwrap();
        assert!(checked.success(), "{script}");
        assert!(read(script).contains("set -euo pipefail"), "{script}");
    }
}

#[test]
fn the_dockerfile_copies_what_is_there() {
    let text = read("Dockerfile");
    assert_eq!(
        text.lines().filter(|line| line.starts_with("FROM ")).count(),
        2,
        "built in one stage, run in another"
    );
    assert!(text.contains("cargo build --release --locked -p vrrl-harness-cli"));
    for line in text.lines().filter(|line| line.starts_with("COPY --from=build /src/")) {
        let path = line.split(' ').nth(2).unwrap().trim_start_matches("/src/");
        assert!(path == "target/release/vrrl" || root().join(path).exists(), "{path}");
    }
    let ignored = read(".dockerignore");
    assert!(ignored.lines().any(|line| line == "target"));
    // What is built must not be ignored.
    assert!(!ignored.lines().any(|line| ["baselines", "datasets", "docs"].contains(&line)));
}

#[test]
fn our_own_check_gates_the_committed_checkpoint() {
    let run = read(".ci/run");
    for word in ["baselines/checkpoints/vrrl-quickstart", "baselines/expected/vrrl-quickstart.json"] {
        assert!(run.contains(word) && root().join(word).exists(), "{word}");
    }
}
