"""lm-eval's own code reads the results and samples that `vrrl export RUN --lm-eval` writes, and `vrrl import` what
lm-eval writes about an exported split. VRRL names the command, `vrrl` where it is not set."""

import json
import os
import shlex
import subprocess
import tempfile

from shared import at

import datasets
from lm_eval.utils import get_file_datetime, get_file_task_name, get_results_filenames, make_table, sanitize_model_name
from lm_eval.utils import get_sample_results_filenames, hash_string

VRRL = shlex.split(os.environ.get("VRRL", "vrrl"))


def vrrl(*words):
    done = subprocess.run([*VRRL, *words, "--format", "json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main(folder):
    run, out = os.path.join(folder, "run"), os.path.join(folder, "out")
    vrrl("eval", "--model", "noisy-oracle:0.5", "--split", at("imagefolder", "maze_themed"), "--out", run)
    files = vrrl("export", run, "--lm-eval", out)["files"]
    names = [f"/{os.path.relpath(file, out)}" for file in files]
    (results,), (samples,) = get_results_filenames(names), get_sample_results_filenames(names)
    task = get_file_task_name(os.path.basename(samples))
    assert task == "vrrl_check_maze_themed", task
    assert get_file_datetime(samples) == get_file_datetime(results).replace(".json", "")
    with open(files[0]) as file:
        found = json.load(file)
    assert found["model_name_sanitized"] == sanitize_model_name(found["model_name"]) == results.split("/")[1]
    print(make_table(found))
    rows = datasets.load_dataset("json", data_files=files[1], split="train")
    for name in ["strict", "lenient"]:
        kept = [row for row in rows if row["filter"] == name]
        mean = sum(row["accuracy"] for row in kept) / len(kept)
        assert len(kept) == found["results"][task]["sample_len"]
        assert abs(mean - found["results"][task][f"accuracy,{name}"]) < 1e-12
    # As lm-eval's `EvaluationTracker.save_results_aggregated` sums them up.
    hashes = "".join(row["doc_hash"] + row["prompt_hash"] + row["target_hash"] for row in rows)
    assert found["task_hashes"][task] == hash_string(hashes)
    back = os.path.join(folder, "back")
    agreement = vrrl("import", "--from", "lm-eval", files[1], "--out", back)["agreement"]
    assert agreement["only_ours"] == agreement["only_theirs"] == 0, agreement
    compared = vrrl("compare", run, back)["splits"][-1]
    assert compared["only_a"] == compared["only_b"] == 0, compared
    print(f"{len(rows)} rows, {compared['n']} items there and back")


with tempfile.TemporaryDirectory() as folder:
    main(folder)
