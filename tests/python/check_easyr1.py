"""EasyR1's own RLHFDataset reads the rows, and its batch reward judges them.

EasyR1 is in no registry: set EASYR1 to a checkout of it. Only its data set module is imported; the rest of the
package wants a GPU stack.
"""

import json
import os
import sys
import types

from shared import at, reward_of, right, splits, without_tags, wrong
from stub import Processor, Tokenizer

home = os.environ.get("EASYR1")
if not home:
    print("EASYR1 is not set to a checkout")
    sys.exit(77)
for name in ["verl", "verl.utils"]:
    module = types.ModuleType(name)
    module.__path__ = [os.path.join(home, *name.split("."))]
    sys.modules[name] = module
from verl.utils.dataset import RLHFDataset  # noqa: E402

for export in ["easyr1", "one_easyr1"]:
    sys.modules.pop("reward", None)
    reward = reward_of(export)
    for config, split, n in splits(export):
        folder = at(export, "data" if config == "default" else config, split)
        data = RLHFDataset(
            data_path=folder,
            tokenizer=Tokenizer(),
            processor=Processor(),
            prompt_key="problem",
            answer_key="answer",
            image_key="images",
            filter_overlong_prompts=True,
            filter_overlong_prompts_workers=1,
            max_prompt_length=64,
        )
        assert len(data) == n, (split, len(data))
        for i in range(n):
            row = data[i]
            assert len(row["multi_modal_data"]["images"]) == 1
            known = json.loads(row["ground_truth"])
            replies = [right(known["answer"]), wrong(known["task"]), without_tags(known["answer"])]
            scores = reward.compute_score([{"response": r, "ground_truth": row["ground_truth"]} for r in replies])
            assert [round(s["overall"], 6) for s in scores] == [1, 0.1, 0], scores
        print(f"{export} {config}/{split}: {n} rows")
