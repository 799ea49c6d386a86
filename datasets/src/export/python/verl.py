

def compute_score(data_source, solution_str, ground_truth, extra_info=None, format_weight=0.1, **_):
    """verl's reward: 1 for a right answer in a reply that parses, `format_weight` for one that parses."""
    known = json.loads(ground_truth)
    parses = answer_of(solution_str, known["task"]) is not None
    right = is_right(solution_str, known["task"], known["truth"])
    overall = (1 - format_weight) * right + format_weight * parses
    return {"score": float(overall), "acc": float(right), "format": float(parses)}
