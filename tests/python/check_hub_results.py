"""The Hub's own library parses every `.eval_results` file into entries and writes them back as they were."""

import glob
import sys

from shared import at

import yaml

try:
    from huggingface_hub import eval_result_entries_to_yaml, parse_eval_result_entries
except ImportError as error:
    print(error)
    sys.exit(77)

files = sorted(glob.glob(at("report", "exports", "hf", "*", ".eval_results", "*.yaml"), include_hidden=True))
assert files
for name in files:
    data = yaml.safe_load(open(name))
    entries = parse_eval_result_entries(data)
    assert len(entries) == len(data) == 2, name
    for entry, row in zip(entries, data):
        assert entry.dataset_id == "me/mazes" and entry.task_id == row["dataset"]["task_id"]
        assert entry.value == row["value"] and 0 <= entry.value <= 1
        assert isinstance(entry.date, str) and entry.date == row["date"]
    # The library knows no evaluation framework; the Hub's pages do.
    without = [{key: row[key] for key in row if key != "evaluation_framework"} for row in data]
    assert eval_result_entries_to_yaml(entries) == without, name
print(f"{len(files)} files")
