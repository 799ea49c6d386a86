#!/usr/bin/env bash
# Scores a model if there is no finished run, then gates it. Everything comes in variables; see action.yml.
set -euo pipefail

: "${BASELINE:?the baseline to judge against}"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)"
vrrl="${VRRL:-${CARGO_TARGET_DIR:-$root/target}/release/vrrl}"
candidate="${CANDIDATE:-}"

if [ -z "$candidate" ]; then
    : "${MODEL:?either candidate (a finished run) or model (what to score)}"
    candidate="${RUNNER_TEMP:-/tmp}/vrrl-candidate"
    # Lists of words: split at spaces on purpose, and not at anything else.
    read -r -a splits <<<"${SPLIT:-ood7}"
    read -r -a more <<<"${EVAL_ARGS:-}"
    "$vrrl" eval --model "$MODEL" --split "${splits[@]}" --out "$candidate" ${more[@]+"${more[@]}"}
fi

args=(--baseline "$BASELINE" --candidate "$candidate" --junit "${JUNIT:-vrrl-gate.xml}")
[ -z "${CONFIG:-}" ] || args+=(--config "$CONFIG")
[ -z "${INCONCLUSIVE:-}" ] || args+=(--inconclusive "$INCONCLUSIVE")
[ -z "${ATTEMPTS:-}" ] || args+=(--attempts "$ATTEMPTS")
[ -z "${GITHUB_ACTIONS:-}" ] || args+=(--github)
exec "$vrrl" gate "${args[@]}"
