"""Every Eval Ever's own validator, with its checks of a whole data store, takes every aggregate and every row.

The package asks for Python 3.12. EEE names a folder with its wheel unpacked, for an older Python with pydantic and rich;
without either the check counts as skipped."""

import glob
import os
import sys
from pathlib import Path

from shared import at

if "EEE" in os.environ:
    sys.path.insert(0, os.environ["EEE"])
try:
    from every_eval_ever.validator.validation_core import validate_file
except ImportError as error:
    print(error)
    sys.exit(77)

os.chdir(at("report", "exports", "every-eval-ever"))
files = sorted(glob.glob("data/*/*/*/*"))
assert len(files) > 2 and any(name.endswith("_samples.jsonl") for name in files), files


def check(name):
    return validate_file(
        Path(name),
        repo_path=name,
        available_files=frozenset(files),
        read_repo_file=lambda path: Path(path).read_text(encoding="utf-8"),
        run_semantic_checks=True,
    )


rows = 0
for name in files:
    report = check(name)
    assert report.valid and not report.errors and not report.warnings, (name, report.errors[:3], report.warnings[:3])
    rows += report.line_count
# Without its last row a companion no longer fits: the checks look.
samples = next(name for name in files if name.endswith("_samples.jsonl"))
whole = Path(samples).read_bytes()
try:
    Path(samples).write_bytes(whole[: whole.rstrip(b"\n").rfind(b"\n") + 1])
    assert not check(samples.replace("_samples.jsonl", ".json")).valid
finally:
    Path(samples).write_bytes(whole)
print(f"{len(files)} files, {rows} rows")
