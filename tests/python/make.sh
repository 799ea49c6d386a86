#!/usr/bin/env bash
# Writes every kind of export that the checks read: make.sh OUT [TASK…]
# VRRL is the command to try, `cargo run --release --bin vrrl --` where it is not set.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?usage: make.sh OUT [TASK...]}
shift
tasks=("$@")
[ ${#tasks[@]} -gt 0 ] || tasks=(table chart maze)
vrrl=${VRRL:-cargo run --quiet --release --manifest-path $here/../../Cargo.toml --bin vrrl --}

splits=()
for task in "${tasks[@]}"; do
    for file in "$here"/splits/"$task"_*.yaml; do splits+=("$file"); done
done
for file in "${splits[@]}"; do
    name=$(basename "$file" .yaml)
    $vrrl splits build "$file" --out "$out/imagefolder/$name"
    $vrrl splits build "$file" --out "$out/feedback/$name" --feedback
done
# Small shards, so that every split has several files.
for format in huggingface easyr1 verl trl sft sft_chat sft_turns lm_eval; do
    $vrrl splits export "${splits[@]}" --format "$format" --out "$out/$format" --shard 16
done
for format in huggingface lm_eval; do
    $vrrl splits export "${splits[@]}" --format "$format" --container jsonl --out "$out/jsonl_$format" --shard 16
done
# One task alone: its only configuration is called `default`, and files lie elsewhere.
for format in huggingface easyr1 lm_eval; do
    $vrrl splits export "$here"/splits/"${tasks[-1]}"_*.yaml --format "$format" --out "$out/one_$format"
done
# A tiny experiment of mazes, whatever the tasks, for what is written of runs and their training.
$vrrl run "$here"/tiny.yaml --out "$out/tiny"
$vrrl report "$out/tiny" --out "$out/report" --export all --hub-dataset me/mazes
