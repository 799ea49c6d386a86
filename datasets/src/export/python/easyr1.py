

REWARD_NAME = "vrrl"
REWARD_TYPE = "batch"


def compute_score(reward_inputs, format_weight=0.1):
    """EasyR1's batch reward: 1 for a right answer in a reply that parses, `format_weight` for one that parses."""
    scores = []
    for item in reward_inputs:
        known = json.loads(item["ground_truth"])
        parses = answer_of(item["response"], known["task"]) is not None
        right = is_right(item["response"], known["task"], known["truth"])
        overall = (1 - format_weight) * right + format_weight * parses
        scores.append({"overall": float(overall), "format": float(parses), "accuracy": float(right)})
    return scores
