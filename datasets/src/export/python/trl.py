

def text_of(completion):
    """The last reply of a completion: a text, or messages whose contents are texts or parts."""
    if isinstance(completion, str):
        return completion
    replies = [message["content"] for message in completion if message["role"] == "assistant"]
    content = replies[-1] if replies else ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content)


def correct_reward(completions, task, truth, **_):
    """1 for each completion whose last reply is right, else 0; `task` and `truth` are columns of the rows."""
    return [float(is_right(text_of(c), t, k)) for c, t, k in zip(completions, task, truth)]


def format_reward(completions, task, **_):
    """1 for each completion whose last reply parses, else 0."""
    return [float(answer_of(text_of(c), t) is not None) for c, t in zip(completions, task)]
