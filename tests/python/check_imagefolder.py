"""Built folders load as imagefolders, one by one and all tasks and shifts together."""

import json
import os

from shared import at

import datasets

for kind in ["imagefolder", "feedback"]:
    files, loaded = {}, []
    for name in sorted(os.listdir(at(kind))):
        folder = at(kind, name)
        with open(os.path.join(folder, "manifest.json")) as file:
            split = json.load(file)["folder"]
        data = datasets.load_dataset(folder, split=split)
        with open(os.path.join(folder, split, "metadata.jsonl")) as file:
            rows = [json.loads(line) for line in file]
        assert data["id"] == [row["id"] for row in rows], "rows in their order"
        assert all(list(row) == list(rows[0]) for row in rows), "the same keys in every row"
        pictures = ["image", "feedback"] if kind == "feedback" else ["image"]
        for picture in pictures:
            assert isinstance(data.features[picture], datasets.Image), data.features
            # Pictures of few colours are PNGs with a palette.
            assert all(min(image.convert("RGB").size) > 0 for image in data[picture])
        files[name] = os.path.join(folder, split, "**")
        loaded.append(data)
    joined = datasets.concatenate_datasets(loaded)
    together = datasets.load_dataset("imagefolder", data_files=files)
    assert sum(len(split) for split in together.values()) == len(joined)
    assert {str(split.features) for split in together.values()} == {str(joined.features)}
    print(f"{kind}: {len(joined)} rows of {len(loaded)} splits, columns {list(joined.features)}")
