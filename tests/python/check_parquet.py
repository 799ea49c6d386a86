"""Parquet exports load with Hugging Face `datasets`: same features everywhere, pictures whole, truths inside."""

import glob
import hashlib
import io
import json

from shared import at, splits

import datasets
import pyarrow.parquet as pq
from PIL import Image

features, rows = set(), 0
for export in ["huggingface", "one_huggingface", "lm_eval"]:
    everything = []
    for config, split, n in splits(export):
        data = datasets.load_dataset(at(export), config, split=split)
        assert len(data) == n, (export, config, split, len(data))
        assert isinstance(data.features["image"], datasets.Image)
        everything.append(data)
        raw = data.cast_column("image", datasets.Image(decode=False))
        for row in raw:
            png = row["image"]["bytes"]
            assert hashlib.sha256(png).hexdigest() == row["image_sha256"]
            picture, truth = Image.open(io.BytesIO(png)), json.loads(row["truth"])
            if row["task"] != "maze":
                assert list(picture.size) == truth["size"], (picture.size, truth)
                x, y = map(float, row["answer"].split())
                assert 0 <= x < picture.size[0] and 0 <= y < picture.size[1]
            assert isinstance(row["severity"], int) and json.loads(row["params"]) is not None
            rows += 1
    # Concatenation demands equal columns and types, whatever the task or the shift.
    joined = datasets.concatenate_datasets(everything)
    assert len({row["id"] + row["content_hash"] for row in joined.remove_columns("image")}) == len(joined)
    assert any(s > 0 for s in joined["severity"]), "no shifted rows"
    features.add((export == "lm_eval", str(joined.features)))
    streamed = datasets.load_dataset(at(export), splits(export)[0][0], split=splits(export)[0][1], streaming=True)
    assert next(iter(streamed))["image"].size[0] > 0
assert len(features) == 2, features
folder = "data" if splits("huggingface")[0][0] == "default" else splits("huggingface")[0][0]
for file in glob.glob(at("huggingface", folder, "*.parquet")):
    about = json.loads(pq.read_schema(file).metadata[b"huggingface"])
    assert about["info"]["features"]["image"] == {"_type": "Image"}
# JSON lines hold the same rows, with paths in place of pictures.
for config, split, n in splits("jsonl_huggingface"):
    lines = datasets.load_dataset(at("jsonl_huggingface"), config, split=split)
    data = datasets.load_dataset(at("huggingface"), config, split=split)
    names = [name for name in data.column_names if name != "image"]
    assert sorted(lines.column_names) == sorted(data.column_names)
    assert lines.select_columns(names)[:] == data.select_columns(names)[:]
    for path, digest in zip(lines["image"], lines["image_sha256"]):
        with open(at("jsonl_huggingface", path), "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == digest
print(f"{rows} rows; features {features.pop()[1][:60]}…")
