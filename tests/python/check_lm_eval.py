"""lm-eval finds the tasks, asks with the picture, and scores right, wrong and unreadable replies as they are."""

from shared import at, right, splits, without_tags, wrong

import lm_eval
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager


class Scripted(LM):
    """Replies without a model; counts the pictures it is shown."""

    MULTIMODAL = True
    tokenizer_name = "none"

    def __init__(self, reply):
        super().__init__()
        self.reply, self.pictures = reply, 0

    def generate_until(self, requests, **_):
        replies = []
        for request in requests:
            text, _, beside = request.args
            assert "<image>" in text and [p.mode for p in beside["visual"]] == ["RGB"]
            self.pictures += 1
            replies.append(self.reply(request.doc))
        return replies

    def loglikelihood(self, requests):
        raise NotImplementedError

    def loglikelihood_rolling(self, requests):
        raise NotImplementedError

    def apply_chat_template(self, chat_history, **_):
        return chat_history[-1]["content"]


REPLIES = [
    (lambda doc: right(doc["answer"]), (1, 1)),
    (lambda doc: wrong(doc["task"]), (0, 1)),
    (lambda doc: without_tags(doc["answer"]), (0, 0)),
]
for export in ["lm_eval", "one_lm_eval", "jsonl_lm_eval"]:
    manager = TaskManager(include_path=at(export, "lm_eval"), include_defaults=False)
    tasks = sorted(task for task in manager.all_tasks if task.startswith("vrrl_"))
    assert len(tasks) == len(splits(export)), tasks
    # The harness opens every picture several times; one export shows all verdicts.
    for reply, expected in REPLIES if export == "one_lm_eval" else REPLIES[:1]:
        model = Scripted(reply)
        done = lm_eval.simple_evaluate(model=model, tasks=tasks, task_manager=manager, bootstrap_iters=0, log_samples=False)
        for task in tasks:
            scores = done["results"][task]
            assert (scores["accuracy,none"], scores["parses,none"]) == expected, (task, scores)
        assert model.pictures == sum(n for _, _, n in splits(export))
    print(f"{export}: {tasks}")
