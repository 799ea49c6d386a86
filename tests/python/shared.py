"""What the checks share: where the exports are, and replies whose verdict is known."""

import json
import os
import sys

OUT = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else sys.exit("usage: check_X.py OUT (the folder make.sh wrote)")
# Whatever the libraries keep for later goes with the exports.
os.environ.setdefault("HF_HOME", os.path.join(OUT, "cache"))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")


def at(*parts):
    """A path below the exports."""
    return os.path.join(OUT, *parts)


def splits(export):
    """Configuration, split and number of examples of everything that an export holds, from its manifest."""
    with open(at(export, "export.json")) as file:
        return [(s["config"], s["name"], s["examples"]) for s in json.load(file)["splits"]]


def right(answer):
    """A reply that commits to an answer."""
    return f"<FINAL>{answer}</FINAL>"


def wrong(task):
    """A reply that parses and is never right."""
    return right("up " * 99 if task == "maze" else "-999 -999")


def without_tags(answer):
    """A reply that does not parse."""
    return f"I would say {answer}."


def reward_of(export):
    """The reward file of an export."""
    sys.path.insert(0, at(export))
    import reward

    return reward
