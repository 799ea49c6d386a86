"""Conversations: pictures match their marks, wrong proposals are never a target, TRL takes the shapes in parts."""

from shared import at, splits

import datasets
from trl.data_utils import is_conversational, prepare_multimodal_messages


def pictures(messages):
    return sum(part["type"] == "image" for message in messages for part in message["content"])


features, wrong, several = {}, 0, 0
for config, split, n in splits("sft"):
    marks, parts, turns = (
        datasets.load_dataset(at(shape), config, split=split) for shape in ["sft", "sft_chat", "sft_turns"]
    )
    for shape, data in [("sft", marks), ("sft_chat", parts), ("sft_turns", turns)]:
        assert features.setdefault(shape, data.features) == data.features, "the same columns for every task"
    assert len(marks) == len(parts) == n
    targets = []
    for row, other in zip(marks, parts):
        said, same = row["messages"], other["messages"]
        assert sum(m["content"].count("<image>") for m in said) == len(row["images"]) == pictures(same)
        assert [m["train"] for m in said] == [m["train"] for m in same] == [m["weight"] == 1 for m in same]
        assert [m["role"] for m in said] == ["user", "assistant"] * (len(said) // 2)
        assert not any(m["train"] for m in said if m["role"] == "user")
        skipped = [m for m in said if m["role"] == "assistant" and not m["train"]]
        assert len(skipped) == row["wrong"]
        assert not any("<FINAL" in m["content"] for m in skipped), "a wrong proposal is not committed"
        targets += [m["content"] for m in said if m["train"]]
        wrong, several = wrong + len(skipped), several + (len(skipped) > 0)
        messages = prepare_multimodal_messages(same, images=other["images"])
        assert all("image" in part for m in messages for part in m["content"] if part["type"] == "image")
    done = []
    for row in turns:
        assert is_conversational(row)
        assert pictures(row["prompt"]) == len(row["images"]) and pictures(row["completion"]) == 0
        prepare_multimodal_messages(row["prompt"], images=row["images"])
        done.append("".join(part["text"] for part in row["completion"][0]["content"]))
    assert done == targets, "one row for each reply that is trained on, and none for the others"
    print(f"{config}/{split}: {n} conversations, {len(turns)} targets")
assert wrong and several
print(f"{several} conversations with {wrong} wrong proposals, none of them a target")
