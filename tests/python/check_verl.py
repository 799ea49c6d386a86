"""verl's own RLHFDataset reads the rows, and its reward signature judges them."""

import glob
import json

from shared import at, reward_of, right, splits, without_tags, wrong
from stub import Processor, Tokenizer

from omegaconf import OmegaConf
from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn

reward = reward_of("verl")
config = OmegaConf.create({"filter_overlong_prompts": False, "cache_dir": at("cache", "verl")})
for folder, split, n in splits("verl"):
    folder = "data" if folder == "default" else folder
    files = sorted(glob.glob(at("verl", folder, f"{split}-0*.parquet")))
    data = RLHFDataset(data_files=files, tokenizer=Tokenizer(), processor=Processor(), config=config)
    assert len(data) == n, (split, len(data))
    batch = collate_fn([data[i] for i in range(8)])
    assert len(batch["raw_prompt"]) == 8
    for i in range(n):
        row = data[i]
        assert row["index"] == i and row["reward_model"]["style"] == "rule"
        known, task = row["reward_model"]["ground_truth"], row["data_source"].split("/")[1]
        assert json.loads(known)["task"] == task
        kinds = [part["type"] for part in row["raw_prompt"][0]["content"]]
        assert kinds == ["image", "text"], row["raw_prompt"]

        def score(reply):
            done = reward.compute_score(row["data_source"], reply, known, row["extra_info"])
            return round(done["score"], 6)

        answer = row["extra_info"]["answer"]
        assert [score(right(answer)), score(wrong(task)), score(without_tags(answer))] == [1, 0.1, 0]
    print(f"{folder}/{split}: {n} rows of {len(files)} files")
