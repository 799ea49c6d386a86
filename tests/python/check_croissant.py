"""The official validator accepts the Croissant description, and its reader finds the records."""

import io

from shared import at, splits

import mlcroissant
from PIL import Image

for export in ["huggingface", "one_huggingface", "lm_eval"]:
    data = mlcroissant.Dataset(jsonld=at(export, "croissant.json"))
    issues = data.metadata.ctx.issues
    assert not issues.errors and not issues.warnings, issues.report()
    assert str(data.metadata.ctx.conforms_to.value).endswith("/1.1"), data.metadata.ctx.conforms_to
    expected = {}
    for config, split, n in splits(export):
        expected.setdefault(config, {})[split] = n
    for config, counts in expected.items():
        found = dict.fromkeys(counts, 0)
        for row in data.records(config):
            split = row[f"{config}/split"]
            found[split.decode() if isinstance(split, bytes) else split] += 1
            image = row[f"{config}/image"]
            image = image if isinstance(image, Image.Image) else Image.open(io.BytesIO(image))
            assert min(image.size) > 0
            assert row[f"{config}/severity"] >= 0
        assert found == counts, (found, counts)
        names = [list(row.values())[0] for row in data.records(f"{config}_splits")]
        assert sorted(n.decode() if isinstance(n, bytes) else n for n in names) == sorted(counts)
    print(f"{export}: no errors, no warnings, {expected}")
