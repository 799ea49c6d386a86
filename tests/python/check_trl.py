"""TRL's own functions take the rows: conversational prompts, pictures into messages, reward functions."""

from shared import at, reward_of, right, splits, without_tags, wrong

import datasets
from trl.data_utils import is_conversational, prepare_multimodal_messages

reward = reward_of("trl")
for config, split, n in splits("trl"):
    data = datasets.load_dataset(at("trl"), config, split=split)
    assert len(data) == n
    for row in data:
        assert is_conversational(row) and len(row["images"]) == 1
        messages = prepare_multimodal_messages(row["prompt"], images=row["images"])
        assert [part["type"] for part in messages[0]["content"]] == ["image", "text"]
        task = row["task"]
        replies = [right(row["answer"]), wrong(task), without_tags(row["answer"])]
        completions = [[{"role": "assistant", "content": reply}] for reply in replies]
        # As the trainer calls them: every other column as a list of the same length.
        columns = {key: [value] * 3 for key, value in row.items() if key not in ("prompt", "images")}
        columns |= {"prompts": [row["prompt"]] * 3, "completion_ids": [[1]] * 3, "trainer_state": None}
        assert reward.correct_reward(completions=completions, **columns) == [1, 0, 0]
        assert reward.format_reward(completions=completions, **columns) == [1, 1, 0]
    print(f"{config}/{split}: {n} rows")
