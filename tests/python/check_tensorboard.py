"""TensorBoard's own reader gives back every number of every training log."""

import glob
import json
import math
import os

from shared import at

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader


def flat(name, value, into):
    if isinstance(value, dict):
        for key, inner in value.items():
            flat(f"{name}/{key}" if name else key, inner, into)
    elif isinstance(value, (int, float)):
        into[name] = float(value)


folders = sorted(glob.glob(at("report", "exports", "tensorboard", "*")))
logs = sorted(glob.glob(at("tiny", "checkpoints", "*", "training.jsonl")))
assert len(folders) == len(logs) > 1, (folders, logs)
for folder, log in zip(folders, logs):
    wanted = {}
    for line in open(log):
        row = json.loads(line)
        step = row.pop("step")
        row.pop("liveness", None)
        values = {}
        flat("", row, values)
        for name, value in values.items():
            wanted.setdefault(name, []).append((step, value))
    reader = EventAccumulator(folder, size_guidance={"scalars": 0})
    reader.Reload()
    assert sorted(reader.Tags()["scalars"]) == sorted(wanted), folder
    for name, points in wanted.items():
        found = [(event.step, event.value) for event in reader.Scalars(name)]
        assert len(found) == len(points), (folder, name)
        for (step, value), (want_step, want) in zip(found, points):
            assert step == want_step and math.isclose(value, want, rel_tol=1e-6, abs_tol=1e-30), (name, step)
    # A broken checksum is noticed, so the ones above were looked at.
    (path,) = glob.glob(os.path.join(folder, "events.out.tfevents.*"))
    assert len(list(RawEventFileLoader(path).Load())) == 1 + len({s for points in wanted.values() for s, _ in points})
    print(f"{os.path.basename(folder)}: {len(wanted)} series")
